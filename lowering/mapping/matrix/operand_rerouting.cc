#include "lowering/mapping/matrix/operand_rerouting.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

namespace bitgrid::mapping {
namespace {

constexpr int kRounds = 12;

bool comes_straight(const Fabric& fabric, const WordStretch& s) {
  for (int y = 0; y < s.top; ++y) {
    if (!fabric.free(s.x, y, Side::S)) return false;
  }
  return fabric.port_free(Side::N, s.x);
}

/// A word on its way to a stretch.
struct WordWay {
  FabricWire wire;
  Side from = Side::N;  // where it enters the stretch
};

void lay_word(LayoutAttempt& attempt, WordStretch& s, const WordWay& way) {
  Fabric& fabric = attempt.fabric;
  attempt.plan.words.emplace_back(attempt.form.columns[index_of(s.column)], attempt.lay_feed(way.wire, s.x + s.top + 2 * s.late));
  s.from = way.from;
  const auto take = [&](const FabricEdge& e) {
    fabric.release(e);
    fabric.take(e);
  };
  for (int y = s.top; y < s.bottom; ++y) take({s.x, y, Side::S});
  for (const WordStretch::Tap& tap : s.taps) take({s.x, tap.y, Side::W});
}

/// Ways for all stretches, in their order, each kept free of the others. Returns those that found none; `ways` of the others are set.
std::vector<size_t> find_ways(Fabric& fabric, const std::vector<WordStretch*>& stretches, const std::vector<size_t>& order,
                              std::vector<std::optional<WordWay>>& ways) {
  std::vector<size_t> failed;
  for (const size_t i : order) {
    WordWay way;
    auto wire = fabric.find_feed(stretches[i]->x, stretches[i]->top, &way.from);
    if (!wire) {
      failed.push_back(i);
      continue;
    }
    way.wire = std::move(*wire);
    fabric.reserve_wire(way.wire);
    fabric.take_port(way.wire, 0);
    ways[i] = std::move(way);
  }
  return failed;
}

void release_ways(Fabric& fabric, const std::vector<std::optional<WordWay>>& ways) {
  for (const auto& way : ways) {
    if (!way) continue;
    fabric.release_wire(way->wire);
    fabric.release_port(way->wire);
  }
}

/// Words that come on ways of their own: those that found none go first the next time.
bool feed_anew(LayoutAttempt& attempt, const std::vector<WordStretch*>& stretches) {
  Fabric& fabric = attempt.fabric;
  std::vector<size_t> order(stretches.size()), failed;
  std::iota(order.begin(), order.end(), size_t{0});
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::optional<WordWay>> ways(stretches.size());
    const std::vector<size_t> now = find_ways(fabric, stretches, order, ways);
    release_ways(fabric, ways);
    if (now.empty()) {
      for (size_t i = 0; i < stretches.size(); ++i) lay_word(attempt, *stretches[i], *ways[i]);
      return true;
    }
    if (round == 0) {
      // Some find none even where there is no other.
      for (const size_t i : now) {
        Side from;
        if (!fabric.find_feed(stretches[i]->x, stretches[i]->top, &from)) failed.push_back(i);
      }
      if (!failed.empty()) break;
    }
    if (round == 0 || now.size() < failed.size()) failed = now;
    std::stable_partition(order.begin(), order.end(), [&](size_t i) { return std::find(now.begin(), now.end(), i) != now.end(); });
  }
  for (const size_t i : failed) {
    const WordStretch& s = *stretches[i];
    attempt.next.no_words.insert(s.x);
    attempt.fail(fmt::format("the word of column {} does not reach rows {} .. {} of cells at x = {}", s.column, s.top, s.bottom, s.x),
                 true);
  }
  return false;
}

}  // namespace

bool feed_words(LayoutAttempt& attempt) {
  // Plain ways from the north first: they take nothing that another would miss.
  std::vector<WordStretch*> others;
  for (WordStretch& s : attempt.plan.stretches) {
    if (comes_straight(attempt.fabric, s))
      lay_word(attempt, s, {{s.x, 0, Side::N, std::string(index_of(s.top), 'S')}, Side::N});
    else
      others.push_back(&s);
  }
  return feed_anew(attempt, others);
}

}  // namespace bitgrid::mapping
