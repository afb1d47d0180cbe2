// FST waveforms, GTKWave's compressed format: written with GTKWave's own code where the build found it (fst.cmake).
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

/// A dump of signals of one bit, 0 until they change. It grows in memory and is written when it is finished; one that is not finished
/// leaves nothing behind. All functions throw Error if memory runs out.
class FstFile {
 public:
  /// Throws Error if this program has no FST or the file cannot be made.
  FstFile(const std::string& path, const std::string& scope, const std::vector<std::string>& names);
  ~FstFile();
  FstFile(const FstFile&) = delete;
  FstFile& operator=(const FstFile&) = delete;

  /// Times ascend.
  void change(uint64_t time, size_t signal, bool value);
  /// The end of time. Throws Error if something could not be written.
  void finish(uint64_t time);

 private:
  struct Memory {
    int fd = -1;
    ~Memory();
  };
  /// Runs GTKWave's code; its first error stays in error_.
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

/// Changes of each signal in a dump, with their times, in the order of its signals. Throws Error if it is not an FST file.
struct FstSignal {
  std::string name;
  std::vector<std::pair<uint64_t, bool>> changes;
  bool operator==(const FstSignal&) const = default;
};
std::vector<FstSignal> read_fst(const std::string& path);

}  // namespace bitgrid::sim
