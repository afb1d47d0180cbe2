#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "ir/error.h"
#include "rtl/verilator.h"

namespace bitgrid::rtl {
namespace {

constexpr int kResetClocks = 2;

size_t total_words(const std::vector<RtlPort>& ports) {
  size_t words = 0;
  for (const RtlPort& port : ports) words += (port.width + 31) / 32;
  return words;
}

void load_row(const BitMatrix& matrix, size_t row, const std::vector<RtlPort>& ports, std::vector<uint32_t>& words) {
  size_t word = 0;
  size_t column = 0;
  for (const RtlPort& port : ports) {
    for (uint32_t bit = 0; bit < port.width; bit += 32)
      words[word++] = static_cast<uint32_t>(matrix.get_word(row, column + bit, std::min(32u, port.width - bit)));
    column += port.width;
  }
}

void store_row(const std::vector<uint32_t>& words, const std::vector<RtlPort>& ports, BitMatrix& matrix, size_t row) {
  size_t word = 0;
  size_t column = 0;
  for (const RtlPort& port : ports) {
    for (uint32_t bit = 0; bit < port.width; bit += 32) matrix.set_word(row, column + bit, std::min(32u, port.width - bit), words[word++]);
    column += port.width;
  }
}

}  // namespace

RtlSource make_rtl_source(const std::string& name, const std::string& text) {
  return {name, text, parse_interface(text, name)};
}

RtlSource load_rtl_source(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) throw Error(path, "this file cannot be read", "name a Verilog file that `bitgrid verilog` wrote");
  return make_rtl_source(path, text.str());
}

BitMatrix RtlModel::run(const BitMatrix& inputs, RtlRunStats* stats) const {
  if (inputs.cols != total_width(interface.inputs))
    throw Error(name, fmt::format("it is given {} input bits but has {}", inputs.cols, total_width(interface.inputs)),
                "give one column for each input bit");
  const std::unique_ptr<void, void (*)(void*)> instance(functions.create(), functions.destroy);
  std::vector<uint32_t> in(total_words(interface.inputs));
  std::vector<uint32_t> out(total_words(interface.outputs));
  BitMatrix outputs(inputs.rows, total_width(interface.outputs));
  for (int i = 0; i < kResetClocks; ++i) functions.clock(instance.get(), 1, 0, in.data(), out.data());
  // After the edge that ends clock t the outputs are those of clock t + 1. One clock more than needed shows a result too many.
  const size_t clocks = inputs.rows + interface.latency_cycles;
  for (size_t t = 0; t < clocks; ++t) {
    const bool in_valid = t < inputs.rows;
    if (in_valid) load_row(inputs, t, interface.inputs, in);
    const bool out_valid = functions.clock(instance.get(), 0, in_valid, in.data(), out.data()) != 0;
    const bool due = t + 1 >= interface.latency_cycles && t + 1 - interface.latency_cycles < inputs.rows;
    if (out_valid != due)
      throw Error(name, fmt::format("out_valid is {} in clock {}, where {} result is due", out_valid ? 1 : 0, t + 1, due ? "a" : "no"),
                  fmt::format("its comment states a latency of {} clocks: make module and comment agree", interface.latency_cycles));
    if (due) store_row(out, interface.outputs, outputs, t + 1 - interface.latency_cycles);
  }
  if (stats != nullptr) stats->clocks += clocks + kResetClocks;
  return outputs;
}

}  // namespace bitgrid::rtl
