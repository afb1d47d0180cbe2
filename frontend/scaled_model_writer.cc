// Models with scales to model.yaml and weights.safetensors.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "frontend/safetensors_writer.h"
#include "frontend/scaled_model_file.h"
#include "frontend/tokenizer/source_text.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/output_file.h"

namespace bitgrid::frontend {

namespace {

/// A name as YAML takes it whatever it is made of; a JSON string is YAML, too.
std::string quoted(const std::string& name) {
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-'; };
  const bool is_plain =
      !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) != 0 && std::all_of(name.begin(), name.end(), plain);
  return is_plain ? name : nlohmann::json(name).dump();
}

std::string text_of(Scalar s) {
  return fmt::format("[{}, {}]", s.m, s.e);
}

/// Collects the tensors of the weights file while the text of model.yaml grows.
class Writer {
 public:
  explicit Writer(const ScaledModel& model) : model_(model) {}
  std::string yaml(const std::string& name);
  const std::vector<WrittenTensor>& tensors() const { return tensors_; }

 private:
  template <typename T>
  std::string vector_tensor(const std::string& name, const std::vector<T>& values, DType dtype, std::vector<uint64_t> shape = {});
  std::string weights_tensor(const std::string& name, const PackedWeights& weights);
  std::string fixed(const std::string& name, const FixedVector& v);
  std::string norm(const Norm& norm);
  std::string map(const LinearMap& map);
  std::string layer(const SoftmaxAttention& a);
  std::string layer(const GatedFeedForward& f);
  std::string tables();

  const ScaledModel& model_;
  std::vector<WrittenTensor> tensors_;
};

template <typename T>
std::string Writer::vector_tensor(const std::string& name, const std::vector<T>& values, DType dtype, std::vector<uint64_t> shape) {
  if (shape.empty()) shape = {values.size()};
  const uint64_t columns = shape.size() == 2 ? shape[1] : 1;
  const unsigned bytes = dtype_info(dtype).bytes;
  tensors_.push_back({name, dtype, shape, [&values, columns, bytes](uint64_t r, std::string& out) {
                        for (uint64_t c = 0; c < columns; ++c)
                          append_little_endian(out, static_cast<uint64_t>(static_cast<int64_t>(values[r * columns + c])), bytes);
                      }});
  return quoted(name);
}

std::string values_name(const PackedWeights& w) {
  return w.storage() == WeightStorage::kOneBit ? "binary" : w.storage() == WeightStorage::kTwoBits ? "int2" : "int8";
}

std::string Writer::weights_tensor(const std::string& name, const PackedWeights& weights) {
  tensors_.push_back({name, DType::kI8, {weights.rows(), weights.columns()}, [&weights](uint64_t r, std::string& out) {
                        std::vector<int8_t> row(weights.columns());
                        weights.unpack(r, row);
                        out.append(reinterpret_cast<const char*>(row.data()), row.size());
                      }});
  return quoted(name);
}

std::string Writer::fixed(const std::string& name, const FixedVector& v) {
  return fmt::format("{{values: {}, fraction: {}}}", vector_tensor(name, v.values, DType::kI32), v.fraction);
}

std::string Writer::norm(const Norm& n) {
  return fmt::format("{{name: {}, gain: {}, code_bits: {}, code_scale: {}, root_width: {}, eps: {}}}", quoted(n.name),
                     fixed(n.name, n.gain), n.code_bits, text_of(n.code_scale), text_of(n.root_width), text_of(n.eps));
}

std::string Writer::map(const LinearMap& m) {
  std::string text = fmt::format("{{name: {}, weights: {}, values: {}, scale: {}", quoted(m.name),
                                 weights_tensor(m.name + ".weight", *m.weights), values_name(*m.weights), text_of(m.scale));
  if (m.low_rank)
    text += fmt::format(", low_rank: {}, low_rank_values: {}", weights_tensor(m.name + ".low_rank", *m.low_rank), values_name(*m.low_rank));
  if (m.group != 0) {
    const std::vector<uint64_t> shape = {m.outputs(), m.inputs() / m.group};
    text += fmt::format(", group: {}, scales: {}", m.group, vector_tensor(m.name + ".scales", m.scales, DType::kI16, shape));
    if (!m.zeros.empty()) text += fmt::format(", zeros: {}", vector_tensor(m.name + ".zeros", m.zeros, DType::kI32, shape));
  } else if (!m.scales.empty()) {
    text += fmt::format(", scales: {}", vector_tensor(m.name + ".scales", m.scales, DType::kI16));
  }
  if (m.adapter) {
    const Adapter& a = *m.adapter;
    text += fmt::format(", adapter: {{a: {}, b: {}, a_scales: {}, b_scales: {}, alpha: {}}}", weights_tensor(m.name + ".adapter_a", *a.a),
                        weights_tensor(m.name + ".adapter_b", *a.b), fixed(m.name + ".adapter_a_scales", a.a_scales),
                        fixed(m.name + ".adapter_b_scales", a.b_scales), text_of(a.alpha));
  }
  return text + "}";
}

std::string Writer::layer(const SoftmaxAttention& a) {
  std::string text = fmt::format(
      "  - type: softmax_attention\n    input: {}\n    query: {}\n    key: {}\n    value: {}\n    output: {}\n    key_fraction: {}\n"
      "    value_fraction: {}\n    output_eps: {}\n    rotated_output_eps: {}\n",
      norm(a.input), map(a.query), map(a.key), map(a.value), map(a.output), a.key_fraction, a.value_fraction, a.output_eps,
      a.rotated_output_eps);
  if (a.query_norm) text += "    query_norm: " + norm(*a.query_norm) + "\n";
  if (a.key_norm) text += "    key_norm: " + norm(*a.key_norm) + "\n";
  if (a.sub_norm) text += "    sub_norm: " + norm(*a.sub_norm) + "\n";
  if (a.output_gain) text += "    output_gain: " + fixed(a.output.name + ".gain", *a.output_gain) + "\n";
  return text;
}

std::string Writer::layer(const GatedFeedForward& f) {
  std::string text = fmt::format("  - type: gated_feedforward\n    input: {}\n    gate: {}\n    up: {}\n    down: {}\n    function: {}\n",
                                 norm(f.input), map(f.gate), map(f.up), map(f.down), f.function == GateFunction::kSilu ? "silu" : "relu2");
  if (f.sub_norm) text += "    sub_norm: " + norm(*f.sub_norm) + "\n";
  if (f.down_gain) text += "    down_gain: " + fixed(f.down.name + ".gain", *f.down_gain) + "\n";
  return text;
}

std::string Writer::tables() {
  const ScaledTables& t = model_.tables;
  const std::vector<uint64_t> turns = {model_.context, model_.head_width / 2};
  std::string steps;
  for (const Scalar s : t.mean_step) steps += (steps.empty() ? "" : ", ") + text_of(s);
  return fmt::format(
      "tables:\n  cosine: {}\n  sine: {}\n  exponential: {}\n  sigmoid: {}\n  sampling: {}\n  softmax: {}\n  one_over_127: {}\n"
      "  mean_step: [{}]\n",
      vector_tensor("tables.cosine", t.cosine, DType::kI16, turns), vector_tensor("tables.sine", t.sine, DType::kI16, turns),
      vector_tensor("tables.exponential", t.exponential, DType::kI32), vector_tensor("tables.sigmoid", t.sigmoid, DType::kI32),
      vector_tensor("tables.sampling", t.sampling, DType::kI32), text_of(t.softmax), text_of(t.one_over_127), steps);
}

std::string Writer::yaml(const std::string& name) {
  const StreamEmbedding& e = model_.embedding;
  tensors_.push_back({"model.embed_tokens", DType::kI32, {e.vocabulary, model_.width}, [this](uint64_t r, std::string& out) {
                        std::vector<int64_t> row(model_.width);
                        model_.embedding.row(r, row);
                        for (const int64_t v : row) append_little_endian(out, static_cast<uint64_t>(v), 4);
                      }});
  std::string text = fmt::format(
      "format: bitgrid-scaled-model-1\nname: {}\narchitecture: {}\nweights: weights.safetensors\nwidth: {}\nheads: {}\nkv_heads: {}\n"
      "head_width: {}\ncontext: {}\nactivation_group: {}\nrotary_pairs: {}\nstream_eps: {}\n"
      "embedding: {{tensor: model.embed_tokens, fraction: {}}}\n",
      quoted(name), quoted(model_.architecture), model_.width, model_.heads, model_.kv_heads, model_.head_width, model_.context,
      model_.activation_group, model_.rope_interleaved ? "neighbours" : "halves", model_.stream_eps, e.fraction);
  text += tables() + "layers:\n";
  for (const ScaledLayer& l : model_.layers) text += std::visit([&](const auto& x) { return layer(x); }, l);
  text += fmt::format("head:\n  norm: {}\n  grouped: {}\n  map: {}\n", norm(model_.head.norm), model_.head.grouped, map(model_.head.map));
  return text;
}

/// A name of letters, digits, '-', '_' and '.'.
std::string plain_name(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  if (name.empty()) name = std::filesystem::path(path).parent_path().filename().string();
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_' && c != '.') c = '-';
  return name.empty() || name[0] == '.' ? "model" : name.substr(0, 64);
}

}  // namespace

void write_scaled_model(const std::string& folder, const ScaledModel& model, const TokenizerSource& tokenizer) {
  Writer writer(model);
  std::string yaml = writer.yaml(plain_name(model.name));
  if (tokenizer.kind != TokenizerSource::Kind::kNone) yaml += "tokenizer: tokenizer.json\n";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(folder, "the folder cannot be created: " + error.message(), "choose another one");
  OutputFile weights(folder + "/weights.safetensors"), text(folder + "/model.yaml");
  write_safetensors(weights, writer.tensors());
  text.write(yaml);
  weights.close();
  text.close();
  if (tokenizer.kind != TokenizerSource::Kind::kNone) write_file(folder + "/tokenizer.json", print_tokenizer_source(tokenizer));
  weights.finish();
  text.finish();
}

}  // namespace bitgrid::frontend
