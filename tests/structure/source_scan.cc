#include "tests/structure/source_scan.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

namespace bitgrid::test {
namespace {

namespace fs = std::filesystem;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

/// Identifiers and single characters, without comments, literals and preprocessor lines.
std::vector<std::string> tokens_of(const std::string& text) {
  std::vector<std::string> tokens;
  size_t i = 0;
  const auto skip_to = [&](const std::string& end) { i = std::min(text.find(end, i), text.size() - end.size()) + end.size(); };
  bool line_start = true;
  while (i < text.size()) {
    const char c = text[i];
    if (c == '\n') {
      line_start = true;
      ++i;
    } else if (std::isspace(static_cast<unsigned char>(c))) {
      ++i;
    } else if (c == '#' && line_start) {
      while (i < text.size() && text[i] != '\n') i += text[i] == '\\' ? 2 : 1;
    } else if (text.compare(i, 2, "//") == 0) {
      while (i < text.size() && text[i] != '\n') ++i;
    } else if (text.compare(i, 2, "/*") == 0) {
      skip_to("*/");
    } else if (text.compare(i, 2, "R\"") == 0) {
      const size_t open = text.find('(', i);
      const std::string end = ")" + text.substr(i + 2, open - i - 2) + "\"";
      skip_to(end);
      line_start = false;
    } else if (c == '"' || c == '\'') {
      for (++i; i < text.size() && text[i] != c; ++i) i += text[i] == '\\';
      ++i;
      line_start = false;
    } else if (is_word(c)) {
      const size_t begin = i;
      // A ' between digits belongs to the number.
      while (i < text.size() && (is_word(text[i]) || (text[i] == '\'' && std::isdigit(static_cast<unsigned char>(c))))) ++i;
      tokens.push_back(text.substr(begin, i - begin));
      line_start = false;
    } else {
      tokens.emplace_back(1, c);
      ++i;
      line_start = false;
    }
  }
  return tokens;
}

/// What a brace opens.
struct Scope {
  bool is_namespace = false;
  bool unnamed = false;
  std::string name;  // "a::b"
};

bool is_type_keyword(const std::string& token) {
  return token == "struct" || token == "class" || token == "union" || token == "enum";
}

/// The tokens between two of `;`, `{` and `}`: what stands before a brace says what it opens.
class TypeFinder {
 public:
  std::vector<std::string> run(const std::vector<std::string>& tokens) {
    for (const std::string& token : tokens) {
      if (token == "{") {
        open();
      } else if (token == "}") {
        if (!scopes_.empty()) scopes_.pop_back();
        statement_.clear();
      } else if (token == ";") {
        statement_.clear();
      } else {
        statement_.push_back(token);
      }
    }
    return std::move(types_);
  }

 private:
  void open() {
    Scope scope;
    const auto space = std::find(statement_.begin(), statement_.end(), "namespace");
    if (space != statement_.end()) {
      scope.is_namespace = true;
      for (auto t = space + 1; t != statement_.end(); ++t) scope.name += *t;
      scope.unnamed = scope.name.empty();
    } else if (at_namespace_scope()) {
      note_type();
    }
    scopes_.push_back(scope);
    statement_.clear();
  }

  bool at_namespace_scope() const {
    return std::all_of(scopes_.begin(), scopes_.end(), [](const Scope& s) { return s.is_namespace && !s.unnamed; });
  }

  void note_type() {
    size_t i = 0;
    if (!statement_.empty() && statement_[0] == "template") i = after_angles(1);
    if (i >= statement_.size() || !is_type_keyword(statement_[i])) return;
    while (i < statement_.size() && is_type_keyword(statement_[i])) ++i;
    if (i >= statement_.size() || !is_word(statement_[i][0])) return;
    // A specialisation is another type; a function that returns a struct has parentheses.
    if (i + 1 < statement_.size() && (statement_[i + 1] == "<" || statement_[i + 1] == "(")) return;
    if (std::find(statement_.begin(), statement_.end(), "(") != statement_.end()) return;
    std::string name;
    for (const Scope& s : scopes_) name += s.name + "::";
    name += statement_[i];
    // struct Outer::Inner
    for (; i + 3 < statement_.size() && statement_[i + 1] == ":" && statement_[i + 2] == ":"; i += 3) name += "::" + statement_[i + 3];
    types_.push_back(name);
  }

  size_t after_angles(size_t i) const {
    int depth = 0;
    for (; i < statement_.size(); ++i) {
      depth += statement_[i] == "<" ? 1 : statement_[i] == ">" ? -1 : 0;
      if (depth == 0) return i + 1;
    }
    return i;
  }

  std::vector<std::string> statement_;
  std::vector<Scope> scopes_;
  std::vector<std::string> types_;
};

std::string folder_of(const std::string& path, const Arrows& arrows) {
  std::string best;
  for (const auto& [folder, allowed] : arrows) {
    if (path.compare(0, folder.size() + 1, folder + "/") == 0 && folder.size() > best.size()) best = folder;
  }
  return best;
}

}  // namespace

Sources product_sources(const std::string& root) {
  static const std::set<std::string> kLeftOut = {"tests", "bench", "examples", "build"};
  Sources sources;
  for (const auto& top : fs::directory_iterator(root)) {
    const std::string name = top.path().filename().string();
    if (!top.is_directory() || name[0] == '.' || kLeftOut.contains(name)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(top.path())) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc") continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      sources[fs::relative(entry.path(), root).string()] = text.str();
    }
  }
  return sources;
}

std::vector<std::string> includes_of(const std::string& text) {
  std::vector<std::string> includes;
  std::istringstream lines(text);
  const std::string start = "#include \"";
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, start.size(), start) == 0) includes.push_back(line.substr(start.size(), line.rfind('"') - start.size()));
  }
  return includes;
}

std::vector<std::string> types_of(const std::string& text) {
  return TypeFinder().run(tokens_of(text));
}

std::vector<std::string> types_defined_twice(const Sources& sources) {
  std::map<std::string, std::string> first;
  std::vector<std::string> twice;
  for (const auto& [path, text] : sources) {
    for (const std::string& type : types_of(text)) {
      const auto [at, added] = first.emplace(type, path);
      if (!added) twice.push_back(type + ": " + at->second + " and " + path);
    }
  }
  return twice;
}

std::vector<std::string> include_circle(const Sources& sources) {
  std::map<std::string, int> state;  // 1: on the path, 2: done
  std::vector<std::string> path;
  const std::function<bool(const std::string&)> visit = [&](const std::string& file) {
    path.push_back(file);
    if (state[file] == 1) {
      path.erase(path.begin(), std::find(path.begin(), path.end(), file));
      return true;
    }
    if (state[file] == 0) {
      state[file] = 1;
      for (const std::string& include : includes_of(sources.at(file))) {
        if (sources.contains(include) && visit(include)) return true;
      }
    }
    state[file] = 2;
    path.pop_back();
    return false;
  };
  for (const auto& [file, text] : sources) {
    if (visit(file)) return path;
  }
  return {};
}

std::vector<std::string> includes_against(const Arrows& arrows, const Sources& sources) {
  std::vector<std::string> against;
  for (const auto& [path, text] : sources) {
    const std::string from = folder_of(path, arrows);
    if (from.empty()) {
      against.push_back(path + " lies in no known folder");
      continue;
    }
    for (const std::string& include : includes_of(text)) {
      if (!sources.contains(include)) continue;
      const std::string to = folder_of(include, arrows);
      const std::vector<std::string>& allowed = arrows.at(from);
      if (to != from && std::find(allowed.begin(), allowed.end(), to) == allowed.end()) against.push_back(path + " includes " + include);
    }
  }
  return against;
}

}  // namespace bitgrid::test
