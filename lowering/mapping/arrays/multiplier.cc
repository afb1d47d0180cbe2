#include "lowering/mapping/arrays/multiplier.h"

#include <algorithm>
#include <cassert>
#include <random>
#include <utility>

#include "ir/index.h"
#include "ir/output_cone.h"
#include "lowering/mapping/canvas.h"
#include "lowering/synthesis/evaluate_graph.h"
#include "lowering/synthesis/full_adders.h"
#include "lowering/synthesis/input_words.h"

namespace bitgrid::mapping {
namespace {

// The tile of a pair of bits (row i of b, column j of a) is 2 x 3 cells; P, where the bits meet, is at (2j, 3i + 1), F, which adds, above.
constexpr int kTileWidth = 2, kTileHeight = 3;

Lut inverted(Lut table) {
  return static_cast<Lut>(~table);
}

/// What a cell that adds finds on an edge.
enum class Term : uint8_t { kZero, kOne, kEdge };

Lut adder_table(Term sum, Term carry, Term product, bool carry_out) {
  return lut([=](bool n, bool, bool s, bool w) {
    const auto value = [](Term t, bool edge) { return t == Term::kEdge ? edge : t == Term::kOne; };
    const bool x = value(sum, n), y = value(carry, w), z = value(product, s);
    return carry_out ? majority(x, y, z) : x != y ? !z : z;
  });
}

/// What a product of two words needs beside the bits: see map_product. Bits of `a` are columns, those of `b` are rows.
struct Signs {
  bool a = false, b = false;                // signed
  bool a_offset = false, b_offset = false;  // and in offset binary: the highest bit is complemented
  bool offset_result = false;

  bool any() const { return a || b; }
};

// Exactly the products of every bit of a with every bit of b, by their weights.
bool is_sum_of_products(const synthesis::LinearForm& form, const synthesis::TwoWords& words) {
  if (form.constant != 0 || form.products.size() != words.a.size() * words.b.size()) return false;
  if (std::any_of(form.inputs.begin(), form.inputs.end(), [](int64_t w) { return w != 0; })) return false;
  for (size_t i = 0; i < words.a.size(); ++i) {
    for (size_t j = 0; j < words.b.size(); ++j) {
      const auto a = id_of(words.a[i]), b = id_of(words.b[j]);
      const auto it = form.products.find(std::minmax(a, b));
      if (it == form.products.end() || it->second != int64_t{1} << (i + j)) return false;
    }
  }
  return true;
}

/// Constants of signed products, beside the complement of the highest bit: 2^(columns - 1) for a signed a, 2^(rows - 1) for a signed b.
struct Constants {
  std::vector<bool> carry;    // a carry enters a row
  bool sum_of_row_1 = false;  // the sum that the last pair of row 1 takes: 2^columns
};

Constants constants_of(const Signs& signs, int columns, int rows) {
  Constants c{std::vector<bool>(index_of(rows)), false};
  if (signs.a && signs.b && columns == rows) {
    c.sum_of_row_1 = true;
    return c;
  }
  if (signs.a) c.carry[index_of(columns - 1)] = true;
  if (signs.b) c.carry[index_of(rows - 1)] = true;
  return c;
}

MappedKernel product_array(const std::string& name, const Product& product, const Signs& signs) {
  const int rows = count_of(product.b), columns = count_of(product.a);
  Layout g(kTileWidth * columns + 1, kTileHeight * rows - 1);
  MappedKernel kernel;
  kernel.name = name;
  kernel.strategy = "multiplier";
  kernel.input_bits = id_of(product.a.size() + product.b.size());
  kernel.output_bits = product.outputs;
  kernel.outputs.resize(product.outputs);
  const auto enter = [&](uint32_t bit, const BitSlot& slot) { kernel.inputs.push_back({bit, slot, 1}); };
  const auto leave = [&](int bit, const BitSlot& slot) {
    if (bit < int_of(product.outputs)) kernel.outputs[index_of(bit)] = slot;
  };
  const Constants constants = constants_of(signs, columns, rows);
  const auto product_bit = [&](int i, int j) {
    const bool a_sign = signs.a && j == columns - 1, b_sign = signs.b && i == rows - 1;
    const Lut a = a_sign && signs.a_offset ? inverted(kFromN) : kFromN, b = b_sign && signs.b_offset ? inverted(kFromW) : kFromW;
    const Lut both = a & b;
    return a_sign != b_sign ? inverted(both) : both;
  };
  const auto edge = [](bool there) { return there ? Term::kEdge : Term::kZero; };
  for (int i = 0; i < rows; ++i) {
    enter(product.b[index_of(i)], {Side::W, kTileHeight * i + 1, 7 * i + 1});
    for (int j = 0; j <= columns; ++j) {
      const bool pair = j < columns, top = i == 0, last_row = i == rows - 1;
      const int x = kTileWidth * j, y = kTileHeight * i, phase = 7 * i + 2 * j + 2;  // of F
      if (pair) {
        g.put(x, y + 1, Side::N, product_bit(i, j));
        if (j + 1 < columns) {
          g.put(x, y + 1, Side::E, kFromW);
          g.wire(x + 1, y + 1, Side::W, "E");
        }
        if (top) {
          enter(product.a[index_of(j)], {Side::N, x, phase - 2});
          g.wire(x, y, Side::N, "S");
        }
        if (!last_row) g.wire(x, y + 1, Side::N, "SEEWSWS");  // seven phases: the sum below needs as long to come round
      }
      if (top && !pair) break;  // the first row has no carries
      const Term sum = i == 1 && j == columns - 1 && constants.sum_of_row_1 ? Term::kOne : edge(!top && pair);
      const Term carry = j == 0 && constants.carry[index_of(i)] ? Term::kOne : edge(j > 0 && !top);
      const Lut low = adder_table(sum, carry, edge(pair), false);
      const bool highest = !pair && last_row;
      g.put(x, y, Side::W, highest && signs.any() && !signs.offset_result ? inverted(low) : low);
      if (pair && !top) {
        g.put(x, y, Side::E, adder_table(sum, carry, Term::kEdge, true));
        g.wire(x + 1, y, Side::W, "E");
      }
      if (j == 0) {
        leave(i, {Side::W, y, phase});
      } else if (!last_row) {
        g.wire(x - 1, y, Side::E, "SSWS");
      } else {
        g.wire(x - 1, y, Side::E, "SS");
        leave(i + j, {Side::S, x - 1, phase + 2});
      }
    }
  }
  // Nothing leaves E: there are as many constants as one likes.
  int idle = 0;
  const auto constant = [&](int bit) {
    const int y = idle++ % g.height(), turn = (idle - 1) / g.height();
    leave(bit, {Side::E, y, g.width() - 1 + y + 2 * turn});
  };
  if (rows == 1) constant(columns);
  for (int bit = rows + columns; bit < int_of(product.outputs); ++bit) constant(bit);
  kernel.grid = g.config();
  raise_lead(kernel);
  return kernel;
}

}  // namespace

MappedKernel product_kernel(const std::string& name, const Product& product) {
  return product_array(name, product, {});
}

MappedKernel map_product(const std::string& name, const ProductForm& form) {
  assert(form.a.bits >= 2 && form.b.bits >= 2);
  Product product;
  product.outputs = form.outputs;
  for (uint32_t bit = 0; bit < form.a.bits; ++bit) product.a.push_back(bit);
  for (uint32_t bit = 0; bit < form.b.bits; ++bit) product.b.push_back(form.a.bits + bit);
  Factor a = form.a, b = form.b;
  if (a.bits > b.bits) {  // rows are the dearer side by a column, and a constant enters at row columns - 1
    std::swap(a, b);
    std::swap(product.a, product.b);
  }
  MappedKernel kernel = product_array(name, product,
                                      {a.code != NumberCode::kUnsigned, b.code != NumberCode::kUnsigned, a.code == NumberCode::kOffset,
                                       b.code == NumberCode::kOffset, form.offset_result});
  kernel.strategy = "product";
  return kernel;
}

int64_t product_cells(const ProductForm& form) {
  const int64_t columns = std::min(form.a.bits, form.b.bits), rows = std::max(form.a.bits, form.b.bits);
  return (kTileWidth * columns + 1) * (kTileHeight * rows - 1);
}

std::optional<Product> find_product(const synthesis::LogicGraph& graph, const ProductParams& params) {
  const size_t bits = graph.inputs.size();
  if (bits < 2 || graph.outputs.empty() || graph.outputs.size() > 64) return std::nullopt;
  const bool exhaustive = bits <= params.exhaustive_bits;
  const auto form = exhaustive ? std::nullopt : synthesis::linear_form(synthesis::with_half_adders(graph));
  if (!exhaustive && !form) return std::nullopt;
  const auto is_product = [&](const synthesis::TwoWords& words) {
    if (!exhaustive) return is_sum_of_products(*form, words);
    return synthesis::equals_on_all_values(graph, [&](uint64_t inputs) {
      uint64_t a = 0, b = 0;
      for (size_t i = 0; i < words.a.size(); ++i) a |= ((inputs >> words.a[i]) & 1u) << i;
      for (size_t i = 0; i < words.b.size(); ++i) b |= ((inputs >> words.b[i]) & 1u) << i;
      return a * b;
    });
  };
  for (synthesis::TwoWords words : synthesis::two_words(graph)) {
    if (words.a.size() + words.b.size() != bits || std::max(words.a.size(), words.b.size()) > graph.outputs.size()) continue;
    for (int turn = 0; turn < 2; ++turn) {
      if (is_product(words)) {
        if (words.a.size() > words.b.size()) std::swap(words.a, words.b);  // rows are the dearer side by a column
        Product product;
        product.a.assign(words.a.begin(), words.a.end());
        product.b.assign(words.b.begin(), words.b.end());
        product.outputs = id_of(graph.outputs.size());
        return product;
      }
      std::reverse(words.a.begin(), words.a.end());
      std::reverse(words.b.begin(), words.b.end());
    }
  }
  return std::nullopt;
}

}  // namespace bitgrid::mapping
