#include "frontend/yaml_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <utility>

#include "ir/error.h"
#include "ir/number.h"
#include "ir/text.h"

namespace bitgrid::frontend {

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

std::string kind_of(const YAML::Node& node) {
  if (node.IsMap()) return "a mapping";
  if (node.IsSequence()) return "a list";
  if (node.IsScalar()) return quoted(node.Scalar());
  return "nothing";
}

YamlValue child(const YamlValue& parent, const std::string& key, const YAML::Node& node) {
  const int line = node.Mark().line >= 0 ? node.Mark().line + 1 : parent.line;
  return {parent.file, parent.docs, parent.path.empty() ? key : parent.path + "." + key, line, node};
}

/// Counts what the text stands for when its aliases are written out.
class Aliases : public YAML::EventHandler {
 public:
  explicit Aliases(const std::string& file) : file_(file) {}

  void OnDocumentStart(const YAML::Mark&) override { sizes_.clear(); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t anchor) override { leaf(anchor, 1); }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t anchor, const std::string& value) override {
    leaf(anchor, 1 + value.size());
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = sizes_.find(anchor);
    if (it == sizes_.end()) fail(mark, "an alias is used inside its own anchor");
    leaf(0, it->second);
    if (total_ > kMost) fail(mark, fmt::format("the aliases expand to more than {} characters", kMost));
  }
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override { open(anchor); }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override { open(anchor); }
  void OnMapEnd() override { close(); }

 private:
  static constexpr uint64_t kMost = uint64_t{1} << 28;

  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& problem) const {
    throw Error(fmt::format("{}:{}", file_, mark.line + 1), problem, "write the values out");
  }
  void leaf(YAML::anchor_t anchor, uint64_t size) {
    total_ += size;
    if (anchor != 0) sizes_[anchor] = size;
  }
  void open(YAML::anchor_t anchor) { open_.emplace_back(anchor, total_); }
  void close() {
    const auto [anchor, before] = open_.back();
    open_.pop_back();
    if (anchor != 0) sizes_[anchor] = total_ - before;
  }

  const std::string& file_;
  uint64_t total_ = 0;
  std::vector<std::pair<YAML::anchor_t, uint64_t>> open_;  // anchor, and the total in front
  std::map<YAML::anchor_t, uint64_t> sizes_;
};

/// Also refuses aliases that grow too large, and more than one document. YAML::LoadAll never ends on some texts (",a"), in which the parser
/// finds one empty document after another without moving on.
void check_document(const std::string& text, const std::string& file) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Aliases aliases(file);
  if (parser.HandleNextDocument(aliases) && parser.HandleNextDocument(aliases))
    throw Error(file + ":1", "the file holds more than one YAML document", "keep one of them");
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

YamlValue parse_yaml(const std::string& text, const std::string& file, const std::string& docs) {
  const size_t bad = std::min(invalid_utf8(text), text.find('\0'));
  if (bad != std::string::npos) {
    throw Error(fmt::format("{}:{}", file, line_at(text, bad)), fmt::format("byte {} is not UTF-8 text", bad),
                "save the file as UTF-8, as " + docs + " describes it");
  }
  const auto where = [&](const YAML::Exception& e) { return fmt::format("{}:{}", file, std::max(e.mark.line, 0) + 1); };
  YAML::Node document;
  try {
    check_document(text, file);
    document = YAML::Load(text);
  } catch (const YAML::DeepRecursion& e) {
    throw Error(where(e), fmt::format("lists and mappings are nested more than {} deep", e.depth()), docs + " shows how deep they may be");
  } catch (const YAML::Exception& e) {
    throw Error(where(e), "this is not valid YAML: " + e.msg, "correct the syntax near this line");
  }
  if (!document || document.IsNull()) throw Error(file + ":1", "the file is empty", docs + " shows what to write");
  return {file, docs, "", 1, document};
}

bool YamlValue::is_integer() const {
  if (!node.IsScalar()) return false;
  const std::string& s = node.Scalar();
  const size_t first = s.starts_with('-') ? 1 : 0;
  return s.size() > first && s.find_first_not_of("0123456789", first) == std::string::npos;
}

std::string YamlValue::text() const {
  if (!node.IsScalar()) throw Error(where(), path + " is " + kind_of(node) + ", not a string", "write `KEY: VALUE`");
  const std::string& s = node.Scalar();
  if (printable(s) != s) throw Error(where(), path + " has a control character", "write printable text");
  return s;
}

int64_t YamlValue::integer(int64_t lo, int64_t hi) const {
  if (!is_integer()) throw Error(where(), path + " is " + kind_of(node) + ", not an integer", "write a whole number");
  const std::string& s = node.Scalar();
  const auto v = parse_whole(s, lo, hi);
  if (!v)
    throw Error(where(), fmt::format("{} is {}, outside {} .. {}", path, s.size() > 60 ? s.substr(0, 60) + "..." : s, lo, hi),
                "choose a value in that range");
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
  for (const auto& pair : value.node) {
    const std::string at = value.file + ":" + std::to_string(std::max(pair.first.Mark().line + 1, 1));
    if (!pair.first.IsScalar()) throw Error(at, "a key of " + name + " is " + kind_of(pair.first), "use words as keys");
    const std::string key = pair.first.Scalar();
    if (known != std::vector<std::string>{"*"} && std::find(known.begin(), known.end(), key) == known.end()) {
      const std::string near = nearest(key, known);
      throw Error(at, "unknown key " + quoted(key) + " in " + name,
                  near.empty() ? "the keys here are " + listed : "did you mean `" + near + "`? (the keys here are " + listed + ")");
    }
    if (!values_.emplace(key, pair.second).second)
      throw Error(at, "the key " + quoted(key) + " appears twice in " + name, "keep one of them");
    keys_.push_back(key);
  }
}

bool YamlMap::has(const std::string& key) const {
  return values_.contains(key);
}

YamlValue YamlMap::get(const std::string& key) const {
  const auto it = values_.find(key);
  if (it != values_.end()) return child(value_, key, it->second);
  const std::string name = value_.path.empty() ? "the file" : value_.path;
  throw Error(where(), "the key `" + key + "` is missing in " + name, "add it; " + value_.docs + " says what it means");
}

}  // namespace bitgrid::frontend
