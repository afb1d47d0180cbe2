// A model of either kind on an engine, ready to take tokens.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engines/engines.h"
#include "engines/open_model.h"
#include "engines/progress_lines.h"
#include "engines/sampling.h"
#include "ir/arch.h"
#include "lowering/mapping/map.h"

namespace bitgrid::engines {

/// A model that texts run through: one of the two.
struct TextModel {
  std::shared_ptr<const Model> fixed;
  std::shared_ptr<ScaledSource> scaled;
};
/// Throws Error as the readers do. `params`: of models with scales, and who is told what is odd.
TextModel open_text_model(const std::string& path, const OpenParams& params);

struct SessionParams {
  std::string engine;
  uint64_t seed = 1;  // of the mapping
  mapping::Optimize optimize = mapping::Optimize::kArea;
  Arch arch = {};  // of models of our own dialect
  // Of models with scales:
  CacheForms cache = {};
  scales::Dataflow dataflow = scales::Dataflow::kStreamed;
  int threads = 1;
  Say say = [](const std::string&) {};
  /// Returns the kernels of an earlier mapping of the same lowering, which replaces a new one.
  std::function<std::vector<MappedKernel>()> mapped = nullptr;
};

struct SamplingOptions {
  std::string temperature;  // empty: greedy
  int top_k = 0;
  std::string top_p;  // empty: 1
};

/// The logits of one position. Probabilities are softmax(values * unit).
struct Logits {
  std::vector<int64_t> values;
  double unit = 0.0;  // 0: the model states none
  Scalar scalar;      // the same, for models with scales
};

/// Gets the logits after token i.
using EachLogits = std::function<void(size_t i, const Logits& logits)>;

struct Session {
  std::string engine;  // its name
  bool with_scales = false;
  bool on_grid = false;
  size_t context = 0;                              // number of positions; 0: unlimited
  size_t vocabulary = 0;                           // tokens are 0 .. vocabulary - 1
  std::vector<int> eos;                            // tokens that end a text
  const frontend::Tokenizer* tokenizer = nullptr;  // for models with scales that have one

  /// Takes tokens. `each` gets the logits of the last one, or of all.
  std::function<void(std::span<const int> tokens, bool all, const EachLogits& each)> feed;
  /// Forgets the text.
  std::function<void()> restart;
  /// Encodes a prompt, with a begin token if the model wants one; encodes a text unchanged; gives the bytes of a token, at the beginning of
  /// a text or not.
  std::function<std::vector<int>(const std::string&)> encode_prompt;
  std::function<std::vector<int>(const std::string&)> encode;
  std::function<std::string(int token)> bytes_of;
  std::function<std::function<int(const Logits&)>(const SamplingOptions&, uint32_t seed)> sampler;
  std::function<EngineStats()> stats = [] { return EngineStats{}; };
  mapping::TokenCycles cycles;  // on the grid
  cpu::ScaledTrace trace;       // for models with scales: gets what engine cpu computes
  std::shared_ptr<void> keep;   // what the functions use
};

/// Returns the engine of a run that names none, by the kind of model.
std::string default_engine(const std::string& model);

/// Throws Error if the engine cannot run the model. The session must not move, because its functions refer to it.
std::unique_ptr<Session> open_session(const TextModel& model, const SessionParams& params);

}  // namespace bitgrid::engines
