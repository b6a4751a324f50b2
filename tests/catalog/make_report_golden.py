"""Stores what transformers gives for a package of a report model: make_report_golden.py FOLDER OUTPUT.json

FOLDER is a package with a Llama decoder as `vesalius models random maira-2` or `vesalius train report` leaves it. Tower,
projector and decoder are those of tests/models/maira2_reference.py in float32, token ids those of `tokenizers`; image and
words are those of src/catalog/report_golden.cpp. `vesalius models verify` compares by the hash of the weights. To make
the one that ships:

    VESALIUS_BUILD=build/release PYTHONPATH=tests .venv/bin/python tests/catalog/make_report_golden.py build/starter-report-2 catalog/starter-report/golden.json
"""
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import tokenizers
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file

from catalog.make_golden import fixed_image, outline
from models.maira2_reference import Reference, image_tokens, program

TOKENS = 8
INDICATION = "Shortness of breath."


def sizes(config):
    """In the words of maira2_reference.py."""
    vision, text = config["vision_config"], config["text_config"]
    assert text["model_type"] == "llama" and not text.get("rope_scaling"), text
    return {"vision": {"hidden": vision["hidden_size"], "layers": vision["num_hidden_layers"],
                       "heads": vision["num_attention_heads"], "image_size": vision["image_size"],
                       "patch_size": vision["patch_size"]},
            "projector": {"layers": config["projector_n_layers"]},
            "text": {"vocabulary": text["vocab_size"], "hidden": text["hidden_size"],
                     "intermediate": text["intermediate_size"], "layers": text["num_hidden_layers"],
                     "heads": text["num_attention_heads"], "kv_heads": text["num_key_value_heads"],
                     "head_dim": text["head_dim"], "eps": text["rms_norm_eps"], "rope": {"theta": text["rope_theta"]}},
            "image_token": config["image_token_index"]}


def asked(folder):
    """The prompt in words, as the program says it."""
    with tempfile.TemporaryDirectory() as scratch:
        film = pathlib.Path(scratch) / "film.png"
        Image.fromarray((np.indices((256, 256)).sum(0) // 2).astype(np.uint8)).save(film)
        run = subprocess.run([program().with_name("vesalius"), "report", film, "--model", folder, "--indication",
                              INDICATION, "--max-new-tokens", "1", "--force", "--json", "-q"], check=True,
                             capture_output=True, text=True)
    return json.loads(run.stdout)["prompt"]


def golden(folder):
    config = json.loads((folder / "config.json").read_text())
    c = sizes(config)
    weights = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
    reference = Reference(c, weights)
    ids = []
    for token in tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")).encode(asked(folder)).ids:
        ids += [token] * (image_tokens(c) if token == c["image_token"] else 1)
    keys = json.loads((folder / "preprocessor_config.json").read_text())
    image = fixed_image({"IMAGE_SIZE": [c["vision"]["image_size"]], "IMAGE_MEAN": keys["image_mean"],
                         "IMAGE_STD": keys["image_std"]})
    features = reference.projected(image)[0]
    embeds = reference.embeds(torch.tensor(ids), features)
    prefill, _ = reference.steps(embeds, torch.tensor([], dtype=torch.int64))
    written, _ = reference.greedy(embeds, TOKENS)
    with (folder / "model.safetensors").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"weights_sha256": digest,
            "reference": f"transformers {transformers.__version__}, PyTorch {torch.__version__} in float32",
            "prompt_ids": ids, "features": outline(features.flatten()), "logits": outline(prefill[-1]),
            "output_ids": written}


if __name__ == "__main__":
    folder, output = map(pathlib.Path, sys.argv[1:])
    output.write_text(json.dumps(golden(folder), indent=1) + "\n")
