"""Stores what the PyTorch reference gives for a package: make_golden.py FOLDER OUTPUT.json

FOLDER is a package as `vesalius models random` or `models add` leaves it. The image tower is timm's DaViT, the
text tower the plain twin of tests/models/reference.py, both in float32; `vesalius models verify` compares with
catalog/golden/*.json by the hash of the weights. To make the ones that are shipped:

    vesalius models random medimageinsight --seed 7 -o full
    PYTHONPATH=tests .venv/bin/python tests/catalog/make_golden.py full catalog/golden/medimageinsight-seed7-full.json
"""
import hashlib
import json
import pathlib
import sys

import numpy as np
import torch
import yaml
from safetensors.torch import load_file
from transformers import CLIPTokenizer

from models.reference import Config, TextTower, image_tower

SAMPLES = 64
TEXTS = ["x-ray chest anteroposterior Pneumonia", "", "dermatology, malignant melanoma.",
         "computed tomography abdomen " * 40]


def find(folder, pattern):
    found = sorted(pathlib.Path(folder).rglob(pattern))
    assert len(found) == 1, (folder, pattern, found)
    return found[0]


def read_config(folder, weights):
    keys = yaml.safe_load(find(folder, "config.yaml").read_text())
    spec, text = keys["IMAGE_ENCODER"]["SPEC"], keys["LANG_ENCODER"]
    config = Config(dims=tuple(spec["DIM_EMBED"]), depths=tuple(spec["DEPTHS"]), heads=tuple(spec["NUM_HEADS"]),
                    groups=tuple(spec["NUM_GROUPS"]), window=spec["WINDOW_SIZE"],
                    vocabulary=len(weights["lang_encoder.token_embedding.weight"]), context=text["CONTEXT_LENGTH"],
                    width=text["WIDTH"], text_heads=text["HEADS"], layers=text["LAYERS"],
                    projection=keys["UNICL_MODEL"]["DIM_PROJECTION"])
    return config, keys["IMAGE_ENCODER"]


def fixed_image(keys):
    """The same pattern as golden_image() of src/catalog/verify.cpp."""
    size = keys["IMAGE_SIZE"][0]
    y, x, c = np.ogrid[:size, :size, :3]
    pixels = ((x * (c + 1) + y * (3 - c)) // 2 + (x ^ y)).astype(np.uint8)
    mean, std = (torch.tensor(keys[k], dtype=torch.float32) for k in ("IMAGE_MEAN", "IMAGE_STD"))
    return ((torch.from_numpy(pixels).float() / 255 - mean) / std).permute(2, 0, 1)[None]


def outline(vector):
    step = max(1, len(vector) // SAMPLES)
    return {"largest": vector.abs().max().item(), "length": vector.double().norm().item(), "every": step,
            "values": vector[::step].tolist()}


def golden(folder):
    path = find(folder, "vision_model/*")
    weights = {name: tensor.float() for name, tensor in load_file(path).items()}
    config, keys = read_config(folder, weights)
    tokenizer = CLIPTokenizer.from_pretrained(str(find(folder, "vocab.json").parent))
    ids = [tokenizer(t, truncation=True, max_length=config.context)["input_ids"] for t in TEXTS]
    with torch.no_grad():
        image = (image_tower(config, weights, groups=config.groups)(fixed_image(keys))
                 @ weights["image_projection"])[0]
        texts = TextTower(config, weights)(ids)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"weights_sha256": digest,
            "reference": f"PyTorch {torch.__version__} in float32: timm's DaViT, a plain twin of the text tower",
            "image": outline(image),
            "texts": [{"text": t, "ids": i, **outline(v)} for t, i, v in zip(TEXTS, ids, texts)]}


if __name__ == "__main__":
    folder, output = sys.argv[1:]
    pathlib.Path(output).write_text(json.dumps(golden(folder), indent=1) + "\n")
