#include "report/page_timeline.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/support/errors.h"

namespace bitgrid::report {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json small_trace() {
  return json::parse(R"({"traceEvents": [
    {"ph": "M", "pid": 1, "tid": 0, "name": "thread_name", "args": {"name": "tile <a>"}},
    {"ph": "X", "pid": 1, "tid": 0, "name": "a", "cat": "computing", "args": {"cycle": 0, "cycles": 25}},
    {"ph": "X", "pid": 1, "tid": 0, "name": "a", "cat": "waiting for memory", "args": {"cycle": 50, "cycles": 50}}]})");
}

std::string message_of(const json& trace) {
  return test::error_of([&] { platform_timeline_svg(trace, "t.json"); });
}

TEST(PageTimeline, IntervalsStandAtTheirCycles) {
  const std::string svg = platform_timeline_svg(small_trace(), "t.json");
  EXPECT_THAT(svg, HasSubstr("d='M210.0 28h222.5v10h-222.5z'"));  // 890 pixels for 100 cycles, from 210 on
  EXPECT_THAT(svg, HasSubstr("d='M655.0 28h445.0v10h-445.0z'"));
  EXPECT_THAT(svg, HasSubstr("tile &lt;a&gt;: in use 75.0 % of the time"));
  EXPECT_THAT(svg, HasSubstr("cycles 0 to 100"));
}

TEST(PageTimeline, OtherJsonIsRefused) {
  json trace = small_trace();
  trace["traceEvents"][1]["cat"] = "resting";
  EXPECT_EQ(message_of(trace), "t.json: unknown activity \"resting\"; give a file that `bitgrid run --trace` wrote");
  trace = small_trace();
  trace["traceEvents"][2]["args"].erase("cycle");
  EXPECT_THAT(message_of(trace), HasSubstr("t.json: not a trace of the platform: "));
  EXPECT_THAT(message_of(json::array()), HasSubstr("t.json: not a trace of the platform: "));
}

}  // namespace
}  // namespace bitgrid::report
