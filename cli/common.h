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
/// Writes the result to where --json says.
void write_json(const Common& common, const Json& json);

/// Writes a line "bitgrid: MESSAGE" to stderr. Control characters, which may come from files and their names, are escaped.
void say_error(const std::string& message);

/// A status line on stderr that is rewritten in place. It is silent if stderr is not a terminal.
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
  /// Returns the seconds since construction or the last lap.
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - start_).count();
    start_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The most bytes of a file of faults.
constexpr uint64_t kMostFaultBytes = 64 << 20;

/// The most threads that --threads takes, and the threads of this machine.
constexpr int kMostThreads = 1024;
int all_threads();

/// Reads the file of --arch; empty means the default. Throws Error as load_arch does.
Arch arch_of(const std::string& file);
/// What JSON results say about the architecture in use: only the fabric, or also the platform around the tiles.
enum class ArchParts : uint8_t { kFabric, kWithPlatform };
Json arch_json(const Arch& arch, ArchParts parts = ArchParts::kFabric);

}  // namespace bitgrid::cli
