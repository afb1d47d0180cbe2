// bitgrid simulate: a grid file phase by phase, or a kernel of a compiled folder on given invocations.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "bitgrid_sim/kernel_simulator.h"
#include "bitgrid_sim/live.h"
#include "bitgrid_sim/rank_rows.h"
#include "bitgrid_sim/replay.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/numbers.h"
#include "cli/stimulus.h"
#include "engines/artefacts.h"
#include "frontend/grids/grid_source.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::cli {
namespace {

constexpr uint64_t kMostScriptBytes = uint64_t{1} << 30;

struct SimulateOptions {
  Common common;
  std::string grid, stimulus, live, save, resume, vcd, kernel, faults, size, order = "row", engine = "auto";
  std::string trace_file;
  bool torus = false, trace = false;
  size_t threads = 1;
  int halo = 32;
  std::optional<int64_t> cycles;
};

sim::GridEngine parse_simulator(const std::string& text) {
  if (text == "scalar") return sim::GridEngine::kScalar;
  if (text == "sliced") return sim::GridEngine::kSliced;
  if (text == "lanes") return sim::GridEngine::kLanes;
  if (text == "auto") return sim::GridEngine::kAuto;
  throw Error("--sim", "'" + text + "' is not a simulator", "choose auto, scalar, sliced or lanes");
}

/// Lanes hold no single run of invocations to draw.
sim::GridEngine waveform_simulator(const std::string& text) {
  const sim::GridEngine engine = parse_simulator(text);
  return engine == sim::GridEngine::kAuto ? sim::GridEngine::kSliced : engine;
}

std::vector<sim::Fault> read_faults(const SimulateOptions& o, int width, int height) {
  return o.faults.empty() ? std::vector<sim::Fault>{} : sim::parse_faults(read_file(o.faults, kMostFaultBytes), o.faults, width, height);
}

/// --size WxH says that the file is a payload without a header.
frontend::GridSource open_source(const SimulateOptions& o) {
  if (o.size.empty()) return frontend::open_grid(o.grid);
  frontend::PayloadLayout layout;
  layout.order = frontend::parse_order(o.order, "--order");
  const size_t cross = o.size.find('x');
  constexpr int kMost = frontend::kMostStreamedCells;
  const std::string_view text = o.size;
  const auto width = parse_whole(text.substr(0, cross), 1, kMost);
  const auto height = cross == std::string::npos ? std::nullopt : parse_whole(text.substr(cross + 1), 1, kMost);
  if (!width || !height) {
    throw Error("--size", "'" + o.size + "' is not a size",
                fmt::format("give the width and the height, such as 16x8; {} cells at most", frontend::kMostStreamedCells));
  }
  layout.width = *width;
  layout.height = *height;
  return frontend::open_payload(o.grid, layout);
}

/// Once for all of a run: other programs' formats are named, because they are translated.
void name_convention(const frontend::GridSource& grid, const std::string& path) {
  if (grid.foreign) say_error(fmt::format("{}: read as {}, {} x {} cells", path, grid.convention, grid.width, grid.height));
}

/// --trace takes a file or nothing: what follows it may as well have been the grid.
void settle_trace(SimulateOptions& o, bool given) {
  if (!given) {
    if (o.grid.empty()) throw Error("simulate", "the grid is missing", "name a grid file or the folder of a compile");
    return;
  }
  const bool wave = o.trace_file.ends_with(".vcd") || o.trace_file.ends_with(".fst");
  if (!wave && o.grid.empty()) std::swap(o.grid, o.trace_file);
  if (o.grid.empty()) throw Error("simulate", "the grid is missing", "name a grid file or the folder of a compile");
  if (o.trace_file.empty()) {
    o.trace = true;
    return;
  }
  if (!wave) throw Error("--trace", "'" + o.trace_file + "' is not a waveform", "give a name that ends in .vcd or .fst, or none");
  if (!o.vcd.empty()) throw Error("--vcd", "--trace names a waveform already", "leave one out");
  o.vcd = o.trace_file;
}

void print(std::string_view text) {
  std::cout.write(text.data(), static_cast<std::streamsize>(text.size()));
}

void simulate_kernel(const SimulateOptions& o) {
  const auto folder = engines::read_compiled(o.grid);
  if (!folder) throw Error(o.grid, "there is no compile.json in this folder", "give a grid file, or the -o folder of `bitgrid compile`");
  const MappedKernel& kernel = engines::find_kernel(*folder, o.grid, o.kernel);
  if (!o.live.empty() || !o.save.empty() || !o.resume.empty())
    throw Error("--live", "--live, --save and --resume are for a grid", "give one of the folder's kernels/NAME.bgbs");
  if (o.stimulus.empty()) throw Error(o.grid, "a kernel needs invocations", "give --stimulus FILE with a line {\"in\": \"HEX\"} for each");
  Stopwatch watch;
  sim::KernelSimulatorParams params;
  params.engine = o.vcd.empty() ? parse_simulator(o.engine) : waveform_simulator(o.engine);
  params.threads = o.threads;
  params.faults = read_faults(o, kernel.grid.width, kernel.grid.height);
  sim::KernelSimulator simulator(kernel, params);
  sim::VcdWriter vcd(sim::kernel_ports(kernel), "kernel", o.vcd);
  if (!o.vcd.empty()) simulator.record(&vcd);
  const BitMatrix outputs = simulator.run(read_invocations(o.stimulus, kernel.input_bits));
  for (size_t r = 0; r < outputs.rows; ++r) {
    BitVector row(kernel.output_bits);
    for (uint32_t b = 0; b < kernel.output_bits; ++b) row.set(b, outputs.get(r, b));
    std::cout << "{\"out\": \"" << to_hex(row) << "\"}\n";
  }
  if (!o.vcd.empty()) vcd.write(o.vcd);
  write_json(o.common, {{"kernel", kernel.name},
                        {"invocations", outputs.rows},
                        {"cycles", simulator.stats().cycles()},
                        {"cell_updates", simulator.stats().cell_updates()},
                        {"seconds", watch.lap()}});
}

/// A run of queues, writes and probes, from the start or from a saved state.
void simulate_live(const SimulateOptions& o, const frontend::GridSource& grid) {
  if (!o.stimulus.empty() || o.torus)
    throw Error(o.torus ? "--torus" : "--stimulus", "this does not go together with --live, --save or --resume", "leave it out");
  if (!o.cycles) throw Error("--cycles", "the number of cycles is missing", "give --cycles N");
  sim::LiveScript script;
  if (!o.live.empty()) script = sim::parse_live(read_file(o.live, kMostScriptBytes), o.live, grid.width, grid.height);
  std::optional<sim::LiveState> resumed;
  sim::GridIdentity identity;
  if (!o.save.empty() || !o.resume.empty()) {
    if (!is_regular_file(o.grid)) throw Error(o.grid, "a saved state needs a grid in an ordinary file", "copy it into one");
    identity = sim::identity_of(open_source(o));
  }
  if (!o.resume.empty()) resumed = sim::parse_live_state(read_file(o.resume, kMostScriptBytes), o.resume, identity);
  const int64_t first = resumed ? resumed->cycle : 0;
  if (*o.cycles > sim::kMostLiveCycles - first)
    throw Error("--cycles", fmt::format("the run begins with cycle {} and would end after {}", first, sim::kMostLiveCycles),
                "give fewer cycles");
  std::vector<std::string> names;
  for (const sim::Probe& probe : script.probes) names.push_back(to_string(probe));
  sim::VcdWriter vcd(names, "grid", o.vcd);
  sim::LiveParams params;
  params.engine = parse_simulator(o.engine);
  params.threads = o.threads;
  params.cycles = *o.cycles;
  params.faults = read_faults(o, grid.width, grid.height);
  params.vcd = o.vcd.empty() ? nullptr : &vcd;
  Stopwatch watch;
  const sim::Ranks ranks = sim::mpi_ranks();
  sim::LiveResult result;
  sim::StripStats strip;
  if (ranks.size > 1) {
    if (params.vcd || !params.faults.empty() || params.engine == sim::GridEngine::kScalar || params.engine == sim::GridEngine::kLanes)
      throw Error("mpirun", "several processes can only run the sliced simulator, without waveforms or faults",
                  "leave out --vcd, --faults and --sim");
    result = sim::run_strips(grid, script, resumed ? &*resumed : nullptr, {*o.cycles, o.halo, o.threads}, ranks, &strip);
    if (ranks.rank != 0) return;
  } else {
    result = sim::run_live(grid, script, resumed ? &*resumed : nullptr, params);
  }
  const double seconds = watch.lap();
  for (size_t i = 0; i < names.size(); ++i) std::cout << "{\"probe\": \"" << names[i] << "\", \"bits\": \"" << result.samples[i] << "\"}\n";
  if (!o.vcd.empty()) vcd.write(o.vcd);
  if (!o.save.empty()) write_file(o.save, sim::print_live_state(result.state, identity));
  write_json(o.common, {{"format", grid.convention},
                        {"width", grid.width},
                        {"height", grid.height},
                        {"cycles", *o.cycles},
                        {"next_cycle", result.state.cycle},
                        {"cells_written", result.writes},
                        {"processes", ranks.size},
                        {"bytes_sent", strip.bytes},
                        {"cell_updates", static_cast<double>(*o.cycles) * grid.width * grid.height},
                        {"seconds", seconds}});
}

void simulate_grid(const SimulateOptions& o) {
  const frontend::GridSource grid = open_source(o);
  name_convention(grid, o.grid);
  if (!o.live.empty() || !o.save.empty() || !o.resume.empty()) return simulate_live(o, grid);
  Stopwatch watch;
  if (!o.stimulus.empty() || !o.vcd.empty()) {
    if (o.torus) throw Error("--torus", "a torus has no border ports to drive or record", "leave out --stimulus and --vcd, or --torus");
    sim::VcdWriter vcd(sim::all_ports(grid.width, grid.height), "grid", o.vcd);
    sim::StimulusParams params;
    params.engine = parse_simulator(o.engine);
    params.vcd = o.vcd.empty() ? nullptr : &vcd;
    if (o.cycles) params.cycles = *o.cycles;
    params.faults = read_faults(o, grid.width, grid.height);
    sim::replay_stimulus(grid, o.stimulus.empty() ? std::string() : read_file(o.stimulus), o.stimulus.empty() ? o.grid : o.stimulus, params,
                         print);
    if (!o.vcd.empty()) vcd.write(o.vcd);
  } else {
    if (!o.cycles) throw Error("--cycles", "the number of cycles is missing", "give --cycles N, or --stimulus FILE");
    if (!o.faults.empty()) throw Error("--faults", "a trace has no faults", "give --stimulus FILE or --live FILE");
    sim::TraceParams params;
    params.engine = parse_simulator(o.engine);
    params.borders = o.torus ? sim::Borders::kTorus : sim::Borders::kOpen;
    params.cycles = *o.cycles;
    params.every_phase = o.trace;
    params.threads = o.threads;
    sim::replay_trace(grid, params, print);
  }
  write_json(o.common, {{"format", grid.convention},
                        {"width", grid.width},
                        {"height", grid.height},
                        {"cycles", o.cycles ? Json(*o.cycles) : Json(nullptr)},
                        {"seconds", watch.lap()}});
}

}  // namespace

void define_simulate(CLI::App& command, int&) {
  auto o = std::make_shared<SimulateOptions>();
  command.add_option("grid", o->grid,
                     "grid file (lutgrid-v1 .json, .bgbs, .grid.txt or of another BitGrid program), or the folder of a compile");
  command.add_option("--stimulus", o->stimulus,
                     "JSON lines: border inputs of each phase {\"in\": {\"N\": [..], ..}}, or for a kernel {\"in\": \"HEX\"}");
  command.add_option("--live", o->live,
                     "queues of a grid: lines write CYCLE X Y WORD, drive FIRST[-LAST] PORT BITS, probe PORT or cX_Y_SIDE");
  command.add_option("--save", o->save, "keep the state after the last cycle in this file");
  command.add_option("--resume", o->resume, "continue from a state that --save kept");
  add_number<int>(command, "--halo", o->halo, {2, 4096}, "under mpirun: rows that neighbours share, phases between exchanges");
  command.add_option("--size", o->size, "WxH: the file is a payload of that size without a header, 8 bytes per cell");
  command.add_option("--order", o->order, "of such a payload: row, column or snake")->capture_default_str();
  command.add_flag("--torus", o->torus, "join opposite borders (to replay the original engine's traces)");
  add_number<int64_t>(command, "--cycles", o->cycles, {0, sim::kMostLiveCycles}, "cycles to run");
  command
      .add_option(
          "--trace", o->trace_file,
          "print every phase, not only the last; with a FILE.vcd or FILE.fst: write a waveform of the border ports (with --live: of "
          "the probes) there instead")
      ->expected(0, 1)
      ->type_name("[FILE]");
  command.add_option("--vcd", o->vcd, "the same as --trace FILE.vcd");
  command.add_option("--faults", o->faults, "file of faults: lines stuck0|stuck1|flip X Y [NESW] [FIRST[-LAST]], config X Y BIT");
  command.add_option("--kernel", o->kernel, "kernel of the folder");
  command.add_option("--sim", o->engine, "auto, scalar (the definition), sliced (one run) or lanes (many invocations at once)")
      ->capture_default_str();
  add_number<size_t>(command, "--threads", o->threads, {1, kMostThreads}, "threads that share the work");
  add_common(command, o->common);
  command.callback([o, trace = command.get_option("--trace")] {
    settle_trace(*o, trace->count() > 0);
    is_folder(o->grid) ? simulate_kernel(*o) : simulate_grid(*o);
  });
}

}  // namespace bitgrid::cli
