// The seeded generator of the netlist mapper (xoshiro256**, Blackman and Vigna 2018). It gives the same numbers on every platform.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "ir/index.h"

namespace bitgrid::mapping {

class Random {
 public:
  explicit Random(uint64_t seed) {
    for (uint64_t& s : state_) {  // splitmix64
      uint64_t z = seed += 0x9e3779b97f4a7c15u;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
      s = z ^ (z >> 31);
    }
  }

  uint64_t next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9, t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Returns 0 .. n - 1.
  uint32_t below(uint32_t n) { return id_of(((next() >> 32) * n) >> 32); }
  /// Returns 0 <= u < 1.
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace bitgrid::mapping
