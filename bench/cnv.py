#!/usr/bin/env python3
"""A binary network of CNV's shape with random weights, as QONNX: for sizes and speeds, not for answers.

    /usr/bin/python3 bench/cnv.py OUT.onnx [IMAGES.npy]      the same bytes every time

CNV is the network of FINN's first paper (Umuroglu et al., 2017) for 32 x 32 colour images: six 3 x 3 convolutions without padding, two pools, three dense layers, 1.54 million
weights of -1 and 1. IMAGES.npy: four random images.
"""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples", "train_common"))
import qonnx

CONVOLUTIONS = [64, 64, "pool", 128, 128, "pool", 256, 256]
DENSE = [512, 512]


def norm(graph, rng, channels, fan_in, size):
    """A batch norm whose signs are 1 about as often as -1: sums of `fan_in` products of that size."""
    spread = size * np.sqrt(fan_in)
    gain, bias = rng.uniform(.5, 1.5, channels) * rng.choice([-1, 1], channels, p=[.1, .9]), rng.normal(0, .3, channels)
    graph.node("BatchNormalization", [gain, bias, rng.normal(0, .5 * spread, channels), np.full(channels, spread ** 2)], {"epsilon": 1e-5})
    graph.bipolar()


def main(path, images_path=None):
    rng = np.random.default_rng(1)
    g = qonnx.Graph("cnv", [1, 3, 32, 32], "bitgrid bench/cnv.py")
    g.quant(1 / 128, 8, signed=1)
    depth, side, size = 3, 32, .6
    for channels in CONVOLUTIONS:
        if channels == "pool":
            g.node("MaxPool", attributes={"kernel_shape": [2, 2], "strides": [2, 2]})
            side //= 2
            continue
        g.layer("Conv", rng.normal(0, 1, (channels, depth, 3, 3)), {"kernel_shape": [3, 3]})
        norm(g, rng, channels, 9 * depth, size)
        depth, side, size = channels, side - 2, 1
    g.node("Flatten", attributes={"axis": 1})
    width = depth * side * side
    for outputs in DENSE:
        g.layer("MatMul", rng.normal(0, 1, (width, outputs)))
        norm(g, rng, outputs, width, 1)
        width = outputs
    g.layer("MatMul", rng.normal(0, 1, (width, 10)))
    with open(path, "wb") as f:
        f.write(g.bytes(10))
    if images_path:
        np.save(images_path, (rng.integers(-128, 128, (4, 3, 32, 32)) / 128).astype(np.float32))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
