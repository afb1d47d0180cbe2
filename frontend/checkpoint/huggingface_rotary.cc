#include <fmt/format.h>

#include <cmath>

#include "frontend/checkpoint/huggingface_parts.h"

namespace bitgrid::frontend {
namespace {

constexpr double kMostFactor = 1e9;

/// What the logarithm of the factor adds to attention, as YaRN's authors and later models write it.
double yarn_attention(double factor, double weight) {
  return factor <= 1.0 ? 1.0 : 0.1 * weight * std::log(factor) + 1.0;
}

double needed(const HfKeys& keys, const char* key) {
  const auto value = keys.number(key, 1e-9, kMostFactor);
  if (!value) keys.fail(key, "is missing");
  return *value;
}

void read_yarn(const HfKeys& keys, HfConfig& config, RopeScaling& scaling) {
  const double context = static_cast<double>(config.graph.context);
  const auto original = keys.number("original_max_position_embeddings", 1.0, kMostFactor);
  scaling.original_context = original.value_or(context);
  const auto factor = keys.number("factor", 1e-9, kMostFactor);
  if (!factor && !original) keys.fail("factor", "is missing");
  scaling.factor = factor.value_or(context / scaling.original_context);
  if (factor && original && std::abs(context / *original - *factor) > 1e-6 * *factor)
    config.notes.push_back(
        fmt::format("the factor {} of YaRN is taken; max_position_embeddings / original_max_position_embeddings is {:.6g}", *factor,
                    context / *original));
  scaling.beta_fast = keys.number("beta_fast", 1e-9, kMostFactor).value_or(32.0);
  scaling.beta_slow = keys.number("beta_slow", 1e-9, kMostFactor).value_or(1.0);
  const double all = keys.number("mscale_all_dim", 0.0, kMostFactor).value_or(0.0);
  const double some = keys.number("mscale", 0.0, kMostFactor).value_or(0.0);
  const double by_scale = all > 0.0 && some > 0.0 ? yarn_attention(scaling.factor, some) / yarn_attention(scaling.factor, all)
                                                  : yarn_attention(scaling.factor, 1.0);
  scaling.attention_factor = keys.number("attention_factor", 1e-9, kMostFactor).value_or(by_scale);
  if (!keys.flag("truncate").value_or(true))
    refuse(config, "its rotary scaling is YaRN with truncate false", "models whose YaRN ends at whole dimensions are read");
}

}  // namespace

void read_rotary(const HfKeys& keys, double default_theta, HfConfig& config) {
  GraphConfig& g = config.graph;
  const auto parameters = keys.object("rope_parameters");
  const auto scaling_keys = parameters ? parameters : keys.object("rope_scaling");
  constexpr double kLeast = 1e-9, kMost = 1e18;
  auto theta = keys.number("rope_theta", kLeast, kMost);
  if (scaling_keys && scaling_keys->find("rope_theta")) theta = scaling_keys->number("rope_theta", kLeast, kMost);
  g.rope_theta = theta.value_or(default_theta);
  if (!theta) config.notes.push_back(fmt::format("config.json has no rope_theta; Hugging Face's default {} is used", default_theta));
  double part = keys.number("partial_rotary_factor", 0.0, 1.0).value_or(1.0);
  if (scaling_keys) part = scaling_keys->number("partial_rotary_factor", 0.0, 1.0).value_or(part);
  if (part != 1.0)
    refuse(config, fmt::format("only a part of each head is rotated: partial_rotary_factor {}", part), "take a model without this key");
  if (!scaling_keys) return;
  for (const auto& [key, value] : scaling_keys->json().items())
    if (value.is_object())
      return refuse(config, fmt::format("rotary positions differ from layer to layer: {}", key), "take a model of one kind of layers");

  const auto type = scaling_keys->find("rope_type") ? scaling_keys->text("rope_type") : scaling_keys->text("type");
  RopeScaling scaling;
  scaling.type = type.value_or("default");
  if (scaling.type == "default") return;
  if (scaling.type == "yarn") {
    read_yarn(*scaling_keys, config, scaling);
  } else if (scaling.type == "linear") {
    scaling.factor = needed(*scaling_keys, "factor");
  } else if (scaling.type == "llama3") {
    scaling.factor = needed(*scaling_keys, "factor");
    scaling.low_frequency_factor = needed(*scaling_keys, "low_freq_factor");
    scaling.high_frequency_factor = needed(*scaling_keys, "high_freq_factor");
    scaling.original_context = needed(*scaling_keys, "original_max_position_embeddings");
    if (scaling.low_frequency_factor >= scaling.high_frequency_factor)
      scaling_keys->fail("low_freq_factor", "is not below high_freq_factor");
  } else {
    return refuse(config, fmt::format("its rotary scaling is of the type {}", scaling.type), "default, linear, llama3 and yarn are read");
  }
  g.rope_scaling = scaling;
}

void refuse_windows(const HfKeys& keys, HfConfig& config) {
  const char* cure = "take a model whose layers all see the whole context";
  if (const nlohmann::json* types = keys.find("layer_types")) {
    if (!types->is_array()) keys.fail("layer_types", "is not a list of names");
    for (const nlohmann::json& type : *types) {
      if (!type.is_string()) keys.fail("layer_types", "is not a list of names");
      if (type != "full_attention") return refuse(config, "layer_types has " + type.get<std::string>(), cure);
    }
    return;
  }
  if (!keys.flag("use_sliding_window").value_or(false)) return;
  const auto window = keys.whole("sliding_window", 0, UINT64_MAX);
  const uint64_t full = keys.whole("max_window_layers", 0, UINT64_MAX).value_or(28);
  if (window.value_or(4096) < config.graph.context && full < config.graph.layers)
    refuse(config, fmt::format("layers from {} on see a sliding window of {} positions", full, window.value_or(4096)), cure);
}

}  // namespace bitgrid::frontend
