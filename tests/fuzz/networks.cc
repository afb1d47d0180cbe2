// ONNX graphs and numpy's arrays. A graph that is converted computes what its own arithmetic in double does.
#include <algorithm>
#include <cmath>

#include "check/check_network.h"
#include "engines/network_source.h"
#include "frontend/npy.h"
#include "frontend/npz_reader.h"
#include "frontend/onnx/network.h"
#include "ir/index.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/targets.h"

namespace bitgrid::fuzz {
namespace {

constexpr int64_t kMostTestedSums = 1 << 16;
constexpr size_t kMostProducts = 1 << 18;

size_t products_of(const IntegerNetwork& network) {
  size_t n = network.input.shape.size();
  for (const NetworkLayer& layer : network.layers) {
    if (const auto* m = std::get_if<NetworkMatrix>(&layer)) n += m->out.size() * m->row_size();
    if (const auto* p = std::get_if<NetworkPool>(&layer)) n += p->out.size() * index_of(p->window.height * p->window.width);
  }
  return n;
}

/// Whether the graph's sums are exact in double, so that its answers are those of the integers.
bool is_exact(const IntegerNetwork& network) {
  const auto tame = [](double v) { return v == 0.0 || (std::abs(v) > 1e-30 && std::abs(v) < 1e30); };
  return std::none_of(network.notes.begin(), network.notes.end(), [](const std::string& n) { return n.find("rounding") != n.npos; }) &&
         std::all_of(network.gain.begin(), network.gain.end(), tame) && std::all_of(network.offset.begin(), network.offset.end(), tame);
}

}  // namespace

void onnx(std::string_view bytes) {
  using namespace frontend::onnx;
  const auto graph = accepted([&] { return parse_graph(std::string(bytes), "x.onnx"); });
  if (!graph) return;
  NetworkParams params;
  params.most_sums = kMostTestedSums;
  auto reading = accepted([&] { return read_network(*graph, params); });
  if (reading && reading->open_grid) {
    params.grid = InputGrid{-1.0, 0.5, 5};
    reading = accepted([&] { return read_network(*graph, params); });
  }
  if (!reading) return;
  for (const NodeProblem& p : reading->problems) {
    check_message(p.found);
    check_message(p.expected);
    check_message(p.cure);
  }
  require(reading->network.has_value() == (reading->problems.empty() && !reading->open_grid), "neither a network nor a reason");
  if (!reading->network || products_of(*reading->network) > kMostProducts) return;
  engines::OpenNetwork open{*graph, std::move(*reading->network), {}};
  open.samples = engines::made_samples(open.network, 3, 1);
  const auto report = accepted([&] { return check::check_network(open, {}); });
  require(!report || !is_exact(open.network) || report->graph->other_answers == 0, "the integers answer otherwise than the graph");
}

void npy(std::string_view bytes) {
  const auto first = accepted([&] { return frontend::parse_npy(std::string(bytes), "x.npy"); });
  if (!first) return;
  require(first->values.size() == first->rows() * first->row_size(), "an array has other elements than its shape says");
  frontend::onnx::grid_of_numbers(first->values);
  const auto whole = [](double v) { return v == std::floor(v) && std::abs(v) < 0x1p53; };
  if (!std::all_of(first->values.begin(), first->values.end(), whole)) return;
  const std::vector<int64_t> values(first->values.begin(), first->values.end());
  const std::vector<uint64_t> shape(first->shape.begin(), first->shape.end());
  const frontend::NpyArray second = frontend::parse_npy(frontend::npy_bytes(shape, values), "printed");
  require(second.shape == first->shape && std::equal(values.begin(), values.end(), second.values.begin(), second.values.end()),
          "an array that is printed and read again is another one");
}

void npz(std::string_view bytes) {
  const auto arrays = accepted([&] { return frontend::parse_npz(std::string(bytes), "x.npz"); });
  if (!arrays) return;
  for (const frontend::NpzEntry& a : *arrays)
    require(a.array.values.size() == a.array.rows() * a.array.row_size(), "an array has other elements than its shape says");
}

}  // namespace bitgrid::fuzz
