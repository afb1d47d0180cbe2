#include "frontend/tokenizer/piece_model_check.h"

#include <cstdint>
#include <functional>
#include <vector>

#include "ir/error.h"

namespace bitgrid::frontend {
namespace {

[[noreturn]] void malformed_model(const std::string& where, const std::string& problem) {
  throw Error(where, problem, "use the tokenizer.model that came with the model");
}

/// Calls `field` with the number and bytes of each field of a message that has a length. False if the bytes are no message.
bool for_each_field(std::string_view message, const std::function<bool(uint64_t, std::string_view)>& field) {
  const auto number = [&](uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && !message.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(message.front());
      message.remove_prefix(1);
      value |= uint64_t{byte & 127u} << shift;
      if (byte < 128) return true;
    }
    return false;
  };
  while (!message.empty()) {
    uint64_t tag = 0, size = 0;
    if (!number(tag)) return false;
    const uint64_t wire = tag & 7;
    if (wire == 0) {
      if (!number(size)) return false;
      continue;
    }
    if (wire == 2 ? !number(size) : wire != 1 && wire != 5) return false;
    if (wire != 2) size = wire == 1 ? 8 : 4;
    if (size > message.size()) return false;
    if (wire == 2 && !field(tag >> 3, message.substr(0, size))) return false;
    message.remove_prefix(size);
  }
  return true;
}

uint32_t unit_at(std::string_view bytes, size_t i) {
  uint32_t value = 0;
  for (size_t k = 4; k-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[4 * i + k]);
  return value;
}

/// Whether a double array (u32 size in bytes, units) and the texts behind it, each with a 0 at its end, can be walked with any input. A
/// unit has a label (byte), a distance to its children, and a flag that says that child 0 is the place of a text.
bool is_sound(std::string_view map) {
  constexpr unsigned kMostTexts = 32;  // on one way through the array: the library keeps no more
  if (map.empty()) return true;
  if (map.size() < 4) return false;
  const uint32_t bytes = unit_at(map, 0);
  if (bytes > map.size() - 4 || bytes % 1024 != 0 || bytes == 0) return false;
  const std::string_view array = map.substr(4, bytes), texts = map.substr(4 + bytes);
  const size_t n = bytes / 4;
  if (texts.empty() || texts.back() != '\0') return false;

  std::vector<unsigned> seen(n, 0);  // texts on the way to a unit, plus 1
  std::vector<size_t> open = {0};
  seen[0] = 1;
  while (!open.empty()) {
    const size_t i = open.back();
    open.pop_back();
    const uint32_t unit = unit_at(array, i);
    const size_t children = i ^ (size_t{unit >> 10} << ((unit & 0x200u) >> 6));
    if ((children | 255) >= n) return false;
    unsigned found = seen[i];
    if ((unit & 0x100u) != 0 && i != 0) {
      if ((unit_at(array, children) & 0x7FFFFFFFu) >= texts.size() || ++found > kMostTexts) return false;
    }
    for (uint32_t c = 0; c < 256; ++c) {
      const size_t child = children ^ c;
      if ((unit_at(array, child) & 0x800000FFu) != c || seen[child] >= found) continue;
      seen[child] = found;
      open.push_back(child);
    }
  }
  return true;
}

}  // namespace

void check_piece_model(std::string_view model, const std::string& where) {
  constexpr uint64_t kNormalizer = 3, kDenormalizer = 5, kMap = 2;
  bool sound = true;
  const bool readable = for_each_field(model, [&](uint64_t field, std::string_view bytes) {
    if (field != kNormalizer && field != kDenormalizer) return true;
    return for_each_field(bytes, [&](uint64_t inner, std::string_view map) {
      sound = sound && (inner != kMap || is_sound(map));
      return true;
    });
  });
  if (!readable) malformed_model(where, "it is not a SentencePiece model");
  if (!sound) malformed_model(where, "its table of replacements (precompiled_charsmap) is damaged");
}

}  // namespace bitgrid::frontend
