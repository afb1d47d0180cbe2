// Decides what runs where and when: it takes the streams' tokens through their steps and gives each step a tile.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "bitgrid_sim/systemc/context.h"
#include "bitgrid_sim/systemc/memories.h"
#include "bitgrid_sim/systemc/tile.h"

namespace bitgrid::platform {

/// Assigns jobs to tiles. Resident: the tile that holds the configuration. Shared: the tile that was last given the same configuration,
/// else an idle one (preferably one with the same kernel, else the one idle for the longest), else the first that becomes idle.
class TilePool {
 public:
  TilePool(Context& context, std::vector<std::unique_ptr<TileModule>>& tiles, const std::vector<Configuration>& residents);

  void submit(Job& job);
  /// Returns the resident tile of a configuration.
  TileModule& resident(const Configuration& configuration) { return *residents_.at(key(configuration)); }

 private:
  static std::tuple<int, int64_t, int> key(const Configuration& c) { return {c.kernel, c.stream, c.step}; }
  TileModule* find(const Job& job);
  void give_pending(TileModule& tile);

  Context& context_;
  std::vector<std::unique_ptr<TileModule>>& tiles_;
  std::map<std::tuple<int, int64_t, int>, TileModule*> residents_;
  std::deque<Job*> pending_;
};

class Sequencer : public sc_core::sc_module {
 public:
  tlm_utils::simple_initiator_socket<Sequencer> host{"host"};

  /// `restart` is called when everything is loaded, before the first token.
  Sequencer(const sc_core::sc_module_name& name, Context& context, Dma& dma, TilePool& pool, std::vector<Configuration> residents,
            std::vector<std::unique_ptr<TileModule>>& tiles, std::function<void()> restart);

  uint64_t load_cycles() const { return load_cycles_; }

 private:
  void load();
  void load_tables();
  void run_stream(size_t stream);
  CycleParts run_token(size_t stream, int64_t position);
  void fetch_rows(size_t stream, int64_t position);
  CycleParts run_stages(size_t stream, int64_t position);
  CycleParts run_dataflow(size_t stream, int64_t position);
  CycleParts configure_stage(size_t stream, int64_t position, const std::vector<int>& steps);
  std::vector<int64_t> fetch_logits(size_t stream, int64_t position);
  std::unique_ptr<Job> make_job(size_t stream, int64_t position, int step) const;

  Context& context_;
  Dma& dma_;
  TilePool& pool_;
  std::vector<Configuration> residents_;
  std::vector<std::unique_ptr<TileModule>>& tiles_;
  std::function<void()> restart_;
  std::vector<std::vector<int>> stages_;  // steps of each
  std::vector<std::vector<int>> needs_;   // steps that each step waits for
  size_t loading_ = 0;                    // ports
  sc_core::sc_event loaded_;
  size_t running_ = 0;  // streams
  uint64_t load_cycles_ = 0;
};

}  // namespace bitgrid::platform
