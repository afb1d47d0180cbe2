#include "bitgrid_sim/systemc/memories.h"

#include <fmt/format.h>

#include <algorithm>

#include "bitgrid_sim/systemc/memory_map.h"

namespace bitgrid::platform {
namespace {

/// Copies between payload and memory, where the byte enables say so.
void move_bytes(tlm::tlm_generic_payload& payload, std::vector<uint8_t>& contents) {
  const uint64_t address = payload.get_address(), length = payload.get_data_length();
  if (address + length > contents.size()) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  uint8_t* data = payload.get_data_ptr();
  const uint8_t* enables = payload.get_byte_enable_ptr();
  for (uint64_t i = 0; i < length; ++i) {
    if (enables && enables[i] == TLM_BYTE_DISABLED) continue;
    if (payload.is_write()) {
      contents[address + i] = data[i];
    } else {
      data[i] = contents[address + i];
    }
  }
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

uint64_t enabled_bytes(const tlm::tlm_generic_payload& payload) {
  const uint8_t* enables = payload.get_byte_enable_ptr();
  if (!enables) return payload.get_data_length();
  return static_cast<uint64_t>(std::count(enables, enables + payload.get_byte_enable_length(), uint8_t{TLM_BYTE_ENABLED}));
}

/// Sends the payload's bits through the channel and annotates when the last has arrived.
void pass(Channel& channel, uint64_t latency, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  Purpose* purpose = payload.get_extension<Purpose>();
  const uint64_t bits = 8 * uint64_t{payload.get_data_length()};
  purpose->span = channel.take(now() + to_cycles(delay), bits, enabled_bytes(payload), purpose->label);
  delay = cycles(purpose->span.end + latency - now());
}

}  // namespace

Memory::Memory(const sc_core::sc_module_name& name, const Channel& channel, int latency, std::vector<uint8_t> contents)
    : sc_module(name), channel_(channel), latency_(static_cast<uint64_t>(latency)), contents_(std::move(contents)) {
  socket.register_b_transport(this, &Memory::b_transport);
  socket.register_transport_dbg(this, &Memory::transport_dbg);
}

void Memory::b_transport(int, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  pass(channel_, latency_, payload, delay);
  move_bytes(payload, contents_);
}

unsigned Memory::transport_dbg(int, tlm::tlm_generic_payload& payload) {
  move_bytes(payload, contents_);
  return payload.is_response_ok() ? payload.get_data_length() : 0;
}

Sram::Sram(const sc_core::sc_module_name& name, const Platform& platform, uint64_t bytes, std::vector<Track*> tracks)
    : sc_module(name), line_(line_bytes(platform)) {
  socket.register_b_transport(this, &Sram::b_transport);
  const auto n = static_cast<uint64_t>(platform.sram_banks);
  const uint64_t bank_bytes = (bytes + line_ * n - 1) / (line_ * n) * line_;
  for (uint64_t b = 0; b < n; ++b) {
    const std::string bank_name = fmt::format("sram.bank{}", b);
    const Channel channel(bank_name, platform.sram_bits_per_cycle, tracks.empty() ? nullptr : tracks[b]);
    banks_.push_back(
        std::make_unique<Memory>(fmt::format("bank{}", b).c_str(), channel, platform.sram_latency, std::vector<uint8_t>(bank_bytes)));
    to_banks_.push_back(std::make_unique<tlm_utils::simple_initiator_socket<Sram>>(fmt::format("to_bank{}", b).c_str()));
    to_banks_.back()->bind(banks_.back()->socket);
  }
}

void Sram::b_transport(int, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const uint64_t begin = now() + to_cycles(delay), first = payload.get_address() / line_;
  const uint64_t lines = (payload.get_address() + payload.get_data_length() - 1) / line_ - first + 1;
  Transfer last{begin, {begin, begin, begin}};
  for (uint64_t i = 0; i < std::min<uint64_t>(lines, banks_.size()); ++i) access_bank((first + i) % banks_.size(), payload, begin, last);
  payload.get_extension<Purpose>()->span = last.span;
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  delay = cycles(last.done - now());
}

/// The part of a burst that lies in one bank: consecutive lines of it, the burst's own bytes enabled.
void Sram::access_bank(size_t bank, tlm::tlm_generic_payload& payload, uint64_t begin, Transfer& last) {
  const uint64_t address = payload.get_address(), end = address + payload.get_data_length(), n = banks_.size();
  uint64_t first_line = address / line_;
  first_line += (bank + n - first_line % n) % n;
  std::vector<uint8_t> data, enables;
  const auto each_byte = [&](const auto& body) {
    uint64_t i = 0;
    for (uint64_t line = first_line; line * line_ < end; line += n) {
      for (uint64_t byte = line * line_; byte < (line + 1) * line_; ++byte, ++i) body(i, byte, byte >= address && byte < end);
    }
  };
  each_byte([&](uint64_t, uint64_t byte, bool inside) {
    data.push_back(inside && payload.is_write() ? payload.get_data_ptr()[byte - address] : uint8_t{0});
    enables.push_back(inside ? TLM_BYTE_ENABLED : TLM_BYTE_DISABLED);
  });
  const uint32_t label = payload.get_extension<Purpose>()->label;
  const Transfer t = transport(*to_banks_[bank], payload.get_command(), first_line / n * line_, data, begin, label, enables);
  if (payload.is_read()) {
    each_byte([&](uint64_t i, uint64_t byte, bool inside) {
      if (inside) payload.get_data_ptr()[byte - address] = data[i];
    });
  }
  if (t.done >= last.done) last = t;
}

}  // namespace bitgrid::platform
