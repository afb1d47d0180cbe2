#include "engines/bits_per_character.h"

#include <cstdint>
#include <vector>

#include "engines/text.h"
#include "engines/text_score.h"
#include "ir/error.h"

namespace bitgrid::engines {

double bits_per_character(const Model& model, const std::string& text, const cpu::CpuParams& params) {
  if (model.logit_scale <= 0.0) throw Error(model.name, "the model states no logit scale", "add `sampling: {logit_scale: X}`");
  const std::vector<int> tokens = tokenise(model, text);
  if (tokens.size() < 2) throw Error(model.name, "the text has fewer than two characters", "use a longer one");
  const cpu::CpuEngine engine(model, params);
  cpu::CpuState state = engine.start();
  double bits = 0.0;
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    const std::vector<int64_t> z = engine.step(state, tokens[i]);
    bits += bits_of(z, model.logit_scale, tokens[i + 1]);
  }
  return bits / static_cast<double>(tokens.size() - 1);
}

}  // namespace bitgrid::engines
