#include "frontend/grids/payload.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <boost/crc.hpp>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "ir/file.h"
#include "ir/json_reader.h"
#include "ir/json_text.h"
#include "ir/number.h"
#include "ir/output_file.h"

namespace bitgrid::frontend {
namespace {

const std::string kDescriptionCure = "give \"width\", \"height\", \"order\" and \"crc32\"";
constexpr size_t kBandBytes = size_t{8} << 20;
constexpr size_t kChunkBytes = size_t{1} << 20;

/// Bit i of a number of 16 bits goes to bit 4i.
uint64_t spread(uint64_t v) {
  v = (v | v << 24) & 0x0000'00FF'0000'00FF;
  v = (v | v << 12) & 0x000F'000F'000F'000F;
  v = (v | v << 6) & 0x0303'0303'0303'0303;
  return (v | v << 3) & 0x1111'1111'1111'1111;
}

uint64_t gather(uint64_t v) {
  v &= 0x1111'1111'1111'1111;
  v = (v | v >> 3) & 0x0303'0303'0303'0303;
  v = (v | v >> 6) & 0x000F'000F'000F'000F;
  v = (v | v >> 12) & 0x0000'00FF'0000'00FF;
  return (v | v >> 24) & 0xFFFF;
}

/// Bytes of the file: least significant first.
uint64_t little(uint64_t v) {
  if constexpr (std::endian::native == std::endian::big) v = __builtin_bswap64(v);
  return v;
}

}  // namespace

Error payload_damaged(const std::string& source, uint32_t crc, uint32_t said) {
  return Error(source, fmt::format("the payload's CRC-32 is {:08X}, the header says {:08X}", crc, said),
               "the configuration was changed or damaged: write it again");
}

CellWord word_of_payload(uint64_t luts) {
  return spread(luts & 0xFFFF) | spread((luts >> 16) & 0xFFFF) << 1 | spread((luts >> 32) & 0xFFFF) << 2 | spread(luts >> 48) << 3;
}

uint64_t payload_of_word(CellWord word) {
  return gather(word) | gather(word >> 1) << 16 | gather(word >> 2) << 32 | gather(word >> 3) << 48;
}

PayloadFile::PayloadFile(const std::string& path, uint64_t first_byte, const PayloadLayout& layout)
    : path_(path), first_(first_byte), layout_(layout) {
  const uint64_t bytes = static_cast<uint64_t>(layout.width) * static_cast<uint64_t>(layout.height) * sizeof(CellWord);
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) throw Error(path, fmt::format("cannot be opened: {}", std::strerror(errno)), "check the path and its permissions");
  struct stat info {};
  const bool regular = ::fstat(file_, &info) == 0 && S_ISREG(info.st_mode);
  if (regular && static_cast<uint64_t>(info.st_size) == first_ + bytes) return;
  ::close(file_);
  if (!regular) throw Error(path, "this is not a regular file", "copy the data into an ordinary file");
  throw Error(path,
              fmt::format("the payload of {} x {} cells has {} bytes, but the file has {}", layout.width, layout.height, bytes,
                          static_cast<uint64_t>(info.st_size) - std::min(first_, static_cast<uint64_t>(info.st_size))),
              "correct the size: 8 bytes per cell");
}

PayloadFile::~PayloadFile() {
  ::close(file_);
}

void PayloadFile::read(uint64_t at, void* bytes, size_t count) const {
  auto* to = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t n = ::pread(file_, to, count, static_cast<off_t>(first_ + at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw Error(path_, "cannot be read to its end", "check the file system, and make sure that nothing changes the file");
    to += n;
    at += static_cast<uint64_t>(n);
    count -= static_cast<size_t>(n);
  }
}

uint32_t PayloadFile::crc32() const {
  boost::crc_32_type crc;
  std::vector<char> chunk(kChunkBytes);
  uint64_t at = 0, end = static_cast<uint64_t>(layout_.width) * static_cast<uint64_t>(layout_.height) * sizeof(CellWord);
  for (; at < end; at += chunk.size()) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(chunk.size(), end - at));
    read(at, chunk.data(), count);
    crc.process_bytes(chunk.data(), count);
  }
  return crc.checksum();
}

void PayloadFile::row(int y, std::span<CellWord> row) {
  const auto width = static_cast<size_t>(layout_.width), height = static_cast<size_t>(layout_.height), line = static_cast<size_t>(y);
  if (layout_.order != BgbsOrder::kColumn) {
    read(line * width * sizeof(CellWord), row.data(), width * sizeof(CellWord));
    if (layout_.order == BgbsOrder::kSnake && y % 2 == 1) std::reverse(row.begin(), row.end());
  } else {
    if (y < band_first_ || y >= band_first_ + band_rows_) {
      band_first_ = y;
      band_rows_ = static_cast<int>(std::min(std::max<size_t>(kBandBytes / (width * sizeof(CellWord)), 1), height - line));
      band_.resize(width * static_cast<size_t>(band_rows_));
      for (size_t x = 0; x < width; ++x) {
        read((x * height + line) * sizeof(CellWord), &band_[x * static_cast<size_t>(band_rows_)],
             static_cast<size_t>(band_rows_) * sizeof(CellWord));
      }
    }
    for (size_t x = 0; x < width; ++x) row[x] = band_[x * static_cast<size_t>(band_rows_) + static_cast<size_t>(y - band_first_)];
  }
  for (CellWord& word : row) word = word_of_payload(little(word));
}

PayloadJson parse_payload_json(const std::string& text, const std::string& path) {
  using Json = nlohmann::json;
  PayloadJson result;
  try {
    const Json json = parse_json(text, {path, kDescriptionCure});
    const auto side = [&](const char* key) {
      return static_cast<int>(json_integer(json.at(key), fmt::format("\"{}\"", key), 1, kMostStreamedCells, path));
    };
    result.layout.width = side("width");
    result.layout.height = side("height");
    if (int64_t{result.layout.width} * result.layout.height > kMostStreamedCells)
      throw Error(path, fmt::format("the size {} x {} is out of range", result.layout.width, result.layout.height),
                  fmt::format("use 1 to {} cells in total", kMostStreamedCells));
    if (json.contains("order")) result.layout.order = parse_order(json.at("order").get<std::string>(), path);
    if (json.contains("crc32")) {
      const std::string digits = json.at("crc32").get<std::string>();
      const auto value = parse_hex(digits, 8);
      if (!value) throw Error(path, "\"crc32\" is not a number of 8 hexadecimal digits", "leave it out or correct it");
      result.crc = static_cast<uint32_t>(*value);
    }
    const std::filesystem::path here(path);
    const std::string name = json.contains("payload") ? json.at("payload").get<std::string>() : here.stem().string() + ".bin";
    result.payload = (here.parent_path() / name).string();
  } catch (const Json::exception& e) {
    throw Error(path, fmt::format("does not describe a payload ({})", json_reason(e)), kDescriptionCure);
  }
  return result;
}

void write_payload(const std::string& path, const GridSource& source) {
  const std::string name = path + ".bin";
  OutputFile file(name);
  boost::crc_32_type crc;
  std::vector<CellWord> row(static_cast<size_t>(source.width));
  std::string pending;
  for (int y = 0; y < source.height; ++y) {
    source.row(y, row);
    for (CellWord& word : row) word = little(payload_of_word(word));
    pending.append(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(CellWord));
    if (pending.size() < kChunkBytes && y + 1 < source.height) continue;
    crc.process_bytes(pending.data(), pending.size());
    file.write(pending);
    pending.clear();
  }
  file.finish();
  const nlohmann::ordered_json json = {{"format", "bitgrid-payload-v1"},
                                       {"width", source.width},
                                       {"height", source.height},
                                       {"order", "row"},
                                       {"crc32", fmt::format("{:08X}", static_cast<uint32_t>(crc.checksum()))},
                                       {"payload", std::filesystem::path(name).filename().string()}};
  write_file(path + ".json", json_text(json) + "\n");
}

}  // namespace bitgrid::frontend
