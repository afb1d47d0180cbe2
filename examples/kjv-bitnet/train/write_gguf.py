"""A small writer of GGUF v3 files."""
import struct

import numpy as np

ALIGNMENT = 32
F32, BF16, Q2_0 = 0, 30, 42                          # tensor types
Q2_0_BLOCK = 64


def string(s):
    raw = s.encode()
    return struct.pack("<Q", len(raw)) + raw


def value(v):
    """A metadata value with its type: bool, u32 from int, f32 from float, string, or a list of strings or of i32."""
    if isinstance(v, bool):
        return struct.pack("<i?", 7, v)
    if isinstance(v, int):
        return struct.pack("<iI", 4, v)
    if isinstance(v, float):
        return struct.pack("<if", 6, v)
    if isinstance(v, str):
        return struct.pack("<i", 8) + string(v)
    strings = all(isinstance(e, str) for e in v)    # an empty list counts as strings: the only one here is merges
    return struct.pack("<iiQ", 9, 8 if strings else 5, len(v)) + b"".join(string(e) if strings else struct.pack("<i", e) for e in v)


def q2_0(codes, scale):
    """Codes -1, 0, 1 [out, in] with one scale: blocks of 64 inputs, the scale as f16 and then 2 bits (code + 1) an element."""
    d = np.float16(scale)
    assert float(d) == float(scale), "the scale must be exact in f16"
    q = (codes + 1).astype(np.uint8).reshape(-1, Q2_0_BLOCK // 4, 4)
    packed = q[..., 0] | q[..., 1] << 2 | q[..., 2] << 4 | q[..., 3] << 6
    head = np.broadcast_to(np.frombuffer(d.tobytes(), np.uint8), (len(packed), 2))
    return np.concatenate([head, packed], 1).tobytes()


def write(path, metadata, tensors):
    """metadata {key: value}; tensors {name: (type, shape with the outermost dimension first, bytes)}"""
    infos, data = b"", b""
    for name, (kind, shape, raw) in tensors.items():
        infos += string(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<q", n) for n in reversed(shape))
        infos += struct.pack("<iQ", kind, len(data))
        data += raw + bytes(-len(raw) % ALIGNMENT)
    head = b"GGUF" + struct.pack("<Iqq", 3, len(tensors), len(metadata))
    head += b"".join(string(k) + value(v) for k, v in metadata.items()) + infos
    with open(path, "wb") as f:
        f.write(head + bytes(-len(head) % ALIGNMENT) + data)
