"""Every image at hand, and every way in which Pillow writes one, against Pillow and pydicom."""

import random
import struct
import zlib

import numpy as np
import pytest
from decoded import PYDICOM_FILES, SHARED, as_array, check, compare_dicom, compare_image, decode_one, exit_code
from decoded import dicom_file
from PIL import Image

SAMPLE = 50  # of each folder with many files of one kind


def files_below(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def is_dicom(path):
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def shared_images():
    if not SHARED.exists():
        return {}
    folders = {}
    for path in files_below(SHARED):
        if path.suffix.lower() in {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".svs"}:
            folders.setdefault(path.parent, []).append(path)
    pick = random.Random(0)
    return {
        str(folder.relative_to(SHARED)): paths if len(paths) <= SAMPLE else pick.sample(paths, SAMPLE)
        for folder, paths in folders.items()
    }


@pytest.mark.parametrize("folder", sorted(shared_images()) or ["absent"])
def test_shared_images_equal_pillow(folder):
    if folder == "absent":
        pytest.skip("../shared/data is not here")
    check(shared_images()[folder], compare_image)


def test_pydicom_files_equal_pydicom():
    check(files_below(PYDICOM_FILES), compare_dicom)


def test_shared_dicom_equals_pydicom():
    if not SHARED.exists():
        pytest.skip("../shared/data is not here")
    check([path for path in files_below(SHARED) if is_dicom(path)], compare_dicom)


# ---- files made here, one for each way of storing ----


def picture(channels, dtype="u1", height=37, width=53):
    rng = np.random.default_rng(channels)
    y, x = np.mgrid[0:height, 0:width]
    smooth = np.stack([(x * (3 + c) + y * (5 - c)) % 251 for c in range(channels)], -1)
    noisy = (smooth + rng.integers(0, 5, smooth.shape)).astype("u1")
    array = noisy if dtype == "u1" else (noisy.astype(dtype) * 257 + rng.integers(0, 99, noisy.shape, dtype))
    return array[..., 0] if channels == 1 else array


def pillow_image(mode):
    if mode == "1":
        return Image.fromarray(picture(1) > 99)
    if mode == "P":
        return Image.fromarray(picture(3)).quantize(100)
    if mode == "I;16":
        return Image.fromarray(picture(1, "u2"))
    if mode == "F":
        return Image.fromarray(picture(1).astype("f4") / 7 - 3)
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    return Image.fromarray(picture(channels), mode) if mode == "CMYK" else Image.fromarray(picture(channels))


PNG_CASES = [(mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")]
PNG_CASES += [("P", {"bits": bits}) for bits in (1, 2, 4)] + [("P", {"transparency": 7})]
PNG_CASES += [("RGB", {"exif": True})]
JPEG_CASES = [("L", {}), ("CMYK", {}), ("RGB", {"exif": True})] + [
    ("RGB", {"subsampling": s, "progressive": p, "quality": q})
    for s in ("4:4:4", "4:2:2", "4:2:0")
    for p in (False, True)
    for q in (20, 95)
]
TIFF_CASES = [
    (mode, {"compression": compression})
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F")
    for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")
] + [
    ("RGB", {"compression": "jpeg"}),
    ("L", {"compression": "jpeg"}),
    ("1", {"compression": "group4"}),
    ("RGB", {"exif": True}),
]


def exif_for(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize(
    "suffix, mode, options",
    [("png", *case) for case in PNG_CASES]
    + [("jpg", *case) for case in JPEG_CASES]
    + [("tif", *case) for case in TIFF_CASES],
)
def test_written_by_pillow(tmp_path, suffix, mode, options):
    path = tmp_path / f"image.{suffix}"
    options = {key: value for key, value in options.items() if value is not None}
    if options.get("exif"):
        options["exif"] = exif_for(6)
    pillow_image(mode).save(path, **options)
    header, data = decode_one(path)
    assert compare_image(header, data, path) is None
    assert header["orientation"] == (6 if "exif" in options else 1)
    if suffix != "jpg" or mode in {"L", "CMYK", "RGB"}:
        assert header["mode"] == mode


def raw_png(path, array, interlaced=False):
    """16-bit colour, which Pillow does not write."""
    height, width, channels = array.shape
    kind = {2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + array[y].astype(">u2").tobytes() for y in range(height))

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, int(interlaced))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("channels, mode", [(2, "RGBA;16"), (3, "RGB;16"), (4, "RGBA;16")])
def test_16_bit_colour_png_is_kept(tmp_path, channels, mode):
    path, array = tmp_path / "deep.png", picture(channels, "u2")
    raw_png(path, array)
    header, data = decode_one(path)
    assert header["mode"] == mode
    expected = np.concatenate([array[..., :1].repeat(3, -1), array[..., 1:]], -1) if channels == 2 else array
    assert np.array_equal(as_array(header, data), expected)
    assert compare_image(header, data, path) is None


# ---- what cannot be read ----


@pytest.mark.parametrize("keep", [0, 1, 10, 200, 0.3, 0.9])
@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_RLE.dcm", "JPEG2000.dcm", "image_dfl.dcm", "JPGExtended.dcm", "JPEGLSNearLossless_16.dcm"])
def test_truncated_dicom(tmp_path, name, keep):
    whole = (PYDICOM_FILES / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
    header, _ = decode_one(path)
    assert header["code"] == 4 and str(path) in header["error"]
    assert exit_code(path) == 4


@pytest.mark.parametrize("keep", [4, 20, 100, 0.5, 0.95])
@pytest.mark.parametrize("suffix, options", [("png", {}), ("jpg", {}), ("jpg", {"progressive": True}), ("tif", {"compression": "tiff_lzw"}), ("tif", {})])
def test_truncated_image(tmp_path, suffix, options, keep):
    path = tmp_path / f"t.{suffix}"
    pillow_image("RGB").save(path, **options)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
    header, _ = decode_one(path)
    assert header["code"] == 4 and str(path) in header["error"]


def test_a_dicom_that_claims_65535_squared_pixels(tmp_path):
    path = tmp_path / "huge.dcm"
    dataset = dicom_file(path, np.zeros((2, 5), np.uint8))
    dataset.Rows = dataset.Columns = 65535
    dataset.save_as(path, enforce_file_format=True)
    header, _ = decode_one(path)
    assert header["code"] == 4 and "65535" in header["error"]
    dataset.Rows = dataset.Columns = 40000  # within the cap, and still a lie
    dataset.save_as(path, enforce_file_format=True)
    header, _ = decode_one(path)
    assert header["code"] == 4 and "10 are there" in header["error"]
