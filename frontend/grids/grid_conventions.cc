#include "frontend/grids/grid_conventions.h"

#include <fmt/format.h>

#include <array>

#include "ir/error.h"
#include "ir/json_reader.h"
#include "ir/number.h"
#include "ir/text.h"

namespace bitgrid::frontend {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMostCells = int64_t{1} << 24;  // these formats take a hundred bytes a cell and more

void check_convention_size(int64_t width, int64_t height, const std::string& where) {
  if (width < 1 || height < 1 || width > kMostCells || height > kMostCells || width * height > kMostCells)
    throw Error(where, fmt::format("the size {} x {} is out of range", width, height),
                fmt::format("use 1 to {} cells in total", kMostCells));
}

/// A table whose index has input k of our table at bit place[k]; both have four inputs.
Lut reordered(Lut table, const std::array<unsigned, 4>& place) {
  unsigned result = 0;
  for (unsigned i = 0; i < 16; ++i) {
    unsigned index = 0;
    for (unsigned k = 0; k < 4; ++k) index |= ((i >> k) & 1u) << place[k];
    result |= ((static_cast<unsigned>(table) >> index) & 1u) << i;
  }
  return static_cast<Lut>(result);
}

/// What neighbours' outputs (nibbles, row by row) show each cell.
std::vector<uint8_t> inputs_of(const std::vector<uint8_t>& outputs, int width, int height, bool torus) {
  std::vector<uint8_t> inputs(outputs.size());
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      unsigned nibble = 0;
      for (const Side side : kSides) {
        int nx = x + dx(side), ny = y + dy(side);
        if (!torus && (nx < 0 || ny < 0 || nx >= width || ny >= height)) continue;
        nx = (nx + width) % width;
        ny = (ny + height) % height;
        const unsigned out = outputs[static_cast<size_t>(ny) * static_cast<size_t>(width) + static_cast<size_t>(nx)];
        nibble |= ((out >> static_cast<unsigned>(opposite(side))) & 1u) << static_cast<unsigned>(side);
      }
      inputs[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)] = static_cast<uint8_t>(nibble);
    }
  }
  return inputs;
}

const std::string kMakeAgain = "write it again with the program that made it";
constexpr int64_t kFar = int64_t{1} << 40;  // for coordinates outside the grid, of which messages tell more

// --- The Python toolchain's program ---

const std::string kProgramCure = "route it first: `python -m bitgrid.cli.export_lutgrid --route` writes lutgrid-v1";

/// Tables of a cell over its own inputs 0 to 3, as the emulator evaluates it.
std::array<Lut, 4> program_tables(const Json& cell, const std::string& where) {
  constexpr Lut a = 0xAAAA, b = 0xCCCC, c = 0xF0F0;
  std::array<Lut, 4> tables{};
  const auto table = [&](const Json& v) {
    if (!v.is_number_unsigned() || v.get<uint64_t>() > 0xFFFF)
      throw Error(where, "a table is not a number from 0 to 65535", "a LUT has 16 bits");
    return v.get<Lut>();
  };
  const Json params = cell.value("params", Json::object());
  const Json luts = params.is_object() ? params.value("luts", params.value("lut", Json())) : Json();
  if (luts.is_array()) {
    if (luts.size() > 4) throw Error(where, "more than four tables", "give [N,E,S,W]");
    for (size_t k = 0; k < luts.size(); ++k) tables[k] = table(luts[k]);
    return tables;
  }
  if (!luts.is_null()) {
    tables[0] = table(luts);
    return tables;
  }
  const std::string op = cell.at("op").get<std::string>();
  if (op == "BUF") return {a, 0, 0, 0};
  if (op == "NOT") return {static_cast<Lut>(~a), 0, 0, 0};
  if (op == "AND") return {a & b, 0, 0, 0};
  if (op == "OR") return {a | b, 0, 0, 0};
  if (op == "XOR") return {a ^ b, 0, 0, 0};
  if (op == "ADD_BIT") return {a ^ b ^ c, (a & b) | (a & c) | (b & c), 0, 0};
  if (op == "ROUTE4") return {};
  throw Error(where, fmt::format("the operation '{}' has no tables", op.substr(0, 24)), "give \"params\": {\"luts\": [N,E,S,W]}");
}

/// Where an input of a program's cell comes from: a side of the cell, or a constant.
struct Source {
  bool is_constant = true;
  bool bit = false;
  Side side = Side::N;
};

Source program_input(const Json& in, size_t k, int x, int y, int width, int height, std::array<bool, 4>& taken, const std::string& where) {
  const std::string type = in.at("type").get<std::string>();
  if (type == "const")
    return {true, (in.contains("value") && (json_integer(in.at("value"), "\"value\"", INT64_MIN, INT64_MAX, where) & 1) != 0), Side::N};
  if (type == "input") {
    // A named input comes in through a border port: that of the input's own side if it is one.
    for (const size_t s : {k, size_t{0}, size_t{1}, size_t{2}, size_t{3}}) {
      const int nx = x + dx(kSides[s]), ny = y + dy(kSides[s]);
      if (taken[s] || (nx >= 0 && ny >= 0 && nx < width && ny < height)) continue;
      taken[s] = true;
      return {false, false, kSides[s]};
    }
    throw Error(where, fmt::format("input {} is named, but the cell has no free border side", k), kProgramCure);
  }
  if (type != "cell")
    throw Error(where, fmt::format("input {} has the unknown type '{}'", k, type.substr(0, 24)), "use const, input or cell");
  const auto number = [&](const char* key) {
    return json_integer(in.at(key), fmt::format("\"{}\" of input {}", key, k), -kFar, kFar, where);
  };
  const int64_t fx = number("x"), fy = number("y"), out = in.contains("out") ? number("out") : 0;
  for (const Side side : kSides) {
    if (fx == x + dx(side) && fy == y + dy(side) && out == static_cast<int64_t>(opposite(side))) return {false, false, side};
  }
  throw Error(where,
              fmt::format("input {} reads output {} of cell ({}, {}), which does not face this cell: this is a netlist, not a grid", k, out,
                          fx, fy),
              kProgramCure);
}

CellWord program_cell(const Json& cell, int x, int y, int width, int height, const std::string& where) {
  const std::array<Lut, 4> tables = program_tables(cell, where);
  const Json& inputs = cell.at("inputs");
  if (!inputs.is_array() || inputs.size() > 4)
    throw Error(where, "\"inputs\" is not a list of up to four", "list where each input comes from");
  std::array<Source, 4> sources;
  std::array<bool, 4> taken{};
  for (size_t k = 0; k < inputs.size(); ++k) {
    // What no table depends on may come from anywhere.
    bool used = false;
    for (const Lut t : tables) {
      for (unsigned i = 0; i < 16; ++i) used |= ((t >> i) & 1u) != ((t >> (i ^ (1u << k))) & 1u);
    }
    if (used) sources[k] = program_input(inputs[k], k, x, y, width, height, taken, where);
  }
  std::array<Lut, 4> result{};
  for (unsigned i = 0; i < 16; ++i) {
    unsigned index = 0;
    for (unsigned k = 0; k < 4; ++k) {
      const Source& s = sources[k];
      const bool bit = s.is_constant ? s.bit : ((i >> static_cast<unsigned>(s.side)) & 1u) != 0;
      index |= static_cast<unsigned>(bit) << k;
    }
    for (size_t s = 0; s < 4; ++s) result[s] = static_cast<Lut>(result[s] | ((tables[s] >> index) & 1u) << i);
  }
  return cell_word(result);
}

// --- Texts of lines ---

std::vector<std::vector<std::string_view>> words_of_lines(std::string_view text, std::string_view separators) {
  std::vector<std::vector<std::string_view>> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    std::vector<std::string_view> words;
    while (!line.empty()) {
      const size_t first = line.find_first_not_of(separators);
      if (first == std::string_view::npos) break;
      const size_t length = line.substr(first).find_first_of(separators);
      words.push_back(line.substr(first, length));
      line = length == std::string_view::npos ? std::string_view() : line.substr(first + length);
    }
    lines.push_back(std::move(words));
  }
  return lines;
}

uint64_t hex(std::string_view word, size_t most_digits, const std::string& where) {
  if (word.empty() || word.size() > most_digits)
    throw Error(where, fmt::format("a word has {} digits, expected {}", word.size(), most_digits), kMakeAgain);
  const auto value = parse_hex(word, most_digits);
  if (!value) throw Error(where, "a word is not hexadecimal", kMakeAgain);
  return *value;
}

/// Blocks of rows of hexadecimal words below title lines.
struct Block {
  std::vector<std::vector<uint64_t>> rows;
};

/// The blocks with these titles in this order; all but the first may be absent. `numbered`: rows start with "y:".
std::vector<Block> read_blocks(std::string_view text, const std::string& source, const std::vector<std::string>& titles,
                               const std::vector<size_t>& digits, bool numbered) {
  std::vector<Block> blocks;
  const auto lines = words_of_lines(text, " \t\r");
  for (size_t n = 0; n < lines.size(); ++n) {
    const auto& words = lines[n];
    if (words.empty()) continue;
    const std::string where = fmt::format("{}:{}", source, n + 1);
    std::string joined;
    for (const std::string_view w : words) joined += (joined.empty() ? "" : " ") + std::string(w.substr(0, 32));
    if (blocks.size() < titles.size() && joined == titles[blocks.size()]) {
      if (blocks.size() == 1 && blocks[0].rows.empty()) throw Error(where, "there are no rows above", kMakeAgain);
      blocks.emplace_back();
      continue;
    }
    if (numbered && (joined.rfind("Allbits", 0) == 0 || joined.find("cycles executed") != std::string::npos)) continue;
    if (blocks.empty()) throw Error(where, "the configuration is missing", fmt::format("begin with '{}'", titles[0]));
    auto& rows = blocks.back().rows;
    if (numbered && words[0] != fmt::format("{}:", rows.size()))
      throw Error(where, fmt::format("row {} does not begin with '{}:'", rows.size(), rows.size()), kMakeAgain);
    rows.emplace_back();
    for (size_t w = numbered ? 1 : 0; w < words.size(); ++w) rows.back().push_back(hex(words[w], digits[blocks.size() - 1], where));
    if (rows.back().size() != blocks[0].rows[0].size() || rows.back().empty())
      throw Error(where, fmt::format("the row has {} words, the first {}", rows.back().size(), blocks[0].rows[0].size()),
                  "complete the row");
  }
  if (blocks.empty() || blocks[0].rows.empty()) throw Error(source, "there are no rows", kMakeAgain);
  for (const Block& b : blocks) {
    if (b.rows.size() != blocks[0].rows.size()) throw Error(source, "the blocks have different numbers of rows", "complete them");
  }
  return blocks;
}

bool starts(std::string_view text, std::string_view with) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text.substr(first, with.size()) == with;
}

}  // namespace

ConventionGrid parse_python_program(std::string_view text, const std::string& source) {
  const Json json = parse_json(text, {source, kMakeAgain});
  try {
    const int64_t width = json_integer(json.at("width"), "\"width\"", -kFar, kFar, source);
    const int64_t height = json_integer(json.at("height"), "\"height\"", -kFar, kFar, source);
    check_convention_size(width, height, source);
    ConventionGrid result{"program JSON of the Python toolchain", {GridConfig(static_cast<int>(width), static_cast<int>(height)), {}}};
    GridConfig& grid = result.file.grid;
    std::vector<bool> seen(grid.cells.size());
    const Json& cells = json.at("cells");
    for (size_t i = 0; i < cells.size(); ++i) {
      const Json& cell = cells.at(i);
      const std::string where = fmt::format("{}: cells[{}]", source, i);
      const int64_t x = json_integer(cell.at("x"), "\"x\"", -kFar, kFar, where),
                    y = json_integer(cell.at("y"), "\"y\"", -kFar, kFar, where);
      if (x < 0 || y < 0 || x >= width || y >= height)
        throw Error(where, fmt::format("cell ({}, {}) is outside the {} x {} grid", x, y, width, height), "correct x, y or the size");
      const size_t at = grid.index(static_cast<int>(x), static_cast<int>(y));
      if (seen[at]) throw Error(where, fmt::format("cell ({}, {}) is given twice", x, y), "remove one");
      seen[at] = true;
      grid.cells[at] = program_cell(cell, static_cast<int>(x), static_cast<int>(y), grid.width, grid.height, where);
    }
    return result;
  } catch (const Json::exception& e) {
    throw Error(source, fmt::format("is not a program of the Python toolchain ({})", json_reason(e)), kMakeAgain);
  }
}

ConventionGrid parse_browser_grid(std::string_view text, const std::string& source) {
  const Json json = parse_json(text, {source, kMakeAgain});
  // Outputs in the file's order, and the places of N, E, S, W in its index.
  constexpr std::array<Side, 4> kOutputs = {Side::N, Side::E, Side::W, Side::S};
  constexpr std::array<unsigned, 4> kPlace = {1, 2, 0, 3};
  try {
    const auto height = static_cast<int64_t>(json.size());
    const auto width = json.is_array() && height > 0 ? static_cast<int64_t>(json.at(0).size()) : 0;
    check_convention_size(width, height, source);
    ConventionGrid result{"grid-state JSON of the browser simulator (its phase A is phase B here)",
                          {GridConfig(static_cast<int>(width), static_cast<int>(height)), {}}};
    std::vector<uint8_t> outputs(result.file.grid.cells.size());
    for (int y = 0; y < height; ++y) {
      const Json& row = json.at(static_cast<size_t>(y));
      const std::string where = fmt::format("{}: row {}", source, y);
      if (!row.is_array() || static_cast<int64_t>(row.size()) != width)
        throw Error(where, fmt::format("has {} cells, the first row {}", row.size(), width), "complete the row");
      for (int x = 0; x < width; ++x) {
        const Json &cell = row.at(static_cast<size_t>(x)), &leds = cell.at("leds"), &values = cell.at("values");
        if (leds.size() != 4 || values.size() != 4)
          throw Error(where, fmt::format("cell {} does not have four leds and four values", x), kMakeAgain);
        std::array<Lut, 4> tables{};
        unsigned nibble = 0;
        for (size_t k = 0; k < 4; ++k) {
          const auto side = static_cast<size_t>(kOutputs[k]);
          tables[side] = reordered(static_cast<Lut>(hex(values.at(k).get<std::string>(), 4, where)), kPlace);
          const Json& led = leds.at(k);
          const bool on = led.is_boolean() ? led.get<bool>() : json_integer(led, "a led", 0, 1, where) != 0;
          nibble |= static_cast<unsigned>(on) << side;
        }
        const size_t at = result.file.grid.index(x, y);
        result.file.grid.cells[at] = cell_word(tables);
        outputs[at] = static_cast<uint8_t>(nibble);
      }
    }
    result.file.initial_inputs = inputs_of(outputs, result.file.grid.width, result.file.grid.height, false);
    return result;
  } catch (const Json::exception& e) {
    throw Error(source, fmt::format("is a JSON list, but not a grid of the browser simulator ({})", json_reason(e)),
                "rows of cells {\"leds\": [..], \"values\": [..]}");
  }
}

ConventionGrid parse_basic_cell(std::string_view text, const std::string& source) {
  constexpr std::array<Side, 4> kOutputs = {Side::S, Side::N, Side::W, Side::E};
  constexpr std::array<unsigned, 4> kPlace = {2, 0, 3, 1};  // of N, E, S, W in the file's index
  std::array<Lut, 4> tables{};
  size_t row = 0, line = 0;
  for (const auto& words : words_of_lines(text, ", \t\r")) {
    const std::string where = fmt::format("{}:{}", source, ++line);
    if (words.empty()) continue;
    if (row == 4 || words.size() != 16) throw Error(where, "there are not four lines of 16 bits", kMakeAgain);
    unsigned table = 0;
    for (unsigned i = 0; i < 16; ++i) {
      if (words[i] != "True" && words[i] != "False") throw Error(where, fmt::format("bit {} is neither True nor False", i), "correct it");
      table |= static_cast<unsigned>(words[i] == "True") << i;
    }
    tables[static_cast<size_t>(kOutputs[row++])] = reordered(static_cast<Lut>(table), kPlace);
  }
  if (row != 4) throw Error(source, fmt::format("has {} tables instead of four", row), kMakeAgain);
  ConventionGrid result{"cell of the Visual Basic simulator", {GridConfig(1, 1), {}}};
  result.file.grid.cells[0] = cell_word(tables);
  return result;
}

ConventionGrid parse_window_dump(std::string_view text, const std::string& source) {
  const auto blocks = read_blocks(text, source, {"Program Dump:", "inputs:", "outputs:"}, {16, 1, 1}, true);
  const auto width = static_cast<int>(blocks[0].rows[0].size()), height = static_cast<int>(blocks[0].rows.size());
  check_convention_size(width, height, source);
  ConventionGrid result{"program dump of the original engine's window", {GridConfig(width, height), {}}};
  size_t at = 0;
  for (const auto& row : blocks[0].rows) {
    for (const uint64_t word : row) result.file.grid.cells[at++] = word;
  }
  if (blocks.size() > 1) {
    for (const auto& row : blocks[1].rows) {
      for (const uint64_t nibble : row) result.file.initial_inputs.push_back(static_cast<uint8_t>(nibble));
    }
  }
  return result;
}

ConventionGrid parse_delphi_state(std::string_view text, const std::string& source) {
  const auto blocks = read_blocks(text, source, {"Program State:", "Input State:", "Output State:"}, {4, 4, 4}, false);
  const auto width = static_cast<int>(blocks[0].rows[0].size()), height = static_cast<int>(blocks[0].rows.size());
  check_convention_size(width, height, source);
  ConventionGrid result{"program state of the Delphi simulator (one table per cell; a torus there)", {GridConfig(width, height), {}}};
  std::vector<uint8_t> outputs;
  for (size_t y = 0; y < blocks[0].rows.size(); ++y) {
    for (size_t x = 0; x < blocks[0].rows[y].size(); ++x) {
      const auto table = static_cast<Lut>(blocks[0].rows[y][x]);
      result.file.grid.at(static_cast<int>(x), static_cast<int>(y)) = cell_word({table, table, table, table});
      if (blocks.size() == 3) outputs.push_back(blocks[2].rows[y][x] & 1u ? 15 : 0);
    }
  }
  if (!outputs.empty()) result.file.initial_inputs = inputs_of(outputs, width, height, true);
  return result;
}

std::optional<ConventionGrid> parse_text_convention(std::string_view text, const std::string& source) {
  text = without_bom(text);
  if (starts(text, "True,") || starts(text, "False,")) return parse_basic_cell(text, source);
  if (starts(text, "Program Dump:")) return parse_window_dump(text, source);
  if (starts(text, "Program State:")) return parse_delphi_state(text, source);
  return std::nullopt;
}

}  // namespace bitgrid::frontend
