"""vesalius train embedding: a run that learns, one that is resumed bit by bit, and what it refuses."""

import base64
import json
import signal
import subprocess
import time

import numpy as np
import pytest
from PIL import Image

from cli.program import PROGRAM, model, run  # noqa: F401

CONFIG = """
IMAGE_ENCODER:
  NAME: davit_v1
  IMAGE_SIZE: [32, 32]
  SPEC: {DROP_PATH_RATE: 0.1, PATCH_SIZE: [7, 3], PATCH_STRIDE: [4, 2], PATCH_PADDING: [3, 1],
         PATCH_PRENORM: [false, true], DIM_EMBED: [16, 32], NUM_HEADS: [2, 4], NUM_GROUPS: [2, 4], DEPTHS: [1, 1],
         WINDOW_SIZE: 4}
LANG_ENCODER: {NAME: transformer, CONTEXT_LENGTH: 77, WIDTH: 16, HEADS: 2, LAYERS: 1, AUTOGRESSIVE: false}
UNICL_MODEL: {DIM_PROJECTION: 16}
"""


@pytest.fixture
def pairs(tmp_path):
    """Dark images and light ones, in a manifest with a faulty file among them."""
    rng = np.random.default_rng(0)
    rows = ["path,text"]
    for i in range(24):
        light = i % 2
        pixels = rng.integers(0, 80, (40, 40, 3)) + 170 * light
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{i}.png")
        rows.append(f"{i}.png,{'light' if light else 'dark'} picture")
    (tmp_path / "pairs.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path


def train(folder, output, *more):
    options = {"--config": folder / "config.yaml", "--manifest": folder / "pairs.csv", "--batch": 8,
               "--augment": "gentle", "--learning-rate": 0.003, "--smoothing": 0.9, "--precision": "fp32",
               "--threads": 1, "--log-every": 1, "-o": output}
    given = [part for name, value in options.items() if name not in more for part in (name, value)]
    return run("train", "embedding", *given, *more)


def weights(folder):
    return (folder / "vision_model" / "model.safetensors").read_bytes()


def test_it_learns_and_the_model_works(pairs):
    result = train(pairs, pairs / "m", "--epochs", 12, "--validation", pairs / "pairs.csv", "--json")
    assert result.code == 0, result.err
    log = result.lines
    losses = [line["loss"] for line in log if "loss" in line]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    assert [line for line in log if "validation_top1" in line][-1]["validation_top1"] > 0.9
    assert [json.loads(line) for line in (pairs / "m" / "log.jsonl").read_text().splitlines()] == log
    assert "<svg" in (pairs / "m" / "training.svg").read_text()
    answer = run("classify", pairs / "1.png", "--model", pairs / "m", "--labels", "light, dark", "--template",
                 "{} picture", "--json")
    assert answer.code == 0, answer.err
    assert answer.lines[0]["scores"][0]["label"] == "light"


def test_same_seed_same_weights_other_seed_others(pairs):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert train(pairs, pairs / name, "--epochs", 1, "--seed", seed).code == 0
    assert weights(pairs / "a") == weights(pairs / "b")
    assert weights(pairs / "a") != weights(pairs / "c")


def test_a_stopped_run_resumes_bit_by_bit(pairs):
    assert train(pairs, pairs / "whole", "--epochs", 40).code == 0
    command = [PROGRAM, "train", "embedding", "--config", pairs / "config.yaml", "--manifest", pairs / "pairs.csv",
               "--batch", "8", "--augment", "gentle", "--learning-rate", "0.003", "--smoothing", "0.9", "--precision",
               "fp32", "--threads", "1", "--log-every", "1", "-o", pairs / "parts", "--epochs", "40"]
    child = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (pairs / "parts" / "state.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, error = child.communicate(timeout=120)
    if child.returncode == 0:
        pytest.skip("the run was over before the signal came")
    assert child.returncode == 130, error
    assert "--resume" in error
    assert not (pairs / "parts" / "config.yaml").exists()
    resumed = train(pairs, pairs / "parts", "--epochs", 40, "--resume")
    assert resumed.code == 0, resumed.err
    assert weights(pairs / "parts") == weights(pairs / "whole")


def test_published_tsv_and_fine_tuning(model, pairs):  # noqa: F811
    images, texts = [], []
    for i in range(8):
        images.append(f"n{i}\t{base64.b64encode((pairs / f'{i}.png').read_bytes()).decode()}")
        texts.append(f"n{i}\t{json.dumps({'class_id': i % 2, 'class_name': ['dark', 'light'][i % 2]})}")
    (pairs / "i.tsv").write_text("\n".join(images) + "\n")
    (pairs / "t.tsv").write_text("\n".join(texts) + "\n")
    result = run("train", "embedding", "--model", model, "--images-tsv", pairs / "i.tsv", "--texts-tsv",
                 pairs / "t.tsv", "--epochs", 1, "--batch", 4, "--accumulate", 2, "--freeze", "^lang_encoder",
                 "--precision", "fp32", "--template", "a photo of {}", "-o", pairs / "tuned")
    assert result.code == 0, result.err
    from safetensors.numpy import load_file
    before = load_file(next(model.rglob("vision_model/*")))
    after = load_file(pairs / "tuned" / "vision_model" / "model.safetensors")
    for name, tensor in before.items():
        if name.startswith("lang_encoder"):
            assert np.array_equal(tensor, after[name]), name
    assert not np.array_equal(before["image_projection"], after["image_projection"])


@pytest.mark.parametrize("more, code, words", [
    (["--freeze", "^convs\\."], 2, "matches none"),
    (["--augment", "wild"], 2, "gentle"),
    (["--resume"], 2, "no training to resume"),
    (["--manifest", "missing.csv"], 4, "missing.csv"),
])
def test_wrong_usage_is_named(pairs, more, code, words):
    result = train(pairs, pairs / "x", "--epochs", 1, *more)
    assert result.code == code, result.err
    assert words in result.err
    assert not (pairs / "x" / "config.yaml").exists()


def test_one_bad_image_is_named_and_left_out(pairs):
    (pairs / "3.png").write_bytes(b"not an image")
    result = train(pairs, pairs / "x", "--epochs", 1)
    assert result.code == 0
    assert "3.png" in result.err
    for file in pairs.glob("*.png"):
        file.write_bytes(b"")
    assert train(pairs, pairs / "y", "--epochs", 1).code == 4
