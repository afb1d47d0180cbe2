#include <fmt/format.h>

#include "bitgrid_sim/make_grid.h"
#include "bitgrid_sim/replay.h"
#include "ir/error.h"

namespace bitgrid::sim {
namespace {

/// Text is handed on in pieces of about this size.
constexpr size_t kPiece = 1 << 16;

int wrap(int a, int n) {
  return a < 0 ? a + n : a >= n ? a - n : a;
}

/// The engine that latches inputs, cell by cell.
class LatchedEngine {
 public:
  LatchedEngine(const frontend::GridSource& source, Borders borders)
      : c_(frontend::read_rows(source)), in_(source.initial_inputs), out_(c_.cells.size()), torus_(borders == Borders::kTorus) {
    in_.resize(c_.cells.size());
  }

  void step(int phase) {
    for (int y = 0; y < c_.height; ++y) {
      for (int x = (phase + y) & 1; x < c_.width; x += 2) evaluate(x, y);
    }
    if (!torus_) push_borders(phase);
  }
  void run(int64_t phases, size_t) {
    for (int64_t k = 0; k < phases; ++k) step(static_cast<int>(k & 1));
  }
  unsigned in(int x, int y) const { return in_[c_.index(x, y)]; }
  unsigned out(int x, int y) const { return out_[c_.index(x, y)]; }

 private:
  void evaluate(int x, int y) {
    const size_t i = c_.index(x, y);
    const unsigned outputs = (c_.cells[i] >> (4 * in_[i])) & 15u;
    out_[i] = static_cast<uint8_t>(outputs);
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
    uint8_t& in = in_[c_.index(x, y)];
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

  GridConfig c_;
  std::vector<uint8_t> in_, out_;  // nibbles of all cells
  bool torus_;
};

/// The same on a grid whose cells read their neighbours' outputs. The two differ only before the odd cells have latched for
/// the first time: until then the initial inputs of the even cells stand in the place of the odd cells' outputs.
template <typename Grid>
class OutputEngine {
 public:
  OutputEngine(const frontend::GridSource& source, Borders borders)
      : width_(source.width),
        height_(source.height),
        initial_(source.initial_inputs),
        torus_(borders == Borders::kTorus),
        grid_(make_grid<Grid>(source)) {
    if (initial_.empty()) return;
    for (int y = 0; y < height_; ++y) {
      for (int x = y & 1; x < width_; x += 2) place_inputs(x, y);
    }
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

  /// Phases 0 to phases - 1.
  void run(int64_t phases, size_t threads) {
    for (int64_t k = 0; k < phases; ++k) {
      if constexpr (std::is_same_v<Grid, SlicedGrid>) {
        if (k > 0 && !torus_) {
          grid_.run(k, phases - k, {}, {}, {threads, 0, 0});
          steps_ = phases;
          return;
        }
      }
      step(static_cast<int>(k & 1));
    }
  }

  // A cell of colour c has latched after c + 1 steps; its neighbours have pushed after the other colour's first step.
  unsigned in(int x, int y) const {
    if (steps_ <= 1 - ((x + y) & 1)) return initial(x, y);
    unsigned nibble = 0;
    for (const Side side : kSides) {
      int nx = x + dx(side), ny = y + dy(side);
      if (torus_) {
        nx = wrap(nx, width_);
        ny = wrap(ny, height_);
      } else if (nx < 0 || ny < 0 || nx >= width_ || ny >= height_) {
        continue;
      }
      nibble |= static_cast<unsigned>(grid_.output(nx, ny, opposite(side))) << static_cast<unsigned>(side);
    }
    return nibble;
  }
  unsigned out(int x, int y) const {
    unsigned nibble = 0;
    if (steps_ <= ((x + y) & 1)) return nibble;
    for (const Side side : kSides) nibble |= static_cast<unsigned>(grid_.output(x, y, side)) << static_cast<unsigned>(side);
    return nibble;
  }

 private:
  unsigned initial(int x, int y) const {
    return initial_.empty() ? 0 : initial_[static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x)];
  }

  /// Lets an even cell read its initial input nibble in the first phase.
  void place_inputs(int x, int y) {
    for (const Side side : kSides) {
      if (!((initial(x, y) >> static_cast<unsigned>(side)) & 1u)) continue;
      const int nx = x + dx(side), ny = y + dy(side);
      if (nx >= 0 && ny >= 0 && nx < width_ && ny < height_) {
        grid_.set_output(nx, ny, opposite(side), true);
      } else {
        first_drives_.push_back(grid_.input_port(side, side == Side::N || side == Side::S ? x : y));
      }
    }
  }

  void drive_opposite_borders() {
    for (const Side side : kSides) {
      for (int p = 0; p < ports_of(side, width_, height_); ++p) {
        if (grid_.sample(grid_.output_port(opposite(side), p))) grid_.drive(grid_.input_port(side, p));
      }
    }
  }

  int width_, height_;
  const std::vector<uint8_t>& initial_;
  bool torus_;
  Grid grid_;
  std::vector<typename Grid::Port> first_drives_;
  int64_t steps_ = 0;
};

template <typename Engine>
void print_nibbles(const Engine& engine, unsigned (Engine::*nibble)(int, int) const, int width, int height, const TextSink& sink) {
  std::string text;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) text += "0123456789ABCDEF"[(engine.*nibble)(x, y) & 15u];
    text += '\n';
    if (text.size() < kPiece && y + 1 < height) continue;
    sink(text);
    text.clear();
  }
}

template <typename Engine>
void trace(Engine engine, int width, int height, const TraceParams& params, const TextSink& sink) {
  const auto print = [&](const std::string& title) {
    sink(title + "in\n");
    print_nibbles(engine, &Engine::in, width, height, sink);
    sink("out\n");
    print_nibbles(engine, &Engine::out, width, height, sink);
  };
  if (params.every_phase || params.cycles == 0) print("# initial\n");
  if (!params.every_phase && params.cycles > 0) {
    engine.run(2 * params.cycles, params.threads);
    print(fmt::format("# cycle {} B\n", params.cycles));
    return;
  }
  for (int64_t cycle = 1; cycle <= params.cycles; ++cycle) {
    for (const int phase : {0, 1}) {
      engine.step(phase);
      print(fmt::format("# cycle {} {}\n", cycle, "AB"[phase]));
    }
  }
}

}  // namespace

void replay_trace(const frontend::GridSource& grid, const TraceParams& params, const TextSink& sink) {
  if (params.cycles < 0) throw Error("replay", fmt::format("{} cycles", params.cycles), "use 0 or more");
  const size_t cells = static_cast<size_t>(grid.width) * static_cast<size_t>(grid.height);
  if (!grid.initial_inputs.empty() && grid.initial_inputs.size() != cells) {
    throw Error("replay", fmt::format("{} initial inputs for {} cells", grid.initial_inputs.size(), cells),
                "give one nibble per cell, or none");
  }
  const int width = grid.width, height = grid.height;
  const bool colours_meet = params.borders == Borders::kTorus && (width % 2 != 0 || height % 2 != 0);
  if (params.engine == GridEngine::kScalar || colours_meet) {
    trace(LatchedEngine(grid, params.borders), width, height, params, sink);
  } else if (params.engine == GridEngine::kLanes) {
    trace(OutputEngine<SingleLaneGrid>(grid, params.borders), width, height, params, sink);
  } else {
    trace(OutputEngine<SlicedGrid>(grid, params.borders), width, height, params, sink);
  }
}

std::string replay_trace(const GridConfig& config, const std::vector<uint8_t>& initial_inputs, const TraceParams& params) {
  frontend::GridSource source = frontend::grid_source(config);
  source.initial_inputs = initial_inputs;
  std::string text;
  replay_trace(source, params, [&](std::string_view piece) { text += piece; });
  return text;
}

}  // namespace bitgrid::sim
