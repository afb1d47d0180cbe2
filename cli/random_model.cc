// bitgrid random-model: a checkpoint of given shapes with random weights.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "cli/commands.h"
#include "cli/common.h"
#include "estimate/shape_graph.h"
#include "frontend/checkpoint/random_checkpoint.h"
#include "ir/error.h"
#include "ir/file.h"

namespace bitgrid::cli {
namespace {

constexpr uint64_t kMostShapesBytes = uint64_t{1} << 20;

struct RandomModelOptions {
  Common common;
  std::string shapes, format = "gguf", type, output;
};

void random_model(const RandomModelOptions& o) {
  const frontend::GraphConfig graph = estimate::parse_shape_graph(read_file(o.shapes, kMostShapesBytes), o.shapes);
  Progress progress;
  frontend::RandomCheckpointParams params;
  params.name = std::filesystem::path(o.shapes).stem().string() + "-random";
  params.seed = o.common.seed;
  params.progress = [&](const std::string& line) { progress.say(line); };
  std::string type = o.type;
  if (o.format == "gguf") {
    if (type.empty()) type = graph.architecture == "qwen3" ? "q1_0" : "q2_0";
    frontend::write_random_gguf(o.output, graph, type, params);
  } else if (o.format == "hf") {
    if (type.empty()) type = "bitnet";
    if (type != "bitnet")
      throw Error("--type", "Hugging Face folders are written as `bitnet` only, not as '" + type + "'", "choose --format gguf");
    frontend::write_random_folder(o.output, graph, params);
  } else {
    throw Error("--format", "'" + o.format + "' is unknown", "choose gguf or hf");
  }
  progress.clear();
  std::cout << fmt::format("{}: {} layers of width {}, {}, seed {}\n", o.output, graph.layers, graph.width, type, o.common.seed);
  write_json(o.common, {{"model", o.output}, {"format", o.format}, {"type", type}, {"seed", o.common.seed}});
}

}  // namespace

void define_random_model(CLI::App& command, int&) {
  auto o = std::make_shared<RandomModelOptions>();
  command.add_option("shapes", o->shapes, "shapes file with graph, rope_theta, eps and tied (examples/shapes)")->required();
  command.add_option("--format", o->format, "gguf or hf (a Hugging Face folder)")->capture_default_str();
  command.add_option("--type", o->type,
                     "type of the weights: q1_0, q2_0, tq1_0, tq2_0, i2_s (gguf), bitnet (hf); default: q2_0, for qwen3 q1_0");
  command.add_option("-o,--output", o->output, "the file, or the folder")->required();
  add_common(command, o->common);
  command.callback([o] { random_model(*o); });
}

}  // namespace bitgrid::cli
