// Multiply-accumulates per cell and cycle of constant layers with a sign at the row ends: the serial form, the densest parallel one
// (interleaved, II = 2) and the one that takes a vector every cycle ("wave", II = 1); binary and ternary weights, 1- and 8-bit activations,
// and the LUT4s of the same layer's Dag. Then cell-cycles a weight of matrices whose weights stream past resident activations, beside the
// densest resident form. Every mapping is verified before its line is printed.
#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "check/verify_kernel.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/json_text.h"
#include "lowering/mapping/matrix/popcount_ii2.h"
#include "lowering/mapping/matrix/popcount_wave.h"
#include "lowering/mapping/matrix/sum_difference.h"
#include "lowering/mapping/matrix/trailing_zero_bits.h"
#include "lowering/mapping/streamed/streamed_matrix.h"
#include "lowering/mapping/streamed/streamed_pairs.h"
#include "lowering/numerics/matrix.h"
#include "lowering/synthesis/logic_graph.h"
#include "lowering/synthesis/techmap.h"

namespace bitgrid {
namespace {

constexpr int64_t kTechmapMacs = 256 * 256;  // one-bit products up to which LUTs are counted: a few seconds

struct Shape {
  int outputs, inputs;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Random weights, and biases of a few units: thresholds near the middle, where counts take the most rows.
numerics::MatrixLayer random_layer(const Shape& shape, bool ternary, const Tensor& x) {
  std::mt19937_64 random(1);
  numerics::MatrixLayer layer{"layer", &x, {}, nullptr, {}, false, {}};
  Sign sign;
  for (int r = 0; r < shape.outputs; ++r) {
    std::vector<int64_t> row;
    for (int c = 0; c < shape.inputs; ++c) row.push_back(ternary ? static_cast<int64_t>(random() % 3) - 1 : random() % 2 ? 1 : -1);
    layer.weights.push_back(std::move(row));
    sign.bias.push_back(static_cast<int32_t>(random() % 7) - 3);
  }
  layer.activation = sign;
  return layer;
}

/// One line of the table. Throws Error if the mapping is wrong.
nlohmann::ordered_json measure(const numerics::MatrixLayer& layer, const Kernel& kernel, const MappedKernel& mapped, const char* form,
                               bool ternary, double seconds) {
  check::VerifyParams params;
  params.invocations = mapped.ii <= 2 ? 256 : 24;
  if (const auto difference = check::verify_mapping(kernel, mapped, params)) {
    throw Error(fmt::format("{} x {}", layer.weights.size(), layer.operand->count),
                fmt::format("{} mapping: invocation {}, output {} is wrong", mapped.strategy, difference->invocation, difference->bit));
  }
  const auto cells = static_cast<double>(mapped.grid.cells.size());
  const uint32_t bits = layer.operand->encoding.bits;
  const double macs = static_cast<double>(layer.weights.size()) * layer.operand->count * bits;
  return {{"outputs", layer.weights.size()},
          {"inputs", layer.operand->count},
          {"weights", ternary ? "ternary" : "binary"},
          {"activation_bits", bits},
          {"form", form},
          {"cells", mapped.grid.cells.size()},
          {"ii_cycles", mapped.ii},
          {"latency_cycles", latency_cycles(mapped)},
          {"macs_per_cell_per_cycle", macs / cells / mapped.ii},
          {"seconds", seconds}};
}

void print(const nlohmann::ordered_json& line, std::optional<size_t> luts) {
  fmt::print("{:>4} x {:<4} {:8} {:>4}  {:9} {:>8} {:>4} {:>8} {:>8.3f} {:>9.4f} {:>8}\n", line["outputs"].get<int>(),
             line["inputs"].get<int>(), line["weights"].get<std::string>(), line["activation_bits"].get<int>(),
             line["form"].get<std::string>(), line["cells"].get<int64_t>(), line["ii_cycles"].get<int>(), line["latency_cycles"].get<int>(),
             line["macs_per_cell_per_cycle"].get<double>(), line["seconds"].get<double>(), luts ? std::to_string(*luts) : "-");
  std::fflush(stdout);
}

void measure_layer(const Shape& shape, bool ternary, uint32_t bits, nlohmann::ordered_json& lines) {
  const Tensor x{
      "x", shape.inputs, bits == 1 ? Encoding{1, 2, {-1}} : Encoding{bits, 1, {-(int64_t{1} << (bits - 1))}}, {(uint64_t{1} << bits) - 1}};
  const numerics::MatrixLayer layer = random_layer(shape, ternary, x);
  auto start = std::chrono::steady_clock::now();
  const Kernel kernel = numerics::matrix_kernel(layer, numerics::plan_matrix(layer), "layer", 0, shape.outputs);
  const uint32_t width = input_bits(kernel.dag);
  const BitSerialForm words = mapping::drop_trailing_zero_bits(*kernel.form.serial);
  const auto paired = mapping::map_sum_difference("layer", words, width);
  const MappedKernel serial = paired ? *paired : mapping::map_bit_serial("layer", words, width);
  double seconds = seconds_since(start);
  std::optional<size_t> luts;
  if (int64_t{shape.outputs} * shape.inputs * bits <= kTechmapMacs) {
    synthesis::TechmapStats stats;
    synthesis::map_to_luts(synthesis::logic_graph(kernel.dag), {}, &stats);
    luts = stats.luts;
  }
  lines.push_back(measure(layer, kernel, serial, "serial", ternary, seconds));
  print(lines.back(), luts);
  const auto form = numerics::popcount_form(layer, 0, shape.outputs);
  if (!form) return;
  start = std::chrono::steady_clock::now();
  const MappedKernel interleaved = mapping::map_popcount_ii2("layer", *form);
  lines.push_back(measure(layer, kernel, interleaved, "parallel", ternary, seconds_since(start)));
  print(lines.back(), luts);
  start = std::chrono::steady_clock::now();
  const MappedKernel wave = mapping::map_popcount_wave("layer", *form);
  lines.push_back(measure(layer, kernel, wave, "wave", ternary, seconds_since(start)));
  print(lines.back(), luts);
}

struct Stream {
  const char* weights;
  mapping::WeightCode code;
  int64_t least, most;
};

/// Cells times II for each weight of a resident layer with exact sums, by the cheaper of its strategies.
double resident_cell_cycles(int inputs, bool ternary) {
  constexpr int kOutputs = 64;
  const Tensor x{"x", inputs, Encoding{8, 1, {-128}}, {255}};
  numerics::MatrixLayer layer = random_layer({kOutputs, inputs}, ternary, x);
  layer.activation = {};
  layer.raw = true;
  const Kernel kernel = numerics::matrix_kernel(layer, numerics::plan_matrix(layer), "layer", 0, kOutputs);
  mapping::BitSerialSize size = mapping::bit_serial_size(*kernel.form.serial);
  if (const auto paired = mapping::sum_difference_size(*kernel.form.serial); paired && paired->cells() < size.cells()) size = *paired;
  return static_cast<double>(size.cells()) * size.ii / kOutputs / inputs;
}

void measure_stream(const Stream& stream, int inputs, nlohmann::ordered_json& lines) {
  std::mt19937_64 random(1);
  mapping::StreamedMatrix matrix{{}, stream.least, stream.most, stream.code, 0, 0};
  for (int i = 0; i < inputs; ++i)
    matrix.x.push_back(stream.least + static_cast<int64_t>(random() % static_cast<uint64_t>(stream.most - stream.least + 1)));
  const Kernel kernel = mapping::streamed_kernel("matrix", matrix);
  const auto start = std::chrono::steady_clock::now();
  const MappedKernel mapped = mapping::map_streamed_pairs("matrix", *kernel.form.streamed, input_bits(kernel.dag));
  const double seconds = seconds_since(start);
  check::VerifyParams params;
  params.invocations = 24;
  params.starts = 1;
  params.lanes = inputs <= 1024;
  if (const auto difference = check::verify_mapping(kernel, mapped, params))
    throw Error(fmt::format("{} inputs", inputs), fmt::format("streamed mapping: invocation {} is wrong", difference->invocation));
  const auto cells = static_cast<double>(mapped.grid.cells.size());
  const bool ternary = stream.code.first > 0;
  lines.push_back({{"inputs", inputs},
                   {"weights", stream.weights},
                   {"least", stream.least},
                   {"most", stream.most},
                   {"form", "streamed"},
                   {"cells", mapped.grid.cells.size()},
                   {"rows_of_cells", mapped.grid.height},
                   {"ii_cycles", mapped.ii},
                   {"latency_cycles", latency_cycles(mapped)},
                   {"cell_cycles_per_weight", cells * mapped.ii / inputs},
                   {"seconds", seconds}});
  const auto& line = lines.back();
  std::string resident = "-";
  if (stream.code.bits == 1 || ternary) {
    lines.back()["resident_cell_cycles_per_weight"] = resident_cell_cycles(inputs, ternary);
    resident = fmt::format("{:.1f}", line["resident_cell_cycles_per_weight"].get<double>());
  }
  fmt::print("{:>6} {:>8} {:>5} .. {:<4} {:>8} {:>5} {:>4} {:>8} {:>12.1f} {:>9} {:>9.4f}\n", inputs, stream.weights, stream.least,
             stream.most, line["cells"].get<int64_t>(), mapped.grid.height, mapped.ii, line["latency_cycles"].get<int>(),
             line["cell_cycles_per_weight"].get<double>(), resident, seconds);
  std::fflush(stdout);
}

/// 8-bit weights as eight invocations of the kernel for one-bit weights, and one that adds their sums.
void measure_planes(int inputs, nlohmann::ordered_json& lines) {
  constexpr int kPlanes = 8;
  mapping::StreamedMatrix matrix{std::vector<int64_t>(static_cast<size_t>(inputs), 255), 0, 255, mapping::unsigned_weights(1), 0, 0};
  const mapping::StreamedPlan plan = mapping::plan_streamed("matrix", matrix);
  const mapping::BitSerialSize array = mapping::streamed_pairs_size(plan.form);
  const Kernel kernel = mapping::plane_sum_kernel("sum", kPlanes, plan.sum_max);
  const MappedKernel sum = mapping::map_bit_serial("sum", *kernel.form.serial, input_bits(kernel.dag));
  if (check::verify_mapping(kernel, sum)) throw Error(fmt::format("{} inputs", inputs), "the sum of planes is wrong");
  const auto sum_cells = static_cast<int64_t>(sum.grid.cells.size());
  const double cell_cycles = static_cast<double>(kPlanes * array.cells() * array.ii + sum_cells * sum.ii) / inputs;
  lines.push_back({{"inputs", inputs},
                   {"weights", "8 bits"},
                   {"form", "planes"},
                   {"cells", array.cells()},
                   {"sum_cells", sum_cells},
                   {"sum_ii_cycles", sum.ii},
                   {"cell_cycles_per_weight", cell_cycles}});
  fmt::print("{:>6} {:>8} {:>5} .. {:<4} {:>8} in {} planes, added by {} cells at II = {}: {:.1f} cell-cycles\n", inputs, "8 bits", 0, 255,
             array.cells(), kPlanes, sum_cells, sum.ii, cell_cycles);
}

void measure_streams(nlohmann::ordered_json& lines) {
  fmt::print("\n{:>6} {:>8} {:>13} {:>8} {:>5} {:>4} {:>8} {:>12} {:>9} {:>9}\n", "inputs", "weights", "activations", "cells", "rows", "II",
             "latency", "cell-cycles", "resident", "seconds");
  for (const int inputs : {64, 256, 1024, 2560, 6912}) {
    for (const Stream& stream :
         {Stream{"binary", mapping::unsigned_weights(1), 0, 127}, Stream{"binary", mapping::unsigned_weights(1), 0, 255},
          Stream{"ternary", mapping::ternary_weights(), -127, 127}, Stream{"ternary", mapping::ternary_weights(), -255, 255},
          Stream{"2 bits", mapping::unsigned_weights(2), 0, 255}, Stream{"4 bits", mapping::unsigned_weights(4), 0, 255},
          Stream{"8 bits", mapping::unsigned_weights(8), 0, 255}}) {
      if (stream.code.bits < 8 || inputs <= 1024) measure_stream(stream, inputs, lines);
    }
    measure_planes(inputs, lines);
  }
}

void run(const std::string& json_path) {
  fmt::print("{:>4}   {:<4} {:8} {:>4}  {:9} {:>8} {:>4} {:>8} {:>8} {:>9} {:>8}\n", "out", "in", "weights", "bits", "form", "cells", "II",
             "latency", "MACs", "seconds", "LUT4s");
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  for (const Shape& shape : {Shape{64, 64}, Shape{256, 64}, Shape{64, 256}, Shape{256, 256}}) {
    for (const bool ternary : {false, true}) {
      for (const uint32_t bits : {1u, 8u}) measure_layer(shape, ternary, bits, lines);
    }
  }
  measure_streams(lines);
  if (!json_path.empty()) write_file(json_path, json_text(lines, 2) + "\n");
}

}  // namespace
}  // namespace bitgrid

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && (arguments.size() != 2 || arguments[0] != "--json")) {
    fmt::print(stderr, "usage: density [--json FILE]\n");
    return 2;
  }
  try {
    bitgrid::run(arguments.empty() ? "" : arguments[1]);
  } catch (const std::exception& e) {
    fmt::print(stderr, "density: {}\n", e.what());
    return 1;
  }
}
