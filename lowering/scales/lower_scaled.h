// A model with scales as a Program: matrices whose weights own cells, and vector kernels for everything else. The host moves bits, looks up
// rows, and takes the likeliest token.
#pragma once

#include <optional>
#include <string>

#include "ir/host.h"
#include "ir/program.h"
#include "ir/scaled_model.h"
#include "lowering/numerics/lower.h"

namespace bitgrid::scales {

/// Where the weights of matrices are: in cells, or in memory, from where they stream past activations in cells. Keys and values stream
/// either way.
enum class Dataflow : uint8_t { kResident, kStreamed };

struct LowerScaledParams {
  numerics::LowerParams matrices;
  int context = 0;  // positions that the caches hold; 0: those of the model
  Dataflow dataflow = Dataflow::kStreamed;
};

/// Why a model cannot be lowered yet, and what to do about it; nullopt: it can.
std::optional<ScaledModelProblem> find_lowering_problem(const ScaledModel& model, const CacheForms& cache,
                                                        Dataflow dataflow = Dataflow::kStreamed);
/// "resident" or "streamed"; empty: streamed. Throws Error.
Dataflow parse_dataflow(const std::string& name);

/// The Program whose tensors are what reference_cpu's ScaledEngine tells a trace, under the same names, bit for bit. Throws Error for
/// find_lowering_problem.
Program lower_scaled(const ScaledModel& model, const CacheForms& cache, const LowerScaledParams& params = {});

/// By which the logits of such a Program count.
Scalar logit_unit(const Program& program, const HostTrace& trace, int position);

}  // namespace bitgrid::scales
