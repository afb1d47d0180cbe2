// Conversions between the three types of whole numbers. Coordinates, counts and phases are signed (int), because they are subtracted.
// Containers are indexed with size_t. Dense ids and bit counts are uint32_t.
#pragma once

#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace bitgrid {

/// Converts a coordinate, count or enumerator to a container index. It must not be negative.
template <typename T>
requires std::integral<T> || std::is_enum_v<T>
constexpr size_t index_of(T i) {
  if constexpr (std::is_signed_v<T>) assert(i >= 0);
  return static_cast<size_t>(i);
}

/// Converts an index, id or bit count to a signed number for subtraction or comparison. It must fit.
template <typename T>
requires std::integral<T> || std::is_enum_v<T>
constexpr int int_of(T i) {
  return static_cast<int>(i);
}

/// Converts a coordinate, count or index to a dense id or bit count. It must fit and must not be negative.
template <typename T>
requires std::integral<T> || std::is_enum_v<T>
constexpr uint32_t id_of(T i) {
  return static_cast<uint32_t>(i);
}

/// Returns the number of elements of a container as a signed number.
template <typename Container>
constexpr int count_of(const Container& container) {
  return static_cast<int>(container.size());
}

}  // namespace bitgrid
