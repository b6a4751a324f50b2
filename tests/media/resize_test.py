"""Resizing, conversion to RGB and the JPEG round trip equal Pillow's bytes."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TOOL = Path(os.environ["VESALIUS_BUILD"]) / "recipes_pixels"
FILTERS = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
CHANNELS = {"1": 1, "L": 1, "LA": 2, "P": 1, "RGB": 3, "RGBA": 4, "CMYK": 4, "I;16": 1, "F": 1}

# Widths and heights: down, up, odd, kept on one axis, one pixel, either side of the vector widths.
SIZES = [
    ((64, 48), (32, 24)), ((37, 53), (480, 480)), ((301, 211), (97, 13)), ((1, 1), (5, 7)),
    ((1, 90), (33, 40)), ((90, 1), (40, 3)), ((7, 5), (1, 1)), ((200, 100), (200, 37)),
    ((100, 200), (41, 200)), ((129, 65), (64, 63)), ((640, 523), (480, 480)), ((15, 17), (16, 16)),
    ((63, 66), (65, 130)), ((2, 3), (3, 2)), ((1000, 3), (3, 1000)), ((513, 130), (512, 512)),
]  # fmt: skip


class Jobs:
    """Collects jobs for the tool, runs it once, and hands back what it wrote."""

    def __init__(self, folder):
        self.folder, self.lines, self.expected = folder, [], []

    def add(self, op, mode, size, raw, expected, label, *arguments):
        i = len(self.lines)
        (self.folder / f"in{i}").write_bytes(raw)
        words = [op, mode, *size, self.folder / f"in{i}", self.folder / f"out{i}", *arguments]
        self.lines.append(" ".join(map(str, words)))
        self.expected.append((label, expected))

    def check(self):
        subprocess.run([TOOL], input="\n".join(self.lines), text=True, check=True)
        wrong = []
        for i, (label, expected) in enumerate(self.expected):
            if (self.folder / f"out{i}").read_bytes() != expected:
                wrong.append(label)
        assert self.expected and not wrong, f"{len(wrong)} of {len(self.expected)} differ: {wrong[:12]}"


@pytest.fixture
def jobs(tmp_path):
    return Jobs(tmp_path)


def samples(image):
    """The image's samples, as this program lays them out."""
    if image.mode == "1":
        return np.asarray(image.convert("L")).tobytes()
    return np.ascontiguousarray(image).tobytes()


def picture(mode, size, seed=0, noise=True):
    """Noise, or stripes of pure black and white that make the cubic overshoot."""
    rng = np.random.default_rng(seed)
    shape = (size[1], size[0], CHANNELS[mode])
    values = rng.integers(0, 256, shape, dtype=np.uint8)
    if not noise:
        values = ((values > 127) * 255).astype(np.uint8)
    if mode == "1":
        return Image.fromarray(values[:, :, 0] > 127)
    if mode == "P":
        image = Image.fromarray(values[:, :, 0]).convert("P")
        image.putpalette(rng.integers(0, 256, 768, dtype=np.uint8).tobytes())
        return image
    if mode == "I;16":
        wide = rng.integers(0, 65536, shape[:2], dtype=np.uint16)
        return Image.fromarray(wide if noise else np.where(wide > 32767, 65535, 0).astype(np.uint16))
    if mode == "F":
        return Image.fromarray(rng.normal(120, 150, shape[:2]).astype(np.float32))
    return Image.fromarray(values[:, :, 0] if shape[2] == 1 else values, mode=mode)


@pytest.mark.parametrize("mode", list(CHANNELS))
def test_resize_equals_pillow(jobs, mode):
    for before, after in SIZES:
        for name, pillow in FILTERS.items():
            for noise in (True, False):
                image = picture(mode, before, seed=len(jobs.lines), noise=noise)
                jobs.add("resize", mode, before, samples(image), samples(image.resize(after, pillow)),
                         (before, after, name, noise), *after, name)  # fmt: skip
    jobs.check()


def test_resize_equals_pillow_at_random_sizes(jobs):
    rng = np.random.default_rng(7)
    for i in range(200):
        mode = ["L", "RGB", "RGBA", "LA"][i % 4]
        before, after = (tuple(int(n) for n in rng.integers(1, 300, 2)) for _ in range(2))
        name = list(FILTERS)[int(rng.integers(3))]
        image = picture(mode, before, seed=i)
        jobs.add("resize", mode, before, samples(image), samples(image.resize(after, FILTERS[name])),
                 (mode, before, after, name), *after, name)  # fmt: skip
    jobs.check()


@pytest.mark.parametrize("mode", list(CHANNELS))
def test_rgb_equals_pillow(jobs, mode, tmp_path):
    image = picture(mode, (61, 43), seed=3)
    arguments = []
    if mode == "P":
        (tmp_path / "palette").write_bytes(bytes(image.getpalette()))
        arguments = [tmp_path / "palette"]
    jobs.add("rgb", mode, image.size, samples(image), samples(image.convert("RGB")), mode, *arguments)
    jobs.check()


def test_floats_at_the_edges_convert_like_pillow(jobs):
    values = np.array([[-3.7, -0.5, 0, 0.5, 0.99, 254.99, 255, 255.6, 1e30, np.inf, -np.inf]], np.float32)
    image = Image.fromarray(values)
    jobs.add("rgb", "F", image.size, values.tobytes(), samples(image.convert("RGB")), "edges")
    jobs.check()


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_round_trip_equals_pillow(jobs, mode):
    import io

    sizes = [(1, 1), (8, 8), (7, 9), (16, 16), (17, 33), (100, 75), (512, 512), (3, 200)]
    for size in sizes:
        for quality in (1, 10, 50, 75, 90, 95, 100):
            for noise in (True, False):
                image = picture(mode, size, seed=quality, noise=noise)
                if noise and min(size) > 8:  # a smooth picture too: other coefficients, other rounding
                    image = image.resize((9, 7), Image.BICUBIC).resize(size, Image.BICUBIC)
                file = io.BytesIO()
                image.save(file, "JPEG", quality=quality)
                jobs.add("jpeg", mode, size, samples(image), samples(Image.open(file)),
                         (size, quality, noise), quality)  # fmt: skip
    jobs.check()


def test_real_images_equal_pillow(jobs):
    folder = Path(__file__).resolve().parents[2] / "../shared/data"
    if not folder.exists():
        pytest.skip("../shared/data is not there")
    import io

    paths = sorted((folder / "nine_modalities/images").glob("*.png")) + sorted((folder / "examples").glob("*.jp*g"))
    for path in paths:
        image = Image.open(path)
        if image.mode not in CHANNELS:
            continue
        for after in ((480, 480), (512, 512)):
            jobs.add("resize", image.mode, image.size, samples(image),
                     samples(image.resize(after, Image.BICUBIC)), (path.name, after), *after, "bicubic")  # fmt: skip
        rgb = image.convert("RGB")
        file = io.BytesIO()
        rgb.save(file, "JPEG", quality=75)
        jobs.add("jpeg", "RGB", rgb.size, samples(rgb), samples(Image.open(file)), (path.name, "jpeg"), 75)
    jobs.check()
