// Standard output that detects write errors.
#pragma once

#include <array>
#include <stdexcept>
#include <streambuf>

namespace bitgrid::cli {

/// The reader of standard output has gone, as in `bitgrid .. | head`.
struct ClosedPipe : std::runtime_error {
  ClosedPipe() : std::runtime_error("the reader of standard output has gone") {}
};

/// Takes std::cout's text from construction to destruction. A failed write throws from the `<<` or flush that caused it. Create one object
/// in main(), before anything else. It also turns the signal of a failed write into an error, and makes sure that no file that is opened
/// later takes the place of a standard stream that the caller has closed.
class StandardOutput : public std::streambuf {
 public:
  StandardOutput();
  ~StandardOutput() override;
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

  /// Writes the rest and closes. Throws Error if that fails, or ClosedPipe if nobody reads.
  void finish();

 protected:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* text, std::streamsize n) override;
  int sync() override;

 private:
  [[noreturn]] void fail();

  std::array<char, 1 << 16> buffer_;
  std::streambuf* before_ = nullptr;
  bool by_lines_ = false;
};

/// Ends the program as the signal for a closed pipe does: quietly, with the status that shells expect.
[[noreturn]] void end_by_closed_pipe();

}  // namespace bitgrid::cli
