"""DICOM files made here, one for each way of storing pixels, against pydicom."""

import base64
import io

import gdcm
import numpy as np
import pydicom
import pytest
from decoded import check_dicom, dicom_file
from PIL import Image

NATIVE = [
    (dtype, bits, syntax)
    for dtype, bits in [("u1", 8), ("u1", 5), ("i1", 8), ("u2", 16), ("u2", 12), ("i2", 16), ("i2", 12), ("u4", 32), ("i4", 20)]
    for syntax in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
]


@pytest.mark.parametrize("dtype, bits, syntax", NATIVE)
def test_native_monochrome(tmp_path, dtype, bits, syntax):
    array = np.random.default_rng(bits).integers(np.iinfo(dtype).min, np.iinfo(dtype).max, (11, 7), dtype, True)
    dicom_file(tmp_path / "n.dcm", array, bits_stored=bits, syntax=pydicom.uid.UID(syntax))
    check_dicom(tmp_path / "n.dcm")


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("frames", [1, 3])
def test_native_colour(tmp_path, photometric, planar, frames):
    array = np.random.default_rng(1).integers(0, 256, (frames, 9, 5, 3), np.uint8)
    stored = array.transpose(0, 3, 1, 2) if planar else array
    path = tmp_path / "c.dcm"
    dicom_file(path, array if frames > 1 else array[0], photometric, frames=frames)
    dataset = pydicom.dcmread(path)
    dataset.PlanarConfiguration = planar
    dataset.PixelData = stored.tobytes() + b"\0" * (stored.size % 2)
    dataset.save_as(path, enforce_file_format=True)
    header, _ = check_dicom(path)
    assert header["photometric"] == "RGB"


@pytest.mark.parametrize(
    "encoder, dtype, bits",
    [("rle", "u1", 8), ("rle", "i2", 12), ("rle", "u2", 16), ("rle", "rgb", 8)]
    + [("j2k", "u1", 8), ("j2k", "i2", 12), ("j2k", "u2", 16), ("j2k", "rgb", 8)],
)
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("table", [True, False])
def test_encapsulated(tmp_path, encoder, dtype, bits, frames, table):
    syntax = {"rle": pydicom.uid.RLELossless, "j2k": pydicom.uid.JPEG2000Lossless}[encoder]
    rng = np.random.default_rng(2)
    if dtype == "rgb":
        array, photometric = rng.integers(0, 256, (frames, 96, 81, 3), np.uint8), "RGB"
    else:
        top = 2 ** (bits - (dtype[0] == "i"))
        array, photometric = rng.integers(-top if dtype[0] == "i" else 0, top, (frames, 96, 81)).astype(dtype), "MONOCHROME2"
    path = tmp_path / "e.dcm"
    dataset = dicom_file(path, array if frames > 1 else array[0], photometric, bits_stored=bits, frames=frames)
    dataset.compress(syntax, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    if not table:
        parts = list(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=frames))
        dataset.PixelData = pydicom.encaps.encapsulate(parts, has_bot=False)
    dataset.save_as(path, enforce_file_format=True)
    _, ours = check_dicom(path)
    assert np.array_equal(ours, array if frames > 1 else array[0])


@pytest.mark.parametrize("fragments", [1, 2, 5])
@pytest.mark.parametrize("table", [True, False])
def test_frames_in_several_fragments(tmp_path, fragments, table):
    array = np.random.default_rng(3).integers(0, 4096, (3, 96, 81), np.uint16)
    path = tmp_path / "f.dcm"
    dataset = dicom_file(path, array, frames=3, bits_stored=12)
    dataset.compress(pydicom.uid.JPEG2000Lossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    parts = list(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=3))
    dataset.PixelData = pydicom.encaps.encapsulate(parts, fragments_per_frame=fragments, has_bot=table)
    dataset.save_as(path, enforce_file_format=True)
    _, ours = check_dicom(path)
    assert np.array_equal(ours, array)




def encapsulate(dataset, frames, syntax, path):
    dataset.PixelData = pydicom.encaps.encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    dataset.save_as(path, enforce_file_format=True)


def smooth(dtype, bits, shape=(40, 56)):
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    span = 2**bits
    return ((x * span // 97 + y * span // 61 + (x * y) % 3) % span - (span // 2 if dtype[0] == "i" else 0)).astype(dtype)


GDCM_SYNTAXES = {
    "1.2.840.10008.1.2.4.57": gdcm.TransferSyntax.JPEGLosslessProcess14,
    "1.2.840.10008.1.2.4.70": gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    "1.2.840.10008.1.2.4.80": gdcm.TransferSyntax.JPEGLSLossless,
    "1.2.840.10008.1.2.5": gdcm.TransferSyntax.RLELossless,
    "1.2.840.10008.1.2.4.90": gdcm.TransferSyntax.JPEG2000Lossless,
}


@pytest.mark.parametrize("syntax", GDCM_SYNTAXES)
@pytest.mark.parametrize("dtype, bits", [("u1", 8), ("u2", 12), ("u2", 16), ("i2", 12), ("i2", 16), ("rgb", 8)])
def test_lossless_of_gdcm(tmp_path, syntax, dtype, bits):
    if dtype == "rgb":
        array = np.stack([smooth("u1", 8), smooth("u1", 7), 255 - smooth("u1", 8)], -1)
        dicom_file(tmp_path / "n.dcm", array, "RGB")
    else:
        array = smooth(dtype, bits)
        dicom_file(tmp_path / "n.dcm", array, bits_stored=bits)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(tmp_path / "n.dcm"))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(GDCM_SYNTAXES[syntax]))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(tmp_path / "c.dcm"))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    assert pydicom.dcmread(tmp_path / "c.dcm").file_meta.TransferSyntaxUID == syntax
    _, ours = check_dicom(tmp_path / "c.dcm")
    assert np.array_equal(ours, array)


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422", "RGB"])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_baseline_colour(tmp_path, photometric, subsampling, progressive):
    array = np.stack([smooth("u1", 8), smooth("u1", 7), 255 - smooth("u1", 8)], -1)
    coded = io.BytesIO()
    Image.fromarray(array).save(coded, "jpeg", quality=80, subsampling=subsampling, progressive=progressive)
    dataset = dicom_file(tmp_path / "j.dcm", array, photometric)
    encapsulate(dataset, [coded.getvalue()], "1.2.840.10008.1.2.4.50", tmp_path / "j.dcm")
    header, _ = check_dicom(tmp_path / "j.dcm")
    assert header["photometric"] == "RGB"


def test_jpeg_baseline_grey_in_frames(tmp_path):
    frames = []
    for quality in (30, 60, 95):
        coded = io.BytesIO()
        Image.fromarray(smooth("u1", 8)).save(coded, "jpeg", quality=quality)
        frames.append(coded.getvalue())
    dataset = dicom_file(tmp_path / "g.dcm", np.stack([smooth("u1", 8)] * 3), frames=3)
    encapsulate(dataset, frames, "1.2.840.10008.1.2.4.50", tmp_path / "g.dcm")
    _, ours = check_dicom(tmp_path / "g.dcm")
    assert ours.shape == (3, 40, 56)


# Code streams that OpenJPH 0.26 wrote, reversible, of the arrays beside them.
HTJ2K = {
    "u2": (
        "/0//UQApQAAAAAAoAAAAIAAAAAAAAAAAAAAAKAAAACAAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAMEBEAB/1wA"
        "DSCIkJCQkJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAANoAAf+TwAAuzP9//3z/df9f/1f/S/9D/zcn"
        "rZPQ/3mR9v90I+P/b5Hsf3XkOam8Hf4Af/rLqB9CADG7AMAAFVAABWjYYsOG7dfiC3UAtGlpaWngDEYxgey4AMAAFoQAAWqA"
        "ZmZmZmZmZmbv6np6cYJ4ANZWq9VqtVqt1v6EPYhAe/YhAey8AMAALbgABdOAHo/H4/F4PB6Px+PxeDz8f4p6enp6enpxAn0A"
        "Xs/zPM/zPM/zPM/zPM/z/v96IBCB79hCB79hCB79hCB79hCB7LcB/9k="
    ),
    "i2": (
        "/0//UQApQAAAAAAoAAAAIAAAAAAAAAAAAAAAKAAAACAAAAAAAAAAAAABjwEB/1AACAACAAAACv9SAAwAAgABAAMEBEAB/1wA"
        "DSCIkJCQkJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAALoAAf+TwAAt8G/deuuWE97KJ8i3g7w18Whu"
        "zSCxWw5MYSg+MIAtegDAABUwAAVo0FAo9NfhC3UA0dFoNPrgCEYhAey4AMAAFdAABaimaZqmaZrv6np6cIJ4AOfzPM/zPM/z"
        "/oI9hCB79hCB7LwAwAAteAAF0gCMMcYYY4wxxhhj/H+Kenp6enp6cAJ9AG1rrbXWWmuttdZaa+3/eiAAAe/YAAe/YAAe/YAA"
        "e/YAAey3Af/Z"
    ),
    "u1": (
        "/0//UQAvQAAAAAAoAAAAIAAAAAAAAAAAAAAAKAAAACAAAAAAAAAAAAADBwEBBwEBBwEB/1AACAACAAAAA/9SAAwAAgABAQME"
        "BEAB/1wADSBQWFhYWFhYUFBQ/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAZUAAf+TwBbY/1/np+fjdt9s/zXn"
        "zrNwg2zsHDQgvAACqbkAwBbQj+flP54jkH32/za/u99muwFmkCXEF/JEugDAFuCv7+V3+JwImN9fnx/f7+eDqv4A5gMcYXgi"
        "RLoAwAngBWBM8tF+S3UAohBC/OAARgAB7LgAwAqIAVgQAP7Rfst1AG1rrf3gAEYAAey4AMAKiAFYohDi1+ALdQD/f/9/4ABG"
        "AAHsuADACpgBaAAAAO/p6enidwAQAAAAAP7+gz3ye/fJ7LoAwAq4AWgAAAAA7+Cnp6dCeAC1qqqqqv7+gz3ye/fJ7LoAwArI"
        "AWgAAAAAAO/gp6enwngA/3//f/9//oM98nv3yey6AMAVcAWoAAD8f4KUpSlL6QBWVVVVVf96Ne/de/de/de/dey/AMAV0AW0"
        "AAD8f5T09PT09PTyfACZJEmSJEmS5P96IEnv2Se/ZJ79knv2SeyyAcAWhAFtAKqqqqr8f6np6enp6enifADdtm3btm3b9v96"
        "IEnv2Se/ZJ79knv2SeyyAf/Z"
    ),
}


def htj2k_array(dtype):
    y, x = np.mgrid[0:32, 0:40]
    if dtype == "u2":
        return ((x * 5 + y * 3) * 16).astype("u2")
    if dtype == "i2":
        return ((x - y) * 23).astype("i2")
    return np.stack([x * 4, y * 7, (x + y) * 2], -1).astype("u1")


@pytest.mark.parametrize("dtype", HTJ2K)
@pytest.mark.parametrize("last", [1, 2, 3])
def test_high_throughput_jpeg2000(tmp_path, dtype, last):
    array, coded = htj2k_array(dtype), base64.b64decode(HTJ2K[dtype])
    dataset = dicom_file(tmp_path / "h.dcm", array, "RGB" if array.ndim == 3 else "MONOCHROME2")
    encapsulate(dataset, [coded], f"1.2.840.10008.1.2.4.20{last}", tmp_path / "h.dcm")
    _, ours = check_dicom(tmp_path / "h.dcm")
    assert np.array_equal(ours, array)
