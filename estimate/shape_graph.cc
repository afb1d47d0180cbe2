#include "estimate/shape_graph.h"

#include "frontend/yaml_reader.h"
#include "ir/error.h"

namespace bitgrid::estimate {

namespace {

uint64_t size_in(const frontend::YamlMap& map, const char* key, int64_t most) {
  return static_cast<uint64_t>(map.get(key).integer(1, most));
}

/// A key that sizes alone do not need.
frontend::YamlValue graph_key(const frontend::YamlMap& map, const std::string& path, const char* key) {
  if (!map.has(key))
    throw Error(path, std::string("it has no `") + key + "`, which random weights need",
                "add graph, rope_theta, eps and tied, as examples/shapes/bitnet-b158-2b4t.yaml has them");
  return map.get(key);
}

bool read_truth(const frontend::YamlValue& value) {
  const std::string text = value.text();
  if (text != "true" && text != "false") throw Error(value.where(), value.path + " is neither true nor false", "write true or false");
  return text == "true";
}

}  // namespace

const std::vector<std::string>& shape_keys() {
  static const std::vector<std::string> keys = {"format",    "name",         "description",     "width",       "vocabulary", "context",
                                                "weights",   "weight_group", "activation_bits", "kv_bits",     "score_bits", "layers",
                                                "attention", "feedforward",  "head_weights",    "assumptions", "graph",      "rope_theta",
                                                "eps",       "tied"};
  return keys;
}

frontend::GraphConfig parse_shape_graph(const std::string& yaml, const std::string& path) {
  const frontend::YamlMap map(frontend::parse_yaml(yaml, path, "docs/estimate.md"), shape_keys());
  frontend::GraphConfig g;
  const frontend::YamlValue graph = graph_key(map, path, "graph");
  g.architecture = graph.text();
  if (g.architecture != "bitnet" && g.architecture != "qwen3" && g.architecture != "llama")
    throw Error(graph.where(), "graph: `" + g.architecture + "` is unknown", "use bitnet, qwen3 or llama");
  g.rope_theta = graph_key(map, path, "rope_theta").number(1.0 + 1e-9, 1e12);
  g.eps = graph_key(map, path, "eps").number(0.0, 0.5);
  g.tied = read_truth(graph_key(map, path, "tied"));
  g.width = size_in(map, "width", 1 << 15);
  g.vocabulary = size_in(map, "vocabulary", 1 << 24);
  g.context = size_in(map, "context", 1 << 20);
  g.layers = size_in(map, "layers", 1024);
  const frontend::YamlMap attention(map.get("attention"), {"heads", "kv_heads", "head_width"});
  g.heads = size_in(attention, "heads", 1 << 12);
  g.kv_heads = attention.has("kv_heads") ? size_in(attention, "kv_heads", 1 << 12) : g.heads;
  g.head_width = size_in(attention, "head_width", 1024);
  const frontend::YamlMap hidden(map.get("feedforward"), {"hidden", "gated", "experts", "active"});
  g.hidden = size_in(hidden, "hidden", 1 << 15);
  if (hidden.has("experts") || !hidden.has("gated") || !read_truth(hidden.get("gated")))
    throw Error(hidden.where(), "the graph " + g.architecture + " has one gated feed-forward layer", "write `gated: true` and no experts");
  g.gate = g.architecture == "bitnet" ? frontend::Gate::kReluSquared : frontend::Gate::kSilu;
  g.gate_from = "the graph of the shapes file";
  g.rope_interleaved = g.architecture == "llama";
  return g;
}

}  // namespace bitgrid::estimate
