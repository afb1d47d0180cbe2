#include "bitgrid_sim/kernel_simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <thread>
#include <unordered_map>

#include "bitgrid_sim/port_feed.h"
#include "ir/error.h"

namespace bitgrid::sim {
namespace {

constexpr size_t kFedRows = 32;          // from here on a feed is faster than a look at each bit
constexpr size_t kSweptBytes = 1 << 20;  // sliced grids from this size on go through several phases at a time
constexpr size_t kNarrowRows = 128;      // up to here 64 lanes are faster than 512
constexpr size_t kLeastRows = 16;        // below, one grid is faster than any lanes

const MappedKernel& verified(const MappedKernel& kernel) {
  verify(kernel);
  return kernel;
}

std::variant<ScalarGrid, SlicedGrid> make_grid(const GridConfig& config, GridEngine engine) {
  if (engine == GridEngine::kScalar) return ScalarGrid(config);
  // Lanes have grids of their own.
  if (engine == GridEngine::kLanes) return SlicedGrid(GridConfig(config.width, config.height));
  return SlicedGrid(config);
}

}  // namespace

KernelSimulator::KernelSimulator(const MappedKernel& kernel, const KernelSimulatorParams& params)
    : params_(params),
      grid_(make_grid(verified(kernel).grid, params.engine)),
      schedule_(make_schedule(kernel, params.shared_residents)),
      input_bits_(kernel.input_bits),
      output_bits_(kernel.output_bits),
      faults_(params.faults),
      garbage_(params.defects, kernel.grid.width, kernel.grid.height, params.garbage_seed) {
  stats_.cells = kernel.grid.cells.size();
  const auto number = [](const auto& ports, auto& table, auto port_of) {
    for (auto& event : table.events) event.port = port_of(ports[event.port]);
  };
  std::visit(
      [&](const auto& grid) {
        const auto in = [&](const auto& p) { return grid.input_port(p.side, p.position); };
        const auto out = [&](const auto& p) { return grid.output_port(p.side, p.position); };
        number(schedule_.in, schedule_.inputs, in);
        number(schedule_.in, schedule_.constants, in);
        number(schedule_.out, schedule_.outputs, out);
      },
      grid_);
  compile_residents(kernel);
  now_ = -schedule_.lead_phases;
  if (params_.engine == GridEngine::kLanes && !(faults_.empty() && garbage_.empty()))
    throw Error("kernel simulator", "lanes do not support a list of faults", "use the sliced or scalar simulator, or a fault campaign");
  if (params_.engine == GridEngine::kLanes || params_.engine == GridEngine::kAuto) kernel_ = kernel;
  if (params_.latch_seed) start_at_random(kernel.grid, *params_.latch_seed);
}

/// Idle cells drive 0 as ever: the sliced grid does not step them.
void KernelSimulator::start_at_random(const GridConfig& config, uint64_t seed) {
  if (params_.engine == GridEngine::kLanes) return;  // they start themselves
  std::mt19937_64 random(seed);
  GridState state(config.width, config.height);
  for (size_t cell = 0; cell < config.cells.size(); ++cell)
    if (config.cells[cell] != 0) state.outputs[cell] = random() & 15u;
  std::visit([&](auto& grid) { grid.set_state(state); }, grid_);
}

void KernelSimulator::restart(const MappedKernel& kernel, uint64_t latch_seed) {
  if (params_.engine == GridEngine::kLanes) throw Error("kernel simulator", "lanes start once", "make another simulator");
  start_at_random(kernel.grid, latch_seed);
  cold_ = true;
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
  if (params_.shared_residents) {
    shared_bits_ = resident_input_bits(kernel);
    input_bits_ -= static_cast<uint32_t>(shared_bits_.size());
    shared_residents_ = BitVector(static_cast<uint32_t>(shared_bits_.size()));
  }
  std::unordered_map<size_t, uint32_t> word_of;  // by cell
  for (const ResidentSlot& r : kernel.residents) {
    const auto [word, added] = word_of.try_emplace(kernel.grid.index(r.x, r.y), static_cast<uint32_t>(resident_words_.size()));
    if (added) resident_words_.push_back(r.word0);
    resident_cells_[next[r.bit]++] = {r.x, r.y, r.flip(), word->second};
  }
}

/// Number of invocations from row `first` on that have the same resident bits.
size_t KernelSimulator::resident_group(const BitMatrix& inputs, size_t first) const {
  if (resident_mask_.empty() || params_.shared_residents) return inputs.rows - first;
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

/// Writes the cells whose resident bit differs from `bits`, words of a row with all input bits. Returns whether there was any.
bool KernelSimulator::write_residents(const uint64_t* bits) {
  uint64_t written = 0;
  for (size_t w = 0; w < resident_mask_.size(); ++w) {
    uint64_t changed = (bits[w] ^ resident_now_[w]) & resident_mask_[w];
    resident_now_[w] ^= changed;
    for (; changed != 0; changed &= changed - 1) {
      const size_t bit = 64 * w + static_cast<size_t>(__builtin_ctzll(changed));
      for (size_t i = resident_first_[bit]; i < resident_first_[bit + 1]; ++i) {
        const ResidentCell& cell = resident_cells_[i];
        CellWord& word = resident_words_[cell.word];
        word ^= cell.flip;
        std::visit([&](auto& grid) { grid.set_cell(cell.x, cell.y, word); }, grid_);
        ++written;
      }
    }
  }
  if (!params_.shared_residents) {
    stats_.reconfigured_cells += written;
    stats_.reconfigurations += written != 0;
  }
  return written != 0;
}

bool KernelSimulator::reconfigure(const BitMatrix& inputs, size_t row) {
  if (resident_mask_.empty()) return false;
  if (!params_.shared_residents) return write_residents(&inputs.words[row * inputs.stride]);
  if (!shared_changed_) return false;
  shared_changed_ = false;
  std::vector<uint64_t> words(resident_mask_.size());
  for (uint32_t i = 0; i < shared_bits_.size(); ++i)
    if (shared_residents_.get(i)) words[shared_bits_[i] / 64] |= uint64_t{1} << (shared_bits_[i] % 64);
  return write_residents(words.data());
}

/// Counts what changes here, so that it does not matter whether lanes or one grid run next.
void KernelSimulator::set_residents(const BitVector& bits) {
  uint64_t written = 0;
  for (uint32_t i = 0; i < shared_bits_.size(); ++i) {
    const uint32_t bit = shared_bits_[i];
    if (bits.get(i) != shared_residents_.get(i)) written += resident_first_[bit + 1] - resident_first_[bit];
  }
  stats_.reconfigured_cells += written;
  stats_.reconfigurations += written != 0;
  shared_residents_ = bits;
  shared_changed_ = true;
  for (auto* kernels : {&narrow_, &wide_})
    for (const auto& kernel : *kernels) kernel->set_residents(bits);
  for (const auto& copy : copies_) copy->set_residents(bits);
}

BitMatrix KernelSimulator::run(const BitMatrix& inputs) {
  if (inputs.cols != input_bits_) {
    throw Error("kernel simulator", fmt::format("{} input bits given, the kernel has {}", inputs.cols, input_bits_),
                "give one column per input bit");
  }
  if (params_.engine == GridEngine::kLanes || (params_.engine == GridEngine::kAuto && lanes_pay(inputs))) return run_lanes(inputs);
  if (const size_t shares = shares_of(inputs.rows); shares > 1) return run_shares(inputs, shares);
  BitMatrix outputs(inputs.rows, output_bits_);
  for (size_t first = 0; first < inputs.rows;) {
    const size_t count = resident_group(inputs, first);
    const bool changed = reconfigure(inputs, first);
    const bool lead = cold_ || (changed && params_.lead_after_reconfiguration);
    const int64_t start = round_up(now_ + (lead ? schedule_.lead_phases : -schedule_.first_phase), schedule_.period);
    std::visit([&](auto& grid) { run_group(grid, inputs, first, count, start, outputs); }, grid_);
    cold_ = false;
    stats_.invocations += count;
    first += count;
  }
  return outputs;
}

/// How many grids, a thread each, a batch is worth: each fills and drains its array.
size_t KernelSimulator::shares_of(size_t rows) const {
  if (params_.engine != GridEngine::kAuto || params_.threads < 2 || vcd_ || !faults_.empty() || !garbage_.empty()) return 1;
  if (!resident_cells_.empty() && !params_.shared_residents) return 1;
  constexpr uint64_t kLeastUpdates = 10'000'000;  // half a millisecond
  const auto phases = static_cast<uint64_t>(rows) * static_cast<uint64_t>(schedule_.period);
  const auto drain = static_cast<uint64_t>(schedule_.last_phase - schedule_.first_phase + 1);
  if (phases / 2 * stats_.cells < kLeastUpdates) return 1;
  return std::clamp<size_t>(phases / drain, 1, params_.threads);
}

/// The first share runs on this grid, the others on copies.
BitMatrix KernelSimulator::run_shares(const BitMatrix& inputs, size_t shares) {
  KernelSimulatorParams alone = params_;
  alone.threads = 1;
  alone.engine = GridEngine::kSliced;
  while (copies_.size() + 1 < shares) {
    if (alone.latch_seed) *alone.latch_seed += copies_.size() + 1;
    copies_.push_back(std::make_unique<KernelSimulator>(kernel_, alone));
    if (params_.shared_residents) copies_.back()->set_residents(shared_residents_);
  }
  BitMatrix outputs(inputs.rows, output_bits_);
  const KernelSimulatorStats before = stats_;
  const auto run_share = [&](size_t share) {
    const size_t first = inputs.rows * share / shares, count = inputs.rows * (share + 1) / shares - first;
    BitMatrix part(count, inputs.cols);
    std::copy_n(inputs.words.begin() + static_cast<ptrdiff_t>(first * inputs.stride), count * inputs.stride, part.words.begin());
    BitMatrix result;
    if (share == 0) {
      const size_t threads = std::exchange(params_.threads, 1);
      const GridEngine engine = std::exchange(params_.engine, GridEngine::kSliced);
      result = run(part);
      params_.threads = threads;
      params_.engine = engine;
    } else {
      result = copies_[share - 1]->run(part);
    }
    std::copy(result.words.begin(), result.words.end(), outputs.words.begin() + static_cast<ptrdiff_t>(first * outputs.stride));
  };
  std::vector<uint64_t> updates_before;
  for (const auto& copy : copies_) updates_before.push_back(copy->stats().grid_phases);
  std::vector<std::thread> threads;
  for (size_t share = 1; share < shares; ++share) threads.emplace_back(run_share, share);
  run_share(0);
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i + 1 < shares; ++i) stats_.grid_phases += copies_[i]->stats().grid_phases - updates_before[i];
  // As if one grid had taken all.
  const auto rest = static_cast<uint64_t>(static_cast<int64_t>(inputs.rows - inputs.rows / shares) * schedule_.period);
  stats_.tile_phases += rest;
  stats_.invocations = before.invocations + inputs.rows;
  return outputs;
}

/// Whether lanes are expected to take less time for a batch, their compilation included. The costs are those of docs/performance.md.
bool KernelSimulator::lanes_pay(const BitMatrix& inputs) {
  if (vcd_ || !faults_.empty() || !garbage_.empty() || inputs.rows < kLeastRows) return false;
  constexpr double kSlicedCell = 0.04, kWideCell = 3.0, kNarrowCell = 1.0, kCompileCell = 2000;  // ns an update or cell
  const auto cells = static_cast<double>(stats_.cells);
  const auto period = static_cast<double>(schedule_.period), drain = static_cast<double>(schedule_.last_phase - schedule_.first_phase + 1);
  double rows = 0;  // in phases
  for (size_t first = 0; first < inputs.rows;) {
    const size_t count = resident_group(inputs, first);
    rows += static_cast<double>(count - 1) * period + drain;
    first += count;
  }
  const bool narrow = inputs.rows <= kNarrowRows, compiled = !(narrow ? narrow_ : wide_).empty();
  const double phases = rows / (narrow ? 64 : 512) + drain;
  const double lanes = phases * cells / 2 * (narrow ? kNarrowCell : kWideCell), sliced = rows * cells / 2 * kSlicedCell;
  if (lanes >= sliced) return false;
  saved_ += sliced - lanes;
  return compiled || saved_ > cells * kCompileCell;
}

BitMatrix KernelSimulator::run_lanes(const BitMatrix& inputs) {
  auto& kernels = inputs.rows <= kNarrowRows ? narrow_ : wide_;
  if (kernels.empty()) {
    const LaneKernelParams params{&kernels == &narrow_ ? size_t{64} : size_t{512},
                                  SimdTarget::kAuto,
                                  params_.lead_after_reconfiguration,
                                  params_.latch_seed,
                                  params_.engine == GridEngine::kAuto,
                                  params_.shared_residents};
    kernels.push_back(std::make_unique<LaneKernel>(kernel_, params));
    if (params_.shared_residents) kernels[0]->set_residents(shared_residents_);
    while (kernels.size() < params_.threads) kernels.push_back(std::make_unique<LaneKernel>(*kernels[0]));
  }
  const size_t shares = std::min(kernels.size(), std::max<size_t>(inputs.rows / 64, 1));
  std::vector<LaneKernelStats> before;
  for (const auto& kernel : kernels) before.push_back(kernel->stats());
  BitMatrix outputs(inputs.rows, output_bits_);
  const auto run_share = [&](size_t share) {
    const size_t first = inputs.rows * share / shares, count = inputs.rows * (share + 1) / shares - first;
    BitMatrix part(count, inputs.cols);
    std::copy_n(inputs.words.begin() + static_cast<ptrdiff_t>(first * inputs.stride), count * inputs.stride, part.words.begin());
    const BitMatrix result = kernels[share]->run(part);
    std::copy(result.words.begin(), result.words.end(), outputs.words.begin() + static_cast<ptrdiff_t>(first * outputs.stride));
  };
  std::vector<std::thread> threads;
  for (size_t share = 1; share < shares; ++share) threads.emplace_back(run_share, share);
  run_share(0);
  for (std::thread& thread : threads) thread.join();
  uint64_t phases = 0;
  for (size_t i = 0; i < shares; ++i) {
    const LaneKernelStats &a = before[i], &b = kernels[i]->stats();
    phases = std::max(phases, b.phases - a.phases);
    stats_.grid_phases += b.lane_phases - a.lane_phases;
    stats_.reconfigurations += b.reconfigurations - a.reconfigurations;
    stats_.reconfigured_cells += b.reconfigured_cells - a.reconfigured_cells;
  }
  stats_.phases += phases;
  stats_.tile_phases +=
      static_cast<uint64_t>((static_cast<int64_t>(inputs.rows) - 1) * schedule_.period + schedule_.last_phase - schedule_.first_phase + 1);
  stats_.invocations += inputs.rows;
  return outputs;
}

/// Simulates from now until the last bit of the last invocation; invocation `first` has its phase 0 at `start`.
template <typename Grid>
void KernelSimulator::run_group(Grid& grid, const BitMatrix& inputs, size_t first, size_t count, int64_t start, BitMatrix& outputs) {
  const int64_t end = start + static_cast<int64_t>(count - 1) * schedule_.period + schedule_.last_phase + 1;
  int64_t turn = floor_div(now_ - start, schedule_.period);  // invocation whose phase 0 is at most one period ago
  auto r = static_cast<size_t>(now_ - start - turn * schedule_.period);
  stats_.phases += static_cast<uint64_t>(end - now_);
  stats_.tile_phases += static_cast<uint64_t>(end - now_);
  stats_.grid_phases += static_cast<uint64_t>(end - now_);
  if constexpr (std::is_same_v<Grid, SlicedGrid>) {
    if (!vcd_ && faults_.empty() && garbage_.empty() && grid.memory() > kSweptBytes)
      return run_swept(grid, inputs, first, count, start, end, outputs);
  }
  std::optional<PortFeed> feed;
  if (count >= kFedRows) feed.emplace(schedule_, inputs, first, count);
  for (; now_ < end; ++now_) {
    for (size_t i = schedule_.constants.first[r]; i < schedule_.constants.first[r + 1]; ++i) grid.drive(schedule_.constants.events[i].port);
    if (feed) {
      feed->drive(turn, r, [&](size_t port) { grid.drive(port); });
    } else {
      for (size_t i = schedule_.inputs.first[r]; i < schedule_.inputs.first[r + 1]; ++i) {
        const KernelSchedule::Event& e = schedule_.inputs.events[i];
        const auto invocation = static_cast<uint64_t>(turn - e.age);  // before the first one: huge
        if (invocation < count ? inputs.get(first + invocation, e.bit) : schedule_.resting.get(0, e.bit)) grid.drive(e.port);
      }
    }
    if (vcd_) sample_vcd_inputs(grid);
    faults_.before_step(grid, now_);
    grid.step(static_cast<int>(now_ & 1));
    faults_.after_step(grid, now_);
    garbage_.after_step(grid, now_);
    for (size_t i = schedule_.outputs.first[r]; i < schedule_.outputs.first[r + 1]; ++i) {
      const KernelSchedule::Event& e = schedule_.outputs.events[i];
      const auto invocation = static_cast<uint64_t>(turn - e.age);
      if (invocation < count && grid.sample(e.port)) outputs.set(first + invocation, e.bit, true);
    }
    if (vcd_) sample_vcd_outputs(grid);
    if (++r == static_cast<size_t>(schedule_.period)) {
      r = 0;
      ++turn;
    }
  }
}

/// The same for grids past the cache: all ports of some phases are known ahead, so that these can go through the grid in one sweep.
void KernelSimulator::run_swept(SlicedGrid& grid, const BitMatrix& inputs, size_t first, size_t count, int64_t start, int64_t end,
                                BitMatrix& outputs) {
  const int64_t phases_at_once = params_.threads > 1 ? 512 : 64;  // threads follow each other at the distance of a sweep
  std::vector<SlicedGrid::Event> drives, samples;
  std::vector<std::pair<size_t, uint32_t>> targets;  // row and bit of each sample
  PortFeed feed(schedule_, inputs, first, count);
  while (now_ < end) {
    const int64_t stop = std::min(end, now_ + phases_at_once);
    drives.clear();
    samples.clear();
    targets.clear();
    for (int64_t phase = now_; phase < stop; ++phase) {
      const int64_t turn = floor_div(phase - start, schedule_.period);
      const auto r = static_cast<size_t>(phase - start - turn * schedule_.period);
      const auto events = [&](const KernelSchedule::Timetable& table, const auto& take) {
        for (size_t i = table.first[r]; i < table.first[r + 1]; ++i)
          take(table.events[i], static_cast<uint64_t>(turn - table.events[i].age));
      };
      events(schedule_.constants, [&](const auto& e, uint64_t) { drives.push_back({phase, e.port, true}); });
      feed.drive(turn, r, [&](size_t port) { drives.push_back({phase, port, true}); });
      events(schedule_.outputs, [&](const auto& e, uint64_t invocation) {
        if (invocation >= count) return;
        samples.push_back({phase, e.port, false});
        targets.emplace_back(first + invocation, e.bit);
      });
    }
    grid.run(now_, stop - now_, drives, samples, {params_.threads, 0, 0});
    for (size_t i = 0; i < samples.size(); ++i) {
      if (samples[i].bit) outputs.set(targets[i].first, targets[i].second, true);
    }
    now_ = stop;
  }
}

void KernelSimulator::record(VcdWriter* vcd) {
  vcd_ = vcd;
  vcd_ports_.clear();
  if (!vcd) return;
  if (params_.engine == GridEngine::kLanes)
    throw Error("kernel simulator", "lanes cannot record a waveform", "use the sliced or scalar simulator");
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
  if (params_.engine == GridEngine::kLanes && !(narrow_.empty() && wide_.empty())) return (wide_.empty() ? narrow_ : wide_)[0]->state(0);
  return std::visit([](const auto& grid) { return grid.state(); }, grid_);
}

}  // namespace bitgrid::sim
