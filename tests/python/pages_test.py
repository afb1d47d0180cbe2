"""The Python of docs/python.md runs, and the README's command prints what the README shows."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.environ["BITGRID_SOURCE_DIR"]
sys.path.insert(0, os.path.join(ROOT, "examples", "notebooks"))
import qonnx_file  # noqa: E402


def read(*path):
    with open(os.path.join(ROOT, *path)) as file:
        return file.read()


def first_missing(shown, output):
    """The first shown line that the output does not have in its place; "..." stands for any lines."""
    at, skip = 0, False
    for line in shown:
        if line == "...":
            skip = True
            continue
        while skip and at < len(output) and output[at] != line:
            at += 1
        if at == len(output) or output[at] != line:
            return line
        at, skip = at + 1, False
    return None if skip or at == len(output) else output[at]


class Pages(unittest.TestCase):
    def test_the_blocks_of_the_page_run_in_their_order(self):
        blocks = re.findall(r"```python\n(.*?)```", read("docs", "python.md"), re.DOTALL)
        home, names = os.getcwd(), {}
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(os.path.join(ROOT, "examples"), os.path.join(folder, "examples"))
            os.chdir(folder)
            try:
                qonnx_file.write_dense("model.onnx", [12, 8, 6, 4])
                for block in blocks:
                    exec(block, names)
            finally:
                os.chdir(home)
        self.assertGreater(len(blocks), 5)

    def test_the_readme_shows_what_its_command_prints(self):
        command, shown = re.search(r"\$ PYTHONPATH=build/release/python /usr/bin/python3 (\S+)\n(.*?)```", read("README.md"), re.DOTALL).groups()
        done = subprocess.run([sys.executable, "-B", command], cwd=ROOT, capture_output=True, text=True, check=True)
        self.assertIsNone(first_missing(shown.splitlines(), done.stdout.splitlines()), done.stdout)

    def test_a_line_that_is_not_printed_is_found(self):
        self.assertEqual([first_missing(["a", "...", "c"], list("abc")), first_missing(["a", "d"], list("abc"))], [None, "d"])


if __name__ == "__main__":
    unittest.main()
