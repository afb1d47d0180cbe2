#include "ir/output_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>

#include "ir/file.h"
#include "tests/support/errors.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using testing::HasSubstr;

class Output : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (dir_ / name).string(); }
  /// Names in the folder, temporary ones too.
  std::vector<std::string> names(const std::string& folder = "") const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(dir_ / folder)) all.push_back(entry.path().filename().string());
    std::sort(all.begin(), all.end());
    return all;
  }
  mode_t mode(const std::string& name) const {
    struct stat info {};
    EXPECT_EQ(stat(path(name).c_str(), &info), 0);
    return info.st_mode;
  }
  /// A copy of a device; the real one might not survive a mistake.
  std::string device(const std::string& name, unsigned minor) const {
    return mknod(path(name).c_str(), S_IFCHR | 0666, makedev(1, minor)) == 0 ? path(name) : "";
  }
  /// Runs in a process that is killed then.
  static void killed(const std::function<void()>& body) {
    const pid_t child = fork();
    if (child == 0) {
      body();
      kill(getpid(), SIGKILL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
  }

  const test::ScratchFolder scratch_;
  const fs::path dir_ = scratch_.path();
};

TEST_F(Output, LinksAreFollowedAndStay) {
  fs::create_directory(path("there"));
  write_file(path("there/r"), "old");
  fs::create_symlink("there/r", path("a"));
  fs::create_symlink("a", path("b"));
  write_file(path("b"), "new");
  EXPECT_TRUE(fs::is_symlink(path("b")) && fs::is_symlink(path("a")));
  EXPECT_EQ(read_file(path("there/r")), "new");
}

TEST_F(Output, ALinkToNothingMakesItsTarget) {
  fs::create_symlink("later", path("a"));
  write_file(path("a"), "x");
  EXPECT_EQ(read_file(path("later")), "x");
  EXPECT_TRUE(fs::is_symlink(path("a")));
}

TEST_F(Output, LinksInACircleAreAnError) {
  fs::create_symlink("b", path("a"));
  fs::create_symlink("a", path("b"));
  EXPECT_EQ(error_of([&] { write_file(path("a"), "x"); }),
            path("a") + ": cannot be written: Too many levels of symbolic links; check the path and the file system");
}

TEST_F(Output, AFifoIsWrittenIntoAndStays) {
  ASSERT_EQ(mkfifo(path("f").c_str(), 0666), 0);
  std::string got;
  std::thread reader([&] { got = read_file(path("f")); });
  write_file(path("f"), "through");
  reader.join();
  EXPECT_EQ(got, "through");
  EXPECT_TRUE(S_ISFIFO(mode("f")));
}

TEST_F(Output, ADeviceStaysOne) {
  const std::string null = device("null", 3), full = device("full", 7);
  if (full.empty()) GTEST_SKIP() << "devices cannot be made here";
  write_file(null, "gone");
  EXPECT_TRUE(S_ISCHR(mode("null")));
  EXPECT_EQ(error_of([&] { write_file(full, "x"); }),
            full + ": cannot be written: No space left on device; free some space, or choose another place");
  EXPECT_TRUE(S_ISCHR(mode("full")));
}

TEST_F(Output, AnOpenFileIsWrittenIntoWhateverItsName) {
  const int fd = open(path("r").c_str(), O_RDWR | O_CREAT, 0666);
  fs::remove(path("r"));
  write_file("/dev/fd/" + std::to_string(fd), "x");
  char c = 0;
  EXPECT_EQ(pread(fd, &c, 1, 0), 1);
  EXPECT_EQ(c, 'x');
  close(fd);
  EXPECT_TRUE(names().empty());
}

TEST_F(Output, PermissionsAreKept) {
  const mode_t before = umask(027);
  write_file(path("a"), "1");
  EXPECT_EQ(mode("a") & 0777, 0640u);
  chmod(path("a").c_str(), 0606);
  write_file(path("a"), "2");
  EXPECT_EQ(mode("a") & 0777, 0606u);
  umask(before);
}

TEST_F(Output, WhatIsWriteProtectedIsNotReplaced) {
  const uid_t user = geteuid();
  constexpr uid_t kNobody = 65534;
  write_file(path("a"), "old");
  chmod(path("a").c_str(), 0444);
  chmod(dir_.c_str(), 0777);
  ASSERT_EQ(user == 0 ? seteuid(kNobody) : 0, 0);  // root may write everything
  const std::string error = error_of([&] { write_file(path("a"), "new"); });
  ASSERT_EQ(seteuid(user), 0);
  EXPECT_THAT(error, HasSubstr("cannot be written: Permission denied"));
  EXPECT_EQ(read_file(path("a")), "old");
}

TEST_F(Output, TheOldTextStaysUntilTheEnd) {
  write_file(path("a"), "old");
  {
    OutputFile file(path("a"));
    file.write("new");
  }
  EXPECT_EQ(read_file(path("a")), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(Output, AFailedWriteLeavesTheOldFileAndNothingElse) {
  write_file(path("a"), "old");
  struct rlimit before {};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 4096;
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string error = error_of([&] { write_file(path("a"), std::string(10000, 'x')); });
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);
  EXPECT_EQ(error, path("a") + ": cannot be written: File too large; free some space, or choose another place");
  EXPECT_EQ(read_file(path("a")), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(Output, WhatAKilledWriterLeftIsTakenAwayByTheNext) {
  killed([&] { (new OutputFile(path("a")))->write("half"); });
  EXPECT_EQ(names().size(), 1u);
  write_file(path("a"), "whole");
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(Output, TwoWritersOfTheSameFileDoNotMeet) {
  OutputFile first(path("a")), second(path("a"));
  first.write("first");
  second.write("second");
  first.finish();
  EXPECT_EQ(read_file(path("a")), "first");
  second.finish();
  EXPECT_EQ(read_file(path("a")), "second");
}

TEST_F(Output, TheLongestNameCanBeWritten) {
  write_file(path(std::string(255, 'n')), "x");
  EXPECT_EQ(read_file(path(std::string(255, 'n'))), "x");
  EXPECT_THAT(error_of([&] { write_file(path(std::string(256, 'n')), "x"); }), HasSubstr("File name too long; give a shorter name"));
}

TEST_F(Output, FoldersAreNoFiles) {
  EXPECT_EQ(error_of([&] { write_file(dir_.string(), "x"); }), dir_.string() + ": cannot be written: this is a folder; name a file in it");
  write_file(path("f"), "x");
  EXPECT_EQ(error_of([&] { OutputFolder(path("f")); }), path("f") + ": this is a file; name a folder");
  EXPECT_EQ(error_of([&] { OutputFolder(path("f/g")); }),
            path("f/g") + ": this folder cannot be created: Not a directory; a part of the path is a file: correct the path");
}

TEST_F(Output, AFolderThatIsNotCommittedLeavesNothing) {
  {
    OutputFolder folder(path("x/y/"));
    folder.add("sub/a", "1");
  }
  EXPECT_TRUE(names().empty());
}

TEST_F(Output, FilesAppearTogether) {
  write_file(path("unwanted"), "");
  write_file(path("a"), "old");
  OutputFolder folder(dir_.string());
  folder.add("sub/b", "2");
  folder.add("a", "new");
  folder.remove("unwanted");
  EXPECT_EQ(read_file(path("a")), "old");
  EXPECT_FALSE(fs::exists(path("sub/b")));
  folder.commit();
  EXPECT_EQ(read_file(path("a")), "new");
  EXPECT_EQ(read_file(path("sub/b")), "2");
  EXPECT_FALSE(fs::exists(path("unwanted")));
}

TEST_F(Output, AFolderHasOneHolder) {
  {
    OutputFolder holder(path("x"));
    EXPECT_EQ(error_of([&] { OutputFolder second(path("x")); }),
              path("x") + ": process " + std::to_string(getpid()) +
                  " is writing to this folder; wait until it finishes, or choose another folder with -o");
  }
  OutputFolder next(path("x"));
}

TEST_F(Output, AKilledHolderIsNoHolderAndItsFilesGo) {
  killed([&] {
    auto* folder = new OutputFolder(path("x"));
    folder->add("sub/a", "1");
    folder->add("b", "2");
  });
  EXPECT_EQ(names("x/sub").size(), 1u);
  OutputFolder next(path("x"));
  next.add("sub/c", "3");
  EXPECT_EQ(names("x/sub").size(), 1u);  // of c
  next.commit();
  EXPECT_EQ(names("x/sub"), std::vector<std::string>{"c"});
}

}  // namespace
}  // namespace bitgrid
