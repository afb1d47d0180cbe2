#include "report/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "ir/json_text.h"
#include "report/cell_roles.h"
#include "report/html.h"
#include "report/page_charts.h"
#include "report/page_invocation.h"
#include "report/page_script.h"
#include "report/page_timeline.h"
#include "report/svg.h"

namespace bitgrid::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<const char*, kCellRoles> kRoleNames = {"idle", "wire", "logic", "add", "subtract", "resident"};

std::string base64(const std::string& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t v = 0;
    for (size_t k = 0; k < 3; ++k) v = v << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? kDigits[v >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

void put_leb128(std::string& bytes, size_t v) {
  for (; v >= 128; v >>= 7) bytes += static_cast<char>(v | 128);
  bytes += static_cast<char>(v);
}

/// JSON inside a script element: no text may end it.
std::string script_json(const Json& json) {
  std::string out;
  for (const char c : json_text(json)) out += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return out;
}

struct Use {
  std::array<size_t, kCellRoles> cells{};
  size_t edges = 0;  // outputs that are not always 0
};

Use use_of(const MappedKernel& kernel) {
  const CellRoles roles = cell_roles(kernel);
  Use use;
  for (const CellRole r : roles.roles) ++use.cells[static_cast<size_t>(r)];
  for (const auto& edges : roles.edges) {
    for (const Edge& e : edges) use.edges += e.kind != EdgeKind::kIdle;
  }
  return use;
}

std::string kernel_rows(const PageData& data) {
  std::string out =
      "<div class='wide tall'><table "
      "id='kernels'><thead><tr><th>kernel</th><th>strategy</th><th>size</th><th>cells</th><th>II</th><th>latency</th>";
  for (size_t r = 1; r < kCellRoles; ++r) out += fmt::format("<th>{}</th>", kRoleNames[r]);
  out += "<th>used</th><th>edges used</th></tr></thead><tbody>";
  for (size_t k = 0; k < data.kernels.size(); ++k) {
    const MappedKernel& m = data.kernels[k];
    const Use use = use_of(m);
    const auto cells = static_cast<double>(m.grid.cells.size());
    out += fmt::format("<tr data-k='{}'><td>{}</td><td>{}</td><td>{} x {}</td><td>{}</td><td>{}</td><td>{}</td>", k, escape_markup(m.name),
                       escape_markup(m.strategy), m.grid.width, m.grid.height, m.grid.cells.size(), m.ii, latency_cycles(m));
    for (size_t r = 1; r < kCellRoles; ++r) out += fmt::format("<td>{}</td>", use.cells[r]);
    out += fmt::format("<td>{:.1f} %</td><td>{:.1f} %</td></tr>", 100 * (1 - static_cast<double>(use.cells[0]) / cells),
                       25 * static_cast<double>(use.edges) / cells);
  }
  return out + "</tbody></table></div>";
}

std::string figures_html(const PageData& data) {
  if (!data.figures) return "<p>Give <code>--model MODEL.yaml</code> for the model's graph, timeline and roofline.</p>";
  const estimate::Estimate& e = *data.figures;
  return fmt::format(
      "<p>{} cells, {} cycles per token ({} of them configuration), {:.5g} tokens/s at {} MHz, {:.4g} J per token, {:.4g} mm² ({}). "
      "Bottleneck: {} ({:.0f} %); relief: {}.</p>",
      e.cells_total, e.cycles_per_token, e.configuration_cycles, e.tokens_per_second, data.params.technology.clock_mhz,
      e.energy_per_token_j, e.area_mm2, escape_markup(data.params.technology.name), escape_markup(e.latency.what), 100 * e.latency.share,
      escape_markup(e.latency.relief));
}

/// [[name, words, bits of a word]..]
Json port_names(const Dag& dag, const std::vector<NodeId>& nodes, const std::vector<KernelPort>& ports) {
  Json names = Json::array();
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = dag.node(nodes[i]);
    const bool words = i < ports.size() && static_cast<uint32_t>(ports[i].words) * ports[i].bits == node.width;
    names.push_back({node.name, words ? ports[i].words : 1, words ? ports[i].bits : node.width});
  }
  return names;
}

const Kernel* source_of(const PageData& data, const std::string& name) {
  if (!data.program) return nullptr;
  const auto& all = data.program->kernels;
  const auto it = std::find_if(all.begin(), all.end(), [&](const Kernel& k) { return k.name == name; });
  return it == all.end() ? nullptr : &*it;
}

}  // namespace

Json floorplan_json(const MappedKernel& kernel, const Kernel* source) {
  const CellRoles roles = cell_roles(kernel);
  std::map<std::pair<CellWord, CellRole>, size_t> count;
  const size_t n = kernel.grid.cells.size();
  for (size_t i = 0; i < n; ++i) ++count[{kernel.grid.cells[i], roles.roles[i]}];
  std::vector<std::pair<CellWord, CellRole>> dict;  // the most frequent first: one byte each
  for (const auto& [key, times] : count) dict.push_back(key);
  std::stable_sort(dict.begin(), dict.end(), [&](const auto& a, const auto& b) { return count[a] > count[b]; });
  std::map<std::pair<CellWord, CellRole>, size_t> index;
  Json words = Json::array();
  for (size_t i = 0; i < dict.size(); ++i) {
    index[dict[i]] = i;
    words.push_back({fmt::format("{:016x}", dict[i].first), static_cast<int>(dict[i].second)});
  }
  std::string bytes;
  for (size_t i = 0; i < n; ++i) put_leb128(bytes, index[{kernel.grid.cells[i], roles.roles[i]}]);
  Json in = Json::array(), out = Json::array();
  for (const InputSlot& s : kernel.inputs) in.push_back({s.bit, static_cast<int>(s.slot.side), s.slot.position, s.slot.phase, s.hold});
  for (size_t b = 0; b < kernel.outputs.size(); ++b) {
    const BitSlot& s = kernel.outputs[b];
    out.push_back({b, static_cast<int>(s.side), s.position, s.phase});
  }
  Json constants = Json::array();
  for (const ConstantStream& c : kernel.constants) {
    std::string bits;
    for (const uint8_t bit : c.bits) bits += bit ? '1' : '0';
    constants.push_back({static_cast<int>(c.slot.side), c.slot.position, c.slot.phase, bits});
  }
  Json json = {{"name", kernel.name},
               {"strategy", kernel.strategy},
               {"w", kernel.grid.width},
               {"h", kernel.grid.height},
               {"ii", kernel.ii},
               {"dict", words},
               {"cells", base64(bytes)},
               {"in", in},
               {"out", out},
               {"constants", constants},
               {"lead", kernel.lead_cycles},
               {"inputBits", kernel.input_bits},
               {"outputBits", kernel.output_bits}};
  if (source)
    json["names"] = {{"in", port_names(source->dag, source->dag.inputs, source->inputs)},
                     {"out", port_names(source->dag, source->dag.outputs, source->outputs)}};
  return json;
}

std::string report_page(const PageData& data) {
  Json kernels = Json::array();
  for (const MappedKernel& m : data.kernels) kernels.push_back(floorplan_json(m, source_of(data, m.name)));
  Json defects = Json::array();
  for (const auto& cell : data.defects.cells) defects.push_back({cell.x, cell.y});
  std::string body = "<h1>" + escape_markup(data.title) + "</h1>" + figures_html(data);
  if (data.program && data.figures) {
    body += "<h2>Graph</h2><div class='wide'>" + graph_svg(*data.program) + "</div>";
    body += "<h2>Timeline of a token</h2><div class='wide'>" + timeline_svg(*data.figures) + "</div>";
    body += "<h2>Roofline</h2><div class='wide'>" + roofline_svg(*data.figures, data.params) + "</div>";
  }
  if (!data.trace.is_null())
    body += "<h2>Timeline of the platform</h2><div class='wide'>" + platform_timeline_svg(data.trace, data.trace_file) + "</div>";
  body += "<h2>Kernels</h2>" + kernel_rows(data);
  body +=
      "<h2>Floorplan</h2><p><select id='pick'></select> <select id='shade'><option value='0'>what cells do</option><option "
      "value='1'>congestion: outputs used</option></select> <button id='wave'>play an invocation</button> <button id='fit'>fit</button></p>"
      "<p class='key' id='key'></p><canvas id='plan'></canvas><div id='hover'></div>";
  body += "<h2>Effective configuration</h2><pre>" + escape_markup(json_text(data.configuration, 1)) + "</pre>";
  body += "<script>const kernels=" + script_json(kernels) + ";const defects=" + script_json(defects) + ";" + kInvocationScript +
          kPageScript + "</script>";
  return html_page(data.title, body);
}

}  // namespace bitgrid::report
