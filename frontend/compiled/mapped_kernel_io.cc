#include "frontend/compiled/mapped_kernel_io.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ir/error.h"
#include "ir/file.h"
#include "ir/json_reader.h"
#include "ir/number.h"

namespace bitgrid::frontend {
namespace {

using Json = nlohmann::json;

constexpr const char* kFormat = "bitgrid-kernel-v1";

std::string print_slot(const BitSlot& slot) {
  return fmt::format("\"{}\",{},{}", letter(slot.side), slot.position, slot.phase);
}

/// One entry a line.
template <typename Items, typename Print>
void print_list(std::string& out, const char* key, const Items& items, Print print) {
  fmt::format_to(std::back_inserter(out), ",\n\"{}\": [", key);
  const char* separator = "\n";
  for (const auto& item : items) {
    fmt::format_to(std::back_inserter(out), "{}[{}]", separator, print(item));
    separator = ",\n";
  }
  out += "]";
}

/// One value of the file with the way to it, from which messages make "inputs[3][1]".
struct Value {
  const Json& json;
  const std::string& source;
  const Value* parent = nullptr;
  const char* key = nullptr;  // in the top level
  size_t index = 0;           // in a list

  std::string path() const { return !parent ? "top level" : key ? key : fmt::format("{}[{}]", parent->path(), index); }
  [[noreturn]] void fail(const std::string& problem, const std::string& cure) const { throw Error(source + ": " + path(), problem, cure); }

  Value at(const char* name) const {
    const auto it = json.find(name);
    if (it == json.end()) fail(fmt::format("key \"{}\" is missing", name), "write the file again with compile");
    return {*it, source, this, name, 0};
  }
  Value at(size_t i) const { return {json[i], source, this, nullptr, i}; }

  size_t list_size() const {
    if (!json.is_array()) fail("is not a list", "write a list, [] for none");
    return json.size();
  }
  void expect_list(size_t n, const char* form) const {
    if (!json.is_array() || json.size() != n) fail(fmt::format("is not a list of {}", n), fmt::format("write {}", form));
  }
  int64_t integer(int64_t lo, int64_t hi) const { return json_integer(json, "this", lo, hi, source + ": " + path()); }
  int to_int() const { return static_cast<int>(integer(INT32_MIN, INT32_MAX)); }
  uint32_t to_bit() const { return static_cast<uint32_t>(integer(0, UINT32_MAX)); }
  const std::string& text() const {
    if (!json.is_string()) fail("is not a string", "write it in quotes");
    return json.get_ref<const std::string&>();
  }
  Side side() const {
    for (const Side s : kSides) {
      if (text() == std::string(1, letter(s))) return s;
    }
    fail("is not a side", "write \"N\", \"E\", \"S\" or \"W\"");
  }
  CellWord word() const {
    const auto bits = text().size() == 16 ? parse_hex(text()) : std::nullopt;
    if (!bits) fail("is not a configuration word", "write 16 hexadecimal digits in quotes");
    return *bits;
  }
  BitSlot slot(size_t first) const { return {at(first).side(), at(first + 1).to_int(), at(first + 2).to_int()}; }
};

InputSlot parse_input(const Value& v) {
  v.expect_list(5, "[bit, side, position, phase, hold]");
  return {v.at(size_t{0}).to_bit(), v.slot(1), v.at(4).to_int()};
}

BitSlot parse_output(const Value& v) {
  v.expect_list(3, "[side, position, phase]");
  return v.slot(0);
}

ConstantStream parse_constant(const Value& v) {
  v.expect_list(4, "[side, position, phase, \"bits\"]");
  ConstantStream stream{v.slot(0), {}};
  for (const char c : v.at(3).text()) {
    if (c != '0' && c != '1') v.at(3).fail("has a bit that is neither 0 nor 1", "write only 0 and 1");
    stream.bits.push_back(c == '1');
  }
  return stream;
}

ResidentSlot parse_resident(const Value& v) {
  v.expect_list(5, "[bit, x, y, \"word 0\", \"word 1\"]");
  return {v.at(size_t{0}).to_bit(), v.at(1).to_int(), v.at(2).to_int(), v.at(3).word(), v.at(4).word()};
}

template <typename Item>
void parse_list(const Value& list, Item (*parse)(const Value&), std::vector<Item>& out) {
  const size_t n = list.list_size();
  out.reserve(n);
  for (size_t i = 0; i < n; ++i) out.push_back(parse(list.at(i)));
}

}  // namespace

std::string print_mapped_kernel(const MappedKernel& k) {
  const auto quoted = [](const std::string& s) { return Json(s).dump(-1, ' ', true, Json::error_handler_t::replace); };
  std::string out = fmt::format(
      "{{\"format\": \"{}\",\n\"name\": {},\n\"strategy\": {},\n\"width\": {},\n\"height\": {},\n\"input_bits\": {},\n\"output_bits\": "
      "{},\n"
      "\"ii\": {},\n\"lead_cycles\": {}",
      kFormat, quoted(k.name), quoted(k.strategy), k.grid.width, k.grid.height, k.input_bits, k.output_bits, k.ii, k.lead_cycles);
  print_list(out, "inputs", k.inputs, [](const InputSlot& in) { return fmt::format("{},{},{}", in.bit, print_slot(in.slot), in.hold); });
  print_list(out, "outputs", k.outputs, print_slot);
  print_list(out, "constants", k.constants, [](const ConstantStream& stream) {
    std::string bits;
    for (const uint8_t b : stream.bits) bits += b ? '1' : '0';
    return fmt::format("{},\"{}\"", print_slot(stream.slot), bits);
  });
  print_list(out, "residents", k.residents,
             [](const ResidentSlot& r) { return fmt::format("{},{},{},\"{:016X}\",\"{:016X}\"", r.bit, r.x, r.y, r.word0, r.word1); });
  if (!k.resting_ones.empty()) out += fmt::format(",\n\"resting_ones\": [{}]", fmt::join(k.resting_ones, ","));
  return out + "}\n";
}

MappedKernel parse_mapped_kernel(std::string_view text, const std::string& source) {
  const Json root = parse_json(text, {source, "write the file again with compile"});
  if (!root.is_object()) throw Error(source, "is not a JSON object", "write the file again with compile");
  const Value top{root, source};
  if (top.at("format").text() != kFormat) top.at("format").fail(fmt::format("is not \"{}\"", kFormat), "name the JSON of a mapped kernel");
  MappedKernel k;
  k.name = top.at("name").text();
  k.strategy = top.at("strategy").text();
  const int64_t width = top.at("width").integer(1, 0xFFFF), height = top.at("height").integer(1, 0xFFFF);
  if (width * height >= int64_t{1} << 26)
    top.at("width").fail(fmt::format("{} x {} cells do not fit a BGBS file", width, height), "correct the size");
  k.input_bits = static_cast<uint32_t>(top.at("input_bits").integer(0, 1 << 28));
  k.output_bits = static_cast<uint32_t>(top.at("output_bits").integer(0, 1 << 28));
  k.ii = top.at("ii").to_int();
  k.lead_cycles = top.at("lead_cycles").to_int();
  parse_list(top.at("inputs"), parse_input, k.inputs);
  parse_list(top.at("outputs"), parse_output, k.outputs);
  parse_list(top.at("constants"), parse_constant, k.constants);
  parse_list(top.at("residents"), parse_resident, k.residents);
  if (root.contains("resting_ones")) {
    const Value resting = top.at("resting_ones");
    for (size_t i = 0, n = resting.list_size(); i < n; ++i) k.resting_ones.push_back(resting.at(i).to_bit());
  }
  k.grid = GridConfig(static_cast<int>(width), static_cast<int>(height));
  return k;
}

uint64_t MappedKernelBytes::hash() const {
  return fnv1a(bgbs, fnv1a(json));
}

MappedKernelBytes print_mapped_kernel_files(const MappedKernel& kernel) {
  return {print_mapped_kernel(kernel), print_bgbs(kernel.grid)};
}

MappedKernelBytes read_mapped_kernel_files(const std::string& stem) {
  return {read_file(stem + ".json"), read_file(stem + ".bgbs")};
}

void write_mapped_kernel(const MappedKernel& kernel, const std::string& stem) {
  const MappedKernelBytes bytes = print_mapped_kernel_files(kernel);  // may object: before anything is written
  write_file(stem + ".json", bytes.json);
  write_file(stem + ".bgbs", bytes.bgbs);
}

MappedKernelFile read_mapped_kernel(const std::string& stem, BgbsCheck check) {
  return parse_mapped_kernel_files(read_mapped_kernel_files(stem), stem, check);
}

MappedKernelFile parse_mapped_kernel_files(const MappedKernelBytes& bytes, const std::string& stem, BgbsCheck check) {
  const std::string text = stem + ".json", cells = stem + ".bgbs";
  MappedKernelFile file{parse_mapped_kernel(bytes.json, text), true};
  BgbsGrid grid = parse_bgbs(bytes.bgbs, cells, check);
  if (grid.grid.width != file.kernel.grid.width || grid.grid.height != file.kernel.grid.height) {
    throw Error(cells,
                fmt::format("holds {} x {} cells, {} says {} x {}", grid.grid.width, grid.grid.height, text, file.kernel.grid.width,
                            file.kernel.grid.height),
                "the two files belong to different kernels: write both again");
  }
  file.kernel.grid = std::move(grid.grid);
  file.crc_ok = grid.crc_ok;
  try {
    verify(file.kernel);
  } catch (const Error& e) {
    throw Error(text, e.what());
  }
  return file;
}

}  // namespace bitgrid::frontend
