#include "tests/support/tiny_checkpoint.h"

#include <random>

namespace bitgrid::test {

using namespace frontend;

namespace {

class TinyCheckpoint {
 public:
  explicit TinyCheckpoint(const TinyCheckpointParams& params) : p_(params), random_(params.seed) {}

  std::shared_ptr<Checkpoint> make() {
    GraphConfig& g = checkpoint_->graph;
    checkpoint_->path = "tiny";
    checkpoint_->format = "memory";
    g.architecture = p_.graph;
    g.width = 64, g.layers = 2, g.heads = 2, g.kv_heads = 1, g.head_width = 32, g.hidden = 96, g.vocabulary = 40, g.context = 64;
    g.rope_theta = 10000.0;
    g.eps = 1e-5;
    g.gate = p_.graph == "bitnet" ? Gate::kReluSquared : Gate::kSilu;
    g.tied = p_.tied;
    floats("model.embed_tokens", {g.vocabulary, g.width}, 0.05F);
    if (!g.tied) floats("lm_head", {g.vocabulary, g.width}, 0.05F);
    gains("model.norm", g.width);
    for (int n = 0; n < 2; ++n) layer("model.layers." + std::to_string(n) + ".");
    return checkpoint_;
  }

 private:
  void layer(const std::string& name) {
    const GraphConfig& g = checkpoint_->graph;
    gains(name + "input_layernorm", g.width);
    gains(name + "post_attention_layernorm", g.width);
    if (p_.graph == "bitnet") gains(name + "self_attn.attn_sub_norm", 64), gains(name + "mlp.ffn_sub_norm", g.hidden);
    if (p_.graph == "qwen3") gains(name + "self_attn.q_norm", g.head_width), gains(name + "self_attn.k_norm", g.head_width);
    codes(name + "self_attn.q_proj", 64, g.width);
    codes(name + "self_attn.k_proj", 32, g.width);
    codes(name + "self_attn.v_proj", 32, g.width);
    codes(name + "self_attn.o_proj", g.width, 64);
    codes(name + "mlp.gate_proj", g.hidden, g.width);
    codes(name + "mlp.up_proj", g.hidden, g.width);
    codes(name + "mlp.down_proj", g.width, g.hidden);
  }

  float uniform(float lo, float hi) { return std::uniform_real_distribution<float>(lo, hi)(random_); }

  CheckpointTensor& tensor(const std::string& name, std::vector<uint64_t> shape) {
    CheckpointTensor t;
    t.name = t.canonical = name + ".weight";
    t.where = "tiny: tensor " + t.name;
    t.stored = "memory";
    t.shape = std::move(shape);
    checkpoint_->tensors.push_back(std::move(t));
    return checkpoint_->tensors.back();
  }

  void floats(const std::string& name, std::vector<uint64_t> shape, float width) {
    CheckpointTensor& t = tensor(name, std::move(shape));
    std::vector<float> all(t.rows() * t.columns());
    for (float& v : all) v = uniform(-width, width);
    t.floats = [all = std::move(all), columns = t.columns()](uint64_t r, std::span<float> row) {
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(r * columns), columns, row.begin());
    };
  }

  void gains(const std::string& name, uint64_t count) {
    CheckpointTensor& t = tensor(name, {count});
    std::vector<float> all(count);
    for (float& v : all) v = uniform(0.5F, 1.5F);
    t.floats = [all = std::move(all)](uint64_t, std::span<float> row) { std::copy(all.begin(), all.end(), row.begin()); };
  }

  void codes(const std::string& name, uint64_t rows, uint64_t columns) {
    CheckpointTensor& t = tensor(name, {rows, columns});
    t.values = p_.values;
    t.sharing = p_.sharing;
    t.group = p_.sharing == ScaleSharing::kGroup ? p_.group : 0;
    const uint64_t groups = t.group == 0 ? 1 : columns / t.group;
    std::vector<int8_t> all(rows * columns);
    for (int8_t& c : all) {
      const auto draw = static_cast<int>(random_() % 12);
      c = static_cast<int8_t>(p_.values == StoredValues::kBinary    ? draw % 2 * 2 - 1
                              : p_.values == StoredValues::kTernary ? draw % 3 - 1
                                                                    : draw % 4 - 1);
    }
    std::vector<float> scales(rows * groups);
    const float one = uniform(0.1F, 0.2F);
    for (float& s : scales) s = p_.sharing == ScaleSharing::kTensor ? one : uniform(0.1F, 0.2F);
    t.tensor_scale = p_.sharing == ScaleSharing::kTensor ? static_cast<double>(one) : 0.0;
    t.codes = [all = std::move(all), scales = std::move(scales), columns, groups](uint64_t r, std::span<int8_t> c, std::span<float> s) {
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(r * columns), columns, c.begin());
      std::copy_n(scales.begin() + static_cast<std::ptrdiff_t>(r * groups), groups, s.begin());
    };
    t.floats = [get = t.codes, columns, groups](uint64_t r, std::span<float> row) {
      std::vector<int8_t> c(columns);
      std::vector<float> s(groups);
      get(r, c, s);
      for (uint64_t i = 0; i < columns; ++i) row[i] = static_cast<float>(c[i]) * s[i / (columns / groups)];
    };
  }

  TinyCheckpointParams p_;
  std::mt19937_64 random_;
  std::shared_ptr<Checkpoint> checkpoint_ = std::make_shared<Checkpoint>();
};

}  // namespace

std::shared_ptr<Checkpoint> tiny_checkpoint(const TinyCheckpointParams& params) {
  return TinyCheckpoint(params).make();
}

}  // namespace bitgrid::test
