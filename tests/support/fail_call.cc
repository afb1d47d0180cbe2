// Preloaded into a program (LD_PRELOAD): makes one of its calls that write fail, or be its last.
//   FAIL_AT=N        the Nth call returns an error: no space left on the device
//   KILL_AT=N        the program is killed before the Nth call
//   COUNT_TO=FILE    the number of calls, at the end
// Calls that write: write, close of what is open for writing, rename, mkdir, ftruncate, posix_fallocate, and open of a new file.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace {

std::atomic<long> calls{0};

long number(const char* name) {
  const char* text = getenv(name);
  return text ? atol(text) : 0;
}

/// Whether the call that asks is to fail.
bool fails() {
  static const long fail = number("FAIL_AT"), kill = number("KILL_AT");
  const long n = ++calls;
  if (n == kill) syscall(SYS_kill, getpid(), SIGKILL);
  if (n != fail) return false;
  errno = ENOSPC;
  return true;
}

struct Count {
  ~Count() {
    const char* path = getenv("COUNT_TO");
    if (!path) return;
    char text[32];
    const int n = snprintf(text, sizeof text, "%ld", calls.load());
    const long fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    syscall(SYS_write, fd, text, n);
    syscall(SYS_close, fd);
  }
} count;

int open_at(int folder, const char* path, int flags, mode_t mode) {
  if ((flags & O_CREAT) && fails()) return -1;
  return static_cast<int>(syscall(SYS_openat, folder, path, flags, mode));
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & O_CREAT) ? static_cast<mode_t>(va_arg(arguments, unsigned)) : 0;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, size_t bytes) {
  return fails() ? -1 : syscall(SYS_write, fd, data, bytes);
}

int close(int fd) {
  const long flags = syscall(SYS_fcntl, fd, F_GETFL);
  const bool failed = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && fails();
  const long result = syscall(SYS_close, fd);  // as the system does: closed even so
  return failed ? (errno = ENOSPC, -1) : static_cast<int>(result);
}

int rename(const char* from, const char* to) {
  return fails() ? -1 : static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int mkdir(const char* path, mode_t mode) {
  return fails() ? -1 : static_cast<int>(syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}

int ftruncate(int fd, off_t length) {
  return fails() ? -1 : static_cast<int>(syscall(SYS_ftruncate, fd, length));
}

int posix_fallocate(int fd, off_t offset, off_t length) {
  if (fails()) return ENOSPC;
  return syscall(SYS_fallocate, fd, 0, offset, length) == 0 ? 0 : errno;
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_at(AT_FDCWD, path, flags, mode);
}

}  // extern "C"
