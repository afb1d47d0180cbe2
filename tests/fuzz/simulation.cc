// What simulators read: stimuli, scripts, states, kernels. What is read runs, the same on every engine.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "bitgrid_sim/live.h"
#include "bitgrid_sim/replay.h"
#include "cli/stimulus.h"
#include "frontend/compiled/mapped_kernel_io.h"
#include "ir/file.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/run_kernel.h"
#include "tests/fuzz/targets.h"
#include "tests/support/random_grid.h"

namespace bitgrid::fuzz {
namespace {

const GridConfig& small_grid() {
  static const GridConfig grid = test::random_grid(3, 2, 1);
  return grid;
}

}  // namespace

void stimulus(std::string_view bytes) {
  const auto replay = [&](sim::GridEngine engine) {
    sim::StimulusParams params;
    params.engine = engine;
    return accepted([&] { return sim::replay_stimulus(small_grid(), bytes, "x.jsonl", params); });
  };
  const auto scalar = replay(sim::GridEngine::kScalar);
  require(scalar == replay(sim::GridEngine::kSliced), "scalar and sliced differ");
  require(scalar == replay(sim::GridEngine::kLanes), "scalar and lanes differ");
  if (scalar) require(sim::replay_stimulus(small_grid(), *scalar, "printed") == *scalar, "a replay is not a stimulus for the same replay");
}

void invocations(std::string_view bytes) {
  static const Folder folder;
  const std::string path = folder.write("invocations.jsonl", bytes);
  for (const uint32_t bits : {1u, 70u}) accepted([&] { return cli::read_invocations(path, bits); });
}

void live_script(std::string_view bytes) {
  const GridConfig& grid = small_grid();
  const auto script = accepted([&] { return sim::parse_live(bytes, "x.live", grid.width, grid.height); });
  if (!script) return;
  const auto run = [&](sim::GridEngine engine) {
    sim::LiveParams params;
    params.engine = engine;
    params.cycles = 6;
    return sim::run_live(grid, *script, nullptr, params);
  };
  const sim::LiveResult scalar = run(sim::GridEngine::kScalar), sliced = run(sim::GridEngine::kSliced),
                        lanes = run(sim::GridEngine::kLanes);
  const sim::GridIdentity identity = sim::identity_of(grid);
  const std::string state = sim::print_live_state(scalar.state, identity);
  require(scalar.samples == sliced.samples && state == sim::print_live_state(sliced.state, identity), "scalar and sliced differ");
  require(scalar.samples == lanes.samples && state == sim::print_live_state(lanes.state, identity), "scalar and lanes differ");
  require(sim::print_live_state(sim::parse_live_state(state, "printed", identity), identity) == state,
          "a state that is read again is another one");
}

/// The checksum and the grid's hash are put right, so that what stands behind them is read.
void live_state(std::string_view bytes) {
  const sim::GridIdentity identity = sim::identity_of(small_grid());
  std::string text(bytes);
  auto json = nlohmann::ordered_json::parse(bytes, nullptr, false);
  if (json.is_object()) {
    json["grid"] = fmt::format("{:016x}", identity.hash);
    json.erase("checksum");
    json["checksum"] = fmt::format("{:08x}", crc32(json.dump()));
    text = json.dump();
  }
  const auto state = accepted([&] { return sim::parse_live_state(text, "x.state", identity); });
  if (!state) return;
  const std::string printed = sim::print_live_state(*state, identity);
  require(sim::print_live_state(sim::parse_live_state(printed, "printed", identity), identity) == printed,
          "a state that is read again is another one");
}

void kernel_json(std::string_view bytes) {
  auto kernel = accepted([&] { return frontend::parse_mapped_kernel(bytes, "x.json"); });
  if (!kernel || kernel->grid.cells.size() > 1 << 12) return;
  require(frontend::parse_mapped_kernel(frontend::print_mapped_kernel(*kernel), "printed") == *kernel,
          "a kernel that is printed and read again is another one");
  const auto verified = accepted([&] { return verify(*kernel), true; });
  if (!verified) return;
  kernel->grid = test::random_grid(kernel->grid.width, kernel->grid.height, 1);
  run_kernel(*kernel);
}

}  // namespace bitgrid::fuzz
