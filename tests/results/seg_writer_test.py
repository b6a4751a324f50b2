"""DICOM segmentations that we write, read by highdicom, dcmqi and our own reader, and judged by dciodvfy."""

import json
import subprocess
import sys

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.uid import generate_uid

from results.dicom_objects import (CR, GEOMETRIES, SHARED, ULTRASOUND_CINE, blobs, conformance_errors, ct_series,
                                   dataset, media_seg, real_ct, results_seg, unplaced)

WORDS = ["liver", "left kidney", "lung nodule"]


def written(folder, files, grid, masks, labels=WORDS, **more):
    path = folder / "out.dcm"
    assert results_seg(folder, files, grid, dict(zip(labels, masks)), seg=path, **more) is None
    return path


def by_source(path, files):
    """Voxels [segment, slice, row, column] as highdicom finds them for the source images, in their order."""
    seg = highdicom.seg.segread(path)
    instances = [pydicom.dcmread(f, stop_before_pixels=True).SOPInstanceUID for f in files]
    voxels = seg.get_pixels_by_source_instance(instances, assert_missing_frames_are_empty=True,
                                               rescale_fractional=False)
    return np.moveaxis(voxels, -1, 0)


def by_place(path, grid):
    """Voxels as highdicom puts them into space, taken from where the grid's are."""
    volume = highdicom.seg.segread(path).get_volume(rescale_fractional=False)
    shape = grid["size"][::-1]
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, 3)
    points = np.array(grid["origin"]) + index[:, ::-1] @ np.array(grid["step"])
    there = volume.map_reference_to_indices(points)
    nearest = np.rint(there).astype(int)
    assert np.abs(there - nearest).max() < 1e-3
    inside = ((nearest >= 0) & (nearest < volume.spatial_shape)).all(1)
    segments = volume.channel_shape[0]
    out = np.zeros((len(index), segments), np.uint8)
    out[inside] = volume.array[tuple(nearest[inside].T)]
    return out.T.reshape(segments, *shape)


def dcmqi_masks(path, folder, count, grid):
    """Voxels as dcmqi writes them to NRRD, on the grid."""
    pytest.importorskip("dcmqi")
    program = sys.prefix + "/bin/segimage2itkimage"
    subprocess.run([program, "--inputDICOM", path, "--outputDirectory", folder, "-t", "nrrd", "-p", "q"],
                   stdout=subprocess.DEVNULL, check=True)
    out = np.zeros((count, *grid["size"][::-1]), np.uint8)
    for s in range(count):
        image = SimpleITK.ReadImage(str(folder / f"q-{s + 1}.nrrd"))
        values = SimpleITK.GetArrayFromImage(image)
        for k in range(grid["size"][2]):
            point = np.array(grid["origin"]) + k * np.array(grid["step"][2])
            at = image.TransformPhysicalPointToContinuousIndex(point.tolist())
            assert np.allclose(at[:2], 0, atol=1e-3)
            if 0 <= round(at[2]) < values.shape[0]:
                out[s, k] = values[round(at[2])] != 0
    return out


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("fractional", [False, True])
def test_every_reader_finds_the_voxels_in_their_places(tmp_path, geometry, fractional):
    files, grid = ct_series(tmp_path, geometry)
    masks = blobs(grid, 3)
    if fractional:
        masks *= np.random.default_rng(1).integers(1, 256, masks.shape, np.uint8)
    path = written(tmp_path, sorted(files), grid, masks, fractional=fractional)
    assert conformance_errors(path) == []
    assert np.array_equal(by_source(path, files), masks)
    (tmp_path / "grid.json").write_text(json.dumps(grid))
    header, ours = media_seg("seg", path, "on", tmp_path / "grid.json")
    assert np.array_equal(ours, masks)
    assert [s["label"] for s in header["segments"]] == WORDS
    if geometry != "tilted gantry":  # highdicom and dcmqi stack slices along the normal only
        assert np.array_equal(by_place(path, grid), masks)
    if geometry not in ("tilted gantry", "descending", "feet first") and not fractional:
        assert np.array_equal(dcmqi_masks(path, tmp_path, 3, grid), masks)


def test_attributes_that_viewers_and_archives_ask_for(tmp_path):
    files, grid = ct_series(tmp_path, "axial")
    path = written(tmp_path, files, grid, blobs(grid, 3))
    seg, source = pydicom.dcmread(path), pydicom.dcmread(files[0])
    assert seg.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    for name in ("PatientID", "PatientName", "StudyInstanceUID", "StudyDate", "FrameOfReferenceUID"):
        assert seg[name].value == source[name].value, name
    assert seg.SeriesInstanceUID != source.SeriesInstanceUID
    series = seg.ReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == source.SeriesInstanceUID
    assert [i.ReferencedSOPInstanceUID for i in series.ReferencedInstanceSequence] == [
        pydicom.dcmread(f).SOPInstanceUID for f in files]
    measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert measures.SpacingBetweenSlices == measures.SliceThickness == 2.5  # the source's thickness is 9
    assert "Research use only" in seg.ContentDescription and "Research use only" in seg.SeriesDescription
    kidney = seg.SegmentSequence[1]
    assert kidney.SegmentAlgorithmType == "AUTOMATIC" and kidney.SegmentAlgorithmName == "MedImageParse (test)"
    family = kidney.SegmentationAlgorithmIdentificationSequence[0].AlgorithmFamilyCodeSequence[0]
    assert family.CodeMeaning == "Artificial Intelligence" and family.CodeValue == "123110"
    kind = kidney.SegmentedPropertyTypeCodeSequence[0]
    assert kind.CodeValue == "64033007" and kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeMeaning == "Left"
    assert seg.SegmentSequence[2].AnatomicRegionSequence[0].CodeMeaning == "Lung"
    assert len({s.TrackingUID for s in seg.SegmentSequence}) == 3
    assert seg.SegmentsOverlap == "YES"


def test_colours_are_those_that_highdicom_would_write(tmp_path):
    files, grid = ct_series(tmp_path, "axial")
    words = ["liver", "tumor", "aorta", "spleen", "vein", "optic disc", "cell", "words nobody knows"]
    path = written(tmp_path, files, grid, blobs(grid, len(words)), words)
    shown = media_seg("seg", path)[0]["segments"]
    for segment, ours in zip(pydicom.dcmread(path).SegmentSequence, shown):
        theirs = highdicom.color.CIELabColor.from_rgb(*ours["colour"])
        difference = np.subtract(segment.RecommendedDisplayCIELabValue, theirs.value, dtype=float)
        assert np.abs(difference).max() < 65535 * 1e-3, (segment.SegmentLabel, difference)


def test_an_empty_segment_keeps_one_empty_frame_and_says_so(tmp_path):
    files, grid = ct_series(tmp_path, "axial")
    masks = blobs(grid, 3)
    masks[1] = 0
    path = written(tmp_path, files, grid, masks)
    assert conformance_errors(path) == []
    seg = pydicom.dcmread(path)
    numbers = [g.SegmentIdentificationSequence[0].ReferencedSegmentNumber for g in seg.PerFrameFunctionalGroupsSequence]
    assert [numbers.count(n) for n in (1, 2, 3)] == [4, 1, 5]
    assert "Nothing was found" in seg.SegmentSequence[1].SegmentDescription
    assert np.array_equal(by_source(path, files), masks)
    path = written(tmp_path, files, grid, masks * 0)
    assert conformance_errors(path) == [] and pydicom.dcmread(path).NumberOfFrames == 3


def test_a_film_without_geometry(tmp_path):
    film = dataset(CR, (16, 20), StudyInstanceUID=generate_uid(), SeriesInstanceUID=generate_uid(), Modality="CR",
                   InstanceNumber=1, PatientOrientation=["L", "F"], ImagerPixelSpacing=["0.2", "0.2"])
    film.save_as(tmp_path / "film.dcm", enforce_file_format=True)
    grid = unplaced(20, 16, 1)
    masks = blobs(grid, 2)
    path = written(tmp_path, [tmp_path / "film.dcm"], grid, masks)
    assert conformance_errors(path) == []
    assert "FrameOfReferenceUID" not in pydicom.dcmread(path)
    assert np.array_equal(by_source(path, [tmp_path / "film.dcm"]), masks)
    header, ours = media_seg("seg", path)
    assert np.array_equal(ours, masks) and not header["grid"]["placed"]
    error = results_seg(tmp_path, [tmp_path / "film.dcm"], grid, {"lung": masks[0]}, rtstruct=tmp_path / "rt.dcm")
    assert error["code"] == 4 and "place in the patient" in error["error"]


def test_frames_of_a_cine_are_referred_to_by_number(tmp_path):
    cine = dataset(ULTRASOUND_CINE, (5, 12, 14), StudyInstanceUID=generate_uid(), SeriesInstanceUID=generate_uid(),
                   Modality="US", NumberOfFrames=5)
    cine.save_as(tmp_path / "cine.dcm", enforce_file_format=True)
    grid = unplaced(14, 12, 5)
    masks = blobs(grid, 2)
    path = written(tmp_path, [tmp_path / "cine.dcm"], grid, masks)
    assert conformance_errors(path) == []
    header, ours = media_seg("seg", path)
    assert np.array_equal(ours[:, : masks.shape[1]], masks[:, : ours.shape[1]]) and ours.shape[1] == 5
    seg = highdicom.seg.segread(path)
    theirs = seg.get_pixels_by_source_frame(cine.SOPInstanceUID, [1, 2, 3, 4, 5], assert_missing_frames_are_empty=True)
    assert np.array_equal(np.moveaxis(theirs, -1, 0), masks)


def test_frames_of_a_multi_frame_ct(tmp_path):
    path = SHARED / "dicom" / "segmentations" / "24x38x3" / "multiframe" / "mf.dcm"
    if not path.exists():
        pytest.skip("../shared/data/dicom is not here")
    source = pydicom.dcmread(path)
    places = [np.array(g.PlanePositionSequence[0].ImagePositionPatient, float)
              for g in source.PerFrameFunctionalGroupsSequence]
    shared = source.SharedFunctionalGroupsSequence[0]
    rows, columns = shared.PixelMeasuresSequence[0].PixelSpacing
    assert shared.PlaneOrientationSequence[0].ImageOrientationPatient == [1, 0, 0, 0, 1, 0]
    grid = {"size": [source.Columns, source.Rows, len(places)], "origin": places[0].tolist(), "placed": True,
            "step": [[columns, 0, 0], [0, rows, 0], (places[1] - places[0]).tolist()]}
    masks = blobs(grid, 2)
    written_path = written(tmp_path, [path], grid, masks)
    found = conformance_errors(written_path)
    assert [line for line in found if "Retired Person Name" not in line] == []  # the source's names
    seg = highdicom.seg.segread(written_path)
    theirs = seg.get_pixels_by_source_frame(source.SOPInstanceUID, range(1, len(places) + 1))
    assert np.array_equal(np.moveaxis(theirs, -1, 0), masks)
    assert np.array_equal(by_place(written_path, grid), masks)


def test_names_in_other_alphabets_become_utf8(tmp_path):
    files, grid = ct_series(tmp_path, "axial", SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Jörg")
    path = written(tmp_path, files, grid, blobs(grid, 2), ["rein gauche (étude)", "肝臓" * 40])
    assert conformance_errors(path) == []
    seg = pydicom.dcmread(path)
    assert seg.PatientName == "Müller^Jörg" and seg.SpecificCharacterSet == "ISO_IR 192"
    shown = [s.SegmentLabel for s in seg.SegmentSequence]
    assert shown == ["rein gauche (étude)", "肝臓" * 10 + "肝"]  # 63 of 64 bytes


def test_text_in_an_unknown_alphabet_is_left_as_it_is(tmp_path):
    files, grid = ct_series(tmp_path, "axial")
    for path in files:
        path.write_bytes(path.read_bytes().replace(b"Vesalius^Test", b"Ves\xe4lius^Test"))
        ds = pydicom.dcmread(path)
        ds.add_new("SpecificCharacterSet", "CS", "ISO_IR 999")
        ds.save_as(path)
    path = written(tmp_path, files, grid, blobs(grid, 1), ["étude \\ foie"])
    assert b"Ves\xe4lius^Test" in path.read_bytes() and b"ISO_IR 999" in path.read_bytes()
    assert pydicom.dcmread(path).SegmentSequence[0].SegmentLabel == "??tude / foie"


def test_a_series_whose_uids_were_removed(tmp_path):
    files, grid = ct_series(tmp_path, "axial", StudyInstanceUID="", SeriesInstanceUID="")
    for path in files:
        ds = pydicom.dcmread(path)
        ds.SOPClassUID = ds.SOPInstanceUID = ""  # still in the file's meta information
        pydicom.dcmwrite(path, ds)
    rt, masks = tmp_path / "rt.dcm", blobs(grid, 2)
    seg = pydicom.dcmread(written(tmp_path, files, grid, masks, rtstruct=rt))
    assert conformance_errors(tmp_path / "out.dcm") == []
    instances = [pydicom.filereader.read_file_meta_info(f).MediaStorageSOPInstanceUID for f in files]
    series = seg.ReferencedSeriesSequence[0]
    assert [i.ReferencedSOPInstanceUID for i in series.ReferencedInstanceSequence] == instances
    again = pydicom.dcmread(rt)
    assert seg.StudyInstanceUID == again.StudyInstanceUID and seg.StudyInstanceUID.startswith("2.25.")
    study = again.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    assert study.RTReferencedSeriesSequence[0].SeriesInstanceUID == series.SeriesInstanceUID


def test_loss_in_the_source_is_told(tmp_path):
    files, grid = ct_series(tmp_path, "axial", LossyImageCompression="01", LossyImageCompressionRatio="10",
                            LossyImageCompressionMethod="ISO_10918_1")
    path = written(tmp_path, files, grid, blobs(grid, 2))
    assert conformance_errors(path) == []
    assert pydicom.dcmread(path).LossyImageCompression == "01"


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    files, grid = ct_series(tmp_path, "axial")
    masks = blobs(grid, 1)
    out = tmp_path / "made" / "out.dcm"
    skewed = grid | {"step": [[1, 0, 0], [0.5, 1, 0], [0, 0, 1]]}
    assert "right angles" in results_seg(tmp_path, files, skewed, {"liver": masks[0]}, seg=out)["error"]
    (tmp_path / "other").mkdir()
    others, _ = ct_series(tmp_path / "other", "axial")
    mixed = results_seg(tmp_path, [*files, *others], grid, {"liver": masks[0]}, seg=out)
    assert mixed["code"] == 4 and "another series" in mixed["error"]
    assert results_seg(tmp_path, files, grid, {}, seg=out)["code"] == 4
    small = unplaced(13, 11, 7)  # one slice more than there are images
    assert "no image" in results_seg(tmp_path, files, small, {"liver": np.ones((7, 11, 13))}, seg=out)["error"]
    assert not out.parent.exists() or list(out.parent.iterdir()) == []


def test_slices_that_no_image_has_are_written_without_a_source(tmp_path):
    files, grid = ct_series(tmp_path, "axial")
    masks = blobs(grid, 2)
    path = written(tmp_path, files[:3], grid, masks)
    assert conformance_errors(path) == []
    assert np.array_equal(by_place(path, grid), masks)


def test_real_ct(tmp_path):
    files, grid, labels = real_ct()
    masks = {f"label {value}": labels == value for value in np.unique(labels)[1:]}
    path = tmp_path / "out.dcm"
    assert results_seg(tmp_path, files, grid, masks, seg=path) is None
    assert conformance_errors(path) == []
    expected = np.array([*masks.values()])
    assert len(masks) > 20 and np.array_equal(by_place(path, grid), expected)
    assert np.array_equal(dcmqi_masks(path, tmp_path, len(masks), grid), expected)
