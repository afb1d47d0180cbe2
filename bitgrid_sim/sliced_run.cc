// Several phases in one sweep over the grid, on one or more threads.
#include <algorithm>
#include <atomic>
#include <thread>

#include "bitgrid_sim/sliced.h"

namespace bitgrid::sim {
namespace {

/// A phase and the next but one, which read the same planes, take a chunk of so many bytes each: it is still in the second-level cache
/// then.
constexpr size_t kChunkBytes = 512 * 1024;
constexpr size_t kMostChunkBlocks = 256;
/// What all phases of a sweep span stays in the third-level cache.
constexpr size_t kSweepBytes = size_t{6} << 20;
/// Grids within the second-level cache (1 MiB where this was measured; spilling a little costs less than sweeps) go phase by phase.
constexpr size_t kCacheBytes = 1536 * 1024;
constexpr int64_t kMostPhases = 64;  // of a sweep
/// Fewer cell updates than that are not worth starting threads.
constexpr double kThreadUpdates = 2e6;

}  // namespace

/// Phase t of a sweep follows `reach` blocks behind phase t - 1, because what it reads of that lies at most so many ahead. Threads have
/// segments of the line that move with the phases: phase t of segment i is its blocks first[i] - t * reach up to first[i + 1] - t * reach.
/// A segment needs nothing of the next one in the same sweep, so that each thread is a whole sweep ahead of the next.
struct SlicedGrid::Sweep {
  int64_t first = 0;  // phase
  size_t count = 0;   // phases in all
  size_t depth = 0;   // phases of a sweep
  ptrdiff_t reach = 0;
  ptrdiff_t chunk = 0;
  std::vector<ptrdiff_t> segments;           // first blocks, and the end
  std::vector<std::vector<Port>> drives;     // by phase, ascending blocks; two empty ones in front
  std::vector<std::vector<Event*>> samples;  // by phase, ascending blocks
  Phase colours[2];

  const std::vector<Port>& drives_of(size_t k) const { return drives[k + 2]; }
  const std::vector<Port>& drives_before(size_t k) const { return drives[k]; }
  size_t sweeps() const { return (count + depth - 1) / depth; }
  size_t phases(size_t sweep) const { return std::min(depth, count - sweep * depth); }
  /// Steps in which a segment's phases advance by a chunk each.
  ptrdiff_t steps(size_t segment, size_t sweep) const {
    const bool last = segment + 2 == segments.size();
    const ptrdiff_t span = segments[segment + 1] - segments[segment] + (last ? static_cast<ptrdiff_t>(phases(sweep) - 1) * reach : 0);
    return (span + chunk - 1) / chunk;
  }
};

namespace {

/// How far the threads are, each in steps of its current sweep.
class Progress {
 public:
  explicit Progress(size_t threads) : at_(threads) {}
  void set(size_t thread, size_t sweep, ptrdiff_t steps) { at_[thread].value.store(code(sweep, steps), std::memory_order_release); }
  void wait(size_t thread, size_t sweep, ptrdiff_t steps) const {
    for (int tries = 0; at_[thread].value.load(std::memory_order_acquire) < code(sweep, steps); ++tries) {
      if (tries > 100) std::this_thread::yield();
    }
  }

 private:
  struct alignas(64) Place {
    std::atomic<uint64_t> value{0};
  };
  static uint64_t code(size_t sweep, ptrdiff_t steps) { return (uint64_t{sweep} << 32) + static_cast<uint64_t>(steps); }
  std::vector<Place> at_;
};

}  // namespace

void SlicedGrid::index_active() {
  for (size_t colour = 0; colour < 2; ++colour) {
    if (!first_active_[colour].empty()) continue;
    auto& first = first_active_[colour];
    first.resize(blocks_ + 1);
    uint32_t i = 0;
    for (size_t block = 0; block <= blocks_; ++block) {
      while (i < active_[colour].size() && active_[colour][i].block < block) ++i;
      first[block] = i;
    }
  }
}

/// Blocks begin .. end - 1 in phase k, with the ports whose bits these blocks are the first to read and the outputs that lie in them.
void SlicedGrid::sweep_chunk(const Sweep& sweep, size_t k, ptrdiff_t begin, ptrdiff_t end) {
  const auto all = static_cast<ptrdiff_t>(blocks_);
  const bool head = begin <= 0;  // of the line: no chunk before it takes ports
  begin = std::max<ptrdiff_t>(begin, 0);
  const ptrdiff_t last = std::min(end, all);
  if (begin >= last) return;
  const auto block_of = [&](Port port) {
    return (static_cast<ptrdiff_t>(port / 64 % plane_stride_) - static_cast<ptrdiff_t>(margin_)) / static_cast<ptrdiff_t>(kBlockWords);
  };
  // Ports of blocks from begin + reach to end + reach; the first chunk also takes those before.
  const auto ports = [&](const std::vector<Port>& list, bool value) {
    auto it =
        head ? list.begin() : std::partition_point(list.begin(), list.end(), [&](Port p) { return block_of(p) < begin + sweep.reach; });
    for (; it != list.end() && block_of(*it) < last + sweep.reach; ++it) {
      const uint64_t mask = uint64_t{1} << (*it % 64);
      planes_[*it / 64] = value ? planes_[*it / 64] | mask : planes_[*it / 64] & ~mask;
    }
  };
  ports(sweep.drives_before(k), false);
  ports(sweep.drives_of(k), true);
  const auto colour = static_cast<size_t>((sweep.first + static_cast<int64_t>(k)) & 1);
  const uint32_t i = first_active_[colour][static_cast<size_t>(begin)], n = first_active_[colour][static_cast<size_t>(last)];
  step_blocks_(sweep.colours[colour], active_[colour].data() + i, n - i);
  const auto& samples = sweep.samples[k];
  auto it = std::partition_point(samples.begin(), samples.end(), [&](const Event* e) { return block_of(e->port) < begin; });
  for (; it != samples.end() && block_of((*it)->port) < last; ++it) (*it)->bit = sample((*it)->port);
}

void SlicedGrid::sweep_phases(const Sweep& sweep) {
  const auto all = static_cast<ptrdiff_t>(blocks_);
  const size_t threads = sweep.segments.size() - 1;
  Progress progress(threads);
  const auto work = [&](size_t i) {
    const bool last = i + 1 == threads;
    const ptrdiff_t begin = sweep.segments[i], end = sweep.segments[i + 1];
    for (size_t n = 0; n < sweep.sweeps(); ++n) {
      const size_t phases = sweep.phases(n);
      if (i > 0) progress.wait(i - 1, n + 1, 0);
      const ptrdiff_t steps = sweep.steps(i, n);
      for (ptrdiff_t step = 0; step < steps; ++step) {
        const ptrdiff_t at = begin + step * sweep.chunk;
        if (!last && n > 0) {
          // The first phase reads the last phase of the sweep before, which in front of the segment's end belongs to the next thread.
          const ptrdiff_t needed = std::min(at + sweep.chunk, end) + static_cast<ptrdiff_t>(sweep.phases(n - 1)) * sweep.reach - end;
          const ptrdiff_t wanted = std::min((needed + sweep.chunk - 1) / sweep.chunk, sweep.steps(i + 1, n - 1));
          if (needed > 0) progress.wait(i + 1, n - 1, wanted);
        }
        for (size_t t = 0; t < phases; ++t) {
          const ptrdiff_t lag = static_cast<ptrdiff_t>(t) * sweep.reach;
          const ptrdiff_t stop = last ? all : end - lag;
          // The first segment starts at block 0 in every phase.
          sweep_chunk(sweep, n * sweep.depth + t, at - lag, std::min(at + sweep.chunk - lag, stop));
        }
        if (threads > 1) progress.set(i, n, step + 1);
      }
      if (threads > 1) progress.set(i, n + 1, 0);
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back(work, i);
  work(0);
  for (std::thread& thread : others) thread.join();
}

void SlicedGrid::run(int64_t first, int64_t count, std::span<const Event> drives, std::span<Event> samples, const RunParams& params) {
  if (count <= 0) return;
  const double updates = static_cast<double>(count) * width_ * height_ / 2;
  size_t threads = params.threads == 0 || updates < kThreadUpdates ? 1 : params.threads;
  index_active();
  Sweep sweep;
  sweep.first = first;
  sweep.count = static_cast<size_t>(count);
  // A block's cells read places at most (R + 1) / 2 on.
  sweep.reach = static_cast<ptrdiff_t>((kBlockCells - 1 + (pitch_ + 1) / 2) / kBlockCells);
  const size_t bytes = memory() / blocks_ + 1;  // of a block of each colour
  sweep.chunk =
      static_cast<ptrdiff_t>(params.chunk_blocks != 0 ? params.chunk_blocks : std::clamp<size_t>(kChunkBytes / bytes, 8, kMostChunkBlocks));
  int64_t depth = params.sweep;
  const auto all = static_cast<ptrdiff_t>(blocks_);
  if (depth == 0) {
    // A sweep spans depth * reach blocks of each colour. Threads want several sweeps, so that all have work.
    depth = memory() < kCacheBytes && threads == 1 ? 1 : static_cast<int64_t>(kSweepBytes / bytes) / sweep.reach;
    if (threads > 1) depth = std::min(depth, count / static_cast<int64_t>(4 * threads));
    depth = std::clamp<int64_t>(depth, 1, kMostPhases);
  }
  if (params.chunk_blocks == 0) {
    if (depth == 1 && threads == 1) sweep.chunk = all;
    // Threads wait for each other by chunks.
    if (threads > 1) sweep.chunk = std::clamp<ptrdiff_t>(all / static_cast<ptrdiff_t>(8 * threads), 8, std::max<ptrdiff_t>(sweep.chunk, 8));
  }
  sweep.depth = static_cast<size_t>(depth);
  // Segments move west by depth * reach blocks within a sweep; they must not be shorter than that.
  const ptrdiff_t drift = static_cast<ptrdiff_t>(depth) * sweep.reach;
  threads = std::min(threads, static_cast<size_t>(std::max<ptrdiff_t>(all / (2 * drift + sweep.chunk), 1)));
  for (size_t i = 0; i <= threads; ++i) {
    const ptrdiff_t share = all * static_cast<ptrdiff_t>(i) / static_cast<ptrdiff_t>(threads);
    sweep.segments.push_back(i == 0 || i == threads ? share : std::min(share + drift / 2, all));
  }
  clear_driven();
  for (size_t colour = 0; colour < 2; ++colour) sweep.colours[colour] = phase_of(colour);
  sweep.drives.resize(sweep.count + 2);
  sweep.samples.resize(sweep.count);
  const auto k_of = [&](const Event& e) { return static_cast<size_t>(e.phase - first); };
  for (const Event& e : drives) {
    // A border cell of the other colour latches before or after, but not now.
    const bool read =
        e.phase >= first && e.phase < first + count && e.port / 64 / plane_stride_ / 4 % 2 != static_cast<size_t>(e.phase & 1);
    if (read) sweep.drives[k_of(e) + 2].push_back(e.port);
  }
  for (Event& e : samples) {
    if (e.phase >= first && e.phase < first + count) sweep.samples[k_of(e)].push_back(&e);
  }
  const auto place_of = [&](Port port) { return port / 64 % plane_stride_; };
  for (auto& list : sweep.drives) std::sort(list.begin(), list.end(), [&](Port a, Port b) { return place_of(a) < place_of(b); });
  for (auto& list : sweep.samples)
    std::sort(list.begin(), list.end(), [&](const Event* a, const Event* b) { return place_of(a->port) < place_of(b->port); });
  sweep_phases(sweep);
  for (size_t k = sweep.count; k < sweep.count + 2; ++k) driven_.insert(driven_.end(), sweep.drives[k].begin(), sweep.drives[k].end());
  clear_driven();
}

}  // namespace bitgrid::sim
