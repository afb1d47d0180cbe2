// Small file helpers: reading whole files, atomic writing, CRC-32 and a content hash.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitgrid {

/// Returns the whole file as bytes. Throws Error with the path and the system's reason if it cannot be read.
std::string read_file(const std::string& path);

/// Reads a user's file of at most `limit` bytes. Throws Error if it is missing, not a regular file, unreadable or too large.
std::string read_file(const std::string& path, uint64_t limit);

/// These tell whether a path leads to anything, to a folder, or to a regular file. A path that cannot be examined leads to nothing.
bool is_there(const std::string& path);
bool is_folder(const std::string& path);
bool is_regular_file(const std::string& path);

/// Writes the whole file through OutputFile. Throws Error with the path, the system's reason and a cure. On failure an existing file stays
/// as it was.
void write_file(const std::string& path, std::string_view data);

/// CRC-32 as in IEEE 802.3 and zlib (reflected polynomial EDB88320).
uint32_t crc32(std::string_view data);

/// 64-bit FNV-1a; chain calls by passing the hash so far.
uint64_t fnv1a(std::string_view data, uint64_t hash = 0xcbf29ce484222325u);

}  // namespace bitgrid
