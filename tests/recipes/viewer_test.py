"""Our own recipe: orientation, transparency, depth, windows; and what every recipe says of bad input."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest
import torch
from media.decoded import as_array, run_tool
from PIL import Image, ImageOps
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from recipe_tool import run

DICOM = Path(pydicom.data.__file__).parent / "test_files"
rng = np.random.default_rng(3)


def bicubic(array, size=480):
    image = Image.fromarray(array)
    return np.asarray(image.convert("RGB").resize((size, size), Image.BICUBIC))


def one(folder, path, recipe="vesalius", **more):
    return run(folder, [(recipe, path, more)])[0]


def save(folder, image, name, **options):
    image.save(folder / name, **options)
    return folder / name


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path, orientation):
    image = Image.fromarray(rng.integers(0, 256, (40, 61, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[274] = orientation
    path = save(tmp_path, image, "turned.jpg", exif=exif, quality=95)
    _, pixels = one(tmp_path, path)
    assert np.array_equal(pixels, bicubic(np.asarray(ImageOps.exif_transpose(Image.open(path)))))
    _, published = one(tmp_path, path, "community")
    assert np.array_equal(published, bicubic(np.asarray(Image.open(path))))


def on_black(rgb, alpha):
    return ((rgb.astype(int) * alpha.astype(int)[..., None] + 127) // 255).astype(np.uint8)


def test_transparency_shows_black(tmp_path):
    rgba = rng.integers(0, 256, (50, 33, 4), dtype=np.uint8)
    path = save(tmp_path, Image.fromarray(rgba), "rgba.png")
    assert np.array_equal(one(tmp_path, path)[1], bicubic(on_black(rgba[..., :3], rgba[..., 3])))
    la = rng.integers(0, 256, (50, 33, 2), dtype=np.uint8)
    path = save(tmp_path, Image.fromarray(la, mode="LA"), "la.png")
    gray = np.repeat(la[..., :1], 3, axis=2)
    assert np.array_equal(one(tmp_path, path)[1], bicubic(on_black(gray, la[..., 1])))


def test_palette_transparency_shows_black(tmp_path):
    indices = rng.integers(0, 4, (20, 30), dtype=np.uint8)
    image = Image.fromarray(indices).convert("P")
    palette = rng.integers(0, 256, (256, 3), dtype=np.uint8)
    image.putpalette(palette.tobytes())
    alpha = np.array([255, 0, 128, 7] + [255] * 252, np.uint8)
    path = save(tmp_path, image, "p.png", transparency=alpha.tobytes())
    indices = np.asarray(Image.open(path))
    wanted = bicubic(on_black(np.asarray(Image.open(path).convert("RGB")), alpha[indices]))
    assert np.array_equal(one(tmp_path, path)[1], wanted)


def to_bytes(values, low, high):
    part = np.clip((values.astype(np.float64) - low) / (high - low), 0, 1) * 255
    return np.floor(part + 0.5).astype(np.uint8)


def test_sixteen_bits_are_scaled_by_their_range(tmp_path):
    wide = rng.integers(300, 4000, (60, 70), dtype=np.uint16)
    for name in ("wide.png", "wide.tif"):
        path = save(tmp_path, Image.fromarray(wide), name)
        assert np.array_equal(one(tmp_path, path)[1], bicubic(to_bytes(wide, wide.min(), wide.max())))
    real = rng.normal(size=(30, 20)).astype(np.float32)
    path = save(tmp_path, Image.fromarray(real), "real.tif")
    assert np.array_equal(one(tmp_path, path)[1], bicubic(to_bytes(real, real.min(), real.max())))


def test_a_window_goes_before_the_range(tmp_path):
    wide = rng.integers(0, 4000, (60, 70), dtype=np.uint16)
    path = save(tmp_path, Image.fromarray(wide), "wide.png")
    _, pixels = one(tmp_path, path, parameters={"window": [1000, 500]})
    assert np.array_equal(pixels, bicubic(to_bytes(wide, 750, 1250)))
    _, pixels = one(tmp_path, path, parameters={"percentiles": [1, 99]})
    assert np.array_equal(pixels, bicubic(to_bytes(wide, *np.percentile(wide.astype(np.float64), [1, 99]))))


def test_eight_bits_are_not_windowed(tmp_path):
    image = Image.fromarray(rng.integers(0, 256, (30, 30), dtype=np.uint8))
    path = save(tmp_path, image, "l.png")
    assert np.array_equal(one(tmp_path, path, parameters={"window": "lung"})[1], one(tmp_path, path)[1])


@pytest.mark.parametrize("window, center, width", [("lung", -600, 1500), ("brain", 40, 80), ([60, 160], 60, 160)])
def test_a_named_window_on_ct(tmp_path, window, center, width):
    path = DICOM / "CT_small.dcm"
    data = pydicom.dcmread(path)
    values = apply_modality_lut(data.pixel_array, data).astype(np.float64)
    answer, pixels = one(tmp_path, path, parameters={"window": window})
    assert np.array_equal(pixels, bicubic(to_bytes(values, center - width / 2, center + width / 2)))
    assert answer["id"] == "vesalius@1" and answer["parameters"] == {"window": window}


def test_dicom_is_shown_by_its_own_window(tmp_path):
    data = pydicom.dcmread(DICOM / "MR_small.dcm")
    shown = apply_voi_lut(apply_modality_lut(data.pixel_array, data), data).astype(np.float64)
    # pydicom gives the output of a window the range of the stored type.
    low, high = -(2.0 ** (data.BitsStored - 1)), 2.0 ** (data.BitsStored - 1) - 1
    if data.PixelRepresentation == 0:
        low, high = 0.0, 2.0**data.BitsStored - 1
    _, pixels = one(tmp_path, DICOM / "MR_small.dcm")
    assert np.abs(pixels.astype(int) - bicubic(to_bytes(shown, low, high))).max() <= 1


def monochrome(tmp_path, array, photometric, name):
    data = pydicom.dcmread(DICOM / "CT_small.dcm")
    data.PhotometricInterpretation = photometric
    data.Rows, data.Columns = array.shape
    data.PixelData = array.astype(np.int16).tobytes()
    data.PixelRepresentation = 1
    data.save_as(tmp_path / name)
    return tmp_path / name


def test_monochrome1_is_turned_over(tmp_path):
    array = rng.integers(0, 1000, (40, 50))
    one_, two = (monochrome(tmp_path, array, f"MONOCHROME{n}", f"m{n}.dcm") for n in (1, 2))
    for more in ({}, {"parameters": {"percentiles": [5, 95]}}):
        dark, bright = (one(tmp_path, path, **more)[1].astype(int) for path in (one_, two))
        assert np.ptp(bright) > 200
        assert np.abs(dark + bright - 255).max() <= 1  # halves are rounded up on both sides


def windowed(center, width):
    item = pydicom.Dataset()
    item.WindowCenter, item.WindowWidth = center, width
    return item


def test_every_frame_has_its_own_window(tmp_path):
    """Enhanced objects keep windows frame by frame; each frame looks as a single one with that window."""
    array = rng.integers(0, 1000, (40, 50)).astype(np.int16)
    windows = [(200, 300), (700, 400)]
    several = pydicom.dcmread(DICOM / "CT_small.dcm")
    several.Rows, several.Columns = array.shape
    several.NumberOfFrames = 2
    several.PixelData = np.stack([array, array]).tobytes()
    several.RescaleSlope, several.RescaleIntercept = 1, 0
    single = [pydicom.dcmread(DICOM / "CT_small.dcm") for _ in windows]
    several.PerFrameFunctionalGroupsSequence = []
    for i, (file, window) in enumerate(zip(single, windows)):
        group = pydicom.Dataset()
        group.FrameVOILUTSequence = [windowed(*window)]
        several.PerFrameFunctionalGroupsSequence.append(group)
        file.Rows, file.Columns = array.shape
        file.PixelData = array.tobytes()
        file.RescaleSlope, file.RescaleIntercept = 1, 0
        file.WindowCenter, file.WindowWidth = window
        file.save_as(tmp_path / f"{i}.dcm")
    several.save_as(tmp_path / "several.dcm")
    first, second = (one(tmp_path, tmp_path / "several.dcm", frame=i)[1] for i in (0, 1))
    assert np.array_equal(first, one(tmp_path, tmp_path / "0.dcm")[1])
    assert np.array_equal(second, one(tmp_path, tmp_path / "1.dcm")[1])
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("recipe", ["vesalius", "toolkit"])
def test_a_constant_frame_warns(tmp_path, recipe):
    path = monochrome(tmp_path, np.full((30, 30), 7), "MONOCHROME2", "flat.dcm")
    answer, pixels = one(tmp_path, path, recipe)
    assert len(answer["warnings"]) == 1 and "constant" in answer["warnings"][0]
    answer, values = one(tmp_path, path, recipe, normalise=True)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("recipe", ["vesalius", "toolkit", "community", "azure-endpoint"])
def test_a_constant_image_warns(tmp_path, recipe):
    path = save(tmp_path, Image.new("RGB", (64, 64), (9, 9, 9)), "flat.png")
    answer, _ = one(tmp_path, path, recipe)
    assert "constant" in answer["warnings"][0]
    if recipe in ("vesalius", "toolkit"):
        path = save(tmp_path, Image.fromarray(np.full((20, 20), 900, np.uint16)), "flat16.png")
        answer, values = one(tmp_path, path, recipe, normalise=True)
        assert "constant" in answer["warnings"][0] and np.isfinite(values).all()


def test_frames(tmp_path):
    path = DICOM / "SC_rgb_rle_2frame.dcm"
    frames = pydicom.dcmread(path).pixel_array
    for frame in (0, 1):
        assert np.array_equal(one(tmp_path, path, frame=frame)[1], bicubic(frames[frame]))
    answer, _ = one(tmp_path, path, frame=2)
    assert answer["code"] == 2 and "2 frame(s)" in answer["error"]


def test_normalise_rounds_as_torch_does(tmp_path):
    image = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (256, 1))[:, :, None].repeat(3, 2))
    path = save(tmp_path, image, "all.png")
    values = one(tmp_path, path, size=256, normalise=True)[1]
    tensor = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float().div(255)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    assert np.array_equal(values, tensor.sub(mean).div(std).numpy())


@pytest.mark.parametrize("name", ["CT_small.dcm", "examples_rgb_color.dcm", "examples_palette.dcm", "MR_small_RLE.dcm"])
@pytest.mark.parametrize("pillow", [12, 13])
def test_the_community_loader_gets_dicom_as_a_viewer_shows_it(tmp_path, name, pillow):
    """Its reference opens none: what it makes of the picture that people would export for it."""
    _, (header, data) = run_tool("--display", DICOM / name)
    path = save(tmp_path, Image.fromarray(as_array(header, data)), "exported.png")
    settings = {"parameters": {"pillow": pillow}}
    _, exported = one(tmp_path, path, "community", **settings)
    answer, direct = one(tmp_path, DICOM / name, "community", **settings)
    assert answer.get("error") is None
    assert np.array_equal(direct, exported)


REFUSALS = [
    # recipe, what is in the file, code, words that the sentence must have
    ("community", "rgba.png", 4, ["RGBA", "community", "azure-endpoint"]),
    ("community", "p.png", 4, ["mode P", "vesalius"]),
    ("community", "wide.png", 4, ["I;16"]),
    ("azure-endpoint", "ct.dcm", 4, ["DICOM", "--recipe toolkit", "--recipe vesalius"]),
    ("toolkit", "rgba.png", 4, ["RGBA", "toolkit", "azure-endpoint"]),
    ("toolkit", "1.png", 4, ["mode 1"]),
    ("vesalius", "text.png", 4, ["text.png"]),
    ("vesalius", "empty.png", 4, ["empty"]),
    ("vesalius", "cut.png", 4, ["cut.png"]),
    ("nonesuch", "rgba.png", 2, ["nonesuch", "community", "vesalius"]),
]


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    noise = rng.integers(0, 256, (32, 32, 4), dtype=np.uint8)
    save(folder, Image.fromarray(noise), "rgba.png")
    save(folder, Image.fromarray(noise[..., 0]).convert("P"), "p.png")
    save(folder, Image.fromarray(noise[..., 0] > 99), "1.png")
    save(folder, Image.fromarray(noise[..., 0].astype(np.uint16) * 9), "wide.png")
    (folder / "ct.dcm").write_bytes((DICOM / "CT_small.dcm").read_bytes())
    (folder / "text.png").write_text("not an image")
    (folder / "empty.png").write_bytes(b"")
    whole = io.BytesIO()
    Image.fromarray(noise).save(whole, "PNG")
    (folder / "cut.png").write_bytes(whole.getvalue()[:200])
    return folder


@pytest.mark.parametrize("recipe, name, code, words", REFUSALS)
def test_refusals(tmp_path, bad, recipe, name, code, words):
    answer, _ = one(tmp_path, bad / name, recipe)
    assert answer["code"] == code
    assert all(word in answer["error"] for word in words), answer["error"]
