// The readers of report/.
#include <nlohmann/json.hpp>

#include "estimate/estimate_source.h"
#include "estimate/shape_model.h"
#include "estimate/sweep.h"
#include "estimate/technology.h"
#include "report/sweep_page.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/targets.h"

namespace bitgrid::fuzz {

void technology(std::string_view bytes) {
  accepted([&] { return estimate::parse_gate_technology(std::string(bytes), "technology.yaml"); });
}

void shapes(std::string_view bytes) {
  const std::string text(bytes);
  accepted([&] { return std::pair(estimate::is_shapes_text(text, "shapes.yaml"), estimate::parse_shapes(text, "shapes.yaml")); });
}

/// A point's parameters are read when it is run, which here ends with a model that is not there.
void sweep(std::string_view bytes) {
  const auto read = accepted([&] { return estimate::parse_sweep(std::string(bytes), "nowhere/sweep.yaml"); });
  if (!read) return;
  const estimate::EstimateModel model{"nowhere/model.yaml", "", std::nullopt, std::nullopt, 0};
  std::vector<nlohmann::ordered_json> points;
  for (const size_t n : {size_t{0}, read->points() - 1}) {
    points.push_back(estimate::run_point(*read, model, n));
    require(!points.back().dump().empty(), "a point without text");
    if (points.back().contains("error")) check_message(points.back()["error"].get<std::string>());
  }
  require(!estimate::sweep_csv(*read, points).empty() && !report::sweep_page(*read, points).empty(), "no table");
}

}  // namespace bitgrid::fuzz
