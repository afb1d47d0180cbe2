// Names that files may give, and names that the program adds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitgrid {

/// Returns whether this can name a Dag or a node: [A-Za-z_][A-Za-z0-9_.]*.
bool is_name(std::string_view name);
inline constexpr const char* kNameCure = "use letters, digits, '_' and '.', and no digit or '.' first";

/// Returns the first of STEM, STEM_, STEM__ ... that gives none of `taken` when digits follow it.
std::string free_prefix(const std::string& stem, const std::vector<std::string_view>& taken);

}  // namespace bitgrid
