#include "cli/source.h"

#include <filesystem>

#include "cli/common.h"
#include "frontend/blif.h"
#include "frontend/load_model.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/cover_dag.h"

namespace bitgrid::cli {
Source read_source(const std::string& path, const LowerParams& params) {
  Source source;
  const SourceKind kind = source_kind(path);
  if (kind == SourceKind::kModel) {
    const Model model = load_model(path);
    source.lowered = lower(model, params);
    source.hash = model.content_hash;
    source.is_model = true;
    return source;
  }
  const std::string text = read_file(path);
  source.hash = fnv1a(text);
  if (kind == SourceKind::kBlif) source.blif = text;
  Dag dag = kind == SourceKind::kDag ? parse_dag(text, path) : dag_from_cover(parse_blif(text, path));
  verify(dag);
  source.lowered.program.name = std::filesystem::path(path).stem().string();
  source.lowered.program.kernels.push_back(kernel_of(std::move(dag)));
  source.lowered.forms.emplace_back();
  return source;
}

}  // namespace bitgrid::cli
