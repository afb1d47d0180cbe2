// tokenizer.model of SentencePiece, by its own library, where that was there when this was built.
#include "frontend/tokenizer/readers.h"
#include "ir/error.h"

#ifdef BITGRID_SENTENCEPIECE
#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include <utility>

#include "frontend/tokenizer/piece_model_check.h"
#include "ir/text.h"
#endif

namespace bitgrid::frontend {

#ifdef BITGRID_SENTENCEPIECE
namespace {

constexpr const char* kPieceModelCure = "use the tokenizer.model that came with the model";

class SentencePieceTokenizer : public Tokenizer {
 public:
  explicit SentencePieceTokenizer(const TokenizerSource& source) : where_(source.where) {
    check_piece_model(source.model, where_);
    const sentencepiece::util::Status status = processor_.LoadFromSerializedProto(source.model);
    if (!status.ok()) throw Error(where_, "it is not a SentencePiece model: " + printable(status.ToString()), kPieceModelCure);
    const int n = processor_.GetPieceSize();
    if (n > kMostIds) throw Error(where_, fmt::format("it has {} pieces, more than {}", n, kMostIds), kPieceModelCure);
    for (int id = 0; id < n; ++id) {
      if (!processor_.IsControl(id)) continue;
      AddedToken token;
      token.id = id;
      token.text = processor_.IdToPiece(id);
      token.special = true;
      added_.add(token);
      ids_.emplace(token.text, id);
    }
    std::vector<std::string> first;
    space_prefix = processor_.Encode("a", &first).ok() && !first.empty() && first[0].starts_with(kMetaspace);
  }

  /// Ids of the tokens that tokenizer_config.json may name, by their texts.
  const IdsByText& ids() const { return ids_; }
  std::optional<int64_t> begin() const { return processor_.bos_id() < 0 ? std::nullopt : std::optional<int64_t>(processor_.bos_id()); }
  std::optional<int64_t> end() const { return processor_.eos_id() < 0 ? std::nullopt : std::optional<int64_t>(processor_.eos_id()); }

  std::vector<int> encode(std::string_view text, bool special) const override {
    std::vector<int> ids;
    for (const TextPart& part : added_.split(text, special)) {
      std::vector<int> part_ids;
      if (part.id >= 0) {
        part_ids = {part.id};
      } else if (const auto status = processor_.Encode(part.text, &part_ids); !status.ok()) {
        throw Error(where_, "SentencePiece cannot encode the text: " + printable(status.ToString()), kPieceModelCure);
      }
      ids.insert(ids.end(), part_ids.begin(), part_ids.end());
    }
    return ids;
  }

  std::string bytes_of(int id, bool special) const override {
    if (id < 0 || id >= processor_.GetPieceSize()) return fmt::format("<{}>", id);
    const std::string& piece = processor_.IdToPiece(id);
    if (processor_.IsControl(id) || processor_.IsUnknown(id)) return special ? piece : "";
    const auto byte = processor_.IsByte(id) ? byte_piece(piece) : std::nullopt;
    return byte ? std::string(1, static_cast<char>(*byte)) : replaced(piece, kMetaspace, " ");
  }

  std::string description() const override { return fmt::format("SentencePiece, {} tokens", size()); }
  size_t size() const override { return static_cast<size_t>(processor_.GetPieceSize()); }

 private:
  std::string where_;
  sentencepiece::SentencePieceProcessor processor_;
  AddedTokens added_;
  IdsByText ids_;
};

}  // namespace

std::unique_ptr<Tokenizer> read_sentencepiece(const TokenizerSource& source) {
  auto tokenizer = std::make_unique<SentencePieceTokenizer>(source);
  TokenizerSource with_ends = source;
  if (!with_ends.bos) with_ends.bos = tokenizer->begin();
  if (!with_ends.eos) with_ends.eos = tokenizer->end();
  const TokenizerConfig config = read_tokenizer_config(source.config_json, source.where);
  set_ends(*tokenizer, with_ends, config, tokenizer->ids(), std::nullopt, true);
  return tokenizer;
}

#else

std::unique_ptr<Tokenizer> read_sentencepiece(const TokenizerSource& source) {
  throw Error(source.where, "this program was built without SentencePiece, which reads tokenizer.model",
              "install libsentencepiece-dev and build again, or take a folder with a tokenizer.json");
}

#endif

}  // namespace bitgrid::frontend
