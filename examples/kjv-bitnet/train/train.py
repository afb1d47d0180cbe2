"""Train kjv-bitnet: the layer graph of BitNet b1.58 2B4T, small, on characters of the King James text.

    /usr/bin/python3 train.py --minutes 35 --out model.pt         README.md names the environment that makes it fast

Weights are w = clamp(round(W / mean|W|), -1, 1) * mean|W|, and the input of every ternary matrix is int8 with one absmax scale
a token; gradients pass both roundings unchanged. Norms with gain, sub-norms before the output and down matrices,
relu(gate)^2 * up, rotary positions (component j pairs with j + half), grouped-query attention, head tied to the embedding.

The functions below have hand-written gradients because on one CPU core the time goes into passes over memory, not into products.
"""
import argparse
import json
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "train_common"))
import corpus  # noqa: E402

CONFIG = dict(vocab_size=32, hidden_size=128, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2, head_dim=32,
              intermediate_size=384, rope_theta=500000.0, rms_norm_eps=1e-5)
SCALE_FLOOR = 1e-5                                  # of absmax and of mean|W|, as the public implementation has it


def ternary_codes(w):
    """-> the codes -1, 0, 1 (floats) of a latent matrix and the scale mean|W|."""
    scale = w.abs().mean().clamp(min=SCALE_FLOOR)
    return (w / scale).round_().clamp_(-1, 1), scale


class Ternary(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w):
        codes, scale = ternary_codes(w)
        return codes.mul_(scale)

    @staticmethod
    def backward(ctx, g):
        return g


class Norm(torch.autograd.Function):
    """RMSNorm with gain over the last axis; int8 says whether absmax quantisation follows (its gradient is the identity)."""
    @staticmethod
    def forward(ctx, x, gain, eps, int8):
        r = torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)
        unit = x * r
        ctx.save_for_backward(unit, r, gain)
        y = unit * gain
        if int8:
            step = y.abs().amax(-1, keepdim=True).clamp_(min=SCALE_FLOOR).mul_(1 / 127)
            y = y.div_(step).round_().mul_(step)
        return y

    @staticmethod
    def backward(ctx, g):
        unit, r, gain = ctx.saved_tensors
        along = g * unit
        d_gain = along.reshape(-1, along.shape[-1]).sum(0)
        mean = (along @ gain).unsqueeze(-1) / gain.numel()
        return (g * gain).sub_(unit * mean).mul_(r), d_gain, None, None


class Attention(torch.autograd.Function):
    """softmax(q k^T / sqrt(width) + mask) v for q [n, rows, width], k and v [n, time, width], mask [rows, time]."""
    @staticmethod
    def forward(ctx, q, k, v, mask):
        ctx.scale = 1 / math.sqrt(q.shape[-1])
        p = torch.baddbmm(mask, q, k.transpose(1, 2), alpha=ctx.scale).softmax(-1)
        o = p @ v
        ctx.save_for_backward(q, k, v, p, o)
        return o

    @staticmethod
    def backward(ctx, g):
        q, k, v, p, o = ctx.saved_tensors
        ds = torch.baddbmm((g * o).sum(-1, keepdim=True), g, v.transpose(1, 2), beta=-1).mul_(p).mul_(ctx.scale)
        return ds @ k, ds.transpose(1, 2) @ q, p.transpose(1, 2) @ g, None


class Gate(torch.autograd.Function):
    """relu(gate)^2 * up"""
    @staticmethod
    def forward(ctx, gate, up):
        r = gate.relu()
        ctx.save_for_backward(r, up)
        return (r * r).mul_(up)

    @staticmethod
    def backward(ctx, g):
        r, up = ctx.saved_tensors
        gr = g * r
        return (gr * up).mul_(2), gr.mul_(r)


class Model(torch.nn.Module):
    """Parameters have the tensor names of the Hugging Face layout, with "/" for "."."""
    def __init__(self, config, seed):
        super().__init__()
        self.c = c = {**CONFIG, **config}
        torch.manual_seed(seed)
        d, ff, hd = c["hidden_size"], c["intermediate_size"], c["head_dim"]
        q, kv = c["num_attention_heads"] * hd, c["num_key_value_heads"] * hd
        self.p = torch.nn.ParameterDict()

        def add(name, value):
            self.p[name.replace(".", "/")] = torch.nn.Parameter(value)

        def matrix(name, out, inp, gain=1.0):
            add(name + ".weight", torch.randn(out, inp) * gain / math.sqrt(inp))

        add("model.embed_tokens.weight", torch.randn(c["vocab_size"], d) * 0.15)
        for n in range(c["num_hidden_layers"]):
            pre = f"model.layers.{n}."
            matrix(pre + "self_attn.q_proj", q, d)
            matrix(pre + "self_attn.k_proj", kv, d)
            matrix(pre + "self_attn.v_proj", kv, d)
            matrix(pre + "self_attn.o_proj", d, q, 0.5)
            matrix(pre + "mlp.gate_proj", ff, d)
            matrix(pre + "mlp.up_proj", ff, d)
            matrix(pre + "mlp.down_proj", d, ff, 0.5)
            for name, size in (("input_layernorm", d), ("self_attn.attn_sub_norm", q), ("post_attention_layernorm", d), ("mlp.ffn_sub_norm", ff)):
                add(pre + name + ".weight", torch.ones(size))
        add("model.norm.weight", torch.ones(d))
        self.tables = {}

    def tensors(self):
        """-> {Hugging Face name: parameter}"""
        return {name.replace("/", "."): p for name, p in self.p.items()}

    def positions(self, time_):
        """-> cos and sin [time, head_dim / 2] and the mask [queries of a key head * time, time]"""
        if time_ not in self.tables:
            hd = self.c["head_dim"]
            inverse = self.c["rope_theta"] ** (-torch.arange(0, hd, 2, dtype=torch.float64) / hd)
            angle = torch.arange(time_, dtype=torch.float64)[:, None] * inverse
            mask = torch.full((time_, time_), -1e9).triu(1).repeat(self.c["num_attention_heads"] // self.c["num_key_value_heads"], 1)
            self.tables[time_] = angle.cos().float(), angle.sin().float(), mask
        return self.tables[time_]

    def forward(self, tokens):
        """tokens [batch, time] -> logits [batch, time, vocabulary]"""
        c = self.c
        batch, time_ = tokens.shape
        heads, kv, hd = c["num_attention_heads"], c["num_key_value_heads"], c["head_dim"]
        cos, sin, mask = self.positions(time_)

        def norm(x, name, int8=True):
            return Norm.apply(x, self.p[f"{pre}{name}/weight"], c["rms_norm_eps"], int8)

        def linear(x, *names):
            """One product for matrices that share an input."""
            w = [Ternary.apply(self.p[f"{pre}{name}_proj/weight"]) for name in names]
            return F.linear(x, torch.cat(w) if len(w) > 1 else w[0])

        def rotate(x):
            a, b = x[..., :hd // 2], x[..., hd // 2:]
            return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

        embedding = self.p["model/embed_tokens/weight"]
        x = F.embedding(tokens, embedding)
        for n in range(c["num_hidden_layers"]):
            pre = f"model/layers/{n}/"
            u = linear(norm(x, "input_layernorm"), "self_attn/q", "self_attn/k", "self_attn/v")
            u = u.view(batch, time_, heads + 2 * kv, hd).transpose(1, 2)
            qk = rotate(u[:, :heads + kv])
            q = qk[:, :heads].reshape(batch * kv, heads // kv * time_, hd)
            k = qk[:, heads:].reshape(batch * kv, time_, hd)
            v = u[:, heads + kv:].reshape(batch * kv, time_, hd)
            o = Attention.apply(q, k, v, mask).view(batch, heads, time_, hd).transpose(1, 2).reshape(batch, time_, heads * hd)
            x = x + linear(norm(o, "self_attn/attn_sub_norm"), "self_attn/o")
            gate, up = linear(norm(x, "post_attention_layernorm"), "mlp/gate", "mlp/up").chunk(2, -1)
            x = x + linear(norm(Gate.apply(gate, up), "mlp/ffn_sub_norm"), "mlp/down")
        pre = "model/"
        return F.linear(norm(x, "norm", int8=False), embedding)


def load(path):
    with open(path) as f:
        return torch.tensor(corpus.encode(f.read()))


def evaluate(model, data, windows, time_):
    """Bits per character of windows without overlap, spread over the text, each from an empty cache."""
    span = (len(data) - time_ - 1) // windows
    with torch.no_grad():
        total = 0.0
        for i in range(0, windows, 8):
            t = torch.stack([data[j * span:j * span + time_ + 1] for j in range(i, i + 8)])
            total += F.cross_entropy(model(t[:, :-1]).flatten(0, 1), t[:, 1:].flatten()).item()
    return total / (windows / 8) / math.log(2)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--data", default="data")
    a.add_argument("--steps", type=int, default=10 ** 9)
    a.add_argument("--minutes", type=float, default=1e9, help="the rate falls with whichever of steps and minutes is further on")
    a.add_argument("--batch", type=int, default=4)
    a.add_argument("--time", type=int, default=256)
    a.add_argument("--rate", type=float, default=4e-3, help="falls linearly to 0")
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--report", type=int, default=250, help="steps between reports")
    a.add_argument("--set", nargs="*", default=[], help="configuration entries, key=number")
    a.add_argument("--out", default="model.pt")
    args = a.parse_args()
    torch.set_num_threads(1)
    config = {k: int(v) for k, v in (s.split("=") for s in args.set)}
    text, heldout = (load(os.path.join(args.data, name + ".txt")) for name in ("train", "heldout"))
    model = Model(config, args.seed)
    print(json.dumps({**vars(args), "config": model.c}), flush=True)
    adam = torch.optim.Adam(model.parameters(), lr=args.rate, betas=(0.9, 0.98), foreach=True)
    random, offsets = np.random.RandomState(args.seed), torch.arange(args.time + 1)[None]
    began, total, last, step, done = time.time(), 0.0, 0, 0, 0.0
    while done < 1:
        done = max((step + 1) / args.steps, (time.time() - began) / 60 / args.minutes)
        for group in adam.param_groups:
            group["lr"] = args.rate * min(1, (step + 1) / 100) * max(0.0, 1 - done)
        t = text[torch.from_numpy(random.randint(0, len(text) - args.time - 1, (args.batch, 1))) + offsets]
        loss = F.cross_entropy(model(t[:, :-1]).flatten(0, 1), t[:, 1:].flatten())
        adam.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        total += loss.item() / math.log(2)
        step += 1
        if step % args.report == 0 or done >= 1:
            print(f"step {step} done {done:.3f} train {total / (step - last):.4f} heldout {evaluate(model, heldout, 16, args.time):.4f} "
                  f"{time.time() - began:.0f} s", flush=True)
            total, last = 0.0, step
            torch.save({"model": model.state_dict(), "config": model.c, "args": vars(args), "step": step}, args.out)


if __name__ == "__main__":
    main()
