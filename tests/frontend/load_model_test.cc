#include "frontend/load_model.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <random>

#include "frontend/safetensors.h"
#include "ir/error.h"
#include "ir/file.h"
#include "tests/support/tiny_model.h"

namespace bitgrid {
namespace {

using Block = TinyParams::Block;

/// A folder of its own for each test, removed at the end.
class LoadModel : public ::testing::Test {
 protected:
  LoadModel() {
    std::filesystem::create_directories(dir);
    TinyParams p;
    p.layers = {Block::kAttention, Block::kFeedForward, Block::kLinearSign};
    p.table = true;
    files = print_model(tiny_model(p));
    const Safetensors s = parse_safetensors(files.weights, "w");
    for (const auto& [name, e] : s.entries) tensors.push_back(tensor(s, name));
  }
  ~LoadModel() override { std::filesystem::remove_all(dir); }

  void replace(const std::string& what, const std::string& with) {
    const size_t at = files.yaml.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    files.yaml.replace(at, what.size(), with);
  }

  StoredTensor& named(const std::string& name) {
    for (StoredTensor& t : tensors) {
      if (t.name == name) return t;
    }
    throw std::out_of_range(name);
  }

  /// The message for the model as changed, with the folder left out.
  std::string problem() {
    return message([&] { parse_model(files.yaml, "model.yaml", print_safetensors(tensors), "weights.safetensors"); });
  }

  std::string message(const std::function<void()>& f) {
    try {
      f();
    } catch (const Error& e) {
      std::string text = e.what();
      for (size_t at; (at = text.find(dir + "/")) != std::string::npos;) text.erase(at, dir.size() + 1);
      return text;
    }
    return "no error";
  }

  const std::string dir = ::testing::TempDir() + "load_model_test_" + std::to_string(::getpid());
  ModelFiles files;
  std::vector<StoredTensor> tensors;
};

// Lines of the file: 1 format, 2 name, 3 description, 4 weights, 5 vocabulary, 6 width, 7 embedding, 8 layers, 9-18 attention (12 input, 13
// query, 14 key, 15 value, 16 position, 17 score, 18 mix, 19 output), 20-23 feed-forward, 24 linear, 25 head, 26 sampling.

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
  EXPECT_EQ(message([&] { load_model("/dev/null"); }), "/dev/null: this is no regular file; copy the data into an ordinary file");
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
  EXPECT_EQ(problem(), "model.yaml:1: the file is empty; write one model, as docs/model-format.md shows");
}

TEST_F(LoadModel, NotUtf8) {
  replace("random", "\xff\xfe");
  EXPECT_EQ(problem(), "model.yaml:3: byte 49 is not UTF-8 text; save the file as UTF-8; is this the model file?");
}

TEST_F(LoadModel, BadYaml) {
  replace("width: 8", "width: [8");
  EXPECT_EQ(problem().substr(0, 13), "model.yaml:7:");
  EXPECT_NE(problem().find("this is no valid YAML: "), std::string::npos);
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
  EXPECT_EQ(problem(), "model.yaml:7: the key `width` stands twice in the file; keep one of them");
}

TEST_F(LoadModel, NotAnInteger) {
  replace("window: 4", "window: four");
  EXPECT_EQ(problem(), "model.yaml:11: layers.0.window is `four`, not an integer; write a whole number");
}

TEST_F(LoadModel, IntegerOutOfRange) {
  replace("window: 4", "window: 0");
  EXPECT_EQ(problem(), "model.yaml:11: layers.0.window is 0, outside 1 .. 65536; choose a value in that range");
}

TEST_F(LoadModel, HeadsThatDoNotDivideTheWidth) {
  replace("heads: 2", "heads: 3");
  replace("    position: layers.0.position\n", "");
  EXPECT_EQ(problem(), "model.yaml:10: layers.0.heads: 3 heads do not divide the width 8; choose a divisor of 8");
}

TEST_F(LoadModel, RangeNeitherSymmetricNorOneSided) {
  replace("range: [-7, 7]", "range: [-8, 7]");
  EXPECT_EQ(problem(),
            "model.yaml:12: layers.0.input.range: [-8, 7] is no range of a requantisation; use a symmetric range as [-7, 7] (b bits: "
            "2^(b-1) - 1) "
            "or a one-sided one as [0, 15] (2^b - 1), up to 16 bits");
}

TEST_F(LoadModel, RangeOfThree) {
  replace("range: [-7, 7]", "range: [-7, 0, 7]");
  EXPECT_EQ(problem(), "model.yaml:12: layers.0.input.range has 3 values; write `range: [LO, HI]`");
}

TEST_F(LoadModel, ShiftOutOfRange) {
  const size_t at = files.yaml.find("shift: ");
  files.yaml.replace(at, 8, "shift: 99");
  EXPECT_EQ(problem(), "model.yaml:12: layers.0.input.shift is 99, outside -16 .. 40; choose a value in that range");
}

TEST_F(LoadModel, MultiplierOutOfRange) {
  replace("score: {", "score: {multiplier: 256, ");
  EXPECT_EQ(problem(), "model.yaml:17: layers.0.score.multiplier is 256, outside 1 .. 255; choose a value in that range");
}

TEST_F(LoadModel, MultiplierTensor) {
  replace("input: {shift", "input: {multiplier: layers.0.input.multiplier, shift");
  tensors.push_back({"layers.0.input.multiplier", DType::kI32, {8}, {1, 2, 3, 4, 5, 6, 7, 256}});
  EXPECT_EQ(
      problem(),
      "model.yaml:12: layers.0.input.multiplier: the multiplier 256 of channel 7 is outside 1 .. 255; choose multipliers in that range and "
      "adapt the shift");
  named("layers.0.input.multiplier").values[7] = 255;
  EXPECT_EQ(problem(), "no error");
}

TEST_F(LoadModel, MissingTensorNamesTheNearest) {
  replace("layers.0.query.weight", "layers.0.quary.weight");
  EXPECT_EQ(problem(),
            "model.yaml:13: layers.0.query.weights: the tensor layers.0.quary.weight is missing in weights.safetensors; did you mean "
            "layers.0.query.weight?");
}

TEST_F(LoadModel, WrongRank) {
  named("layers.0.query.weight").shape = {64};
  EXPECT_EQ(
      problem(),
      "model.yaml:13: layers.0.query.weights: the tensor layers.0.query.weight has the shape [64]; give it the shape [outputs, inputs]");
}

TEST_F(LoadModel, WrongShapeOfAMatrix) {
  named("layers.0.query.weight").shape = {4, 16};
  EXPECT_EQ(problem(),
            "model.yaml:13: layers.0.query.weights: tensor layers.0.query.weight has 16 inputs (columns) where the operand has 8 values; "
            "give it the "
            "shape [8, 8]");
}

TEST_F(LoadModel, WrongLengthOfABias) {
  StoredTensor& t = named("layers.0.key.bias");
  t.shape = {7};
  t.values.pop_back();
  EXPECT_EQ(problem(), "model.yaml:14: layers.0.key.bias: 7 biases for 8 channels; give one bias a channel, or none");
}

TEST_F(LoadModel, WrongShapeOfPositions) {
  named("layers.0.position").shape = {4, 2};
  EXPECT_EQ(problem(),
            "model.yaml:16: layers.0.position: the tensor layers.0.position has the shape [4, 2]; give it the shape [2, 4]: heads, window");
}

TEST_F(LoadModel, WrongShapeOfTheEmbedding) {
  named("embedding").shape = {4, 16};
  EXPECT_EQ(problem(),
            "model.yaml:7: embedding.tensor: the tensor embedding has the shape [4, 16]; give it the shape [8, 8]: symbols of the "
            "vocabulary, width");
}

TEST_F(LoadModel, EmbeddingOutsideItsRange) {
  named("embedding").values[9] = 99;
  EXPECT_EQ(problem(),
            "model.yaml:7: embedding.tensor: the value 99 at [1, 1] of tensor embedding is outside -31 .. 31; correct the value");
}

TEST_F(LoadModel, WeightOutsideItsSet) {
  named("layers.0.value.weight").values[10] = 2;
  EXPECT_EQ(problem(),
            "model.yaml:15: layers.0.value.weights: the value 2 at [1, 2] of tensor layers.0.value.weight is not ternary (-1, 0 or 1); "
            "correct the "
            "weight, or state other `values`");
}

TEST_F(LoadModel, BiasBeyond32Bits) {
  StoredTensor& t = named("layers.0.key.bias");
  t.dtype = DType::kI64;
  t.values[2] = int64_t{1} << 40;
  EXPECT_EQ(
      problem(),
      "model.yaml:14: layers.0.key.requantise.bias: the value 1099511627776 at [2] of tensor layers.0.key.bias is outside -2147483648 .. "
      "2147483647; correct the value");
}

TEST_F(LoadModel, UnknownKindOfWeights) {
  replace("values: ternary", "values: quaternary");
  EXPECT_EQ(problem(),
            "model.yaml:13: layers.0.query.values: `quaternary` are no weights that this program knows; use binary, ternary or int2");
}

TEST_F(LoadModel, UnknownLayerType) {
  replace("type: feedforward", "type: feed-forward");
  EXPECT_EQ(problem(), "model.yaml:20: layers.1: unknown layer type `feed-forward`; did you mean `feedforward`?");
}

TEST_F(LoadModel, LayerWithoutType) {
  replace("  - type: feedforward\n    input", "  - input");
  EXPECT_EQ(problem(), "model.yaml:20: the key `type` is missing in layers.1; add `type: attention`, `feedforward` or `linear`");
}

TEST_F(LoadModel, ActivationMissing) {
  const size_t at = files.yaml.find(", requantise"), end = files.yaml.find("}}", at);
  files.yaml.erase(at, end + 1 - at);
  EXPECT_EQ(
      problem(),
      "model.yaml:13: layers.0.query has neither `requantise` nor `sign`; add `requantise: {shift: S, range: [LO, HI]}` or `sign: {}`");
}

TEST_F(LoadModel, RequantiseAndSign) {
  replace(", requantise: {", ", sign: {}, requantise: {");
  EXPECT_EQ(problem(), "model.yaml:13: layers.0.query has both `requantise` and `sign`; keep one of them");
}

TEST_F(LoadModel, ActivationOnTheOutput) {
  replace("output: {", "output: {sign: {}, ");
  EXPECT_EQ(problem(), "model.yaml:19: unknown key `sign` in layers.0.output; the keys here are values, weights");
}

TEST_F(LoadModel, SignWithoutBias) {
  replace("requantise: {shift", "sign: {}, key: {shift");
  const size_t at = files.yaml.find(", key: {shift"), end = files.yaml.find("}}", at);
  files.yaml.erase(at, end + 1 - at);
  const Model m = parse_model(files.yaml, "model.yaml", print_safetensors(tensors), "weights.safetensors");
  EXPECT_EQ(std::get<Attention>(m.layers[0]).query.activation, Activation(Sign{}));
}

TEST_F(LoadModel, TwoSidedQueries) {
  replace("range: [0, 15], bias: layers.0.query.bias", "range: [-7, 7], bias: layers.0.query.bias");
  EXPECT_EQ(problem(), "model.yaml:13: layers.0.query.range: queries are requantised to [-7, 7]; use a one-sided range as [0, 15]");
}

TEST_F(LoadModel, TableOfTheWrongLength) {
  StoredTensor& t = named("layers.1.up.table");
  t.shape = {15};
  t.values.pop_back();
  EXPECT_EQ(
      problem(),
      "model.yaml:22: layers.1.up.table: the table covers 0 .. 14 but its operand is requantised to 0 .. 15; give it 16 entries, the first "
      "for 0");
}

TEST_F(LoadModel, TableAfterASign) {
  replace("  - {type: linear", "  - {type: linear, table: layers.1.up.table");
  EXPECT_EQ(problem(), "model.yaml:24: layers.2.table stands without a `requantise` before it; add `requantise`, or drop the table");
}

TEST_F(LoadModel, VocabularyWithDuplicates) {
  replace("\"\\n abcdef\"", "\"\\n abcdea\"");
  EXPECT_EQ(problem(),
            "model.yaml:5: vocabulary: the symbol 'a' stands twice in the vocabulary, at 2 and 7; drop one of them and its row of the "
            "embedding and "
            "the head");
}

TEST_F(LoadModel, VocabularyBeyondAscii) {
  replace("\"\\n abcdef\"", "\"\\n abcd\xC3\xA9\"");
  EXPECT_EQ(problem(),
            "model.yaml:5: symbol 6 of the vocabulary is no ASCII character; use one-byte symbols: printable ASCII, \\n and \\t");
}

TEST_F(LoadModel, NameThatIsNoFileName) {
  replace("name: tiny", "name: ../tiny");
  EXPECT_EQ(
      problem(),
      "model.yaml:2: the name is no word of up to 64 letters, digits, `-`, `_` and `.`; file names are made of it: choose such a word");
}

TEST_F(LoadModel, SamplingTableOfTheWrongLength) {
  StoredTensor& t = named("sampling.0.7");
  t.shape = {100};
  t.values.resize(100);
  EXPECT_EQ(problem(),
            "model.yaml:26: sampling.tables.0.7: the sampling table has 100 entries; give it 4096: one for each distance 0 .. 4095 from "
            "the largest "
            "logit");
}

TEST_F(LoadModel, TemperatureThatIsNoNumber) {
  replace("\"0.7\"", "\"hot\"");
  EXPECT_EQ(problem(), "model.yaml:26: sampling.tables.hot: a temperature is a number above 0; write it as \"0.7\"");
}

TEST_F(LoadModel, LogitScaleThatIsNoNumber) {
  replace("logit_scale: 0.125", "logit_scale: nan");
  EXPECT_EQ(problem(), "model.yaml:26: sampling.logit_scale is `nan`, not a number; write a decimal number such as 0.5");
}

TEST_F(LoadModel, NoLayers) {
  const size_t at = files.yaml.find("layers:"), end = files.yaml.find("head: {");
  files.yaml.replace(at, end - at, "layers: []\n");
  EXPECT_EQ(problem(), "model.yaml:8: layers: the model has 0 layers; use 1 .. 1024");
}

TEST_F(LoadModel, TwoDocuments) {
  files.yaml += "---\nformat: bitgrid-model-1\n";
  EXPECT_EQ(problem(), "model.yaml:1: the file holds more than one YAML document; write one model, as docs/model-format.md shows");
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
  EXPECT_EQ(problem().substr(0, 49), "model.yaml:1: unknown key `a0` in the file; the k");
}

TEST_F(LoadModel, AliasToItself) {
  replace("layers:\n", "description: &d [*d]\nlayers:\n");
  EXPECT_NE(problem(), "no error");
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
}  // namespace bitgrid
