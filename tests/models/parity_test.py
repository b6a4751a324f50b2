"""MedImageInsight at small sizes equals timm and the twin, in three ways; and the gates see every usual slip."""
import types
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from models.reference import (TINY, TINY_OTHER, TextSlips, TextTower, davit, difference, image_tower, images, ours,
                              seeded_checkpoint, timm_name, tokens, with_gain)

END_TO_END, WITH_GAIN, BLOCK = 1e-4, 2e-3, 1e-5  # of the largest reference value
TEXTS = [[510, 5, 6, 511], [510, 511], [510, *range(20, 34), 511], [510, 9, 9, 511], [510, 300, 2, 7, 4, 511],
         [510, 3, 511]]
SAME_LENGTH = [[510, 5, 6, 7, 511], [510, 1, 2, 3, 511]]


def blocks_of(c):
    return [f"image_encoder.blocks.{i}.{j}.{kind}" for i, depth in enumerate(c.depths) for j in range(depth)
            for kind in ("spatial_block", "channel_block")]


def quiet(x):
    """Of so small a variance that an epsilon shows."""
    return x * (0.05 / x.std())


CHANGES = {"loud": lambda x: x, "quiet": quiet}


def loud_and_quiet(inputs):
    return {f"block.{n}#{change}": f(x) for n, x in inputs.items() for change, f in CHANGES.items()}


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def nchw(x):
    return x.permute(0, 3, 1, 2)


class ImageCase:
    """What ours gives for one batch of images: plain, with the gain, and block by block on the inputs that
    the reference's blocks had, loud and quiet."""

    def __init__(self, folder, c=TINY, size=(96, 96)):
        self.c, self.pixels = c, images(2, *size)
        self.plain = seeded_checkpoint(c)
        self.gain = with_gain(self.plain)
        self.inputs = {}
        tower = image_tower(c, self.gain, groups=c.groups)
        for name in blocks_of(c):
            tower.get_submodule(timm_name(name)).register_forward_pre_hook(
                lambda _, args, name=name: self.inputs.__setitem__(name, args[0]))
        with torch.no_grad():
            tower(self.pixels)
        self.ours_plain = ours(folder, c, self.plain, {"images": self.pixels})["image_features"]
        self.ours_gain = ours(folder, c, self.gain, {"images": self.pixels} | loud_and_quiet(
            {n: nhwc(x) for n, x in self.inputs.items()}))

    def errors(self, build):
        """Error over limit of each of the three ways, for the reference that `build(weights)` makes."""
        out = {}
        with torch.no_grad():
            out["plain"] = difference(self.ours_plain, self.end(build(self.plain))) / END_TO_END
            tower = build(self.gain)
            out["gain"] = difference(self.ours_gain["image_features"], self.end(tower)) / WITH_GAIN
            module = getattr(tower, "tower", tower)
            out["block"] = max(
                difference(nchw(self.ours_gain[f"block.{n}#{change}"]),
                           module.get_submodule(timm_name(n))(f(x).to(module.stem.conv.weight.dtype)).float())
                for change, f in CHANGES.items() for n, x in self.inputs.items()) / BLOCK
        return out

    def end(self, tower):
        module = getattr(tower, "tower", tower)
        return tower(self.pixels.to(module.stem.conv.weight.dtype)).float() @ self.plain["image_projection"]


@pytest.fixture(scope="module")
def image_case(tmp_path_factory):
    return ImageCase(tmp_path_factory.mktemp("image"))


@pytest.mark.parametrize("c, size", [(TINY, (96, 96)), (TINY, (224, 224)), (TINY, (100, 164)), (TINY, (37, 29)),
                                     (TINY_OTHER, (100, 164)), (TINY_OTHER, (120, 120))])
def test_image_tower_three_ways(tmp_path, c, size):
    errors = ImageCase(tmp_path, c, size).errors(lambda w: image_tower(c, w, groups=c.groups))
    assert max(errors.values()) <= 1, errors


def test_image_stages(tmp_path):
    """Every named stage, so that a failure says where."""
    weights = with_gain(seeded_checkpoint(TINY))
    pixels = images(2, 96, 96)
    got = ours(tmp_path, TINY, weights, {"images": pixels}, trace=True)
    tower, expected = image_tower(TINY, weights), {}

    def tap(module, name, before=False):
        keep = lambda x: expected.__setitem__(name, nhwc(x).flatten(1, 2) if x.dim() == 4 else x)
        if before:
            module.register_forward_pre_hook(lambda _, args: keep(args[0]))
        else:
            module.register_forward_hook(lambda _, __, out: keep(out))

    for i in range(4):
        tap(tower.stem if i == 0 else tower.stages[i].downsample, f"image_encoder.convs.{i}")
    for name in blocks_of(TINY):
        block = tower.get_submodule(timm_name(name))
        tap(block.cpe1, f"{name}.conv1")
        tap(block.cpe2, f"{name}.{'window' if 'spatial' in name else 'channel'}_attn", before=True)
        tap(block.cpe2, f"{name}.conv2")
        tap(block, f"{name}.ffn")
    with torch.no_grad():
        expected["image_encoder.norms"] = tower(pixels)
        expected["image_features"] = expected["image_encoder.norms"] @ weights["image_projection"]
    expected["input"] = pixels
    assert {n.removeprefix("stage.") for n in got if n.startswith("stage.")} == set(expected)
    worst = {n: difference(got[f"stage.{n}"], x) for n, x in expected.items()}
    assert max(worst.values()) <= 2e-5, worst


# ---- slips of the image tower ----------------------------------------------------------------------------
def masked_pads(self, x):
    """Window attention that hides the padding, whose rows are zero behind the norm."""
    b, n, c = x.shape
    q, k, v = self.qkv(x).reshape(b, n, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
    hidden = (x == 0).all(-1)[:, None, None, :]
    bias = torch.zeros(b, 1, 1, n).masked_fill(hidden, -torch.inf)
    return self.proj(F.scaled_dot_product_attention(q, k, v, bias).transpose(1, 2).reshape(b, n, c))


class NormBeforePool(nn.Module):
    def __init__(self, tower):
        super().__init__()
        self.tower = tower

    def forward(self, x):
        return self.tower.head.norm(self.tower.forward_features(x)).mean((2, 3))


def with_activation(tower, activation):
    for module in tower.modules():
        if isinstance(module, davit.Mlp):
            module.act = activation
    return tower


def with_attention(tower, kind, change):
    for name, module in tower.named_modules():
        if name.endswith(f"{kind}.attn"):
            change(module)
    return tower


class QuickGelu(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


def exchanged(weights, part):
    a, b = (f"image_encoder.blocks.2.{j}.channel_block.{part}" for j in (0, 1))
    swap = {f"{a}.weight": f"{b}.weight", f"{b}.weight": f"{a}.weight"}
    return {n: weights[swap.get(n, n)] for n in weights}


IMAGE_SLIPS = {
    "training mode": lambda w: image_tower(TINY, w, drop_path_rate=0.2).train(),
    "channel attention of 2022": lambda w: image_tower(TINY, w, channel_attn_v2=False),
    "channel scale by head": lambda w: with_attention(
        image_tower(TINY, w), "channel_block", lambda m: setattr(m, "dynamic_scale", False)),
    "masked window padding": lambda w: with_attention(
        image_tower(TINY, w), "spatial_block", lambda m: setattr(m, "forward", types.MethodType(masked_pads, m))),
    "bf16": lambda w: image_tower(TINY, {n: t.bfloat16() for n, t in w.items()}),
    "QuickGELU": lambda w: with_activation(image_tower(TINY, w), QuickGelu()),
    "tanh GELU": lambda w: with_activation(image_tower(TINY, w), nn.GELU(approximate="tanh")),
    "norm before pool": lambda w: NormBeforePool(image_tower(TINY, w)),
    "LayerNorm eps 1e-6": lambda w: image_tower(TINY, w, norm_eps=1e-6),
    "norms of two blocks exchanged": lambda w: image_tower(TINY, exchanged(w, "channel_attn.norm")),
    "fc1 of two blocks exchanged": lambda w: image_tower(TINY, exchanged(w, "ffn.fn.net.fc1")),
}


@pytest.mark.parametrize("slip", IMAGE_SLIPS)
def test_gate_sees_image_slip(image_case, slip):
    torch.manual_seed(0)
    errors = image_case.errors(IMAGE_SLIPS[slip])
    print(slip, errors)
    assert max(errors.values()) > 3, errors


# ---- text tower ------------------------------------------------------------------------------------------
class TextCase:
    def __init__(self, folder, c=TINY):
        self.c, self.weights, self.inputs = c, seeded_checkpoint(c), {}
        TextTower(c, self.weights)(SAME_LENGTH, self.inputs)
        self.inputs = {n: x[:, :len(SAME_LENGTH[0])] for n, x in self.inputs.items()}
        self.got = ours(folder, c, self.weights, tokens(TEXTS) | loud_and_quiet(self.inputs))
        self.ours = self.got["text_features"]

    def errors(self, slips=None):
        twin = TextTower(self.c, self.weights, slips)
        length = len(SAME_LENGTH[0])
        bias = twin.bias([length] * 2)
        out = {"end": difference(self.ours, twin(TEXTS)) / END_TO_END, "block": 0}
        for change, f in CHANGES.items():
            for i, (name, x) in enumerate(self.inputs.items()):
                padded = F.pad(f(x), (0, 0, 0, self.c.context - length), value=0.3)
                expected = twin.block(i, padded, bias)[:, :length]
                error = difference(self.got[f"block.{name}#{change}"], expected) / BLOCK
                out["block"] = max(out["block"], error)
        return out


@pytest.fixture(scope="module")
def text_case(tmp_path_factory):
    return TextCase(tmp_path_factory.mktemp("text"))


@pytest.mark.parametrize("c", [TINY, replace(TINY, width=96, text_heads=3, layers=5)], ids=["tiny", "deeper"])
def test_text_tower(tmp_path, c):
    errors = TextCase(tmp_path, c).errors()
    assert max(errors.values()) <= 1, errors


TEXT_SLIPS = {"no padding mask": TextSlips(masked=False), "causal": TextSlips(causal=True),
              "LayerNorm eps 1e-5": TextSlips(eps=1e-5), "erf GELU": TextSlips(activation=F.gelu)}


@pytest.mark.parametrize("slip", TEXT_SLIPS)
def test_gate_sees_text_slip(text_case, slip):
    errors = text_case.errors(TEXT_SLIPS[slip])
    assert max(errors.values()) > 3, errors


def test_padding_does_not_matter(text_case):
    """Another padding id, and a context cut to the longest text, change the reference by rounding alone."""
    assert max(text_case.errors(TextSlips(pad_id=0)).values()) <= 1
    weights = dict(text_case.weights)
    weights["lang_encoder.positional_embedding"] = weights["lang_encoder.positional_embedding"][:4]
    short = TextTower(replace(TINY, context=4), weights)([TEXTS[0], TEXTS[3]])
    assert difference(text_case.ours[[0, 3]], short) <= 1e-5


def test_pools_at_first_end(tmp_path, text_case):
    """Text may spell the end token; what follows is still attended to, as in the reference."""
    texts = [[510, 5, 511, 8, 511]]
    got = ours(tmp_path, TINY, text_case.weights, tokens(texts))["text_features"]
    assert difference(got, TextTower(TINY, text_case.weights)(texts)) <= 1e-5


# ---- batches, runs, gradients ----------------------------------------------------------------------------
def test_batches_agree(tmp_path):
    weights, pixels = seeded_checkpoint(TINY), images(32, 96, 96)
    texts = [[510, *range(i % 11), 511] for i in range(32)]
    run = lambda n: ours(tmp_path, TINY, weights, {"images": pixels[:n], **tokens(texts[:n])})
    one, seven, all32 = run(1), run(7), run(32)
    for key in ("image_features", "text_features"):
        scale = all32[key].abs().max()
        assert (one[key] - all32[key][:1]).abs().max() <= 1e-5 * scale
        assert (seven[key] - all32[key][:7]).abs().max() <= 1e-5 * scale


def test_one_thread_is_bit_equal(tmp_path):
    weights, inputs = seeded_checkpoint(TINY), {"images": images(3, 96, 96), **tokens(TEXTS)}
    first, second = (ours(tmp_path, TINY, weights, inputs, threads=1) for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_gradients(tmp_path):
    """Every parameter's, through pair loss, pad keys, packing and pooling."""
    weights = with_gain(seeded_checkpoint(TINY))
    pixels = images(len(TEXTS), 96, 96)
    got = ours(tmp_path, TINY, weights, {"images": pixels, **tokens(TEXTS)}, gradients=True)
    weights = {n: t.clone().requires_grad_() for n, t in weights.items()}
    tower = image_tower(TINY, weights)
    image = F.normalize(torch.func.functional_call(
        tower, {timm_name(n): t for n, t in weights.items() if n.startswith("image_encoder.")}, pixels)
        @ weights["image_projection"], dim=-1)
    text = F.normalize(TextTower(TINY, weights)(TEXTS), dim=-1)
    logits = weights["logit_scale"].exp() * image @ text.t()
    own = torch.arange(len(TEXTS))
    loss = (F.cross_entropy(logits, own) + F.cross_entropy(logits.t(), own)) / 2
    loss.backward()
    assert difference(got["loss"], loss.detach()) <= 1e-5
    assert {n.removeprefix("gradient.") for n in got if n.startswith("gradient.")} == set(weights)
    # A key's bias without padding has gradient zero; compare such noise with the largest of all.
    floor = 1e-2 * max(t.grad.abs().max() for t in weights.values())
    worst = {n: ((got[f"gradient.{n}"] - t.grad).abs().max() / max(t.grad.abs().max(), floor)).item()
             for n, t in weights.items()}
    assert max(worst.values()) <= 1e-4, sorted(worst.items(), key=lambda x: -x[1])[:5]
