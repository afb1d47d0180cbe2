// What `compile` and `verilog` leave in a folder, and how it is read back as it stands.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "ir/output_file.h"
#include "ir/program.h"
#include "rtl/verilator.h"

namespace bitgrid::engines {

/// Says what the artefacts in a folder were made from.
struct Manifest {
  std::string source;        // name of the model, or of the netlist's file
  uint64_t source_hash = 0;  // of the model's files, or of the netlist's text
  uint64_t seed = 1;
  std::string optimize = "area";  // of a compile, as its options
  std::string mode = "auto";
  std::string effort = "default";
  std::string strategy = "";  // forced; empty: chosen for each kernel
  Defects defects = {};
  int tile_width = 0;  // that the source was cut for; 0: any
  int tile_height = 0;
};

/// What the manifest of a compile keeps of a kernel, for the next compile into the same folder.
struct KernelRecord {
  uint64_t key = 0;      // mapping_key; 0: not to be reused
  uint64_t content = 0;  // hash of the kernel's files
  std::optional<size_t> luts;
  std::optional<int> depth;
};

/// Names of files for kernels, in their order. A kernel's own name where it can be one on every file system; else what is left of it with a
/// hash: of names too long, with other characters than letters, digits and ._-, or equal to an earlier one but for case.
std::vector<std::string> file_names(const std::vector<std::string>& kernels);

/// Writes compile.json and kernels/FILE.{json,bgbs}. The manifest comes last. Kernels of an earlier compile that are no longer there are
/// removed. `records`: one for each kernel, or none; `content` is filled in here.
void write_compiled(OutputFolder& folder, const Manifest& manifest, const std::vector<MappedKernel>& kernels,
                    std::vector<KernelRecord> records = {});
/// Writes verilog.json and verilog/FILE.v.
void write_verilog(OutputFolder& folder, const Manifest& manifest, const std::vector<rtl::RtlSource>& kernels);

/// What a reader does with a kernel whose files are not those that the manifest lists, by their hash: because someone changed them, or
/// because a compile was killed while it replaced an earlier one.
enum class Unlisted : uint8_t { kRefuse, kReport };

struct CompiledFolder {
  Manifest manifest;
  std::vector<MappedKernel> kernels;
  std::vector<std::string> unlisted;  // notes on kernels, with kReport; they are used as they stand
};
struct VerilogFolder {
  Manifest manifest;
  std::vector<rtl::RtlSource> kernels;
  std::vector<std::string> unlisted;
};

/// The kernels of an earlier compile that may be reused, by key; none if there was no compile or its manifest cannot be read.
class EarlierCompile {
 public:
  /// `dir` empty: no earlier compile.
  explicit EarlierCompile(const std::string& dir);
  /// What the manifest says of the kernel with that key; nullptr if it has none.
  const KernelRecord* find(uint64_t key) const;
  /// The kernel, if its files are there and are what was written; else nullopt.
  std::optional<MappedKernel> load(uint64_t key) const;

 private:
  struct Entry {
    KernelRecord record;
    std::string name, stem;
  };
  std::map<uint64_t, Entry> entries_;
};

/// nullopt if the folder holds no such artefacts. Throws Error (file, cure) if they cannot be read.
std::optional<CompiledFolder> read_compiled(const std::string& dir, Unlisted unlisted = Unlisted::kRefuse);
std::optional<VerilogFolder> read_verilog(const std::string& dir, Unlisted unlisted = Unlisted::kRefuse);

/// The kernel of that name; without a name the only one. Throws Error naming the folder, the kernel and those that are there.
const MappedKernel& find_kernel(const CompiledFolder& folder, const std::string& dir, const std::string& name);

/// What differs first between an artefact and what the same source compiles to now: "configuration of cell (3, 7), output E, index 5: 1,
/// should be 0". nullopt: nothing.
std::optional<std::string> first_drift(const MappedKernel& artefact, const MappedKernel& fresh);
std::optional<std::string> first_drift(const rtl::RtlSource& artefact, const rtl::RtlSource& fresh);

}  // namespace bitgrid::engines
