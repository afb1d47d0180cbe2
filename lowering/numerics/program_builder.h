// Builds up a Program: tensors, kernels and steps.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/index.h"
#include "lowering/numerics/lower.h"
#include "lowering/numerics/matrix.h"

namespace bitgrid::numerics {

/// The stream between layers: a tensor, or the token's row of a table.
struct Stream {
  int tensor = -1;  // -1: a table row
  std::optional<TokenSource> embedding;
  Tensor numbers;  // count, encoding, largest codes
};

/// Returns where a kernel reads a stream.
Source source_of(const Stream& stream);

struct ProgramBuilder {
  Program program;
  LowerParams params;
  int stage = 0;  // of the steps that are added

  Tensor& tensor(int id) { return program.tensors[index_of(id)]; }
  int add_tensor(const std::string& name, int count, const Encoding& encoding, const std::vector<uint64_t>& max_code);
  int add_kernel(Kernel kernel);
  /// Returns the kernel of that name. It is added if there is none yet.
  int shared_kernel(const Kernel& kernel);
  int add_cache(int of_tensor, int window);
  int add_code_table(CodeTable table);

  /// Adds the kernels and steps of a constant matrix. Sources are those of the operand and the residual. Destination tensor -1 means none.
  /// A matrix that is larger than a tile is cut: rows lie side by side, columns in consecutive stages (`stage` is then that of the last).
  void add_matrix(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, const std::vector<Source>& sources,
                  int raw_tensor, int result_tensor);
  /// Adds a linear map with an activation (and a table) as one or more kernels side by side. Returns the tensor of the result.
  int add_linear(const Linear& linear, int operand, const std::string& name, const std::string& result);
  /// Adds an element-wise table as one kernel, with one invocation per channel. Returns the tensor of the result.
  int add_table(const Table& table, int operand, const std::string& name, const std::string& result);
  /// Adds two streams channel by channel.
  Stream add_streams(const Stream& a, const Stream& b, const std::string& name);

 private:
  std::map<std::string, int> shared_;  // kernels by name

  void add_rows(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, const std::vector<Source>& sources,
                int raw_tensor, int result_tensor, int first, int count);
  void add_cut_matrix(const MatrixLayer& layer, const MatrixPlan& plan, const std::string& name, const std::vector<Source>& sources,
                      int raw_tensor, int result_tensor, int most_rows);
};

std::vector<std::vector<int64_t>> weights_of(const Matrix& matrix);

/// Returns the rows per kernel: the cut of `rows` into equal blocks with the fewest cells, or the coarsest one within a tenth of that
/// (fewer kernels).
int block_rows(int rows, int columns, int planes, bool strips);

}  // namespace bitgrid::numerics
