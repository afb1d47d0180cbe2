#include "frontend/npz_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frontend/npz.h"
#include "ir/file.h"
#include "ir/output_file.h"
#include "tests/support/errors.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid::frontend {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A file of our own writer, which shares nothing with libzip.
std::string written(const std::vector<NamedArray>& arrays) {
  const test::ScratchFolder folder;
  OutputFile file(folder.file("x.npz"));
  write_npz(file, arrays);
  return read_file(folder.file("x.npz"));
}

std::string said(const std::string& bytes) {
  return test::error_of([&] { parse_npz(bytes, "x.npz"); });
}

#ifdef BITGRID_LIBZIP

/// Files that numpy 1.24 wrote: savez, which stores, and savez_compressed, which deflates.
TEST(NpzReader, ArraysAreThoseThatNumpyWrote) {
  for (const char* name : {"stored", "compressed"}) {
    const auto arrays = read_npz(std::string(BITGRID_SOURCE_DIR) + "/tests/fuzz/corpus/npz/" + name);
    ASSERT_EQ(arrays.size(), 2u);
    EXPECT_EQ(arrays[0].name, "layers.0.sums");
    EXPECT_THAT(arrays[0].array.shape, ElementsAre(2, 6));
    EXPECT_THAT(arrays[0].array.values, ElementsAre(-3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8));
    EXPECT_EQ(arrays[1].name, "scores");
    EXPECT_THAT(arrays[1].array.values, ElementsAre(-3, -2, 3, 4));
  }
}

TEST(NpzReader, WhatWeWriteIsReadAgain) {
  const auto arrays = parse_npz(written({{"a", {2, 1}, {-1, 300}}, {"b", {0}, {}}}), "x.npz");
  EXPECT_THAT(arrays[0].array.values, ElementsAre(-1, 300));
  EXPECT_EQ(arrays[1].array.values.size(), 0u);
}

TEST(NpzReader, DamagedFilesAreRefused) {
  EXPECT_THAT(said("no zip file"), HasSubstr("x.npz: it is not an .npz file, or it is cut off; write it with numpy.savez"));
  std::string damaged = written({{"scores", {3}, {1, 2, 3}}});
  damaged[damaged.find("NUMPY") + 130] ^= 1;
  EXPECT_THAT(said(damaged), HasSubstr("x.npz, array scores: it cannot be unpacked"));
}

/// Cut anywhere: an Error, and nothing worse.
TEST(NpzReader, FilesThatAreCutAreRefused) {
  const std::string bytes = written({{"a", {2}, {1, 2}}, {"b", {2, 1}, {1, 2}}});
  for (size_t n = 0; n < bytes.size(); n += 3) EXPECT_NE(said(bytes.substr(0, n)), "") << n;
}

#else

TEST(NpzReader, BuildsWithoutLibzipNameIt) {
  EXPECT_THAT(said(""), HasSubstr("install libzip-dev and build again"));
}

#endif

}  // namespace
}  // namespace bitgrid::frontend
