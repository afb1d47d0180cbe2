// Names that files may give, and names that the program makes up beside them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitgrid {

/// A name of a Dag and of its nodes: [A-Za-z_][A-Za-z0-9_.]*.
bool is_name(std::string_view name);
inline constexpr const char* kNameCure = "use letters, digits, '_' and '.', and no digit or '.' first";

/// The first of STEM, STEM_, STEM__ ... which, followed by digits, gives none of `taken`.
std::string free_prefix(const std::string& stem, const std::vector<std::string_view>& taken);

}  // namespace bitgrid
