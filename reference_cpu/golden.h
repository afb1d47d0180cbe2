// The definition of every operation: plain scalar code on exact integers, one function each, as docs/numerics.md states them.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/model.h"

namespace bitgrid::cpu::golden {

/// Activations, sums, logits. All integers of the reference are 64 bits wide, far more than any model's ranges need.
using Vec = std::vector<int64_t>;

/// x[c] = sum over j of tables[j][history[j]][c]; history[0] is the current token, history[1] the one before, ...; shorter at the start.
Vec embedding(const Embedding& e, int width, const std::vector<int>& history);

/// u[i] = sum_j weights[i][j] * x[j]. Shapes: x [inputs] -> [outputs].
Vec linear(const Matrix& weights, const Vec& x);

/// clamp(((u + b) * m + half) >> s, lo, hi) with half = 1 << (s-1); for s <= 0 clamp(((u + b) * m) << -s, lo, hi). One value.
int64_t requantise(int64_t u, int64_t bias, int64_t multiplier, int shift, int64_t lo, int64_t hi);

/// The same for a vector, with one value per channel.
Vec requantise(const Vec& u, const Requantise& r);

/// u + bias[c] >= 0 ? +1 : -1.
Vec sign(const Vec& u, const Sign& s);

/// Applies requantise, sign, or nothing.
Vec activation(const Vec& u, const Activation& a);

/// Returns table[x - lo]. Throws Error for a value outside the table.
Vec table(const Vec& x, const Table& t);

/// Returns x + y exactly. The stream of a Model never saturates.
Vec residual(const Vec& x, const Vec& y);

/// q.k + bias: the score of one position for one head. Shapes: q, k [head size].
int64_t score(const Vec& q, const Vec& k, int64_t bias);

/// Returns e = clamp((sc*m + half) >> s, 0, emax) for every score.
Vec threshold_weights(const Vec& scores, const Requantise& r);

/// o[c] = sum_j e[j] * v[j][c]. Shapes: e [positions], v [positions][head size].
Vec mix(const Vec& e, const std::vector<Vec>& v, size_t channels);

/// z[i] = sum_j weights[i][j] * y[j] + bias[i].
Vec head(const Head& h, const Vec& y);

/// Returns the lowest index of the maximum.
int argmax(const Vec& z);

/// One step of the generator: state * 1664525 + 1013904223 mod 2^32.
uint32_t next_random(uint32_t state);

/// w_i = weights[min(max z - z_i, 4095)]; r = ((state >> 8) * sum w) >> 24; the first index whose running sum exceeds r.
int draw(const Vec& z, const std::vector<int32_t>& weights, uint32_t state);

}  // namespace bitgrid::cpu::golden
