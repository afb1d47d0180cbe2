"""Write a checkpoint of train.py as a Hugging Face folder and as a GGUF file, with the same integers in both.

    /usr/bin/python3 export.py model.pt --data data        writes ../model.safetensors, its json files, ../kjv-bitnet-q2_0.gguf, ../heldout.txt

Then it compares the training forward with measure.py's reading of the folder: they differ by the rounding to bf16 only.
"""
import argparse
import json
import os

import numpy as np
import torch

import train                                        # also makes train_common importable
import corpus
import exporter
import measure
import write_gguf

GGUF_NAMES = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
              "self_attn.attn_sub_norm": "attn_sub_norm", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
              "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.ffn_sub_norm": "ffn_sub_norm", "mlp.down_proj": "ffn_down"}
CONTEXT = 256                                       # the windows of the training; the model is much worse at positions beyond them


def bf16(t):
    """float32 tensor -> bits of bf16, rounded to nearest even."""
    u = np.ascontiguousarray(t.detach().numpy(), np.float32).view(np.uint32).astype(np.uint64)
    return ((u + 0x7FFF + (u >> 16 & 1)) >> 16).astype(np.uint16)


def as_float(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def pack_rows(codes):
    """Codes -1, 0, 1 [out, in] -> uint8 [out / 4, in]; bits 2i of byte row r hold row i * out / 4 + r."""
    f = (codes + 1).astype(np.uint8).reshape(4, codes.shape[0] // 4, codes.shape[1])
    return f[0] | f[1] << 2 | f[2] << 4 | f[3] << 6


def gguf_name(name):
    fixed = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
    if name in fixed:
        return fixed[name]
    _, _, n, rest = name.split(".", 3)
    return f"blk.{n}.{GGUF_NAMES[rest[:-len('.weight')]]}.weight"


def tensors_of(model):
    """-> tensors of model.safetensors, tensors of the GGUF file"""
    folder, gguf = {}, {}
    for name, p in model.tensors().items():
        if "_proj" in name:
            codes, scale = train.ternary_codes(p.detach())
            codes, scale = codes.numpy().astype(np.int8), bf16(scale.reshape(1))
            folder[name], folder[name + "_scale"] = pack_rows(codes), scale
            gguf[gguf_name(name)] = write_gguf.Q2_0, codes.shape, write_gguf.q2_0(codes, as_float(scale)[0])
        else:
            bits = folder[name] = bf16(p)
            if p.ndim == 2:
                gguf[gguf_name(name)] = write_gguf.BF16, bits.shape, bits.tobytes()
            else:
                gguf[gguf_name(name)] = write_gguf.F32, bits.shape, as_float(bits).tobytes()
    return folder, gguf


def vocabulary():
    """The alphabet in the byte-level spelling: newline and space have letters of their own."""
    return [{"\n": "\u010a", " ": "\u0120"}.get(c, c) for c in corpus.ALPHABET]


def json_files(c):
    """-> {file name: content}"""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    config = {
        "architectures": ["BitNetForCausalLM"], "model_type": "bitnet", **c, "hidden_act": "relu2", "attention_bias": False,
        "max_position_embeddings": CONTEXT, "tie_word_embeddings": True, "bos_token_id": None, "eos_token_id": None, "torch_dtype": "bfloat16",
        "quantization_config": {"quant_method": "bitnet", "linear_class": "autobitlinear", "quantization_mode": "offline"}}
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": byte_level,
        "post_processor": None, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": {s: i for i, s in enumerate(vocabulary())}, "merges": []}}
    return {"config.json": config, "tokenizer.json": tokenizer,
            "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": CONTEXT, "clean_up_tokenization_spaces": False}}


def gguf_metadata(c):
    a = "bitnet-b1.58"
    return {"general.architecture": a, "general.name": "kjv-bitnet", "general.alignment": write_gguf.ALIGNMENT,
            f"{a}.block_count": c["num_hidden_layers"], f"{a}.context_length": CONTEXT, f"{a}.embedding_length": c["hidden_size"],
            f"{a}.feed_forward_length": c["intermediate_size"], f"{a}.vocab_size": c["vocab_size"],
            f"{a}.attention.head_count": c["num_attention_heads"], f"{a}.attention.head_count_kv": c["num_key_value_heads"],
            f"{a}.attention.key_length": c["head_dim"], f"{a}.attention.value_length": c["head_dim"],
            f"{a}.attention.layer_norm_rms_epsilon": c["rms_norm_eps"], f"{a}.rope.freq_base": c["rope_theta"],
            f"{a}.rope.dimension_count": c["head_dim"],
            "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.tokens": vocabulary(),
            "tokenizer.ggml.token_type": [1] * c["vocab_size"], "tokenizer.ggml.merges": [], "tokenizer.ggml.add_bos_token": False}


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
    folder, gguf = tensors_of(model)
    exporter.write_safetensors(os.path.join(args.to, "model.safetensors"), folder, {"format": "pt"})
    write_gguf.write(os.path.join(args.to, "kjv-bitnet-q2_0.gguf"), gguf_metadata(model.c), gguf)
    for name, content in json_files(model.c).items():
        with open(os.path.join(args.to, name), "w") as f:
            f.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    with open(os.path.join(args.data, "heldout.txt")) as f:
        text = f.read()
    exporter.write_excerpt(args.to, text)

    windows = torch.tensor(corpus.encode(text[:32 * 256])).view(32, 256)
    with torch.no_grad():
        trained = model(windows).numpy()
    exported = measure.Model(args.to).logits(windows.numpy())
    same = (trained.argmax(-1) == exported.argmax(-1)).mean()
    print(f"the same likeliest character in the training forward and in the exported model at {100 * same:.2f} % of {windows.numel()} positions")
    assert same > 0.97
    print("now run: measure.py ../heldout.txt --json ../heldout.json; measure.py data/heldout.txt")


if __name__ == "__main__":
    main()
