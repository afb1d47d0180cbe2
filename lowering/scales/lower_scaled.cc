#include "lowering/scales/lower_scaled.h"

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/index.h"
#include "ir/weight_rows.h"
#include "lowering/scales/kernels.h"
#include "lowering/scales/lowering.h"
#include "lowering/scales/row_kernels.h"

namespace bitgrid::scales {

Vector Lowering::feed_forward(const std::string& name, const GatedFeedForward& layer, Vector x) {
  const std::string mlp = name + "mlp.";
  const Source stream_eps = steps_.constants(mlp + "stream_eps", {model_.stream_eps}, kEpsBits, false);
  const Codes a = norm(mlp + "input_norm", x, layer.input, stream_eps, mlp + "a");
  const Vector gate = matrix(mlp + "gate_proj", layer.gate, a.codes, mlp + "gate"),
               up = matrix(mlp + "up_proj", layer.up, a.codes, mlp + "up");
  const ScalarVector unit_gate = unit(mlp + "unit_gate", a.unit, layer.gate, 0), unit_up = unit(mlp + "unit_up", a.unit, layer.up, 0);
  const int n = gate.count;
  const Vector positive = steps_.unsigned_vector(mlp + "positive", n, gate.bits - 1);
  steps_.step(mlp + "positive", positive_kernel(gate.bits), n, {gate.from(0, 1), gate.planes(0, 1, int_of(gate.bits) - 1)},
              {positive.to(0, 1)});
  const Vector gate_shift =
      shift(mlp + "gate_shift", steps_.reduce(mlp + "or_of_gate", positive, n, kLightLanes, or_kernel), kGateBits - 1);
  const Vector up_shift = shift(mlp + "up_shift", lengths(mlp + "up_length", up, n), kGateBits - 1);
  const Vector g = cut(mlp + "cut_gate", positive, gate_shift, kGateBits, NumberCode::kTwos),
               u = cut(mlp + "cut_up", up, up_shift, kGateBits, NumberCode::kTwos);
  const Vector once = product(mlp + "once", u, g.from(0, 1), g.factor(), NumberCode::kTwos),
               products = product(mlp + "products", once, g.from(0, 1), g.factor(), NumberCode::kTwos, kProductBits);
  const Vector product_shift = shift(mlp + "product_shift", lengths(mlp + "product_length", products, n), kHiddenBits - 1);
  const Vector hidden = cut(mlp + "hidden", products, product_shift, kHiddenBits, NumberCode::kOffset);
  const Vector eps = hidden_eps(mlp, layer, scalars_.shifted(mlp + "gate_unit", unit_gate, gate_shift),
                                scalars_.shifted(mlp + "up_unit", scalars_.shifted(mlp + "up_unit.up", unit_up, up_shift), product_shift));
  const Codes b = norm(mlp + "sub_norm", hidden, *layer.sub_norm, eps.from(), name + "ffn");
  return add(mlp + "down_proj", x, layer.down, b, mlp + "result");
}

/// eps of the norm behind the gated unit, in the unit of its operand: gate^2 * up.
Vector Lowering::hidden_eps(const std::string& mlp, const GatedFeedForward& layer, const ScalarVector& gate, const ScalarVector& up) {
  const ScalarVector unit = scalars_.multiply(mlp + "unit", scalars_.multiply(mlp + "gate_squared", gate, gate), up);
  const ScalarVector squared = scalars_.multiply(mlp + "unit_squared", unit, unit);
  const ScalarVector eps = scalars_.divide(mlp + "eps_scalar", scalars_.constant(mlp + "eps_constant", layer.sub_norm->eps), squared);
  return scalars_.whole(mlp + "eps", eps, kEpsBits);
}

void Lowering::head(Vector x) {
  const Source eps = steps_.constants("head.stream_eps", {model_.stream_eps}, kEpsBits, false);
  const Codes a = norm("head.norm", x, model_.head.norm, eps, "a_final");
  const Vector sums = matrix("lm_head", model_.head.map, a.codes, "lm_head.sums");
  const std::vector<int64_t> scales(model_.head.map.scales.begin(), model_.head.map.scales.end());
  const Vector z = product("logits", sums, steps_.constants("lm_head.scale", scales, kGainBits, true, 1), {kGainBits, NumberCode::kOffset},
                           NumberCode::kOffset);
  scalars_.packed(kLogitUnit, unit("lm_head.unit", a.unit, model_.head.map, 0));
  builder_.program.logits = z.tensor;
}

Program Lowering::run() {
  set_tables();
  Vector x = embed();
  size_t block = 0;
  for (const ScaledLayer& layer : model_.layers) {
    const std::string name = fmt::format("model.layers.{}.", block);
    if (const auto* a = std::get_if<SoftmaxAttention>(&layer)) {
      x = attention(name, *a, x);
    } else {
      x = feed_forward(name, std::get<GatedFeedForward>(layer), x);
      ++block;
      builder_.tensor(x.tensor).name = block < model_.layers.size() / 2 ? fmt::format("model.layers.{}.x", block) : "x_final";
    }
  }
  head(x);
  verify(builder_.program);
  return std::move(builder_.program);
}

namespace {

constexpr uint64_t kMostWeights = uint64_t{1} << 25;

/// Of the matrices between norms.
std::optional<ScaledModelProblem> find_matrix_problem(const LinearMap& map, Dataflow dataflow) {
  if (map.group != 0 || !map.scales.empty() || map.low_rank || map.adapter)
    return ScaledModelProblem{map.name, "kernels only support one scale per matrix so far", "run it with --engine cpu"};
  if (dataflow == Dataflow::kStreamed && !is_ternary(*map.weights))
    return ScaledModelProblem{map.name, "its weights are not all -1, 0 or 1 in two bits each, which streamed weights must be so far",
                              "use --dataflow resident"};
  return std::nullopt;
}

}  // namespace

Dataflow parse_dataflow(const std::string& name) {
  if (name.empty() || name == "streamed") return Dataflow::kStreamed;
  if (name == "resident") return Dataflow::kResident;
  throw Error("--dataflow", "'" + name + "' is unknown", "choose resident or streamed");
}

std::optional<ScaledModelProblem> find_lowering_problem(const ScaledModel& model, const CacheForms& cache, Dataflow dataflow) {
  const std::string cure = "run it with --engine cpu";
  const auto problem = [&](const std::string& where, const std::string& what) { return ScaledModelProblem{where, what, cure}; };
  uint64_t weights = model.head.map.outputs() * model.head.map.inputs();
  const auto count = [&](const LinearMap& map) { weights += map.outputs() * map.inputs(); };
  for (const ScaledLayer& layer : model.layers) {
    if (const auto* a = std::get_if<SoftmaxAttention>(&layer))
      for (const LinearMap* map : {&a->query, &a->key, &a->value, &a->output}) count(*map);
    else
      for (const LinearMap* map :
           {&std::get<GatedFeedForward>(layer).gate, &std::get<GatedFeedForward>(layer).up, &std::get<GatedFeedForward>(layer).down})
        count(*map);
  }
  if (dataflow == Dataflow::kResident && weights > kMostWeights)
    return ScaledModelProblem{model.name, fmt::format("it has {} weights, and each needs its own cells: at most {}", weights, kMostWeights),
                              "use --dataflow streamed"};
  if (cache != CacheForms{}) return problem("--kv", "kernels only cache keys and values as k=8:shift,v=8:shift so far");
  constexpr int64_t kMostEps = (int64_t{1} << kEpsBits) - 1;
  if (model.stream_eps > kMostEps) return problem(model.name, fmt::format("kernels take an eps of at most {} bits", kEpsBits));
  if (model.rope_interleaved) return problem(model.name, "kernels only turn rotary pairs (j, j + half) so far");
  for (const ScaledLayer& layer : model.layers) {
    if (const auto* a = std::get_if<SoftmaxAttention>(&layer)) {
      if (a->output_eps > kMostEps) return problem(a->input.name, fmt::format("kernels take an eps of at most {} bits", kEpsBits));
      if (!a->sub_norm || a->query_norm || a->key_norm)
        return problem(a->input.name, "kernels only support attention with a sub-norm and without head norms so far");
      for (const LinearMap* map : {&a->query, &a->key, &a->value, &a->output})
        if (const auto p = find_matrix_problem(*map, dataflow)) return p;
    } else {
      const auto& f = std::get<GatedFeedForward>(layer);
      if (!f.sub_norm || f.function != GateFunction::kReluSquared)
        return problem(f.input.name, "kernels only support the gate ReLU squared with a sub-norm so far");
      for (const LinearMap* map : {&f.gate, &f.up, &f.down})
        if (const auto p = find_matrix_problem(*map, dataflow)) return p;
    }
  }
  const LinearMap& head = model.head.map;
  if (model.head.grouped || head.group != 0 || head.scales.empty() || head.low_rank || head.adapter)
    return problem(head.name, "kernels only support a head of bytes with one scale per row so far");
  return std::nullopt;
}

Scalar logit_unit(const Program& program, const HostTrace& trace, int position) {
  for (size_t t = 0; t < program.tensors.size(); ++t)
    if (program.tensors[t].name == kLogitUnit) return scalar_of_code(trace.at(program, int_of(t), position, 0));
  return {};
}

Program lower_scaled(const ScaledModel& model, const CacheForms& cache, const LowerScaledParams& params) {
  if (const auto p = find_lowering_problem(model, cache, params.dataflow)) throw Error(p->where, p->problem, p->cure);
  return Lowering(model, params).run();
}

}  // namespace bitgrid::scales
