// Places a Program's numbers in the platform's memories. Codes are packed. The data that one step writes begins and ends at a byte
// boundary, so that no two steps write the same byte.
//
//   SRAM   bias tables | for each stream: rows of token tables, tensors (those with a cache as rings of slots)
//   DRAM   token tables | configuration words of every kernel, row by row, 8 bytes each
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "ir/arch.h"
#include "ir/mapped_kernel.h"
#include "ir/program.h"

namespace bitgrid::platform {

struct MemoryMap {
  struct TensorPlace {
    uint64_t base = 0;           // in the stream's part
    std::vector<uint64_t> bits;  // offset of every channel in its slot
    uint64_t slot_bytes = 0;
    int window = 1;  // slots
  };
  /// Rows of packed codes.
  struct TablePlace {
    uint64_t base = 0;
    uint64_t row_bytes = 0;
  };

  std::vector<TensorPlace> tensors;
  std::vector<TablePlace> sram_tables;                  // laid out as DistanceSource reads them; row_bytes = 0: not in SRAM
  std::vector<TablePlace> dram_tables;                  // all tables
  std::map<std::pair<int, int>, uint64_t> row_in_sram;  // of (table, age), in the stream's part
  std::vector<uint64_t> images;                         // of every kernel in DRAM
  uint64_t streams_base = 0, stream_bytes = 0;          // stream s begins at streams_base + s * stream_bytes
  uint64_t sram_bytes = 0, dram_bytes = 0;

  uint64_t stream(size_t s) const { return streams_base + s * stream_bytes; }
};

/// Returns the bytes in a line of an SRAM bank, or 64 if its rate is unlimited.
uint64_t line_bytes(const Platform& platform);

/// Throws Error if a tensor has caches of different sizes. Places begin at multiples of `line` bytes.
MemoryMap make_memory_map(const Program& program, const std::vector<MappedKernel>& mapped, size_t streams, uint64_t line);

/// Returns the initial contents of the DRAM.
std::vector<uint8_t> dram_contents(const Program& program, const std::vector<MappedKernel>& mapped, const MemoryMap& map);

/// Returns the bit addresses in SRAM of the words that an input port reads, for the token at `position`.
std::vector<uint64_t> operand_addresses(const Program& program, const MemoryMap& map, size_t stream, int64_t position, const Step& step,
                                        size_t port, int repetition);
/// The same for the words that an output port writes.
std::vector<uint64_t> result_addresses(const Program& program, const MemoryMap& map, size_t stream, int64_t position, const Step& step,
                                       size_t port, int repetition);

/// Bytes first .. first + bytes - 1.
struct Burst {
  uint64_t first = 0;
  uint64_t bytes = 0;
};
/// Returns the bursts that cover words of `bits` bits at these addresses, in order of address. Adjacent bytes share a burst.
std::vector<Burst> bursts(const std::vector<uint64_t>& addresses, uint32_t bits);

/// Returns `bits` <= 64 bits, starting at bit `first` of little-endian bytes.
uint64_t get_bits(std::span<const uint8_t> bytes, uint64_t first, uint32_t bits);
void set_bits(std::span<uint8_t> bytes, uint64_t first, uint32_t bits, uint64_t value);

}  // namespace bitgrid::platform
