"""Train the kjv-ternary model: exact integers in the forward pass, straight-through gradients.

    OMP_NUM_THREADS=1 /usr/bin/python3 train.py --steps 14000 --out model.pt

Every activation in the forward pass is an integer held in a float32 (all are far below 2^24, so every sum is
exact); train.py, train_common/integer.py and the compiled fabrics therefore compute the same numbers.
A latent float stands behind each integer parameter: weights are round(W / mean|W|) clamped to -1..1,
biases round(p * 2^shift), the embedding round(p * 32), the relative bias round(p * 4 * 2^shift).
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

V, D, HEADS, HD, FF, WINDOW = 32, 64, 4, 16, 256, 64


class Ternary(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w):
        return torch.clamp(torch.round(w / w.abs().mean()), -1, 1)

    @staticmethod
    def backward(ctx, g):
        return g


class RoundScaled(torch.autograd.Function):
    """round(p * scale), clamped to +-limit; the gradient is that of p * scale."""
    @staticmethod
    def forward(ctx, p, scale, limit):
        ctx.scale = scale
        return torch.clamp(torch.round(p * scale), -limit, limit)

    @staticmethod
    def backward(ctx, g):
        return g * ctx.scale, None, None


class Requantise(torch.autograd.Function):
    """clamp((u + half) >> shift, lo, hi); the gradient passes a little outside the range, too."""
    @staticmethod
    def forward(ctx, u, shift, lo, hi, below, above):
        y = torch.floor_((u + (2.0 ** (shift - 1) if shift else 0.0)).mul_(2.0 ** -shift))
        ctx.scale = 2.0 ** -shift
        ctx.save_for_backward((y >= lo - below) & (y <= hi + above))
        return y.clamp_(lo, hi)

    @staticmethod
    def backward(ctx, g):
        return (g * ctx.saved_tensors[0]).mul_(ctx.scale), None, None, None, None, None


class Model(torch.nn.Module):
    def __init__(self, config, seed):
        super().__init__()
        self.c = c = {**CONFIG, **config}
        torch.manual_seed(seed)
        P = torch.nn.Parameter
        self.embedding = P(torch.randn(V, D) * c["embedding_std"] / 32)
        self.w, self.b = torch.nn.ParameterDict(), torch.nn.ParameterDict()

        def weight(name, out, inp):
            self.w[name] = P((torch.randn(out, inp) * 0.5).clamp_(-1, 1))

        def bias(name, n, start=0.0):
            self.b[name] = P(torch.full((n,), start))

        for n in range(4):
            bias(f"{n}_input", D)
            if n % 2 == 0:
                for m in ("query", "key", "value", "output"):
                    weight(f"{n}_{m}", D, D)
                bias(f"{n}_query", D, 1.0)
                bias(f"{n}_key", D)
                bias(f"{n}_value", D)
                bias(f"{n}_mix", D)
                slope = torch.tensor(c["position_slopes"])[:, None]
                centre = torch.tensor(c["position_centres"])[:, None]
                self.b[f"{n}_position"] = P((c["position_top"] - slope * (torch.arange(WINDOW)[None, :] - centre).abs()).clamp(min=-c["position_floor"]) / 4)
            else:
                weight(f"{n}_up", FF, D)
                weight(f"{n}_down", D, FF)
                bias(f"{n}_up", FF)
        bias("head_input", D)
        weight("head", V, D)
        bias("head", V)
        self.log_tau = P(torch.tensor(math.log(c["tau"])))
        self.stats = None
        distance = torch.arange(WINDOW)[:, None] + WINDOW - torch.arange(2 * WINDOW)[None, :]
        self.index = torch.where((distance >= 0) & (distance < WINDOW), distance, torch.tensor(WINDOW))

    def integers(self):
        """All parameters as integers (in floats), by the short names used here."""
        s = self.c["shifts"]
        out = {"embedding": RoundScaled.apply(self.embedding, 32.0, 127)}
        for k, w in self.w.items():
            out[k + ".w"] = Ternary.apply(w)
        for k, p in self.b.items():
            scale = 4 * 2.0 ** s[k.replace("position", "score")] if "position" in k else (2.0 ** s[k] if k in s else 8.0)
            out[k + ".b"] = RoundScaled.apply(p, scale, 1 << 20)
        return out

    def note(self, name, u):
        if self.stats is not None:
            lo, hi, n, s2 = self.stats.get(name, (0, 0, 0, 0.0))
            self.stats[name] = (min(lo, int(u.min())), max(hi, int(u.max())), n + u.numel(), s2 + float((u.double() ** 2).sum()))

    def rq(self, p, name, u, lo, hi, margin=None):
        self.note(name, u)
        below, above = margin or self.c["margin_relu" if lo == 0 else "margin"]
        return Requantise.apply(u + p[name + ".b"] if name + ".b" in p else u, self.c["shifts"][name], lo, hi, below, above)

    def forward(self, tokens):
        """tokens [batch, time], time a multiple of 64 -> integer logits [batch, time, 32]."""
        c, p = self.c, self.integers()
        batch, time_ = tokens.shape
        blocks = time_ // WINDOW
        hk, hv = 2 ** (c["kb"] - 1) - 1, 2 ** (c["vb"] - 1) - 1
        x = p["embedding"][tokens.reshape(-1)]

        def heads(y):  # [batch*time, 64] -> [batch, head, block, 64, 16]
            return y.view(batch, blocks, WINDOW, HEADS, HD).permute(0, 3, 1, 2, 4)

        def two_blocks(y):  # the previous block and this one; zeros before the start
            return torch.cat([F.pad(y[:, :, :-1], (0, 0, 0, 0, 1, 0)), y], dim=3)

        for n in range(4):
            self.note(f"{n}_residual", x)
            a = self.rq(p, f"{n}_input", x, -7, 7)
            if n % 2 == 0:
                q = self.rq(p, f"{n}_query", a @ p[f"{n}_query.w"].t(), 0, 15)
                k = self.rq(p, f"{n}_key", a @ p[f"{n}_key.w"].t(), -hk, hk)
                v = self.rq(p, f"{n}_value", a @ p[f"{n}_value.w"].t(), -hv, hv)
                position = F.pad(p[f"{n}_position.b"], (0, 1), value=-1e5)[:, self.index]
                score = heads(q) @ two_blocks(heads(k)).transpose(-1, -2) + position[None, :, None]
                if self.stats is not None:
                    self.note(f"{n}_score_unmasked", score[score > -5e4])
                e = Requantise.apply(score, c["shifts"][f"{n}_score"], 0, c["emax"], *c["margin_score"])
                if self.stats is not None:
                    self.note(f"{n}_weight_sum", e.sum(-1))
                mix = (e @ two_blocks(heads(v))).permute(0, 2, 3, 1, 4).reshape(-1, D)
                o = self.rq(p, f"{n}_mix", mix, -7, 7)
                y = o @ p[f"{n}_output.w"].t()
                self.note(f"{n}_output", y)
            else:
                h = self.rq(p, f"{n}_up", a @ p[f"{n}_up.w"].t(), 0, 15)
                y = h @ p[f"{n}_down.w"].t()
                self.note(f"{n}_down", y)
            x = x + y
        self.note("head_residual", x)
        a = self.rq(p, "head_input", x, -7, 7)
        z = a @ p["head.w"].t() + p["head.b"]
        self.note("logits", z)
        return z.view(batch, time_, V)


CONFIG = dict(
    kb=2, vb=2, emax=15, tau=0.02, embedding_std=24.0,
    # the relative bias starts, in units of e, at top - slope * |distance - centre|, at least -floor
    position_top=6.0, position_floor=6.0, position_slopes=[6.0, 4.0, 2.0, 0.5], position_centres=[1, 2, 4, 0],
    # how far outside its range (below, above) a clamp still passes the gradient: 0 was best by far
    margin=(0, 0), margin_relu=(0, 0), margin_score=(0, 0),
    shifts={"0_input": 3, "0_query": 3, "0_key": 4, "0_value": 4, "0_score": 4, "0_mix": 2,
            "1_input": 4, "1_up": 3,
            "2_input": 4, "2_query": 3, "2_key": 4, "2_value": 4, "2_score": 4, "2_mix": 2,
            "3_input": 4, "3_up": 3, "head_input": 4})


def load(path):
    with open(path) as f:
        return torch.tensor(corpus.encode(f.read()))


def evaluate(model, data, limit):
    """Bits per character of one stream of `limit` characters (the banded attention is the streaming form exactly)."""
    data = data[:limit]
    with torch.no_grad():
        n = len(data) // WINDOW * WINDOW
        z = model(data[None, :n])[0, :-1] * model.log_tau.exp()
        return F.cross_entropy(z, data[1:n]).item() / math.log(2)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--data", default="data")
    a.add_argument("--steps", type=int, default=14000)
    a.add_argument("--stop", type=int, help="stop after this many steps of the schedule")
    a.add_argument("--batch", type=int, default=8)
    a.add_argument("--time", type=int, default=256)
    a.add_argument("--rate", type=float, default=3e-2)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--out", default="model.pt")
    a.add_argument("--report", type=int, default=250, help="steps between reports")
    a.add_argument("--start", help="continue from this checkpoint's parameters")
    a.add_argument("--set", nargs="*", default=[], help="config entries, key=json; a shift as NAME=number")
    a.add_argument("--ranges", action="store_true", help="print the ranges seen at the end")
    args = a.parse_args()
    config = json.loads(json.dumps(CONFIG))
    for item in args.set:
        key, value = item.split("=")
        targets = [k for k in config["shifts"] if k == key or k[2:] == key]
        for t in targets:
            config["shifts"][t] = int(value)
        if not targets:
            assert key in config, key
            config[key] = json.loads(value)
    train, heldout = load(os.path.join(args.data, "train.txt")), load(os.path.join(args.data, "heldout.txt"))
    model = Model(config, args.seed)
    if args.start:
        saved = torch.load(args.start)
        model.load_state_dict(saved["model"])
        print("continues from step", saved["step"])
    print(json.dumps(config), flush=True)
    optimiser = torch.optim.Adam(model.parameters(), lr=args.rate, eps=1e-12, foreach=True)
    random = np.random.RandomState(args.seed)
    offsets = torch.arange(args.time + 1)[None, :]
    began, total = time.time(), 0.0
    model.stats = {}
    evaluate(model, heldout, 4096)
    if args.ranges:
        print_ranges(model)
    model.stats = None
    last = args.stop or args.steps
    for step in range(last):
        rate = args.rate * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * step / args.steps) + 1e-3)
        for group in optimiser.param_groups:
            group["lr"] = rate
        at = torch.from_numpy(random.randint(0, len(train) - args.time - 1, (args.batch, 1)))
        window = train[at + offsets]
        z = model(window[:, :-1])
        loss = F.cross_entropy(z.reshape(-1, V) * model.log_tau.exp(), window[:, 1:].reshape(-1))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            for w in model.w.values():
                w.clamp_(-1, 1)
        total += loss.item() / math.log(2)
        if (step + 1) % args.report == 0 or step + 1 == last:
            done = (step % args.report) + 1
            print(f"step {step + 1} train {total / done:.4f} heldout {evaluate(model, heldout, 32768):.4f} "
                  f"tau {model.log_tau.exp().item():.4f} {time.time() - began:.0f} s", flush=True)
            total = 0.0
            torch.save({"model": model.state_dict(), "config": config, "args": vars(args), "step": step + 1}, args.out)
    if args.ranges:
        model.stats = {}
        evaluate(model, heldout, 32768)
        print_ranges(model)


def print_ranges(model):
    for name, (lo, hi, n, s2) in model.stats.items():
        print(f"  {name:20s} {lo:7d} .. {hi:6d}  rms {math.sqrt(s2 / n):.1f}")


if __name__ == "__main__":
    main()
