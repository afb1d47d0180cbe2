// Several phases in one sweep over the grid, on one or more threads.
#include <algorithm>
#include <barrier>
#include <thread>

#include "bitgrid_sim/sliced.h"

namespace bitgrid {
namespace {

/// What a sweep keeps near; measured with a second-level cache of 1 MiB, where spilling a little into the third costs less than short
/// sweeps.
constexpr size_t kCacheBytes = 1536 * 1024;
constexpr int64_t kMostPhases = 64;  // of a sweep
/// Fewer cell updates than that are not worth starting threads.
constexpr double kThreadUpdates = 2e6;

}  // namespace

/// One sweep: phase t of it follows `lag` blocks behind phase t - 1. What is read of the phase before lies at most `reach` blocks ahead.
struct SlicedGrid::Sweep {
  int64_t first = 0;
  size_t count = 0;
  ptrdiff_t reach = 0;
  ptrdiff_t lag = 0;
  ptrdiff_t chunk = 0;
  std::vector<std::vector<Port>> drives;     // of phase t, ascending blocks; those of phases first - 2 and first - 1 come in front
  std::vector<std::vector<Event*>> samples;  // of phase t, ascending blocks
  Phase colours[2];

  const std::vector<Port>& drives_of(size_t t) const { return drives[t + 2]; }
  const std::vector<Port>& drives_before(size_t t) const { return drives[t]; }
};

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

/// Blocks begin .. end - 1 in phase t, with the ports whose bits these blocks are the first to read and the outputs that lie in them.
void SlicedGrid::sweep_chunk(const Sweep& sweep, size_t t, ptrdiff_t begin, ptrdiff_t end) {
  const auto all = static_cast<ptrdiff_t>(blocks_);
  const bool head = begin <= 0;
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
  ports(sweep.drives_before(t), false);
  ports(sweep.drives_of(t), true);
  const auto colour = static_cast<size_t>((sweep.first + static_cast<int64_t>(t)) & 1);
  const uint32_t i = first_active_[colour][static_cast<size_t>(begin)], n = first_active_[colour][static_cast<size_t>(last)];
  step_blocks_(sweep.colours[colour], active_[colour].data() + i, n - i);
  const auto& samples = sweep.samples[t];
  auto it = std::partition_point(samples.begin(), samples.end(), [&](const Event* e) { return block_of(e->port) < begin; });
  for (; it != samples.end() && block_of((*it)->port) < last; ++it) (*it)->bit = sample((*it)->port);
}

void SlicedGrid::sweep_phases(Sweep& sweep, const RunParams& params) {
  const auto all = static_cast<ptrdiff_t>(blocks_), phases = static_cast<ptrdiff_t>(sweep.count);
  const ptrdiff_t steps = (all + (phases - 1) * sweep.lag + sweep.chunk - 1) / sweep.chunk;
  const auto work = [&](size_t thread, size_t threads, const auto& meet) {
    for (ptrdiff_t step = 0; step < steps; ++step) {
      for (size_t t = thread; t < sweep.count; t += threads) {
        const ptrdiff_t begin = step * sweep.chunk - static_cast<ptrdiff_t>(t) * sweep.lag;
        if (begin >= all) continue;
        if (begin + sweep.chunk <= 0) break;
        sweep_chunk(sweep, t, begin, begin + sweep.chunk);
      }
      meet();
    }
  };
  if (params.threads == 1) return work(0, 1, [] {});
  std::barrier barrier(static_cast<ptrdiff_t>(params.threads));
  const auto meet = [&] { barrier.arrive_and_wait(); };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < params.threads; ++i) threads.emplace_back([&, i] { work(i, params.threads, meet); });
  work(0, params.threads, meet);
  for (std::thread& thread : threads) thread.join();
}

void SlicedGrid::run(int64_t first, int64_t count, std::span<const Event> drives, std::span<Event> samples, const RunParams& wish) {
  RunParams params = wish;
  const double updates = static_cast<double>(count) * width_ * height_ / 2;
  if (params.threads == 0 || updates < kThreadUpdates) params.threads = 1;
  index_active();
  Sweep sweep;
  // A block's cells read places at most (R + 1) / 2 on.
  sweep.reach = static_cast<ptrdiff_t>((kBlockCells - 1 + (pitch_ + 1) / 2) / kBlockCells);
  sweep.chunk = static_cast<ptrdiff_t>(params.chunk_blocks != 0 ? params.chunk_blocks : 16);
  // Threads work on different phases at the same time: each must be a chunk further behind.
  sweep.lag = params.threads > 1 ? (1 + (sweep.reach + sweep.chunk - 1) / sweep.chunk) * sweep.chunk : sweep.reach;
  int64_t depth = params.sweep;
  if (depth == 0) {
    // A sweep spans depth * lag blocks of each colour.
    const size_t bytes = memory() / blocks_ + 1;
    depth = memory() < kCacheBytes && params.threads == 1 ? 1 : static_cast<int64_t>(kCacheBytes * params.threads / bytes) / sweep.lag;
    depth = std::clamp<int64_t>(depth, static_cast<int64_t>(params.threads), kMostPhases);
  }
  clear_driven();
  for (size_t colour = 0; colour < 2; ++colour) sweep.colours[colour] = phase_of(colour);
  auto drive = drives.begin();
  auto sampled = samples.begin();
  const auto place_of = [&](Port port) { return port / 64 % plane_stride_; };
  for (int64_t done = 0; done < count; done += static_cast<int64_t>(sweep.count)) {
    sweep.first = first + done;
    sweep.count = static_cast<size_t>(std::min(depth, count - done));
    sweep.drives.assign(sweep.count + 2, {});
    sweep.samples.assign(sweep.count, {});
    for (size_t t = 0; t < sweep.count; ++t) {
      const int64_t phase = sweep.first + static_cast<int64_t>(t);
      for (; drive != drives.end() && drive->phase <= phase; ++drive) {
        // A border cell of the other colour latches before or after, but not now.
        const bool read = drive->phase == phase && drive->port / 64 / plane_stride_ / 4 != static_cast<size_t>(phase & 1);
        if (read) sweep.drives[t + 2].push_back(drive->port);
      }
      for (; sampled != samples.end() && sampled->phase <= phase; ++sampled) sweep.samples[t].push_back(&*sampled);
      std::sort(sweep.drives[t + 2].begin(), sweep.drives[t + 2].end(), [&](Port a, Port b) { return place_of(a) < place_of(b); });
      std::sort(sweep.samples[t].begin(), sweep.samples[t].end(),
                [&](const Event* a, const Event* b) { return place_of(a->port) < place_of(b->port); });
    }
    sweep_phases(sweep, params);
    driven_.assign(sweep.drives[sweep.count].begin(), sweep.drives[sweep.count].end());
    driven_.insert(driven_.end(), sweep.drives[sweep.count + 1].begin(), sweep.drives[sweep.count + 1].end());
    clear_driven();
  }
}

}  // namespace bitgrid
