// The readers of frontend/.
#include <algorithm>

#include "frontend/arch_file.h"
#include "frontend/blif.h"
#include "frontend/defects_file.h"
#include "frontend/load_model.h"
#include "frontend/safetensors.h"
#include "frontend/tokenizer/tokenizer.h"
#include "ir/text.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/targets.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::fuzz {

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// Parts: "MODEL\nPRE", tokens as lines "TYPE SCORE TOKEN" of a digit, a digit and the rest, merges as lines.
frontend::TokenizerSource gguf_source(const std::vector<std::string>& files) {
  frontend::TokenizerSource source;
  source.kind = frontend::TokenizerSource::Kind::kGguf;
  source.where = "x.gguf";
  const std::vector<std::string> head = lines_of(files[0]);
  source.model = head[0];
  source.pre = head.size() > 1 ? head[1] : "";
  for (const std::string& line : lines_of(files[1])) {
    if (line.size() < 2) continue;
    source.types.push_back(line[0] - '0');
    source.scores.push_back(static_cast<float>(line[1]));
    source.tokens.push_back(line.substr(2));
  }
  source.merges = lines_of(files[2]);
  source.add_bos = false;
  return source;
}

void check_text(const frontend::Tokenizer& tokenizer, const std::string& text, bool special) {
  const auto ids = accepted([&] { return tokenizer.encode(text, special); });
  if (!ids) return;
  frontend::Utf8Stream stream;
  std::string streamed;
  for (const int id : *ids) {
    require(id >= 0 && static_cast<size_t>(id) < tokenizer.size(), "an id outside the vocabulary");
    streamed += stream.put(tokenizer.bytes_of(id, special));
  }
  streamed += stream.finish();
  const std::string whole = frontend::decode(tokenizer, *ids, special);
  require(invalid_utf8(whole) == std::string::npos, "a decoded text is not UTF-8");
  require(whole == streamed || (tokenizer.space_prefix && " " + whole == streamed), "a text in pieces is another one");
}

}  // namespace

void blif(std::string_view bytes) {
  const auto network = accepted([&] { return frontend::parse_blif(bytes, "x.blif"); });
  if (!network) return;
  verify(*network);
  const std::string text = to_blif(*network);
  require(frontend::parse_blif(text, "printed") == *network, "a netlist that is printed and read again is another one:\n" + text);
}

void model(std::string_view bytes) {
  const std::vector<std::string> files = parts(bytes, 2);
  std::vector<std::string> warnings;
  const auto first = accepted([&] { return frontend::parse_model(files[0], "model.yaml", files[1], "model.safetensors", &warnings); });
  if (!first) return;
  for (const std::string& warning : warnings) check_message(warning);
  const ModelFiles printed = print_model(*first);
  const Model second = frontend::parse_model(printed.yaml, "printed.yaml", printed.weights, "printed.safetensors");
  const ModelFiles again = print_model(second);
  require(again.yaml == printed.yaml && again.weights == printed.weights,
          "a model that is printed and read again is another one:\n" + printed.yaml);
}

void safetensors(std::string_view bytes) {
  const auto file = accepted([&] { return frontend::parse_safetensors(std::string(bytes), "x.safetensors"); });
  if (!file) return;
  std::vector<frontend::StoredTensor> tensors;
  for (const auto& [name, entry] : file->entries) tensors.push_back(frontend::tensor(*file, name));
  const frontend::Safetensors second = frontend::parse_safetensors(frontend::print_safetensors(tensors), "printed");
  require(second.entries.size() == tensors.size(), "tensors are lost when they are printed and read again");
  for (const frontend::StoredTensor& t : tensors)
    require(second.entries.contains(t.name) && frontend::tensor(second, t.name) == t,
            "a tensor that is printed and read again is another one");
}

void arch(std::string_view bytes) {
  accepted([&] { return frontend::parse_arch(std::string(bytes), "arch.yaml"); });
}

void defects(std::string_view bytes) {
  const auto first = accepted([&] { return frontend::parse_defects(std::string(bytes), "defects.yaml"); });
  if (!first) return;
  require(frontend::parse_defects(frontend::print_defects(*first), "printed") == *first,
          "defects that are printed and read again are others");
}

void tokenizer(std::string_view bytes) {
  const std::vector<std::string> files = parts(bytes, 4);
  frontend::TokenizerSource source;
  const bool gguf = files[0].starts_with("gpt2") || files[0].starts_with("llama");
  if (gguf) {
    source = gguf_source(files);
  } else {
    source.kind = frontend::TokenizerSource::Kind::kHuggingFace;
    source.where = "tokenizer.json";
    source.json = files[0];
    source.config_json = files[1];
  }
  const auto made = accepted([&] { return frontend::make_tokenizer(source); });
  if (!made) return;
  check_text(**made, files[3], false);
  check_text(**made, files[3], true);
  accepted([&] { return frontend::chat_prompt(**made, {{"user", files[3]}}); });

  // Byte-level BPE of nothing but text loses no byte, whatever the text is; Qwen's also composes characters.
  const bool plain = std::all_of(source.types.begin(), source.types.end(), [](int32_t type) { return type == 1; });
  if (!gguf || source.model != "gpt2" || !plain || source.pre.starts_with("qwen")) return;
  const auto ids = accepted([&] { return (*made)->encode(files[3]); });
  if (!ids) return;
  std::string again;
  for (const int id : *ids) again += (*made)->bytes_of(id);
  require(again == files[3], "a text that is encoded and decoded is another one");
}

}  // namespace bitgrid::fuzz
