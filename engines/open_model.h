// Opens models of both kinds from any path that names one: model.yaml, a GGUF file, a Hugging Face folder.
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
  std::function<void(const std::string&)> progress = [](const std::string&) {};  // status messages
  std::function<void(const std::string&)> warn = [](const std::string&) {};      // warnings about anything unusual
};

/// A model with scales, with its tokenizer and its checkpoint. Its integers and its reals are made when they are first requested.
class ScaledSource {
 public:
  /// Throws Error as the readers do.
  ScaledSource(const std::string& path, const OpenParams& params);

  const ScaledModel& integers();
  const FloatModel& reals();
  /// nullptr: the model has none, and texts are token numbers.
  const frontend::Tokenizer* tokenizer() const { return tokenizer_.get(); }
  /// nullptr: a model in our own format.
  const frontend::Checkpoint* checkpoint() const { return checkpoint_.get(); }
  /// Returns the context of the integers or the reals, whichever exist; otherwise that of the integers.
  size_t context();
  size_t vocabulary();

 private:
  OpenParams params_;
  std::shared_ptr<const frontend::Checkpoint> checkpoint_;
  std::unique_ptr<const ScaledModel> integers_;
  std::unique_ptr<const FloatModel> reals_;
  std::unique_ptr<const frontend::Tokenizer> tokenizer_;
};

/// Returns whether a path names a model with scales: a checkpoint, or a model.yaml of that format.
bool is_scaled_model(const std::string& path);

}  // namespace bitgrid::engines
