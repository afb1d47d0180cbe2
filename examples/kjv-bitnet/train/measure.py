"""Read the exported files with code of their own and evaluate them in float64.

    python3 measure.py TEXT.txt [--model ..] [--window 256] [--json OUT.json]       bits per character
    python3 measure.py --compare ../kjv-bitnet-q2_0.gguf                            the same tensors in both files?
    python3 measure.py --sample "in the beginning " [--length 200] [--temperature 0.7] [--seed 1]       (0: greedy)

--model is a Hugging Face folder or a GGUF file. A text is cut into windows without overlap, the last one may be shorter; every
window starts with an empty cache, and its first character is not scored. Nothing here knows train.py or export.py.
"""
import argparse
import json
import math
import os
import struct

import numpy as np


def bf16_to_float(raw):
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32).astype(float)


# A model: configuration (names as in config.json), symbols by id, tensors {Hugging Face name: float64} where a ternary matrix is
# (codes, scale).

def read_folder(path):
    def load(name):
        with open(os.path.join(path, name)) as f:
            return json.load(f)

    config, vocab = load("config.json"), load("tokenizer.json")["model"]["vocab"]
    assert config["quantization_config"]["linear_class"] == "autobitlinear"
    with open(os.path.join(path, "model.safetensors"), "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    raw = {n: (h["dtype"], h["shape"], data[h["data_offsets"][0]:h["data_offsets"][1]]) for n, h in header.items() if n != "__metadata__"}
    tensors = {}
    for name, (kind, shape, bytes_) in raw.items():
        if kind == "U8":
            packed = np.frombuffer(bytes_, np.uint8).reshape(shape)
            codes = np.concatenate([(packed >> shift & 3).astype(float) - 1 for shift in (0, 2, 4, 6)])
            tensors[name] = codes, bf16_to_float(raw[name + "_scale"][2])[0]
        elif not name.endswith("_scale"):
            tensors[name] = bf16_to_float(bytes_).reshape(shape)
    return config, sorted(vocab, key=vocab.get), tensors


class Bytes:
    """A cursor over a GGUF file."""
    SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, kind):
        v, = struct.unpack_from("<" + kind, self.data, self.at)
        self.at += struct.calcsize("<" + kind)
        return v

    def string(self):
        n = self.take("Q")
        self.at += n
        return self.data[self.at - n:self.at].decode()

    def value(self, kind):
        if kind == 8:
            return self.string()
        if kind == 9:
            element, n = self.take("i"), self.take("Q")
            return [self.value(element) for _ in range(n)]
        return self.take(self.SCALARS[kind])


GGUF_TO_FOLDER = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
                  "attn_sub_norm": "self_attn.attn_sub_norm", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
                  "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_sub_norm": "mlp.ffn_sub_norm", "ffn_down": "mlp.down_proj"}


def gguf_tensor(data, kind, shape):
    count = math.prod(shape)
    if kind == 0:
        return np.frombuffer(data, "<f4", count).astype(float).reshape(shape)
    if kind == 30:
        return bf16_to_float(data[:2 * count]).reshape(shape)
    assert kind == 42, "only F32, BF16 and Q2_0 are read here"
    blocks = np.frombuffer(data, np.uint8, count // 64 * 18).reshape(-1, 18)
    scales = np.unique(blocks[:, :2].copy().view("<f2"))
    assert len(scales) == 1, "one scale a tensor"
    codes = np.stack([blocks[:, 2:] >> shift & 3 for shift in (0, 2, 4, 6)], -1).astype(float) - 1
    return codes.reshape(shape), float(scales[0])


def read_gguf(path):
    with open(path, "rb") as f:
        b = Bytes(f.read())
    assert b.take("4s") == b"GGUF" and b.take("I") == 3
    tensors, pairs = b.take("q"), b.take("q")
    m = {}
    for _ in range(pairs):
        key = b.string()
        m[key] = b.value(b.take("i"))
    infos = [(b.string(), [b.take("q") for _ in range(b.take("I"))][::-1], b.take("i"), b.take("Q")) for _ in range(tensors)]
    start = -(-b.at // m["general.alignment"]) * m["general.alignment"]
    out = {}
    for name, shape, kind, offset in infos:
        parts = name.split(".")
        if parts[0] == "blk":
            to = f"model.layers.{parts[1]}.{GGUF_TO_FOLDER[parts[2]]}.weight"
        else:
            to = {"token_embd": "model.embed_tokens.weight", "output_norm": "model.norm.weight"}[parts[0]]
        out[to] = gguf_tensor(b.data[start + offset:], kind, shape)
    a = m["general.architecture"]
    decimal = lambda v: float(str(np.float32(v)))    # the decimal number that was rounded to float32: 1e-5, not 9.9999997e-6
    config = {"hidden_size": m[f"{a}.embedding_length"], "num_hidden_layers": m[f"{a}.block_count"],
              "num_attention_heads": m[f"{a}.attention.head_count"], "num_key_value_heads": m[f"{a}.attention.head_count_kv"],
              "head_dim": m[f"{a}.attention.key_length"], "intermediate_size": m[f"{a}.feed_forward_length"],
              "rope_theta": decimal(m[f"{a}.rope.freq_base"]), "rms_norm_eps": decimal(m[f"{a}.attention.layer_norm_rms_epsilon"])}
    return config, m["tokenizer.ggml.tokens"], out


class Model:
    def __init__(self, path):
        self.c, symbols, self.t = read_folder(path) if os.path.isdir(path) else read_gguf(path)
        self.symbols = [{"\u010a": "\n", "\u0120": " "}.get(s, s) for s in symbols]

    def encode(self, text):
        return np.array([self.symbols.index(c) for c in text])

    def logits(self, tokens):
        """tokens [batch, time] -> logits [batch, time, vocabulary], every window from an empty cache"""
        c, t = self.c, self.t
        batch, time = tokens.shape
        heads, kv, hd = c["num_attention_heads"], c["num_key_value_heads"], c["head_dim"]
        angle = np.arange(time)[:, None] * c["rope_theta"] ** (-np.arange(0, hd, 2) / hd)
        cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]

        def norm(x, name):
            return x / np.sqrt((x * x).mean(-1, keepdims=True) + c["rms_norm_eps"]) * t[name + ".weight"]

        def int8(x):
            """-> codes, value of one code"""
            step = np.maximum(np.abs(x).max(-1, keepdims=True), 1e-5) / 127
            return np.clip(np.rint(x / step), -128, 127), step

        def linear(x, name):
            (a, step), (codes, scale) = x, t[name + ".weight"]
            return a @ codes.T * (step * scale)

        def rotate(x):
            a, b = np.split(x, 2, -1)
            return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

        x = t["model.embed_tokens.weight"][tokens]
        future = np.triu(np.full((time, time), -np.inf), 1)
        for n in range(c["num_hidden_layers"]):
            pre = f"model.layers.{n}."
            a = int8(norm(x, pre + "input_layernorm"))
            q, k, v = (linear(a, pre + f"self_attn.{m}_proj").reshape(batch, time, -1, hd) for m in "qkv")
            q, k = rotate(q), rotate(k)
            o = np.empty_like(q)
            for h in range(heads):
                g = h // (heads // kv)
                for b in range(batch):
                    s = np.ascontiguousarray(q[b, :, h]) @ np.ascontiguousarray(k[b, :, g]).T / math.sqrt(hd) + future
                    s = np.exp(s - s.max(-1, keepdims=True))
                    o[b, :, h] = s / s.sum(-1, keepdims=True) @ np.ascontiguousarray(v[b, :, g])
            o = int8(norm(o.reshape(batch, time, -1), pre + "self_attn.attn_sub_norm"))
            x = x + linear(o, pre + "self_attn.o_proj")
            a = int8(norm(x, pre + "post_attention_layernorm"))
            gate = np.maximum(linear(a, pre + "mlp.gate_proj"), 0)
            h = int8(norm(gate * gate * linear(a, pre + "mlp.up_proj"), pre + "mlp.ffn_sub_norm"))
            x = x + linear(h, pre + "mlp.down_proj")
        return norm(x, "model.norm") @ t["model.embed_tokens.weight"].T


def evaluate(model, text, window):
    """-> {"bits_per_character", "characters", "predicted", "greedy_next_hits", ...}"""
    tokens = model.encode(text)
    whole = len(tokens) // window * window
    parts = list(tokens[:whole].reshape(-1, 1, window)) + ([tokens[None, whole:]] if whole < len(tokens) else [])
    bits, predicted, hits = 0.0, 0, 0
    for part in parts:
        z, following = model.logits(part)[:, :-1], part[:, 1:]
        z = z - z.max(-1, keepdims=True)
        p = z - np.log(np.exp(z).sum(-1, keepdims=True))
        bits -= np.take_along_axis(p, following[..., None], -1).sum() / math.log(2)
        predicted += following.size
        hits += int((z.argmax(-1) == following).sum())
    return {"bits_per_character": round(bits / predicted, 6), "characters": len(tokens), "predicted": predicted, "window": window,
            "form": f"float64; windows of {window} characters without overlap, the last one shorter, an empty cache at each, "
                    "the first character of each not scored",
            "greedy_next_hits": hits}


def sample(model, prompt, length, temperature, seed):
    random, tokens = np.random.RandomState(seed), list(model.encode(prompt))
    for _ in range(length):
        z = model.logits(np.array([tokens]))[0, -1]
        if temperature > 0:
            p = np.exp((z - z.max()) / temperature)
            tokens.append(int(random.choice(len(p), p=p / p.sum())))
        else:
            tokens.append(int(z.argmax()))
    return "".join(model.symbols[t] for t in tokens)


def differences(a, b):
    """-> what differs between two models, as a list of names"""
    bad = [k for k in (*a.t, *b.t) if k not in a.t or k not in b.t]
    bad += [k for k in a.t if k in b.t and not all(np.array_equal(x, y) for x, y in zip(a.t[k], b.t[k]))]
    bad += [k for k in ("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size",
                        "rope_theta", "rms_norm_eps") if a.c[k] != b.c[k]]
    return bad + ["symbols"] * (a.symbols != b.symbols)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    a = argparse.ArgumentParser()
    a.add_argument("text", nargs="?")
    a.add_argument("--model", default=os.path.join(here, ".."))
    a.add_argument("--window", type=int, default=256)
    a.add_argument("--json")
    a.add_argument("--compare")
    a.add_argument("--sample")
    a.add_argument("--length", type=int, default=200)
    a.add_argument("--temperature", type=float, default=0.7)
    a.add_argument("--seed", type=int, default=1)
    args = a.parse_args()
    model = Model(args.model)
    if args.compare:
        bad = differences(model, Model(args.compare))
        print("differs: " + ", ".join(bad) if bad else f"the same {len(model.t)} tensors, configuration and symbols")
        raise SystemExit(bool(bad))
    if args.sample:
        print(sample(model, args.sample, args.length, args.temperature, args.seed))
    if args.text:
        with open(args.text) as f:
            result = evaluate(model, f.read(), args.window)
        print(json.dumps(result, indent=1))
        if args.json:
            with open(args.json, "w") as f:
                f.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
