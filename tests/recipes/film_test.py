"""The recipes maira-2 and rad-dino against their steps in Pillow and numpy: to the byte before normalisation."""

from pathlib import Path

import numpy as np
import PIL
import pydicom.data
import pytest
from PIL import Image
from recipe_tool import run

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
DICOM = Path(pydicom.data.__file__).parent / "test_files"
PARAMETERS = {"pillow": 13 if int(PIL.__version__.split(".")[0]) >= 13 else 12}
SIZE = 518


def reference(image, size=SIZE, mend=False):
    """maira-2: grey, least and greatest value to 0 and 255, then the square."""
    grey = np.asarray(image.convert("L")).astype(np.float64)
    grey = grey - grey.min()
    grey = grey / (grey.max() or 1 if mend else grey.max()) * 255
    return square(Image.fromarray(grey.astype(np.uint8)), size)


def square(image, size=SIZE):
    """rad-dino: RGB, shorter side to `size`, middle square."""
    image = image.convert("RGB")
    short, long = sorted(image.size)
    other = int(size * long / short)
    width, height = (size, other) if image.width <= image.height else (other, size)
    image = image.resize((width, height), Image.BICUBIC)
    left, top = (width - size) // 2, (height - size) // 2
    return np.asarray(image.crop((left, top, left + size, top + size)))


def smooth(rng, shape, mode="RGB"):
    channels = len(mode) if mode != "L" else 1
    noise = rng.integers(20, 200, (9, 7, channels), dtype=np.uint8)
    bands = [Image.fromarray(noise[:, :, c]).resize(shape, Image.BICUBIC) for c in range(channels)]
    return bands[0] if mode == "L" else Image.merge(mode, bands)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("films"), np.random.default_rng(3)
    paths = []
    for mode in ("L", "RGB", "LA", "RGBA"):
        for shape in ((640, 480), (480, 641), (518, 518), (519, 518), (301, 300), (97, 1200)):
            paths.append(folder / f"{mode}_{shape[0]}x{shape[1]}.png")
            smooth(rng, shape, mode).save(paths[-1])
    paths.append(folder / "palette.png")
    smooth(rng, (333, 444)).convert("P").save(paths[-1])
    paths.append(folder / "photo.jpg")
    smooth(rng, (800, 600)).save(paths[-1], quality=90)
    return paths


def test_to_the_byte(tmp_path, pictures):
    jobs = [("maira-2", path, {"size": SIZE, "parameters": PARAMETERS}) for path in pictures]
    for path, (answer, pixels) in zip(pictures, run(tmp_path, jobs)):
        assert pixels is not None, (path.name, answer)
        wanted = reference(Image.open(path))
        assert np.array_equal(pixels, wanted), (path.name, np.abs(pixels.astype(int) - wanted).max())


def test_rad_dino_to_the_byte(tmp_path, pictures):
    jobs = [("rad-dino", path, {"size": SIZE, "parameters": PARAMETERS}) for path in pictures]
    for path, (answer, pixels) in zip(pictures, run(tmp_path, jobs)):
        assert pixels is not None, (path.name, answer)
        assert np.array_equal(pixels, square(Image.open(path))), path.name


def test_real_films(tmp_path):
    films = sorted((DATA / "cxr/classes").glob("*.jpg"))[:12] + sorted((DATA / "cxr/files").glob("*.png"))
    if not films:
        pytest.skip("../shared/data/cxr is not there")
    for path, (answer, pixels) in zip(films, run(tmp_path, [
            ("maira-2", path, {"size": SIZE, "parameters": PARAMETERS}) for path in films])):
        assert pixels is not None, (path.name, answer)
        assert np.array_equal(pixels, reference(Image.open(path))), path.name


def test_normalised(tmp_path, pictures):
    path = pictures[0]
    mean, std = np.float32(0.5307), np.float32(0.2583)
    [(answer, got)] = run(tmp_path, [("maira-2", path, {
        "size": SIZE, "parameters": PARAMETERS, "normalise": True, "mean": [0.5307] * 3, "std": [0.2583] * 3})])
    wanted = (reference(Image.open(path)).astype(np.float32) / 255 - mean) / std
    assert got is not None, answer
    assert np.abs(got - wanted.transpose(2, 0, 1)).max() <= 1e-6


def test_what_the_reference_cannot(tmp_path):
    """A constant film is black, with a warning; 16 bits go from their least to their greatest value."""
    Image.fromarray(np.full((90, 70), 77, np.uint8)).save(tmp_path / "constant.png")
    deep = np.linspace(900, 3000, 90 * 70).reshape(90, 70).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    (constant, black), (_, pixels), (_, plain) = run(tmp_path, [
        (recipe, tmp_path / f"{name}.png", {"size": 70, "parameters": PARAMETERS})
        for recipe, name in (("maira-2", "constant"), ("maira-2", "deep"), ("rad-dino", "deep"))])
    assert black.max() == 0 and "constant" in str(constant)
    span = np.round((deep.astype(np.float64) - 900) / 2100 * 255).astype(np.uint8)
    wanted = reference(Image.fromarray(span), 70)
    assert np.abs(pixels.astype(int) - wanted).max() <= 1
    assert np.abs(plain.astype(int) - wanted).max() <= 1


def test_dicom_as_a_viewer_shows_it(tmp_path):
    path = DICOM / "RG1_UNCR.dcm"
    if not path.exists():
        pytest.skip("pydicom's RG1_UNCR.dcm is not installed")
    (answer, pixels), (_, same) = run(tmp_path, [
        (recipe, path, {"size": SIZE, "parameters": PARAMETERS}) for recipe in ("maira-2", "rad-dino")])
    assert pixels is not None, answer
    assert np.array_equal(pixels, same)
    assert pixels.min() == 0 and pixels.max() >= 250 and (pixels[..., 0] == pixels[..., 2]).all()
