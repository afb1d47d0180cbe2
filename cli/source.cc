#include "cli/source.h"

#include <filesystem>
#include <vector>

#include "cli/common.h"
#include "frontend/blif.h"
#include "frontend/load_model.h"
#include "ir/error.h"
#include "ir/file.h"
#include "lowering/synthesis/sop_to_dag.h"

namespace bitgrid::cli {

Model read_model(const std::string& path) {
  std::vector<std::string> warnings;
  Model model = frontend::load_model(path, &warnings);
  for (const std::string& warning : warnings) say_error("warning: " + warning);
  return model;
}

Source read_source(const std::string& path, const numerics::LowerParams& params) {
  Source source;
  const SourceKind kind = source_kind(path);
  if (kind == SourceKind::kModel) {
    const Model model = read_model(path);
    source.program = numerics::lower(model, params);
    source.hash = model.content_hash;
    source.is_model = true;
    return source;
  }
  const std::string text = read_file(path);
  source.hash = fnv1a(text);
  if (kind == SourceKind::kBlif && frontend::is_plain_blif(text)) source.blif = text;
  Dag dag = kind == SourceKind::kDag ? parse_dag(text, path) : synthesis::dag_from_cover(frontend::parse_blif(text, path));
  verify(dag);
  source.program.name = std::filesystem::path(path).stem().string();
  source.program.kernels.push_back(synthesis::kernel_of(std::move(dag)));
  return source;
}

}  // namespace bitgrid::cli
