// The readers of frontend/.
#include "frontend/arch_file.h"
#include "frontend/blif.h"
#include "frontend/defects_file.h"
#include "frontend/load_model.h"
#include "frontend/safetensors.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/targets.h"
#include "tests/support/tiny_model.h"

namespace bitgrid::fuzz {

void blif(std::string_view bytes) {
  const auto network = accepted([&] { return frontend::parse_blif(bytes, "x.blif"); });
  if (!network) return;
  verify(*network);
  const std::string text = to_blif(*network);
  require(frontend::parse_blif(text, "printed") == *network, "a netlist that is printed and read again is another one:\n" + text);
}

void model(std::string_view bytes) {
  const std::vector<std::string> files = parts(bytes, 2);
  std::vector<std::string> warnings;
  const auto first = accepted([&] { return frontend::parse_model(files[0], "model.yaml", files[1], "model.safetensors", &warnings); });
  if (!first) return;
  for (const std::string& warning : warnings) check_message(warning);
  const ModelFiles printed = print_model(*first);
  const Model second = frontend::parse_model(printed.yaml, "printed.yaml", printed.weights, "printed.safetensors");
  const ModelFiles again = print_model(second);
  require(again.yaml == printed.yaml && again.weights == printed.weights,
          "a model that is printed and read again is another one:\n" + printed.yaml);
}

void safetensors(std::string_view bytes) {
  const auto file = accepted([&] { return frontend::parse_safetensors(std::string(bytes), "x.safetensors"); });
  if (!file) return;
  std::vector<frontend::StoredTensor> tensors;
  for (const auto& [name, entry] : file->entries) tensors.push_back(frontend::tensor(*file, name));
  const frontend::Safetensors second = frontend::parse_safetensors(frontend::print_safetensors(tensors), "printed");
  require(second.entries.size() == tensors.size(), "tensors are lost when they are printed and read again");
  for (const frontend::StoredTensor& t : tensors)
    require(second.entries.contains(t.name) && frontend::tensor(second, t.name) == t,
            "a tensor that is printed and read again is another one");
}

void arch(std::string_view bytes) {
  accepted([&] { return frontend::parse_arch(std::string(bytes), "arch.yaml"); });
}

void defects(std::string_view bytes) {
  const auto first = accepted([&] { return frontend::parse_defects(std::string(bytes), "defects.yaml"); });
  if (!first) return;
  require(frontend::parse_defects(frontend::print_defects(*first), "printed") == *first,
          "defects that are printed and read again are others");
}

}  // namespace bitgrid::fuzz
