#include "bitgrid_sim/systemc/tile.h"

#include <algorithm>

#include "bitgrid_sim/systemc/word_access.h"
#include "ir/host.h"

namespace bitgrid::platform {
namespace {

uint64_t latency_of(const MappedKernel& kernel) {
  return static_cast<uint64_t>(latency_cycles(kernel));
}
uint64_t ii_of(const MappedKernel& kernel) {
  return static_cast<uint64_t>(kernel.ii);
}

}  // namespace

TileModule::TileModule(const sc_core::sc_module_name& name, size_t index, Context& context, Dma& dma, Track& track)
    : sc_module(name), index_(index), context_(context), dma_(dma), track_(track) {
  configuration.register_b_transport(this, &TileModule::b_transport);
  result_.name = track.name;
  spawn([this] { fetch(); }, kStackBytes, context.failure);
  spawn([this] { run(); }, kGridStackBytes, context.failure);
  spawn([this] { write(); }, kStackBytes, context.failure);
}

void TileModule::draw(Activity activity, int kernel, uint64_t begin, uint64_t end) {
  if (begin < end) track_.intervals.push_back({activity, static_cast<uint32_t>(kernel), begin, end, 0});
}

void TileModule::restart() {
  track_.intervals.clear();
  result_ = {};
  result_.name = track_.name;
  next_start_ = lead_ = 0;
  for (auto& [kernel, l] : loaded_) result_.cell_updates -= l.simulator->stats().cell_updates();
}

TileResult TileModule::result() const {
  TileResult result = result_;
  for (const auto& [kernel, l] : loaded_) result.cell_updates += l.simulator->stats().cell_updates();
  return result;
}

// Configuration

TileModule::Loaded& TileModule::loaded(int kernel) {
  const auto [it, fresh] = loaded_.try_emplace(kernel);
  Loaded& l = it->second;
  if (!fresh) return l;
  const MappedKernel& mapped = context_.mapping(kernel);
  l.cells.resize(mapped.grid.cells.size());
  l.by_bit.resize(mapped.input_bits);
  l.resident_bits = BitVector(mapped.input_bits);
  for (const ResidentSlot& r : mapped.residents) {
    l.flips[static_cast<uint32_t>(mapped.grid.index(r.x, r.y))] |= r.flip();
    l.by_bit[r.bit].push_back(&r);
  }
  return l;
}

bool TileModule::is_configured(const Configuration& c, int64_t position) const {
  return held_ == c && (c.step < 0 || held_position_ == position);
}

CycleParts TileModule::configure(const Configuration& c, int64_t position) {
  if (is_configured(c, position)) return {};
  const uint64_t begin = now();
  const auto drawn = static_cast<ptrdiff_t>(track_.intervals.size());
  std::vector<WordWrite> writes = resident_writes(c, position);
  const bool is_loaded = held_.kernel == c.kernel;
  held_ = c;
  held_position_ = position;
  if (!is_loaded) {
    std::stable_sort(writes.begin(), writes.end(), [](const WordWrite& a, const WordWrite& b) { return a.cell < b.cell; });
    dma_.load(index_, c.kernel, writes);
    decode_residents(loaded(c.kernel), context_.mapping(c.kernel));
    make_simulator(loaded(c.kernel), context_.mapping(c.kernel));
    lead_ = static_cast<uint64_t>(context_.mapping(c.kernel).lead_cycles);
    next_start_ = 0;
    ++result_.loads;
  } else if (!writes.empty()) {
    dma_.write_cells(index_, c.kernel, writes);
    decode_residents(loaded(c.kernel), context_.mapping(c.kernel));
  }
  draw(Activity::kMemory, c.kernel, begin, now());
  // Drained: nothing else draws meanwhile.
  return sum(resolve({track_.intervals.begin() + drawn, track_.intervals.end()}), now() - begin);
}

/// Cells whose resident bits the tile lacks: of ring slots written since it was last here, or all where it held another's.
std::vector<WordWrite> TileModule::resident_writes(const Configuration& c, int64_t position) {
  std::vector<WordWrite> writes;
  if (c.step < 0 || position < 0) return writes;
  const Step& step = context_.step(c.step);
  const Kernel& kernel = context_.kernel(c.kernel);
  const MappedKernel& mapped = context_.mapping(c.kernel);
  const Loaded& l = loaded(c.kernel);
  uint32_t first_bit = 0;
  std::unordered_map<uint32_t, size_t> write_of;  // by cell: several bits may live in one
  for (size_t port = 0; port < step.inputs.size(); ++port) {
    const KernelPort& p = kernel.inputs[port];
    const uint32_t port_bit = first_bit;
    first_bit += static_cast<uint32_t>(p.words) * p.bits;
    if (!kernel.dag.node(kernel.dag.inputs[port]).resident) continue;
    const auto* cache = std::get_if<CacheSource>(&step.inputs[port]);
    const auto all = operand_addresses(context_.program, context_.map, static_cast<size_t>(c.stream), position, step, port, 0);
    std::vector<uint64_t> addresses;
    std::vector<uint32_t> bits;  // first of each word
    for (int word = 0; word < p.words; ++word) {
      if (cache && held_ == c) {
        const int window = context_.program.caches[static_cast<size_t>(cache->cache)].window;
        if (position_of_slot(position, cache->first_slot + word / cache->channels, window) <= held_position_) continue;
      }
      addresses.push_back(all[static_cast<size_t>(word)]);
      bits.push_back(port_bit + static_cast<uint32_t>(word) * p.bits);
    }
    const auto words = dma_.read_sram(addresses, p.bits, static_cast<uint32_t>(c.kernel));
    for (size_t i = 0; i < words.size(); ++i) {
      for (uint32_t b = 0; b < p.bits; ++b) {
        for (const ResidentSlot* r : l.by_bit[bits[i] + b]) {
          const auto cell = static_cast<uint32_t>(mapped.grid.index(r->x, r->y));
          const auto [at, first] = write_of.try_emplace(cell, writes.size());
          if (first) writes.push_back({cell, held_ == c ? l.cells[cell] : r->word0});
          CellWord& word = writes[at->second].word;
          word = (word & ~r->flip()) | (((words[i] >> b & 1) != 0 ? r->word1 : r->word0) & r->flip());
        }
      }
    }
  }
  return writes;
}

/// Words that come in through the configuration port.
void TileModule::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  Loaded& l = loaded(held_.kernel);
  const auto writes = unpack({payload.get_data_ptr(), payload.get_data_length()});
  for (const WordWrite& w : writes) l.cells[w.cell] = w.word;
  const Span span = payload.get_extension<Purpose>()->span;
  draw(Activity::kPort, held_.kernel, span.asked, span.begin);
  draw(Activity::kConfiguring, held_.kernel, span.begin, span.end);
  result_.configuration_words += writes.size();
  context_.kernels[static_cast<size_t>(held_.kernel)].configuration_words += writes.size();
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

/// The simulator takes resident bits as inputs; a word that its bits cannot make stays as it is.
void TileModule::decode_residents(Loaded& l, const MappedKernel& kernel) {
  for (const ResidentSlot& r : kernel.residents)
    l.resident_bits.set(r.bit, ((l.cells[kernel.grid.index(r.x, r.y)] ^ r.word1) & r.flip()) == 0);
}

void TileModule::make_simulator(Loaded& l, const MappedKernel& kernel) {
  GridConfig grid(kernel.grid.width, kernel.grid.height);
  grid.cells = l.cells;
  for (const auto& [cell, flips] : l.flips) {
    if (((grid.cells[cell] ^ kernel.grid.cells[cell]) & ~flips) == 0) grid.cells[cell] = kernel.grid.cells[cell];
  }
  if (l.simulator && grid == l.simulated) return;
  MappedKernel sent = kernel;
  sent.grid = l.simulated = std::move(grid);
  l.simulator = std::make_unique<sim::KernelSimulator>(sent);
}

// Invocations

void TileModule::submit(Job& job) {
  last_submitted_ = job.configuration;
  ++jobs_under_way_;
  jobs_.push(&job);
}

void TileModule::fetch() {
  const auto places = static_cast<size_t>(context_.platform().border_queue);
  for (;;) {
    Job& job = *jobs_.front();
    jobs_.pop();
    if (!is_configured(job.configuration, job.position)) {
      while (jobs_under_way_ - jobs_.size() > 1) sc_core::wait(job_completed_);
    }
    job.parts.idle = now() - job.ready;
    job.parts += configure(job.configuration, job.position);
    job.configured = now();
    job.lead = std::exchange(lead_, 0);
    draw(Activity::kFilling, job.configuration.kernel, job.configured, job.configured + job.lead);
    for (int r = 0; r < context_.step(job.step).repeat; ++r) {
      operands_.wait_shorter_than(places);
      operands_.push(read_operands(job, r));
    }
  }
}

/// Reads the operands of one invocation, and waits until the banks are free for the next.
TileModule::Operands TileModule::read_operands(Job& job, int repetition) {
  const Step& step = context_.step(job.step);
  const Kernel& kernel = context_.kernel(step.kernel);
  Operands operands{&job, repetition, BitMatrix(1, context_.mapping(step.kernel).input_bits), now()};
  Access access{now(), now(), 0};
  size_t column = 0;
  for (size_t port = 0; port < kernel.inputs.size(); ++port) {
    const KernelPort& p = kernel.inputs[port];
    if (kernel.dag.node(kernel.dag.inputs[port]).resident) {
      const Loaded& l = loaded(step.kernel);
      for (size_t end = column + static_cast<size_t>(p.words) * p.bits; column < end; ++column)
        operands.bits.set(0, column, l.resident_bits.get(static_cast<uint32_t>(column)));
      continue;
    }
    const auto addresses = operand_addresses(context_.program, context_.map, job.stream, job.position, step, port, repetition);
    for (const uint64_t word : read_words(memory, addresses, p.bits, static_cast<uint32_t>(step.kernel), access)) {
      operands.bits.set_word(0, column, p.bits, word);
      column += p.bits;
    }
  }
  context_.kernels[static_cast<size_t>(step.kernel)].operand_bytes += access.bytes;
  operands.arrived = access.done;
  wait_until(access.taken);
  return operands;
}

void TileModule::run() {
  for (;;) {
    Operands& operands = operands_.front();
    wait_until(operands.arrived);
    start(operands);
    operands_.pop();
  }
}

/// Waits for the grid, for room for the results, and for the phase of the constant streams; then runs an invocation.
void TileModule::start(Operands& operands) {
  Job& job = *operands.job;
  const MappedKernel& kernel = context_.mapping(job.configuration.kernel);
  const uint64_t ii = ii_of(kernel), latency = latency_of(kernel);
  // Results of what is in the grid already have places of their own: the grid cannot stop.
  results_.wait_shorter_than(static_cast<size_t>(context_.platform().border_queue) + (latency + ii - 1) / ii);
  if (operands.repetition == 0) {
    job.begun = std::max(job.configured + job.lead, next_start_);
    job.parts.idle += job.begun - (job.configured + job.lead);
  }
  const uint64_t earliest = std::max({now(), next_start_, job.begun});
  uint64_t begin = earliest;
  if (!kernel.constants.empty()) {
    const bool runs_on = operands.repetition > 0 || context_.platform().constants == ConstantStreams::kFree;
    const uint64_t origin = operands.repetition > 0 ? job.last_start : 0;
    if (runs_on) begin = origin + (earliest - origin + ii - 1) / ii * ii;
  }
  wait_until(begin);
  Results results{&job, operands.repetition, loaded(job.configuration.kernel).simulator->run(operands.bits), begin + latency};
  ++result_.invocations;
  const uint64_t waited_from = operands.repetition == 0 ? job.begun : job.last_start + ii;
  draw(Activity::kMemory, job.configuration.kernel, waited_from, begin);
  // The one before was drawn up to its latency; where this one waited for II, it was entering until now.
  const bool waited_for_ii = begin == next_start_ && next_start_ > 0;
  if (operands.repetition > 0 || waited_for_ii) draw(Activity::kComputing, job.configuration.kernel, next_start_ - ii, next_start_);
  draw(Activity::kComputing, job.configuration.kernel, begin, begin + std::min(ii, latency));
  draw(Activity::kFilling, job.configuration.kernel, begin, begin + latency);
  job.last_start = begin;
  next_start_ = begin + ii;
  results_.push(std::move(results));
}

void TileModule::write() {
  for (;;) {
    Results& results = results_.front();
    wait_until(results.finish);
    Job& job = *results.job;
    const bool last = results.repetition + 1 == context_.step(job.step).repeat;
    const uint64_t finish = results.finish, done = write_results(results);
    results_.pop();
    if (!last) continue;
    if (done == now()) {
      complete(job, finish, done);
    } else {
      spawn(
          [this, &job, finish, done] {
            wait_until(done);
            complete(job, finish, done);
          },
          kStackBytes, context_.failure);
    }
  }
}

/// Writes the results of one invocation and waits until the banks are free for the next. Returns when they have arrived.
uint64_t TileModule::write_results(const Results& results) {
  const Job& job = *results.job;
  const Step& step = context_.step(job.step);
  const Kernel& kernel = context_.kernel(step.kernel);
  Access access{now(), now(), 0};
  size_t column = 0;
  for (size_t port = 0; port < kernel.outputs.size(); ++port) {
    const KernelPort& p = kernel.outputs[port];
    const Destination& d = step.outputs[port];
    auto& codes = context_.streams[job.stream].values.codes[static_cast<size_t>(d.tensor)];
    const auto count = static_cast<size_t>(context_.program.tensors[static_cast<size_t>(d.tensor)].count);
    size_t value = static_cast<size_t>(job.position) * count + static_cast<size_t>(d.first + results.repetition * d.stride);
    std::vector<uint64_t> words;
    for (int word = 0; word < p.words; ++word, column += p.bits) {
      words.push_back(results.bits.get_word(0, column, p.bits));
      if (!codes.empty()) codes[value++] = words.back();
    }
    const auto addresses = result_addresses(context_.program, context_.map, job.stream, job.position, step, port, results.repetition);
    write_words(memory, addresses, p.bits, words, static_cast<uint32_t>(step.kernel), access);
  }
  context_.kernels[static_cast<size_t>(step.kernel)].result_bytes += access.bytes;
  wait_until(access.taken);
  return access.done;
}

void TileModule::complete(Job& job, uint64_t finish, uint64_t done) {
  const MappedKernel& kernel = context_.mapping(job.configuration.kernel);
  const auto invocations = static_cast<uint64_t>(context_.step(job.step).repeat);
  const uint64_t ii = ii_of(kernel), latency = latency_of(kernel);
  const uint64_t computing = (invocations - 1) * ii + std::min(ii, latency), draining = latency - std::min(ii, latency);
  job.done = done;
  job.parts.computing += computing;
  job.parts.filling += draining + job.lead;
  job.parts.memory += done - job.begun - computing - draining;
  draw(Activity::kMemory, job.configuration.kernel, finish, done);
  KernelResult& sums = context_.kernels[static_cast<size_t>(job.configuration.kernel)];
  ++sums.executions;
  sums.invocations += invocations;
  sums.parts += job.parts;
  last_used_ = done;
  --jobs_under_way_;
  job.completed = true;
  job.finished.notify(sc_core::SC_ZERO_TIME);
  job_completed_.notify(sc_core::SC_ZERO_TIME);
  if (on_completed) on_completed(*this);
}

}  // namespace bitgrid::platform
