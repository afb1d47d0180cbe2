// bitgrid inspect: what a model file or folder is, and whether it runs.
#include <fmt/format.h>

#include <array>
#include <iostream>
#include <set>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/model_options.h"
#include "cli/network.h"
#include "cli/source.h"
#include "engines/open_model.h"
#include "frontend/checkpoint/convert.h"
#include "frontend/onnx/graph.h"
#include "ir/error.h"

namespace bitgrid::cli {
namespace {

struct InspectOptions {
  Common common;
  std::string model;
  ModelOptions scales;
};

const char* values_text(const frontend::CheckpointTensor& t) {
  switch (t.values) {
    case frontend::StoredValues::kBinary:
      return "-1, 1";
    case frontend::StoredValues::kTernary:
      return "-1, 0, 1";
    case frontend::StoredValues::kInt2:
      return "-1, 0, 1, 2";
    case frontend::StoredValues::kFloat:
      break;
  }
  return "floats";
}

std::string scale_text(const frontend::CheckpointTensor& t) {
  if (!t.scale.empty()) return t.scale;
  switch (t.sharing) {
    case frontend::ScaleSharing::kTensor:
      return fmt::format("one for the tensor, {:.6g}", t.tensor_scale);
    case frontend::ScaleSharing::kRow:
      return "one a row";
    case frontend::ScaleSharing::kGroup:
      return fmt::format("one for {} inputs of a row", t.group);
    case frontend::ScaleSharing::kNone:
      break;
  }
  return "";
}

Json tokenizer_json(const frontend::TokenizerSource& source) {
  const auto tokenizer = frontend::make_tokenizer(source);
  if (!tokenizer) return nullptr;
  Json json = {{"description", tokenizer->description()}, {"tokens", tokenizer->size()}, {"add_bos", tokenizer->add_bos}};
  json["bos"] = nullptr;
  if (tokenizer->bos) json["bos"] = *tokenizer->bos;
  json["eos"] = tokenizer->eos;
  json["chat_template"] = !tokenizer->chat_template.empty();
  return json;
}

Json graph_json(const frontend::GraphConfig& g) {
  Json json = {{"width", g.width},
               {"layers", g.layers},
               {"heads", g.heads},
               {"kv_heads", g.kv_heads},
               {"head_width", g.head_width},
               {"hidden", g.hidden},
               {"vocabulary", g.vocabulary},
               {"context", g.context},
               {"rope_theta", g.rope_theta},
               {"eps", g.eps},
               {"tied", g.tied},
               {"rope_pairs", g.rope_interleaved ? "neighbours" : "halves"},
               {"activation", g.gate == frontend::Gate::kSilu ? "silu" : "relu2"},
               {"activation_from", g.gate_from}};
  if (g.rope_scaling) json["rope_scaling"] = {{"type", g.rope_scaling->type}, {"factor", g.rope_scaling->factor}};
  return json;
}

Json inspect_checkpoint(const frontend::Checkpoint& checkpoint) {
  uint64_t parameters = 0, bytes = 0;
  Json tensors = Json::array();
  for (const frontend::CheckpointTensor& t : checkpoint.tensors) {
    parameters += t.rows() * t.columns();
    bytes += t.bytes;
    tensors.push_back({{"name", t.name}, {"type", t.stored}, {"shape", t.shape}, {"values", values_text(t)}, {"scale", scale_text(t)}});
    if (!t.canonical.empty() && t.canonical != t.name) tensors.back()["role"] = t.canonical;
  }
  std::optional<frontend::Refusal> refusal = frontend::find_refusal(checkpoint);
  Json tokenizer = nullptr;
  try {
    tokenizer = tokenizer_json(checkpoint.tokenizer);
  } catch (const Error& e) {
    if (!refusal)
      refusal =
          frontend::Refusal{std::string("its tokenizer cannot be read: ") + e.what(), "give --prompt-ids with a file that has another one"};
  }
  Json json = {{"format", checkpoint.format}, {"architecture", checkpoint.graph.architecture}, {"runs", !refusal}};
  json["why"] = refusal ? refusal->why : "";
  json["cure"] = refusal ? refusal->cure : "";
  json["parameters"] = parameters;
  json["bits_per_weight"] = parameters == 0 ? 0.0 : 8.0 * static_cast<double>(bytes) / static_cast<double>(parameters);
  json["graph"] = graph_json(checkpoint.graph);
  json["notes"] = checkpoint.said;
  for (const std::string& note : checkpoint.notes) json["notes"].push_back(note);
  json["tensors"] = std::move(tensors);
  json["tokenizer"] = std::move(tokenizer);
  return json;
}

/// A model of our own formats: what runs.
Json inspect_own(const std::string& path) {
  Json json;
  if (engines::is_scaled_model(path)) {
    engines::ScaledSource source(path, {});
    const ScaledModel& m = source.integers();
    Json tensors = Json::array();
    uint64_t parameters = m.embedding.vocabulary * m.width;
    const auto add = [&](const LinearMap& map) {
      parameters += map.outputs() * map.inputs();
      const char* values = map.weights->storage() == WeightStorage::kOneBit    ? "-1, 1"
                           : map.weights->storage() == WeightStorage::kTwoBits ? "-1, 0, 1, 2"
                                                                               : "bytes";
      tensors.push_back({{"name", map.name},
                         {"type", "I8"},
                         {"shape", {map.outputs(), map.inputs()}},
                         {"values", values},
                         {"scale", map.group != 0       ? fmt::format("one for {} inputs of a row", map.group)
                                   : map.scales.empty() ? "one for the tensor"
                                                        : "one a row"}});
    };
    for (const ScaledLayer& l : m.layers) {
      if (const auto* a = std::get_if<SoftmaxAttention>(&l))
        for (const LinearMap* map : {&a->query, &a->key, &a->value, &a->output}) add(*map);
      else
        for (const LinearMap* map :
             {&std::get<GatedFeedForward>(l).gate, &std::get<GatedFeedForward>(l).up, &std::get<GatedFeedForward>(l).down})
          add(*map);
    }
    add(m.head.map);
    json = {{"format", "bitgrid-scaled-model-1"}, {"architecture", m.architecture}, {"runs", true}, {"why", ""}, {"cure", ""},
            {"parameters", parameters},           {"bits_per_weight", 8.0}};
    json["tensors"] = std::move(tensors);
    json["tokenizer"] = nullptr;
    if (const auto* t = source.tokenizer()) json["tokenizer"] = {{"description", t->description()}, {"tokens", t->size()}};
    return json;
  }
  const Model m = read_model(path);
  json = {{"format", "bitgrid-model-1"}, {"architecture", "threshold attention"}, {"runs", true}, {"why", ""}, {"cure", ""}};
  uint64_t parameters = m.vocabulary.size() * static_cast<uint64_t>(m.width) * m.embedding.tables.size();
  Json tensors = Json::array();
  const auto add = [&](const Matrix& w) {
    parameters += w.data.size();
    tensors.push_back({{"name", w.name}, {"type", "I8"}, {"shape", {w.outputs, w.inputs}}, {"values", set_of(w.values)}, {"scale", ""}});
  };
  for (const Layer& l : m.layers) {
    if (const auto* a = std::get_if<Attention>(&l))
      for (const Linear* x : {&a->query, &a->key, &a->value, &a->output}) add(x->weights);
    else if (const auto* f = std::get_if<FeedForward>(&l))
      add(f->up.weights), add(f->down.weights);
    else
      add(std::get<Dense>(l).linear.weights);
  }
  add(m.head.weights);
  json["parameters"] = parameters;
  json["bits_per_weight"] = 8.0;
  json["tensors"] = std::move(tensors);
  json["tokenizer"] = {{"description", "one byte per symbol"}, {"tokens", m.vocabulary.size()}};
  return json;
}

void print(const std::string& path, const Json& j) {
  std::cout << fmt::format("{}: {}, graph {}\n", path, j["format"].get<std::string>(), j["architecture"].get<std::string>());
  std::cout << fmt::format("{:.4g} M parameters, {:.3g} bits each\n", j["parameters"].get<double>() * 1e-6,
                           j["bits_per_weight"].get<double>());
  if (j.contains("graph")) {
    const Json& g = j["graph"];
    std::cout << fmt::format("{} layers of width {}, {} heads of {} ({} of keys and values), hidden {}, vocabulary {}, context {}\n",
                             g["layers"].get<int64_t>(), g["width"].get<int64_t>(), g["heads"].get<int64_t>(),
                             g["head_width"].get<int64_t>(), g["kv_heads"].get<int64_t>(), g["hidden"].get<int64_t>(),
                             g["vocabulary"].get<int64_t>(), g["context"].get<int64_t>());
    std::cout << fmt::format("rotary base {:.6g}, pairs of {}; activation {} ({}); {} head\n", g["rope_theta"].get<double>(),
                             g["rope_pairs"].get<std::string>(), g["activation"].get<std::string>(),
                             g["activation_from"].get<std::string>(), g["tied"].get<bool>() ? "tied" : "own");
  }
  std::cout << fmt::format("\n{:48} {:28} {:>16}  {:12} scale\n", "tensor", "type", "shape", "values");
  for (const Json& t : j["tensors"]) {
    std::string shape;
    for (const Json& n : t["shape"]) shape += fmt::format("{}{}", shape.empty() ? "" : " x ", n.get<uint64_t>());
    std::cout << fmt::format("{:48} {:28} {:>16}  {:12} {}\n", t["name"].get<std::string>(), t["type"].get<std::string>(), shape,
                             t["values"].get<std::string>(), t["scale"].get<std::string>());
  }
  const Json& tokenizer = j["tokenizer"];
  std::cout << "\ntokenizer: "
            << (tokenizer.is_null() ? std::string("none; give --prompt-ids") : tokenizer["description"].get<std::string>()) << "\n";
  if (j.contains("notes"))
    for (const Json& note : j["notes"]) std::cout << "note: " << note.get<std::string>() << "\n";
  if (j["runs"].get<bool>())
    std::cout << "runs\n";
  else
    std::cout << "does not run: " << j["why"].get<std::string>() << "; " << j["cure"].get<std::string>() << "\n";
}

void inspect(const InspectOptions& o) {
  if (frontend::onnx::is_onnx(o.model)) return inspect_network_model({o.common, o.model, "", "area", {}, o.scales.threads});
  Progress progress;
  const engines::OpenParams params = open_params(o.scales, progress);
  const Json json =
      frontend::is_checkpoint(o.model) ? inspect_checkpoint(frontend::read_checkpoint(o.model, params.checkpoint)) : inspect_own(o.model);
  print(o.model, json);
  write_json(o.common, json);
}

}  // namespace

void define_inspect(CLI::App& command, int&) {
  auto o = std::make_shared<InspectOptions>();
  command.add_option("model", o->model, "a GGUF file, a Hugging Face folder, model.yaml, or a network as ONNX")->required();
  add_reading_options(command, o->scales);
  add_common(command, o->common);
  command.callback([o] { inspect(*o); });
}

}  // namespace bitgrid::cli
