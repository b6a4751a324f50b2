"""Modality and VOI steps against pydicom, and what a viewer shows."""

import numpy as np
import pydicom
import pytest
from decoded import PYDICOM_FILES, SHARED, as_array, dicom_file, run_tool
from pydicom.pixels import apply_modality_lut, apply_voi_lut


def check_voi(path):
    dataset = pydicom.dcmread(path)
    theirs = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    (header, data), (shown, pixels) = run_tool("--display", path)
    ours = np.frombuffer(data, "f8").reshape(theirs.shape)
    scale = np.abs(theirs.astype(float)).max() or 1
    assert np.abs(ours - theirs).max() <= 1e-12 * scale
    span = header["high"] - header["low"]
    part = np.clip((ours - header["low"]) / span, 0, 1) if span else np.zeros_like(ours)
    expected = np.floor(part * 255 + 0.5)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        expected = 255 - expected
    assert shown["mode"] == "L"
    assert np.array_equal(as_array(shown, pixels), expected)


def rescaled(path, **more):
    array = np.random.default_rng(5).integers(-2000, 2000, (30, 20)).astype(np.int16)
    if more.pop("unsigned", False):
        array = (array + 2000).astype(np.uint16)
    dicom_file(path, array, more.pop("photometric", "MONOCHROME2"), bits_stored=13, **more)


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("center, width", [(40, 400), (0, 1), (-600.5, 1500.25), (["100", "40"], ["200", "80"])])
@pytest.mark.parametrize("slope, intercept", [(None, None), (1, -1024), (0.37, 12.5), (-2, 100)])
@pytest.mark.parametrize("unsigned", [False, True])
def test_windows(tmp_path, function, center, width, slope, intercept, unsigned):
    more = {"WindowCenter": center, "WindowWidth": width, "unsigned": unsigned}
    if function:
        more["VOILUTFunction"] = function
    if slope is not None:
        more.update(RescaleSlope=slope, RescaleIntercept=intercept)
    rescaled(tmp_path / "w.dcm", **more)
    check_voi(tmp_path / "w.dcm")


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_no_window_is_the_frame_stretched(tmp_path, photometric):
    rescaled(tmp_path / "m.dcm", photometric=photometric, RescaleSlope=3, RescaleIntercept=-7)
    check_voi(tmp_path / "m.dcm")


def lut_item(entries, first, bits, signed):
    item = pydicom.Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item["LUTDescriptor"].VR = "SS" if signed else "US"
    item.LUTData = list(entries)
    item["LUTData"].VR = "US"
    return item


@pytest.mark.parametrize("first, signed", [(0, False), (500, False), (-300, True)])
@pytest.mark.parametrize("sequence", ["ModalityLUTSequence", "VOILUTSequence"])
def test_tables(tmp_path, sequence, first, signed):
    entries = (np.arange(1000) ** 1.2).astype(int).tolist()
    item = lut_item(entries, first, 16, signed)
    rescaled(tmp_path / "l.dcm", unsigned=not signed, **{sequence: [item]})
    check_voi(tmp_path / "l.dcm")


def test_a_constant_frame_is_black(tmp_path):
    dicom_file(tmp_path / "k.dcm", np.full((4, 4), 77, np.uint16))
    _, (shown, pixels) = run_tool("--display", tmp_path / "k.dcm")
    assert not as_array(shown, pixels).any()


def test_every_monochrome_file_at_hand():
    folders = [PYDICOM_FILES] + ([SHARED] if SHARED.exists() else [])
    seen = 0
    for path in sorted(p for folder in folders for p in folder.rglob("*.dcm")):
        try:
            dataset = pydicom.dcmread(path)
            dataset.pixel_array
        except Exception:  # noqa: BLE001: not readable there, and other tests say what happens here
            continue
        single = int(dataset.get("NumberOfFrames") or 1) == 1
        plain = "SharedFunctionalGroupsSequence" not in dataset
        if dataset.PhotometricInterpretation.startswith("MONOCHROME") and single and plain:
            check_voi(path)
            seen += 1
    assert seen > 30


def test_palette_colours(tmp_path):
    path = PYDICOM_FILES / "examples_palette.dcm"
    dataset = pydicom.dcmread(path)
    theirs = pydicom.pixels.apply_color_lut(dataset.pixel_array, dataset)
    _, (shown, pixels) = run_tool("--display", path)
    assert shown["mode"] == "RGB"
    assert np.array_equal(as_array(shown, pixels), theirs >> 8 if theirs.dtype == np.uint16 else theirs)
