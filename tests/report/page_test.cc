#include "report/page.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "estimate/sweep.h"

namespace bitgrid::report {
namespace {

using Json = nlohmann::ordered_json;

/// The indices of "cells" as the page's script reads them.
std::vector<size_t> decode(const std::string& base64) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<size_t> out;
  uint32_t bits = 0;
  int held = 0;
  size_t value = 0, shift = 0;
  for (const char c : base64) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(digits.find(c));
    if ((held += 6) < 8) continue;
    held -= 8;
    const uint32_t byte = bits >> held & 255;
    value |= static_cast<size_t>(byte & 127) << shift;
    shift += 7;
    if (byte & 128) continue;
    out.push_back(value);
    value = shift = 0;
  }
  return out;
}

TEST(Page, FloorplanHoldsEveryConfigurationWord) {
  std::mt19937_64 random(3);
  for (const int width : {1, 2, 7, 30}) {
    MappedKernel k;
    k.grid = GridConfig(width, 11);
    for (CellWord& word : k.grid.cells) word = random() % 3 == 0 ? random() : random() % 5;
    const Json json = floorplan_json(k);
    const std::vector<size_t> cells = decode(json["cells"].get<std::string>());
    ASSERT_EQ(cells.size(), k.grid.cells.size());
    for (size_t i = 0; i < cells.size(); ++i)
      EXPECT_EQ(std::stoull(json["dict"][cells[i]][0].get<std::string>(), nullptr, 16), k.grid.cells[i]);
  }
}

TEST(Sweep, FrontHoldsWhatNothingBeats) {
  std::mt19937_64 random(5);
  const estimate::Sweep sweep;
  std::vector<Json> points;
  for (int i = 0; i < 200; ++i)
    points.push_back({{"area_mm2", static_cast<double>(random() % 50)}, {"tokens_per_second", static_cast<double>(random() % 50)}});
  points.push_back({{"error", "no mapping"}});
  const auto beats = [&](const Json& a, const Json& b) {
    const double ax = a["area_mm2"], ay = a["tokens_per_second"], bx = b["area_mm2"], by = b["tokens_per_second"];
    return ax <= bx && ay >= by && (ax < bx || ay > by);
  };
  const std::vector<size_t> front = estimate::pareto_front(sweep, points);
  ASSERT_FALSE(front.empty());
  for (const size_t f : front) {
    for (size_t i = 0; i + 1 < points.size(); ++i) EXPECT_FALSE(beats(points[i], points[f]));
  }
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    EXPECT_TRUE(std::any_of(front.begin(), front.end(), [&](size_t f) {
      return points[f]["area_mm2"] <= points[i]["area_mm2"] && points[f]["tokens_per_second"] >= points[i]["tokens_per_second"];
    }));
  }
}

}  // namespace
}  // namespace bitgrid::report
