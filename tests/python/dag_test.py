"""bitgrid.Dag: built, evaluated, compiled, checked; numpy in and out."""

import subprocess
import sys
import unittest

import numpy as np

import bitgrid


def neuron():
    d = bitgrid.Dag("neuron")
    a, b = d.input("a", 8), d.input("b", 8)
    d.output("agree", d.popcount(d.xnor(a, b)))
    d.output("sum", a + b)
    return d


A = np.arange(256)
B = (A * 37 + 11) % 256
AGREE = np.array([8 - bin(a ^ b).count("1") for a, b in zip(A.tolist(), B.tolist())])


class Evaluation(unittest.TestCase):
    def test_equals_python(self):
        out = neuron().run(a=A, b=B)
        self.assertEqual((out["agree"].tolist(), out["sum"].tolist()), (AGREE.tolist(), (A + B).tolist()))

    def test_takes_a_dict_and_a_number_for_all_invocations(self):
        self.assertEqual(neuron().run({"a": A, "b": 3})["sum"].tolist(), (A + 3).tolist())

    def test_takes_bits(self):
        bits = (A[:, None] >> np.arange(8)) & 1
        self.assertEqual(neuron().run(a=bits, b=B)["sum"].tolist(), (A + B).tolist())

    def test_wide_values_are_bits(self):
        d = bitgrid.Dag("wide")
        d.output("b", ~d.input("a", 100))
        out = d.run(a=np.eye(100, dtype=bool))["b"]
        self.assertTrue((out == 1 - np.eye(100, dtype=int)).all())

    def test_64_bits_are_whole(self):
        d = bitgrid.Dag("whole")
        d.output("b", d.input("a", 64) ^ 1)
        self.assertEqual(d.run(a=np.array([2**64 - 1], dtype=np.uint64))["b"][0], 2**64 - 2)

    def test_every_operation(self):
        d = bitgrid.Dag("operations")
        a, b = d.input("a", 8), d.input("b", 8)
        values = {
            "and": (a & b, A & B), "or": (a | b, A | B), "xor": (a ^ b, A ^ B), "not": (~a, 255 - A),
            "difference": (a - b, (A - B) % 256), "smaller": (a < b, A < B), "larger": (a > b, A > B),
            "bit": (a[2], A >> 2 & 1), "last": (a[-1], A >> 7), "slice": (a[4:7], A >> 4 & 7), "plus": (1 + a, A + 1),
            "joined": (d.concat(a[0:2], b[0:3]), (A & 3) << 3 | B & 7),
            "chosen": (d.select(a[0], a, b), np.where(A & 1, A, B)),
            "table": (d.lut(a[0:2], [5, 6, 7, 0], 3), np.array([5, 6, 7, 0])[A & 3]),
            "constant": (d.constant(2**70)[70] & a, A & 1),
        }
        for name, (signal, _) in values.items():
            d.output(name, signal)
        out = d.run(a=A, b=B)
        wrong = [name for name, (_, expected) in values.items() if out[name].tolist() != expected.astype(int).tolist()]
        self.assertEqual(wrong, [])

    def test_the_text_gives_the_dag_again(self):
        self.assertEqual(bitgrid.Dag.parse(neuron().text).run(a=A, b=B)["agree"].tolist(), AGREE.tolist())


class OnTheGrid(unittest.TestCase):
    compiled = neuron().compile(mode="wave")

    def test_the_grid_equals_python(self):
        out = self.compiled.run(a=A, b=B)
        self.assertEqual((out["agree"].tolist(), out["sum"].tolist()), (AGREE.tolist(), (A + B).tolist()))

    def test_engines_agree(self):
        self.assertEqual(self.compiled.check(a=A, b=B, engines=["dag", "grid"]).mismatches, 0)

    def test_a_corrupted_expectation_is_found(self):
        wrong = A + B
        wrong[17] ^= 4
        first = self.compiled.check(a=A, b=B, engines=["grid"], expected={"sum": wrong}).first
        self.assertEqual((first.engine, first.name, first.sample, first.index), ("grid", "sum", 17, 2))

    def test_wave_mode_takes_an_invocation_each_cycle(self):
        self.assertEqual(self.compiled.kernels[0].ii, 1)

    def test_the_floorplan_is_svg(self):
        self.assertTrue(self.compiled.kernels[0].floorplan()._repr_svg_().startswith("<svg"))

    def test_the_report_is_a_page(self):
        self.assertIn("neuron", self.compiled.report()._repr_html_())

    def test_resident_inputs_run(self):
        d = bitgrid.Dag("resident")
        d.output("s", d.popcount(d.input("a", 4) & d.input("w", 4, resident=True)))
        x, w = np.array([15, 7, 3, 9]), np.array([3, 3, 15, 8])
        self.assertEqual(d.compile().run(a=x, w=w)["s"].tolist(), [bin(v).count("1") for v in x & w])

    def test_equal_seeds_give_equal_configurations(self):
        cells = [neuron().compile(mode="settle", seed=3).kernels[0].grid().words.tolist() for _ in range(2)]
        self.assertEqual(cells[0], cells[1])


class Messages(unittest.TestCase):
    def message(self, call):
        with self.assertRaises(bitgrid.Error) as caught:
            call()
        return str(caught.exception)

    def test_a_missing_input(self):
        self.assertEqual(self.message(lambda: neuron().run(a=A)), "input b: it is missing; give all of a, b")

    def test_an_unknown_input(self):
        self.assertEqual(self.message(lambda: neuron().run(a=A, b=B, c=1)), "input c: neuron has no such input; its names are a, b")

    def test_a_value_that_does_not_fit(self):
        self.assertEqual(self.message(lambda: neuron().run(a=A, b=300)), "input b: 300 does not fit; the port has 8 bits: 0 .. 255")

    def test_a_negative_value(self):
        self.assertIn("-1 does not fit", self.message(lambda: neuron().run(a=A, b=-1)))

    def test_fractions(self):
        self.assertIn("these are not whole numbers", self.message(lambda: neuron().run(a=A, b=0.5)))

    def test_arrays_of_different_lengths(self):
        self.assertEqual(self.message(lambda: neuron().run(a=A, b=B[:3])),
                         "input b: it has 3 invocations, and a has 256; give arrays of equal length")

    def test_an_unknown_mode(self):
        self.assertEqual(self.message(lambda: neuron().compile(mode="fast")), "--mode: 'fast' is not a mode; choose auto, wave or settle")

    def test_an_engine_that_runs_no_kernels(self):
        self.assertIn("engine cpu does not run kernels", self.message(lambda: OnTheGrid.compiled.run(a=1, b=2, engine="cpu")))

    def test_a_tile_that_is_too_small(self):
        self.assertIn("do not fit a tile of 3 x 3", self.message(lambda: neuron().compile(tile=(3, 3))))

    def test_a_signal_of_another_dag(self):
        d = neuron()
        self.assertIn("another Dag", self.message(lambda: d.output("s", bitgrid.Dag("other").input("a", 1))))

    def test_a_name_twice_leaves_the_dag_as_it_was(self):
        d = neuron()
        self.assertIn("there is a signal of that name", self.message(lambda: d.input("a", 8)))
        self.assertEqual(d.inputs, {"a": 8, "b": 8})


class Progress(unittest.TestCase):
    def test_a_function_is_told_lines(self):
        lines = []
        neuron().compile(progress=lines.append)
        self.assertEqual(lines, ["mapping kernel 1 of 1, neuron", "verifying kernel 1 of 1, neuron"])

    def test_what_it_raises_comes_back(self):
        def stop(line):
            raise KeyError(line)

        with self.assertRaises(KeyError):
            neuron().compile(progress=stop)


# A netlist whose dense placement takes minutes. The signal comes once the mapping has begun.
INTERRUPTED = """
import os, signal, threading
import bitgrid
d = bitgrid.Dag("product")
a, b = d.input("a", 24), d.input("b", 24)
total = d.constant(0, 1)
for i in range(24):
    total = d.add(total, d.concat(d.select(b[i], a, d.constant(0, 24)), d.constant(0, i + 1)), 50) ^ d.lut(a[0:8], [(7 * v) % 256 for v in range(256)], 8)
d.output("p", total)
timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
try:
    d.compile(mode="settle", effort="dense", progress=lambda line: timer.is_alive() or timer.start())
    print("finished")
except KeyboardInterrupt:
    print("stopped")
"""


class Interrupts(unittest.TestCase):
    def test_ctrl_c_stops_the_placement_of_a_netlist(self):
        done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, "stopped\n", done.stderr)


if __name__ == "__main__":
    unittest.main()
