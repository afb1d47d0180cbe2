#include "ir/kernel_form_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "ir/error.h"
#include "ir/number.h"

namespace bitgrid {
namespace {

/// " key=value", or nothing for the value that is left out.
template <typename T>
std::string item(const char* key, T value, T left_out = 0) {
  return value == left_out ? std::string() : fmt::format(" {}={}", key, value);
}

std::string word_text(const Word& w, char separator) {
  std::string text = fmt::format("{}+{}", w.first, w.bits);
  const auto add = [&](const char* key, uint64_t value) {
    if (value != 0) text += fmt::format("{}{}={}", separator, key, value);
  };
  add("shift", w.shift);
  add("max", w.max);
  add("rest", w.rest);
  return text;
}

std::string digits_text(const std::vector<int8_t>& digits) {
  std::string text;
  for (const int8_t d : digits) text += d > 0 ? '+' : d < 0 ? '-' : '0';
  return text;
}

std::string print_row(const PlaneRow& row) {
  std::string text = "row";
  if (!row.weights.empty()) text += " " + digits_text(row.weights);
  text += item("start", row.start);
  for (size_t i = 0; i < row.residents.size(); ++i) {
    const ResidentDigit& d = row.residents[i];
    text += fmt::format("{}{}:{}:{}", i == 0 ? " residents=" : ",", d.bit, d.zero, d.one);
  }
  if (row.start_word) text += " start_word=" + word_text(*row.start_word, ':');
  return text + "\n";
}

std::string print_serial(const BitSerialForm& form) {
  std::string text = "matrix" + item("slots", form.word_slots) + item("raw", form.raw_bits) + item("raw_shift", form.raw_shift) +
                     item("strip", form.strip_constant);
  if (form.multiply) text += " multiply";
  if (form.clamp)
    text += fmt::format(" clamp={},{},{}{}", form.clamp->shift, form.clamp->sign, form.clamp->width, form.clamp->low ? ",low" : "");
  if (form.sign) text += " sign";
  text += "\n";
  for (const Word& w : form.columns) text += "column " + word_text(w, ' ') + "\n";
  for (const RowGroup& g : form.groups) {
    text += "sum";
    if (g.residual) text += " residual=" + word_text(*g.residual, ':');
    text += item("times", g.multiplier, 1) + item("plus", g.multiplier_constant) + "\n";
    for (const PlaneRow& row : g.planes) text += print_row(row);
  }
  return text;
}

std::string print_streamed(const StreamedForm& form) {
  std::string text = "streamed" + item("table", form.table_bits) + item("sum", form.sum_bits) + item("start", form.start);
  if (form.start_word) text += " start_word=" + word_text(*form.start_word, ':');
  text += "\n";
  for (const StreamedColumn& c : form.columns) {
    std::vector<std::string> table;
    for (size_t code = 0; code < c.table.size(); ++code) {
      const bool resident = !c.residents.empty() && c.residents[code];
      table.push_back(resident ? fmt::format("@{}", *c.residents[code]) : std::to_string(c.table[code]));
    }
    text += fmt::format("add {} table={}\n", c.first, fmt::join(table, ","));
  }
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

/// One line: its first word, values by key, and words without a key.
class FormLine {
 public:
  FormLine(std::string_view text, std::string place) : place_(std::move(place)) {
    for (const std::string_view token : split(text, ' ')) {
      const size_t equals = token.find('=');
      if (kind.empty())
        kind = token;
      else if (equals == std::string_view::npos)
        plain_.emplace_back(token);
      else if (!values_.emplace(std::string(token.substr(0, equals)), token.substr(equals + 1)).second)
        fail(fmt::format("'{}' is given twice", token.substr(0, equals)), "give it once");
    }
  }

  std::string kind;

  [[noreturn]] void fail(const std::string& problem, const std::string& cure) const { throw Error(place_, problem, cure); }

  template <std::integral T>
  T number(std::string_view text, T least, T most) const {
    const auto value = parse_whole(text, least, most);
    if (!value) fail(fmt::format("'{}' is not a number from {} to {}", text, least, most), "correct the number");
    return *value;
  }
  template <std::integral T>
  T take(const std::string& key, T absent, T least, T most) {
    const auto value = take_text(key);
    return value ? number(*value, least, most) : absent;
  }
  std::optional<std::string> take_text(const std::string& key) {
    const auto at = values_.find(key);
    if (at == values_.end()) return std::nullopt;
    std::string value = std::move(at->second);
    values_.erase(at);
    return value;
  }
  bool take_flag(const std::string& name) {
    const auto at = std::find(plain_.begin(), plain_.end(), name);
    if (at == plain_.end()) return false;
    plain_.erase(at);
    return true;
  }
  /// The first word without a key; empty: none.
  std::string take_plain() {
    if (plain_.empty()) return "";
    std::string word = std::move(plain_.front());
    plain_.erase(plain_.begin());
    return word;
  }
  void finish() const {
    if (!plain_.empty()) fail("'" + plain_[0] + "' is unknown here", "leave it out");
    if (!values_.empty()) fail("'" + values_.begin()->first + "' is unknown here", "leave it out");
  }

 private:
  std::string place_;
  std::vector<std::string> plain_;
  std::map<std::string, std::string> values_;
};

class FormParser {
 public:
  FormParser(std::string_view text, std::string source) : text_(text), source_(std::move(source)) {}

  KernelForm parse() {
    for (size_t n = 1; !text_.empty(); ++n) {
      const size_t end = std::min(text_.find('\n'), text_.size());
      FormLine line(text_.substr(0, end).substr(0, text_.substr(0, end).find('#')), fmt::format("{}:{}", source_, n));
      text_.remove_prefix(std::min(end + 1, text_.size()));
      if (line.kind.empty()) continue;
      add(line);
      line.finish();
    }
    return std::move(form_);
  }

 private:
  static constexpr uint32_t kMostBits = 64;

  void add(FormLine& line) {
    if (line.kind == "matrix") return add_matrix(line);
    if (line.kind == "popcount") return add_popcount(line);
    if (line.kind == "part") return add_part(line);
    if (line.kind == "streamed") return add_streamed(line);
    if (line.kind == "count" && form_.parallel) return add_count(line);
    if (line.kind == "add" && form_.streamed) return add_streamed_column(line);
    if (line.kind == "column" && form_.serial) return add_column(line);
    if (line.kind == "sum" && form_.serial) return add_sum(line);
    if (line.kind == "row" && form_.serial && !form_.serial->groups.empty()) return add_row(line);
    line.fail("'" + line.kind + "' cannot begin a line here",
              "write matrix, then column, sum and row; or popcount, then count; or part; or streamed, then add");
  }

  void add_matrix(FormLine& line) {
    BitSerialForm& f = form_.serial.emplace();
    f.word_slots = line.take("slots", 0, 0, INT_MAX);
    f.raw_bits = line.take("raw", 0U, 0U, kMostBits);
    f.raw_shift = line.take("raw_shift", 0U, 0U, kMostBits);
    f.strip_constant = line.take("strip", int64_t{0}, INT64_MIN, INT64_MAX);
    f.multiply = line.take_flag("multiply");
    f.sign = line.take_flag("sign");
    const auto clamp = line.take_text("clamp");
    if (!clamp) return;
    const auto parts = split(*clamp, ',');
    if (parts.size() < 3 || parts.size() > 4 || (parts.size() == 4 && parts[3] != "low"))
      line.fail("'" + *clamp + "' is not a clamp", "write clamp=SHIFT,SIGN,WIDTH or clamp=SHIFT,SIGN,WIDTH,low");
    f.clamp = ClampForm{line.number(parts[0], 0, 64), line.number(parts[1], 0, 64), line.number(parts[2], 0, 64), parts.size() == 4};
  }

  /// FIRST+BITS and key=value parts.
  static Word word(const FormLine& line, const std::vector<std::string_view>& parts) {
    Word w;
    const size_t plus = parts.empty() ? std::string_view::npos : parts[0].find('+');
    if (plus == std::string_view::npos) line.fail("a word is missing", "write FIRST+BITS");
    w.first = line.number(parts[0].substr(0, plus), 0U, UINT_MAX);
    w.bits = line.number(parts[0].substr(plus + 1), 0U, kMostBits);
    for (size_t i = 1; i < parts.size(); ++i) {
      const size_t equals = std::min(parts[i].find('='), parts[i].size());
      const std::string_view key = parts[i].substr(0, equals), value = parts[i].substr(std::min(equals + 1, parts[i].size()));
      if (key == "shift")
        w.shift = line.number(value, 0U, kMostBits);
      else if (key == "max")
        w.max = line.number(value, uint64_t{0}, UINT64_MAX);
      else if (key == "rest")
        w.rest = line.number(value, uint64_t{0}, UINT64_MAX);
      else
        line.fail(fmt::format("'{}' is not known of a word", key), "write shift, max or rest");
    }
    return w;
  }

  void add_column(FormLine& line) {
    std::vector<std::string> texts = {line.take_plain()};
    for (const char* key : {"shift", "max", "rest"})
      if (const auto value = line.take_text(key)) texts.push_back(fmt::format("{}={}", key, *value));
    form_.serial->columns.push_back(word(line, {texts.begin(), texts.end()}));
  }

  void add_sum(FormLine& line) {
    RowGroup g;
    if (const auto residual = line.take_text("residual")) g.residual = word(line, split(*residual, ':'));
    g.multiplier = line.take("times", 1, INT_MIN, INT_MAX);
    g.multiplier_constant = line.take("plus", 0, INT_MIN, INT_MAX);
    form_.serial->groups.push_back(std::move(g));
  }

  static std::vector<int8_t> digits(const FormLine& line, const std::string& text) {
    std::vector<int8_t> all;
    for (const char c : text) {
      if (c != '+' && c != '-' && c != '0') line.fail("'" + text + "' are not digits", "write +, 0 or - for each column");
      all.push_back(static_cast<int8_t>(c == '+' ? 1 : c == '-' ? -1 : 0));
    }
    return all;
  }

  void add_row(FormLine& line) {
    PlaneRow row;
    row.start = line.take("start", int64_t{0}, INT64_MIN, INT64_MAX);
    if (const auto start = line.take_text("start_word")) row.start_word = word(line, split(*start, ':'));
    if (const auto residents = line.take_text("residents")) {
      for (const std::string_view text : split(*residents, ',')) {
        const auto parts = split(text, ':');
        if (parts.size() != 3) line.fail(fmt::format("'{}' is not a resident digit", text), "write BIT:DIGIT_OF_0:DIGIT_OF_1");
        const auto digit = [&](std::string_view d) { return static_cast<int8_t>(line.number(d, -1, 1)); };
        row.residents.push_back({line.number(parts[0], 0U, UINT_MAX), digit(parts[1]), digit(parts[2])});
      }
    } else {
      row.weights = digits(line, line.take_plain());
    }
    const size_t entries = row.residents.size() + row.weights.size(), columns = form_.serial->columns.size();
    if (entries != columns) line.fail(fmt::format("{} digits for {} columns", entries, columns), "give one for each column");
    form_.serial->groups.back().planes.push_back(std::move(row));
  }

  void add_popcount(FormLine& line) { form_.parallel.emplace().inputs = line.take("inputs", 0U, 0U, UINT_MAX); }

  void add_count(FormLine& line) {
    PopcountRow row;
    row.theta = line.take("theta", int64_t{0}, INT64_MIN, INT64_MAX);
    row.weights = digits(line, line.take_plain());
    if (row.weights.size() != form_.parallel->inputs)
      line.fail(fmt::format("{} digits for {} inputs", row.weights.size(), form_.parallel->inputs), "give one for each input");
    form_.parallel->rows.push_back(std::move(row));
  }

  void add_part(FormLine& line) {
    CountPart part;
    part.inputs.first = line.take("first", 0U, 0U, UINT_MAX);
    part.inputs.count = line.take("count", 0U, 0U, UINT_MAX);
    part.interleaved = line.take_flag("ii2");
    form_.part = part;
  }

  void add_streamed(FormLine& line) {
    StreamedForm& f = form_.streamed.emplace();
    f.table_bits = line.take("table", 0U, 0U, kMostBits);
    f.sum_bits = line.take("sum", 0U, 0U, kMostBits);
    f.start = line.take("start", uint64_t{0}, uint64_t{0}, UINT64_MAX);
    if (const auto start = line.take_text("start_word")) f.start_word = word(line, split(*start, ':'));
  }

  void add_streamed_column(FormLine& line) {
    StreamedColumn column{line.number(line.take_plain(), 0U, UINT_MAX), {}};
    const std::string table = line.take_text("table").value_or("");
    std::vector<std::optional<uint32_t>> residents;
    for (const std::string_view entry : split(table, ',')) {
      const bool resident = entry.starts_with('@');
      residents.push_back(resident ? std::optional(line.number(entry.substr(1), 0U, UINT_MAX)) : std::nullopt);
      column.table.push_back(resident ? 0 : line.number(entry, uint64_t{0}, UINT64_MAX));
    }
    if (std::any_of(residents.begin(), residents.end(), [](const auto& bit) { return bit.has_value(); }))
      column.residents = std::move(residents);
    if (column.table.size() != 2 && column.table.size() != 4)
      line.fail(fmt::format("a table of {} numbers", column.table.size()), "give 2 numbers, or 4: one for each code");
    form_.streamed->columns.push_back(std::move(column));
  }

  std::string_view text_;
  std::string source_;
  KernelForm form_;
};

}  // namespace

std::string print(const KernelForm& form) {
  std::string text = form.serial ? print_serial(*form.serial) : "";
  if (form.parallel) {
    text += fmt::format("popcount inputs={}\n", form.parallel->inputs);
    for (const PopcountRow& row : form.parallel->rows)
      text += "count" + (row.weights.empty() ? "" : " " + digits_text(row.weights)) + item("theta", row.theta) + "\n";
  }
  if (form.part)
    text += "part" + item("first", form.part->inputs.first) + item("count", form.part->inputs.count) +
            (form.part->interleaved ? " ii2" : "") + "\n";
  if (form.streamed) text += print_streamed(*form.streamed);
  return text;
}

KernelForm parse_form(std::string_view text, const std::string& source) {
  return FormParser(text, source).parse();
}

}  // namespace bitgrid
