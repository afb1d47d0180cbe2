// The inner loops of SlicedGrid, written once and compiled for each instruction set. Included by the files that are compiled for one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "bitgrid_sim/sliced.h"

namespace bitgrid::sim {

/// Evaluates the blocks of a phase.
using StepBlocks = void(const SlicedGrid::Phase& phase, const SlicedGrid::Active* active, size_t count);
/// Uses AVX-512 and VBMI2, if compiled in.
StepBlocks step_vbmi2;

namespace {

// The planes of a side are in this order of their monomials: 1, the four inputs, products.
constexpr unsigned kMonomial[16] = {0, 1, 2, 4, 8, 3, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15};
constexpr unsigned kRank[16] = {0, 1, 2, 5, 3, 6, 7, 8, 4, 9, 10, 11, 12, 13, 14, 15};
constexpr unsigned kDense = 0xFFFF, kLinear = 0x001E;  // sets of ranks
/// Blocks with at least this many monomials are evaluated with all 16, because Horner's rule is faster then.
constexpr int kNearlyDense = 12;

// Results are returned through references, because vectors wider than the translation unit's target must not cross a call by value.
template <typename V>
[[gnu::always_inline]] inline void load(V& v, const uint64_t* p) {
  std::memcpy(&v, p, sizeof(V));
}

/// Reads words that start at bit `shift` of the words at p, with the compiler's vectors.
struct PlainShift {
  template <typename V>
  [[gnu::always_inline]] static void load(V& v, const uint64_t* p, unsigned shift) {
    V low, high;
    std::memcpy(&low, p, sizeof(V));
    std::memcpy(&high, p + 1, sizeof(V));
    v = (low >> shift) | ((high << 1) << (63 - shift));
  }
};

using Planes = const uint64_t (*)[SlicedGrid::kBlockWords];

/// Evaluates all 16 monomials by Horner's rule, input by input.
template <typename V>
[[gnu::always_inline]] inline void evaluate_dense(V& out, Planes c, size_t j, const V (&x)[4]) {
  V a[8];
#pragma GCC unroll 8
  for (size_t k = 0; k < 8; ++k) {
    V even, odd;
    load(even, &c[kRank[2 * k]][j]);
    load(odd, &c[kRank[2 * k + 1]][j]);
    a[k] = even ^ (odd & x[0]);
  }
#pragma GCC unroll 4
  for (size_t k = 0; k < 4; ++k) a[k] = a[2 * k] ^ (a[2 * k + 1] & x[1]);
  a[0] ^= a[1] & x[2];
  a[2] ^= a[3] & x[2];
  out = a[0] ^ (a[2] & x[3]);
}

/// Sums the inputs of a set, each where its plane says so, and advances `c`.
template <unsigned Inputs, typename V>
[[gnu::always_inline]] inline void add_inputs(V& out, Planes& c, size_t j, const V (&x)[4]) {
#pragma GCC unroll 4
  for (unsigned k = 0; k < 4; ++k) {
    if constexpr (Inputs == 0) break;
    if (!((Inputs >> k) & 1u)) continue;
    V coefficient;
    load(coefficient, &(*c++)[j]);
    out ^= coefficient & x[k];
  }
}

/// Does the same for the product of the inputs of a set.
template <unsigned Inputs, typename V>
[[gnu::always_inline]] inline void add_product(V& out, Planes& c, size_t j, const V (&x)[4]) {
  V product;
  load(product, &(*c++)[j]);
#pragma GCC unroll 4
  for (unsigned k = 0; k < 4; ++k) {
    if ((Inputs >> k) & 1u) product &= x[k];
  }
  out ^= product;
}

/// Sums all four inputs where their planes say so, for wires.
template <typename V>
[[gnu::always_inline]] inline void evaluate_linear(V& out, Planes c, size_t j, const V (&x)[4]) {
  add_inputs<15>(out, c, j, x);
}

/// Evaluates functions with few monomials. It branches on whole sets, because adjacent blocks mostly have the same.
template <typename V>
[[gnu::always_inline]] inline void evaluate_sparse(V& out, Planes c, size_t j, unsigned used, const V (&x)[4]) {
  if (used & 1u) load(out, &(*c++)[j]);
  switch ((used >> 1) & 15u) {
    case 1:
      add_inputs<1>(out, c, j, x);
      break;
    case 2:
      add_inputs<2>(out, c, j, x);
      break;
    case 3:
      add_inputs<3>(out, c, j, x);
      break;
    case 4:
      add_inputs<4>(out, c, j, x);
      break;
    case 5:
      add_inputs<5>(out, c, j, x);
      break;
    case 6:
      add_inputs<6>(out, c, j, x);
      break;
    case 7:
      add_inputs<7>(out, c, j, x);
      break;
    case 8:
      add_inputs<8>(out, c, j, x);
      break;
    case 9:
      add_inputs<9>(out, c, j, x);
      break;
    case 10:
      add_inputs<10>(out, c, j, x);
      break;
    case 11:
      add_inputs<11>(out, c, j, x);
      break;
    case 12:
      add_inputs<12>(out, c, j, x);
      break;
    case 13:
      add_inputs<13>(out, c, j, x);
      break;
    case 14:
      add_inputs<14>(out, c, j, x);
      break;
    case 15:
      add_inputs<15>(out, c, j, x);
      break;
    default:
      break;
  }
  for (unsigned products = used >> 5; products != 0; products &= products - 1) {
    switch (kMonomial[5 + __builtin_ctz(products)]) {
      case 3:
        add_product<3>(out, c, j, x);
        break;
      case 5:
        add_product<5>(out, c, j, x);
        break;
      case 6:
        add_product<6>(out, c, j, x);
        break;
      case 7:
        add_product<7>(out, c, j, x);
        break;
      case 9:
        add_product<9>(out, c, j, x);
        break;
      case 10:
        add_product<10>(out, c, j, x);
        break;
      case 11:
        add_product<11>(out, c, j, x);
        break;
      case 12:
        add_product<12>(out, c, j, x);
        break;
      case 13:
        add_product<13>(out, c, j, x);
        break;
      case 14:
        add_product<14>(out, c, j, x);
        break;
      default:
        add_product<15>(out, c, j, x);
        break;
    }
  }
}

template <typename V, typename Shift, bool OneStimulus>
[[gnu::always_inline]] inline void step_stimuli(const SlicedGrid::Phase& phase, const SlicedGrid::Active* active, size_t count) {
  for (; count > 0; --count, ++active) {
    for (size_t j = 0; j < SlicedGrid::kBlockWords; j += sizeof(V) / sizeof(uint64_t)) {
      for (size_t stimulus = 0; OneStimulus ? stimulus == 0 : stimulus < phase.end; stimulus += OneStimulus ? 1 : phase.stride) {
        const size_t word = stimulus + active->block * SlicedGrid::kBlockWords + j;
        auto planes = reinterpret_cast<Planes>(phase.pool + active->planes * SlicedGrid::kBlockWords);
        V x[4];
#pragma GCC unroll 4
        for (size_t side = 0; side < 4; ++side) Shift::load(x[side], phase.in[side] + word, phase.shift[side]);
#pragma GCC unroll 4
        for (size_t side = 0; side < 4; ++side) {
          V out{};
          const unsigned used = active->used[side];
          if (used == kDense) {
            evaluate_dense(out, planes, j, x);
          } else if (used == kLinear) {
            evaluate_linear(out, planes, j, x);
          } else {
            evaluate_sparse(out, planes, j, used, x);
          }
          planes += __builtin_popcount(used);
          std::memcpy(phase.out[side] + word, &out, sizeof(V));
        }
      }
    }
  }
}

template <typename V, typename Shift>
[[gnu::always_inline]] inline void step_blocks(const SlicedGrid::Phase& phase, const SlicedGrid::Active* active, size_t count) {
  if (phase.end == phase.stride) {
    step_stimuli<V, Shift, true>(phase, active, count);
  } else {
    step_stimuli<V, Shift, false>(phase, active, count);
  }
}

}  // namespace
}  // namespace bitgrid::sim
