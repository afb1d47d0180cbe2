#include "rtl/interface.h"

#include <algorithm>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/number.h"

namespace bitgrid::rtl {
namespace {

constexpr std::string_view kMark = "// @";

/// Input or output bits of one module, at most: far above any kernel, and memory for a row of them is no concern.
constexpr uint32_t kMaxBits = 1u << 24;

bool is_port_name(const std::string& name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto later = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), later) && name.find("__") == std::string::npos;
}

class Reader {
 public:
  explicit Reader(const std::string& source) : source_(source) {}

  RtlInterface read(std::string_view verilog) {
    std::istringstream lines{std::string(verilog)};
    std::string line;
    while (!ended_ && std::getline(lines, line)) {
      ++line_;
      if (line.starts_with(kMark)) read_line(line.substr(kMark.size()));
    }
    if (!ended_)
      throw Error(source_, "the comment that describes the ports is missing or has no end",
                  "keep the lines from \"// @module\" to \"// @end\" that `bitgrid verilog` writes at the head of the file");
    if (interface_.module.empty()) throw Error(source_, "there is no \"// @module\" line", "add \"// @module NAME\"");
    if (interface_.latency_cycles == 0) throw Error(source_, "there is no \"// @latency\" line", "add \"// @latency CLOCKS\", at least 1");
    if (interface_.outputs.empty())
      throw Error(source_, "there is no \"// @output\" line", "add \"// @output PORT WIDTH\" for every output");
    return interface_;
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& cure) const {
    throw Error(fmt::format("{}:{}", source_, line_), problem, cure);
  }

  void read_line(const std::string& line) {
    std::istringstream words(line);
    std::string key, name, width, rest;
    words >> key >> name >> width >> rest;
    if (key == "end") {
      ended_ = true;
    } else if (key == "module") {
      interface_.module = port_name(name);
    } else if (key == "latency") {
      interface_.latency_cycles = number(name, 1u << 16);
    } else if (key == "input" || key == "output") {
      std::vector<RtlPort>& ports = key == "input" ? interface_.inputs : interface_.outputs;
      if (!names_.insert(name).second)
        fail(fmt::format("there are two ports {}", name), "give each port one line; clk, rst, in_valid and out_valid have none");
      ports.push_back({port_name(name), number(width, kMaxBits)});
      if (total_width(ports) > kMaxBits) fail(fmt::format("there are more than {} {} bits", kMaxBits, key), "split the kernel");
    } else {
      fail(fmt::format("\"@{}\" is unknown", key), "the lines are @module, @latency, @input, @output and @end");
    }
  }

  std::string port_name(const std::string& name) const {
    if (!is_port_name(name))
      fail(fmt::format("\"{}\" is not a name for a port or module", name),
           "use letters, digits and single underscores, and no digit first");
    return name;
  }

  uint32_t number(const std::string& digits, uint32_t largest) const {
    const auto value = parse_whole(digits, uint32_t{1}, largest);
    if (!value) fail(fmt::format("\"{}\" is not a width or latency", digits), fmt::format("write a number from 1 to {}", largest));
    return *value;
  }

  std::string source_;
  size_t line_ = 0;
  bool ended_ = false;
  RtlInterface interface_;
  std::set<std::string> names_ = {"clk", "rst", "in_valid", "out_valid"};
};

}  // namespace

uint32_t total_width(const std::vector<RtlPort>& ports) {
  uint32_t bits = 0;
  for (const RtlPort& port : ports) bits += port.width;
  return bits;
}

std::string interface_comment(const RtlInterface& interface) {
  std::string out = fmt::format("{0}module {1}\n{0}latency {2}\n", kMark, interface.module, interface.latency_cycles);
  for (const RtlPort& port : interface.inputs) out += fmt::format("{}input {} {}\n", kMark, port.name, port.width);
  for (const RtlPort& port : interface.outputs) out += fmt::format("{}output {} {}\n", kMark, port.name, port.width);
  return out + fmt::format("{}end\n", kMark);
}

RtlInterface parse_interface(std::string_view verilog, const std::string& source) {
  return Reader(source).read(verilog);
}

}  // namespace bitgrid::rtl
