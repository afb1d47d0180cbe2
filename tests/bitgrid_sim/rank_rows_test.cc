#include "bitgrid_sim/rank_rows.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "tests/support/errors.h"

namespace bitgrid::sim {
namespace {

/// Messages between threads that stand for processes.
class Mail {
 public:
  void send(int from, int to, const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    box_[{from, to}].push_back(bytes);
    arrived_.notify_all();
  }
  std::string receive(int from, int to) {
    std::unique_lock lock(mutex_);
    auto& box = box_[{from, to}];
    arrived_.wait(lock, [&] { return !box.empty(); });
    std::string bytes = box.front();
    box.erase(box.begin());
    return bytes;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::pair<int, int>, std::vector<std::string>> box_;
};

LiveResult run_on(int processes, const GridConfig& grid, const LiveScript& script, const LiveState* resume, const StripParams& params,
                  StripStats* stats) {
  Mail mail;
  LiveResult result;
  const auto work = [&](int rank) {
    Ranks ranks;
    ranks.rank = rank;
    ranks.size = processes;
    ranks.exchange = [&, rank](int with, const std::string& bytes) {
      mail.send(rank, with, bytes);
      return mail.receive(with, rank);
    };
    ranks.gather = [&, rank](const std::string& bytes) {
      std::vector<std::string> all;
      if (rank != 0) mail.send(rank, 0, bytes);
      for (int r = 0; rank == 0 && r < processes; ++r) all.push_back(r == 0 ? bytes : mail.receive(r, 0));
      return all;
    };
    LiveResult mine = run_strips(frontend::grid_source(grid), script, resume, params, ranks, rank == 0 ? stats : nullptr);
    if (rank == 0) result = std::move(mine);
  };
  std::vector<std::thread> threads;
  for (int r = 0; r < processes; ++r) threads.emplace_back(work, r);
  for (std::thread& t : threads) t.join();
  return result;
}

TEST(Strips, AnyNumberOfProcessesGivesTheBitsOfOne) {
  std::mt19937_64 random(1);
  GridConfig grid(37, 50);
  for (CellWord& word : grid.cells) word = random();
  std::string text;
  for (int i = 0; i < 12; ++i) text += fmt::format("write {} {} {} {:X}\n", random() % 50, random() % 37, random() % 50, random());
  for (int p = 0; p < 50; ++p) text += fmt::format("drive {}-60 w{}_in 10{}1\n", p % 9, p, p & 1);
  for (int p = 0; p < 37; ++p) text += fmt::format("drive 0-44 n{}_in 011\ndrive 3-60 s{}_in 1\n", p, p);
  for (const PortName& port : all_ports(37, 50)) text += "probe " + to_string(port) + "\n";
  const LiveScript script = parse_live(text, "s", 37, 50);
  LiveParams one;
  one.engine = GridEngine::kScalar;
  one.cycles = 61;
  const LiveResult expected = run_live(grid, script, nullptr, one);
  for (const int processes : {1, 2, 3, 5}) {
    for (const int halo : {2, 7, 32}) {
      StripStats stats;
      const LiveResult got = run_on(processes, grid, script, nullptr, {61, halo, 1}, &stats);
      EXPECT_EQ(got.samples, expected.samples) << processes << " processes, halo " << halo;
      EXPECT_EQ(print_live_state(got.state, identity_of(grid)), print_live_state(expected.state, identity_of(grid)));
      EXPECT_EQ(got.writes, expected.writes);
      EXPECT_EQ(stats.exchanges > 0, processes > 1);
    }
  }
  // Stopped and resumed by another number of processes.
  const LiveState middle = run_on(2, grid, script, nullptr, {30, 8, 1}, nullptr).state;
  EXPECT_EQ(print_live_state(run_on(3, grid, script, &middle, {31, 8, 1}, nullptr).state, identity_of(grid)),
            print_live_state(expected.state, identity_of(grid)));
}

TEST(Strips, TooManyProcessesAreRefused) {
  Ranks ranks;
  ranks.size = 5;
  EXPECT_EQ(test::error_of([&] {
              const GridConfig grid(3, 6);
              run_strips(frontend::grid_source(grid), {}, nullptr, {}, ranks);
            }),
            "simulate: 5 processes for 6 rows; give each process at least two rows");
}

}  // namespace
}  // namespace bitgrid::sim
