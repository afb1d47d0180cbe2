#include "bitgrid_sim/lane_ops.h"

#include <array>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bitgrid::sim {
namespace {

// Vectors pass through references: those wider than the translation unit's target must not cross a call by value.

/// Function of two operands with the truth table T (bit a + 2b).
template <unsigned T, typename V>
[[gnu::always_inline]] inline void table2(V& out, const V& a, const V& b) {
  if constexpr (T == 0b0000) out = a ^ a;
  if constexpr (T == 0b1111) out = ~(a ^ a);
  if constexpr (T == 0b1010) out = a;
  if constexpr (T == 0b0101) out = ~a;
  if constexpr (T == 0b1100) out = b;
  if constexpr (T == 0b0011) out = ~b;
  if constexpr (T == 0b1000) out = a & b;
  if constexpr (T == 0b0111) out = ~(a & b);
  if constexpr (T == 0b1110) out = a | b;
  if constexpr (T == 0b0001) out = ~(a | b);
  if constexpr (T == 0b0110) out = a ^ b;
  if constexpr (T == 0b1001) out = ~(a ^ b);
  if constexpr (T == 0b0010) out = a & ~b;
  if constexpr (T == 0b1101) out = ~a | b;
  if constexpr (T == 0b0100) out = ~a & b;
  if constexpr (T == 0b1011) out = a | ~b;
}

/// Of three operands (bit a + 2b + 4c).
template <unsigned T, typename V>
[[gnu::always_inline]] inline void table3(V& out, const V& a, const V& b, const V& c) {
  constexpr unsigned low = T & 15u, high = T >> 4;
  V l, h;
  table2<low>(l, a, b);
  if constexpr (high == low) {
    out = l;
  } else if constexpr ((high ^ low) == 15u) {
    out = l ^ c;
  } else if constexpr (low == 0) {
    table2<high>(h, a, b);
    out = h & c;
  } else if constexpr (high == 15u) {
    out = l | c;
  } else {
    table2<(high ^ low)>(h, a, b);
    out = l ^ (h & c);
  }
}

template <typename V, size_t Words>
struct Plain {
  static constexpr size_t kVectors = Words * sizeof(uint64_t) / sizeof(V);
  [[gnu::always_inline]] static void load(V& v, const uint64_t* state, uint32_t net, size_t j) {
    std::memcpy(&v, state + size_t{net} * Words + j * (sizeof(V) / sizeof(uint64_t)), sizeof(V));
  }
  [[gnu::always_inline]] static void store(uint64_t* state, uint32_t net, size_t j, const V& v) {
    std::memcpy(state + size_t{net} * Words + j * (sizeof(V) / sizeof(uint64_t)), &v, sizeof(V));
  }
};

/// The body of every loop; `Table` applies a table of three operands.
template <uint32_t Op, typename V, size_t Words, typename Table>
[[gnu::always_inline]] inline void execute(uint64_t* state, const uint32_t* code, size_t count, const Table& table) {
  using P = Plain<V, Words>;
  for (; count > 0; --count, code += lane_op::words(Op)) {
    for (size_t j = 0; j < P::kVectors; ++j) {
      V out{}, a, b, c, x, t;
      if constexpr (Op == lane_op::kOnes) out = ~out;
      if constexpr (Op >= lane_op::kCopy) P::load(a, state, code[1], j);
      if constexpr (Op == lane_op::kCopy) out = a;
      if constexpr (Op == lane_op::kNot) out = ~a;
      if constexpr (Op >= lane_op::kTable2) P::load(b, state, code[2], j);
      if constexpr (Op >= lane_op::kTable2 && Op < lane_op::kTable3) table2<Op - lane_op::kTable2>(out, a, b);
      if constexpr (Op >= lane_op::kTable3) {
        P::load(c, state, code[3], j);
        table(out, a, b, c);
      }
      if constexpr (Op >= lane_op::kMux3) {
        P::load(x, state, code[4], j);
        P::load(t, state, code[5], j);
        out = (out & x) | (t & ~x);
      }
      P::store(state, code[0], j, out);
    }
  }
}

constexpr uint32_t table_of(uint32_t op) {
  return op >= lane_op::kMux3 ? op - lane_op::kMux3 : op >= lane_op::kTable3 ? op - lane_op::kTable3 : 0;
}

template <uint32_t Op>
struct ByTable {
  template <typename V>
  [[gnu::always_inline]] void operator()(V& out, const V& a, const V& b, const V& c) const {
    table3<table_of(Op)>(out, a, b, c);
  }
};

typedef uint64_t Vector128 __attribute__((vector_size(16)));

template <uint32_t Op>
void run_64(uint64_t* state, const uint32_t* code, size_t count) {
  execute<Op, uint64_t, 1>(state, code, count, ByTable<Op>());
}
template <uint32_t Op>
void run_portable(uint64_t* state, const uint32_t* code, size_t count) {
  execute<Op, Vector128, 8>(state, code, count, ByTable<Op>());
}

#if defined(__x86_64__)
typedef uint64_t Vector256 __attribute__((vector_size(32)));
typedef uint64_t Vector512 __attribute__((vector_size(64)));
template <uint32_t Op>
[[gnu::target("avx2")]] void run_avx2(uint64_t* state, const uint32_t* code, size_t count) {
  execute<Op, Vector256, 8>(state, code, count, ByTable<Op>());
}
/// Ternary logic does any table of three in one instruction; its index has the first operand as the highest bit.
template <uint32_t Op>
[[gnu::target("avx512f")]] void run_avx512(uint64_t* state, const uint32_t* code, size_t count) {
  for (; count > 0; --count, code += lane_op::words(Op)) {
    const auto at = [&](size_t k) { return state + size_t{code[k]} * 8; };
    __m512i out;
    if constexpr (Op < lane_op::kCopy) {
      out = _mm512_set1_epi64(Op == lane_op::kOnes ? -1 : 0);
    } else {
      const __m512i a = _mm512_load_si512(at(1));
      if constexpr (Op < lane_op::kTable2) {
        out = Op == lane_op::kCopy ? a : _mm512_ternarylogic_epi64(a, a, a, 0x0F);
      } else {
        const __m512i b = _mm512_load_si512(at(2));
        if constexpr (Op < lane_op::kTable3) {
          constexpr uint32_t t = Op - lane_op::kTable2;
          out = _mm512_ternarylogic_epi64(b, a, a, (t & 1) | (t & 2) << 2 | (t & 4) << 2 | (t & 8) << 4);
        } else {
          const __m512i c = _mm512_load_si512(at(3));
          out = _mm512_ternarylogic_epi64(c, b, a, table_of(Op));
          if constexpr (Op >= lane_op::kMux3) {
            out = _mm512_ternarylogic_epi64(_mm512_load_si512(at(4)), out, _mm512_load_si512(at(5)), 0xCA);
          }
        }
      }
    }
    _mm512_store_si512(at(0), out);
  }
}
#else
template <uint32_t Op>
constexpr LaneFunction run_avx2 = nullptr;
template <uint32_t Op>
constexpr LaneFunction run_avx512 = nullptr;
#endif

template <uint32_t Op>
constexpr bool occurs() {
  return Op < lane_op::kTable3 || canonical_table(static_cast<uint8_t>(table_of(Op))).table == table_of(Op);
}

struct Functions {
  std::array<LaneFunction, lane_op::kCount> narrow{}, portable{}, avx2{}, avx512{};
};

template <uint32_t Op>
void fill(Functions& f) {
  if constexpr (occurs<Op>()) {
    f.narrow[Op] = run_64<Op>;
    f.portable[Op] = run_portable<Op>;
    f.avx2[Op] = run_avx2<Op>;
    f.avx512[Op] = run_avx512<Op>;
  }
}

template <uint32_t... Op>
Functions make_functions(std::integer_sequence<uint32_t, Op...>) {
  Functions f;
  const int done[] = {(fill<Op>(f), 0)...};  // no fold expression: clang nests them no deeper than 256
  static_cast<void>(done);
  return f;
}

}  // namespace

const LaneFunction* lane_functions(SimdTarget target, size_t lane_words) {
  static const Functions functions = make_functions(std::make_integer_sequence<uint32_t, lane_op::kCount>());
  if (lane_words == 1) return functions.narrow.data();
  if (target == SimdTarget::kAvx512 || target == SimdTarget::kAvx512Vbmi2) return functions.avx512.data();
  return target == SimdTarget::kAvx2 ? functions.avx2.data() : functions.portable.data();
}

}  // namespace bitgrid::sim
