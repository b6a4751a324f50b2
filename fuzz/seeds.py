"""Writes a few small inputs for each fuzz target: seeds.py FOLDER makes FOLDER/TARGET/NAME."""

import io
import pathlib
import sys

import numpy as np
import pydicom
from PIL import Image


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
    files = [path for path in sorted(folder.rglob("*.dcm")) if path.stat().st_size < 40_000]
    return {path.name: path.read_bytes() for path in files}


SEEDS = {
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
