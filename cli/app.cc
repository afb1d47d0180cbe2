#include "cli/app.h"

#include "cli/common.h"
#include "cli/completion.h"

namespace bitgrid::cli {

void define(CLI::App& app, int& status) {
  app.description(
      "bitgrid: compiles 1-bit transformers and any acyclic logic onto a grid of LUT cells that talk only to their neighbours,\n"
      "simulates the grid, writes Verilog, and proves every result bit for bit against a reference CPU engine.");
  app.set_version_flag("--version", BITGRID_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(38);  // "  --seed 0..18446744073709551615=1" and two blanks
  add_run(app, status);
  add_check(app, status);
  add_compile(app, status);
  add_simulate(app, status);
  add_faults(app, status);
  add_verilog(app, status);
  add_picture(app, status);
  add_estimate(app, status);
  add_sweep(app, status);
  add_report(app, status);
  add_reduce(app, status);
  add_completion(app);
  add_examples(app);
}

}  // namespace bitgrid::cli
