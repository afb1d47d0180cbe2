# %% [markdown]
# # From a trained network to silicon estimates
#
# Brevitas and QKeras export quantised networks as QONNX files. Give the path of yours:
# `python3 network_to_silicon.py NETWORK.onnx`. Without one this page makes a small network with made-up weights.

# %%
import os
import sys
import tempfile

import numpy as np

import bitgrid

if len(sys.argv) > 1 and sys.argv[1].endswith(".onnx"):
    path = sys.argv[1]
else:
    sys.path.insert(0, os.path.dirname(os.path.abspath(globals().get("__file__", "x"))))
    from qonnx_file import write_dense

    path = os.path.join(tempfile.mkdtemp(), "made.onnx")
    write_dense(path, sizes=[64, 32, 16, 10], seed=1)

# %% [markdown]
# ## What the network is
# Weights become integer matrices; batch normalisations and quantisers fold into integer thresholds, proved for every sum that can occur.

# %%
network = bitgrid.load(path)
for layer in network.layers:
    print(layer)

# %% [markdown]
# ## What it computes
# `run` takes the floats that the graph reads, and returns integer scores. The engine `cpu` is the definition.

# %%
x = network.samples(32)
scores = network.run(x)
print(scores[:3], network.answers(scores)[:3])

# %% [markdown]
# ## What it costs
# Sizes and times are those of a compile. A "token" of an estimate is a sample here.

# %%
estimate = network.estimate()
print(estimate)
print(f"{estimate.tokens_per_second:,.0f} samples per second, {estimate.area_mm2:.3g} mm2, {estimate.energy_per_token_j:.3g} J per sample")

# %% [markdown]
# ## The cells
# The compile maps every layer and verifies it by simulation. The grid has to give the scores of the definition.

# %%
compiled = network.compile(optimize="density")
for kernel in compiled.kernels:
    print(kernel)
assert (compiled.run(x[:8]) == scores[:8]).all()
assert compiled.cells > 0

# %%
compiled.kernels[0].floorplan()
