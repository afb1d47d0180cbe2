"""Train the kjv-binary model: exact integers in the forward pass, straight-through gradients.

    OMP_NUM_THREADS=1 /usr/bin/python3 train.py --minutes 22 --out base.pt

Every activation in the forward pass is an integer held in a float32 (all are far below 2^24, so every sum is exact);
train.py, ../../train_common/integer.py and the compiled fabrics therefore compute the same numbers.
A latent float stands behind each integer parameter: a weight is +1 where its latent is >= 0 and -1 elsewhere,
thresholds, tables and relative biases are round(p * scale).
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

V = 32


class Binary(torch.autograd.Function):
    """+1 where the latent is >= 0, else -1; the gradient passes as it is (the latents are kept in -1..1)."""
    @staticmethod
    def forward(ctx, w):
        return (w >= 0).float().mul_(2).sub_(1)

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


class Sign(torch.autograd.Function):
    """bit(u) = u >= 0 ? +1 : -1; the gradient is that of clamp(u / w, -1, 1) with w = width * mean|u|."""
    @staticmethod
    def forward(ctx, u, width):
        size = u.abs()
        w = max(width * size.mean().item(), 0.5)
        ctx.scale = 1 / w
        ctx.save_for_backward(size <= w)
        return (u >= 0).float().mul_(2).sub_(1)

    @staticmethod
    def backward(ctx, g):
        return (g * ctx.saved_tensors[0]).mul_(ctx.scale), None


class Step(torch.autograd.Function):
    """clamp(u, 0, 1) of an integer; the gradient is that of a ramp from 0 to 1 over 0.5 - half .. 0.5 + half."""
    @staticmethod
    def forward(ctx, u, half):
        ctx.half = half
        ctx.save_for_backward((u - 0.5).abs_() <= half)
        return torch.clamp(u, 0, 1)

    @staticmethod
    def backward(ctx, g):
        return (g * ctx.saved_tensors[0]).mul_(0.5 / ctx.half), None


class Model(torch.nn.Module):
    def __init__(self, config, seed):
        super().__init__()
        self.c = c = {**CONFIG, **config}
        torch.manual_seed(seed)
        P = torch.nn.Parameter
        d, window = c["width"], c["window"]
        self.w, self.b = torch.nn.ParameterDict(), torch.nn.ParameterDict()
        self.tables = P(torch.randn(c["tables"], V, d) * c["embedding_std"] / c["table_scale"])

        def weight(name, out, inp):
            self.w[name] = P((torch.randn(out, inp) * c["weight_std"]).clamp_(-1, 1))

        def bias(name, n):
            self.b[name] = P(torch.zeros(n))

        for n in range(2 * c["blocks"]):
            bias(f"{n}_input", d)
            if n % 2 == 0:
                weight(f"{n}_qkv", 3 * d, d)
                weight(f"{n}_output", d, d)
                bias(f"{n}_qkv", 3 * d)
                bias(f"{n}_mix", d)
                centre = torch.tensor(c["position_centres"][n // 2], dtype=torch.float)[:, None]
                slope = torch.tensor(c["position_slopes"], dtype=torch.float)[:, None]
                top = torch.tensor(c["position_tops"], dtype=torch.float)[:, None]
                start = top - slope * (torch.arange(window)[None, :] - centre).abs()
                self.b[f"{n}_position"] = P(start.clamp(min=-c["position_floor"]) / c["position_scale"])
            else:
                weight(f"{n}_up", c["hidden"], d)
                weight(f"{n}_down", d, c["hidden"])
                bias(f"{n}_up", c["hidden"])
        bias("wide_input", d)
        weight("wide", c["wide"], d)
        bias("wide", c["wide"])
        weight("head", V, c["wide"])
        bias("head", V)
        self.log_tau = P(torch.tensor(math.log(c["tau"])))
        self.stats = None
        distance = torch.arange(window)[:, None] + window - torch.arange(2 * window)[None, :]
        self.index = torch.where((distance >= 0) & (distance < window), distance, torch.tensor(window))

    def integers(self):
        """All parameters as integers (in floats), by the short names used here."""
        c = self.c
        out = {"tables": RoundScaled.apply(self.tables, c["table_scale"], 127)}
        for k, w in self.w.items():
            out[k + ".w"] = Binary.apply(w)
        for k, p in self.b.items():
            kind = k.split("_")[-1]
            out[k + ".b"] = RoundScaled.apply(p, c["position_scale"] if kind == "position" else c["mix_scale"] if kind == "mix" else c["bias_scale"], 1 << 20)
        return out

    def note(self, name, u):
        if self.stats is not None:
            lo, hi, n, s2 = self.stats.get(name, (0, 0, 0, 0.0))
            self.stats[name] = (min(lo, int(u.min())), max(hi, int(u.max())), n + u.numel(), s2 + float((u.double() ** 2).sum()))

    def sign(self, p, name, u):
        self.note(name, u)
        return Sign.apply(u + p[name + ".b"], self.c["sign_width"])

    def forward(self, tokens):
        """tokens [batch, time], time a multiple of the window -> integer logits [batch, time, 32]."""
        c, p = self.c, self.integers()
        batch, time_ = tokens.shape
        d, heads, window = c["width"], c["heads"], c["window"]
        blocks = time_ // window
        # One look-up in all tables: row V of each is the absent token before the start.
        padded = F.pad(tokens, (c["tables"] - 1, 0), value=V)
        tables = F.pad(p["tables"], (0, 0, 0, 1))
        x = sum(F.embedding(padded[:, c["tables"] - 1 - j:c["tables"] - 1 - j + time_], tables[j]) for j in range(c["tables"])).view(-1, d)

        def split(y):  # [batch*time, d] -> [batch, head, block, window, d / heads]
            return y.view(batch, blocks, window, heads, d // heads).permute(0, 3, 1, 2, 4)

        def two_blocks(y):  # the previous block and this one; zeros before the start
            return torch.cat([F.pad(y[:, :, :-1], (0, 0, 0, 0, 1, 0)), y], dim=3)

        # Zeros before the start are no keys: their score is the position's bias alone, so they are masked as well.
        before = torch.zeros(blocks, 1, 2 * window)
        before[0, :, :window] = -1e5
        for n in range(2 * c["blocks"]):
            self.note(f"{n}_residual", x)
            a = self.sign(p, f"{n}_input", x)
            if n % 2 == 0:
                q, k, v = self.sign(p, f"{n}_qkv", a @ p[f"{n}_qkv.w"].t()).view(-1, 3, d).unbind(1)
                q, k, v = (y.reshape(-1, d) for y in (q, k, v))
                position = F.pad(p[f"{n}_position.b"], (0, 1), value=-1e5)[:, self.index]
                score = split(q) @ two_blocks(split(k)).transpose(-1, -2) + position[None, :, None] + before
                if self.stats is not None:
                    self.note(f"{n}_score", score[score > -5e4])
                e = Step.apply(score, c["step_half"])
                if self.stats is not None:
                    self.note(f"{n}_weight_sum", e.sum(-1))
                mix = (e @ two_blocks(split(v))).permute(0, 2, 3, 1, 4).reshape(-1, d)
                y = self.sign(p, f"{n}_mix", mix) @ p[f"{n}_output.w"].t()
            else:
                y = self.sign(p, f"{n}_up", a @ p[f"{n}_up.w"].t()) @ p[f"{n}_down.w"].t()
            self.note(f"{n}_added", y)
            x = x + y
        self.note("wide_residual", x)
        wide = self.sign(p, "wide", self.sign(p, "wide_input", x) @ p["wide.w"].t())
        z = wide @ p["head.w"].t() + p["head.b"]
        self.note("logits", z)
        return z.view(batch, time_, V)


CONFIG = dict(
    width=128, blocks=2, heads=4, window=32, hidden=512, wide=512, tables=4, tau=0.03,
    embedding_std=12.0, table_scale=32.0, bias_scale=8.0, mix_scale=2.0, position_scale=8.0, weight_std=0.3,
    # surrogate gradients: half width of the sign in mean |u|, half width of the attention threshold
    sign_width=1.6, step_half=8.0,
    # the relative bias starts at top - slope * |distance - centre|, at least -floor
    position_tops=[12, 12, 12, -2], position_slopes=[20, 10, 5, 0.4], position_floor=12,
    position_centres=[[2, 4, 8, 0], [1, 2, 4, 0]])


def load(path):
    with open(path) as f:
        return torch.tensor(corpus.encode(f.read()))


def evaluate(model, data, limit):
    """Bits per character of one stream of `limit` characters (the banded attention is the streaming form exactly)."""
    data = data[:limit]
    with torch.no_grad():
        n = len(data) // model.c["window"] * model.c["window"]
        z = model(data[None, :n])[0, :-1] * model.log_tau.exp()
        return F.cross_entropy(z, data[1:n]).item() / math.log(2)


def print_ranges(model):
    for name, (lo, hi, n, s2) in model.stats.items():
        print(f"  {name:20s} {lo:7d} .. {hi:6d}  rms {math.sqrt(s2 / n):.1f}")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--data", default="data")
    a.add_argument("--steps", type=int, default=8000)
    a.add_argument("--minutes", type=float, help="the schedule follows this time instead of the steps")
    a.add_argument("--batch", type=int, default=4)
    a.add_argument("--time", type=int, default=256)
    a.add_argument("--rate", type=float, default=2e-2)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--out", default="model.pt")
    a.add_argument("--report", type=int, default=250, help="steps between reports")
    a.add_argument("--start", help="continue from this checkpoint's parameters")
    a.add_argument("--set", nargs="*", default=[], help="config entries, key=json")
    a.add_argument("--ranges", action="store_true", help="print the ranges seen")
    args = a.parse_args()
    config = json.loads(json.dumps(CONFIG))
    for item in args.set:
        key, value = item.split("=")
        assert key in config, key
        config[key] = json.loads(value)
    train, heldout = load(os.path.join(args.data, "train.txt")), load(os.path.join(args.data, "heldout.txt"))
    model = Model(config, args.seed)
    if args.start:
        model.load_state_dict(torch.load(args.start)["model"])
    print(json.dumps(config), sum(w.numel() for w in model.w.values()), "weights", flush=True)
    optimiser = torch.optim.Adam(model.parameters(), lr=args.rate, eps=1e-12, foreach=True)
    random = np.random.RandomState(args.seed)
    offsets = torch.arange(args.time + 1)[None, :]
    began, total, step, done = time.time(), 0.0, 0, 0.0
    if args.ranges:
        model.stats = {}
        evaluate(model, heldout, 4096)
        print_ranges(model)
        model.stats = None
    while done < 1:
        done = (time.time() - began) / 60 / args.minutes if args.minutes else step / args.steps
        rate = args.rate * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * min(done, 1)) + 1e-3)
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
        step += 1
        if step % args.report == 0 or done >= 1:
            print(f"step {step} train {total / ((step - 1) % args.report + 1):.4f} heldout {evaluate(model, heldout, 32768):.4f} "
                  f"tau {model.log_tau.exp().item():.4f} {time.time() - began:.0f} s", flush=True)
            total = 0.0
            torch.save({"model": model.state_dict(), "config": config, "args": vars(args), "step": step}, args.out)
    if args.ranges:
        model.stats = {}
        evaluate(model, heldout, 32768)
        print_ranges(model)


if __name__ == "__main__":
    main()
