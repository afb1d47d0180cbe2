// Turns a model with scales into a Program: matrices whose weights own cells, and vector kernels for everything else. The host moves bits,
// looks up rows, and takes the likeliest token.
#pragma once

#include <optional>
#include <string>

#include "ir/host.h"
#include "ir/program.h"
#include "ir/scaled_model.h"
#include "lowering/numerics/lower.h"

namespace bitgrid::scales {

/// Where the weights of matrices are: in cells, or in memory, from which they stream past activations in cells. Keys and values stream
/// either way.
enum class Dataflow : uint8_t { kResident, kStreamed };

struct LowerScaledParams {
  numerics::LowerParams matrices;
  int context = 0;  // positions that the caches hold; 0: those of the model
  Dataflow dataflow = Dataflow::kStreamed;
  int threads = 1;  // that read embeddings and the head's weights; the result does not depend on it
};

/// Returns why a model cannot be lowered yet and what to do about it, or nullopt if it can.
std::optional<ScaledModelProblem> find_lowering_problem(const ScaledModel& model, const CacheForms& cache,
                                                        Dataflow dataflow = Dataflow::kStreamed);
/// Reads "resident" or "streamed"; empty means streamed. Throws Error.
Dataflow parse_dataflow(const std::string& name);

/// Returns the Program. Its tensors equal, bit for bit, what reference_cpu's ScaledEngine reports to a trace under the same names. Throws
/// find_lowering_problem as an Error.
Program lower_scaled(const ScaledModel& model, const CacheForms& cache, const LowerScaledParams& params = {});

/// Returns the unit of the logits of such a Program.
Scalar logit_unit(const Program& program, const HostTrace& trace, int position);

}  // namespace bitgrid::scales
