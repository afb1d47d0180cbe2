#include "cli/model_options.h"

#include <algorithm>

#include "cli/numbers.h"
#include "ir/error.h"

namespace bitgrid::cli {

void add_reading_options(CLI::App& command, ModelOptions& o) {
  command.add_option("--i2s-layout", o.i2s_layout, "byte order of I2_S tensors, which no file states: x86 (the default), x86-rows or arm");
  command.add_option("--activation", o.activation, "activation of the gated unit, overriding the file: relu2 or silu");
}

void add_lowering_options(CLI::App& command, ModelOptions& o) {
  add_reading_options(command, o);
  command.add_option("--kv", o.kv,
                     "models with scales: how keys and values are cached, k=BITS[:shift|max|mean][:rotated],v=..,recent=N; default "
                     "k=8:shift,v=8:shift");
  command.add_option(
      "--dataflow", o.dataflow,
      "models with scales on kernels: weights are streamed from memory past activations in cells (the default), or resident in "
      "cells themselves");
  add_number<int>(command, "--context", o.context, {0, 1 << 24},
                  "models with scales: positions that fit; 0: those of the model, 4096 at most. When all are used, generation stops");
}

void add_model_options(CLI::App& command, ModelOptions& o) {
  add_lowering_options(command, o);
  add_number<int>(command, "--threads", o.threads, {1, kMostThreads}, "threads for computing and for reading files");
}

void refuse_model_options(const ModelOptions& o) {
  if (!o.i2s_layout.empty()) throw Error("--i2s-layout", "only GGUF files have I2_S tensors", "leave it out");
  if (!o.activation.empty()) throw Error("--activation", "this model states its own functions", "leave it out");
  if (!o.dataflow.empty()) throw Error("--dataflow", "only models with scales have this choice", "leave it out");
  if (o.context != 0) throw Error("--context", "only models with scales have positions to choose", "leave it out");
  if (!o.kv.empty()) throw Error("--kv", "only models with scales choose how keys and values are cached", "leave it out");
}

scales::Dataflow dataflow_of(const ModelOptions& o, const std::vector<const engines::Engine*>& engines) {
  const scales::Dataflow dataflow = scales::parse_dataflow(o.dataflow);
  if (!o.dataflow.empty() && std::none_of(engines.begin(), engines.end(), [](const auto* e) { return e->of_kernels != nullptr; }))
    throw Error("--dataflow", "engine " + engines.at(0)->name + " runs no kernels", "leave it out, or give --engine dag");
  return dataflow;
}

engines::OpenParams open_params(const ModelOptions& o, Progress& progress) {
  engines::OpenParams params;
  params.context = static_cast<size_t>(o.context);
  params.threads = o.threads;
  params.progress = [&progress](const std::string& line) { progress.say(line); };
  params.warn = [&progress](const std::string& note) {
    progress.clear();
    say_error("note: " + note);
  };
  if (!o.i2s_layout.empty() && o.i2s_layout != "x86" && o.i2s_layout != "x86-rows" && o.i2s_layout != "arm")
    throw Error("--i2s-layout", "'" + o.i2s_layout + "' is unknown", "choose x86, x86-rows or arm");
  params.checkpoint.i2s_layout = o.i2s_layout;
  if (o.activation == "relu2")
    params.checkpoint.gate = frontend::Gate::kReluSquared;
  else if (o.activation == "silu")
    params.checkpoint.gate = frontend::Gate::kSilu;
  else if (!o.activation.empty())
    throw Error("--activation", "'" + o.activation + "' is unknown", "choose relu2 or silu");
  return params;
}

}  // namespace bitgrid::cli
