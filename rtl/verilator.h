// Runs datapath Verilog with Verilator and the C++ compiler. Each distinct text becomes a shared object, which is kept in a cache.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ir/bits.h"
#include "rtl/interface.h"

namespace bitgrid::rtl {

struct RtlSource {
  std::string name;  // of the kernel or the file, for messages and progress
  std::string text;  // Verilog
  RtlInterface interface;
};

/// Reads the interface from the text's own comment. Throws Error, which names `name`.
RtlSource make_rtl_source(const std::string& name, const std::string& text);
/// The same for a file; its path is the source's name.
RtlSource load_rtl_source(const std::string& path);

struct RtlRunStats {
  uint64_t clocks = 0;  // adds to it: reset, one per invocation, and the latency
};

/// A compiled module.
struct RtlModel {
  std::string name;
  RtlInterface interface;

  /// Runs one invocation (row) per clock, back to back after a reset. Columns are the concatenated inputs and outputs in the interface's
  /// order. It checks that out_valid is set in the clocks in which results are due, and in no others. Throws Error with the model. Calls
  /// may run at the same time.
  BitMatrix run(const BitMatrix& inputs, RtlRunStats* stats = nullptr) const;

  /// The functions of the shared object (rtl/wrapper.cc writes them).
  struct Functions {
    void* (*create)() = nullptr;
    void (*destroy)(void*) = nullptr;
    /// One rising edge. Each port takes (width + 31) / 32 words.
    int (*clock)(void*, int rst, int in_valid, const uint32_t* inputs, uint32_t* outputs) = nullptr;
  };
  std::shared_ptr<void> library;  // stays open while a model needs it
  Functions functions;
};

struct RtlParams {
  std::string cache_dir;                // empty: default_rtl_cache() (rtl/cache_folder.h)
  int jobs = 2;                         // models built at the same time
  std::string verilator = "verilator";  // programs
  std::string compiler = "c++";
  std::vector<std::string> optimise = {"-O1"};  // of the C++ that runs every clock; -O1 compiles several times as fast as -O2
  /// Called after each distinct text is built or found, one call at a time, with the texts done, all texts, and a source of the text.
  std::function<void(size_t done, size_t total, const std::string& name)> progress;
};

struct RtlStats {
  size_t built = 0;   // distinct texts that were built now
  size_t cached = 0;  // distinct texts that were in the cache
  double seconds = 0.0;
  double verilate_seconds = 0.0, compile_seconds = 0.0;  // of what was built now, summed over texts that are built at the same time
};

/// Returns the name of a source's folder in the cache: a hash of everything that goes into its library. Throws Error if a tool is missing.
std::string rtl_cache_key(const RtlSource& source, const RtlParams& params = {});

/// Returns a model for each source, in order. Texts that differ only in names and remarks share a library. Whatever is not in the cache is
/// built; several processes may use one cache at the same time. Throws Error if a tool is missing, rejects a text, or finds ports that
/// differ from its comment. The log stays in the cache folder.
std::vector<std::shared_ptr<RtlModel>> build_rtl(const std::vector<RtlSource>& sources, const RtlParams& params = {},
                                                 RtlStats* stats = nullptr);

}  // namespace bitgrid::rtl
