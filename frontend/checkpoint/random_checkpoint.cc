#include "frontend/checkpoint/random_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "frontend/checkpoint/gguf_writer.h"
#include "frontend/checkpoint/half.h"
#include "frontend/checkpoint/huggingface_writer.h"
#include "frontend/checkpoint/random_rows.h"
#include "frontend/tokenizer/unicode.h"
#include "ir/error.h"

namespace bitgrid::frontend {

namespace {

constexpr float kEmbeddingWidth = 0.0625F;

/// A matrix of the graph: its name in GGUF files and in folders.
struct RandomMatrix {
  std::string gguf, folder;
  uint64_t rows = 0, columns = 0;
};
struct RandomGains {
  std::string gguf, folder;
  uint64_t count = 0;
};

struct RandomLayer {
  std::vector<RandomMatrix> matrices;
  std::vector<RandomGains> gains;
};

RandomLayer random_layer(const GraphConfig& g, uint64_t n) {
  const uint64_t wide = g.heads * g.head_width, narrow = g.kv_heads * g.head_width;
  const std::string blk = fmt::format("blk.{}.", n), layer = fmt::format("model.layers.{}.", n);
  RandomLayer l;
  l.gains = {{blk + "attn_norm", layer + "input_layernorm", g.width}, {blk + "ffn_norm", layer + "post_attention_layernorm", g.width}};
  if (g.architecture == "bitnet") {
    l.gains.push_back({blk + "attn_sub_norm", layer + "self_attn.attn_sub_norm", wide});
    l.gains.push_back({blk + "ffn_sub_norm", layer + "mlp.ffn_sub_norm", g.hidden});
  }
  if (g.architecture == "qwen3") {
    l.gains.push_back({blk + "attn_q_norm", layer + "self_attn.q_norm", g.head_width});
    l.gains.push_back({blk + "attn_k_norm", layer + "self_attn.k_norm", g.head_width});
  }
  l.matrices = {
      {blk + "attn_q", layer + "self_attn.q_proj", wide, g.width},    {blk + "attn_k", layer + "self_attn.k_proj", narrow, g.width},
      {blk + "attn_v", layer + "self_attn.v_proj", narrow, g.width},  {blk + "attn_output", layer + "self_attn.o_proj", g.width, wide},
      {blk + "ffn_gate", layer + "mlp.gate_proj", g.hidden, g.width}, {blk + "ffn_up", layer + "mlp.up_proj", g.hidden, g.width},
      {blk + "ffn_down", layer + "mlp.down_proj", g.width, g.hidden}};
  return l;
}

/// The 256 bytes as byte-level BPE writes them.
std::vector<std::string> byte_tokens() {
  std::vector<std::string> tokens;
  for (int b = 0; b < 256; ++b) tokens.push_back(byte_level_character(static_cast<uint8_t>(b)));
  return tokens;
}

/// The scale of a matrix of random codes, such that its outputs are as large as its inputs: a value that half floats and bfloats have.
float scale_for(uint64_t columns) {
  return bfloat_to_float(float_to_bfloat(1.0F / std::sqrt(static_cast<float>(columns))));
}

class RandomGguf {
 public:
  RandomGguf(const GraphConfig& graph, const BlockType& type, const RandomCheckpointParams& params)
      : graph_(graph), type_(type), params_(params) {}

  GgufContents contents() {
    metadata();
    floats("token_embd.weight", *written_block_type("bf16"), {graph_.vocabulary, graph_.width}, true);
    gains({"output_norm", "", graph_.width});
    // Bonsai's head and embedding are of one bit; those of others are floats.
    if (!graph_.tied) floats("output.weight", *written_block_type("bf16"), {graph_.vocabulary, graph_.width}, true);
    for (uint64_t n = 0; n < graph_.layers; ++n) {
      const RandomLayer l = random_layer(graph_, n);
      for (const RandomGains& g : l.gains) gains(g);
      for (const RandomMatrix& m : l.matrices) matrix(m);
    }
    return std::move(contents_);
  }

 private:
  void metadata() {
    const std::string arch = graph_.architecture == "bitnet" ? "bitnet-b1.58" : graph_.architecture;
    const auto put = [&](const std::string& key, GgufWrittenValue value) { contents_.metadata.emplace_back(key, std::move(value)); };
    const auto whole = [&](const std::string& key, uint64_t value) { put(arch + "." + key, static_cast<uint32_t>(value)); };
    put("general.architecture", arch);
    put("general.name", params_.name);
    whole("block_count", graph_.layers);
    whole("context_length", graph_.context);
    whole("embedding_length", graph_.width);
    whole("feed_forward_length", graph_.hidden);
    whole("attention.head_count", graph_.heads);
    whole("attention.head_count_kv", graph_.kv_heads);
    whole("attention.key_length", graph_.head_width);
    whole("attention.value_length", graph_.head_width);
    whole("rope.dimension_count", graph_.head_width);
    whole("vocab_size", graph_.vocabulary);
    put(arch + ".attention.layer_norm_rms_epsilon", static_cast<float>(graph_.eps));
    put(arch + ".rope.freq_base", static_cast<float>(graph_.rope_theta));
    put("tokenizer.ggml.model", std::string("gpt2"));
    put("tokenizer.ggml.pre", std::string("gpt-2"));
    put("tokenizer.ggml.tokens", byte_tokens());
    put("tokenizer.ggml.merges", std::vector<std::string>{});
    put("tokenizer.ggml.token_type", std::vector<int32_t>(byte_tokens().size(), 1));
    put("tokenizer.ggml.add_bos_token", false);
  }

  uint64_t begin_tensor(const std::string& name) {
    const uint64_t index = contents_.tensors.size();
    contents_.tensors.push_back({});
    contents_.tensors.back().name = name;
    return index;
  }

  void floats(const std::string& name, const BlockType& type, std::vector<uint64_t> shape, bool random) {
    const uint64_t index = begin_tensor(name);
    GgufWrittenTensor& t = contents_.tensors.back();
    t.type = &type;
    t.shape = std::move(shape);
    t.floats = [seed = params_.seed, index, random, say = params_.progress, name](uint64_t r, std::span<float> row) {
      if (r == 0) say("writing " + name);
      if (random)
        random_floats(row_generator(seed, index, r), kEmbeddingWidth, row);
      else
        std::fill(row.begin(), row.end(), 1.0F);
    };
  }

  void gains(const RandomGains& g) { floats(g.gguf + ".weight", *written_block_type("f32"), {g.count}, false); }

  void matrix(const RandomMatrix& m) {
    const uint64_t index = begin_tensor(m.gguf + ".weight");
    GgufWrittenTensor& t = contents_.tensors.back();
    t.type = &type_;
    t.shape = {m.rows, m.columns};
    const StoredValues values = type_.values == StoredValues::kBinary ? StoredValues::kBinary : StoredValues::kTernary;
    const float scale = scale_for(m.columns);
    t.codes = [seed = params_.seed, index, values, scale, say = params_.progress, name = m.gguf](uint64_t r, std::span<int8_t> codes,
                                                                                                 std::span<float> scales) {
      if (r == 0) say("writing " + name);
      random_codes(row_generator(seed, index, r), values, codes);
      std::fill(scales.begin(), scales.end(), scale);
    };
  }

  const GraphConfig& graph_;
  const BlockType& type_;
  const RandomCheckpointParams& params_;
  GgufContents contents_;
};

}  // namespace

void write_random_folder(const std::string& path, const GraphConfig& graph, const RandomCheckpointParams& params) {
  if (graph.architecture != "bitnet")
    throw Error("--type", "packed BitNet weights belong to the graph bitnet, not to " + graph.architecture, "choose --format gguf");
  HfContents contents;
  contents.graph = graph;
  const auto floats = [&](const std::string& name, std::vector<uint64_t> shape, bool random) {
    HfWrittenTensor t;
    t.name = name + ".weight";
    t.shape = std::move(shape);
    t.floats = [seed = params.seed, index = contents.tensors.size(), random](uint64_t r, std::span<float> row) {
      if (random)
        random_floats(row_generator(seed, index, r), kEmbeddingWidth, row);
      else
        std::fill(row.begin(), row.end(), 1.0F);
    };
    contents.tensors.push_back(std::move(t));
  };
  floats("model.embed_tokens", {graph.vocabulary, graph.width}, true);
  floats("model.norm", {graph.width}, false);
  if (!graph.tied) floats("lm_head", {graph.vocabulary, graph.width}, true);
  for (uint64_t n = 0; n < graph.layers; ++n) {
    const RandomLayer l = random_layer(graph, n);
    for (const RandomGains& g : l.gains) floats(g.folder, {g.count}, false);
    for (const RandomMatrix& m : l.matrices) {
      HfWrittenTensor t;
      t.name = m.folder + ".weight";
      t.shape = {m.rows, m.columns};
      t.scale = scale_for(m.columns);
      t.codes = [seed = params.seed, index = contents.tensors.size()](uint64_t r, std::span<int8_t> codes) {
        random_codes(row_generator(seed, index, r), StoredValues::kTernary, codes);
      };
      contents.tensors.push_back(std::move(t));
    }
  }
  write_huggingface(path, contents,
                    [&](uint64_t done, uint64_t total) { params.progress(fmt::format("{} of {} MB", done / 1000000, total / 1000000)); });
}

void write_random_gguf(const std::string& path, const GraphConfig& graph, const std::string& type, const RandomCheckpointParams& params) {
  const BlockType* block = written_block_type(type);
  if (block == nullptr || !block->has_codes())
    throw Error("--type", "'" + type + "' are not weights of one or two bits", "choose q1_0, q2_0, tq1_0, tq2_0 or i2_s");
  write_gguf(path, RandomGguf(graph, *block, params).contents());
}

namespace {

constexpr uint64_t kRandomGroup = 128;

CheckpointTensor random_tensor(const std::string& name, std::vector<uint64_t> shape) {
  CheckpointTensor t;
  t.name = t.canonical = name + ".weight";
  t.where = "random: tensor " + t.name;
  t.stored = "random";
  t.shape = std::move(shape);
  return t;
}

CheckpointTensor random_matrix(const std::string& name, uint64_t rows, uint64_t columns, bool grouped, uint64_t seed) {
  CheckpointTensor t = random_tensor(name, {rows, columns});
  t.values = grouped ? StoredValues::kBinary : StoredValues::kTernary;
  t.sharing = grouped ? ScaleSharing::kGroup : ScaleSharing::kTensor;
  t.group = grouped ? kRandomGroup : 0;
  const float scale = scale_for(columns);
  t.tensor_scale = grouped ? 0.0 : static_cast<double>(scale);
  t.codes = [seed, values = t.values, scale](uint64_t r, std::span<int8_t> codes, std::span<float> scales) {
    random_codes(row_generator(seed, 0, r), values, codes);
    std::fill(scales.begin(), scales.end(), scale);
  };
  t.floats = [seed, values = t.values, scale](uint64_t r, std::span<float> row) {
    std::vector<int8_t> codes(row.size());
    random_codes(row_generator(seed, 0, r), values, codes);
    std::transform(codes.begin(), codes.end(), row.begin(), [scale](int8_t c) { return static_cast<float>(c) * scale; });
  };
  return t;
}

CheckpointTensor random_numbers(const std::string& name, std::vector<uint64_t> shape, uint64_t seed) {
  CheckpointTensor t = random_tensor(name, std::move(shape));
  t.floats = [seed](uint64_t r, std::span<float> row) {
    if (seed == 0)
      std::fill(row.begin(), row.end(), 1.0F);
    else
      random_floats(row_generator(seed, 0, r), kEmbeddingWidth, row);
  };
  return t;
}

}  // namespace

std::shared_ptr<const Checkpoint> random_checkpoint(const GraphConfig& graph, uint64_t seed) {
  auto checkpoint = std::make_shared<Checkpoint>();
  checkpoint->path = "random";
  checkpoint->format = "memory";
  checkpoint->graph = graph;
  std::vector<CheckpointTensor>& tensors = checkpoint->tensors;
  const bool grouped = graph.architecture == "qwen3";
  const auto next_seed = [&] { return seed * 100003 + tensors.size() + 1; };
  if (grouped)
    tensors.push_back(random_matrix("model.embed_tokens", graph.vocabulary, graph.width, true, next_seed()));
  else
    tensors.push_back(random_numbers("model.embed_tokens", {graph.vocabulary, graph.width}, next_seed()));
  if (!graph.tied) tensors.push_back(random_numbers("lm_head", {graph.vocabulary, graph.width}, next_seed()));
  tensors.push_back(random_numbers("model.norm", {graph.width}, 0));
  for (uint64_t n = 0; n < graph.layers; ++n) {
    const RandomLayer l = random_layer(graph, n);
    for (const RandomGains& g : l.gains) tensors.push_back(random_numbers(g.folder, {g.count}, 0));
    for (const RandomMatrix& m : l.matrices) tensors.push_back(random_matrix(m.folder, m.rows, m.columns, grouped, next_seed()));
  }
  return checkpoint;
}

}  // namespace bitgrid::frontend
