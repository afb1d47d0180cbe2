// Metadata of a GGUF file -> sizes and choices of the graph, and Hugging Face's names of its tensors.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "frontend/checkpoint/gguf.h"
#include "ir/number.h"
#include "ir/text.h"

namespace bitgrid::frontend {
namespace {

struct GgufArchitecture {
  const char* name;   // general.architecture, which is also what its keys begin with
  const char* graph;  // GraphConfig::architecture
  Gate gate;
  bool interleaved, sub_norms, qk_norms;
};

constexpr GgufArchitecture kArchitectures[] = {
    {"bitnet", "bitnet", Gate::kSilu, false, true, false},  // llama.cpp's older graph
    {"bitnet-b1.58", "bitnet", Gate::kReluSquared, false, true, false},
    {"bitnet-25", "bitnet", Gate::kReluSquared, false, true, false},
    {"qwen3", "qwen3", Gate::kSilu, false, false, true},
    {"llama", "llama", Gate::kSilu, true, false, false},
};

const GgufArchitecture* architecture_of(std::string_view name) {
  for (const GgufArchitecture& a : kArchitectures)
    if (a.name == name) return &a;
  return nullptr;
}

constexpr const char* kConvertAgain = "convert the model again with a current converter, or take another file of it";

/// Reads sizes; what is missing or cannot run becomes the refusal, if it is the first.
struct GgufGraphReader {
  const GgufFile& file;
  std::string prefix;
  std::optional<Refusal>& refusal;

  void refuse(std::string why, std::string cure) {
    if (!refusal) refusal = Refusal{std::move(why), std::move(cure)};
  }

  std::string key(const char* name) const { return prefix + "." + name; }

  /// A size from 1 to 2^31. Some converters list a size for each layer: the same for all, or the graph is another one.
  std::optional<uint64_t> size(const char* name) {
    const std::vector<int64_t> list = gguf_wholes(file, key(name));
    if (list.empty()) return std::nullopt;
    if (std::any_of(list.begin(), list.end(), [&](int64_t n) { return n != list[0]; }))
      refuse(fmt::format("{} differs from layer to layer", key(name)), "take a model whose layers are alike");
    if (list[0] < 1 || list[0] > INT64_C(1) << 31) {
      refuse(fmt::format("{} is {}, not from 1 to 2^31", key(name), list[0]), kConvertAgain);
      return 1;
    }
    return static_cast<uint64_t>(list[0]);
  }

  uint64_t needed(const char* name) {
    const std::optional<uint64_t> found = size(name);
    if (!found) refuse(fmt::format("the key {} is missing", key(name)), kConvertAgain);
    return found.value_or(0);
  }

  /// A finite number above 0.
  std::optional<double> positive(const char* name) {
    const std::optional<double> found = gguf_real(file, key(name));
    if (found && !(std::isfinite(*found) && *found > 0)) refuse(fmt::format("{} is {}, not above 0", key(name), *found), kConvertAgain);
    return found;
  }

  /// What changes the result and the graph does not have: the key, if it is there, must say `none`.
  void must_be(const char* name, uint64_t none, const char* what) {
    const std::optional<uint64_t> found = gguf_whole(file, key(name));
    if (found && *found != none)
      refuse(fmt::format("{} is {}: {}", key(name), *found, what), "take a model that is dense, with full attention and full rotation");
  }
};

void read_heads(GgufGraphReader& in, GraphConfig& graph) {
  graph.heads = in.needed("attention.head_count");
  graph.kv_heads = in.size("attention.head_count_kv").value_or(graph.heads);
  if (const auto width = in.size("attention.key_length")) {
    graph.head_width = *width;
  } else if (graph.heads > 0 && graph.width % graph.heads == 0) {
    graph.head_width = graph.width / graph.heads;
  } else {
    in.refuse(fmt::format("the key {} is missing, and {} is not a multiple of {}", in.key("attention.key_length"),
                          in.key("embedding_length"), in.key("attention.head_count")),
              kConvertAgain);
  }
  if (graph.kv_heads > 0 && graph.heads % graph.kv_heads != 0)
    in.refuse(fmt::format("{} heads cannot share {} heads of keys and values", graph.heads, graph.kv_heads), kConvertAgain);
  in.must_be("attention.value_length", graph.head_width, "keys and values have different widths");
  in.must_be("rope.dimension_count", graph.head_width, "only a part of each head is rotated");
}

void read_rope(GgufGraphReader& in, GraphConfig& graph) {
  graph.rope_theta = in.positive("rope.freq_base").value_or(10000.0);
  const std::string type = gguf_text(in.file, in.key("rope.scaling.type")).value_or("linear");
  double factor = gguf_real(in.file, in.key("rope.scaling.factor")).value_or(gguf_real(in.file, in.key("rope.scale_linear")).value_or(1.0));
  if (factor == 0.0) factor = 1.0;  // llama.cpp reads it so
  if (!(std::isfinite(factor) && factor > 0)) in.refuse(fmt::format("{} is {}", in.key("rope.scaling.factor"), factor), kConvertAgain);
  if (type == "none" || (type == "linear" && factor == 1.0)) return;
  RopeScaling scaling;
  scaling.type = type;
  scaling.factor = factor;
  if (type == "yarn") {
    scaling.original_context = static_cast<double>(in.needed("rope.scaling.original_context_length"));
    scaling.beta_fast = in.positive("rope.scaling.yarn_beta_fast").value_or(32.0);
    scaling.beta_slow = in.positive("rope.scaling.yarn_beta_slow").value_or(1.0);
    // This one multiplies what the factor gives.
    const double attention = in.positive("rope.scaling.attn_factor").value_or(in.positive("rope.scaling.yarn_attn_factor").value_or(1.0));
    if (attention != 1.0) scaling.attention_factor = attention * (0.1 * std::log(factor) + 1.0);
  } else if (type != "linear") {
    in.refuse(fmt::format("{} is \"{}\", which is not known here", in.key("rope.scaling.type"), printable(type)),
              "take a model whose rotary positions are scaled by yarn or linear, or not at all");
  }
  graph.rope_scaling = scaling;
}

void read_vocabulary(GgufGraphReader& in, GraphConfig& graph, uint64_t rows) {
  graph.vocabulary = rows;
  if (rows == 0) in.refuse("the tensor token_embd.weight is missing", "take the file of the whole model, not of a part");
  const std::optional<uint64_t> stated = in.size("vocab_size");
  if (rows != 0 && stated && *stated != rows)
    in.refuse(fmt::format("{} is {}, but token_embd.weight has {} rows", in.key("vocab_size"), *stated, rows), kConvertAgain);
  const auto tokens = in.file.metadata.find("tokenizer.ggml.tokens");
  if (rows != 0 && tokens != in.file.metadata.end() && tokens->second.count > rows)
    in.refuse(fmt::format("the tokenizer has {} tokens, but token_embd.weight has {} rows", tokens->second.count, rows), kConvertAgain);
}

/// Weights behind a transform that other programs apply to activations.
void refuse_rotations(GgufGraphReader& in) {
  for (const auto& [key, value] : in.file.metadata) {
    if (!key.starts_with("prism.")) continue;
    if (key.starts_with("prism.hadamard."))
      in.refuse(fmt::format("the key {} declares rotated weights, and rotated weights are not run yet", key),
                "take the unrotated file of the same model, Q2_0 (_g64) or Q1_0");
    else
      in.refuse(fmt::format("the key {} is not known here: it may change what the weights mean", key),
                "take the Q2_0 (_g64) or Q1_0 file of the same model");
  }
}

std::string names_of_architectures() {
  std::string names;
  for (const GgufArchitecture& a : kArchitectures) names += (names.empty() ? "" : ", ") + std::string(a.name);
  return names;
}

/// What tensors are called in GGUF files and by Hugging Face.
struct NamePair {
  const char *gguf, *hugging_face;
};
constexpr NamePair kWholeNames[] = {{"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}, {"output", "lm_head"}};
constexpr NamePair kLayerNames[] = {
    {"attn_norm", "input_layernorm"}, {"attn_q", "self_attn.q_proj"},      {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},   {"attn_output", "self_attn.o_proj"}, {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},    {"ffn_up", "mlp.up_proj"},           {"ffn_down", "mlp.down_proj"}};
constexpr NamePair kSubNormNames[] = {{"attn_sub_norm", "self_attn.attn_sub_norm"}, {"ffn_sub_norm", "mlp.ffn_sub_norm"}};
constexpr NamePair kHeadNormNames[] = {{"attn_q_norm", "self_attn.q_norm"}, {"attn_k_norm", "self_attn.k_norm"}};

}  // namespace

bool gguf_runs(std::string_view architecture) {
  return architecture_of(architecture) != nullptr;
}

GraphConfig gguf_graph(const GgufFile& file, const CheckpointParams& params, uint64_t vocabulary, std::optional<Refusal>& refusal) {
  GraphConfig graph;
  const std::string name = gguf_text(file, "general.architecture").value_or("");
  GgufGraphReader in{file, name, refusal};
  const GgufArchitecture* architecture = architecture_of(name);
  graph.architecture = architecture ? architecture->graph : printable(name);
  if (name.empty()) in.refuse("the key general.architecture is missing", kConvertAgain);
  if (!architecture) {
    in.refuse(fmt::format("the architecture \"{}\" is not run", graph.architecture), "take a model of these: " + names_of_architectures());
    return graph;
  }
  refuse_rotations(in);
  graph.rope_interleaved = architecture->interleaved;
  graph.gate = params.gate.value_or(architecture->gate);
  graph.gate_from = params.gate ? "--activation" : fmt::format("the architecture {}", name);
  graph.layers = in.needed("block_count");
  graph.width = in.needed("embedding_length");
  graph.hidden = in.needed("feed_forward_length");
  graph.context = in.needed("context_length");
  read_heads(in, graph);
  const std::optional<double> eps = in.positive("attention.layer_norm_rms_epsilon");
  if (!eps) in.refuse(fmt::format("the key {} is missing", in.key("attention.layer_norm_rms_epsilon")), kConvertAgain);
  graph.eps = eps.value_or(0.0);
  read_rope(in, graph);
  read_vocabulary(in, graph, vocabulary);
  in.must_be("expert_count", 0, "layers choose among experts");
  in.must_be("attention.sliding_window", 0, "attention only sees a window");
  if (!gguf_bool(file, in.key("attention.causal")).value_or(true))
    in.refuse(in.key("attention.causal") + " is false: positions see later ones", "take a model that generates text");
  return graph;
}

std::string gguf_canonical(std::string_view architecture, uint64_t layers, const std::string& name) {
  constexpr std::string_view kWeight = ".weight", kLayer = "blk.";
  const GgufArchitecture* known = architecture_of(architecture);
  if (!known || !name.ends_with(kWeight)) return "";
  std::string_view stem = name;
  stem.remove_suffix(kWeight.size());
  const auto look = [&](const auto& pairs) -> std::string {
    for (const NamePair& pair : pairs)
      if (pair.gguf == stem) return pair.hugging_face;
    return "";
  };
  if (!stem.starts_with(kLayer)) {
    const std::string found = look(kWholeNames);
    return found.empty() ? "" : found + ".weight";
  }
  stem.remove_prefix(kLayer.size());
  const size_t dot = stem.find('.');
  const auto layer = parse_whole(stem.substr(0, dot), uint64_t{0}, UINT64_MAX);
  if (dot == std::string_view::npos || !layer || *layer >= layers) return "";
  stem.remove_prefix(dot + 1);
  std::string found = look(kLayerNames);
  if (found.empty() && known->sub_norms) found = look(kSubNormNames);
  if (found.empty() && known->qk_norms) found = look(kHeadNormNames);
  return found.empty() ? "" : fmt::format("model.layers.{}.{}.weight", *layer, found);
}

std::string gguf_name(const std::string& canonical) {
  constexpr std::string_view kWeight = ".weight", kLayer = "model.layers.";
  std::string stem = canonical.substr(0, canonical.size() - kWeight.size()), prefix;
  if (stem.starts_with(kLayer)) {
    const size_t dot = stem.find('.', kLayer.size());
    prefix = "blk." + stem.substr(kLayer.size(), dot + 1 - kLayer.size());
    stem.erase(0, dot + 1);
  }
  std::string name = canonical;
  const auto look = [&](const auto& pairs) {
    for (const NamePair& pair : pairs)
      if (pair.hugging_face == stem) name = prefix + pair.gguf + std::string(kWeight);
  };
  look(kWholeNames);
  look(kLayerNames);
  look(kSubNormNames);
  look(kHeadNormNames);
  return name;
}

}  // namespace bitgrid::frontend
