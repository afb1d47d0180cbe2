#include "rtl/wrapper.h"

#include <climits>
#include <map>
#include <regex>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/number.h"

namespace bitgrid::rtl {
namespace {

constexpr const char* kHead = R"(#include "verilated.h"
#include "{0}.h"
namespace {{
struct Instance {{
  VerilatedContext context;
  {0} module{{&context}};
}};
inline void put(CData& port, const uint32_t* words) {{ port = static_cast<CData>(words[0]); }}
inline void put(SData& port, const uint32_t* words) {{ port = static_cast<SData>(words[0]); }}
inline void put(IData& port, const uint32_t* words) {{ port = words[0]; }}
inline void put(QData& port, const uint32_t* words) {{ port = words[0] | (static_cast<QData>(words[1]) << 32); }}
template <std::size_t N>
inline void put(VlWide<N>& port, const uint32_t* words) {{
  for (std::size_t i = 0; i < N; ++i) port[i] = words[i];
}}
inline void get(uint32_t* words, CData port) {{ words[0] = port; }}
inline void get(uint32_t* words, SData port) {{ words[0] = port; }}
inline void get(uint32_t* words, IData port) {{ words[0] = port; }}
inline void get(uint32_t* words, QData port) {{
  words[0] = static_cast<uint32_t>(port);
  words[1] = static_cast<uint32_t>(port >> 32);
}}
template <std::size_t N>
inline void get(uint32_t* words, const VlWide<N>& port) {{
  for (std::size_t i = 0; i < N; ++i) words[i] = port[i];
}}
}}  // namespace
#define BITGRID_EXPORT extern "C" __attribute__((visibility("default")))
BITGRID_EXPORT void* bitgrid_create() {{ return new Instance; }}
BITGRID_EXPORT void bitgrid_destroy(void* instance) {{ delete static_cast<Instance*>(instance); }}
BITGRID_EXPORT int bitgrid_clock(void* instance, int rst, int in_valid, const uint32_t* inputs, uint32_t* outputs) {{
  {0}& m = static_cast<Instance*>(instance)->module;
  (void)inputs;
  m.rst = static_cast<CData>(rst);
  m.in_valid = static_cast<CData>(in_valid);
)";

}  // namespace

std::string wrapper_source(const RtlInterface& interface) {
  std::string out = fmt::format(kHead, kVerilatedClass);
  uint32_t word = 0;
  for (const RtlPort& port : interface.inputs) {
    out += fmt::format("  put(m.{}, inputs + {});\n", port.name, word);
    word += (port.width + 31) / 32;
  }
  out += "  m.clk = 0;\n  m.eval();\n  m.clk = 1;\n  m.eval();\n";
  word = 0;
  for (const RtlPort& port : interface.outputs) {
    out += fmt::format("  get(outputs + {}, m.{});\n", word, port.name);
    word += (port.width + 31) / 32;
  }
  return out + "  return m.out_valid;\n}\n";
}

void check_ports(const std::string& verilated_header, const RtlInterface& interface, const std::string& source) {
  using Ports = std::map<std::string, std::string>;
  Ports found;
  static const std::regex port(R"(VL_(IN|OUT)(?:8|16|64|W)?\(&(\w+),(\d+),(\d+))");
  for (std::sregex_iterator match(verilated_header.begin(), verilated_header.end(), port), end; match != end; ++match) {
    const auto bit = [&](size_t i) { return parse_whole((*match)[i].str(), 0, INT_MAX).value_or(0); };
    const int width = bit(3) - bit(4) + 1;
    found[(*match)[2]] = fmt::format("{} {}", (*match)[1] == "IN" ? "input" : "output", width);
  }
  Ports wanted = {{"clk", "input 1"}, {"rst", "input 1"}, {"in_valid", "input 1"}, {"out_valid", "output 1"}};
  for (const RtlPort& p : interface.inputs) wanted[p.name] = fmt::format("input {}", p.width);
  for (const RtlPort& p : interface.outputs) wanted[p.name] = fmt::format("output {}", p.width);
  const std::string cure = "make the \"// @input\" and \"// @output\" lines and the module's ports agree";
  for (const auto& [name, kind] : wanted) {
    const auto it = found.find(name);
    if (it == found.end()) throw Error(source, fmt::format("module {} has no port {} ({} bits)", interface.module, name, kind), cure);
    if (it->second != kind)
      throw Error(source,
                  fmt::format("port {} of module {} is {} bits, but {} bits are expected", name, interface.module, it->second, kind), cure);
  }
  for (const auto& [name, kind] : found) {
    if (!wanted.contains(name)) throw Error(source, fmt::format("the comment does not name port {} ({} bits)", name, kind), cure);
  }
}

}  // namespace bitgrid::rtl
