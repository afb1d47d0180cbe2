#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "bitgrid_sim/faults.h"
#include "bitgrid_sim/kernel_schedule.h"
#include "bitgrid_sim/lane_kernel.h"
#include "bitgrid_sim/lanes.h"
#include "ir/error.h"

namespace bitgrid::sim {
namespace {

constexpr size_t kLanes = 512, kLaneWords = kLanes / 64;

/// A fault in its lane, with the nets that it touches.
struct LaneFault {
  const Fault* fault = nullptr;
  size_t lane = 0;
  std::array<uint32_t, 4> in{}, out{};  // kNone: not observable
  unsigned index = 0;                   // that the cell reads
};

/// The stimulus in all lanes, lane 0 sound.
class Pass {
 public:
  Pass(const MappedKernel& kernel, const KernelSchedule& schedule, const LaneProgram& program, SimdTarget target)
      : k_(kernel), s_(schedule), grid_(program, kLanes, target), port_nets_(port_nets(program)) {}

  /// Outcomes of at most 511 faults, into the entries of `outcomes` that `which` names. Returns the phases simulated.
  int64_t run(const BitMatrix& inputs, const std::vector<Fault>& faults, const std::vector<size_t>& which,
              std::vector<FaultOutcome>& outcomes) {
    faults_[0].clear();
    faults_[1].clear();
    for (size_t i = 0; i < which.size(); ++i) place(faults[which[i]], i + 1);
    grid_.reset();
    pending_ = {};
    for (size_t lane = 1; lane <= which.size(); ++lane) pending_[lane / 64] |= uint64_t{1} << (lane % 64);
    int64_t now = -s_.lead_phases, phases = 0;
    for (size_t first = 0; first < inputs.rows && any(pending_);) {
      size_t count = 1;
      while (first + count < inputs.rows && same_residents(inputs, first, first + count)) ++count;
      set_residents(inputs, first);
      const int64_t start = round_up(now + (first == 0 ? s_.lead_phases : -s_.first_phase), s_.period);
      const int64_t end = start + static_cast<int64_t>(count - 1) * s_.period + s_.last_phase + 1;
      for (; now < end && any(pending_); ++now, ++phases) step(inputs, now, start, first, count, which, outcomes);
      first += count;
    }
    return phases;
  }

 private:
  using Word = std::array<uint64_t, kLaneWords>;
  static bool any(const Word& word) {
    return std::any_of(word.begin(), word.end(), [](uint64_t w) { return w != 0; });
  }

  std::array<std::vector<uint32_t>, 4> port_nets(const LaneProgram& program) const {
    std::array<std::vector<uint32_t>, 4> nets;
    for (const Side side : kSides) {
      nets[static_cast<size_t>(side)].assign(static_cast<size_t>(ports_of(side, k_.grid.width, k_.grid.height)), LaneProgram::kZeroNet);
    }
    for (size_t i = 0; i < s_.in.size(); ++i)
      nets[static_cast<size_t>(s_.in[i].side)][static_cast<size_t>(s_.in[i].position)] = program.driven[i];
    return nets;
  }

  void place(const Fault& fault, size_t lane) {
    LaneFault f{&fault, lane, {}, {}, 0};
    for (const Side side : kSides) {
      const auto s = static_cast<size_t>(side);
      f.out[s] = grid_.program().edges[4 * k_.grid.index(fault.x, fault.y) + s];
      const int nx = fault.x + dx(side), ny = fault.y + dy(side);
      const bool inside = nx >= 0 && ny >= 0 && nx < k_.grid.width && ny < k_.grid.height;
      f.in[s] = inside ? grid_.program().edges[4 * k_.grid.index(nx, ny) + static_cast<size_t>(opposite(side))]
                       : port_nets_[s][static_cast<size_t>(side == Side::N || side == Side::S ? fault.x : fault.y)];
    }
    faults_[(fault.x + fault.y) & 1].push_back(f);
  }

  bool lane_bit(uint32_t net, size_t lane) const {
    return net != LaneProgram::kNone && ((grid_.net(net)[lane / 64] >> (lane % 64)) & 1u) != 0;
  }

  bool same_residents(const BitMatrix& inputs, size_t a, size_t b) const {
    return std::all_of(k_.residents.begin(), k_.residents.end(),
                       [&](const ResidentSlot& r) { return inputs.get(a, r.bit) == inputs.get(b, r.bit); });
  }

  void set_residents(const BitMatrix& inputs, size_t row) {
    for (const ResidentSlot& r : k_.residents) {
      for (uint64_t& word : grid_.net(grid_.program().variables[r.bit])) word = inputs.get(row, r.bit) ? ~uint64_t{0} : 0;
    }
  }

  void step(const BitMatrix& inputs, int64_t now, int64_t start, size_t first, size_t count, const std::vector<size_t>& which,
            std::vector<FaultOutcome>& outcomes) {
    const int64_t turn = floor_div(now - start, s_.period);
    const auto r = static_cast<size_t>(now - start - turn * s_.period);
    const auto events = [&](const KernelSchedule::Timetable& table, const auto& take) {
      for (size_t i = table.first[r]; i < table.first[r + 1]; ++i) take(table.events[i], static_cast<uint64_t>(turn - table.events[i].age));
    };
    const auto ones = [&](size_t port) {
      for (uint64_t& word : grid_.net(grid_.program().driven[port])) word = ~uint64_t{0};
    };
    events(s_.constants, [&](const auto& e, uint64_t) { ones(e.port); });
    events(s_.inputs, [&](const auto& e, uint64_t invocation) {
      if (invocation < count ? inputs.get(first + invocation, e.bit) : s_.resting.get(0, e.bit)) ones(e.port);
    });
    std::vector<LaneFault>& faults = faults_[now & 1];
    for (LaneFault& f : faults) {
      if (f.fault->kind != FaultKind::kConfig) continue;
      f.index = 0;
      for (unsigned s = 0; s < 4; ++s) f.index |= static_cast<unsigned>(lane_bit(f.in[s], f.lane)) << s;
    }
    grid_.step(static_cast<int>(now & 1));
    for (const LaneFault& f : faults) apply(f, now);
    events(s_.outputs, [&](const auto& e, uint64_t invocation) {
      if (invocation < count) compare(grid_.program().sampled[e.port], first + invocation, which, outcomes);
    });
  }

  void apply(const LaneFault& f, int64_t now) {
    if (!FaultInjector::active(*f.fault, now)) return;
    unsigned outputs = 0;
    for (unsigned s = 0; s < 4; ++s) outputs |= static_cast<unsigned>(lane_bit(f.out[s], f.lane)) << s;
    const unsigned change = faulty_outputs(*f.fault, outputs, f.index) ^ outputs;
    for (unsigned s = 0; s < 4; ++s) {
      if (((change >> s) & 1u) != 0 && f.out[s] != LaneProgram::kNone) grid_.net(f.out[s])[f.lane / 64] ^= uint64_t{1} << (f.lane % 64);
    }
  }

  void compare(uint32_t net, size_t invocation, const std::vector<size_t>& which, std::vector<FaultOutcome>& outcomes) {
    const auto word = grid_.net(net);
    const uint64_t sound = (word[0] & 1u) ? ~uint64_t{0} : 0;
    for (size_t w = 0; w < kLaneWords; ++w) {
      for (uint64_t fresh = (word[w] ^ sound) & pending_[w]; fresh != 0; fresh &= fresh - 1) {
        FaultOutcome& outcome = outcomes[which[64 * w + static_cast<size_t>(__builtin_ctzll(fresh)) - 1]];
        outcome.detected = true;
        outcome.first_invocation = invocation;
      }
      pending_[w] &= ~(word[w] ^ sound);
    }
  }

  const MappedKernel& k_;
  const KernelSchedule& s_;
  LaneGrid grid_;
  std::array<std::vector<uint32_t>, 4> port_nets_;
  std::vector<LaneFault> faults_[2];  // by the colour of the cell
  Word pending_{};                    // lanes whose outputs have not differed yet
};

}  // namespace

std::vector<FaultOutcome> run_campaign(const MappedKernel& kernel, const BitMatrix& inputs, const std::vector<Fault>& faults,
                                       const CampaignParams& params, CampaignStats* stats) {
  verify(kernel);
  if (inputs.cols != kernel.input_bits)
    throw Error("fault campaign", fmt::format("{} input bits given, the kernel has {}", inputs.cols, kernel.input_bits),
                "give one column per input bit");
  for (const Fault& f : faults) {
    if (f.x < 0 || f.y < 0 || f.x >= kernel.grid.width || f.y >= kernel.grid.height)
      throw Error("fault campaign",
                  fmt::format("cell ({}, {}) is outside the {} x {} grid", f.x, f.y, kernel.grid.width, kernel.grid.height),
                  "correct the fault");
  }
  const KernelSchedule schedule = make_schedule(kernel);
  LaneProgramParams lanes = lane_program_params(kernel, schedule);
  lanes.faults = true;
  const LaneProgram program = compile_lanes(kernel.grid, lanes);
  std::vector<FaultOutcome> outcomes(faults.size());
  std::vector<size_t> observable;
  for (size_t i = 0; i < faults.size(); ++i) {
    const unsigned outputs = faults[i].kind == FaultKind::kConfig ? 1u << faults[i].bit % 4 : faults[i].outputs;
    outcomes[i].observable = false;
    for (size_t s = 0; s < 4; ++s) {
      const uint32_t net = program.edges[4 * kernel.grid.index(faults[i].x, faults[i].y) + s];
      if (((outputs >> s) & 1u) != 0 && net != LaneProgram::kNone) outcomes[i].observable = true;
    }
    if (outcomes[i].observable) observable.push_back(i);
  }
  const size_t passes = (observable.size() + kLanes - 2) / (kLanes - 1);
  std::atomic<size_t> next{0};
  std::atomic<int64_t> phases{0};
  std::atomic<uint64_t> fault_phases{0};
  const auto work = [&](bool report) {
    Pass pass(kernel, schedule, program, params.target);
    for (size_t p = next++; p < passes; p = next++) {
      const size_t begin = p * (kLanes - 1), end = std::min(begin + kLanes - 1, observable.size());
      const std::vector<size_t> which(observable.begin() + static_cast<ptrdiff_t>(begin), observable.begin() + static_cast<ptrdiff_t>(end));
      const int64_t n = pass.run(inputs, faults, which, outcomes);
      phases += n;
      fault_phases += static_cast<uint64_t>(n) * which.size();
      if (report && params.progress) params.progress(end, observable.size());
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(params.threads, passes); ++i) threads.emplace_back(work, false);
  work(true);
  for (std::thread& thread : threads) thread.join();
  if (stats) *stats = {passes, static_cast<uint64_t>(phases.load()), fault_phases * kernel.grid.cells.size() / 2};
  return outcomes;
}

}  // namespace bitgrid::sim
