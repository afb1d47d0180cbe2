#include "cli/version.h"

#include <fmt/format.h>

#include "bitgrid_sim/systemc/platform.h"
#include "bitgrid_sim/target.h"
#include "git_version.h"
#include "reference_cpu/scaled/sums.h"

namespace bitgrid::cli {
namespace {

void append_to(std::string& list, const std::string& item) {
  list += (list.empty() ? "" : ", ") + item;
}

/// Names of the simulators' instruction sets, in parentheses where this processor lacks them.
std::string simulator_targets() {
  std::string list;
  for (const sim::SimdTarget target : sim::kSimdTargets)
    append_to(list, sim::has_target(target) ? to_string(target) : "(" + to_string(target) + ")");
  return list;
}

std::string sum_targets() {
  std::string list;
  for (const cpu::SumImplementation& s : cpu::sum_implementations()) append_to(list, s.available() ? s.name : fmt::format("({})", s.name));
  return list;
}

struct OptionalPart {
  const char* name;
  bool present;
  const char* package;  // what has to be installed when it is built
};

std::string optional_parts() {
  constexpr bool kSentencePiece =
#ifdef BITGRID_SENTENCEPIECE
      true;
#else
      false;
#endif
  constexpr bool kNpz =
#ifdef BITGRID_LIBZIP
      true;
#else
      false;
#endif
  std::string list;
  for (const OptionalPart& p :
       {OptionalPart{"SystemC platform", platform::platform_available(), "libsystemc-dev"},
        OptionalPart{"SentencePiece tokenizers", kSentencePiece, "libsentencepiece-dev"}, OptionalPart{".npz files", kNpz, "libzip-dev"},
        OptionalPart{"FST waveforms", BITGRID_HAS_FST, "zlib1g-dev, verilator"},
        OptionalPart{"MPI", BITGRID_HAS_MPI, "libopenmpi-dev, -DBITGRID_MPI=ON"}})
    list += fmt::format("\n  {:26} {}", p.name, p.present ? "yes" : fmt::format("no ({})", p.package));
  return list;
}

}  // namespace

std::string version_text() {
  return fmt::format(
      "bitgrid {}\nsimulators: {}\nsums of packed weights: {}\n  (in parentheses: compiled in, but not on this processor)\noptional "
      "parts:{}",
      kGitVersion, simulator_targets(), sum_targets(), optional_parts());
}

}  // namespace bitgrid::cli
