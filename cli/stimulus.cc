#include "cli/stimulus.h"

#include <sstream>
#include <vector>

#include "ir/error.h"
#include "ir/file.h"
#include "ir/json_reader.h"

namespace bitgrid::cli {

namespace {
const std::string kCure = "write {\"in\": \"HEX\"}, the kernel's input bits as one number";
}  // namespace

BitMatrix read_invocations(const std::string& path, uint32_t bits) {
  std::vector<BitVector> rows;
  std::istringstream text(read_file(path));
  size_t number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string where = path + ":" + std::to_string(number);
    try {
      rows.push_back(from_hex(parse_json(line, {path, kCure, number}).at("in").get<std::string>(), bits));
    } catch (const nlohmann::json::exception& e) {
      throw Error(where, "this is not an invocation: " + json_reason(e), kCure);
    } catch (const Error& e) {
      throw Error(where, e.what());
    }
  }
  BitMatrix inputs(rows.size(), bits);
  for (size_t r = 0; r < rows.size(); ++r) {
    for (uint32_t b = 0; b < bits; ++b) inputs.set(r, b, rows[r].get(b));
  }
  return inputs;
}

}  // namespace bitgrid::cli
