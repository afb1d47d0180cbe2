#!/usr/bin/env python3
"""Writes circuits for bench/mapper as BLIF into a folder: arithmetic, sorters, multiplexers, codes, random logic, binarised layers.

    bench/circuits.py FOLDER [NAME ...]
    bench/circuits.py --small FOLDER

All are flat, from 120 to some 6,300 LUT4s. What is written in Verilog goes through Yosys (package yosys). The same names give the same bytes.
--small writes those of tests/circuits instead, with their truth (small_circuits.py); it needs nothing but Python.
"""
import os
import random
import subprocess
import sys

sys.dont_write_bytecode = True  # no __pycache__ beside the sources
from blif import Blif  # noqa: E402
import small_circuits  # noqa: E402

VERILOG = {
    "mul24": "module mul24(input [23:0] a, b, output [47:0] y); assign y = a * b; endmodule",
    "mul32": "module mul32(input [31:0] a, b, output [63:0] y); assign y = a * b; endmodule",
    "arbiter64": """module arbiter64(input [63:0] req, input [5:0] ptr, output [63:0] gnt, output any);
  wire [127:0] twice = {req, req}, first = twice & ~(twice - (128'd1 << ptr));
  assign gnt = first[127:64] | first[63:0];
  assign any = |req;
endmodule""",
    "majority255": """module majority255(input [254:0] x, output y);
  integer i;
  reg [7:0] c;
  always @* begin c = 0; for (i = 0; i < 255; i = i + 1) c = c + x[i]; end
  assign y = c >= 128;
endmodule""",
    "crc64": """module crc64(input [255:0] d, input [63:0] c, output [63:0] o);
  integer i;
  reg [63:0] r;
  always @* begin
    r = c;
    for (i = 0; i < 256; i = i + 1) r = {r[62:0], 1'b0} ^ (r[63] ^ d[i] ? 64'h42F0E1EBA9EA3693 : 64'd0);
  end
  assign o = r;
endmodule""",
    "mux4096": "module mux4096(input [4095:0] d, input [11:0] s, output y); assign y = d[s]; endmodule",
    "mux8x256": "module mux8x256(input [2047:0] d, input [7:0] s, output [7:0] y); assign y = d[s*8 +: 8]; endmodule",
    "rotate256": """module rotate256(input [255:0] x, input [7:0] s, output [255:0] y);
  wire [511:0] t = {x, x} << s;
  assign y = t[511:256];
endmodule""",
    "alu32": """module alu32(input [31:0] a, b, input [3:0] op, output reg [31:0] y, output z);
  always @* case (op)
    0: y = a + b;  1: y = a - b;  2: y = a & b;  3: y = a | b;  4: y = a ^ b;  5: y = a << b[4:0];  6: y = a >> b[4:0];
    7: y = $signed(a) >>> b[4:0];  8: y = a < b;  9: y = $signed(a) < $signed(b);  10: y = a * b;  default: y = ~(a | b);
  endcase
  assign z = y == 0;
endmodule""",
}


def bitonic(words):
    """(i, j, ascending) of a bitonic sorting network."""
    k = 2
    while k <= words:
        j = k // 2
        while j:
            yield from ((i, i ^ j, (i & k) == 0) for i in range(words) if i ^ j > i)
            j //= 2
        k *= 2


def sorter(name, words, bits):
    text, wires, n = "", [f"x[{i * bits} +: {bits}]" for i in range(words)], words * bits
    for number, (i, j, up) in enumerate(bitonic(words)):
        a, b, low, high = wires[i], wires[j], f"l{number}", f"h{number}"
        text += f"  wire g{number} = {a} > {b};\n  wire [{bits - 1}:0] {low} = g{number} ? {b} : {a}, {high} = g{number} ? {a} : {b};\n"
        wires[i], wires[j] = (low, high) if up else (high, low)
    text += "".join(f"  assign y[{i * bits} +: {bits}] = {w};\n" for i, w in enumerate(wires))
    return f"module {name}(input [{n - 1}:0] x, output [{n - 1}:0] y);\n{text}endmodule"


VERILOG["sorter64"] = sorter("sorter64", 64, 1)
VERILOG["sorter8x16"] = sorter("sorter8x16", 8, 16)


def popcount64():
    inputs = [f"x{i}" for i in range(64)]
    blif = Blif("popcount64", inputs, [f"y{i}" for i in range(7)])
    for i, bit in enumerate(blif.total([inputs])):
        blif.names([bit], f"y{i}", ["1"])
    return blif.text()


def mult8():
    a, b = [f"a{i}" for i in range(8)], [f"b{i}" for i in range(8)]
    blif = Blif("mult8", a + b, [f"y{i}" for i in range(16)])
    columns = [[] for _ in range(15)]
    for i in range(8):
        for j in range(8):
            columns[i + j].append(blif.new())
            blif.names([a[i], b[j]], columns[i + j][-1], ["11"])
    bits = blif.total(columns)
    for i in range(16):
        blif.names([bits[i]], f"y{i}", ["1"])
    return blif.text()


def rent(name, luts, seed, ports=128, near=0.65):
    """Random LUT4s; each reads what lies within spans of 4, 8, 16, ... around it with falling probability. Loose ends are XORed."""
    rng = random.Random(seed)
    blif = Blif(name, [f"i{k}" for k in range(ports)], [f"o{k}" for k in range(ports)])
    read = set()
    for k in range(luts):
        fanins = []
        while len(fanins) < 4:
            span = 4
            while rng.random() < near and span < 4 << 12:
                span *= 2
            other = k // span * span + rng.randrange(span)
            if other < k:
                signal = f"l{other}"
            elif rng.random() < 0.15:
                signal = f"i{k * ports // luts}" if rng.random() < 0.7 else f"i{rng.randrange(ports)}"
            else:
                continue
            if signal not in fanins:
                fanins.append(signal)
        read.update(fanins)
        table = rng.getrandbits(16) or 1
        blif.names(fanins, f"l{k}", ["".join(str(v >> i & 1) for i in range(4)) for v in range(16) if table >> v & 1])
    loose = [f"l{k}" for k in range(luts) if f"l{k}" not in read]
    for o in range(ports):
        group = loose[len(loose) * o // ports : len(loose) * (o + 1) // ports] or [f"l{rng.randrange(luts)}"]
        signal = group[0]
        for other in group[1:]:
            both = blif.new()
            blif.names([signal, other], both, ["10", "01"])
            signal = both
        blif.names([signal], f"o{o}", ["1"])
    return blif.text()


def binarised(name, outputs, seed, inputs=128, fanin=64):
    """Outputs are majorities (at least half) of `fanin` of the inputs, each as it is or inverted: binary weights, folded."""
    rng = random.Random(seed)
    blif = Blif(name, [f"x{k}" for k in range(inputs)], [f"y{k}" for k in range(outputs)])
    for y in range(outputs):
        bits = []
        for s in rng.sample(range(inputs), fanin):
            bits.append(f"x{s}")
            if rng.random() < 0.5:
                bits[-1] = blif.new()
                blif.names([f"x{s}"], bits[-1], ["0"])
        high = blif.total([bits])[fanin.bit_length() - 2 :]
        blif.names(high, f"y{y}", ["".join("1" if i == j else "-" for i in range(len(high))) for j in range(len(high))])
    return blif.text()


BLIF = {
    "popcount64": popcount64,
    "mult8": mult8,
    "rent1500": lambda: rent("rent1500", 1500, 2),
    "rent4000": lambda: rent("rent4000", 4000, 1),
    "binarised32": lambda: binarised("binarised32", 32, 1),
    "binarised56": lambda: binarised("binarised56", 56, 2),
}


def through_yosys(name, path):
    source = path + ".v"
    with open(source, "w") as file:
        file.write(VERILOG[name] + "\n")
    script = f"read_verilog {source}; synth -flatten -noabc; splitnets -ports; abc -lut 4; opt_clean; write_blif {path}"
    subprocess.run(["yosys", "-q", "-p", script], check=True)
    os.remove(source)


def main(folder, names):
    unknown = [n for n in names if n not in VERILOG and n not in BLIF]
    if unknown:
        sys.exit(f"circuits.py: there is no circuit {unknown[0]}; there are {', '.join([*BLIF, *VERILOG])}")
    os.makedirs(folder, exist_ok=True)
    for name in names or [*BLIF, *VERILOG]:
        path = os.path.join(folder, name + ".blif")
        if name in VERILOG:
            through_yosys(name, path)
        else:
            with open(path, "w") as file:
                file.write(BLIF[name]())
        print(path)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--small":
        small_circuits.write(*sys.argv[2:])
    else:
        main(sys.argv[1], sys.argv[2:])
