// FST waveforms, GTKWave's compressed format. GTKWave's own code writes them, if the build found it (fst.cmake).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ir/output_file.h"

namespace bitgrid::sim {

bool has_fst();

/// A dump of 1-bit signals, which are 0 until they change. It grows in memory and is written when it is finished; an unfinished dump leaves
/// nothing behind. All functions throw Error if memory runs out.
class FstFile {
 public:
  /// Throws Error if this program was built without FST or the file cannot be made.
  FstFile(const std::string& path, const std::string& scope, const std::vector<std::string>& names);
  ~FstFile();
  FstFile(const FstFile&) = delete;
  FstFile& operator=(const FstFile&) = delete;

  /// Times must ascend.
  void change(uint64_t time, size_t signal, bool value);
  /// Sets the end time and writes the file. Throws Error if something could not be written.
  void finish(uint64_t time);

 private:
  struct Memory {
    int fd = -1;
    ~Memory();
  };
  /// Runs GTKWave's code and keeps its first error in error_.
  template <typename Call>
  void call(Call body);
  void throw_error() const;

  std::string path_;
  std::unique_ptr<OutputFile> file_;
  Memory memory_;
  void* writer_ = nullptr;
  int error_ = 0;
  std::vector<uint32_t> handles_;
  uint64_t time_ = ~uint64_t{0};
};

/// Reads the changes of each signal in a dump, with their times, in the order of its signals. Throws Error if it is not an FST file.
struct FstSignal {
  std::string name;
  std::vector<std::pair<uint64_t, bool>> changes;
  bool operator==(const FstSignal&) const = default;
};
std::vector<FstSignal> read_fst(const std::string& path);

}  // namespace bitgrid::sim
