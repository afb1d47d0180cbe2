#include "engines/scaled_runner.h"

#include <cmath>
#include <memory>

#include "ir/error.h"
#include "reference_cpu/scaled/float_engine.h"

namespace bitgrid::engines {

ScaledRunner integer_runner(ScaledSource& source, const ScaledRunParams& params) {
  const auto engine =
      std::make_shared<cpu::ScaledEngine>(source.integers(), cpu::ScaledParams{params.cache, {cpu::SumKernel::kFast, params.threads}});
  const auto state = std::make_shared<cpu::ScaledState>(engine->start());
  return {[engine, state](int token, bool want, const cpu::ScaledTrace& trace) { return engine->step(*state, token, want, trace); },
          [engine, state] { *state = engine->start(); }};
}

ScaledRunner float_runner(ScaledSource& source, const ScaledRunParams& params) {
  constexpr int kFractionBits = 40;
  if (params.cache != CacheForms{}) throw Error("--kv", "engine float keeps keys and values as they are", "leave --kv out");
  const auto engine = std::make_shared<cpu::FloatEngine>(source.reals());
  const auto state = std::make_shared<cpu::FloatState>(engine->start());
  return {[engine, state](int token, bool, const cpu::ScaledTrace& trace) {
            if (trace) throw Error("--dump", "engine float has no integers in between", "give --engine cpu");
            cpu::ScaledLogits logits;
            for (const double z : engine->step(*state, token)) logits.values.push_back(std::llround(std::ldexp(z, kFractionBits)));
            logits.unit = shifted(scalar(1), -kFractionBits);
            return logits;
          },
          [engine, state] { *state = engine->start(); }};
}

}  // namespace bitgrid::engines
