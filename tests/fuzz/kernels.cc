// Sums of packed weights: every implementation that this processor has, against the definition.
#include <array>

#include "reference_cpu/scaled/sums.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/targets.h"

namespace bitgrid::fuzz {
namespace {

/// Numbers from a byte on: the largest and the smallest come up often.
int number(uint8_t byte, int low, int high) {
  if (byte < 16) return byte % 2 == 0 ? low : high;
  return low + byte % (high - low + 1);
}

/// What is drawn again and again from some bytes of the input, so that a short input fills a matrix.
class Cycle {
 public:
  explicit Cycle(Bytes& bytes) : values_(bytes.below(24) + 1) {
    for (uint8_t& v : values_) v = bytes.byte();
  }
  uint8_t operator()() {
    at_ = (at_ + 1) % values_.size();
    if (at_ == 0) turn_ = static_cast<uint8_t>(turn_ * 5 + 1);
    return static_cast<uint8_t>(values_[at_] + turn_);
  }

 private:
  std::vector<uint8_t> values_;
  size_t at_ = 0;
  uint8_t turn_ = 0;
};

std::vector<int32_t> sums_of(const PackedWeights& weights, const cpu::SumPlan& plan) {
  std::vector<int32_t> all(weights.tiles() * plan.tile_sums()), there;
  cpu::tile_sums(weights, 0, weights.tiles(), plan, all.data());
  for (size_t i = 0; i < all.size(); ++i)
    if (i / plan.tile_sums() * kTileRows + i % kTileRows < weights.rows()) there.push_back(all[i]);
  return there;
}

/// What group scales make of the sums of one tile.
std::vector<int64_t> scaled_sums(const cpu::SumImplementation& s, const std::vector<int32_t>& sums, Cycle random) {
  const size_t groups = sums.size() / kTileRows;
  std::vector<int16_t> scales(sums.size()), by_group(sums.size());
  for (int16_t& scale : scales) scale = static_cast<int16_t>(number(random(), -32768, 32767) ^ random());
  std::vector<uint8_t> shifts(groups);
  for (uint8_t& shift : shifts) shift = random() % 10;
  s.by_group(scales.data(), groups, by_group.data());
  std::vector<int64_t> y(kTileRows, 5);
  s.add_groups({sums.data(), by_group.data(), shifts.data(), groups}, y.data());
  return y;
}

}  // namespace

void sums(std::string_view text) {
  Bytes bytes(text);
  const WeightStorage storage = std::array{WeightStorage::kOneBit, WeightStorage::kTwoBits, WeightStorage::kByte}[bytes.below(3)];
  const size_t rows = bytes.below(18) + 1, columns = bytes.below(160) + 1;
  const size_t vectors = std::array<size_t, 8>{1, 1, 1, 2, 3, 4, 9, 17}[bytes.below(8)];
  const int most = bytes.below(2) == 1 ? 511 : 127;
  const size_t group = std::array<size_t, 7>{0, 128, 64, 32, 16, 4, 5}[bytes.below(7)];
  Cycle weight(bytes), code(bytes), scale(bytes);
  PackedWeights weights(rows, columns, storage);
  std::vector<int8_t> row(columns);
  for (size_t r = 0; r < rows; ++r) {
    for (int8_t& w : row)
      w = static_cast<int8_t>(storage == WeightStorage::kOneBit    ? weight() % 2 * 2 - 1
                              : storage == WeightStorage::kTwoBits ? number(weight(), -1, 2)
                                                                   : number(weight(), -128, 127));
    weights.pack(r, row);
    std::vector<int8_t> back(columns);
    weights.unpack(r, back);
    require(back == row, "a row is another one when unpacked");
  }
  std::vector<cpu::Codes> codes;
  for (size_t v = 0; v < vectors; ++v) {
    std::vector<int64_t> values(columns);
    for (int64_t& x : values) x = number(code(), -most, most);
    codes.push_back(cpu::make_codes(values, {}));
  }
  const auto& all = cpu::sum_implementations();
  const cpu::SumPlan defined = cpu::plan_sums(codes, group, storage, all[0]);
  const std::vector<int32_t> expected = sums_of(weights, defined);
  std::vector<int32_t> tile(defined.groups * kTileRows);
  for (size_t i = 0; i < tile.size(); ++i) tile[i] = expected[i % expected.size()];
  const std::vector<int64_t> worth = scaled_sums(all[0], tile, scale);
  for (const cpu::SumImplementation& s : all) {
    if (!s.available()) continue;
    require(sums_of(weights, cpu::plan_sums(codes, group, storage, s)) == expected,
            std::string(s.name) + ": sums are not those of the definition");
    require(scaled_sums(s, tile, scale) == worth, std::string(s.name) + ": group scales are applied in another way");
  }
}

}  // namespace bitgrid::fuzz
