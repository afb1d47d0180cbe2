// Files of users: limited in size, with errors that say what to do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitgrid {

/// The bytes of a regular file. Throws Error if it is missing, no regular file, unreadable or larger than `limit` bytes.
std::string read_file(const std::string& path, uint64_t limit);

/// 64-bit FNV-1a; chain calls by passing the hash so far.
uint64_t fnv1a(std::string_view bytes, uint64_t hash = 0xcbf29ce484222325u);

}  // namespace bitgrid
