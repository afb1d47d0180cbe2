#include "rtl/fabric_grid.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "ir/error.h"

namespace bitgrid::rtl {
namespace {

void put(std::vector<uint32_t>& words, size_t first, size_t bit, bool value) {
  uint32_t& word = words[first + bit / 32];
  const uint32_t mask = 1u << (bit % 32);
  word = value ? word | mask : word & ~mask;
}

bool get(const std::vector<uint32_t>& words, size_t first, size_t bit) {
  return (words[first + bit / 32] >> (bit % 32)) & 1u;
}

}  // namespace

FabricGrid::FabricGrid(std::shared_ptr<const RtlModel> model, const FabricShape& shape)
    : model_(std::move(model)), shape_(shape), instance_(model_->functions.create(), model_->functions.destroy) {
  verify(shape);
  if (model_->interface != fabric_source(shape).interface)
    throw Error(model_->name, fmt::format("this is not a fabric of {} x {} cells", shape.width, shape.height),
                "build fabric_source of the same shape");
  size_t word = 0;
  std::vector<size_t> first;
  for (const RtlPort& p : model_->interface.inputs) {
    first.push_back(word);
    word += (p.width + 31) / 32;
  }
  in_.resize(word);
  load_ = first[0];
  config_in_ = first[1];
  std::copy_n(first.begin() + 2, 4, side_in_);
  word = 0;
  first.clear();
  for (const RtlPort& p : model_->interface.outputs) {
    first.push_back(word);
    word += (p.width + 31) / 32;
  }
  out_.resize(word);
  config_out_ = first[0];
  std::copy_n(first.begin() + 1, 4, side_out_);
  clock(true, false);
}

void FabricGrid::clock(bool rst, bool run) {
  model_->functions.clock(instance_.get(), rst, run, in_.data(), out_.data());
}

void FabricGrid::load(const GridConfig& grid, const std::vector<int>& columns) {
  if (grid.width != shape_.width || grid.height != shape_.height)
    throw Error(model_->name, fmt::format("a configuration of {} x {} cells does not fit", grid.width, grid.height),
                "build a fabric of that size");
  std::vector<int> loaded = columns;
  if (loaded.empty()) {
    loaded.resize(static_cast<size_t>(shape_.width));
    std::iota(loaded.begin(), loaded.end(), 0);
  }
  for (const int x : loaded) put(in_, load_, static_cast<size_t>(x), true);
  for (uint64_t t = 0; t < load_clocks(shape_); ++t) {
    for (const int x : loaded) {
      const uint64_t group = chain_group(grid, shape_, x, t);
      for (int c = 0; c < shape_.chain_bits; ++c)
        put(in_, config_in_, static_cast<size_t>(c * shape_.width + x), (group >> static_cast<unsigned>(c)) & 1u);
    }
    clock(false, false);
  }
  for (const int x : loaded) put(in_, load_, static_cast<size_t>(x), false);
  clock(false, false);  // latches are written one clock late
  stats_.configuration_clocks += load_clocks(shape_) + 1;
  stats_.loaded_columns += loaded.size();
}

GridConfig FabricGrid::read_back() {
  GridConfig grid(shape_.width, shape_.height);
  const auto groups = 64u / static_cast<unsigned>(shape_.chain_bits);
  for (int x = 0; x < shape_.width; ++x) put(in_, load_, static_cast<size_t>(x), true);
  for (uint64_t t = 0; t < load_clocks(shape_); ++t) {
    const int y = shape_.height - 1 - static_cast<int>(t / groups);
    const auto low = (groups - 1 - t % groups) * static_cast<unsigned>(shape_.chain_bits);
    for (int x = 0; x < shape_.width; ++x) {
      for (int c = 0; c < shape_.chain_bits; ++c) {
        const auto bit = static_cast<size_t>(c * shape_.width + x);
        const bool value = get(out_, config_out_, bit);
        put(in_, config_in_, bit, value);
        if (value) grid.at(x, y) |= uint64_t{1} << (low + static_cast<unsigned>(c));
      }
    }
    clock(false, false);
  }
  for (int x = 0; x < shape_.width; ++x) put(in_, load_, static_cast<size_t>(x), false);
  stats_.configuration_clocks += load_clocks(shape_);
  return grid;
}

void FabricGrid::drive(Side side, int position, bool bit) {
  put(in_, side_in_[static_cast<size_t>(side)], static_cast<size_t>(position), bit);
}

void FabricGrid::step() {
  clock(false, true);
  ++stats_.phases;
}

bool FabricGrid::sample(Side side, int position) const {
  return get(out_, side_out_[static_cast<size_t>(side)], static_cast<size_t>(position));
}

}  // namespace bitgrid::rtl
