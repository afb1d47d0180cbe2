// What check/ reads: folders that compile leaves.
#include "engines/artefacts.h"

#include "frontend/compiled/mapped_kernel_io.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/run_kernel.h"
#include "tests/fuzz/targets.h"

namespace bitgrid::fuzz {

void compile_folder(std::string_view bytes) {
  static const Folder folder;
  const std::vector<std::string> files = parts(bytes, 3);
  folder.write("compile.json", files[0]);
  folder.write("kernels/k.json", files[1]);
  folder.write("kernels/k.bgbs", files[2]);
  const auto compiled = accepted([&] { return engines::read_compiled(folder.path()); });
  const engines::EarlierCompile earlier(folder.path());
  if (!compiled || !*compiled) return;
  for (const MappedKernel& kernel : (*compiled)->kernels) {
    require(frontend::parse_mapped_kernel(frontend::print_mapped_kernel(kernel), "printed").inputs == kernel.inputs,
            "a kernel is another one when printed");
    run_kernel(kernel);
  }
}

}  // namespace bitgrid::fuzz
