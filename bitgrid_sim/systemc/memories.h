// Memories behind channels: TLM-2.0 targets with contents.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bitgrid_sim/systemc/tlm_support.h"

namespace bitgrid::platform {

/// A memory behind one channel: DRAM, the host's mailboxes, and single-ported banks of SRAM.
class Memory : public sc_core::sc_module {
 public:
  tlm_utils::multi_passthrough_target_socket<Memory> socket{"socket"};

  Memory(const sc_core::sc_module_name& name, const Channel& channel, int latency, std::vector<uint8_t> contents);
  Channel& channel() { return channel_; }

 private:
  void b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(int id, tlm::tlm_generic_payload& payload);

  Channel channel_;
  uint64_t latency_;
  std::vector<uint8_t> contents_;
};

/// The banks behind a crossbar. Line l is line l / banks of bank l mod banks, and each bank has its own addresses. A bank reads or writes
/// one line per cycle. A burst goes to all its banks at once.
class Sram : public sc_core::sc_module {
 public:
  tlm_utils::multi_passthrough_target_socket<Sram> socket{"socket"};

  /// `tracks` has one entry per bank, or none.
  Sram(const sc_core::sc_module_name& name, const Platform& platform, uint64_t bytes, std::vector<Track*> tracks);
  std::vector<std::unique_ptr<Memory>>& banks() { return banks_; }

 private:
  void b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void access_bank(size_t bank, tlm::tlm_generic_payload& payload, uint64_t begin, Transfer& last);

  uint64_t line_;
  std::vector<std::unique_ptr<Memory>> banks_;
  std::vector<std::unique_ptr<tlm_utils::simple_initiator_socket<Sram>>> to_banks_;
};

}  // namespace bitgrid::platform
