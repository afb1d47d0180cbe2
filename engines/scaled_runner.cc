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
  return {[engine, state](std::span<const int> tokens, bool all, const auto& each, const cpu::ScaledTrace& trace) {
            engine->feed(*state, tokens, all, each, trace);
          },
          [engine, state] { *state = engine->start(); }};
}

ScaledRunner float_runner(ScaledSource& source, const ScaledRunParams& params) {
  constexpr int kFractionBits = 40;
  if (params.cache != CacheForms{}) throw Error("--kv", "engine float keeps keys and values as they are", "leave --kv out");
  const auto engine = std::make_shared<cpu::FloatEngine>(source.reals());
  const auto state = std::make_shared<cpu::FloatState>(engine->start());
  return {[engine, state](std::span<const int> tokens, bool all, const auto& each, const cpu::ScaledTrace& trace) {
            if (trace) throw Error("--dump", "engine float has no integers in between", "give --engine cpu");
            for (size_t i = 0; i < tokens.size(); ++i) {
              cpu::ScaledLogits logits;
              for (const double z : engine->step(*state, tokens[i])) logits.values.push_back(std::llround(std::ldexp(z, kFractionBits)));
              logits.unit = shifted(scalar(1), -kFractionBits);
              if (all || i + 1 == tokens.size()) each(i, std::move(logits));
            }
          },
          [engine, state] { *state = engine->start(); }};
}

cpu::ScaledLogits step(const ScaledRunner& runner, int token) {
  cpu::ScaledLogits out;
  runner.feed(
      std::span(&token, 1), false, [&](size_t, cpu::ScaledLogits z) { out = std::move(z); }, nullptr);
  return out;
}

}  // namespace bitgrid::engines
