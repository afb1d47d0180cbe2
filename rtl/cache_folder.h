// The folder in which verilated models are kept from run to run. Libraries are loaded from it, so nobody else may write there.
#pragma once

#include <filesystem>
#include <string>

namespace bitgrid::rtl {

/// $XDG_CACHE_HOME/bitgrid, or else ~/.cache/bitgrid, or else, without a home, bitgrid-cache-UID in the folder for temporary files.
std::string default_rtl_cache();

/// Makes the folder, for this user alone, unless it is there. Throws Error if it cannot be made, belongs to another user, or can be written
/// by everyone. Where everyone may make a folder (/tmp), also if it is a symbolic link or a group may write into it; it is closed to others
/// then (permissions 700).
void make_private_folder(const std::filesystem::path& folder);

/// A folder of our own that vanishes unless it is renamed.
class BuildFolder {
 public:
  /// Throws Error if `parent` takes no folders.
  explicit BuildFolder(const std::filesystem::path& parent);
  ~BuildFolder();
  BuildFolder(const BuildFolder&) = delete;
  BuildFolder& operator=(const BuildFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Gives the folder its final name. If another process was quicker, its folder stays and ours goes.
  void rename(const std::filesystem::path& name);

 private:
  std::filesystem::path path_;
};

}  // namespace bitgrid::rtl
