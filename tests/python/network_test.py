"""bitgrid.Network: a network that the test makes, and public ones where ../shared is present."""

import base64
import json
import os
import sys
import tempfile
import unittest

import numpy as np

import bitgrid

sys.path.insert(0, os.path.join(os.environ["BITGRID_SOURCE_DIR"], "examples", "notebooks"))
import qonnx_file  # noqa: E402

QONNX = os.path.join(os.environ["BITGRID_SHARED_CASES"], "qonnx")


def made():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "small.onnx")
        signs = qonnx_file.write_dense(path, [12, 8, 6, 4], seed=3)
        return bitgrid.load(path), signs


NETWORK, SIGNS = made()
X = np.random.default_rng(4).normal(size=(20, 12))


def message(test, call):
    with test.assertRaises(bitgrid.Error) as caught:
        call()
    return str(caught.exception)


class Runs(unittest.TestCase):
    def test_sums_are_those_of_numpy(self):
        values = NETWORK.trace(X)
        codes = np.clip(np.round(X / 0.75), -1, 1).astype(int)
        self.assertEqual((values["layers.0.sums"] == codes @ SIGNS[0]).all(), True)

    def test_scores_are_those_of_numpy(self):
        self.assertTrue((NETWORK.run(X) == NETWORK.trace(X)["layers.1"] @ SIGNS[2]).all())

    def test_the_grid_equals_the_definition(self):
        self.assertTrue((NETWORK.run(X, engine="grid") == NETWORK.run(X)).all())

    def test_a_compiled_network_equals_the_definition(self):
        self.assertTrue((NETWORK.compile(optimize="density").run(X) == NETWORK.run(X)).all())

    def test_layers_that_are_cut_equal_the_definition(self):
        compiled = NETWORK.compile(tile=(60, 60))
        self.assertTrue((compiled.run(X) == NETWORK.run(X)).all())

    def test_one_sample_needs_no_batch(self):
        self.assertEqual(NETWORK.run(X[0]).tolist(), NETWORK.run(X)[:1].tolist())

    def test_answers_are_the_largest_scores(self):
        scores = NETWORK.run(X)
        self.assertEqual(NETWORK.answers(scores).tolist(), scores.argmax(axis=1).tolist())

    def test_floats_of_every_type_are_taken(self):
        self.assertTrue((NETWORK.run(X.astype(np.float32)) == NETWORK.run(X.astype(np.float32).astype(float))).all())


class Checks(unittest.TestCase):
    def test_engines_agree(self):
        result = NETWORK.check(X, engines=["cpu", "dag", "grid"])
        self.assertEqual((result.mismatches, result.first), (0, None))

    def test_samples_are_made_without_x(self):
        self.assertGreater(NETWORK.check(engines=["dag"], samples=5).compared, 0)

    def test_a_compiled_network_is_checked_on_its_kernels(self):
        self.assertEqual(NETWORK.compile().check(X, engines=["grid"]).mismatches, 0)


class Against(unittest.TestCase):
    def test_exact_values_have_no_difference(self):
        values = NETWORK.trace(X)
        result = NETWORK.against(X, values)
        self.assertEqual((result.mismatches, result.first, result.compared), (0, None, sum(v.size for v in values.values())))

    def test_a_corrupted_score_is_found(self):
        scores = NETWORK.run(X)
        scores[7, 2] += 1
        first = NETWORK.against(X, scores).first
        self.assertEqual((first.name, first.row, first.element, first.got - first.expected), ("scores", 7, 2, 1))

    def test_a_corrupted_layer_is_found_before_the_scores(self):
        sums, scores = NETWORK.trace(X)["layers.1.sums"], NETWORK.run(X) + 1
        sums[3, 5] -= 2
        first = NETWORK.against(X, {"scores": scores, "layers.1.sums": sums}).first
        self.assertEqual((first.name, first.row, first.where), ("layers.1.sums", 3, "channel 5"))

    def test_a_saturated_accumulator_is_explained(self):
        sums = NETWORK.trace(X)["layers.0.sums"]
        self.assertNotEqual(NETWORK.against(X, {"layers.0.sums": -sums}).first.explanation, "")

    def test_an_unknown_name_is_answered_with_those_that_there_are(self):
        self.assertIn("arrays, array layers.9: no values of the model have this name; name arrays as",
                      message(self, lambda: NETWORK.against(X, {"layers.9": np.zeros((20, 3))})))


class Figures(unittest.TestCase):
    def test_an_estimate_has_what_a_compile_makes(self):
        kernels = NETWORK.compile().kernels
        self.assertEqual(NETWORK.estimate()["cells_total"], sum(k.cells for k in kernels))

    def test_kernels_are_rows_of_a_table(self):
        self.assertIn("ii_cycles", NETWORK.estimate().kernels[0])

    def test_layers_are_rows_of_a_table(self):
        self.assertEqual([layer["weights"] for layer in NETWORK.layers], [96, 48, 24])


class Messages(unittest.TestCase):
    def test_samples_of_another_size(self):
        self.assertEqual(message(self, lambda: NETWORK.run(np.zeros((3, 11)))),
                         "x: each sample has 11 numbers, but the network reads 12; "
                         "give an array of shape [samples, 12], or of the graph's own shape")

    def test_what_is_no_number(self):
        self.assertEqual(message(self, lambda: NETWORK.run(np.array(["a"]))), "x: these are not real numbers; give an array of real numbers")

    def test_what_is_not_finite(self):
        self.assertIn("sample 0", message(self, lambda: NETWORK.run(np.full((1, 12), np.nan))))

    def test_an_engine_that_runs_no_networks(self):
        self.assertIn("engine systemc does not run networks", message(self, lambda: NETWORK.run(X, engine="systemc")))

    def test_a_file_that_is_not_there(self):
        self.assertIn("/nowhere/a.onnx", message(self, lambda: bitgrid.load("/nowhere/a.onnx")))

    def test_a_file_of_another_kind(self):
        self.assertEqual(message(self, lambda: bitgrid.load("a.txt")),
                         "a.txt: this is neither a model, a netlist nor a kernel; give a .yaml, .onnx, .blif or .dag file")

    def test_no_threads(self):
        self.assertIn("-1 is no number of threads", message(self, lambda: NETWORK.compile(threads=-1)))


class Netlists(unittest.TestCase):
    def load(self, name, text):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, name)
            with open(path, "w") as file:
                file.write(text)
            return bitgrid.load(path)

    def test_a_netlist_is_a_dag(self):
        dag = self.load("and.blif", ".model top\n.inputs a b\n.outputs y\n.names a b y\n11 1\n.end\n")
        self.assertEqual((dag.name, dag.compile().run(a=[0, 1, 1], b=[1, 0, 1])["y"].tolist()), ("and", [0, 0, 1]))

    def test_a_kernel_file_is_a_dag(self):
        dag = self.load("sum.dag", "dag any\ninput a 8\ninput b 8\nn:9 = add a b\noutput s n\n")
        self.assertEqual(dag.run(a=200, b=100)["s"].tolist(), [300])


@unittest.skipUnless(os.path.isdir(QONNX), f"there is no {QONNX}")
class PublicNetworks(unittest.TestCase):
    def expect_scores(self, name):
        with open(os.path.join(QONNX, name + ".expected.json")) as file:
            expected = json.load(file)
        images = np.frombuffer(base64.b64decode(expected["inputs_u8_base64"]), dtype=np.uint8).reshape(64, 1, 28, 28)
        scores = bitgrid.load(os.path.join(QONNX, name + ".onnx")).run(images / 255)
        self.assertEqual(scores.tolist(), expected["integer_scores"])

    def test_tfc_of_one_bit(self):
        self.expect_scores("TFC_1W1A")

    def test_tfc_of_two_bits(self):
        self.expect_scores("TFC_2W2A")


if __name__ == "__main__":
    unittest.main()
