#include "rtl/verilator.h"

#include <dlfcn.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>

#include "ir/error.h"
#include "rtl/command.h"
#include "rtl/wrapper.h"

namespace bitgrid {
namespace {

namespace fs = std::filesystem;

/// --output-split-cfuncs: long functions take the compiler more than linear time. -fno-dfg: that pass of Verilator 5.006 copies a bus of
/// single bits into each of its users, which makes the C++ of a linear layer six times as long. Lint is not for this place: an edited file
/// with a warning still runs.
const std::vector<std::string> kVerilatorFlags = {"--cc", "-O3",       "-fno-dfg",   "--output-split-cfuncs",
                                                  "500",  "-Wno-lint", "-Wno-style", "-Wno-fatal"};

/// -O1 compiles several times as fast as -O2, and what matters runs once per clock. Every shared object keeps its copy of the runtime to
/// itself.
const std::vector<std::string> kCompilerFlags = {"-std=gnu++17", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique", "-w"};

/// Below this size of generated C++ one translation unit costs less than two, as the headers take longer than the code.
constexpr uintmax_t kOneUnitBytes = 300'000;

std::string content_hash(const std::string& content) {
  return to_string(boost::uuids::name_generator_sha1(boost::uuids::ns::oid())(content));
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw Error(path.string(), "this file cannot be written", "make room, or choose another cache folder");
}

/// The line of a log that says what went wrong.
std::string first_error(const fs::path& log) {
  std::istringstream lines(read_file(log));
  std::string line, last;
  while (std::getline(lines, line)) {
    if (line.find("%Error") != std::string::npos || line.find("error:") != std::string::npos) return line;
    if (!line.empty()) last = line;
  }
  return last.empty() ? "no message" : last;
}

/// A folder of our own that vanishes unless it is renamed.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& parent) {
    std::string name = (parent / "building-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      throw Error(parent.string(), "no folder can be made here", "make it writable, or choose another cache folder");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const fs::path& path() const { return path_; }

  /// Gives the folder its final name. If another process was quicker, its folder stays and ours goes.
  void rename(const fs::path& name) {
    std::error_code error;
    fs::rename(path_, name, error);
    if (error && !fs::exists(name))
      throw Error(name.string(), "this folder cannot be made: " + error.message(), "choose another cache folder");
  }

 private:
  fs::path path_;
};

struct Tools {
  std::string verilator;
  std::string compiler;
  std::string versions;
  std::string include;  // Verilator's folder of headers and runtime sources
  fs::path runtime;     // compiled runtime
};

/// Builds in one cache folder with one set of tools. Member functions may run at the same time.
class Cache {
 public:
  explicit Cache(const RtlParams& params) : folder_(params.cache_dir.empty() ? default_rtl_cache() : params.cache_dir) {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) throw Error(folder_.string(), "this folder cannot be made: " + error.message(), "choose another cache folder");
    find_tools(params);
  }

  std::string key(const RtlSource& source) const {
    std::string content = source.text + '\0' + wrapper_source(source.interface) + '\0' + tools_.versions;
    for (const auto* flags : {&kVerilatorFlags, &kCompilerFlags}) {
      for (const std::string& flag : *flags) content += '\0' + flag;
    }
    return content_hash(content);
  }

  bool has(const std::string& key) const { return fs::exists(library(key)); }

  /// The Verilator runtime, compiled once for all models.
  void build_runtime() {
    const fs::path final_folder = folder_ / ("runtime-" + content_hash(tools_.versions + "1"));
    tools_.runtime = final_folder / "runtime.o";
    if (fs::exists(tools_.runtime)) return;
    TemporaryFolder folder(folder_);
    write_file(folder.path() / "runtime.cc", "#include \"verilated.cpp\"\n#include \"verilated_threads.cpp\"\n");
    compile(folder.path(), "runtime", "-O1", "Verilator's runtime");
    folder.rename(final_folder);
  }

  void build(const RtlSource& source, const std::string& key) const {
    TemporaryFolder folder(folder_);
    const fs::path verilog = folder.path() / (source.interface.module + ".v");
    write_file(verilog, source.text);
    std::vector<std::string> command = {tools_.verilator};
    command.insert(command.end(), kVerilatorFlags.begin(), kVerilatorFlags.end());
    command.insert(command.end(), {"--top-module", source.interface.module, "--prefix", kVerilatedClass, "--Mdir", folder.path().string(),
                                   verilog.string()});
    run(command, folder.path(), "Verilator does not accept the Verilog", source.name);
    check_ports(read_file(folder.path() / (std::string(kVerilatedClass) + ".h")), source.interface, source.name);
    write_file(folder.path() / "wrapper.cpp", wrapper_source(source.interface));
    std::vector<std::string> link = {tools_.compiler, "-shared", "-o", (folder.path() / "model.so").string()};
    for (const std::string& unit : compile_units(folder.path(), source.name)) link.push_back((folder.path() / unit).string());
    link.insert(link.end(), {tools_.runtime.string(), "-Wl,-Bsymbolic", "-pthread"});
    run(link, folder.path(), "the verilated module does not link", source.name);
    remove_intermediate_files(folder.path());
    folder.rename(folder_ / key);
  }

  RtlModel open(const RtlSource& source, const std::string& key) const {
    const std::string path = library(key).string();
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr)
      throw Error(path, fmt::format("this model cannot be loaded: {}", dlerror()), "delete its folder: it will be built again");
    RtlModel model{source.name, source.interface, std::shared_ptr<void>(handle, dlclose), {}};
    model.functions.create = reinterpret_cast<decltype(model.functions.create)>(dlsym(handle, "bitgrid_create"));
    model.functions.destroy = reinterpret_cast<decltype(model.functions.destroy)>(dlsym(handle, "bitgrid_destroy"));
    model.functions.clock = reinterpret_cast<decltype(model.functions.clock)>(dlsym(handle, "bitgrid_clock"));
    if (model.functions.create == nullptr || model.functions.destroy == nullptr || model.functions.clock == nullptr)
      throw Error(path, "this is no model", "delete its folder: it will be built again");
    return model;
  }

 private:
  fs::path library(const std::string& key) const { return folder_ / key / "model.so"; }

  void find_tools(const RtlParams& params) {
    tools_.verilator = params.verilator;
    tools_.compiler = params.compiler;
    TemporaryFolder folder(folder_);
    const std::string version = (folder.path() / "version").string();
    const std::string root = (folder.path() / "root").string();
    if (run_command({params.verilator, "--version"}, version) != 0 ||
        run_command({params.verilator, "--getenv", "VERILATOR_ROOT"}, root) != 0)
      throw Error(params.verilator, "Verilator does not start", "apt-get install verilator");
    if (run_command({params.compiler, "--version"}, version) != 0)
      throw Error(params.compiler, "the C++ compiler does not start", "apt-get install g++");
    tools_.versions = read_file(version);
    tools_.include = read_file(root);
    tools_.include.erase(tools_.include.find_last_not_of(" \r\n") + 1);
    tools_.include += "/include";
  }

  void run(const std::vector<std::string>& command, const fs::path& folder, const std::string& problem, const std::string& name) const {
    const fs::path log = folder / "build.log";
    if (run_command(command, log.string()) == 0) return;
    const std::string line = first_error(log);
    const fs::path kept = folder_ / ("failed-" + content_hash(read_file(log)) + ".log");
    std::error_code ignored;
    fs::rename(log, kept, ignored);
    throw Error(name, problem + ": " + line, "the whole log is in " + kept.string());
  }

  void compile(const fs::path& folder, const std::string& unit, const std::string& optimisation, const std::string& name) const {
    std::vector<std::string> command = {tools_.compiler, optimisation};
    command.insert(command.end(), kCompilerFlags.begin(), kCompilerFlags.end());
    command.insert(command.end(), {"-I" + tools_.include, "-I" + tools_.include + "/vltstd", "-c", (folder / (unit + ".cc")).string(), "-o",
                                   (folder / (unit + ".o")).string()});
    run(command, folder, "the C++ compiler does not accept the verilated module", name);
  }

  /// Compiles Verilator's many files as one or two units: what runs every clock, and what runs once ("Slow"), without optimisation. Returns
  /// objects.
  std::vector<std::string> compile_units(const fs::path& folder, const std::string& name) const {
    std::vector<fs::path> files;
    uintmax_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() != ".cpp") continue;
      files.push_back(entry.path().filename());
      bytes += entry.file_size();
    }
    std::sort(files.begin(), files.end());
    std::string fast, slow;
    for (const fs::path& file : files) {
      const std::string stem = file.stem().string();
      const bool once = bytes > kOneUnitBytes && (stem.ends_with("Slow") || stem.ends_with("__Syms"));
      (once ? slow : fast) += fmt::format("#include \"{}\"\n", file.string());
    }
    write_file(folder / "fast.cc", fast);
    compile(folder, "fast", "-O1", name);
    if (slow.empty()) return {"fast.o"};
    write_file(folder / "slow.cc", slow);
    compile(folder, "slow", "-O0", name);
    return {"fast.o", "slow.o"};
  }

  static void remove_intermediate_files(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".so" && extension != ".v" && extension != ".log") files.push_back(entry.path());
    }
    for (const fs::path& file : files) fs::remove(file);
  }

  fs::path folder_;
  Tools tools_;
};

/// One distinct text.
struct Job {
  const RtlSource* source = nullptr;
  std::string key;
  std::shared_ptr<RtlModel> model;
};

/// Runs work(0) .. work(n - 1) in `jobs` threads; the first exception of the lowest index is thrown again after all have stopped.
void run_parallel(size_t n, int jobs, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  std::vector<std::exception_ptr> errors(n);
  const auto worker = [&] {
    for (size_t i = next++; i < n && !failed; i = next++) {
      try {
        work(i);
      } catch (...) {
        errors[i] = std::current_exception();
        failed = true;
      }
    }
  };
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < std::min(n, static_cast<size_t>(std::max(1, jobs))); ++i) threads.emplace_back(worker);
  worker();
  threads.clear();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace

std::string default_rtl_cache() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache != '\0') return (fs::path(cache) / "bitgrid").string();
  const char* home = std::getenv("HOME");
  return (home != nullptr && *home != '\0' ? fs::path(home) / ".cache" / "bitgrid" : fs::temp_directory_path() / "bitgrid-cache").string();
}

std::vector<std::shared_ptr<RtlModel>> build_rtl(const std::vector<RtlSource>& sources, const RtlParams& params, RtlStats* stats) {
  const auto start = std::chrono::steady_clock::now();
  Cache cache(params);
  std::map<std::string, size_t> job_of_key;
  std::vector<Job> jobs;
  std::vector<size_t> job_of_source;
  for (const RtlSource& source : sources) {
    const std::string key = cache.key(source);
    const auto [found, is_new] = job_of_key.emplace(key, jobs.size());
    if (is_new) jobs.push_back({&source, key, nullptr});
    job_of_source.push_back(found->second);
  }
  // Largest first, so that no large one is left alone at the end.
  std::vector<size_t> order;
  for (size_t i = 0; i < jobs.size(); ++i) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return jobs[a].source->text.size() > jobs[b].source->text.size(); });

  const size_t cached = static_cast<size_t>(std::count_if(jobs.begin(), jobs.end(), [&](const Job& job) { return cache.has(job.key); }));
  if (cached < jobs.size()) cache.build_runtime();
  std::mutex mutex;
  size_t done = 0;
  run_parallel(jobs.size(), params.jobs, [&](size_t i) {
    Job& job = jobs[order[i]];
    if (!cache.has(job.key)) cache.build(*job.source, job.key);
    job.model = std::make_shared<RtlModel>(cache.open(*job.source, job.key));
    const std::lock_guard lock(mutex);
    ++done;
    if (params.progress) params.progress(done, jobs.size(), job.source->name);
  });

  std::vector<std::shared_ptr<RtlModel>> models;
  for (size_t i = 0; i < sources.size(); ++i) {
    models.push_back(jobs[job_of_source[i]].model);
    if (models.back()->name == sources[i].name) continue;
    models.back() = std::make_shared<RtlModel>(*models.back());  // the same library under another name
    models.back()->name = sources[i].name;
  }
  if (stats != nullptr) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    *stats = {jobs.size() - cached, cached, seconds.count()};
  }
  return models;
}

}  // namespace bitgrid
