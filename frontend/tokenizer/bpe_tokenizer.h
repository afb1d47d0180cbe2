// The tokenizer that merges pieces. The readers of tokenizer.json and of GGUF metadata both fill the struct that it is made from.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "frontend/tokenizer/added_tokens.h"
#include "frontend/tokenizer/pair_merger.h"
#include "frontend/tokenizer/pattern.h"
#include "frontend/tokenizer/tokenizer.h"
#include "frontend/tokenizer/unicode.h"

namespace bitgrid::frontend {

/// Ids are below this limit, so that a file cannot request arbitrary amounts of memory.
inline constexpr int64_t kMostIds = int64_t{1} << 20;

/// A change to a text before it is cut.
struct TextChange {
  enum class Kind : uint8_t { kNormalForm, kReplace, kPrepend };
  Kind kind = Kind::kNormalForm;
  NormalForm form = NormalForm::kNfc;
  std::string from, to;  // kReplace; kPrepend: `to`
};

/// A cut that applies to every word so far.
struct TextCut {
  std::optional<Pattern> pattern;  // none: before every U+2581
  PatternKeeps keeps = PatternKeeps::kBoth;
};

/// When a text gets a leading space (or U+2581) that it does not have.
enum class SpacePrefix : uint8_t { kNever, kFirst /* of the whole text */, kAlways /* of every part between added tokens */ };

/// What an id represents.
struct Piece {
  std::string bytes;
  bool exists = false;
  bool special = false;
};

constexpr std::array<int, 256> no_bytes() {
  std::array<int, 256> ids{};
  for (int& id : ids) id = -1;
  return ids;
}

struct BpeParts {
  std::string where;        // for messages
  std::string description;  // see Tokenizer::description
  std::vector<Piece> pieces;
  std::vector<AddedToken> added;

  std::vector<TextChange> changes;
  SpacePrefix prefix = SpacePrefix::kNever;
  std::string prefix_text = " ";
  bool metaspace = false;  // spaces become U+2581, after the changes
  std::vector<TextCut> cuts;

  // A word becomes symbols: its bytes, or its characters. Anything that is not a symbol becomes bytes by `bytes`, or `unknown`, or an
  // error.
  bool by_bytes = false;
  std::array<int, 256> bytes = no_bytes();          // ids; -1: none
  std::unordered_map<std::string, int> characters;  // not by_bytes
  std::vector<std::string> unfinished;              // symbols that only merges know, numbered from pieces.size() on; characters, too
  std::optional<int> unknown;
  bool fuse_unknown = false;                   // a run of unknown characters is one token
  std::unordered_map<std::string, int> words;  // words that are tokens without any merge
  PairMerger merges;

  bool space_prefix = false;  // Tokenizer::space_prefix
};

/// Makes a tokenizer of these parts. Its ids are pieces.
std::unique_ptr<Tokenizer> make_bpe_tokenizer(BpeParts parts);

}  // namespace bitgrid::frontend
