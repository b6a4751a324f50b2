"""MAIRA-2's graph out of transformers' own parts (Dinov2Backbone, LlamaForCausalLM, Phi3ForCausalLM), with seeded
weights under the published names, and the program models_report to compare it with."""
import copy
import json
import pathlib
import subprocess
import tempfile

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import (Dinov2Backbone, Dinov2Config, DynamicCache, LlamaConfig, LlamaForCausalLM, Phi3Config,
                          Phi3ForCausalLM)

from models.reference import program, seeded

torch.set_num_threads(1)  # small models: threads would mostly wait for one another

TINY = {
    "vision": {"image_size": 56, "patch_size": 14, "hidden": 32, "layers": 3, "heads": 2},
    "projector": {"layers": 4},
    "text": {"vocabulary": 320, "hidden": 64, "intermediate": 96, "layers": 3, "heads": 4, "kv_heads": 4,
             "head_dim": 16, "eps": 1e-5, "rope": {"theta": 10000.0, "factor": 1.5}},
    "image_token": 316,
}


def changed(c: dict, **parts) -> dict:
    """A copy in which dictionaries are updated and other values replaced."""
    c = copy.deepcopy(c)
    for name, value in parts.items():
        c[name] = c[name] | value if isinstance(value, dict) else value
    return c


GROUPED = changed(TINY, text={"kv_heads": 2})
PHI3 = changed(TINY, text={"fused": True, "rope": {"theta": 10000.0}})


def longrope(original: int, head_dim: int = 16, most: int | None = None) -> dict:
    half = head_dim // 2
    ramp = lambda top: torch.linspace(1, top, half).tolist()
    return {"theta": 10000.0, "short_factors": ramp(2), "long_factors": ramp(4), "original_length": original,
            "most": most or 2 * original}


def image_tokens(c: dict) -> int:
    return (c["vision"]["image_size"] // c["vision"]["patch_size"]) ** 2


# ---- names and shapes ------------------------------------------------------------------------------------
def vision_shapes(v: dict) -> dict:
    d, tokens = v["hidden"], (v["image_size"] // v["patch_size"]) ** 2
    out = {"embeddings.cls_token": (1, 1, d), "embeddings.mask_token": (1, d),
           "embeddings.position_embeddings": (1, 1 + tokens, d),
           "embeddings.patch_embeddings.projection.weight": (d, 3, v["patch_size"], v["patch_size"]),
           "embeddings.patch_embeddings.projection.bias": (d,)}

    def affine(name, *shape):
        out[f"{name}.weight"], out[f"{name}.bias"] = shape, (shape[0],)

    for i in range(v["layers"]):
        p = f"encoder.layer.{i}"
        affine(f"{p}.norm1", d)
        for part in ("attention.attention.query", "attention.attention.key", "attention.attention.value",
                     "attention.output.dense"):
            affine(f"{p}.{part}", d, d)
        affine(f"{p}.norm2", d)
        affine(f"{p}.mlp.fc1", 4 * d, d)
        affine(f"{p}.mlp.fc2", d, 4 * d)
        out[f"{p}.layer_scale1.lambda1"] = out[f"{p}.layer_scale2.lambda1"] = (d,)
    affine("layernorm", d)
    return out


def text_shapes(t: dict) -> dict:
    d, inner = t["hidden"], t["intermediate"]
    own, shared = t["heads"] * t["head_dim"], t["kv_heads"] * t["head_dim"]
    out = {"model.embed_tokens.weight": (t["vocabulary"], d)}
    for i in range(t["layers"]):
        p = f"model.layers.{i}"
        if t.get("fused"):
            out[f"{p}.self_attn.qkv_proj.weight"] = (own + 2 * shared, d)
            out[f"{p}.mlp.gate_up_proj.weight"] = (2 * inner, d)
        else:
            for name, rows in (("q", own), ("k", shared), ("v", shared)):
                out[f"{p}.self_attn.{name}_proj.weight"] = (rows, d)
            out[f"{p}.mlp.gate_proj.weight"] = out[f"{p}.mlp.up_proj.weight"] = (inner, d)
        out[f"{p}.self_attn.o_proj.weight"] = (d, own)
        out[f"{p}.mlp.down_proj.weight"] = (d, inner)
        out[f"{p}.input_layernorm.weight"] = out[f"{p}.post_attention_layernorm.weight"] = (d,)
    out["model.norm.weight"] = (d,)
    if not t.get("tied_head"):
        out["lm_head.weight"] = (t["vocabulary"], d)
    return out


def shapes(c: dict) -> dict:
    out = {f"vision_tower.{n}": s for n, s in vision_shapes(c["vision"]).items()}
    width = c["text"]["hidden"]
    for i in range(c["projector"]["layers"]):
        p = f"multi_modal_projector.layers.{2 * i}"
        out[f"{p}.weight"], out[f"{p}.bias"] = (width, c["vision"]["hidden"] if i == 0 else width), (width,)
    return out | {f"language_model.{n}": s for n, s in text_shapes(c["text"]).items()}


def seeded_weights(c: dict, seed: int = 7) -> dict[str, torch.Tensor]:
    return {name: seeded(name, shape, seed) for name, shape in shapes(c).items()}


def unfused(c: dict, weights: dict) -> tuple[dict, dict]:
    """The same decoder with the projections of Llama."""
    t = c["text"]
    own, shared, inner = t["heads"] * t["head_dim"], t["kv_heads"] * t["head_dim"], t["intermediate"]
    out = {}
    for name, tensor in weights.items():
        if ".qkv_proj." in name:
            for part, rows in zip("qkv", tensor.split([own, shared, shared])):
                out[name.replace("qkv_proj", f"{part}_proj")] = rows.clone()
        elif ".gate_up_proj." in name:
            for part, rows in zip(("gate", "up"), tensor.split(inner)):
                out[name.replace("gate_up_proj", f"{part}_proj")] = rows.clone()
        else:
            out[name] = tensor
    return changed(c, text={"fused": False}), out


# ---- transformers ----------------------------------------------------------------------------------------
def part_of(weights: dict, prefix: str) -> dict:
    return {n.removeprefix(prefix): t.contiguous() for n, t in weights.items() if n.startswith(prefix)}


def loaded(kind, config, weights: dict, **options):
    """A model of transformers from a folder with these weights, as it reads published ones; all of them are used."""
    with tempfile.TemporaryDirectory() as folder:
        config.save_pretrained(folder)
        save_file(weights, f"{folder}/model.safetensors", metadata={"format": "pt"})
        model, info = kind.from_pretrained(folder, dtype=torch.float32, output_loading_info=True, **options)
    wrong = {key: found for key, found in info.items() if found}
    assert not wrong, wrong
    return model.eval()


def backbone(c: dict, weights: dict, **changes) -> Dinov2Backbone:
    v = c["vision"]
    config = Dinov2Config(**({
        "hidden_size": v["hidden"], "num_hidden_layers": v["layers"], "num_attention_heads": v["heads"],
        "image_size": v["image_size"], "patch_size": v["patch_size"], "layer_norm_eps": 1e-6,
        "out_features": [f"stage{v['layers'] if v.get('tap', -1) == -1 else v['tap']}"],
        "apply_layernorm": v.get("final_norm", True), "reshape_hidden_states": False} | changes))
    return loaded(Dinov2Backbone, config, part_of(weights, "vision_tower."))


def language_model(c: dict, weights: dict, **changes):
    t = c["text"]
    rope = t["rope"]
    parameters = {"rope_theta": rope["theta"], "rope_type": "default"}
    common = {"vocab_size": t["vocabulary"], "hidden_size": t["hidden"], "intermediate_size": t["intermediate"],
              "num_hidden_layers": t["layers"], "num_attention_heads": t["heads"],
              "num_key_value_heads": t["kv_heads"], "rms_norm_eps": t["eps"], "pad_token_id": 0,
              "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": t.get("tied_head", False),
              "max_position_embeddings": 16384}
    if rope.get("factor", 1) != 1:
        parameters |= {"rope_type": "linear", "factor": rope["factor"]}
    if "long_factors" in rope:
        parameters |= {"rope_type": "longrope", "short_factor": rope["short_factors"],
                       "long_factor": rope["long_factors"],
                       "original_max_position_embeddings": rope["original_length"]}
        common |= {"original_max_position_embeddings": rope["original_length"],
                   "max_position_embeddings": rope["most"]}
    common |= {"rope_parameters": parameters}
    state = part_of(weights, "language_model.")
    if t.get("fused"):
        config = Phi3Config(**(common | {"sliding_window": t.get("sliding_window")} | changes))
        return loaded(Phi3ForCausalLM, config, state, attn_implementation="eager")
    return loaded(LlamaForCausalLM, LlamaConfig(**(common | {"head_dim": t["head_dim"]} | changes)), state,
                  attn_implementation="eager")


class Reference:
    """The whole model. `vision` and `text` change fields of transformers' configs; `activation` the projector's."""

    def __init__(self, c: dict, weights: dict, vision: dict | None = None, text: dict | None = None,
                 activation=F.gelu):
        self.c, self.weights, self.activation = c, weights, activation
        self.tower = backbone(c, weights, **(vision or {}))
        self.decoder = language_model(c, weights, **(text or {}))

    @torch.no_grad()
    def hidden(self, pixels):
        return self.tower(pixels).feature_maps[-1]  # [n, 1 + tokens, hidden]

    @torch.no_grad()
    def project(self, x):
        count = self.c["projector"]["layers"]
        for i in range(count):
            p = f"multi_modal_projector.layers.{2 * i}"
            x = F.linear(x, self.weights[f"{p}.weight"], self.weights[f"{p}.bias"])
            x = self.activation(x) if i + 1 < count else x
        return x

    def projected(self, pixels):
        return self.project(self.hidden(pixels)[:, 1:])

    @torch.no_grad()
    def embeds(self, ids, features):
        x = self.decoder.get_input_embeddings()(ids.long())
        places = (ids == self.c["image_token"])[:, None].expand_as(x)
        return x.masked_scatter(places, features)

    @torch.no_grad()
    def steps(self, embeds, forced, first=0):
        """Logits of the prompt and of each cached step; `first` is added to the steps' positions."""
        cache = DynamicCache(config=self.decoder.config)
        run = lambda **inputs: self.decoder(past_key_values=cache, use_cache=True, **inputs).logits[0]
        prefill, rows = run(inputs_embeds=embeds[None]), []
        for i, token in enumerate(forced.tolist()):
            place = {"position_ids": torch.tensor([[len(embeds) + i + first]])} if first else {}
            rows.append(run(input_ids=torch.tensor([[token]]), **place))
        return prefill, torch.cat(rows) if rows else None

    @torch.no_grad()
    def greedy(self, embeds, count):
        """Ids, and the distance of the two best logits at each step."""
        cache, ids, gaps = DynamicCache(config=self.decoder.config), [], []
        inputs = {"inputs_embeds": embeds[None]}
        for _ in range(count):
            logits = self.decoder(past_key_values=cache, use_cache=True, **inputs).logits[0, -1]
            best = logits.topk(2)
            ids.append(best.indices[0].item())
            gaps.append((best.values[0] - best.values[1]).item())
            inputs = {"input_ids": torch.tensor([[ids[-1]]])}
        return ids, gaps


# ---- inputs and ours -------------------------------------------------------------------------------------
def prompt(c: dict, images: int, words: int, seed: int = 3) -> torch.Tensor:
    """Words, then an image and words, as often as there are images."""
    generator = torch.Generator().manual_seed(seed)
    text = lambda count: torch.randint(3, c["image_token"] - 4, (count,), generator=generator)
    parts = [text(words)]
    for _ in range(images):
        parts += [torch.full((image_tokens(c),), c["image_token"]), text(words)]
    return torch.cat(parts).int()


def ours(folder, c: dict, weights, inputs: dict, **job) -> dict[str, torch.Tensor]:
    """What models_report gives; `weights` is a dictionary or files."""
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    if isinstance(weights, dict):
        save_file({n: t.contiguous() for n, t in weights.items()}, folder / "weights.safetensors")
        weights = [folder / "weights.safetensors"]
    save_file({n: t.contiguous() for n, t in inputs.items()}, folder / "inputs.safetensors")
    job |= c | {"weights": [str(p) for p in weights], "inputs": str(folder / "inputs.safetensors"),
                "output": str(folder / "output.safetensors")}
    (folder / "job.json").write_text(json.dumps(job))
    subprocess.run([program().with_name("models_report"), folder / "job.json"], check=True)
    return load_file(folder / "output.safetensors")
