"""Writes QONNX files: as much of protobuf and ONNX as a feed-forward graph needs."""
import struct

import numpy as np


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def tensor(name, array):
    array = np.asarray(array, np.int64 if np.asarray(array).dtype.kind == "i" else np.float32)
    dims = b"".join(number(1, n) for n in array.shape)
    return dims + number(2, 7 if array.dtype == np.int64 else 1) + data(8, name) + data(9, array.tobytes())


def attribute(name, value):
    out = data(1, name)
    if isinstance(value, float):
        return out + varint(2 << 3 | 5) + struct.pack("<f", value) + number(20, 1)
    if isinstance(value, int):
        return out + number(3, value) + number(20, 2)
    if isinstance(value, str):
        return out + data(4, value) + number(20, 3)
    return out + b"".join(number(8, v) for v in value) + number(20, 7)


def value_info(name, shape):
    """A size below 0 is that of the batch, which stays open."""
    dims = b"".join(data(1, number(1, n) if n >= 0 else data(2, "batch")) for n in shape)
    return data(1, name) + data(2, data(1, number(1, 1) + data(2, dims)))


class Graph:
    """A chain of nodes that grows at its end."""

    def __init__(self, name, input_shape, producer="bitgrid", input_name="image"):
        self.name, self.shape, self.producer, self.nodes, self.tensors = name, input_shape, producer, [], []
        self.input_name = self.last = input_name

    def constant(self, array):
        name = f"p{len(self.tensors)}"
        self.tensors.append(tensor(name, array))
        return name

    def add(self, op, inputs, attributes=None, domain=""):
        out = f"{op}_{len(self.nodes)}"
        node = b"".join(data(1, i) for i in inputs) + data(2, out) + data(3, out) + data(4, op)
        node += b"".join(data(5, attribute(k, v)) for k, v in (attributes or {}).items()) + (data(7, domain) if domain else b"")
        self.nodes.append(node)
        return out

    def node(self, op, constants=(), attributes=None, domain=""):
        self.last = self.add(op, [self.last, *map(self.constant, constants)], attributes, domain)

    def bipolar(self):
        self.node("BipolarQuant", [np.float32(1)], domain="qonnx.custom_op.general")

    def quant(self, scale, bits, signed=0, narrow=0):
        attributes = {"signed": signed, "narrow": narrow, "rounding_mode": "ROUND"}
        self.node("Quant", [np.float32(scale), np.float32(0), np.float32(bits)], attributes, "qonnx.custom_op.general")

    def layer(self, op, weights, attributes=None):
        """A Conv or MatMul whose weights are signs: of any floats."""
        signs = self.add("BipolarQuant", [self.constant(weights), self.constant(np.float32(1))], domain="qonnx.custom_op.general")
        self.last = self.add(op, [self.last, signs], attributes)

    def bytes(self, outputs):
        graph = b"".join(data(1, n) for n in self.nodes) + data(2, self.name) + b"".join(data(5, t) for t in self.tensors)
        graph += data(11, value_info(self.input_name, self.shape)) + data(12, value_info(self.last, [1, outputs]))
        return number(1, 7) + data(2, self.producer) + data(7, graph) + data(8, data(1, "") + number(2, 13))
