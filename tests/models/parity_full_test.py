"""MedImageInsight at its published size, seeded weights: the image tower and every block of it against timm,
the text tower and every block against the twin."""
import tempfile

import pytest
import torch
from safetensors.torch import save_file

from models.reference import (FULL, TextTower, difference, image_tower, images, ours, seeded_checkpoint,
                              timm_name, tokens, with_gain)

END_TO_END, WITH_GAIN, BLOCK = 1e-4, 2e-3, 1e-5
PROMPTS = [[49406, 343, 268, 3077, 10563, 514, 20727, 22881, 2498, 42906, 49407], [49406, 49407],
           [49406, *range(1000, 1075), 49407]]
BLOCKS = [f"image_encoder.blocks.{i}.{j}.{kind}" for i, depth in enumerate(FULL.depths) for j in range(depth)
          for kind in ("spatial_block", "channel_block")]


def nhwc(x):
    return x.permute(0, 2, 3, 1)


@pytest.fixture(scope="module")
def runs():
    """Reference and ours: (plain, gain) features, block outputs, text features. Weights do not outlive it."""
    torch.set_num_threads(2)
    pixels, taps, expected = images(1, 480, 480), {}, {}
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        plain = seeded_checkpoint(FULL)
        save_file(plain, f"{folder}/plain.safetensors")
        gain = with_gain(plain)
        save_file({n: t for n, t in gain.items() if t is not plain[n]}, f"{folder}/gain.safetensors")
        expected["plain"] = image_tower(FULL, plain)(pixels) @ plain["image_projection"]
        tower = image_tower(FULL, gain)
        for name in BLOCKS:
            tower.get_submodule(timm_name(name)).register_forward_hook(
                lambda _, args, out, name=name: taps.__setitem__(name, (nhwc(args[0]), nhwc(out))))
        expected["gain"] = tower(pixels) @ plain["image_projection"]
        text_taps = {}
        twin = TextTower(FULL, plain)
        expected["text"] = twin(PROMPTS, text_taps)
        bias = twin.bias([FULL.context])
        for i, (name, x) in enumerate(text_taps.items()):  # the longest prompt alone: nothing padded
            taps[name] = (x[-1:], twin.block(i, x[-1:], bias))
        inputs = {f"block.{n}": x for n, (x, _) in taps.items()}
        del gain, tower, twin
        first = ours(folder, FULL, [f"{folder}/plain.safetensors"], {"images": pixels, **tokens(PROMPTS)})
        second = ours(folder, FULL, [f"{folder}/plain.safetensors", f"{folder}/gain.safetensors"],
                      {"images": pixels, **inputs})
    return expected, taps, first, second


def test_end_to_end(runs):
    expected, _, first, _ = runs
    image = difference(first["image_features"], expected["plain"])
    text = difference(first["text_features"], expected["text"])
    print(f"plain: image {image:.1e}, text {text:.1e}")
    assert image <= END_TO_END
    assert text <= 1e-5


def test_with_gain(runs):
    expected, _, _, second = runs
    error = difference(second["image_features"], expected["gain"])
    print(f"with the gain: {error:.1e}")
    assert error <= WITH_GAIN


def test_every_block(runs):
    _, taps, _, second = runs
    errors = {n: difference(second[f"block.{n}"], out) for n, (_, out) in taps.items()}
    worst = max(errors, key=errors.get)
    print(f"worst block: {worst} {errors[worst]:.1e}")
    assert errors[worst] <= BLOCK
