#include "bitgrid_sim/rank_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "bitgrid_sim/sliced.h"
#include "ir/error.h"
#include "ir/number.h"

namespace bitgrid::sim {
namespace {

class StripRun {
 public:
  StripRun(const frontend::GridSource& grid, const LiveScript& script, const StripParams& params, const Ranks& ranks)
      : width_(grid.width),
        height_(grid.height),
        script_(script),
        params_(params),
        ranks_(ranks),
        own_(strip_rows(grid.height, ranks.rank, ranks.size)),
        halo_(params.halo & ~1) {
    for (int r = 0; r < ranks.size; ++r) {
      const StripRows rows = strip_rows(grid.height, r, ranks.size);
      if (ranks.size > 1) halo_ = std::min(halo_, (rows.last - rows.first) & ~1);
    }
    if (halo_ < 2 && ranks.size > 1)
      throw Error("simulate", fmt::format("{} processes for {} rows", ranks.size, grid.height), "give each process at least two rows");
    first_ = std::max(own_.first - halo_, 0);
    last_ = std::min(own_.last + halo_, grid.height);
    grid_ = std::make_unique<SlicedGrid>(grid.width, last_ - first_, [&](int y, std::span<CellWord> row) { grid.row(first_ + y, row); });
    result_.samples.resize(script.probes.size());
  }

  LiveResult run(const LiveState* resume, StripStats& stats) {
    int64_t cycle = 0;
    if (resume) {
      for (int y = first_; y < last_; ++y) {
        for (int x = 0; x < width_; ++x) {
          for (const Side side : kSides) grid_->set_output(x, y - first_, side, resume->latches.output(x, y, side));
        }
      }
      for (const CellWrite& w : resume->written) write(w);
      cycle = resume->cycle;
    }
    const int64_t end = cycle + params_.cycles;
    auto next = script_.writes.begin();
    while (next != script_.writes.end() && next->cycle < cycle) ++next;
    for (int64_t since = 0; cycle < end;) {
      for (; next != script_.writes.end() && next->cycle == cycle; ++next) write(*next);
      int64_t stop = next != script_.writes.end() ? std::min(end, next->cycle) : end;
      if (ranks_.size > 1) stop = std::min(stop, cycle + halo_ / 2 - since);
      stop = std::min(stop, cycle + 256);
      advance(cycle, stop);
      since += stop - cycle;
      cycle = stop;
      if (ranks_.size > 1 && since == halo_ / 2) {
        exchange(stats);
        since = 0;
      }
    }
    result_.state.cycle = cycle;
    collect(resume);
    return std::move(result_);
  }

 private:
  void write(const CellWrite& w) {
    const bool mine = w.y >= own_.first && w.y < own_.last;
    if (w.y < first_ || w.y >= last_) return;
    if (grid_->cell(w.x, w.y - first_) == w.word) return;
    if (mine) originals_.try_emplace({w.x, w.y}, grid_->cell(w.x, w.y - first_));
    grid_->set_cell(w.x, w.y - first_, w.word);
    result_.writes += mine;
  }

  /// The strip's own name of a border port, if the strip (`own`: without halo) has it.
  bool local(Side side, int position, bool own, int& local_position) const {
    const int first = own ? own_.first : first_, last = own ? own_.last : last_;
    local_position = position;
    if (side == Side::N) return first == 0;
    if (side == Side::S) return last == height_;
    local_position = position - first_;
    return position >= first && position < last;
  }

  void advance(int64_t cycle, int64_t stop) {
    std::vector<SlicedGrid::Event> drives, samples;
    int p = 0;
    for (const PortQueue& q : script_.queues) {
      if (!local(q.side, q.position, false, p)) continue;
      const CellPosition cell = border_cell(q.side, q.position, width_, height_);
      for (int64_t t = std::max(cycle, q.first); t < std::min(stop, q.last + 1); ++t) {
        if (q.bits[static_cast<size_t>(t - q.first) % q.bits.size()])
          drives.push_back({2 * t + ((cell.x + cell.y) & 1), grid_->input_port(q.side, p), true});
      }
    }
    std::vector<size_t> probe_of;
    for (size_t i = 0; i < script_.probes.size(); ++i) {
      const Probe& probe = script_.probes[i];
      if (!probe.is_port) throw Error("simulate", "several processes can only watch ports", "leave out probes of cells");
      const CellPosition cell = border_cell(probe.port.side, probe.port.position, width_, height_);
      if (cell.y < own_.first || cell.y >= own_.last || !local(probe.port.side, probe.port.position, true, p)) continue;
      for (int64_t t = cycle; t < stop; ++t) {
        if (!probe.port.output) {
          result_.samples[i] += driven(probe.port, t) ? '1' : '0';
          continue;
        }
        samples.push_back({2 * t + ((cell.x + cell.y) & 1), grid_->output_port(probe.port.side, p), false});
        probe_of.push_back(i);
      }
    }
    grid_->run(2 * cycle, 2 * (stop - cycle), drives, samples, {params_.threads, 0, 0});
    for (size_t k = 0; k < samples.size(); ++k) result_.samples[probe_of[k]] += samples[k].bit ? '1' : '0';
  }

  bool driven(const PortName& port, int64_t cycle) const {
    return std::any_of(script_.queues.begin(), script_.queues.end(), [&](const PortQueue& q) {
      return q.side == port.side && q.position == port.position && cycle >= q.first && cycle <= q.last &&
             q.bits[static_cast<size_t>(cycle - q.first) % q.bits.size()] != 0;
    });
  }

  /// Latches of rows y to y + rows - 1 of the whole grid, two cells a byte.
  std::string latches(int y, int rows) const {
    std::string bytes((static_cast<size_t>(rows) * static_cast<size_t>(width_) + 1) / 2, '\0');
    size_t at = 0;
    for (int r = y; r < y + rows; ++r) {
      for (int x = 0; x < width_; ++x, ++at) {
        unsigned nibble = 0;
        for (const Side side : kSides) nibble |= static_cast<unsigned>(grid_->output(x, r - first_, side)) << static_cast<unsigned>(side);
        bytes[at / 2] = static_cast<char>(static_cast<unsigned char>(bytes[at / 2]) | nibble << (4 * (at % 2)));
      }
    }
    return bytes;
  }

  std::string row_bytes(int y) const {
    std::vector<uint64_t> words(SlicedGrid::row_words(width_) * static_cast<size_t>(halo_));
    for (int r = 0; r < halo_; ++r) grid_->row_latches(y + r - first_, &words[static_cast<size_t>(r) * SlicedGrid::row_words(width_)]);
    return std::string(reinterpret_cast<const char*>(words.data()), words.size() * sizeof(uint64_t));
  }
  void set_row_bytes(int y, const std::string& bytes) {
    std::vector<uint64_t> words(SlicedGrid::row_words(width_) * static_cast<size_t>(halo_));
    if (bytes.size() != words.size() * sizeof(uint64_t))
      throw Error("simulate", "a neighbour sent too few bytes", "start all processes with the same program and options");
    std::memcpy(words.data(), bytes.data(), bytes.size());
    for (int r = 0; r < halo_; ++r) grid_->set_row(y + r - first_, &words[static_cast<size_t>(r) * SlicedGrid::row_words(width_)]);
  }

  void exchange(StripStats& stats) {
    // Even ranks turn north first, odd ones south: pairs meet without waiting in a ring.
    for (const int turn : {0, 1}) {
      const bool north = (ranks_.rank + turn) % 2 == 0;
      const int other = ranks_.rank + (north ? -1 : 1);
      if (other < 0 || other >= ranks_.size) continue;
      const std::string mine = row_bytes(north ? own_.first : own_.last - halo_);
      const std::string theirs = ranks_.exchange(other, mine);
      set_row_bytes(north ? own_.first - halo_ : own_.last, theirs);
      stats.bytes += mine.size();
    }
    ++stats.exchanges;
  }

  /// Brings latches, samples, rewritten cells and counts together on rank 0.
  void collect(const LiveState* resume) {
    result_.state.latches = GridState(width_, height_);
    std::vector<CellWrite> places = script_.writes;
    if (resume) places.insert(places.end(), resume->written.begin(), resume->written.end());
    std::sort(places.begin(), places.end(),
              [](const CellWrite& a, const CellWrite& b) { return std::pair(a.x, a.y) < std::pair(b.x, b.y); });
    places.erase(std::unique(places.begin(), places.end(), [](const CellWrite& a, const CellWrite& b) { return a.x == b.x && a.y == b.y; }),
                 places.end());
    // For each place the word and whether it differs from the configuration, from the rank that has it.
    std::string words;
    for (const CellWrite& w : places) {
      uint64_t pair[2] = {0, 0};
      const auto original = originals_.find({w.x, w.y});
      if (original != originals_.end()) {
        pair[0] = grid_->cell(w.x, w.y - first_);
        pair[1] = pair[0] != original->second;
      }
      words.append(reinterpret_cast<const char*>(pair), sizeof(pair));
    }
    const auto gather = [&](const std::string& bytes) { return ranks_.size > 1 ? ranks_.gather(bytes) : std::vector<std::string>{bytes}; };
    const auto all_latches = gather(latches(own_.first, own_.last - own_.first)), all_words = gather(words),
               all_writes = gather(std::to_string(result_.writes));
    std::string text;
    for (const std::string& s : result_.samples) text += s + '\n';
    const auto all_samples = gather(text);
    if (ranks_.rank != 0) return;
    result_.writes = 0;
    for (auto& s : result_.samples) s.clear();
    std::vector<CellWord> merged(2 * places.size());
    for (int r = 0; r < ranks_.size; ++r) {
      const auto i = static_cast<size_t>(r);
      const StripRows rows = strip_rows(height_, r, ranks_.size);
      auto& outputs = result_.state.latches.outputs;
      const size_t first_cell = result_.state.latches.index(0, rows.first), end_cell = result_.state.latches.index(0, rows.last);
      for (size_t cell = first_cell, at = 0; cell < end_cell; ++cell, ++at)
        outputs[cell] = (static_cast<unsigned char>(all_latches[i][at / 2]) >> (4 * (at % 2))) & 15u;
      for (size_t k = 0; k < merged.size(); ++k) {
        CellWord word = 0;
        std::copy_n(all_words[i].data() + k * sizeof(word), sizeof(word), reinterpret_cast<char*>(&word));
        merged[k] |= word;
      }
      result_.writes += parse_whole(all_writes[i], uint64_t{0}, UINT64_MAX).value();
      size_t line = 0;
      for (auto& s : result_.samples) {
        const size_t end = all_samples[i].find('\n', line);
        s += all_samples[i].substr(line, end - line);
        line = end + 1;
      }
    }
    for (size_t k = 0; k < places.size(); ++k) {
      if (merged[2 * k + 1]) result_.state.written.push_back({0, places[k].x, places[k].y, merged[2 * k]});
    }
  }

  int width_, height_;  // of the whole grid
  const LiveScript& script_;
  const StripParams& params_;
  const Ranks& ranks_;
  StripRows own_;
  int halo_;
  int first_ = 0, last_ = 0;  // rows with halo
  std::unique_ptr<SlicedGrid> grid_;
  std::map<std::pair<int, int>, CellWord> originals_;  // of the strip's own cells that were rewritten
  LiveResult result_;
};

}  // namespace

StripRows strip_rows(int height, int rank, int ranks) {
  const auto cut = [&](int r) { return r == ranks ? height : static_cast<int>(int64_t{height} * r / ranks) & ~1; };
  return {cut(rank), cut(rank + 1)};
}

LiveResult run_strips(const frontend::GridSource& grid, const LiveScript& script, const LiveState* resume, const StripParams& params,
                      const Ranks& ranks, StripStats* stats) {
  StripStats own;
  LiveResult result = StripRun(grid, script, params, ranks).run(resume, own);
  if (stats) *stats = own;
  return result;
}

}  // namespace bitgrid::sim
