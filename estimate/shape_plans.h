// Plans constant and resident matrices known only by their shapes: word lengths for the worst weights, the cut into kernels, and the size
// and times of each kernel. Equal ones are planned once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lowering/mapping/matrix/bit_serial.h"
#include "lowering/numerics/lower.h"
#include "lowering/numerics/resident.h"

namespace bitgrid::estimate {

/// A MatrixLayer without weights. Two rows represent all, one with the largest entry in each of its columns and one with the smallest,
/// because everything that plan_matrix derives is monotone in a row's sums.
struct ShapeMatrix {
  const Tensor* operand = nullptr;  // none: only the residual
  int rows = 1;
  std::vector<int64_t> entries = {1, -1};
  int filled = -1;                   // columns that are not 0; -1: all
  bool no_zeros = false;             // every weight is -1 or 1
  const Tensor* residual = nullptr;  // its zeros and largest codes are those of the rows for `entries`
  Activation activation = {};
  bool raw = false;
};

/// Kernels of equal size and times into which a matrix is cut.
struct ShapePiece {
  std::string strategy;
  mapping::BitSerialSize size;
  int64_t count = 1;
  int stage = 0;  // relative to that of the first piece
  int64_t port_bits = 0;
  int64_t bit_macs = 0;
};

struct PlannedMatrix {
  numerics::MatrixPlan plan;  // without weights
  std::vector<ShapePiece> pieces;
  int stages = 1;
};

struct PlannedResident {
  numerics::ResidentPlan plan;
  mapping::BitSerialSize size;
  int64_t resident_cells = 0;
};

/// Plans, by what they depend on. It may serve several models; the parameters must be those of the first use.
class ShapePlans {
 public:
  explicit ShapePlans(const numerics::LowerParams& params = {}) : params_(params) {}

  /// `name` is for messages. Throws Error if the numbers have no mapping or a row does not fit the tile.
  const PlannedMatrix& matrix(const std::string& name, const ShapeMatrix& matrix);
  const PlannedResident& resident(const numerics::ResidentLayer& layer);

 private:
  PlannedMatrix make(const std::string& name, const ShapeMatrix& matrix) const;

  numerics::LowerParams params_;
  std::map<std::string, PlannedMatrix> matrices_;
  std::map<std::string, PlannedResident> residents_;
};

}  // namespace bitgrid::estimate
