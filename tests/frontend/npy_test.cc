#include "frontend/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace bitgrid::frontend {
namespace {

const std::string kBytes = npy_bytes({2, 3}, {1, -2, 3, 4, 5, int64_t{1} << 40});

TEST(Npy, ArraysComeBack) {
  const NpyArray array = parse_npy(kBytes, "a.npy");
  EXPECT_EQ(array.shape, (std::vector<size_t>{2, 3}));
  EXPECT_EQ(array.values, (std::vector<double>{1, -2, 3, 4, 5, 1099511627776.0}));
}

TEST(Npy, FilesThatAreCutAreRefused) {
  for (size_t n = 0; n < kBytes.size(); ++n)
    EXPECT_THAT(test::error_of([&] { parse_npy(kBytes.substr(0, n), "a.npy"); }), testing::HasSubstr("a.npy"));
}

TEST(Npy, OtherOrdersAndTypesAreRefused) {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string bytes = kBytes;
    return bytes.replace(bytes.find(from), from.size(), to);
  };
  EXPECT_NE(test::error_of([&] { parse_npy(with("False", "True "), "a.npy"); }), "");
  EXPECT_NE(test::error_of([&] { parse_npy(with("<i8", "<c8"), "a.npy"); }), "");
}

}  // namespace
}  // namespace bitgrid::frontend
