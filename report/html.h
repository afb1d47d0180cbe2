// The frame of a self-contained page.
#pragma once

#include <string>

namespace bitgrid::report {

/// A whole page around `body`: styles inside, nothing from a network, readable at a phone's width.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace bitgrid::report
