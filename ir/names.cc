#include "ir/names.h"

#include <algorithm>

namespace bitgrid {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

bool is_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto later = [&](char c) { return letter(c) || is_digit(c) || c == '.'; };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), later);
}

std::string free_prefix(const std::string& stem, const std::vector<std::string_view>& taken) {
  std::string prefix = stem;
  const auto clashes = [&](std::string_view name) {
    return name.size() > prefix.size() && name.starts_with(prefix) &&
           std::all_of(name.begin() + static_cast<std::ptrdiff_t>(prefix.size()), name.end(), is_digit);
  };
  while (std::any_of(taken.begin(), taken.end(), clashes)) prefix += "_";
  return prefix;
}

}  // namespace bitgrid
