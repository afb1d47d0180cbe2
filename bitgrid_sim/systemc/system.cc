#include "bitgrid_sim/systemc/system.h"

#include <fmt/format.h>

#include <algorithm>

#include "bitgrid_sim/systemc/sequencer.h"

// SystemC's library has a main() that wants it; ours never comes to that.
int sc_main(int, char**) {
  return 0;
}

namespace bitgrid::platform {

bool platform_available() {
  return true;
}

void spawn(std::function<void()> body, size_t stack_bytes, std::exception_ptr& failure) {
  sc_core::sc_spawn_options options;
  options.set_stack_size(static_cast<int>(stack_bytes));
  sc_core::sc_spawn(
      [body = std::move(body), &failure] {
        try {
          body();
        } catch (const sc_core::sc_unwind_exception&) {
          throw;
        } catch (...) {
          if (!failure) failure = std::current_exception();
          sc_core::sc_stop();
        }
      },
      sc_core::sc_gen_unique_name("process"), &options);
}

namespace {

/// All modules, bound to one another.
class System {
 public:
  explicit System(Context& context) : context_(context), residents_(resident_tiles(context)), tracks_(make_tracks()) {
    const Platform& p = context.platform();
    const auto bus = [&](const std::string& name, int rate) { return Channel(name, rate, bus_track(name)); };
    sram_ = std::make_unique<Sram>("sram", p, context.map.sram_bytes, bank_tracks());
    dram_ = std::make_unique<Memory>("dram", bus("dram", p.dram_bits_per_cycle), p.dram_latency,
                                     dram_contents(context.program, context.mapped, context.map));
    const auto logits = static_cast<size_t>(context.program.logits);
    const uint64_t mailboxes = 8 + context.map.tensors[logits].slot_bytes * context.params.streams.size();
    host_ = std::make_unique<Memory>("host", bus("host", p.host_bits_per_cycle), p.host_latency, std::vector<uint8_t>(mailboxes));
    dma_ = std::make_unique<Dma>("dma", context);
    dma_->sram.bind(sram_->socket);
    dma_->dram.bind(dram_->socket);
    dma_->host.bind(host_->socket);
    for (size_t t = 0; t < tile_count(); ++t) {
      tiles_.push_back(std::make_unique<TileModule>(fmt::format("tile{}", t).c_str(), t, context, *dma_, context.timeline.tracks[t]));
      tiles_.back()->memory.bind(sram_->socket);
    }
    make_ports();
    pool_ = std::make_unique<TilePool>(context, tiles_, residents_);
    sequencer_ = std::make_unique<Sequencer>("sequencer", context, *dma_, *pool_, residents_, tiles_, [this] { restart(); });
    sequencer_->host.bind(host_->socket);
  }

  PlatformResult run() {
    sc_core::sc_start();
    if (context_.failure) std::rethrow_exception(context_.failure);
    PlatformResult result;
    result.load_cycles = sequencer_->load_cycles();
    result.cycles = now() - result.load_cycles;
    result.sram_bytes = context_.map.sram_bytes;
    result.dram_bytes = context_.map.dram_bytes;
    for (size_t t = 0; t < tiles_.size(); ++t) {
      auto& intervals = context_.timeline.tracks[t].intervals;
      intervals = resolve(std::move(intervals));
      result.tiles.push_back(tiles_[t]->result());
      result.tiles.back().parts = sum(intervals, result.cycles);
    }
    result.kernels = std::move(context_.kernels);
    each_channel([&](Channel& channel) { result.buses.push_back(channel.result()); });
    result.streams = std::move(context_.streams);
    if (context_.params.keep_timeline) result.timeline = std::move(context_.timeline);
    return result;
  }

 private:
  static std::vector<Configuration> resident_tiles(const Context& context) {
    if (context.platform().residency == Residency::kShared) return {};
    return resident_configurations(context.program, context.mapped, context.params.streams.size());
  }

  size_t tile_count() const { return residents_.empty() ? static_cast<size_t>(std::max(1, context_.platform().tiles)) : residents_.size(); }

  std::string tile_name(size_t t) const {
    if (residents_.empty()) return fmt::format("tile {}", t);
    const Configuration& c = residents_[t];
    if (c.step < 0) return context_.mapping(c.kernel).name;
    const std::string& step = context_.step(c.step).name;
    return context_.params.streams.size() == 1 ? step : fmt::format("{} of stream {}", step, c.stream);
  }

  /// Track number of the first bus.
  size_t make_tracks() {
    const Platform& p = context_.platform();
    Timeline& timeline = context_.timeline;
    for (const Kernel& kernel : context_.program.kernels) timeline.labels.push_back(kernel.name);
    for (const char* label : {"tables", "token", "logits"}) timeline.labels.emplace_back(label);
    for (size_t t = 0; t < tile_count(); ++t) timeline.tracks.push_back({tile_name(t), true, {}});
    const size_t first = timeline.tracks.size();
    for (int b = 0; b < p.sram_banks; ++b) timeline.tracks.push_back({fmt::format("sram.bank{}", b), false, {}});
    timeline.tracks.push_back({"dram", false, {}});
    timeline.tracks.push_back({"host", false, {}});
    for (int c = 0; c < p.configuration_ports; ++c) timeline.tracks.push_back({fmt::format("configuration{}", c), false, {}});
    return first;
  }

  Track* bus_track(const std::string& name) {
    if (!context_.params.keep_timeline) return nullptr;
    auto& tracks = context_.timeline.tracks;
    return &*std::find_if(tracks.begin(), tracks.end(), [&](const Track& t) { return !t.is_tile && t.name == name; });
  }

  std::vector<Track*> bank_tracks() {
    std::vector<Track*> tracks;
    if (!context_.params.keep_timeline) return tracks;
    for (int b = 0; b < context_.platform().sram_banks; ++b) tracks.push_back(&context_.timeline.tracks[tracks_ + static_cast<size_t>(b)]);
    return tracks;
  }

  void make_ports() {
    const size_t n = dma_->ports.size();
    for (size_t c = 0; c < n; ++c) {
      const std::string name = fmt::format("configuration{}", c);
      const size_t tiles = (tiles_.size() + n - 1 - c) / n;
      const Channel channel(name, context_.params.arch.configuration_bits_per_cycle, bus_track(name));
      ports_.push_back(std::make_unique<ConfigurationPort>(name.c_str(), channel, tiles));
      dma_->ports[c]->bind(ports_.back()->socket);
      for (size_t i = 0; i < tiles; ++i) ports_.back()->to_tiles[i]->bind(tiles_[i * n + c]->configuration);
    }
  }

  template <typename Body>
  void each_channel(const Body& body) {
    for (auto& bank : sram_->banks()) body(bank->channel());
    body(dram_->channel());
    body(host_->channel());
    for (auto& port : ports_) body(port->channel());
  }

  /// Counting begins with the first token.
  void restart() {
    each_channel([](Channel& channel) { channel.restart(); });
    for (auto& tile : tiles_) tile->restart();
    for (size_t k = 0; k < context_.kernels.size(); ++k) {
      context_.kernels[k] = {};
      context_.kernels[k].name = context_.program.kernels[k].name;
    }
  }

  Context& context_;
  std::vector<Configuration> residents_;
  size_t tracks_;
  std::unique_ptr<Sram> sram_;
  std::unique_ptr<Memory> dram_, host_;
  std::unique_ptr<Dma> dma_;
  std::vector<std::unique_ptr<TileModule>> tiles_;
  std::vector<std::unique_ptr<ConfigurationPort>> ports_;
  std::unique_ptr<TilePool> pool_;
  std::unique_ptr<Sequencer> sequencer_;
};

/// Cycles are counted from the first token on.
void shift(Timeline& timeline, uint64_t by) {
  for (Track& track : timeline.tracks) {
    for (Interval& i : track.intervals) {
      i.begin -= by;
      i.end -= by;
    }
  }
}

}  // namespace

PlatformResult run_system(const Program& program, const std::vector<MappedKernel>& mapped, const MemoryMap& map,
                          const PlatformParams& params) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_DO_NOTHING);
  Context context{program, mapped, map, params};
  context.kernels.resize(program.kernels.size());
  for (const auto& given : params.streams) {
    StreamResult stream;
    stream.values.positions = static_cast<int>(given.size()) + std::max(0, params.generate - 1);
    for (const Tensor& tensor : program.tensors) {
      const size_t values = static_cast<size_t>(tensor.count) * static_cast<size_t>(stream.values.positions);
      stream.values.codes.emplace_back(params.keep_values ? values : 0);
    }
    context.streams.push_back(std::move(stream));
  }
  // Never destroyed: processes still wait on its events, and the process ends here.
  auto* system = new System(context);
  PlatformResult result = system->run();
  shift(result.timeline, result.load_cycles);
  return result;
}

}  // namespace bitgrid::platform
