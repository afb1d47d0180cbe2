#include "lowering/mapping/streamed/streamed_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "ir/error.h"
#include "ir/index.h"
#include "lowering/mapping/canvas.h"

namespace bitgrid::mapping {
namespace {

// Slots of an invocation: what a cell of a lower row does in each of its three cycles.
constexpr int kFirst = 0;   // bit 0 of the code passes
constexpr int kSecond = 1;  // bit 1 passes; the table bit of the cell below is looked up
constexpr int kAdd = 2;     // the sum bit passes and grows

/// Where everything stands. Rows count from the south: row b < L adds table bit b, row L is the middle row, upper rows hold three sum bits
/// each.
struct PairsPlan {
  explicit PairsPlan(const StreamedForm& form)
      : table_rows(int_of(form.table_bits)),
        sum_bits(int_of(form.sum_bits)),
        upper_rows(std::max(0, sum_bits - table_rows - 1 + 2) / 3),
        columns(count_of(form.columns)) {
    const int start_bits = form.start_word ? int_of(form.start_word->bits) : int_of(std::bit_width(form.start));
    // Carries of a start's upper bits go west, two columns for each row. A start word needs a column in which the clock enters.
    if (start_bits > table_rows + 1) west = 2 * upper_rows;
    if (form.start_word) west = std::max(west, 1);
  }

  int table_rows;  // L
  int sum_bits;    // R
  int upper_rows;  // U
  int columns;     // that add
  int west = 0;    // columns west of them

  int height() const { return table_rows + 1 + upper_rows; }
  int width() const { return west + columns + 1; }
  int y(int row) const { return height() - 1 - row; }
  /// Phase in which the cell reads slot 0 of invocation 0: the wave takes a phase a row and a column.
  int phase(int row, int x, int slot = 0) const { return (height() - 1) % 2 + row + x + 2 * slot; }

  struct Place {
    int row;
    int slot;
  };
  Place place(int bit) const {
    if (bit <= table_rows) return {bit, kAdd};
    const int above = bit - table_rows - 1;
    return {table_rows + 1 + above / 3, kAdd + 2 * (above / 3) + above % 3};
  }
};

/// The LUT index of a cell's inputs.
constexpr unsigned lut_index(unsigned n, unsigned e, unsigned s, unsigned w) {
  return n + 2 * e + 4 * s + 8 * w;
}

/// Row and LUT index (of output S) that hold table bit `bit` for a code. The row above the one that adds the bit looks it up.
struct TableBit {
  int row;
  unsigned index;
};
TableBit table_bit(const PairsPlan& plan, int bit, unsigned code) {
  const unsigned first = code & 1, second = code >> 1;
  if (bit + 1 < plan.table_rows) return {bit + 1, lut_index(first, 0, second, 1)};
  return {plan.table_rows, lut_index(1, first, second, 0)};
}

CellWord table_mask(const PairsPlan& plan, int bit, unsigned code) {
  return CellWord{1} << (4 * table_bit(plan, bit, code).index + id_of(Side::S));
}

uint64_t entry(const StreamedColumn& column, unsigned code) {
  return column.table[code % column.table.size()];  // a column of one bit has no second one: any
}

class PairsBuilder {
 public:
  PairsBuilder(const std::string& name, const StreamedForm& form, uint32_t input_bits)
      : form_(form), plan_(form), layout_(plan_.width(), plan_.height()) {
    kernel_.name = name;
    kernel_.strategy = "streamed-pairs";
    kernel_.input_bits = input_bits;
    kernel_.output_bits = form.sum_bits;
    kernel_.ii = kStreamedII;
  }

  MappedKernel build() {
    for (int x = 0; x < plan_.west; ++x) lay_west(x);
    for (int x = plan_.west; x < plan_.width() - 1; ++x) lay_column(x);
    lay_east();
    add_weights();
    add_start();
    add_clocks();
    for (int bit = 0; bit < plan_.sum_bits; ++bit) {
      const auto [row, slot] = plan_.place(bit);
      kernel_.outputs.push_back({Side::E, plan_.y(row), plan_.phase(row, plan_.width() - 1, slot)});
    }
    kernel_.grid = layout_.config();
    reload_tables(kernel_.grid, form_);
    add_residents();
    // Latches may hold anything at the start. See docs/streaming.md: clocks take 2.5 cycles a column to come into step.
    kernel_.lead_cycles = 5 * plan_.width() / 2 + plan_.height() + 16;
    return std::move(kernel_);
  }

 private:
  void put(int x, int row, Side side, Lut table) { layout_.put(x, plan_.y(row), side, table); }

  /// E tells slot 2; else W tells slot 1. Table bits are added by reload_tables.
  void lay_lower(int x, int row) {
    put(x, row, Side::N, lut([](bool n, bool e, bool s, bool w) { return e ? majority(w, n, s) : s; }));
    put(x, row, Side::E, lut([](bool n, bool e, bool s, bool w) { return e ? w ^ n ^ s : w; }));
    put(x, row, Side::W, lut([](bool, bool e, bool, bool w) { return w && !e; }));
    if (row > 0) put(x, row, Side::S, lut([](bool, bool e, bool s, bool w) { return !e && !w && s; }));
  }

  /// N tells slot 1; else E tells slot 2. Bit 0 of the code takes a turn through the cell to the east.
  void lay_middle(int x) {
    const int row = plan_.table_rows;
    if (plan_.upper_rows > 0) put(x, row, Side::N, lut([](bool n, bool e, bool s, bool w) { return !n && e && w && s; }));
    put(x, row, Side::E, lut([](bool n, bool e, bool s, bool w) { return !n && (e ? w ^ s : s); }));
    put(x, row, Side::W, lut([](bool n, bool e, bool, bool w) { return n || (!e && w); }));
    put(x, row, Side::S, lut([](bool n, bool e, bool s, bool) { return !n && !e && s; }));
  }

  /// Three half adders in turn: the carry comes from the south with the first bit, goes west to the second and the third, and north.
  /// N: the clock, 1 with the second bit.
  void lay_upper(int x, int row) {
    if (row + 1 < plan_.height()) put(x, row, Side::N, lut([](bool n, bool e, bool, bool w) { return !n && w && e; }));
    put(x, row, Side::E, lut([](bool, bool e, bool s, bool w) { return w ^ (s || e); }));
    put(x, row, Side::S, kFromN);
    put(x, row, Side::W, lut([](bool n, bool e, bool s, bool w) { return (n && w && e) || (w && s); }));
  }

  void lay_column(int x) {
    for (int row = 0; row < plan_.table_rows; ++row) lay_lower(x, row);
    lay_middle(x);
    for (int row = plan_.table_rows + 1; row < plan_.height(); ++row) lay_upper(x, row);
  }

  /// Absorbs carries of the upper bits. A start word leaves the west ports no room for the clock, which comes up through column 0.
  void lay_west(int x) {
    for (int row = 0; row <= plan_.table_rows; ++row) {
      const bool clock = form_.start_word && x == 0 && row < plan_.table_rows;
      put(x, row, Side::E, clock ? lut([](bool, bool, bool s, bool w) { return w || s; }) : kFromW);
      if (clock && row + 1 < plan_.table_rows) put(x, row, Side::N, kFromS);
    }
    for (int row = plan_.table_rows + 1; row < plan_.height(); ++row) lay_upper(x, row);
  }

  /// Sums leave through it; clocks enter, and bit 0 of the last code on its turn.
  void lay_east() {
    const int x = plan_.width() - 1;
    for (int row = 0; row < plan_.height(); ++row) put(x, row, Side::E, kFromW);
    for (int row = 0; row < plan_.table_rows; ++row) put(x, row, Side::W, kFromE);
    put(x, plan_.table_rows, Side::W, lut([](bool n, bool e, bool, bool) { return n || e; }));
    for (int row = plan_.table_rows + 1; row < plan_.height(); ++row) put(x, row, Side::S, kFromN);
  }

  void add_input(uint32_t bit, Side side, int position, int phase) { kernel_.inputs.push_back({bit, {side, position, phase}, 1}); }

  void add_weights() {
    for (int c = 0; c < plan_.columns; ++c) {
      const StreamedColumn& column = form_.columns[index_of(c)];
      const int x = plan_.west + c;
      add_input(column.first, Side::S, x, plan_.phase(0, x, kFirst));
      if (column.table.size() > 2) add_input(column.first + 1, Side::S, x, plan_.phase(0, x, kSecond));
    }
    const int x = plan_.width() - 1, row = plan_.table_rows;
    add_input(form_.columns.back().first, Side::E, plan_.y(row), plan_.phase(row, x, kFirst));
  }

  /// Bits of tables that are inputs. A cell holds one for each code.
  void add_residents() {
    for (int c = 0; c < plan_.columns; ++c) {
      const StreamedColumn& column = form_.columns[index_of(c)];
      for (size_t e = 0; e < column.residents.size(); ++e) {
        if (!column.residents[e]) continue;
        for (int bit = 0; bit < plan_.table_rows; ++bit) {
          const int x = plan_.west + c, y = plan_.y(table_bit(plan_, bit, 0).row);
          CellWord flip = 0;
          for (unsigned code = 0; code < 4; ++code)
            if (code % column.table.size() == e) flip |= table_mask(plan_, bit, code);
          const CellWord word = kernel_.grid.at(x, y);
          kernel_.residents.push_back({*column.residents[e] + id_of(bit), x, y, word, word ^ flip});
        }
      }
    }
  }

  void add_start() {
    if (form_.start_word) {
      for (uint32_t bit = 0; bit < form_.start_word->bits; ++bit) {
        const auto [row, slot] = plan_.place(int_of(bit));
        add_input(form_.start_word->first + bit, Side::W, plan_.y(row), plan_.phase(row, 0, slot));
      }
      return;
    }
    std::vector<std::array<uint8_t, kStreamedII>> streams(index_of(plan_.height()));
    for (int bit = 0; bit < plan_.sum_bits; ++bit) {
      const auto [row, slot] = plan_.place(bit);
      streams[index_of(row)][index_of(slot % kStreamedII)] = form_.start >> bit & 1;
    }
    for (int row = 0; row < plan_.height(); ++row) {
      auto& bits = streams[index_of(row)];
      if (row < plan_.table_rows) bits[kSecond] = 1;
      add_stream(Side::W, plan_.y(row), plan_.phase(row, 0), {bits.begin(), bits.end()});
    }
  }

  void add_stream(Side side, int position, int phase, std::vector<uint8_t> bits) {
    if (std::count(bits.begin(), bits.end(), 0) == kStreamedII) return;
    kernel_.constants.push_back({{side, position, phase}, std::move(bits)});
  }

  void add_clock(Side side, int position, int phase, int slot) {
    std::vector<uint8_t> bits(kStreamedII);
    bits[index_of(slot % kStreamedII)] = 1;
    add_stream(side, position, phase, std::move(bits));
  }

  void add_clocks() {
    const int east = plan_.width() - 1, top = plan_.height() - 1;
    // It goes down a row in a phase, so that it is a slot later there.
    for (int x = 0; x <= east; ++x) {
      if (x >= plan_.west || plan_.upper_rows > 0) add_clock(Side::N, x, plan_.phase(top, x), 2 * plan_.upper_rows + kSecond);
    }
    for (int row = 0; row < plan_.table_rows; ++row) add_clock(Side::E, plan_.y(row), plan_.phase(row, east), kSecond);
    if (form_.start_word) add_clock(Side::S, 0, plan_.phase(0, 0), kSecond);
  }

  const StreamedForm& form_;
  const PairsPlan plan_;
  Layout layout_;
  MappedKernel kernel_;
};

}  // namespace

void check_form(const std::string& name, const StreamedForm& form) {
  const std::string where = "kernel " + name;
  if (form.columns.empty()) throw Error(where, "a streamed matrix without columns", "give it at least one");
  if (form.table_bits < 1 || form.sum_bits <= form.table_bits || form.sum_bits > 64)
    throw Error(where, fmt::format("tables of {} bits and a sum of {}", form.table_bits, form.sum_bits),
                "tables take at least 1 bit, the sum at least one more, and at most 64");
  for (size_t c = 0; c < form.columns.size(); ++c) {
    const std::vector<uint64_t>& table = form.columns[c].table;
    if (table.size() != 2 && table.size() != 4)
      throw Error(where, fmt::format("column {} has a table of {} numbers", c, table.size()), "give 2 numbers, or 4: one for each code");
    // While no invocation enters, all codes are 0: sums must be 0 then, or clocks that start out of step may stay so.
    if (table[0] != 0)
      throw Error(where, fmt::format("code 0 adds {} in column {}", table[0], c), "make code 0 add nothing, or leave it unused");
    const auto& residents = form.columns[c].residents;
    const auto resident = [&](size_t code) { return !residents.empty() && residents[code].has_value(); };
    if ((!residents.empty() && residents.size() != table.size()) || resident(0))
      throw Error(where, fmt::format("column {} has resident numbers for other codes than 1 to {}", c, table.size() - 1),
                  "make code 0 add nothing, or leave it unused");
    for (size_t code = 0; code < table.size(); ++code) {
      if (resident(code) && table[code] != 0)
        throw Error(where, fmt::format("column {} has a number and an input word for code {}", c, code), "set the number to 0");
    }
    const uint64_t largest = *std::max_element(table.begin(), table.end());
    if (std::cmp_greater(std::bit_width(largest), form.table_bits))
      throw Error(where, fmt::format("column {} adds {}, which is more than {} bits", c, largest, form.table_bits), "raise table_bits");
  }
  const uint32_t start_bits = form.start_word ? form.start_word->bits : id_of(std::bit_width(form.start));
  if (start_bits > form.sum_bits || (form.start_word && (start_bits == 0 || form.start_word->shift != 0)))
    throw Error(where, fmt::format("a start of {} bits for a sum of {}", start_bits, form.sum_bits),
                "the start takes 1 bit to as many as the sum, and is not shifted");
}

MappedKernel map_streamed_pairs(const std::string& name, const StreamedForm& form, uint32_t input_bits) {
  check_form(name, form);
  return PairsBuilder(name, form, input_bits).build();
}

BitSerialSize streamed_pairs_size(const StreamedForm& form) {
  const PairsPlan plan(form);
  const int first = form.start_word ? std::min(plan.phase(0, plan.west), plan.phase(0, 0, kAdd)) : plan.phase(0, plan.west);
  int last = 0;
  for (int bit = 0; bit < plan.sum_bits; ++bit) {
    const auto [row, slot] = plan.place(bit);
    last = std::max(last, plan.phase(row, plan.width() - 1, slot));
  }
  return {plan.width(), plan.height(), kStreamedII, (last - first + 2) / 2};
}

std::vector<CellBits> streamed_table_bits(const StreamedForm& form) {
  const PairsPlan plan(form);
  std::vector<CellBits> cells;
  for (int c = 0; c < plan.columns; ++c) {
    for (int bit = 0; bit < plan.table_rows; ++bit) {
      CellBits cell{plan.west + c, plan.y(table_bit(plan, bit, 0).row), 0, 0};
      for (unsigned code = 0; code < 4; ++code) {
        const CellWord at = table_mask(plan, bit, code);
        cell.mask |= at;
        if (entry(form.columns[index_of(c)], code) >> bit & 1) cell.word |= at;
      }
      cells.push_back(cell);
    }
  }
  return cells;
}

void reload_tables(GridConfig& grid, const StreamedForm& form) {
  for (const CellBits& bits : streamed_table_bits(form)) {
    CellWord& word = grid.at(bits.x, bits.y);
    word = (word & ~bits.mask) | bits.word;
  }
}

}  // namespace bitgrid::mapping
