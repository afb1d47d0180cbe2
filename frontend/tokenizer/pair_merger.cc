#include "frontend/tokenizer/pair_merger.h"

#include <algorithm>
#include <array>
#include <functional>
#include <queue>

namespace bitgrid::frontend {
namespace {

constexpr size_t kShort = 24;
constexpr uint32_t kNone = UINT32_MAX;

uint64_t key_of(int left, int right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}

}  // namespace

void PairMerger::add(int left, int right, uint32_t rank, int merged) {
  const auto [it, added] = merges_.try_emplace(key_of(left, right), Merge{rank, merged});
  if (!added && rank < it->second.rank) it->second = {rank, merged};
}

const PairMerger::Merge* PairMerger::find(int left, int right) const {
  if (left < 0 || right < 0) return nullptr;
  const auto it = merges_.find(key_of(left, right));
  return it == merges_.end() ? nullptr : &it->second;
}

void PairMerger::merge(std::vector<int>& symbols) const {
  if (symbols.size() <= kShort) {
    merge_short(symbols);
  } else {
    merge_long(symbols);
  }
}

// Words are short as a rule: looking at all pairs again is quicker than a queue.
void PairMerger::merge_short(std::vector<int>& symbols) const {
  std::array<const Merge*, kShort> pairs{};
  for (size_t i = 0; i + 1 < symbols.size(); ++i) pairs[i] = find(symbols[i], symbols[i + 1]);
  while (symbols.size() > 1) {
    size_t best = kShort;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      if (pairs[i] && (best == kShort || pairs[i]->rank < pairs[best]->rank)) best = i;
    }
    if (best == kShort) return;
    symbols[best] = pairs[best]->merged;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    const size_t left = symbols.size() - 1;  // pairs that are left
    for (size_t i = best + 1; i < left; ++i) pairs[i] = pairs[i + 1];
    if (best > 0) pairs[best - 1] = find(symbols[best - 1], symbols[best]);
    if (best < left) pairs[best] = find(symbols[best], symbols[best + 1]);
  }
}

void PairMerger::merge_long(std::vector<int>& symbols) const {
  struct Link {
    uint32_t before, after;
  };
  const auto n = static_cast<uint32_t>(symbols.size());
  std::vector<Link> links(n);
  std::vector<bool> gone(n, false);
  for (uint32_t i = 0; i < n; ++i) links[i] = {i == 0 ? kNone : i - 1, i + 1 == n ? kNone : i + 1};

  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto push = [&](uint32_t left) {
    if (left == kNone || links[left].after == kNone) return;
    if (const Merge* m = find(symbols[left], symbols[links[left].after])) queue.push({m->rank, left, m->merged});
  };
  for (uint32_t i = 0; i + 1 < n; ++i) push(i);
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    if (gone[top.left] || links[top.left].after == kNone) continue;
    const uint32_t right = links[top.left].after;
    const Merge* m = find(symbols[top.left], symbols[right]);
    if (!m || m->merged != top.merged || m->rank != top.rank) continue;  // one of the two has been merged since
    symbols[top.left] = top.merged;
    gone[right] = true;
    links[top.left].after = links[right].after;
    if (links[right].after != kNone) links[links[right].after].before = top.left;
    push(links[top.left].before);
    push(top.left);
  }
  size_t kept = 0;
  for (uint32_t i = 0; i < n; ++i) {
    if (!gone[i]) symbols[kept++] = symbols[i];
  }
  symbols.resize(kept);
}

}  // namespace bitgrid::frontend
