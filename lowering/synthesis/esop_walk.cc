#include "lowering/synthesis/esop_walk.h"

#include <algorithm>
#include <array>
#include <bit>

namespace bitgrid::synthesis {
namespace {

constexpr size_t kNone = ~size_t{0};

class Walk {
 public:
  Walk(const TermList& start, uint32_t places, uint32_t values, std::mt19937_64& rng)
      : values_(values), absent_(absent_literals(places, values)), rng_(rng) {
    complement_ = start.complement;
    for (const Term& t : start.terms) add(t);
  }

  TermList run(int steps) {
    TermList best{terms_, complement_};
    for (int step = 0; step < steps && terms_.size() > 1; ++step) {
      try_pair();
      if (terms_.size() < best.terms.size()) best = {terms_, complement_};
    }
    return best;
  }

 private:
  uint64_t differing(const Term& a, const Term& b) const { return synthesis::differing(a.literals, b.literals, values_); }
  unsigned distance(const Term& a, const Term& b) const {
    return static_cast<unsigned>(std::popcount(differing(a, b))) + (a.outputs != b.outputs);
  }
  uint64_t place_mask(uint64_t bit) const { return bit * ((1u << values_) - 1); }

  // Replaces place `bit` (its first bit, or 0 for the outputs) of `t` by the exclusive or of both.
  Term combine(Term t, const Term& other, uint64_t bit) const {
    if (bit == 0)
      t.outputs ^= other.outputs;
    else
      t.literals ^= other.literals & place_mask(bit);
    return t;
  }

  Term take(Term t, const Term& other, uint64_t bit) const {
    if (bit == 0)
      t.outputs = other.outputs;
    else
      t.literals = (t.literals & ~place_mask(bit)) | (other.literals & place_mask(bit));
    return t;
  }

  void remove(size_t i) {
    terms_[i] = terms_.back();
    terms_.pop_back();
  }

  // A term at distance 0 or 1 other than `skip0` and `skip1`, or kNone.
  size_t partner(const Term& t, size_t skip0 = kNone, size_t skip1 = kNone) const {
    for (size_t i = 0; i < terms_.size(); ++i) {
      const uint64_t d = differing(t, terms_[i]);
      const bool near = d == 0 || ((d & (d - 1)) == 0 && t.outputs == terms_[i].outputs);
      if (near && i != skip0 && i != skip1) return i;
    }
    return kNone;
  }

  bool vanishes(const Term& t) const { return t.literals == absent_ || t.outputs == 0; }

  void add(Term t) {
    for (;;) {
      if (t.outputs == 0) return;
      if (t.literals == absent_) {
        complement_ ^= t.outputs;
        return;
      }
      const size_t i = partner(t);
      if (i == kNone) break;
      const uint64_t d = differing(t, terms_[i]);
      t = combine(t, terms_[i], d);
      remove(i);
    }
    terms_.push_back(t);
  }

  // A random term and a random other one at distance 2 or 3.
  void try_pair() {
    const size_t i = rng_() % terms_.size(), start = rng_() % terms_.size();
    const unsigned wanted = rng_() % 4 == 0 ? 3 : 2;
    for (size_t k = 0; k < terms_.size(); ++k) {
      const size_t j = start + k < terms_.size() ? start + k : start + k - terms_.size();
      if (i == j || distance(terms_[i], terms_[j]) != wanted) continue;
      exorlink(i, j, wanted);
      return;
    }
  }

  void exorlink(size_t i, size_t j, unsigned d) {
    const Term a = terms_[i], b = terms_[j];
    std::array<uint64_t, 3> place{};  // 0 = outputs
    unsigned n = 0;
    for (uint64_t rest = differing(a, b); rest; rest &= rest - 1) place[n++] = rest & (0 - rest);
    for (unsigned k = d; k > 1; --k) std::swap(place[k - 1], place[rng_() % k]);
    const unsigned ways = d == 2 ? 2 : 6;
    for (unsigned way = 0; way < ways; ++way) {
      const std::array<Term, 3> fresh = link(a, b, place, d);
      unsigned merged = 0;
      for (unsigned k = 0; k < d; ++k) merged += vanishes(fresh[k]) || partner(fresh[k], i, j) != kNone;
      const bool last = way + 1 == ways;
      // Without any merge a distance-2 move keeps the length: a step sideways, taken when no way gains.
      if (d - merged < 2 || (last && d - merged == 2)) {
        remove(std::max(i, j));
        remove(std::min(i, j));
        for (unsigned k = 0; k < d; ++k) add(fresh[k]);
        return;
      }
      next_way(place, way, d);
    }
  }

  // a + b = (a0+b0) a1 a2 + b0 (a1+b1) a2 + b0 b1 (a2+b2), places in the order given.
  std::array<Term, 3> link(const Term& a, const Term& b, const std::array<uint64_t, 3>& place, unsigned d) const {
    std::array<Term, 3> fresh{};
    Term running = a;
    for (unsigned k = 0; k < d; ++k) {
      fresh[k] = combine(running, b, place[k]);
      running = take(running, b, place[k]);
    }
    return fresh;
  }

  static void next_way(std::array<uint64_t, 3>& place, unsigned way, unsigned d) {
    if (d == 2)
      std::swap(place[0], place[1]);
    else
      std::swap(place[way % 2], place[way % 2 + 1]);
  }

  uint32_t values_;  // of a place
  uint64_t absent_;
  std::mt19937_64& rng_;
  std::vector<Term> terms_;
  uint64_t complement_ = 0;
};

}  // namespace

TermList walk_esop(const TermList& start, uint32_t places, uint32_t values, int steps, std::mt19937_64& rng) {
  return Walk(start, places, values, rng).run(steps);
}

}  // namespace bitgrid::synthesis
