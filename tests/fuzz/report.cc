// The readers of report/.
#include <nlohmann/json.hpp>

#include "report/estimate_source.h"
#include "report/shape_model.h"
#include "report/sweep.h"
#include "report/technology.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/targets.h"

namespace bitgrid::fuzz {

void technology(std::string_view bytes) {
  accepted([&] { return parse_gate_technology(std::string(bytes), "technology.yaml"); });
}

void shapes(std::string_view bytes) {
  const std::string text(bytes);
  accepted([&] { return std::pair(is_shapes_text(text, "shapes.yaml"), parse_shapes(text, "shapes.yaml")); });
}

/// A point's parameters are read when it is run, which here ends with a model that is not there.
void sweep(std::string_view bytes) {
  const auto read = accepted([&] { return parse_sweep(std::string(bytes), "nowhere/sweep.yaml"); });
  if (!read) return;
  const EstimateModel model{"nowhere/model.yaml", "", std::nullopt, 0};
  std::vector<nlohmann::ordered_json> points;
  for (const size_t n : {size_t{0}, read->points() - 1}) {
    points.push_back(run_point(*read, model, n));
    require(!points.back().dump().empty(), "a point without text");
    if (points.back().contains("error")) check_message(points.back()["error"].get<std::string>());
  }
  require(!sweep_csv(*read, points).empty() && !sweep_page(*read, points).empty(), "no table");
}

}  // namespace bitgrid::fuzz
