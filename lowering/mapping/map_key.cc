// What the mapping of a kernel depends on, as a hash. Every struct is taken apart by a structured binding: a new field does not compile
// until it is added here.
#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "ir/code_version.h"
#include "ir/file.h"
#include "lowering/mapping/map.h"

namespace bitgrid::mapping {
namespace {

class Hasher {
 public:
  uint64_t value() const { return hash_; }

  template <typename... T>
  void add(const T&... parts) {
    (one(parts), ...);
  }

 private:
  template <typename T>
  requires(std::integral<T> || std::is_enum_v<T>) void one(T v) {
    auto bits = static_cast<uint64_t>(v);
    std::string bytes;
    for (int i = 0; i < 8; ++i, bits >>= 8) bytes += static_cast<char>(bits & 0xFF);
    hash_ = fnv1a(bytes, hash_);
  }
  void one(const std::string& s) {
    one(s.size());
    hash_ = fnv1a(s, hash_);
  }
  template <typename T>
  void one(const std::vector<T>& list) {
    one(list.size());
    for (const T& v : list) one(v);
  }
  template <typename T>
  void one(const std::optional<T>& v) {
    one(v.has_value());
    if (v) one(*v);
  }

  void one(const Word& v) {
    const auto& [first, bits, shift, max, rest] = v;
    add(first, bits, shift, max, rest);
  }
  void one(const ResidentDigit& v) {
    const auto& [bit, zero, one_digit] = v;
    add(bit, zero, one_digit);
  }
  void one(const PlaneRow& v) {
    const auto& [weights, residents, start, start_word] = v;
    add(weights, residents, start, start_word);
  }
  void one(const RowGroup& v) {
    const auto& [planes, residual, multiplier, multiplier_constant] = v;
    add(planes, residual, multiplier, multiplier_constant);
  }
  void one(const ClampForm& v) {
    const auto& [shift, sign, width, low] = v;
    add(shift, sign, width, low);
  }
  void one(const BitSerialForm& v) {
    const auto& [columns, groups, raw_bits, raw_shift, strip_constant, multiply, clamp, sign, word_slots] = v;
    add(columns, groups, raw_bits, raw_shift, strip_constant, multiply, clamp, sign, word_slots);
  }
  void one(const PopcountRow& v) {
    const auto& [weights, theta] = v;
    add(weights, theta);
  }
  void one(const PopcountForm& v) {
    const auto& [inputs, rows] = v;
    add(inputs, rows);
  }
  void one(const StreamedColumn& v) {
    const auto& [first, table, residents] = v;
    add(first, table, residents);
  }
  void one(const StreamedForm& v) {
    const auto& [columns, table_bits, sum_bits, start, start_word] = v;
    add(columns, table_bits, sum_bits, start, start_word);
  }
  void one(const Factor& v) {
    const auto& [bits, code] = v;
    add(bits, code);
  }
  void one(const ProductForm& v) {
    const auto& [a, b, outputs, offset_result] = v;
    add(a, b, outputs, offset_result);
  }
  void one(const KernelForm& v) {
    const auto& [serial, parallel, part, streamed, product] = v;
    add(serial, parallel, part, streamed, product);
  }
  void one(const CountPart& v) {
    const auto& [inputs, interleaved] = v;
    add(inputs.first, inputs.count, interleaved);
  }
  void one(const KernelPort& v) {
    const auto& [words, bits, max_code, min_code] = v;
    add(words, bits, max_code, min_code);
  }
  void one(const Kernel& v) {
    const auto& [name, dag, inputs, outputs, bit_macs, form] = v;
    add(name, print(dag), inputs, outputs, bit_macs, form);
  }
  void one(const BadCell& v) {
    const auto& [x, y] = v;
    add(x, y);
  }
  void one(const BadEdge& v) {
    const auto& [x, y, side] = v;
    add(x, y, side);
  }
  void one(const Defects& v) {
    const auto& [cells, edges] = v;
    add(cells, edges);
  }
  void one(const MapParams& v) {
    const auto& [seed, optimize, mode, plane_inputs, defects, effort, strategy, stop_point, table] =
        v;  // where it can be stopped changes nothing
    add(seed, optimize, mode, plane_inputs, defects, effort, strategy);
    for (const Strategy& s : table ? *table : strategies()) add(s.name);
  }

  uint64_t hash_ = fnv1a(code_version());
};

}  // namespace

uint64_t mapping_key(const Kernel& kernel, const MapParams& params) {
  Hasher hasher;
  hasher.add(kernel, params);
  return hasher.value();
}

}  // namespace bitgrid::mapping
