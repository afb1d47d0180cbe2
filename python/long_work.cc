#include "python/long_work.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ir/error.h"
#include "ir/text.h"

namespace bitgrid::python {
namespace {

/// Ends work that is no longer wanted.
struct Stopped {};

/// Between the thread that works and the one that waits for it.
struct Exchange {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> lines;
  bool done = false;
  std::atomic<bool> stop = false;

  void say(const std::string& line, bool keep) {
    if (stop) throw Stopped();
    if (!keep || line.empty()) return;
    {
      const std::lock_guard lock(mutex);
      lines.push_back(line);
    }
    changed.notify_one();
  }
  void end() {
    const std::lock_guard lock(mutex);
    done = true;
    changed.notify_one();
  }
  /// The lines since the last call, and whether the work has ended. Waits a little for either.
  std::pair<std::vector<std::string>, bool> wait() {
    const py::gil_scoped_release release;
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::milliseconds(50), [&] { return done || !lines.empty(); });
    return {std::exchange(lines, {}), done};
  }
};

/// Rewrites a line of sys.stderr, at most ten times a second.
class StatusLine {
 public:
  ~StatusLine() {
    if (!shown_) return;
    try {
      write("\r\033[K");
    } catch (py::error_already_set& e) {
      e.discard_as_unraisable("bitgrid: clearing the status line");
    }
  }
  void show(const std::string& line) {
    const auto now = std::chrono::steady_clock::now();
    if (shown_ && now - last_ < std::chrono::milliseconds(100)) return;
    write("\r\033[K" + printable(line).substr(0, 110));
    shown_ = true;
    last_ = now;
  }

 private:
  static void write(const std::string& text) {
    const py::object err = py::module_::import("sys").attr("stderr");
    if (err.is_none()) return;
    err.attr("write")(text);
    err.attr("flush")();
  }
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace

void run_long(const py::object& progress, const std::function<void(const engines::Say& say)>& work) {
  const bool is_flag = progress.is_none() || py::isinstance<py::bool_>(progress);
  const bool on_stderr = is_flag && progress.is(py::bool_(true));
  if (!is_flag && PyCallable_Check(progress.ptr()) == 0)
    throw Error("progress", "this is neither True, False nor a function", "give a function of one string, or True for a line on stderr");
  Exchange exchange;
  std::exception_ptr failure, raised;
  std::thread thread([&] {
    try {
      work([&](const std::string& line) { exchange.say(line, on_stderr || !is_flag); });
    } catch (...) {
      failure = std::current_exception();
    }
    exchange.end();
  });
  {
    StatusLine status;
    for (bool done = false; !done;) {
      std::vector<std::string> lines;
      std::tie(lines, done) = exchange.wait();
      if (raised) continue;
      try {
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
        for (const std::string& line : lines) {
          if (on_stderr)
            status.show(line);
          else
            progress(line);
        }
      } catch (...) {
        raised = std::current_exception();
        exchange.stop = true;
      }
    }
  }
  thread.join();
  if (raised) std::rethrow_exception(raised);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace bitgrid::python
