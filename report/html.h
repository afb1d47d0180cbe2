// What the pages share: escaping and the frame of a self-contained page.
#pragma once

#include <string>

namespace bitgrid {

std::string escape_html(const std::string& text);

/// A whole page around `body`: styles inside, nothing from a network, readable at a phone's width.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace bitgrid
