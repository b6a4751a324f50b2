"""Makes the stored outputs that BiomedParse's parity tests compare with, from the published code.

    .venv/bin/python tests/models/make_biomedparse_golden.py V1 V2 OUT [--full]

V1 is a checkout of microsoft/BiomedParse (main), V2 one of its version 2 (branch v2; `src/model`). Neither is
part of this repository and neither is installed: the few names that they take from detectron2, fvcore and mpi4py
are stood in for below, everything that computes is theirs. Weights are seeded (docs/models.md), so only numbers
are stored: stages of the whole pass with the inputs of each block, and what the usual slips would have given.
"""
import argparse
import contextlib
import importlib
import pathlib
import sys
import types

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from models.reference import _StandIn, seeded  # noqa: E402

GAIN = 16  # of the learned tables: under the plain rule all queries nearly agree (seeded checkpoints)
GAINED = ("query_feat.weight", "query_embed.weight", "query_feat_.weight", "query_embed_.weight",
          "level_embed.weight", "classifier_query.weight")
PROMPTS = [[510, 17, 44, 3, 511], [510, 9, 511], [510, 100, 211, 8, 9, 77, 5, 511]]


# ---- the published modules, without what they import and do not need here ------------------------------------
class Conv2d(nn.Conv2d):
    """detectron2's: a convolution, then norm and activation."""

    def __init__(self, *args, norm=None, activation=None, **options):
        super().__init__(*args, **options)
        self.norm, self.activation = norm, activation

    def forward(self, x):
        x = super().forward(x)
        x = x if self.norm is None else self.norm(x)
        return x if self.activation is None else self.activation(x)


def stand_in(name, **members):
    module = sys.modules.setdefault(name, _StandIn(name))
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(stand_in(parent), child, module)
    for key, value in members.items():
        setattr(module, key, value)
    return module


def package(name, folder):
    """A package whose modules load from `folder` and whose own __init__ does not run."""
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


def published(v1, v2):
    stand_in("detectron2.layers", Conv2d=Conv2d, ShapeSpec=dict,
             get_norm=lambda norm, channels: nn.GroupNorm(32, channels))
    stand_in("detectron2.modeling", Backbone=nn.Module)
    stand_in("detectron2.structures")
    stand_in("fvcore.nn.weight_init", c2_xavier_fill=lambda module: None)
    stand_in("timm.models.layers", DropPath=nn.Identity, to_2tuple=lambda x: x if isinstance(x, tuple) else (x, x),
             trunc_normal_=lambda tensor, std=1: tensor)
    package("v2", v2 / "src/model")
    for inner in ("backbone", "pixel_decoder", "transformer_decoder", "transformer_decoder.language_encoders"):
        package(f"v2.{inner}", v2 / "src/model" / inner.replace(".", "/"))
    package("modeling", v1 / "modeling")
    for inner in ("interface", "interface.prototype"):
        package(f"modeling.{inner}", v1 / "modeling" / inner.replace(".", "/"))
    package("modeling.utils", v1 / "modeling/utils")
    attention = importlib.import_module("modeling.utils.attention")
    interactive = importlib.import_module("modeling.utils.interactive")
    vars(sys.modules["modeling.utils"]).update(
        MultiheadAttention=attention.MultiheadAttention, prepare_features=interactive.prepare_features,
        rand_sample_plain=interactive.rand_sample_plain, configurable=lambda function: function)
    position = importlib.import_module("v2.transformer_decoder.position_encoding")
    stand_in("modeling.modules", PositionEmbeddingSine=position.PositionEmbeddingSine)
    stand_in("modeling.modules.point_features", point_sample=None)
    names = {"focal": "v2.backbone.focal", "fpn": "v2.pixel_decoder.transformer_encoder_fpn",
             "text": "v2.transformer_decoder.language_encoders.language_transformer",
             "boltz": "v2.transformer_decoder.boltzformer_cls_decoder", "seem": "modeling.interface.seem_demo"}
    return types.SimpleNamespace(**{key: importlib.import_module(name) for key, name in names.items()})


# ---- sizes ---------------------------------------------------------------------------------------------------
TINY = dict(embed=16, depths=[1, 1, 2, 1], levels=4, dim=64, heads=4, feedforward=96, encoder_layers=2,
            text_width=48, text_heads=4, text_layers=2, vocabulary=512, context=16, layers=4, queries_v1=7,
            queries_v2=6, image=(64, 96))
FULL = dict(embed=192, depths=[2, 2, 18, 2], levels=4, dim=512, heads=8, feedforward=2048, encoder_layers=6,
            text_width=512, text_heads=8, text_layers=12, vocabulary=49408, context=77, layers=9, queries_v1=101,
            queries_v2=16)


class LanguageEncoder(nn.Module):
    """The part of both versions' language encoder that prompts pass, around their transformer."""

    def __init__(self, transformer, width, dim):
        super().__init__()
        self.transformer = transformer
        self.lang_proj = nn.Parameter(torch.empty(width, dim))
        self.logit_scale = nn.Parameter(torch.ones([]))

    def compute_similarity(self, class_embed):
        return class_embed[..., :1]  # of the class bank, which no mask depends on

    def prompts(self, ids, context):
        end = max(max(text) for text in ids)
        padded = torch.tensor([text + [end] * (context - len(text)) for text in ids])
        hidden = self.transformer(padded)["last_hidden_state"] @ self.lang_proj
        return [row[:len(text)] for row, text in zip(hidden, ids)], torch.stack(
            [row[padded[i].argmax()] for i, row in enumerate(hidden)])


class Model(nn.Module):
    def __init__(self, m, c, version):
        super().__init__()
        self.backbone = m.focal.FocalNet(
            pretrain_img_size=224, embed_dim=c["embed"], depths=c["depths"], focal_levels=[c["levels"]] * 4,
            focal_windows=[3] * 4, use_conv_embed=True, use_postln=True, use_layerscale=True,
            scaling_modulator=True)
        channels = [c["embed"] * 2**i for i in range(4)]
        decoder = m.fpn.TransformerEncoderPixelDecoder(
            transformer_dropout=0.0, transformer_nheads=c["heads"], transformer_dim_feedforward=c["feedforward"],
            transformer_enc_layers=c["encoder_layers"], conv_dim=c["dim"], mask_dim=c["dim"], norm="GN",
            mask_on=True, backbone_out_channels=channels)
        text = m.text.Transformer(c["context"], c["vocabulary"], c["text_width"], c["text_layers"],
                                  c["text_heads"])
        language = LanguageEncoder(text, c["text_width"], c["dim"])
        if version == 2:
            predictor = m.boltz.BoltzFormerTextDecoder(
                language, c["dim"], hidden_dim=c["dim"], dim_proj=c["dim"], num_queries=c["queries_v2"],
                nheads=c["heads"], dim_feedforward=c["feedforward"], dec_layers=c["layers"], mask_dim=c["dim"],
                pre_self_attention=True,
                boltzmann_sampling=dict(mask_threshold=1.1, do_boltzmann=True, sample_ratio=0.1, base_temp=1))
        else:
            arch = dict(VARIABLE=dict(queries=["object"], tokens=["grounding"]),
                        SELF_ATTENTION=dict(queries=dict(object=["queries_object", "tokens_grounding"]),
                                            tokens=dict(grounding=["queries_object", "tokens_grounding"])),
                        CROSS_ATTENTION=dict(queries=dict(object=True), tokens=dict(grounding=False)),
                        MASKING=["tokens_grounding"], DUPLICATION=dict(queries=dict()), SPATIAL_MEMORIES=32)
            predictor = m.seem.SEEMDecoder(
                language, c["dim"], hidden_dim=c["dim"], dim_proj=c["dim"], num_queries=c["queries_v1"],
                contxt_len=c["context"], nheads=c["heads"], dim_feedforward=c["feedforward"],
                dec_layers=c["layers"], pre_norm=False, mask_dim=c["dim"], enforce_input_project=False,
                task_switch=dict(mask=True, bbox=False, spatial=False, grounding=True, visual=False, audio=False),
                max_spatial_len=[512] * 4, attn_arch=arch)
        self.sem_seg_head = nn.ModuleDict(dict(pixel_decoder=decoder, predictor=predictor))
        self.c, self.version = c, version
        self.fill()

    def checkpoint_name(self, name):
        old, new = ("lang_encoder.lang_encoder", "lang_encoder") if self.version == 1 else (
            "language_encoder.encoder_transformer", "language_encoder")
        for own in ("lang_encoder", "language_encoder"):
            name = name.replace(f"predictor.{own}.transformer.", f"predictor.{old}.")
            name = name.replace(f"predictor.{own}.l", f"predictor.{new}.l")
        return name

    @torch.no_grad()
    def fill(self):
        for name, value in self.state_dict().items():
            published_name = self.checkpoint_name(name)
            if value.dtype == torch.float32:
                gain = GAIN if published_name.endswith(GAINED) else 1
                value.copy_(seeded(published_name, tuple(value.shape)) * gain)

    def predictor(self):
        return self.sem_seg_head["predictor"]

    def language(self):
        return self.predictor().lang_encoder if self.version == 1 else self.predictor().language_encoder

    @torch.no_grad()
    def forward(self, pixels, ids):
        features = self.backbone(pixels)
        mask_features, _, levels = self.sem_seg_head["pixel_decoder"].forward_features(features)
        tokens, classes = self.language().prompts(ids, self.c["context"])
        if self.version == 1:
            words = torch.cat(tokens)[:, None]
            out = self.predictor()(levels, mask_features, task="demo", extra={
                "grounding_tokens": words, "grounding_nonzero_mask": torch.zeros(1, len(words), dtype=torch.bool)})
            captions = out["pred_captions"][0]
            unit = lambda x: x / (x.norm(dim=-1, keepdim=True) + 1e-7)  # noqa: E731
            scores = self.language().logit_scale.exp().clamp(max=100) * unit(classes) @ unit(captions).t()
            return dict(masks=out["pred_masks"][0], captions=captions, scores=scores, classes=classes,
                        chosen=scores.argmax(1))
        batch, prompts = len(pixels), len(ids)
        tile = lambda x: x.repeat_interleave(prompts, 0)  # noqa: E731
        words = nn.utils.rnn.pad_sequence(tokens).repeat(1, batch, 1)
        out = self.predictor()([tile(x) for x in levels], tile(mask_features), extra={"grounding_tokens": words})
        masks = out["pred_gmasks"]
        return dict(masks=masks.view(batch, prompts, *masks.shape[1:]), classes=classes,
                    existence=out["object_existence"].view(batch, prompts))


class Draws:
    """rand_like of the decoder, by arithmetic: draw k is (unit("draw.k") + 1) / 2."""

    def __init__(self):
        self.count = 0

    def __call__(self, like, **_):
        flat = seeded_unit(f"draw.{self.count}", like.numel())
        self.count += 1
        return ((flat + 1) / 2).view_as(like)


def seeded_unit(name, count, seed=7):
    from models.reference import _fnv1a64, _uniform
    base = _fnv1a64(name) ^ (seed * 0x9E3779B97F4A7C15 % 2**64)
    return torch.from_numpy(_uniform(base, 0, count).copy())


def pixels(count, height, width):
    """Blobs and stripes of several sizes, so that features differ from place to place."""
    y = torch.linspace(-1, 1, height)[:, None]
    x = torch.linspace(-1, 1, width)[None]
    rows = []
    for i in range(count):
        rings = torch.sin(9 * (x - 0.2 * i) ** 2 + 7 * (y + 0.3) ** 2 * (i + 1))
        rows.append(torch.stack([rings, torch.cos(11 * x * y + i), torch.tanh(6 * (x + y)) * rings]))
    noise = seeded_unit("pixels", count * 3 * height * width).view(count, 3, height, width)
    return torch.stack(rows) + 0.3 * noise


# ---- what is stored --------------------------------------------------------------------------------------------
def nhwc(x):
    return x.permute(0, 2, 3, 1) if x.dim() == 4 else x


def blocks(model):
    """Modules compared one by one, by their published names."""
    out = {}
    for name, module in model.named_modules():
        kind = type(module).__name__
        if kind in ("FocalModulationBlock", "PatchEmbed", "TransformerEncoderLayer", "SelfAttentionLayer",
                    "CrossAttentionLayer", "FFNLayer", "ResidualAttentionBlock", "MLP"):
            out[model.checkpoint_name(name + ".")[:-1]] = module
    return out


def record(model, image, ids):
    """The whole pass: named inputs and outputs of the stages, and the result."""
    stored = {}

    def hook(name):
        def keep(module, args, options, output):
            if f"{name}.out" in stored:
                return
            output = output[0] if isinstance(output, tuple) else output
            inputs = [a for a in [*args, *options.values()] if isinstance(a, torch.Tensor)]
            for i, value in enumerate(inputs):
                stored[f"{name}.in.{i}"] = value.contiguous().clone()
            stored[f"{name}.out"] = output.contiguous().clone()
        return keep

    handles = [module.register_forward_hook(hook(name), with_kwargs=True) for name, module in
               blocks(model).items() if not name.endswith("mask_embed")]
    result = model(image, ids)
    for handle in handles:
        handle.remove()
    return stored, result


class changed:
    """owner.attribute is `value` meanwhile."""

    def __init__(self, owner, attribute, value):
        self.owner, self.attribute, self.value = owner, attribute, value

    def __enter__(self):
        self.before = getattr(self.owner, self.attribute)
        setattr(self.owner, self.attribute, self.value)

    def __exit__(self, *_):
        setattr(self.owner, self.attribute, self.before)


def smooth_upsampling(interpolate):
    def changed_interpolate(x, mode="nearest", align_corners=None, **options):
        smooth = mode == "nearest"
        return interpolate(x, mode="bilinear", align_corners=False if smooth else align_corners, **options)
    return changed_interpolate


def moved_positions(right):
    return lambda self, x, mask=None: torch.roll(right(self, x, mask), 1, -1)


def slips(m, model, image, ids):
    """Results of wrong ports. Each must be told from ours by the gate."""
    kinds = {kind: [x for x in model.modules() if type(x).__name__ == kind] for kind in
             ("FocalModulation", "GELU", "LayerNorm", "QuickGELU", "ResidualAttentionBlock", "MultiheadAttention")}
    vision_norms = [x for x in model.backbone.modules() if isinstance(x, nn.LayerNorm)]
    text_norms = [x for x in model.language().modules() if hasattr(x, "variance_epsilon")]
    position = m.fpn.PositionEmbeddingSine
    table = {
        "stem padding 3": [changed(model.backbone.patch_embed.proj, "padding", (3, 3))],
        "modulators not divided": [changed(x, "scaling_modulator", False) for x in kinds["FocalModulation"]],
        "tanh GELU": [changed(x, "approximate", "tanh") for x in kinds["GELU"]],
        "vision eps 1e-6": [changed(x, "eps", 1e-6) for x in vision_norms],
        "text eps 1e-5": [changed(x, "variance_epsilon", 1e-5) for x in text_norms],
        "exact GELU in the text tower": [changed(type(kinds["QuickGELU"][0]), "forward", lambda _, x: F.gelu(x))],
        "bidirectional text": [changed(x, "attn_mask", torch.zeros_like(x.attn_mask))
                               for x in kinds["ResidualAttentionBlock"]],
        "bilinear pyramid": [changed(F, "interpolate", smooth_upsampling(F.interpolate))],
        "positions one column off": [changed(position, "forward", moved_positions(position.forward))],
        "no level embedding": [changed(model.predictor().level_embed, "weight", nn.Parameter(
            torch.zeros_like(model.predictor().level_embed.weight)))],
    }
    if model.version == 2:
        sampling = model.predictor().boltzmann_sampling
        table |= {"half the temperature": [changed(model.predictor(), "boltzmann_sampling", sampling | {"base_temp": 0.5})],
                  "a fifth drawn": [changed(model.predictor(), "boltzmann_sampling", sampling | {"sample_ratio": 0.2})]}
    out = {}
    for name, changes in table.items():
        with contextlib.ExitStack() as stack:
            for change in changes:
                stack.enter_context(change)
            torch.rand_like = Draws()
            result = model(image, ids)
        out[name] = torch.cat([sample(result["masks"]), sample(result["classes"])])
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("v1", type=pathlib.Path)
    parser.add_argument("v2", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--full", action="store_true", help="the released size: samples of stages instead of blocks")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    m = published(arguments.v1, arguments.v2)
    rand_like = torch.rand_like
    for version in (1, 2):
        c = FULL if arguments.full else TINY
        model = Model(m, c, version).eval()
        size = c.get("image", (1024, 1024) if version == 1 else (512, 512))
        ids = full_prompts() if arguments.full else PROMPTS
        image = pixels(1 if version == 1 or arguments.full else 2, *size)
        torch.rand_like = Draws()
        stages, result = record(model, image, ids)
        stored = {f"result.{k}": v for k, v in result.items()}
        if arguments.full:
            stored |= {name: sample(value) for name, value in stages.items() if name.endswith(".out")}
            stored = {name: sample(value) if value.numel() > 4096 else value for name, value in stored.items()}
        else:
            stored |= {"image": image} | stages
            stored |= {f"slip.{name}": value for name, value in slips(m, model, image, ids).items()}
        torch.rand_like = rand_like
        report(result)
        path = arguments.out / f"biomedparse_v{version}_{'full' if arguments.full else 'tiny'}.safetensors"
        save_file({k: v.to(torch.float32).contiguous() for k, v in stored.items()}, path)
        print(path, path.stat().st_size, "bytes", len(stored), "tensors")


def full_prompts():
    """Prompts of one and two tokens between begin and end; which words they are does not matter."""
    return [[49406, 10390, 49407], [49406, 1823, 28374, 49407], [49406, 34722, 14683, 49407]]


def sample(x):
    """Up to 512 values spread over a tensor, then its root mean square."""
    flat = x.reshape(-1).float()
    step = max(1, flat.numel() // 512)
    return torch.cat([flat[::step][:512], flat.double().pow(2).mean().sqrt().float()[None]])


def report(result):
    masks = result["masks"]
    print("masks", tuple(masks.shape), "covered", (masks > 0).float().mean().item(),
          "spread of queries", masks.std(dim=-3).mean().item(), "rms", masks.pow(2).mean().sqrt().item())
    for name in ("chosen", "existence", "scores"):
        if name in result and result[name].numel() < 40:
            print(name, result[name].tolist())


if __name__ == "__main__":
    main()
