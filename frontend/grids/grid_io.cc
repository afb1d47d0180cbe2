#include "frontend/grids/grid_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "frontend/grids/grid_source.h"
#include "frontend/grids/lutgrid_json.h"
#include "frontend/grids/payload.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/number.h"
#include "ir/text.h"

namespace bitgrid::frontend {
namespace {

constexpr int64_t kMaxCells = (int64_t{1} << 26) - 1;  // what the 32-bit count of a BGBS header can say

/// Bounds the memory that a damaged size can ask for.
void check_size(int64_t width, int64_t height, const std::string& where) {
  const bool ok = width >= 1 && height >= 1 && width <= kMaxCells && height <= kMaxCells && width * height <= kMaxCells;
  if (!ok) {
    throw Error(where, fmt::format("the size {} x {} is out of range", width, height),
                fmt::format("use 1 to {} cells in total", kMaxCells));
  }
}

/// Index into GridConfig::cells of the i-th cell of a payload.
size_t payload_cell(size_t i, int width, int height, BgbsOrder order) {
  const size_t w = static_cast<size_t>(width), h = static_cast<size_t>(height);
  if (order == BgbsOrder::kColumn) return (i % h) * w + i / h;
  if (order == BgbsOrder::kSnake && (i / w) % 2 == 1) return (i / w) * w + (w - 1 - i % w);
  return i;
}

void put_little(std::string& out, uint64_t value, int bytes) {
  for (int b = 0; b < bytes; ++b) out.push_back(static_cast<char>(static_cast<uint8_t>(value >> (8 * b))));
}

uint64_t get_little(std::string_view bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t b = 0; b < count; ++b) value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[at + b])) << (8 * b);
  return value;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// Lines of a text that are not blank, with their numbers from 1.
class Lines {
 public:
  Lines(std::string_view text, std::string source) : rest_(without_bom(text)), source_(std::move(source)) {}

  /// Words of the next line that has any; empty at the end.
  std::vector<std::string_view> next() {
    std::vector<std::string_view> words;
    while (words.empty() && !rest_.empty()) {
      ++number_;
      const size_t end = rest_.find('\n');
      split(rest_.substr(0, end), words);
      rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    }
    return words;
  }
  std::string where() const { return fmt::format("{}:{}", source_, number_); }

 private:
  static void split(std::string_view line, std::vector<std::string_view>& words) {
    for (size_t i = 0; i < line.size();) {
      while (i < line.size() && is_space(line[i])) ++i;
      size_t end = i;
      while (end < line.size() && !is_space(line[end])) ++end;
      if (end > i) words.push_back(line.substr(i, end - i));
      i = end;
    }
  }

  std::string_view rest_;
  std::string source_;
  size_t number_ = 0;
};

/// For messages: a word of the file, short and printable.
std::string quote(std::string_view word) {
  std::string out = "'";
  for (const char c : word.substr(0, 24)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (word.size() > 24 ? "...'" : "'");
}

int64_t parse_dimension(std::string_view word, const std::string& where) {
  const auto value = parse_whole(word, int64_t{0}, kMaxCells);
  if (!value) throw Error(where, quote(word) + " is not a size", "the first line is the width and the height");
  return *value;
}

uint64_t parse_hex_word(std::string_view word, const std::string& where, const std::string& what) {
  const auto value = parse_hex(word);
  if (!value) throw Error(where, fmt::format("{}: {} is not a configuration word", what, quote(word)), "write 16 hexadecimal digits");
  return *value;
}

}  // namespace

std::string print_lutgrid(const GridConfig& grid) {
  std::string out = fmt::format("{{\"width\":{},\"height\":{},\"cells\":[", grid.width, grid.height);
  const char* separator = "\n";
  for (int y = 0; y < grid.height; ++y) {
    for (int x = 0; x < grid.width; ++x) {
      if (grid.at(x, y) == 0) continue;
      const auto luts = cell_luts(grid.at(x, y));
      fmt::format_to(std::back_inserter(out), "{}{{\"x\":{},\"y\":{},\"luts\":[{},{},{},{}]}}", separator, x, y, luts[0], luts[1], luts[2],
                     luts[3]);
      separator = ",\n";
    }
  }
  return out + "],\n\"format\":\"lutgrid-v1\"}\n";
}

GridConfig parse_lutgrid(std::string_view text, const std::string& source) {
  const JsonText json = json_of_string(text, source);
  const GridSize size = lutgrid_size(read_json_top(json), source, kMaxCells);
  GridConfig grid(size.width, size.height);
  read_lutgrid_cells(json, source, size, [&](int x, int y, CellWord word) { grid.at(x, y) = word; });
  return grid;
}

std::string print_bgbs(const GridConfig& grid, BgbsOrder order) {
  if (grid.width < 1 || grid.height < 1 || grid.width > 0xFFFF || grid.height > 0xFFFF || int64_t{grid.width} * grid.height > kMaxCells) {
    throw Error("BGBS", fmt::format("a {} x {} grid does not fit: sides to 65535, {} cells", grid.width, grid.height, kMaxCells),
                "split the grid or write lutgrid-v1");
  }
  std::string payload;
  payload.reserve(grid.cells.size() * 8);
  for (size_t i = 0; i < grid.cells.size(); ++i)
    put_little(payload, payload_of_word(grid.cells[payload_cell(i, grid.width, grid.height, order)]), 8);
  std::string out = "BGBS";
  put_little(out, 1, 2);
  put_little(out, kBgbsHeaderBytes, 2);
  put_little(out, static_cast<uint64_t>(grid.width), 2);
  put_little(out, static_cast<uint64_t>(grid.height), 2);
  put_little(out, static_cast<uint64_t>(order), 1);
  put_little(out, 0, 1);
  put_little(out, payload.size() * 8, 4);
  put_little(out, crc32(payload), 4);
  put_little(out, 0, 2);
  return out + payload;
}

BgbsHeader parse_bgbs_header(std::string_view start, uint64_t bytes, const std::string& source) {
  const auto bad = [&](const std::string& problem, const std::string& cure) { return Error(source, problem, cure); };
  if (const uint64_t there = std::min<uint64_t>(start.size(), bytes); there < kBgbsHeaderBytes)
    throw bad(fmt::format("has {} bytes, a BGBS header has {}", there, kBgbsHeaderBytes), "the file is truncated: write it again");
  if (start.substr(0, 4) != "BGBS") throw bad("byte 0: does not start with 'BGBS'", "name a BGBS bitstream");
  const auto field = [&](size_t at, size_t count) { return get_little(start, at, count); };
  if (field(4, 2) != 1) throw bad(fmt::format("byte 4: version {} is unknown", field(4, 2)), "write version 1");
  if (field(6, 2) != kBgbsHeaderBytes)
    throw bad(fmt::format("byte 6: header length {} is not 24", field(6, 2)), "write version 1 with its 24-byte header");
  const int64_t width = static_cast<int64_t>(field(8, 2)), height = static_cast<int64_t>(field(10, 2));
  check_size(width, height, source + ": byte 8");
  if (field(12, 1) > 2) throw bad(fmt::format("byte 12: order {} is unknown", field(12, 1)), "use 0 (row), 1 (column) or 2 (snake)");
  if (field(13, 1) != 0) throw bad(fmt::format("byte 13: flags {} are unknown", field(13, 1)), "use 0");
  const uint64_t bits = static_cast<uint64_t>(width * height) * 64;
  if (field(14, 4) != bits) {
    throw bad(fmt::format("byte 14: {} payload bits, but {} x {} cells have {}", field(14, 4), width, height, bits),
              "correct the size or the count");
  }
  if (field(22, 2) != 0) throw bad("byte 22: the reserved field is not 0", "write 0");
  if (bytes - kBgbsHeaderBytes != bits / 8) {
    throw bad(fmt::format("byte 24: the payload has {} bytes, the header says {}", bytes - kBgbsHeaderBytes, bits / 8),
              "the file is truncated or has bytes after its end: write it again");
  }
  return {static_cast<int>(width), static_cast<int>(height), static_cast<BgbsOrder>(field(12, 1)), static_cast<uint32_t>(field(18, 4))};
}

BgbsGrid parse_bgbs(std::string_view bytes, const std::string& source, BgbsCheck check) {
  const BgbsHeader header = parse_bgbs_header(bytes, bytes.size(), source);
  const std::string_view payload = bytes.substr(kBgbsHeaderBytes);
  const uint32_t crc = crc32(payload);
  if (crc != header.crc && check == BgbsCheck::kStrict) throw payload_damaged(source, crc, header.crc);
  BgbsGrid result{GridConfig(header.width, header.height), header.order, crc == header.crc};
  for (size_t i = 0; i < result.grid.cells.size(); ++i)
    result.grid.cells[payload_cell(i, header.width, header.height, header.order)] = word_of_payload(get_little(payload, 8 * i, 8));
  return result;
}

std::string print_grid_text(const GridFile& file) {
  const GridConfig& grid = file.grid;
  std::string out = fmt::format("{} {}\n", grid.width, grid.height);
  for (int y = 0; y < grid.height; ++y) {
    for (int x = 0; x < grid.width; ++x) fmt::format_to(std::back_inserter(out), "{}{:016X}", x ? " " : "", grid.at(x, y));
    out += '\n';
  }
  if (file.initial_inputs.empty()) return out;
  out += "in\n";
  for (int y = 0; y < grid.height; ++y) {
    for (int x = 0; x < grid.width; ++x) out += "0123456789ABCDEF"[file.initial_inputs[grid.index(x, y)] & 15u];
    out += '\n';
  }
  return out;
}

GridFile parse_grid_text(std::string_view text, const std::string& source) {
  Lines lines(text, source);
  auto words = lines.next();
  if (words.size() != 2) throw Error(lines.where(), "the first line is not 'W H'", "write the width and the height");
  const int64_t width = parse_dimension(words[0], lines.where()), height = parse_dimension(words[1], lines.where());
  check_size(width, height, lines.where());
  // A word has at least a digit and a separator: a damaged size must not allocate more than the file can fill.
  if (static_cast<uint64_t>(width * height) > text.size()) {
    throw Error(lines.where(), fmt::format("the file is too short for {} x {} configuration words", width, height),
                "correct the size or add the rows");
  }
  GridFile file{GridConfig(static_cast<int>(width), static_cast<int>(height)), {}};
  for (int y = 0; y < file.grid.height; ++y) {
    words = lines.next();
    if (words.empty())
      throw Error(lines.where(), fmt::format("ends after {} of {} rows of configuration words", y, height), "add the missing rows");
    if (static_cast<int64_t>(words.size()) != width) {
      throw Error(lines.where(), fmt::format("row {} has {} configuration words, the width is {}", y, words.size(), width),
                  "correct the row or the width");
    }
    for (int x = 0; x < file.grid.width; ++x) {
      file.grid.at(x, y) = parse_hex_word(words[static_cast<size_t>(x)], lines.where(), fmt::format("column {}", x));
    }
  }
  words = lines.next();
  if (words.empty()) return file;
  if (words.size() != 1 || words[0] != "in")
    throw Error(lines.where(), quote(words[0]) + " follows the configuration", "only a block 'in' may follow");
  for (int y = 0; y < file.grid.height; ++y) {
    std::string digits;
    for (const std::string_view word : lines.next()) digits += word;
    if (static_cast<int64_t>(digits.size()) != width) {
      throw Error(lines.where(), fmt::format("row {} of 'in' has {} nibbles, the width is {}", y, digits.size(), width),
                  "write one digit per cell");
    }
    for (const char c : digits) {
      const auto digit = parse_hex({&c, 1});
      if (!digit)
        throw Error(lines.where(), fmt::format("row {} of 'in': {} is not a hexadecimal digit", y, quote({&c, 1})), "use 0-9 and A-F");
      file.initial_inputs.push_back(static_cast<uint8_t>(*digit));
    }
  }
  words = lines.next();
  if (!words.empty()) throw Error(lines.where(), quote(words[0]) + " follows the last row of 'in'", "remove what follows");
  return file;
}

GridFile read_grid(const std::string& path) {
  GridSource source = open_grid(path);
  GridConfig grid = read_rows(source);
  return {std::move(grid), std::move(source.initial_inputs)};
}

}  // namespace bitgrid::frontend
