#include "ir/thread_pool.h"

#include <chrono>
#include <exception>

namespace bitgrid {

namespace {

/// Waking a thread takes longer than the pause between two matrices of a layer.
constexpr auto kPatience = std::chrono::microseconds(40);

/// Waits for a moment; whether the condition holds then.
template <typename Condition>
bool spin_until(Condition holds) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  do {
    for (int i = 0; i < 64; ++i) {
      if (holds()) return true;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  for (int t = 1; t < threads; ++t) others_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    ++round_;
  }
  wake_.notify_all();
  for (std::thread& t : others_) t.join();
}

void ThreadPool::take_parts() {
  for (size_t i = next_++; i < count_; i = next_++) {
    try {
      (*body_)(i);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_ || i < failed_at_) {
        failure_ = std::current_exception();
        failed_at_ = i;
      }
    }
  }
}

void ThreadPool::work() {
  uint64_t seen = 0;
  while (true) {
    spin_until([&] { return round_.load(std::memory_order_acquire) != seen; });
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return round_ != seen; });
      seen = round_;
      if (stop_) return;
    }
    take_parts();
    if (--busy_ > 0) continue;
    const std::lock_guard lock(mutex_);  // so that the caller does not begin to sleep in between
    done_.notify_one();
  }
}

void ThreadPool::run(size_t count, const std::function<void(size_t)>& body) {
  if (others_.empty() || count <= 1) {
    for (size_t i = 0; i < count; ++i) body(i);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    body_ = &body;
    count_ = count;
    next_ = 0;
    busy_ = others_.size();
    failure_ = nullptr;
    ++round_;
  }
  wake_.notify_all();
  take_parts();
  spin_until([&] { return busy_.load(std::memory_order_acquire) == 0; });
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return busy_ == 0; });
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace bitgrid
