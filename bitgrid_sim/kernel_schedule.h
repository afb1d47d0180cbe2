// Says when each bit of a mapped kernel is at which port. All engines that run invocations back to back use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "ir/bits.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::sim {

struct KernelSchedule {
  struct Port {
    Side side = Side::N;
    int position = 0;
    bool operator==(const Port&) const = default;
  };
  /// A bit that enters or leaves in one phase modulo the period, `age` invocations after phase 0 of its own invocation.
  struct Event {
    uint32_t bit = 0;
    int32_t age = 0;
    size_t port = 0;  // index into `in` or `out`
  };
  /// Events by phase modulo the period. Those of phase r are events[first[r]] .. events[first[r + 1] - 1].
  struct Timetable {
    std::vector<size_t> first;
    std::vector<Event> events;
  };

  int64_t period = 2;       // phases between invocations
  int64_t lead_phases = 0;  // before phase 0 of the first invocation
  int64_t first_phase = 0;  // of the earliest slot, <= 0
  int64_t last_phase = 0;   // of the latest slot
  std::vector<Port> in, out;
  Timetable inputs, constants, outputs;  // constants: only the ones
  BitMatrix resting;                     // one row: the input bits while no invocation enters
};

/// `kernel` must be verified. With `without_residents`, input bits are numbered as if there were no resident ones.
KernelSchedule make_schedule(const MappedKernel& kernel, bool without_residents = false);
/// Returns the input bits that live in cells, ascending.
std::vector<uint32_t> resident_input_bits(const MappedKernel& kernel);

/// Divides and rounds toward minus infinity.
constexpr int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0);
}
/// Returns the smallest multiple that is not below a.
constexpr int64_t round_up(int64_t a, int64_t multiple) {
  return -floor_div(-a, multiple) * multiple;
}

}  // namespace bitgrid::sim
