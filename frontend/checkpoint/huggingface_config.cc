#include "frontend/checkpoint/huggingface_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "frontend/checkpoint/huggingface_keys.h"
#include "frontend/checkpoint/huggingface_parts.h"

namespace bitgrid::frontend {
namespace {

/// What Hugging Face's configuration classes take where config.json says nothing.
struct HfDefaults {
  const char* model_type;
  uint64_t vocabulary, width, hidden, layers, heads;
  uint64_t kv_heads;    // 0: as heads
  uint64_t head_width;  // 0: width / heads
  uint64_t context;
  double eps, rope_theta;
  const char* activation;
  std::optional<int64_t> bos, eos;
};

constexpr std::array<HfDefaults, 3> kHfDefaults = {{
    {"bitnet", 128256, 2560, 6912, 30, 20, 5, 0, 2048, 1e-5, 500000.0, "relu2", 128000, 128001},
    {"qwen3", 151936, 4096, 22016, 32, 32, 32, 128, 32768, 1e-6, 10000.0, "silu", std::nullopt, std::nullopt},
    {"llama", 32000, 4096, 11008, 32, 32, 0, 0, 2048, 1e-6, 10000.0, "silu", 1, 2},
}};

constexpr uint64_t kMostRows = uint64_t{1} << 31;

/// The graph that a class of a model has; "" for others.
std::string graph_of_class(const std::string& name) {
  if (name == "BitNetForCausalLM" || name == "BitnetForCausalLM") return "bitnet";
  if (name == "Qwen3ForCausalLM") return "qwen3";
  if (name == "LlamaForCausalLM") return "llama";
  return "";
}

std::string first_class(const HfKeys& keys) {
  const nlohmann::json* list = keys.find("architectures");
  if (!list) return "";
  if (!list->is_array() || (!list->empty() && !list->front().is_string())) keys.fail("architectures", "is not a list of names");
  return list->empty() ? "" : list->front().get<std::string>();
}

/// Graph and defaults. The class decides: the first BitNet models are of model_type "llama" and class BitnetForCausalLM.
const HfDefaults* choose_graph(const HfKeys& keys, HfConfig& config) {
  const std::string type = keys.text("model_type").value_or(""), name = first_class(keys), graph = graph_of_class(name);
  const auto row = [](const std::string& of) -> const HfDefaults* {
    const auto at = std::find_if(kHfDefaults.begin(), kHfDefaults.end(), [&](const HfDefaults& d) { return d.model_type == of; });
    return at == kHfDefaults.end() ? nullptr : &*at;
  };
  const HfDefaults* defaults = row(type);
  config.graph.architecture = !graph.empty() ? graph : type;
  if (!name.empty() && graph.empty()) {
    config.graph.architecture = type.empty() ? name : type;
    refuse(config, fmt::format("models of the class {} are not read", name),
           "take a model of the classes BitNetForCausalLM, Qwen3ForCausalLM or LlamaForCausalLM");
  } else if (!defaults && (graph.empty() || !type.empty())) {
    refuse(config,
           type.empty() ? "config.json names neither a model_type nor a class in architectures"
                        : fmt::format("models of the type {} are not read", type),
           "take a model of the types bitnet, qwen3 or llama");
  } else if (defaults && !graph.empty() && graph != type && !(graph == "bitnet" && type == "llama")) {
    refuse(config, fmt::format("config.json contradicts itself: model_type {}, but the class {} in architectures", type, name),
           "correct the one that is wrong");
  }
  return defaults ? defaults : row(graph);
}

/// Numbers with their defaults, whose use is noted.
class Sizes {
 public:
  explicit Sizes(const HfKeys& keys) : keys_(keys) {}
  uint64_t whole(const char* key, uint64_t most, uint64_t otherwise) { return noted(key, keys_.whole(key, 1, most), otherwise); }
  double number(const char* key, double least, double most, double otherwise) {
    return noted(key, keys_.number(key, least, most), otherwise);
  }
  const std::string& missing() const { return missing_; }

 private:
  template <typename T>
  T noted(const char* key, std::optional<T> value, T otherwise) {
    if (!value) missing_ += (missing_.empty() ? "" : ", ") + fmt::format("{} {}", key, otherwise);
    return value.value_or(otherwise);
  }
  const HfKeys& keys_;
  std::string missing_;
};

void read_sizes(const HfKeys& keys, const HfDefaults& d, HfConfig& config) {
  GraphConfig& g = config.graph;
  Sizes sizes(keys);
  g.vocabulary = sizes.whole("vocab_size", kMostRows, d.vocabulary);
  g.width = sizes.whole("hidden_size", kMostRows, d.width);
  g.hidden = sizes.whole("intermediate_size", kMostRows, d.hidden);
  g.layers = sizes.whole("num_hidden_layers", 4096, d.layers);
  g.heads = sizes.whole("num_attention_heads", 65536, d.heads);
  g.kv_heads = sizes.whole("num_key_value_heads", 65536, d.kv_heads ? d.kv_heads : g.heads);
  g.context = sizes.whole("max_position_embeddings", kMostRows, d.context);
  g.eps = sizes.number("rms_norm_eps", 0.0, 1.0, d.eps);
  if (g.heads % g.kv_heads != 0)
    keys.fail("num_key_value_heads", fmt::format("{} does not divide the {} attention heads", g.kv_heads, g.heads));
  const auto head_width = keys.whole("head_dim", 1, 65536);
  if (!head_width && !d.head_width && g.width % g.heads != 0)
    keys.fail("num_attention_heads", fmt::format("{} does not divide the hidden_size of {}, and head_dim is absent", g.heads, g.width));
  g.head_width = head_width.value_or(d.head_width ? d.head_width : g.width / g.heads);
  if (g.head_width % 2 != 0) keys.fail("head_dim", fmt::format("is {}, but rotary positions need an even number", g.head_width));
  if (!sizes.missing().empty())
    config.notes.push_back(fmt::format("config.json does not state these, so Hugging Face's defaults are used: {}", sizes.missing()));
}

void read_gate(const HfKeys& keys, const HfDefaults& d, const CheckpointParams& params, HfConfig& config) {
  const auto stated = keys.text("hidden_act");
  const std::string name = stated.value_or(d.activation);
  GraphConfig& g = config.graph;
  g.gate = name == "relu2" ? Gate::kReluSquared : Gate::kSilu;
  g.gate_from = stated ? "hidden_act of config.json" : "Hugging Face's default, since config.json has no hidden_act";
  if (params.gate) {
    g.gate = *params.gate;
    g.gate_from = "--activation";
  } else if (name != "relu2" && name != "silu" && name != "swish") {
    refuse(config, fmt::format("its hidden_act is {}", name),
           "relu2 and silu are known; --activation relu2|silu selects one of them anyway");
  }
}

/// What would change the graph and is not read.
void refuse_other_graphs(const HfKeys& keys, HfConfig& config) {
  for (const char* key : {"attention_bias", "mlp_bias", "qkv_bias"})
    if (keys.flag(key).value_or(false))
      refuse(config, fmt::format("{} is true: its linear maps have biases", key), "models with biases are not read; take one without");
  for (const auto& [key, bits] : {std::pair<const char*, uint64_t>{"weight_bits", 1}, {"input_bits", 8}}) {
    const auto stated = keys.whole(key, 0, 64);
    if (stated.value_or(bits) != bits)
      refuse(config, fmt::format("{} is {}", key, *stated), fmt::format("models with {} {} are read", key, bits));
  }
  refuse_windows(keys, config);
}

}  // namespace

void refuse(HfConfig& config, std::string why, std::string cure) {
  if (!config.refusal) config.refusal = Refusal{std::move(why), std::move(cure)};
}

HfConfig parse_hf_config(std::string_view text, const std::string& path, const CheckpointParams& params) {
  const nlohmann::json object = parse_hf_object(text, path);
  const HfKeys keys(object, path);
  HfConfig config;
  const HfDefaults* defaults = choose_graph(keys, config);
  if (!defaults) return config;
  read_sizes(keys, *defaults, config);
  read_rotary(keys, defaults->rope_theta, config);
  read_gate(keys, *defaults, params, config);
  config.graph.tied = keys.flag("tie_word_embeddings").value_or(false);
  refuse_other_graphs(keys, config);
  read_quantization(keys, config);
  const std::vector<int64_t> bos = hf_token_ids(keys, "bos_token_id");
  config.bos = keys.states("bos_token_id") ? (bos.empty() ? std::nullopt : std::optional(bos.front())) : defaults->bos;
  config.eos = hf_token_ids(keys, "eos_token_id");
  if (!keys.states("eos_token_id") && defaults->eos) config.eos = {*defaults->eos};
  const auto outside = [&](int64_t id) { return static_cast<uint64_t>(id) >= config.graph.vocabulary; };
  std::erase_if(config.eos, outside);
  if (config.bos && outside(*config.bos)) config.bos = std::nullopt;
  return config;
}

}  // namespace bitgrid::frontend
