#include "cli/completion.h"

#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "ir/error.h"

namespace bitgrid::cli {
namespace {

/// -o, --output: all names of all options, separated by blanks.
std::string option_names(const CLI::App& command) {
  std::string names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_snames()) names += (names.empty() ? "-" : " -") + name;
    for (const std::string& name : option->get_lnames()) names += (names.empty() ? "--" : " --") + name;
  }
  return names;
}

constexpr char kScript[] = R"(# bash completion of bitgrid, written by `bitgrid completion bash`: source it, or put it into
# ~/.local/share/bash-completion/completions/bitgrid
_bitgrid() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} options=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W '{} {}' -- "$word")
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{}  esac
  case "$word" in
    -*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
  esac
}}
complete -o filenames -F _bitgrid bitgrid
)";

}  // namespace

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
  return names;
}

std::string bash_completion(const CLI::App& app) {
  std::string cases;
  for (const std::string& name : command_names(app))
    cases += fmt::format("    {}) options='{}' ;;\n", name, option_names(*app.get_subcommand(name)));
  return fmt::format(kScript, fmt::join(command_names(app), " "), option_names(app), cases);
}

void define_completion(CLI::App& command, int&) {
  auto shell = std::make_shared<std::string>();
  command.add_option("shell", *shell, "bash")->required();
  command.callback([&command, shell] {
    if (*shell != "bash") throw Error("completion", "there is no completion for '" + *shell + "'", "use bash");
    std::cout << bash_completion(*command.get_parent());
  });
}

}  // namespace bitgrid::cli
