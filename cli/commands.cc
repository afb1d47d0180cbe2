#include "cli/commands.h"

namespace bitgrid::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> table = {
      {"run", "generate text with a model on an engine",
       "Example: bitgrid run examples/kjv-ternary/model.yaml --prompt \"in the beginning \" --tokens 64 --engine grid", define_run},
      {"evaluate", "bits per token and byte of a text",
       "Example: bitgrid evaluate examples/kjv-bitnet --text examples/kjv-bitnet/heldout.txt --context 256", define_evaluate},
      {"inspect", "what a model file or folder is, every tensor of it, and whether it runs", "Example: bitgrid inspect examples/kjv-bitnet",
       define_inspect},
      {"import", "write a checkpoint as a model of integers", "Example: bitgrid import examples/kjv-bitnet -o imported", define_import},
      {"random-model", "write a checkpoint of given shapes with random weights, to size and time it",
       "Example: bitgrid random-model examples/shapes/bitnet-b158-2b4t.yaml --type q2_0 -o random-2b4t.gguf", define_random_model},
      {"check", "compare engines bit for bit with the CPU reference",
       "Example: bitgrid check examples/kjv-ternary/model.yaml --engines cpu,dag,grid --tokens 80", define_check},
      {"compile", "map a model, a BLIF netlist or a kernel onto the grid",
       "Example: bitgrid compile examples/kjv-ternary/model.yaml -o compiled --json compile.json", define_compile},
      {"simulate", "run a grid configuration phase by phase, or a compiled kernel on given invocations",
       "Example: bitgrid simulate compiled --kernel head --stimulus invocations.jsonl --vcd head.vcd", define_simulate},
      {"faults", "count the single faults of the fabric that change what a compiled kernel computes",
       "Example: bitgrid faults compiled --kernel head --kinds stuck0,stuck1 --sample 1000", define_faults},
      {"verilog", "write synthesizable Verilog of every kernel, or of the fabric that runs it",
       "Example: bitgrid verilog examples/kjv-ternary/model.yaml -o verilog", define_verilog},
      {"picture", "draw the floorplan of a mapped kernel (SVG) or the graph of a kernel (Graphviz)",
       "Examples: bitgrid compile neuron.dag -o DIR && bitgrid picture DIR -o neuron.svg\n          bitgrid picture neuron.dag -o "
       "neuron.dot && dot -Tsvg neuron.dot -o graph.svg",
       define_picture},
      {"estimate", "size, speed, energy and area of a model from shapes and numerics, before anything slow",
       "Example: bitgrid estimate examples/shapes/bitnet-b158-2b4t.yaml --streams 64 --json estimate.json", define_estimate},
      {"sweep", "estimates over ranges of architecture and model parameters, with the Pareto front",
       "Example: bitgrid sweep examples/shapes/sweep.yaml -o sweep\nA sweep that was stopped continues where it left off.", define_sweep},
      {"report",
       "one self-contained page about a compilation: kernels, floorplans, graph, timeline, roofline; or --synth: gates, area, clock rate",
       "Examples: bitgrid compile M.yaml -o DIR && bitgrid report DIR --model M.yaml -o report.html\n          bitgrid report --synth "
       "KERNEL.dag",
       define_report},
      {"reduce", "shrink a kernel's DAG or a netlist as long as a command still ends in the same way on it",
       "Examples: bitgrid reduce big.dag -o small.dag -- sh -c '! bitgrid compile {} -o /tmp/out'\n          bitgrid reduce big.blif -o "
       "small.blif --match 'the mapping is wrong' -- bitgrid compile {} -o /tmp/out",
       define_reduce},
      {"completion", "print a completion script for a shell", "Example: source <(bitgrid completion bash)", define_completion},
  };
  return table;
}

}  // namespace bitgrid::cli
