"""Makes small QONNX files without the onnx package: networks like those that Brevitas exports.

    write_dense("small.onnx", sizes=[12, 8, 6, 4], seed=1)

makes a dense network with binary weights and activations of two bits, batch normalisations and made-up weights.
"""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "train_common"))
import qonnx  # noqa: E402


def write_dense(path, sizes, seed=1):
    """A dense network of sizes[0] inputs and sizes[-1] scores; returns the signs of its weights, [inputs, outputs] for each layer."""
    random = np.random.default_rng(seed)
    graph = qonnx.Graph("made_dense", [-1, sizes[0]], input_name="x")
    graph.quant(0.75, 2, signed=1, narrow=1)
    signs = []
    for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        weights = random.normal(size=(inputs, outputs))
        signs.append(np.where(weights >= 0, 1, -1))
        graph.layer("MatMul", weights)
        if layer + 2 < len(sizes):
            gain = random.normal(0.5, 1.0, outputs)
            bias, mean = random.normal(0, 0.5, outputs), random.normal(0, 2.0, outputs)
            graph.node("BatchNormalization", [gain, bias, mean, random.uniform(1, 6, outputs)])
            graph.quant(0.5, 2, signed=1, narrow=1)
    with open(path, "wb") as file:
        file.write(graph.bytes(sizes[-1]))
    return signs
