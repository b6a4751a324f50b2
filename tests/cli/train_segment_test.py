"""vesalius train segment: both versions from a package and from nothing, models that segment takes, and refusals."""

import tomllib

import numpy as np
import pytest
from PIL import Image

from cli.program import run
from cli.segment_test import tiny

ARCHITECTURE = """
[architecture]
image_size = 64
embed_dim = 8
depths = [1, 1, 1, 1]
focal_levels = 2
dim = 32
heads = 2
feedforward = 32
encoder_layers = 1
text_width = 16
text_heads = 2
text_layers = 1
layers = 1
queries = 4
"""


@pytest.fixture(scope="module")
def discs(tmp_path_factory):
    """Two light discs in the published layout of pictures."""
    folder = tmp_path_factory.mktemp("discs")
    for part in ("train", "train_mask", "test", "test_mask"):
        (folder / part).mkdir()
    y, x = np.mgrid[:64, :64]
    for i in range(2):
        disc = (x - 25 - 14 * i) ** 2 + (y - 30) ** 2 < 190
        pixels = np.where(disc, 200, 60) + (7 * y + 13 * x) % 24
        for split in ("train", "test"):
            Image.fromarray(pixels.astype(np.uint8)).save(folder / split / f"{i}_CT_chest.png")
            Image.fromarray(disc.astype(np.uint8) * 255).save(folder / f"{split}_mask" / f"{i}_CT_chest_large+disc.png")
    return folder


def train(output, *more):
    return run("train", "segment", "--batch", 2, "--prompts", 1, "--negatives", 0, "--learning-rate", 0.003, "--threads",
               2, "--precision", "fp32", *more, "-o", output)


@pytest.mark.parametrize("part", ["all", "decoder", "lora"])
@pytest.mark.parametrize("version", [1, 2])
def test_every_part_of_a_package_gives_a_model(version, part, discs, tmp_path_factory, tmp_path):
    package = tiny(tmp_path_factory, f"biomedparse-v{version}")
    done = train(tmp_path / "m", "--model", package, "--data", discs, "--validation", discs, "--part", part, "--epochs", 2)
    assert done.code == 0, done.err
    card = tomllib.loads((tmp_path / "m/card.toml").read_text())
    assert card["family"] == f"biomedparse-v{version}" and card["training"]["part"] == part
    assert "large disc" in done.err and (tmp_path / "m/samples/epoch_0002.png").exists()
    used = run("segment", discs / "test/0_CT_chest.png", "--model", tmp_path / "m", "--prompt", "large disc", "--json")
    assert used.code == 0 and used.lines[0]["prompt"] == "large disc", used.err


def test_version_1_from_nothing_finds_what_it_was_shown(discs, tmp_path):
    (tmp_path / "one.toml").write_text('family = "biomedparse-v1"\n' + ARCHITECTURE)
    done = train(tmp_path / "m", "--config", tmp_path / "one.toml", "--data", discs, "--validation", discs, "--epochs", 40,
                 "--no-augment", "--freeze", "token_embedding", "--smoothing", 0, "--json")
    assert done.code == 0, done.err
    assert [line for line in done.lines if "validation_dice" in line][-1]["validation_dice"] > 0.9
    architecture = tomllib.loads((tmp_path / "m/card.toml").read_text())["architecture"]
    assert architecture["biomed_layers"] == 0  # nothing is made up for what is never called
    assert run("train", "segment", "--model", tmp_path / "m", "--data", discs, "--epochs", 1, "--batch", 2, "-o",
               tmp_path / "again").code == 0


@pytest.mark.parametrize("family, code, said", [("medimageinsight", 2, "no family of segmentation models"),
                                                ("biomedparse-v3", 5, "biomedparse-v1")])
def test_families_that_are_not_trained_here(family, code, said, discs, tmp_path):
    (tmp_path / "c.toml").write_text(f'family = "{family}"\n' + ARCHITECTURE)
    done = train(tmp_path / "m", "--config", tmp_path / "c.toml", "--data", discs, "--epochs", 1)
    assert done.code == code and said in done.err, done.err
