#include "ir/mapped_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "ir/error.h"
#include "ir/output_cone.h"

namespace bitgrid {
namespace {

// Bounds that no sensible kernel meets; they keep the tables of a simulator small when a file is damaged.
constexpr int kMaxIi = 1 << 20;
constexpr int kMaxPhase = 1 << 26;

int floor_mod(int a, int m) {
  return ((a % m) + m) % m;
}

std::string describe(const BitSlot& slot) {
  return fmt::format("{}{} at phase {}", letter(slot.side), slot.position, slot.phase);
}

/// The cycles of one invocation (modulo ii) in which a slot drives its port.
struct Drive {
  int port = 0;  // side * positions + position
  int first_cycle = 0;
  int cycles = 1;
  bool constant = false;
  size_t slot = 0;  // index into inputs or constants
};

class Verifier {
 public:
  explicit Verifier(const MappedKernel& kernel) : k_(kernel) {}

  void run() {
    check_shape();
    check_inputs();
    check_outputs();
    check_constants();
    check_residents();
    check_drivers();
    check_resting();
  }

 private:
  // Descriptions are made only for a message: a kernel has tens of thousands of slots.
  std::string input_name(size_t i) const {
    return fmt::format("input slot {} (bit {}, {})", i, k_.inputs[i].bit, describe(k_.inputs[i].slot));
  }
  std::string output_name(size_t i) const { return fmt::format("output bit {} ({})", i, describe(k_.outputs[i])); }
  std::string constant_name(size_t i) const { return fmt::format("constant stream {} ({})", i, describe(k_.constants[i].slot)); }
  std::string resident_name(size_t i) const {
    const ResidentSlot& r = k_.residents[i];
    return fmt::format("resident slot {} (bit {}, cell ({}, {}))", i, r.bit, r.x, r.y);
  }
  std::string name(const Drive& d) const { return d.constant ? constant_name(d.slot) : input_name(d.slot); }

  [[noreturn]] void fail(const std::string& what, const std::string& problem, const std::string& cure) const {
    throw Error(fmt::format("kernel '{}'{}{}", k_.name, what.empty() ? "" : ", ", what), problem, cure);
  }

  void check_shape() const {
    const GridConfig& g = k_.grid;
    if (g.width < 1 || g.height < 1 || g.cells.size() != static_cast<size_t>(g.width) * static_cast<size_t>(g.height)) {
      fail("", fmt::format("{} cells do not make a {} x {} grid", g.cells.size(), g.width, g.height), "a grid has W*H cells, at least one");
    }
    if (k_.ii < 1 || k_.ii > kMaxIi) fail("", fmt::format("ii is {}", k_.ii), fmt::format("use 1 to {} cycles", kMaxIi));
    if (k_.lead_cycles < 0 || k_.lead_cycles > kMaxPhase / 2) fail("", fmt::format("lead_cycles is {}", k_.lead_cycles), "use 0 or more");
  }

  /// On the border, and its phase is one in which the border cell latches.
  template <typename Name>
  void check_slot(const BitSlot& slot, Name name_of) const {
    const int w = k_.grid.width, h = k_.grid.height;
    const bool horizontal = slot.side == Side::N || slot.side == Side::S;
    if (slot.position < 0 || slot.position >= (horizontal ? w : h)) {
      fail(name_of(), fmt::format("there is no port {}{} on a {} x {} grid", letter(slot.side), slot.position, w, h),
           "N and S count x, E and W count y");
    }
    if (slot.phase < -kMaxPhase || slot.phase > kMaxPhase)
      fail(name_of(), "the phase is out of range", fmt::format("use phases to {}", kMaxPhase));
    const int x = horizontal ? slot.position : slot.side == Side::E ? w - 1 : 0;
    const int y = !horizontal ? slot.position : slot.side == Side::S ? h - 1 : 0;
    if ((x + y) % 2 != floor_mod(slot.phase, 2)) {
      fail(name_of(), fmt::format("{}: cell ({}, {}) latches in {} phases only", describe(slot), x, y, (x + y) % 2 ? "odd" : "even"),
           "move the slot by one phase");
    }
  }

  int port(const BitSlot& slot) const { return static_cast<int>(slot.side) * std::max(k_.grid.width, k_.grid.height) + slot.position; }

  void add_drive(const BitSlot& slot, int cycles, bool constant, size_t index) {
    const int parity = floor_mod(slot.phase, 2);
    drives_.push_back({port(slot), floor_mod((slot.phase - parity) / 2, k_.ii), cycles, constant, index});
  }

  void check_inputs() {
    for (size_t i = 0; i < k_.inputs.size(); ++i) {
      const InputSlot& in = k_.inputs[i];
      if (in.bit >= k_.input_bits)
        fail(input_name(i), fmt::format("the kernel has {} input bits", k_.input_bits), "correct the bit or input_bits");
      check_slot(in.slot, [&] { return input_name(i); });
      if (in.hold < 1 || in.hold > k_.ii)
        fail(input_name(i), fmt::format("it is held for {} cycles, ii is {}", in.hold, k_.ii), "hold for 1 to ii cycles");
      add_drive(in.slot, in.hold, false, i);
    }
  }

  void check_outputs() const {
    if (k_.outputs.size() != k_.output_bits) {
      fail("", fmt::format("{} output slots for {} output bits", k_.outputs.size(), k_.output_bits), "give each output bit one slot");
    }
    for (size_t i = 0; i < k_.outputs.size(); ++i) check_slot(k_.outputs[i], [&] { return output_name(i); });
  }

  void check_constants() {
    for (size_t i = 0; i < k_.constants.size(); ++i) {
      const ConstantStream& stream = k_.constants[i];
      check_slot(stream.slot, [&] { return constant_name(i); });
      if (stream.bits.size() != static_cast<size_t>(k_.ii))
        fail(constant_name(i), fmt::format("{} bits, ii is {}", stream.bits.size(), k_.ii), "give ii bits");
      if (std::any_of(stream.bits.begin(), stream.bits.end(), [](uint8_t b) { return b > 1; }))
        fail(constant_name(i), "a bit is neither 0 nor 1", "use 0 or 1");
      add_drive(stream.slot, k_.ii, true, i);
    }
  }

  void check_residents() const {
    std::vector<std::pair<size_t, size_t>> cells;  // cell, slot
    for (size_t i = 0; i < k_.residents.size(); ++i) {
      const ResidentSlot& r = k_.residents[i];
      if (r.bit >= k_.input_bits)
        fail(resident_name(i), fmt::format("the kernel has {} input bits", k_.input_bits), "correct the bit or input_bits");
      if (r.x < 0 || r.y < 0 || r.x >= k_.grid.width || r.y >= k_.grid.height) {
        fail(resident_name(i), fmt::format("the cell is outside the {} x {} grid", k_.grid.width, k_.grid.height),
             "correct x, y or the size");
      }
      cells.emplace_back(k_.grid.index(r.x, r.y), i);
    }
    std::sort(cells.begin(), cells.end());
    CellWord flipped = 0;  // by the bits of one cell so far
    for (size_t i = 0; i < cells.size(); ++i) {
      const ResidentSlot& r = k_.residents[cells[i].second];
      const bool same = i > 0 && cells[i].first == cells[i - 1].first;
      if (!same) flipped = 0;
      if (same && ((flipped & r.flip()) != 0 || k_.residents[cells[i - 1].second].word0 != r.word0)) {
        fail(fmt::format("resident slots {} and {}", cells[i - 1].second, cells[i].second), fmt::format("both own cell ({}, {})", r.x, r.y),
             "resident bits of one cell start from the same word and flip different bits of it");
      }
      flipped |= r.flip();
    }
  }

  /// Every input bit enters somewhere, and no port is driven twice in one cycle modulo ii.
  void check_drivers() {
    std::vector<bool> placed(k_.input_bits);
    for (const InputSlot& in : k_.inputs) placed[in.bit] = true;
    for (const ResidentSlot& r : k_.residents) placed[r.bit] = true;
    const auto missing = std::find(placed.begin(), placed.end(), false);
    if (missing != placed.end())
      fail(fmt::format("input bit {}", missing - placed.begin()), "it enters nowhere", "give it an input slot or a resident slot");

    std::stable_sort(drives_.begin(), drives_.end(),
                     [](const Drive& a, const Drive& b) { return std::pair(a.port, a.first_cycle) < std::pair(b.port, b.first_cycle); });
    for (size_t first = 0; first < drives_.size();) {
      size_t end = first;
      while (end < drives_.size() && drives_[end].port == drives_[first].port) ++end;
      for (size_t i = first; i < end; ++i) {
        // The next driver in cyclic order; a lone driver cannot meet itself because hold <= ii.
        const bool last = i + 1 == end;
        const Drive& next = drives_[last ? first : i + 1];
        const int next_cycle = next.first_cycle + (last ? k_.ii : 0);
        if (drives_[i].first_cycle + drives_[i].cycles > next_cycle) {
          fail(name(next), fmt::format("the port is driven at the same time by {}", name(drives_[i])),
               "move one of them to another port or cycle");
        }
      }
      first = end;
    }
  }

  void check_resting() const {
    std::vector<bool> ported(k_.input_bits);
    for (const InputSlot& in : k_.inputs) ported[in.bit] = true;
    for (const uint32_t bit : k_.resting_ones) {
      if (bit >= k_.input_bits || !ported[bit])
        fail(fmt::format("resting bit {}", bit), "no port carries it", "name input bits that have an input slot");
    }
  }

  const MappedKernel& k_;
  std::vector<Drive> drives_;
};

}  // namespace

int latency_cycles(const MappedKernel& kernel) {
  int first = std::numeric_limits<int>::max(), last = std::numeric_limits<int>::min();
  for (const InputSlot& in : kernel.inputs) first = std::min(first, in.slot.phase);
  for (const BitSlot& out : kernel.outputs) last = std::max(last, out.phase);
  if (kernel.inputs.empty() || kernel.outputs.empty()) return 0;
  return (last - first + 2) / 2;
}

void verify(const MappedKernel& kernel) {
  Verifier(kernel).run();
  require_lead(kernel);
}

}  // namespace bitgrid
