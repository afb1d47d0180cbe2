#include "bitgrid_sim/sliced.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "bitgrid_sim/sliced_blocks.h"
#include "ir/dag_eval.h"
#include "ir/error.h"

namespace bitgrid::sim {
namespace {

/// Möbius transform: nibble m of the result holds the coefficients (N, E, S, W outputs) of monomial m (bit k of m: input k is a
/// factor, N, E, S, W). Linear over GF(2), and its own inverse.
CellWord polynomial(CellWord word) {
  word ^= (word & 0x0F0F'0F0F'0F0F'0F0F) << 4;
  word ^= (word & 0x00FF'00FF'00FF'00FF) << 8;
  word ^= (word & 0x0000'FFFF'0000'FFFF) << 16;
  return word ^ (word << 32);
}

typedef uint64_t Vector128 __attribute__((vector_size(16)));
void step_portable(const SlicedGrid::Phase& phase, const SlicedGrid::Active* active, size_t count) {
  step_blocks<Vector128, PlainShift>(phase, active, count);
}

#if defined(__x86_64__)
typedef uint64_t Vector256 __attribute__((vector_size(32)));
typedef uint64_t Vector512 __attribute__((vector_size(64)));
[[gnu::target("avx2")]] void step_avx2(const SlicedGrid::Phase& phase, const SlicedGrid::Active* active, size_t count) {
  step_blocks<Vector256, PlainShift>(phase, active, count);
}
[[gnu::target("avx512f")]] void step_avx512(const SlicedGrid::Phase& phase, const SlicedGrid::Active* active, size_t count) {
  step_blocks<Vector512, PlainShift>(phase, active, count);
}
#else
constexpr auto step_avx2 = step_portable, step_avx512 = step_portable, step_vbmi2 = step_portable;
#endif

StepBlocks* blocks_of(SimdTarget target) {
  switch (target) {
    case SimdTarget::kAvx512Vbmi2:
      return step_vbmi2;
    case SimdTarget::kAvx512:
      return step_avx512;
    case SimdTarget::kAvx2:
      return step_avx2;
    default:
      return step_portable;
  }
}

}  // namespace

SlicedGrid::SlicedGrid(const GridConfig& config, SimdTarget target)
    : SlicedGrid(
          config.width, config.height,
          [&](int y, std::span<CellWord> row) {
            std::copy_n(config.cells.begin() + static_cast<ptrdiff_t>(config.index(0, y)), row.size(), row.begin());
          },
          target) {}

SlicedGrid::SlicedGrid(const frontend::GridSource& source, SimdTarget target)
    : SlicedGrid(source.width, source.height, source.row, target) {}

SlicedGrid::SlicedGrid(int width, int height, const RowSource& rows, SimdTarget target, size_t stimuli)
    : width_(width), height_(height), stimuli_(stimuli), target_(resolve_target(target)) {
  step_blocks_ = blocks_of(target_);
  pitch_ = (static_cast<size_t>(width_) + 1) | 1u;
  blocks_ = (pitch_ * (static_cast<size_t>(height_) + 2) / 2 + 1 + kBlockCells - 1) / kBlockCells;
  margin_ = ((pitch_ / 128 + 2) / kBlockWords + 1) * kBlockWords;
  plane_stride_ = blocks_ * kBlockWords + 2 * margin_;
  planes_.resize(8 * plane_stride_ * stimuli_);
  build(rows);
}

/// The polynomials of a block while its rows come in.
struct SlicedGrid::Columns {
  size_t block = ~size_t{0};
  uint64_t used = 0;
  uint64_t words[kBlockCells] = {};
};

/// Rows go along the line, so that blocks are finished one after the other, of each colour.
void SlicedGrid::build(const RowSource& rows) {
  pool_.reserve(64 * kBlockWords * 2 * blocks_);
  const auto current = std::make_unique<Columns[]>(2);
  std::vector<CellWord> row(static_cast<size_t>(width_));
  for (int y = 0; y < height_; ++y) {
    rows(y, row);
    for (int x = 0; x < width_; ++x) {
      const CellWord word = row[static_cast<size_t>(x)];
      if (word == 0) continue;
      const Place p = place(x, y);
      Columns& c = current[p.colour];
      if (c.block != p.index / kBlockCells) {
        finish_block(p.colour, c);
        c.block = p.index / kBlockCells;
      }
      c.used |= c.words[p.index % kBlockCells] = polynomial(word);
    }
  }
  for (size_t colour = 0; colour < 2; ++colour) finish_block(colour, current[colour]);
}

void SlicedGrid::finish_block(size_t colour, Columns& cells) {
  if (cells.used == 0) return;
  active_[colour].push_back({static_cast<uint32_t>(cells.block), {}, 0});
  Active& active = active_[colour].back();
  add_planes(active, cells.used);
  for (size_t w = 0; w < kBlockWords; ++w) {
    uint64_t* square = cells.words + 64 * w;
    transpose64(square);
    for (uint64_t rest = cells.used; rest != 0; rest &= rest - 1) {
      const auto k = static_cast<size_t>(__builtin_ctzll(rest));
      plane(plane_of(active, k % 4, k / 4))[w] = square[k];
    }
  }
  cells.used = 0;
  std::fill(std::begin(cells.words), std::end(cells.words), 0);
}

SlicedGrid::Place SlicedGrid::place(int x, int y) const {
  const size_t line = static_cast<size_t>(y + 1) * pitch_ + static_cast<size_t>(x + 1);
  return {line % 2, line / 2};
}

SlicedGrid::Port SlicedGrid::input_port(Side side, int position, size_t stimulus) const {
  const CellPosition cell = border_cell(side, position, width_, height_);
  return bit_of(place(cell.x + dx(side), cell.y + dy(side)), opposite(side), stimulus);
}

SlicedGrid::Port SlicedGrid::output_port(Side side, int position, size_t stimulus) const {
  const CellPosition cell = border_cell(side, position, width_, height_);
  return bit_of(place(cell.x, cell.y), side, stimulus);
}

SlicedGrid::Phase SlicedGrid::phase_of(size_t colour) {
  // A cell at place L = 2 * index + colour of the line reads L - R, L + 1, L + R, L - 1: these are their places in the other colour's
  // planes.
  const auto pitch = static_cast<ptrdiff_t>(pitch_), odd = static_cast<ptrdiff_t>(colour);
  const ptrdiff_t offsets[4] = {-(pitch + 1) / 2 + odd, odd, (pitch - 1) / 2 + odd, odd - 1};
  Phase p;
  p.pool = pool_.data();
  p.stride = 8 * plane_stride_;
  p.end = stimuli_ * p.stride;
  for (const Side side : kSides) {
    const auto s = static_cast<size_t>(side);
    const ptrdiff_t words = (offsets[s] + 64 * static_cast<ptrdiff_t>(margin_)) / 64 - static_cast<ptrdiff_t>(margin_);  // rounds down
    p.in[s] = planes_.data() + (static_cast<ptrdiff_t>(plane_word(1 - colour, static_cast<size_t>(opposite(side)))) + words);
    p.shift[s] = static_cast<unsigned>(offsets[s] - 64 * words);
    p.out[s] = planes_.data() + plane_word(colour, s);
  }
  return p;
}

void SlicedGrid::step(int phase) {
  const auto colour = static_cast<size_t>(phase & 1);
  step_blocks_(phase_of(colour), active_[colour].data(), active_[colour].size());
  clear_driven();
}

void SlicedGrid::clear_driven() {
  for (const Port port : driven_) planes_[port / 64] &= ~(uint64_t{1} << (port % 64));
  driven_.clear();
}

CellWord SlicedGrid::cell(int x, int y) const {
  const Place p = place(x, y);
  const Active* active = find_active(p.colour, p.index / kBlockCells);
  if (!active) return 0;
  uint64_t coefficients = 0;
  for (size_t k = 0; k < 64; ++k) {
    if (!has_plane(*active, k % 4, k / 4)) continue;
    const uint64_t word = pool_.data()[plane_of(*active, k % 4, k / 4) * kBlockWords + p.index % kBlockCells / 64];
    coefficients |= ((word >> (p.index % 64)) & 1u) << k;
  }
  return polynomial(coefficients);
}

void SlicedGrid::set_cell(int x, int y, CellWord word) {
  const CellWord difference = cell(x, y) ^ word;
  if (difference == 0) return;
  const Place p = place(x, y);
  Active& active = activate(p.colour, p.index / kBlockCells);
  // A block only ever gains planes: one that was active once must still latch zeros after its cells have become idle.
  add_planes(active, polynomial(word));
  const uint64_t bit = uint64_t{1} << (p.index % 64);
  for (uint64_t rest = polynomial(difference); rest != 0; rest &= rest - 1) {
    const auto k = static_cast<size_t>(__builtin_ctzll(rest));
    plane(plane_of(active, k % 4, k / 4))[p.index % kBlockCells / 64] ^= bit;
  }
}

size_t SlicedGrid::plane_of(const Active& active, size_t side, size_t monomial) {
  size_t plane = active.planes;
  for (size_t s = 0; s < side; ++s) plane += static_cast<size_t>(__builtin_popcount(active.used[s]));
  return plane + static_cast<size_t>(__builtin_popcount(active.used[side] & ((1u << kRank[monomial]) - 1)));
}

bool SlicedGrid::has_plane(const Active& active, size_t side, size_t monomial) {
  return (active.used[side] >> kRank[monomial]) & 1u;
}

/// Gives a block planes for further monomials, behind all others where it has some already.
void SlicedGrid::add_planes(Active& active, uint64_t coefficients) {
  Active grown = active;
  for (size_t k = 0; k < 64; ++k) {
    if ((coefficients >> k) & 1u) grown.used[k % 4] = static_cast<uint16_t>(grown.used[k % 4] | 1u << kRank[k / 4]);
  }
  for (uint16_t& used : grown.used) {
    if (__builtin_popcount(used) >= kNearlyDense) used = kDense;
  }
  size_t before = 0, after = 0;
  for (size_t side = 0; side < 4; ++side) {
    before += static_cast<size_t>(__builtin_popcount(active.used[side]));
    after += static_cast<size_t>(__builtin_popcount(grown.used[side]));
  }
  if (before == after) return;
  grown.planes = pool_.size() / kBlockWords;
  pool_.resize(pool_.size() + after * kBlockWords);
  for (size_t side = 0; side < 4; ++side) {
    for (size_t m = 0; m < 16; ++m) {
      if (!has_plane(active, side, m)) continue;
      std::memcpy(plane(plane_of(grown, side, m)), plane(plane_of(active, side, m)), sizeof(uint64_t) * kBlockWords);
    }
  }
  unused_planes_ += before;
  active = grown;
}

SlicedGrid::Active* SlicedGrid::find_active(size_t colour, size_t block) {
  auto& active = active_[colour];
  const auto it = std::lower_bound(active.begin(), active.end(), block, [](const Active& a, size_t b) { return a.block < b; });
  return it == active.end() || it->block != block ? nullptr : &*it;
}

const SlicedGrid::Active* SlicedGrid::find_active(size_t colour, size_t block) const {
  return const_cast<SlicedGrid*>(this)->find_active(colour, block);
}

SlicedGrid::Active& SlicedGrid::activate(size_t colour, size_t block) {
  if (Active* found = find_active(colour, block)) return *found;
  auto& active = active_[colour];
  const auto it = std::lower_bound(active.begin(), active.end(), block, [](const Active& a, size_t b) { return a.block < b; });
  first_active_[colour].clear();
  return *active.insert(it, Active{static_cast<uint32_t>(block), {}, 0});
}

void SlicedGrid::set_output(int x, int y, Side side, bool value, size_t stimulus) {
  const Place p = place(x, y);
  const Port port = bit_of(p, side, stimulus);
  const uint64_t mask = uint64_t{1} << (port % 64);
  planes_[port / 64] = value ? planes_[port / 64] | mask : planes_[port / 64] & ~mask;
  // An idle block is never evaluated: it would keep what is set here.
  if (value) activate(p.colour, p.index / kBlockCells);
}

void SlicedGrid::row_latches(int y, uint64_t* words) const {
  for (int x = 0; x < 2; ++x) {
    // Every second cell of the row: neighbours in the planes of one colour.
    const size_t cells = static_cast<size_t>(width_ + 1 - x) / 2, stride = row_words(width_) / 8;
    const Place p = place(x, y);
    for (size_t side = 0; side < 4; ++side, words += stride) {
      const size_t first = plane_word(p.colour, side) * 64 + p.index;
      for (size_t w = 0; w < stride; ++w) {
        const size_t bits = 64 * w < cells ? std::min<size_t>(64, cells - 64 * w) : 0;
        if (bits == 0) {
          words[w] = 0;
          continue;
        }
        const size_t at = first + 64 * w, shift = at % 64;
        uint64_t value = planes_[at / 64] >> shift;
        if (shift != 0) value |= planes_[at / 64 + 1] << (64 - shift);
        words[w] = bits == 64 ? value : value & ((uint64_t{1} << bits) - 1);
      }
    }
  }
}

void SlicedGrid::set_row(int y, const uint64_t* words) {
  for (int x = 0; x < 2; ++x) {
    const size_t cells = static_cast<size_t>(width_ + 1 - x) / 2, stride = row_words(width_) / 8;
    const Place p = place(x, y);
    for (size_t side = 0; side < 4; ++side, words += stride) {
      const size_t first = plane_word(p.colour, side) * 64 + p.index;
      for (size_t w = 0; 64 * w < cells; ++w) {
        const size_t bits = std::min<size_t>(64, cells - 64 * w), at = first + 64 * w, shift = at % 64;
        const uint64_t mask = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1, value = words[w] & mask;
        uint64_t& low = planes_[at / 64];
        low = (low & ~(mask << shift)) | value << shift;
        if (shift != 0 && shift + bits > 64) {
          uint64_t& high = planes_[at / 64 + 1];
          high = (high & ~(mask >> (64 - shift))) | value >> (64 - shift);
        }
        // As in set_output.
        if (value == 0) continue;
        activate(p.colour, (p.index + 64 * w) / kBlockCells);
        activate(p.colour, (p.index + 64 * w + bits - 1) / kBlockCells);
      }
    }
  }
}

size_t SlicedGrid::memory() const {
  return sizeof(uint64_t) * (planes_.capacity() + pool_.size()) + sizeof(Active) * (active_[0].capacity() + active_[1].capacity()) +
         sizeof(uint32_t) * (first_active_[0].capacity() + first_active_[1].capacity());
}

GridState SlicedGrid::state(size_t stimulus) const {
  GridState state(width_, height_);
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) {
      const Place p = place(x, y);
      unsigned outputs = 0;
      for (const Side side : kSides) outputs |= static_cast<unsigned>(sample(bit_of(p, side, stimulus))) << static_cast<unsigned>(side);
      state.outputs[state.index(x, y)] = static_cast<uint8_t>(outputs);
    }
  }
  return state;
}

void SlicedGrid::set_state(const GridState& state, size_t stimulus) {
  if (state.width != width_ || state.height != height_)
    throw Error("bit-sliced simulator", "the state belongs to another grid", "use the same size");
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) {
      for (const Side side : kSides) set_output(x, y, side, state.output(x, y, side), stimulus);
    }
  }
}

std::string SlicedGrid::target() const {
  return to_string(target_);
}

}  // namespace bitgrid::sim
