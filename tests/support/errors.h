// What an Error says, for tests of messages.
#pragma once

#include <string>
#include <utility>

#include "ir/error.h"

namespace bitgrid::test {

/// The message of the Error that f() throws; "no error" if it throws none.
template <typename F>
std::string error_of(F&& f) {
  try {
    static_cast<void>(std::forward<F>(f)());
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace bitgrid::test
