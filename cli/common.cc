#include "cli/common.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "bitgrid_sim/systemc/platform_report.h"
#include "cli/numbers.h"
#include "frontend/arch_file.h"
#include "ir/file.h"
#include "ir/json_text.h"
#include "ir/text.h"

namespace bitgrid::cli {

void add_common(CLI::App& app, Common& common, uint64_t most_seed) {
  app.add_option("--json", common.json_file, "write the result as JSON to this file");
  add_number<uint64_t>(app, "--seed", common.seed, {0, most_seed}, "seed of everything random; equal seeds give equal bytes");
}

void write_json(const Common& common, const Json& json) {
  if (!common.json_file.empty()) write_file(common.json_file, json_text(json, 1) + "\n");
}

void say_error(const std::string& message) {
  std::fprintf(stderr, "bitgrid: %s\n", printable(message).c_str());
}

Progress::Progress() : terminal_(isatty(STDERR_FILENO) != 0) {}

void Progress::say(const std::string& line) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || (shown_ && now - last_ < std::chrono::milliseconds(100))) return;
  std::fprintf(stderr, "\r\033[K%.*s", 110, printable(line).c_str());
  std::fflush(stderr);
  shown_ = true;
  last_ = now;
}

void Progress::clear() {
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

int all_threads() {
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, static_cast<unsigned>(kMostThreads)));
}

Arch arch_of(const std::string& file) {
  return file.empty() ? Arch{} : frontend::load_arch(file);
}

Json arch_json(const Arch& arch, ArchParts parts) {
  Json json = {{"name", arch.name},
               {"configuration_bits_per_cycle", arch.configuration_bits_per_cycle},
               {"tile", {{"width", arch.tile_width}, {"height", arch.tile_height}}}};
  if (parts == ArchParts::kWithPlatform) json["platform"] = platform::platform_json(arch.platform);
  return json;
}

}  // namespace bitgrid::cli
