// The only exception type for errors that a user can cause.
#pragma once

#include <stdexcept>
#include <string>

namespace bitgrid {

/// What a user did wrong: where (file, line, tensor or node), what is wrong, and what to do about it. `what()` reads "WHERE: PROBLEM;
/// CURE". Empty parts are left out along with their punctuation.
class Error : public std::runtime_error {
 public:
  Error(const std::string& where, const std::string& problem, const std::string& cure = "")
      : std::runtime_error((where.empty() ? "" : where + ": ") + problem + (cure.empty() ? "" : "; " + cure)) {}
};

}  // namespace bitgrid
