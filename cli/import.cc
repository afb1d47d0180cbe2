// bitgrid import: a checkpoint as a model of integers, in our own format.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
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

/// The norm whose gains differ most: the wider the spread, the more of their bits matter (docs/numerics.md).
struct GainSpread {
  std::string norm;
  double ratio = 1.0;  // largest to smallest magnitude that is not 0
};

void widen(GainSpread& spread, const Norm& norm) {
  int32_t least = INT32_MAX, most = 0;
  for (const int32_t g : norm.gain.values) {
    if (g == 0) continue;
    least = std::min(least, std::abs(g));
    most = std::max(most, std::abs(g));
  }
  const double ratio = most == 0 ? 1.0 : static_cast<double>(most) / least;
  if (ratio >= spread.ratio) spread = {norm.name, ratio};
}

GainSpread spread_of(const ScaledModel& model) {
  GainSpread spread;
  for (const ScaledLayer& l : model.layers) {
    const auto* a = std::get_if<SoftmaxAttention>(&l);
    const auto* f = std::get_if<GatedFeedForward>(&l);
    widen(spread, a != nullptr ? a->input : f->input);
    const std::optional<Norm>& sub = a != nullptr ? a->sub_norm : f->sub_norm;
    if (sub) widen(spread, *sub);
  }
  widen(spread, model.head.norm);
  return spread;
}

void import(const ImportOptions& o) {
  Progress progress;
  const engines::OpenParams params = open_params(o.scales, progress);
  const auto checkpoint = std::make_shared<frontend::Checkpoint>(frontend::read_checkpoint(o.model, params.checkpoint));
  for (const std::string& note : checkpoint->notes) params.warn(note);
  const ScaledModel model = frontend::convert(checkpoint, {params.context, params.threads, params.progress});
  progress.say("writing " + o.folder);
  frontend::write_scaled_model(o.folder, model, checkpoint->tokenizer);
  progress.clear();
  std::cout << fmt::format("{}/model.yaml: {} layers of width {}, {} positions; run it like any model\n", o.folder, model.layers.size() / 2,
                           model.width, model.context);
  const GainSpread spread = spread_of(model);
  std::cout << fmt::format("widest spread of gains: {:.0f} to 1, of {}\n", spread.ratio, spread.norm);
  write_json(o.common, {{"model", o.folder + "/model.yaml"},
                        {"gain_spread", spread.ratio},
                        {"layers", model.layers.size() / 2},
                        {"context", model.context}});
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
