#include "frontend/grids/grid_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "frontend/grids/grid_conventions.h"
#include "frontend/grids/lutgrid_json.h"
#include "frontend/grids/payload.h"
#include "frontend/grids/word_store.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/text.h"

namespace bitgrid::frontend {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostTextBytes = uint64_t{1} << 32;
const std::string kKnown =
    "name a lutgrid-v1 JSON, a BGBS bitstream, a grid.txt, a payload with the JSON file that describes it, or a grid of another BitGrid "
    "program (docs/simulation.md lists them)";

GridSource from_store(std::shared_ptr<WordStore> store, int width, int height, std::string convention) {
  GridSource source{width, height, std::move(convention), false, {}, {}};
  source.row = [store = std::move(store)](int y, std::span<CellWord> row) {
    std::copy_n(store->row(y).begin(), row.size(), row.begin());
    store->release_before(y + 1);
  };
  return source;
}

GridSource from_file(GridFile file, std::string convention, bool foreign) {
  const auto grid = std::make_shared<const GridConfig>(std::move(file.grid));
  GridSource source = grid_source(*grid);
  source.row = [grid, row = std::move(source.row)](int y, std::span<CellWord> words) { row(y, words); };
  source.convention = std::move(convention);
  source.foreign = foreign;
  source.initial_inputs = std::move(file.initial_inputs);
  return source;
}

GridSource from_payload(const std::string& path, uint64_t first, const PayloadLayout& layout, std::optional<uint32_t> crc,
                        std::string convention) {
  const auto payload = std::make_shared<PayloadFile>(path, first, layout);
  if (crc) {
    if (const uint32_t found = payload->crc32(); found != *crc) throw payload_damaged(path, found, *crc);
  }
  GridSource source{layout.width, layout.height, std::move(convention), false, {}, {}};
  source.row = [payload](int y, std::span<CellWord> row) { payload->row(y, row); };
  return source;
}

GridSource open_bgbs(const std::string& path, const std::string& start) {
  const BgbsHeader header = parse_bgbs_header(start, fs::file_size(path), path);
  return from_payload(path, kBgbsHeaderBytes, {header.width, header.height, header.order}, header.crc,
                      fmt::format("BGBS, {} order", to_string(header.order)));
}

GridSource open_payload_json(const std::string& path) {
  const PayloadJson json = parse_payload_json(read_file(path, kMostTextBytes), path);
  return from_payload(json.payload, 0, json.layout, json.crc, fmt::format("payload, {} order", to_string(json.layout.order)));
}

GridSource open_json(const std::string& path, const JsonText& text) {
  const nlohmann::json top = read_json_top(text);
  const auto whole = [&] { return read_file(path, kMostTextBytes); };
  if (top.is_array()) {
    ConventionGrid grid = parse_browser_grid(whole(), path);
    return from_file(std::move(grid.file), std::move(grid.convention), true);
  }
  const auto has = [&](const char* key) { return top.contains(key); };
  const bool named = has("format") && top["format"] == "lutgrid-v1";
  if (!named && has("cells") && (has("input_bits") || has("output_bits"))) {
    ConventionGrid grid = parse_python_program(whole(), path);
    return from_file(std::move(grid.file), std::move(grid.convention), true);
  }
  if (!named && !has("cells") && has("width") && has("height") && (has("order") || has("payload") || has("crc32")))
    return open_payload_json(path);
  const GridSize size = lutgrid_size(top, path, kMostStreamedCells);
  auto store = std::make_shared<WordStore>(size.width, size.height);
  read_lutgrid_cells(text, path, size, [&](int x, int y, CellWord word) { store->at(x, y) = word; });
  return from_store(std::move(store), size.width, size.height, "lutgrid-v1");
}

/// Behind blanks and a byte-order mark; 0 if there is none.
char first_character(std::string_view data) {
  data = without_bom(data);
  const size_t first = data.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? '\0' : data[first];
}

/// A pipe is read whole.
GridSource open_bytes(const std::string& path, const std::string& data) {
  const char c = first_character(data);
  if (data.rfind("BGBS", 0) == 0) return from_file({parse_bgbs(data, path).grid, {}}, "BGBS", false);
  if (c == '{') return from_file({parse_lutgrid(data, path), {}}, "lutgrid-v1", false);
  if (auto grid = parse_text_convention(data, path)) return from_file(std::move(grid->file), std::move(grid->convention), true);
  if (c >= '0' && c <= '9') return from_file(parse_grid_text(data, path), "grid.txt of the original engine", false);
  throw Error(path, "is not a grid", kKnown);
}

}  // namespace

GridSource open_grid(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return open_bytes(path, read_file(path));
  std::array<char, 4096> buffer{};
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(path, "cannot be opened", "check its permissions");
  in.read(buffer.data(), buffer.size());
  const std::string_view bytes(buffer.data(), static_cast<size_t>(in.gcount())), start = without_bom(bytes);
  in.close();
  if (bytes.starts_with("BGBS")) return open_bgbs(path, std::string(bytes));
  const char c = first_character(bytes);
  if (c == '{' || c == '[') return open_json(path, json_of_file(path));
  if (start.find('\0') == std::string_view::npos && c != '\0') {
    const bool text =
        std::all_of(start.begin(), start.end(), [](char b) { return b >= ' ' ? b <= '~' : b == '\n' || b == '\r' || b == '\t'; });
    if (text) return open_bytes(path, read_file(path, kMostTextBytes));
  }
  fs::path description(path);
  description.replace_extension(".json");
  if (fs::is_regular_file(description, error) && description != fs::path(path)) {
    const PayloadJson json = parse_payload_json(read_file(description.string(), kMostTextBytes), description.string());
    return from_payload(path, 0, json.layout, json.crc, fmt::format("payload, {} order", to_string(json.layout.order)));
  }
  throw Error(path, "is not a grid", kKnown);
}

GridSource open_payload(const std::string& path, const PayloadLayout& layout) {
  if (layout.width < 1 || layout.height < 1 || int64_t{layout.width} * layout.height > kMostStreamedCells) {
    throw Error(path, fmt::format("the size {} x {} is out of range", layout.width, layout.height),
                fmt::format("use 1 to {} cells in total", kMostStreamedCells));
  }
  return from_payload(path, 0, layout, std::nullopt, fmt::format("payload, {} order", to_string(layout.order)));
}

BgbsOrder parse_order(std::string_view text, const std::string& where) {
  if (text == "row" || text == "row-major") return BgbsOrder::kRow;
  if (text == "column" || text == "col-major") return BgbsOrder::kColumn;
  if (text == "snake") return BgbsOrder::kSnake;
  throw Error(where, fmt::format("the order '{}' is unknown", text.substr(0, 24)), "use row, column or snake");
}

std::string to_string(BgbsOrder order) {
  return order == BgbsOrder::kRow ? "row" : order == BgbsOrder::kColumn ? "column" : "snake";
}

GridSource grid_source(const GridConfig& grid) {
  GridSource source{grid.width, grid.height, "", false, {}, {}};
  source.row = [&grid](int y, std::span<CellWord> row) {
    std::copy_n(grid.cells.begin() + static_cast<ptrdiff_t>(grid.index(0, y)), row.size(), row.begin());
  };
  return source;
}

GridConfig read_rows(const GridSource& source) {
  GridConfig grid(source.width, source.height);
  for (int y = 0; y < source.height; ++y) source.row(y, std::span(grid.cells).subspan(grid.index(0, y), static_cast<size_t>(source.width)));
  return grid;
}

uint64_t grid_hash(const GridSource& source) {
  uint64_t hash = fnv1a(fmt::format("{} {} ", source.width, source.height));
  std::vector<CellWord> row(static_cast<size_t>(source.width));
  for (int y = 0; y < source.height; ++y) {
    source.row(y, row);
    hash = fnv1a({reinterpret_cast<const char*>(row.data()), row.size() * sizeof(CellWord)}, hash);
  }
  return hash;
}

}  // namespace bitgrid::frontend
