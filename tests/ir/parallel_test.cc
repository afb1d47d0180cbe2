#include "ir/parallel.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace bitgrid {
namespace {

TEST(ParallelFor, RunsEveryPassOnce) {
  for (const int threads : {1, 2, 5}) {
    std::vector<std::atomic<int>> runs(100);
    parallel_for(runs.size(), threads, [&](size_t i) { ++runs[i]; });
    for (const auto& r : runs) EXPECT_EQ(r, 1);
  }
}

TEST(ParallelFor, ThrowsTheFirstErrorWhateverTheThreads) {
  for (int round = 0; round < 20; ++round) {
    for (const int threads : {1, 2, 4}) {
      std::string message;
      try {
        parallel_for(50, threads, [](size_t i) {
          if (i % 10 == 7) throw std::runtime_error(std::to_string(i));
        });
      } catch (const std::runtime_error& e) {
        message = e.what();
      }
      EXPECT_EQ(message, "7") << threads;
    }
  }
}

TEST(ParallelFor, NothingToDo) {
  parallel_for(0, 4, [](size_t) { FAIL(); });
}

}  // namespace
}  // namespace bitgrid
