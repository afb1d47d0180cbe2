"""A model of the project's format in plain numpy integers: streaming form, read from model.yaml and its weights only.

    python3 integer.py bits TEXT.txt [--model ../model.yaml] [--characters N] [--json OUT.json]
    python3 integer.py sample [--prompt "..."] [--length 400] [--temperature 0.7] [--seed 1]     (0: greedy)
    python3 integer.py ranges TEXT.txt       the range of every intermediate value

`Stream` is the definition: one character at a time, keys and values in a ring of `window` entries.
`whole` computes the same integers for a whole text at once, layer by layer (much quicker); `bits` checks the two
against each other on the first 1,000 characters.  Matrix products are done in float64, where all these sums are exact.
"""
import argparse
import json
import math
import os
import struct

import numpy as np
import yaml


def read_safetensors(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    kinds = {"I8": "<i1", "I32": "<i4"}
    return {n: np.frombuffer(data[h["data_offsets"][0]:h["data_offsets"][1]], kinds[h["dtype"]]).reshape(h["shape"]).astype(np.int64)
            for n, h in header.items() if n != "__metadata__"}


VALUES = {"binary": (-1, 1), "ternary": (-1, 0, 1), "int2": (-1, 0, 1, 2)}


def activation(u, part, tensors):
    """The requantisation or the sign that `part` (a mapping of model.yaml) asks for; without either the exact sums."""
    if part is None:
        return u
    if "sign" in part:
        bias = tensors[part["sign"]["bias"]] if "bias" in (part["sign"] or {}) else 0
        return np.where(u + bias >= 0, 1, -1)
    r = part if "range" in part else part.get("requantise")
    if r is None:
        return u
    assert "multiplier" not in r and "table" not in part and r["shift"] >= 0, "not needed by the models here"
    half = (1 << r["shift"]) >> 1
    bias = tensors[r["bias"]] if "bias" in r else 0
    return np.clip((u + bias + half) >> r["shift"], r["range"][0], r["range"][1])


def product(x, w):
    """x [..., in] times w [out, in], exact."""
    return (x.astype(np.float64) @ w.T.astype(np.float64)).astype(np.int64)


class Model:
    def __init__(self, path):
        with open(path) as f:
            self.m = yaml.safe_load(f)
        self.t = read_safetensors(os.path.join(os.path.dirname(path), self.m["weights"]))
        layers = self.m["layers"]
        for part in [p for layer in layers for p in (layer, *layer.values()) if isinstance(p, dict) and "weights" in p] + [self.m["head"]]:
            assert np.isin(self.t[part["weights"]], VALUES[part["values"]]).all(), part["weights"]
        e = self.m["embedding"]
        self.tables = [self.t[n] for n in (e["tensors"] if "tensors" in e else [e["tensor"]])]
        lo, hi = e["range"]
        assert all(lo <= t.min() and t.max() <= hi for t in self.tables)
        self.vocabulary = self.m["vocabulary"]
        self.tau = self.m["sampling"]["logit_scale"]

    def encode(self, text):
        return [self.vocabulary.index(c) for c in text]

    def linear(self, part, x, seen=None, name=""):
        u = product(x, self.t[part["weights"]])
        note(seen, name, u)
        return activation(u, part, self.t)

    def head(self, x):
        head = self.m["head"]
        return product(activation(x, head.get("input"), self.t), self.t[head["weights"]]) + (self.t[head["bias"]] if "bias" in head else 0)


def note(seen, name, u):
    if seen is not None:
        lo, hi, total, n = seen.get(name, (0, 0, 0.0, 0))
        seen[name] = (min(lo, int(u.min())), max(hi, int(u.max())), total + float((u.astype(np.float64) ** 2).sum()), n + u.size)


class Stream:
    """The streaming form: all state is a ring of `window` keys and values for each attention layer."""

    def __init__(self, model):
        self.m, self.t, self.model = model.m, model.t, model
        self.time, self.last = 0, []
        self.ring = [(np.zeros((l["window"], self.m["width"]), np.int64), np.zeros((l["window"], self.m["width"]), np.int64))
                     if l["type"] == "attention" else None for l in self.m["layers"]]

    def step(self, token):
        """Take one token, return the integer logits of the next."""
        t, linear = self.t, self.model.linear
        self.last = [token] + self.last[:len(self.model.tables) - 1]
        x = sum(table[c] for table, c in zip(self.model.tables, self.last))
        for layer, ring in zip(self.m["layers"], self.ring):
            a = activation(x, layer.get("input"), t)
            if layer["type"] == "attention":
                heads, window = layer["heads"], layer["window"]
                q = linear(layer["query"], a)
                keys, values = ring
                keys[self.time % window] = linear(layer["key"], a)
                values[self.time % window] = linear(layer["value"], a)
                distance = np.arange(min(self.time + 1, window))          # t - j
                slot = (self.time - distance) % window
                mix = []
                for h in range(heads):
                    part = slice(h * len(x) // heads, (h + 1) * len(x) // heads)
                    score = keys[slot, part] @ q[part] + t[layer["position"]][h][distance]
                    e = activation(score, layer["score"], t)
                    mix.append(e @ values[slot, part])
                x = x + linear(layer["output"], activation(np.concatenate(mix), layer["mix"], t))
            elif layer["type"] == "feedforward":
                x = x + linear(layer["down"], linear(layer["up"], a))
            else:
                x = linear(layer, a)
        self.time += 1
        return self.model.head(x)


ROWS = 8192


def by_rows(f, x):
    """f(x), computed for a few thousand rows at a time: hidden values are wide."""
    return np.concatenate([f(x[i:i + ROWS]) for i in range(0, len(x), ROWS)])


def whole(model, tokens, seen=None):
    """The logits [n, symbols] of a whole text: the same integers as Stream."""
    m, t, tokens = model.m, model.t, np.asarray(tokens)
    x = np.zeros((len(tokens), m["width"]), np.int64)
    for j, table in enumerate(model.tables):
        x[j:] += table[tokens[:len(tokens) - j]]
    for i, layer in enumerate(m["layers"]):
        name = f"layer {i} "
        note(seen, name + "residual", x)
        a = activation(x, layer.get("input"), t)
        if layer["type"] == "attention":
            heads, window = layer["heads"], layer["window"]
            q, k, v = (model.linear(layer[p], a, seen, name + p) for p in ("query", "key", "value"))
            size, block = len(x[0]) // heads, 2 * window
            mix = np.zeros_like(q)
            for start in range(0, len(x), block):
                here = np.arange(start, min(start + block, len(x)))
                first = max(0, start - window + 1)
                there = np.arange(first, here[-1] + 1)
                distance = here[:, None] - there[None, :]
                valid = (distance >= 0) & (distance < window)
                for h in range(heads):
                    part = slice(h * size, (h + 1) * size)
                    score = product(q[here, part], k[there, part]) + t[layer["position"]][h][np.clip(distance, 0, window - 1)]
                    note(seen, name + "score", score[valid])
                    e = np.where(valid, activation(score, layer["score"], t), 0)
                    note(seen, name + "weights' sum", e.sum(1))
                    note(seen, name + "weights above 0 (count)", (e > 0).sum(1))
                    mix[here, part] = product(e, v[there, part].T)
            note(seen, name + "mix", mix)
            x = x + model.linear(layer["output"], activation(mix, layer["mix"], t), seen, name + "output")
        elif layer["type"] == "feedforward":
            x = x + by_rows(lambda a: model.linear(layer["down"], model.linear(layer["up"], a, seen, name + "up"), seen, name + "down"), a)
        else:
            x = by_rows(lambda a: model.linear(layer, a, seen, name + "sums").astype(np.int32), a)
    note(seen, "head residual", x)
    z = by_rows(model.head, x)
    note(seen, "logits", z)
    return z


def bits_per_character(model, tokens, z):
    """Mean of -log2 p over characters 2..n (the first, from the empty state, is not predicted)."""
    s = z[:-1] * model.tau
    s = s - s.max(1, keepdims=True)
    log_p = s[np.arange(len(s)), np.asarray(tokens)[1:]] - np.log(np.exp(s).sum(1))
    return -log_p.mean() / math.log(2)


def sample(model, prompt, length, temperature, seed):
    """Greedy (temperature 0: lowest index of the maximum) or from the integer table of the temperature."""
    random, stream, text = np.random.RandomState(seed), Stream(model), prompt
    for c in prompt:
        z = stream.step(model.vocabulary.index(c))
    for _ in range(length):
        if temperature:
            table = model.t[model.m["sampling"]["tables"][f"{temperature:.1f}"]]
            weight = table[np.minimum(z.max() - z, len(table) - 1)]
            token = int(np.searchsorted(np.cumsum(weight), random.randint(weight.sum()), side="right"))
        else:
            token = int(np.argmax(z))
        text += model.vocabulary[token]
        z = stream.step(token)
    return text


def main():
    a = argparse.ArgumentParser()
    a.add_argument("command", choices=["bits", "sample", "ranges"])
    a.add_argument("text", nargs="?")
    a.add_argument("--model", default="../model.yaml")
    a.add_argument("--characters", type=int)
    a.add_argument("--json")
    a.add_argument("--prompt", default="\nin the beginning")
    a.add_argument("--length", type=int, default=400)
    a.add_argument("--temperature", type=float, default=0.0)
    a.add_argument("--seed", type=int, default=1)
    args = a.parse_args()
    model = Model(args.model)
    if args.command == "sample":
        print(sample(model, args.prompt, args.length, args.temperature, args.seed).strip("\n"))
        return
    with open(args.text) as f:
        tokens = model.encode(f.read()[:args.characters])
    if args.command == "ranges":
        seen = {}
        whole(model, tokens, seen)
        for name, (lo, hi, total, n) in seen.items():
            print(f"{name:32s} {lo:6d} .. {hi:6d}   rms {math.sqrt(total / n):7.1f}")
        return
    z = whole(model, tokens)
    stream, n = Stream(model), min(1000, len(tokens))
    different = sum(not np.array_equal(stream.step(tokens[i]), z[i]) for i in range(n))
    assert different == 0, f"{different} of {n} streaming rows differ"
    result = {"bits_per_character": round(bits_per_character(model, tokens, z), 6), "characters": len(tokens),
              "predicted": len(tokens) - 1, "form": "streaming, from an empty state; the first character is not predicted",
              "greedy_next_hits": int((z[:-1].argmax(1) == np.asarray(tokens)[1:]).sum())}
    print(json.dumps(result))
    if args.json:
        with open(args.json, "w") as f:
            json.dump(result, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
