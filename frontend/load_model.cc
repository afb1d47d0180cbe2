#include "frontend/load_model.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "frontend/checkpoint/checkpoint.h"
#include "frontend/safetensors.h"
#include "frontend/scaled_model_file.h"
#include "frontend/yaml_reader.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::frontend {

namespace {

constexpr uint64_t kMaxYaml = uint64_t{1} << 20;
constexpr uint64_t kMaxWeights = uint64_t{1} << 32;
constexpr uint64_t kMaxElements = uint64_t{1} << 30;  // of all tensors as often as they are named
constexpr char kModelFormat[] = "bitgrid-model-1";

/// What reading needs everywhere: the tensors, which of them were used, and the line of every path for later messages.
struct Reader {
  Safetensors weights;
  std::set<std::string> used;
  std::map<std::string, int> lines;
  uint64_t elements = 0;

  std::string weights_name() const { return std::filesystem::path(weights.path).filename().string(); }
};

/// The tensor that `value` names, of `rank` dimensions.
StoredTensor read_tensor(Reader& r, const YamlValue& value, size_t rank, const char* shape) {
  const std::string name = value.text();
  const auto it = r.weights.entries.find(name);
  if (it == r.weights.entries.end()) {
    std::vector<std::string> known;
    for (const auto& [k, e] : r.weights.entries) known.push_back(k);
    const std::string near = nearest(name, known);
    throw Error(value.where(), value.path + ": the tensor " + name + " is missing in " + r.weights_name(),
                near.empty() ? "export it, or correct the name" : "did you mean " + near + "?");
  }
  if (it->second.shape.size() != rank) {
    throw Error(value.where(), value.path + ": the tensor " + name + " has the shape " + shape_text(it->second.shape),
                std::string("give it the shape ") + shape);
  }
  StoredTensor t = tensor(r.weights, name);
  r.elements += t.values.size();
  if (r.elements > kMaxElements) {
    throw Error(value.where(), "the model's tensors have more than " + std::to_string(kMaxElements) + " elements", "use a smaller model");
  }
  r.used.insert(name);
  r.lines[value.path] = value.line;
  return t;
}

template <typename T>
std::vector<T> narrowed(const StoredTensor& t, int64_t lo, int64_t hi, const YamlValue& value) {
  std::vector<T> out;
  out.reserve(t.values.size());
  for (size_t i = 0; i < t.values.size(); ++i) {
    if (t.values[i] < lo || t.values[i] > hi) {
      throw Error(value.where(),
                  value.path + ": the value " + std::to_string(t.values[i]) + " at " + index_text(t.shape, i) + " of tensor " + t.name +
                      " is outside " + std::to_string(lo) + " .. " + std::to_string(hi),
                  "correct the value");
    }
    out.push_back(static_cast<T>(t.values[i]));
  }
  return out;
}

std::vector<int32_t> read_vector(Reader& r, const YamlValue& value) {
  const StoredTensor t = read_tensor(r, value, 1, "[channels]");
  if (t.values.empty())
    throw Error(value.where(), value.path + ": the tensor " + t.name + " has no values", "give it values, or leave the key out");
  return narrowed<int32_t>(t, INT32_MIN, INT32_MAX, value);
}

std::pair<int, int> read_range(Reader& r, const YamlValue& value) {
  const std::vector<YamlValue> ends = value.list();
  if (ends.size() != 2)
    throw Error(value.where(), value.path + " has " + std::to_string(ends.size()) + " values", "write `range: [LO, HI]`");
  r.lines[value.path] = value.line;
  return {static_cast<int>(ends[0].integer(-(1 << 20), 1 << 20)), static_cast<int>(ends[1].integer(-(1 << 20), 1 << 20))};
}

/// `with_bias` is false for scores: there the position bias does it.
Requantise read_requantise(Reader& r, const YamlValue& value, bool with_bias = true) {
  std::vector<std::string> known = {"shift", "range", "multiplier"};
  if (with_bias) known.push_back("bias");
  const YamlMap map(value, known);
  r.lines[value.path] = value.line;
  Requantise q;
  q.shift = static_cast<int>(map.get("shift").integer(kMinShift, kMaxShift));
  std::tie(q.lo, q.hi) = read_range(r, map.get("range"));
  if (map.has("multiplier")) {
    const YamlValue m = map.get("multiplier");
    if (m.is_integer())
      q.multiplier = {static_cast<int32_t>(m.integer(1, kMaxMultiplier))};
    else
      q.multiplier = read_vector(r, m);
  }
  if (map.has("bias")) q.bias = read_vector(r, map.get("bias"));
  return q;
}

Sign read_sign(Reader& r, const YamlValue& value) {
  const YamlMap map(value, {"bias"});
  r.lines[value.path] = value.line;
  Sign s;
  if (map.has("bias")) s.bias = read_vector(r, map.get("bias"));
  return s;
}

/// `{shift, range, ...}` or `{sign: {...}}`.
Activation read_activation(Reader& r, const YamlValue& value) {
  if (value.is_map() && value.node["sign"]) {
    const YamlMap map(value, {"sign"});
    r.lines[value.path] = value.line;
    return read_sign(r, map.get("sign"));
  }
  return read_requantise(r, value);
}

WeightValues read_values(const YamlValue& value) {
  const std::string name = value.text();
  std::vector<std::string> known;
  for (const WeightValues v : {WeightValues::kBinary, WeightValues::kTernary, WeightValues::kInt2}) {
    if (name_of(v) == name) return v;
    known.push_back(name_of(v));
  }
  throw Error(value.where(), value.path + ": `" + name + "` is not a kind of weight that this program knows",
              "use binary, ternary or int2");
}

Matrix read_matrix(Reader& r, const YamlMap& map) {
  const YamlValue value = map.get("weights");
  Matrix m;
  m.values = read_values(map.get("values"));
  const StoredTensor t = read_tensor(r, value, 2, "[outputs, inputs]");
  if (t.shape[0] == 0 || t.shape[1] == 0 || t.shape[0] > kMaxWidth || t.shape[1] > kMaxWidth) {
    throw Error(value.where(), value.path + ": the tensor " + t.name + " has the shape " + shape_text(t.shape),
                "use 1 .. " + std::to_string(kMaxWidth) + " outputs and inputs");
  }
  m.name = t.name;
  m.outputs = static_cast<int>(t.shape[0]);
  m.inputs = static_cast<int>(t.shape[1]);
  for (size_t i = 0; i < t.values.size(); ++i) {
    if (is_weight(m.values, t.values[i])) continue;
    throw Error(value.where(),
                value.path + ": the value " + std::to_string(t.values[i]) + " at " + index_text(t.shape, i) + " of tensor " + t.name +
                    " is not " + name_of(m.values) + " (" + set_of(m.values) + ")",
                "correct the weight, or state other `values`");
  }
  m.data = narrowed<int8_t>(t, -128, 127, value);
  return m;
}

/// The keys of a linear map out of a mapping that may have others.
Linear read_linear_keys(Reader& r, const YamlMap& map) {
  Linear l;
  l.weights = read_matrix(r, map);
  if (map.has("requantise") && map.has("sign")) {
    throw Error(map.get("sign").where(), map.path() + " has both `requantise` and `sign`", "keep one of them");
  }
  if (map.has("requantise")) l.activation = read_requantise(r, map.get("requantise"));
  if (map.has("sign")) l.activation = read_sign(r, map.get("sign"));
  if (map.has("table")) {
    const YamlValue value = map.get("table");
    const auto* q = std::get_if<Requantise>(&l.activation);
    if (q == nullptr) throw Error(value.where(), value.path + " needs a `requantise` before it", "add `requantise`, or drop the table");
    l.table = Table{value.text(), q->lo, read_vector(r, value)};
  }
  return l;
}

/// `known` beside weights and values: which of requantise, sign and table may follow.
Linear read_linear(Reader& r, const YamlValue& value, const std::vector<std::string>& followers) {
  std::vector<std::string> known = {"weights", "values"};
  known.insert(known.end(), followers.begin(), followers.end());
  const YamlMap map(value, known);
  r.lines[value.path] = value.line;
  Linear l = read_linear_keys(r, map);
  if (!followers.empty() && std::holds_alternative<std::monostate>(l.activation)) {
    throw Error(value.where(), value.path + " has neither `requantise` nor `sign`",
                "add `requantise: {shift: S, range: [LO, HI]}` or `sign: {}`");
  }
  return l;
}

Attention read_attention(Reader& r, const YamlValue& value) {
  const YamlMap map(value, {"type", "heads", "window", "input", "query", "key", "value", "position", "score", "mix", "output"});
  Attention a;
  a.heads = static_cast<int>(map.get("heads").integer(1, kMaxWidth));
  a.window = static_cast<int>(map.get("window").integer(1, kMaxWindow));
  r.lines[value.path + ".heads"] = map.get("heads").line;
  r.lines[value.path + ".window"] = map.get("window").line;
  a.input = read_activation(r, map.get("input"));
  const std::vector<std::string> followers = {"requantise", "sign"};
  a.query = read_linear(r, map.get("query"), followers);
  a.key = read_linear(r, map.get("key"), followers);
  a.value = read_linear(r, map.get("value"), followers);
  if (map.has("position")) {
    const YamlValue position = map.get("position");
    const StoredTensor t = read_tensor(r, position, 2, "[heads, window]");
    if (t.shape[0] != static_cast<uint64_t>(a.heads) || t.shape[1] != static_cast<uint64_t>(a.window)) {
      throw Error(position.where(), position.path + ": the tensor " + t.name + " has the shape " + shape_text(t.shape),
                  "give it the shape [" + std::to_string(a.heads) + ", " + std::to_string(a.window) + "]: heads, window");
    }
    a.position = narrowed<int32_t>(t, INT32_MIN, INT32_MAX, position);
  }
  a.score = read_requantise(r, map.get("score"), false);
  a.mix = read_activation(r, map.get("mix"));
  a.output = read_linear(r, map.get("output"), {});
  return a;
}

FeedForward read_feed_forward(Reader& r, const YamlValue& value) {
  const YamlMap map(value, {"type", "input", "up", "down"});
  FeedForward f;
  f.input = read_activation(r, map.get("input"));
  f.up = read_linear(r, map.get("up"), {"requantise", "sign", "table"});
  f.down = read_linear(r, map.get("down"), {});
  return f;
}

Dense read_dense(Reader& r, const YamlValue& value) {
  const YamlMap map(value, {"type", "input", "weights", "values", "requantise", "sign", "table"});
  Dense d;
  if (map.has("input")) d.input = read_activation(r, map.get("input"));
  d.linear = read_linear_keys(r, map);
  return d;
}

Layer read_layer(Reader& r, const YamlValue& value) {
  r.lines[value.path] = value.line;
  if (!value.is_map())
    throw Error(value.where(), value.path + " is not a mapping", "write `- type: attention`, `feedforward` or `linear` with its keys");
  if (!value.node["type"])
    throw Error(value.where(), "the key `type` is missing in " + value.path, "add `type: attention`, `feedforward` or `linear`");
  std::string type;
  int line = value.line;
  for (const auto& pair : value.node) {
    if (!pair.first.IsScalar() || pair.first.Scalar() != "type" || !pair.second.IsScalar()) continue;
    type = pair.second.Scalar();
    line = pair.second.Mark().line + 1;
  }
  if (type == "attention") return read_attention(r, value);
  if (type == "feedforward") return read_feed_forward(r, value);
  if (type == "linear") return read_dense(r, value);
  const std::string near = nearest(type, {"attention", "feedforward", "linear"});
  throw Error(value.file + ":" + std::to_string(line), value.path + ": unknown layer type `" + type.substr(0, 60) + "`",
              near.empty() ? "use attention, feedforward or linear" : "did you mean `" + near + "`?");
}

std::string read_vocabulary(Reader& r, const YamlValue& value) {
  const std::string symbols = value.text();
  r.lines[value.path] = value.line;
  for (size_t i = 0; i < symbols.size(); ++i) {
    const unsigned c = static_cast<unsigned char>(symbols[i]);
    if ((c >= 32 && c < 127) || c == '\n' || c == '\t') continue;
    throw Error(value.where(), "symbol " + std::to_string(i) + " of the vocabulary is not an ASCII character",
                "use one-byte symbols: printable ASCII, \\n and \\t");
  }
  return symbols;
}

Embedding read_embedding(Reader& r, const YamlValue& value, size_t symbols, int width) {
  const YamlMap map(value, {"tensor", "tensors", "range"});
  r.lines[value.path] = value.line;
  if (map.has("tensor") == map.has("tensors")) {
    throw Error(value.where(), "embedding needs either `tensor` or `tensors`",
                "write `tensor: NAME`, or `tensors: [A, B]` for this token and earlier ones");
  }
  Embedding e;
  std::tie(e.lo, e.hi) = read_range(r, map.get("range"));
  if (e.lo > e.hi || e.lo < -128 || e.hi > 127) {
    throw Error(map.get("range").where(), "[" + std::to_string(e.lo) + ", " + std::to_string(e.hi) + "] is not a range of an embedding",
                "use LO <= HI within [-128, 127]");
  }
  std::vector<YamlValue> names;
  if (map.has("tensor"))
    names = {map.get("tensor")};
  else
    names = map.get("tensors").list();
  for (const YamlValue& name : names) {
    const StoredTensor t = read_tensor(r, name, 2, "[symbols of the vocabulary, width]");
    if (t.shape[0] != symbols || t.shape[1] != static_cast<uint64_t>(width)) {
      throw Error(name.where(), name.path + ": the tensor " + t.name + " has the shape " + shape_text(t.shape),
                  "give it the shape [" + std::to_string(symbols) + ", " + std::to_string(width) + "]: symbols of the vocabulary, width");
    }
    e.tables.push_back(narrowed<int8_t>(t, e.lo, e.hi, name));
  }
  return e;
}

Head read_head(Reader& r, const YamlValue& value) {
  const YamlMap map(value, {"input", "weights", "values", "bias"});
  r.lines[value.path] = value.line;
  Head h;
  if (map.has("input")) h.input = read_activation(r, map.get("input"));
  h.weights = read_matrix(r, map);
  if (map.has("bias")) h.bias = read_vector(r, map.get("bias"));
  return h;
}

void read_sampling(Reader& r, const YamlValue& value, Model& model) {
  const YamlMap map(value, {"logit_scale", "tables"});
  r.lines[value.path] = value.line;
  const YamlValue scale = map.get("logit_scale");
  r.lines[scale.path] = scale.line;
  model.logit_scale = scale.number();
  if (!map.has("tables")) return;
  const YamlMap tables(map.get("tables"), {"*"});
  for (const std::string& temperature : tables.keys()) {
    const YamlValue name = tables.get(temperature);
    double t = 0.0;
    try {
      t = YamlValue{name.file, name.docs, name.path, name.line, YAML::Node(temperature)}.number();
    } catch (const Error&) {
    }
    if (!(t > 0.0)) throw Error(name.where(), name.path + ": a temperature is a number above 0", "write it as \"0.7\"");
    model.sampling.push_back({temperature, read_vector(r, name)});
  }
}

std::string read_name(const YamlValue& value) {
  const std::string name = value.text();
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  if (name.empty() || name.size() > 64 || name[0] == '.' || !std::all_of(name.begin(), name.end(), good)) {
    throw Error(value.where(), "the name is not a word of up to 64 letters, digits, `-`, `_` and `.`",
                "file names are made of it: choose such a word");
  }
  return name;
}

YamlMap read_top(const std::string& yaml, const std::string& yaml_path) {
  if (yaml.size() > kMaxYaml) throw Error(yaml_path, "the model file is larger than 1 MiB", "put numbers in the weights file");
  const YamlMap map(parse_yaml(yaml, yaml_path, "docs/model-format.md"), {"format", "name", "description", "weights", "vocabulary", "width",
                                                                          "embedding", "layers", "head", "sampling", "reported"});
  const YamlValue format = map.get("format");
  if (format.text() != kModelFormat) {
    throw Error(format.where(), "the format is `" + format.text().substr(0, 60) + "`",
                std::string("this program reads `format: ") + kModelFormat + "`");
  }
  return map;
}

/// Line of a path that find_problem named, or of the nearest enclosing one.
int line_of(const Reader& r, std::string path) {
  while (true) {
    const auto it = r.lines.find(path);
    if (it != r.lines.end()) return it->second;
    const size_t dot = path.rfind('.');
    if (dot == std::string::npos) return 1;
    path.resize(dot);
  }
}

Model read_model(const YamlMap& map, const std::string& yaml, Safetensors weights, std::vector<std::string>* warnings) {
  Reader r;
  r.weights = std::move(weights);
  Model m;
  m.name = read_name(map.get("name"));
  if (map.has("description")) m.description = map.get("description").text();
  m.vocabulary = read_vocabulary(r, map.get("vocabulary"));
  m.width = static_cast<int>(map.get("width").integer(1, kMaxWidth));
  m.embedding = read_embedding(r, map.get("embedding"), m.vocabulary.size(), m.width);
  const YamlValue layers = map.get("layers");
  r.lines["layers"] = layers.line;
  for (const YamlValue& layer : layers.list()) {
    if (m.layers.size() == static_cast<size_t>(kMaxLayers)) {
      throw Error(layer.where(), "the model has more than " + std::to_string(kMaxLayers) + " layers", "use fewer");
    }
    m.layers.push_back(read_layer(r, layer));
  }
  m.head = read_head(r, map.get("head"));
  if (map.has("sampling")) read_sampling(r, map.get("sampling"), m);
  if (map.has("reported")) {
    const YamlMap reported(map.get("reported"), {"bits_per_character"});
    m.reported_bits_per_character = reported.get("bits_per_character").number();
  }
  if (const auto p = find_problem(m)) {
    throw Error(map.where().substr(0, map.where().rfind(':') + 1) + std::to_string(line_of(r, p->where)), p->where + ": " + p->problem,
                p->cure);
  }
  if (warnings != nullptr) {
    for (const auto& [name, e] : r.weights.entries) {
      if (!r.used.contains(name)) warnings->push_back(r.weights.path + ": the tensor " + name + " is not used");
    }
  }
  m.content_hash = fnv1a(r.weights.bytes, fnv1a(std::to_string(yaml.size()) + "\n", fnv1a(yaml)));
  return m;
}

}  // namespace

Model parse_model(const std::string& yaml, const std::string& yaml_path, std::string weights, const std::string& weights_path,
                  std::vector<std::string>* warnings) {
  const YamlMap map = read_top(yaml, yaml_path);
  return read_model(map, yaml, parse_safetensors(std::move(weights), weights_path), warnings);
}

Model load_model(const std::string& yaml_path, std::vector<std::string>* warnings) {
  const bool plain_folder = is_folder(yaml_path) && !is_there(yaml_path + "/config.json");
  if ((is_checkpoint(yaml_path) && !plain_folder) || is_scaled_model_file(yaml_path))
    throw Error(yaml_path, "this is a model with scales, which this command does not support yet",
                "`bitgrid run`, `check` and `evaluate` run it on engine cpu");
  const std::string yaml = read_file(yaml_path, kMaxYaml);
  const YamlMap map = read_top(yaml, yaml_path);
  const YamlValue file = map.get("weights");
  const std::string weights_path = (std::filesystem::path(yaml_path).parent_path() / file.text()).string();
  std::string bytes;
  try {
    bytes = read_file(weights_path, kMaxWeights);
  } catch (const Error& e) {
    throw Error(file.where(), std::string("the weights cannot be read: ") + e.what());
  }
  return read_model(map, yaml, parse_safetensors(std::move(bytes), weights_path), warnings);
}

}  // namespace bitgrid::frontend
