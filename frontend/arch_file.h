// Architecture files (arch/*.yaml).
#pragma once

#include <string>

#include "ir/arch.h"

namespace bitgrid::frontend {

/// Reads an architecture file; fields that it leaves out keep their defaults. Throws Error (file, line, cure).
Arch load_arch(const std::string& path);

/// The same from the file's text; `file` names the file in messages.
Arch parse_arch(const std::string& text, const std::string& file);

}  // namespace bitgrid::frontend
