// Threads that wait for work, for short and frequent loops.
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

/// A pool of `threads` threads, the caller included. Idle threads sleep; none spins for longer than 40 microseconds.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(others_.size()) + 1; }

  /// Calls body(0) .. body(count - 1), each once, on any thread, and returns when all have returned. Only one thread may call it at a time,
  /// and `body` must not call `run`. If bodies throw, the exception of the smallest index is rethrown here when all are done.
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
