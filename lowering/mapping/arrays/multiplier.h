// Products of two numbers as a systolic array of carry ripple rows, II = 1.
#pragma once

#include <optional>

#include "ir/kernel_form.h"
#include "ir/mapped_kernel.h"
#include "lowering/synthesis/logic_graph.h"

namespace bitgrid::mapping {

/// The operands' bits as input bits of the kernel, least significant first. The outputs are the lowest bits of the product.
struct Product {
  std::vector<uint32_t> a, b;
  uint32_t outputs = 0;
};

/// Uses six cells per pair of bits; docs/wave.md describes the construction. The operands are all the input bits of the kernel. Each has at
/// least one bit, and at most as many as there are outputs.
MappedKernel product_kernel(const std::string& name, const Product& product);

/// The same array for a stated product, with at least two bits in each factor. Signed factors cost nothing: partial products with a sign
/// are complemented, and constants enter at carries and sums that the unsigned array leaves open (C. Baugh and B. Wooley, "A two's
/// complement parallel array multiplication algorithm", IEEE Trans. Computers C-22, 1973).
MappedKernel map_product(const std::string& name, const ProductForm& form);
int64_t product_cells(const ProductForm& form);

struct ProductParams {
  uint32_t exhaustive_bits = 20;  // most operand bits for which all values are compared
};

/// Recognises logic that is a product of two of its words. Up to exhaustive_bits it compares all values, so that it does not matter how the
/// logic is written. Wider products are recognised if they consist of adders (linear_form) and have all of their (at most 40) outputs.
/// Exact; returns nullopt if the logic is not a product.
std::optional<Product> find_product(const synthesis::LogicGraph& graph, const ProductParams& params = {});

}  // namespace bitgrid::mapping
