// Steps of vector kernels in a Program. They pass words of tensors through kernels, in trees where many numbers become one.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <vector>

#include "ir/program.h"
#include "lowering/numerics/program_builder.h"
#include "lowering/scales/scalar_words.h"

namespace bitgrid::scales {

/// Numbers of one kind, in their own tensor.
struct Vector {
  int tensor = -1;
  int count = 0;
  uint32_t bits = 0;
  NumberCode code = NumberCode::kUnsigned;

  TensorSource from(int first = 0, int stride = 0) const { return {tensor, first, stride}; }
  /// Their bits from a plane on.
  TensorSource planes(int first, int stride, const PlaneWindow& window) const { return {tensor, first, stride, window}; }
  TensorSource planes(int first, int stride, int plane) const { return planes(first, stride, PlaneWindow{-1, 0, plane}); }
  Factor factor() const { return {bits, code}; }
  Destination to(int first = 0, int stride = 0) const { return {tensor, first, stride}; }
};

/// Returns how many numbers pass per invocation: the largest divisor of `count` up to `most`.
int lanes_of(int count, int most);

class VectorSteps {
 public:
  explicit VectorSteps(numerics::ProgramBuilder& builder) : b_(builder) {}

  Vector unsigned_vector(const std::string& name, int count, uint32_t bits);
  Vector signed_vector(const std::string& name, int count, uint32_t bits);
  /// In two's complement.
  Vector twos_vector(const std::string& name, int count, uint32_t bits);
  Vector vector(const std::string& name, int count, uint32_t bits, NumberCode code);

  /// Returns constants as a table with one row.
  RowSource constants(const std::string& name, const std::vector<int64_t>& values, uint32_t bits, bool is_signed, int stride = 0);

  /// Adds weights whose rows stream, each matrix only once.
  int add_weights(const std::string& name, const std::shared_ptr<const PackedWeights>& weights);

  /// Adds one step in its own stage, with the kernel of that name.
  void step(const std::string& name, const Kernel& kernel, int repeat, std::vector<Source> inputs, std::vector<Destination> outputs);
  /// Steps of equal parts of vectors, in one stage: body(name of the step, part).
  template <typename Body>
  void for_parts(const std::string& name, int parts, const Body& body) {
    in_parts_ = true;
    for (int p = 0; p < parts; ++p) body(parts == 1 ? name : fmt::format("{}.{}", name, p), p);
    in_parts_ = false;
    ++b_.stage;
  }

  /// Every `group` numbers in a row become one, by kernels of up to `most` words: make(words, bits).
  Vector reduce(const std::string& name, Vector x, int group, int most, const std::function<Kernel(int, uint32_t)>& make);
  /// The largest of every `group` numbers in a row, unsigned.
  Vector maximum(const std::string& name, Vector x, int group);

 private:
  /// Throws Error above 64 bits: models with wild numbers have such.
  Vector add(const std::string& name, int count, Encoding encoding, NumberCode code);

  numerics::ProgramBuilder& b_;
  bool in_parts_ = false;
};

}  // namespace bitgrid::scales
