"""What MedImageInsight is in plain PyTorch: timm's DaViT, a twin of the text tower, seeded weights by their
arithmetic, and the program models_forward to compare them with."""
import json
import math
import os
import pathlib
import subprocess
import sys
import types
from dataclasses import dataclass, field, replace

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads starve each other on a shared machine

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from torch import nn  # noqa: E402


class _Member(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return f"{cls.__name__}.{name}"


class _StandIn(types.ModuleType):
    """timm's transforms import torchvision at the top; its models never use it."""
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Member(name, (), {})


for _name in ("torchvision", "torchvision.transforms", "torchvision.transforms.functional",
              "torchvision.datasets", "torchvision.ops", "torchvision.ops.misc"):
    _parent, _, _child = _name.rpartition(".")
    _module = sys.modules.setdefault(_name, _StandIn(_name))
    if _parent:
        setattr(sys.modules[_parent], _child, _module)

from timm.models import davit  # noqa: E402


# ---- names, shapes and seeded values ---------------------------------------------------------------------
@dataclass(frozen=True)
class Config:
    dims: tuple = (256, 512, 1024, 2048)
    depths: tuple = (1, 1, 9, 1)
    heads: tuple = (8, 16, 32, 64)
    groups: tuple = (8, 16, 32, 64)
    window: int = 12
    vocabulary: int = 49408
    context: int = 77
    width: int = 1024
    text_heads: int = 16
    layers: int = 16
    projection: int = 1024


FULL = Config()
TINY = Config(dims=(32, 64, 96, 128), depths=(1, 1, 2, 1), heads=(1, 2, 3, 4), groups=(1, 2, 3, 4),
              vocabulary=512, context=16, width=64, text_heads=2, layers=3, projection=48)
# Heads and groups that differ, another window.
TINY_OTHER = replace(TINY, dims=(16, 32, 48, 64), heads=(2, 2, 4, 8), groups=(1, 4, 3, 2), window=5, layers=2)


def shapes(c: Config) -> dict[str, tuple]:
    """The checkpoint's tensors."""
    out = {}

    def affine(name, *weight):
        out[f"{name}.weight"] = weight
        out[f"{name}.bias"] = weight[:1]

    for i, d in enumerate(c.dims):
        before = 3 if i == 0 else c.dims[i - 1]
        kernel = 7 if i == 0 else 3
        affine(f"image_encoder.convs.{i}.proj", d, before, kernel, kernel)
        affine(f"image_encoder.convs.{i}.norm", d if i == 0 else before)
        for j in range(c.depths[i]):
            for block, attn in (("spatial_block", "window_attn"), ("channel_block", "channel_attn")):
                p = f"image_encoder.blocks.{i}.{j}.{block}"
                affine(f"{p}.conv1.fn.dw", d, 1, 3, 3)
                affine(f"{p}.{attn}.norm", d)
                affine(f"{p}.{attn}.fn.qkv", 3 * d, d)
                affine(f"{p}.{attn}.fn.proj", d, d)
                affine(f"{p}.conv2.fn.dw", d, 1, 3, 3)
                affine(f"{p}.ffn.norm", d)
                affine(f"{p}.ffn.fn.net.fc1", 4 * d, d)
                affine(f"{p}.ffn.fn.net.fc2", d, 4 * d)
    affine("image_encoder.norms", c.dims[-1])
    w = c.width
    out["lang_encoder.token_embedding.weight"] = (c.vocabulary, w)
    out["lang_encoder.positional_embedding"] = (c.context, w)
    for i in range(c.layers):
        p = f"lang_encoder.resblocks.{i}"
        out[f"{p}.attn.in_proj_weight"] = (3 * w, w)
        out[f"{p}.attn.in_proj_bias"] = (3 * w,)
        affine(f"{p}.attn.out_proj", w, w)
        affine(f"{p}.ln_1", w)
        affine(f"{p}.mlp.c_fc", 4 * w, w)
        affine(f"{p}.mlp.c_proj", w, 4 * w)
        affine(f"{p}.ln_2", w)
    affine("lang_encoder.ln_final", w)
    out["image_projection"] = (c.dims[-1], c.projection)
    out["lang_projection"] = (w, c.projection)
    out["logit_scale"] = ()
    return out


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _fnv1a64(name: str) -> int:
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h


def _uniform(base: int, start: int, stop: int) -> np.ndarray:
    """Elements start..stop of a tensor's stream, float32 in [-1, 1)."""
    with np.errstate(over="ignore"):
        z = np.arange(start + 1, stop + 1, dtype=np.uint64)
        z *= _GOLDEN
        z += np.uint64(base)
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
        z >>= np.uint64(40)
    return (z.astype(np.int32) - np.int32(2**23)).astype(np.float32) * np.float32(2.0**-23)


def seeded(name: str, shape: tuple, seed: int = 7) -> torch.Tensor:
    base = _fnv1a64(name) ^ (seed * 0x9E3779B97F4A7C15 % 2**64)
    count = math.prod(shape)
    values = np.empty(count, np.float32)
    for start in range(0, count, 1 << 18):  # in the cache
        stop = min(count, start + (1 << 18))
        values[start:stop] = _uniform(base, start, stop)
    if len(shape) >= 2:
        values *= np.float32(math.sqrt(3 / math.prod(shape[1:])))
    elif name.endswith("bias"):
        values *= np.float32(0.02)
    else:
        values *= np.float32(0.1)
        values += np.float32(1)
    return torch.from_numpy(values).view(shape)


def seeded_checkpoint(c: Config, seed: int = 7) -> dict[str, torch.Tensor]:
    return {name: seeded(name, shape, seed) for name, shape in shapes(c).items()}


def with_gain(weights: dict, suffix: str = "dw.weight", factor: float = 0.125) -> dict:
    return {n: t * factor if n.endswith(suffix) else t for n, t in weights.items()}


# ---- image tower: timm -----------------------------------------------------------------------------------
_RENAMES = (("conv1.fn.dw", "cpe1.proj"), ("conv2.fn.dw", "cpe2.proj"), ("window_attn.norm", "norm1"),
            ("channel_attn.norm", "norm1"), ("window_attn.fn", "attn"), ("channel_attn.fn", "attn"),
            ("ffn.norm", "norm2"), ("ffn.fn.net", "mlp"))


def timm_name(name: str) -> str:
    """A checkpoint's name below image_encoder (of a tensor or a module) as timm calls it."""
    part = name.removeprefix("image_encoder.")
    for ours, theirs in _RENAMES:
        part = part.replace(ours, theirs)
    if part.startswith("norms"):
        return part.replace("norms", "head.norm")
    kind, stage, *rest = part.split(".")
    if kind == "blocks":
        return ".".join(["stages", stage, "blocks", *rest])
    if stage == "0":
        return ".".join(["stem", *rest]).replace("proj", "conv")
    return ".".join(["stages", stage, "downsample", *rest]).replace("proj", "conv")


def image_tower(c: Config, weights: dict, **changes) -> nn.Module:
    """timm's DaVit with the checkpoint's tensors (shared, not copied)."""
    assert c.heads == c.groups or "groups" in changes, "timm has one number for both"
    changes.pop("groups", None)
    options = dict(window_size=c.window, down_kernel_size=3, channel_attn_v2=True, named_blocks=True,
                   num_classes=0) | changes
    with torch.device("meta"):
        model = davit.DaVit(depths=c.depths, embed_dims=c.dims, num_heads=c.heads, **options)
    for i, stage in enumerate(model.stages):
        for block in stage.blocks:
            block.channel_block.attn.groups = c.groups[i]
            block.channel_block.attn.head_dim = c.dims[i] // c.groups[i]
    state = {timm_name(n): t for n, t in weights.items() if n.startswith("image_encoder.")}
    model.load_state_dict(state, strict=True, assign=True)
    return model.eval()


# ---- text tower: a twin ----------------------------------------------------------------------------------
@dataclass
class TextSlips:
    """What a wrong port would do; the defaults are right."""
    eps: float = 1e-12
    causal: bool = False
    masked: bool = True
    activation: object = field(default=lambda x: x * torch.sigmoid(1.702 * x))
    pad_id: int | None = None  # None: the largest id


class TextTower:
    """The transformer of the UniCL family, padded to the context, keys masked."""

    def __init__(self, c: Config, weights: dict, slips: TextSlips | None = None):
        self.c, self.w, self.slips = c, weights, slips or TextSlips()

    def norm(self, x, name):
        u = x.mean(-1, keepdim=True)
        s = (x - u).pow(2).mean(-1, keepdim=True)
        return self.w[f"{name}.weight"] * ((x - u) / torch.sqrt(s + self.slips.eps)) + self.w[f"{name}.bias"]

    def linear(self, x, name):
        return F.linear(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def block(self, i, x, bias):
        p = f"lang_encoder.resblocks.{i}"
        b, n, width = x.shape
        qkv = F.linear(self.norm(x, f"{p}.ln_1"), self.w[f"{p}.attn.in_proj_weight"],
                       self.w[f"{p}.attn.in_proj_bias"])
        q, k, v = (t.view(b, n, self.c.text_heads, -1).transpose(1, 2) for t in qkv.chunk(3, -1))
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + bias
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, n, width)
        x = x + self.linear(mixed, f"{p}.attn.out_proj")
        hidden = self.slips.activation(self.linear(self.norm(x, f"{p}.ln_2"), f"{p}.mlp.c_fc"))
        return x + self.linear(hidden, f"{p}.mlp.c_proj")

    def bias(self, lengths):
        n = self.c.context
        bias = torch.zeros(len(lengths), 1, 1, n)
        if self.slips.masked:
            for row, length in enumerate(lengths):
                bias[row, :, :, length:] = -torch.inf
        if self.slips.causal:
            bias = bias + torch.full((n, n), -torch.inf).triu(1)
        return bias

    def __call__(self, texts, taps=None):
        end = self.c.vocabulary - 1
        pad = end if self.slips.pad_id is None else self.slips.pad_id
        ids = torch.full((len(texts), self.c.context), pad)
        for row, text in enumerate(texts):
            ids[row, :len(text)] = torch.tensor(text)
        x = self.w["lang_encoder.token_embedding.weight"][ids] + self.w["lang_encoder.positional_embedding"]
        bias = self.bias([len(t) for t in texts])
        for i in range(self.c.layers):
            if taps is not None:
                taps[f"lang_encoder.resblocks.{i}"] = x
            x = self.block(i, x, bias)
        x = self.norm(x, "lang_encoder.ln_final")
        return x[torch.arange(len(texts)), [t.index(end) for t in texts]] @ self.w["lang_projection"]


# ---- ours ------------------------------------------------------------------------------------------------
def program() -> pathlib.Path:
    return pathlib.Path(os.environ["VESALIUS_BUILD"]) / "models_forward"


def models_forward(folder, weights, inputs: dict, **job) -> dict[str, torch.Tensor]:
    """What the program gives for a dictionary of tensors, or for files that hold them."""
    folder = pathlib.Path(folder)
    if isinstance(weights, dict):
        save_file({n: t.contiguous() for n, t in weights.items()}, folder / "weights.safetensors")
        weights = [folder / "weights.safetensors"]
    save_file({n: t.contiguous() for n, t in inputs.items()}, folder / "inputs.safetensors")
    job |= {"weights": [str(p) for p in weights], "inputs": str(folder / "inputs.safetensors"),
            "output": str(folder / "output.safetensors")}
    (folder / "job.json").write_text(json.dumps(job))
    subprocess.run([program(), folder / "job.json"], check=True)
    return load_file(folder / "output.safetensors")


def ours(folder, c: Config, weights, inputs: dict, **options) -> dict[str, torch.Tensor]:
    """MedImageInsight's."""
    return models_forward(folder, weights, inputs, config=vars(c), **options)


def tokens(texts) -> dict[str, torch.Tensor]:
    return {f"tokens.{i}": torch.tensor(t, dtype=torch.int32) for i, t in enumerate(texts)}


def images(count: int, height: int, width: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(count, 3, height, width, generator=torch.Generator().manual_seed(seed))


def difference(a: torch.Tensor, reference: torch.Tensor) -> float:
    """Largest error in units of the reference's largest value."""
    assert a.shape == reference.shape, (a.shape, reference.shape)
    return ((a - reference).abs().max() / reference.abs().max()).item()
