// Flat netlists for tests, gate by gate, as BLIF text.
#pragma once

#include <string>
#include <vector>

#include "frontend/blif.h"

namespace bitgrid::mapping {

class BlifWriter {
 public:
  std::vector<std::string> inputs(const std::string& name, int bits) {
    std::vector<std::string> word;
    for (int i = 0; i < bits; ++i) word.push_back(name + "[" + std::to_string(i) + "]");
    for (const auto& bit : word) inputs_ += " " + bit;
    return word;
  }
  /// rows: the cover, such as "11 1\n".
  std::string gate(const std::vector<std::string>& fanins, const std::string& rows) {
    const std::string name = "t" + std::to_string(next_++);
    names(fanins, name, rows);
    return name;
  }
  std::string and2(const std::string& a, const std::string& b) { return gate({a, b}, "11 1\n"); }
  std::string or2(const std::string& a, const std::string& b) { return gate({a, b}, "1- 1\n-1 1\n"); }
  std::string xor2(const std::string& a, const std::string& b) { return gate({a, b}, "10 1\n01 1\n"); }
  std::string not1(const std::string& a) { return gate({a}, "0 1\n"); }
  std::string zero() { return gate({}, ""); }
  std::string majority3(const std::string& a, const std::string& b, const std::string& c) {
    return gate({a, b, c}, "11- 1\n1-1 1\n-11 1\n");
  }
  void output(const std::string& name, const std::string& signal) {
    outputs_ += " " + name;
    names({signal}, name, "1 1\n");
  }
  void outputs(const std::string& name, const std::vector<std::string>& word) {
    for (size_t i = 0; i < word.size(); ++i) output(name + "[" + std::to_string(i) + "]", word[i]);
  }
  std::string text() const { return ".model test\n.inputs" + inputs_ + "\n.outputs" + outputs_ + "\n" + body_ + ".end\n"; }
  CoverNetwork network() const { return frontend::parse_blif(text()); }

 private:
  void names(const std::vector<std::string>& fanins, const std::string& name, const std::string& rows) {
    body_ += ".names";
    for (const auto& f : fanins) body_ += " " + f;
    body_ += " " + name + "\n" + rows;
  }
  std::string inputs_, outputs_, body_;
  int next_ = 0;
};

using BlifWord = std::vector<std::string>;

/// a + b + carry in, as words of equal width; the carry out is the last bit.
inline BlifWord ripple_sum(BlifWriter& b, const BlifWord& x, const BlifWord& y, std::string carry) {
  BlifWord sum;
  for (size_t i = 0; i < x.size(); ++i) {
    sum.push_back(b.xor2(b.xor2(x[i], y[i]), carry));
    carry = b.majority3(x[i], y[i], carry);
  }
  sum.push_back(carry);
  return sum;
}

/// Parallel prefix (Kogge and Stone), so that nothing of the ripple is left in the structure.
inline BlifWord prefix_sum(BlifWriter& b, const BlifWord& x, const BlifWord& y) {
  BlifWord p, g;
  for (size_t i = 0; i < x.size(); ++i) {
    p.push_back(b.xor2(x[i], y[i]));
    g.push_back(b.and2(x[i], y[i]));
  }
  BlifWord pp = p, gg = g;
  for (size_t d = 1; d < x.size(); d *= 2) {
    const BlifWord p0 = pp, g0 = gg;
    for (size_t i = d; i < x.size(); ++i) {
      gg[i] = b.or2(g0[i], b.and2(p0[i], g0[i - d]));
      pp[i] = b.and2(p0[i], p0[i - d]);
    }
  }
  BlifWord sum{p[0]};
  for (size_t i = 1; i < x.size(); ++i) sum.push_back(b.xor2(p[i], gg[i - 1]));
  sum.push_back(gg.back());
  return sum;
}

/// Rows of partial products, each added to the sum so far.
inline BlifWord array_product(BlifWriter& b, const BlifWord& x, const BlifWord& y) {
  BlifWord result, sum(x.size(), b.zero());
  for (size_t i = 0; i < y.size(); ++i) {
    BlifWord row;
    for (const auto& bit : x) row.push_back(b.and2(bit, y[i]));
    const BlifWord next = ripple_sum(b, sum, row, b.zero());
    result.push_back(next[0]);
    sum.assign(next.begin() + 1, next.end());
  }
  result.insert(result.end(), sum.begin(), sum.end());
  return result;
}

/// Columns of partial products, reduced by full adders as they come (Wallace), then a ripple.
inline BlifWord tree_product(BlifWriter& b, const BlifWord& x, const BlifWord& y) {
  std::vector<BlifWord> column(x.size() + y.size() + 1);
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t j = 0; j < y.size(); ++j) column[i + j].push_back(b.and2(x[i], y[j]));
  BlifWord result;
  for (size_t k = 0; k < x.size() + y.size(); ++k) {
    BlifWord& c = column[k];
    while (c.size() > 1) {
      const std::string third = c.size() > 2 ? c[2] : b.zero();
      const std::string sum = b.xor2(b.xor2(c[0], c[1]), third), carry = b.majority3(c[0], c[1], third);
      c.erase(c.begin(), c.begin() + (c.size() > 2 ? 3 : 2));
      c.push_back(sum);
      column[k + 1].push_back(carry);
    }
    result.push_back(c.empty() ? b.zero() : c[0]);
  }
  return result;
}

}  // namespace bitgrid::mapping
