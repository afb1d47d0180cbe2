#include "frontend/safetensors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "ir/error.h"
#include "tests/support/errors.h"

namespace bitgrid::frontend {
namespace {

/// A file with this header and data.
std::string file(const std::string& header, size_t data_bytes) {
  std::string out;
  for (unsigned i = 0; i < 8; ++i) out += static_cast<char>((header.size() >> (8 * i)) & 255);
  return out + header + std::string(data_bytes, '\1');
}

std::string problem(const std::string& bytes) {
  return test::error_of([&] { parse_safetensors(bytes, "w.safetensors"); });
}

TEST(Safetensors, RoundTripOfEveryType) {
  const std::vector<StoredTensor> tensors = {{"b", DType::kI8, {2, 2}, {-128, 127, 0, -1}},
                                             {"a", DType::kU8, {2}, {0, 255}},
                                             {"c", DType::kI16, {1, 2, 1}, {-32768, 32767}},
                                             {"d", DType::kI32, {2}, {INT32_MIN, INT32_MAX}},
                                             {"e", DType::kI64, {2}, {INT64_MIN, INT64_MAX}},
                                             {"scalar", DType::kI8, {}, {5}},
                                             {"empty", DType::kI8, {0, 3}, {}}};
  const Safetensors s = parse_safetensors(print_safetensors(tensors), "w");
  EXPECT_EQ(s.entries.size(), tensors.size());
  for (const StoredTensor& t : tensors) EXPECT_EQ(tensor(s, t.name), t) << t.name;
}

TEST(Safetensors, WritesAFileAndNothingElse) {
  const std::string dir = ::testing::TempDir() + "safetensors_test_" + std::to_string(::getpid());
  std::filesystem::create_directories(dir);
  write_safetensors(dir + "/w.safetensors", {{"a", DType::kI8, {1}, {7}}});
  EXPECT_EQ(tensor(read_safetensors(dir + "/w.safetensors"), "a").values, (std::vector<int64_t>{7}));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir), {}), 1);
  std::filesystem::remove_all(dir);
}

TEST(Safetensors, WriterRefusesWhatDoesNotFit) {
  EXPECT_THROW(print_safetensors({{"a", DType::kI8, {1}, {128}}}), Error);
  EXPECT_THROW(print_safetensors({{"a", DType::kU8, {1}, {-1}}}), Error);
  EXPECT_THROW(print_safetensors({{"a", DType::kI8, {2}, {1}}}), Error);
  EXPECT_THROW(print_safetensors({{"a", DType::kI8, {1}, {1}}, {"a", DType::kI8, {1}, {1}}}), Error);
}

TEST(Safetensors, MetadataIsSkipped) {
  const auto s = parse_safetensors(file(R"({"__metadata__":{"format":"np"},"a":{"dtype":"I8","shape":[3],"data_offsets":[0,3]}})", 3), "w");
  EXPECT_EQ(tensor(s, "a").values, (std::vector<int64_t>{1, 1, 1}));
}

TEST(Safetensors, Messages) {
  EXPECT_EQ(problem("abc"),
            "w.safetensors: the file has fewer than 8 bytes; this is not a safetensors file, or a truncated one; export it again");
  EXPECT_EQ(
      problem(std::string("\xff\xff\xff\xff\xff\xff\xff\x7f", 8)),
      "w.safetensors: its header claims 9223372036854775807 bytes, but 0 follow (limit 16777216); this is not a safetensors file, or a "
      "truncated one; export it again");
  EXPECT_EQ(problem(file("{\"a\":", 0)),
            "w.safetensors: byte 12: this is not JSON: syntax error while parsing value - unexpected end of input; expected '[', '{', or a "
            "literal; the file is damaged; copy or export it again");
  EXPECT_EQ(problem(file("[1]", 0)), "w.safetensors: byte 8: its header does not begin with {; write the file with a safetensors library");
  EXPECT_EQ(problem(file(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4)),
            "w.safetensors: tensor a: its dtype is F32, but models here have only integers; export the quantised integers: weights as I8, "
            "biases and tables as I32");
  EXPECT_EQ(problem(file(R"({"a":{"dtype":"I9","shape":[1],"data_offsets":[0,4]}})", 4)),
            "w.safetensors: tensor a: its dtype \"I9\" is unknown; use I8, U8, I16, I32 or I64");
  EXPECT_EQ(problem(file(R"({"a":{"dtype":"I8","shape":[8],"data_offsets":[0,8]}})", 4)),
            "w.safetensors: tensor a: it ends at byte 8 of 4 bytes of data; the file is truncated; copy or export it again");
  EXPECT_EQ(
      problem(file(R"({"a":{"dtype":"I32","shape":[2,2],"data_offsets":[0,4]}})", 4)),
      "w.safetensors: tensor a: its shape [2, 2] needs more bytes than the file has; the file may be truncated; copy or export it again");
  EXPECT_EQ(problem(file(R"({"a":{"dtype":"I8","shape":[2],"data_offsets":[0,4]}})", 4)),
            "w.safetensors: tensor a: its shape [2] of I8 needs 2 bytes, but it has 4; correct the shape or the data_offsets");
  EXPECT_EQ(
      problem(file(R"({"a":{"dtype":"I8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"I8","shape":[2],"data_offsets":[2,4]}})", 4)),
      "w.safetensors: tensor b: its bytes overlap another tensor's; write the file with a safetensors library");
  EXPECT_EQ(
      problem(file(R"({"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"I8","shape":[2],"data_offsets":[2,4]}})", 4)),
      "w.safetensors: tensor b: 1 bytes before it belong to no tensor; write the file with a safetensors library");
  EXPECT_EQ(problem(file(R"({"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}})", 4)),
            "w.safetensors: 3 bytes at the end belong to no tensor; copy or export the file again");
  EXPECT_EQ(problem(file(R"({"a":{"dtype":"I8","shape":[-1],"data_offsets":[0,1]}})", 4)),
            "w.safetensors: tensor a: its shape is not a list of numbers; write the file with a safetensors library");
  EXPECT_EQ(problem(file(R"({"a":{"dtype":"I8","shape":[1],"data_offsets":[1,0]}})", 4)),
            "w.safetensors: tensor a: its data_offsets are not [BEGIN, END]; write the file with a safetensors library");
  EXPECT_EQ(problem(file(R"({"a":3})", 4)),
            "w.safetensors: tensor a: its header entry is not an object; write the file with a safetensors library");
}

TEST(Safetensors, ANameStandsOnce) {
  EXPECT_EQ(
      problem(file(R"({"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"I8","shape":[1],"data_offsets":[1,2]}})", 2)),
      "w.safetensors: byte 63: the key \"a\" appears twice in one object; the file is damaged; copy or export it again");
  EXPECT_EQ(problem(file(R"({"a":{"dtype":"I8","shape":[1],"dtype":"U8","data_offsets":[0,1]}})", 1)),
            "w.safetensors: byte 45: the key \"dtype\" appears twice in one object; the file is damaged; copy or export it again");
}

TEST(Safetensors, TheHeaderIsPaddedWithBlanks) {
  const std::string header = R"({"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}})";
  EXPECT_EQ(problem(file(header + "  \n", 1)), "no error");
  EXPECT_EQ(problem(file(header + std::string(2, '\0'), 1)),
            "w.safetensors: byte 61: unexpected zero byte; the file is damaged; copy or export it again");
}

TEST(Safetensors, HugeShapesDoNotOverflow) {
  EXPECT_NE(problem(file(R"({"a":{"dtype":"I64","shape":[4294967296,4294967296,4],"data_offsets":[0,8]}})", 8)).find("needs more bytes"),
            std::string::npos);
  EXPECT_NE(problem(file(R"({"a":{"dtype":"I8","shape":[18446744073709551615,2],"data_offsets":[0,8]}})", 8)).find("needs more bytes"),
            std::string::npos);
}

TEST(Safetensors, DeepNestingInTheHeader) {
  EXPECT_NE(problem(file(std::string(100000, '['), 0)), "no error");
}

TEST(Safetensors, RandomDamageNeverCrashes) {
  const std::string good = print_safetensors({{"first", DType::kI8, {2, 3}, {1, -1, 0, 1, 0, 0}}, {"second", DType::kI32, {3}, {5, 6, 7}}});
  std::mt19937 random(1);
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = good;
    if (round % 2) bytes.resize(random() % good.size());
    for (size_t n = random() % 4; n > 0 && !bytes.empty(); --n) bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    try {
      const Safetensors s = parse_safetensors(bytes, "w");
      for (const auto& [name, e] : s.entries) tensor(s, name);
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace bitgrid::frontend
