// Reads what a circuit of tests/circuits must compute (README.md there has the format).
#pragma once

#include <charconv>
#include <sstream>
#include <stdexcept>
#include <string>

#include "ir/bits.h"

namespace bitgrid::test {

/// A row of inputs for each row of outputs.
struct Truth {
  BitMatrix inputs, outputs;
};

inline uint64_t truth_word(const std::string& text, size_t bits) {
  uint64_t word = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), word, 16);
  if (error != std::errc() || end != text.data() + text.size() || (bits < 64 && word >> bits != 0))
    throw std::runtime_error("`" + text + "` is not a word of " + std::to_string(bits) + " bits");
  return word;
}

inline Truth parse_truth(const std::string& text) {
  std::istringstream in(text.substr(text.find('\n') + 1));
  std::string kind, word;
  size_t input_bits = 0, output_bits = 0;
  in >> kind >> input_bits >> output_bits >> kind;
  const bool all = kind == "all";
  std::vector<uint64_t> inputs, outputs;
  while (in >> word) {
    inputs.push_back(all ? inputs.size() : truth_word(word, input_bits));
    if (!all && !(in >> word)) throw std::runtime_error("a row has no outputs");
    outputs.push_back(truth_word(word, output_bits));
  }
  if (all && outputs.size() != size_t{1} << input_bits) throw std::runtime_error("rows are missing, or there are too many");
  Truth truth{BitMatrix(inputs.size(), input_bits), BitMatrix(outputs.size(), output_bits)};
  for (size_t r = 0; r < inputs.size(); ++r) {
    truth.inputs.set_word(r, 0, static_cast<unsigned>(input_bits), inputs[r]);
    truth.outputs.set_word(r, 0, static_cast<unsigned>(output_bits), outputs[r]);
  }
  return truth;
}

}  // namespace bitgrid::test
