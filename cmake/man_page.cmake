# cmake -D PROGRAM=FILE -D VERSION=TEXT -D OUT=FILE -P man_page.cmake: bitgrid.1, made of what the program says with --help.
cmake_minimum_required(VERSION 3.25)

# The text as lines that groff leaves as they are.
function(verbatim text result)
  string(REPLACE "\\" "\\e" text "${text}")
  string(REPLACE "-" "\\-" text "${text}")
  string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" text "${text}")
  set(${result} ".nf\n${text}\n.fi\n" PARENT_SCOPE)
endfunction()

function(help_of command result)
  execute_process(COMMAND ${PROGRAM} ${command} --help OUTPUT_VARIABLE text OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

help_of("" all)
verbatim("${all}" text)
set(page ".TH BITGRID 1 \"\" \"bitgrid ${VERSION}\" \"User Commands\"\n.SH NAME\nbitgrid \\- 1\\-bit networks and any acyclic logic on a grid of LUT cells\n")
string(APPEND page ".SH SYNOPSIS\n.B bitgrid\n.I COMMAND\n[\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n${text}")
# Names of commands: the lines behind "Subcommands:", up to the first blank of each.
string(REGEX REPLACE ".*\nSubcommands:\n" "" list "${all}")
string(REGEX MATCHALL "(^|\n)  [a-z][a-z-]+" commands "${list}")
foreach(command IN LISTS commands)
  string(STRIP "${command}" command)
  help_of(${command} help)
  verbatim("${help}" text)
  string(TOUPPER ${command} title)
  string(APPEND page ".SH ${title}\n${text}")
endforeach()
file(WRITE ${OUT} "${page}")
