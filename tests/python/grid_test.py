"""bitgrid.Grid: cells, runs against a model in Python, files, messages."""

import os
import tempfile
import unittest

import numpy as np

import bitgrid

SIDES = "nesw"
STEP = {"n": (0, -1), "e": (1, 0), "s": (0, 1), "w": (-1, 0)}
OPPOSITE = {"n": "s", "e": "w", "s": "n", "w": "e"}


def model(grid, stimulus, phases):
    """The fabric in Python: in phase p the cells with (x + y) % 2 == p % 2 latch. Outputs of the four borders, phase by phase."""
    width, height = grid.width, grid.height
    latched = np.zeros((height, width, 4), dtype=int)
    out = {side: [] for side in SIDES}
    for phase in range(phases):
        before = latched.copy()
        for y in range(height):
            for x in range(width):
                if (x + y) % 2 != phase % 2:
                    continue
                index = 0
                for i, side in enumerate(SIDES):
                    u, v = x + STEP[side][0], y + STEP[side][1]
                    if 0 <= u < width and 0 <= v < height:
                        bit = before[v, u, SIDES.index(OPPOSITE[side])]
                    else:
                        bit = stimulus[side][phase, x if side in "ns" else y]
                    index |= int(bit) << i
                for i, table in enumerate(grid[x, y].tables):
                    latched[y, x, i] = table >> index & 1
        for i, side in enumerate(SIDES):
            line = {"n": latched[0], "s": latched[-1], "w": latched[:, 0], "e": latched[:, -1]}[side]
            out[side].append(line[:, i].copy())
    return {side: np.array(lines) for side, lines in out.items()}, latched


def random_case(width, height, phases, seed):
    random = np.random.default_rng(seed)
    grid = bitgrid.Grid(width, height)
    grid.words = random.integers(0, 2**64, (height, width), dtype=np.uint64)
    stimulus = {s: random.integers(0, 2, (phases, width if s in "ns" else height)) for s in SIDES}
    return grid, stimulus


class Runs(unittest.TestCase):
    def expect_model(self, engine):
        grid, stimulus = random_case(7, 5, 40, seed=5)
        run = grid.run(stimulus, engine=engine)
        expected, latched = model(grid, stimulus, 40)
        same = [(run[side] == expected[side]).all() for side in SIDES] + [(run.latches == latched).all()]
        self.assertEqual(same, [True] * 5)

    def test_random_cells_equal_a_model_in_python(self):
        self.expect_model("sliced")

    def test_so_does_the_definition(self):
        self.expect_model("scalar")

    def test_a_run_is_taken_up(self):
        grid, stimulus = random_case(6, 6, 30, seed=8)
        first = grid.run({s: bits[:10] for s, bits in stimulus.items()})
        second = grid.run({s: bits[10:] for s, bits in stimulus.items()}, start=first)
        self.assertTrue((np.concatenate([first.e, second.e]) == grid.run(stimulus).e).all())

    def test_a_wire_delays_by_a_phase_a_cell(self):
        grid = bitgrid.Grid(4, 1)
        for x in range(4):
            grid[x, 0] = bitgrid.luts(e="w")
        self.assertEqual(grid.run({"w0": [1, 1, 0, 0]}, phases=8)["e0"].tolist(), [0, 0, 0, 1, 1, 0, 0, 0])

    def test_a_function_is_told_lines(self):
        lines = []
        bitgrid.Grid(2, 2).run(phases=100, progress=lines.append)
        self.assertEqual(lines, ["phase 0 of 100", "phase 64 of 100"])


class Cells(unittest.TestCase):
    def test_expressions_are_tables(self):
        self.assertEqual(bitgrid.luts(n="w & e", s="n ^ w").tables,
                         (0xFF00 & 0xCCCC, 0, 0xAAAA ^ 0xFF00, 0))

    def test_a_cell_prints_as_what_makes_it(self):
        cell = bitgrid.luts(n="~(w | e) & s", s=0x1234)
        self.assertEqual(eval("bitgrid." + repr(cell)), cell)

    def test_a_cell_is_kept(self):
        grid = bitgrid.Grid(16, 16)
        grid[3, 4] = bitgrid.luts(n="w & e", s="n ^ w")
        self.assertEqual((grid[3, 4], grid.cells_used), (bitgrid.luts(n="e & w", s="w ^ n"), 1))


class Files(unittest.TestCase):
    def expect_kept(self, name):
        grid, _ = random_case(9, 4, 1, seed=3)
        with tempfile.TemporaryDirectory() as folder:
            grid.save(os.path.join(folder, name))
            self.assertEqual(bitgrid.Grid.load(os.path.join(folder, name)), grid)

    def test_json_is_read_again(self):
        self.expect_kept("grid.json")

    def test_a_bitstream_is_read_again(self):
        self.expect_kept("grid.bgbs")


class Messages(unittest.TestCase):
    def message(self, call):
        with self.assertRaises(bitgrid.Error) as caught:
            call()
        return str(caught.exception)

    def test_an_unknown_input_of_a_cell(self):
        self.assertIn('output n: column 5 of "w & q" has \'q\' in place of an input', self.message(lambda: bitgrid.luts(n="w & q")))

    def test_a_table_that_is_too_large(self):
        self.assertIn("output e: 65536 is not a table", self.message(lambda: bitgrid.luts(e=65536)))

    def test_a_port_that_is_not_there(self):
        self.assertEqual(self.message(lambda: bitgrid.Grid(3, 2).run({"e2": [1]})),
                         "port e2: the grid has e0 .. e1 on that side; choose one of them")

    def test_a_stimulus_of_another_shape(self):
        self.assertIn("give bits [phases, 2]", self.message(lambda: bitgrid.Grid(3, 2).run({"e": [1, 0]})))

    def test_what_is_no_bit(self):
        self.assertEqual(self.message(lambda: bitgrid.Grid(3, 2).run({"e0": [2]})), "port e0: 2 is not a bit; give 0 and 1")

    def test_fewer_phases_than_the_stimulus_has(self):
        self.assertIn("the stimulus has 3 phases, and 2 are to run", self.message(lambda: bitgrid.Grid(3, 2).run({"e0": [1, 0, 1]}, 2)))

    def test_a_cell_outside(self):
        with self.assertRaises(IndexError):
            bitgrid.Grid(3, 2)[3, 0]

    def test_a_grid_without_cells(self):
        self.assertIn("0 x 1 cells are not a grid", self.message(lambda: bitgrid.Grid(0, 1)))


if __name__ == "__main__":
    unittest.main()
