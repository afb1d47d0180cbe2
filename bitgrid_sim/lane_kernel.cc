#include "bitgrid_sim/lane_kernel.h"

#include <algorithm>
#include <array>

#include "ir/dag_eval.h"

namespace bitgrid::sim {
namespace {

LaneGrid make_grid(const MappedKernel& kernel, const KernelSchedule& schedule, const LaneKernelParams& params) {
  LaneProgramParams program = lane_program_params(kernel, schedule);
  program.any_start = params.latch_seed.has_value();
  program.delay_lines = params.delay_lines;
  LaneGrid grid(compile_lanes(kernel.grid, program), params.lanes, params.target);
  if (params.latch_seed) grid.randomise(*params.latch_seed);
  return grid;
}

}  // namespace

LaneProgramParams lane_program_params(const MappedKernel& kernel, const KernelSchedule& schedule) {
  LaneProgramParams params;
  for (const auto& port : schedule.in) params.driven.push_back({port.side, port.position});
  for (const auto& port : schedule.out) params.sampled.push_back({port.side, port.position});
  params.residents = kernel.residents;
  params.variables = kernel.residents.empty() ? 0 : kernel.input_bits;
  return params;
}

LaneKernel::LaneKernel(const MappedKernel& kernel, const LaneKernelParams& params)
    : params_(params),
      schedule_(make_schedule(kernel, params.shared_residents)),
      grid_(make_grid(kernel, schedule_, params)),
      output_bits_(kernel.output_bits),
      now_(-schedule_.lead_phases),
      in_(make_ring(schedule_.inputs, kernel.input_bits, grid_.lane_words())),
      out_(make_ring(schedule_.outputs, kernel.output_bits, grid_.lane_words())) {
  if (kernel.residents.empty()) return;
  if (params_.shared_residents) {
    shared_bits_ = resident_input_bits(kernel);
    return;
  }
  resident_cells_.resize(kernel.input_bits);
  resident_mask_.resize((size_t{kernel.input_bits} + 63) / 64);
  for (const ResidentSlot& r : kernel.residents) {
    resident_mask_[r.bit / 64] |= uint64_t{1} << (r.bit % 64);
    ++resident_cells_[r.bit];
  }
}

LaneKernel::Ring LaneKernel::make_ring(const KernelSchedule::Timetable& table, size_t columns, size_t lane_words) {
  Ring ring;
  for (const auto& event : table.events) {
    ring.least = std::min(ring.least, event.age);
    ring.most = std::max(ring.most, event.age);
  }
  ring.depth = static_cast<size_t>(ring.most - ring.least) + 1;
  ring.columns = (columns + 63) / 64 * 64;
  ring.words.resize(ring.depth * ring.columns * lane_words);
  return ring;
}

uint64_t* LaneKernel::slot(Ring& ring, int64_t turn) {
  const auto depth = static_cast<int64_t>(ring.depth);
  return ring.words.data() + static_cast<size_t>(turn - floor_div(turn, depth) * depth) * ring.columns * grid_.lane_words();
}

bool LaneKernel::same_residents(const BitMatrix& inputs, size_t a, size_t b) const {
  for (size_t w = 0; w < resident_mask_.size(); ++w) {
    if (((inputs.words[a * inputs.stride + w] ^ inputs.words[b * inputs.stride + w]) & resident_mask_[w]) != 0) return false;
  }
  return true;
}

/// From the phase 0 of an invocation to that of the next where resident bits change in between.
int64_t LaneKernel::drain_phases() const {
  const int64_t lead = params_.lead_after_reconfiguration ? schedule_.lead_phases : -schedule_.first_phase;
  return round_up(schedule_.last_phase + 1 + lead, schedule_.period);
}

LaneKernel::Plan LaneKernel::make_plan(const BitMatrix& inputs) {
  const size_t lanes = grid_.lanes();
  // Cut where the phases, not the rows, are shared out evenly.
  std::vector<int64_t> after(inputs.rows);  // phases from the row before
  int64_t total = 0;
  for (size_t row = 0; row < inputs.rows; ++row)
    total += after[row] = row == 0 || same_residents(inputs, row - 1, row) ? schedule_.period : drain_phases();
  Plan plan;
  const bool lead = fresh_ || (params_.lead_after_reconfiguration && !resident_mask_.empty());
  plan.start = round_up(now_ + (lead ? schedule_.lead_phases : -schedule_.first_phase), schedule_.period);
  std::vector<int64_t> turn_of(inputs.rows);
  std::vector<uint32_t> lane_of(inputs.rows);
  int64_t passed = 0, last_turn = 0;
  for (size_t row = 0; row < inputs.rows; ++row) {
    const auto lane = std::min(static_cast<uint32_t>(static_cast<double>(passed) * static_cast<double>(lanes) / static_cast<double>(total)),
                               static_cast<uint32_t>(lanes - 1));
    passed += after[row];
    lane_of[row] = lane;
    const bool first = row == 0 || lane != lane_of[row - 1];
    turn_of[row] = first ? 0 : turn_of[row - 1] + after[row] / schedule_.period;
    last_turn = std::max(last_turn, turn_of[row]);
    if (!resident_mask_.empty() && (first || after[row] != schedule_.period || !same_residents(inputs, row - 1, row))) {
      const int64_t phase = first ? now_ : plan.start + turn_of[row - 1] * schedule_.period + schedule_.last_phase + 1;
      plan.switches.push_back({phase, lane, static_cast<uint32_t>(row)});
    }
    const bool last = row + 1 == inputs.rows;
    if (first && row > 0) plan.lane_phases += static_cast<uint64_t>(turn_of[row - 1] * schedule_.period + schedule_.last_phase + 1);
    if (last) plan.lane_phases += static_cast<uint64_t>(turn_of[row] * schedule_.period + schedule_.last_phase + 1);
    if (first) plan.lane_phases += static_cast<uint64_t>(plan.start - now_);
  }
  plan.turns = static_cast<size_t>(last_turn) + 1;
  plan.end = plan.start + last_turn * schedule_.period + schedule_.last_phase + 1;
  plan.rows.assign(plan.turns * lanes, -1);
  for (size_t row = 0; row < inputs.rows; ++row)
    plan.rows[static_cast<size_t>(turn_of[row]) * lanes + lane_of[row]] = static_cast<int32_t>(row);
  std::stable_sort(plan.switches.begin(), plan.switches.end(), [](const auto& a, const auto& b) { return a.phase < b.phase; });
  return plan;
}

int64_t LaneKernel::estimate(const BitMatrix& inputs) const {
  int64_t total = 0;
  for (size_t row = 1; row < inputs.rows; ++row) total += same_residents(inputs, row - 1, row) ? schedule_.period : drain_phases();
  return total / static_cast<int64_t>(grid_.lanes()) + drain_phases();
}

/// Input bits of the invocations of a turn, lane by lane.
void LaneKernel::load(const BitMatrix& inputs, const Plan& plan, int64_t turn) {
  uint64_t* const words = slot(in_, turn);
  const size_t lane_words = grid_.lane_words();
  const std::vector<uint64_t>& resting = schedule_.resting.words;
  if (turn < 0 || turn >= static_cast<int64_t>(plan.turns)) {
    for (size_t bit = 0; bit < in_.columns; ++bit)
      std::fill_n(words + bit * lane_words, lane_words, (resting[bit / 64] >> (bit % 64)) & 1u ? ~uint64_t{0} : 0);
    return;
  }
  const int32_t* rows = &plan.rows[static_cast<size_t>(turn) * grid_.lanes()];
  std::array<uint64_t, 64> m;
  for (size_t w = 0; w < lane_words; ++w) {
    for (size_t chunk = 0; chunk < inputs.stride; ++chunk) {
      for (size_t i = 0; i < 64; ++i) {
        const int32_t row = rows[64 * w + i];
        m[i] = row < 0 ? resting[chunk] : inputs.words[static_cast<size_t>(row) * inputs.stride + chunk];
      }
      transpose64(m.data());
      for (size_t i = 0; i < 64; ++i) words[(64 * chunk + i) * lane_words + w] = m[i];
    }
  }
}

void LaneKernel::store(const Plan& plan, int64_t turn, BitMatrix& outputs) {
  if (turn < 0 || turn >= static_cast<int64_t>(plan.turns)) return;
  const uint64_t* const words = slot(out_, turn);
  const size_t lane_words = grid_.lane_words();
  const int32_t* rows = &plan.rows[static_cast<size_t>(turn) * grid_.lanes()];
  std::array<uint64_t, 64> m;
  for (size_t w = 0; w < lane_words; ++w) {
    for (size_t chunk = 0; chunk < outputs.stride; ++chunk) {
      for (size_t i = 0; i < 64; ++i) m[i] = 64 * chunk + i < output_bits_ ? words[(64 * chunk + i) * lane_words + w] : 0;
      transpose64(m.data());
      for (size_t i = 0; i < 64; ++i) {
        const int32_t row = rows[64 * w + i];
        if (row >= 0) outputs.words[static_cast<size_t>(row) * outputs.stride + chunk] = m[i];
      }
    }
  }
}

void LaneKernel::switch_residents(const BitMatrix& inputs, const Plan::Switch& change) {
  const uint64_t mask = uint64_t{1} << (change.lane % 64);
  uint64_t written = 0;
  for (size_t w = 0; w < resident_mask_.size(); ++w) {
    for (uint64_t rest = resident_mask_[w]; rest != 0; rest &= rest - 1) {
      const size_t bit = 64 * w + static_cast<size_t>(__builtin_ctzll(rest));
      uint64_t& word = grid_.net(grid_.program().variables[bit])[change.lane / 64];
      if (((word & mask) != 0) == inputs.get(change.row, bit)) continue;
      word ^= mask;
      written += resident_cells_[bit];
    }
  }
  stats_.reconfigured_cells += written;
  stats_.reconfigurations += written != 0;
}

/// Runs ended with the last output of the last invocation, so nothing is on its way.
void LaneKernel::set_residents(const BitVector& bits) {
  for (uint32_t i = 0; i < shared_bits_.size(); ++i)
    for (uint64_t& word : grid_.net(grid_.program().variables[shared_bits_[i]])) word = bits.get(i) ? ~uint64_t{0} : 0;
}

BitMatrix LaneKernel::run(const BitMatrix& inputs) {
  BitMatrix outputs(inputs.rows, output_bits_);
  if (inputs.rows == 0) return outputs;
  const Plan plan = make_plan(inputs);
  stats_.phases += static_cast<uint64_t>(plan.end - now_);
  stats_.lane_phases += plan.lane_phases;
  simulate(inputs, plan, outputs);
  fresh_ = false;
  return outputs;
}

void LaneKernel::simulate(const BitMatrix& inputs, const Plan& plan, BitMatrix& outputs) {
  const size_t lane_words = grid_.lane_words();
  const std::vector<uint32_t>&driven = grid_.program().driven, &sampled = grid_.program().sampled;
  int64_t turn = floor_div(now_ - plan.start, schedule_.period);
  auto r = static_cast<size_t>(now_ - plan.start - turn * schedule_.period);
  for (int64_t t = turn - in_.most; t < turn - in_.least; ++t) load(inputs, plan, t);
  bool enter = true;
  auto change = plan.switches.begin();
  for (; now_ < plan.end; ++now_) {
    if (enter) {
      load(inputs, plan, turn - in_.least);
      enter = false;
    }
    for (; change != plan.switches.end() && change->phase <= now_; ++change) switch_residents(inputs, *change);
    for (size_t i = schedule_.constants.first[r]; i < schedule_.constants.first[r + 1]; ++i) {
      for (uint64_t& word : grid_.net(driven[schedule_.constants.events[i].port])) word = ~uint64_t{0};
    }
    for (size_t i = schedule_.inputs.first[r]; i < schedule_.inputs.first[r + 1]; ++i) {
      const auto& e = schedule_.inputs.events[i];
      std::copy_n(slot(in_, turn - e.age) + e.bit * lane_words, lane_words, grid_.net(driven[e.port]).data());
    }
    grid_.step(static_cast<int>(now_ & 1));
    for (size_t i = schedule_.outputs.first[r]; i < schedule_.outputs.first[r + 1]; ++i) {
      const auto& e = schedule_.outputs.events[i];
      std::copy_n(grid_.net(sampled[e.port]).data(), lane_words, slot(out_, turn - e.age) + e.bit * lane_words);
    }
    if (++r == static_cast<size_t>(schedule_.period)) {
      store(plan, turn - out_.most, outputs);  // complete now
      r = 0;
      ++turn;
      enter = true;
    }
  }
  for (int64_t t = turn - out_.most; t <= turn - out_.least; ++t) store(plan, t, outputs);
}

}  // namespace bitgrid::sim
