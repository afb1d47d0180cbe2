#include "bitgrid_sim/systemc/configuration.h"

#include <fmt/format.h>

namespace bitgrid::platform {
namespace {

/// Bursts that the DMA has under way for one block.
constexpr size_t kOutstanding = 16;

/// Holds a thread back while as many bursts of it are under way.
class Outstanding {
 public:
  void add(uint64_t done) {
    done_.push_back(done);
    last_ = std::max(last_, done);
    if (done_.size() < kOutstanding) return;
    wait_until(done_.front());
    done_.pop_front();
  }
  void wait_for_all() const { wait_until(last_); }

 private:
  std::deque<uint64_t> done_;
  uint64_t last_ = 0;
};

}  // namespace

std::vector<uint8_t> pack(std::span<const WordWrite> writes) {
  std::vector<uint8_t> bytes(kWordWriteBytes * writes.size());
  for (size_t i = 0; i < writes.size(); ++i) {
    set_bits(bytes, 8 * kWordWriteBytes * i, 32, writes[i].cell);
    set_bits(bytes, 8 * kWordWriteBytes * i + 32, 64, writes[i].word);
  }
  return bytes;
}

std::vector<WordWrite> unpack(std::span<const uint8_t> bytes) {
  std::vector<WordWrite> writes(bytes.size() / kWordWriteBytes);
  for (size_t i = 0; i < writes.size(); ++i) {
    writes[i] = {static_cast<uint32_t>(get_bits(bytes, 8 * kWordWriteBytes * i, 32)), get_bits(bytes, 8 * kWordWriteBytes * i + 32, 64)};
  }
  return writes;
}

ConfigurationPort::ConfigurationPort(const sc_core::sc_module_name& name, const Channel& channel, size_t tiles)
    : sc_module(name), channel_(channel) {
  socket.register_b_transport(this, &ConfigurationPort::b_transport);
  for (size_t t = 0; t < tiles; ++t) {
    to_tiles.push_back(std::make_unique<tlm_utils::simple_initiator_socket<ConfigurationPort>>(fmt::format("to_tile{}", t).c_str()));
  }
}

void ConfigurationPort::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  Purpose* purpose = payload.get_extension<Purpose>();
  const uint64_t words = payload.get_data_length() / kWordWriteBytes;
  purpose->span = channel_.take(now() + to_cycles(delay), 64 * words, 8 * words, purpose->label);
  delay = cycles(purpose->span.end - now());
  (*to_tiles[payload.get_address()])->b_transport(payload, delay);
}

Dma::Dma(const sc_core::sc_module_name& name, Context& context) : sc_module(name), context_(context) {
  for (int p = 0; p < context.platform().configuration_ports; ++p) {
    ports.push_back(std::make_unique<Socket>(fmt::format("port{}", p).c_str()));
  }
}

void Dma::copy(Socket& from, uint64_t from_address, Socket& to, uint64_t to_address, uint64_t bytes, uint32_t label) {
  const auto burst = static_cast<uint64_t>(context_.platform().dma_burst_bytes);
  Outstanding outstanding;
  for (uint64_t done = 0; done < bytes; done += burst) {
    std::vector<uint8_t> data(std::min(burst, bytes - done));
    const Transfer in = read_from(from, from_address + done, data, now(), label);
    outstanding.add(write_to(to, to_address + done, data, in.done, label).done);
    wait_until(in.span.end);
  }
  outstanding.wait_for_all();
}

void Dma::dram_to_sram(uint64_t from, uint64_t to, uint64_t bytes, uint32_t label) {
  copy(dram, from, sram, to, bytes, label);
}

void Dma::sram_to_host(uint64_t from, uint64_t to, uint64_t bytes, uint32_t label) {
  copy(sram, from, host, to, bytes, label);
}

std::vector<uint64_t> Dma::read_sram(const std::vector<uint64_t>& addresses, uint32_t bits, uint32_t label) {
  Access access;
  std::vector<uint64_t> words = read_words(sram, addresses, bits, label, access);
  wait_until(access.done);
  return words;
}

Transfer Dma::send(size_t tile, int kernel, std::span<const WordWrite> writes, uint64_t begin) {
  std::vector<uint8_t> payload = pack(writes);
  return write_to(*ports[tile % ports.size()], tile / ports.size(), payload, begin, static_cast<uint32_t>(kernel));
}

void Dma::load(size_t tile, int kernel, const std::vector<WordWrite>& changes) {
  const uint64_t image = context_.map.images[static_cast<size_t>(kernel)], cells = context_.mapping(kernel).grid.cells.size();
  const auto burst = static_cast<uint64_t>(context_.platform().dma_burst_bytes) / 8;
  Outstanding outstanding;
  auto change = changes.begin();
  for (uint64_t first = 0; first < cells; first += burst) {
    std::vector<WordWrite> writes(std::min(burst, cells - first));
    std::vector<uint8_t> data(8 * writes.size());
    const Transfer in = read_from(dram, image + 8 * first, data, now(), static_cast<uint32_t>(kernel));
    for (size_t i = 0; i < writes.size(); ++i) {
      writes[i] = {static_cast<uint32_t>(first + i), get_bits(data, 64 * i, 64)};
      for (; change != changes.end() && change->cell == first + i; ++change) writes[i].word = change->word;
    }
    outstanding.add(send(tile, kernel, writes, in.done).done);
    wait_until(in.span.end);
  }
  outstanding.wait_for_all();
}

void Dma::write_cells(size_t tile, int kernel, const std::vector<WordWrite>& writes) {
  wait_until(send(tile, kernel, writes, now()).done);
}

}  // namespace bitgrid::platform
