// The readers of ir/: Dags and grids.
#include <nlohmann/json.hpp>
#include <random>

#include "frontend/grids/grid_conventions.h"
#include "frontend/grids/grid_io.h"
#include "frontend/grids/grid_source.h"
#include "frontend/grids/lutgrid_json.h"
#include "frontend/grids/payload.h"
#include "ir/dag.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/targets.h"
#include "tests/support/random_dag.h"

namespace bitgrid::fuzz {
namespace {

constexpr uint64_t kMostBits = 1 << 16;  // of all nodes together, for evaluation

uint64_t bits_of(const Dag& dag) {
  uint64_t bits = 0;
  for (NodeId id = 0; id < dag.size(); ++id) bits += dag.node(id).width;
  return bits;
}

constexpr int64_t kMostCells = 1 << 12;  // of formats that leave idle cells out, where a few bytes are a large grid

/// Whatever a grid came from, our own formats hold it.
void require_round_trip(const frontend::GridFile& file) {
  require(frontend::parse_lutgrid(frontend::print_lutgrid(file.grid), "printed") == file.grid, "a grid is another one after lutgrid-v1");
  for (const frontend::BgbsOrder order : {frontend::BgbsOrder::kRow, frontend::BgbsOrder::kColumn, frontend::BgbsOrder::kSnake}) {
    const frontend::BgbsGrid second = frontend::parse_bgbs(frontend::print_bgbs(file.grid, order), "printed");
    require(second.grid == file.grid && second.order == order && second.crc_ok, "a grid is another one after BGBS");
  }
  const frontend::GridFile second = frontend::parse_grid_text(frontend::print_grid_text(file), "printed");
  require(second.grid == file.grid && second.initial_inputs == file.initial_inputs, "a grid is another one after grid.txt");
}

/// The size that a JSON file states, if it is small.
bool small(std::string_view bytes) {
  const auto json = nlohmann::json::parse(bytes, nullptr, false);
  if (!json.is_object()) return true;
  const auto side = [&](const char* key) {
    const auto it = json.find(key);
    return it != json.end() && it->is_number() ? it->get<double>() : 0;
  };
  return !(side("width") * side("height") > kMostCells);
}

}  // namespace

void dag(std::string_view bytes) {
  const auto first = accepted([&] { return parse_dag(bytes, "x.dag"); });
  if (!first) return;
  const std::string text = print(*first);
  const Dag second = parse_dag(text, "printed");
  require(print(second) == text, "a Dag that is printed and read again is another one:\n" + text);
  require(!to_dot(*first).empty(), "no graph");
  if (bits_of(*first) > kMostBits) return;
  std::mt19937_64 random(1);
  const BitMatrix inputs = test::random_rows(random, 3, input_bits(*first));
  require(evaluate(*first, inputs) == evaluate(second, inputs), "a Dag that is printed and read again computes something else:\n" + text);
}

void lutgrid(std::string_view bytes) {
  const auto size = accepted(
      [&] { return frontend::lutgrid_size(frontend::read_json_top(frontend::json_of_string(bytes, "x.json")), "x.json", kMostCells); });
  if (!size) return;
  const auto grid = accepted([&] { return frontend::parse_lutgrid(bytes, "x.json"); });
  if (grid) require_round_trip({*grid, {}});
}

void bgbs(std::string_view bytes) {
  const auto strict = accepted([&] { return frontend::parse_bgbs(bytes, "x.bgbs"); });
  const auto lax = accepted([&] { return frontend::parse_bgbs(bytes, "x.bgbs", frontend::BgbsCheck::kReport); });
  require(!strict || (lax && lax->grid == strict->grid), "a bitstream is another one when its checksum is only reported");
  if (!lax) return;
  require(lax->crc_ok == strict.has_value(), "a wrong checksum is not reported");
  if (strict) require(frontend::print_bgbs(strict->grid, strict->order) == bytes, "a bitstream is another one when it is written again");
  require_round_trip({lax->grid, {}});
}

void grid_text(std::string_view bytes) {
  const auto file = accepted([&] { return frontend::parse_grid_text(bytes, "grid.txt"); });
  if (file) require_round_trip(*file);
}

void python_program(std::string_view bytes) {
  if (!small(bytes)) return;
  const auto grid = accepted([&] { return frontend::parse_python_program(bytes, "x.json"); });
  if (grid) require_round_trip(grid->file);
}

void browser_grid(std::string_view bytes) {
  const auto grid = accepted([&] { return frontend::parse_browser_grid(bytes, "grid-state.json"); });
  if (grid) require_round_trip(grid->file);
}

void text_grid(std::string_view bytes) {
  for (const auto parse : {frontend::parse_basic_cell, frontend::parse_window_dump, frontend::parse_delphi_state}) {
    const auto grid = accepted([&] { return parse(bytes, "x.txt"); });
    if (grid) require_round_trip(grid->file);
  }
  accepted([&] { return frontend::parse_text_convention(bytes, "x.txt"); });
}

void payload(std::string_view bytes) {
  accepted([&] { return frontend::parse_payload_json(std::string(bytes), "folder/x.json"); });
}

/// What a file is, is found in what it holds. Its name says nothing.
void open_grid(std::string_view bytes) {
  if (!small(bytes)) return;
  static const Folder folder;
  const std::string path = folder.write("grid", bytes);
  const auto grid = accepted([&] { return frontend::read_grid(path); });
  if (grid) require_round_trip(*grid);
}

}  // namespace bitgrid::fuzz
