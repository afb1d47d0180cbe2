#include "frontend/checkpoint/huggingface_config.h"

#include <gmock/gmock.h>

#include "ir/error.h"
#include "tests/support/errors.h"

namespace bitgrid::frontend {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kQwen = R"("model_type": "qwen3", "rope_theta": 1000000, )";

HfConfig parse(const std::string& keys, const CheckpointParams& params = {}) {
  return parse_hf_config("{" + keys + R"("null": null})", "config.json", params);
}
std::string refusal(const std::string& keys) {
  const HfConfig config = parse(keys);
  return config.refusal ? config.refusal->why + "; " + config.refusal->cure : "none";
}
std::string error(const std::string& keys) {
  return test::error_of([&] { return parse(keys); });
}

TEST(HuggingFaceConfig, DefaultsAreHuggingFaces) {
  const HfConfig bitnet = parse(R"("model_type": "bitnet", )"), qwen = parse(kQwen), llama = parse(R"("model_type": "llama", )");
  EXPECT_EQ(bitnet.graph.gate, Gate::kReluSquared);
  EXPECT_EQ(bitnet.graph.rope_theta, 500000.0);
  EXPECT_EQ(bitnet.graph.head_width, 128u);
  EXPECT_THAT(bitnet.eos, ElementsAre(128001));
  EXPECT_EQ(qwen.graph.head_width, 128u);  // not width / heads
  EXPECT_EQ(llama.graph.kv_heads, 32u);
  EXPECT_EQ(llama.graph.eps, 1e-6);
  EXPECT_FALSE(llama.graph.tied);
  EXPECT_THAT(llama.notes, Contains(HasSubstr("Hugging Face's defaults are used: vocab_size 32000, hidden_size 4096")));
}

TEST(HuggingFaceConfig, TheClassDecides) {
  const HfConfig old = parse(R"("model_type": "llama", "architectures": ["BitnetForCausalLM"], "weight_bits": 1, "input_bits": 8, )");
  EXPECT_EQ(old.graph.architecture, "bitnet");
  EXPECT_EQ(old.graph.gate, Gate::kSilu);
  EXPECT_FALSE(old.refusal.has_value());
  EXPECT_EQ(
      refusal(R"("model_type": "qwen3", "architectures": ["LlamaForCausalLM"], )"),
      "config.json contradicts itself: model_type qwen3, but the class LlamaForCausalLM in architectures; correct the one that is wrong");
  EXPECT_EQ(refusal(R"("model_type": "gemma3", )"),
            "models of the type gemma3 are not read; take a model of the types bitnet, qwen3 or llama");
  EXPECT_THAT(refusal(R"("architectures": ["Qwen3MoeForCausalLM"], )"), StartsWith("models of the class Qwen3MoeForCausalLM are not read"));
  EXPECT_THAT(refusal(""), StartsWith("config.json names neither a model_type nor a class"));
}

TEST(HuggingFaceConfig, Activation) {
  const HfConfig stated = parse(R"("hidden_act": "relu2", )" + kQwen);
  EXPECT_EQ(stated.graph.gate, Gate::kReluSquared);
  EXPECT_EQ(stated.graph.gate_from, "hidden_act of config.json");
  const HfConfig forced = parse(R"("hidden_act": "gelu", )" + kQwen, {"", Gate::kSilu});
  EXPECT_EQ(forced.graph.gate_from, "--activation");
  EXPECT_FALSE(forced.refusal.has_value());
  EXPECT_THAT(refusal(R"("hidden_act": "gelu", )" + kQwen), StartsWith("its hidden_act is gelu; relu2 and silu are known"));
}

TEST(HuggingFaceConfig, Yarn) {
  const auto scaling = [](const std::string& keys) {
    return parse(R"("max_position_embeddings": 65536, "rope_scaling": {"rope_type": "yarn", )" + keys + "}, " + kQwen);
  };
  const HfConfig plain = scaling(R"("factor": 4.0, "original_max_position_embeddings": 16384)");
  EXPECT_EQ(plain.graph.rope_scaling->factor, 4.0);
  EXPECT_EQ(plain.graph.rope_scaling->original_context, 16384.0);
  EXPECT_DOUBLE_EQ(plain.graph.rope_scaling->attention_factor, 0.1 * std::log(4.0) + 1.0);
  EXPECT_EQ(scaling(R"("factor": 2.0)").graph.rope_scaling->original_context, 65536.0);
  EXPECT_EQ(scaling(R"("original_max_position_embeddings": 16384)").graph.rope_scaling->factor, 4.0);
  EXPECT_EQ(scaling(R"("factor": 4.0, "mscale": 1, "mscale_all_dim": 1)").graph.rope_scaling->attention_factor, 1.0);
  EXPECT_EQ(scaling(R"("factor": 4.0, "attention_factor": 1.25)").graph.rope_scaling->attention_factor, 1.25);
  EXPECT_THAT(scaling(R"("factor": 2.0, "original_max_position_embeddings": 16384)").notes,
              Contains("the factor 2 of YaRN is taken; max_position_embeddings / original_max_position_embeddings is 4"));
  EXPECT_EQ(scaling(R"("factor": 4.0, "truncate": false)").refusal->why, "its rotary scaling is YaRN with truncate false");
}

TEST(HuggingFaceConfig, OtherRotaryScalings) {
  const auto linear = parse(R"("rope_scaling": {"type": "linear", "factor": 2}, )" + kQwen).graph.rope_scaling;
  EXPECT_EQ(linear->type, "linear");
  EXPECT_EQ(linear->factor, 2.0);
  const auto llama = parse(R"("model_type": "llama", "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
      "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}, )")
                         .graph.rope_scaling;
  EXPECT_EQ(llama->high_frequency_factor, 4.0);
  EXPECT_EQ(llama->original_context, 8192.0);
  const GraphConfig fifth = parse(R"("model_type": "qwen3", "rope_parameters": {"rope_type": "default", "rope_theta": 5000000}, )").graph;
  EXPECT_EQ(fifth.rope_theta, 5000000.0);
  EXPECT_FALSE(fifth.rope_scaling.has_value());
  EXPECT_EQ(refusal(R"("rope_scaling": {"rope_type": "longrope"}, )" + kQwen),
            "its rotary scaling is of the type longrope; default, linear, llama3 and yarn are read");
  EXPECT_THAT(refusal(R"("rope_parameters": {"full_attention": {"rope_type": "default"}}, )" + kQwen),
              StartsWith("rotary positions differ from layer to layer: full_attention"));
  EXPECT_THAT(refusal(R"("partial_rotary_factor": 0.5, )" + kQwen), StartsWith("only a part of each head is rotated"));
  EXPECT_EQ(error(R"("rope_scaling": {"type": "linear"}, )" + kQwen),
            "config.json: rope_scaling.factor: is missing; correct it, or fetch the file again");
}

TEST(HuggingFaceConfig, OtherGraphs) {
  EXPECT_EQ(refusal(R"("attention_bias": true, )" + kQwen),
            "attention_bias is true: its linear maps have biases; models with biases are not read; take one without");
  EXPECT_EQ(refusal(R"("use_sliding_window": true, "sliding_window": 4096, "max_window_layers": 4, )" + kQwen),
            "layers from 4 on see a sliding window of 4096 positions; take a model whose layers all see the whole context");
  EXPECT_EQ(refusal(R"("use_sliding_window": true, "max_window_layers": 32, )" + kQwen), "none");
  EXPECT_EQ(refusal(R"("use_sliding_window": false, "sliding_window": 4096, )" + kQwen), "none");
  EXPECT_THAT(refusal(R"("layer_types": ["full_attention", "sliding_attention"], )" + kQwen),
              StartsWith("layer_types has sliding_attention;"));
  EXPECT_THAT(refusal(R"("input_bits": 4, )" + kQwen), StartsWith("input_bits is 4; models with input_bits 8 are read"));
}

TEST(HuggingFaceConfig, QuantisationsByOthers) {
  for (const char* method : {"gptq", "awq", "bitsandbytes", "fp8", "compressed-tensors"})
    EXPECT_THAT(
        refusal(R"("quantization_config": {"quant_method": ")" + std::string(method) + R"("}, )" + kQwen),
        StartsWith("its weights are quantised by " + std::string(method) + "; take the 1-bit weights themselves: a folder of BitNet"));
  EXPECT_THAT(refusal(R"("quantization_config": {"bits": 4}, )" + kQwen),
              StartsWith("quantization_config of config.json has no quant_method"));
  EXPECT_THAT(refusal(R"("quantization": {"bits": 2, "group_size": 32, "mode": "mxfp4"}, )" + kQwen),
              StartsWith("its MLX quantisation is of the mode mxfp4"));
  EXPECT_THAT(refusal(R"("quantization_config": {"quant_method": "bitnet", "use_rms_norm": true}, "model_type": "llama", )"),
              StartsWith("use_rms_norm is true"));
}

TEST(HuggingFaceConfig, Messages) {
  EXPECT_EQ(test::error_of([] { return parse_hf_config("[]", "config.json"); }),
            "config.json: it holds no JSON object; the file is damaged; fetch it again");
  EXPECT_EQ(error(R"("hidden_size": "128", )" + kQwen),
            "config.json: hidden_size: is not a whole number from 1 to 2147483648; correct it, or fetch the file again");
  EXPECT_EQ(error(R"("num_attention_heads": 6, "num_key_value_heads": 4, )" + kQwen),
            "config.json: num_key_value_heads: 4 does not divide the 6 attention heads; correct it, or fetch the file again");
  EXPECT_THAT(error(R"("model_type": "llama", "hidden_size": 100, "num_attention_heads": 3, "num_key_value_heads": 3, )"),
              HasSubstr("3 does not divide the hidden_size of 100, and head_dim is absent"));
  EXPECT_THAT(error(R"("head_dim": 5, )" + kQwen), HasSubstr("head_dim: is 5, but rotary positions need an even number"));
  EXPECT_THAT(error(R"("rms_norm_eps": -1, )" + kQwen), HasSubstr("rms_norm_eps: is not a number that can be meant"));
  EXPECT_THAT(error(R"("tie_word_embeddings": 1, )" + kQwen), HasSubstr("tie_word_embeddings: is neither true nor false"));
  EXPECT_THAT(error(R"("eos_token_id": "x", )" + kQwen), HasSubstr("eos_token_id: is neither the id of a token nor a list of ids"));
  EXPECT_THAT(error(R"("architectures": [1], )" + kQwen), HasSubstr("architectures: is not a list of names"));
}

}  // namespace
}  // namespace bitgrid::frontend
