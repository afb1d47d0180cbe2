// What fuzz targets share: what counts as a fault, and input that is cut into files.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/error.h"

namespace bitgrid::fuzz {

/// A fault that a target has found. Nobody catches it: libFuzzer reports a crash, the replay of a corpus a failed test.
struct Fault : std::logic_error {
  using std::logic_error::logic_error;
};

inline void require(bool ok, const std::string& what) {
  if (!ok) throw Fault(what);
}

/// Every message says something.
inline void check_message(std::string_view message) {
  require(!message.empty(), "an empty message");
}

/// What `read` returns; nullopt if it refuses its input with an Error. Any other exception is a fault.
template <typename Read>
auto accepted(Read&& read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const Error& e) {
    check_message(e.what());
    return std::nullopt;
  }
}

/// The parts of the input between lines "%%", each without the line end before the next "%%".
inline std::vector<std::string> parts(std::string_view bytes, size_t count) {
  constexpr std::string_view kCut = "\n%%\n";
  std::vector<std::string> out;
  while (out.size() + 1 < count) {
    const size_t cut = bytes.find(kCut);
    out.emplace_back(bytes.substr(0, cut));
    bytes.remove_prefix(cut == std::string_view::npos ? bytes.size() : cut + kCut.size());
  }
  out.emplace_back(bytes);
  return out;
}

/// Numbers from the input's bytes, 0 when they are used up: for targets that build something instead of reading a text.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto value = static_cast<uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }
  /// 0 .. n - 1.
  uint32_t below(uint32_t n) {
    const uint32_t value = n > 256 ? byte() * 256u + byte() : byte();
    return value % n;
  }
  /// As a generator of random numbers (tests/support/random_dag.h): a byte at a time.
  uint64_t operator()() { return byte(); }

 private:
  std::string_view bytes_;
};

}  // namespace bitgrid::fuzz
