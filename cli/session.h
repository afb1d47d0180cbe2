// A model of either kind on an engine, ready to take tokens. run and evaluate share it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/model_options.h"
#include "engines/engines.h"
#include "engines/sampling.h"
#include "lowering/mapping/map.h"

namespace bitgrid::cli {

struct SessionOptions {
  std::string model, engine, arch, optimize = "area";
  uint64_t seed = 1;
  ModelOptions scales;
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
  std::function<engines::EngineStats()> stats = [] { return engines::EngineStats{}; };
  mapping::TokenCycles cycles;  // on the grid
  cpu::ScaledTrace trace;       // for models with scales: gets what engine cpu computes
  std::shared_ptr<void> keep;   // what the functions use
};

/// Maps all kernels and shows which one is being mapped.
std::vector<MappedKernel> map_with_progress(const Program& program, const mapping::MapParams& params, Progress& progress);

/// Returns the engine of a run that names none, by the kind of model.
std::string default_engine(const std::string& model);

/// Throws Error if the engine cannot run the model. The session must not move, because its functions refer to it.
std::unique_ptr<Session> open_session(const SessionOptions& options, Progress& progress);

}  // namespace bitgrid::cli
