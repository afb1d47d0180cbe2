#include "ir/scaled_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "ir/error.h"
#include "ir/number.h"

namespace bitgrid {

namespace {

using Problem = std::optional<ScaledModelProblem>;

constexpr size_t kMostHeadWidth = 1024;
constexpr int kMostCodeBits = 10;
constexpr int32_t kMostFactor = 32767;     // of gains and of scales of rows
constexpr int32_t kMostTableValue = 4096;  // of exponential and sigmoid

Problem size_problem(const std::string& where, const std::string& what, size_t got, size_t wanted) {
  if (got == wanted) return std::nullopt;
  return ScaledModelProblem{where, fmt::format("{} {}, but the model needs {}", what, got, wanted), "export the model again"};
}

/// Values that must lie in lo .. hi.
Problem range_problem(const std::string& where, const std::string& what, const std::vector<int32_t>& values, int32_t lo, int32_t hi) {
  const auto bad = std::find_if(values.begin(), values.end(), [&](int32_t v) { return v < lo || v > hi; });
  if (bad == values.end()) return std::nullopt;
  return ScaledModelProblem{where, fmt::format("one of {} is {}, which is not in {} .. {}", what, *bad, lo, hi), "export the model again"};
}

Problem factors_problem(const std::string& where, const std::string& what, const FixedVector& factors, size_t count) {
  if (auto p = size_problem(where, what + " are", factors.values.size(), count)) return p;
  return range_problem(where, what, factors.values, -kMostFactor, kMostFactor);
}

Problem norm_problem(const Norm& norm, size_t width) {
  if (norm.code_bits < 2 || norm.code_bits > kMostCodeBits)
    return ScaledModelProblem{norm.name, fmt::format("codes have {} bits", norm.code_bits), fmt::format("use 2 to {} bits", kMostCodeBits)};
  return factors_problem(norm.name, "its gains", norm.gain, width);
}

Problem adapter_problem(const LinearMap& map) {
  const Adapter& a = *map.adapter;
  if (auto p = size_problem(map.name, "the adapter's A has inputs:", a.a->columns(), map.inputs())) return p;
  if (auto p = size_problem(map.name, "the adapter's B has outputs:", a.b->rows(), map.outputs())) return p;
  if (auto p = size_problem(map.name, "the adapter's B has inputs:", a.b->columns(), a.a->rows())) return p;
  if (a.b->columns() > kMostInputs)
    return ScaledModelProblem{map.name, fmt::format("the adapter has a rank of {}", a.b->columns()),
                              fmt::format("the maximum is {}", kMostInputs)};
  if (auto p = factors_problem(map.name, "the adapter's scales of A", a.a_scales, a.a->rows())) return p;
  return factors_problem(map.name, "the adapter's scales of B", a.b_scales, a.b->rows());
}

Problem map_problem(const ScaledModel& model, const LinearMap& map, size_t outputs, size_t inputs, bool grouped_codes) {
  if (auto p = size_problem(map.name, "its outputs are", map.outputs(), outputs)) return p;
  if (auto p = size_problem(map.name, "its inputs are", map.inputs(), inputs)) return p;
  if (inputs > kMostInputs || map.weights->columns() > kMostInputs)
    return ScaledModelProblem{map.name, fmt::format("it has {} inputs", inputs), fmt::format("the maximum is {}", kMostInputs)};
  if (map.low_rank && map.low_rank->rows() != map.weights->columns())
    return size_problem(map.name, "the two factors meet at", map.low_rank->rows(), map.weights->columns());
  if (map.group != 0) {
    if (map.low_rank) return ScaledModelProblem{map.name, "it has groups and is of low rank", "give it one scale per row"};
    if (inputs % map.group != 0)
      return ScaledModelProblem{map.name, fmt::format("groups of {} do not divide {} inputs", map.group, inputs), "choose another group"};
    if (grouped_codes && map.group != model.activation_group)
      return ScaledModelProblem{map.name,
                                fmt::format("its groups have {} inputs, but the activations' have {}", map.group, model.activation_group),
                                "all matrices of a model share the size of a group"};
    const size_t scales = outputs * (inputs / map.group);
    if (auto p = size_problem(map.name, "its scales are", map.scales.size(), scales)) return p;
    if (!map.zeros.empty())
      if (auto p = size_problem(map.name, "its zeros are", map.zeros.size(), scales)) return p;
  } else if (!map.scales.empty()) {
    if (auto p = size_problem(map.name, "its scales are", map.scales.size(), outputs)) return p;
  }
  if (grouped_codes && inputs % model.activation_group != 0)
    return ScaledModelProblem{map.name, fmt::format("groups of {} do not divide {} inputs", model.activation_group, inputs),
                              "choose another group"};
  return map.adapter ? adapter_problem(map) : std::nullopt;
}

Problem layer_problem(const ScaledModel& model, const SoftmaxAttention& a) {
  const size_t wide = model.heads * model.head_width, narrow = model.kv_heads * model.head_width;
  const bool grouped = model.activation_group != 0;
  if (auto p = norm_problem(a.input, model.width)) return p;
  if (auto p = map_problem(model, a.query, wide, model.width, grouped)) return p;
  if (auto p = map_problem(model, a.key, narrow, model.width, grouped)) return p;
  if (auto p = map_problem(model, a.value, narrow, model.width, grouped)) return p;
  if (auto p = map_problem(model, a.output, model.width, wide, grouped)) return p;
  if (a.query_norm)
    if (auto p = norm_problem(*a.query_norm, model.head_width)) return p;
  if (a.key_norm)
    if (auto p = norm_problem(*a.key_norm, model.head_width)) return p;
  if (a.output_gain)
    if (auto p = factors_problem(a.output.name, "the gains before it", *a.output_gain, wide)) return p;
  return a.sub_norm ? norm_problem(*a.sub_norm, wide) : std::nullopt;
}

Problem layer_problem(const ScaledModel& model, const GatedFeedForward& f) {
  const bool grouped = model.activation_group != 0;
  const size_t hidden = f.up.outputs();
  if (auto p = norm_problem(f.input, model.width)) return p;
  if (auto p = map_problem(model, f.up, hidden, model.width, grouped)) return p;
  if (auto p = map_problem(model, f.gate, hidden, model.width, grouped)) return p;
  if (auto p = map_problem(model, f.down, model.width, hidden, grouped)) return p;
  if (f.down_gain)
    if (auto p = factors_problem(f.down.name, "the gains before it", *f.down_gain, hidden)) return p;
  return f.sub_norm ? norm_problem(*f.sub_norm, hidden) : std::nullopt;
}

Problem table_problem(const ScaledModel& model) {
  const ScaledTables& t = model.tables;
  const size_t turns = model.context * (model.head_width / 2);
  if (auto p = size_problem("tables", "cosines are", t.cosine.size(), turns)) return p;
  if (auto p = size_problem("tables", "sines are", t.sine.size(), turns)) return p;
  if (auto p = size_problem("tables", "entries of the exponential are", t.exponential.size(), 16)) return p;
  if (auto p = size_problem("tables", "entries of the sigmoid are", t.sigmoid.size(), 256)) return p;
  if (auto p = range_problem("tables", "the values of the exponential", t.exponential, 0, kMostTableValue)) return p;
  if (auto p = range_problem("tables", "the values of the sigmoid", t.sigmoid, 0, kMostTableValue)) return p;
  if (std::any_of(t.mean_step.begin(), t.mean_step.end(), [](const Scalar& step) { return step.m == 0; }))
    return ScaledModelProblem{"tables", "a mean step is 0", "export the model again"};
  return size_problem("tables", "mean steps are", t.mean_step.size(), 4);
}

}  // namespace

std::optional<ScaledModelProblem> find_problem(const ScaledModel& model) {
  if (model.heads == 0 || model.kv_heads == 0 || model.heads % model.kv_heads != 0)
    return ScaledModelProblem{"heads", fmt::format("{} heads cannot share {} heads of keys and values", model.heads, model.kv_heads),
                              "the second must divide the first"};
  if (model.head_width == 0 || model.head_width % 2 != 0 || model.head_width > kMostHeadWidth)
    return ScaledModelProblem{"head width", fmt::format("{} is not an even number up to {}", model.head_width, kMostHeadWidth),
                              "rotary positions turn pairs"};
  if (model.context == 0 || model.embedding.vocabulary == 0 || !model.embedding.row)
    return ScaledModelProblem{"model", "it has no context or no embedding", "export the model again"};
  if (auto p = table_problem(model)) return p;
  for (const ScaledLayer& layer : model.layers)
    if (auto p = std::visit([&](const auto& l) { return layer_problem(model, l); }, layer)) return p;
  if (model.head.grouped && model.activation_group == 0)
    return ScaledModelProblem{"head", "its codes have groups, but the model's have none", "set grouped to false, or give activation_group"};
  if (auto p = norm_problem(model.head.norm, model.width)) return p;
  return map_problem(model, model.head.map, model.embedding.vocabulary, model.width, model.head.grouped);
}

void verify(const ScaledModel& model) {
  if (const auto p = find_problem(model)) throw Error(model.name + ": " + p->where, p->problem, p->cure);
}

namespace {

constexpr char kCacheCure[] = "write k=BITS[:shift|max|mean][:rotated],v=..,recent=N, such as k=8:shift,v=4:mean:rotated,recent=32";

std::vector<std::string> pieces(const std::string& text, char by) {
  std::vector<std::string> out;
  std::stringstream in(text);
  for (std::string piece; std::getline(in, piece, by);) out.push_back(piece);
  return out;
}

CacheForm parse_form(const std::string& part, const std::string& text) {
  CacheForm form;
  const std::vector<std::string> words = pieces(text, ':');
  const auto bits = words.empty() ? std::nullopt : parse_whole(words[0], 1, 8);
  if (!bits) throw Error("--kv", "'" + part + "' does not begin with 1 to 8 bits", kCacheCure);
  form.bits = *bits;
  if (form.bits < 8) form.step = CacheForm::Step::kMax;
  for (size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "shift")
      form.step = CacheForm::Step::kShift;
    else if (words[i] == "max")
      form.step = CacheForm::Step::kMax;
    else if (words[i] == "mean")
      form.step = CacheForm::Step::kMean;
    else if (words[i] == "rotated")
      form.rotated = true;
    else
      throw Error("--kv", "'" + words[i] + "' in '" + part + "' is unknown", kCacheCure);
  }
  if (form.step == CacheForm::Step::kMean && form.bits > 4)
    throw Error("--kv", "'" + part + "': `mean` is defined for 1 to 4 bits", "use max or shift");
  if (form.step == CacheForm::Step::kShift && form.bits < 2)
    throw Error("--kv", "'" + part + "': one bit with a shift is always 0", "use max or mean");
  return form;
}

std::string text_of(const CacheForm& form) {
  const char* step = form.step == CacheForm::Step::kShift ? "shift" : form.step == CacheForm::Step::kMax ? "max" : "mean";
  return fmt::format("{}:{}{}", form.bits, step, form.rotated ? ":rotated" : "");
}

}  // namespace

CacheForms parse_cache_forms(const std::string& text) {
  CacheForms forms;
  std::string seen;
  for (const std::string& part : pieces(text, ',')) {
    const size_t equals = part.find('=');
    const std::string key = part.substr(0, equals), value = equals == std::string::npos ? "" : part.substr(equals + 1);
    if (key != "k" && key != "v" && key != "recent") throw Error("--kv", "'" + part + "' is neither k, v nor recent", kCacheCure);
    if (seen.find(key[0]) != std::string::npos) throw Error("--kv", "'" + key + "' is given twice", kCacheCure);
    seen += key[0];
    if (key == "k") forms.key = parse_form(part, value);
    if (key == "v") forms.value = parse_form(part, value);
    if (key == "recent") {
      const auto n = parse_whole(value, 0, 1 << 20);
      if (!n) throw Error("--kv", "'" + part + "' does not give a number of positions", kCacheCure);
      forms.recent = *n;
    }
  }
  return forms;
}

std::string text_of(const CacheForms& forms) {
  return fmt::format("k={},v={},recent={}", text_of(forms.key), text_of(forms.value), forms.recent);
}

}  // namespace bitgrid
