// Whole numbers come in three types: coordinates, counts and phases are signed (int), because they are subtracted; containers are indexed
// with size_t; dense ids and numbers of bits are uint32_t. These functions lead from one to another.
#pragma once

#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace bitgrid {

/// A coordinate, count or enumerator as the index of a container. Must not be negative.
template <typename T>
requires std::integral<T> || std::is_enum_v<T>
constexpr size_t index_of(T i) {
  if constexpr (std::is_signed_v<T>) assert(i >= 0);
  return static_cast<size_t>(i);
}

/// An index, id or number of bits as a signed number that is subtracted or compared with one. Must fit.
template <typename T>
requires std::integral<T> || std::is_enum_v<T>
constexpr int int_of(T i) {
  return static_cast<int>(i);
}

/// A coordinate, count or index as a dense id or number of bits. Must fit and not be negative.
template <typename T>
requires std::integral<T> || std::is_enum_v<T>
constexpr uint32_t id_of(T i) {
  return static_cast<uint32_t>(i);
}

/// The number of elements of a container, signed.
template <typename Container>
constexpr int count_of(const Container& container) {
  return static_cast<int>(container.size());
}

}  // namespace bitgrid
