#include "lowering/mapping/planes/time_shared_rows.h"
#include "ir/index.h"
#include "ir/output_cone.h"

#include <algorithm>
#include <numeric>

namespace bitgrid::mapping {
namespace {

constexpr int kLastRows = 2;  // rows that a column must go on for a signal to enter it
constexpr int kSoon = 8;      // rows before the end of its column in which a sum looks for another

}  // namespace

PlaneRows::PlaneRows(const synthesis::Esop& esop, const Columns& columns, int input_columns, int output_columns)
    : esop_(esop),
      columns_(columns),
      inputs_end_(input_columns),
      width_(input_columns + output_columns),
      input_at_(index_of(width_), kNone),
      output_at_(index_of(width_), kNone),
      column_of_(esop.inputs, kNone),
      sum_at_(esop.outputs, kNone),
      left_of_output_(esop.outputs),
      exits_(esop.outputs) {
  for (const synthesis::Cube& cube : esop.cubes) {
    for (uint32_t o = 0; o < esop.outputs; ++o) left_of_output_[o] += cube.outputs.get(o);
  }
  place_inputs();
}

void PlaneRows::place_inputs() {
  std::vector<uint32_t> inputs(esop_.inputs);
  std::iota(inputs.begin(), inputs.end(), 0u);
  std::vector<int> uses(esop_.inputs);
  for (const synthesis::Cube& cube : esop_.cubes) {
    for (uint32_t i = 0; i < esop_.inputs; ++i) uses[i] += int_of((cube.care >> i) & 1u);
  }
  std::stable_sort(inputs.begin(), inputs.end(), [&](uint32_t a, uint32_t b) { return uses[a] > uses[b]; });
  std::vector<int> places(index_of(inputs_end_));
  std::iota(places.begin(), places.end(), 0);
  std::stable_sort(places.begin(), places.end(), [&](int a, int b) { return columns_.run(a, 0) > columns_.run(b, 0); });
  places.resize(std::min(places.size(), inputs.size()));
  // Inputs of many terms stand furthest east: terms that lack them begin further west, those of few literals further east.
  std::sort(places.begin(), places.end());
  for (size_t k = 0; k < places.size(); ++k) {
    const uint32_t i = inputs[places.size() - 1 - k];
    const int x = places[k];
    inputs_.push_back({i, {Side::N, x, x}, 1});
    if (columns_.run(x, 0) > 1) stand(i, x);
  }
  for (size_t k = places.size(); k < inputs.size(); ++k) {
    if (uses[inputs[k]] == 0) unread_.push_back(inputs[k]);
  }
}

void PlaneRows::stand(uint32_t input, int x) {
  input_at_[index_of(x)] = int_of(input);
  column_of_[input] = x;
}

bool PlaneRows::place_constants() {
  int x = inputs_end_;
  for (uint32_t o = 0; o < esop_.outputs; ++o) {
    if (left_of_output_[o] > 0) continue;
    while (x < width_ && (!vacant(x) || columns_.run(x, 0) < 2)) ++x;
    if (x == width_) return false;
    begin_sum(o, x);
  }
  return true;
}

void PlaneRows::begin_sum(uint32_t o, int x) {
  output_at_[index_of(x)] = int_of(o);
  sum_at_[o] = x;
}

bool PlaneRows::ends_soon(int x) const {
  return run_of(x) <= kSoon;
}

bool PlaneRows::clean_row() const {
  for (int x = 0; x < width_; ++x) {
    if (!columns_.good(x, y(), Side::E) || ends_soon(x)) return false;
  }
  return true;
}

void PlaneRows::begin_row() {
  row_ = {};
  row_.cells.resize(index_of(width_));
  row_.east.resize(index_of(width_));
  for (int x = 0; x < width_; ++x) {
    if (input_at_[index_of(x)] != kNone) table(x, Side::S) = kFromN;
    if (const int o = output_at_[index_of(x)]; o != kNone)
      table(x, Side::S) = y() > 0 ? kFromN : esop_.complement.get(id_of(o)) ? Lut{0xFFFF} : Lut{0};  // a constant above
  }
}

void PlaneRows::end_row() {
  for (int x = width_ - 1; x >= inputs_end_; --x) {
    if (output_at_[index_of(x)] != kNone && ends_soon(x)) move_sum(x);
  }
  leave_east();
  for (const int x : ending_) column_of_[index_of(std::exchange(input_at_[index_of(x)], kNone))] = kNone;
  rows_.push_back(std::move(row_));
}

bool PlaneRows::clear_ends() {
  ending_.clear();
  for (int x = width_ - 1; x >= 0; --x) {
    if (vacant(x) || run_of(x) > 1) continue;
    if (input_at_[index_of(x)] != kNone) {
      table(x, Side::S) = 0;
      ending_.push_back(x);
    } else if (!move_sum(x)) {
      return false;
    }
  }
  return true;
}

/// A sum that is complete leaves over the end of the row.
void PlaneRows::leave_east() {
  int free = width_;
  while (free > 0 && can_pass(free - 1)) --free;
  for (int x = std::max(free, inputs_end_); x < width_; ++x) {
    const int o = output_at_[index_of(x)];
    if (o == kNone || left_of_output_[index_of(o)] > 0) continue;
    table(x, Side::E) = std::exchange(table(x, Side::S), Lut{0});
    for (int q = x + 1; q < width_; ++q) table(q, Side::E) = kFromW;
    for (int q = x; q < width_; ++q) row_.east[index_of(q)] = 1;
    output_at_[index_of(x)] = kNone;
    exits_[index_of(o)] = BitSlot{Side::E, y(), width_ - 1 + y() + 2 * late_};
    return;
  }
}

bool PlaneRows::shift_row() {
  for (int x = inputs_end_ + 1; x < width_; ++x) {
    if (output_at_[index_of(x)] == kNone || !ends_soon(x)) continue;
    bool other = false;
    for (int q = x + 1; q < width_; ++q) other |= vacant(q) && run_of(q) > run_of(x);
    if (other) continue;
    int gap = x - 1;
    while (gap >= inputs_end_ && !vacant(gap)) --gap;
    if (gap < inputs_end_ || !shift_into(gap, x)) continue;
    rows_.push_back(std::move(row_));
    return true;
  }
  return false;
}

bool PlaneRows::shift_into(int gap, int x) {
  const auto good = [&](int c, Side side) { return columns_.good(c, y(), side); };
  for (int c = 0; c < width_; ++c) {
    if (vacant(c)) continue;
    const bool moves = c > gap && c <= x;
    const int stays_at = moves ? c - 1 : c;
    if (run_of(stays_at) < 2) return false;
    if (moves ? !good(c, Side::W) : c < gap ? !good(c, Side::E) || !good(c + 1, Side::W) : !good(c, Side::W) || !good(c - 1, Side::E))
      return false;
  }
  std::vector<std::array<Lut, 4>> cells(index_of(width_));
  const auto put = [&](int c, Side side, Lut t) { cells[index_of(c)][index_of(side)] = t; };
  for (int c = 0; c < width_; ++c) {
    if (vacant(c)) continue;
    const Lut signal = table(c, Side::S);
    const Side out = c < gap ? Side::E : Side::W;
    put(c, out, signal);
    if (c > gap && c <= x) {
      put(c - 1, Side::S, kFromE);
    } else {
      put(c + dx(out), opposite(out), kCopy[index_of(opposite(out))]);
      put(c, Side::S, kCopy[index_of(out)]);
    }
  }
  row_.cells = std::move(cells);
  for (int c = gap + 1; c <= x; ++c) {
    const auto to = index_of(c - 1), from = index_of(c);
    output_at_[to] = std::exchange(output_at_[from], kNone);
    if (output_at_[to] != kNone) sum_at_[index_of(output_at_[to])] = c - 1;
  }
  ++late_;
  return true;
}

bool PlaneRows::move_sum(int x) {
  int best = kNone;
  for (int q = x; q + 1 < width_ && can_pass(q); ++q) {
    if (vacant(q + 1) && run_of(q + 1) > run_of(x) && (best == kNone || run_of(q + 1) > run_of(best))) best = q + 1;
  }
  if (best == kNone) return false;
  const auto o = index_of(output_at_[index_of(x)]);
  table(x, Side::E) = std::exchange(table(x, Side::S), Lut{0});
  for (int q = x; q < best; ++q) {
    row_.east[index_of(q)] = 1;
    if (q > x) table(q, Side::E) = kFromW;
  }
  table(best, Side::S) = kFromW;
  output_at_[index_of(x)] = kNone;
  output_at_[index_of(best)] = int_of(o);
  sum_at_[o] = best;
  return true;
}

void PlaneRows::lay(const TermPlace& p) {
  const synthesis::Cube& cube = esop_.cubes[p.cube];
  const auto literal = [&](int input, Lut from) { return (cube.value >> input) & 1u ? from : invert(from); };
  std::vector<uint8_t> adds(index_of(width_));
  for (const auto& [o, x] : p.begins) {
    begin_sum(o, x);
    table(x, Side::S) = esop_.complement.get(o) ? Lut{0xFFFF} : Lut{0};
  }
  for (uint32_t o = 0; o < esop_.outputs; ++o) {
    if (!cube.outputs.get(o)) continue;
    adds[index_of(sum_at_[o])] = 1;
    --left_of_output_[o];
  }
  if (p.from_west != kNone) use_west(p.from_west);
  for (int x = p.first; x <= p.last; ++x) {
    Lut term = x > p.first ? kFromW : p.from_west != kNone ? literal(p.from_west, kFromW) : Lut{0xFFFF};
    if (const int i = input_at_[index_of(x)]; i != kNone && ((cube.care >> i) & 1u)) term &= literal(i, kFromN);
    if (adds[index_of(x)]) table(x, Side::S) ^= term;
    if (x == p.last) break;
    table(x, Side::E) = term;
    row_.east[index_of(x)] = 1;
  }
}

void PlaneRows::use_west(int input) {
  row_.west = input;
  inputs_.push_back({id_of(input), {Side::W, y(), y() + 2 * late_}, 1});
}

bool PlaneRows::absent_next(uint32_t input) const {
  const int x = column_of_[input];
  return x == kNone || std::find(ending_.begin(), ending_.end(), x) != ending_.end();
}

// Beside a term that starts with the input only column 0 is in reach.
bool PlaneRows::enter_column(uint32_t input) {
  const bool entered = row_.west != kNone;
  int best = kNone;
  for (int x = 0; x < inputs_end_; ++x) {
    if (vacant(x) && run_of(x) > kLastRows && (best == kNone || run_of(x) > run_of(best))) best = x;
    if (!can_pass(x)) break;
  }
  if (best == kNone) return false;
  for (int x = 0; x < best; ++x) {
    table(x, Side::E) = kFromW;
    row_.east[index_of(x)] = 1;
  }
  table(best, Side::S) = kFromW;
  if (!entered) use_west(int_of(input));
  if (const int old = column_of_[input]; old != kNone) {
    input_at_[index_of(old)] = kNone;
    std::erase(ending_, old);
  }
  stand(input, best);
  return true;
}

MappedKernel PlaneRows::kernel(const std::string& name) const {
  MappedKernel kernel;
  kernel.name = name;
  kernel.strategy = "plane";
  kernel.input_bits = esop_.inputs;
  kernel.output_bits = esop_.outputs;
  kernel.grid = GridConfig(width_, count_of(rows_));
  for (int row = 0; row < kernel.grid.height; ++row) {
    for (int x = 0; x < width_; ++x) kernel.grid.at(x, row) = cell_word(rows_[index_of(row)].cells[index_of(x)]);
  }
  kernel.inputs = inputs_;
  // What no term reads stands at ports that nothing reads.
  for (size_t k = 0; k < unread_.size(); ++k) {
    const int row = int_of(k) % kernel.grid.height, turn = int_of(k) / kernel.grid.height;
    const Side side = turn == 0 ? Side::E : Side::S;
    const int position = turn == 0 ? row : turn - 1;
    const int x = turn == 0 ? width_ - 1 : position, at_y = turn == 0 ? position : kernel.grid.height - 1;
    kernel.inputs.push_back({unread_[k], {side, position, x + at_y}, 1});
  }
  kernel.outputs.resize(esop_.outputs);
  for (uint32_t o = 0; o < esop_.outputs; ++o) {
    const int x = sum_at_[o];
    if (exits_[o]) {
      kernel.outputs[o] = *exits_[o];
      continue;
    }
    kernel.outputs[o] = {Side::S, x, x + kernel.grid.height - 1 + 2 * late_};
  }
  raise_lead(kernel);
  return kernel;
}

}  // namespace bitgrid::mapping
