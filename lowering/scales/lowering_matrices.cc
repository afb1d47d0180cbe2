// Matrices: weights in cells, or weights that stream past tables of the codes.
#include <fmt/format.h>

#include "ir/index.h"
#include "ir/parallel.h"
#include "ir/vectorised.h"
#include "lowering/numerics/matrix.h"
#include "lowering/scales/kernels.h"
#include "lowering/scales/lowering.h"
#include "lowering/scales/row_kernels.h"
#include "lowering/scales/stream_kernels.h"

namespace bitgrid::scales {

namespace {

/// Of a number, whatever its size: modulo 2^bits.
int64_t offset_code(int64_t value, uint32_t bits) {
  return (value + (int64_t{1} << (bits - 1))) & ((int64_t{1} << bits) - 1);
}

BITGRID_VECTORISED_INTEGERS int64_t sum_of(std::span<const int8_t> row) {
  int32_t sum = 0;
  for (const int8_t w : row) sum += w;  // fewer than 2^24 of them
  return sum;
}

}  // namespace

Vector Lowering::resident_matrix(const std::string& name, const LinearMap& map, Vector codes, const std::string& sums_name) {
  numerics::MatrixLayer layer;
  layer.name = name;
  const Tensor operand = builder_.tensor(codes.tensor);
  layer.operand = &operand;
  layer.raw = true;
  std::vector<int8_t> row(map.inputs());
  for (size_t r = 0; r < map.outputs(); ++r) {
    map.weights->unpack(r, row);
    layer.weights.emplace_back(row.begin(), row.end());
  }
  const numerics::MatrixPlan plan = numerics::plan_matrix(layer);
  const auto rows = int_of(map.outputs());
  const int raw = builder_.add_tensor(name + ".raw", rows, plan.raw_encoding, plan.raw_max_code);
  builder_.add_matrix(layer, plan, name, {codes.from()}, raw, -1);
  ++builder_.stage;
  // Rows of all matrices of a shape have one width from here on.
  const auto weight_bits = map.weights->storage() == WeightStorage::kByte ? 8u : 2u;
  const uint32_t to = codes.bits + weight_bits + bits_of_count(int_of(map.inputs()));
  const Vector sums = steps_.signed_vector(sums_name, rows, to);
  steps_.step(name + ".recentre", sum_modulo_kernel(plan.raw_encoding.bits, to, to), rows,
              {TensorSource{raw, 0, 1}, steps_.constants(name + ".zero", {offset_code(plan.raw_encoding.zero[0], to)}, to, false)},
              {sums.to(0, 1)});
  return sums;
}

Vector Lowering::tables(const std::string& name, Vector codes, bool ternary) {
  Vector& known = tables_[{codes.tensor, ternary}];
  if (known.tensor >= 0) return known;
  const int lanes = lanes_of(codes.count, kLightLanes), words = ternary ? 2 * lanes : lanes / 2 * 3;
  const Kernel kernel = ternary ? ternary_table_kernel(lanes, codes.bits) : pair_table_kernel(lanes / 2, codes.bits);
  known = steps_.unsigned_vector(name + ".tables", codes.count / lanes * words, kernel.outputs[0].bits);
  steps_.step(name + ".tables", kernel, codes.count / lanes, {codes.from(0, lanes)}, {known.to(0, words)});
  return known;
}

Vector Lowering::ternary_stream(const std::string& name, const LinearMap& map, Vector codes, const std::string& sums_name) {
  const Vector table = tables(name, codes, true);
  const auto rows = int_of(map.outputs());
  const Kernel kernel =
      mapping::streamed_kernel(fmt::format("stream.ternary.{}x{}", codes.count, codes.bits), ternary_shape(codes.count, codes.bits));
  const Vector sums = steps_.signed_vector(sums_name, rows, kernel.outputs[0].bits);
  steps_.step(name, kernel, rows, {table.from(), WeightSource{steps_.add_weights(map.name, map.weights), 0, false}}, {sums.to(0, 1)});
  return sums;
}

Vector Lowering::plane_sums(const std::string& name, Vector planes, uint64_t plane_max, bool negative_top) {
  const Kernel kernel =
      mapping::plane_sum_kernel(fmt::format("plane_sum.{}{}", plane_max, negative_top ? "signed" : ""), 8, plane_max, negative_top);
  const Vector sums = steps_.unsigned_vector(name, planes.count / 8, kernel.outputs[0].bits);
  steps_.step(name, kernel, sums.count, {planes.from(0, 8)}, {sums.to(0, 1)});
  return sums;
}

/// Bytes go by bit by bit. Codes in offset binary add a multiple of the row's sum of weights, which is known.
Vector Lowering::byte_stream(const std::string& name, const LinearMap& map, Vector codes, const std::string& sums_name) {
  const Vector table = tables(name, codes, false);
  const auto rows = int_of(map.outputs());
  const Kernel kernel =
      mapping::streamed_kernel(fmt::format("stream.bits.{}x{}", codes.count, codes.bits), one_bit_shape(codes.count, codes.bits));
  const Vector planes = steps_.unsigned_vector(name + ".planes", 8 * rows, kernel.outputs[0].bits);
  steps_.step(name, kernel, 8 * rows, {table.from(), WeightSource{steps_.add_weights(map.name, map.weights), 0, true}}, {planes.to(0, 1)});
  const uint64_t plane_max = kernel.outputs[0].max_code[0];
  const Vector offset_sums = plane_sums(name + ".offset_sums", planes, plane_max, true);
  const uint32_t to = codes.bits + 8 + bits_of_count(codes.count);
  std::vector<int64_t> zeros(map.outputs());
  parallel_for(zeros.size(), threads_, [&](size_t r) {
    std::vector<int8_t> row(map.inputs());
    map.weights->unpack(r, row);
    const int64_t sum = sum_of(row);
    zeros[r] = offset_code(-static_cast<int64_t>(mapping::plane_sum_offset(8, plane_max)) - (sum << (codes.bits - 1)), to);
  });
  const Vector sums = steps_.signed_vector(sums_name, rows, to);
  steps_.step(name + ".recentre", sum_modulo_kernel(offset_sums.bits, to, to), rows,
              {offset_sums.from(0, 1), steps_.constants(name + ".zeros", zeros, to, false, 1)}, {sums.to(0, 1)});
  return sums;
}

Vector Lowering::matrix(const std::string& name, const LinearMap& map, Vector codes, const std::string& sums_name) {
  if (!streams_) return resident_matrix(name, map, codes, sums_name);
  if (map.weights->storage() == WeightStorage::kTwoBits) return ternary_stream(name, map, codes, sums_name);
  return byte_stream(name, map, codes, sums_name);
}

Vector Lowering::code_sums(const std::string& name, Vector codes, int heads) {
  return steps_.reduce(name, codes, codes.count / heads, 2, total_kernel);
}

}  // namespace bitgrid::scales
