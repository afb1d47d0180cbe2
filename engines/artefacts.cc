#include "engines/artefacts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <climits>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "frontend/compiled/mapped_kernel_io.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/json_reader.h"
#include "ir/json_text.h"
#include "ir/number.h"

namespace bitgrid::engines {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kCompiledFormat = "bitgrid-compiled-1";
constexpr const char* kVerilogFormat = "bitgrid-verilog-1";

std::string hex(uint64_t hash) {
  return fmt::format("{:016x}", hash);
}
uint64_t parse_hex(const nlohmann::json& json) {
  const auto hash = bitgrid::parse_hex(json.get<std::string>());
  if (!hash) throw std::invalid_argument("hash");
  return *hash;
}

/// The whole number that a manifest states.
template <std::integral T>
T number(const nlohmann::json& json, const char* name, T least, T most, const fs::path& path) {
  const auto value = whole_number(json, least, most);
  if (!value) throw Error(path.string(), fmt::format("\"{}\" is not an integer from {} to {}", name, least, most), "make the folder again");
  return *value;
}

ordered_json manifest_json(const char* format, const Manifest& m) {
  return {{"format", format}, {"source", m.source}, {"source_hash", hex(m.source_hash)}, {"seed", m.seed}, {"optimize", m.optimize}};
}

ordered_json defects_json(const Defects& defects) {
  ordered_json json = {{"cells", ordered_json::array()}, {"edges", ordered_json::array()}};
  for (const BadCell& c : defects.cells) json["cells"].push_back({c.x, c.y});
  for (const BadEdge& e : defects.edges) json["edges"].push_back({e.x, e.y, static_cast<int>(e.side)});
  return json;
}

Defects parse_defects(const nlohmann::json& json, const fs::path& path) {
  const auto place = [&](const nlohmann::json& v) { return number(v, "defects", 0, INT_MAX, path); };
  Defects defects;
  for (const auto& c : json.at("cells")) defects.cells.push_back({place(c.at(0)), place(c.at(1))});
  for (const auto& e : json.at("edges"))
    defects.edges.push_back({place(e.at(0)), place(e.at(1)), static_cast<Side>(number(e.at(2), "defects", 0, 3, path))});
  normalise(defects);
  return defects;
}

struct Entry {
  std::string name, file;
  KernelRecord record;
};

Entry parse_entry(const nlohmann::json& json, const fs::path& path) {
  Entry entry{json.at("name"), json.at("file"), {}};
  const fs::path file(entry.file);
  if (file.is_absolute() || std::find(file.begin(), file.end(), "..") != file.end())
    throw Error(path.string(), "the file name " + entry.file + " leads outside the folder", "make the folder again");
  if (json.contains("key")) entry.record.key = parse_hex(json["key"]);
  entry.record.content = parse_hex(json.at("content"));
  if (json.contains("luts")) entry.record.luts = number<size_t>(json["luts"], "luts", 0, SIZE_MAX, path);
  if (json.contains("depth")) entry.record.depth = number(json["depth"], "depth", 0, INT_MAX, path);
  return entry;
}

std::optional<std::vector<Entry>> read_manifest(const fs::path& path, const char* format, Manifest& m) {
  if (!is_there(path.string())) return std::nullopt;
  try {
    const auto json = parse_json(read_file(path.string()), {path.string(), "make the folder again"});
    if (json.at("format") != format) throw Error(path.string(), "the format is not " + std::string(format), "make the folder again");
    m.source = json.at("source");
    m.source_hash = parse_hex(json.at("source_hash"));
    m.seed = number<uint64_t>(json.at("seed"), "seed", 0, UINT64_MAX, path);
    m.optimize = json.at("optimize");
    if (json.contains("mode")) m.mode = json["mode"];
    if (json.contains("effort")) m.effort = json["effort"];
    if (json.contains("strategy")) m.strategy = json["strategy"];
    if (json.contains("defects")) m.defects = parse_defects(json["defects"], path);
    if (json.contains("tile")) {
      m.tile_width = number(json["tile"].at("width"), "tile.width", 0, INT_MAX, path);
      m.tile_height = number(json["tile"].at("height"), "tile.height", 0, INT_MAX, path);
    }
    std::vector<Entry> entries;
    std::set<std::string> names;
    for (const auto& k : json.at("kernels")) {
      entries.push_back(parse_entry(k, path));
      if (!names.insert(entries.back().name).second)
        throw Error(path.string(), "kernel " + entries.back().name + " is listed twice", "make the folder again");
    }
    return entries;
  } catch (const nlohmann::json::exception& e) {
    throw Error(path.string(), "this is not a manifest: " + json_reason(e), "make the folder again");
  } catch (const std::logic_error&) {
    throw Error(path.string(), "a hash is not a hexadecimal number", "make the folder again");
  }
}

/// The entries of a manifest, none if there is none that can be read.
std::vector<Entry> earlier_entries(const fs::path& dir) {
  try {
    Manifest ignored;
    return read_manifest(dir / "compile.json", kCompiledFormat, ignored).value_or(std::vector<Entry>{});
  } catch (const Error&) {
    return {};
  }
}

/// Looks at a kernel's hash: an entry of `notes`, or Error.
void compare(const Entry& entry, uint64_t content, const fs::path& manifest, Unlisted unlisted, std::vector<std::string>& notes) {
  if (content == entry.record.content) return;
  const std::string problem = fmt::format("kernel {} is not what {} lists", entry.name, manifest.filename().string());
  if (unlisted == Unlisted::kReport) {
    notes.push_back(problem);
    return;
  }
  throw Error(manifest.parent_path().string(),
              fmt::format("{}: {} was changed, or a run that was replacing it did not finish", problem, entry.file),
              "make the folder again");
}

template <typename Kernel>
std::vector<std::string> names_of(const std::vector<Kernel>& kernels) {
  std::vector<std::string> names;
  for (const Kernel& kernel : kernels) names.push_back(kernel.name);
  return names;
}

std::string describe(const BitSlot& s) {
  return fmt::format("{}{} phase {}", letter(s.side), s.position, s.phase);
}

}  // namespace

std::vector<std::string> file_names(const std::vector<std::string>& kernels) {
  constexpr size_t kMostCharacters = 200;  // file systems allow 255 with the extension
  std::vector<std::string> names;
  std::set<std::string> taken;  // in small letters
  for (const std::string& kernel : kernels) {
    std::string plain = kernel.substr(0, kMostCharacters);
    for (char& c : plain) {
      if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-') c = '_';
    }
    if (plain.empty() || plain[0] == '.') plain.insert(0, "_");
    std::string name = plain == kernel ? plain : fmt::format("{}-{}", plain, hex(fnv1a(kernel)));
    const auto take = [&] {
      std::string small = name;
      for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      return taken.insert(small).second;
    };
    for (uint64_t salt = 0; !take(); ++salt) name = fmt::format("{}-{}", plain, hex(fnv1a(kernel) + salt));
    names.push_back(std::move(name));
  }
  return names;
}

void write_compiled(OutputFolder& folder, const Manifest& manifest, const std::vector<MappedKernel>& kernels,
                    std::vector<KernelRecord> records) {
  const std::vector<Entry> earlier = earlier_entries(folder.dir());
  records.resize(kernels.size());
  ordered_json json = manifest_json(kCompiledFormat, manifest);
  json["mode"] = manifest.mode;
  json["effort"] = manifest.effort;
  if (!manifest.strategy.empty()) json["strategy"] = manifest.strategy;
  if (!manifest.defects.empty()) json["defects"] = defects_json(manifest.defects);
  if (manifest.tile_width > 0 || manifest.tile_height > 0)
    json["tile"] = {{"width", manifest.tile_width}, {"height", manifest.tile_height}};
  json["kernels"] = ordered_json::array();
  const std::vector<std::string> names = file_names(names_of(kernels));
  std::set<std::string> files;
  for (size_t k = 0; k < kernels.size(); ++k) {
    const std::string file = "kernels/" + names[k];
    const frontend::MappedKernelBytes bytes = frontend::print_mapped_kernel_files(kernels[k]);
    folder.add(file + ".json", bytes.json);
    folder.add(file + ".bgbs", bytes.bgbs);
    files.insert(file);
    ordered_json entry = {{"name", kernels[k].name}, {"file", file}};
    if (records[k].key != 0) entry["key"] = hex(records[k].key);
    entry["content"] = hex(bytes.hash());
    if (records[k].luts) entry["luts"] = *records[k].luts;
    if (records[k].depth) entry["depth"] = *records[k].depth;
    json["kernels"].push_back(std::move(entry));
  }
  folder.add("compile.json", json_text(json, 1) + "\n");
  for (const Entry& e : earlier) {
    if (files.contains(e.file) || !e.file.starts_with("kernels/")) continue;
    for (const char* extension : {".json", ".bgbs"}) folder.remove(e.file + extension);
  }
  folder.commit();
}

void write_verilog(OutputFolder& folder, const Manifest& manifest, const std::vector<rtl::RtlSource>& kernels) {
  ordered_json json = manifest_json(kVerilogFormat, manifest);
  json["kernels"] = ordered_json::array();
  const std::vector<std::string> names = file_names(names_of(kernels));
  for (size_t k = 0; k < kernels.size(); ++k) {
    const std::string file = "verilog/" + names[k];
    folder.add(file + ".v", kernels[k].text);
    json["kernels"].push_back({{"name", kernels[k].name}, {"file", file}, {"content", hex(fnv1a(kernels[k].text))}});
  }
  folder.add("verilog.json", json_text(json, 1) + "\n");
  folder.commit();
}

EarlierCompile::EarlierCompile(const std::string& dir) {
  if (dir.empty()) return;
  for (const auto& e : earlier_entries(dir))
    if (e.record.key != 0) entries_[e.record.key] = {e.record, e.name, (fs::path(dir) / e.file).string()};
}

const KernelRecord* EarlierCompile::find(uint64_t key) const {
  const auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : &it->second.record;
}

std::optional<MappedKernel> EarlierCompile::load(uint64_t key) const {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return std::nullopt;
  const Entry& entry = it->second;
  try {
    const frontend::MappedKernelBytes bytes = frontend::read_mapped_kernel_files(entry.stem);
    if (bytes.hash() != entry.record.content) return std::nullopt;
    MappedKernel kernel = frontend::parse_mapped_kernel_files(bytes, entry.stem).kernel;
    kernel.name = entry.name;
    return kernel;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<CompiledFolder> read_compiled(const std::string& dir, Unlisted unlisted) {
  CompiledFolder folder;
  const fs::path manifest = fs::path(dir) / "compile.json";
  const auto entries = read_manifest(manifest, kCompiledFormat, folder.manifest);
  if (!entries) return std::nullopt;
  for (const Entry& e : *entries) {
    const std::string stem = (fs::path(dir) / e.file).string();
    const frontend::MappedKernelBytes bytes = frontend::read_mapped_kernel_files(stem);
    compare(e, bytes.hash(), manifest, unlisted, folder.unlisted);
    frontend::MappedKernelFile file = frontend::parse_mapped_kernel_files(bytes, stem, frontend::BgbsCheck::kReport);
    file.kernel.name = e.name;
    folder.kernels.push_back(std::move(file.kernel));
  }
  return folder;
}

std::optional<VerilogFolder> read_verilog(const std::string& dir, Unlisted unlisted) {
  VerilogFolder folder;
  const fs::path manifest = fs::path(dir) / "verilog.json";
  const auto entries = read_manifest(manifest, kVerilogFormat, folder.manifest);
  if (!entries) return std::nullopt;
  for (const Entry& e : *entries) {
    const std::string path = (fs::path(dir) / (e.file + ".v")).string(), text = read_file(path);
    compare(e, fnv1a(text), manifest, unlisted, folder.unlisted);
    rtl::RtlSource source = rtl::make_rtl_source(path, text);
    source.name = e.name;
    folder.kernels.push_back(std::move(source));
  }
  return folder;
}

const MappedKernel& find_kernel(const CompiledFolder& folder, const std::string& dir, const std::string& name) {
  if (name.empty() && folder.kernels.size() == 1) return folder.kernels[0];
  const auto it = std::find_if(folder.kernels.begin(), folder.kernels.end(), [&](const MappedKernel& k) { return k.name == name; });
  if (it != folder.kernels.end()) return *it;
  std::string names;
  for (const MappedKernel& k : folder.kernels) names += (names.empty() ? "" : ", ") + k.name;
  if (name.empty())
    throw Error(dir, fmt::format("this folder holds {} kernels", folder.kernels.size()), "choose one with --kernel: " + names);
  throw Error(dir, "there is no kernel '" + name + "' in this folder", "choose one of " + names);
}

std::optional<std::string> first_drift(const MappedKernel& a, const MappedKernel& b) {
  if (a == b) return std::nullopt;
  if (a.grid.width != b.grid.width || a.grid.height != b.grid.height) {
    return fmt::format("grid of {} x {} cells, should be {} x {}", a.grid.width, a.grid.height, b.grid.width, b.grid.height);
  }
  for (int y = 0; y < a.grid.height; ++y) {
    for (int x = 0; x < a.grid.width; ++x) {
      const CellWord different = a.grid.at(x, y) ^ b.grid.at(x, y);
      for (unsigned bit = 0; bit < 64; ++bit) {
        if (!((different >> bit) & 1)) continue;
        return fmt::format("configuration of cell ({}, {}), output {}, index {}: {}, should be {}", x, y, letter(kSides[bit % 4]), bit / 4,
                           (a.grid.at(x, y) >> bit) & 1, (b.grid.at(x, y) >> bit) & 1);
      }
    }
  }
  for (size_t i = 0; i < std::min(a.outputs.size(), b.outputs.size()); ++i) {
    if (!(a.outputs[i] == b.outputs[i]))
      return fmt::format("output bit {} at {}, should be {}", i, describe(a.outputs[i]), describe(b.outputs[i]));
  }
  for (size_t i = 0; i < std::min(a.inputs.size(), b.inputs.size()); ++i) {
    if (!(a.inputs[i] == b.inputs[i])) {
      return fmt::format("input {} is bit {} at {}, should be bit {} at {}", i, a.inputs[i].bit, describe(a.inputs[i].slot),
                         b.inputs[i].bit, describe(b.inputs[i].slot));
    }
  }
  for (size_t i = 0; i < std::min(a.constants.size(), b.constants.size()); ++i) {
    if (!(a.constants[i] == b.constants[i])) return fmt::format("constant stream {} at {}", i, describe(a.constants[i].slot));
  }
  for (size_t i = 0; i < std::min(a.residents.size(), b.residents.size()); ++i) {
    if (!(a.residents[i] == b.residents[i]))
      return fmt::format("resident slot {} (bit {}, cell ({}, {}))", i, a.residents[i].bit, a.residents[i].x, a.residents[i].y);
  }
  return "schedule (numbers of slots, ii, lead cycles or strategy)";
}

std::optional<std::string> first_drift(const rtl::RtlSource& a, const rtl::RtlSource& b) {
  if (a.text == b.text) return std::nullopt;
  size_t line = 1, column = 1;
  for (size_t i = 0; i < std::min(a.text.size(), b.text.size()) && a.text[i] == b.text[i]; ++i) {
    ++column;
    if (a.text[i] == '\n') ++line, column = 1;
  }
  return fmt::format("Verilog line {}, column {}", line, column);
}

}  // namespace bitgrid::engines
