#include "ir/program.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/error.h"

namespace bitgrid {
namespace {

void require(bool ok, const Step& step, const std::string& problem) {
  if (!ok) throw Error("program, step " + step.name, problem, "this is a bug in the lowering; please report it with the model file");
}

template <typename T>
bool in_range(int index, const std::vector<T>& of) {
  return index >= 0 && static_cast<size_t>(index) < of.size();
}

/// `last`: the first column that the last repetition reads.
void verify_columns(const Program& p, const Step& step, int index, int last, const KernelPort& port) {
  require(in_range(index, p.tables), step, "reads a table that does not exist");
  const CodeTable& table = p.tables[static_cast<size_t>(index)];
  require(last >= 0 && last + port.words <= table.cols && table.bits == port.bits, step, "does not fit table " + table.name);
}

void verify_source(const Program& p, const Step& step, const Source& source, const KernelPort& port, const std::vector<bool>& written) {
  if (const auto* t = std::get_if<TensorSource>(&source)) {
    require(in_range(t->tensor, p.tensors), step, "reads a tensor that does not exist");
    const Tensor& tensor = p.tensors[static_cast<size_t>(t->tensor)];
    require(written[static_cast<size_t>(t->tensor)], step, "reads tensor " + tensor.name + " before it is written");
    require(t->first >= 0 && t->first + t->stride * (step.repeat - 1) + port.words <= tensor.count, step,
            "reads outside tensor " + tensor.name);
    require(t->window || tensor.encoding.bits == port.bits, step,
            fmt::format("reads {} bits from tensor {} of {} bits", port.bits, tensor.name, tensor.encoding.bits));
    if (t->window && t->window->address >= 0) {
      require(in_range(t->window->address, p.tensors) && written[static_cast<size_t>(t->window->address)], step,
              "reads planes of tensor " + tensor.name + " at an address that no step has written");
      require(t->window->channel < p.tensors[static_cast<size_t>(t->window->address)].count, step,
              "reads planes of tensor " + tensor.name + " at an address outside its tensor");
    }
  } else if (const auto* k = std::get_if<TokenSource>(&source)) {
    require(in_range(k->table, p.tables), step, "reads a table that does not exist");
    const CodeTable& table = p.tables[static_cast<size_t>(k->table)];
    require(k->first + k->stride * (step.repeat - 1) + port.words <= table.cols && table.bits == port.bits && k->age >= 0, step,
            "does not fit table " + table.name);
  } else if (const auto* r = std::get_if<RowSource>(&source)) {
    verify_columns(p, step, r->table, r->first + r->stride * (step.repeat - 1), port);
    require(r->row >= 0 && r->row < p.tables[static_cast<size_t>(r->table)].rows, step, "reads a row that its table does not have");
  } else if (const auto* o = std::get_if<PositionSource>(&source)) {
    verify_columns(p, step, o->table, o->first + o->stride * (step.repeat - 1), port);
  } else if (const auto* d = std::get_if<DistanceSource>(&source)) {
    require(in_range(d->table, p.tables), step, "reads a table that does not exist");
    const CodeTable& table = p.tables[static_cast<size_t>(d->table)];
    require(table.cols == d->window + 1 && d->row >= 0 && d->row < table.rows && table.bits == port.bits &&
                d->first_slot + d->stride * (step.repeat - 1) + port.words <= d->window,
            step, "does not fit table " + table.name);
  } else if (const auto* c = std::get_if<CacheSource>(&source)) {
    require(in_range(c->cache, p.caches), step, "reads a cache that does not exist");
    const Cache& cache = p.caches[static_cast<size_t>(c->cache)];
    const Tensor& tensor = p.tensors[static_cast<size_t>(cache.tensor)];
    require(written[static_cast<size_t>(cache.tensor)], step, "reads the cache of tensor " + tensor.name + " before it is written");
    const int last = (step.repeat - 1) / std::max(1, c->planes);
    require(c->planes == 0 || (c->planes == static_cast<int>(tensor.encoding.bits) && step.repeat % c->planes == 0), step,
            "reads other bits than the codes of tensor " + tensor.name + " have");
    require(c->slots * c->channels == port.words && c->first_slot + c->slot_stride * last + c->slots <= cache.window &&
                c->first_channel + c->channel_stride * last + c->channels <= tensor.count &&
                port.bits == (c->planes == 0 ? tensor.encoding.bits : 1),
            step, "does not fit the cache of tensor " + tensor.name);
  } else if (const auto* w = std::get_if<WeightSource>(&source)) {
    require(in_range(w->matrix, p.weights), step, "reads weights that do not exist");
    const WeightMatrix& matrix = p.weights[static_cast<size_t>(w->matrix)];
    const auto bits = static_cast<int>(bits_of(matrix.weights->storage()));
    const int a_row = w->planes ? bits : 1;
    require(w->first_row >= 0 && step.repeat % a_row == 0 &&
                static_cast<size_t>(w->first_row) + static_cast<size_t>(step.repeat / a_row) <= matrix.weights->rows() &&
                static_cast<size_t>(port.words) == matrix.weights->columns() && static_cast<int>(port.bits) == (w->planes ? 1 : bits),
            step, "does not fit the weights " + matrix.name);
  }
}

/// The same for all repetitions.
bool is_fixed(const Source& source) {
  if (const auto* t = std::get_if<TensorSource>(&source)) return t->stride == 0;
  if (const auto* r = std::get_if<RowSource>(&source)) return r->stride == 0;
  const auto* c = std::get_if<CacheSource>(&source);
  return c && c->slot_stride == 0 && c->channel_stride == 0 && c->planes == 0;
}

}  // namespace

std::vector<uint64_t> table_row(const CodeTable& table, int row) {
  std::vector<uint64_t> codes(static_cast<size_t>(table.cols));
  const auto first = static_cast<std::ptrdiff_t>(row) * table.cols;
  if (table.read_row)
    table.read_row(row, codes);
  else
    std::copy_n(table.codes.begin() + first, table.cols, codes.begin());
  return codes;
}

bool keeps_tile(const Program& program, const Step& step) {
  const Dag& dag = program.kernels[static_cast<size_t>(step.kernel)].dag;
  for (size_t i = 0; i < step.inputs.size(); ++i)
    if (dag.node(dag.inputs[i]).resident && std::holds_alternative<CacheSource>(step.inputs[i])) return true;
  return false;
}

int invocations_per_token(const Program& program, int kernel) {
  int n = 0;
  for (const Step& step : program.steps) n += step.kernel == kernel ? step.repeat : 0;
  return n;
}

void verify(const Program& program) {
  std::vector<bool> written(program.tensors.size());
  for (const Step& step : program.steps) {
    require(in_range(step.kernel, program.kernels), step, "uses a kernel that does not exist");
    const Kernel& kernel = program.kernels[static_cast<size_t>(step.kernel)];
    require(step.inputs.size() == kernel.inputs.size() && kernel.inputs.size() == kernel.dag.inputs.size(), step,
            "has not one source for each input");
    require(step.outputs.size() == kernel.outputs.size() && kernel.outputs.size() == kernel.dag.outputs.size(), step,
            "has not one destination for each output");
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const KernelPort& port = kernel.inputs[i];
      require(kernel.dag.node(kernel.dag.inputs[i]).width == static_cast<uint32_t>(port.words) * port.bits, step,
              "has a port of another width than its kernel");
      verify_source(program, step, step.inputs[i], port, written);
      require(!kernel.dag.node(kernel.dag.inputs[i]).resident || step.repeat == 1 || is_fixed(step.inputs[i]), step,
              "changes its resident numbers from invocation to invocation");
    }
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      const KernelPort& port = kernel.outputs[i];
      const Destination& d = step.outputs[i];
      require(in_range(d.tensor, program.tensors), step, "writes a tensor that does not exist");
      const Tensor& tensor = program.tensors[static_cast<size_t>(d.tensor)];
      require(kernel.dag.node(kernel.dag.outputs[i]).width == static_cast<uint32_t>(port.words) * port.bits &&
                  tensor.encoding.bits == port.bits && d.first + d.stride * (step.repeat - 1) + port.words <= tensor.count,
              step, "does not fit tensor " + tensor.name);
      written[static_cast<size_t>(d.tensor)] = true;
    }
  }
  if (!in_range(program.logits, program.tensors) || !written[static_cast<size_t>(program.logits)]) {
    throw Error("program " + program.name, "no step writes the logits",
                "this is a bug in the lowering; please report it with the model file");
  }
}

}  // namespace bitgrid
