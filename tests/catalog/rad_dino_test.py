"""RAD-DINO as a user has it: its vectors are transformers' pooler output, and nothing is asked of it in words."""

import functools
import json
import pathlib

import numpy as np
import PIL
import pytest
import torch
from PIL import Image
from transformers import Dinov2Config, Dinov2Model
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil

from cli.program import picture, run

FILMS = pathlib.Path(__file__).resolve().parents[2] / "../shared/data/cxr/classes"
GATE = 1e-5  # of the largest reference value
PILLOW = ["--recipe-parameter", f"pillow={13 if int(PIL.__version__.split('.')[0]) >= 13 else 12}"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rad-dino") / "tiny"
    made = run("models", "random", "rad-dino", "--seed", 7, "--size", "tiny", "-o", folder)
    assert made.code == 0, made.err
    return folder


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Colours, grey that spans little, wide and tall; and real films where they are."""
    folder = tmp_path_factory.mktemp("films")
    for number, size in enumerate([(90, 120), (200, 75), (70, 70)]):
        picture(number, size).save(folder / f"{number}.png")
    picture(3, (130, 99)).convert("L").point(lambda x: 60 + x // 4).save(folder / "grey.png")
    return sorted(folder.iterdir()) + sorted(FILMS.glob("*.jpg"))[:4]


def vectors(folder, films, *options):
    result = run("embed", *films, "--model", folder, "--precision", "fp32", "--raw", "--json", *PILLOW, *options)
    assert result.code == 0, result.err
    return result.lines


def reference(folder, **changes):
    config = Dinov2Config.from_pretrained(folder, **changes)
    model, info = Dinov2Model.from_pretrained(folder, config=config, dtype=torch.float32, output_loading_info=True)
    left_out = changes.get("num_hidden_layers") is not None
    assert left_out or not any(info.values()), info
    return model.eval()


def pixels_of(folder, films, change=lambda image: image):
    processor = BitImageProcessorPil.from_pretrained(folder)
    return torch.cat([processor(change(Image.open(film)), return_tensors="pt")["pixel_values"] for film in films])


@torch.no_grad()
def pooled(folder, films):
    return reference(folder)(pixels_of(folder, films)).pooler_output


def worst(lines, expected):
    got = torch.tensor([line["features"] for line in lines])
    assert got.shape == expected.shape
    return ((got - expected).abs().amax(1) / expected.abs().amax(1)).max().item()


def test_pooler_output(tiny, films):
    lines = vectors(tiny, films)
    error = worst(lines, pooled(tiny, films))
    print(f"{len(films)} films: {error:.1e}")
    assert error <= GATE
    assert all(line["recipe"] == "rad-dino@1" and line["seeded"] for line in lines)


def stretched(image):
    """What the recipe maira-2 does first."""
    grey = np.asarray(image.convert("L")).astype(float)
    return Image.fromarray(((grey - grey.min()) / np.ptp(grey) * 255).astype(np.uint8))


SLIPS = {
    "mean of the patches": lambda f, x: reference(f)(pixels_of(f, x)).last_hidden_state[:, 1:].mean(1),
    "no last LayerNorm": lambda f, x: reference(f)(pixels_of(f, x), output_hidden_states=True).hidden_states[-1][:, 0],
    "a block less": lambda f, x: reference(f, num_hidden_layers=1)(pixels_of(f, x)).pooler_output,
    "tanh GELU": lambda f, x: reference(f, hidden_act="gelu_pytorch_tanh")(pixels_of(f, x)).pooler_output,
    "films stretched": lambda f, x: reference(f)(pixels_of(f, x, stretched)).pooler_output,
}


@pytest.mark.parametrize("slip", SLIPS)
def test_gate_sees_slip(tiny, films, slip):
    with torch.no_grad():
        error = worst(vectors(tiny, films), SLIPS[slip](tiny, films))
    print(slip, f"{error:.1e}")
    assert error > 3 * GATE


def test_without_raw_vectors_have_length_one(tiny, films):
    lines = run("embed", films[0], "--model", tiny, "--json").lines
    assert abs(np.linalg.norm(lines[0]["features"]) - 1) < 1e-5


def test_taps_of_a_backbone_are_not_the_models(tiny, films, tmp_path):
    """Dinov2Model gives the last block through LayerNorm whatever these keys say."""
    for file in tiny.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tiny / "config.json").read_text())
    config |= {"out_indices": [1], "out_features": ["stage1"], "apply_layernorm": False}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert worst(vectors(tmp_path, films[:2]), pooled(tmp_path, films[:2])) <= GATE


def test_from_folder_to_similar_cases(tiny, films, tmp_path):
    vesalius = functools.partial(run, home=tmp_path / "home")
    assert "another model than rad-dino" in vesalius("models", "add", "rad-dino", "--from", tiny).err
    assert vesalius("models", "add", "mine", "--from", tiny).code == 0
    verified = vesalius("models", "verify", "mine", "--json")
    assert verified.code == 0, verified.out + verified.err
    assert verified.lines[0]["passed"] and "transformers" in verified.lines[0]["reference"]
    assert {check["what"] for check in verified.lines[0]["checks"]} == {"weights hash", "seeded values", "image"}
    built = vesalius("index", "build", *films, "--model", "mine", "-o", tmp_path / "index")
    assert built.code == 0, built.err
    found = vesalius("search", films[1], "--index", tmp_path / "index", "-k", 1, "--json")
    assert found.lines[0]["hits"][0]["path"].endswith(films[1].name), found.err


@pytest.mark.parametrize("command", [
    ["embed", "--text", "pneumonia"],
    ["classify", "FILM", "--labels", "pneumonia, no finding"],
    ["train", "embedding", "--manifest", "MANIFEST", "-o", "FOLDER"],
])
def test_words_are_refused(tiny, films, tmp_path, command):
    manifest = tmp_path / "pairs.csv"
    manifest.write_text(f"path,text\n{films[0]},a film\n{films[1]},another\n")
    words = {"FILM": films[0], "MANIFEST": manifest, "FOLDER": tmp_path / "out"}
    result = run(*(words.get(word, word) for word in command), "--model", tiny)
    assert result.code == 5 and result.out == "", (result.code, result.out, result.err)
    assert ("has no text encoder" if command[0] != "train" else "reads texts too") in result.err
