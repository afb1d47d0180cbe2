#include "bitgrid_sim/lane_program.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bitgrid_sim/lane_tables.h"
#include "bitgrid_sim/scalar.h"
#include "ir/error.h"

namespace bitgrid::sim {
namespace {

/// Operations are sorted by kind within runs of this length, which keeps what they read and write in the cache.
constexpr size_t kBlockOperations = 4096;
/// A wire of fewer cells costs less cell by cell.
constexpr size_t kLeastWire = 6;

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
    if (p_.delay_lines && !p_.all_cells && !p_.faults) find_wires();
    number_nets();
    for (const int colour : {0, 1}) emit_colour(colour);
    program_.words = first_scratch_ + most_scratch_;
    place_delay_lines();
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
    flips_first_.assign(p_.residents.empty() ? 0 : g_.cells.size() + 1, 0);
    for (const ResidentSlot& r : p_.residents) {
      if (!inside(r.x, r.y) || r.bit >= p_.variables) throw Error("lanes simulator", "a resident slot is not on the grid", "correct it");
      ++flips_first_[g_.index(r.x, r.y) + 1];
    }
    for (size_t cell = 1; cell < flips_first_.size(); ++cell) flips_first_[cell] += flips_first_[cell - 1];
    flips_.resize(p_.residents.size());
    std::vector<uint32_t> at = flips_first_;
    for (const ResidentSlot& r : p_.residents) flips_[at[g_.index(r.x, r.y)]++] = {program_.variables[r.bit], r.word0, r.flip()};
    program_.nets = next;
  }

  /// What a side's input reads: a net once they are numbered, before that kZero or something else.
  uint32_t source(int x, int y, Side side) const {
    const int nx = x + dx(side), ny = y + dy(side);
    if (inside(nx, ny)) return program_.edges[edge(nx, ny, opposite(side))];
    return port_nets_[static_cast<size_t>(side)][static_cast<size_t>(side == Side::N || side == Side::S ? x : y)];
  }

  /// `by_position`: input k is called kPosition + k where it is not always 0.
  Lookup lookup(int x, int y, Side side, bool by_position = false) const {
    Lookup f;
    f.inputs = 4;
    for (uint32_t k = 0; k < 4; ++k) {
      f.net[k] = source(x, y, kSides[k]);
      if (by_position && f.net[k] != kZero) f.net[k] = kPosition + k;
    }
    const size_t cell = g_.index(x, y), s = static_cast<size_t>(side);
    const bool resident = holds_residents(cell);
    const Lut table = cell_lut(resident ? flips_[flips_first_[cell]].word : g_.cells[cell], s);
    for (uint32_t i = 0; i < 16; ++i) f.entry[i] = (table >> i) & 1u;
    for (uint32_t r = resident ? flips_first_[cell] : 0; resident && r < flips_first_[cell + 1]; ++r) {
      const Lut flip = cell_lut(flips_[r].flip, s);
      for (uint32_t i = 0; i < 16; ++i)
        if ((flip >> i) & 1u) f.entry[i] = Lookup::variable(flips_[r].variable, f.entry[i] == Lookup::kOne);
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
        const Lookup f = lookup(x, y, side);
        if (f.inputs == 0 && f.constant(Lookup::kZero)) continue;
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
    return g_.cells[cell] != 0 || holds_residents(cell);
  }
  bool holds_residents(size_t cell) const { return !flips_first_.empty() && flips_first_[cell] != flips_first_[cell + 1]; }

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
      const Lookup f = lookup(e.x, e.y, e.side, true);
      const auto end = f.net.begin() + f.inputs;
      for (uint32_t k = 0; k < 4; ++k) {
        const int nx = e.x + dx(kSides[k]), ny = e.y + dy(kSides[k]);
        if (inside(nx, ny) && (p_.faults || std::find(f.net.begin(), end, kPosition + k) != end)) see(nx, ny, opposite(kSides[k]));
      }
    }
  }

  struct Wire {
    std::vector<size_t> edges;  // from the first to the last
  };

  /// Chains of cells that only hand a bit on to each other, each read by the next alone.
  void find_wires() {
    constexpr uint32_t kNobody = LaneProgram::kNone;
    std::vector<uint32_t> reader(program_.edges.size(), kNobody);  // of each edge
    std::vector<uint8_t> readers(program_.edges.size()), wire(program_.edges.size());
    const auto read = [&](size_t e, size_t by) {
      readers[e] = static_cast<uint8_t>(std::min(2, readers[e] + 1));
      reader[e] = static_cast<uint32_t>(by);
    };
    for (const LanePort& port : p_.sampled) {
      const CellPosition cell = border_cell(port.side, port.position, g_.width, g_.height);
      readers[edge(cell.x, cell.y, port.side)] = 2;
    }
    std::vector<size_t> sources(program_.edges.size(), program_.edges.size());  // of wires
    for_each_seen([&](int x, int y, Side side) {
      const Lookup f = lookup(x, y, side, true);
      const size_t e = edge(x, y, side);
      const bool copies = f.inputs == 1 && f.entry[0] == Lookup::kZero && f.entry[1] == Lookup::kOne;
      for (uint32_t k = 0; k < f.inputs; ++k) {
        const Side from = kSides[f.net[k] - kPosition];
        const int nx = x + dx(from), ny = y + dy(from);
        if (!inside(nx, ny)) continue;
        read(edge(nx, ny, opposite(from)), e);
        if (copies) wire[e] = 1, sources[e] = edge(nx, ny, opposite(from));
      }
    });
    const auto next = [&](size_t e) { return wire[e] && readers[e] == 1 && wire[reader[e]] ? reader[e] : kNobody; };
    for_each_seen([&](int x, int y, Side side) {
      const size_t first = edge(x, y, side);
      if (!wire[first] || (wire[sources[first]] && next(sources[first]) == first)) return;
      Wire chain;
      for (uint32_t e = static_cast<uint32_t>(first); e != kNobody; e = next(e)) chain.edges.push_back(e);
      if (chain.edges.size() < kLeastWire) return;
      for (size_t i = 1; i + 1 < chain.edges.size(); ++i) program_.edges[chain.edges[i]] = kUnseen;
      wires_.push_back(std::move(chain));
    });
    for (const Wire& chain : wires_) ends_.push_back(chain.edges.back());
    std::sort(ends_.begin(), ends_.end());
  }

  template <typename Visit>
  void for_each_seen(const Visit& visit) const {
    for (int y = 0; y < g_.height; ++y) {
      for (int x = 0; x < g_.width; ++x) {
        for (const Side side : kSides)
          if (program_.edges[edge(x, y, side)] == kSeen) visit(x, y, side);
      }
    }
  }

  int colour_of(size_t e) const {
    const auto cell = static_cast<int>(e / 4);
    return (cell % g_.width + cell / g_.width) & 1;
  }

  /// A bit that enters in a phase leaves m phases later: m / 2 entries ago where both latch in the same phases, else (m + 1) / 2.
  void place_delay_lines() {
    for (const Wire& chain : wires_) {
      const auto m = static_cast<uint32_t>(chain.edges.size() - 2);
      const DelayLine line{program_.edges[chain.edges.front()], program_.edges[chain.edges.back()], program_.words, (m + 1) / 2};
      const auto index = static_cast<uint32_t>(program_.lines.size());
      program_.entering[colour_of(chain.edges[1])].push_back(index);
      program_.leaving[colour_of(chain.edges.back())].push_back(index);
      program_.words += line.depth;
      program_.lines.push_back(line);
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
          if (std::binary_search(ends_.begin(), ends_.end(), edge(x, y, side))) continue;
          emit(lookup(x, y, side), net);
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

  /// Operations that compute a cell's output into a word; returns the level of the last.
  uint32_t emit(const Lookup& f, uint32_t out) {
    if (const std::optional<Function> g = function_of(f)) return emit(*g, out);
    // Split on the input whose halves read the fewest nets.
    uint32_t best = 0, best_cost = ~uint32_t{0};
    for (uint32_t k = 0; k < f.inputs; ++k) {
      const uint32_t cost = nets_read(reduce(cofactor(f, k, false))) + nets_read(reduce(cofactor(f, k, true)));
      if (cost < best_cost) best = k, best_cost = cost;
    }
    const uint32_t low = value(reduce(cofactor(f, best, false))), high = value(reduce(cofactor(f, best, true)));
    return emit(reduce(Function{0xCA, 3, {low, high, f.net[best]}}), out);  // third operand ? second : first
  }

  uint32_t value(const Lookup& f) {
    if (const std::optional<Function> g = function_of(f)) return value(*g);
    const uint32_t word = first_scratch_ + static_cast<uint32_t>(scratch_level_.size());
    scratch_level_.push_back(0);
    const uint32_t level = emit(f, word);
    scratch_level_[word - first_scratch_] = level;
    return word;
  }

  static uint32_t nets_read(const Lookup& f) {
    std::array<uint32_t, 16> variables{};
    const auto end =
        std::copy_if(f.entry.begin(), f.entry.begin() + f.entries(), variables.begin(), [](uint32_t e) { return e > Lookup::kOne; });
    std::sort(variables.begin(), end);
    return f.inputs + static_cast<uint32_t>(std::unique(variables.begin(), end) - variables.begin());
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
  struct Flip {
    uint32_t variable;
    CellWord word, flip;
  };
  std::vector<Wire> wires_;
  std::vector<size_t> ends_;           // last edges of wires, ascending
  std::vector<Flip> flips_;            // of resident bits, cell by cell
  std::vector<uint32_t> flips_first_;  // of each cell; empty: there are none
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
