"""Inputs that lie, break off, loop, explode or say nothing: each is named, the rest of the batch is done."""

import io
import json
import os
import resource
import struct
import subprocess
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from cli.program import PROGRAM, dicom_test_file, images, model, picture, run  # noqa: F401
from media.raw_png import SIGNATURE, chunk, header


def png_bytes(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def png_of(width, height, bits=8, colour=0, data=b""):
    """A PNG whose header may say anything."""
    return SIGNATURE + header(width, height, bits, colour) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def jpeg_bytes(**options):
    buffer = io.BytesIO()
    picture(5).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def tiff_that_says(**tags):
    """A TIFF of 4 x 4 with some tags replaced: width, height, where its strip lies, how long it is."""
    values = {256: (4, 4), 257: (4, 4), 258: (3, 8), 259: (3, 1), 262: (3, 1), 273: (4, 8), 277: (3, 1),
              278: (4, 4), 279: (4, 16)}
    names = {"width": 256, "height": 257, "strip": 273, "length": 279, "bits": 258, "compression": 259}
    for name, value in tags.items():
        values[names[name]] = (values[names[name]][0], value)
    file = b"II*\0" + struct.pack("<I", 24) + bytes(range(16)) + struct.pack("<H", len(values))
    for tag, (kind, value) in sorted(values.items()):
        file += struct.pack("<HHII", tag, kind, 1, value)
    return file + struct.pack("<I", 0)


def dicom_with(**elements):
    """pydicom's CT with some elements replaced."""
    import pydicom

    data = pydicom.dcmread(dicom_test_file("CT_small.dcm"))
    for name, value in elements.items():
        setattr(data, name, value)
    buffer = io.BytesIO()
    data.save_as(buffer)
    return buffer.getvalue()


BAD = {
    "empty.png": lambda: b"",
    "cut.png": lambda: png_bytes(picture(1))[:-60],
    "checksum.png": lambda: png_bytes(picture(1)).replace(b"IDAT", b"IDAT\0", 1),
    "wide.png": lambda: png_of(2**31 - 1, 2**31 - 1),
    "bomb.png": lambda: png_of(60000, 60000, data=bytes(1 << 20)),
    "nothing.png": lambda: png_of(0, 10),
    "depth.png": lambda: png_of(4, 4, bits=7),
    "short.png": lambda: png_of(40, 40, data=bytes(100)),
    "cut.jpg": lambda: jpeg_bytes()[:200],
    "headless.jpg": lambda: b"\xff\xd8\xff\xe0" + bytes(40),
    "wide.tif": lambda: tiff_that_says(width=2**31 - 1, height=2**31 - 1),
    "outside.tif": lambda: tiff_that_says(strip=1 << 30),
    "long.tif": lambda: tiff_that_says(length=1 << 30, height=4000),
    "odd.tif": lambda: tiff_that_says(compression=65000),
    "circle.tif": lambda: b"II*\0" + struct.pack("<I", 4),
    "cut.dcm": lambda: dicom_with()[:3000],
    "frames.dcm": lambda: dicom_with(NumberOfFrames=100000),
    "rows.dcm": lambda: dicom_with(Rows=65535, Columns=65535),
    "nothing.dcm": lambda: dicom_with(Rows=0),
    "gif.png": lambda: b"GIF89a" + bytes(100),
    "zip.dcm": lambda: b"PK\x03\x04" + bytes(400),
    "safetensors.png": lambda: struct.pack("<Q", 2**62) + b"{}",
    "words.tif": lambda: b"II*\0 these are words" * 20,
}


@pytest.fixture(scope="module")
def bad_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    for name, make in BAD.items():
        (folder / name).write_bytes(make())
    return folder


def limited():
    """No more memory than a small machine has: what believes a header fails loudly."""
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))


def test_each_bad_file_is_named_once_and_the_good_ones_are_done(model, images, bad_folder):  # noqa: F811
    files = [bad_folder / name for name in BAD]
    good = [images / "a" / "0.png", images / "b" / "1.png"]
    command = [PROGRAM, "embed", good[0], *files, good[1], "--model", model, "--recipe", "vesalius", "--json"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, preexec_fn=limited,
                          timeout=120)
    assert done.returncode == 3, done.stderr
    assert [line.count('"input"') for line in done.stdout.splitlines()] == [1, 1]
    for name in BAD:
        about = [line for line in done.stderr.splitlines() if str(bad_folder / name) in line]
        assert len(about) == 1, (name, about)
        assert len(about[0]) > len(str(bad_folder / name)) + 15, about  # with a reason
    assert f"{len(BAD)} of {len(BAD) + 2} inputs failed; 2 done." in done.stderr


def test_alone_a_bad_file_is_4(model, bad_folder):  # noqa: F811
    for name in ("bomb.png", "outside.tif", "rows.dcm"):
        result = run("embed", bad_folder / name, "--model", model, "--recipe", "vesalius", "--json")
        assert (result.code, result.out) == (4, ""), result.err
        assert name in result.err


def test_in_a_folder_what_is_no_image_is_passed_over_in_silence(model, images):  # noqa: F811
    for name, content in (("a.zip", b"PK\x03\x04"), ("b.pdf", b"%PDF-1.7"), ("c.png.txt", b"x"), ("d", b"\0" * 5000)):
        (images / name).write_bytes(content)
    (images / ".hidden.png").write_bytes(b"broken, but hidden")
    result = run("embed", images, "--model", model, "--json")
    assert (result.code, len(result.lines)) == (0, 6), result.err
    assert "Skipped 5 files" in result.err


def odd_images(folder):
    rng = np.random.default_rng(0)
    floats = rng.normal(size=(20, 24)).astype("f4")
    for name, place, value in (("nan", (0, 0), np.nan), ("inf", (3, 3), np.inf), ("low", (5, 5), -np.inf)):
        changed = floats.copy()
        changed[place] = value
        tifffile.imwrite(folder / f"{name}.tif", changed)
    tifffile.imwrite(folder / "allnan.tif", np.full((20, 24), np.nan, "f4"))
    tifffile.imwrite(folder / "huge.tif", floats * np.float32(1e37))
    Image.new("L", (30, 30), 7).save(folder / "flat.png")
    Image.fromarray(np.uint8([[200]])).save(folder / "one.png")
    for name, shape in (("row", (1, 3000)), ("column", (3000, 1)), ("narrow", (2, 700))):
        Image.fromarray(rng.integers(0, 255, shape, dtype=np.uint8)).save(folder / f"{name}.png")


@pytest.mark.parametrize("recipe", ["vesalius", "azure-endpoint", "toolkit"])
def test_odd_but_honest_images_give_finite_vectors(model, tmp_path, recipe):  # noqa: F811
    odd_images(tmp_path)
    result = run("embed", tmp_path, "--model", model, "--recipe", recipe, "--json")
    assert result.code in (0, 3), result.err
    lines = {os.path.basename(line["input"]): line for line in result.lines}
    assert {"flat.png", "one.png", "row.png", "column.png", "narrow.png"} <= set(lines)
    for name, line in lines.items():
        assert np.isfinite(line["features"]).all(), name
    for name in ("flat.png", "one.png"):
        assert any("constant" in warning for warning in lines[name]["warnings"]), name
    if recipe == "vesalius":
        assert set(lines) == {path.name for path in tmp_path.iterdir()}
        assert "warnings" in lines["allnan.tif"] and "warnings" not in lines["nan.tif"]


@pytest.mark.parametrize("name", [
    "with space.png", "quote'\".png", "ünïcode 像.png", "-dash.png", "new\nline.png", "back\\slash.png", "%s{}.png",
    "a,b.png", "x" * 240 + ".png",
])
def test_any_file_name_is_carried_as_it_is(model, tmp_path, name):  # noqa: F811
    picture(3).save(tmp_path / name, "PNG")
    result = run("embed", tmp_path, "--model", model, "--json")
    assert result.code == 0, result.err
    assert result.lines[0]["input"] == str(tmp_path / name)


def test_a_name_that_is_no_utf8(model, tmp_path):  # noqa: F811
    raw = os.fsencode(tmp_path) + b"/\xff\xfe.png"
    with open(raw, "wb") as file:
        file.write(png_bytes(picture(3)))
    result = run("embed", tmp_path, "--model", model, "--json", "-o", tmp_path / "out" / "v.csv")
    assert result.code == 0, result.err
    assert "\ufffd" in result.lines[0]["input"]


def test_links_in_circles_and_links_to_nothing(model, images):  # noqa: F811
    (images / "a" / "up").symlink_to(images, target_is_directory=True)
    (images / "gone.png").symlink_to(images / "nowhere.png")
    (images / "again.png").symlink_to(images / "a" / "0.png")
    result = run("embed", images, "--model", model, "--json")
    assert len(result.lines) == 7, result.err
    named = run("embed", images / "gone.png", "--model", model)
    assert named.code == 4 and "gone.png" in named.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_may_not_be_read_is_named(model, images):  # noqa: F811
    (images / "b").chmod(0)
    try:
        result = run("embed", images, "--model", model, "--json")
    finally:
        (images / "b").chmod(0o755)
    assert result.code == 3
    assert len(result.lines) == 3
    assert str(images / "b") in result.err and "permissions" in result.err


def test_pipes_and_devices_are_no_images(model, images):  # noqa: F811
    os.mkfifo(images / "pipe")
    assert run("embed", images, "--model", model, "--json").code == 0  # in a folder: passed over, never opened
    result = run("embed", "/dev/null", "/dev/zero", "--model", model, "--json")
    assert result.code == 4, result.err
    for device in ("/dev/null", "/dev/zero"):
        assert f"{device}: is not a file" in result.err


def test_a_pipe_that_nobody_writes_to_is_refused_at_once(model, images):  # noqa: F811
    pipe = images / "pipe.png"
    os.mkfifo(pipe)
    result = run("embed", pipe, images / "a" / "0.png", "--model", model, "--json")
    assert (result.code, len(result.lines)) == (3, 1), result.err
    assert f"{pipe}: is not a file" in result.err


def test_many_failures_are_counted_and_the_report_keeps_the_first(model, tmp_path):  # noqa: F811
    for number in range(150):
        (tmp_path / f"{number:03}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    picture(1).save(tmp_path / "good.png")
    report = tmp_path / "report.json"
    result = run("embed", tmp_path, "--model", model, "--json", "--run-report", report)
    assert result.code == 3 and "150 of 151 inputs failed; 1 done." in result.err
    inputs = json.loads(report.read_text())["inputs"]
    assert (inputs["failed"], inputs["done"]) == (150, 1)
