"""Writes small QONNX files without the onnx package: enough for networks like those that Brevitas exports.

    write_dense("small.onnx", sizes=[12, 8, 6, 4], seed=1)

makes a dense network with binary weights and activations of two bits, batch normalisations and made-up weights.
"""

import struct

import numpy as np


def _varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _number(field, value):
    return _varint(field << 3) + _varint(value)


def _bytes(field, value):
    value = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _tensor(name, values):
    values = np.asarray(values, dtype="<f4")
    return b"".join(_number(1, d) for d in values.shape) + _number(2, 1) + _bytes(8, name) + _bytes(9, values.tobytes())


def _attribute(name, value):
    if isinstance(value, str):
        return _bytes(1, name) + _bytes(4, value) + _number(20, 3)
    if isinstance(value, float):
        return _bytes(1, name) + _varint(2 << 3 | 5) + struct.pack("<f", value) + _number(20, 1)
    return _bytes(1, name) + _number(3, value) + _number(20, 2)


def _value(name, shape):
    dims = b"".join(_bytes(1, _bytes(2, "batch") if d < 0 else _number(1, d)) for d in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, 1) + _bytes(2, dims)))


class Graph:
    """A chain of nodes; each reads what the last one gave."""

    def __init__(self, name, inputs):
        self.name, self.inputs = name, inputs
        self.nodes, self.constants, self.last = [], [], "x"

    def constant(self, values):
        name = f"c{len(self.constants)}"
        self.constants.append(_tensor(name, values))
        return name

    def node(self, op, *constants, inputs=(), **attributes):
        """Adds a node of the chain. `inputs`: names that it reads behind what the last node gave."""
        self.last = self.apart(op, self.last, *[self.constant(c) for c in constants], *inputs, **attributes)
        return self

    def apart(self, op, *inputs, **attributes):
        """Adds a node beside the chain and returns the name of its output."""
        name = f"{op}_{len(self.nodes)}"
        body = b"".join(_bytes(1, i) for i in inputs) + _bytes(2, name + ".out") + _bytes(3, name) + _bytes(4, op)
        body += b"".join(_bytes(5, _attribute(k, v)) for k, v in attributes.items())
        if op.endswith("Quant"):
            body += _bytes(7, "qonnx.custom_op.general")
        self.nodes.append(body)
        return name + ".out"

    def quant(self, bits, scale):
        """Activations of some bits, narrow and signed."""
        return self.node("Quant", scale, 0.0, float(bits), signed=1, narrow=1, rounding_mode="ROUND")

    def binary_dense(self, weights):
        """A MatMul with the signs of these weights, [inputs, outputs]."""
        weights = self.apart("BipolarQuant", self.constant(weights), self.constant(1.0))
        return self.node("MatMul", inputs=[weights])

    def batch_norm(self, gain, bias, mean, variance):
        return self.node("BatchNormalization", gain, bias, mean, variance)

    def write(self, path):
        graph = b"".join(_bytes(1, n) for n in self.nodes) + _bytes(2, self.name)
        graph += b"".join(_bytes(5, c) for c in self.constants)
        graph += _bytes(11, _value("x", [-1, self.inputs])) + _bytes(12, _value(self.last, []))
        model = _number(1, 7) + _bytes(2, "examples/notebooks/qonnx_file.py") + _bytes(7, graph) + _bytes(8, _number(2, 13))
        with open(path, "wb") as file:
            file.write(model)


def write_dense(path, sizes, seed=1):
    """A dense network of sizes[0] inputs and sizes[-1] scores; returns the signs of its weights, [inputs, outputs] for each layer."""
    random = np.random.default_rng(seed)
    graph = Graph("made_dense", sizes[0]).quant(2, 0.75)
    signs = []
    for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        weights = random.normal(size=(inputs, outputs))
        signs.append(np.where(weights >= 0, 1, -1))
        graph.binary_dense(weights)
        if layer + 2 < len(sizes):
            gain = random.normal(0.5, 1.0, outputs)
            graph.batch_norm(gain, random.normal(0, 0.5, outputs), random.normal(0, 2.0, outputs), random.uniform(1, 6, outputs))
            graph.quant(2, 0.5)
    graph.write(path)
    return signs
