#include "ir/host.h"

#include <algorithm>
#include <cassert>

#include "ir/weight_rows.h"

namespace bitgrid {
namespace {

size_t resident_bits(const Dag& dag) {
  size_t bits = 0;
  for (const NodeId id : dag.inputs) bits += dag.node(id).resident ? dag.node(id).width : 0;
  return bits;
}

/// `bits` bits of a number, which is extended to 64 bits, from a plane on.
uint64_t planes_from(int64_t number, int64_t plane, uint32_t bits) {
  const uint64_t mask = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  if (plane >= 0) return static_cast<uint64_t>(number >> std::min<int64_t>(plane, 63)) & mask;
  return plane <= -64 ? 0 : (static_cast<uint64_t>(number) << -plane) & mask;
}

struct Batch {
  const Program& program;
  const HostState& state;
  const std::vector<int>& tokens;
  HostTrace& trace;

  uint64_t cached(const CacheSource& c, int n, int repetition, int word) const {
    const Cache& cache = program.caches[static_cast<size_t>(c.cache)];
    const int slot = c.first_slot + repetition * c.slot_stride + word / c.channels;
    const int channel = c.first_channel + repetition * c.channel_stride + word % c.channels;
    const int64_t p = position_of_slot(state.position + n, slot, cache.window);
    if (p < 0) return 0;
    if (p >= state.position) return trace.at(program, cache.tensor, static_cast<int>(p - state.position), channel);
    const int count = program.tensors[static_cast<size_t>(cache.tensor)].count;
    return state.caches[static_cast<size_t>(c.cache)][static_cast<size_t>(slot * count + channel)];
  }

  uint64_t in_table(int index, int64_t row, int column) const {
    const CodeTable& table = program.tables[static_cast<size_t>(index)];
    assert(row < table.rows);
    return table.codes[static_cast<size_t>(row * table.cols + column)];
  }

  int row_of_token(const TokenSource& s, int n) const {
    const CodeTable& table = program.tables[static_cast<size_t>(s.table)];
    const int index = n - s.age;
    int row = table.rows - 1;
    if (index >= 0) {
      row = tokens[static_cast<size_t>(index)];
    } else if (state.position + index >= 0) {
      row = state.tokens[state.tokens.size() - static_cast<size_t>(-index)];
    }
    return row;
  }

  uint64_t by_distance(const DistanceSource& s, int n, int repetition, int word) const {
    const CodeTable& table = program.tables[static_cast<size_t>(s.table)];
    const int64_t now = state.position + n, p = position_of_slot(now, s.first_slot + repetition * s.stride + word, s.window);
    const int64_t column = p < 0 ? s.window : now - p;
    return table.codes[static_cast<size_t>(s.row * table.cols + column)];
  }

  uint64_t fetch(const Source& source, int n, int repetition, int word) const {
    if (const auto* r = std::get_if<RowSource>(&source)) return in_table(r->table, r->row, r->first + repetition * r->stride + word);
    if (const auto* p = std::get_if<PositionSource>(&source))
      return in_table(p->table, state.position + n, p->first + repetition * p->stride + word);
    if (const auto* d = std::get_if<DistanceSource>(&source)) return by_distance(*d, n, repetition, word);
    const auto& c = std::get<CacheSource>(source);
    if (c.planes == 0) return cached(c, n, repetition, word);
    return cached(c, n, repetition / c.planes, word) >> (repetition % c.planes) & 1;
  }

  StepBatch gather(const Step& step) const {
    const Kernel& kernel = program.kernels[static_cast<size_t>(step.kernel)];
    const auto repeat = static_cast<size_t>(step.repeat);
    const size_t resident = resident_bits(kernel.dag);
    StepBatch batch{{tokens.size() * repeat, input_bits(kernel.dag) - resident}, {resident == 0 ? 0 : tokens.size(), resident}};
    size_t column = 0, resident_column = 0;
    for (size_t port = 0; port < kernel.inputs.size(); ++port) {
      const KernelPort& p = kernel.inputs[port];
      const bool lives = kernel.dag.node(kernel.dag.inputs[port]).resident;
      size_t& at = lives ? resident_column : column;
      for (int n = 0; n < trace.positions; ++n)
        gather_port(step.inputs[port], p, n, lives ? 1 : step.repeat, lives ? batch.residents : batch.inputs, at);
      at += static_cast<size_t>(p.words) * p.bits;
    }
    return batch;
  }

  /// The first plane that a window shows in a position.
  int64_t first_plane(const PlaneWindow& window, int n) const {
    if (window.address < 0) return window.offset;
    const Encoding& e = program.tensors[static_cast<size_t>(window.address)].encoding;
    return decode(e, static_cast<size_t>(window.channel), trace.at(program, window.address, n, window.channel)) + window.offset;
  }

  void gather_tensor(const TensorSource& source, const KernelPort& port, int n, int repeat, BitMatrix& to, size_t column) const {
    const auto row = static_cast<size_t>(n) * static_cast<size_t>(repeat);
    const Encoding& e = program.tensors[static_cast<size_t>(source.tensor)].encoding;
    const bool repeats_top = e.twos_complement || e.zero[0] < 0;
    const int64_t plane = source.window ? first_plane(*source.window, n) : 0;
    for (int repetition = 0; repetition < repeat; ++repetition) {
      for (int word = 0; word < port.words; ++word) {
        uint64_t code = trace.at(program, source.tensor, n, source.first + repetition * source.stride + word);
        if (source.window) code = planes_from(repeats_top ? sign_extended(code, e.bits) : static_cast<int64_t>(code), plane, port.bits);
        to.set_word(row + static_cast<size_t>(repetition), column + static_cast<size_t>(word) * port.bits, port.bits, code);
      }
    }
  }

  /// `repeat` rows of a position, from `column` on.
  void gather_port(const Source& source, const KernelPort& port, int n, int repeat, BitMatrix& to, size_t column) const {
    const size_t row = static_cast<size_t>(n) * static_cast<size_t>(repeat);
    if (const auto* w = std::get_if<WeightSource>(&source)) {
      const PackedWeights& weights = *program.weights[static_cast<size_t>(w->matrix)].weights;
      const size_t rows = static_cast<size_t>(repeat) / (w->planes ? bits_of(weights.storage()) : 1);
      return copy_weight_rows(weights, static_cast<size_t>(w->first_row), rows, w->planes, to, row, column);
    }
    if (const auto* t = std::get_if<TensorSource>(&source)) return gather_tensor(*t, port, n, repeat, to, column);
    const auto* token = std::get_if<TokenSource>(&source);
    const std::vector<uint64_t> codes =
        token ? table_row(program.tables[static_cast<size_t>(token->table)], row_of_token(*token, n)) : std::vector<uint64_t>();
    const auto code = [&](int repetition, int word) {
      return token ? codes[static_cast<size_t>(token->first + repetition * token->stride + word)] : fetch(source, n, repetition, word);
    };
    for (int repetition = 0; repetition < repeat; ++repetition)
      for (int word = 0; word < port.words; ++word)
        to.set_word(row + static_cast<size_t>(repetition), column + static_cast<size_t>(word) * port.bits, port.bits,
                    code(repetition, word));
  }

  /// Outputs from `row` on.
  void scatter(const Step& step, const BitMatrix& outputs, size_t row) {
    const Kernel& kernel = program.kernels[static_cast<size_t>(step.kernel)];
    for (int n = 0; n < trace.positions; ++n) {
      for (int repetition = 0; repetition < step.repeat; ++repetition, ++row) {
        size_t column = 0;
        for (size_t port = 0; port < kernel.outputs.size(); ++port) {
          const KernelPort& p = kernel.outputs[port];
          const Destination& d = step.outputs[port];
          const auto tensor = static_cast<size_t>(d.tensor);
          const size_t first = static_cast<size_t>(n) * static_cast<size_t>(program.tensors[tensor].count) +
                               static_cast<size_t>(d.first + repetition * d.stride);
          for (int word = 0; word < p.words; ++word, column += p.bits) {
            trace.codes[tensor][first + static_cast<size_t>(word)] = outputs.get_word(row, column, p.bits);
          }
        }
      }
    }
  }
};

void append(BitMatrix& to, const BitMatrix& rows) {
  to.words.insert(to.words.end(), rows.words.begin(), rows.words.end());
  to.rows += rows.rows;
}

/// Behind the steps from `first` on that run as one batch: those of one stage and kernel, which may take each other's tile.
size_t end_of_group(const Program& program, size_t first) {
  const Step& step = program.steps[first];
  size_t end = first + 1;
  if (resident_bits(program.kernels[static_cast<size_t>(step.kernel)].dag) > 0) return end;
  while (end < program.steps.size() && program.steps[end].stage == step.stage && program.steps[end].kernel == step.kernel) ++end;
  return end;
}

int largest_age(const Program& program) {
  int age = 0;
  for (const Step& step : program.steps) {
    for (const Source& s : step.inputs) {
      if (const auto* k = std::get_if<TokenSource>(&s)) age = std::max(age, k->age);
    }
  }
  return age;
}

void advance(const Program& program, HostState& state, const std::vector<int>& tokens, const HostTrace& trace) {
  for (size_t c = 0; c < program.caches.size(); ++c) {
    const Cache& cache = program.caches[c];
    const int count = program.tensors[static_cast<size_t>(cache.tensor)].count;
    for (int n = std::max(0, trace.positions - cache.window); n < trace.positions; ++n) {
      const auto slot = static_cast<int>((state.position + n) % cache.window);
      for (int channel = 0; channel < count; ++channel) {
        state.caches[c][static_cast<size_t>(slot * count + channel)] = trace.at(program, cache.tensor, n, channel);
      }
    }
  }
  state.tokens.insert(state.tokens.end(), tokens.begin(), tokens.end());
  const auto keep = static_cast<size_t>(largest_age(program));
  if (state.tokens.size() > keep) state.tokens.erase(state.tokens.begin(), state.tokens.end() - static_cast<std::ptrdiff_t>(keep));
  state.position += trace.positions;
}

}  // namespace

BitMatrix joined(const Dag& dag, const StepBatch& batch, size_t first, size_t count) {
  const size_t resident = resident_bits(dag);
  BitMatrix rows(count, input_bits(dag));
  const size_t repeat = resident == 0 ? 1 : batch.inputs.rows / batch.residents.rows;
  size_t column = 0, streamed = 0, kept = 0;
  for (const NodeId id : dag.inputs) {
    const uint32_t width = dag.node(id).width;
    const bool lives = dag.node(id).resident;
    size_t& from = lives ? kept : streamed;
    for (size_t r = 0; r < count; ++r) {
      for (uint32_t bit = 0; bit < width; bit += 64) {
        const uint32_t bits = std::min(64u, width - bit);
        const uint64_t word =
            lives ? batch.residents.get_word((first + r) / repeat, from + bit, bits) : batch.inputs.get_word(first + r, from + bit, bits);
        rows.set_word(r, column + bit, bits, word);
      }
    }
    from += width;
    column += width;
  }
  return rows;
}

BitMatrix joined(const Dag& dag, const StepBatch& batch) {
  return joined(dag, batch, 0, batch.inputs.rows);
}

StepBatch split(const Dag& dag, const BitMatrix& rows) {
  const size_t resident = resident_bits(dag);
  StepBatch batch{BitMatrix(rows.rows, rows.cols - resident), BitMatrix(rows.rows, resident)};
  uint32_t column = 0;
  size_t streamed = 0, kept = 0;
  for (const NodeId id : dag.inputs) {
    const uint32_t width = dag.node(id).width;
    BitMatrix& part = dag.node(id).resident ? batch.residents : batch.inputs;
    size_t& to = dag.node(id).resident ? kept : streamed;
    for (size_t r = 0; r < rows.rows; ++r) {
      for (uint32_t bit = 0; bit < width; bit += 64) {
        const uint32_t bits = std::min(64u, width - bit);
        part.set_word(r, to + bit, bits, rows.get_word(r, column + bit, bits));
      }
    }
    to += width;
    column += width;
  }
  return batch;
}

BitMatrix evaluate(const Dag& dag, const StepBatch& batch) {
  constexpr size_t kRows = 4096;
  BitMatrix all(batch.inputs.rows, output_bits(dag));
  for (size_t first = 0; first < all.rows; first += kRows) {
    const BitMatrix part = evaluate(dag, joined(dag, batch, first, std::min(kRows, all.rows - first)));
    std::copy(part.words.begin(), part.words.end(), all.words.begin() + static_cast<std::ptrdiff_t>(first * all.stride));
  }
  return all;
}

HostState initial_state(const Program& program) {
  HostState state;
  for (const Cache& cache : program.caches) {
    state.caches.emplace_back(static_cast<size_t>(cache.window) *
                              static_cast<size_t>(program.tensors[static_cast<size_t>(cache.tensor)].count));
  }
  return state;
}

HostTrace run_tokens(const Program& program, HostState& state, const std::vector<int>& tokens, const StepRunner& runner) {
  HostTrace trace;
  trace.positions = static_cast<int>(tokens.size());
  for (const Tensor& tensor : program.tensors) trace.codes.emplace_back(static_cast<size_t>(tensor.count) * tokens.size());
  Batch batch{program, state, tokens, trace};
  for (size_t first = 0; first < program.steps.size();) {
    const size_t end = end_of_group(program, first);
    StepBatch inputs = batch.gather(program.steps[first]);
    for (size_t s = first + 1; s < end; ++s) append(inputs.inputs, batch.gather(program.steps[s]).inputs);
    const BitMatrix outputs = runner(static_cast<int>(first), inputs);
    assert(outputs.rows == inputs.inputs.rows);
    for (size_t s = first, row = 0; s < end; ++s) {
      batch.scatter(program.steps[s], outputs, row);
      row += tokens.size() * static_cast<size_t>(program.steps[s].repeat);
    }
    first = end;
  }
  advance(program, state, tokens, trace);
  return trace;
}

std::vector<int64_t> logits(const Program& program, const HostTrace& trace, int position) {
  const Tensor& tensor = program.tensors[static_cast<size_t>(program.logits)];
  std::vector<int64_t> values(static_cast<size_t>(tensor.count));
  for (size_t c = 0; c < values.size(); ++c)
    values[c] = decode(tensor.encoding, c, trace.at(program, program.logits, position, static_cast<int>(c)));
  return values;
}

}  // namespace bitgrid
