"""A seeded file of the program is, to the byte, what the safetensors package writes of the same arithmetic in
numpy; and it is what that package reads."""

import json
import os
import pathlib
import struct
import subprocess

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save

from models.reference import seeded

PROGRAM = pathlib.Path(os.environ["VESALIUS_BUILD"]) / "vesalius"
WEIGHTS = "2024.09.27/vision_model/medimageinsigt-v1.0.0.pt"


def random_package(folder, *options):
    subprocess.run([PROGRAM, "models", "random", "medimageinsight", "--size", "tiny", "-o", folder, "-q", *options],
                   check=True, capture_output=True)
    return folder / WEIGHTS


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return random_package(tmp_path_factory.mktemp("plain") / "p", "--seed", "7")


def test_equals_numpy_and_the_reference_writer(plain):
    tensors = load_file(plain)
    expected = {name: seeded(name, tuple(t.shape), 7) for name, t in tensors.items()}
    for name, tensor in tensors.items():
        assert tensor.equal(expected[name]), name
    assert plain.read_bytes() == save(expected)


def test_has_no_metadata_and_an_aligned_header(plain):
    with safe_open(plain, "np") as file:
        assert file.metadata() is None
    with plain.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = file.read(length).decode()
    assert length % 8 == 0
    assert list(json.loads(header)) == sorted(json.loads(header))


@pytest.mark.parametrize("seed", [0, 1, 2**63 + 5, 2**64 - 1])
def test_any_seed(tmp_path, seed):
    tensors = load_file(random_package(tmp_path / "p", "--seed", str(seed)))
    for name in ("logit_scale", "image_projection", "lang_encoder.ln_final.bias", "image_encoder.norms.weight"):
        assert tensors[name].equal(seeded(name, tuple(tensors[name].shape), seed)), name


def test_gain(plain, tmp_path):
    gained = load_file(random_package(tmp_path / "p", "--seed", "7", "--gain", "dw.weight=0.125", "--gain", "bias=2"))
    for name, tensor in load_file(plain).items():
        factor = 0.125 if name.endswith("dw.weight") else 2 if name.endswith("bias") else 1
        assert gained[name].equal(tensor * factor), name
