// Options that take a number: one parser for all commands, and the range in --help.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "ir/error.h"
#include "ir/number.h"

namespace bitgrid::cli {

/// The whole numbers that an option takes.
template <typename T>
struct NumberRange {
  T least, most;
};

/// "--streams 1..4096" in --help. Tests recognise numbers by the dots.
constexpr std::string_view kRangeDots = "..";

template <typename T>
T parse_option(const std::string& option, const std::string& text, const NumberRange<T>& range) {
  const auto number = parse_whole(text, range.least, range.most);
  if (!number)
    throw Error(option, fmt::format("'{}' is not a whole number from {} to {}", text, range.least, range.most),
                "write decimal digits without sign, zeros in front or exponent");
  return *number;
}

/// Returns the token ids in "1,2,3", below `vocabulary`. Throws Error with the option's name.
inline std::vector<int> parse_ids(const std::string& option, const std::string& text, size_t vocabulary) {
  std::vector<int> ids;
  std::stringstream list(text + (text.ends_with(',') ? "," : ""));
  for (std::string item; std::getline(list, item, ',');)
    ids.push_back(parse_option<int>(option, item, {0, static_cast<int>(vocabulary) - 1}));
  return ids;
}

/// Adds an option with a whole number, which parse_whole reads: decimal digits, within the range. If the option is not given, `value` keeps
/// its value, which --help shows as the default; an empty std::optional shows none. A bad number gives an Error with the option's name and
/// the range.
template <typename T, typename Value>
CLI::Option* add_number(CLI::App& app, const std::string& name, Value& value, const NumberRange<T>& range, const std::string& help) {
  const auto read = [&value, name, range](const CLI::results_t& texts) {
    value = parse_option<T>(name, texts.front(), range);
    return true;
  };
  CLI::Option* option = app.add_option(name, read, help);
  option->type_name(fmt::format("{}{}{}", range.least, kRangeDots, range.most));
  if constexpr (std::is_same_v<Value, T>) option->default_str(fmt::format("{}", value));
  return option;
}

}  // namespace bitgrid::cli
