// Random logic: what it means, and what every way to map it computes on every simulator.
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "bitgrid_sim/kernel_simulator.h"
#include "check/extract.h"
#include "check/verify_kernel.h"
#include "frontend/blif.h"
#include "ir/dag.h"
#include "lowering/mapping/netlist/map_netlist.h"
#include "lowering/synthesis/sop_to_dag.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/compare.h"
#include "tests/fuzz/targets.h"
#include "tests/support/random_dag.h"
#include "tests/support/strategies.h"

namespace bitgrid::fuzz {
namespace {

// What is mapped within milliseconds.
constexpr uint32_t kMostInputBits = 20;
constexpr size_t kMostLuts = 40;
constexpr size_t kMostNodes = 64;

const uint32_t kWays = static_cast<uint32_t>(test::ways().size() + test::modes().size());

constexpr size_t kFew = 4;         // invocations after a start
constexpr size_t kLaneRows = 100;  // in 64 lanes: some take two

struct Simulation {
  sim::GridEngine engine;
  const char* name;
  size_t rows;
};
constexpr Simulation kSimulations[] = {
    {sim::GridEngine::kScalar, "scalar", kFew}, {sim::GridEngine::kSliced, "sliced", kFew}, {sim::GridEngine::kLanes, "lanes", kLaneRows}};

std::optional<std::string> difference(const std::string& what, const BitMatrix& expected, const BitMatrix& got) {
  const auto d = check::first_difference(expected, got);
  if (!d) return std::nullopt;
  return fmt::format("{}: invocation {}, output bit {} is {:d}, should be {:d}", what, d->invocation, d->bit, d->got, d->expected);
}

Dag dag_from(Bytes& bytes) {
  test::RandomDagParams params;
  params.max_width = bytes.below(2) ? 8 : 2;
  params.max_lut_inputs = 4;
  Dag dag;
  dag.name = "random";
  std::vector<NodeId> values;
  const uint32_t inputs = bytes.below(5), nodes = bytes.below(14), outputs = 1 + bytes.below(5);
  for (uint32_t i = 0; i < inputs; ++i)
    values.push_back(add_input(dag, fmt::format("i{}", i), test::random_width(bytes, params.max_width), bytes.below(4) == 1));
  if (inputs == 0) values.push_back(add_constant(dag, test::random_bits(bytes, test::random_width(bytes, params.max_width))));
  const auto first = static_cast<uint32_t>(Op::kConstant), kinds = static_cast<uint32_t>(Op::kOutput) - first;
  for (uint32_t i = 0; i < nodes; ++i) test::add_random_node(dag, bytes, static_cast<Op>(first + bytes.below(kinds)), values, params);
  for (uint32_t i = 0; i < outputs; ++i) {
    const uint32_t back = bytes.below(static_cast<uint32_t>(values.size()));
    add_output(dag, fmt::format("o{}", i), values[values.size() - 1 - back]);
  }
  return dag;
}

LutNetwork network_from(Bytes& bytes) {
  LutNetwork network;
  network.name = "random";
  const uint32_t inputs = bytes.below(9), nodes = bytes.below(16), outputs = 1 + bytes.below(6);
  for (uint32_t i = 0; i < inputs; ++i) network.inputs.push_back(fmt::format("i{}", i));
  for (uint32_t n = 0; n < nodes; ++n) {
    LutNode node;
    const uint32_t signals = inputs + n;
    for (uint32_t k = std::min(bytes.below(5), signals); k > 0; --k) {
      const SignalId fanin = signals - 1 - bytes.below(signals);
      const auto end = node.fanins.begin() + node.fanin_count;
      if (std::find(node.fanins.begin(), end, fanin) == end) node.fanins[node.fanin_count++] = fanin;
    }
    const uint32_t high = bytes.byte(), table = high << 8 | bytes.byte();
    node.table = static_cast<uint16_t>(table & ((1u << (1u << node.fanin_count)) - 1));
    network.nodes.push_back(node);
  }
  for (uint32_t o = 0; o < outputs; ++o) {
    LutOutput output{fmt::format("o{}", o), kConstantSignal, bytes.below(2) == 1};
    const uint32_t signal = bytes.below(inputs + nodes + 1);
    if (signal < inputs + nodes) output.signal = inputs + nodes - 1 - signal;
    network.outputs.push_back(output);
  }
  verify(network);
  return network;
}

bool small(const Dag& dag) {
  uint64_t bits = 0;
  for (const Node& node : dag.nodes) bits += node.width + (node.op == Op::kLut ? node.table.size() * node.width : 0);
  return dag.size() <= kMostNodes && input_bits(dag) <= kMostInputBits && bits <= 1 << 10 &&
         mapping::netlist_size(synthesis::map_to_luts(synthesis::logic_graph(dag))).luts <= kMostLuts;
}

void require_right(const std::string& strategy, const Dag& dag, const MappedKernel& mapped) {
  const auto wrong = first_wrong(dag, mapped);
  require(!wrong, fmt::format("{} is wrong: {}; the kernel is\n{}", strategy, wrong.value_or(""), print(dag)));
}

/// Of the strategies and modes, number `which`, or all if there are not as many. A strategy may refuse a kernel. What it makes of one is
/// right.
void map_in(size_t which, const Dag& dag) {
  if (!small(dag)) return;
  const Kernel kernel = synthesis::kernel_of(dag);
  size_t n = 0;
  for (const auto* list : {&test::ways(), &test::modes()}) {
    for (const test::Way& strategy : *list) {
      if (which < kWays && which != n++) continue;
      const auto mapped = accepted([&] { return strategy.map(kernel); });
      if (mapped && *mapped) require_right(strategy.name, dag, **mapped);
    }
  }
}

/// The evaluators of all forms of a netlist, and a mapper of each.
void compare_netlist(size_t which, const LutNetwork& luts) {
  const CoverNetwork covers = frontend::parse_blif(to_blif(luts), "printed");
  const Dag dag = synthesis::dag_from_cover(covers);
  std::mt19937_64 random(1);
  const BitMatrix inputs = test::random_rows(random, kLaneRows, luts.inputs.size()), expected = evaluate(luts, inputs);
  for (const auto& wrong :
       {difference("covers", expected, evaluate(covers, inputs)), difference("their Dag", expected, evaluate(dag, inputs))})
    require(!wrong, wrong.value_or("") + "; the netlist is\n" + to_blif(luts));
  mapping::NetlistParams params;
  params.effort = mapping::Effort::kFast;
  if (which == 0) {
    if (const auto mapped = accepted([&] { return mapping::map_netlist(luts, params); })) require_right("netlist of LUTs", dag, *mapped);
  } else if (which == 1) {
    if (const auto mapped = accepted([&] { return mapping::map_netlist(covers, params); }))
      require_right("netlist of covers", dag, *mapped);
  } else {
    map_in(which - 2, dag);
  }
}

}  // namespace

std::optional<std::string> first_wrong(const Dag& dag, const MappedKernel& mapped) {
  verify(mapped);
  std::mt19937_64 random(1);
  for (const Simulation& s : kSimulations) {
    for (const std::optional<uint64_t> latches : {std::optional<uint64_t>(), std::optional<uint64_t>(random())}) {
      sim::KernelSimulatorParams params;
      params.engine = s.engine;
      params.latch_seed = latches;
      sim::KernelSimulator simulator(mapped, params);
      for (const char* batch : {"first batch", "second batch"}) {
        const BitMatrix inputs = test::random_rows(random, s.rows, input_bits(dag));
        auto wrong = difference(fmt::format("{}, latches {}, {}", s.name, latches ? "at random" : "0", batch), evaluate(dag, inputs),
                                simulator.run(inputs));
        if (wrong) return wrong;
      }
    }
  }
  const LutNetwork logic = check::extract_logic(mapped).network;
  const BitMatrix all = test::random_rows(random, kLaneRows, logic.inputs.size());
  BitMatrix inputs(all.rows, input_bits(dag));
  for (size_t row = 0; row < all.rows; ++row) {
    for (size_t bit = 0; bit < inputs.cols; ++bit) inputs.set(row, bit, all.get(row, bit));
  }
  return difference("extracted logic", evaluate(dag, inputs), evaluate(logic, all));
}

/// The text of a Dag or of a netlist in BLIF, which is mapped in every way, or bytes that choose a way, and a Dag or a netlist of LUTs.
void differential(std::string_view text) {
  if (text.starts_with("dag ")) {
    if (const auto dag = accepted([&] { return parse_dag(text, "x.dag"); })) map_in(kWays, *dag);
  } else if (text.starts_with(".model ")) {
    if (const auto covers = accepted([&] { return frontend::parse_blif(text, "x.blif"); }))
      map_in(kWays, synthesis::dag_from_cover(*covers));
  } else {
    Bytes bytes(text);
    const bool netlist = bytes.below(2);
    const uint32_t which = bytes.below(kWays + (netlist ? 2 : 0));
    if (netlist)
      compare_netlist(which, network_from(bytes));
    else
      map_in(which, dag_from(bytes));
  }
}

}  // namespace bitgrid::fuzz
