#include "cli/app.h"

#include "cli/commands.h"
#include "cli/version.h"

namespace bitgrid::cli {

void define(CLI::App& app, int& status) {
  app.description(
      "bitgrid: compiles 1-bit transformers and any acyclic logic onto a grid of LUT cells that talk only to their neighbours,\n"
      "simulates the grid, writes Verilog, and proves every result bit for bit against a reference CPU engine.");
  app.set_version_flag("--version", version_text);
  app.require_subcommand(1);
  app.get_formatter()->column_width(38);  // "  --seed 0..18446744073709551615=1" and two blanks
  for (const Command& c : commands()) {
    CLI::App& command = *app.add_subcommand(c.name, c.purpose);
    c.define(command, status);
    const std::string more = command.get_footer();
    command.footer(more.empty() ? c.example : c.example + "\n\n" + more);
  }
}

}  // namespace bitgrid::cli
