// Numbers in JSON files: nlohmann's get<int>() cuts off fractions and wraps what is too large.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace bitgrid {

/// The whole number from `least` to `most` that `json` is; nullopt if it is anything else.
template <typename Json, std::integral T>
std::optional<T> whole_number(const Json& json, T least, T most) {
  if (!json.is_number_integer()) return std::nullopt;
  const auto in_range = [&](auto value) { return !std::cmp_less(value, least) && !std::cmp_greater(value, most); };
  if (json.is_number_unsigned()) {
    const uint64_t value = json.template get<uint64_t>();
    return in_range(value) ? std::optional(static_cast<T>(value)) : std::nullopt;
  }
  const int64_t value = json.template get<int64_t>();
  return in_range(value) ? std::optional(static_cast<T>(value)) : std::nullopt;
}

}  // namespace bitgrid
