#include "bitgrid_sim/systemc/platform_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace bitgrid::platform {
namespace {

using Json = nlohmann::ordered_json;

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Cycles from a token's begin to its end, on average.
double latency(const PlatformResult& result) {
  return share(result.parts().total(), result.tokens());
}

Json parts_json(const CycleParts& p) {
  return {{"computing", p.computing},   {"filling_and_draining", p.filling}, {"configuring", p.configuring},
          {"waiting_for_port", p.port}, {"waiting_for_memory", p.memory},    {"idle", p.idle}};
}

/// SRAM banks as one bus: their bytes, and the busiest bank's cycles.
std::vector<BusResult> by_kind(const std::vector<BusResult>& buses) {
  std::vector<BusResult> kinds;
  for (const BusResult& bus : buses) {
    const std::string kind = bus.name.substr(0, bus.name.find_first_of(".0123456789"));
    if (kinds.empty() || kinds.back().name != kind) kinds.push_back({kind, 0, 0, 0});
    kinds.back().bytes += bus.bytes;
    kinds.back().transactions += bus.transactions;
    kinds.back().busy_cycles = std::max(kinds.back().busy_cycles, bus.busy_cycles);
  }
  return kinds;
}

uint64_t busy(const CycleParts& p) {
  return p.total() - p.idle;
}

}  // namespace

Json platform_json(const Platform& p) {
  Json json = {{"clock_mhz", p.clock_mhz},
               {"tiles", p.tiles},
               {"residency", p.residency == Residency::kShared ? "shared" : "resident"},
               {"schedule", p.schedule == Schedule::kStages ? "stages" : "dataflow"},
               {"constant_streams", p.constants == ConstantStreams::kTimed ? "timed" : "free"},
               {"border_queue", p.border_queue},
               {"configuration_ports", p.configuration_ports},
               {"dma_burst_bytes", p.dma_burst_bytes}};
  json["sram"] = {{"banks", p.sram_banks}, {"bits_per_cycle", p.sram_bits_per_cycle}, {"latency", p.sram_latency}, {"bytes", p.sram_bytes}};
  json["dram"] = {{"bits_per_cycle", p.dram_bits_per_cycle}, {"latency", p.dram_latency}};
  json["host"] = {{"bits_per_cycle", p.host_bits_per_cycle}, {"latency", p.host_latency}};
  return json;
}

Json platform_result_json(const PlatformResult& r, const Platform& platform, int64_t program_cycles) {
  const double per_second = r.tokens_per_second(platform.clock_mhz);
  Json json = {{"streams", r.streams.size()},
               {"tokens", r.tokens()},
               {"load_cycles", r.load_cycles},
               {"cycles", r.cycles},
               {"cycles_per_token", latency(r)},
               {"cycles_between_tokens", share(r.cycles, r.tokens())},
               {"program_cycles_per_token", program_cycles},
               {"tokens_per_second", per_second},
               {"tokens_per_second_per_stream", per_second / static_cast<double>(r.streams.size())},
               {"sram_bytes", r.sram_bytes},
               {"dram_bytes", r.dram_bytes},
               {"token_cycles", parts_json(r.parts())}};
  json["kernels"] = Json::array();
  for (const KernelResult& k : r.kernels) {
    json["kernels"].push_back({{"name", k.name},
                               {"executions", k.executions},
                               {"invocations", k.invocations},
                               {"cycles", parts_json(k.parts)},
                               {"configuration_words", k.configuration_words},
                               {"operand_bytes", k.operand_bytes},
                               {"result_bytes", k.result_bytes}});
  }
  json["tiles"] = Json::array();
  for (const TileResult& t : r.tiles) {
    json["tiles"].push_back({{"name", t.name},
                             {"occupancy", share(t.parts.computing, r.cycles)},
                             {"invocations", t.invocations},
                             {"cycles", parts_json(t.parts)},
                             {"loads", t.loads},
                             {"configuration_words", t.configuration_words}});
  }
  json["buses"] = Json::array();
  for (const BusResult& b : r.buses) {
    json["buses"].push_back({{"name", b.name},
                             {"bytes", b.bytes},
                             {"transactions", b.transactions},
                             {"busy_cycles", b.busy_cycles},
                             {"utilisation", share(b.busy_cycles, r.cycles)}});
  }
  json["token_times"] = Json::array();
  for (size_t s = 0; s < r.streams.size(); ++s) {
    for (const TokenTime& t : r.streams[s].times)
      json["token_times"].push_back({{"stream", s}, {"begin", t.begin}, {"end", t.end}, {"cycles", parts_json(t.parts)}});
  }
  return json;
}

std::string platform_result_text(const PlatformResult& r, const Platform& platform, int64_t program_cycles) {
  const uint64_t n = r.tokens();
  const CycleParts parts = r.parts();
  std::string text =
      fmt::format("{} tokens of {} stream{} in {} cycles: {:.0f} cycles per token (the program's own: {}), {:.0f} tokens/s at {} MHz\n", n,
                  r.streams.size(), r.streams.size() == 1 ? "" : "s", r.cycles, latency(r), program_cycles,
                  r.tokens_per_second(platform.clock_mhz), platform.clock_mhz);
  text += fmt::format("loaded in {} cycles before the first token; {} tiles, {} bytes of SRAM, {} of DRAM\n", r.load_cycles, r.tiles.size(),
                      r.sram_bytes, r.dram_bytes);
  const std::pair<const char*, uint64_t> by_part[] = {{"computing", parts.computing},       {"filling and draining", parts.filling},
                                                      {"configuring", parts.configuring},   {"waiting for the port", parts.port},
                                                      {"waiting for memory", parts.memory}, {"waiting for tiles", parts.idle}};
  const char* separator = "cycles of a token: ";
  for (const auto& [name, value] : by_part) {
    text += fmt::format("{}{} {:.0f} ({:.0f} %)", separator, name, share(value, n), 100 * share(value, parts.total()));
    separator = ", ";
  }
  text += "\n";

  std::vector<size_t> order(r.kernels.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return r.kernels[a].parts.total() > r.kernels[b].parts.total(); });
  constexpr size_t kShown = 8;
  text += fmt::format("\n{:28} {:>11} {:>10} {:>8} {:>12} {:>6} {:>7} {:>7} {:>7}\n", "cycles of a token by kernel", "executions",
                      "computing", "filling", "configuring", "port", "memory", "tiles", "bytes");
  for (size_t i = 0; i < std::min(kShown, order.size()); ++i) {
    const KernelResult& k = r.kernels[order[i]];
    text += fmt::format("{:28} {:>11.0f} {:>10.0f} {:>8.0f} {:>12.0f} {:>6.0f} {:>7.0f} {:>7.0f} {:>7.0f}\n", k.name,
                        share(k.executions, n), share(k.parts.computing, n), share(k.parts.filling, n), share(k.parts.configuring, n),
                        share(k.parts.port, n), share(k.parts.memory, n), share(k.parts.idle, n),
                        share(k.operand_bytes + k.result_bytes + 8 * k.configuration_words, n));
  }
  if (order.size() > kShown)
    text += fmt::format("({} more kernels in --json; executions of one stage run side by side)\n", order.size() - kShown);

  text += fmt::format("\n{:28} {:>11} {:>10}\n", "bus", "bytes/token", "busy");
  for (const BusResult& b : by_kind(r.buses))
    text += fmt::format("{:28} {:>11.0f} {:>8.1f} %\n", b.name, share(b.bytes, n), 100 * share(b.busy_cycles, r.cycles));
  const auto [least, most] =
      std::minmax_element(r.tiles.begin(), r.tiles.end(), [](const auto& a, const auto& b) { return busy(a.parts) < busy(b.parts); });
  CycleParts all;
  for (const TileResult& t : r.tiles) all += t.parts;
  text += fmt::format("tiles: computing {:.2f} % of the time, in use {:.2f} % ({} {:.1f} %, {} {:.1f} %)\n",
                      100 * share(all.computing, all.total()), 100 * share(busy(all), all.total()), least->name,
                      100 * share(busy(least->parts), r.cycles), most->name, 100 * share(busy(most->parts), r.cycles));
  return text;
}

}  // namespace bitgrid::platform
