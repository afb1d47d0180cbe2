#include "bitgrid_sim/systemc/memory_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "ir/error.h"
#include "ir/host.h"

namespace bitgrid::platform {
namespace {

uint64_t round_up_to(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

uint64_t row_bytes(const CodeTable& table) {
  return (static_cast<uint64_t>(table.cols) * table.bits + 7) / 8;
}

/// Channels at which what a step writes begins or ends.
std::vector<std::set<int>> block_borders(const Program& program) {
  std::vector<std::set<int>> borders(program.tensors.size());
  for (const Step& step : program.steps) {
    const Kernel& kernel = program.kernels[static_cast<size_t>(step.kernel)];
    for (size_t port = 0; port < step.outputs.size(); ++port) {
      const Destination& d = step.outputs[port];
      for (int r = 0; r < step.repeat; ++r) {
        borders[static_cast<size_t>(d.tensor)].insert(d.first + r * d.stride);
        borders[static_cast<size_t>(d.tensor)].insert(d.first + r * d.stride + kernel.outputs[port].words);
      }
    }
  }
  return borders;
}

class Layout {
 public:
  Layout(const Program& program, const std::vector<MappedKernel>& mapped, uint64_t line)
      : program_(program), mapped_(mapped), line_(line) {}

  MemoryMap make(size_t streams) {
    place_tables();
    place_rows();
    place_tensors();
    map_.stream_bytes = stream_end_;
    map_.sram_bytes = map_.streams_base + streams * map_.stream_bytes;
    for (const MappedKernel& kernel : mapped_) {
      map_.images.push_back(map_.dram_bytes);
      map_.dram_bytes += 8 * kernel.grid.cells.size();
    }
    return std::move(map_);
  }

 private:
  void place_tables() {
    std::vector<bool> by_distance(program_.tables.size());
    for (const Step& step : program_.steps) {
      for (const Source& s : step.inputs) {
        if (const auto* d = std::get_if<DistanceSource>(&s)) by_distance[static_cast<size_t>(d->table)] = true;
      }
    }
    for (size_t t = 0; t < program_.tables.size(); ++t) {
      const CodeTable& table = program_.tables[t];
      const uint64_t bytes = row_bytes(table) * static_cast<uint64_t>(table.rows);
      map_.dram_tables.push_back({map_.dram_bytes, row_bytes(table)});
      map_.dram_bytes = round_up_to(map_.dram_bytes + bytes, 8);
      map_.sram_tables.push_back({map_.streams_base, by_distance[t] ? row_bytes(table) : 0});
      if (by_distance[t]) map_.streams_base = round_up_to(map_.streams_base + bytes, line_);
    }
  }

  void place_rows() {
    for (const Step& step : program_.steps) {
      for (const Source& s : step.inputs) {
        const auto* k = std::get_if<TokenSource>(&s);
        if (!k || !map_.row_in_sram.try_emplace({k->table, k->age}, stream_end_).second) continue;
        stream_end_ = round_up_to(stream_end_ + row_bytes(program_.tables[static_cast<size_t>(k->table)]), line_);
      }
    }
  }

  void place_tensors() {
    const auto borders = block_borders(program_);
    for (size_t t = 0; t < program_.tensors.size(); ++t) {
      const Tensor& tensor = program_.tensors[t];
      MemoryMap::TensorPlace place{stream_end_, {}, 0, 1};
      uint64_t bit = 0;
      for (int c = 0; c < tensor.count; ++c) {
        if (borders[t].count(c) != 0) bit = round_up_to(bit, 8);
        place.bits.push_back(bit);
        bit += tensor.encoding.bits;
      }
      place.slot_bytes = round_up_to((bit + 7) / 8, line_);
      for (const Cache& cache : program_.caches) {
        if (static_cast<size_t>(cache.tensor) != t) continue;
        if (place.window != 1 && place.window != cache.window) {
          throw Error("program, tensor " + tensor.name, "it has caches of different windows",
                      "this is a bug in the lowering; please report it with the model file");
        }
        place.window = cache.window;
      }
      stream_end_ += place.slot_bytes * static_cast<uint64_t>(place.window);
      map_.tensors.push_back(std::move(place));
    }
  }

  const Program& program_;
  const std::vector<MappedKernel>& mapped_;
  uint64_t line_;
  uint64_t stream_end_ = 0;
  MemoryMap map_;
};

uint64_t slot_bit(const MemoryMap& map, size_t stream, int tensor, int64_t slot) {
  const MemoryMap::TensorPlace& place = map.tensors[static_cast<size_t>(tensor)];
  return 8 * (map.stream(stream) + place.base + static_cast<uint64_t>(slot) * place.slot_bytes);
}

uint64_t channel_bit(const MemoryMap& map, int tensor, int channel) {
  return map.tensors[static_cast<size_t>(tensor)].bits[static_cast<size_t>(channel)];
}

/// Slot of the token at `position` itself.
int64_t own_slot(const MemoryMap& map, int tensor, int64_t position) {
  return position % map.tensors[static_cast<size_t>(tensor)].window;
}

}  // namespace

uint64_t line_bytes(const Platform& platform) {
  return platform.sram_bits_per_cycle == 0 ? 64 : static_cast<uint64_t>(platform.sram_bits_per_cycle) / 8;
}

MemoryMap make_memory_map(const Program& program, const std::vector<MappedKernel>& mapped, size_t streams, uint64_t line) {
  return Layout(program, mapped, line).make(streams);
}

std::vector<uint8_t> dram_contents(const Program& program, const std::vector<MappedKernel>& mapped, const MemoryMap& map) {
  std::vector<uint8_t> dram(map.dram_bytes);
  for (size_t t = 0; t < program.tables.size(); ++t) {
    const CodeTable& table = program.tables[t];
    for (int row = 0; row < table.rows; ++row) {
      const std::vector<uint64_t> codes = table_row(table, row);
      const uint64_t first = 8 * (map.dram_tables[t].base + static_cast<uint64_t>(row) * map.dram_tables[t].row_bytes);
      for (size_t column = 0; column < codes.size(); ++column) set_bits(dram, first + column * table.bits, table.bits, codes[column]);
    }
  }
  for (size_t k = 0; k < mapped.size(); ++k) {
    for (size_t i = 0; i < mapped[k].grid.cells.size(); ++i) set_bits(dram, 8 * (map.images[k] + 8 * i), 64, mapped[k].grid.cells[i]);
  }
  return dram;
}

std::vector<uint64_t> operand_addresses(const Program& program, const MemoryMap& map, size_t stream, int64_t position, const Step& step,
                                        size_t port, int repetition) {
  const KernelPort& p = program.kernels[static_cast<size_t>(step.kernel)].inputs[port];
  const Source& source = step.inputs[port];
  std::vector<uint64_t> addresses;
  for (int word = 0; word < p.words; ++word) {
    if (const auto* t = std::get_if<TensorSource>(&source)) {
      addresses.push_back(slot_bit(map, stream, t->tensor, own_slot(map, t->tensor, position)) +
                          channel_bit(map, t->tensor, t->first + repetition * t->stride + word));
    } else if (const auto* k = std::get_if<TokenSource>(&source)) {
      const uint64_t row = map.stream(stream) + map.row_in_sram.at({k->table, k->age});
      addresses.push_back(8 * row + static_cast<uint64_t>(k->first + word) * p.bits);
    } else if (const auto* d = std::get_if<DistanceSource>(&source)) {
      const MemoryMap::TablePlace& place = map.sram_tables[static_cast<size_t>(d->table)];
      const int64_t other = position_of_slot(position, d->first_slot + word, d->window);
      const auto column = static_cast<uint64_t>(other < 0 ? d->window : position - other);
      addresses.push_back(8 * (place.base + static_cast<uint64_t>(d->row) * place.row_bytes) + column * p.bits);
    } else {
      const auto& c = std::get<CacheSource>(source);
      const int tensor = program.caches[static_cast<size_t>(c.cache)].tensor;
      addresses.push_back(slot_bit(map, stream, tensor, c.first_slot + word / c.channels) +
                          channel_bit(map, tensor, c.first_channel + word % c.channels));
    }
  }
  return addresses;
}

std::vector<uint64_t> result_addresses(const Program& program, const MemoryMap& map, size_t stream, int64_t position, const Step& step,
                                       size_t port, int repetition) {
  const Destination& d = step.outputs[port];
  std::vector<uint64_t> addresses;
  for (int word = 0; word < program.kernels[static_cast<size_t>(step.kernel)].outputs[port].words; ++word) {
    addresses.push_back(slot_bit(map, stream, d.tensor, own_slot(map, d.tensor, position)) +
                        channel_bit(map, d.tensor, d.first + repetition * d.stride + word));
  }
  return addresses;
}

std::vector<Burst> bursts(const std::vector<uint64_t>& addresses, uint32_t bits) {
  std::vector<uint64_t> sorted = addresses;
  std::sort(sorted.begin(), sorted.end());
  std::vector<Burst> result;
  for (const uint64_t address : sorted) {
    const uint64_t first = address / 8, end = (address + bits + 7) / 8;
    if (!result.empty() && first <= result.back().first + result.back().bytes) {
      result.back().bytes = std::max(result.back().bytes, end - result.back().first);
    } else {
      result.push_back({first, end - first});
    }
  }
  return result;
}

uint64_t get_bits(std::span<const uint8_t> bytes, uint64_t first, uint32_t bits) {
  uint64_t value = 0;
  for (uint32_t done = 0; done < bits;) {
    const uint64_t at = first + done;
    const auto shift = static_cast<uint32_t>(at % 8), n = std::min(8 - shift, bits - done);
    value |= (uint64_t{bytes[at / 8]} >> shift & ((1u << n) - 1)) << done;
    done += n;
  }
  return value;
}

void set_bits(std::span<uint8_t> bytes, uint64_t first, uint32_t bits, uint64_t value) {
  for (uint32_t done = 0; done < bits;) {
    const uint64_t at = first + done;
    const auto shift = static_cast<uint32_t>(at % 8), n = std::min(8 - shift, bits - done);
    const uint32_t mask = ((1u << n) - 1) << shift;
    bytes[at / 8] = static_cast<uint8_t>((bytes[at / 8] & ~mask) | (static_cast<uint32_t>(value >> done << shift) & mask));
    done += n;
  }
}

}  // namespace bitgrid::platform
