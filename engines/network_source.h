// A quantised ONNX file, opened for the engines: its graph, and its integer network once the input's values are known.
#pragma once

#include <string>
#include <vector>

#include "frontend/npy.h"
#include "frontend/onnx/network.h"

namespace bitgrid::engines {

struct OpenNetworkParams {
  std::string input;       // a .npy file of samples; empty: none
  std::string input_grid;  // FIRST:STEP:POINTS of an input without a quantiser; empty: from the samples
  uint64_t seed = 1;       // of samples that are made
  int samples = 64;        // to make where there is no file
  int threads = 1;
};

/// Samples as the graph reads them: each has as many numbers as the network's input.
struct OpenNetwork {
  frontend::onnx::Graph graph;
  IntegerNetwork network;
  std::vector<std::vector<double>> samples;
};

bool is_network(const std::string& path);

/// Throws Error (file, node or option; problem; cure).
OpenNetwork open_network(const std::string& path, const OpenNetworkParams& params);

/// The network of a graph that was read from `path`. The values of an input without a quantiser are as `input_grid` states them, else
/// those of `array`, if there is one. Throws Error.
IntegerNetwork network_of(const frontend::onnx::Graph& graph, const std::string& path, const std::string& input_grid,
                          const frontend::NpyArray* array, int threads);

/// The integers of each sample.
std::vector<std::vector<int64_t>> codes_of(const IntegerNetwork& network, const std::vector<std::vector<double>>& samples);

/// Samples of an array: [samples, ..] with as many numbers behind the first dimension as the input has, or one sample without that
/// dimension. Throws Error naming `source`.
std::vector<std::vector<double>> samples_of(const frontend::NpyArray& array, const IntegerNetwork& network, const std::string& source);

/// Samples that reach all codes of the input about equally often.
std::vector<std::vector<double>> made_samples(const IntegerNetwork& network, int count, uint64_t seed);

}  // namespace bitgrid::engines
