"""DICOM segmentations by dcmqi, highdicom and pydicom's collection, read as their makers read them."""

import json
import os
import pathlib
import subprocess

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK

TOOL = pathlib.Path(os.environ["VESALIUS_BUILD"]) / "media_seg"
SHARED = pathlib.Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "dicom"
DCMQI = SHARED / "segmentations"
PYDICOM = pathlib.Path(pydicom.__file__).parent / "data" / "test_files"


def read(path):
    """Header and voxels [segment, slice, row, column]."""
    run = subprocess.run([TOOL, "seg", path], stdout=subprocess.PIPE, check=False)
    assert run.returncode >= 0, "the tool died"
    line, _, voxels = run.stdout.partition(b"\n")
    header = json.loads(line)
    if "error" in header:
        return header, None
    return header, np.frombuffer(voxels, np.uint8).reshape(-1, *header["grid"]["size"][::-1])


def needed(path):
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return path


def truth_on(image, grid):
    """Labels of an NRRD on a grid, slice by slice; where it has none, background."""
    values = SimpleITK.GetArrayFromImage(image)
    out = np.zeros(grid["size"][::-1], values.dtype)
    for k in range(len(out)):
        place = np.array(grid["origin"]) + k * np.array(grid["step"][2])
        index = image.TransformPhysicalPointToContinuousIndex(place.tolist())
        assert np.allclose(index, np.rint(index), atol=1e-2)
        at = np.rint(index).astype(int)
        assert at[0] == at[1] == 0
        if 0 <= at[2] < len(values):
            out[k] = values[at[2]]
    return out


def labels(*names):
    images = [SimpleITK.ReadImage(str(needed(DCMQI / name))) for name in names]
    for image in images:
        assert np.allclose(image.GetDirection(), np.eye(3).ravel())
    return images


def test_liver_of_dcmqi():
    header, masks = read(needed(DCMQI / "liver.dcm"))
    (truth,) = labels("liver_seg.nrrd")
    assert masks.sum() > 1000 and len(masks) == 1
    assert np.array_equal(masks[0], truth_on(truth, header["grid"]) != 0)
    assert header["segments"][0]["label"] == "Liver"


def test_five_partly_overlapping_segments_in_seven_frames():
    header, masks = read(needed(DCMQI / "partial_overlaps.dcm"))
    truths = [truth_on(image, header["grid"]) for image in labels(*(f"partial_overlaps-{i}.nrrd" for i in (1, 2, 3)))]
    values = [(t, v) for t in truths for v in np.unique(t) if v]
    assert len(masks) == len(values) == 5
    found = [next((s for s in range(5) if np.array_equal(masks[s], t == v)), None) for t, v in values]
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert [s["label"] for s in header["segments"]][:2] == ["GREEN", "ORANGE"]


@pytest.mark.parametrize("name", ["noppv", "ppv5"])
def test_sparse_label_maps(name):
    header, masks = read(needed(DCMQI / f"sparse-labelmap-{name}.dcm"))
    (truth,) = labels(f"sparse_labelmap_{name}_seg.nrrd")
    assert [s["label"] for s in header["segments"]] == ["Liver"]  # the background is none
    assert masks.sum() > 0 and np.array_equal(masks[0], truth_on(truth, header["grid"]) == 1)


@pytest.mark.parametrize("size", ["23x38x3", "24x38x3"])
def test_frames_whose_bits_end_within_a_byte(size):
    header, masks = read(needed(DCMQI / size / "seg" / "label.seg"))
    (truth,) = labels(f"{size}/nrrd/label.nrrd")
    assert masks.sum() > 0 and np.array_equal(masks[0], truth_on(truth, header["grid"]) != 0)


HIGHDICOM = ["ct_binary", "ct_binary_fractional", "ct_binary_overlap", "ct_binary_single_frame", "ct_true_fractional"]


@pytest.mark.parametrize("name", HIGHDICOM)
def test_volumes_of_highdicom(name):
    path = needed(SHARED / "objects" / f"seg_image_{name}.dcm")
    header, masks = read(path)
    seg = highdicom.seg.segread(path)
    fractional = seg.SegmentationType == "FRACTIONAL"
    assert header["fractional"] == fractional
    theirs = seg.get_volume(rescale_fractional=False)
    first = theirs.map_reference_to_indices(np.array([header["grid"]["origin"]]), round_output=True)[0]
    last = np.array(header["grid"]["origin"]) + (len(masks[0]) - 1) * np.array(header["grid"]["step"][2])
    end = theirs.map_reference_to_indices(last[None], round_output=True)[0]
    step = 1 if end[0] >= first[0] else -1
    order = list(range(first[0], end[0] + step, step))
    array = np.moveaxis(theirs.array, -1, 0)[:, order]
    if fractional:
        scale = 255 / seg.MaximumFractionalValue
        array = np.floor(array * scale + 0.5)
    assert masks.any() and np.array_equal(masks, array)


def test_a_film_of_highdicom_has_no_place():
    path = needed(SHARED / "objects" / "seg_image_cr_binary.dcm")
    header, masks = read(path)
    theirs = highdicom.seg.segread(path).pixel_array
    assert not header["grid"]["placed"] and np.array_equal(masks[0, 0], theirs)


def one_frame():
    """pydicom's liver, which describes three frames and holds one, made consistent."""
    ds = pydicom.dcmread(PYDICOM / "liver_1frame.dcm")
    ds.PerFrameFunctionalGroupsSequence = ds.PerFrameFunctionalGroupsSequence[:1]
    ds.NumberOfFrames = 1
    return ds


def test_pydicoms_liver(tmp_path):
    header, _ = read(PYDICOM / "liver_1frame.dcm")
    assert header["code"] == 4 and "3 are described" in header["error"]
    ds = one_frame()
    ds.save_as(tmp_path / "liver.dcm")
    header, masks = read(tmp_path / "liver.dcm")
    assert masks.any() and np.array_equal(masks[0, 0], ds.pixel_array)
    assert header["segments"][0]["label"] == "Liver"


def test_other_objects_are_refused_by_name():
    for path, words in [(PYDICOM / "CT_small.dcm", "CTImageStorage"), (PYDICOM / "rtstruct.dcm", "RTStructureSet"),
                        (SHARED / "objects" / "seg_image_sm_dots.dcm", "tiled")]:
        if path.exists():
            header, _ = read(path)
            assert header["code"] == 4 and words in header["error"]


def changed(tmp_path, **sequences):
    """pydicom's liver with something wrong."""
    ds = one_frame()
    for change in sequences.values():
        change(ds)
    ds.save_as(tmp_path / "changed.dcm")
    return read(tmp_path / "changed.dcm")[0]


def test_damage_is_told(tmp_path):
    def frame(ds):
        return ds.PerFrameFunctionalGroupsSequence[0]

    def no_such_segment(ds):
        frame(ds).SegmentIdentificationSequence[0].ReferencedSegmentNumber = 9

    def fewer_descriptions(ds):
        ds.NumberOfFrames = 2
        ds.PixelData += ds.PixelData

    def twice_the_same_number(ds):
        ds.SegmentSequence = [*ds.SegmentSequence, *ds.SegmentSequence]

    def no_type(ds):
        ds.SegmentationType = "CHECKERED"

    def skewed(ds):
        ds.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 1, 0, 0]

    def cut(ds):
        ds.PixelData = ds.PixelData[:100]

    for change, words in [(no_such_segment, "segment 9"), (fewer_descriptions, "described"),
                          (twice_the_same_number, "one number"), (no_type, "CHECKERED"), (skewed, "right angles"),
                          (cut, "truncated")]:
        header = changed(tmp_path, change=change)
        assert header.get("code") == 4 and words in header["error"], (change.__name__, header)
