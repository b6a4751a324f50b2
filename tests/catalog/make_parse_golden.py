"""Stores what BiomedParse's published code gives for a package: make_parse_golden.py V1 V2 FOLDER OUTPUT.json

V1 and V2 are the checkouts that tests/models/make_biomedparse_golden.py takes; FOLDER is a package of version 1 or 2
as `vesalius models random` leaves it. Image, prompts and draws are those of src/catalog/parse_golden.cpp; `vesalius
models verify` compares with catalog/golden/*.json by the hash of the weights. To make the ones that are shipped, for
biomedparse-v1, biomedparse-v2 and medimageparse (medimageparse3d is the same file), and for --size tiny and full:

    vesalius models random biomedparse-v2 --seed 7 --size full --gain query_feat.weight=16 --gain query_embed.weight=16 \\
      --gain query_feat_.weight=16 --gain query_embed_.weight=16 --gain level_embed.weight=16 -o package
    .venv/bin/python tests/catalog/make_parse_golden.py V1 V2 package catalog/golden/biomedparse-v2-seed7-full.json

Without the gains all queries would nearly agree, and a slip would not show.
"""
import argparse
import hashlib
import json
import pathlib
import sys
import tomllib

import numpy as np
import torch
from safetensors.torch import load_file

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "models")]
from make_biomedparse_golden import Draws, Model, changed, published  # noqa: E402
from text.clip_reference import ClipReference  # noqa: E402

PROMPTS = ["liver", "left kidney", "enhancing tumor in brain MRI"]
SAMPLES = 64
IMAGENET = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]  # version 1's, not in its file
TOKENIZER = TESTS.parent / "catalog/starter-insight/language_model/clip_tokenizer"


def read_package(folder):
    """The weights' file, its tensors, and the architecture."""
    card = tomllib.loads((folder / "card.toml").read_text())
    path, = (p for p in folder.rglob("*") if p.suffix in (".pt", ".ckpt", ".safetensors"))
    if path.suffix == ".safetensors":
        return path, load_file(path), card["architecture"]
    stored = torch.load(path, weights_only=True, mmap=True)
    stored = stored.get("state_dict", stored)
    return path, {name.removeprefix("model."): value for name, value in stored.items()}, card["architecture"]


class Loaded(Model):
    """The published modules with a package's tensors."""

    def __init__(self, m, architecture, version, tensors):
        self.tensors = tensors
        a = architecture
        sizes = dict(embed=a["embed_dim"], levels=a["focal_levels"], queries_v1=a["queries"], queries_v2=a["queries"],
                     **{k: a[k] for k in ("depths", "dim", "heads", "feedforward", "encoder_layers", "text_width",
                                          "text_heads", "text_layers", "vocabulary", "context", "layers")})
        super().__init__(m, sizes, version)

    @torch.no_grad()
    def fill(self):
        for name, value in self.state_dict().items():
            if value.dtype == torch.float32:
                value.copy_(self.tensors[self.checkpoint_name(name)])


def fixed_image(side, tensors):
    """The pattern of golden_pixels() in src/catalog/golden.cpp, normalised."""
    y, x, c = np.ogrid[:side, :side, :3]
    pixels = torch.from_numpy(((x * (c + 1) + y * (3 - c)) // 2 + (x ^ y)).astype(np.uint8)).float().permute(2, 0, 1)
    mean, std = (tensors.get(name, torch.tensor(value)).view(3, 1, 1)
                 for name, value in zip(("pixel_mean", "pixel_std"), IMAGENET))
    return ((pixels - mean) / std)[None]


def outline(vector):
    step = max(1, len(vector) // SAMPLES)
    return {"largest": vector.abs().max().item(), "length": vector.double().norm().item(), "every": step,
            "values": vector[::step].tolist()}


def golden(m, folder):
    path, tensors, architecture = read_package(folder)
    version = 2 if "pixel_mean" in tensors else 1
    tokenizer = ClipReference(TOKENIZER)
    ids = [tokenizer.encode(prompt) for prompt in PROMPTS]
    model = Loaded(m, architecture, version, tensors).eval()
    with changed(torch, "rand_like", Draws()):
        out = model(fixed_image(architecture["image_size"], tensors), ids)
    if version == 1:
        masks = out["masks"][out["chosen"]]
    else:
        masks = out["masks"][0, :, :architecture["queries"] - architecture["edge_queries"]].mean(1)
    rows = [{"prompt": prompt, "ids": row, "mask": outline(mask.flatten())}
            for prompt, row, mask in zip(PROMPTS, ids, masks)]
    if version == 2:
        for row, existence in zip(rows, out["existence"][0].tolist()):
            row["existence"] = existence
    print("covered", [(mask > 0).float().mean().item() for mask in masks], out.get("chosen", out.get("existence")))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"weights_sha256": digest,
            "reference": f"the published code of BiomedParse {version}, PyTorch {torch.__version__} in float32",
            "prompts": rows}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("v1", "v2", "folder", "output"):
        parser.add_argument(name, type=pathlib.Path)
    arguments = parser.parse_args()
    with torch.no_grad():
        found = golden(published(arguments.v1, arguments.v2), arguments.folder)
    arguments.output.write_text(json.dumps(found, indent=1) + "\n")
