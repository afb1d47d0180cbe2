#!/usr/bin/env python3
"""Trains a small binary network on generated digits and writes it as QONNX: examples/bnn-digits/README.md. numpy alone.

    /usr/bin/python3 examples/bnn-digits/train/train.py examples/bnn-digits
"""
import os
import sys

import numpy as np

import digits

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "train_common"))
import qonnx

CHANNELS, EPOCHS, BATCH, TRAINING, TEST = (8, 16), 16, 100, 12000, 500
BITS, SCALE = 4, 17.0  # of the input: 0 .. 15 in steps of 17


def windows(x, k):
    """[n, c, h, w] -> [n, h - k + 1, w - k + 1, c * k * k]."""
    w = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3)).transpose(0, 2, 3, 1, 4, 5)
    return np.ascontiguousarray(w).reshape(*w.shape[:3], -1)


def sign(x):
    return np.where(x >= 0, 1.0, -1.0).astype(np.float32)


class Norm:
    """Batch normalisation over the last axis."""

    def __init__(self, n):
        self.gain, self.bias, self.mean, self.var = np.ones(n, np.float32), np.zeros(n, np.float32), np.zeros(n), np.ones(n)

    def __call__(self, x, training):
        axes = tuple(range(x.ndim - 1))
        if training:
            mean, var = x.mean(axes), x.var(axes)
            self.mean, self.var = .9 * self.mean + .1 * mean, .9 * self.var + .1 * var
        else:
            mean, var = self.mean, self.var
        self.deviation = np.sqrt(var + 1e-5).astype(np.float32)
        self.unit = ((x - mean) / self.deviation).astype(np.float32)
        return self.unit * self.gain + self.bias

    def back(self, d):
        axes = tuple(range(d.ndim - 1))
        self.d_gain, self.d_bias = (d * self.unit).sum(axes), d.sum(axes)
        d = d * self.gain
        return (d - d.mean(axes) - self.unit * (d * self.unit).mean(axes)) / self.deviation


class Network:
    def __init__(self, rng):
        c1, c2 = CHANNELS
        shapes = [(9, c1), (9 * c1, c2), (25 * c2, 10)]
        self.weights = [rng.uniform(-.5, .5, s).astype(np.float32) for s in shapes]
        self.norms = [Norm(c1), Norm(c2)]

    def forward(self, images, training):
        """Scores [n, 10]. Keeps what `back` needs."""
        w = [sign(v) for v in self.weights]
        codes = np.round(images / np.float32(SCALE)).astype(np.float32)
        self.x1 = windows(codes, 3)
        sums = self.x1 @ w[0]  # [n, 14, 14, c1]
        n, h, _, c = sums.shape
        blocks = sums.reshape(n, h // 2, 2, h // 2, 2, c).transpose(0, 1, 3, 5, 2, 4).reshape(n, h // 2, h // 2, c, 4)
        self.chosen = blocks.argmax(-1)
        self.a1 = self.norms[0](blocks.max(-1), training)
        self.x2 = windows(sign(self.a1).transpose(0, 3, 1, 2), 3)
        self.a2 = self.norms[1](self.x2 @ w[1], training)  # [n, 5, 5, c2]
        self.x3 = sign(self.a2).transpose(0, 3, 1, 2).reshape(n, -1)
        return self.x3 @ w[2]

    def back(self, d):
        """Gradients of weights, then gains and biases, from those of the scores: signs pass them on where |a| <= 1."""
        w = [sign(v) for v in self.weights]
        g3, n = self.x3.T @ d, len(d)
        d = (d @ w[2].T).reshape(n, CHANNELS[1], 5, 5).transpose(0, 2, 3, 1) * (np.abs(self.a2) <= 1)
        d = self.norms[1].back(d)
        g2 = self.x2.reshape(-1, self.x2.shape[-1]).T @ d.reshape(-1, d.shape[-1])
        dx = (d @ w[1].T).reshape(n, 5, 5, CHANNELS[0], 3, 3)
        d = np.zeros((n, 7, 7, CHANNELS[0]), np.float32)
        for i in range(3):
            for j in range(3):
                d[:, i:i + 5, j:j + 5] += dx[..., i, j]
        d = self.norms[0].back(d * (np.abs(self.a1) <= 1))
        blocks = np.zeros((*d.shape, 4), np.float32)
        np.put_along_axis(blocks, self.chosen[..., None], d[..., None], -1)
        d = blocks.reshape(n, 7, 7, CHANNELS[0], 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(n, 14, 14, CHANNELS[0])
        g1 = self.x1.reshape(-1, 9).T @ d.reshape(-1, CHANNELS[0])
        return [g1, g2, g3] + [g for m in self.norms for g in (m.d_gain, m.d_bias)]

    def parameters(self):
        return self.weights + [p for m in self.norms for p in (m.gain, m.bias)]

    def graph(self):
        g = qonnx.Graph("bnn-digits", [1, 1, digits.SIDE, digits.SIDE], "bitgrid examples/bnn-digits")
        g.quant(SCALE, BITS)
        for i, norm in enumerate(self.norms):
            depth = 1 if i == 0 else CHANNELS[0]
            g.layer("Conv", self.weights[i].T.reshape(CHANNELS[i], depth, 3, 3), {"kernel_shape": [3, 3]})
            if i == 0:
                g.node("MaxPool", attributes={"kernel_shape": [2, 2], "strides": [2, 2]})
            if i == 0:  # sums of codes here, of codes * SCALE there
                norm_mean, norm_var = norm.mean * SCALE, norm.var * SCALE * SCALE
            else:
                norm_mean, norm_var = norm.mean, norm.var
            g.node("BatchNormalization", [norm.gain, norm.bias, norm_mean, norm_var], {"epsilon": 1e-5})
            g.bipolar()
        g.node("Flatten", attributes={"axis": 1})
        g.layer("MatMul", self.weights[2])
        return g.bytes(10)


def settle(network, images):
    """Means and variances of the norms over many images, in place of those of the last batches."""
    for norm in network.norms:
        norm.mean, norm.var = 0 * norm.mean, 0 * norm.var
    parts = np.array_split(images, 20)
    for i, part in enumerate(parts):
        before = [(n.mean, n.var) for n in network.norms]
        network.forward(part, True)
        for norm, (mean, var) in zip(network.norms, before):  # the last moments have a tenth in them
            norm.mean = mean + (norm.mean - .9 * mean) * 10 / len(parts)
            norm.var = var + (norm.var - .9 * var) * 10 / len(parts)


def accuracy(network, images, labels):
    return float((network.forward(images, False).argmax(1) == labels).mean())


def main(folder):
    rng = np.random.default_rng(1)
    images, labels = digits.make(TRAINING, seed=1)
    test_images, test_labels = digits.make(TEST, seed=2)
    network, moments = Network(rng), None
    for epoch in range(EPOCHS):
        rate = 3e-3 * .5 * (1 + np.cos(np.pi * epoch / EPOCHS))
        order = rng.permutation(TRAINING)
        for first in range(0, TRAINING, BATCH):
            batch = order[first:first + BATCH]
            scores = network.forward(images[batch], True) / 10
            p = np.exp(scores - scores.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            p[np.arange(BATCH), labels[batch]] -= 1
            gradients = network.back((p / BATCH / 10).astype(np.float32))
            if moments is None:
                moments = [(np.zeros_like(g), np.zeros_like(g)) for g in gradients]
                step = 0
            step += 1
            for value, g, (m, v) in zip(network.parameters(), gradients, moments):
                m += .1 * (g - m)
                v += .001 * (g * g - v)
                value -= rate * (m / (1 - .9 ** step)) / (np.sqrt(v / (1 - .999 ** step)) + 1e-8)
            for w in network.weights:
                np.clip(w, -1, 1, w)
        settle(network, images[:4000])
        print(f"epoch {epoch + 1}: test accuracy {accuracy(network, test_images, test_labels):.3f}", flush=True)
    with open(f"{folder}/digits.onnx", "wb") as f:
        f.write(network.graph())
    np.save(f"{folder}/test_images.npy", test_images)
    np.save(f"{folder}/test_labels.npy", test_labels.astype(np.uint8))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
