// The order of a model's kernels, and what each of them reads. Both lower.cc, which lowers a model with its weights, and
// estimate/shape_kernels.cc, which only knows its shapes, use this walk.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ir/index.h"
#include "ir/model.h"

namespace bitgrid::numerics {

/// `Layer` is a variant of layers: with `query`, with `up`, or with only `linear`. `Maker` makes kernels. Its `Operand` represents what a
/// kernel reads besides the stream, which the maker keeps. `stage` is the stage of the kernels that it makes next:
///     Operand linear(linear, operand, name, result)          with the map's own activation
///     Operand hidden(feed_forward, operand)                  up to the operand of `down`
///     Operand scores(attention, q, k)    Operand mix(attention, scores, v)    each in stages of its own
///     Operand sums(linear, operand, name, residual, next, next_name, raw)     sums, added to the stream if `residual`; `next` of them at
///     the
///         row ends; they become the stream, which is needed if `raw`. Returns what `next` gives, or the stream
///     Operand activation(name, activation)                   of the stream, as a kernel of its own
///     Operand stream_operand(name)                           the stream as it is
///     void replace_stream(operand)
///     void head(operand)
/// and `prefix`, of names within the layer, and `layer` are set before a layer is walked.
template <typename Layer, typename Maker>
class ModelWalk {
 public:
  using Operand = typename Maker::Operand;

  ModelWalk(const std::vector<Layer>& layers, const Activation& head_input, Maker& maker)
      : layers_(layers), head_input_(head_input), maker_(maker) {}

  /// Starts with the stream of the embedding.
  void run() {
    Operand operand = input_activation(0);
    for (int n = 0; n < count_of(layers_); ++n) {
      maker_.prefix = fmt::format("layers.{}.", n);
      maker_.layer = n;
      operand = std::visit([&](const auto& layer) { return walk(layer, std::move(operand)); }, layers_[index_of(n)]);
    }
    maker_.layer = -1;
    ++maker_.stage;
    maker_.head(std::move(operand));
  }

 private:
  /// Returns the activation that reads the stream before layer n (n = layers: the head).
  const Activation& reader(int n) const {
    if (n == count_of(layers_)) return head_input_;
    return std::visit([](const auto& layer) -> const Activation& { return layer.input; }, layers_[index_of(n)]);
  }
  std::string reader_name(int n) const { return n == count_of(layers_) ? "head.input" : fmt::format("layers.{}.input", n); }
  /// Returns whether layer n adds to the stream. Then the sums themselves are needed, not only the next activation of them.
  bool needs_stream(int n) const {
    return n < count_of(layers_) && std::visit(
                                        [](const auto& layer) {
                                          return !requires {
                                            layer.linear;
                                          };
                                        },
                                        layers_[index_of(n)]);
  }

  /// Makes the activation before layer n a separate kernel, if there is one.
  Operand input_activation(int n) {
    ++maker_.stage;
    const Activation& activation = reader(n);
    return std::holds_alternative<std::monostate>(activation) ? maker_.stream_operand(reader_name(n))
                                                              : maker_.activation(reader_name(n), activation);
  }

  /// Exact sums: whatever reads them next is computed at the row ends.
  template <typename Linear>
  Operand sums(const Linear& linear, Operand operand, const char* name, bool residual) {
    ++maker_.stage;
    const int n = maker_.layer + 1;
    const Activation& next = reader(n);
    const bool raw = needs_stream(n) || std::holds_alternative<std::monostate>(next);
    return maker_.sums(linear, operand, maker_.prefix + name, residual, next, reader_name(n), raw);
  }

  template <typename L>
  Operand walk(const L& layer, Operand operand) {
    if constexpr (requires { layer.query; }) {
      ++maker_.stage;
      const Operand q = maker_.linear(layer.query, operand, "query", "query");
      const Operand k = maker_.linear(layer.key, operand, "key", "key");
      const Operand v = maker_.linear(layer.value, operand, "value", "value");
      const Operand weights = maker_.scores(layer, q, k);
      return sums(layer.output, maker_.mix(layer, weights, v), "output", true);
    } else if constexpr (requires { layer.up; }) {
      ++maker_.stage;
      return sums(layer.down, maker_.hidden(layer, operand), "down", true);
    } else {
      if (std::holds_alternative<std::monostate>(layer.linear.activation)) return sums(layer.linear, std::move(operand), "linear", false);
      ++maker_.stage;
      maker_.replace_stream(maker_.linear(layer.linear, operand, "linear", "stream"));
      return input_activation(maker_.layer + 1);
    }
  }

  const std::vector<Layer>& layers_;
  const Activation& head_input_;
  Maker& maker_;
};

}  // namespace bitgrid::numerics
