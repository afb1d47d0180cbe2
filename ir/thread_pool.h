// Threads that wait for work, for loops that are short and come often.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace bitgrid {

/// `threads` of them, the caller's included. They sleep while there is nothing to do: none spins for longer than 40 microseconds.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(others_.size()) + 1; }

  /// Calls body(0) .. body(count - 1), each once, on any thread, and returns when all have returned. One caller at a time; `body` must not
  /// call `run` again. An exception of a body is thrown here when all are done; of several the one of the smallest index.
  void run(size_t count, const std::function<void(size_t)>& body);

 private:
  void work();
  void take_parts();

  std::vector<std::thread> others_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(size_t)>* body_ = nullptr;
  size_t count_ = 0;
  std::atomic<size_t> next_ = 0;
  std::atomic<uint64_t> round_ = 0;
  std::atomic<size_t> busy_ = 0;
  bool stop_ = false;
  size_t failed_at_ = 0;
  std::exception_ptr failure_;
};

}  // namespace bitgrid
