// The mapping strategies: the only table of the methods that turn a kernel into cells. map.h chooses among them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ir/mapped_kernel.h"
#include "lowering/mapping/matrix/bit_serial.h"
#include "lowering/mapping/problem.h"

namespace bitgrid::mapping {

/// Why a strategy refuses a kernel.
struct Refusal {
  std::string why;   // "has 40 input bits, and a table at most 12"
  std::string cure;  // what to change; may be empty
};
using Attempt = std::variant<MappedKernel, Refusal>;

/// What is known before anything is laid.
struct StrategySize {
  FormSize form;
  std::optional<BitSerialSize> layout = {};  // if there is an exact closed form
};

/// The best of the strategies that were tried before.
struct Rival {
  int64_t cells = INT64_MAX;  // a result with more cells than this has no use
  bool exact = false;         // an array that computes exactly this function
};

/// How a strategy handles bad cells.
enum class AmongDefects : uint8_t {
  kDetours,  // has layouts that avoid them
  kPlaces,   // puts cells where the fabric is good
  kRigid,    // has a fixed layout, and refuses if it would rely on a bad output
};

enum class StrategyKind : uint8_t {
  kMatrix,   // kernels with the form of a matrix
  kTrivial,  // kernels without logic; nothing else is tried
  kExact,    // logic that is exactly this function; nothing else is tried in wave mode
  kWave,     // any logic, II = 1
  kSettle,   // any logic, inputs held until everything has settled
};

struct Strategy {
  std::string name;     // of --strategy and of MappedKernel::strategy
  std::string purpose;  // a line of help
  StrategyKind kind;
  AmongDefects among_defects;
  /// Null if the size is not known before the kernel is laid, as for all but kMatrix. nullopt: the kernel does not have the form.
  std::optional<StrategySize> (*size)(const MappingProblem& problem);
  /// `report` gets what the netlist mapper reports, even if it throws.
  Attempt (*map)(const MappingProblem& problem, const Rival& rival, NetlistStats* report);
};

/// In the order in which they are tried.
const std::vector<Strategy>& strategies();

/// Throws Error that lists the names of the table.
const Strategy& find_strategy(const std::string& name, const std::vector<Strategy>& table = strategies());

/// Returns "name    purpose", one line each.
std::string list_strategies();

}  // namespace bitgrid::mapping
