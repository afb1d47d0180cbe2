#include "bitgrid_sim/sliced.h"

#include <algorithm>
#include <cstring>

#include "ir/error.h"

namespace bitgrid {
namespace {

// Coefficient planes: constant and linear terms first, so that a linear output reads neighbouring cache lines. Bit k of a monomial stands
// for input k (N, E, S, W).
constexpr std::array<uint8_t, 16> kOrder = {0, 1, 2, 4, 8, 3, 5, 6, 9, 10, 12, 7, 11, 13, 14, 15};
constexpr std::array<uint8_t, 16> kRank = [] {
  std::array<uint8_t, 16> rank{};
  for (uint8_t k = 0; k < 16; ++k) rank[kOrder[k]] = k;
  return rank;
}();
constexpr uint64_t kLinearTerms = 0x0000'000F'000F'0FFF;  // nibbles 0, 1, 2, 4, 8
constexpr uint64_t kOneSide = 0x1111'1111'1111'1111;

/// Möbius transform: nibble m of the result holds the coefficients (N, E, S, W outputs) of monomial m. Linear over GF(2).
CellWord polynomial(CellWord word) {
  word ^= (word & 0x0F0F'0F0F'0F0F'0F0F) << 4;
  word ^= (word & 0x00FF'00FF'00FF'00FF) << 8;
  word ^= (word & 0x0000'FFFF'0000'FFFF) << 16;
  return word ^ (word << 32);
}

SlicedGrid::Degree degree_of(uint64_t coefficients, size_t side) {
  const uint64_t used = (coefficients >> side) & kOneSide;
  if (used == 0) return SlicedGrid::kZero;
  return (used & ~kLinearTerms) == 0 ? SlicedGrid::kLinear : SlicedGrid::kFull;
}

// Results through references: vectors wider than the translation unit's target must not cross a call by value.
template <typename V>
[[gnu::always_inline]] inline void load(V& v, const uint64_t* p) {
  std::memcpy(&v, p, sizeof(V));
}

template <typename V>
[[gnu::always_inline]] inline void load_shifted(V& v, const uint64_t* p, unsigned shift) {
  V low, high;
  load(low, p);
  load(high, p + 1);
  v = (low >> shift) | ((high << 1) << (63 - shift));
}

/// a ^ (b & x) for a polynomial a + b * x.
template <typename V>
[[gnu::always_inline]] inline void horner(V& result, const uint64_t (*c)[SlicedGrid::kBlockWords], size_t j, size_t a, size_t b,
                                          const V& x) {
  V va, vb;
  load(va, &c[kRank[a]][j]);
  load(vb, &c[kRank[b]][j]);
  result = va ^ (vb & x);
}

template <typename V>
[[gnu::always_inline]] inline void evaluate_linear(V& out, const uint64_t (*c)[SlicedGrid::kBlockWords], size_t j, const V (&x)[4]) {
  load(out, &c[kRank[0]][j]);
  for (size_t k = 0; k < 4; ++k) {
    V coefficient;
    load(coefficient, &c[kRank[size_t{1} << k]][j]);
    out ^= coefficient & x[k];
  }
}

template <typename V>
[[gnu::always_inline]] inline void evaluate_full(V& out, const uint64_t (*c)[SlicedGrid::kBlockWords], size_t j, const V (&x)[4]) {
  V a[8];
#pragma GCC unroll 8
  for (size_t k = 0; k < 8; ++k) horner(a[k], c, j, 2 * k, 2 * k + 1, x[0]);
#pragma GCC unroll 4
  for (size_t k = 0; k < 4; ++k) a[k] = a[2 * k] ^ (a[2 * k + 1] & x[1]);
  a[0] ^= a[1] & x[2];
  a[2] ^= a[3] & x[2];
  out = a[0] ^ (a[2] & x[3]);
}

template <typename V>
[[gnu::always_inline]] inline void step_blocks(const SlicedGrid::Phase& phase) {
  for (size_t i = 0; i < phase.count; ++i) {
    const SlicedGrid::Active& active = phase.active[i];
    const auto& planes = phase.blocks[active.block].planes;
    for (size_t j = 0; j < SlicedGrid::kBlockWords; j += sizeof(V) / sizeof(uint64_t)) {
      const size_t word = active.block * SlicedGrid::kBlockWords + j;
      V x[4];
#pragma GCC unroll 4
      for (size_t side = 0; side < 4; ++side) load_shifted(x[side], phase.in[side] + word, phase.shift[side]);
#pragma GCC unroll 4
      for (size_t side = 0; side < 4; ++side) {
        V out{};
        if (active.degree[side] == SlicedGrid::kFull) {
          evaluate_full(out, planes[side], j, x);
        } else if (active.degree[side] == SlicedGrid::kLinear) {
          evaluate_linear(out, planes[side], j, x);
        }
        std::memcpy(phase.out[side] + word, &out, sizeof(V));
      }
    }
  }
}

typedef uint64_t Vector128 __attribute__((vector_size(16)));
void step_portable(const SlicedGrid::Phase& phase) {
  step_blocks<Vector128>(phase);
}

#if defined(__x86_64__)
typedef uint64_t Vector256 __attribute__((vector_size(32)));
typedef uint64_t Vector512 __attribute__((vector_size(64)));
[[gnu::target("avx2")]] void step_avx2(const SlicedGrid::Phase& phase) {
  step_blocks<Vector256>(phase);
}
[[gnu::target("avx512f")]] void step_avx512(const SlicedGrid::Phase& phase) {
  step_blocks<Vector512>(phase);
}
#else
constexpr auto step_avx2 = step_portable, step_avx512 = step_portable;
#endif

}  // namespace

SlicedGrid::SlicedGrid(const GridConfig& config, SimdTarget target)
    : width_(config.width), height_(config.height), cells_(config.cells), target_(resolve_target(target)) {
  step_blocks_ = target_ == SimdTarget::kAvx512 ? step_avx512 : target_ == SimdTarget::kAvx2 ? step_avx2 : step_portable;
  pitch_ = (static_cast<size_t>(width_) + 1) | 1u;
  blocks_ = (pitch_ * (static_cast<size_t>(height_) + 2) / 2 + 1 + kBlockCells - 1) / kBlockCells;
  margin_ = ((pitch_ / 128 + 2) / kBlockWords + 1) * kBlockWords;
  plane_stride_ = blocks_ * kBlockWords + 2 * margin_;
  planes_.resize(8 * plane_stride_);
  for (size_t colour = 0; colour < 2; ++colour) {
    polynomials_[colour].resize(blocks_);
    used_[colour].resize(blocks_);
  }
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) {
      const CellWord word = cell(x, y);
      if (word == 0) continue;
      const Place p = place(x, y);
      used_[p.colour][p.index / kBlockCells] |= polynomial(word);
      toggle_polynomials(p, word);
    }
  }
  for (size_t colour = 0; colour < 2; ++colour) {
    for (size_t block = 0; block < blocks_; ++block) note_coefficients(colour, block, used_[colour][block]);
  }
}

SlicedGrid::Place SlicedGrid::place(int x, int y) const {
  const size_t line = static_cast<size_t>(y + 1) * pitch_ + static_cast<size_t>(x + 1);
  return {line % 2, line / 2};
}

SlicedGrid::Port SlicedGrid::input_port(Side side, int position) const {
  const CellPosition cell = border_cell(side, position, width_, height_);
  return bit_of(place(cell.x + dx(side), cell.y + dy(side)), opposite(side));
}

SlicedGrid::Port SlicedGrid::output_port(Side side, int position) const {
  const CellPosition cell = border_cell(side, position, width_, height_);
  return bit_of(place(cell.x, cell.y), side);
}

void SlicedGrid::step(int phase) {
  const size_t colour = static_cast<size_t>(phase & 1);
  // A cell at place L = 2 * index + colour of the line reads L - R, L + 1, L + R, L - 1: these are their places in the other colour's
  // planes.
  const auto pitch = static_cast<ptrdiff_t>(pitch_), odd = static_cast<ptrdiff_t>(colour);
  const ptrdiff_t offsets[4] = {-(pitch + 1) / 2 + odd, odd, (pitch - 1) / 2 + odd, odd - 1};
  Phase p;
  p.active = active_[colour].data();
  p.count = active_[colour].size();
  p.blocks = polynomials_[colour].data();
  for (const Side side : kSides) {
    const auto s = static_cast<size_t>(side);
    const ptrdiff_t words = (offsets[s] + 64 * static_cast<ptrdiff_t>(margin_)) / 64 - static_cast<ptrdiff_t>(margin_);  // rounds down
    p.in[s] = planes_.data() + (static_cast<ptrdiff_t>(plane_word(1 - colour, static_cast<size_t>(opposite(side)))) + words);
    p.shift[s] = static_cast<unsigned>(offsets[s] - 64 * words);
    p.out[s] = planes_.data() + plane_word(colour, s);
  }
  step_blocks_(p);
  for (const Port port : driven_) planes_[port / 64] &= ~(uint64_t{1} << (port % 64));
  driven_.clear();
}

void SlicedGrid::set_cell(int x, int y, CellWord word) {
  const CellWord difference = cell(x, y) ^ word;
  if (difference == 0) return;
  cells_[config_index(x, y)] = word;
  const Place p = place(x, y);
  toggle_polynomials(p, difference);
  note_coefficients(p.colour, p.index / kBlockCells, polynomial(word));
}

void SlicedGrid::toggle_polynomials(const Place& p, CellWord difference) {
  Block& block = polynomials_[p.colour][p.index / kBlockCells];
  const size_t word = p.index % kBlockCells / 64;
  const uint64_t bit = uint64_t{1} << (p.index % 64);
  for (uint64_t rest = polynomial(difference); rest != 0; rest &= rest - 1) {
    const auto k = static_cast<size_t>(__builtin_ctzll(rest));
    block.planes[k % 4][kRank[k / 4]][word] ^= bit;
  }
}

SlicedGrid::Active& SlicedGrid::activate(size_t colour, size_t block) {
  auto& active = active_[colour];
  auto it = std::lower_bound(active.begin(), active.end(), block, [](const Active& a, size_t b) { return a.block < b; });
  if (it == active.end() || it->block != block) it = active.insert(it, Active{static_cast<uint32_t>(block), {}});
  return *it;
}

void SlicedGrid::note_coefficients(size_t colour, size_t block, uint64_t coefficients) {
  if (coefficients == 0) return;
  // Only ever grows: a block that was active once must still latch zeros after its cells have become idle.
  const uint64_t used = used_[colour][block] |= coefficients;
  Active& active = activate(colour, block);
  for (size_t side = 0; side < 4; ++side) active.degree[side] = degree_of(used, side);
}

GridState SlicedGrid::state() const {
  GridState state(width_, height_);
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) {
      const Place p = place(x, y);
      unsigned outputs = 0;
      for (const Side side : kSides) outputs |= static_cast<unsigned>(sample(bit_of(p, side))) << static_cast<unsigned>(side);
      state.outputs[state.index(x, y)] = static_cast<uint8_t>(outputs);
    }
  }
  return state;
}

void SlicedGrid::set_state(const GridState& state) {
  if (state.width != width_ || state.height != height_)
    throw Error("bit-sliced simulator", "the state is of another grid", "use the same size");
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) {
      const Place p = place(x, y);
      for (const Side side : kSides) {
        const Port port = bit_of(p, side);
        const uint64_t mask = uint64_t{1} << (port % 64);
        uint64_t& word = planes_[port / 64];
        word = state.output(x, y, side) ? word | mask : word & ~mask;
      }
      // An idle block is never evaluated: it would keep what is set here.
      if (state.outputs[state.index(x, y)] != 0) activate(p.colour, p.index / kBlockCells);
    }
  }
}

std::string SlicedGrid::target() const {
  return to_string(target_);
}

}  // namespace bitgrid
