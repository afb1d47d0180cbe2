// The folder that keeps verilated models between runs. Libraries are loaded from it, so nobody else may be able to write there.
#pragma once

#include <filesystem>
#include <string>

namespace bitgrid::rtl {

/// Returns $XDG_CACHE_HOME/bitgrid, else ~/.cache/bitgrid, else, without a home, bitgrid-cache-UID in the folder for temporary files.
std::string default_rtl_cache();

/// Makes the folder, for this user alone, if it is missing. Throws Error if it cannot be made, belongs to another user, or is writable by
/// everyone. If everyone may make a folder next to it (/tmp), it also throws if the folder is a symbolic link or a group may write to it;
/// otherwise it closes the folder to others (permissions 700).
void make_private_folder(const std::filesystem::path& folder);

/// A new folder that is removed unless it is renamed.
class BuildFolder {
 public:
  /// Throws Error if no folder can be made in `parent`.
  explicit BuildFolder(const std::filesystem::path& parent);
  ~BuildFolder();
  BuildFolder(const BuildFolder&) = delete;
  BuildFolder& operator=(const BuildFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Gives the folder its final name. If another process was faster, its folder stays and this one is removed.
  void rename(const std::filesystem::path& name);

 private:
  std::filesystem::path path_;
};

}  // namespace bitgrid::rtl
