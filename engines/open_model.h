// Models of both kinds, from whatever path names one: model.yaml, a GGUF file, a Hugging Face folder.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "frontend/checkpoint/checkpoint.h"
#include "frontend/tokenizer/tokenizer.h"
#include "ir/float_model.h"
#include "ir/model.h"
#include "ir/scaled_model.h"

namespace bitgrid::engines {

struct OpenParams {
  size_t context = 0;  // positions; 0: the model's own, 4096 at most
  int threads = 1;
  frontend::CheckpointParams checkpoint;
  std::function<void(const std::string&)> progress = [](const std::string&) {};  // what is going on
  std::function<void(const std::string&)> warn = [](const std::string&) {};      // what is odd
};

/// A model with scales and what stands around it. Its integers, and its reals, are made when they are first asked for.
class ScaledSource {
 public:
  /// Throws Error as the readers do.
  ScaledSource(const std::string& path, const OpenParams& params);

  const ScaledModel& integers();
  const FloatModel& reals();
  /// nullptr: the model has none, and texts are numbers of tokens.
  const frontend::Tokenizer* tokenizer() const { return tokenizer_.get(); }
  /// nullptr: a model of our own format.
  const frontend::Checkpoint* checkpoint() const { return checkpoint_.get(); }
  /// Of whichever of the two has been made; otherwise of the integers.
  size_t context();
  size_t vocabulary();

 private:
  OpenParams params_;
  std::shared_ptr<const frontend::Checkpoint> checkpoint_;
  std::unique_ptr<const ScaledModel> integers_;
  std::unique_ptr<const FloatModel> reals_;
  std::unique_ptr<const frontend::Tokenizer> tokenizer_;
};

/// Whether a path names a model with scales: a checkpoint, or model.yaml of that format.
bool is_scaled_model(const std::string& path);

}  // namespace bitgrid::engines
