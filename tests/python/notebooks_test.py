"""The pages of examples/notebooks run as scripts."""

import os
import subprocess
import sys
import unittest

NOTEBOOKS = os.path.join(os.environ["BITGRID_SOURCE_DIR"], "examples", "notebooks")
TFC = os.path.join(os.environ["BITGRID_SHARED_CASES"], "qonnx", "TFC_1W1A.onnx")


class Notebooks(unittest.TestCase):
    def run_page(self, name, *arguments):
        done = subprocess.run([sys.executable, "-B", os.path.join(NOTEBOOKS, name), *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_first_steps(self):
        self.assertIn("1 + 1: sum 0, carry 1", self.run_page("first_steps.py"))

    def test_a_network_to_silicon(self):
        self.assertIn("samples per second", self.run_page("network_to_silicon.py"))

    @unittest.skipUnless(os.path.exists(TFC), f"there is no {TFC}")
    def test_a_public_network_to_silicon(self):
        self.assertIn("samples per second", self.run_page("network_to_silicon.py", TFC))

    def test_exploring_an_architecture(self):
        self.assertIn("most tokens per second and mm2", self.run_page("exploring_an_architecture.py"))

    def test_checking_a_kernel(self):
        self.assertIn("layers.0.sums", self.run_page("checking_a_kernel.py"))

    def test_every_page_is_run_here(self):
        with open(__file__) as file:
            text = file.read()
        pages = [p for p in os.listdir(NOTEBOOKS) if p.endswith(".py") and p != "qonnx_file.py"]
        self.assertEqual([p for p in pages if f'"{p}"' not in text], [])


if __name__ == "__main__":
    unittest.main()
