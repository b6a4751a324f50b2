"""The program media_pixels, and comparisons of what it decodes with Pillow and pydicom, to the bit."""

import json
import os
import pathlib
import subprocess
import warnings

import numpy as np
import pydicom
from PIL import Image

TOOL = pathlib.Path(os.environ["VESALIUS_BUILD"]) / "media_pixels"
SHARED = pathlib.Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
PYDICOM_FILES = pathlib.Path(pydicom.__file__).parent / "data" / "test_files"
DTYPES = {"I;16": "u2", "RGB;16": "u2", "RGBA;16": "u2", "F": "f4"}
PILLOW_MODES = {"I": "F", "I;16B": "I;16"}  # our names for modes that hold the same numbers

# Readable here and not there.
ONLY_HERE = {"JPEG-lossy.dcm": "its scan header ends before coefficient 63, which pylibjpeg refuses"}

warnings.filterwarnings("ignore")
Image.MAX_IMAGE_PIXELS = None


def decode(*paths):
    """Header and raw bytes of each file, from one run of the tool."""
    out = run_tool(*paths)
    assert len(out) == len(paths), "the tool died"
    return out


def run_tool(*arguments):
    run = subprocess.run([TOOL, *map(str, arguments)], stdout=subprocess.PIPE, check=False)
    out, at = [], 0
    while at < len(run.stdout):
        end = run.stdout.index(b"\n", at)
        header = json.loads(run.stdout[at:end])
        out.append((header, run.stdout[end + 1 : end + 1 + header["bytes"]]))
        at = end + 1 + header["bytes"]
    return out


def decode_one(path):
    return decode(path)[0]


def exit_code(path):
    return subprocess.run([TOOL, str(path)], stdout=subprocess.DEVNULL, check=False).returncode


def as_array(header, data):
    if header["kind"] == "dicom":
        frames, rows, columns, samples = header["shape"]
        array = np.frombuffer(data, "i4").reshape(frames, rows, columns, samples)
        array = array[..., 0] if samples == 1 else array
        return array[0] if frames == 1 else array
    shape = (header["height"], header["width"], header["channels"])
    array = np.frombuffer(data, DTYPES.get(header["mode"], "u1")).reshape(shape)
    return array[..., 0] if shape[2] == 1 else array


TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


def compare_image(header, data, path):
    """A sentence about the first difference from Pillow, or None."""
    try:
        image = Image.open(path)
        image.load()
    except Exception:  # noqa: BLE001: whatever Pillow throws, it cannot read the file
        return None if header.get("code") == 4 else f"{path}: Pillow cannot read it, and we do"
    if "error" in header:
        return header["error"]
    ours = as_array(header, data)
    mode = header["mode"]
    if mode.endswith("A;16") or mode == "RGB;16":  # Pillow keeps the high bytes
        ours, mode = (ours >> 8).astype("u1"), mode[:-3]
    if image.format == "TIFF":  # Pillow has turned it
        ours = TURNS[header["orientation"]](ours)
    theirs = np.asarray(image.convert("L") if mode == "1" else image)
    if (mode, ours.shape) != (PILLOW_MODES.get(image.mode, image.mode), theirs.shape):
        return f"{path}: {mode} {ours.shape}, Pillow has {image.mode} {theirs.shape}"
    if mode == "P":
        palette = image.getpalette("RGB")
        if header["palette"][: len(palette)] != palette:
            return f"{path}: another palette"
    if not np.array_equal(ours, theirs):
        worst = np.abs(ours.astype(float) - theirs).max()
        return f"{path}: {(ours != theirs).mean():.2%} of the samples differ, by up to {worst}"
    return None


def pydicom_array(path):
    dataset = pydicom.dcmread(path)
    return dataset.pixel_array


def compare_dicom(header, data, path):
    try:
        theirs = pydicom_array(path)
    except Exception:  # noqa: BLE001: whatever pydicom throws, it cannot read the file
        readable = "error" not in header and path.name not in ONLY_HERE
        return f"{path}: pydicom cannot read it, and we do" if readable else None
    if "error" in header:
        return header["error"]
    ours = as_array(header, data)
    ours = ours.view("u4") if theirs.dtype.kind == "u" and theirs.dtype.itemsize == 4 else ours
    if ours.shape != theirs.shape:
        return f"{path}: {ours.shape}, pydicom has {theirs.shape}"
    if not np.array_equal(ours, theirs):
        worst = np.abs(ours.astype(float) - theirs).max()
        return f"{path}: {(ours != theirs).mean():.2%} of the values differ, by up to {worst}"
    return None


def check(paths, compare):
    assert paths
    found = [compare(header, data, path) for (header, data), path in zip(decode(*paths), paths)]
    assert [line for line in found if line] == []
    return found


def dicom_file(path, array, photometric="MONOCHROME2", bits_stored=None, syntax=None, frames=1, **more):
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax or pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.SOPClassUID, dataset.SOPInstanceUID = pydicom.uid.SecondaryCaptureImageStorage, "1.2.3"
    samples = 3 if photometric.startswith(("RGB", "YBR")) else 1
    shape = array.shape[1:] if frames > 1 else array.shape
    dataset.Rows, dataset.Columns = shape[0], shape[1]
    dataset.NumberOfFrames = frames
    dataset.SamplesPerPixel = samples
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = array.dtype.itemsize * 8
    dataset.BitsStored = bits_stored or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(array.dtype.kind == "i")
    if samples == 3:
        dataset.PlanarConfiguration = 0
    for name, value in more.items():
        setattr(dataset, name, value)
    big = dataset.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRBigEndian
    raw = array.astype(array.dtype.newbyteorder(">" if big else "<")).tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OB" if array.dtype.itemsize == 1 else "OW"
    dataset.save_as(path, enforce_file_format=True)
    return dataset


def check_dicom(path):
    header, data = decode_one(path)
    assert compare_dicom(header, data, path) is None
    assert "error" not in header
    return header, as_array(header, data)


