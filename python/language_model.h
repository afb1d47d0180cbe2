// bitgrid.LanguageModel in C++: models of texts, of both kinds.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engines/session.h"

namespace bitgrid::python {

/// Where a model tells what is going on and what is unusual: its integers are made when they are first asked for, by whatever work that is.
struct ModelTalk {
  std::mutex in_use;  // one piece of work at a time
  engines::Say say = [](const std::string&) {};
  std::vector<std::string> notes;
};

struct LanguageModelObject {
  std::string path;
  int threads = 0;
  engines::TextModel model;
  std::shared_ptr<ModelTalk> talk = std::make_shared<ModelTalk>();
};

struct LoadOptions {
  int context = 0;  // positions; 0: the model's own, 4096 at most
  int threads = 0;  // 0: all
};

/// Throws Error as the readers do. What is odd in the model is a warning of Python's.
LanguageModelObject load_language_model(const std::string& path, const LoadOptions& options);

}  // namespace bitgrid::python
