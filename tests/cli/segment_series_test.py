"""vesalius segment on DICOM series that are not whole, mixed, or without a place, at the command line."""

import numpy as np
import pydicom
import pytest

from cli.program import run
from cli.segment_test import tiny
from results.dicom_objects import ct_series

ROWS, COLUMNS, SLICES = 20, 24, 8


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny(tmp_path_factory, "biomedparse-v2")


def series(folder, **more):
    """Noise in HU; the files in the order of their places."""
    folder.mkdir(parents=True)
    files, _ = ct_series(folder, "axial", SLICES, ROWS, COLUMNS, RescaleSlope=1, RescaleIntercept=-1024, **more)
    for number, file in enumerate(files):
        noise = np.random.default_rng(number).integers(0, 3000, (ROWS, COLUMNS)).astype(np.uint16)
        rewrite(file, PixelData=noise.tobytes())
    return files


def rewrite(file, **more):
    data = pydicom.dcmread(file)
    for name, value in more.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    data.save_as(file)


def segment(model, *arguments, code=0):
    done = run("segment", "--model", model, "--prompt", "liver", "--json", *arguments)
    assert done.code == code, done.err
    return done


def test_slices_missing_inside_stop_it_unless_they_may(model, tmp_path):
    highdicom = pytest.importorskip("highdicom")
    files = series(tmp_path / "ct")
    for file in files[3:5]:
        file.unlink()
    error = segment(model, tmp_path / "ct", "-o", tmp_path / "out", code=4).err
    assert "2 slices are missing" in error and files[2].name in error and files[5].name in error
    assert "whole series again" in error and "--fill-gaps" in error and not (tmp_path / "out").exists()
    done = segment(model, tmp_path / "ct", "--fill-gaps", "--format", "nifti,seg", "-o", tmp_path / "out")
    assert any("filled" in remark for remark in done.lines[0]["remarks"]) and "filled" in done.err
    nibabel = pytest.importorskip("nibabel")
    mask = nibabel.load(tmp_path / "out/ct.nii.gz")
    assert mask.shape == (COLUMNS, ROWS, SLICES)
    seg = highdicom.seg.segread(tmp_path / "out/ct.seg.dcm")
    assert int(seg.pixel_array.sum()) == done.lines[0]["voxels"] == (np.asarray(mask.dataobj) > 0).sum()


@pytest.mark.parametrize("gone, says", [
    (slice(0, 4), "first instance number is 5: slices before it may be missing"),
    (slice(0, None, 2), "3 instance numbers are missing, the first 3: the series may not be whole")])
def test_half_a_series_is_done_and_said(model, tmp_path, gone, says):
    for file in series(tmp_path / "ct")[gone]:
        file.unlink()
    done = segment(model, tmp_path / "ct")
    assert says in done.err and says in " ".join(done.lines[0]["remarks"])


def test_two_series_in_one_folder_are_named(model, tmp_path):
    one = series(tmp_path / "ct/a", SeriesDescription="arterial")
    series(tmp_path / "ct/b", SeriesDescription="venous")
    error = segment(model, tmp_path / "ct", code=4).err
    uid = pydicom.dcmread(one[0]).SeriesInstanceUID
    assert f"{tmp_path}/ct: the files are of 2 series" in error and "--series" in error
    assert uid in error and "arterial, 8 files" in error and "venous, 8 files" in error
    assert segment(model, tmp_path / "ct", "--series", uid).lines[0]["series_instance_uid"] == uid
    error = segment(model, tmp_path / "ct", "--series", "1.2.3", code=4).err
    assert "no series 1.2.3" in error and uid in error


def test_two_phases_in_one_series_are_named(model, tmp_path):
    uid = pydicom.dcmread(series(tmp_path / "ct/a")[0]).SeriesInstanceUID
    for file in series(tmp_path / "ct/b"):
        rewrite(file, SeriesInstanceUID=uid, PixelData=bytes(2 * ROWS * COLUMNS))
    error = segment(model, tmp_path / "ct", code=4).err
    assert "different pixels" in error and "phases" in error and "give the files of one" in error


def test_without_a_place_there_is_no_volume_but_a_slice(model, tmp_path):
    files = series(tmp_path / "ct")
    for file in files:
        rewrite(file, ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None)
    error = segment(model, tmp_path / "ct", code=4).err
    assert "ImagePositionPatient" in error and ".dcm" in error and "give one image" in error
    done = segment(model, files[0], "-o", tmp_path / "out", "--format", "nifti")
    assert "does not say where" in done.err and (tmp_path / f"out/{files[0].stem}.nii.gz").exists()


def test_a_ct_of_nothing_but_zeros(model, tmp_path):
    for file in series(tmp_path / "ct"):
        rewrite(file, PixelData=bytes(2 * ROWS * COLUMNS))
    done = segment(model, tmp_path / "ct", "--format", "seg,rtstruct,nifti", "-o", tmp_path / "out")
    assert "nothing to see" in done.err and done.lines[0]["remarks"]
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"ct.seg.dcm", "ct.rtstruct.dcm", "ct.nii.gz"}


def test_a_series_that_fails_does_not_stop_the_others(model, tmp_path):
    series(tmp_path / "good")
    (tmp_path / "empty").mkdir()
    gap = series(tmp_path / "gap")
    gap[3].unlink()
    done = segment(model, tmp_path / "empty", tmp_path / "gap", tmp_path / "good", code=3)
    assert [line["input"] for line in done.lines] == [str(tmp_path / "good")]
    assert f"{tmp_path}/empty: no DICOM file is there" in done.err and gap[2].name in done.err
