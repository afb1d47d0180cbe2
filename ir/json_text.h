// Turns JSON into text. This is the only place that does so.
#pragma once

#include <string>

namespace bitgrid {

/// `json` is a nlohmann::json or ordered_json. Strings may hold the user's paths, which can be any bytes. Bytes that are not UTF-8 become
/// U+FFFD, since JSON cannot hold them.
template <typename Json>
std::string json_text(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bitgrid
