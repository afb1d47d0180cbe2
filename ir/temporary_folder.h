// A new folder in the system's temporary folder. The destructor removes it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "ir/error.h"

namespace bitgrid {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "bitgrid-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      throw Error(name, "a temporary folder cannot be created", "set TMPDIR to a folder that can be written");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path() const { return path_.string(); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace bitgrid
