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
    p = {k: v.detach().numpy() for k, v in model.integers().items()}

    def get(name, kind):
        t = p[name].astype(kind)
        assert np.array_equal(t, p[name]), name
        return t

    out = {"embedding": get("embedding", np.int8)}
    for n in range(4):
        names = ["query", "key", "value", "output"] if n % 2 == 0 else ["up", "down"]
        out[f"layers.{n}.input.bias"] = get(f"{n}_input.b", np.int32)
        for m in names:
            out[f"layers.{n}.{m}.weight"] = get(f"{n}_{m}.w", np.int8)
            if f"{n}_{m}.b" in p:
                out[f"layers.{n}.{m}.bias"] = get(f"{n}_{m}.b", np.int32)
        if n % 2 == 0:
            out[f"layers.{n}.mix.bias"] = get(f"{n}_mix.b", np.int32)
            out[f"layers.{n}.position"] = get(f"{n}_position.b", np.int32)
    out["head.input.bias"], out["head.weight"], out["head.bias"] = get("head_input.b", np.int32), get("head.w", np.int8), get("head.b", np.int32)
    return {**out, **exporter.sampling_tables(tau)}


def yaml_of(c, tau, bits):
    s = c["shifts"]
    hk, hv = 2 ** (c["kb"] - 1) - 1, 2 ** (c["vb"] - 1) - 1
    lines = [
        "# A character model of the King James text: 2 x (attention, feed-forward), every weight in {-1, 0, 1}.",
        "# requantise: clamp((u + bias[c] + half) >> shift, range), half = 1 << (shift - 1), 0 for shift 0; >> is floor.",
        "# attention: score = q.k + position[head][t-j], e = clamp((score + half) >> shift, range), mix = sum of e v;",
        "# no maximum, no exponential, no division.  The residual stream is an exact sum without a clamp.",
        "# Made by train/export.py; train/README.md says how it was trained.",
        "format: bitgrid-model-1",
        "name: kjv-ternary",
        f'description: "King James characters: 32 symbols, width 64, ternary weights, 4-bit activations, {c["kb"]}-bit keys, {c["vb"]}-bit values"',
        "weights: weights.safetensors",
        "vocabulary: " + json.dumps(corpus.ALPHABET),
        f"width: {train.D}",
        "embedding: {tensor: embedding, range: [-127, 127]}",
        "layers:"]

    def linear(n, m, lo, hi):
        return f"{{weights: layers.{n}.{m}.weight, values: ternary, requantise: {{shift: {s[f'{n}_{m}']}, range: [{lo}, {hi}], bias: layers.{n}.{m}.bias}}}}"

    for n in range(4):
        lines.append("  - type: " + ("feedforward" if n % 2 else "attention"))
        if n % 2 == 0:
            lines += [f"    heads: {train.HEADS}", f"    window: {train.WINDOW}"]
        lines.append(f"    input: {{shift: {s[f'{n}_input']}, range: [-7, 7], bias: layers.{n}.input.bias}}")
        if n % 2 == 0:
            lines += [f"    query: {linear(n, 'query', 0, 15)}",
                      f"    key: {linear(n, 'key', -hk, hk)}",
                      f"    value: {linear(n, 'value', -hv, hv)}",
                      f"    position: layers.{n}.position",
                      f"    score: {{shift: {s[f'{n}_score']}, range: [0, {c['emax']}]}}",
                      f"    mix: {{shift: {s[f'{n}_mix']}, range: [-7, 7], bias: layers.{n}.mix.bias}}",
                      f"    output: {{weights: layers.{n}.output.weight, values: ternary}}"]
        else:
            lines += [f"    up: {linear(n, 'up', 0, 15)}",
                      f"    down: {{weights: layers.{n}.down.weight, values: ternary}}"]
    lines += [f"head: {{input: {{shift: {s['head_input']}, range: [-7, 7], bias: head.input.bias}}, weights: head.weight, values: ternary, bias: head.bias}}",
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
