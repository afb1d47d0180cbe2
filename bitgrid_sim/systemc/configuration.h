// Moves configuration words into tiles, through the port and the DMA that feeds it. The DMA also moves table rows and logits.
#pragma once

#include <memory>
#include <vector>

#include "bitgrid_sim/systemc/context.h"
#include "bitgrid_sim/systemc/tlm_support.h"
#include "bitgrid_sim/systemc/word_access.h"

namespace bitgrid::platform {

/// One cell of the kernel in a tile: its index in the grid and its new word.
struct WordWrite {
  uint32_t cell = 0;
  CellWord word = 0;
};
inline constexpr size_t kWordWriteBytes = 12;

/// Packs payloads of the configuration port: cell indices and words, little-endian. Only the words take time; addresses have separate
/// wires.
std::vector<uint8_t> pack(std::span<const WordWrite> writes);
std::vector<WordWrite> unpack(std::span<const uint8_t> bytes);

/// Forwards cell writes to one of its tiles at the port's rate. Address a selects tile a of the port.
class ConfigurationPort : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<ConfigurationPort> socket{"socket"};
  std::vector<std::unique_ptr<tlm_utils::simple_initiator_socket<ConfigurationPort>>> to_tiles;  // bound by the owner

  ConfigurationPort(const sc_core::sc_module_name& name, const Channel& channel, size_t tiles);
  Channel& channel() { return channel_; }

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

  Channel channel_;
};

class Dma : public sc_core::sc_module {
 public:
  using Socket = tlm_utils::simple_initiator_socket<Dma>;
  Socket dram{"dram"}, sram{"sram"}, host{"host"};
  std::vector<std::unique_ptr<Socket>> ports;  // tile t is behind port t mod the number of ports

  Dma(const sc_core::sc_module_name& name, Context& context);

  // The calling thread waits until all bytes have arrived.
  void dram_to_sram(uint64_t from, uint64_t to, uint64_t bytes, uint32_t label);
  void sram_to_host(uint64_t from, uint64_t to, uint64_t bytes, uint32_t label);
  std::vector<uint64_t> read_sram(const std::vector<uint64_t>& addresses, uint32_t bits, uint32_t label);
  /// Loads all words of a kernel from the DRAM, and replaces those in `changes` (in order of cell).
  void load(size_t tile, int kernel, const std::vector<WordWrite>& changes);
  void write_cells(size_t tile, int kernel, const std::vector<WordWrite>& writes);

 private:
  void copy(Socket& from, uint64_t from_address, Socket& to, uint64_t to_address, uint64_t bytes, uint32_t label);
  Transfer send(size_t tile, int kernel, std::span<const WordWrite> writes, uint64_t begin);

  Context& context_;
};

}  // namespace bitgrid::platform
