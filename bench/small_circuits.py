"""The circuits of tests/circuits: each in a netlist style of its own, and its truth by integer arithmetic that knows nothing of the netlist.

Everything here is the same bytes with any Python 3: integers only, and a random generator of our own.
"""
import os

from blif import Blif

FULL_TABLE = 12  # input bits up to which the truth has every row
VECTORS = 256


class Random:
    """The high half of a 64-bit linear congruential generator (Knuth, MMIX)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 32) * n >> 32

    def bits(self, n):
        return sum(self.below(2) << i for i in range(n))


def word(name, bits):
    return [f"{name}{i}" for i in range(bits)]


class Gates(Blif):
    """Gates that return the name of what they drive, a new one or `out`."""

    def gate(self, inputs, cubes, out=None):
        out = out or self.new()
        self.names(inputs, out, cubes)
        return out

    def off(self, inputs, cubes, out=None):
        """The cubes are where the gate is 0."""
        out = out or self.new()
        self.names(inputs, out, cubes, 0)
        return out

    def nand(self, a, b, out=None):
        return self.off([a, b], ["11"], out)

    def xor(self, a, b, out=None):
        return self.gate([a, b], ["10", "01"], out)

    def both(self, a, b, out=None):
        return self.gate([a, b], ["11"], out)

    def either(self, a, b, out=None):
        return self.gate([a, b], ["1-", "-1"], out)

    def mux(self, s, one, zero, out=None):
        return self.gate([s, one, zero], ["11-", "0-1"], out)

    def wire(self, a, out):
        return self.gate([a], ["1"], out)


def adder6():
    """Ripple of sum and majority covers."""
    a, b, y = word("a", 6), word("b", 6), word("y", 7)
    g = Gates("adder6", a + b, y)
    carry = g.both(a[0], b[0])
    g.xor(a[0], b[0], y[0])
    for i in range(1, 6):
        g.gate([a[i], b[i], carry], ["100", "010", "001", "111"], y[i])
        carry = g.gate([a[i], b[i], carry], ["11-", "1-1", "-11"], y[6] if i == 5 else None)
    return g, lambda x: (x & 63) + (x >> 6)


def prefix16():
    """Kogge and Stone's parallel prefixes, two inputs a gate, with a carry in."""
    a, b, y = word("a", 16), word("b", 16), word("y", 17)
    g = Gates("prefix16", a + b + ["cin"], y)
    p = [g.xor(a[i], b[i]) for i in range(16)]
    generate = [g.both(a[i], b[i]) for i in range(16)]
    generate[0] = g.either(generate[0], g.both(p[0], "cin"))
    all_p, distance = list(p), 1
    while distance < 16:
        previous, previous_p = list(generate), list(all_p)
        for i in range(distance, 16):
            generate[i] = g.either(previous[i], g.both(previous_p[i], previous[i - distance]))
            all_p[i] = g.both(previous_p[i], previous_p[i - distance])
        distance *= 2
    g.xor(p[0], "cin", y[0])
    for i in range(1, 16):
        g.xor(p[i], generate[i - 1], y[i])
    g.wire(generate[15], y[16])
    return g, lambda x: (x & 0xFFFF) + (x >> 16 & 0xFFFF) + (x >> 32)


def compare6():
    """Signed less, equal, greater: covers of the off-set, from the sign down."""
    a, b = word("a", 6), word("b", 6)
    g = Gates("compare6", a + b, ["less", "equal", "greater"])
    less, equal = g.off([a[5], b[5]], ["0-", "11"]), g.off([a[5], b[5]], ["10", "01"])
    for i in range(4, -1, -1):
        here = g.off([a[i], b[i]], ["1-", "-0"])
        less = g.off([less, equal, here], ["00-", "0-0"])
        equal = g.off([equal, a[i], b[i]], ["0--", "-10", "-01"])
    g.wire(less, "less")
    g.wire(equal, "equal")
    g.off(["less", "equal"], ["1-", "-1"], "greater")

    def truth(x):
        signed = [v - 64 if v >= 32 else v for v in (x & 63, x >> 6)]
        return (signed[0] < signed[1]) | (signed[0] == signed[1]) << 1 | (signed[0] > signed[1]) << 2

    return g, truth


def max4x8():
    """A tournament: borrows, then multiplexers; the index of the first largest word beside it."""
    words = [word(f"w{k}_", 8) for k in range(4)]
    g = Gates("max4x8", sum(words, []), word("y", 8) + ["i0", "i1"])

    def larger(a, b, names=None):
        borrow = g.gate([a[0], b[0]], ["01"])
        for i in range(1, 8):
            borrow = g.gate([a[i], b[i], borrow], ["01-", "0-1", "-11"])
        return borrow, [g.mux(borrow, b[i], a[i], names and names[i]) for i in range(8)]

    first, low = larger(words[0], words[1])
    second, high = larger(words[2], words[3])
    upper, _ = larger(low, high, word("y", 8))
    g.wire(upper, "i1")
    g.mux(upper, second, first, "i0")

    def truth(x):
        values = [x >> 8 * k & 255 for k in range(4)]
        return max(values) | values.index(max(values)) << 8

    return g, truth


def priority12():
    """Two levels: wide products with don't-cares, as a PLA has them. The lowest request wins."""
    r = word("r", 12)
    g = Gates("priority12", r, word("y", 4) + ["any"])
    for bit in range(4):
        g.gate(r, ["0" * i + "1" + "-" * (11 - i) for i in range(12) if i >> bit & 1], f"y{bit}")
    g.off(r, ["0" * 12], "any")
    return g, lambda x: ((x & -x).bit_length() - 1 | 16) if x else 0


def decode5():
    """Predecoded by NORs; products of both halves and the enable."""
    s, y = word("s", 5), word("y", 32)
    g = Gates("decode5", s + ["enable"], y)

    def nors(bits):
        return [g.off(bits, ["-" * i + str(1 - (v >> i & 1)) + "-" * (len(bits) - 1 - i) for i in range(len(bits))]) for v in range(1 << len(bits))]

    low, high = nors(s[:3]), nors(s[3:])
    for v in range(32):
        g.gate([low[v & 7], high[v >> 3], "enable"], ["111"], y[v])
    return g, lambda x: (x >> 5) << (x & 31)


def shift16():
    """Stages of multiplexers, from the largest step down: a rotation to the left, or a shift with zeros."""
    x, y = word("x", 16), word("y", 16)
    g = Gates("shift16", x + word("s", 4) + ["rotate"], y)
    now = list(x)
    for k in (3, 2, 1, 0):
        step = 1 << k
        now = [
            g.mux(f"s{k}", now[i - step] if i >= step else g.both(now[i - step], "rotate"), now[i], None if k else y[i]) for i in range(16)
        ]

    def truth(v):
        data, by, rotate = v & 0xFFFF, v >> 16 & 15, v >> 20
        return (data << by) & 0xFFFF | (data << by >> 16 if rotate else 0)

    return g, truth


def mult6():
    """NANDs of two inputs, nothing else: rows of partial products and of carry-save adders."""
    a, b, y = word("a", 6), word("b", 6), word("y", 12)
    g = Gates("mult6", a + b, y)

    def inverted(p):
        return g.nand(p, p)

    def half(p, q):
        n = g.nand(p, q)
        return g.nand(g.nand(p, n), g.nand(q, n)), n

    def add(p, q, r):
        s, n = half(p, q)
        t, m = half(s, r)
        return t, g.nand(n, m)

    columns = [[] for _ in range(12)]
    for i in range(6):
        for j in range(6):
            columns[i + j].append(inverted(g.nand(a[j], b[i])))
    for k in range(12):
        column = columns[k]
        while len(column) > 1:
            if len(column) > 2:
                s, c = add(*column[:3])
                column[:3] = []
            else:
                s, n = half(*column)
                c = inverted(n)
                column.clear()
            column.append(s)
            if k < 11:
                columns[k + 1].append(c)
        g.wire(column[0], y[k])
    return g, lambda x: (x & 63) * (x >> 6)


def vote11():
    """Full adders, and the nodes in reverse: readers before what they read. The count, and whether most are 1."""
    x = word("x", 11)
    g = Gates("vote11", x, word("c", 4) + ["most"])
    for i, bit in enumerate(g.total([x])):
        g.wire(bit, f"c{i}")
    g.gate(["c1", "c2", "c3"], ["11-", "--1"], "most")
    g.lines[3:] = reversed(g.lines[3:])
    return g, lambda v: bin(v).count("1") | (bin(v).count("1") >= 6) << 4


def count12():
    """A tree of ripple adders over words that grow."""
    x, y = word("x", 12), word("y", 4)
    g = Gates("count12", x, y)

    def plus(a, b):
        carry, total = None, []
        for p, q in zip(a, b):
            s, c = g.add([p, q, carry] if carry else [p, q])
            total, carry = total + [s], c
        return total + [carry]

    pairs = [plus([x[i]], [x[i + 1]]) for i in range(0, 12, 2)]
    fours = [plus(pairs[i], pairs[i + 1]) for i in (0, 2, 4)]
    eight = plus(fours[0], fours[1])
    low = plus(eight[:3], fours[2])
    for i in range(3):
        g.wire(low[i], y[i])
    g.either(low[3], eight[3], y[3])
    return g, lambda v: bin(v).count("1")


def alu4():
    """Units side by side, a sum of products that selects, and constants among the operands."""
    a, b, op, y = word("a", 4), word("b", 4), word("op", 3), word("y", 4)
    g = Gates("alu4", a + b + op, y + ["carry", "zero"])
    add, subtract, less = (g.gate(op, [cube]) for cube in ("000", "100", "011"))
    zero, one = g.gate([], []), g.gate([], [""])
    minus = g.either(subtract, less)
    carry, total = g.mux(minus, one, zero), []
    for i in range(4):
        operand = g.xor(b[i], minus)
        total.append(g.gate([a[i], operand, carry], ["100", "010", "001", "111"]))
        carry = g.gate([a[i], operand, carry], ["11-", "1-1", "-11"])
    for i in range(4):
        units = [
            g.both(a[i], b[i]),
            g.either(a[i], b[i]),
            g.xor(a[i], b[i]),
            g.gate([a[i], b[i]], ["00"]),
            g.gate([carry], ["0"]) if i == 0 else zero,
            b[i],
        ]
        g.gate([total[i], *units, *op], ["1-------00", "-1-----010", "--1----110", "---1---001", "----1--101", "-----1-011", "------1111"], y[i])
    g.gate([add, subtract, carry], ["1-1", "-11"], "carry")
    g.gate(y, ["0000"], "zero")

    def truth(x):
        p, q, operation = x & 15, x >> 4 & 15, x >> 8
        wide = [p + q, p + 16 - q, p & q, p | q, p ^ q, 15 & ~(p | q), int(p < q), q][operation]
        return wide & 31 | (wide & 15 == 0) << 5

    return g, truth


def sine8():
    """A table as minterms of whichever of 0 and 1 is rarer: a quarter wave, from 0 to 255."""
    x, y = word("x", 8), word("y", 8)
    g = Gates("sine8", x, y)

    def truth(v):
        unit = 10**30  # of an integer Taylor series
        angle = 3141592653589793238462643383279 * (2 * v + 1) // 1024
        total, term, k = 0, angle, 1
        while term:
            total, k = total + term, k + 2
            term = -term * angle // unit * angle // unit // (k * (k - 1))
            if abs(term) <= 1:
                break
        return (255 * total + unit // 2) // unit

    for i in range(8):
        bits = [truth(v) >> i & 1 for v in range(256)]
        rarer = int(2 * sum(bits) <= 256)
        minterms = ["".join(str(v >> k & 1) for k in range(8)) for v in range(256) if bits[v] == rarer]
        g.names(x, y[i], minterms, rarer)
    return g, truth


def sqrt10():
    """A binary decision diagram, a multiplexer a node: root and remainder."""
    x = word("x", 10)
    g = Gates("sqrt10", x, word("root", 5) + word("rest", 6))

    def truth(v):
        root = 0
        while (root + 1) ** 2 <= v:
            root += 1
        return root | (v - root * root) << 5

    nodes = {}

    def node(table, k):
        """`table` over the lowest k inputs, as the list of its bits."""
        if len(set(table)) == 1:
            table = table[:1]
        elif table[: len(table) // 2] == table[len(table) // 2 :]:
            return node(table[: len(table) // 2], k - 1)
        if table not in nodes:
            half = len(table) // 2
            if half == 0:
                nodes[table] = g.gate([], [""] if table[0] else [])
            else:
                nodes[table] = g.mux(x[k - 1], node(table[half:], k - 1), node(table[:half], k - 1))
        return nodes[table]

    for i, output in enumerate(word("root", 5) + word("rest", 6)):
        g.wire(node(tuple(truth(v) >> i & 1 for v in range(1024)), 10), output)
    return g, truth


def crc8():
    """Parities, as minterms of up to four inputs: CRC-8 (x^8 + x^2 + x + 1) of 16 bits behind a state."""
    g = Gates("crc8", word("d", 16) + word("c", 8), word("y", 8))

    def truth(v):
        crc = v >> 16
        for i in range(16):
            crc ^= (v >> i & 1) << 7
            crc = crc << 1 & 255 ^ (7 if crc >> 7 else 0)
        return crc

    odd = {n: [f"{v:0{n}b}" for v in range(1 << n) if bin(v).count("1") % 2] for n in range(1, 5)}
    inputs = word("d", 16) + word("c", 8)
    for i in range(8):
        terms = [inputs[k] for k in range(24) if truth(1 << k) >> i & 1]
        while len(terms) > 4:
            terms = terms[4:] + [g.gate(terms[:4], odd[4])]
        g.gate(terms, odd[len(terms)], f"y{i}")
    return g, truth


def control24():
    """Like control logic: sums of a few products with many don't-cares, of either polarity, some with constant parts."""
    random = Random(7)
    inputs, outputs = word("i", 24), word("o", 16)
    g = Gates("control24", inputs, outputs)
    rows, signals = [], list(inputs)
    for k in range(72):
        count = 2 + random.below(5)
        fanins = []
        while len(fanins) < count:
            signal = signals[random.below(len(signals)) if random.below(3) else max(0, len(signals) - 1 - random.below(12))]
            if signal not in fanins:
                fanins.append(signal)
        cubes = ["".join("01-"[random.below(4) % 3] for _ in fanins) for _ in range(1 + random.below(3))]
        value = int(random.below(4) > 0)
        out = f"o{k - 56}" if k >= 56 else g.new()
        rows.append((fanins, cubes, value, out))
        g.names(fanins, out, cubes, value)
        signals.append(out)

    def truth(v):
        at = {name: str(v >> i & 1) for i, name in enumerate(inputs)}
        for fanins, cubes, value, out in rows:
            hit = any(all(c in ("-", at[f]) for c, f in zip(cube, fanins)) for cube in cubes)
            at[out] = str(value if hit else 1 - value)
        return sum(int(at[o]) << i for i, o in enumerate(outputs))

    return g, truth


CIRCUITS = [adder6, prefix16, compare6, max4x8, priority12, decode5, shift16, mult6, vote11, count12, alu4, sine8, sqrt10, crc8, control24]


def vectors(bits):
    """Nothing, everything, single bits, words of all densities, and halves that are complements but for one bit (long carries)."""
    random, half = Random(bits), bits // 2
    rows = [0, (1 << bits) - 1] + [1 << i for i in range(bits)]
    while len(rows) < VECTORS:
        a, b = random.bits(bits), random.bits(bits)
        low = a & ((1 << half) - 1)
        mirror = low | ((1 << half) - 1 - low) << half | (a >> 2 * half) << 2 * half
        rows += [a, a & b, a | b, mirror ^ 1 << random.below(bits)]
    return rows[:VECTORS]


def truth_text(name, inputs, outputs, truth):
    lines = [f"# {name}.blif, by bench/circuits.py --small; README.md says how to read this", f"bits {inputs} {outputs}"]
    if inputs <= FULL_TABLE:
        rows = [f"{truth(v):x}" for v in range(1 << inputs)]
        lines += ["all", *(" ".join(rows[i : i + 32]) for i in range(0, len(rows), 32))]
    else:
        lines += ["vectors", *(f"{v:x} {truth(v):x}" for v in vectors(inputs))]
    return "\n".join(lines) + "\n"


def write(folder):
    os.makedirs(folder, exist_ok=True)
    for circuit in CIRCUITS:
        blif, truth = circuit()
        inputs, outputs = (len(blif.lines[i].split()) - 1 for i in (1, 2))
        for suffix, text in ((".blif", blif.text()), (".truth", truth_text(circuit.__name__, inputs, outputs, truth))):
            with open(os.path.join(folder, circuit.__name__ + suffix), "w", encoding="ascii", newline="\n") as file:
                file.write(text)
