#include "cli/standard_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <string_view>

#include "ir/error.h"

namespace bitgrid::cli {
namespace {

/// What the caller has closed is opened in a way that fails as if it were closed.
void fill_closed_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    [[maybe_unused]] const int lowest = ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace

StandardOutput::StandardOutput() {
  fill_closed_streams();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  by_lines_ = ::isatty(STDOUT_FILENO) != 0;
  setp(buffer_.data(), buffer_.data() + buffer_.size());
  before_ = std::cout.rdbuf(this);
  std::cout.exceptions(std::ios::badbit);  // lets our exception pass
}

StandardOutput::~StandardOutput() {
  std::cout.exceptions(std::ios::goodbit);
  std::cout.rdbuf(before_);
}

void StandardOutput::fail() {
  const int error = errno;
  setp(buffer_.data(), buffer_.data() + buffer_.size());  // nobody is to try again
  if (error == EPIPE) throw ClosedPipe();
  throw Error("standard output", fmt::format("cannot be written: {}", std::strerror(error)),
              error == ENOSPC ? "free some space" : "redirect it to a place that can be written");
}

int StandardOutput::sync() {
  for (const char* at = pbase(); at < pptr();) {
    const ssize_t n = ::write(STDOUT_FILENO, at, static_cast<size_t>(pptr() - at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail();
    at += n;
  }
  setp(buffer_.data(), buffer_.data() + buffer_.size());
  return 0;
}

StandardOutput::int_type StandardOutput::overflow(int_type c) {
  sync();
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  *pptr() = traits_type::to_char_type(c);
  pbump(1);
  if (by_lines_ && c == '\n') sync();
  return c;
}

std::streamsize StandardOutput::xsputn(const char* text, std::streamsize n) {
  const std::streamsize put = std::streambuf::xsputn(text, n);
  if (by_lines_ && std::string_view(text, static_cast<size_t>(n)).find('\n') != std::string_view::npos) sync();
  return put;
}

void StandardOutput::finish() {
  std::cout.flush();
  // A network's file system may tell of errors only now. The descriptor stays taken.
  const int copy = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (copy >= 0 && ::close(copy) != 0) fail();
}

void end_by_closed_pipe() {
  std::signal(SIGPIPE, SIG_DFL);
  std::raise(SIGPIPE);
  ::_exit(128 + SIGPIPE);  // the signal was blocked
}

}  // namespace bitgrid::cli
