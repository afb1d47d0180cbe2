# %% [markdown]
# # Checking your own kernel against `cpu`
#
# A kernel of your own (CUDA, a microcontroller, an FPGA) gives numbers that look right. The engine `cpu` gives the exact integers of every
# layer, so that the first wrong one has a name. Here "your kernel" is numpy, first right and then with a bug that is easily made.

# %%
import os
import sys
import tempfile

import numpy as np

import bitgrid

sys.path.insert(0, os.path.dirname(os.path.abspath(globals().get("__file__", "x"))))
from qonnx_file import write_dense

path = os.path.join(tempfile.mkdtemp(), "made.onnx")
signs = write_dense(path, sizes=[6000, 16, 12, 10], seed=2)
network = bitgrid.load(path)
x = network.samples(50, seed=3)

# %% [markdown]
# ## The exact values
# `trace` returns every layer: the codes that enter, the sums of each matrix, the codes behind its thresholds, the scores.

# %%
exact = network.trace(x)
for name, values in exact.items():
    print(f"{name:16} {values.shape}  {values.min()} .. {values.max()}")

# %% [markdown]
# ## A kernel, layer by layer
# Each layer gets the exact codes of the one before, so that a mistake shows where it is made.


# %%
def my_kernel(accumulator):
    """Sums of every layer, accumulated in a type of its own."""
    inputs = [exact["input"], exact["layers.0"], exact["layers.1"]]
    sums = [(codes.astype(accumulator) @ w.astype(accumulator)).astype(accumulator) for codes, w in zip(inputs, signs)]
    return {"layers.0.sums": sums[0], "layers.1.sums": sums[1], "scores": sums[2]}


right = network.against(x, my_kernel(np.int16))
print(right)
assert right.mismatches == 0

# %% [markdown]
# ## A bug
# Sums of 6000 products are small most of the time, so that an accumulator of one byte looks right in a first test.
# `against` names the first wrong value, and the mistake that gives the whole array, if it knows one.

# %%
found = network.against(x, my_kernel(np.int8))
print(found)
assert found.first.name == "layers.0.sums" and found.first.explanation

# %% [markdown]
# ## The same check against the grid
# The grid is just another kernel: its sums and scores have to be the same integers.

# %%
assert network.check(x[:10], engines=["dag", "grid"]).mismatches == 0
