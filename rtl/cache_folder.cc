#include "rtl/cache_folder.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "ir/error.h"

namespace bitgrid::rtl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCure = "remove it, or set XDG_CACHE_HOME to a folder of your own";

/// The last folder is made here, for this user alone; those above it as usual.
void make(const fs::path& folder) {
  std::error_code error;
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), error);
  if (!error && ::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) error.assign(errno, std::generic_category());
  if (error) throw Error(folder.string(), "this folder cannot be created: " + error.message(), "choose another cache folder");
}

}  // namespace

std::string default_rtl_cache() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache != '\0') return (fs::path(cache) / "bitgrid").string();
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return (fs::path(home) / ".cache" / "bitgrid").string();
  return (fs::temp_directory_path() / fmt::format("bitgrid-cache-{}", ::geteuid())).string();
}

void make_private_folder(const fs::path& folder) {
  make(folder);
  struct stat own {
  }, above{};
  const fs::path parent = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  if (::lstat(folder.c_str(), &own) != 0 || ::stat(parent.c_str(), &above) != 0)
    throw Error(folder.string(), std::string("this cache folder cannot be inspected: ") + std::strerror(errno), kCure);
  const bool anyone_may_make_it = (above.st_mode & S_IWOTH) != 0;
  const auto refuse = [&](const std::string& problem) {
    throw Error(folder.string(), "this cache folder " + problem + ", so others could plant libraries that are loaded from it", kCure);
  };
  if (anyone_may_make_it && S_ISLNK(own.st_mode)) refuse("is a symbolic link where everyone may write");
  if (S_ISLNK(own.st_mode) && ::stat(folder.c_str(), &own) != 0)
    throw Error(folder.string(), "this cache folder is a dangling symbolic link", kCure);
  if (!S_ISDIR(own.st_mode)) throw Error(folder.string(), "this is not a folder", kCure);
  if (own.st_uid != ::geteuid()) refuse(fmt::format("belongs to another user (number {})", own.st_uid));
  if ((own.st_mode & S_IWOTH) != 0) refuse("can be written by everyone");
  if (!anyone_may_make_it) return;
  if ((own.st_mode & S_IWGRP) != 0) refuse("can be written by a group");
  if ((own.st_mode & 0777u) != 0700 && ::chmod(folder.c_str(), 0700) != 0)
    throw Error(folder.string(), std::string("this cache folder cannot be made private: ") + std::strerror(errno), kCure);
}

BuildFolder::BuildFolder(const fs::path& parent) {
  std::string name = (parent / "building-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    throw Error(parent.string(), "a folder cannot be created here", "make it writable, or choose another cache folder");
  path_ = name;
}

BuildFolder::~BuildFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void BuildFolder::rename(const fs::path& name) {
  std::error_code error;
  fs::rename(path_, name, error);
  if (error && !fs::exists(name))
    throw Error(name.string(), "this folder cannot be created: " + error.message(), "choose another cache folder");
}

}  // namespace bitgrid::rtl
