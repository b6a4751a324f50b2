"""Stores what transformers' Dinov2Model gives for a package: make_dino_golden.py FOLDER OUTPUT.json

FOLDER is a package as `vesalius models random rad-dino` leaves it; `vesalius models verify` compares with
catalog/golden/*.json by the hash of the weights. To make the ones that are shipped, for --size tiny and full:

    vesalius models random rad-dino --seed 7 --size full -o full
    PYTHONPATH=tests .venv/bin/python tests/catalog/make_dino_golden.py full \\
      catalog/golden/rad-dino-seed7-full.json
"""
import hashlib
import json
import pathlib
import sys

import torch
import transformers
from transformers import Dinov2Model

from catalog.make_golden import fixed_image, outline


def golden(folder):
    keys = json.loads((folder / "preprocessor_config.json").read_text())
    image = fixed_image({"IMAGE_SIZE": [keys["crop_size"]["height"]], "IMAGE_MEAN": keys["image_mean"],
                         "IMAGE_STD": keys["image_std"]})
    model = Dinov2Model.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        vector = model(image).pooler_output[0]
    with (folder / "model.safetensors").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"weights_sha256": digest,
            "reference": f"transformers {transformers.__version__} on PyTorch {torch.__version__} in float32: Dinov2Model",
            "image": outline(vector)}


if __name__ == "__main__":
    folder, output = map(pathlib.Path, sys.argv[1:])
    output.write_text(json.dumps(golden(folder), indent=1) + "\n")
