#include "frontend/checkpoint/float_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "frontend/checkpoint/convert.h"
#include "ir/error.h"
#include "ir/parallel.h"

namespace bitgrid::frontend {

namespace {

using Vec = std::vector<double>;

constexpr size_t kFloatRowsAtOnce = 64;

/// y_r = factor(r) * row r . x: `row` gives row r.
template <typename Row>
FloatMap rows_map(size_t rows, size_t columns, int threads, Row row) {
  return [=](std::span<const double> x) {
    Vec y(rows);
    parallel_for((rows + kFloatRowsAtOnce - 1) / kFloatRowsAtOnce, rows * columns < (size_t{1} << 16) ? 1 : threads, [&](size_t part) {
      Vec weights(columns);
      for (size_t r = part * kFloatRowsAtOnce; r < std::min(rows, (part + 1) * kFloatRowsAtOnce); ++r) {
        row(r, weights);
        double sum = 0.0;
        for (size_t c = 0; c < columns; ++c) sum += weights[c] * x[c];
        y[r] = sum;
      }
    });
    return y;
  };
}

/// A tensor's row in double: codes times the exact scale where one serves the tensor.
void tensor_row(const CheckpointTensor& t, size_t r, std::span<double> out) {
  std::vector<float> row(out.size());
  if (t.sharing != ScaleSharing::kTensor || !t.codes) {
    t.floats(r, row);
    std::copy(row.begin(), row.end(), out.begin());
    return;
  }
  std::vector<int8_t> codes(out.size());
  t.codes(r, codes, std::span(row).first(1));
  for (size_t c = 0; c < out.size(); ++c) out[c] = codes[c] * t.tensor_scale;
}

FloatMap tensor_map(const CheckpointTensor& t, int threads) {
  return rows_map(t.rows(), t.columns(), threads, [&t](size_t r, std::span<double> row) { tensor_row(t, r, row); });
}

struct FloatTensors {
  std::map<std::string, const CheckpointTensor*> by_name;

  Vec gains(const std::string& name) const {
    const auto it = by_name.find(name + ".weight");
    if (it == by_name.end()) return {};
    Vec out(it->second->columns());
    tensor_row(*it->second, 0, out);
    return out;
  }
  FloatMap map(const std::string& name, int threads) const { return tensor_map(*by_name.at(name + ".weight"), threads); }
};

FloatLayer float_layer(const FloatTensors& tensors, const std::string& name, const GraphConfig& graph, int threads) {
  FloatLayer l;
  l.input_norm = tensors.gains(name + "input_layernorm");
  l.post_norm = tensors.gains(name + "post_attention_layernorm");
  l.query_norm = tensors.gains(name + "self_attn.q_norm");
  l.key_norm = tensors.gains(name + "self_attn.k_norm");
  l.attention_sub_norm = tensors.gains(name + "self_attn.attn_sub_norm");
  l.feed_forward_sub_norm = tensors.gains(name + "mlp.ffn_sub_norm");
  l.query = tensors.map(name + "self_attn.q_proj", threads);
  l.key = tensors.map(name + "self_attn.k_proj", threads);
  l.value = tensors.map(name + "self_attn.v_proj", threads);
  l.output = tensors.map(name + "self_attn.o_proj", threads);
  l.gate = tensors.map(name + "mlp.gate_proj", threads);
  l.up = tensors.map(name + "mlp.up_proj", threads);
  l.down = tensors.map(name + "mlp.down_proj", threads);
  l.function = graph.gate == Gate::kReluSquared ? GateFunction::kReluSquared : GateFunction::kSilu;
  return l;
}

double value_of(Scalar s) {
  return std::ldexp(static_cast<double>(s.m), static_cast<int>(s.e));
}

Vec values_of(const FixedVector& v) {
  Vec out;
  for (const int32_t x : v.values) out.push_back(std::ldexp(x, -v.fraction));
  return out;
}

/// Rows of packed weights times a factor of each row.
template <typename Factor>
FloatMap packed_map(const PackedWeights& w, int threads, Factor factor) {
  return rows_map(w.rows(), w.columns(), threads, [&w, factor](size_t r, std::span<double> out) {
    std::vector<int8_t> codes(out.size());
    w.unpack(r, codes);
    for (size_t c = 0; c < out.size(); ++c) out[c] = codes[c] * factor(r, c);
  });
}

FloatMap integer_map(const LinearMap& m, int threads) {
  const double scale = value_of(m.scale);
  const size_t groups = m.group == 0 ? 1 : m.inputs() / m.group;
  const auto row_scale = [&m, scale](size_t r, size_t) { return m.scales.empty() ? scale : scale * m.scales[r]; };
  FloatMap map;
  if (m.group == 0) {
    map = packed_map(*m.weights, threads, row_scale);
    if (m.low_rank) {
      const FloatMap inner = packed_map(*m.low_rank, threads, [](size_t, size_t) { return 1.0; });
      map = [outer = map, inner](std::span<const double> x) { return outer(inner(x)); };
    }
  } else {
    map = rows_map(m.outputs(), m.inputs(), threads, [&m, scale, groups](size_t r, std::span<double> out) {
      std::vector<int8_t> codes(out.size());
      m.weights->unpack(r, codes);
      for (size_t c = 0; c < out.size(); ++c) {
        const size_t g = r * groups + c / m.group;
        out[c] = scale * (codes[c] * m.scales[g] + (m.zeros.empty() ? 0 : m.zeros[g]));
      }
    });
  }
  if (!m.adapter) return map;
  const auto rows_of = [threads](const PackedWeights& w, const FixedVector& scales, double factor) {
    return packed_map(w, threads, [&scales, factor](size_t r, size_t) { return factor * std::ldexp(scales.values[r], -scales.fraction); });
  };
  const FloatMap a = rows_of(*m.adapter->a, m.adapter->a_scales, 1.0),
                 b = rows_of(*m.adapter->b, m.adapter->b_scales, value_of(m.adapter->alpha));
  return [map, a, b](std::span<const double> x) {
    Vec y = map(x);
    const Vec more = b(a(x));
    for (size_t i = 0; i < y.size(); ++i) y[i] += more[i];
    return y;
  };
}

void set_attention(FloatLayer& layer, const SoftmaxAttention& a, int threads) {
  layer.input_norm = values_of(a.input.gain);
  if (a.query_norm) layer.query_norm = values_of(a.query_norm->gain);
  if (a.key_norm) layer.key_norm = values_of(a.key_norm->gain);
  if (a.sub_norm) layer.attention_sub_norm = values_of(a.sub_norm->gain);
  if (a.output_gain) layer.output_gain = values_of(*a.output_gain);
  layer.query = integer_map(a.query, threads);
  layer.key = integer_map(a.key, threads);
  layer.value = integer_map(a.value, threads);
  layer.output = integer_map(a.output, threads);
}

void set_feed_forward(FloatLayer& layer, const GatedFeedForward& f, int threads) {
  layer.post_norm = values_of(f.input.gain);
  if (f.sub_norm) layer.feed_forward_sub_norm = values_of(f.sub_norm->gain);
  if (f.down_gain) layer.down_gain = values_of(*f.down_gain);
  layer.gate = integer_map(f.gate, threads);
  layer.up = integer_map(f.up, threads);
  layer.down = integer_map(f.down, threads);
  layer.function = f.function;
}

}  // namespace

FloatModel float_model(const std::shared_ptr<const Checkpoint>& checkpoint, const FloatParams& params) {
  if (const auto refusal = find_refusal(*checkpoint)) throw Error(checkpoint->path, refusal->why, refusal->cure);
  const GraphConfig& g = checkpoint->graph;
  FloatTensors tensors;
  bool grouped = false;
  for (const CheckpointTensor& t : checkpoint->tensors) {
    tensors.by_name[t.canonical] = &t;
    grouped = grouped || (t.sharing == ScaleSharing::kGroup && t.canonical.find("_proj") != std::string::npos);
  }
  FloatModel m;
  m.name = checkpoint->path;
  m.width = g.width, m.heads = g.heads, m.kv_heads = g.kv_heads, m.head_width = g.head_width, m.vocabulary = g.vocabulary;
  m.context = context_of(g, params.context);
  m.eps = g.eps;
  m.rope_interleaved = g.rope_interleaved;
  m.quantised_activations = !grouped;
  const CheckpointTensor& embedding = *tensors.by_name.at("model.embed_tokens.weight");
  m.embedding = [checkpoint, &embedding](size_t token, std::span<double> row) { tensor_row(embedding, token, row); };
  m.rotation = [frequencies = rotary_frequencies(g)](size_t position, std::span<double> cosine, std::span<double> sine) {
    for (size_t i = 0; i < frequencies.size(); ++i) {
      cosine[i] = std::cos(static_cast<double>(position) * frequencies[i]);
      sine[i] = std::sin(static_cast<double>(position) * frequencies[i]);
    }
  };
  const double factor = rotary_tables(g, 0).attention_factor;
  m.attention_scale = factor * factor / std::sqrt(static_cast<double>(g.head_width));
  for (uint64_t n = 0; n < g.layers; ++n) m.layers.push_back(float_layer(tensors, fmt::format("model.layers.{}.", n), g, params.threads));
  m.final_norm = tensors.gains("model.norm");
  const bool own = tensors.by_name.contains("lm_head.weight") && !g.tied;
  m.head = tensors.map(own ? "lm_head" : "model.embed_tokens", params.threads);
  return m;
}

FloatModel float_model(const ScaledModel& model, const FloatParams& params) {
  FloatModel m;
  m.name = model.name;
  m.width = model.width, m.heads = model.heads, m.kv_heads = model.kv_heads, m.head_width = model.head_width;
  m.vocabulary = model.embedding.vocabulary;
  m.context = params.context != 0 ? std::min(params.context, model.context) : model.context;
  m.eps = value_of(model.head.norm.eps) / static_cast<double>(model.width);
  m.rope_interleaved = model.rope_interleaved;
  m.quantised_activations = model.activation_group == 0;
  m.attention_scale = value_of(model.tables.softmax) / (16.0 * std::log2(std::exp(1.0)));
  m.embedding = [&model](size_t token, std::span<double> row) {
    std::vector<int64_t> x(row.size());
    model.embedding.row(token, x);
    for (size_t i = 0; i < x.size(); ++i) row[i] = std::ldexp(static_cast<double>(x[i]), -model.embedding.fraction);
  };
  m.rotation = [&model](size_t position, std::span<double> cosine, std::span<double> sine) {
    for (size_t i = 0; i < cosine.size(); ++i) {
      cosine[i] = model.tables.cosine[position * cosine.size() + i] / 16384.0;
      sine[i] = model.tables.sine[position * sine.size() + i] / 16384.0;
    }
  };
  for (size_t i = 0; i + 1 < model.layers.size(); i += 2) {
    FloatLayer layer;
    set_attention(layer, std::get<SoftmaxAttention>(model.layers[i]), params.threads);
    set_feed_forward(layer, std::get<GatedFeedForward>(model.layers[i + 1]), params.threads);
    m.layers.push_back(std::move(layer));
  }
  m.final_norm = values_of(model.head.norm.gain);
  m.head = integer_map(model.head.map, params.threads);
  return m;
}

}  // namespace bitgrid::frontend
