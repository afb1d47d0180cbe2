#include "frontend/checkpoint/huggingface_matrices.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

#include "frontend/checkpoint/huggingface_codes.h"
#include "frontend/checkpoint/huggingface_parts.h"
#include "ir/error.h"
#include "ir/parallel.h"

namespace bitgrid::frontend {
namespace {

constexpr uint64_t kUnpackedGroup = 128;

/// How a stored tensor becomes one of the checkpoint.
enum class Form : uint8_t { kFloat, kPacked, kMaster, kGroups /* or floats, if it is no matrix of a layer */, kMlx };

bool is_layer_matrix(std::string_view name) {
  constexpr std::array<std::string_view, 7> kMatrices = {".self_attn.q_proj.weight", ".self_attn.k_proj.weight", ".self_attn.v_proj.weight",
                                                         ".self_attn.o_proj.weight", ".mlp.gate_proj.weight",    ".mlp.up_proj.weight",
                                                         ".mlp.down_proj.weight"};
  return std::any_of(kMatrices.begin(), kMatrices.end(), [&](std::string_view end) { return name.ends_with(end); });
}

bool is_table(const std::string& name) {
  return name == "model.embed_tokens.weight" || name == "lm_head.weight";
}

/// "NAME.weight" -> "NAME"; as it is where there is no such end.
std::string module_of(const std::string& name) {
  constexpr std::string_view kEnd = ".weight";
  return name.ends_with(kEnd) ? name.substr(0, name.size() - kEnd.size()) : name;
}

/// The first BitNet models called their norms otherwise.
std::string canonical_name(const std::string& name) {
  for (const auto& [old, now] : {std::pair("self_attn.inner_attn_ln.weight", "self_attn.attn_sub_norm.weight"),
                                 std::pair("mlp.ffn_layernorm.weight", "mlp.ffn_sub_norm.weight")})
    if (name.ends_with(old)) return name.substr(0, name.size() - std::string_view(old).size()) + now;
  return name;
}

class Matrices {
 public:
  Matrices(const HfFiles& files, HfConfig& config) : files_(files), config_(config), q_(config.quantization) {}

  std::vector<CheckpointTensor> make() {
    choose();
    std::vector<CheckpointTensor> out(chosen_.size());
    std::vector<std::optional<Misfit>> misfits(chosen_.size());
    parallel_for(chosen_.size(), threads(), [&](size_t i) { misfits[i] = make_one(*chosen_[i].stored, chosen_[i].form, out[i]); });
    for (size_t i = 0; i < chosen_.size(); ++i) {
      if (misfits[i]) refuse_misfit(*chosen_[i].stored, *misfits[i]);
      out[i].canonical = canonical_name(out[i].name);
    }
    check_zeros();
    check_scales(out);
    return out;
  }

 private:
  struct Chosen {
    const MappedTensor* stored;
    Form form;
  };
  using Kind = HfQuantization::Kind;

  void choose() {
    size_t packed = 0, masters = 0;
    const MappedTensor* master = nullptr;
    for (const MappedTensor& t : files_.tensors) {
      if (is_left_out(t)) continue;
      const Form form = form_of(t);
      chosen_.push_back({&t, form});
      packed += form == Form::kPacked;
      if (form == Form::kMaster && ++masters == 1) master = &t;
    }
    if (master) check_masters(*master, packed);
    if (packed && q_.kind != Kind::kBitNet)
      refuse(config_,
             "its weights are packed, but config.json has no quantization_config that says whether weight_scale multiplies or divides",
             "add \"quantization_config\": {\"quant_method\": \"bitnet\", \"linear_class\": \"autobitlinear\"} if it multiplies, "
             "\"bitlinear\" if it divides");
    if (packed && q_.master == true)
      refuse(config_, "quantization_mode of config.json is online (master weights), but the weights are packed", "correct it to offline");
  }

  /// One for each MB that is read now.
  int threads() const {
    uint64_t bytes = 0;
    for (const Chosen& c : chosen_)
      if (c.form != Form::kFloat && c.form != Form::kPacked) bytes += c.stored->bytes().size();
    return static_cast<int>(std::clamp<uint64_t>(bytes >> 20, 1, std::clamp(std::thread::hardware_concurrency(), 1u, 16u)));
  }

  /// Scales are parts of their matrices; buffers and a head that is tied are not read.
  bool is_left_out(const MappedTensor& t) {
    if (t.name.ends_with(".weight_scale") && files_.find(t.name.substr(0, t.name.size() - 6))) return true;
    for (const char* end : {".scales", ".biases"})
      if (q_.kind == Kind::kMlx && t.name.ends_with(end) && files_.find(t.name.substr(0, t.name.size() - 7) + ".weight")) return true;
    if (t.name.ends_with(".rotary_emb.inv_freq")) return true;
    if (!config_.graph.tied || !t.name.starts_with("lm_head.")) return false;
    config_.said.push_back(t.name + " is not read, since tie_word_embeddings is true");
    return true;
  }

  Form form_of(const MappedTensor& t) {
    if (t.name.ends_with(".bias"))
      refuse(config_, t.where() + ": it is a bias, and the graphs that are read have none", "take a model without biases");
    const bool matrix = is_layer_matrix(t.name);
    if (q_.kind == Kind::kMlx) {
      if (files_.find(module_of(t.name) + ".scales")) return Form::kMlx;
      if (matrix)
        refuse(config_, fmt::format("{}: it is {} without scales, and not quantised by MLX", t.where(), t.type().name),
               "take a checkpoint whose matrices all have 1 or 2 bits");
      return Form::kFloat;
    }
    if (files_.find(t.name + "_scale")) return Form::kPacked;
    if (matrix && t.entry.dtype == DType::kU8)
      throw Error(t.where(), "it is packed, but its weight_scale is missing", "fetch the files again");
    if (matrix && (q_.kind == Kind::kBitNet || config_.graph.architecture == "bitnet")) return Form::kMaster;
    const bool is_unpacked = q_.kind == Kind::kNone && !config_.refusal && (matrix || is_table(t.name));
    return is_unpacked && config_.graph.architecture != "bitnet" ? Form::kGroups : Form::kFloat;
  }

  void check_masters(const MappedTensor& first, size_t packed) {
    const std::string what = fmt::format("{}: it is {}", first.where(), first.type().name);
    if (!first.type().is_float || first.type().bytes == 1)
      return refuse(config_, what + ", neither packed nor a float", "take the packed or the bf16 checkpoint");
    if (packed) return refuse(config_, what + ", but other matrices are packed", "take a checkpoint whose linear maps are all packed");
    if (q_.master == false)
      return refuse(config_, what + ", but quantization_mode of config.json is offline (packed weights)",
                    "correct it to online if these are master weights");
    (q_.master ? config_.said : config_.notes)
        .push_back(fmt::format(
            "master weights are made ternary, w = round(W / mean|W|) within -1 .. 1, as {}",
            q_.master ? "quantization_mode online of config.json says" : "a BitNet model does with weights that are not packed"));
  }

  std::optional<Misfit> make_one(const MappedTensor& t, Form form, CheckpointTensor& out) const {
    switch (form) {
      case Form::kPacked:
        out = packed_tensor(t, *files_.find(t.name + "_scale"), q_.scale_multiplies);
        return std::nullopt;
      case Form::kMaster:
        out = t.type().is_float && !config_.refusal ? master_tensor(t) : float_tensor(t);
        return std::nullopt;
      case Form::kGroups:
        if (auto misfit = find_group_misfit(t, kUnpackedGroup, out)) {
          out = float_tensor(t);
          return is_table(t.name) ? std::nullopt : misfit;
        }
        return std::nullopt;
      case Form::kMlx:
        return make_mlx(t, out);
      case Form::kFloat:
        break;
    }
    out = float_tensor(t);
    return std::nullopt;
  }

  std::optional<Misfit> make_mlx(const MappedTensor& t, CheckpointTensor& out) const {
    const std::string module = module_of(t.name);
    const MappedTensor *scales = files_.find(module + ".scales"), *biases = files_.find(module + ".biases");
    const auto other = q_.modules.find(module);
    const HfQuantization::Mlx form = other == q_.modules.end() ? q_.mlx : other->second;
    std::optional<Misfit> misfit;
    if (!biases) {
      misfit = Misfit{"its biases are missing"};
    } else if (form.bits != 1 && form.bits != 2) {
      misfit =
          Misfit{form.bits ? fmt::format("it has {} bits", form.bits) : "config.json says that it is not quantised, but it has scales"};
    } else {
      misfit = find_mlx_misfit(t, *scales, *biases, form.bits, form.group, out);
    }
    if (misfit) out = float_tensor(t);
    return misfit;
  }

  void refuse_misfit(const MappedTensor& t, const Misfit& misfit) {
    if (q_.kind == Kind::kMlx)
      return refuse(config_, fmt::format("{}: {}", t.where(), misfit.why),
                    "take a checkpoint of 1 or 2 bits whose values lie symmetrically, or one of another form");
    refuse(config_, fmt::format("its weights are not 1-bit. {}: {}", t.where(), misfit.why),
           "take a checkpoint of 1-bit weights: BitNet, Bonsai (unpacked: one magnitude in 128 inputs), MLX of 1 or 2 bits. Master weights "
           "of BitNet need "
           "quantization_config in config.json, with quant_method bitnet and quantization_mode online");
  }

  /// Files that were never wholly fetched hold zeros, which would be weights of -1.
  void check_zeros() {
    constexpr size_t kLook = 4096;
    for (const Chosen& c : chosen_) {
      if (c.form != Form::kPacked || c.stored->bytes().size() < kLook) continue;
      const std::string_view head = c.stored->bytes().substr(0, kLook);
      if (std::all_of(head.begin(), head.end(), [](char byte) { return byte == 0; }))
        refuse(config_,
               fmt::format("{}: its first {} bytes are 0, so that all its weights would be -1: the file is not whole", c.stored->where(),
                           kLook),
               "fetch it again, or take another upload");
    }
  }

  /// mean|W| of trained matrices is well under 1 or near it (BitNet 2B4T: 1.5), its inverse well above.
  void check_scales(const std::vector<CheckpointTensor>& tensors) {
    constexpr double kFar = 4.0;
    size_t all = 0, above = 0, far = 0;
    double least = 0.0, most = 0.0;
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (chosen_[i].form != Form::kPacked) continue;
      const double s = tensors[i].tensor_scale;
      least = all ? std::min(least, s) : s;
      most = all ? std::max(most, s) : s;
      ++all;
      above += s > 1.0;
      far += s > kFar;
    }
    if (all == 0 || q_.kind != Kind::kBitNet) return;
    (q_.scale_is_stated ? config_.said : config_.notes)
        .push_back(fmt::format("weight_scale {}, as {}", q_.scale_multiplies ? "multiplies" : "divides", q_.convention));
    const std::string range = fmt::format("the scales of its matrices would lie between {:.4g} and {:.4g}", least, most);
    if (4 * far >= 3 * all)
      return refuse(config_,
                    fmt::format("the numbers of weight_scale contradict that it {}, as {}: {}, where means of |weight| are below 1",
                                q_.scale_multiplies ? "multiplies" : "divides", q_.convention, range),
                    fmt::format("the scales seem to be stored the other way: if so, set linear_class of config.json to {}",
                                q_.scale_multiplies ? "bitlinear" : "autobitlinear"));
    if (2 * above >= all)
      config_.notes.push_back(
          fmt::format("{}, more than means of |weight| usually are; if the text is garbage, linear_class may be wrong", range));
  }

  const HfFiles& files_;
  HfConfig& config_;
  const HfQuantization& q_;
  std::vector<Chosen> chosen_;
};

}  // namespace

std::vector<CheckpointTensor> make_hf_tensors(const HfFiles& files, HfConfig& config) {
  return Matrices(files, config).make();
}

}  // namespace bitgrid::frontend
