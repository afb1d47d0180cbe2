#include "engines/open_model.h"

#include "frontend/checkpoint/convert.h"
#include "frontend/checkpoint/float_model.h"
#include "frontend/scaled_model_file.h"
#include "ir/error.h"

namespace bitgrid::engines {

ScaledSource::ScaledSource(const std::string& path, const OpenParams& params) : params_(params) {
  if (!frontend::is_checkpoint(path)) {
    if (!params.checkpoint.i2s_layout.empty()) throw Error("--i2s-layout", "only GGUF files have I2_S tensors", "leave it out");
    if (params.checkpoint.gate) throw Error("--activation", path + " states its functions", "leave it out");
    frontend::ScaledModelFile file = frontend::load_scaled_model(path);
    integers_ = std::make_unique<ScaledModel>(std::move(file.model));
    tokenizer_ = frontend::make_tokenizer(file.tokenizer);
    return;
  }
  checkpoint_ = std::make_shared<frontend::Checkpoint>(frontend::read_checkpoint(path, params.checkpoint));
  for (const std::string& note : checkpoint_->notes) params.warn(note);
  tokenizer_ = frontend::make_tokenizer(checkpoint_->tokenizer);
}

const ScaledModel& ScaledSource::integers() {
  if (!integers_)
    integers_ = std::make_unique<ScaledModel>(frontend::convert(checkpoint_, {params_.context, params_.threads, params_.progress}));
  return *integers_;
}

const FloatModel& ScaledSource::reals() {
  if (!reals_)
    reals_ = std::make_unique<FloatModel>(checkpoint_ ? frontend::float_model(checkpoint_, {params_.context, params_.threads})
                                                      : frontend::float_model(*integers_, {params_.context, params_.threads}));
  return *reals_;
}

size_t ScaledSource::context() {
  return reals_ ? reals_->context : integers().context;
}

size_t ScaledSource::vocabulary() {
  return reals_ ? reals_->vocabulary : integers().embedding.vocabulary;
}

bool is_scaled_model(const std::string& path) {
  return frontend::is_checkpoint(path) || frontend::is_scaled_model_file(path);
}

}  // namespace bitgrid::engines
