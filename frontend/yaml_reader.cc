#include "frontend/yaml_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "ir/error.h"
#include "ir/number.h"

namespace bitgrid {

namespace {

size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

/// Long or odd user text, cut and with control characters replaced, for messages.
std::string quoted(const std::string& s) {
  std::string out = "`";
  for (const char c : s.substr(0, 60)) out += static_cast<unsigned char>(c) < 32 ? '?' : c;
  return out + (s.size() > 60 ? "...`" : "`");
}

/// Byte index of the first invalid UTF-8 sequence, or npos.
size_t invalid_utf8(const std::string& s) {
  for (size_t i = 0; i < s.size();) {
    const unsigned c = static_cast<unsigned char>(s[i]);
    const size_t n = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
    if (n == 0 || i + n > s.size()) return i;
    for (size_t k = 1; k < n; ++k) {
      if ((static_cast<unsigned char>(s[i + k]) & 0xC0u) != 0x80u) return i;
    }
    i += n;
  }
  return std::string::npos;
}

int line_at(const std::string& s, size_t byte) {
  return 1 + static_cast<int>(std::count(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(byte), '\n'));
}

std::string kind_of(const YAML::Node& node) {
  if (node.IsMap()) return "a mapping";
  if (node.IsSequence()) return "a list";
  if (node.IsScalar()) return quoted(node.Scalar());
  return "nothing";
}

YamlValue child(const YamlValue& parent, const std::string& key, const YAML::Node& node) {
  const int line = node.Mark().line >= 0 ? node.Mark().line + 1 : parent.line;
  return {parent.file, parent.path.empty() ? key : parent.path + "." + key, line, node};
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  const std::string cut = word.substr(0, 64);
  size_t best_distance = std::max<size_t>(2, cut.size() / 3) + 1;
  for (const std::string& k : known) {
    const size_t d = edit_distance(cut, k);
    if (d < best_distance) {
      best_distance = d;
      best = k;
    }
  }
  return best;
}

YAML::Node parse_yaml(const std::string& text, const std::string& file) {
  const size_t bad = std::min(invalid_utf8(text), text.find('\0'));
  if (bad != std::string::npos) {
    throw Error(file + ":" + std::to_string(line_at(text, bad)), "byte " + std::to_string(bad) + " is not UTF-8 text",
                "save the file as UTF-8; is this the model file?");
  }
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(text);
  } catch (const YAML::Exception& e) {
    const int line = e.mark.line >= 0 ? e.mark.line + 1 : 1;
    throw Error(file + ":" + std::to_string(line), "this is no valid YAML: " + e.msg, "correct the syntax near this line");
  }
  if (documents.size() != 1 || documents[0].IsNull()) {
    throw Error(file + ":1", documents.size() > 1 ? "the file holds more than one YAML document" : "the file is empty",
                "write one model, as docs/model-format.md shows");
  }
  return documents[0];
}

bool YamlValue::is_integer() const {
  if (!node.IsScalar()) return false;
  return parse_whole(node.Scalar(), INT64_MIN, INT64_MAX).has_value();
}

std::string YamlValue::text() const {
  if (!node.IsScalar()) throw Error(where(), path + " is " + kind_of(node) + ", not a text", "write `KEY: VALUE`");
  return node.Scalar();
}

int64_t YamlValue::integer(int64_t lo, int64_t hi) const {
  if (!is_integer()) throw Error(where(), path + " is " + kind_of(node) + ", not an integer", "write a whole number");
  const std::string& s = node.Scalar();
  const auto v = parse_whole(s, lo, hi);
  if (!v) {
    throw Error(where(), path + " is " + s + ", outside " + std::to_string(lo) + " .. " + std::to_string(hi),
                "choose a value in that range");
  }
  return *v;
}

double YamlValue::number() const {
  constexpr double kMost = std::numeric_limits<double>::max();
  const auto v = node.IsScalar() ? parse_real(node.Scalar(), -kMost, kMost) : std::nullopt;
  if (!v) throw Error(where(), path + " is " + kind_of(node) + ", not a number", "write a decimal number such as 0.5");
  return *v;
}

double YamlValue::number(double lo, double hi) const {
  const double v = number();
  if (!(v >= lo && v <= hi))
    throw Error(where(), fmt::format("{} is {}, outside {} .. {}", path, node.Scalar(), lo, hi), "choose a value in that range");
  return v;
}

std::vector<YamlValue> YamlValue::list() const {
  if (!node.IsSequence())
    throw Error(where(), path + " is " + kind_of(node) + ", not a list", "write `[A, B]`, or lines that begin with `- `");
  std::vector<YamlValue> out;
  for (size_t i = 0; i < node.size(); ++i) out.push_back(child(*this, std::to_string(i), node[i]));
  return out;
}

YamlMap::YamlMap(const YamlValue& value, std::vector<std::string> known) : value_(value) {
  const std::string name = value.path.empty() ? "the file" : value.path;
  std::sort(known.begin(), known.end());
  std::string listed;
  for (const std::string& k : known) listed += (listed.empty() ? "" : ", ") + k;
  if (!value.node.IsMap()) {
    throw Error(value.where(), name + " is " + kind_of(value.node) + ", not a mapping", "write `KEY: VALUE` pairs with the keys " + listed);
  }
  std::set<std::string> seen;
  for (const auto& pair : value.node) {
    const std::string at = value.file + ":" + std::to_string(std::max(pair.first.Mark().line + 1, 1));
    if (!pair.first.IsScalar()) throw Error(at, "a key of " + name + " is " + kind_of(pair.first), "use words as keys");
    const std::string key = pair.first.Scalar();
    if (known != std::vector<std::string>{"*"} && std::find(known.begin(), known.end(), key) == known.end()) {
      const std::string near = nearest(key, known);
      throw Error(at, "unknown key " + quoted(key) + " in " + name,
                  near.empty() ? "the keys here are " + listed : "did you mean `" + near + "`? (the keys here are " + listed + ")");
    }
    if (!seen.insert(key).second) throw Error(at, "the key " + quoted(key) + " stands twice in " + name, "keep one of them");
    keys_.push_back(key);
  }
}

bool YamlMap::has(const std::string& key) const {
  return std::find(keys_.begin(), keys_.end(), key) != keys_.end();
}

YamlValue YamlMap::get(const std::string& key) const {
  if (!has(key)) {
    const std::string name = value_.path.empty() ? "the file" : value_.path;
    throw Error(where(), "the key `" + key + "` is missing in " + name, "add it; docs/model-format.md says what it means");
  }
  for (const auto& pair : value_.node) {
    if (pair.first.Scalar() == key) return child(value_, key, pair.second);
  }
  return value_;
}

}  // namespace bitgrid
