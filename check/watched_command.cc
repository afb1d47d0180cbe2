#include "check/watched_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "ir/error.h"

extern char** environ;

namespace bitgrid::check {
namespace {

/// A child in a process group of its own, and what it writes.
class Child {
 public:
  explicit Child(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(command[0], fmt::format("a pipe cannot be created: {}", std::strerror(errno)));
    pipe_ = ends[0];

    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, ends[1], 1);
    posix_spawn_file_actions_adddup2(&files, ends[1], 2);
    // What this program does with signals is not for the command to do.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    const int error = posix_spawnp(&pid_, arguments[0], &files, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    ::close(ends[1]);
    if (error != 0) {
      ::close(pipe_);
      throw Error(command[0], fmt::format("the command cannot be started: {}", std::strerror(error)), "check its name and its permissions");
    }
  }

  ~Child() {
    ::kill(-pid_, SIGKILL);
    int ignored = 0;
    while (!done_ && ::waitpid(pid_, &ignored, 0) < 0 && errno == EINTR) {
    }
    ::close(pipe_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Takes what the child writes within a short time; true once it has ended.
  bool wait(CommandResult& result) {
    struct pollfd watched {
      open_ ? pipe_ : -1, POLLIN, 0
    };
    if (::poll(&watched, 1, open_ ? 20 : 1) > 0) read(result);
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    done_ = true;
    while (open_ && ::poll(&watched, 1, 0) > 0) read(result);  // what is in the pipe; others may hold it open
    result.end = WIFEXITED(status) ? CommandResult::End::kExit : CommandResult::End::kSignal;
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    return true;
  }

 private:
  void read(CommandResult& result) {
    std::array<char, 65536> bytes;
    const ssize_t n = ::read(pipe_, bytes.data(), bytes.size());
    if (n <= 0) open_ = n < 0 && errno == EINTR;
    if (n > 0) result.output.append(bytes.data(), std::min(static_cast<size_t>(n), kMostCommandOutput - result.output.size()));
  }

  pid_t pid_ = 0;
  int pipe_ = -1;
  bool open_ = true;
  bool done_ = false;
};

}  // namespace

std::string describe(const CommandResult& result, double timeout_seconds) {
  switch (result.end) {
    case CommandResult::End::kExit:
      return fmt::format("exit status {}", result.code);
    case CommandResult::End::kSignal:
      return fmt::format("signal {} ({})", result.code, ::strsignal(result.code));
    case CommandResult::End::kTimeout:
      return fmt::format("still running after {} s", timeout_seconds);
    case CommandResult::End::kInterrupted:
      break;
  }
  return "interrupted";
}

CommandResult run_watched(const std::vector<std::string>& command, double timeout_seconds, const std::function<bool()>& interrupted) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  CommandResult result;
  Child child(command);
  while (!child.wait(result)) {
    const bool late = std::chrono::duration<double>(Clock::now() - begin).count() > timeout_seconds;
    if (!late && !interrupted()) continue;
    result.end = late ? CommandResult::End::kTimeout : CommandResult::End::kInterrupted;
    return result;
  }
  return result;
}

}  // namespace bitgrid::check
