// A model with one layer of each kind, to be changed and read again.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "frontend/load_model.h"
#include "frontend/safetensors.h"
#include "tests/support/errors.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::frontend {

/// A folder of its own for each test, removed at the end.
class LoadModel : public ::testing::Test {
 protected:
  LoadModel() {
    std::filesystem::create_directories(dir);
    TinyParams p;
    using Block = TinyParams::Block;
    p.layers = {Block::kAttention, Block::kFeedForward, Block::kLinearSign};
    p.table = true;
    files = print_model(tiny_model(p));
    const Safetensors s = parse_safetensors(files.weights, "w");
    for (const auto& [name, e] : s.entries) tensors.push_back(tensor(s, name));
  }
  ~LoadModel() override { std::filesystem::remove_all(dir); }

  void replace(const std::string& what, const std::string& with) {
    const size_t at = files.yaml.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    files.yaml.replace(at, what.size(), with);
  }

  StoredTensor& named(const std::string& name) {
    for (StoredTensor& t : tensors) {
      if (t.name == name) return t;
    }
    throw std::out_of_range(name);
  }

  /// The message for the model as changed, with the folder left out.
  std::string problem() {
    return message([&] { parse_model(files.yaml, "model.yaml", print_safetensors(tensors), "weights.safetensors"); });
  }

  std::string message(const std::function<void()>& f) {
    std::string text = test::error_of(f);
    for (size_t at; (at = text.find(dir + "/")) != std::string::npos;) text.erase(at, dir.size() + 1);
    return text;
  }

  const std::string dir = ::testing::TempDir() + "load_model_test_" + std::to_string(::getpid());
  ModelFiles files;
  std::vector<StoredTensor> tensors;
};

// Lines of the file: 1 format, 2 name, 3 description, 4 weights, 5 vocabulary, 6 width, 7 embedding, 8 layers, 9-18 attention (12 input, 13
// query, 14 key, 15 value, 16 position, 17 score, 18 mix, 19 output), 20-23 feed-forward, 24 linear, 25 head, 26 sampling.

}  // namespace bitgrid::frontend
