#include "cli/dump.h"

#include <algorithm>

#include "frontend/npz.h"

namespace bitgrid::cli {

namespace {

constexpr int64_t kNoScore = -(int64_t{1} << 20);

}  // namespace

cpu::ScaledTrace Dump::trace() {
  return [this](const std::string& name, const std::vector<int64_t>& values) {
    auto& rows = values_[name];
    if (rows.empty()) order_.push_back(name);
    rows.push_back(values);
  };
}

void Dump::write() {
  std::vector<frontend::NamedArray> arrays;
  for (const std::string& name : order_) {
    const auto& rows = values_.at(name);
    size_t columns = 0;
    for (const auto& row : rows) columns = std::max(columns, row.size());
    frontend::NamedArray array = {name, {rows.size(), columns}, {}};
    array.values.reserve(rows.size() * columns);
    for (const auto& row : rows) {
      array.values.insert(array.values.end(), row.begin(), row.end());
      array.values.insert(array.values.end(), columns - row.size(), name.ends_with(".t") ? kNoScore : 0);
    }
    arrays.push_back(std::move(array));
  }
  frontend::write_npz(file_, arrays);
}

}  // namespace bitgrid::cli
