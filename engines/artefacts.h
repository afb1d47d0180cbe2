// What `compile` and `verilog` write to a folder, and how it is read back.
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
  std::string optimize = "area";  // of a compilation, as in its options
  std::string mode = "auto";
  std::string effort = "default";
  std::string strategy = "";  // forced; empty: chosen for each kernel
  Defects defects = {};
  int tile_width = 0;  // that the source was cut for; 0: any
  int tile_height = 0;
};

/// What the manifest of a compilation records of a kernel, for the next compilation into the same folder.
struct KernelRecord {
  uint64_t key = 0;      // mapping_key; 0: must not be reused
  uint64_t content = 0;  // hash of the kernel's files
  std::optional<size_t> luts;
  std::optional<int> depth;
};

/// Returns file names for kernels, in order. A kernel keeps its own name if every file system allows that. Otherwise the name is cleaned up
/// and gets a hash: if it is too long, has characters other than letters, digits and ._-, or equals an earlier one except for case.
std::vector<std::string> file_names(const std::vector<std::string>& kernels);

/// Writes compile.json and kernels/FILE.{json,bgbs}, the manifest last. Kernels of an earlier compilation that no longer exist are removed.
/// `records`: one per kernel, or none; `content` is filled in here.
void write_compiled(OutputFolder& folder, const Manifest& manifest, const std::vector<MappedKernel>& kernels,
                    std::vector<KernelRecord> records = {});
/// Writes verilog.json and verilog/FILE.v.
void write_verilog(OutputFolder& folder, const Manifest& manifest, const std::vector<rtl::RtlSource>& kernels);

/// What a reader does with a kernel whose files do not match the hashes in the manifest, either because someone changed them or because a
/// compilation was killed while it replaced an earlier one.
enum class Unlisted : uint8_t { kRefuse, kReport };

struct CompiledFolder {
  Manifest manifest;
  std::vector<MappedKernel> kernels;
  std::vector<std::string> unlisted;  // notes on kernels, with kReport; the kernels are still used
};
struct VerilogFolder {
  Manifest manifest;
  std::vector<rtl::RtlSource> kernels;
  std::vector<std::string> unlisted;
};

/// The kernels of an earlier compilation that may be reused, by key. There are none without a compilation or if its manifest cannot be
/// read.
class EarlierCompile {
 public:
  /// An empty `dir` means no earlier compilation.
  explicit EarlierCompile(const std::string& dir);
  /// Returns what the manifest says of the kernel with that key, or nullptr if it has none.
  const KernelRecord* find(uint64_t key) const;
  /// Returns the kernel if its files exist and are unchanged, otherwise nullopt.
  std::optional<MappedKernel> load(uint64_t key) const;

 private:
  struct Entry {
    KernelRecord record;
    std::string name, stem;
  };
  std::map<uint64_t, Entry> entries_;
};

/// Returns nullopt if the folder holds no such artefacts. Throws Error (file, cure) if they cannot be read.
std::optional<CompiledFolder> read_compiled(const std::string& dir, Unlisted unlisted = Unlisted::kRefuse);
std::optional<VerilogFolder> read_verilog(const std::string& dir, Unlisted unlisted = Unlisted::kRefuse);

/// Returns the kernel of that name, or the only one if the name is empty. Throws Error with the folder, the kernel and the existing
/// kernels.
const MappedKernel& find_kernel(const CompiledFolder& folder, const std::string& dir, const std::string& name);

/// Returns the first difference between an artefact and what the same source compiles to now, such as "configuration of cell (3, 7), output
/// E, index 5: 1, should be 0". nullopt: no difference.
std::optional<std::string> first_drift(const MappedKernel& artefact, const MappedKernel& fresh);
std::optional<std::string> first_drift(const rtl::RtlSource& artefact, const rtl::RtlSource& fresh);

}  // namespace bitgrid::engines
