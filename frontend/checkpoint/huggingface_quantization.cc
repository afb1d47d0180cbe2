#include <fmt/format.h>

#include "frontend/checkpoint/huggingface_parts.h"

namespace bitgrid::frontend {
namespace {

const char* const kOneBitForms =
    "take the 1-bit weights themselves: a folder of BitNet (packed, or master weights), of Bonsai (unpacked), or of MLX with 1 or 2 bits; "
    "or "
    "a GGUF of Q1_0, Q2_0, TQ1_0, TQ2_0 or I2_S";

void read_bitnet(const HfKeys& keys, HfConfig& config) {
  HfQuantization& q = config.quantization;
  q.kind = HfQuantization::Kind::kBitNet;
  const auto linear = keys.text("linear_class");
  q.scale_multiplies = linear == "autobitlinear";
  q.scale_is_stated = linear.has_value();
  q.convention = linear ? fmt::format("linear_class {} of config.json", *linear) : "config.json has no linear_class, which means bitlinear";
  if (linear && linear != "bitlinear" && linear != "autobitlinear")
    refuse(config, fmt::format("its linear_class is {}, so that the meaning of weight_scale is unknown", *linear),
           "bitlinear (weight_scale divides) and autobitlinear (it multiplies) are known");
  const auto mode = keys.text("quantization_mode");
  if (mode) q.master = mode == "online";
  if (mode && mode != "online" && mode != "offline")
    refuse(config, fmt::format("its quantization_mode is {}", *mode), "online (master weights) and offline (packed weights) are known");
  if (keys.flag("use_rms_norm").value_or(false))
    refuse(config, "use_rms_norm is true: every linear map has a norm of its own", "take a model without this key");
}

HfQuantization::Mlx mlx_form(const HfKeys& keys, const HfQuantization::Mlx& otherwise) {
  return {keys.whole("bits", 1, 32).value_or(otherwise.bits), keys.whole("group_size", 1, 1 << 20).value_or(otherwise.group)};
}

void read_mlx(const HfKeys& keys, HfConfig& config) {
  HfQuantization& q = config.quantization;
  q.kind = HfQuantization::Kind::kMlx;
  q.mlx = mlx_form(keys, {0, 0});
  if (q.mlx.bits == 0) keys.fail("bits", "is missing");
  if (q.mlx.group == 0) keys.fail("group_size", "is missing");
  for (const auto& [key, value] : keys.json().items()) {
    if (value.is_object()) q.modules[key] = mlx_form(*keys.object(key.c_str()), q.mlx);
    if (value.is_boolean() && !value.get<bool>()) q.modules[key] = {0, 0};
  }
  const std::string mode = keys.text("mode").value_or("affine");
  if (mode != "affine") refuse(config, fmt::format("its MLX quantisation is of the mode {}", mode), kOneBitForms);
  if (q.mlx.bits > 2) refuse(config, fmt::format("its MLX quantisation has {} bits", q.mlx.bits), kOneBitForms);
}

}  // namespace

void read_quantization(const HfKeys& keys, HfConfig& config) {
  if (keys.find("compression_config"))
    return refuse(config, "its weights are compressed (compression_config of config.json)", kOneBitForms);
  const auto stated = keys.object("quantization_config"), mlx = keys.object("quantization");
  const auto method = stated ? stated->text("quant_method") : std::nullopt;
  if (method == "bitnet") return read_bitnet(*stated, config);
  if (method && method != "mlx") return refuse(config, fmt::format("its weights are quantised by {}", *method), kOneBitForms);
  if (mlx) return read_mlx(*mlx, config);
  if (!stated) return;
  if (stated->find("bits") && stated->find("group_size")) return read_mlx(*stated, config);
  refuse(config, "quantization_config of config.json has no quant_method", kOneBitForms);
}

}  // namespace bitgrid::frontend
