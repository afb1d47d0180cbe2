#include "bitgrid_sim/kernel_simulator.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/error.h"

namespace bitgrid {
namespace {

int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0);
}
int64_t round_up(int64_t a, int64_t multiple) {
  return -floor_div(-a, multiple) * multiple;
}

const MappedKernel& verified(const MappedKernel& kernel) {
  verify(kernel);
  return kernel;
}

std::variant<ScalarGrid, SlicedGrid> make_grid(const GridConfig& config, GridEngine engine) {
  if (engine == GridEngine::kScalar) return ScalarGrid(config);
  return SlicedGrid(config);
}

}  // namespace

KernelSimulator::KernelSimulator(const MappedKernel& kernel, const KernelSimulatorParams& params)
    : params_(params),
      grid_(make_grid(verified(kernel).grid, params.engine)),
      input_bits_(kernel.input_bits),
      output_bits_(kernel.output_bits) {
  stats_.cells = kernel.grid.cells.size();
  period_ = 2 * int64_t{kernel.ii};
  compile_slots(kernel);
  compile_residents(kernel);
  lead_phases_ = std::max(2 * int64_t{kernel.lead_cycles}, round_up(-first_phase_, 2));
  now_ = -lead_phases_;
}

KernelSimulator::Timetable KernelSimulator::timetable(std::vector<TimedEvent> events, int64_t period) {
  Timetable table;
  table.first.resize(static_cast<size_t>(period) + 1);
  for (auto& [phase, event] : events) {
    event.age = static_cast<int32_t>(floor_div(phase, period));
    phase -= event.age * period;
    ++table.first[static_cast<size_t>(phase) + 1];
  }
  for (size_t r = 1; r < table.first.size(); ++r) table.first[r] += table.first[r - 1];
  std::stable_sort(events.begin(), events.end(), [](const TimedEvent& a, const TimedEvent& b) { return a.first < b.first; });
  table.events.reserve(events.size());
  for (const TimedEvent& e : events) table.events.push_back(e.second);
  return table;
}

void KernelSimulator::compile_slots(const MappedKernel& kernel) {
  const auto port_in = [&](const BitSlot& s) { return std::visit([&](const auto& g) { return g.input_port(s.side, s.position); }, grid_); };
  const auto port_out = [&](const BitSlot& s) {
    return std::visit([&](const auto& g) { return g.output_port(s.side, s.position); }, grid_);
  };
  std::vector<TimedEvent> in, constant, out;
  for (const InputSlot& slot : kernel.inputs) {
    first_phase_ = std::min<int64_t>(first_phase_, slot.slot.phase);
    for (int64_t k = 0; k < slot.hold; ++k) in.push_back({slot.slot.phase + 2 * k, {slot.bit, 0, port_in(slot.slot)}});
    last_phase_ = std::max(last_phase_, slot.slot.phase + 2 * int64_t{slot.hold - 1});
  }
  for (const ConstantStream& stream : kernel.constants) {
    for (size_t k = 0; k < stream.bits.size(); ++k) {
      // Ones only: a port that is not driven carries 0.
      if (stream.bits[k]) constant.push_back({stream.slot.phase + 2 * static_cast<int64_t>(k), {0, 0, port_in(stream.slot)}});
    }
  }
  for (size_t bit = 0; bit < kernel.outputs.size(); ++bit) {
    const BitSlot& slot = kernel.outputs[bit];
    out.push_back({slot.phase, {static_cast<uint32_t>(bit), 0, port_out(slot)}});
    last_phase_ = std::max<int64_t>(last_phase_, slot.phase);
    first_phase_ = std::min<int64_t>(first_phase_, slot.phase);
  }
  inputs_ = timetable(std::move(in), period_);
  constants_ = timetable(std::move(constant), period_);
  outputs_ = timetable(std::move(out), period_);
}

void KernelSimulator::compile_residents(const MappedKernel& kernel) {
  if (kernel.residents.empty()) return;
  const size_t words = (size_t{kernel.input_bits} + 63) / 64;
  resident_mask_.resize(words);
  resident_now_.resize(words);
  resident_first_.resize(size_t{kernel.input_bits} + 1);
  for (const ResidentSlot& r : kernel.residents) {
    resident_mask_[r.bit / 64] |= uint64_t{1} << (r.bit % 64);
    ++resident_first_[r.bit + 1];
  }
  for (size_t b = 1; b < resident_first_.size(); ++b) resident_first_[b] += resident_first_[b - 1];
  resident_cells_.resize(kernel.residents.size());
  std::vector<size_t> next(resident_first_.begin(), resident_first_.end() - 1);
  for (const ResidentSlot& r : kernel.residents) resident_cells_[next[r.bit]++] = {r.x, r.y, {r.word0, r.word1}};
}

/// Number of invocations from row `first` on that have the same resident bits.
size_t KernelSimulator::resident_group(const BitMatrix& inputs, size_t first) const {
  if (resident_mask_.empty()) return inputs.rows - first;
  const uint64_t* reference = &inputs.words[first * inputs.stride];
  size_t row = first + 1;
  for (; row < inputs.rows; ++row) {
    const uint64_t* words = &inputs.words[row * inputs.stride];
    bool equal = true;
    for (size_t w = 0; w < resident_mask_.size() && equal; ++w) equal = ((words[w] ^ reference[w]) & resident_mask_[w]) == 0;
    if (!equal) break;
  }
  return row - first;
}

/// Writes the cells whose resident bit differs from that of an invocation. Returns whether there was any.
bool KernelSimulator::reconfigure(const BitMatrix& inputs, size_t row) {
  uint64_t written = 0;
  for (size_t w = 0; w < resident_mask_.size(); ++w) {
    uint64_t changed = (inputs.words[row * inputs.stride + w] ^ resident_now_[w]) & resident_mask_[w];
    resident_now_[w] ^= changed;
    for (; changed != 0; changed &= changed - 1) {
      const size_t bit = 64 * w + static_cast<size_t>(__builtin_ctzll(changed));
      const bool value = inputs.get(row, bit);
      for (size_t i = resident_first_[bit]; i < resident_first_[bit + 1]; ++i) {
        const ResidentCell& cell = resident_cells_[i];
        std::visit([&](auto& grid) { grid.set_cell(cell.x, cell.y, cell.words[value]); }, grid_);
        ++written;
      }
    }
  }
  stats_.reconfigured_cells += written;
  stats_.reconfigurations += written != 0;
  return written != 0;
}

BitMatrix KernelSimulator::run(const BitMatrix& inputs) {
  if (inputs.cols != input_bits_) {
    throw Error("kernel simulator", fmt::format("{} input bits given, the kernel has {}", inputs.cols, input_bits_),
                "give one column an input bit");
  }
  BitMatrix outputs(inputs.rows, output_bits_);
  for (size_t first = 0; first < inputs.rows;) {
    const size_t count = resident_group(inputs, first);
    const bool changed = reconfigure(inputs, first);
    const bool lead = stats_.invocations == 0 || (changed && params_.lead_after_reconfiguration);
    const int64_t start = round_up(now_ + (lead ? lead_phases_ : -first_phase_), period_);
    std::visit([&](auto& grid) { run_group(grid, inputs, first, count, start, outputs); }, grid_);
    stats_.invocations += count;
    first += count;
  }
  return outputs;
}

/// Simulates from now until the last bit of the last invocation; invocation `first` has its phase 0 at `start`.
template <typename Grid>
void KernelSimulator::run_group(Grid& grid, const BitMatrix& inputs, size_t first, size_t count, int64_t start, BitMatrix& outputs) {
  const int64_t end = start + static_cast<int64_t>(count - 1) * period_ + last_phase_ + 1;
  int64_t turn = floor_div(now_ - start, period_);  // invocation whose phase 0 is at most one period ago
  auto r = static_cast<size_t>(now_ - start - turn * period_);
  stats_.phases += static_cast<uint64_t>(end - now_);
  for (; now_ < end; ++now_) {
    for (size_t i = constants_.first[r]; i < constants_.first[r + 1]; ++i) grid.drive(constants_.events[i].port);
    for (size_t i = inputs_.first[r]; i < inputs_.first[r + 1]; ++i) {
      const Event& e = inputs_.events[i];
      const auto invocation = static_cast<uint64_t>(turn - e.age);  // before the first one: huge
      if (invocation < count && inputs.get(first + invocation, e.bit)) grid.drive(e.port);
    }
    if (vcd_) sample_vcd_inputs(grid);
    grid.step(static_cast<int>(now_ & 1));
    for (size_t i = outputs_.first[r]; i < outputs_.first[r + 1]; ++i) {
      const Event& e = outputs_.events[i];
      const auto invocation = static_cast<uint64_t>(turn - e.age);
      if (invocation < count && grid.sample(e.port)) outputs.set(first + invocation, e.bit, true);
    }
    if (vcd_) sample_vcd_outputs(grid);
    if (++r == static_cast<size_t>(period_)) {
      r = 0;
      ++turn;
    }
  }
}

void KernelSimulator::record(VcdWriter* vcd) {
  vcd_ = vcd;
  vcd_ports_.clear();
  if (!vcd) return;
  for (const PortName& p : vcd->ports()) {
    vcd_ports_.push_back(
        std::visit([&](const auto& g) { return p.output ? g.output_port(p.side, p.position) : g.input_port(p.side, p.position); }, grid_));
  }
  vcd_values_.assign(vcd_ports_.size(), 0);
}

template <typename Grid>
void KernelSimulator::sample_vcd_inputs(const Grid& grid) {
  for (size_t i = 0; i < vcd_ports_.size(); ++i) {
    if (!vcd_->ports()[i].output) vcd_values_[i] = grid.driving(vcd_ports_[i]);
  }
}

template <typename Grid>
void KernelSimulator::sample_vcd_outputs(const Grid& grid) {
  for (size_t i = 0; i < vcd_ports_.size(); ++i) {
    if (vcd_->ports()[i].output) vcd_values_[i] = grid.sample(vcd_ports_[i]);
  }
  vcd_->sample(vcd_values_);
}

GridState KernelSimulator::state() const {
  return std::visit([](const auto& grid) { return grid.state(); }, grid_);
}

}  // namespace bitgrid
