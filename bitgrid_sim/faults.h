// Faults of a fabric: stuck or inverted outputs, and wrong configuration bits. This file has their text form, their effect on a simulated
// grid, and campaigns that find out which of many single faults change a mapped kernel's outputs.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bitgrid_sim/target.h"
#include "ir/bits.h"
#include "ir/mapped_kernel.h"

namespace bitgrid::sim {

enum class FaultKind : uint8_t {
  kStuck0,  // the output latches 0
  kStuck1,  // the output latches 1
  kFlip,    // the output latches the opposite
  kConfig,  // one bit of the configuration word is inverted
};

struct Fault {
  FaultKind kind = FaultKind::kStuck0;
  int x = 0;
  int y = 0;
  unsigned outputs = 15;  // bits N, E, S, W = 0..3; not for kConfig
  unsigned bit = 0;       // of the configuration word, for kConfig
  /// The fault acts only on what is latched in these phases. Phase 0 is that of the first invocation, or the first phase of a stimulus.
  int64_t first = std::numeric_limits<int64_t>::min();
  int64_t last = std::numeric_limits<int64_t>::max();
  bool operator==(const Fault&) const = default;
};

/// Reads lines "stuck0 X Y [NESW] [FIRST[-LAST]]", "stuck1 ..", "flip ..", and "config X Y BIT [FIRST[-LAST]]"; # starts a comment. Letters
/// name the outputs; without letters a fault affects all four. Throws Error with source and line.
std::vector<Fault> parse_faults(std::string_view text, const std::string& source, int width, int height);
std::string print_faults(const std::vector<Fault>& faults);

/// Returns what the latched outputs of a cell become. `inputs` is the index that the cell latched.
unsigned faulty_outputs(const Fault& fault, unsigned outputs, unsigned inputs);

/// Applies faults to a grid: call it once before and once after each step. Works with any grid that has input, output and set_output.
class FaultInjector {
 public:
  explicit FaultInjector(std::vector<Fault> faults) : faults_(std::move(faults)), indices_(faults_.size()) {}
  bool empty() const { return faults_.empty(); }

  template <typename Grid>
  void before_step(const Grid& grid, int64_t phase) {
    for (size_t i = 0; i < faults_.size(); ++i) {
      if (!active(faults_[i], phase) || faults_[i].kind != FaultKind::kConfig) continue;
      indices_[i] = 0;
      for (const Side side : kSides)
        indices_[i] |= static_cast<unsigned>(grid.input(faults_[i].x, faults_[i].y, side)) << static_cast<unsigned>(side);
    }
  }
  template <typename Grid>
  void after_step(Grid& grid, int64_t phase) {
    for (size_t i = 0; i < faults_.size(); ++i) {
      const Fault& f = faults_[i];
      if (!active(f, phase)) continue;
      unsigned outputs = 0;
      for (const Side side : kSides) outputs |= static_cast<unsigned>(grid.output(f.x, f.y, side)) << static_cast<unsigned>(side);
      const unsigned faulty = faulty_outputs(f, outputs, indices_[i]);
      for (const Side side : kSides) {
        const auto s = static_cast<unsigned>(side);
        if (((outputs ^ faulty) >> s) & 1u) grid.set_output(f.x, f.y, side, (faulty >> s) & 1u);
      }
    }
  }

  /// Returns whether the fault's cell latches in that phase and the phase lies within the fault's phases.
  static bool active(const Fault& f, int64_t phase) { return ((f.x + f.y - phase) & 1) == 0 && phase >= f.first && phase <= f.last; }

 private:
  std::vector<Fault> faults_;
  std::vector<unsigned> indices_;  // the inputs that cells with a wrong configuration bit read
};

struct FaultListParams {
  bool stuck0 = true, stuck1 = true, flip = false;  // one fault per output of each cell
  bool config = false;                              // one per configuration bit
  bool upset = false;                               // one flip per output, in one random phase
  int64_t upset_phases = 1;                         // number of phases from which that phase is drawn
  size_t sample = 0;                                // number of faults to draw at random; 0: all
};
/// Lists the single faults of a grid, in order of kind, cell and output.
std::vector<Fault> list_faults(const GridConfig& grid, const FaultListParams& params, std::mt19937_64& random);

struct CampaignParams {
  SimdTarget target = SimdTarget::kAuto;
  size_t threads = 1;
  std::function<void(size_t done, size_t total)> progress;  // in faults; the calling thread calls it
};
/// The effect of one fault.
struct FaultOutcome {
  bool observable = true;       // false: no path leads from it to an output of the kernel
  bool detected = false;        // an output bit differs from that of the sound grid
  size_t first_invocation = 0;  // of the bit that differs first
};
struct CampaignStats {
  uint64_t passes = 0;        // of the stimulus; each simulates 511 faults and a sound grid
  uint64_t phases = 0;        // of all passes
  uint64_t cell_updates = 0;  // of all lanes that held a fault
};

/// Runs the invocations back to back on one grid per fault (in lanes) and compares all output bits with those of the sound grid. Each
/// invocation uses its own resident bits. Throws Error if a fault is outside the grid or the number of columns is wrong.
std::vector<FaultOutcome> run_campaign(const MappedKernel& kernel, const BitMatrix& inputs, const std::vector<Fault>& faults,
                                       const CampaignParams& params = {}, CampaignStats* stats = nullptr);

}  // namespace bitgrid::sim
