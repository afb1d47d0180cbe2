#include "rtl/fabric_kernel.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "ir/error.h"

namespace bitgrid::rtl {
namespace {

int64_t modulo(int64_t a, int64_t n) {
  return (a % n + n) % n;
}

const MappedKernel& verified(const MappedKernel& kernel) {
  verify(kernel);
  return kernel;
}

}  // namespace

FabricKernel::FabricKernel(const MappedKernel& kernel, std::shared_ptr<const RtlModel> model)
    : kernel_(verified(kernel)), fabric_(std::move(model), fabric_shape(kernel)), period_(2 * int64_t{kernel.ii}) {
  resting_ = BitMatrix(1, kernel.input_bits);
  for (const uint32_t bit : kernel.resting_ones) resting_.set(0, bit, true);
  const auto periods = static_cast<size_t>(period_);
  inputs_.resize(periods);
  ones_.resize(periods);
  outputs_.resize(periods);
  const auto add = [&](std::vector<std::vector<Bit>>& table, uint32_t bit, const BitSlot& slot, int64_t phase) {
    table[static_cast<size_t>(modulo(phase, period_))].push_back({bit, slot.side, slot.position, phase});
    first_phase_ = std::min(first_phase_, phase);
    last_phase_ = std::max(last_phase_, phase);
  };
  for (const InputSlot& in : kernel.inputs) {
    for (int64_t k = 0; k < in.hold; ++k) add(inputs_, in.bit, in.slot, in.slot.phase + 2 * k);
  }
  for (size_t b = 0; b < kernel.outputs.size(); ++b) add(outputs_, static_cast<uint32_t>(b), kernel.outputs[b], kernel.outputs[b].phase);
  for (const ConstantStream& stream : kernel.constants) {
    for (size_t k = 0; k < stream.bits.size(); ++k) {
      const int64_t phase = modulo(stream.slot.phase + 2 * static_cast<int64_t>(k), period_);
      if (stream.bits[k]) ones_[static_cast<size_t>(phase)].push_back({0, stream.slot.side, stream.slot.position, phase});
    }
  }
}

/// Puts the words of an invocation's resident bits into the cells. Returns whether columns were loaded.
bool FabricKernel::set_residents(const BitMatrix& inputs, size_t row) {
  std::set<int> columns;
  for (const ResidentSlot& r : kernel_.residents) {
    CellWord& word = kernel_.grid.at(r.x, r.y);
    const CellWord wanted = inputs.get(row, r.bit) ? r.word1 : r.word0;
    if (((word ^ wanted) & r.flip()) == 0) continue;
    word ^= r.flip();
    columns.insert(r.x);
    ++stats_.reconfigured_cells;
  }
  if (!loaded_) {
    fabric_.load(kernel_.grid);
    loaded_ = true;
    return true;
  }
  if (columns.empty()) return false;
  fabric_.load(kernel_.grid, {columns.begin(), columns.end()});
  ++stats_.reconfigurations;
  return true;
}

bool FabricKernel::same_residents(const BitMatrix& inputs, size_t a, size_t b) const {
  return std::all_of(kernel_.residents.begin(), kernel_.residents.end(),
                     [&](const ResidentSlot& r) { return inputs.get(a, r.bit) == inputs.get(b, r.bit); });
}

BitMatrix FabricKernel::run(const BitMatrix& inputs) {
  if (inputs.cols != kernel_.input_bits)
    throw Error("kernel " + kernel_.name, fmt::format("{} input bits given, the kernel has {}", inputs.cols, kernel_.input_bits),
                "give one column per input bit");
  BitMatrix outputs(inputs.rows, kernel_.output_bits);
  for (size_t first = 0; first < inputs.rows;) {
    size_t end = first + 1;
    while (end < inputs.rows && same_residents(inputs, first, end)) ++end;
    set_residents(inputs, first);
    const int64_t ahead = stats_.invocations == 0 ? std::max(2 * int64_t{kernel_.lead_cycles}, -first_phase_) : -first_phase_;
    const int64_t start = (now_ + ahead + period_ - 1) / period_ * period_;
    run_rows(inputs, first, end, start, outputs);
    stats_.invocations += end - first;
    first = end;
  }
  return outputs;
}

/// Steps from now to the last output of rows first .. end - 1, the first of which has its phase 0 at `start`.
void FabricKernel::run_rows(const BitMatrix& inputs, size_t first, size_t end, int64_t start, BitMatrix& outputs) {
  const auto count = static_cast<int64_t>(end - first);
  const int64_t stop = start + (count - 1) * period_ + last_phase_ + 1;
  std::vector<const Bit*> driven;
  for (; now_ < stop; ++now_) {
    const auto slot = static_cast<size_t>(now_ % period_);
    // Row of the invocation that a bit belongs to in this phase; -1: none of this batch.
    const auto row_of = [&](const Bit& b) {
      const int64_t invocation = (now_ - start - b.phase) / period_;
      return now_ - start - b.phase >= 0 && invocation < count ? static_cast<int64_t>(first) + invocation : -1;
    };
    driven.clear();
    for (const Bit& b : ones_[slot]) driven.push_back(&b);
    for (const Bit& b : inputs_[slot]) {
      const int64_t row = row_of(b);
      if (row >= 0 ? inputs.get(static_cast<size_t>(row), b.bit) : resting_.get(0, b.bit)) driven.push_back(&b);
    }
    for (const Bit* b : driven) fabric_.drive(b->side, b->position, true);
    fabric_.step();
    for (const Bit* b : driven) fabric_.drive(b->side, b->position, false);
    for (const Bit& b : outputs_[slot]) {
      const int64_t row = row_of(b);
      if (row >= 0 && fabric_.sample(b.side, b.position)) outputs.set(static_cast<size_t>(row), b.bit, true);
    }
  }
}

}  // namespace bitgrid::rtl
