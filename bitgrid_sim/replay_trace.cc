#include <fmt/format.h>

#include "bitgrid_sim/replay.h"
#include "bitgrid_sim/single_lane.h"
#include "ir/error.h"

namespace bitgrid {
namespace {

/// Input and output nibbles of all cells, row by row.
struct Latches {
  std::vector<uint8_t> in;
  std::vector<uint8_t> out;
};

void print_nibbles(std::string& text, const std::vector<uint8_t>& nibbles, int width) {
  for (size_t i = 0; i < nibbles.size(); ++i) {
    text += "0123456789ABCDEF"[nibbles[i] & 15u];
    if ((i + 1) % static_cast<size_t>(width) == 0) text += '\n';
  }
}

void print_latches(std::string& text, const Latches& latches, int width) {
  text += "in\n";
  print_nibbles(text, latches.in, width);
  text += "out\n";
  print_nibbles(text, latches.out, width);
}

int wrap(int a, int n) {
  return a < 0 ? a + n : a >= n ? a - n : a;
}

/// The engine that latches inputs, cell by cell.
class LatchedEngine {
 public:
  LatchedEngine(const GridConfig& config, const Latches& initial, Borders borders)
      : c_(config), l_(initial), torus_(borders == Borders::kTorus) {}

  void step(int phase) {
    for (int y = 0; y < c_.height; ++y) {
      for (int x = (phase + y) & 1; x < c_.width; x += 2) evaluate(x, y);
    }
    if (!torus_) push_borders(phase);
  }
  Latches latches() const { return l_; }

 private:
  void evaluate(int x, int y) {
    const size_t i = c_.index(x, y);
    const unsigned outputs = (c_.cells[i] >> (4 * l_.in[i])) & 15u;
    l_.out[i] = static_cast<uint8_t>(outputs);
    // This order decides where both horizontal or vertical neighbours are the same cell.
    for (const Side side : {Side::E, Side::W, Side::S, Side::N}) push(x, y, side, (outputs >> static_cast<unsigned>(side)) & 1u);
  }

  void push(int x, int y, Side side, bool bit) {
    int nx = x + dx(side), ny = y + dy(side);
    const bool inside = nx >= 0 && ny >= 0 && nx < c_.width && ny < c_.height;
    if (!inside && !torus_) return;
    nx = wrap(nx, c_.width);
    ny = wrap(ny, c_.height);
    set_input(nx, ny, opposite(side), bit);
  }

  void set_input(int x, int y, Side side, bool bit) {
    uint8_t& in = l_.in[c_.index(x, y)];
    const unsigned mask = 1u << static_cast<unsigned>(side);
    in = static_cast<uint8_t>(bit ? in | mask : in & ~mask);
  }

  /// The outside pushes 0 into the border cells of the other colour, as neighbours of this phase's colour do.
  void push_borders(int phase) {
    for (const Side side : kSides) {
      for (int p = 0; p < ports_of(side, c_.width, c_.height); ++p) {
        const CellPosition cell = border_cell(side, p, c_.width, c_.height);
        if (((cell.x + cell.y) & 1) != phase) set_input(cell.x, cell.y, side, false);
      }
    }
  }

  const GridConfig& c_;
  Latches l_;
  bool torus_;
};

/// The same on a grid whose cells read their neighbours' outputs. The two differ only before the odd cells have latched for
/// the first time: until then the initial inputs of the even cells stand in the place of the odd cells' outputs.
template <typename Grid>
class OutputEngine {
 public:
  OutputEngine(const GridConfig& config, const Latches& initial, Borders borders)
      : config_(config), initial_(initial), torus_(borders == Borders::kTorus), grid_(config) {
    GridState state(config.width, config.height);
    for (int y = 0; y < config.height; ++y) {
      for (int x = y & 1; x < config.width; x += 2) place_inputs(state, x, y);
    }
    grid_.set_state(state);
  }

  void step(int phase) {
    if (steps_ == 0) {
      for (const typename Grid::Port port : first_drives_) grid_.drive(port);
    } else if (torus_) {
      drive_opposite_borders();
    }
    grid_.step(phase);
    ++steps_;
  }

  Latches latches() const {
    Latches l = initial_;
    const GridState state = grid_.state();
    const BorderBits outside(config_.width, config_.height);
    for (int y = 0; y < config_.height; ++y) {
      for (int x = 0; x < config_.width; ++x) {
        const size_t i = config_.index(x, y);
        const int odd = (x + y) & 1;
        // A cell of colour c has latched after c + 1 steps; its neighbours have pushed after the other colour's first step.
        if (steps_ > odd) l.out[i] = state.outputs[i];
        if (steps_ > 1 - odd) l.in[i] = static_cast<uint8_t>(cell_inputs(state, x, y, outside, torus_ ? Borders::kTorus : Borders::kOpen));
      }
    }
    return l;
  }

 private:
  /// Lets an even cell read its initial input nibble in the first phase.
  void place_inputs(GridState& state, int x, int y) {
    for (const Side side : kSides) {
      if (!((initial_.in[config_.index(x, y)] >> static_cast<unsigned>(side)) & 1u)) continue;
      const int nx = x + dx(side), ny = y + dy(side);
      if (nx >= 0 && ny >= 0 && nx < config_.width && ny < config_.height) {
        uint8_t& outputs = state.outputs[state.index(nx, ny)];
        outputs = static_cast<uint8_t>(outputs | 1u << static_cast<unsigned>(opposite(side)));
      } else {
        first_drives_.push_back(grid_.input_port(side, side == Side::N || side == Side::S ? x : y));
      }
    }
  }

  void drive_opposite_borders() {
    for (const Side side : kSides) {
      for (int p = 0; p < ports_of(side, config_.width, config_.height); ++p) {
        if (grid_.sample(grid_.output_port(opposite(side), p))) grid_.drive(grid_.input_port(side, p));
      }
    }
  }

  const GridConfig& config_;
  Latches initial_;
  bool torus_;
  Grid grid_;
  std::vector<typename Grid::Port> first_drives_;
  int64_t steps_ = 0;
};

template <typename Engine>
std::string trace(Engine engine, const Latches& initial, int width, const TraceParams& params) {
  std::string text;
  if (params.every_phase || params.cycles == 0) {
    text += "# initial\n";
    print_latches(text, initial, width);
  }
  for (int64_t cycle = 1; cycle <= params.cycles; ++cycle) {
    for (const int phase : {0, 1}) {
      engine.step(phase);
      if (!params.every_phase && (cycle < params.cycles || phase == 0)) continue;
      text += fmt::format("# cycle {} {}\n", cycle, "AB"[phase]);
      print_latches(text, engine.latches(), width);
    }
  }
  return text;
}

}  // namespace

std::string replay_trace(const GridConfig& config, const std::vector<uint8_t>& initial_inputs, const TraceParams& params) {
  if (params.cycles < 0) throw Error("replay", fmt::format("{} cycles", params.cycles), "use 0 or more");
  if (!initial_inputs.empty() && initial_inputs.size() != config.cells.size()) {
    throw Error("replay", fmt::format("{} initial inputs for {} cells", initial_inputs.size(), config.cells.size()),
                "give one nibble a cell, or none");
  }
  Latches initial{initial_inputs, std::vector<uint8_t>(config.cells.size())};
  initial.in.resize(config.cells.size());
  const bool colours_meet = params.borders == Borders::kTorus && (config.width % 2 != 0 || config.height % 2 != 0);
  if (params.engine == GridEngine::kScalar || colours_meet)
    return trace(LatchedEngine(config, initial, params.borders), initial, config.width, params);
  if (params.engine == GridEngine::kLanes)
    return trace(OutputEngine<SingleLaneGrid>(config, initial, params.borders), initial, config.width, params);
  return trace(OutputEngine<SlicedGrid>(config, initial, params.borders), initial, config.width, params);
}

}  // namespace bitgrid
