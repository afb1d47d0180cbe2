// The files of other BitGrid programs, each written here as that program writes it.
#include "frontend/grids/grid_conventions.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/support/errors.h"

namespace bitgrid::frontend {
namespace {

using test::error_of;
using testing::HasSubstr;

const CellWord kStraightOn = 0xFB73EA62D951C840u;

/// The pass-through cell as the Visual Basic simulator saves it.
const std::string kBasicPassThrough =
    "False,False,False,False,True,True,True,True,False,False,False,False,True,True,True,True\r\n"
    "False,False,False,False,False,False,False,False,True,True,True,True,True,True,True,True\r\n"
    "False,True,False,True,False,True,False,True,False,True,False,True,False,True,False,True\r\n"
    "False,False,True,True,False,False,True,True,False,False,True,True,False,False,True,True\r\n";

TEST(GridConventions, BasicPassThroughPassesThrough) {
  const ConventionGrid g = parse_basic_cell(kBasicPassThrough, "f");
  EXPECT_EQ(g.file.grid.cells, std::vector<CellWord>{kStraightOn});
  EXPECT_EQ(parse_text_convention(kBasicPassThrough, "f")->convention, "cell of the Visual Basic simulator");
  EXPECT_THAT(error_of([] { parse_basic_cell("True,False\n", "f"); }), HasSubstr("f:1: there are not four lines of 16 bits"));
}

/// Its own documentation: ff00 copies from the left, f0f0 from the right, cccc from above, aaaa from below.
TEST(GridConventions, BrowserTablesAndLedsAreTranslated) {
  const ConventionGrid g = parse_browser_grid(
      R"([[{"leds":[false,true,false,false],"values":["aaaa","ff00","f0f0","cccc"]},
           {"leds":[true,false,true,false],"values":["00ff","0000","0000","0000"]}]])",
      "f");
  EXPECT_EQ(g.file.grid.width, 2);
  EXPECT_EQ(g.file.grid.at(0, 0), kStraightOn);
  EXPECT_EQ(cell_luts(g.file.grid.at(1, 0))[0], static_cast<Lut>(~kFromW));
  // The left cell drives its right neighbour, which drives back.
  EXPECT_EQ(g.file.initial_inputs, (std::vector<uint8_t>{2, 8}));
  EXPECT_THAT(error_of([] { parse_browser_grid("[[{\"leds\":[],\"values\":[]}]]", "f"); }),
              HasSubstr("f: row 0: cell 0 does not have four leds"));
  EXPECT_THAT(error_of([] { parse_browser_grid("[1, 2]", "f"); }), HasSubstr("f: row 0: has 1 cells"));
}

TEST(GridConventions, WindowDumpsHaveWordsAndInputs) {
  const std::string text =
      "Program Dump: \n0: FB73EA62D951C840 0000000088888888 \n1: 0000000000000001 4444000044440000 \n"
      "inputs: \n  0: 3 0 \n  1: 0 F \noutputs: \n  0: 0 0 \n  1: 0 0 \nAllbits = FB73EA62D951C840\n 12 cycles executed\n";
  const auto g = parse_text_convention(text, "f");
  ASSERT_TRUE(g);
  EXPECT_EQ(g->file.grid.cells, (std::vector<CellWord>{kStraightOn, 0x88888888u, 1, 0x4444000044440000u}));
  EXPECT_EQ(g->file.initial_inputs, (std::vector<uint8_t>{3, 0, 0, 15}));
  EXPECT_THAT(error_of([] { parse_window_dump("Program Dump:\n0: 1 2\n2: 3 4\n", "f"); }),
              HasSubstr("f:3: row 1 does not begin with '1:'"));
  EXPECT_THAT(error_of([] { parse_window_dump("Program Dump:\n0: 1 2\n1: 3\n", "f"); }),
              HasSubstr("f:3: the row has 1 words, the first 2"));
  EXPECT_THAT(error_of([] { parse_window_dump("Program Dump:\ninputs:\n", "f"); }), HasSubstr("f:2: there are no rows above"));
}

TEST(GridConventions, DelphiCellsDriveAllSides) {
  const auto g = parse_text_convention(
      "Program State:\nFF00 AAAA \nCCCC F0F0 \nInput State:\n0000 0000 \n0000 0000 \nOutput State:\n0001 0000 \n0000 0000 \n", "f");
  ASSERT_TRUE(g);
  EXPECT_EQ(g->file.grid.at(1, 1), cell_word({kFromS, kFromS, kFromS, kFromS}));
  // On the torus of that program the western neighbour is the eastern one, too.
  EXPECT_EQ(g->file.initial_inputs, (std::vector<uint8_t>{0, 10, 5, 0}));
}

std::string program(const std::string& cells, int width = 3) {
  return fmt::format("{{\"width\": {}, \"height\": 1, \"cells\": [{}], \"input_bits\": {{}}, \"output_bits\": {{}}, \"latency\": 2}}",
                     width, cells);
}

TEST(GridConventions, ProgramInputsMoveToTheSidesTheyComeFrom) {
  // Input 0 of the second cell is output E of the first; input 1 is the constant 1; the table is input 0 AND input 1, to the east.
  const ConventionGrid g = parse_python_program(
      program(R"({"x": 0, "y": 0, "op": "LUT", "inputs": [{"type": "input", "name": "a", "bit": 0}], "params": {"luts": [0, 43690]}},
                 {"x": 1, "y": 0, "op": "LUT", "inputs": [{"type": "cell", "x": 0, "y": 0, "out": 1}, {"type": "const", "value": 1}],
                  "params": {"luts": [0, 34952, 0, 0]}},
                 {"x": 2, "y": 0, "op": "NOT", "inputs": [{"type": "cell", "x": 1, "y": 0, "out": 1}, {"type": "cell", "x": 9, "y": 9}]})"),
      "f");
  EXPECT_EQ(cell_luts(g.file.grid.at(0, 0))[1], kFromN);  // a named input comes in at the border on its own side
  EXPECT_EQ(g.file.grid.at(1, 0), cell_word({0, kFromW, 0, 0}));
  EXPECT_EQ(g.file.grid.at(2, 0), cell_word({static_cast<Lut>(~kFromW), 0, 0, 0}));
}

TEST(GridConventions, NetlistsAreRefused) {
  const auto objection = [](const std::string& cells) { return error_of([&] { parse_python_program(program(cells), "f"); }); };
  EXPECT_THAT(objection(R"({"x": 2, "y": 0, "op": "BUF", "inputs": [{"type": "cell", "x": 0, "y": 0, "out": 0}]})"),
              HasSubstr("f: cells[0]: input 0 reads output 0 of cell (0, 0), which does not face this cell: this is a netlist, not a grid; "
                        "route it first"));
  EXPECT_THAT(objection(R"({"x": 1, "y": 0, "op": "BUF", "inputs": [{"type": "cell", "x": 0, "y": 0, "out": 0}]})"),
              HasSubstr("does not face"));
  EXPECT_THAT(objection(R"({"x": 1, "y": 0, "op": "MUL", "inputs": []})"), HasSubstr("the operation 'MUL' has no tables"));
  EXPECT_THAT(objection(R"({"x": 3, "y": 0, "op": "BUF", "inputs": []})"), HasSubstr("cell (3, 0) is outside the 3 x 1 grid"));
  EXPECT_THAT(objection(R"({"x": 1, "op": "BUF", "inputs": []})"), HasSubstr("is not a program of the Python toolchain"));
}

TEST(GridConventions, FuzzedTextsNeverCrash) {
  const std::vector<std::pair<std::string, ConventionGrid (*)(std::string_view, const std::string&)>> good = {
      {kBasicPassThrough, parse_basic_cell},
      {"[[{\"leds\":[false,true,0,1],\"values\":[\"aaaa\",\"ff00\",\"f0f0\",\"cccc\"]}]]", parse_browser_grid},
      {"Program Dump: \n0: FB73EA62D951C840 1\n1: 2 3\ninputs: \n  0: 3 0 \n  1: 0 F \noutputs: \n  0: 0 0 \n  1: 0 0 \n",
       parse_window_dump},
      {"Program State:\nFF00 AAAA \nCCCC F0F0 \nInput State:\n0000 0000 \n0000 0000 \nOutput State:\n0001 0000 \n0000 0000 \n",
       parse_delphi_state},
      {program(R"({"x": 0, "y": 0, "op": "LUT", "inputs": [{"type": "input", "name": "a", "bit": 0}], "params": {"luts": [0, 43690]}},
                  {"x": 1, "y": 0, "op": "LUT", "inputs": [{"type": "cell", "x": 0, "y": 0, "out": 1}], "params": {"luts": [0, 2, 0, 0]}})"),
       parse_python_program}};
  std::mt19937 random(3);
  for (const auto& [text, parse] : good) {
    EXPECT_EQ(error_of([&] { parse(text, "f"); }), "no error");
    size_t refused = 0;
    for (int round = 0; round < 1500; ++round) {
      std::string bytes = text;
      if (random() % 3 == 0) bytes.resize(random() % (bytes.size() + 1));
      for (auto flips = random() % 4; flips > 0 && !bytes.empty(); --flips) {
        char& c = bytes[random() % bytes.size()];
        c = random() % 2 ? static_cast<char>(random()) : text[random() % text.size()];
      }
      refused += error_of([&] { parse(bytes, "f"); }) != "no error";
      parse_text_convention("Program", "f");
    }
    EXPECT_GT(refused, 300u);
  }
}

}  // namespace
}  // namespace bitgrid::frontend
