// Models that can be read and say what cannot be: numbers, tensors, layers, vocabulary, sampling.
#include "tests/frontend/load_model_fixture.h"

namespace bitgrid::frontend {
namespace {

TEST_F(LoadModel, HeadsThatDoNotDivideTheWidth) {
  replace("heads: 2", "heads: 3");
  replace("    position: layers.0.position\n", "");
  EXPECT_EQ(problem(), "model.yaml:10: layers.0.heads: 3 heads do not divide the width 8; choose a divisor of 8");
}

TEST_F(LoadModel, RangeNeitherSymmetricNorOneSided) {
  replace("range: [-7, 7]", "range: [-8, 7]");
  EXPECT_EQ(problem(),
            "model.yaml:12: layers.0.input.range: [-8, 7] is not a valid range for a requantisation; use a symmetric range such as [-7, 7] "
            "(b bits: "
            "2^(b-1) - 1) "
            "or a one-sided range such as [0, 15] (2^b - 1), up to 16 bits");
}

TEST_F(LoadModel, RangeOfThree) {
  replace("range: [-7, 7]", "range: [-7, 0, 7]");
  EXPECT_EQ(problem(), "model.yaml:12: layers.0.input.range has 3 values; write `range: [LO, HI]`");
}

TEST_F(LoadModel, ShiftOutOfRange) {
  const size_t at = files.yaml.find("shift: ");
  files.yaml.replace(at, 8, "shift: 99");
  EXPECT_EQ(problem(), "model.yaml:12: layers.0.input.shift is 99, outside -16 .. 40; choose a value in that range");
}

TEST_F(LoadModel, MultiplierOutOfRange) {
  replace("score: {", "score: {multiplier: 256, ");
  EXPECT_EQ(problem(), "model.yaml:17: layers.0.score.multiplier is 256, outside 1 .. 255; choose a value in that range");
}

TEST_F(LoadModel, MultiplierTensor) {
  replace("input: {shift", "input: {multiplier: layers.0.input.multiplier, shift");
  tensors.push_back({"layers.0.input.multiplier", DType::kI32, {8}, {1, 2, 3, 4, 5, 6, 7, 256}});
  EXPECT_EQ(
      problem(),
      "model.yaml:12: layers.0.input.multiplier: the multiplier 256 of channel 7 is outside 1 .. 255; choose multipliers in that range and "
      "adapt the shift");
  named("layers.0.input.multiplier").values[7] = 255;
  EXPECT_EQ(problem(), "no error");
}

TEST_F(LoadModel, MissingTensorNamesTheNearest) {
  replace("layers.0.query.weight", "layers.0.quary.weight");
  EXPECT_EQ(problem(),
            "model.yaml:13: layers.0.query.weights: the tensor layers.0.quary.weight is missing in weights.safetensors; did you mean "
            "layers.0.query.weight?");
}

TEST_F(LoadModel, WrongRank) {
  named("layers.0.query.weight").shape = {64};
  EXPECT_EQ(
      problem(),
      "model.yaml:13: layers.0.query.weights: the tensor layers.0.query.weight has the shape [64]; give it the shape [outputs, inputs]");
}

TEST_F(LoadModel, WrongShapeOfAMatrix) {
  named("layers.0.query.weight").shape = {4, 16};
  EXPECT_EQ(problem(),
            "model.yaml:13: layers.0.query.weights: tensor layers.0.query.weight has 16 inputs (columns) where the operand has 8 values; "
            "give it the "
            "shape [8, 8]");
}

TEST_F(LoadModel, WrongLengthOfABias) {
  StoredTensor& t = named("layers.0.key.bias");
  t.shape = {7};
  t.values.pop_back();
  EXPECT_EQ(problem(), "model.yaml:14: layers.0.key.bias: 7 biases for 8 channels; give one bias per channel, or none");
}

TEST_F(LoadModel, WrongShapeOfPositions) {
  named("layers.0.position").shape = {4, 2};
  EXPECT_EQ(problem(),
            "model.yaml:16: layers.0.position: the tensor layers.0.position has the shape [4, 2]; give it the shape [2, 4]: heads, window");
}

TEST_F(LoadModel, WrongShapeOfTheEmbedding) {
  named("embedding").shape = {4, 16};
  EXPECT_EQ(problem(),
            "model.yaml:7: embedding.tensor: the tensor embedding has the shape [4, 16]; give it the shape [8, 8]: symbols of the "
            "vocabulary, width");
}

TEST_F(LoadModel, EmbeddingOutsideItsRange) {
  named("embedding").values[9] = 99;
  EXPECT_EQ(problem(),
            "model.yaml:7: embedding.tensor: the value 99 at [1, 1] of tensor embedding is outside -31 .. 31; correct the value");
}

TEST_F(LoadModel, WeightOutsideItsSet) {
  named("layers.0.value.weight").values[10] = 2;
  EXPECT_EQ(problem(),
            "model.yaml:15: layers.0.value.weights: the value 2 at [1, 2] of tensor layers.0.value.weight is not ternary (-1, 0 or 1); "
            "correct the "
            "weight, or state other `values`");
}

TEST_F(LoadModel, BiasBeyond32Bits) {
  StoredTensor& t = named("layers.0.key.bias");
  t.dtype = DType::kI64;
  t.values[2] = int64_t{1} << 40;
  EXPECT_EQ(
      problem(),
      "model.yaml:14: layers.0.key.requantise.bias: the value 1099511627776 at [2] of tensor layers.0.key.bias is outside -2147483648 .. "
      "2147483647; correct the value");
}

TEST_F(LoadModel, UnknownKindOfWeights) {
  replace("values: ternary", "values: quaternary");
  EXPECT_EQ(
      problem(),
      "model.yaml:13: layers.0.query.values: `quaternary` is not a kind of weight that this program knows; use binary, ternary or int2");
}

TEST_F(LoadModel, UnknownLayerType) {
  replace("type: feedforward", "type: feed-forward");
  EXPECT_EQ(problem(), "model.yaml:20: layers.1: unknown layer type `feed-forward`; did you mean `feedforward`?");
}

TEST_F(LoadModel, LayerWithoutType) {
  replace("  - type: feedforward\n    input", "  - input");
  EXPECT_EQ(problem(), "model.yaml:20: the key `type` is missing in layers.1; add `type: attention`, `feedforward` or `linear`");
}

TEST_F(LoadModel, ActivationMissing) {
  const size_t at = files.yaml.find(", requantise"), end = files.yaml.find("}}", at);
  files.yaml.erase(at, end + 1 - at);
  EXPECT_EQ(
      problem(),
      "model.yaml:13: layers.0.query has neither `requantise` nor `sign`; add `requantise: {shift: S, range: [LO, HI]}` or `sign: {}`");
}

TEST_F(LoadModel, RequantiseAndSign) {
  replace(", requantise: {", ", sign: {}, requantise: {");
  EXPECT_EQ(problem(), "model.yaml:13: layers.0.query has both `requantise` and `sign`; keep one of them");
}

TEST_F(LoadModel, ActivationOnTheOutput) {
  replace("output: {", "output: {sign: {}, ");
  EXPECT_EQ(problem(), "model.yaml:19: unknown key `sign` in layers.0.output; the keys here are values, weights");
}

TEST_F(LoadModel, SignWithoutBias) {
  replace("requantise: {shift", "sign: {}, key: {shift");
  const size_t at = files.yaml.find(", key: {shift"), end = files.yaml.find("}}", at);
  files.yaml.erase(at, end + 1 - at);
  const Model m = parse_model(files.yaml, "model.yaml", print_safetensors(tensors), "weights.safetensors");
  EXPECT_EQ(std::get<Attention>(m.layers[0]).query.activation, Activation(Sign{}));
}

TEST_F(LoadModel, TwoSidedQueries) {
  replace("range: [0, 15], bias: layers.0.query.bias", "range: [-7, 7], bias: layers.0.query.bias");
  EXPECT_EQ(problem(), "model.yaml:13: layers.0.query.range: queries are requantised to [-7, 7]; use a one-sided range such as [0, 15]");
}

TEST_F(LoadModel, TableOfTheWrongLength) {
  StoredTensor& t = named("layers.1.up.table");
  t.shape = {15};
  t.values.pop_back();
  EXPECT_EQ(
      problem(),
      "model.yaml:22: layers.1.up.table: the table covers 0 .. 14 but its operand is requantised to 0 .. 15; give it 16 entries, the first "
      "for 0");
}

TEST_F(LoadModel, TableAfterASign) {
  replace("  - {type: linear", "  - {type: linear, table: layers.1.up.table");
  EXPECT_EQ(problem(), "model.yaml:24: layers.2.table needs a `requantise` before it; add `requantise`, or drop the table");
}

TEST_F(LoadModel, VocabularyWithDuplicates) {
  replace("\"\\n abcdef\"", "\"\\n abcdea\"");
  EXPECT_EQ(problem(),
            "model.yaml:5: vocabulary: the symbol 'a' appears twice in the vocabulary, at 2 and 7; remove one of them, and its row of the "
            "embedding and "
            "the head");
}

TEST_F(LoadModel, VocabularyBeyondAscii) {
  replace("\"\\n abcdef\"", "\"\\n abcd\xC3\xA9\"");
  EXPECT_EQ(problem(),
            "model.yaml:5: symbol 6 of the vocabulary is not an ASCII character; use one-byte symbols: printable ASCII, \\n and \\t");
}

TEST_F(LoadModel, NameThatIsNoFileName) {
  replace("name: tiny", "name: ../tiny");
  EXPECT_EQ(
      problem(),
      "model.yaml:2: the name is not a word of up to 64 letters, digits, `-`, `_` and `.`; file names are made of it: choose such a word");
}

TEST_F(LoadModel, SamplingTableOfTheWrongLength) {
  StoredTensor& t = named("sampling.0.7");
  t.shape = {100};
  t.values.resize(100);
  EXPECT_EQ(problem(),
            "model.yaml:26: sampling.tables.0.7: the sampling table has 100 entries; give it 4096: one for each distance 0 .. 4095 from "
            "the largest "
            "logit");
}

TEST_F(LoadModel, TemperatureThatIsNoNumber) {
  replace("\"0.7\"", "\"hot\"");
  EXPECT_EQ(problem(), "model.yaml:26: sampling.tables.hot: a temperature is a number above 0; write it as \"0.7\"");
}

TEST_F(LoadModel, LogitScaleThatIsNoNumber) {
  replace("logit_scale: 0.125", "logit_scale: nan");
  EXPECT_EQ(problem(), "model.yaml:26: sampling.logit_scale is `nan`, not a number; write a decimal number such as 0.5");
}

TEST_F(LoadModel, NoLayers) {
  const size_t at = files.yaml.find("layers:"), end = files.yaml.find("head: {");
  files.yaml.replace(at, end - at, "layers: []\n");
  EXPECT_EQ(problem(), "model.yaml:8: layers: the model has 0 layers; use 1 .. 1024");
}

}  // namespace
}  // namespace bitgrid::frontend
