#include "ir/host.h"

#include <algorithm>
#include <cassert>

namespace bitgrid {
namespace {

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

  uint64_t by_token(const TokenSource& s, int n, int repetition, int word) const {
    const CodeTable& table = program.tables[static_cast<size_t>(s.table)];
    const int index = n - s.age;
    int row = table.rows - 1;
    if (index >= 0) {
      row = tokens[static_cast<size_t>(index)];
    } else if (state.position + index >= 0) {
      row = state.tokens[state.tokens.size() - static_cast<size_t>(-index)];
    }
    return table.codes[static_cast<size_t>(row * table.cols + s.first + repetition * s.stride + word)];
  }

  uint64_t by_distance(const DistanceSource& s, int n, int repetition, int word) const {
    const CodeTable& table = program.tables[static_cast<size_t>(s.table)];
    const int64_t now = state.position + n, p = position_of_slot(now, s.first_slot + repetition * s.stride + word, s.window);
    const int64_t column = p < 0 ? s.window : now - p;
    return table.codes[static_cast<size_t>(s.row * table.cols + column)];
  }

  uint64_t fetch(const Source& source, int n, int repetition, int word) const {
    if (const auto* t = std::get_if<TensorSource>(&source))
      return trace.at(program, t->tensor, n, t->first + repetition * t->stride + word);
    if (const auto* k = std::get_if<TokenSource>(&source)) return by_token(*k, n, repetition, word);
    if (const auto* r = std::get_if<RowSource>(&source)) return in_table(r->table, r->row, r->first + repetition * r->stride + word);
    if (const auto* p = std::get_if<PositionSource>(&source))
      return in_table(p->table, state.position + n, p->first + repetition * p->stride + word);
    if (const auto* d = std::get_if<DistanceSource>(&source)) return by_distance(*d, n, repetition, word);
    return cached(std::get<CacheSource>(source), n, repetition, word);
  }

  BitMatrix gather(const Step& step) const {
    const Kernel& kernel = program.kernels[static_cast<size_t>(step.kernel)];
    BitMatrix inputs(tokens.size() * static_cast<size_t>(step.repeat), input_bits(kernel.dag));
    size_t row = 0;
    for (int n = 0; n < trace.positions; ++n) {
      for (int repetition = 0; repetition < step.repeat; ++repetition, ++row) {
        size_t column = 0;
        for (size_t port = 0; port < kernel.inputs.size(); ++port) {
          const KernelPort& p = kernel.inputs[port];
          for (int word = 0; word < p.words; ++word, column += p.bits) {
            inputs.set_word(row, column, p.bits, fetch(step.inputs[port], n, repetition, word));
          }
        }
      }
    }
    return inputs;
  }

  void scatter(const Step& step, const BitMatrix& outputs) {
    const Kernel& kernel = program.kernels[static_cast<size_t>(step.kernel)];
    size_t row = 0;
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
  for (size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    const BitMatrix outputs = runner(static_cast<int>(s), batch.gather(step));
    assert(outputs.rows == tokens.size() * static_cast<size_t>(step.repeat));
    batch.scatter(step, outputs);
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
