// The frame of a self-contained page.
#pragma once

#include <string>

namespace bitgrid::report {

/// Returns a whole page around `body`, with its styles inside, nothing loaded from a network, and readable on a phone.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace bitgrid::report
