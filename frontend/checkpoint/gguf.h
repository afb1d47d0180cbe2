// GGUF files, versions 2 and 3: the container, and the checkpoints in it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/checkpoint/blocks.h"
#include "frontend/checkpoint/checkpoint.h"
#include "frontend/checkpoint/mapped_file.h"

namespace bitgrid::frontend {

/// Types of values, as numbered in files.
enum class GgufType : uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64 };

/// A value in place in the file. The readers below convert it to numbers and texts.
struct GgufValue {
  GgufType type = GgufType::kU8;
  GgufType element = GgufType::kU8;  // kArray
  uint64_t count = 1;                // kArray: elements
  std::string_view bytes;            // of the number, of the text without its length, or of all elements
  uint64_t at = 0;                   // byte of the file where it begins
};

struct GgufTensor {
  std::string name;
  std::vector<uint64_t> shape;  // outermost first, the reverse of the file's order
  uint32_t type = 0;
  uint64_t offset = 0;  // from GgufFile::data
  uint64_t at = 0;      // byte of the file where its description begins

  uint64_t columns() const { return shape.back(); }
  uint64_t count = 0;  // of its numbers
};

/// A parsed file, or one part of a split one. Views point into its bytes.
struct GgufFile {
  std::string path;
  std::string_view bytes;
  uint32_t version = 0;
  std::map<std::string, GgufValue, std::less<>> metadata;
  std::vector<GgufTensor> tensors;
  uint64_t alignment = 32;
  uint64_t data = 0;                         // byte where the tensors' bytes begin
  std::shared_ptr<const MappedFile> mapped;  // owner of the bytes; may be nullptr
};

/// Reads metadata and descriptions of tensors. Throws Error with file, byte and cure if it is malformed or of another version.
GgufFile parse_gguf(std::string_view bytes, const std::string& path);

/// These read values of metadata. They return nullopt, or an empty list, if the key is missing, and throw Error if it has another type.
std::optional<uint64_t> gguf_whole(const GgufFile& file, std::string_view key);  // any type of whole number, 0 or more
std::optional<double> gguf_real(const GgufFile& file, std::string_view key);     // a 32-bit float means its shortest decimal
std::optional<bool> gguf_bool(const GgufFile& file, std::string_view key);
std::optional<std::string> gguf_text(const GgufFile& file, std::string_view key);
std::vector<std::string> gguf_texts(const GgufFile& file, std::string_view key);
std::vector<float> gguf_floats(const GgufFile& file, std::string_view key);
std::vector<int64_t> gguf_wholes(const GgufFile& file, std::string_view key);  // a single number is a list of one

/// Where a tensor's bytes lie, and whether they match its type.
struct GgufPlace {
  uint64_t begin = 0;               // byte of the file
  uint64_t room = 0;                // bytes to the next tensor, or to the end of the file
  uint64_t size = 0;                // of a type whose sizes are known, otherwise 0
  const BlockType* type = nullptr;  // nullptr: refused
  std::optional<Refusal> refusal;   // room and size do not fit, or the type is not read
};

/// Returns the places of all tensors, in their order. Throws Error for tensors outside the file, misaligned or overlapping, unless two
/// makers use the type differently; in that case the place has a refusal.
std::vector<GgufPlace> gguf_places(const GgufFile& file, I2sLayout layout);

/// Returns sizes and choices of the graph. `vocabulary` is the number of rows of the embedding, 0 if there is none. What the graph cannot
/// do goes into `refusal` unless it is already set.
GraphConfig gguf_graph(const GgufFile& file, const CheckpointParams& params, uint64_t vocabulary, std::optional<Refusal>& refusal);
/// Returns whether there is a graph for files of this general.architecture. gguf_canonical returns Hugging Face's name of one of their
/// tensors, or "" if there is none.
bool gguf_runs(std::string_view architecture);
std::string gguf_canonical(std::string_view architecture, uint64_t layers, const std::string& name);
/// Returns the name of a tensor of the graph in GGUF files.
std::string gguf_name(const std::string& canonical);

TokenizerSource gguf_tokenizer(const GgufFile& file);

/// Returns the tensors of one part; `canonical` stays empty. It reads all scales and codes once. Throws Error with tensor and row for a
/// stored code that the type does not have, or a scale that is not finite.
std::vector<CheckpointTensor> gguf_tensors(const GgufFile& file, const std::vector<GgufPlace>& places, I2sLayout layout);

/// Reads "x86" (also if empty), "x86-rows" or "arm". Throws Error for others.
I2sLayout parse_i2s_layout(const std::string& name);

/// Returns the checkpoint in all parts of a file, the first one first. `files` keeps their bytes alive.
Checkpoint gguf_checkpoint(const std::vector<GgufFile>& parts, const CheckpointParams& params, std::shared_ptr<void> files);

/// Reads a file, with its other parts if it is split. Throws Error.
Checkpoint read_gguf(const std::string& path, const CheckpointParams& params = {});

}  // namespace bitgrid::frontend
