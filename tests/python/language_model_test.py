"""bitgrid.LanguageModel: the shipped models, of both kinds; estimates and sweeps of files."""

import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import bitgrid

EXAMPLES = os.path.join(os.environ["BITGRID_SOURCE_DIR"], "examples")
TERNARY = bitgrid.load(os.path.join(EXAMPLES, "kjv-ternary", "model.yaml"))
BITNET = bitgrid.load(os.path.join(EXAMPLES, "kjv-bitnet"), context=32)
PROMPT = "in the beginning "


def message(test, call):
    with test.assertRaises(bitgrid.Error) as caught:
        call()
    return str(caught.exception)


class Texts(unittest.TestCase):
    def test_greedy_text_is_that_of_the_readme(self):
        self.assertEqual(TERNARY.generate(PROMPT, 24, engine="cpu").text, "in the beginning of the lord of the lord ")

    def test_a_model_with_scales_continues_a_prompt(self):
        self.assertTrue(BITNET.generate(PROMPT, 12).text.startswith("in the beginning of the lord"))

    def test_the_largest_logit_is_the_next_token(self):
        logits = TERNARY.run(PROMPT, engine="cpu")
        generated = TERNARY.generate(PROMPT, 1, engine="cpu")
        self.assertEqual(logits[-1].argmax(), generated.tokens[-1])

    def test_tokens_are_taken_for_a_text(self):
        tokens = TERNARY.encode(PROMPT, prompt=True)
        self.assertTrue((TERNARY.run(tokens, engine="cpu") == TERNARY.run(PROMPT, engine="cpu")).all())

    def test_tokens_are_decoded(self):
        self.assertEqual(TERNARY.decode(TERNARY.encode("lord")), "lord")

    def test_probabilities_sum_to_one(self):
        logs = BITNET.log_probabilities("in the")
        self.assertTrue(np.allclose(np.exp(logs).sum(axis=1), 1.0))

    def test_equal_seeds_draw_equal_texts(self):
        texts = {TERNARY.generate(PROMPT, 20, engine="cpu", temperature=0.5, seed=5).text for _ in range(2)}
        self.assertEqual(len(texts), 1)

    def test_the_dag_engine_gives_the_same_logits(self):
        self.assertTrue((BITNET.run("in", engine="dag") == BITNET.run("in")).all())


class OnTheGrid(unittest.TestCase):
    def test_a_compiled_model_gives_the_same_logits(self):
        compiled = TERNARY.compile(verify=False)
        self.assertTrue((compiled.run("lord") == TERNARY.run("lord", engine="cpu")).all())

    def test_engines_agree(self):
        self.assertEqual(TERNARY.check(PROMPT, positions=4, engines=["cpu", "dag"]).mismatches, 0)

    def test_engines_of_a_model_with_scales_agree(self):
        self.assertEqual(BITNET.check("in", positions=3, engines=["cpu", "dag"]).first, None)


class Against(unittest.TestCase):
    def test_a_corrupted_logit_is_found(self):
        logits = TERNARY.run(PROMPT, engine="cpu")
        logits[3, 5] += 3
        first = TERNARY.against(PROMPT, {"logits": logits}).first
        self.assertEqual((first.row, first.element, first.got - first.expected), (3, 5, 3))


class Figures(unittest.TestCase):
    def test_an_estimate_of_shapes(self):
        e = bitgrid.estimate(os.path.join(EXAMPLES, "shapes", "bitnet-b158-2b4t.yaml"), streams=4)
        self.assertEqual((e["streams"], e.tokens_per_second > 0, len(e.kernels) > 0), (4, True, True))

    def test_an_estimate_of_a_model(self):
        self.assertEqual(TERNARY.estimate().cycles_per_token, 2519)

    def test_a_sweep_is_a_row_for_each_point(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "sweep.yaml")
            with open(path, "w") as file:
                file.write(f"model: {EXAMPLES}/kjv-ternary/model.yaml\nparameters:\n  streams: [1, 2, 8]\n")
            rows = bitgrid.sweep(path)
        self.assertEqual([(r["point"], int(r["streams"])) for r in rows], [(0, 1), (1, 2), (2, 8)])


class Messages(unittest.TestCase):
    def test_a_token_outside_of_the_vocabulary(self):
        self.assertIn("token 999999 is outside of the vocabulary", message(self, lambda: TERNARY.run([999999], engine="cpu")))

    def test_more_positions_than_fit(self):
        self.assertIn("positions are asked for, and 32 fit", message(self, lambda: BITNET.generate(PROMPT, 100)))

    def test_options_of_other_models(self):
        self.assertIn("--kv: only models with scales", message(self, lambda: TERNARY.run("a", kv="k=8")))

    def test_an_engine_that_does_not_run_it(self):
        self.assertIn("engine systemc does not run models with scales", message(self, lambda: BITNET.run("a", engine="systemc")))


# The signal has to arrive in the main thread of a program of its own. The progress function sends it once work has begun.
INTERRUPTED = """
import os, signal, sys
import bitgrid
model = bitgrid.load(sys.argv[1])
def interrupt(line):
    if line.startswith("token 3 "):
        os.kill(os.getpid(), signal.SIGINT)
try:
    model.generate("in the beginning ", 100000, engine="cpu", progress=interrupt)
except KeyboardInterrupt:
    print("stopped")
print(model.generate("in the beginning ", 3, engine="cpu").text)
"""


class Interrupts(unittest.TestCase):
    def test_ctrl_c_stops_long_work_and_the_model_goes_on(self):
        done = subprocess.run([sys.executable, "-c", INTERRUPTED, os.path.join(EXAMPLES, "kjv-ternary", "model.yaml")],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, "stopped\nin the beginning of \n", done.stderr)


if __name__ == "__main__":
    unittest.main()
