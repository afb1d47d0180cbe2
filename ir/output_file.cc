#include "ir/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <optional>
#include <system_error>
#include <utility>

#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = ".bitgrid-", kSuffix = ".tmp";
constexpr const char* kLock = ".bitgrid-lock";

std::string cure(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free some space, or choose another place";
    case ENOENT:
      return "check that the folder exists";
    case ENOTDIR:
      return "a part of the path is a file: correct the path";
    case EACCES:
    case EPERM:
    case EROFS:
      return "check the permissions of the file and its folder, or name another place";
    case EISDIR:
      return "name a file in it";
    case ENAMETOOLONG:
      return "give a shorter name";
    default:
      return "check the path and the file system";
  }
}

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

/// The folder's own name: no links. Empty if there is none.
std::string real_folder(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  const std::string result = real ? real : "";
  std::free(real);
  return result;
}

/// Links there lead to open files, whatever name or none those have.
bool is_folder_of_descriptors(const std::string& real) {
  return real.starts_with("/proc/") && real.ends_with("/fd");
}

struct Target {
  std::string path;
  std::optional<struct stat> old;  // what is there
  bool descriptor = false;         // an open file
};

/// Follows links by hand, since what the last one names need not exist. Sets errno and returns nullopt if that fails.
std::optional<Target> follow(std::string path) {
  constexpr int kMostLinks = 40;
  for (int links = 0; links <= kMostLinks; ++links) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) {
      if (errno == ENOENT) return Target{path, std::nullopt};
      return std::nullopt;
    }
    if (!S_ISLNK(info.st_mode)) return Target{path, info};
    const std::string folder = real_folder(folder_of(path));
    if (is_folder_of_descriptors(folder)) {
      if (::stat(path.c_str(), &info) != 0) return std::nullopt;
      return Target{path, info, true};
    }
    std::string name(PATH_MAX, '\0');
    const ssize_t length = ::readlink(path.c_str(), name.data(), name.size());
    if (length < 0) return std::nullopt;
    name.resize(static_cast<size_t>(length));
    path = (fs::path(folder) / name).string();
  }
  errno = ELOOP;
  return std::nullopt;
}

bool same_file(const struct stat& a, int fd) {
  struct stat b {};
  return ::fstat(fd, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Removes a temporary file unless its writer lives, which holds a lock on it.
bool remove_abandoned(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false;
  struct stat info {};
  const bool gone = ::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::flock(fd, LOCK_EX | LOCK_NB) == 0 &&
                    ::lstat(path.c_str(), &info) == 0 && same_file(info, fd) && ::unlink(path.c_str()) == 0;
  ::close(fd);
  return gone;
}

/// Whether a file just made is ours: locked, and not taken for an abandoned one in the moment before.
bool hold(int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;  // other errors: a file system without locks
  struct stat info {};
  return ::fstat(fd, &info) == 0 && info.st_nlink > 0;
}

/// Length and characters do not depend on the name, which may be as long as the system allows.
std::string temporary_name(const std::string& name, int serial) {
  return fmt::format("{}{:016x}-{}{}", kPrefix, fnv1a(name), serial, kSuffix);
}

/// Whether a file has that text already.
bool holds(const std::string& path, std::string_view text) {
  std::error_code error;
  if (!fs::is_regular_file(path, error) || fs::file_size(path, error) != text.size() || error) return false;
  try {
    return read_file(path) == text;
  } catch (const Error&) {
    return false;
  }
}

/// Those that are empty.
void remove_folders(const std::vector<std::string>& made) {
  for (auto folder = made.rbegin(); folder != made.rend(); ++folder) ::rmdir(folder->c_str());
}

/// Who has locked a file: it begins with its process id, if that process has come to write it.
std::string holder_of(int fd) {
  std::array<char, 32> text{};
  for (int tries = 0; tries < 100; ++tries) {
    const ssize_t n = ::pread(fd, text.data(), text.size() - 1, 0);
    const std::string_view line(text.data(), n > 0 ? static_cast<size_t>(n) : 0);
    if (line.ends_with('\n')) return fmt::format("process {}", line.substr(0, line.size() - 1));
    ::usleep(1000);
  }
  return "another process";
}

}  // namespace

// The delegation makes the object whole: the destructor runs if what follows throws.
OutputFile::OutputFile(const std::string& path) : OutputFile(path, Unopened{}) {
  open();
}

void OutputFile::open() {
  const std::optional<Target> target = follow(path_);
  if (!target) fail(errno);
  target_ = target->path;
  const std::string name = fs::path(target_).filename().string();
  if (name.empty() || (target->old && S_ISDIR(target->old->st_mode)))
    throw Error(path_, "cannot be written: this is a folder", cure(EISDIR));
  if (!target->old) return open_temporary(name, 0666);
  for (const int standard : {STDOUT_FILENO, STDERR_FILENO}) {
    if (!same_file(*target->old, standard)) continue;
    if (standard == STDOUT_FILENO) std::cout.flush();
    fd_ = ::fcntl(standard, F_DUPFD_CLOEXEC, 3);
    if (fd_ < 0) fail(errno);
    return;
  }
  if (target->descriptor || !S_ISREG(target->old->st_mode)) return open_in_place(S_ISREG(target->old->st_mode));
  if (::faccessat(AT_FDCWD, target_.c_str(), W_OK, AT_EACCESS) != 0) fail(errno);
  const mode_t mode = target->old->st_mode & 0777u;
  open_temporary(name, mode);
  // As far as the system allows: the mode it was made with gives nobody more than the old one.
  [[maybe_unused]] const bool kept = ::fchown(fd_, target->old->st_uid, target->old->st_gid) == 0 && ::fchmod(fd_, mode) == 0;
}

void OutputFile::open_in_place(bool truncate) {
  fd_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | (truncate ? O_TRUNC : 0));
  if (fd_ < 0) fail(errno);
}

void OutputFile::open_temporary(const std::string& name, unsigned mode) {
  constexpr int kMostWriters = 1000;  // of the same file at the same time
  for (int serial = 0; serial < kMostWriters; ++serial) {
    const std::string temporary = (fs::path(target_).parent_path() / temporary_name(name, serial)).string();
    do {
      fd_ = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
      if (fd_ >= 0 && hold(fd_)) {
        temporary_ = temporary;
        return;
      }
      if (fd_ < 0 && errno != EEXIST) fail(errno);
      if (fd_ >= 0) ::close(fd_);
      fd_ = -1;
    } while (remove_abandoned(temporary));
  }
  fail(EEXIST);
}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  if (fd_ >= 0) ::close(fd_);
}

void OutputFile::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd_, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno);
    text.remove_prefix(static_cast<size_t>(n));
  }
}

void OutputFile::close() {
  const int fd = std::exchange(fd_, -1);
  if (fd >= 0 && ::close(fd) != 0) fail(errno);
}

void OutputFile::finish() {
  // Closing tells of errors that a network's file system has kept to itself so far. It also ends the lock, so a copy is closed first.
  const int copy = fd_ >= 0 ? ::fcntl(fd_, F_DUPFD_CLOEXEC, 3) : -1;
  if (fd_ >= 0 && (copy < 0 || ::close(copy) != 0)) fail(errno);
  if (!temporary_.empty() && ::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);
  temporary_.clear();
  close();
}

void OutputFile::fail(int error) const {
  throw Error(path_, fmt::format("cannot be written: {}", std::strerror(error)), cure(error));
}

std::vector<std::string> make_folders(const std::string& dir) {
  std::vector<fs::path> missing;
  struct stat info {};
  for (fs::path at = dir; !at.empty() && ::stat(at.c_str(), &info) != 0 && errno == ENOENT; at = at.parent_path()) {
    if (at.has_filename()) missing.push_back(at);  // "a/" stands for "a"
  }
  std::vector<std::string> made;
  int error = 0;
  for (auto at = missing.rbegin(); at != missing.rend() && error == 0; ++at) {
    if (::mkdir(at->c_str(), 0777) == 0)
      made.push_back(at->string());
    else if (errno != EEXIST)
      error = errno;
  }
  if (error == 0 && ::stat(dir.c_str(), &info) != 0) error = errno;
  if (error == 0 && S_ISDIR(info.st_mode)) return made;
  remove_folders(made);
  if (error == 0) throw Error(dir, "this is a file", "name a folder");
  throw Error(dir, fmt::format("this folder cannot be created: {}", std::strerror(error)), cure(error));
}

OutputFolder::OutputFolder(const std::string& dir) : OutputFolder(dir, Unopened{}) {
  made_ = make_folders(dir_);
  lock();
  enter(dir_);
}

OutputFolder::~OutputFolder() {
  files_.clear();
  if (lock_ >= 0) {
    ::unlink((fs::path(dir_) / kLock).c_str());
    ::close(lock_);
  }
  remove_folders(made_);
}

void OutputFolder::lock() {
  const std::string path = (fs::path(dir_) / kLock).string();
  for (;;) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0 && errno == ENOENT) {  // another process has just given the folder up
      for (std::string& folder : make_folders(dir_)) made_.push_back(std::move(folder));
      continue;
    }
    if (fd < 0) throw Error(dir_, fmt::format("this folder cannot be written: {}", std::strerror(errno)), cure(errno));
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      const std::string holder = holder_of(fd);
      ::close(fd);
      throw Error(dir_, holder + " is writing to this folder", "wait until it finishes, or choose another folder with -o");
    }
    struct stat info {};
    if (::fstat(fd, &info) == 0 && info.st_nlink == 0) {  // given up between our two calls
      ::close(fd);
      continue;
    }
    lock_ = fd;
    break;
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(lock_, 0) != 0 || ::write(lock_, pid.data(), pid.size()) != static_cast<ssize_t>(pid.size()))
    throw Error(dir_, fmt::format("this folder cannot be written: {}", std::strerror(errno)), cure(errno));
}

void OutputFolder::enter(const std::string& folder) {
  if (std::find(entered_.begin(), entered_.end(), folder) != entered_.end()) return;
  for (std::string& made : make_folders(folder)) made_.push_back(std::move(made));
  std::error_code ignored;
  std::vector<std::string> old;
  for (fs::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(kPrefix) && name.ends_with(kSuffix)) old.push_back(entry->path().string());
  }
  for (const std::string& path : old) remove_abandoned(path);
  entered_.push_back(folder);
}

void OutputFolder::add(const std::string& name, std::string_view text) {
  const fs::path path = fs::path(dir_) / name;
  enter(path.parent_path().string());
  if (holds(path.string(), text)) return;
  auto file = std::make_unique<OutputFile>(path.string());
  file->write(text);
  file->close();
  files_.push_back(std::move(file));
}

void OutputFolder::remove(const std::string& name) {
  unwanted_.push_back((fs::path(dir_) / name).string());
}

void OutputFolder::commit() {
  for (const auto& file : files_) file->finish();
  made_.clear();
  files_.clear();
  for (const std::string& path : unwanted_) ::unlink(path.c_str());
  unwanted_.clear();
}

}  // namespace bitgrid
