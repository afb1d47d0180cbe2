#include "bitgrid_sim/systemc/platform.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <optional>

#include "bitgrid_sim/systemc/residency.h"
#include "bitgrid_sim/systemc/system.h"
#include "ir/error.h"

namespace bitgrid {

// What passes through the pipe as CBOR.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(HostTrace, positions, codes)

}  // namespace bitgrid

namespace bitgrid::platform {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(StreamResult, tokens, times, values)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PlatformResult, load_cycles, cycles, sram_bytes, dram_bytes, streams, tiles, kernels, buses, timeline)

namespace {

/// Frames of the pipe: a letter, the length, and that many bytes.
enum class Frame : char { kProgress = 'p', kResult = 'r', kError = 'e' };

bool write_all(int pipe, const void* data, size_t bytes) {
  const char* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t n = ::write(pipe, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

bool read_all(int pipe, void* data, size_t bytes) {
  char* at = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t n = ::read(pipe, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

void send(int pipe, Frame frame, std::string_view data) {
  const uint64_t bytes = data.size();
  if (!write_all(pipe, &frame, 1) || !write_all(pipe, &bytes, sizeof bytes) || !write_all(pipe, data.data(), data.size())) _exit(1);
}

/// In the child: the simulation, and nothing of the parent's that could be written twice.
[[noreturn]] void simulate_and_exit(int pipe, const Program& program, const std::vector<MappedKernel>& mapped, const MemoryMap& map,
                                    PlatformParams params) {
  if (params.progress) params.progress = [pipe](const std::string& line) { send(pipe, Frame::kProgress, line); };
  try {
    const std::vector<uint8_t> cbor = nlohmann::json::to_cbor(nlohmann::json(run_system(program, mapped, map, params)));
    send(pipe, Frame::kResult, {reinterpret_cast<const char*>(cbor.data()), cbor.size()});
  } catch (const std::exception& e) {
    send(pipe, Frame::kError, e.what());
  }
  _exit(0);
}

/// In the parent. Nothing if the child died without a result.
std::optional<PlatformResult> receive(int pipe, const PlatformParams& params, std::string& error) {
  Frame frame{};
  uint64_t bytes = 0;
  while (read_all(pipe, &frame, 1) && read_all(pipe, &bytes, sizeof bytes)) {
    std::string data(bytes, '\0');
    if (!read_all(pipe, data.data(), bytes)) break;
    if (frame == Frame::kResult) return nlohmann::json::from_cbor(data).get<PlatformResult>();
    if (frame == Frame::kError) {
      error = data;
      break;
    }
    params.progress(data);
  }
  return std::nullopt;
}

void require_possible(const Program& program, const std::vector<MappedKernel>& mapped, const PlatformParams& params) {
  if (!platform_available()) {
    throw Error("engine systemc", "this bitgrid was built without SystemC",
                "install the package libsystemc-dev (scripts/install-dependencies) and build again");
  }
  if (params.streams.empty()) throw Error("platform", "there are no streams", "give at least one");
  for (const auto& tokens : params.streams) {
    if (tokens.empty()) throw Error("platform", "a stream has no initial token", "give each stream at least one");
  }
  if (params.generate > 0 && !params.choose) throw Error("platform", "no function chooses the next token", "set PlatformParams::choose");
  if (program.steps.empty()) throw Error("platform", "the program has no steps", "give a model, not a single kernel");
  const Arch& arch = params.arch;
  for (const MappedKernel& m : mapped) {
    const bool fits =
        (arch.tile_width == 0 || m.grid.width <= arch.tile_width) && (arch.tile_height == 0 || m.grid.height <= arch.tile_height);
    if (fits) continue;
    throw Error("kernel " + m.name,
                fmt::format("{} x {} cells do not fit the platform's tiles of {} x {}", m.grid.width, m.grid.height, arch.tile_width,
                            arch.tile_height),
                "give a larger tile in the architecture file");
  }
}

void require_room(const Program& program, const std::vector<MappedKernel>& mapped, const MemoryMap& map, const PlatformParams& params) {
  const Platform& p = params.arch.platform;
  if (p.sram_bytes > 0 && map.sram_bytes > static_cast<uint64_t>(p.sram_bytes)) {
    throw Error("platform.sram.bytes",
                fmt::format("{} streams need {} bytes, there are {}", params.streams.size(), map.sram_bytes, p.sram_bytes),
                "give more memory, or fewer streams");
  }
  if (p.residency == Residency::kShared || p.tiles == 0) return;
  const size_t needed = resident_configurations(program, mapped, params.streams.size()).size();
  if (needed > static_cast<size_t>(p.tiles)) {
    throw Error("platform.tiles",
                fmt::format("{} kernels that each keep a tile need {} tiles, there are {}", mapped.size(), needed, p.tiles),
                "give more tiles, or `residency: shared`");
  }
}

}  // namespace

uint64_t PlatformResult::tokens() const {
  uint64_t n = 0;
  for (const StreamResult& s : streams) n += s.times.size();
  return n;
}

double PlatformResult::tokens_per_second(double clock_mhz) const {
  return cycles == 0 ? 0 : static_cast<double>(tokens()) * clock_mhz * 1e6 / static_cast<double>(cycles);
}

CycleParts PlatformResult::parts() const {
  CycleParts sum;
  for (const StreamResult& s : streams) {
    for (const TokenTime& t : s.times) sum += t.parts;
  }
  return sum;
}

PlatformResult simulate_platform(const Program& program, const std::vector<MappedKernel>& mapped, const PlatformParams& params) {
  require_possible(program, mapped, params);
  const MemoryMap map = make_memory_map(program, mapped, params.streams.size(), line_bytes(params.arch.platform));
  require_room(program, mapped, map, params);

  int ends[2];
  std::cout.flush();
  std::fflush(nullptr);
  if (pipe(ends) != 0) throw Error("platform", std::string("a pipe cannot be created: ") + std::strerror(errno), "close other programs");
  const pid_t child = fork();
  if (child < 0) {
    close(ends[0]);
    close(ends[1]);
    throw Error("platform", std::string("the simulation process cannot be started: ") + std::strerror(errno), "close other programs");
  }
  if (child == 0) {
    close(ends[0]);
    simulate_and_exit(ends[1], program, mapped, map, params);
  }
  close(ends[1]);
  std::string error;
  auto result = receive(ends[0], params, error);
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (result) return std::move(*result);
  if (!error.empty()) throw Error("", error);
  throw Error("platform", fmt::format("the simulation's process ended without a result (status {})", status),
              "see its output above; it may have been killed or run out of memory");
}

}  // namespace bitgrid::platform
