#include "bitgrid_sim/systemc/sequencer.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace bitgrid::platform {
namespace {

/// Tensor and channels that a step reads or writes.
struct Range {
  int tensor = 0;
  int first = 0;
  int end = 0;
};

bool meet(const std::vector<Range>& a, const std::vector<Range>& b) {
  for (const Range& x : a) {
    for (const Range& y : b) {
      if (x.tensor == y.tensor && x.first < y.end && y.first < x.end) return true;
    }
  }
  return false;
}

std::vector<Range> reads(const Program& program, const Step& step) {
  std::vector<Range> ranges;
  const Kernel& kernel = program.kernels[static_cast<size_t>(step.kernel)];
  for (size_t port = 0; port < step.inputs.size(); ++port) {
    if (const auto* t = std::get_if<TensorSource>(&step.inputs[port])) {
      ranges.push_back({t->tensor, t->first, t->first + (step.repeat - 1) * t->stride + kernel.inputs[port].words});
    } else if (const auto* c = std::get_if<CacheSource>(&step.inputs[port])) {
      ranges.push_back({program.caches[static_cast<size_t>(c->cache)].tensor, c->first_channel, c->first_channel + c->channels});
    }
  }
  return ranges;
}

std::vector<Range> writes(const Program& program, const Step& step) {
  std::vector<Range> ranges;
  const Kernel& kernel = program.kernels[static_cast<size_t>(step.kernel)];
  for (size_t port = 0; port < step.outputs.size(); ++port) {
    const Destination& d = step.outputs[port];
    ranges.push_back({d.tensor, d.first, d.first + (step.repeat - 1) * d.stride + kernel.outputs[port].words});
  }
  return ranges;
}

/// For each step the earlier ones that write what it reads or writes, or read what it writes.
std::vector<std::vector<int>> dependencies(const Program& program) {
  std::vector<std::vector<Range>> in, out;
  for (const Step& step : program.steps) {
    in.push_back(reads(program, step));
    out.push_back(writes(program, step));
  }
  std::vector<std::vector<int>> needs(program.steps.size());
  for (size_t late = 0; late < needs.size(); ++late) {
    for (size_t early = 0; early < late; ++early) {
      if (meet(out[early], in[late]) || meet(out[early], out[late]) || meet(in[early], out[late]))
        needs[late].push_back(static_cast<int>(early));
    }
  }
  return needs;
}

std::vector<std::vector<int>> steps_by_stage(const Program& program) {
  std::map<int, std::vector<int>> stages;
  for (size_t s = 0; s < program.steps.size(); ++s) stages[program.steps[s].stage].push_back(static_cast<int>(s));
  std::vector<std::vector<int>> result;
  for (auto& [stage, steps] : stages) result.push_back(std::move(steps));
  return result;
}

}  // namespace

TilePool::TilePool(Context& context, std::vector<std::unique_ptr<TileModule>>& tiles, const std::vector<Configuration>& residents)
    : context_(context), tiles_(tiles) {
  for (size_t i = 0; i < residents.size(); ++i) residents_[key(residents[i])] = tiles[i].get();
  for (auto& tile : tiles) {
    tile->on_completed = [this](TileModule& t) { give_pending(t); };
  }
}

TileModule* TilePool::find(const Job& job) {
  if (context_.platform().residency == Residency::kResident) return &resident(job.configuration);
  TileModule* best = nullptr;
  for (const auto& tile : tiles_) {
    if (tile->last_submitted() == job.configuration) return tile.get();
    if (tile->jobs() > 0) continue;
    const auto rank = [&](const TileModule& t) { return std::pair(t.last_submitted().kernel != job.configuration.kernel, t.last_used()); };
    if (!best || rank(*tile) < rank(*best)) best = tile.get();
  }
  return best;
}

void TilePool::submit(Job& job) {
  if (TileModule* tile = find(job)) {
    tile->submit(job);
  } else {
    pending_.push_back(&job);
  }
}

/// A tile that has become idle takes the first job that it holds the configuration of, or else the first.
void TilePool::give_pending(TileModule& tile) {
  if (pending_.empty() || tile.jobs() > 0) return;
  auto it = std::find_if(pending_.begin(), pending_.end(), [&](const Job* j) { return j->configuration == tile.last_submitted(); });
  if (it == pending_.end()) it = pending_.begin();
  Job& job = **it;
  pending_.erase(it);
  tile.submit(job);
}

Sequencer::Sequencer(const sc_core::sc_module_name& name, Context& context, Dma& dma, TilePool& pool, std::vector<Configuration> residents,
                     std::vector<std::unique_ptr<TileModule>>& tiles, std::function<void()> restart)
    : sc_module(name),
      context_(context),
      dma_(dma),
      pool_(pool),
      residents_(std::move(residents)),
      tiles_(tiles),
      restart_(std::move(restart)),
      stages_(steps_by_stage(context.program)),
      needs_(dependencies(context.program)) {
  spawn([this] { load(); }, kStackBytes, context.failure);
}

// Before the first token

void Sequencer::load_tables() {
  const MemoryMap& map = context_.map;
  for (size_t t = 0; t < map.sram_tables.size(); ++t) {
    const uint64_t bytes = map.sram_tables[t].row_bytes * static_cast<uint64_t>(context_.program.tables[t].rows);
    if (bytes > 0) dma_.dram_to_sram(map.dram_tables[t].base, map.sram_tables[t].base, bytes, context_.label(Label::kTables));
  }
}

/// Tables and, side by side for each configuration port, the kernels of resident tiles.
void Sequencer::load() {
  loading_ = dma_.ports.size();
  for (size_t port = 0; port < dma_.ports.size(); ++port) {
    spawn(
        [this, port] {
          for (size_t i = port; i < residents_.size(); i += dma_.ports.size()) tiles_[i]->configure(residents_[i], -1);
          --loading_;
          loaded_.notify(sc_core::SC_ZERO_TIME);
        },
        kGridStackBytes, context_.failure);
  }
  load_tables();
  while (loading_ > 0) sc_core::wait(loaded_);
  load_cycles_ = now();
  restart_();
  running_ = context_.params.streams.size();
  for (size_t stream = 0; stream < context_.params.streams.size(); ++stream)
    spawn([this, stream] { run_stream(stream); }, kStackBytes, context_.failure);
}

// Tokens

void Sequencer::run_stream(size_t stream) {
  StreamResult& result = context_.streams[stream];
  const PlatformParams& params = context_.params;
  const size_t given = params.streams[stream].size(), all = given + static_cast<size_t>(params.generate);
  result.tokens = params.streams[stream];
  for (size_t n = 0; n < std::max(given, all - (params.generate > 0 ? 1 : 0)); ++n) {
    const uint64_t begin = now();
    CycleParts parts = run_token(stream, static_cast<int64_t>(n));
    if (n + 1 >= given && n + 1 < all) {
      const uint64_t from = now();
      const std::vector<int64_t> logits = fetch_logits(stream, static_cast<int64_t>(n));
      parts.memory += now() - from;
      result.tokens.push_back(params.choose(stream, logits));
    }
    result.times.push_back({begin - load_cycles_, now() - load_cycles_, parts});
    if (params.progress) params.progress(fmt::format("stream {} of {}: token {}", stream + 1, params.streams.size(), n + 1));
  }
  if (--running_ == 0) sc_core::sc_stop();
}

CycleParts Sequencer::run_token(size_t stream, int64_t position) {
  const uint64_t begin = now();
  fetch_rows(stream, position);
  const uint64_t fetched = now();
  CycleParts parts = context_.platform().schedule == Schedule::kStages ? run_stages(stream, position) : run_dataflow(stream, position);
  parts.memory += fetched - begin;
  return parts;
}

/// The host names the token; the DMA fetches its rows, and those of tokens before it, from the DRAM.
void Sequencer::fetch_rows(size_t stream, int64_t position) {
  const std::vector<int>& tokens = context_.streams[stream].tokens;
  std::vector<uint8_t> message(4);
  set_bits(message, 0, 32, static_cast<uint64_t>(tokens[static_cast<size_t>(position)]));
  wait_until(write_to(host, 0, message, now(), context_.label(Label::kToken)).done);
  for (const auto& [which, address] : context_.map.row_in_sram) {
    const auto [table, age] = which;
    const MemoryMap::TablePlace& place = context_.map.dram_tables[static_cast<size_t>(table)];
    const int row =
        position < age ? context_.program.tables[static_cast<size_t>(table)].rows - 1 : tokens[static_cast<size_t>(position - age)];
    dma_.dram_to_sram(place.base + static_cast<uint64_t>(row) * place.row_bytes, context_.map.stream(stream) + address, place.row_bytes,
                      context_.label(Label::kTables));
  }
}

std::unique_ptr<Job> Sequencer::make_job(size_t stream, int64_t position, int step) const {
  auto job = std::make_unique<Job>();
  job->stream = stream;
  job->step = step;
  job->position = position;
  job->configuration = configuration_of(context_.program, context_.mapped, stream, step);
  job->ready = now();
  return job;
}

/// Stage after stage: resident cells are written, then the steps run side by side.
CycleParts Sequencer::run_stages(size_t stream, int64_t position) {
  CycleParts parts;
  for (const std::vector<int>& steps : stages_) {
    if (context_.platform().residency == Residency::kResident) parts += configure_stage(stream, position, steps);
    std::vector<std::unique_ptr<Job>> jobs;
    for (const int step : steps) {
      jobs.push_back(make_job(stream, position, step));
      pool_.submit(*jobs.back());
    }
    for (const auto& job : jobs) job->wait_for_completion();
    const auto last = std::max_element(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) { return a->done < b->done; });
    parts += (*last)->parts;
  }
  return parts;
}

CycleParts Sequencer::configure_stage(size_t stream, int64_t position, const std::vector<int>& steps) {
  CycleParts parts;
  for (const int step : steps) {
    const Configuration c = configuration_of(context_.program, context_.mapped, stream, step);
    if (c.step < 0) continue;
    const CycleParts own = pool_.resident(c).configure(c, position);
    context_.kernels[static_cast<size_t>(c.kernel)].parts += own;
    parts += own;
  }
  return parts;
}

/// Each step as soon as those that it needs have finished. The token's time is that of the chain of steps that waited for one another.
CycleParts Sequencer::run_dataflow(size_t stream, int64_t position) {
  const uint64_t begin = now();
  std::vector<std::unique_ptr<Job>> jobs(context_.program.steps.size());
  std::vector<sc_core::sc_event> made(jobs.size());
  for (size_t s = 0; s < jobs.size(); ++s) {
    spawn(
        [&, s] {
          for (const int need : needs_[s]) {
            const auto n = static_cast<size_t>(need);
            while (!jobs[n]) sc_core::wait(made[n]);
            jobs[n]->wait_for_completion();
          }
          jobs[s] = make_job(stream, position, static_cast<int>(s));
          pool_.submit(*jobs[s]);
          made[s].notify(sc_core::SC_ZERO_TIME);
        },
        kStackBytes, context_.failure);
  }
  for (size_t s = 0; s < jobs.size(); ++s) {
    while (!jobs[s]) sc_core::wait(made[s]);
    jobs[s]->wait_for_completion();
  }
  CycleParts parts;
  const auto later = [&](size_t a, size_t b) { return jobs[b]->done > jobs[a]->done ? b : a; };
  size_t at = 0;
  for (size_t s = 1; s < jobs.size(); ++s) at = later(at, s);
  for (;;) {
    parts += jobs[at]->parts;
    if (jobs[at]->ready == begin || needs_[at].empty()) break;
    auto before = static_cast<size_t>(needs_[at][0]);
    for (const int need : needs_[at]) before = later(before, static_cast<size_t>(need));
    at = before;
  }
  return parts;
}

/// The logits of a position travel to the host's mailbox.
std::vector<int64_t> Sequencer::fetch_logits(size_t stream, int64_t position) {
  const Program& program = context_.program;
  const Tensor& tensor = program.tensors[static_cast<size_t>(program.logits)];
  const MemoryMap::TensorPlace& place = context_.map.tensors[static_cast<size_t>(program.logits)];
  const uint64_t slot = context_.map.stream(stream) + place.base + static_cast<uint64_t>(position % place.window) * place.slot_bytes;
  const uint64_t bytes = (place.bits.back() + tensor.encoding.bits + 7) / 8;
  dma_.sram_to_host(slot, 8 + stream * place.slot_bytes, bytes, context_.label(Label::kLogits));
  std::vector<uint8_t> mailbox(bytes);
  // What has arrived is the host's own; looking at it takes no time.
  tlm::tlm_generic_payload peek;
  peek.set_command(tlm::TLM_READ_COMMAND);
  peek.set_address(8 + stream * place.slot_bytes);
  peek.set_data_ptr(mailbox.data());
  peek.set_data_length(static_cast<unsigned>(bytes));
  host->transport_dbg(peek);
  std::vector<int64_t> values;
  for (size_t c = 0; c < static_cast<size_t>(tensor.count); ++c)
    values.push_back(decode(tensor.encoding, c, get_bits(mailbox, place.bits[c], tensor.encoding.bits)));
  return values;
}

}  // namespace bitgrid::platform
