// What the commands share: progress on stderr, JSON results.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "ir/arch.h"

namespace bitgrid::cli {

using Json = nlohmann::ordered_json;

/// Options that every command has. --seed goes from 0 to `most_seed`.
struct Common {
  std::string json_file;
  uint64_t seed = 1;
};
void add_common(CLI::App& app, Common& common, uint64_t most_seed = UINT64_MAX);
/// Writes the result where --json asked for it.
void write_json(const Common& common, const Json& json);

/// A line "bitgrid: MESSAGE" on stderr. Control characters, which may come from files and their names, are written out.
void say_error(const std::string& message);

/// A status line on stderr that is rewritten in place; silent where stderr is not a terminal.
class Progress {
 public:
  Progress();
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void say(const std::string& line);
  void clear();

 private:
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

class Stopwatch {
 public:
  /// Seconds since construction or the last lap.
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - start_).count();
    start_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Bytes of a file of faults.
constexpr uint64_t kMostFaultBytes = 64 << 20;

/// Threads that --threads takes, and those of this machine.
constexpr int kMostThreads = 1024;
int all_threads();

/// The file of --arch; empty: the default. Throws Error as load_arch does.
Arch arch_of(const std::string& file);
/// What JSON results say of the architecture in force: the fabric, or also what stands around the tiles.
enum class ArchParts : uint8_t { kFabric, kWithPlatform };
Json arch_json(const Arch& arch, ArchParts parts = ArchParts::kFabric);

/// "model.yaml" files are models, ".onnx" networks; ".blif" and ".dag" are netlists and kernels. Throws Error naming them.
enum class SourceKind { kModel, kNetwork, kBlif, kDag };
SourceKind source_kind(const std::string& path);

}  // namespace bitgrid::cli
