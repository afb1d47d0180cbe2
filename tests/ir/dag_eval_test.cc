// What each operation means, against plain integers.
#include <bit>
#include <functional>
#include <map>

#include <gtest/gtest.h>
#include <boost/multiprecision/cpp_int.hpp>

#include "ir/dag.h"
#include "ir/dag_eval.h"
#include "tests/support/random_dag.h"

namespace bitgrid {
namespace {

using Integer = boost::multiprecision::cpp_int;
using Operands = std::vector<Integer>;

Integer to_integer(const BitVector& value) {
  Integer result = 0;
  for (uint32_t i = value.width; i-- > 0;) result = 2 * result + (value.get(i) ? 1 : 0);
  return result;
}

uint32_t operand_width(const Dag& dag, const Node& node, size_t i) {
  return dag.node(node.operands[i]).width;
}

/// The meaning before it wraps to the node's width. One row for each operation that computes something.
using Meaning = std::function<Integer(const Dag&, const Node&, const Operands&)>;
const std::map<Op, Meaning>& meanings() {
  static const std::map<Op, Meaning> table = {
      {Op::kConstant, [](const Dag&, const Node& n, const Operands&) { return to_integer(n.value); }},
      {Op::kXnor,
       [](const Dag&, const Node& n, const Operands& a) -> Integer {
         const Integer ones = (Integer(1) << n.width) - 1;
         return ones - ((a[0] ^ a[1]) & ones);
       }},
      {Op::kXor, [](const Dag&, const Node&, const Operands& a) -> Integer { return a[0] ^ a[1]; }},
      {Op::kAnd, [](const Dag&, const Node&, const Operands& a) -> Integer { return a[0] & a[1]; }},
      {Op::kOr, [](const Dag&, const Node&, const Operands& a) -> Integer { return a[0] | a[1]; }},
      {Op::kNot,
       [](const Dag&, const Node& n, const Operands& a) -> Integer {
         const Integer ones = (Integer(1) << n.width) - 1;
         return ones - (a[0] & ones);
       }},
      {Op::kSelect, [](const Dag&, const Node&, const Operands& a) -> Integer { return a[0] != 0 ? a[1] : a[2]; }},
      {Op::kSlice, [](const Dag&, const Node& n, const Operands& a) -> Integer { return a[0] >> n.low; }},
      {Op::kConcat,
       [](const Dag& d, const Node& n, const Operands& a) {
         Integer result = 0;
         for (size_t i = 0; i < a.size(); ++i) result = (result << operand_width(d, n, i)) | a[i];
         return result;
       }},
      {Op::kPopcount,
       [](const Dag&, const Node&, const Operands& a) {
         Integer ones = 0;
         for (Integer rest = a[0]; rest != 0; rest >>= 1) ones += rest & 1;
         return ones;
       }},
      {Op::kAdd, [](const Dag&, const Node&, const Operands& a) -> Integer { return a[0] + a[1]; }},
      {Op::kSubtract,
       [](const Dag&, const Node& n, const Operands& a) -> Integer { return (Integer(1) << (n.width + 256)) + a[0] - a[1]; }},
      {Op::kLess, [](const Dag&, const Node&, const Operands& a) -> Integer { return a[0] < a[1] ? 1 : 0; }},
      {Op::kLut, [](const Dag&, const Node& n, const Operands& a) { return to_integer(n.table.at(a[0].convert_to<size_t>())); }},
      {Op::kOutput, [](const Dag&, const Node&, const Operands& a) { return a[0]; }},
  };
  return table;
}

/// One row of `inputs`, node by node.
std::vector<Integer> reference(const Dag& dag, const BitMatrix& inputs, size_t row) {
  std::vector<Integer> values(dag.size());
  size_t column = 0;
  for (NodeId id = 0; id < dag.size(); ++id) {
    const Node& node = dag.node(id);
    if (node.op == Op::kInput) {
      for (uint32_t i = 0; i < node.width; ++i) values[id] |= Integer(inputs.get(row, column++) ? 1 : 0) << i;
      continue;
    }
    Operands operands;
    for (const NodeId operand : node.operands) operands.push_back(values[operand]);
    values[id] = meanings().at(node.op)(dag, node, operands) & ((Integer(1) << node.width) - 1);
  }
  return values;
}

void expect_reference(const Dag& dag, const BitMatrix& inputs) {
  const BitMatrix outputs = evaluate(dag, inputs);
  ASSERT_EQ(outputs.rows, inputs.rows);
  for (size_t row = 0; row < inputs.rows; ++row) {
    const std::vector<Integer> values = reference(dag, inputs, row);
    size_t column = 0;
    for (const NodeId id : dag.outputs) {
      Integer got = 0;
      for (uint32_t i = 0; i < dag.node(id).width; ++i) got |= Integer(outputs.get(row, column++) ? 1 : 0) << i;
      ASSERT_EQ(got, values[id]) << "row " << row << ", output " << dag.node(id).name << " of\n" << print(dag);
    }
  }
}

BitMatrix all_rows(uint32_t bits) {
  BitMatrix rows(size_t{1} << bits, bits);
  for (size_t i = 0; i < rows.rows; ++i) rows.set_word(i, 0, bits, i);
  return rows;
}

TEST(DagEval, EveryOperationHasAMeaning) {
  for (const OpInfo& op : op_table()) {
    EXPECT_EQ(op_table()[static_cast<size_t>(op.op)].op, op.op) << op.name << " is not in its place";
    EXPECT_EQ(meanings().contains(op.op), op.op != Op::kInput) << op.name;
  }
}

/// All values of two operands of all widths to 3, results of all widths to 5 where the operation leaves them free.
struct Operation {
  Op op;
  friend void PrintTo(const Operation& o, std::ostream* out) { *out << info(o.op).name; }
};

class DagOperation : public testing::TestWithParam<Operation> {};

TEST_P(DagOperation, MeansWhatPlainIntegersSay) {
  const OpInfo& op = info(GetParam().op);
  std::mt19937_64 rng(7);
  for (uint32_t wa = 1; wa <= 3; ++wa) {
    for (uint32_t wb = 1; wb <= 3; ++wb) {
      Dag dag;
      dag.name = "op";
      const NodeId c = add_input(dag, "c", 1);
      const NodeId a = add_input(dag, "a", wa);
      const NodeId b = add_input(dag, "b", wb);
      for (uint32_t width = 1; width <= 5; ++width) {
        std::vector<NodeId> values = {a, b};
        const std::string name = "y" + std::to_string(width);
        if (op.op == Op::kSelect) {
          add_output(dag, name, add_node(dag, op.op, width, {c, a, b}));
        } else if (op.op == Op::kConcat) {
          add_output(dag, name, add_node(dag, op.op, wa + wb, {a, b}));
        } else if (op.op == Op::kOutput) {
          add_output(dag, name, a);
        } else if (op.width == WidthRule::kAny || op.op == Op::kLess) {
          const std::vector<NodeId> operands(values.begin(), values.begin() + op.min_operands);
          add_output(dag, name, add_node(dag, op.op, op.op == Op::kLess ? 1 : width, operands));
        } else {
          test::add_random_node(dag, rng, op.op, values, {});
          add_output(dag, name, values.back());
        }
      }
      verify(dag);
      expect_reference(dag, all_rows(1 + wa + wb));
    }
  }
}

std::vector<Operation> computing_operations() {
  std::vector<Operation> ops;
  for (const OpInfo& op : op_table()) {
    if (op.op != Op::kInput) ops.push_back({op.op});
  }
  return ops;
}

INSTANTIATE_TEST_SUITE_P(Each, DagOperation, testing::ValuesIn(computing_operations()), testing::PrintToStringParamName());

TEST(DagEval, RandomDagsOfWideWords) {
  std::mt19937_64 rng(8);
  for (int i = 0; i < 15; ++i) {
    test::RandomDagParams params;
    params.max_width = 150;
    params.outputs = 20;
    params.max_lut_inputs = 9;
    const Dag dag = test::random_dag(rng, params);
    expect_reference(dag, test::random_rows(rng, 20, input_bits(dag)));
  }
}

TEST(DagEval, TablesByLookupAndByMultiplexersAgreeWithTheTable) {
  std::mt19937_64 rng(9);
  for (const uint32_t width : {1u, 8u, 64u, 100u}) {
    Dag dag;
    dag.name = "table";
    const NodeId a = add_input(dag, "a", 10);
    std::vector<BitVector> table;
    for (int i = 0; i < 1024; ++i) table.push_back(test::random_bits(rng, width));
    add_output(dag, "y", add_lut(dag, a, table));
    const BitMatrix outputs = evaluate(dag, all_rows(10));
    for (size_t row = 0; row < 1024; ++row) {
      for (uint32_t bit = 0; bit < width; ++bit) ASSERT_EQ(outputs.get(row, bit), table[row].get(bit));
    }
  }
}

TEST(DagEval, ABatchIsItsRows) {
  std::mt19937_64 rng(10);
  const Dag dag = test::random_dag(rng);
  const BitMatrix rows = test::random_rows(rng, 131, input_bits(dag));
  const BitMatrix together = evaluate(dag, rows);
  for (const size_t row : {0u, 62u, 63u, 64u, 127u, 128u, 130u}) {
    BitMatrix one(1, rows.cols);
    for (size_t c = 0; c < rows.cols; ++c) one.set(0, c, rows.get(row, c));
    const BitMatrix alone = evaluate(dag, one);
    for (size_t c = 0; c < alone.cols; ++c) EXPECT_EQ(alone.get(0, c), together.get(row, c));
  }
  EXPECT_EQ(evaluate(dag, BitMatrix(0, rows.cols)).rows, 0u);
}

TEST(DagEval, Transpose) {
  std::mt19937_64 rng(11);
  std::array<uint64_t, 64> m;
  for (uint64_t& word : m) word = rng();
  std::array<uint64_t, 64> t = m;
  transpose64(t.data());
  for (unsigned i = 0; i < 64; ++i) {
    for (unsigned j = 0; j < 64; ++j) ASSERT_EQ((t[i] >> j) & 1u, (m[j] >> i) & 1u);
  }
}

}  // namespace
}  // namespace bitgrid
