#include "bitgrid_sim/live.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "bitgrid_sim/make_grid.h"
#include "ir/error.h"

namespace bitgrid::sim {
namespace {

/// Phases that a grid goes through in one sweep.
constexpr int64_t kSweepCycles = 256;

template <typename Grid>
class LiveRun {
 public:
  using Port = typename Grid::Port;

  LiveRun(const frontend::GridSource& source, const LiveScript& script, const LiveParams& params)
      : script_(script), params_(params), grid_(make_grid<Grid>(source)), faults_(params.faults) {
    const int width = source.width, height = source.height;
    for (const PortQueue& q : script.queues) {
      const CellPosition cell = border_cell(q.side, q.position, width, height);
      queues_.push_back({&q, grid_.input_port(q.side, q.position), (cell.x + cell.y) & 1});
    }
    for (const Probe& p : script.probes) {
      const CellPosition cell = p.is_port ? border_cell(p.port.side, p.port.position, width, height) : CellPosition{p.x, p.y};
      probe_phase_.push_back((cell.x + cell.y) & 1);
    }
    std::sort(queues_.begin(), queues_.end(), [](const Queue& a, const Queue& b) { return a.queue->first < b.queue->first; });
    result_.samples.resize(script.probes.size());
  }

  LiveResult run(const LiveState* resume) {
    if (resume) {
      grid_.set_state(resume->latches);
      for (const CellWrite& w : resume->written) change(w);
      cycle_ = resume->cycle;
    }
    const int64_t end = cycle_ + params_.cycles;
    auto write = script_.writes.begin();
    while (write != script_.writes.end() && write->cycle < cycle_) ++write;
    while (cycle_ < end) {
      for (; write != script_.writes.end() && write->cycle == cycle_; ++write) {
        if (grid_.cell(write->x, write->y) == write->word) continue;
        ++result_.writes;
        change(*write);
      }
      const int64_t stop = write != script_.writes.end() ? std::min(end, write->cycle) : end;
      advance(stop);
    }
    result_.state.cycle = cycle_;
    result_.state.latches = grid_.state();
    for (const auto& [place, original] : originals_) {
      const auto& [x, y] = place;
      if (grid_.cell(x, y) != original) result_.state.written.push_back({0, x, y, grid_.cell(x, y)});
    }
    return std::move(result_);
  }

 private:
  struct Queue {
    const PortQueue* queue = nullptr;
    Port port = 0;
    int phase = 0;
  };

  void change(const CellWrite& w) {
    originals_.try_emplace({w.x, w.y}, grid_.cell(w.x, w.y));
    grid_.set_cell(w.x, w.y, w.word);
  }

  void advance(int64_t stop) {
    if constexpr (std::is_same_v<Grid, SlicedGrid>) {
      const bool cells_watched = std::any_of(script_.probes.begin(), script_.probes.end(), [](const Probe& p) { return !p.is_port; });
      if (!params_.vcd && faults_.empty() && !cells_watched) {
        while (cycle_ < stop) sweep(std::min(stop, cycle_ + kSweepCycles));
        return;
      }
    }
    for (; cycle_ < stop; ++cycle_) {
      for (const int phase : {0, 1}) step(phase);
    }
  }

  bool bit(const PortQueue& q, int64_t cycle) const { return q.bits[static_cast<size_t>(cycle - q.first) % q.bits.size()] != 0; }

  /// Queues that have not ended, of which those up to a cycle have begun.
  template <typename Take>
  void each_queue(int64_t first, int64_t last, const Take& take) {
    std::erase_if(queues_, [&](const Queue& q) { return q.queue->last < first; });
    for (const Queue& q : queues_) {
      if (q.queue->first > last) break;
      take(q);
    }
  }

  void step(int phase) {
    each_queue(cycle_, cycle_, [&](const Queue& q) {
      if (q.phase == phase && bit(*q.queue, cycle_)) grid_.drive(q.port);
    });
    values_.resize(script_.probes.size());
    for (size_t i = 0; i < script_.probes.size(); ++i) {
      const Probe& p = script_.probes[i];
      if (p.is_port && !p.port.output) record(i, phase, grid_.driving(grid_.input_port(p.port.side, p.port.position)));
    }
    const int64_t now = 2 * cycle_ + phase;
    faults_.before_step(grid_, now);
    grid_.step(phase);
    faults_.after_step(grid_, now);
    for (size_t i = 0; i < script_.probes.size(); ++i) {
      const Probe& p = script_.probes[i];
      if (!p.is_port) record(i, phase, grid_.output(p.x, p.y, p.side));
      if (p.is_port && p.port.output) record(i, phase, grid_.sample(grid_.output_port(p.port.side, p.port.position)));
    }
    if (params_.vcd) params_.vcd->sample(values_);
  }

  void record(size_t probe, int phase, bool value) {
    values_[probe] = value;
    if (phase == probe_phase_[probe]) result_.samples[probe] += value ? '1' : '0';
  }

  /// The same for cycles whose ports alone are of interest.
  void sweep(int64_t stop) requires std::is_same_v<Grid, SlicedGrid> {
    std::vector<SlicedGrid::Event> drives, samples;
    each_queue(cycle_, stop - 1, [&](const Queue& q) {
      for (int64_t c = std::max(cycle_, q.queue->first); c < std::min(stop, q.queue->last + 1); ++c) {
        if (bit(*q.queue, c)) drives.push_back({2 * c + q.phase, q.port, true});
      }
    });
    const auto by_phase = [](const SlicedGrid::Event& a, const SlicedGrid::Event& b) { return a.phase < b.phase; };
    std::stable_sort(drives.begin(), drives.end(), by_phase);
    for (int64_t c = cycle_; c < stop; ++c) {
      for (const int phase : {0, 1}) {
        for (size_t i = 0; i < script_.probes.size(); ++i) {
          const PortName& p = script_.probes[i].port;
          if (probe_phase_[i] == phase && p.output) samples.push_back({2 * c + phase, grid_.output_port(p.side, p.position), false});
        }
      }
    }
    grid_.run(2 * cycle_, 2 * (stop - cycle_), drives, samples, {params_.threads, 0, 0});
    size_t at = 0;
    for (int64_t c = cycle_; c < stop; ++c) {
      for (const int phase : {0, 1}) {
        for (size_t i = 0; i < script_.probes.size(); ++i) {
          if (probe_phase_[i] != phase) continue;
          const PortName& p = script_.probes[i].port;
          if (p.output) {
            result_.samples[i] += samples[at++].bit ? '1' : '0';
          } else {
            result_.samples[i] += driven_in(p, c) ? '1' : '0';
          }
        }
      }
    }
    cycle_ = stop;
  }

  bool driven_in(const PortName& p, int64_t cycle) const {
    return std::any_of(queues_.begin(), queues_.end(), [&](const Queue& q) {
      return q.queue->side == p.side && q.queue->position == p.position && cycle >= q.queue->first && cycle <= q.queue->last &&
             bit(*q.queue, cycle);
    });
  }

  const LiveScript& script_;
  const LiveParams& params_;
  Grid grid_;
  FaultInjector faults_;
  std::vector<Queue> queues_;  // ascending first cycles
  std::vector<int> probe_phase_;
  std::map<std::pair<int, int>, CellWord> originals_;  // of cells that were rewritten
  std::vector<uint8_t> values_;
  int64_t cycle_ = 0;
  LiveResult result_;
};

}  // namespace

LiveResult run_live(const frontend::GridSource& grid, const LiveScript& script, const LiveState* resume, const LiveParams& params) {
  if (params.cycles < 0) throw Error("simulate", fmt::format("{} cycles", params.cycles), "use 0 or more");
  if (params.engine == GridEngine::kScalar) return LiveRun<ScalarGrid>(grid, script, params).run(resume);
  if (params.engine == GridEngine::kLanes) return LiveRun<SingleLaneGrid>(grid, script, params).run(resume);
  return LiveRun<SlicedGrid>(grid, script, params).run(resume);
}

LiveResult run_live(const GridConfig& config, const LiveScript& script, const LiveState* resume, const LiveParams& params) {
  return run_live(frontend::grid_source(config), script, resume, params);
}

}  // namespace bitgrid::sim
