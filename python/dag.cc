// bitgrid.Dag: kernels built in Python, and netlists.
#include "python/dag.h"

#include <fmt/format.h>
#include <pybind11/operators.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <bit>

#include "engines/kernel_source.h"
#include "ir/error.h"
#include "ir/file.h"
#include "ir/host.h"
#include "python/arrays.h"
#include "python/compiled.h"
#include "python/define.h"
#include "python/results.h"

namespace bitgrid::python {
namespace {

/// A value of a Dag.
struct Signal {
  std::shared_ptr<Dag> dag;
  NodeId id = 0;
  uint32_t width() const { return dag->node(id).width; }
};

NodeId operand(const DagObject& d, const Signal& signal) {
  if (signal.dag != d.dag) throw Error("dag " + d.dag->name, "a signal of another Dag is not an operand", "use signals of this one");
  return signal.id;
}

/// Adds a node, or nothing if it is wrong.
Signal checked(const DagObject& d, NodeId id) {
  const Node& node = d.dag->node(id);
  const auto refuse = [&](const std::string& problem, const std::string& cure) {
    const std::string place = fmt::format("{} {}", info(node.op).name, node.name.empty() ? fmt::format("(node {})", id) : node.name);
    std::erase(d.dag->inputs, id);
    std::erase(d.dag->outputs, id);
    d.dag->nodes.pop_back();
    throw Error(place, problem, cure);
  };
  if (node.width == 0 || node.width > kMaxNodeWidth)
    refuse(fmt::format("it is {} bits wide", node.width), fmt::format("signals are 1 .. {} bits wide", kMaxNodeWidth));
  for (NodeId other = 0; !node.name.empty() && other < id; ++other)
    if (d.dag->node(other).name == node.name) refuse("there is a signal of that name", "give another name");
  return {d.dag, id};
}

uint32_t widest(const Signal& a, const Signal& b) {
  return std::max(a.width(), b.width());
}

using Width = std::optional<uint32_t>;

Signal binary(const DagObject& d, Op op, const Signal& a, const Signal& b, uint32_t width) {
  const std::vector<NodeId> operands = {operand(d, a), operand(d, b)};
  return checked(d, add_node(*d.dag, op, width, operands));
}

Signal bitwise(const DagObject& d, Op op, const Signal& a, const Signal& b) {
  return binary(d, op, a, b, widest(a, b));
}
/// The operation of that name in the text form, bit by bit.
Signal bitwise_by_name(const DagObject& d, std::string_view name, const Signal& a, const Signal& b) {
  const auto& table = op_table();
  const auto row = std::find_if(table.begin(), table.end(), [&](const OpInfo& o) { return o.name == name; });
  return bitwise(d, row->op, a, b);
}
Signal sum(const DagObject& d, const Signal& a, const Signal& b, Width width) {
  return binary(d, Op::kAdd, a, b, width.value_or(widest(a, b) + 1));
}
Signal difference(const DagObject& d, const Signal& a, const Signal& b, Width width) {
  return binary(d, Op::kSubtract, a, b, width.value_or(widest(a, b)));
}
Signal less(const DagObject& d, const Signal& a, const Signal& b) {
  return binary(d, Op::kLess, a, b, 1);
}
Signal inverted(const DagObject& d, const Signal& a) {
  return checked(d, add_node(*d.dag, Op::kNot, a.width(), {operand(d, a)}));
}
Signal popcount(const DagObject& d, const Signal& a, Width width) {
  return checked(d, add_node(*d.dag, Op::kPopcount, width.value_or(static_cast<uint32_t>(std::bit_width(a.width()))), {operand(d, a)}));
}
Signal slice(const DagObject& d, const Signal& a, uint32_t low, uint32_t width) {
  operand(d, a);
  if (low > a.width() || width == 0 || width > a.width() - low)
    throw Error("slice", fmt::format("the signal has {} bits, and bits {} .. {} are asked for", a.width(), low, int64_t{low} + width - 1),
                "take bits within it");
  return checked(d, add_slice(*d.dag, a.id, low, width));
}
Signal select(const DagObject& d, const Signal& condition, const Signal& if_one, const Signal& if_zero) {
  if (condition.width() != 1) throw Error("select", fmt::format("the condition has {} bits", condition.width()), "give a signal of 1 bit");
  const std::vector<NodeId> operands = {operand(d, condition), operand(d, if_one), operand(d, if_zero)};
  return checked(d, add_node(*d.dag, Op::kSelect, widest(if_one, if_zero), operands));
}
Signal concat(const DagObject& d, const py::args& parts) {
  std::vector<NodeId> operands;
  uint64_t width = 0;
  for (const py::handle part : parts) {
    const auto signal = part.cast<Signal>();
    operands.push_back(operand(d, signal));
    width += signal.width();
  }
  if (width > kMaxNodeWidth) throw Error("concat", fmt::format("it would be {} bits wide", width), "concatenate fewer signals");
  return checked(d, add_node(*d.dag, Op::kConcat, static_cast<uint32_t>(width), operands));
}

/// A whole number of any size, as so many bits.
BitVector bits_of(const py::int_& value, uint32_t width, const std::string& place) {
  if (value < py::int_(0) || value.attr("bit_length")().cast<uint64_t>() > width)
    throw Error(place, fmt::format("{} does not fit {} bits", py::cast<std::string>(py::repr(value)).substr(0, 40), width),
                "give a width that it fits, and no negative numbers");
  return from_hex(py::str("{:x}").format(value).cast<std::string>(), width);
}

Signal constant(const DagObject& d, const py::int_& value, Width width) {
  const uint64_t needed = std::max<uint64_t>(1, value.attr("bit_length")().cast<uint64_t>());
  const uint64_t bits = width ? *width : needed;
  if (bits > kMaxNodeWidth) throw Error("constant", fmt::format("it is {} bits wide", bits), fmt::format("at most {}", kMaxNodeWidth));
  return checked(d, add_constant(*d.dag, bits_of(value, static_cast<uint32_t>(bits), "constant")));
}

Signal table(const DagObject& d, const Signal& a, const std::vector<py::int_>& words, uint32_t width) {
  operand(d, a);
  if (a.width() > kMaxLutInputs || words.size() != size_t{1} << a.width())
    throw Error("lut", fmt::format("the index has {} bits, and the table {} words", a.width(), words.size()),
                fmt::format("give 2^bits words, for at most {} bits", kMaxLutInputs));
  if (width == 0 || width > kMaxTableBits / words.size())
    throw Error("lut", fmt::format("{} words of {} bits are too large a table", words.size(), width), "give smaller words");
  std::vector<BitVector> table;
  for (const py::int_& word : words) table.push_back(bits_of(word, width, "lut"));
  return checked(d, add_lut(*d.dag, a.id, table));
}

Signal input(const DagObject& d, const std::string& name, uint32_t width, bool resident) {
  return checked(d, add_input(*d.dag, name, width, resident));
}
void output(const DagObject& d, const std::string& name, const Signal& a) {
  const NodeId id = operand(d, a);
  checked(d, add_output(*d.dag, name, id));
}

DagObject owner(const Signal& a) {
  return {a.dag};
}

Signal element(const Signal& a, const py::object& key) {
  const auto width = static_cast<py::ssize_t>(a.width());
  if (py::isinstance<py::slice>(key)) {
    py::ssize_t start = 0, stop = 0, step = 0, length = 0;
    if (!key.cast<py::slice>().compute(width, &start, &stop, &step, &length)) throw py::error_already_set();
    if (step != 1) throw Error("slice", "the step is not 1", "take consecutive bits, [low:high]");
    return slice(owner(a), a, static_cast<uint32_t>(start), static_cast<uint32_t>(length));
  }
  auto bit = key.cast<py::ssize_t>();
  if (bit < 0) bit += width;
  if (bit < 0 || bit >= width) throw py::index_error(fmt::format("the signal has {} bits", width));
  return slice(owner(a), a, static_cast<uint32_t>(bit), 1);
}

/// Inputs as a dict, as keywords, or both.
py::dict arguments(const py::object& inputs, const py::kwargs& named) {
  py::dict all = inputs.is_none() ? py::dict() : py::dict(inputs.cast<py::dict>());
  for (const auto& [name, value] : named) all[name] = value;
  return all;
}

/// A Dag that is whole.
std::shared_ptr<const Dag> finished(const DagObject& d) {
  verify(*d.dag);
  return std::make_shared<const Dag>(*d.dag);
}

py::dict evaluate_dag(const DagObject& d, const py::object& inputs, const py::kwargs& named) {
  const auto dag = finished(d);
  const BitMatrix rows = input_rows(*dag, arguments(inputs, named));
  return output_arrays(*dag, long_result(py::none(), [&](const engines::Say&) { return evaluate(*dag, split(*dag, rows)); }));
}

/// A Dag on the grid.
struct CompiledDag : Compiled {
  Compiled run;  // the same, with a step for an engine to run
  const Dag& dag() const { return program->kernels[0].dag; }
};

CompiledDag compile_dag(const DagObject& d, const CompileOptions& options) {
  const auto dag = finished(d);
  CompiledDag compiled;
  compiled.options = options;
  compiled.read = options.read();
  compiled.source_hash = d.file_hash && dag->size() == d.file_nodes ? *d.file_hash : fnv1a(print(*dag));
  compiled.program = std::make_shared<const Program>(engines::program_of(*dag, dag->name));
  compiled.mapped = std::make_shared<const std::vector<MappedKernel>>(long_result(
      options.progress, [&](const engines::Say& say) { return map_program(*compiled.program, compiled.options, compiled.read, say); }));
  compiled.run = compiled;
  Program with_step = *compiled.program;
  Step step{dag->name, 0, 1, 0, {}, {}};
  for (const NodeId id : dag->inputs) {  // resident bits stay in the cells from invocation to invocation, as cached ones do
    if (dag->node(id).resident)
      step.inputs.emplace_back(CacheSource{});
    else
      step.inputs.emplace_back(TensorSource{});
  }
  with_step.steps.push_back(std::move(step));
  compiled.run.program = std::make_shared<const Program>(std::move(with_step));
  return compiled;
}

const engines::Engine& kernel_engine(const std::string& name) {
  const engines::Engine& engine = engines::find_engine(name);
  if (engine.of_kernels == nullptr)
    throw Error("engine", "engine " + engine.name + " does not run kernels",
                "choose one of " + engines::engine_names([](const engines::Engine& e) { return e.of_kernels != nullptr; }));
  return engine;
}

py::dict run_compiled(const CompiledDag& c, const py::object& inputs, const std::string& engine, const py::object& progress,
                      const py::kwargs& named) {
  const engines::Engine& chosen = kernel_engine(engine);
  const BitMatrix rows = input_rows(c.dag(), arguments(inputs, named));
  return output_arrays(c.dag(), long_result(progress, [&](const engines::Say& say) {
                         return chosen.of_kernels(engine_inputs(c.run, say)).run(0, split(c.dag(), rows));
                       }));
}

/// The first bit that differs, as the output that it belongs to.
FirstMismatch mismatch_of(const Dag& dag, const std::string& engine, size_t row, size_t bit, bool expected) {
  uint32_t first = 0;
  for (const NodeId id : dag.outputs) {
    const Node& node = dag.node(id);
    if (bit < first + node.width) return {engine, row, node.name, bit - first, expected, !expected};
    first += node.width;
  }
  return {};
}

EngineResult compare_rows(const Dag& dag, const std::string& engine, const BitMatrix& expected, const BitMatrix& got,
                          std::optional<FirstMismatch>& first) {
  EngineResult result{engine, uint64_t{got.rows} * got.cols, 0};
  for (size_t row = 0; row < got.rows; ++row) {
    for (size_t bit = 0; bit < got.cols; ++bit) {
      if (expected.get(row, bit) == got.get(row, bit)) continue;
      ++result.mismatches;
      if (!first) first = mismatch_of(dag, engine, row, bit, expected.get(row, bit));
    }
  }
  return result;
}

CheckResult check_compiled(const CompiledDag& c, const py::object& inputs, const std::vector<std::string>& names,
                           const py::object& expected, const py::object& progress, const py::kwargs& named) {
  const Dag& dag = c.dag();
  std::vector<const engines::Engine*> chosen;
  for (const std::string& name : names) chosen.push_back(&kernel_engine(name));
  const BitMatrix rows = input_rows(dag, arguments(inputs, named));
  const BitMatrix meaning = evaluate(dag, split(dag, rows));
  const BitMatrix right = expected.is_none() ? meaning : expected_rows(dag, expected.cast<py::dict>(), meaning);
  return long_result(progress, [&](const engines::Say& say) {
    CheckResult result;
    for (const engines::Engine* engine : chosen) {
      say("engine " + engine->name);
      const BitMatrix got = engine->of_kernels(engine_inputs(c.run, say)).run(0, split(dag, rows));
      result.engines.push_back(compare_rows(dag, engine->name, right, got, result.first));
    }
    return result;
  });
}

py::dict port_widths(const Dag& dag, const std::vector<NodeId>& ports) {
  py::dict widths;
  for (const NodeId id : ports) widths[dag.node(id).name.c_str()] = dag.node(id).width;
  return widths;
}

/// An operator of two signals, with a whole number on either side as a constant.
template <typename Make>
void define_operator(py::class_<Signal>& c, const char* name, const char* reflected, Make make) {
  const auto number = [](const Signal& a, const py::int_& value) { return constant(owner(a), value, std::nullopt); };
  c.def(
      name, [make](const Signal& a, const Signal& b) { return make(owner(a), a, b); }, py::is_operator(), py::arg("other"));
  c.def(
      name, [make, number](const Signal& a, const py::int_& b) { return make(owner(a), a, number(a, b)); }, py::is_operator(),
      py::arg("other"));
  if (reflected != nullptr)
    c.def(
        reflected, [make, number](const Signal& a, const py::int_& b) { return make(owner(a), number(a, b), a); }, py::is_operator(),
        py::arg("other"));
}

void define_signal(py::module_& m) {
  py::class_<Signal> c(m, "Signal",
                       "A value of a Dag: unsigned, bit 0 least significant. &, |, ^, ~, +, - and < make further ones, with signals of\n"
                       "the same Dag or whole numbers; s[3] is a bit and s[0:4] the bits 0 .. 3.");
  c.def_property_readonly("width", &Signal::width, "Bits.");
  define_operator(c, "__and__", "__rand__",
                  [](const DagObject& d, const Signal& a, const Signal& b) { return bitwise_by_name(d, "and", a, b); });
  define_operator(c, "__or__", "__ror__",
                  [](const DagObject& d, const Signal& a, const Signal& b) { return bitwise_by_name(d, "or", a, b); });
  define_operator(c, "__xor__", "__rxor__",
                  [](const DagObject& d, const Signal& a, const Signal& b) { return bitwise_by_name(d, "xor", a, b); });
  define_operator(c, "__add__", "__radd__",
                  [](const DagObject& d, const Signal& a, const Signal& b) { return sum(d, a, b, std::nullopt); });
  define_operator(c, "__sub__", "__rsub__",
                  [](const DagObject& d, const Signal& a, const Signal& b) { return difference(d, a, b, std::nullopt); });
  define_operator(c, "__lt__", nullptr, [](const DagObject& d, const Signal& a, const Signal& b) { return less(d, a, b); });
  define_operator(c, "__gt__", nullptr, [](const DagObject& d, const Signal& a, const Signal& b) { return less(d, b, a); });
  c.def("__invert__", [](const Signal& a) { return inverted(owner(a), a); });
  c.def("__getitem__", element, py::arg("bits"));
  c.def("__len__", &Signal::width);
  c.def("__repr__", [](const Signal& a) { return fmt::format("<bitgrid.Signal of {} bits in {}>", a.width(), a.dag->name); });
}

}  // namespace

void define_dag(py::module_& m) {
  define_signal(m);

  py::class_<DagObject> c(m, "Dag",
                          "A kernel's meaning: word-level operations over unsigned values. Narrower operands are extended with zeros.\n"
                          "Built with input(), the operations, and output(); docs/dag.md has the text form.");
  c.def(py::init([](const std::string& name) {
          Dag dag;
          dag.name = name;
          return DagObject{std::make_shared<Dag>(std::move(dag))};
        }),
        py::arg("name"));
  c.def_static(
      "parse", [](const std::string& text) { return DagObject{std::make_shared<Dag>(parse_dag(text, "dag"))}; }, py::arg("text"),
      "Reads the text form. Raises Error naming the line.");
  c.def_property_readonly("name", [](const DagObject& d) { return d.dag->name; });
  c.def_property_readonly(
      "text", [](const DagObject& d) { return print(*finished(d)); }, "The text form, as in .dag files.");
  c.def_property_readonly(
      "inputs", [](const DagObject& d) { return port_widths(*d.dag, d.dag->inputs); }, "Bits of each input, by name.");
  c.def_property_readonly(
      "outputs", [](const DagObject& d) { return port_widths(*d.dag, d.dag->outputs); }, "Bits of each output, by name.");
  c.def("input", input, py::arg("name"), py::arg("width") = 1, py::kw_only(), py::arg("resident") = false,
        "An input of 1 .. 65536 bits. A resident one lives in the contents of cells and may change slowly.");
  c.def("output", output, py::arg("name"), py::arg("value"), "Names a value as an output.");
  c.def("constant", constant, py::arg("value"), py::arg("width") = py::none(), "A constant; without a width as many bits as it needs.");
  c.def("popcount", popcount, py::arg("a"), py::arg("width") = py::none(),
        "The number of ones; without a width as many bits as it can need.");
  c.def("add", sum, py::arg("a"), py::arg("b"), py::arg("width") = py::none(), "a + b; without a width one bit more than the wider one.");
  c.def("subtract", difference, py::arg("a"), py::arg("b"), py::arg("width") = py::none(),
        "a - b modulo 2^width; without a width that of the wider one.");
  c.def("less", less, py::arg("a"), py::arg("b"), "1 if a < b, one bit.");
  c.def(
      "xnor", [](const DagObject& d, const Signal& a, const Signal& b) { return bitwise_by_name(d, "xnor", a, b); }, py::arg("a"),
      py::arg("b"), "1 where bits are equal.");
  c.def("select", select, py::arg("condition"), py::arg("if_one"), py::arg("if_zero"), "One of two values, by a signal of one bit.");
  c.def("concat", concat, "Several signals side by side, the most significant first.");
  c.def("lut", table, py::arg("index"), py::arg("table"), py::arg("width"), "table[index]: 2^(bits of the index) words of `width` bits.");
  c.def(
      "run", evaluate_dag, py::arg("inputs") = py::none(),
      "Evaluates a batch of invocations: run({\"a\": array}) or run(a=array).\n\n"
      "Arrays are whole numbers [invocations], or bits [invocations, width] with bit 0 first; a single number stands for all invocations.\n"
      "Returns a dict by output: int64 [invocations] (uint64 of 64 bits); of wider outputs uint8 [invocations, width].");
  define_compile(c, "Maps the Dag onto the grid and returns a CompiledDag.", compile_dag);
  c.def("__repr__", [](const DagObject& d) {
    return fmt::format("<bitgrid.Dag {}: {} nodes, {} inputs, {} outputs>", d.dag->name, d.dag->size(), d.dag->inputs.size(),
                       d.dag->outputs.size());
  });

  py::class_<CompiledDag, Compiled>(m, "CompiledDag", "A Dag on the grid.")
      .def("run", run_compiled, py::arg("inputs") = py::none(), py::kw_only(), py::arg("engine") = "grid", py::arg("progress") = py::none(),
           "Runs a batch of invocations on an engine, as Dag.run(): \"grid\", \"fabric\", \"rtl\" or \"dag\".")
      .def("check", check_compiled, py::arg("inputs") = py::none(), py::kw_only(),
           py::arg("engines") = std::vector<std::string>{"dag", "grid"}, py::arg("expected") = py::none(), py::arg("progress") = py::none(),
           "Compares engines with the Dag's meaning bit by bit, and returns a Check.\n\n"
           "expected: a dict of arrays by output that the engines are compared with in its place.");
}

}  // namespace bitgrid::python
