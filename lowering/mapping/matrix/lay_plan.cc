#include "lowering/mapping/matrix/lay_plan.h"

#include <algorithm>
#include <cassert>

#include "ir/index.h"
#include "ir/output_cone.h"
#include "lowering/mapping/canvas.h"
#include "lowering/mapping/normalise_phases.h"

namespace bitgrid::mapping {
namespace {

constexpr Lut copy_from(Side side) {
  return kCopy[index_of(side)];
}

/// The multiply-accumulate cell: the partial sum from `from`, the column's bit from E, its own carry from `carry`.
struct MacTables {
  Lut sum, carry;
};
MacTables mac_tables(int weight, Side carry, Side from) {
  const auto table = [&](auto f) {
    return lut([&](bool n, bool e, bool s, bool w) {
      const auto of = [&](Side side) { return side == Side::N ? n : side == Side::S ? s : w; };
      return f(of(carry), e, of(from));
    });
  };
  if (weight == 0) return {copy_from(from), 0};
  const Lut sum = table([](bool c, bool x, bool z) { return c ^ x ^ z; });
  if (weight > 0) return {sum, table([](bool c, bool x, bool z) { return majority(c, x, z); })};
  return {sum, table([](bool c, bool x, bool z) { return majority(c, x, !z); })};
}

class PlanLayer {
 public:
  explicit PlanLayer(const ArrayPlan& plan) : plan_(plan), g_(plan.width, plan.height) {}

  GridConfig lay() {
    for (size_t r = 0; r < plan_.rows.size(); ++r) lay_row(r);
    for (const WordStretch& s : plan_.stretches) lay_stretch(s);
    for (const FabricWire& w : plan_.wires) g_.wire(w.x, w.y, w.enter, w.moves);
    for (const CornerAdder& a : plan_.adders) lay_adder(a);
    for (const Strip& s : plan_.strips) {
      int y = plan_.strip_y;
      for (const StripStamp* stamp : plan_.stamps.chain(s.group)) {
        g_.place(stamp->layout, s.left, y);
        y += stamp->rows;
      }
    }
    return g_.config();
  }

 private:
  void lay_row(size_t r) {
    for (size_t k = 0; k < plan_.paths[r].size(); ++k) {
      if (plan_.steps[k].kind == ArrayStepKind::kEnd)
        lay_combination(r, k);
      else
        lay_step(plan_.rows[r], plan_.steps[k], plan_.paths[r][k]);
    }
  }

  void lay_step(const ArrayRow& row, const ArrayStep& step, const RowStep& s) {
    Side enter = Side::W;
    for (const RowMove::Hop h : move_of(s).hops) {
      g_.put(step.x, s.y_in + h.dy, h.side, copy_from(enter));
      enter = opposite(h.side);
    }
    assert(enter == move_of(s).from);
    if (step.kind == ArrayStepKind::kPlain) return g_.put(step.x, s.y, Side::E, copy_from(enter));
    const MacTables mac = mac_tables(s.carry ? row.digit(step.column) : 0, s.carry.value_or(Side::N), enter);
    g_.put(step.x, s.y, Side::E, mac.sum);
    g_.wire(step.x + 1, s.y, Side::W, s.north ? "NE" : "E");
    if (!s.carry) return;
    const Side out = *s.carry;
    g_.put(step.x, s.y, out, mac.carry);
    g_.put(step.x + dx(out), s.y + dy(out), opposite(out), copy_from(opposite(out)));
    if (s.word_late) g_.put(step.x + 1, s.y + 1, Side::N, kFromN);
  }

  /// Horner's rule: the sum of the plane above arrives one slot later (times two) and is added.
  void lay_combination(size_t place, size_t step) {
    const ArrayRow& row = plan_.rows[place];
    const int x = plan_.steps[step].x, y = plan_.paths[place][step].y;
    g_.wire(x + 1, y, Side::W, row.last_plane() ? "E" : "S");
    if (row.index == 0) return g_.wire(x, y, Side::W, "E");
    const int above = plan_.paths[place - 1][step].y + 1;
    g_.wire(x + 1, above, Side::N, std::string(index_of(y - above), 'S') + 'W');
    g_.put(x, y, Side::E, lut([](bool n, bool e, bool, bool w) { return n ^ e ^ w; }));
    g_.put(x, y, Side::N, lut([](bool n, bool e, bool, bool w) { return majority(n, e, w); }));
    g_.wire(x, y - 1, Side::S, "S");
  }

  /// The word goes south in its column, and west where a row takes it.
  void lay_stretch(const WordStretch& s) {
    const auto from = [&](int y) { return copy_from(y == s.top ? s.from : Side::N); };
    for (int y = s.top; y < s.bottom; ++y) g_.put(s.x, y, Side::S, from(y));
    for (const WordStretch::Tap& tap : s.taps) g_.put(s.x, tap.y, Side::W, tap.late ? kFromS : from(tap.y));
  }

  void lay_adder(const CornerAdder& a) {
    const auto carry_in = [&](bool e, bool s) { return a.carry == Side::E ? e : s; };
    const Lut sum = lut([&](bool n, bool e, bool s, bool w) { return n ^ carry_in(e, s) ^ w; });
    g_.put(a.x, a.y, a.out, sum);
    if (a.also_north) g_.put(a.x, a.y, Side::N, sum);
    g_.put(a.x, a.y, a.carry, lut([&](bool n, bool e, bool s, bool w) { return majority(n, carry_in(e, s), w); }));
    g_.put(a.x + dx(a.carry), a.y + dy(a.carry), opposite(a.carry), copy_from(opposite(a.carry)));
  }

  const ArrayPlan& plan_;
  Layout g_;
};

/// The contents of a resident cell for a digit.
CellWord resident_word(CellWord laid, const RowStep& s, int digit) {
  std::array<Lut, 4> luts = cell_luts(laid);
  const MacTables mac = mac_tables(digit, s.carry.value_or(Side::N), move_of(s).from);
  luts[index_of(Side::E)] = mac.sum;
  if (s.carry) luts[index_of(*s.carry)] = mac.carry;
  return cell_word(luts);
}

void add_residents(const ArrayPlan& plan, MappedKernel& kernel) {
  for (size_t r = 0; r < plan.rows.size(); ++r) {
    const std::vector<ResidentDigit>& digits = plan.rows[r].plane->residents;
    if (digits.empty()) continue;
    for (size_t k = 0; k < plan.paths[r].size(); ++k) {
      const ArrayStep& step = plan.steps[k];
      if (step.kind != ArrayStepKind::kBlock) continue;
      const RowStep& s = plan.paths[r][k];
      const ResidentDigit& digit = digits[index_of(step.column)];
      const CellWord laid = kernel.grid.at(step.x, s.y);
      kernel.residents.push_back({digit.bit, step.x, s.y, resident_word(laid, s, digit.zero), resident_word(laid, s, digit.one)});
    }
  }
}

void add_inputs(const ArrayPlan& plan, MappedKernel& kernel) {
  for (const auto& [word, port] : plan.words) {
    for (uint32_t k = 0; k < word.bits; ++k) {
      kernel.inputs.push_back({word.first + k, {port.side, port.position, port.phase + 2 * int_of(k + word.shift)}, 1});
      if ((word.rest >> k) & 1) kernel.resting_ones.push_back(word.first + k);
    }
  }
}

void add_outputs(const BitSerialForm& form, const ArrayPlan& plan, MappedKernel& kernel) {
  const auto add = [&](const std::vector<BitSlot>& ports, int first, int bits) {
    for (const BitSlot& port : ports) {
      for (int k = first; k < first + bits; ++k) kernel.outputs.push_back({port.side, port.position, port.phase + 2 * k});
    }
  };
  if (form.raw_bits > 0) add(plan.sums, int_of(form.raw_shift), int_of(form.raw_bits));
  if (form.clamp)
    add(plan.results, plan.stamps.result_slot(), form.clamp->width);
  else if (form.sign)
    add(plan.results, form.word_slots - 1, 1);
}

}  // namespace

MappedKernel lay_plan(const std::string& name, const BitSerialForm& form, uint32_t input_bits, const ArrayPlan& plan) {
  MappedKernel kernel;
  kernel.name = name;
  kernel.strategy = "bit-serial";
  kernel.input_bits = input_bits;
  kernel.ii = form.word_slots;
  kernel.grid = PlanLayer(plan).lay();
  kernel.constants = plan.constants;
  add_residents(plan, kernel);
  add_inputs(plan, kernel);
  add_outputs(form, plan, kernel);
  kernel.output_bits = id_of(kernel.outputs.size());
  normalise_phases(kernel);
  kernel.lead_cycles = (plan.width + plan.height) / 2 + plan.extra_lead + 4 * form.word_slots;
  raise_lead(kernel);
  return kernel;
}

}  // namespace bitgrid::mapping
