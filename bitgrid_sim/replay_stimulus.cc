#include <fmt/format.h>

#include "bitgrid_sim/make_grid.h"
#include "bitgrid_sim/replay.h"
#include "ir/error.h"
#include "ir/json_reader.h"

namespace bitgrid::sim {
namespace {

using Json = nlohmann::json;

/// Reads one line after the other.
class StimulusReader {
 public:
  StimulusReader(std::string_view text, const std::string& source, int width, int height)
      : rest_(text), source_(source), width_(width), height_(height) {}

  /// The bits of the next phase; false at the end.
  bool next(BorderBits& bits) {
    while (!rest_.empty()) {
      const size_t end = rest_.find('\n');
      const std::string_view line = rest_.substr(0, end);
      rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
      ++line_;
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      if (!parse(line, bits)) continue;
      ++step_;
      return true;
    }
    return false;
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& cure) const {
    throw Error(fmt::format("{}:{}", source_, line_), problem, cure);
  }

  bool parse(std::string_view line, BorderBits& bits) const {
    const Json object = parse_json(line, {source_, "write one object per line", line_});
    if (!object.is_object()) fail("is not a JSON object", "write {\"in\": {\"N\": [..], \"E\": [..], \"S\": [..], \"W\": [..]}}");
    const auto in = object.find("in");
    if (in == object.end() && object.contains("final_cell_outs_yx_NESW")) return false;
    if (in == object.end()) fail("key \"in\" is missing", "give the border inputs of the phase");
    check_time(object);
    if (!in->is_object()) fail("\"in\" is not an object", "write {\"N\": [..], \"E\": [..], \"S\": [..], \"W\": [..]}");
    bits = BorderBits(width_, height_);
    for (const auto& [key, values] : in->items()) parse_side(key, values, bits);
    return true;
  }

  void check_time(const Json& object) const {
    const auto step = object.find("step");
    if (step != object.end() && *step != step_)
      fail(fmt::format("\"step\" is {}, expected {}", short_dump(*step), step_), "number the lines from 0 or leave step out");
    const auto phase = object.find("phase");
    const std::string expected = step_ % 2 ? "B" : "A";
    if (phase != object.end() && *phase != expected) {
      fail(fmt::format("\"phase\" is {}, expected \"{}\"", short_dump(*phase), expected),
           "start with phase A and alternate, or leave phase out");
    }
  }

  void parse_side(const std::string& key, const Json& values, BorderBits& bits) const {
    const size_t side = key.size() == 1 ? std::string_view("NESW").find(key[0]) : std::string_view::npos;
    if (side == std::string_view::npos) fail(fmt::format("\"in\" has an unknown side {}", short_dump(Json(key))), "use N, E, S, W");
    std::vector<uint8_t>& port = bits.ports[side];
    if (!values.is_array() || values.size() != port.size()) {
      const std::string given = values.is_array() ? fmt::format("{} bits", values.size()) : "no list";
      fail(fmt::format("side {} has {}, the {} x {} grid has {} ports there", key, given, width_, height_, port.size()),
           "give one bit per port");
    }
    for (size_t i = 0; i < port.size(); ++i) {
      const bool bit = values[i].is_boolean() || (values[i].is_number_unsigned() && values[i].get<uint64_t>() <= 1);
      if (!bit) fail(fmt::format("side {}, entry {} is {}", key, i, short_dump(values[i])), "use 0 or 1");
      port[i] = values[i].is_boolean() ? values[i].get<bool>() : values[i].get<uint8_t>();
    }
  }

  static std::string short_dump(const Json& value) {
    std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
    return text.size() > 24 ? text.substr(0, 24) + "..." : text;
  }

  std::string_view rest_;
  const std::string& source_;
  int width_;
  int height_;
  size_t line_ = 0;
  int64_t step_ = 0;
};

std::string print_bits(const std::vector<uint8_t>& bits) {
  std::string text = "[";
  for (size_t i = 0; i < bits.size(); ++i) text += i ? (bits[i] ? ", 1" : ", 0") : (bits[i] ? "1" : "0");
  return text + "]";
}

std::string print_border(const BorderBits& b) {
  return fmt::format("{{\"N\": {}, \"E\": {}, \"S\": {}, \"W\": {}}}", print_bits(b.ports[0]), print_bits(b.ports[1]),
                     print_bits(b.ports[2]), print_bits(b.ports[3]));
}

template <typename Grid>
void print_final(const Grid& grid, const TextSink& sink) {
  std::string text = "{\"final_cell_outs_yx_NESW\": [";
  for (int y = 0; y < grid.height(); ++y) {
    text += y ? ", [" : "[";
    for (int x = 0; x < grid.width(); ++x) {
      const auto bit = [&](Side side) { return grid.output(x, y, side) ? '1' : '0'; };
      const char cell[] = {'[', bit(Side::N), ',', ' ', bit(Side::E), ',', ' ', bit(Side::S), ',', ' ', bit(Side::W), ']'};
      text += x ? ", " : "";
      text.append(cell, sizeof(cell));
    }
    text += "]";
    sink(text);
    text.clear();
  }
  sink("]}\n");
}

void sample_vcd(VcdWriter& vcd, const BorderBits& in, const BorderBits& out) {
  std::vector<uint8_t> values;
  for (const PortName& p : vcd.ports()) values.push_back((p.output ? out : in).at(p.side, p.position));
  vcd.sample(values);
}

template <typename Grid>
void replay(Grid grid, StimulusReader& reader, const StimulusParams& params, const TextSink& sink) {
  const int width = grid.width(), height = grid.height();
  std::string text;  // in one piece, so that nothing is written before the whole stimulus is found right
  BorderBits in(width, height), out(width, height);
  FaultInjector faults(params.faults);
  for (int64_t step = 0; params.cycles < 0 || step < 2 * params.cycles; ++step) {
    if (!reader.next(in)) {
      if (params.cycles < 0) break;
      in = BorderBits(width, height);
    }
    for (const Side side : kSides) {
      for (int p = 0; p < ports_of(side, width, height); ++p) {
        if (in.at(side, p)) grid.drive(grid.input_port(side, p));
      }
    }
    faults.before_step(grid, step);
    grid.step(static_cast<int>(step % 2));
    faults.after_step(grid, step);
    for (const Side side : kSides) {
      for (int p = 0; p < ports_of(side, width, height); ++p) out.at(side, p) = grid.sample(grid.output_port(side, p));
    }
    if (params.vcd) sample_vcd(*params.vcd, in, out);
    text += fmt::format("{{\"step\": {}, \"phase\": \"{}\", \"in\": {}, \"out\": {}}}\n", step, "AB"[step % 2], print_border(in),
                        print_border(out));
  }
  sink(text);
  print_final(grid, sink);
}

}  // namespace

void replay_stimulus(const frontend::GridSource& grid, std::string_view stimulus, const std::string& source, const StimulusParams& params,
                     const TextSink& sink) {
  StimulusReader reader(stimulus, source, grid.width, grid.height);
  if (params.engine == GridEngine::kScalar) return replay(make_grid<ScalarGrid>(grid), reader, params, sink);
  if (params.engine == GridEngine::kLanes) return replay(make_grid<SingleLaneGrid>(grid), reader, params, sink);
  replay(make_grid<SlicedGrid>(grid), reader, params, sink);
}

std::string replay_stimulus(const GridConfig& config, std::string_view stimulus, const std::string& source, const StimulusParams& params) {
  std::string text;
  replay_stimulus(frontend::grid_source(config), stimulus, source, params, [&](std::string_view piece) { text += piece; });
  return text;
}

}  // namespace bitgrid::sim
