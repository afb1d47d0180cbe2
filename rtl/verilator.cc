#include "rtl/verilator.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>

#include "ir/error.h"
#include "ir/file.h"
#include "rtl/cache_folder.h"
#include "rtl/command.h"
#include "rtl/wrapper.h"

namespace bitgrid::rtl {
namespace {

namespace fs = std::filesystem;

/// --output-split-cfuncs: long functions take the compiler more than linear time. -fno-dfg: that pass of Verilator 5.006 copies a bus of
/// single bits into each of its users, which makes the C++ of a linear layer six times as long. Lint is not for this place: an edited file
/// with a warning still runs.
const std::vector<std::string> kVerilatorFlags = {"--cc", "-O3",       "-fno-dfg",   "--output-split-cfuncs",
                                                  "500",  "-Wno-lint", "-Wno-style", "-Wno-fatal"};

/// Every shared object keeps its copy of the runtime to itself.
const std::vector<std::string> kCompilerFlags = {"-std=gnu++17", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique", "-w"};

/// What is compiled once for all models, and how.
constexpr const char* kRuntime = "#include \"verilated.cpp\"\n#include \"verilated_threads.cpp\"\n";
const std::vector<std::string> kRuntimeFlags = {"-O1"};
const std::vector<std::string> kHeaderFlags = {"-O1", "-x", "c++-header"};
/// Of code that runs once.
const std::vector<std::string> kSlowFlags = {"-O0"};
const std::vector<std::string> kLinkFlags = {"-Wl,-Bsymbolic", "-pthread"};

/// Below this size of generated C++ one translation unit with the precompiled header costs less than two.
constexpr uintmax_t kOneUnitBytes = 1'000'000;

/// Includes verilated.h, which alone takes the compiler half a second. Precompiled for -O1; GCC passes over it for any other level.
constexpr const char* kHeader = "first.h";

std::string content_hash(const std::string& content) {
  return to_string(boost::uuids::name_generator_sha1(boost::uuids::ns::oid())(content));
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

/// The text without its module's name and without the remarks that name the kernel: what two kernels of the same logic (the heads of a
/// layer, say) have in common. Other comments stay: Verilator obeys some.
std::string nameless(const RtlSource& source) {
  const std::string& text = source.text;
  const std::string& module = source.interface.module;
  const auto in_word = [&](size_t i) { return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '_'); };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool line_starts = i == 0 || text[i - 1] == '\n';
    if (line_starts && text.compare(i, kKernelRemark.size(), kKernelRemark) == 0) {
      i = std::min(text.find('\n', i), text.size() - 1);
    } else if (text.compare(i, module.size(), module) == 0 && !in_word(i + module.size()) && (i == 0 || !in_word(i - 1))) {
      out += '\1';
      i += module.size() - 1;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// A library's key knows this text and no other file, and relative names would lead into the cache.
void require_one_file(const RtlSource& source) {
  if (source.text.find("`include") != std::string::npos)
    throw Error(source.name, "the Verilog includes another file", "put all of the module into this one");
}

struct Tools {
  std::string verilator;
  std::string compiler;
  std::string versions;  // what both say of themselves
  std::string include;   // Verilator's folder of headers and runtime sources
  std::vector<std::string> optimise;
};

std::string joined(const std::vector<std::string>& flags) {
  std::string text;
  for (const std::string& flag : flags) text += flag + '\0';
  return text + '\n';
}

/// The loader expands `$LIB` and the like in a name. A library whose path has a `$` is loaded by the number of an open file, which stays
/// open for good, because the loader knows libraries by their names.
std::string loadable(const std::string& path) {
  if (path.find('$') == std::string::npos) return path;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  return file < 0 ? path : fmt::format("/proc/self/fd/{}", file);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Builds in one cache folder with one set of tools. Member functions may run at the same time.
class Cache {
 public:
  explicit Cache(const RtlParams& params) : folder_(params.cache_dir.empty() ? default_rtl_cache() : params.cache_dir) {
    make_private_folder(folder_);
    find_tools(params);
  }

  /// Of all that a library is made from: texts, programs with their versions, and every flag.
  std::string key(const RtlSource& source) const {
    std::string content = runtime_key() + '\0' + nameless(source) + '\0' + wrapper_source(source.interface);
    content += fmt::format("{}{}", '\0', kOneUnitBytes);
    for (const auto* flags : {&kVerilatorFlags, &tools_.optimise, &kSlowFlags, &kLinkFlags}) content += joined(*flags);
    return content_hash(content);
  }

  bool has(const std::string& key) const { return fs::exists(library(key)); }

  /// The Verilator runtime and its precompiled header, made once for all models.
  void build_runtime() const {
    const fs::path final_folder = folder_ / ("runtime-" + runtime_key());
    if (fs::exists(final_folder)) return;
    BuildFolder folder(folder_);
    write_file(folder.path() / "runtime.cc", kRuntime);
    compile(folder.path(), "runtime.cc", "runtime.o", kRuntimeFlags, "Verilator's runtime");
    write_file(folder.path() / kHeader, "#include \"verilated.h\"\n");
    compile(folder.path(), kHeader, std::string(kHeader) + ".gch", kHeaderFlags, "Verilator's header");
    folder.rename(final_folder);
  }

  /// Adds to the seconds of `stats`. Programs run inside the folder with relative names: Verilator expands a `$` in a path, and no program
  /// has to understand what else the name of the cache folder is made of.
  void build(const RtlSource& source, const std::string& key, RtlStats& stats) const {
    const auto start = std::chrono::steady_clock::now();
    BuildFolder folder(folder_);
    const std::string verilog = source.interface.module + ".v";
    write_file(folder.path() / verilog, source.text);
    std::vector<std::string> command = {tools_.verilator};
    command.insert(command.end(), kVerilatorFlags.begin(), kVerilatorFlags.end());
    command.insert(command.end(), {"--top-module", source.interface.module, "--prefix", kVerilatedClass, "--Mdir", ".", verilog});
    run(command, folder.path(), "Verilator does not accept the Verilog", source.name);
    stats.verilate_seconds += seconds_since(start);
    const auto compile_start = std::chrono::steady_clock::now();
    check_ports(read_file(folder.path() / (std::string(kVerilatedClass) + ".h")), source.interface, source.name);
    write_file(folder.path() / "wrapper.cpp", wrapper_source(source.interface));
    std::vector<std::string> link = {tools_.compiler, "-shared", "-o", "model.so"};
    for (const std::string& unit : compile_units(folder.path(), source.name)) link.push_back(unit);
    link.push_back(runtime_file("runtime.o"));
    link.insert(link.end(), kLinkFlags.begin(), kLinkFlags.end());
    run(link, folder.path(), "the verilated module does not link", source.name);
    stats.compile_seconds += seconds_since(compile_start);
    remove_intermediate_files(folder.path());
    folder.rename(folder_ / key);
  }

  /// The library of a key, as a model without name and interface.
  RtlModel open(const std::string& key) const {
    const std::string path = library(key).string();
    void* handle = dlopen(loadable(path).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr)
      throw Error(path, fmt::format("this model cannot be loaded: {}", dlerror()), "delete its folder, so that it is built again");
    RtlModel model;
    model.library = std::shared_ptr<void>(handle, dlclose);
    model.functions.create = reinterpret_cast<decltype(model.functions.create)>(dlsym(handle, "bitgrid_create"));
    model.functions.destroy = reinterpret_cast<decltype(model.functions.destroy)>(dlsym(handle, "bitgrid_destroy"));
    model.functions.clock = reinterpret_cast<decltype(model.functions.clock)>(dlsym(handle, "bitgrid_clock"));
    if (model.functions.create == nullptr || model.functions.destroy == nullptr || model.functions.clock == nullptr)
      throw Error(path, "this is not a model", "delete its folder, so that it is built again");
    return model;
  }

 private:
  fs::path library(const std::string& key) const { return folder_ / key / "model.so"; }

  std::string runtime_key() const {
    std::string content = tools_.versions + '\0' + tools_.include + '\0' + kRuntime + '\0' + kHeader;
    for (const auto* flags : {&kCompilerFlags, &kRuntimeFlags, &kHeaderFlags}) content += joined(*flags);
    return content_hash(content);
  }
  /// As seen from the folder of a build.
  std::string runtime_file(const std::string& name) const { return "../runtime-" + runtime_key() + "/" + name; }

  void find_tools(const RtlParams& params) {
    tools_.verilator = params.verilator;
    tools_.compiler = params.compiler;
    tools_.optimise = params.optimise;
    BuildFolder folder(folder_);
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
    if (run_command(command, log.string(), folder.string()) == 0) return;
    const std::string line = first_error(log);
    const fs::path kept = folder_ / ("failed-" + content_hash(read_file(log)) + ".log");
    std::error_code ignored;
    fs::rename(log, kept, ignored);
    throw Error(name, problem + ": " + line, "the whole log is in " + kept.string());
  }

  void compile(const fs::path& folder, const std::string& from, const std::string& to, const std::vector<std::string>& flags,
               const std::string& name) const {
    std::vector<std::string> command = {tools_.compiler};
    command.insert(command.end(), flags.begin(), flags.end());
    command.insert(command.end(), kCompilerFlags.begin(), kCompilerFlags.end());
    command.insert(command.end(), {"-I" + tools_.include, "-I" + tools_.include + "/vltstd", "-c", from, "-o", to});
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
    std::vector<std::string> flags = tools_.optimise;
    flags.insert(flags.end(), {"-include", runtime_file(kHeader)});
    compile(folder, "fast.cc", "fast.o", flags, name);
    if (slow.empty()) return {"fast.o"};
    write_file(folder / "slow.cc", slow);
    compile(folder, "slow.cc", "slow.o", kSlowFlags, name);
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
  RtlModel model;
  RtlStats stats;
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

std::string rtl_cache_key(const RtlSource& source, const RtlParams& params) {
  return Cache(params).key(source);
}

std::vector<std::shared_ptr<RtlModel>> build_rtl(const std::vector<RtlSource>& sources, const RtlParams& params, RtlStats* stats) {
  const auto start = std::chrono::steady_clock::now();
  Cache cache(params);
  std::map<std::string, size_t> job_of_key;
  std::vector<Job> jobs;
  std::vector<size_t> job_of_source;
  for (const RtlSource& source : sources) {
    require_one_file(source);
    const std::string key = cache.key(source);
    const auto [found, is_new] = job_of_key.emplace(key, jobs.size());
    if (is_new) jobs.push_back({&source, key, {}, {}});
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
    if (!cache.has(job.key)) cache.build(*job.source, job.key, job.stats);
    job.model = cache.open(job.key);
    const std::lock_guard lock(mutex);
    ++done;
    if (params.progress) params.progress(done, jobs.size(), job.source->name);
  });

  std::vector<std::shared_ptr<RtlModel>> models;
  for (size_t i = 0; i < sources.size(); ++i) {
    models.push_back(std::make_shared<RtlModel>(jobs[job_of_source[i]].model));
    models.back()->name = sources[i].name;
    models.back()->interface = sources[i].interface;
  }
  if (stats != nullptr) {
    *stats = {jobs.size() - cached, cached, seconds_since(start)};
    for (const Job& job : jobs) {
      stats->verilate_seconds += job.stats.verilate_seconds;
      stats->compile_seconds += job.stats.compile_seconds;
    }
  }
  return models;
}

}  // namespace bitgrid::rtl
