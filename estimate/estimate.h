// Estimates how large, how fast and how costly a model is on a fabric, from the sizes and times of its kernels, before anything is mapped.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "estimate/shape_kernels.h"
#include "estimate/technology.h"
#include "ir/arch.h"

namespace bitgrid::estimate {

struct EstimateParams {
  Arch arch;
  Technology technology;
  int64_t streams = 1;  // independent texts served at once; keys and values of each are resident
};

/// Reads the files of --arch and --technology; empty means the defaults. Without a technology file, the clock is the architecture's. Throws
/// Error as load_arch and load_technology do.
EstimateParams load_estimate_params(const std::string& arch_file, const std::string& technology_file);

/// What limits a figure, by which share, and what would relieve it.
struct Bottleneck {
  std::string what;
  double share = 0;  // of a token's cycles
  std::string relief;
};

struct Estimate {
  std::vector<KernelFigures> kernels;
  int64_t cells_total = 0;           // of all streams
  int64_t resident_cells = 0;        // cells of tiles with keys and values, of one stream; included in cells_total
  int64_t tiles = 0;                 // of the architecture's size, if it has one; otherwise one per kernel
  int64_t kernel_cycles = 0;         // of one token: stages one after another, like cycles_per_token in lowering/mapping/map.h
  int64_t configuration_cycles = 0;  // keys and values that a token writes
  int64_t reload_cycles = 0;         // to configure what has no cells of its own, for each token of each stream
  int64_t cycles_per_token = 0;      // sum of the three: the latency of a token
  int64_t busiest_cycles = 0;        // of the kernel that a token keeps busy the longest: with many streams, the cycles between tokens
  int64_t memory_cycles = 0;         // of a token's traffic, at the memory's full rate
  int64_t memory_bits = 0;           // in and out of ports, per token
  int64_t configuration_bits = 0;    // of all cells
  double load_seconds = 0;           // of all cells through one configuration port
  double tokens_per_second = 0;      // of all streams
  double tokens_per_second_per_stream = 0;
  double area_mm2 = 0;
  double energy_per_token_j = 0;
  double energy_cells_j = 0, energy_memory_j = 0, energy_configuration_j = 0, energy_leakage_j = 0;
  double bit_macs_per_token = 0;
  Bottleneck latency;     // of one stream
  Bottleneck throughput;  // of all
};

/// Throws Error if a count does not fit 63 bits.
Estimate estimate(std::vector<KernelFigures> kernels, const EstimateParams& params);

/// The kernel of each stage that takes a token longest, and how long.
struct LongestKernel {
  const KernelFigures* kernel = nullptr;
  int64_t cycles = 0;
};
std::map<int, LongestKernel> longest_of_stages(const std::vector<KernelFigures>& kernels);

/// Returns the JSON that docs/estimate.md describes.
nlohmann::ordered_json estimate_json(const Estimate& e, const EstimateParams& params);
/// Tables for people. Kernels of many layers are summed by name. `unit`: what a token is called ("inference").
std::string estimate_text(const Estimate& e, const EstimateParams& params, const std::string& unit = "token");

}  // namespace bitgrid::estimate
