"""llama.cpp as a peer: seeded weights written in its format, and its Node.js binding to run them."""
import json
import subprocess
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Kind
from safetensors import safe_open

import peers

KINDS = {"fp32": Kind.F32, "bf16": Kind.BF16, "int8": Kind.Q8_0, "int4": Kind.Q4_0}
NAMES = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
         "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
         "embed_tokens": "token_embd", "norm": "output_norm", "lm_head": "output"}


def name_of(name):
    parts = name.removesuffix(".weight").removeprefix("model.").split(".")
    block = f"blk.{parts[1]}." if parts[0] == "layers" else ""
    return f"{block}{NAMES['.'.join(parts[2:] if block else parts)]}.weight"


def add_words(writer, count):
    """Made-up ones: nothing is read or written as text."""
    words = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256))]
    kinds = [2, 3, 3] + [6] * 256 + [1] * (count - 259)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(words + [f"w{i}" for i in range(len(words), count)])
    writer.add_token_scores([0.0] * count)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def write(folder, c, precision):
    """Blocks of `precision`; embeddings and head in bf16 beside few bits, as we have them."""
    path, kind = folder / f"{precision}.gguf", KINDS[precision]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_vocab_size(c["vocabulary"])
    writer.add_context_length(4096)
    writer.add_embedding_length(c["hidden"])
    writer.add_block_count(c["layers"])
    writer.add_feed_forward_length(c["intermediate"])
    writer.add_head_count(c["heads"])
    writer.add_head_count_kv(c["heads"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(c["head_dim"])
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    writer.add_rope_scaling_factor(1.5)
    add_words(writer, c["vocabulary"])
    with safe_open(folder / "weights.safetensors", "np") as file:
        for published in file.keys():
            name, x = name_of(published), file.get_tensor(published)
            if "attn_q." in name or "attn_k." in name:  # channels that turn together are neighbours there
                x = x.reshape(c["heads"], 2, -1, c["hidden"]).swapaxes(1, 2).reshape(x.shape)
            how = Kind.F32 if x.ndim == 1 or precision == "fp32" else kind if name.startswith("blk") else Kind.BF16
            writer.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(x), how), raw_dtype=how)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


class LlamaCpp:
    def __init__(self, installed, folder, c, ids, precision, threads):
        self.path = write(folder, c, precision)
        (folder / "ids.json").write_text(json.dumps({name: x.tolist() for name, x in ids.items()}))
        self.process = subprocess.Popen(
            ["node", peers.ROOT / "bench/llama.mjs", installed.resolve(), self.path, folder / "ids.json",
             str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("bench/report: llama.cpp ended; its message stands above.")
        return json.loads(answer)

    def prefill(self):
        self.ask("prefill")

    def decode(self):
        self.ask("decode")

    def logits(self, case):
        return np.array(self.ask(f"{case} logits")["logits"], np.float32)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.path.unlink()
