// Whether a checkpoint has what its graph needs, and nothing that the graph would leave out.
#include <fmt/format.h>

#include <map>
#include <set>

#include "frontend/checkpoint/convert.h"

namespace bitgrid::frontend {

namespace {

using TensorsByName = std::map<std::string, const CheckpointTensor*>;

constexpr char kIntact[] = "take an intact file";

/// What a tensor of the graph has to be.
struct Need {
  std::string name;  // canonical
  uint64_t rows = 0, columns = 0;
  bool is_matrix = false;  // of one or two bits
};

struct Needs {
  std::vector<Need> must;
  std::vector<Need> may;
};

void add_layer(const GraphConfig& g, const std::string& layer, Needs& needs) {
  const uint64_t wide = g.heads * g.head_width, narrow = g.kv_heads * g.head_width;
  const auto matrix = [&](const std::string& name, uint64_t rows, uint64_t columns) {
    needs.must.push_back({layer + name + ".weight", rows, columns, true});
  };
  needs.must.push_back({layer + "input_layernorm.weight", 1, g.width});
  needs.must.push_back({layer + "post_attention_layernorm.weight", 1, g.width});
  matrix("self_attn.q_proj", wide, g.width);
  matrix("self_attn.k_proj", narrow, g.width);
  matrix("self_attn.v_proj", narrow, g.width);
  matrix("self_attn.o_proj", g.width, wide);
  matrix("mlp.gate_proj", g.hidden, g.width);
  matrix("mlp.up_proj", g.hidden, g.width);
  matrix("mlp.down_proj", g.width, g.hidden);
  std::vector<Need>& sub = g.architecture == "bitnet" ? needs.must : needs.may;
  sub.push_back({layer + "self_attn.attn_sub_norm.weight", 1, wide});
  sub.push_back({layer + "mlp.ffn_sub_norm.weight", 1, g.hidden});
  std::vector<Need>& heads = g.architecture == "qwen3" ? needs.must : needs.may;
  heads.push_back({layer + "self_attn.q_norm.weight", 1, g.head_width});
  heads.push_back({layer + "self_attn.k_norm.weight", 1, g.head_width});
}

Needs needs_of(const GraphConfig& g) {
  Needs needs;
  needs.must.push_back({"model.embed_tokens.weight", g.vocabulary, g.width});
  needs.must.push_back({"model.norm.weight", 1, g.width});
  (g.tied ? needs.may : needs.must).push_back({"lm_head.weight", g.vocabulary, g.width});
  for (uint64_t n = 0; n < g.layers; ++n) add_layer(g, fmt::format("model.layers.{}.", n), needs);
  return needs;
}

std::optional<Refusal> check_tensor(const Need& need, const CheckpointTensor& t) {
  if (t.shape.size() > 2)
    return Refusal{
        fmt::format("{}: it has {} dimensions, but the graph needs {} x {} numbers", t.where, t.shape.size(), need.rows, need.columns),
        kIntact};
  if (t.rows() != need.rows || t.columns() != need.columns)
    return Refusal{
        fmt::format("{}: it has {} x {} numbers, but the graph needs {} x {}", t.where, t.rows(), t.columns(), need.rows, need.columns),
        kIntact};
  if (need.is_matrix && t.values == StoredValues::kFloat)
    return Refusal{fmt::format("{}: its type is {}, which has more than two bits per weight", t.where, t.stored),
                   "take a file of 1-bit or ternary weights, such as Q1_0, Q2_0, TQ1_0, TQ2_0 or I2_S"};
  return std::nullopt;
}

/// False for what is not a number.
bool within(double value, double least, double most) {
  return value >= least && value <= most;
}

bool makes_sense(const RopeScaling& s) {
  if (!within(s.factor, 1.0, 1e9)) return false;
  if (s.type == "linear") return true;
  if (!within(s.original_context, 1.0, 1e12)) return false;
  if (s.type == "yarn") return within(s.beta_fast, 1e-9, 1e9) && within(s.beta_slow, 1e-9, 1e9) && within(s.attention_factor, 0.0, 1e6);
  return within(s.low_frequency_factor, 1e-9, 1e9) && within(s.high_frequency_factor, 1e-9, 1e9) &&
         s.low_frequency_factor < s.high_frequency_factor;
}

std::optional<Refusal> check_sizes(const GraphConfig& g) {
  const auto refuse = [](const std::string& why) { return Refusal{why, "correct the metadata, or take an intact file"}; };
  if (g.layers == 0 || g.width == 0 || g.hidden == 0 || g.vocabulary == 0 || g.context == 0)
    return refuse(fmt::format("a size of the graph is 0: {} layers, width {}, hidden {}, vocabulary {}, context {}", g.layers, g.width,
                              g.hidden, g.vocabulary, g.context));
  if (g.layers > 1024) return refuse(fmt::format("{} layers are more than 1024", g.layers));
  if (g.heads == 0 || g.kv_heads == 0 || g.heads % g.kv_heads != 0)
    return refuse(fmt::format("{} heads cannot share {} heads of keys and values", g.heads, g.kv_heads));
  if (g.head_width == 0 || g.head_width % 2 != 0 || g.head_width > 1024)
    return refuse(fmt::format("heads of width {} cannot be turned in pairs", g.head_width));
  if (!(g.rope_theta > 1.0 && g.rope_theta <= 1e30) || !(g.eps >= 0.0) || !(g.eps < 1.0))
    return refuse(fmt::format("rope_theta {} or eps {} make no sense", g.rope_theta, g.eps));
  if (!g.rope_factors.empty() && g.rope_factors.size() != g.head_width / 2)
    return refuse(fmt::format("{} factors of rotary positions are for {} pairs", g.rope_factors.size(), g.head_width / 2));
  if (g.rope_scaling && !makes_sense(*g.rope_scaling))
    return refuse("the numbers of the rotary scaling '" + g.rope_scaling->type + "' make no sense");
  return std::nullopt;
}

/// All matrices with groups have the same, and it divides their inputs.
std::optional<Refusal> check_groups(const TensorsByName& tensors, const Needs& needs) {
  const CheckpointTensor* first = nullptr;
  for (const Need& need : needs.must) {
    const CheckpointTensor& t = *tensors.at(need.name);
    if (!need.is_matrix || t.sharing != ScaleSharing::kGroup) continue;
    if (first == nullptr) first = &t;
    if (t.group != first->group)
      return Refusal{fmt::format("{}: its scales belong to groups of {} inputs, those of {} to groups of {}", t.where, t.group, first->name,
                                 first->group),
                     "take a file of one type"};
  }
  if (first == nullptr) return std::nullopt;
  for (const Need& need : needs.must)
    if (need.is_matrix && need.columns % first->group != 0)
      return Refusal{fmt::format("{}: {} inputs do not divide into groups of {}", tensors.at(need.name)->where, need.columns, first->group),
                     "take a file of another type"};
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> find_refusal(const Checkpoint& checkpoint) {
  if (checkpoint.refusal) return checkpoint.refusal;
  if (const auto r = check_sizes(checkpoint.graph)) return r;
  const Needs needs = needs_of(checkpoint.graph);
  TensorsByName tensors;
  for (const CheckpointTensor& t : checkpoint.tensors) {
    if (t.canonical.empty())
      return Refusal{t.where + ": the graph of " + checkpoint.graph.architecture + " does not read it, and would compute something else",
                     "take a file of the plain graph"};
    tensors[t.canonical] = &t;
  }
  std::set<std::string> known;
  for (const Need& need : needs.must) {
    known.insert(need.name);
    const auto it = tensors.find(need.name);
    if (it == tensors.end()) {
      const std::string name = checkpoint.name_in_file != nullptr ? checkpoint.name_in_file(need.name) : need.name;
      return Refusal{"the tensor " + name + " is missing", "take a complete file"};
    }
    if (const auto r = check_tensor(need, *it->second)) return r;
  }
  for (const Need& need : needs.may) {
    known.insert(need.name);
    const auto it = tensors.find(need.name);
    if (it == tensors.end()) continue;
    if (const auto r = check_tensor(need, *it->second)) return r;
  }
  for (const auto& [name, t] : tensors)
    if (!known.contains(name))
      return Refusal{t->where + ": the graph of " + checkpoint.graph.architecture + " does not read it, and would compute something else",
                     "take a file of the plain graph"};
  return check_groups(tensors, needs);
}

}  // namespace bitgrid::frontend
