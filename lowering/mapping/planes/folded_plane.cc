#include "lowering/mapping/planes/folded_plane.h"

#include <algorithm>
#include <array>
#include <random>

#include "ir/error.h"
#include "ir/index.h"
#include "lowering/mapping/settle.h"

namespace bitgrid::mapping {
namespace {

constexpr int kStarts = 24;

enum class Home : uint8_t { kWest, kEast, kDirect };

bool feeds(const synthesis::PairedCube& cube, const std::vector<Home>& homes, Home home) {
  for (uint32_t o = 0; o < cube.outputs.width; ++o)
    if (homes[o] == home && cube.outputs.get(o)) return true;
  return false;
}

/// The side of every output.
class Sides {
 public:
  Sides(const synthesis::PairedEsop& esop, std::mt19937_64& rng) : esop_(esop), rng_(rng), homes_(esop.outputs), cubes_of_(esop.outputs) {
    for (uint32_t c = 0; c < esop.cubes.size(); ++c)
      for (uint32_t o = 0; o < esop.outputs; ++o)
        if (esop.cubes[c].outputs.get(o)) cubes_of_[o].push_back(c);
    std::vector<uint32_t> users(esop.cubes.size());
    for (const auto& cubes : cubes_of_)
      for (const uint32_t c : cubes) ++users[c];
    for (uint32_t o = 0; o < esop.outputs; ++o)
      if (cubes_of_[o].size() == 1 && users[cubes_of_[o][0]] == 1)
        homes_[o] = Home::kDirect;
      else
        summed_.push_back(o);
    direct_ = esop.outputs - summed_.size();
  }

  std::vector<Home> search() {
    std::vector<Home> best = homes_;
    int64_t least = -1;
    for (int start = 0; start < (summed_.empty() ? 1 : kStarts); ++start) {
      for (const uint32_t o : summed_) homes_[o] = start == 0 || (rng_() & 1) ? Home::kEast : Home::kWest;
      count();
      const int64_t cells = descend();
      if (least >= 0 && cells >= least) continue;
      least = cells;
      best = homes_;
    }
    return best;
  }

 private:
  struct Users {  // of a cube, by side
    int west = 0, east = 0;
  };

  void count() {
    users_.assign(esop_.cubes.size(), {});
    both_ = only_west_ = only_east_ = west_ = 0;
    for (const uint32_t o : summed_) add(o, 1);
  }

  void tally(const Users& u, int by) {
    if (u.west && u.east)
      both_ += by;
    else if (u.west)
      only_west_ += by;
    else if (u.east)
      only_east_ += by;
  }

  void add(uint32_t o, int by) {
    const bool west = homes_[o] == Home::kWest;
    west_ += west ? by : 0;
    for (const uint32_t c : cubes_of_[o]) {
      tally(users_[c], -1);
      (west ? users_[c].west : users_[c].east) += by;
      tally(users_[c], 1);
    }
  }

  int64_t cells() const {
    const auto one_way = static_cast<int64_t>(direct_) + only_west_ + only_east_;
    const int64_t rows = both_ + std::max<int64_t>({(one_way + 1) / 2, only_west_, only_east_});
    return rows * ((esop_.inputs + 1) / 2 + (west_ + 1) / 2 + (std::ssize(summed_) - west_ + 1) / 2);
  }

  void flip(uint32_t o) {
    add(o, -1);
    homes_[o] = homes_[o] == Home::kWest ? Home::kEast : Home::kWest;
    add(o, 1);
  }

  /// Single outputs change sides, and pairs, as long as that helps.
  int64_t descend() {
    int64_t now = cells();
    const auto better = [&] { return cells() < now ? (now = cells(), true) : false; };
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t i = 0; i < summed_.size(); ++i) {
        flip(summed_[i]);
        bool kept = better();
        for (size_t j = i + 1; j < summed_.size() && !kept; ++j) {
          flip(summed_[j]);
          kept = better();
          if (!kept) flip(summed_[j]);
        }
        if (!kept) flip(summed_[i]);
        changed |= kept;
      }
    }
    return now;
  }

  const synthesis::PairedEsop& esop_;
  std::mt19937_64& rng_;
  std::vector<Home> homes_;
  std::vector<std::vector<uint32_t>> cubes_of_;
  std::vector<uint32_t> summed_;
  size_t direct_ = 0;
  std::vector<Users> users_;
  int64_t both_ = 0, only_west_ = 0, only_east_ = 0, west_ = 0;
};

/// Two sums a column: the first runs south, the second north.
BitSlot sum_place(const FoldedPlanePlan& plan, bool east, size_t k) {
  const int first = east ? plan.west_columns() + plan.input_columns : 0;
  return {k % 2 == 0 ? Side::S : Side::N, first + int_of(k / 2), 0};
}

class Writer {
 public:
  Writer(const synthesis::PairedEsop& esop, const FoldedPlanePlan& plan) : esop_(esop), plan_(plan), grid_(plan.width(), plan.height()) {
    luts_.resize(grid_.cells.size());
  }

  GridConfig run() {
    const int first_east = plan_.west_columns();  // input column of products that run east, and west
    const int first_west = first_east + (plan_.inside ? plan_.input_columns + plan_.east_columns() : 0);
    for (int y = 0; y < plan_.height(); ++y) {
      const FoldedPlanePlan::Row& row = plan_.rows[index_of(y)];
      for (const int first : {first_east, first_west})
        for (int c = 0; c < plan_.input_columns; ++c) input_cell(first + c, c, y);
      if (row.east >= 0) product(cube(row.east), first_east, y, Side::E);
      if (row.west >= 0) product(cube(row.west), first_west, y, Side::W);
    }
    for (size_t k = 0; k < plan_.west.size(); ++k) sum(plan_.west[k], sum_place(plan_, false, k), false);
    for (size_t k = 0; k < plan_.east.size(); ++k) sum(plan_.east[k], sum_place(plan_, true, k), true);
    for (size_t i = 0; i < luts_.size(); ++i) grid_.cells[i] = cell_word(luts_[i]);
    return std::move(grid_);
  }

 private:
  const synthesis::PairedCube& cube(int c) const { return esop_.cubes[index_of(c)]; }
  Lut& at(int x, int y, Side side) { return luts_[grid_.index(x, y)][index_of(side)]; }

  void input_cell(int x, int column, int y) {
    if (y + 1 < plan_.height()) at(x, y, Side::S) = kFromN;
    if (y > 0 && 2 * column + 1 < int_of(esop_.inputs)) at(x, y, Side::N) = kFromS;
  }

  /// 1 where the column's inputs, which come from N and S, have a value of the cube.
  static Lut literals(uint32_t values) {
    Lut table = 0;
    for (unsigned v = 0; v < 4; ++v) {
      const auto n = static_cast<Lut>(v & 1 ? kFromN : ~kFromN), s = static_cast<Lut>(v & 2 ? kFromS : ~kFromS);
      if ((values >> v) & 1) table = static_cast<Lut>(table | (n & s));
    }
    return table;
  }

  /// From the inputs to the border, or to the last sum that needs it.
  void product(const synthesis::PairedCube& cube, int first, int y, Side to) {
    const bool east = to == Side::E;
    const int step = east ? 1 : -1, n = plan_.input_columns;
    const Lut so_far = kCopy[index_of(opposite(to))];
    int x = east ? first : first + n - 1;
    for (int k = 0; k < n; ++k, x += step)
      at(x, y, to) = static_cast<Lut>((k == 0 ? Lut{0xFFFF} : so_far) & literals(cube.values(id_of(east ? k : n - 1 - k))));
    const uint32_t direct = direct_output(cube);
    const int border = east ? grid_.width : -1;
    int last = direct < esop_.outputs ? border : x;  // it is needed before that
    for (const bool side : {false, true}) {
      const std::vector<uint32_t>& sums = side ? plan_.east : plan_.west;
      for (size_t k = 0; k < sums.size(); ++k)
        if (cube.outputs.get(sums[k])) {
          const int place = sum_place(plan_, side, k).position;
          if (east ? place > last : place < last) last = place;
        }
    }
    for (; x != last && (east ? x < last : x > last); x += step) at(x, y, to) = so_far;
    if (direct < esop_.outputs && esop_.complement.get(direct)) {
      Lut& end = at(border - step, y, to);
      end = static_cast<Lut>(~end);
    }
  }

  uint32_t direct_output(const synthesis::PairedCube& cube) const {
    for (const uint32_t o : plan_.direct)
      if (cube.outputs.get(o)) return o;
    return esop_.outputs;
  }

  void sum(uint32_t output, const BitSlot& place, bool from_west) {
    const bool south = place.side == Side::S;
    for (int j = 0; j < plan_.height(); ++j) {
      const int y = south ? j : plan_.height() - 1 - j;
      const FoldedPlanePlan::Row& row = plan_.rows[index_of(y)];
      Lut sum = j > 0 ? (south ? kFromN : kFromS) : esop_.complement.get(output) ? Lut{0xFFFF} : Lut{0};
      if (row.east >= 0 && (from_west || plan_.inside) && cube(row.east).outputs.get(output)) sum ^= kFromW;
      if (row.west >= 0 && (!from_west || plan_.inside) && cube(row.west).outputs.get(output)) sum ^= kFromE;
      at(place.position, y, place.side) = sum;
    }
  }

  const synthesis::PairedEsop& esop_;
  const FoldedPlanePlan& plan_;
  GridConfig grid_;
  std::vector<std::array<Lut, 4>> luts_;
};

/// Cubes in rows: those that run both ways, then the others in twos.
void lay_rows(const synthesis::PairedEsop& esop, const std::vector<Home>& homes, FoldedPlanePlan& plan) {
  std::vector<int> west, east, either;
  for (size_t c = 0; c < esop.cubes.size(); ++c) {
    const bool to_west = feeds(esop.cubes[c], homes, Home::kWest), to_east = feeds(esop.cubes[c], homes, Home::kEast);
    const int cube = int_of(c);
    if (to_west && to_east && !plan.inside)
      plan.rows.push_back({cube, cube});
    else
      (plan.inside || to_west == to_east ? either : to_west ? west : east).push_back(cube);
  }
  for (const int c : either) (west.size() <= east.size() ? west : east).push_back(c);
  for (size_t r = 0; r < std::max(west.size(), east.size()); ++r)
    plan.rows.push_back({r < west.size() ? west[r] : -1, r < east.size() ? east[r] : -1});
  if (plan.rows.empty()) plan.rows.emplace_back();
}

FoldedPlanePlan plan_with(const synthesis::PairedEsop& esop, const std::vector<Home>& homes, bool inside) {
  FoldedPlanePlan plan;
  plan.inside = inside;
  plan.input_columns = int_of(esop.pairs());
  for (uint32_t o = 0; o < esop.outputs; ++o)
    (homes[o] == Home::kDirect ? plan.direct : inside || homes[o] == Home::kEast ? plan.east : plan.west).push_back(o);
  lay_rows(esop, homes, plan);
  return plan;
}

}  // namespace

FoldedPlanePlan plan_folded_plane(const synthesis::PairedEsop& esop, uint64_t seed) {
  std::mt19937_64 rng(seed);
  const std::vector<Home> homes = Sides(esop, rng).search();
  FoldedPlanePlan outside = plan_with(esop, homes, false), inside = plan_with(esop, homes, true);
  return inside.cells() < outside.cells() ? inside : outside;
}

MappedKernel folded_plane_kernel(const std::string& name, const synthesis::PairedEsop& esop, const FoldedPlanePlan& plan) {
  if (esop.inputs == 0) throw Error("kernel " + name, "a plane without inputs has no products", "map it as a netlist");
  MappedKernel kernel;
  kernel.name = name;
  kernel.strategy = "folded-plane";
  kernel.input_bits = esop.inputs;
  kernel.output_bits = esop.outputs;
  kernel.grid = Writer(esop, plan).run();
  const int blocks = plan.inside ? 2 : 1, from_block_to_block = plan.input_columns + plan.east_columns();
  for (int block = 0; block < blocks; ++block)
    for (uint32_t k = 0; k < esop.inputs; ++k) {
      const int x = plan.west_columns() + block * from_block_to_block + int_of(k / 2);
      kernel.inputs.push_back({esop.order[k], {k % 2 == 0 ? Side::N : Side::S, x, 0}, 1});
    }
  kernel.outputs.resize(esop.outputs);
  for (size_t k = 0; k < plan.west.size(); ++k) kernel.outputs[plan.west[k]] = sum_place(plan, false, k);
  for (size_t k = 0; k < plan.east.size(); ++k) kernel.outputs[plan.east[k]] = sum_place(plan, true, k);
  for (size_t y = 0; y < plan.rows.size(); ++y)
    for (const auto& [cube, side] : {std::pair{plan.rows[y].west, Side::W}, std::pair{plan.rows[y].east, Side::E}})
      for (const uint32_t o : plan.direct)
        if (cube >= 0 && esop.cubes[index_of(cube)].outputs.get(o)) kernel.outputs[o] = {side, int_of(y), 0};
  settle(kernel);
  return kernel;
}

}  // namespace bitgrid::mapping
