#include "ir/json_reader.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace bitgrid {
namespace {

using Json = nlohmann::json;

std::string problem_of(std::string_view text, JsonPlace place = {"f.json", "write it again"}) {
  return test::error_of([&] { return parse_json(text, place); });
}

TEST(JsonReader, ReadsWhatTheLibraryReads) {
  const std::string text =
      "{\"a\": [1, -2, 0.5, true, null, \"\\u00e9\\n\"], \"b\": {\"a\": {}}, \"c\": [], \"big\": 18446744073709551615}";
  EXPECT_EQ(parse_json(text, {"f", ""}), Json::parse(text));
  EXPECT_EQ(parse_json<nlohmann::ordered_json>(text, {"f", ""}).dump(), nlohmann::ordered_json::parse(text).dump());
  EXPECT_EQ(parse_json("\xEF\xBB\xBF 7 \n", {"f", ""}), Json(7));
}

TEST(JsonReader, PiecesAreOneText) {
  std::vector<std::string_view> pieces = {"\xEF\xBB\xBF{\"a", "b\": 1", "2}"};
  JsonTree<Json> tree;
  size_t next = 0;
  read_json([&] { return next < pieces.size() ? pieces[next++] : std::string_view(); }, {"f", ""}, tree);
  EXPECT_EQ(tree.take(), Json({{"ab", 12}}));
}

TEST(JsonReader, ElementsOfAStreamStayOutOfTheValue) {
  JsonTree<Json> tree;
  std::string got;
  const auto keep = [&](const std::string& key, Json&& element) { got += key + element.dump() + " "; };
  tree.stream({"model", "vocab"}, keep);
  tree.stream({"list"}, keep);
  read_json(R"({"vocab": {"n": 1}, "model": {"vocab": {"a": 1, "b": [2, {"vocab": {}}]}, "k": [{}]}, "list": [[], {"x": 3}, 4], "z": 5})",
            {"f", ""}, tree);
  EXPECT_EQ(got, R"(a1 b[2,{"vocab":{}}] [] {"x":3} 4 )");
  EXPECT_EQ(tree.take(), Json::parse(R"({"vocab": {"n": 1}, "model": {"vocab": {}, "k": [{}]}, "list": [], "z": 5})"));
}

TEST(JsonReader, ValuesBelowADepthAreLeftOut) {
  JsonTree<Json> tree(1);
  std::string got;
  tree.stream({"a", "b"}, [&](const std::string&, Json&& element) { got += element.dump(); });
  read_json(R"({"a": {"b": [[1]], "c": {"d": 2}}, "e": [{"f": [3]}, 4], "g": 5})", {"f", ""}, tree);
  EXPECT_EQ(tree.take(), Json::parse(R"({"a": {}, "e": [], "g": 5})"));
  EXPECT_EQ(got, "[1]");
}

TEST(JsonReader, AKeyStandsOnce) {
  EXPECT_EQ(problem_of("{\"a\": 1,\n \"a\": 2}"), "f.json:2: the key \"a\" appears twice in one object (column 4); write it again");
  EXPECT_EQ(problem_of("[{\"x\": {\"k\": 1}}, {\"x\": {\"k\": 1, \"k\": 1}}]"),
            "f.json:1: the key \"k\" appears twice in one object (column 36); write it again");
  EXPECT_EQ(problem_of("{\"a\": {\"a\": 1}, \"b\": [{\"a\": 1}, {\"a\": 1}]}"), "no error");
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += "\"k" + std::to_string(i) + "\": 0, ";
  EXPECT_EQ(problem_of(many + "\"z\": 0}"), "no error");
  EXPECT_NE(problem_of(many + "\"k3\": 0}").find("\"k3\" appears twice"), std::string::npos);
  EXPECT_NE(problem_of(many + "\"k77\": 0}").find("\"k77\" appears twice"), std::string::npos);
}

TEST(JsonReader, NothingStandsBehindTheValue) {
  using namespace std::string_literals;
  EXPECT_EQ(problem_of("{}\0\0"s), "f.json:1: unexpected zero byte (column 3); write it again");
  EXPECT_EQ(problem_of("{}"s, {"f", "", 1, 8}), "no error");
  EXPECT_EQ(problem_of("{}\0"s, {"f", "c", 1, 8}), "f: byte 10: unexpected zero byte; c");
  EXPECT_NE(problem_of("{} {}").find("f.json:1: this is not JSON"), std::string::npos);
}

TEST(JsonReader, NumbersFit) {
  EXPECT_EQ(problem_of("[18446744073709551616]"),
            "f.json:1: the number 18446744073709551616 does not fit 64 bits (column 22); write it again");
  EXPECT_NE(problem_of("[-9223372036854775809]").find("does not fit 64 bits"), std::string::npos);
  EXPECT_EQ(problem_of("[1e300, 123456789012345678901.5]"), "no error");
  for (const char* text : {"[1e999]", "[NaN]", "[Infinity]", "[+1]", "[01]", "[0x1]", "[1_000]"})
    EXPECT_NE(problem_of(text).find("f.json:1: this is not JSON: "), std::string::npos) << text;
}

TEST(JsonReader, DepthIsBounded) {
  const std::string open(64, '['), close(64, ']');
  EXPECT_EQ(problem_of(open + close), "no error");
  EXPECT_EQ(problem_of("\n[" + open + close + "]"), "f.json:2: lists and objects are nested more than 64 deep (column 65); write it again");
  EXPECT_NE(problem_of(std::string(1'000'000, '[')).find("more than 64 deep"), std::string::npos);
}

TEST(JsonReader, BadTextIsNamedByLineOrByte) {
  EXPECT_EQ(problem_of("{\"a\":\n  x}"),
            "f.json:2: this is not JSON: syntax error while parsing value - invalid literal; last read: '\"a\":<U+000A>  x' (column 3); "
            "write it again");
  EXPECT_EQ(problem_of("", {"f.json", "c", 7}).substr(0, 28), "f.json:7: this is not JSON: ");
  EXPECT_NE(problem_of("\"\xFF\"").find("ill-formed UTF-8"), std::string::npos);
}

TEST(JsonReader, IntegersAreIntegers) {
  const auto problem = [](const Json& v) { return test::error_of([&] { return json_integer(v, "\"x\"", 0, 9, "f"); }); };
  EXPECT_EQ(problem(9), "no error");
  for (const Json& v : {Json(10), Json(-1), Json(1.0), Json(true), Json("1"), Json(nullptr), Json(UINT64_MAX), Json(1e300)})
    EXPECT_EQ(problem(v), "f: \"x\" is not an integer from 0 to 9; correct the number") << v;
}

}  // namespace
}  // namespace bitgrid
