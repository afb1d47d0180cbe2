# %% [markdown]
# # First steps on the grid
#
# A BitGrid is a fabric of cells with four one-bit inputs and four one-bit outputs, one to each neighbour. Each output is any function of
# the four inputs. There is no other wiring. In even phases one colour of a chessboard latches its outputs, in odd phases the other one.
#
# This page is a script in the percent format. Jupytext and most editors open it as a notebook; plain `python3` runs it.

# %%
import numpy as np

import bitgrid

# %% [markdown]
# ## One cell
# `luts` takes an expression for each output. A cell that adds: the sum leaves to the south, the carry to the east.

# %%
half_adder = bitgrid.luts(s="n ^ w", e="n & w")
grid = bitgrid.Grid(1, 1)
grid[0, 0] = half_adder
for a, b in [(0, 0), (0, 1), (1, 0), (1, 1)]:
    run = grid.run({"n0": [a], "w0": [b]})
    print(f"{a} + {b}: sum {run['s0'][0]}, carry {run['e0'][0]}")
    assert 2 * run["e0"][0] + run["s0"][0] == a + b

# %% [markdown]
# ## A wire
# A cell that copies its western input to the east. A bit takes one phase for each cell, two phases are a cycle.

# %%
wire = bitgrid.Grid(8, 1)
for x in range(8):
    wire[x, 0] = bitgrid.luts(e="w")
bits = np.array([1, 1, 0, 0, 1, 1, 1, 1, 0, 0])
out = wire.run({"w0": bits}, phases=20)["e0"]
print("in ", bits)
print("out", out)
assert (out[7:17] == bits).all()

# %% [markdown]
# ## Let the compiler lay the cells
# A `Dag` says what a kernel computes: here a neuron of 16 binary weights that counts agreeing bits and compares with a threshold.

# %%
neuron = bitgrid.Dag("neuron")
x = neuron.input("x", 16)
weights = 0b1011_0010_1110_0101
count = neuron.popcount(neuron.xnor(x, neuron.constant(weights, 16)))
neuron.output("fires", neuron.constant(8) < count)
print(neuron.text)

# %%
compiled = neuron.compile(mode="wave")
kernel = compiled.kernels[0]
print(kernel)
kernel.floorplan()

# %% [markdown]
# The same inputs on the simulated grid, phase by phase, and in numpy.

# %%
samples = np.random.default_rng(1).integers(0, 1 << 16, 1000)
fires = compiled.run(x=samples)["fires"]
agree = np.array([16 - bin(s ^ weights).count("1") for s in samples.tolist()])
assert (fires == (agree > 8)).all()
print(f"{fires.sum()} of {len(fires)} samples fire, as in numpy")

# %% [markdown]
# `check` compares engines bit by bit; `report()` is a page with floorplans to pan and zoom.

# %%
result = compiled.check(x=samples, engines=["dag", "grid"])
assert result.mismatches == 0
print(result)
