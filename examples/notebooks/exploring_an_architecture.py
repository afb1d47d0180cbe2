# %% [markdown]
# # Exploring an architecture
#
# Estimates take milliseconds, so that tables of them are cheap. pandas and matplotlib are used if they are installed.

# %%
import os
import tempfile

import bitgrid

try:
    import pandas
except ImportError:
    pandas = None
try:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
except ImportError:
    plt = None

here = os.path.dirname(os.path.abspath(globals().get("__file__", "x")))
shapes = os.path.join(here, "..", "shapes", "bitnet-b158-2b4t.yaml")

# %% [markdown]
# ## One estimate
# BitNet b1.58 2B4T from its shapes, without weights. What limits it?

# %%
one = bitgrid.estimate(shapes)
print(f"{one.cells_total:,} cells, {one.area_mm2:,.0f} mm2, {one.tokens_per_second:,.0f} tokens per second, limited by {one.bottleneck}")

# %% [markdown]
# ## More texts at a time
# Streams share the cells of the weights, and each brings its keys and values.

# %%
rows = []
for streams in [1, 2, 4, 8, 16]:
    e = bitgrid.estimate(shapes, streams=streams)
    rows.append({"streams": streams, "tokens_per_second": e.tokens_per_second, "area_mm2": e.area_mm2, "bottleneck": e.bottleneck})
if pandas:
    print(pandas.DataFrame(rows))
else:
    for row in rows:
        print(row)
assert rows[-1]["tokens_per_second"] > rows[0]["tokens_per_second"]

# %% [markdown]
# ## Where the cells are

# %%
kernels = sorted(one.kernels, key=lambda k: k["area_mm2"], reverse=True)
for k in kernels[:5]:
    print(f"{k['name']:32} {k['tiles']:>6} tiles of {k['width']} x {k['height']}, {k['area_mm2']:.1f} mm2")

# %% [markdown]
# ## A sweep
# A sweep file makes a point of every combination.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "sweep.yaml")
    with open(path, "w") as file:
        file.write(f"model: {os.path.abspath(shapes)}\nparameters: {{streams: [1, 16], kv_bits: [2, 8], clock_mhz: [250, 500]}}\n")
    points = bitgrid.sweep(path)
assert len(points) == 8
best = max(points, key=lambda p: p["tokens_per_second"] / p["area_mm2"])
print("most tokens per second and mm2:", {k: best[k] for k in ["streams", "kv_bits", "clock_mhz", "tokens_per_second", "area_mm2"]})

# %%
if plt:
    figure, axes = plt.subplots()
    axes.scatter([p["area_mm2"] for p in points], [p["tokens_per_second"] for p in points])
    axes.set_xlabel("area, mm2")
    axes.set_ylabel("tokens per second")
    axes.set_yscale("log")
