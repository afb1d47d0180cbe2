#include "bitgrid_sim/vcd.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>

#include "bitgrid_sim/fst.h"
#include "bitgrid_sim/scalar.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/number.h"

namespace bitgrid::sim {
namespace {

/// Identifier code: printable characters '!' to '~', least significant first.
std::string code_of(size_t i) {
  std::string code;
  do {
    code += static_cast<char>('!' + i % 94);
    i /= 94;
  } while (i-- > 0);
  return code;
}

/// VCD scopes are identifiers.
std::string identifier(std::string name) {
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!plain) c = '_';
  }
  return name.empty() ? "grid" : name;
}

}  // namespace

std::string to_string(const PortName& port) {
  return fmt::format("{}{}_{}", "nesw"[static_cast<size_t>(port.side)], port.position, port.output ? "out" : "in");
}

PortName parse_port(const std::string& name, int width, int height) {
  const Error bad("port '" + name + "'", "is not a port name", "write side, position and direction: n0_in, e3_out");
  const size_t side = name.empty() ? std::string::npos : std::string("nesw").find(name[0]);
  const size_t underscore = name.find('_');
  if (side == std::string::npos || underscore == std::string::npos) throw bad;
  PortName port;
  port.side = kSides[side];
  const auto position = parse_whole(std::string_view(name).substr(1, underscore - 1), 0, INT_MAX);
  const std::string direction = name.substr(underscore + 1);
  if (!position || (direction != "in" && direction != "out")) throw bad;
  port.output = direction == "out";
  port.position = *position;
  if (port.position >= ports_of(port.side, width, height)) {
    throw Error("port '" + name + "'", fmt::format("is not on the border of a {} x {} grid", width, height),
                "n and s count x, e and w count y");
  }
  return port;
}

std::vector<PortName> all_ports(int width, int height) {
  std::vector<PortName> ports;
  for (const bool output : {false, true}) {
    for (const Side side : kSides) {
      for (int p = 0; p < ports_of(side, width, height); ++p) ports.push_back({side, p, output});
    }
  }
  return ports;
}

std::vector<PortName> kernel_ports(const MappedKernel& kernel) {
  std::vector<PortName> used;
  for (const InputSlot& in : kernel.inputs) used.push_back({in.slot.side, in.slot.position, false});
  for (const ConstantStream& stream : kernel.constants) used.push_back({stream.slot.side, stream.slot.position, false});
  for (const BitSlot& out : kernel.outputs) used.push_back({out.side, out.position, true});
  const auto key = [](const PortName& p) { return std::tuple(p.output, p.side, p.position); };
  std::sort(used.begin(), used.end(), [&](const PortName& a, const PortName& b) { return key(a) < key(b); });
  used.erase(std::unique(used.begin(), used.end()), used.end());
  return used;
}

VcdWriter::VcdWriter(std::vector<PortName> ports, const std::string& scope, const std::string& path) : ports_(std::move(ports)) {
  std::vector<std::string> names;
  for (const PortName& port : ports_) names.push_back(to_string(port));
  declare(names, scope, path);
}

VcdWriter::VcdWriter(const std::vector<std::string>& names, const std::string& scope, const std::string& path) {
  declare(names, scope, path);
}

VcdWriter::~VcdWriter() = default;

void VcdWriter::declare(const std::vector<std::string>& names, const std::string& scope, const std::string& path) {
  last_.assign(names.size(), 2);
  if (path.ends_with(".fst")) {
    fst_ = std::make_unique<FstFile>(path, identifier(scope), names);
    return;
  }
  // A phase has no length of its own; 1 ns makes viewers show phase numbers.
  text_ = fmt::format("$comment one timestep a phase; even phases are A $end\n$timescale 1 ns $end\n$scope module {} $end\n",
                      identifier(scope));
  for (size_t i = 0; i < names.size(); ++i) {
    codes_.push_back(code_of(i));
    text_ += fmt::format("$var wire 1 {} {} $end\n", codes_[i], names[i]);
  }
  text_ += "$upscope $end\n$enddefinitions $end\n";
}

void VcdWriter::sample(const std::vector<uint8_t>& values) {
  if (fst_) {
    for (size_t i = 0; i < last_.size(); ++i) {
      if (values[i] == last_[i]) continue;
      fst_->change(phase_, i, values[i] != 0);
      last_[i] = values[i];
    }
    ++phase_;
    return;
  }
  const bool first = phase_ == 0;
  bool stamped = false;
  const auto stamp = [&] {
    if (!stamped) text_ += fmt::format("#{}\n{}", phase_, first ? "$dumpvars\n" : "");
    stamped = true;
  };
  for (size_t i = 0; i < codes_.size(); ++i) {
    if (values[i] == last_[i]) continue;
    stamp();
    last_[i] = values[i];
    text_ += values[i] ? '1' : '0';
    text_ += codes_[i];
    text_ += '\n';
  }
  if (first && stamped) text_ += "$end\n";
  ++phase_;
}

std::string VcdWriter::text() const {
  if (fst_) return "";
  return text_ + fmt::format("#{}\n", phase_);
}

void VcdWriter::write(const std::string& path) {
  if (fst_) return fst_->finish(phase_);
  write_file(path, text());
}

}  // namespace bitgrid::sim
