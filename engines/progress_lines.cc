#include "engines/progress_lines.h"

#include <fmt/format.h>

#include "ir/index.h"

namespace bitgrid::engines {

mapping::MapRun mapping_run(const Say& say) {
  mapping::MapRun run;
  run.progress = [say](size_t done, size_t total, const std::string& kernel) {
    say(fmt::format("mapping kernel {} of {}, {}", done + 1, total, kernel));
  };
  return run;
}

std::string step_line(const Program& program, int step) {
  return fmt::format("step {} of {}, {}", step + 1, program.steps.size(), program.steps[index_of(step)].name);
}

rtl::RtlParams verilating_params(const Say& say) {
  rtl::RtlParams params;
  params.progress = [say](size_t done, size_t total, const std::string& source) {
    say(fmt::format("verilated {} of {}, {}", done, total, source));
  };
  return params;
}

}  // namespace bitgrid::engines
