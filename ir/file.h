// Small helpers for files: whole-file reading, atomic writing, CRC-32 and a content hash.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitgrid {

/// The whole file as bytes. Throws Error naming the path and the system's reason if it cannot be read.
std::string read_file(const std::string& path);

/// The bytes of a regular file of at most `limit` bytes: for files of users. Throws Error if it is missing, not a regular file, unreadable
/// or larger.
std::string read_file(const std::string& path, uint64_t limit);

/// Whether a path leads to anything, to a folder, to a regular file. A path that cannot be examined leads to nothing.
bool is_there(const std::string& path);
bool is_folder(const std::string& path);
bool is_regular_file(const std::string& path);

/// The whole of a file, as OutputFile writes it. Throws Error naming the path, the system's reason and a cure; a file that was there stays
/// then as it was.
void write_file(const std::string& path, std::string_view data);

/// CRC-32 as in IEEE 802.3 and zlib (reflected polynomial EDB88320).
uint32_t crc32(std::string_view data);

/// 64-bit FNV-1a; chain calls by passing the hash so far.
uint64_t fnv1a(std::string_view data, uint64_t hash = 0xcbf29ce484222325u);

}  // namespace bitgrid
