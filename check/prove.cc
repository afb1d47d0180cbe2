#include "check/prove.h"

#include <chrono>
#include <sstream>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/file.h"
#include "ir/names.h"
#include "ir/number.h"
#include "ir/temporary_folder.h"
#include "lowering/synthesis/logic_graph.h"
#include "rtl/command.h"

namespace bitgrid::check {
namespace {

constexpr const char* kNoVerdict = "ABC gave no verdict";

[[noreturn]] void no_abc(const ProveParams& params) {
  throw Error("--prove", "the program " + params.abc + " cannot be run",
              "install it (Debian: apt install berkeley-abc) or leave out --prove");
}

/// The word behind `key` in a line: "Output NAME: ...".
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const size_t at = text.find(begin);
  if (at == std::string::npos) return "";
  const size_t from = at + begin.size();
  return text.substr(from, text.find(end, from) - from);
}

Counterexample parse_counterexample(const std::string& log) {
  Counterexample c;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Output ")) {  // Output po0: Value in Network1 = 0. Value in Network2 = 1.
      c.output = between(line, "Output ", ": Value in");
      c.expected = between(line, "Network1 = ", ".") == "1";
      c.got = between(line, "Network2 = ", ".") == "1";
    }
    if (!line.starts_with("Input pattern:")) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    for (std::string word; words >> word;) {
      const size_t equal = word.rfind('=');
      if (equal != std::string::npos) c.inputs.emplace_back(word.substr(0, equal), word.substr(equal + 1) == "1");
    }
  }
  return c;
}

/// ABC calls what it matches by order pi0, pi1 ... and po0 ...; larger numbers may have zeros in front.
std::string port_name(const std::string& abc, const std::string& prefix, const std::vector<std::string>& names) {
  const auto index = abc.starts_with(prefix) ? parse_padded(std::string_view(abc).substr(prefix.size())) : std::nullopt;
  return index && *index < names.size() ? names[*index] : abc;
}

/// The same network with more inputs, which nothing reads.
LutNetwork with_inputs(LutNetwork network, size_t count) {
  const size_t first = network.inputs.size();
  const auto moved = [&](SignalId s) { return s == kConstantSignal || s < first ? s : static_cast<SignalId>(s + count); };
  for (LutNode& node : network.nodes)
    for (unsigned j = 0; j < node.fanin_count; ++j) node.fanins[j] = moved(node.fanins[j]);
  for (LutOutput& output : network.outputs) output.signal = moved(output.signal);
  std::vector<std::string_view> taken(network.inputs.begin(), network.inputs.end());
  for (const LutOutput& output : network.outputs) taken.push_back(output.name);
  const std::string prefix = free_prefix("other_invocation_", taken);
  for (size_t f = 0; f < count; ++f) network.inputs.push_back(prefix + std::to_string(f));
  return network;
}

}  // namespace

Proof parse_cec(const std::string& log) {
  if (log.find("Networks are equivalent") != std::string::npos) return {Verdict::kProved, "", {}};
  if (log.find("NOT EQUIVALENT") != std::string::npos) return {Verdict::kRefuted, "", parse_counterexample(log)};
  if (log.find("UNDECIDED") != std::string::npos) return {Verdict::kOpen, "ABC did not finish within its limits", {}};
  std::string last;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) last = line;
  return {Verdict::kOpen, kNoVerdict + (": " + last), {}};
}

std::string describe(const Counterexample& c, size_t max_inputs) {
  if (c.output.empty()) return "an output differs (ABC names none)";
  std::string text = fmt::format("output {}: expected {:d}, got {:d}", c.output, c.expected, c.got);
  for (size_t i = 0; i < std::min(c.inputs.size(), max_inputs); ++i)
    text += fmt::format("{}{}={:d}", i == 0 ? " with " : " ", c.inputs[i].first, c.inputs[i].second);
  if (c.inputs.size() > max_inputs) text += fmt::format(" and {} more", c.inputs.size() - max_inputs);
  return text;
}

LutNetwork dag_network(const Dag& dag) {
  const synthesis::LogicGraph graph = synthesis::logic_graph(dag);
  LutNetwork network;
  network.name = graph.name;
  network.inputs = graph.inputs;
  std::vector<SignalId> signal(graph.nodes.size(), kConstantSignal);
  for (size_t n = 1, next_input = 0; n < graph.nodes.size(); ++n) {
    const synthesis::LogicNode& node = graph.nodes[n];
    if (node.kind == synthesis::LogicNode::Kind::kInput) {
      signal[n] = static_cast<SignalId>(next_input++);
      continue;
    }
    const bool is_xor = node.kind == synthesis::LogicNode::Kind::kXor;
    LutNode lut;
    lut.fanin_count = 2;
    lut.fanins = {signal[node.a / 2], signal[node.b / 2]};
    for (unsigned i = 0; i < 4; ++i) {
      const bool a = ((i ^ node.a) & 1u) != 0, b = (((i >> 1) ^ node.b) & 1u) != 0;
      lut.table = static_cast<uint16_t>(lut.table | ((is_xor ? a != b : a && b) ? 1u << i : 0u));
    }
    signal[n] = network.signal_of_node(network.nodes.size());
    network.nodes.push_back(lut);
  }
  for (const auto& output : graph.outputs) network.outputs.push_back({output.name, signal[output.literal / 2], (output.literal & 1u) != 0});
  return network;
}

void name_ports(Counterexample& c, const LutNetwork& source) {
  std::vector<std::string> outputs;
  for (const LutOutput& o : source.outputs) outputs.push_back(o.name);
  c.output = port_name(c.output, "po", outputs);
  for (auto& [input, value] : c.inputs) input = port_name(input, "pi", source.inputs);
}

void require_abc(const ProveParams& params) {
  const TemporaryFolder folder;
  if (rtl::run_command({params.abc, "-c", "version"}, folder.file("log")) == 127) no_abc(params);
}

Proof run_cec(const std::string& expected, const std::string& got, const std::string& log, const ProveParams& params) {
  const std::string command = fmt::format("cec -n -T {} -C 10000000 {} {}", params.timeout_seconds, expected, got);
  const int status = rtl::run_command({"timeout", "-k", "5", std::to_string(params.timeout_seconds + 10), params.abc, "-c", command}, log);
  if (status == 127) no_abc(params);
  if (status == 124 || status == 137)
    return {Verdict::kOpen, fmt::format("ABC did not finish within {} seconds", params.timeout_seconds), {}};
  return parse_cec(read_file(log));
}

Proof prove_mapping(const Dag& dag, const MappedKernel& mapped, const ProveParams& params, ProveStats* stats) {
  const auto begin = std::chrono::steady_clock::now();
  ProveStats local;
  ProveStats& out = stats ? *stats : local;
  out = {};
  const auto finish = [&](Proof proof) {
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return proof;
  };
  if (mapped.input_bits != input_bits(dag) || mapped.output_bits != output_bits(dag))
    throw Error("kernel " + mapped.name,
                fmt::format("it has {} input and {} output bits, its Dag {} and {}", mapped.input_bits, mapped.output_bits, input_bits(dag),
                            output_bits(dag)),
                "map the kernel again");
  verify(mapped);  // what is extracted below is right only for what it accepts
  Extracted extracted;
  try {
    ExtractParams acyclic = params.extract;
    acyclic.loops = false;  // the first invocation alone would prove nothing about the second
    extracted = extract_logic(mapped, acyclic, &out.extract);
  } catch (const Error& e) {
    return finish({Verdict::kOpen, e.what(), {}});
  }
  out.luts = extracted.network.nodes.size();
  if (extracted.first_only)
    return finish({Verdict::kOpen, "carries run in loops: an invocation depends on what the previous one left in them", {}});

  const TemporaryFolder folder;
  const std::string source = folder.file("source.blif"), grid = folder.file("grid.blif"), log = folder.file("log");
  const LutNetwork network = with_inputs(dag_network(dag), extracted.foreign);
  write_file(grid, to_blif(extracted.network));
  const auto compare = [&](const std::string& text) {
    write_file(source, text);
    write_file(log, "");
    return run_cec(source, grid, log, params);
  };
  const bool own_text = !params.source_blif.empty() && extracted.foreign == 0;
  Proof proof = compare(own_text ? params.source_blif : to_blif(network));
  // Some netlists that we read ABC does not.
  if (own_text && proof.why.starts_with(kNoVerdict)) proof = compare(to_blif(network));
  name_ports(proof.counterexample, network);
  return finish(proof);
}

}  // namespace bitgrid::check
