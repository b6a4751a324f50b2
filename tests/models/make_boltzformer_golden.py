"""Makes the stored outputs of version 2's optional output head, and what its random draws come to over many seeds,
from the published code at the tiny size of make_biomedparse_golden.py.

    .venv/bin/python tests/models/make_boltzformer_golden.py V1 V2 OUT

with the checkouts that make_biomedparse_golden.py takes. The head is asked for the very masks that are stored there
as biomedparse_v2_tiny's result, so only stages, result and what slips would have given are stored. The draws come
from PyTorch's own generator, seeds 0 and on: each result of the first SHOWN seeds, means and standard deviations over
SEEDS of them, and the same of decoders that draw otherwise. They are made on the tiny image laid four times, since a
tenth of the tiny one's six coarsest pixels would be none.
"""
import argparse
import contextlib
import importlib
import pathlib
import types

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from make_biomedparse_golden import PROMPTS, TINY, Draws, Model, changed, pixels, published, sample
from models.reference import seeded

CHANNELS = 10  # published
SEEDS, SHOWN = 100, 4


# ---- the output head -----------------------------------------------------------------------------------------
def output_head(queries):
    predictor = types.SimpleNamespace(num_queries=queries)
    head = importlib.import_module("v2.biomedparse").BiomedParseModel(
        types.SimpleNamespace(output_shape=lambda: None),
        types.SimpleNamespace(override_input_shape=lambda shape: None, predictor=predictor),
        convolute_outputs=True, out_channels_1=CHANNELS)
    with torch.no_grad():
        for name, value in head.named_parameters():
            value.copy_(seeded(name, tuple(value.shape)))
    return head.eval()


class OnlyOnce(nn.GELU):
    """The activation behind the deconvolution alone."""
    calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x) if self.calls % 2 else x


def interpolation(**always):
    right = F.interpolate
    return lambda x, **options: right(x, **(options | always))


def head_outputs(image, masks):
    """Of normalised images and the logits of all queries, [batch, prompts, queries, h, w]."""
    head = output_head(masks.shape[2])
    asked = (image.repeat_interleave(masks.shape[1], 0), masks.flatten(0, 1))
    stored = {}
    handles = [getattr(head, name).register_forward_hook(
        lambda _, __, out, name=name: stored.__setitem__(f"{name}.out", sample(out.permute(0, 2, 3, 1)
                                                         if name != "output_deconv" else out)))
        for name in ("output_deconv", "layer_norm", "output_conv", "output_conv2")]
    stored["result"] = head.convolution_procedure(*asked).view(*masks.shape[:2], *(2 * n for n in masks.shape[-2:]))
    for handle in handles:
        handle.remove()
    slips = {"tanh GELU": changed(head.activation, "approximate", "tanh"),
             "one activation": changed(head, "activation", OnlyOnce()),
             "a norm of single channels": changed(head.layer_norm, "num_groups", CHANNELS),
             "aligned corners": changed(F, "interpolate", interpolation(align_corners=True)),
             "anti-aliased image": changed(F, "interpolate", interpolation(antialias=True)),
             "kernel turned": changed(head.output_deconv, "weight", nn.Parameter(head.output_deconv.weight.flip(2, 3)))}
    for name, slip in slips.items():
        with slip:
            stored[f"slip.{name}"] = sample(head.convolution_procedure(*asked))
    return stored


# ---- the draws -------------------------------------------------------------------------------------------------
def dice(a, b):
    both = (a & b).sum((-1, -2))
    return 2 * both / (a.sum((-1, -2)) + b.sum((-1, -2))).clamp(min=1)


def figures(result, seeded_masks):
    """Of each image and prompt: the mask's share of the plane, its Dice with that of the seeded draws, existence."""
    objects = result["masks"].shape[2] - 4  # the others are the edge's
    mask, other = (masks[:, :, :objects].mean(2) > 0 for masks in (result["masks"], seeded_masks))
    return torch.stack([mask.float().mean((-1, -2)), dice(mask, other), result["existence"]])


def drawn(model, image, seeded_masks, change=contextlib.nullcontext()):
    """Mean and standard deviation over seeds [2, figure, image, prompt], and the figures of the first seeds."""
    each = []
    with change:
        for seed in range(SEEDS):
            torch.manual_seed(seed)
            each.append(figures(model(image, PROMPTS), seeded_masks))
    each = torch.stack(each).double()
    return torch.stack([each.mean(0), each.std(0)]), each[:SHOWN]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("v1", "v2", "out"):
        parser.add_argument(name, type=pathlib.Path)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    m = published(arguments.v1, arguments.v2)
    model = Model(m, TINY, 2).eval()
    image = pixels(2, *TINY["image"])
    with changed(torch, "rand_like", Draws()):
        masks = model(image, PROMPTS)["masks"]
    stored = {f"head.{name}": value for name, value in head_outputs(image, masks).items()}
    image = image.repeat(1, 1, 2, 2)
    with changed(torch, "rand_like", Draws()):
        masks = model(image, PROMPTS)["masks"]
    stored["draws"], stored["draws.first"] = drawn(model, image, masks)
    sampling = model.predictor().boltzmann_sampling
    sampled = lambda **other: changed(model.predictor(), "boltzmann_sampling", sampling | other)  # noqa: E731
    slips = {"half of them drawn": sampled(sample_ratio=0.5),
             "all alike likely": sampled(base_temp=1e6),
             "by the mask alone": sampled(do_boltzmann=False, mask_threshold=0.5)}
    for name, change in slips.items():
        stored[f"draws.slip.{name}"], stored[f"draws.slip.{name}.first"] = drawn(model, image, masks, change)
    for name, value in stored.items():
        if name.startswith("draws"):
            print(name, value.flatten(-2)[..., :3].tolist())
    path = arguments.out / "boltzformer_tiny.safetensors"
    save_file({name: value.detach().float().contiguous() for name, value in stored.items()}, path)
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    with torch.no_grad():
        main()
