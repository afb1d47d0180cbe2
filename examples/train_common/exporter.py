"""What the exporters of the kjv models share: the two files of a model, the comparison with training, the excerpt."""
import json
import os
import struct

import numpy as np

import integer

EXCERPT = 4000


def write_safetensors(path, tensors, metadata=None):
    """tensors {name: array}; uint16 holds the bits of bf16.  metadata {string: string}"""
    header, data, at = ({"__metadata__": metadata} if metadata else {}), [], 0
    for name, t in tensors.items():
        kind = {"int8": "I8", "int32": "I32", "uint8": "U8", "uint16": "BF16"}[str(t.dtype)]
        raw = np.ascontiguousarray(t).astype(t.dtype.newbyteorder("<")).tobytes()
        header[name] = {"dtype": kind, "shape": list(t.shape), "data_offsets": [at, at + len(raw)]}
        data.append(raw)
        at += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(data))


def sampling_tables(tau):
    """The tensors sampling.T: weight of a symbol whose logit lies 0, 1, ... below the largest."""
    return {f"sampling.{t}": np.floor(65535 * np.exp(-np.arange(4096) * tau / float(t)) + 0.5).astype(np.int32) for t in ("0.5", "0.7", "1.0")}


def sampling_line(tau):
    return f'sampling: {{logit_scale: {tau!r}, tables: {{"0.5": sampling.0.5, "0.7": sampling.0.7, "1.0": sampling.1.0}}}}'


def reported_line(bits):
    return f"reported: {{bits_per_character: {bits:.6f}}}     # streaming, whole held-out text (train_common/integer.py)"


def write_excerpt(folder, text):
    """heldout.txt: whole verses from the middle of the held-out text."""
    start = text.index("\n", 100000) + 1
    end = text.index("\n", start + EXCERPT - 100) + 1
    with open(os.path.join(folder, "heldout.txt"), "w") as f:
        f.write(text[start:end])


def export(folder, tensors, yaml_of, training_logits, text, compared=16384):
    """Write weights.safetensors, model.yaml and heldout.txt to `folder`.

    yaml_of(bits) makes the text of model.yaml; training_logits(tokens) is the training forward, [n, symbols].  The files
    are read back: the bits per character come from them, and `compared` rows of logits are compared with the training.
    """
    write_safetensors(os.path.join(folder, "weights.safetensors"), tensors)
    path = os.path.join(folder, "model.yaml")

    def write_yaml(bits):
        with open(path, "w") as f:
            f.write(yaml_of(bits))

    write_yaml(0)
    exported = integer.Model(path)
    tokens = exported.encode(text)
    z = integer.whole(exported, tokens)
    bits = integer.bits_per_character(exported, tokens, z)
    write_yaml(bits)
    trained = training_logits(tokens[:compared])
    different = (trained != z[:compared]).any(1).sum()
    print(f"rows that differ between the training forward and the exported integers: {different} of {compared}; {bits:.6f} bits per character")

    write_excerpt(folder, text)
    print("now run: integer.py bits ../heldout.txt --json ../heldout.json; integer.py bits data/heldout.txt")
    assert different == 0
