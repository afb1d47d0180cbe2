// bitgrid import: a checkpoint as a model of integers, in our own format.
#include <fmt/format.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/model_options.h"
#include "engines/open_model.h"
#include "frontend/checkpoint/convert.h"
#include "frontend/scaled_model_file.h"

namespace bitgrid::cli {
namespace {

struct ImportOptions {
  Common common;
  std::string model, folder;
  ModelOptions scales;
};

void import(const ImportOptions& o) {
  Progress progress;
  const engines::OpenParams params = open_params(o.scales, progress);
  const auto checkpoint = std::make_shared<frontend::Checkpoint>(frontend::read_checkpoint(o.model, params.checkpoint));
  for (const std::string& note : checkpoint->notes) params.warn(note);
  const ScaledModel model = frontend::convert(checkpoint, {params.context, params.threads, params.progress});
  progress.say("writing " + o.folder);
  frontend::write_scaled_model(o.folder, model, checkpoint->tokenizer);
  progress.clear();
  std::cout << fmt::format("{}/model.yaml: {} layers of width {}, {} positions; run it as any model\n", o.folder, model.layers.size() / 2,
                           model.width, model.context);
  write_json(o.common, {{"model", o.folder + "/model.yaml"}, {"layers", model.layers.size() / 2}, {"context", model.context}});
}

}  // namespace

void define_import(CLI::App& command, int&) {
  auto o = std::make_shared<ImportOptions>();
  command.add_option("model", o->model, "a GGUF file or a Hugging Face folder")->required();
  command.add_option("-o,--output", o->folder, "folder for model.yaml and the integers")->required();
  add_model_options(command, o->scales);
  add_common(command, o->common);
  command.callback([o] { import(*o); });
}

}  // namespace bitgrid::cli
