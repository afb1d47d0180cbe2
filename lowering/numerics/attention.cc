#include "lowering/numerics/attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ir/index.h"
#include "lowering/numerics/resident.h"

namespace bitgrid::numerics {
namespace {

/// The activation of some of the rows.
Activation slice(const Activation& activation, int first, int count) {
  const auto cut = [&](std::vector<int32_t>& v) {
    if (v.size() > 1) v = {v.begin() + first, v.begin() + first + count};
  };
  Activation part = activation;
  if (auto* rq = std::get_if<Requantise>(&part)) cut(rq->bias), cut(rq->multiplier);
  if (auto* sign = std::get_if<Sign>(&part)) cut(sign->bias);
  return part;
}

/// zero of the query times the sum of the key, one number a head: what q.k lacks where the query travels as codes. -1: nothing.
int key_sums(ProgramBuilder& b, const Attention& a, const std::string& prefix, int q, int k) {
  const int64_t zero = b.tensor(q).encoding.zero[0];
  if (zero == 0) return -1;
  ++b.stage;
  const Tensor key = b.tensor(k);
  MatrixLayer layer{prefix + "keysum", &key, {}, nullptr, {}, true, {}};
  const auto width = index_of(key.count), heads = index_of(a.heads);
  layer.weights.assign(heads, std::vector<int64_t>(width));
  for (size_t c = 0; c < width; ++c) layer.weights[c * heads / width][c] = zero;
  const MatrixPlan plan = plan_matrix(layer);
  const int sums = b.add_tensor(layer.name, a.heads, plan.raw_encoding, plan.raw_max_code);
  b.add_matrix(layer, plan, layer.name, {TensorSource{k, 0, 0}}, sums, -1);
  return sums;
}

/// A resident matrix times codes of a tensor.
ResidentLayer resident_layer(ProgramBuilder& b, const std::string& name, const ResidentMatrix& matrix, int streams,
                             const Activation& activation) {
  const Tensor& x = b.tensor(streams);
  const auto shift = id_of(std::countr_zero(static_cast<uint64_t>(x.encoding.scale)));
  return {name, matrix, x.encoding.bits, shift, x.max_code[0], activation, std::nullopt, std::nullopt};
}

}  // namespace

int add_scores(ProgramBuilder& b, const Attention& a, const std::string& prefix, int q, int k) {
  const int sums = key_sums(b, a, prefix, q, k);
  ++b.stage;
  const int head_width = b.tensor(q).count / a.heads;
  const ResidentMatrix whole{a.window, head_width, b.tensor(k).encoding, true};
  ResidentLayer layer = resident_layer(b, prefix + "score", whole, q, a.score);
  layer.start = Range{0, 0};
  if (sums >= 0) {
    const Tensor& t = b.tensor(sums);
    layer.term = RowTerm{t.encoding.bits, *std::max_element(t.max_code.begin(), t.max_code.end()), t.encoding.zero[0]};
  }
  int64_t lo = 0, hi = 0;
  for (const int32_t bias : a.position) lo = std::min<int64_t>(lo, bias), hi = std::max<int64_t>(hi, bias);
  const int64_t masked = std::min(lo, -resident_sums(layer).hi);  // with it a score is never positive: weight 0
  layer.start = Range{masked, hi};
  layer.matrix.rows = block_rows(a.window, head_width, int_of(whole.encoding.bits), true);
  const ResidentPlan plan = plan_resident(layer);
  CodeTable table{prefix + "position", a.heads, a.window + 1, plan.start_bits, {}};
  for (int h = 0; h < a.heads; ++h) {
    for (int d = 0; d <= a.window; ++d) {
      const int64_t bias = d == a.window ? masked : a.position.empty() ? 0 : a.position[index_of(h * a.window + d)];
      table.codes.push_back(start_code(plan, bias));
    }
  }
  const int table_id = b.add_code_table(std::move(table));
  const int cache = b.add_cache(k, a.window), sums_cache = sums >= 0 ? b.add_cache(sums, a.window) : -1;
  const int e = b.add_tensor(prefix + "attention", a.heads * a.window, plan.end.encoding, {plan.end.max_code});
  const int kernel = b.add_kernel(resident_kernel(layer, plan, prefix + "score"));
  const int block = layer.matrix.rows;
  for (int h = 0; h < a.heads; ++h) {
    for (int first = 0; first < a.window; first += block) {
      Step step{fmt::format("{}score.head{}.slot{}", prefix, h, first), kernel, 1, b.stage, {}, {{e, h * a.window + first, 0}}};
      step.inputs = {TensorSource{q, h * head_width, 0}, DistanceSource{table_id, h, a.window, first}};
      if (sums >= 0) step.inputs.emplace_back(CacheSource{sums_cache, first, block, h, 1});
      step.inputs.emplace_back(CacheSource{cache, first, block, h * head_width, head_width});
      b.program.steps.push_back(std::move(step));
    }
  }
  return e;
}

int add_mix(ProgramBuilder& b, const Attention& a, const std::string& prefix, int e, int v) {
  ++b.stage;
  const int head_width = b.tensor(v).count / a.heads;
  const int cache = b.add_cache(v, a.window);
  const int out = b.add_tensor(prefix + "mix", b.tensor(v).count, activation_encoding(a.mix), {activation_max_code(a.mix)});
  const int block = block_rows(head_width, a.window, int_of(b.tensor(v).encoding.bits), true);
  for (int h = 0; h < a.heads; ++h) {
    for (int first = 0; first < head_width; first += block) {
      const int channel = h * head_width + first;
      const std::string name =
          block == head_width ? fmt::format("{}mix.head{}", prefix, h) : fmt::format("{}mix.head{}.{}", prefix, h, first / block);
      const ResidentMatrix values{block, a.window, b.tensor(v).encoding, false};
      const ResidentLayer layer = resident_layer(b, name, values, e, slice(a.mix, channel, block));
      const int kernel = b.add_kernel(resident_kernel(layer, plan_resident(layer), name));
      b.program.steps.push_back({name,
                                 kernel,
                                 1,
                                 b.stage,
                                 {TensorSource{e, h * a.window, 0}, CacheSource{cache, 0, a.window, channel, block}},
                                 {{out, channel, 0}}});
    }
  }
  return out;
}

}  // namespace bitgrid::numerics
