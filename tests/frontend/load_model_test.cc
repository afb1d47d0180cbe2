// Files, YAML and damage; what the values say is in load_model_values_test.cc.
#include "frontend/load_model.h"

#include <random>

#include "ir/file.h"
#include "tests/frontend/load_model_fixture.h"

namespace bitgrid::frontend {
namespace {

using Block = TinyParams::Block;

TEST_F(LoadModel, RoundTripOfEveryKindOfModel) {
  std::vector<TinyParams> variants(6);
  variants[1].multiplier = true;
  variants[1].table = true;
  variants[2].values = WeightValues::kBinary;
  variants[2].input_bits = variants[2].query_bits = variants[2].key_bits = variants[2].value_bits = variants[2].hidden_bits = 1;
  variants[2].embedding_tables = 3;
  variants[3].layers = {Block::kLinear, Block::kLinearSign, Block::kLinearExact};
  variants[3].linear_outputs = 5;
  variants[4].position = variants[4].bias = false;
  variants[5].values = WeightValues::kInt2;
  variants[5].vocabulary = "\n\t \"\\#:{}";
  for (const TinyParams& p : variants) {
    Model m = tiny_model(p);
    m.reported_bits_per_character = 2.5;
    std::vector<std::string> warnings;
    Model loaded = load_model(write_model(m, dir), &warnings);
    EXPECT_NE(loaded.content_hash, 0u);
    loaded.content_hash = 0;
    for (Layer& layer : m.layers) {  // names of matrices and tables become the tensors'
      if (auto* d = std::get_if<Dense>(&layer))
        d->linear.weights.name = std::get<Dense>(loaded.layers[static_cast<size_t>(&layer - &m.layers[0])]).linear.weights.name;
    }
    EXPECT_EQ(loaded, m);
    EXPECT_TRUE(warnings.empty());
  }
}

TEST_F(LoadModel, ContentHashSeesEveryByte) {
  const auto hash = [&](const std::string& yaml, const std::string& weights) { return parse_model(yaml, "m", weights, "w").content_hash; };
  const uint64_t first = hash(files.yaml, print_safetensors(tensors));
  EXPECT_EQ(first, hash(files.yaml, print_safetensors(tensors)));
  EXPECT_NE(first, hash(files.yaml + "\n", print_safetensors(tensors)));
  int64_t& w = named("head.weight").values[3];
  w = w == 1 ? 0 : 1;
  EXPECT_NE(first, hash(files.yaml, print_safetensors(tensors)));
}

TEST_F(LoadModel, UnusedTensorIsAWarning) {
  tensors.push_back({"extra", DType::kI8, {1}, {1}});
  std::vector<std::string> warnings;
  parse_model(files.yaml, "model.yaml", print_safetensors(tensors), "weights.safetensors", &warnings);
  EXPECT_EQ(warnings, (std::vector<std::string>{"weights.safetensors: the tensor extra is not used"}));
}

TEST_F(LoadModel, MissingFile) {
  EXPECT_EQ(message([&] { load_model(dir + "/absent.yaml"); }), "absent.yaml: there is no such file; check the path");
}

TEST_F(LoadModel, Folder) {
  EXPECT_EQ(message([&] { load_model(dir); }), dir + ": this is a folder; name the file in it");
}

TEST_F(LoadModel, NoRegularFile) {
  EXPECT_EQ(message([&] { load_model("/dev/null"); }), "/dev/null: this is not a regular file; copy the data into an ordinary file");
}

TEST_F(LoadModel, MissingWeightsFile) {
  write_file(dir + "/model.yaml", files.yaml);
  EXPECT_EQ(message([&] { load_model(dir + "/model.yaml"); }),
            "model.yaml:4: the weights cannot be read: weights.safetensors: there is no such file; check the path");
}

TEST_F(LoadModel, TruncatedWeightsFile) {
  write_file(dir + "/model.yaml", files.yaml);
  write_file(dir + "/weights.safetensors", files.weights.substr(0, files.weights.size() - 100));
  EXPECT_NE(message([&] { load_model(dir + "/model.yaml"); }).find("the file is truncated; copy or export it again"), std::string::npos);
}

TEST_F(LoadModel, TooLargeFile) {
  write_file(dir + "/model.yaml", std::string((1 << 20) + 1, '\n'));
  EXPECT_EQ(message([&] { load_model(dir + "/model.yaml"); }),
            "model.yaml: the file has 1048577 bytes, more than the 1048576 allowed here; check that this is the right file");
}

TEST_F(LoadModel, EmptyFile) {
  files.yaml = "";
  EXPECT_EQ(problem(), "model.yaml:1: the file is empty; docs/model-format.md shows what to write");
}

TEST_F(LoadModel, NotUtf8) {
  replace("random", "\xff\xfe");
  EXPECT_EQ(problem(), "model.yaml:3: byte 49 is not UTF-8 text; save the file as UTF-8, as docs/model-format.md describes it");
}

TEST_F(LoadModel, BadYaml) {
  replace("width: 8", "width: [8");
  EXPECT_EQ(problem().substr(0, 13), "model.yaml:7:");
  EXPECT_NE(problem().find("this is not valid YAML: "), std::string::npos);
}

TEST_F(LoadModel, NotAMapping) {
  files.yaml = "- 1\n- 2\n";
  EXPECT_EQ(problem().substr(0, 54), "model.yaml:1: the file is a list, not a mapping; write");
}

TEST_F(LoadModel, WrongFormat) {
  replace("bitgrid-model-1", "bitgrid-model-9");
  EXPECT_EQ(problem(), "model.yaml:1: the format is `bitgrid-model-9`; this program reads `format: bitgrid-model-1`");
}

TEST_F(LoadModel, MissingKey) {
  replace("width: 8\n", "");
  EXPECT_EQ(problem(), "model.yaml:1: the key `width` is missing in the file; add it; docs/model-format.md says what it means");
}

TEST_F(LoadModel, MissingKeyInALayer) {
  replace("    window: 4\n", "");
  EXPECT_EQ(problem(), "model.yaml:9: the key `window` is missing in layers.0; add it; docs/model-format.md says what it means");
}

TEST_F(LoadModel, UnknownKeyNamesTheNearest) {
  replace("    window: 4", "    windw: 4");
  EXPECT_EQ(
      problem(),
      "model.yaml:11: unknown key `windw` in layers.0; did you mean `window`? (the keys here are heads, input, key, mix, output, position, "
      "query, score, type, value, window)");
}

TEST_F(LoadModel, UnknownKeyInARequantisation) {
  replace("score: {shift", "score: {bias: layers.0.mix.bias, shift");
  EXPECT_EQ(problem(), "model.yaml:17: unknown key `bias` in layers.0.score; the keys here are multiplier, range, shift");
}

TEST_F(LoadModel, DuplicateKey) {
  replace("width: 8\n", "width: 8\nwidth: 8\n");
  EXPECT_EQ(problem(), "model.yaml:7: the key `width` appears twice in the file; keep one of them");
}

TEST_F(LoadModel, NotAnInteger) {
  replace("window: 4", "window: four");
  EXPECT_EQ(problem(), "model.yaml:11: layers.0.window is `four`, not an integer; write a whole number");
}

TEST_F(LoadModel, IntegerOutOfRange) {
  replace("window: 4", "window: 0");
  EXPECT_EQ(problem(), "model.yaml:11: layers.0.window is 0, outside 1 .. 65536; choose a value in that range");
}

TEST_F(LoadModel, TwoDocuments) {
  files.yaml += "---\nformat: bitgrid-model-1\n";
  EXPECT_EQ(problem(), "model.yaml:1: the file holds more than one YAML document; keep one of them");
}

TEST_F(LoadModel, DeepNesting) {
  for (const char* open : {"[", "{a: ", "- ", "? ", "!a "}) {
    std::string deep;
    for (int i = 0; i < 20000; ++i) deep += open;
    files.yaml = "format: bitgrid-model-1\nname: " + deep;
    EXPECT_NE(problem(), "no error") << open;
    files.yaml = deep;
    EXPECT_NE(problem(), "no error") << open;
  }
  files.yaml = "a: 1\nb: " + std::string(600, '[') + std::string(600, ']');
  EXPECT_EQ(problem(), "model.yaml:2: lists and mappings are nested more than 500 deep; docs/model-format.md shows how deep they may be");
}

TEST_F(LoadModel, AliasBomb) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int k = 0; k < 8; ++k) bomb += ", " + last;
    bomb += "]\n";
  }
  files.yaml = bomb + files.yaml;
  EXPECT_EQ(problem(), "model.yaml:9: the aliases expand to more than 268435456 characters; write the values out");
}

TEST_F(LoadModel, AliasesAreRead) {
  replace("width: 8\n", "width: &w 8\n");
  replace("window: 4", "window: *w");
  EXPECT_EQ(problem().substr(0, 42), "model.yaml:16: layers.0.position: the tens");  // of a window of 4
}

TEST_F(LoadModel, AliasToItself) {
  replace("layers:\n", "description: &d [*d]\nlayers:\n");
  EXPECT_EQ(problem(), "model.yaml:8: an alias is used inside its own anchor; write the values out");
}

TEST_F(LoadModel, ByteOrderMark) {
  files.yaml = "\xEF\xBB\xBF" + files.yaml;
  EXPECT_EQ(problem(), "no error");
}

TEST_F(LoadModel, ControlCharacters) {
  replace("random", "a\\e[31m");
  EXPECT_EQ(problem(), "model.yaml:3: description has a control character; write printable text");
}

TEST_F(LoadModel, HugeInteger) {
  replace("window: 4", "window: 99999999999999999999");
  EXPECT_EQ(problem(), "model.yaml:11: layers.0.window is 99999999999999999999, outside 1 .. 65536; choose a value in that range");
}

TEST_F(LoadModel, ATensorWithoutValuesIsNoBias) {
  StoredTensor& t = named("layers.0.mix.bias");
  t.shape = {0};
  t.values.clear();
  EXPECT_EQ(problem(),
            "model.yaml:18: layers.0.mix.bias: the tensor layers.0.mix.bias has no values; give it values, or leave the key out");
}

TEST_F(LoadModel, ManyFreeKeysAreQuick) {
  std::string tables;
  for (int i = 1; i < 60'000; ++i) tables += std::to_string(i) + ": s, ";
  files.yaml = files.yaml.substr(0, files.yaml.find("sampling:")) + "sampling: {logit_scale: 1, tables: {" + tables + "}}\n";
  named("head.bias").name = "s";  // short, so that reading it so often is quick
  replace("bias: head.bias", "bias: s");
  problem();
}

/// Damages a text: flips, cuts, copies and removals of stretches, and characters that mean something to YAML.
std::string damaged(std::string text, std::mt19937& random) {
  static const std::string special = "{}[],:&*!|>'\"%@#-? \n\t\\0~";
  for (size_t n = 1 + random() % 3; n > 0 && !text.empty(); --n) {
    const size_t at = random() % text.size();
    switch (random() % 5) {
      case 0:
        text[at] ^= static_cast<char>(1 << random() % 8);
        break;
      case 1:
        text[at] = special[random() % special.size()];
        break;
      case 2:
        text.erase(at, 1 + random() % 20);
        break;
      case 3:
        text.insert(at, text.substr(random() % text.size(), 1 + random() % 20));
        break;
      default:
        if (random() % 4 == 0) text.resize(at);
    }
  }
  return text;
}

TEST_F(LoadModel, RandomDamageNeverCrashes) {
  std::mt19937 random(1);
  int accepted = 0;
  for (int round = 0; round < 1500; ++round) {
    const bool of_yaml = round % 3 != 0;
    const std::string yaml = of_yaml ? damaged(files.yaml, random) : files.yaml,
                      weights = of_yaml ? files.weights : damaged(files.weights, random);
    try {
      parse_model(yaml, "model.yaml", weights, "weights.safetensors");
      ++accepted;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()), "");
    }
  }
  EXPECT_LT(accepted, 1000);
}

}  // namespace
}  // namespace bitgrid::frontend
