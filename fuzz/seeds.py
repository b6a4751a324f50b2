"""Writes a few small inputs for each fuzz target: seeds.py FOLDER makes FOLDER/TARGET/NAME."""

import io
import json
import pathlib
import sys

import numpy as np
import pydicom
from PIL import Image
from safetensors.numpy import save as save_arrays


def picture(mode, size=(19, 11)):
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    array = np.stack([(x * 13 + y * 7) % 256, (x * y) % 256, (x + y) * 9 % 256], -1).astype(np.uint8)
    if mode == "I;16":
        return Image.fromarray(array[..., 0].astype(np.uint16) * 201)
    image = Image.fromarray(array)
    return image.quantize(30) if mode == "P" else image.convert(mode)


def saved(mode, kind, **options):
    out = io.BytesIO()
    picture(mode).save(out, kind, **options)
    return out.getvalue()


def png_seeds():
    return {mode.replace(";", ""): saved(mode, "png") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")}


def jpeg_seeds():
    seeds = {mode: saved(mode, "jpeg") for mode in ("L", "RGB", "CMYK")}
    seeds["progressive"] = saved("RGB", "jpeg", progressive=True)
    seeds["half"] = saved("RGB", "jpeg", subsampling="4:2:0", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0")
    return seeds


def tiff_seeds():
    seeds = {mode.replace(";", ""): saved(mode, "tiff") for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16")}
    for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        seeds[name] = saved("RGB", "tiff", compression=name)
    seeds["group4"] = saved("1", "tiff", compression="group4")
    return seeds


def dicom_seeds():
    """The smallest of pydicom's own files, which hold every transfer syntax."""
    folder = pathlib.Path(pydicom.__file__).parent / "data" / "test_files"
    files = [path for path in sorted(folder.rglob("*.dcm")) if path.stat().st_size < 12_000]
    return {path.name: path.read_bytes() for path in files}


def manifest_seeds():
    return {
        "csv": b"\xef\xbb\xbfpath,label\r\na.png,\"effusion, left\"\r\nb.png,\"says \"\"no\"\"\"\n",
        "lines": b'{"path": "a.png", "label": "CT"}\n\n{"path": "b.png"}\n',
        "labels": b"# modality | a {} image\nx-ray\nCT\n# finding | when modality = x-ray\nno finding\n\\#1\n",
    }


def index_seeds():
    segment = {"vectors": "vectors-000001.f32", "entries": "entries-000001.jsonl", "count": 2,
               "vectors_sha256": "00", "entries_sha256": "11"}
    header = {"format": "vesalius-index", "version": 1, "dimension": 4, "count": 2, "model": "m",
              "weights_sha256": "22", "recipe": "vesalius@1", "recipe_parameters": {"a": 1},
              "precision": "fp32", "device": "cpu", "segments": [segment]}
    empty = dict(header, count=0, segments=[])
    return {"one": json.dumps(header).encode(), "empty": json.dumps(empty).encode()}


def safetensors_seeds():
    arrays = {"a.weight": np.ones((2, 3), np.float32), "b": np.arange(4, dtype=np.int64), "c": np.ones((), np.float16)}
    seeds = {"plain": save_arrays(arrays), "metadata": save_arrays(arrays, {"format": "pt"}), "empty": save_arrays({})}
    seeds["overlap"] = seeds["plain"].replace(b'"data_offsets":[0,32]', b'"data_offsets":[8,40]')
    seeds["huge"] = seeds["plain"].replace(b"[2,3]", b"[99999999999,99999999999]")
    return seeds


CONFIG = """
IMAGE_ENCODER:
  IMAGE_SIZE: [96, 96]
  IMAGE_MEAN: [0.485, 0.456, 0.406]
  SPEC: {DIM_EMBED: [32, 64], DEPTHS: [1, 2], NUM_HEADS: [1, 2], NUM_GROUPS: [1, 2], PATCH_SIZE: [7, 3],
         PATCH_STRIDE: [4, 2], PATCH_PADDING: [3, 1], PATCH_PRENORM: [false, true], WINDOW_SIZE: 12}
LANG_ENCODER: {CONTEXT_LENGTH: 77, WIDTH: 64, HEADS: 2, LAYERS: 3, AUTOGRESSIVE: false}
UNICL_MODEL: {DIM_PROJECTION: 48}
"""


def config_seeds():
    return {"plain": CONFIG.encode(), "dotted": (CONFIG + "IMAGE_ENCODER.SPEC.WINDOW_SIZE: 6\n").encode(),
            "anchors": b"a: &a [1, 2]\nIMAGE_ENCODER: {SPEC: {DEPTHS: *a}}\nLANG_ENCODER: {}\n"}


def card_seeds():
    cards = pathlib.Path(__file__).parent.parent / "catalog"
    seeds = {path.stem: path.read_bytes() for path in cards.rglob("*.toml")}
    return seeds | {"kinds": b"a = 1\nb = [1.5, 2]\nc = 1979-05-27T07:32:00Z\n[d.e]\nf = true\n[[g]]\nh = \"i\"\n"}


SEEDS = {
    "checkpoint_header_fuzz": safetensors_seeds,
    "catalog_config_fuzz": config_seeds,
    "catalog_card_fuzz": card_seeds,
    "tasks_manifest_fuzz": manifest_seeds,
    "tasks_index_fuzz": index_seeds,
    "media_png_fuzz": png_seeds,
    "media_jpeg_fuzz": jpeg_seeds,
    "media_tiff_fuzz": tiff_seeds,
    "media_dicom_fuzz": dicom_seeds,
}


def main(folder):
    for target, make in SEEDS.items():
        below = pathlib.Path(folder) / target
        below.mkdir(parents=True, exist_ok=True)
        for name, content in make().items():
            (below / name).write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1])
