"""Write ../weights.safetensors and ../model.yaml (and the held-out excerpt) from a checkpoint of train.py.

    /usr/bin/python3 export.py model.pt --data data

Then it reads both files back with integer.py, compares the logits with the training forward row by row, and
writes the bits per character (streaming, whole held-out text) into model.yaml.
"""
import argparse
import json
import os

import numpy as np
import torch

import train                                        # also makes train_common importable
import corpus
import exporter


def tensors_of(model, tau):
    c, p = model.c, {k: v.detach().numpy() for k, v in model.integers().items()}
    out = {}

    def put(name, t, kind):
        out[name] = t.astype(kind)
        assert np.array_equal(out[name], t), name

    for j in range(c["tables"]):
        put(f"embedding.{j}", p["tables"][j], np.int8)
    for n in range(2 * c["blocks"]):
        put(f"layers.{n}.input.bias", p[f"{n}_input.b"], np.int32)
        if n % 2 == 0:
            for i, m in enumerate(("query", "key", "value")):
                part = slice(i * c["width"], (i + 1) * c["width"])
                put(f"layers.{n}.{m}.weight", p[f"{n}_qkv.w"][part], np.int8)
                put(f"layers.{n}.{m}.bias", p[f"{n}_qkv.b"][part], np.int32)
            put(f"layers.{n}.position", p[f"{n}_position.b"], np.int32)
            put(f"layers.{n}.mix.bias", p[f"{n}_mix.b"], np.int32)
            put(f"layers.{n}.output.weight", p[f"{n}_output.w"], np.int8)
        else:
            put(f"layers.{n}.up.weight", p[f"{n}_up.w"], np.int8)
            put(f"layers.{n}.up.bias", p[f"{n}_up.b"], np.int32)
            put(f"layers.{n}.down.weight", p[f"{n}_down.w"], np.int8)
    n = 2 * c["blocks"]
    put(f"layers.{n}.input.bias", p["wide_input.b"], np.int32)
    put(f"layers.{n}.weight", p["wide.w"], np.int8)
    put(f"layers.{n}.bias", p["wide.b"], np.int32)
    put("head.weight", p["head.w"], np.int8)
    put("head.bias", p["head.b"], np.int32)
    return {**out, **exporter.sampling_tables(tau)}


def yaml_of(c, tau, bits):
    lines = [
        "# A character model of the King James text: every weight is -1 or +1, every operand of a linear map is a bit (-1 or +1).",
        "# sign: u + bias >= 0 ? +1 : -1.  Attention: e = 1 where q.k + position[head][t-j] >= 1, else 0; mix = sum of e v.",
        "# The residual stream is an exact sum without a clamp; the last layer replaces it with bits.",
        "# Made by train/export.py; train/README.md says how it was trained.",
        "format: bitgrid-model-1",
        "name: kjv-binary",
        f'description: "King James characters: 32 symbols, width {c["width"]}, binary weights, 1-bit activations"',
        "weights: weights.safetensors",
        "vocabulary: " + json.dumps(corpus.ALPHABET),
        f"width: {c['width']}",
        f"embedding: {{tensors: [{', '.join(f'embedding.{j}' for j in range(c['tables']))}], range: [-127, 127]}}",
        "layers:"]

    def linear(n, m):
        return f"{{weights: layers.{n}.{m}.weight, values: binary, sign: {{bias: layers.{n}.{m}.bias}}}}"

    for n in range(2 * c["blocks"]):
        lines.append("  - type: " + ("feedforward" if n % 2 else "attention"))
        if n % 2 == 0:
            lines += [f"    heads: {c['heads']}", f"    window: {c['window']}"]
        lines.append(f"    input: {{sign: {{bias: layers.{n}.input.bias}}}}")
        if n % 2 == 0:
            lines += [f"    {m}: {linear(n, m)}" for m in ("query", "key", "value")]
            lines += [f"    position: layers.{n}.position",
                      "    score: {shift: 0, range: [0, 1]}",
                      f"    mix: {{sign: {{bias: layers.{n}.mix.bias}}}}",
                      f"    output: {{weights: layers.{n}.output.weight, values: binary}}"]
        else:
            lines += [f"    up: {linear(n, 'up')}",
                      f"    down: {{weights: layers.{n}.down.weight, values: binary}}"]
    n = 2 * c["blocks"]
    lines += ["  - type: linear",
              f"    input: {{sign: {{bias: layers.{n}.input.bias}}}}",
              f"    weights: layers.{n}.weight",
              "    values: binary",
              f"    sign: {{bias: layers.{n}.bias}}",
              "head: {weights: head.weight, values: binary, bias: head.bias}",
              exporter.sampling_line(tau),
              exporter.reported_line(bits)]
    return "\n".join(lines) + "\n"


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    a = argparse.ArgumentParser()
    a.add_argument("checkpoint")
    a.add_argument("--data", default="data")
    a.add_argument("--to", default=os.path.join(here, ".."))
    args = a.parse_args()
    saved = torch.load(args.checkpoint)
    model = train.Model(saved["config"], 0)
    model.load_state_dict(saved["model"])
    with open(os.path.join(args.data, "heldout.txt")) as f:
        text = f.read()
    tau = round(model.log_tau.exp().item(), 8)

    def training_logits(tokens):
        with torch.no_grad():
            return model(torch.tensor(tokens)[None])[0].numpy()

    exporter.export(args.to, tensors_of(model, tau), lambda bits: yaml_of(saved["config"], tau, bits), training_logits, text)


if __name__ == "__main__":
    main()
