"""Every image at hand, and every way in which Pillow writes one, against Pillow and pydicom."""

import random
import struct

import numpy as np
import pytest
import tifffile
from decoded import PYDICOM_FILES, SHARED, as_array, check, compare_dicom, compare_image, decode_one, exit_code
from decoded import dicom_file
from PIL import Image
from raw_png import raw_png

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


@pytest.mark.parametrize("channels, color_type, mode", [(2, 4, "RGBA;16"), (3, 2, "RGB;16"), (4, 6, "RGBA;16")])
@pytest.mark.parametrize("interlaced", [False, True])
def test_16_bit_colour_png_is_kept(tmp_path, channels, color_type, mode, interlaced):
    path, array = tmp_path / "deep.png", picture(channels, "u2")
    raw_png(path, array, color_type, 16, interlaced)
    header, data = decode_one(path)
    assert header["mode"] == mode
    expected = np.concatenate([array[..., :1].repeat(3, -1), array[..., 1:]], -1) if channels == 2 else array
    assert np.array_equal(as_array(header, data), expected)
    assert compare_image(header, data, path) is None


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("transparent", [False, True])
def test_grey_png_of_every_depth(tmp_path, depth, interlaced, transparent):
    array = picture(1, "u2" if depth == 16 else "u1")[..., None] & (2**depth - 1)
    chunks = [(b"tRNS", struct.pack(">H", 1))] if transparent else []
    raw_png(tmp_path / "g.png", array, 0, depth, interlaced, chunks)
    header, data = decode_one(tmp_path / "g.png")
    assert "error" not in header
    assert compare_image(header, data, tmp_path / "g.png") is None


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("interlaced", [False, True])
def test_palette_png_of_every_depth(tmp_path, depth, interlaced):
    array = picture(1)[..., None] & (2**depth - 1)
    colors = np.random.default_rng(depth).integers(0, 256, (2**depth, 3), np.uint8)
    chunks = [(b"PLTE", colors.tobytes()), (b"tRNS", bytes([9, 200]))]
    raw_png(tmp_path / "p.png", array, 3, depth, interlaced, chunks)
    header, data = decode_one(tmp_path / "p.png")
    assert compare_image(header, data, tmp_path / "p.png") is None
    assert header["palette"][: colors.size] == colors.ravel().tolist()
    assert header["palette_alpha"] == [9, 200]


TIFF_LAYOUTS = [
    {},
    {"byteorder": ">"},
    {"bigtiff": True},
    {"tile": (16, 32)},
    {"rowsperstrip": 7},
    {"compression": "zlib"},
    {"compression": "zlib", "tile": (32, 16), "byteorder": ">"},
]
TIFF_SAMPLES = [
    ("u1", 1, {}),
    ("u2", 1, {}),
    ("f4", 1, {}),
    ("i2", 1, {}),
    ("u1", 1, {"photometric": "miniswhite"}),
    ("u1", 3, {"photometric": "rgb"}),
    ("u2", 3, {"photometric": "rgb"}),
    ("u1", 4, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
    ("u1", 4, {"photometric": "rgb", "extrasamples": ["assocalpha"]}),
    ("u1", 4, {"photometric": "rgb", "extrasamples": ["unspecified"]}),
    ("u2", 4, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
    ("u1", 3, {"photometric": "rgb", "planarconfig": "separate"}),
    ("u2", 3, {"photometric": "rgb", "planarconfig": "separate"}),
    ("u1", 4, {"photometric": "separated"}),
]


@pytest.mark.parametrize("layout", TIFF_LAYOUTS, ids=str)
@pytest.mark.parametrize("dtype, channels, tags", TIFF_SAMPLES, ids=str)
def test_tiff_layouts(tmp_path, dtype, channels, tags, layout):
    path = tmp_path / "t.tif"
    array = picture(channels, "u2" if dtype == "i2" else dtype if dtype != "f4" else "u1").astype(dtype)
    separate = tags.get("planarconfig") == "separate"
    tifffile.imwrite(path, array.transpose(2, 0, 1) if separate else array, metadata=None, **tags, **layout)
    header, data = decode_one(path)
    assert "error" not in header
    ours = as_array(header, data)
    # Pillow takes uncompressed tiles of one plane each for another order, and swaps compressed big-endian
    # floats and signed numbers twice; of 16-bit colour it knows the half.
    swapped = dtype in {"f4", "i2"} and "compression" in layout and layout.get("byteorder") == ">"
    tiles = separate and "tile" in layout and "compression" not in layout
    if swapped or tiles or header["mode"] in {"RGB;16", "RGBA;16"}:
        assert np.array_equal(ours, array)
    else:
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
