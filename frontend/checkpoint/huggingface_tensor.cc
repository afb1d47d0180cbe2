#include "frontend/checkpoint/huggingface_tensor.h"

#include <fmt/format.h>

#include "frontend/checkpoint/huggingface_codes.h"
#include "ir/error.h"

namespace bitgrid::frontend {

CheckpointTensor described(const MappedTensor& stored) {
  CheckpointTensor t;
  t.name = t.canonical = stored.name;
  t.stored = std::string(stored.type().name);
  t.shape = stored.entry.shape;
  t.where = stored.where();
  t.bytes = stored.entry.end - stored.entry.begin;
  t.release = [&stored] { stored.release(); };
  return t;
}

void check_matrix(const MappedTensor& stored, const std::string& what) {
  if (stored.entry.shape.size() != 2 || stored.count() == 0)
    throw Error(stored.where(), fmt::format("its shape {} is not that of {}", shape_text(stored.entry.shape), what),
                "fetch the file again");
}

CheckpointTensor float_tensor(const MappedTensor& stored) {
  CheckpointTensor t = described(stored);
  t.floats = [&stored, columns = t.columns()](uint64_t r, std::span<float> row) { stored.read(r * columns, row); };
  return t;
}

}  // namespace bitgrid::frontend
