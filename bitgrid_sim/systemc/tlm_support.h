// SystemC and TLM-2.0 as used in this folder. Every file that includes SystemC needs SC_CPLUSPLUS=201703L (CMakeLists.txt), because
// Debian's library is built for C++17.
#pragma once

#define SC_INCLUDE_DYNAMIC_PROCESSES
#include <tlm.h>
#include <tlm_utils/multi_passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cassert>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <systemc>

#include "bitgrid_sim/systemc/channel.h"

namespace bitgrid::platform {

inline sc_core::sc_time cycles(uint64_t n) {
  return sc_core::sc_time(1, sc_core::SC_NS) * static_cast<double>(n);
}
inline uint64_t to_cycles(const sc_core::sc_time& time) {
  return time.value() / sc_core::sc_time(1, sc_core::SC_NS).value();
}
inline uint64_t now() {
  return to_cycles(sc_core::sc_time_stamp());
}
inline void wait_cycles(uint64_t n) {
  if (n > 0) sc_core::wait(cycles(n));
}
inline void wait_until(uint64_t cycle) {
  if (cycle > now()) wait_cycles(cycle - now());
}

/// Says what a transaction is for, and records when the last channel on its way handled it.
struct Purpose : tlm::tlm_extension<Purpose> {
  explicit Purpose(uint32_t l) : label(l) {}
  tlm_extension_base* clone() const override { return new Purpose(*this); }
  void copy_from(const tlm_extension_base& other) override { *this = static_cast<const Purpose&>(other); }

  uint32_t label = 0;
  Span span;
};

struct Transfer {
  uint64_t done = 0;  // cycle in which the last byte has arrived
  Span span;          // on the last channel
};

/// Sends a blocking transaction that begins in cycle `begin` >= now; the initiator waits. `enables`: bytes to touch, or all if it is empty.
template <typename Socket>
Transfer transport(Socket& socket, tlm::tlm_command command, uint64_t address, std::span<uint8_t> data, uint64_t begin, uint32_t label,
                   std::span<uint8_t> enables = {}) {
  tlm::tlm_generic_payload payload;
  Purpose purpose(label);
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(data.data());
  payload.set_data_length(static_cast<unsigned>(data.size()));
  payload.set_streaming_width(static_cast<unsigned>(data.size()));
  payload.set_byte_enable_ptr(enables.empty() ? nullptr : enables.data());
  payload.set_byte_enable_length(static_cast<unsigned>(enables.size()));
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  payload.set_extension(&purpose);
  sc_core::sc_time delay = cycles(begin - now());
  socket->b_transport(payload, delay);
  payload.clear_extension(&purpose);
  assert(payload.is_response_ok());
  return {now() + to_cycles(delay), purpose.span};
}

template <typename Socket>
Transfer read_from(Socket& socket, uint64_t address, std::span<uint8_t> data, uint64_t begin, uint32_t label) {
  return transport(socket, tlm::TLM_READ_COMMAND, address, data, begin, label);
}
template <typename Socket>
Transfer write_to(Socket& socket, uint64_t address, std::span<uint8_t> data, uint64_t begin, uint32_t label) {
  return transport(socket, tlm::TLM_WRITE_COMMAND, address, data, begin, label);
}

/// A first-in first-out queue between threads. front() waits for an element.
template <typename T>
class Queue {
 public:
  void push(T value) {
    values_.push_back(std::move(value));
    changed_.notify(sc_core::SC_ZERO_TIME);
  }
  T& front() {
    while (values_.empty()) sc_core::wait(changed_);
    return values_.front();
  }
  void pop() {
    values_.pop_front();
    changed_.notify(sc_core::SC_ZERO_TIME);
  }
  void wait_shorter_than(size_t size) {
    while (values_.size() >= size) sc_core::wait(changed_);
  }
  size_t size() const { return values_.size(); }

 private:
  std::deque<T> values_;
  sc_core::sc_event changed_;
};

/// Starts a thread. An exception that leaves it ends the simulation and is kept in `failure`.
void spawn(std::function<void()> body, size_t stack_bytes, std::exception_ptr& failure);

}  // namespace bitgrid::platform
