// Reads C++ sources as text: what they include and which types they define. Enough for the checks of the structure, no more.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace bitgrid::test {

/// Sources by path, relative to the root of the repository.
using Sources = std::map<std::string, std::string>;

/// All .h and .cc files below the folders of the product (tests, benches and examples are left out).
Sources product_sources(const std::string& root);

/// Paths of `#include "..."`, in order.
std::vector<std::string> includes_of(const std::string& text);

/// Qualified names of the structs, classes, unions and enums that a source defines outside of unnamed namespaces, functions and other
/// types.
std::vector<std::string> types_of(const std::string& text);

/// "bitgrid::A: one.h and two.cc" for every qualified name that two sources define.
std::vector<std::string> types_defined_twice(const Sources& sources);

/// The files of a circle of includes, first one repeated at the end; empty if there is none.
std::vector<std::string> include_circle(const Sources& sources);

/// For each folder the folders that it may include. The folder of a file is the longest key that its path begins with.
using Arrows = std::map<std::string, std::vector<std::string>>;

/// "ir/a.h includes lowering/b.h" for every include that no arrow allows, and every file that lies in no folder of `arrows`.
std::vector<std::string> includes_against(const Arrows& arrows, const Sources& sources);

}  // namespace bitgrid::test
