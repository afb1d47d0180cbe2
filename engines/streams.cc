#include "engines/streams.h"

#include "bitgrid_sim/systemc/platform.h"
#include "bitgrid_sim/systemc/platform_report.h"
#include "lowering/mapping/map.h"

namespace bitgrid::engines {

StreamsResult run_platform(const StreamsInputs& in) {
  platform::PlatformResult run = platform::simulate_platform(
      in.program, in.mapped, {in.arch, in.streams, in.generate, in.choose, in.keep_values, in.keep_timeline, in.progress});
  const int64_t program_cycles = mapping::cycles_per_token(in.program, in.mapped, in.arch.configuration_bits_per_cycle).total();
  StreamsResult result;
  result.summary = platform::platform_result_text(run, in.arch.platform, program_cycles);
  result.json["platform"] = platform::platform_result_json(run, in.arch.platform, program_cycles);
  if (in.keep_timeline) result.timeline = platform::trace_json(run.timeline, in.arch.platform.clock_mhz);
  result.stats.cycles = run.cycles;
  for (const platform::TileResult& tile : run.tiles) {
    result.stats.cell_updates += tile.cell_updates;
    result.stats.reconfigured_cells += tile.configuration_words;
  }
  for (platform::StreamResult& stream : run.streams) result.texts.push_back({std::move(stream.tokens), std::move(stream.values)});
  return result;
}

}  // namespace bitgrid::engines
