#include "lowering/synthesis/sop_to_dag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frontend/blif.h"

namespace bitgrid::mapping {
namespace {

using testing::ElementsAre;

std::vector<std::string> port_names(const Dag& dag) {
  std::vector<std::string> names;
  for (const NodeId id : dag.inputs) names.push_back(dag.node(id).name);
  for (const NodeId id : dag.outputs) names.push_back(dag.node(id).name);
  return names;
}

TEST(CoverDag, UsersMayCallTheirPortsAsNodesAre) {
  // The made-up nodes would be n2, n3 ...
  const Dag dag =
      synthesis::dag_from_cover(frontend::parse_blif(".inputs n0 n4\n.outputs n2 n3\n.names n0 n4 n2\n01 1\n.names n0 n4 n3\n10 1\n"));
  EXPECT_NO_THROW(verify(dag));
  EXPECT_THAT(port_names(dag), ElementsAre("n0", "n4", "n2", "n3"));
  EXPECT_EQ(print(parse_dag(print(dag))), print(dag));
}

TEST(CoverDag, LegalNamesStayAndOthersGoAround) {
  const Dag dag = synthesis::dag_from_cover(
      frontend::parse_blif(".model 1+1\n.inputs a[0] a(0) 0 a_0__2\n.outputs a_0_ a_0__2\n.names a[0] a_0_\n1 1\n"));
  EXPECT_EQ(dag.name, "_1_1");
  EXPECT_THAT(port_names(dag), ElementsAre("a_0__3", "a_0__4", "_0", "a_0__2", "a_0_", "a_0__2_2"));
}

TEST(CoverDag, ManyNamesOfOneStemAreQuick) {
  CoverNetwork network;
  for (int i = 0; i < 100'000; ++i) network.inputs.push_back(std::string("\xC3\xA4") + static_cast<char>(128 + i % 64));
  network.outputs = {{"y", 0}};
  EXPECT_NO_THROW(verify(synthesis::dag_from_cover(network)));
}

}  // namespace
}  // namespace bitgrid::mapping
