#include "frontend/checkpoint/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "ir/file.h"
#include "tests/support/errors.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid::frontend {
namespace {

TEST(MappedFile, HoldsTheBytesAndGivesPagesBack) {
  const test::ScratchFolder folder;
  std::string text(3 * 65536 + 5, '\0');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i % 251);
  write_file(folder.file("a"), text);
  const MappedFile file(folder.file("a"));
  EXPECT_EQ(file.size(), text.size());
  file.will_read(1, text.size());
  EXPECT_TRUE(file.text() == text);
  file.release(1, text.size());
  file.release(7, 3);
  file.release(0, UINT64_MAX);
  EXPECT_TRUE(file.text() == text);
}

TEST(MappedFile, MayBeEmpty) {
  const test::ScratchFolder folder;
  write_file(folder.file("a"), "");
  const MappedFile file(folder.file("a"));
  EXPECT_EQ(file.text(), "");
  file.release(0, 1);
}

TEST(MappedFile, Messages) {
  const test::ScratchFolder folder;
  const auto problem = [](const std::string& path) { return test::error_of([&] { return MappedFile(path).size(); }); };
  EXPECT_EQ(problem(folder.file("a")), folder.file("a") + ": there is no such file; check the path");
  EXPECT_EQ(problem(folder.path()), folder.path().string() + ": this is a folder; name the file in it");
  write_file(folder.file("pointer"), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  EXPECT_EQ(problem(folder.file("pointer")),
            folder.file("pointer") +
                ": this is a Git LFS pointer instead of the file; run `git lfs pull` in its folder, or fetch the file itself");
  ASSERT_EQ(::mkfifo(folder.file("fifo").c_str(), 0600), 0);
  EXPECT_THAT(problem(folder.file("fifo")), testing::HasSubstr("this is not a regular file; copy the data"));
}

}  // namespace
}  // namespace bitgrid::frontend
