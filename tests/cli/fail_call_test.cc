// Every call of the program that writes fails in turn, or is its last: what was there stays or is replaced by the whole of the new, or is
// refused by readers; the next run makes everything whole and leaves nothing else.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <thread>

#include "bitgrid_sim/fst.h"
#include "engines/artefacts.h"
#include "ir/error.h"
#include "tests/cli/cli_support.h"

namespace bitgrid {
namespace {

/// Under AddressSanitizer the program takes ten times as long to start: every fifth call has to do.
#ifdef __SANITIZE_ADDRESS__
constexpr int kStep = 5;
#else
constexpr int kStep = 1;
#endif

class FailCall : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    for (const char* op : {"and", "or"})
      write_file(path(std::string(op) + ".dag"), std::string("dag m\ninput a 2\ninput b 2\ns:2 = ") + op + " a b\noutput y s\n");
    ASSERT_EQ(bitgrid("compile " + path("and.dag") + " -o " + path("c")).status, 0);
    write_file(path("s"), "{\"in\":\"7\"}\n{\"in\":\"0\"}\n");
    write_file(path("sweep.yaml"), "model: " + model_ + "\nparameters: {streams: [1, 2]}\n");
    write_file(path("g.json"), "{\"width\":2,\"height\":1,\"cells\":[],\"format\":\"lutgrid-v1\"}");
  }

  /// A run with settings of fail_call.cc; status 137: killed.
  static Result preloaded(const std::string& settings, const std::string& arguments) {
    return shell("{ ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 LD_PRELOAD=" BITGRID_FAIL_CALL " " + settings + " " +
                 BITGRID_BINARY + " " + arguments + "; } 2>&1");
  }
  /// How many calls there are to fail.
  int calls(const std::string& arguments) const {
    EXPECT_EQ(preloaded("COUNT_TO=" + path("count"), arguments).status, 0);
    return std::stoi(read_file(path("count")));
  }
  /// All files of a folder by name, without times.
  std::map<std::string, std::string> files(const std::string& folder) const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(path(folder))) {
      const std::string name = fs::relative(entry.path(), path(folder)).string();
      std::string& text = all[name];
      if (!entry.is_regular_file()) continue;
      text = read_file(entry.path().string());
      if (!name.ends_with(".json") || name.starts_with(".bitgrid")) continue;
      json timeless = json::parse(text);
      for (const char* key : {"seconds", "tokens_per_second", "prompt_tokens_per_second"})
        if (timeless.is_object()) timeless.erase(key);
      text = timeless.dump();
    }
    return all;
  }
  void copy(const std::string& from, const std::string& to) const {
    fs::remove_all(path(to));
    fs::copy(path(from), path(to), fs::copy_options::recursive);
  }

  /// Every call fails, and then kills, in a run that writes into folder `w`. Each of its files is old or new; `readable`, called after each
  /// stop, says what else is to hold.
  void each_call(
      const std::string& arguments, const std::function<void()>& readable = [] {}) {
    const auto old = files("w");
    copy("w", "saved");
    const int count = calls(arguments);
    const auto whole = files("w");
    ASSERT_GT(count, 3) << arguments;
    for (const char* setting : {"FAIL_AT=", "KILL_AT="}) {
      for (int n = 1; n <= count; n += kStep) {
        SCOPED_TRACE(setting + std::to_string(n) + " " + arguments);
        copy("saved", "w");
        const Result r = preloaded(setting + std::to_string(n), arguments);
        const bool killed = setting[0] == 'K';
        const auto now = files("w");
        if (r.status == 0) {
          ASSERT_EQ(now, whole) << r.output;  // a call whose failure changes nothing
        } else {
          ASSERT_EQ(r.status, killed ? 137 : 1) << r.output;
          ASSERT_THAT(r.output, HasSubstr(killed ? "" : "No space left on device; "));
          expect_old_or_new(now, old, whole, killed);
        }
        readable();
        if (!killed) continue;
        ASSERT_EQ(bitgrid(arguments).status, 0);
        ASSERT_EQ(files("w"), whole);
      }
    }
  }

  std::string folder() const { return path("w"); }

 private:
  static void expect_old_or_new(const std::map<std::string, std::string>& now, const std::map<std::string, std::string>& old,
                                const std::map<std::string, std::string>& whole, bool killed) {
    for (const auto& [name, text] : now) {
      const bool temporary = fs::path(name).filename().string().starts_with(".bitgrid-");
      if (killed && temporary) continue;
      const auto before = old.find(name), after = whole.find(name);
      EXPECT_TRUE((before != old.end() && before->second == text) || (after != whole.end() && after->second == text)) << name;
    }
    for (const auto& [name, text] : old) EXPECT_TRUE(now.contains(name) || !whole.contains(name)) << name << " is lost";
  }
};

TEST_F(FailCall, Compile) {
  ASSERT_EQ(bitgrid("compile " + path("or.dag") + " -o " + folder()).status, 0);
  int read = 0, refused = 0;
  each_call("compile " + path("and.dag") + " -o " + folder(), [&] {
    const Result r = bitgrid("simulate " + folder() + " --stimulus " + path("s"));
    if (r.status == 0) {
      EXPECT_THAT(r.output, testing::AnyOf("{\"out\": \"1\"}\n{\"out\": \"0\"}\n", "{\"out\": \"3\"}\n{\"out\": \"0\"}\n"));
      ++read;
    } else {
      EXPECT_THAT(r.output, HasSubstr("kernel m is not what compile.json lists"));
      ++refused;
    }
  });
  EXPECT_GT(read, refused);
  EXPECT_GE(refused, kStep == 1 ? 1 : 0);
}

TEST_F(FailCall, FirstCompile) {
  fs::create_directory(folder());
  each_call("compile " + path("and.dag") + " -o " + folder() + "/deep/er", [&] {
    if (!fs::exists(folder() + "/deep/er/compile.json")) return;
    EXPECT_EQ(bitgrid("picture " + folder() + "/deep/er -o " + path("p.svg")).status, 0);
  });
}

TEST_F(FailCall, Verilog) {
  ASSERT_EQ(bitgrid("verilog " + path("or.dag") + " -o " + folder()).status, 0);
  each_call("verilog " + path("and.dag") + " -o " + folder(), [&] {
    try {
      EXPECT_EQ(engines::read_verilog(folder())->kernels.size(), 1u);
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr("kernel m is not what verilog.json lists"));
    }
  });
}

TEST_F(FailCall, Sweep) {
  fs::create_directory(folder());
  each_call("sweep " + path("sweep.yaml") + " -o " + folder() + " --threads 1");
}

TEST_F(FailCall, FilesOfTheOtherCommands) {
  const std::string kernel = "simulate " + path("c") + " --stimulus " + path("s");
  std::vector<std::string> all = {
      "run " + model_ + " --prompt a --tokens 2 --engine cpu --json " + folder() + "/x.json", kernel + " --trace " + folder() + "/x.vcd",
      "simulate " + path("g.json") + " --cycles 3 --save " + folder() + "/x.json", "report " + path("c") + " -o " + folder() + "/x.html"};
  if (sim::has_fst()) all.push_back(kernel + " --trace " + folder() + "/x.fst");
  for (const std::string& command : all) {
    fs::remove_all(folder());
    fs::create_directory(folder());
    const std::string file = command.substr(command.rfind(' ') + 1);
    write_file(file, file.ends_with(".json") ? "{}" : "old");
    each_call(command);
  }
}

/// The same at any moment, with several threads at work.
class SlowKills : public FailCall {
 protected:
  /// Starts a run and kills it after some of the time that it took without.
  void kill_at_random(
      const std::string& arguments, const std::function<void()>& readable = [] {}) {
    constexpr int kKills = 100;
    copy("w", "saved");
    const auto start = std::chrono::steady_clock::now();
    ASSERT_EQ(bitgrid(arguments).status, 0) << arguments;
    const auto time = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
    const auto whole = files("w");
    std::mt19937 random(1);
    for (int n = 0; n < kKills; ++n) {
      copy("saved", "w");
      const pid_t child = fork();
      if (child == 0) {
        execl("/bin/sh", "sh", "-c", ("exec " BITGRID_BINARY " " + arguments + " > /dev/null").c_str(), nullptr);
        _exit(127);
      }
      std::this_thread::sleep_for(time * static_cast<int>(random() % 1000) / 1000);
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
      readable();
      ASSERT_EQ(bitgrid(arguments).status, 0) << arguments;
      ASSERT_EQ(files("w"), whole) << arguments;
    }
  }
};

TEST_F(SlowKills, Compile) {
  TinyParams other;
  other.seed = 2;
  const std::string before = write_model(tiny_model(other), dir_ + "/before");
  ASSERT_EQ(bitgrid("compile " + before + " -o " + folder()).status, 0);
  kill_at_random("compile " + model_ + " -o " + folder(), [&] {
    const Result r = bitgrid("picture " + folder() + " --kernel head -o " + path("p.svg"));
    EXPECT_TRUE(r.status == 0 || r.output.find(" is not what compile.json lists") != std::string::npos) << r.output;
  });
}

TEST_F(SlowKills, Sweep) {
  write_file(path("sweep.yaml"),
             "model: " + model_ + "\nparameters: {streams: [1, 2, 3, 4, 5, 6], optimize: [area, throughput, density]}\n");
  fs::create_directory(folder());
  kill_at_random("sweep " + path("sweep.yaml") + " -o " + folder());
}

TEST_F(SlowKills, SavedStatesAndResults) {
  fs::create_directory(folder());
  kill_at_random("run " + model_ + " --prompt a --tokens 20 --engine grid --json " + folder() + "/r.json");
  const std::string grid = "simulate " + path("g.json"), state = folder() + "/state.json";
  ASSERT_EQ(bitgrid(grid + " --cycles 1000 --save " + state).status, 0);
  kill_at_random(grid + " --cycles 2000 --save " + state,
                 [&] { EXPECT_EQ(bitgrid("simulate " + path("g.json") + " --cycles 1 --resume " + state).status, 0); });
}

}  // namespace
}  // namespace bitgrid
