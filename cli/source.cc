#include "cli/source.h"

#include "cli/common.h"

namespace bitgrid::cli {
namespace {

void warn(const std::string& warning) {
  say_error("warning: " + warning);
}

}  // namespace

Model read_model(const std::string& path) {
  return engines::read_model(path, warn);
}

engines::KernelSource read_source(const std::string& path, const SourceParams& params) {
  Progress progress;
  engines::KernelSourceParams reading{params.lowering, params.grid, {}, warn};
  if (engines::is_scaled_model(path)) {
    reading.scaled = {open_params(params.scales, progress), parse_cache_forms(params.scales.kv), params.scales.context,
                      scales::parse_dataflow(params.scales.dataflow)};
  } else {
    refuse_model_options(params.scales);
  }
  return engines::read_source(path, reading);
}

}  // namespace bitgrid::cli
