#include "rtl/cache_folder.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid::rtl {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A folder in which everyone may make others, as in /tmp.
class CacheFolder : public testing::Test {
 protected:
  void SetUp() override { ::chmod(parent_.c_str(), 01777); }

  static unsigned permissions(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_mode & 0777U;
  }
  std::string refusal() const {
    return test::error_of([&] { make_private_folder(folder_); });
  }

  const test::ScratchFolder scratch_;
  const fs::path parent_ = scratch_.path();
  const fs::path folder_ = parent_ / "cache";
};

TEST(RtlCache, FollowsTheXdgVariables) {
  const char* home = std::getenv("HOME");
  const std::string before = home ? home : "";
  setenv("XDG_CACHE_HOME", "/x", 1);
  EXPECT_EQ(default_rtl_cache(), "/x/bitgrid");
  unsetenv("XDG_CACHE_HOME");
  setenv("HOME", "/h", 1);
  EXPECT_EQ(default_rtl_cache(), "/h/.cache/bitgrid");
  unsetenv("HOME");
  EXPECT_EQ(default_rtl_cache(), (fs::temp_directory_path() / ("bitgrid-cache-" + std::to_string(geteuid()))).string());
  if (home) setenv("HOME", before.c_str(), 1);
}

TEST_F(CacheFolder, IsMadeForTheUserAlone) {
  const mode_t mask = ::umask(0);
  make_private_folder(folder_);
  ::umask(mask);
  EXPECT_EQ(permissions(folder_), 0700U);
  make_private_folder(folder_);  // and found again
}

TEST_F(CacheFolder, IsClosedToOthersWhereTheyCouldLookInto) {
  fs::create_directory(folder_);
  ::chmod(folder_.c_str(), 0755);
  make_private_folder(folder_);
  EXPECT_EQ(permissions(folder_), 0700U);
}

TEST_F(CacheFolder, IsRefusedWhereOthersMayHaveWritten) {
  fs::create_directory(folder_);
  for (const auto& [mode, problem] : {std::pair<mode_t, std::string>{0777, "everyone"}, {0770, "a group"}}) {
    ::chmod(folder_.c_str(), mode);
    EXPECT_EQ(refusal(), folder_.string() + ": this cache folder can be written by " + problem +
                             ", so others could plant libraries that are loaded from it; remove it, or set XDG_CACHE_HOME to a "
                             "folder of your own");
  }
}

TEST_F(CacheFolder, IsRefusedAsALinkWhereEveryoneMayWrite) {
  fs::create_directory(parent_ / "real");
  fs::create_directory_symlink(parent_ / "real", folder_);
  EXPECT_THAT(refusal(), HasSubstr("is a symbolic link where everyone may write"));
  ::chmod(parent_.c_str(), 0755);
  EXPECT_EQ(refusal(), "no error");  // only we could have made it
}

TEST_F(CacheFolder, IsRefusedIfItIsAnothersOrNoFolder) {
  std::ofstream(folder_.string()) << "text";
  EXPECT_THAT(refusal(), HasSubstr("this is not a folder"));
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder to another user";
  fs::remove(folder_);
  fs::create_directory(folder_);
  ASSERT_EQ(::chown(folder_.c_str(), 12345, 12345), 0);
  EXPECT_THAT(refusal(), HasSubstr("belongs to another user (number 12345)"));
}

}  // namespace
}  // namespace bitgrid::rtl
