#include "ir/thread_pool.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace bitgrid {
namespace {

TEST(ThreadPool, DoesEachPartOnceInManyRounds) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    std::vector<int> done(100);
    for (int round = 0; round < 500; ++round) pool.run(done.size(), [&](size_t i) { ++done[i]; });
    EXPECT_EQ(done, std::vector<int>(100, 500));
  }
}

TEST(ThreadPool, ThrowsTheErrorOfTheSmallestIndex) {
  ThreadPool pool(3);
  const auto fails = [](size_t i) {
    if (i % 7 == 3) throw std::runtime_error(std::to_string(i));
  };
  for (int round = 0; round < 50; ++round) {
    try {
      pool.run(60, fails);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "3");
    }
  }
  int count = 0;
  pool.run(1, [&](size_t) { ++count; });
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace bitgrid
