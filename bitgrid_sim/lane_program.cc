#include "bitgrid_sim/lane_program.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bitgrid_sim/scalar.h"
#include "ir/error.h"

namespace bitgrid::sim {
namespace {

/// Operations are sorted by kind within so many, which keeps what they read and write in the cache.
constexpr size_t kBlockOperations = 4096;

/// A function of up to five nets; bit i of `table` is the value for operand values i.
struct Function {
  uint32_t table = 0;
  uint32_t inputs = 0;
  std::array<uint32_t, 5> net{};
  bool operator==(const Function&) const = default;
};

/// The function with input k fixed.
Function cofactor(const Function& f, uint32_t k, bool value) {
  Function g;
  g.inputs = f.inputs - 1;
  for (uint32_t i = 0; i < g.inputs; ++i) g.net[i] = f.net[i < k ? i : i + 1];
  for (uint32_t i = 0; i < 1u << g.inputs; ++i) {
    const uint32_t low = i & ((1u << k) - 1), high = (i >> k) << (k + 1);
    g.table |= ((f.table >> (high | (value ? 1u << k : 0) | low)) & 1u) << i;
  }
  return g;
}

/// Without inputs that are the zero net or that do not matter.
Function reduce(Function f) {
  for (uint32_t k = f.inputs; k-- > 0;) {
    if (f.net[k] == LaneProgram::kZeroNet) f = cofactor(f, k, false);
  }
  for (uint32_t k = f.inputs; k-- > 0;) {
    const Function low = cofactor(f, k, false);
    if (low.table == cofactor(f, k, true).table) f = low;
  }
  return f;
}

class Compiler {
 public:
  Compiler(const GridConfig& grid, const LaneProgramParams& params) : g_(grid), p_(params) {}

  LaneProgram run() {
    if (g_.cells.size() > (uint64_t{1} << 29)) throw Error("lanes simulator", "the grid is too large", "use --sim sliced");
    program_.width = g_.width;
    program_.height = g_.height;
    place_inputs();
    find_zeros();
    find_observable();
    number_nets();
    for (const int colour : {0, 1}) emit_colour(colour);
    program_.words = first_scratch_ + most_scratch_;
    return std::move(program_);
  }

 private:
  // While nets are not numbered yet, an edge's entry in program_.edges is its class.
  static constexpr uint32_t kUnseen = LaneProgram::kNone, kZero = LaneProgram::kZeroNet, kSeen = 2;
  static constexpr uint32_t kPosition = 0xFFFF'0000;

  size_t edge(int x, int y, Side side) const { return 4 * g_.index(x, y) + static_cast<size_t>(side); }
  bool inside(int x, int y) const { return x >= 0 && y >= 0 && x < g_.width && y < g_.height; }

  void check(const LanePort& port) const {
    if (port.position < 0 || port.position >= ports_of(port.side, g_.width, g_.height))
      throw Error("lanes simulator", "a port is not on the border of the grid", "use x for N and S, y for E and W");
  }

  void place_inputs() {
    for (const Side side : kSides) {
      port_nets_[static_cast<size_t>(side)].assign(static_cast<size_t>(ports_of(side, g_.width, g_.height)), kZero);
    }
    uint32_t next = 2;
    for (const LanePort& port : p_.driven) {
      check(port);
      uint32_t& net = port_nets_[static_cast<size_t>(port.side)][static_cast<size_t>(port.position)];
      if (net == kZero) net = next++;
      program_.driven.push_back(net);
    }
    for (uint32_t v = 0; v < p_.variables; ++v) program_.variables.push_back(next++);
    resident_.assign(p_.residents.empty() ? 0 : g_.cells.size(), LaneProgram::kNone);
    for (size_t i = 0; i < p_.residents.size(); ++i) {
      const ResidentSlot& r = p_.residents[i];
      if (!inside(r.x, r.y) || r.bit >= p_.variables) throw Error("lanes simulator", "a resident slot is not on the grid", "correct it");
      resident_[g_.index(r.x, r.y)] = static_cast<uint32_t>(i);
    }
    program_.nets = next;
  }

  /// What a side's input reads: a net once they are numbered, before that kZero or something else.
  uint32_t source(int x, int y, Side side) const {
    const int nx = x + dx(side), ny = y + dy(side);
    if (inside(nx, ny)) return program_.edges[edge(nx, ny, opposite(side))];
    return port_nets_[static_cast<size_t>(side)][static_cast<size_t>(side == Side::N || side == Side::S ? x : y)];
  }

  /// `by_position`: input k is called kPosition + k where it is not always 0.
  Function function(int x, int y, Side side, bool by_position = false) const {
    Function f;
    f.inputs = 4;
    for (uint32_t k = 0; k < 4; ++k) {
      f.net[k] = source(x, y, kSides[k]);
      if (by_position && f.net[k] != kZero) f.net[k] = kPosition + k;
    }
    const size_t cell = g_.index(x, y), s = static_cast<size_t>(side);
    f.table = cell_luts(g_.cells[cell])[s];
    if (!resident_.empty() && resident_[cell] != LaneProgram::kNone) {
      const ResidentSlot& r = p_.residents[resident_[cell]];
      f.inputs = 5;
      f.net[4] = program_.variables[r.bit];
      f.table = cell_luts(r.word0)[s] | static_cast<uint32_t>(cell_luts(r.word1)[s]) << 16;
    }
    return reduce(f);
  }

  struct Edge {
    int x = 0, y = 0;
    Side side = Side::N;
  };

  /// Outputs that stay 0 because the latches start at 0 and the function of inputs that stay 0 is 0.
  void find_zeros() {
    const bool any = p_.faults || p_.any_start;
    program_.edges.assign(4 * g_.cells.size(), any ? kUnseen : kZero);
    if (any) return;
    std::vector<Edge> work;
    const auto visit = [&](int x, int y) {
      for (const Side side : kSides) {
        uint32_t& e = program_.edges[edge(x, y, side)];
        if (e != kZero) continue;
        const Function f = function(x, y, side);
        if (f.inputs == 0 && f.table == 0) continue;
        e = kUnseen;
        work.push_back({x, y, side});
      }
    };
    for (int y = 0; y < g_.height; ++y) {
      for (int x = 0; x < g_.width; ++x) {
        if (word_or_resident(x, y)) visit(x, y);
      }
    }
    while (!work.empty()) {
      const Edge e = work.back();
      work.pop_back();
      const int nx = e.x + dx(e.side), ny = e.y + dy(e.side);
      if (inside(nx, ny) && word_or_resident(nx, ny)) visit(nx, ny);
    }
  }

  bool word_or_resident(int x, int y) const {
    const size_t cell = g_.index(x, y);
    return g_.cells[cell] != 0 || (!resident_.empty() && resident_[cell] != LaneProgram::kNone);
  }

  void find_observable() {
    std::vector<Edge> work;
    const auto see = [&](int x, int y, Side side) {
      uint32_t& e = program_.edges[edge(x, y, side)];
      if (e != kUnseen) return;
      e = kSeen;
      work.push_back({x, y, side});
    };
    for (const LanePort& port : p_.sampled) {
      check(port);
      const CellPosition cell = border_cell(port.side, port.position, g_.width, g_.height);
      see(cell.x, cell.y, port.side);
    }
    if (p_.all_cells) {
      for (int y = 0; y < g_.height; ++y) {
        for (int x = 0; x < g_.width; ++x) {
          for (const Side side : kSides) see(x, y, side);
        }
      }
    }
    while (!work.empty()) {
      const Edge e = work.back();
      work.pop_back();
      const Function f = function(e.x, e.y, e.side, true);
      const auto end = f.net.begin() + f.inputs;
      for (uint32_t k = 0; k < 4; ++k) {
        const int nx = e.x + dx(kSides[k]), ny = e.y + dy(kSides[k]);
        if (inside(nx, ny) && (p_.faults || std::find(f.net.begin(), end, kPosition + k) != end)) see(nx, ny, opposite(kSides[k]));
      }
    }
  }

  /// Colour by colour and row by row, so that operations read and write memory forwards.
  void number_nets() {
    program_.first_edge = program_.nets;
    for (const int colour : {0, 1}) {
      for (int y = 0; y < g_.height; ++y) {
        for (int x = (colour + y) & 1; x < g_.width; x += 2) {
          for (const Side side : kSides) {
            uint32_t& e = program_.edges[edge(x, y, side)];
            if (e == kSeen) e = program_.nets++;
          }
        }
      }
    }
    first_scratch_ = program_.nets;
    for (const LanePort& port : p_.sampled) {
      const CellPosition cell = border_cell(port.side, port.position, g_.width, g_.height);
      program_.sampled.push_back(program_.edges[edge(cell.x, cell.y, port.side)]);
    }
  }

  struct Operation {
    uint32_t level = 0;  // after all scratch words that it reads
    uint32_t op = 0;
    std::array<uint32_t, 6> words{};
  };

  void emit_colour(int colour) {
    for (int y = 0; y < g_.height; ++y) {
      for (int x = (colour + y) & 1; x < g_.width; x += 2) {
        for (const Side side : kSides) {
          const uint32_t net = program_.edges[edge(x, y, side)];
          if (net == LaneProgram::kNone || net == kZero) continue;
          emit(function(x, y, side), net);
        }
        shared_.clear();
        if (block_.size() >= kBlockOperations) flush(colour);
      }
    }
    flush(colour);
  }

  void flush(int colour) {
    std::stable_sort(block_.begin(), block_.end(),
                     [](const Operation& a, const Operation& b) { return std::pair(a.level, a.op) < std::pair(b.level, b.op); });
    for (size_t i = 0; i < block_.size();) {
      LaneProgram::Run run{block_[i].op, 0, program_.code.size()};
      for (const uint32_t level = block_[i].level; i < block_.size() && block_[i].op == run.op && block_[i].level == level; ++i) {
        program_.code.insert(program_.code.end(), block_[i].words.begin(), block_[i].words.begin() + lane_op::words(run.op));
        ++run.count;
      }
      program_.runs[colour].push_back(run);
    }
    program_.operations += block_.size();
    block_.clear();
    most_scratch_ = std::max(most_scratch_, static_cast<uint32_t>(scratch_level_.size()));
    scratch_level_.clear();
  }

  /// A word that holds the value of a function: a net, a constant, or a scratch word that is shared within the cell.
  uint32_t value(const Function& f) {
    if (f.inputs == 0) return f.table ? LaneProgram::kOnesNet : LaneProgram::kZeroNet;
    if (f.inputs == 1 && f.table == 2) return f.net[0];
    for (const auto& [function, word] : shared_) {
      if (function == f) return word;
    }
    const uint32_t word = first_scratch_ + static_cast<uint32_t>(scratch_level_.size());
    scratch_level_.push_back(0);
    const uint32_t level = emit(f, word);
    scratch_level_[word - first_scratch_] = level;
    shared_.emplace_back(f, word);
    return word;
  }

  uint32_t add(uint32_t op, std::array<uint32_t, 6> words) {
    Operation operation{0, op, words};
    for (uint32_t k = 1; k < lane_op::words(op); ++k) {
      if (words[k] >= first_scratch_) operation.level = std::max(operation.level, scratch_level_[words[k] - first_scratch_] + 1);
    }
    block_.push_back(operation);
    return operation.level;
  }

  /// Operands and table of a function of at most three inputs.
  static std::pair<uint8_t, std::array<uint32_t, 3>> three(const Function& f) {
    uint32_t table = f.table;
    std::array<uint32_t, 3> net{};
    for (uint32_t k = 0; k < f.inputs; ++k) net[k] = f.net[k];
    for (uint32_t k = f.inputs; k < 3; ++k) table |= table << (1u << k);  // an operand that does not matter
    const CanonicalTable c = canonical_table(static_cast<uint8_t>(table));
    return {c.table, {net[c.order[0]], net[c.order[1]], net[c.order[2]]}};
  }

  /// Operations that compute a function into a word; returns the level of the last.
  uint32_t emit(const Function& f, uint32_t out) {
    if (f.inputs == 0) return add(f.table ? lane_op::kOnes : lane_op::kZero, {out});
    if (f.inputs == 1) return add(f.table == 2 ? lane_op::kCopy : lane_op::kNot, {out, f.net[0]});
    if (f.inputs == 2) return add(lane_op::kTable2 + f.table, {out, f.net[0], f.net[1]});
    if (f.inputs == 3) {
      const auto [table, net] = three(f);
      return add(lane_op::kTable3 + table, {out, net[0], net[1], net[2]});
    }
    // Split on the input that leaves the simplest halves.
    uint32_t best = 0, best_cost = ~uint32_t{0};
    for (uint32_t k = 0; k < f.inputs; ++k) {
      const uint32_t cost = cost_of(reduce(cofactor(f, k, false)), false) + cost_of(reduce(cofactor(f, k, true)), true);
      if (cost < best_cost) best = k, best_cost = cost;
    }
    const Function low = reduce(cofactor(f, best, false)), high = reduce(cofactor(f, best, true));
    const uint32_t t = value(low);
    if (high.inputs <= 3) {
      const auto [table, net] = three(high);
      return add(lane_op::kMux3 + table, {out, net[0], net[1], net[2], f.net[best], t});
    }
    const auto [table, net] = three({0xCA, 3, {t, value(high), f.net[best]}});  // third operand ? second : first
    return add(lane_op::kTable3 + table, {out, net[0], net[1], net[2]});
  }

  /// Operations besides the one that joins both halves.
  static uint32_t cost_of(const Function& f, bool high) {
    if (f.inputs == 0 || (f.inputs == 1 && f.table == 2)) return 0;
    if (f.inputs <= 3) return high ? 0 : 1;
    return 2;
  }

  const GridConfig& g_;
  const LaneProgramParams& p_;
  LaneProgram program_;
  std::array<std::vector<uint32_t>, 4> port_nets_;
  std::vector<uint32_t> resident_;  // slot of each cell
  std::vector<Operation> block_;
  std::vector<uint32_t> scratch_level_;
  std::vector<std::pair<Function, uint32_t>> shared_;  // scratch words of the current cell
  uint32_t first_scratch_ = 0;
  uint32_t most_scratch_ = 0;
};

}  // namespace

LaneProgram compile_lanes(const GridConfig& grid, const LaneProgramParams& params) {
  return Compiler(grid, params).run();
}

}  // namespace bitgrid::sim
