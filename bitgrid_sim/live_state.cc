#include <fmt/format.h>

#include "bitgrid_sim/live.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/json_reader.h"
#include "ir/json_text.h"
#include "ir/number.h"

namespace bitgrid::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "bitgrid-state-v1";

/// Of everything but the checksum itself.
std::string checksum_of(Json state) {
  state.erase("checksum");
  return fmt::format("{:08x}", crc32(state.dump()));
}

CellWord word_of(const std::string& text) {
  const auto word = parse_hex(text);
  if (!word) throw std::out_of_range("word");
  return *word;
}

}  // namespace

GridIdentity identity_of(const frontend::GridSource& source) {
  return {source.width, source.height, frontend::grid_hash(source)};
}

GridIdentity identity_of(const GridConfig& config) {
  return identity_of(frontend::grid_source(config));
}

std::string print_live_state(const LiveState& state, const GridIdentity& grid) {
  std::string latches;
  for (const uint8_t outputs : state.latches.outputs) latches += "0123456789ABCDEF"[outputs & 15u];
  Json written = Json::array();
  for (const CellWrite& w : state.written) written.push_back({w.x, w.y, fmt::format("{:016X}", w.word)});
  Json json = {{"format", kFormat},
               {"grid", fmt::format("{:016x}", grid.hash)},
               {"width", grid.width},
               {"height", grid.height},
               {"cycle", state.cycle},
               {"written", written},
               {"latches", std::move(latches)}};
  json["checksum"] = checksum_of(json);
  return json_text(json) + "\n";
}

LiveState parse_live_state(std::string_view text, const std::string& source, const GridIdentity& grid) {
  const std::string cure = "give a file that `bitgrid simulate --save` wrote";
  const auto integer = [&](const Json& v, const char* name) { return json_integer(v, name, 0, INT64_MAX, source); };
  LiveState state;
  try {
    const Json json = parse_json<Json>(text, {source, cure});
    if (json.at("format").get<std::string>() != kFormat) throw Error(source, "this is not a saved state", cure);
    if (json.at("checksum").get<std::string>() != checksum_of(json))
      throw Error(source, "the saved state is damaged: its checksum differs", "save it again");
    if (json.at("grid").get<std::string>() != fmt::format("{:016x}", grid.hash)) {
      throw Error(source,
                  fmt::format("the saved state belongs to another grid ({} x {})", integer(json.at("width"), "\"width\""),
                              integer(json.at("height"), "\"height\"")),
                  "resume with the grid file that was used when it was saved");
    }
    state.cycle = json_integer(json.at("cycle"), "\"cycle\"", 0, kMostLiveCycles, source);
    state.latches = GridState(grid.width, grid.height);
    const std::string latches = json.at("latches").get<std::string>();
    if (latches.size() != state.latches.outputs.size()) throw Error(source, "the saved state has too few or too many latches", cure);
    for (size_t i = 0; i < latches.size(); ++i) {
      const size_t nibble = std::string_view("0123456789ABCDEF").find(latches[i]);
      if (nibble == std::string_view::npos) throw Error(source, "a latch is not a hexadecimal digit", cure);
      state.latches.outputs[i] = static_cast<uint8_t>(nibble);
    }
    for (const Json& w : json.at("written")) {
      const int64_t x = integer(w.at(0), "x of a written cell"), y = integer(w.at(1), "y of a written cell");
      if (x >= grid.width || y >= grid.height) throw Error(source, "a written cell is outside the grid", cure);
      state.written.push_back({0, static_cast<int>(x), static_cast<int>(y), word_of(w.at(2).get<std::string>())});
    }
  } catch (const Json::exception& e) {
    throw Error(source, fmt::format("this is not a saved state ({})", json_reason(e)), cure);
  } catch (const std::out_of_range&) {
    throw Error(source, "a configuration word is not a hexadecimal number", cure);
  }
  return state;
}

}  // namespace bitgrid::sim
