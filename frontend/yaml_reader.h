// Strict reading of YAML. Every value is requested by name and type; any value that nobody requests is an error with its line.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bitgrid::frontend {

/// Returns the key of `known` nearest to `word` by edit distance, or "" if none is close enough to be a typo.
std::string nearest(const std::string& word, const std::vector<std::string>& known);

/// A value in the file, with its key path for messages.
struct YamlValue {
  std::string file;
  std::string docs;  // the page that documents such a file
  std::string path;  // "layers.0.query"
  int line = 0;
  YAML::Node node;

  std::string where() const { return file + ":" + std::to_string(line); }
  bool is_map() const { return node.IsMap(); }
  bool is_list() const { return node.IsSequence(); }
  bool is_integer() const;

  /// Each throws Error if the value has another type.
  std::string text() const;
  int64_t integer(int64_t lo, int64_t hi) const;
  double number() const;
  double number(double lo, double hi) const;
  std::vector<YamlValue> list() const;
};

/// Returns the value of a text that is one YAML document. Throws Error (FILE:LINE) for bad UTF-8, bad YAML, values that are nested too
/// deeply, and aliases that expand to much more than the text.
YamlValue parse_yaml(const std::string& text, const std::string& file, const std::string& docs);

/// A mapping. Every key must be among `known`, and none may occur twice.
class YamlMap {
 public:
  YamlMap(const YamlValue& value, std::vector<std::string> known);

  bool has(const std::string& key) const;
  /// Throws Error with the missing key and the line of the mapping.
  YamlValue get(const std::string& key) const;
  const std::string& path() const { return value_.path; }
  std::string where() const { return value_.where(); }
  int line() const { return value_.line; }
  /// Returns the keys in the order of the file (for mappings with free keys: pass known = {"*"}).
  std::vector<std::string> keys() const { return keys_; }

 private:
  YamlValue value_;
  std::vector<std::string> keys_;
  std::map<std::string, YAML::Node> values_;
};

}  // namespace bitgrid::frontend
