#include "bitgrid_sim/kernel_schedule.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace bitgrid::sim {
namespace {

using TimedEvent = std::pair<int64_t, KernelSchedule::Event>;

KernelSchedule::Timetable timetable(std::vector<TimedEvent> events, int64_t period) {
  KernelSchedule::Timetable table;
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

/// Numbers ports in the order in which they are first met.
class Ports {
 public:
  explicit Ports(std::vector<KernelSchedule::Port>& ports) : ports_(ports) {}
  size_t operator()(const BitSlot& slot) {
    const auto [it, fresh] = index_.try_emplace({slot.side, slot.position}, ports_.size());
    if (fresh) ports_.push_back({slot.side, slot.position});
    return it->second;
  }

 private:
  std::vector<KernelSchedule::Port>& ports_;
  std::map<std::pair<Side, int>, size_t> index_;
};

}  // namespace

std::vector<uint32_t> resident_input_bits(const MappedKernel& kernel) {
  std::vector<uint32_t> bits;
  for (const ResidentSlot& r : kernel.residents) bits.push_back(r.bit);
  std::sort(bits.begin(), bits.end());
  bits.erase(std::unique(bits.begin(), bits.end()), bits.end());
  return bits;
}

KernelSchedule make_schedule(const MappedKernel& kernel, bool without_residents) {
  KernelSchedule s;
  std::vector<uint32_t> column(kernel.input_bits);
  std::iota(column.begin(), column.end(), 0u);
  if (without_residents) {
    const std::vector<uint32_t> resident = resident_input_bits(kernel);
    for (size_t i = 0; i < resident.size(); ++i) {
      const uint32_t end = i + 1 < resident.size() ? resident[i + 1] : kernel.input_bits;
      for (uint32_t bit = resident[i]; bit < end; ++bit) column[bit] = bit - static_cast<uint32_t>(i) - 1;
    }
  }
  s.period = 2 * int64_t{kernel.ii};
  Ports port_in(s.in), port_out(s.out);
  std::vector<TimedEvent> in, constant, out;
  for (const InputSlot& slot : kernel.inputs) {
    s.first_phase = std::min<int64_t>(s.first_phase, slot.slot.phase);
    for (int64_t k = 0; k < slot.hold; ++k) in.push_back({slot.slot.phase + 2 * k, {column[slot.bit], 0, port_in(slot.slot)}});
    s.last_phase = std::max(s.last_phase, slot.slot.phase + 2 * int64_t{slot.hold - 1});
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
    s.last_phase = std::max<int64_t>(s.last_phase, slot.phase);
    s.first_phase = std::min<int64_t>(s.first_phase, slot.phase);
  }
  s.resting = BitMatrix(1, kernel.input_bits);
  for (const uint32_t bit : kernel.resting_ones) s.resting.set(0, column[bit], true);
  s.inputs = timetable(std::move(in), s.period);
  s.constants = timetable(std::move(constant), s.period);
  s.outputs = timetable(std::move(out), s.period);
  s.lead_phases = std::max(2 * int64_t{kernel.lead_cycles}, round_up(-s.first_phase, 2));
  return s;
}

}  // namespace bitgrid::sim
