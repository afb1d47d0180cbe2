// Reads and writes packed words in a memory in as few bursts as their addresses allow.
#pragma once

#include <algorithm>
#include <vector>

#include "bitgrid_sim/systemc/memory_map.h"
#include "bitgrid_sim/systemc/tlm_support.h"

namespace bitgrid::platform {

struct Access {
  uint64_t taken = 0;  // cycle in which the last burst has passed the channels, so that the next access may begin
  uint64_t done = 0;   // cycle in which it has arrived
  uint64_t bytes = 0;

  void add(const Transfer& transfer, uint64_t n) {
    taken = std::max(taken, transfer.span.end);
    done = std::max(done, transfer.done);
    bytes += n;
  }
};

/// Reads the words of `bits` bits at these bit addresses. All bursts begin in cycle now().
template <typename Socket>
std::vector<uint64_t> read_words(Socket& socket, const std::vector<uint64_t>& addresses, uint32_t bits, uint32_t label, Access& access) {
  const std::vector<Burst> list = bursts(addresses, bits);
  std::vector<std::vector<uint8_t>> data;
  for (const Burst& burst : list) {
    data.emplace_back(burst.bytes);
    access.add(read_from(socket, burst.first, data.back(), now(), label), burst.bytes);
  }
  std::vector<uint64_t> words;
  words.reserve(addresses.size());
  for (const uint64_t address : addresses) {
    const auto after = std::upper_bound(list.begin(), list.end(), address / 8, [](uint64_t a, const Burst& b) { return a < b.first; });
    const auto i = static_cast<size_t>(after - list.begin()) - 1;
    words.push_back(get_bits(data[i], address - 8 * list[i].first, bits));
  }
  return words;
}

/// Writes words. Bits in the written bytes that belong to no word become 0.
template <typename Socket>
void write_words(Socket& socket, const std::vector<uint64_t>& addresses, uint32_t bits, const std::vector<uint64_t>& words, uint32_t label,
                 Access& access) {
  for (const Burst& burst : bursts(addresses, bits)) {
    std::vector<uint8_t> data(burst.bytes);
    for (size_t i = 0; i < addresses.size(); ++i) {
      if (addresses[i] / 8 < burst.first || addresses[i] / 8 >= burst.first + burst.bytes) continue;
      set_bits(data, addresses[i] - 8 * burst.first, bits, words[i]);
    }
    access.add(write_to(socket, burst.first, data, now(), label), burst.bytes);
  }
}

}  // namespace bitgrid::platform
