#include "estimate/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "estimate/sweep_parameters.h"
#include "tests/support/errors.h"

namespace bitgrid::report {
namespace {

std::string objection(const std::string& name, const std::string& text) {
  estimate::EstimateSource source;
  estimate::EstimateParams params;
  return test::error_of([&] { set_sweep_parameter({name, text, "s.yaml:7"}, source, params); });
}

TEST(SweepParameters, EachNumberHasARangeByName) {
  size_t numbers = 0;
  for (const std::string& name : estimate::sweep_parameter_names()) {
    if (name == "weights" || name == "optimize") continue;
    ++numbers;
    for (const char* bad : {"-1", "1e20", "010", "0x10", "99999999999999999999", "+1", "", "many", "1 ", "inf", "nan"})
      EXPECT_THAT(objection(name, bad),
                  testing::MatchesRegex("s.yaml:7: " + name + " is `.*`; give a (whole )?number from [0-9.e-]+ to [0-9.e+]+"))
          << name << " " << bad;
  }
  EXPECT_EQ(numbers, 16U);
}

TEST(SweepParameters, ValuesGoWhereTheyBelong) {
  estimate::EstimateSource source;
  estimate::EstimateParams params;
  set_sweep_parameter({"streams", "4294967296", ""}, source, params);
  set_sweep_parameter({"clock_mhz", "0.5", ""}, source, params);
  set_sweep_parameter({"kv_bits", "12", ""}, source, params);
  EXPECT_EQ(params.streams, int64_t{1} << 32);
  EXPECT_EQ(params.technology.clock_mhz, 0.5);
  EXPECT_EQ(source.overrides, (std::vector<std::pair<std::string, std::string>>{{"kv_bits", "12"}}));
  EXPECT_EQ(objection("kv_bits", "13"), "s.yaml:7: kv_bits is `13`; give a whole number from 1 to 12");
  EXPECT_EQ(objection("optimize", "size"), "s.yaml:7: " + test::error_of([] { mapping::parse_optimize("size"); }));
}

}  // namespace
}  // namespace bitgrid::report
