"""RT structure sets that we write: judged by dciodvfy, drawn again by us and by scikit-image."""

import json

import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid
from skimage.draw import polygon2mask

from results.dicom_objects import (CT, GEOMETRIES, blobs, conformance_errors, ct_series, dataset, media_seg, real_ct,
                                   results_seg)

WORDS = ["liver", "left kidney", "lung nodule"]


def written(folder, files, grid, masks, labels=WORDS, **more):
    path = folder / "rt.dcm"
    assert results_seg(folder, files, grid, dict(zip(labels, masks)), rtstruct=path, **more) is None
    return path


def polygons(contour_item, grid):
    """Slice and [points, (row, column)] of each contour of a region, from the numbers in the file alone."""
    to_index = np.linalg.inv(np.array(grid["step"]).T)
    for contour in contour_item.get("ContourSequence", []):
        points = np.array(contour.ContourData, float).reshape(-1, 3)
        assert len(points) == contour.NumberOfContourPoints and contour.ContourGeometricType == "CLOSED_PLANAR"
        index = (points - grid["origin"]) @ to_index.T
        assert np.ptp(index[:, 2]) < 1e-3
        yield round(index[0, 2]), index[:, [1, 0]], contour


def drawn(path, grid):
    """Masks by scikit-image, polygons of a slice added up, which only keyholes survive."""
    ds = pydicom.dcmread(path)
    shape = grid["size"][::-1]
    out = np.zeros((len(ds.ROIContourSequence), *shape), np.uint8)
    for s, item in enumerate(ds.ROIContourSequence):
        for k, points, _ in polygons(item, grid):
            filled = polygon2mask(shape[1:], points)
            assert not (out[s, k].astype(bool) & filled).any(), "two polygons of a region overlap"
            out[s, k] |= filled
    return out


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_contours_enclose_the_voxels_again(tmp_path, geometry):
    files, grid = ct_series(tmp_path, geometry)
    masks = blobs(grid, 3)
    path = written(tmp_path, sorted(files), grid, masks)
    assert conformance_errors(path) == []
    (tmp_path / "grid.json").write_text(json.dumps(grid))
    header, ours = media_seg("rtstruct", path, tmp_path / "grid.json", shape=grid["size"][::-1])
    assert np.array_equal(ours, masks) and np.array_equal(drawn(path, grid), masks)
    assert [s["name"] for s in header["structures"]] == WORDS
    instances = [pydicom.dcmread(f).SOPInstanceUID for f in files]
    for item in pydicom.dcmread(path).ROIContourSequence:
        for k, _, contour in polygons(item, grid):
            assert contour.ContourImageSequence[0].ReferencedSOPInstanceUID == instances[k]


def test_attributes(tmp_path):
    files, grid = ct_series(tmp_path, "axial")
    masks = blobs(grid, 3)
    masks[1] = 0
    path = written(tmp_path, files, grid, masks)
    assert conformance_errors(path) == []
    ds, source = pydicom.dcmread(path), pydicom.dcmread(files[0])
    place = ds.ReferencedFrameOfReferenceSequence[0]
    assert place.FrameOfReferenceUID == source.FrameOfReferenceUID == ds.FrameOfReferenceUID
    study = place.RTReferencedStudySequence[0]
    assert study.ReferencedSOPInstanceUID == source.StudyInstanceUID == ds.StudyInstanceUID
    assert len(study.RTReferencedSeriesSequence[0].ContourImageSequence) == len(files)
    assert [r.ROIGenerationAlgorithm for r in ds.StructureSetROISequence] == ["AUTOMATIC"] * 3
    assert ds.ApprovalStatus == "UNAPPROVED" and "Research use only" in ds.StructureSetDescription
    assert [("ContourSequence" in item) for item in ds.ROIContourSequence] == [True, False, True]
    assert list(ds.ROIContourSequence[0].ROIDisplayColor) == [221, 130, 101]
    code = ds.RTROIObservationsSequence[1].RTROIIdentificationCodeSequence[0]
    assert (code.CodeValue, code.CodingSchemeDesignator) == ("64033007", "SCT")


def test_a_contour_of_more_than_64_kib(tmp_path):
    """As a value of explicit DS it would not fit, and a sieve is drawn in one line."""
    files, grid = ct_series(tmp_path, "axial", slices=1, rows=96, columns=96)
    sieve = np.zeros((1, 1, 96, 96), np.uint8)
    sieve[..., 1:-1, 1:-1] = 1
    sieve[..., 2:-2:2, 2:-2:2] = 0  # 2,116 holes
    path = written(tmp_path, files, grid, sieve, ["liver"])
    (contour,) = pydicom.dcmread(path).ROIContourSequence[0].ContourSequence
    assert len("\\".join(map(str, contour.ContourData))) > 65536 and np.array_equal(drawn(path, grid), sieve)


def test_probabilities_are_cut_at_one_half(tmp_path):
    files, grid = ct_series(tmp_path, "axial")
    shares = np.random.default_rng(0).integers(0, 256, (1, *grid["size"][::-1]), np.uint8)
    path = written(tmp_path, files, grid, shares, ["liver"], fractional=True)
    assert np.array_equal(drawn(path, grid)[0], shares[0] >= 128)


def foreign(contours, geometric_type="CLOSED_PLANAR"):
    """A structure set as others write it, one region of the given contours."""
    ds = dataset("1.2.840.10008.5.1.4.1.1.481.3", (1, 1), StudyInstanceUID=generate_uid(), Modality="RTSTRUCT")
    del ds.PixelData, ds.Rows, ds.Columns
    region, drawing = pydicom.Dataset(), pydicom.Dataset()
    region.ROINumber, region.ROIName = 4, "ring"
    drawing.ReferencedROINumber = 4
    drawing.ContourSequence = []
    for points in contours:
        item = pydicom.Dataset()
        item.ContourGeometricType, item.NumberOfContourPoints = geometric_type, len(points)
        item.ContourData = [f"{v:.4f}" for point in points for v in point]
        drawing.ContourSequence.append(item)
    ds.StructureSetROISequence, ds.ROIContourSequence = [region], [drawing]
    return ds


def square(low, high, z):
    return [(low, low, z), (high, low, z), (high, high, z), (low, high, z)]


def read_on_grid(ds, folder, step=2.0):
    grid = {"size": [12, 12, 3], "origin": [0, 0, 0], "step": [[1, 0, 0], [0, 1, 0], [0, 0, step]], "placed": True}
    ds.save_as(folder / "foreign.dcm", enforce_file_format=True)
    (folder / "grid.json").write_text(json.dumps(grid))
    return media_seg("rtstruct", folder / "foreign.dcm", folder / "grid.json", shape=(3, 12, 12))


@pytest.mark.parametrize("geometric_type", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_an_inner_contour_is_a_hole(tmp_path, geometric_type):
    _, masks = read_on_grid(foreign([square(1.5, 9.5, 2), square(3.5, 6.5, 2)], geometric_type), tmp_path)
    expected = np.zeros((3, 12, 12), np.uint8)
    expected[1, 2:10, 2:10] = 1
    expected[1, 4:7, 4:7] = 0
    assert np.array_equal(masks[0], expected)


def test_of_planes_finer_than_the_slices_the_nearest_counts(tmp_path):
    _, masks = read_on_grid(foreign([square(1.5, 9.5, z) for z in (1.2, 1.9, 2.6, 3.1)]), tmp_path)
    assert masks[0].sum((1, 2)).tolist() == [0, 64, 64]


def test_what_encloses_nothing_and_what_lies_elsewhere(tmp_path):
    assert not read_on_grid(foreign([square(1, 5, 2)], "OPEN_PLANAR"), tmp_path)[1].any()
    assert not read_on_grid(foreign([square(1, 5, 40), square(50, 60, 2), []]), tmp_path)[1].any()
    tilted = [(1, 1, 0), (9, 1, 0), (9, 9, 4), (1, 9, 4)]
    assert "not parallel" in read_on_grid(foreign([tilted]), tmp_path)[0]["error"]
    wrong = foreign([square(1, 5, 2)])
    wrong.ROIContourSequence[0].ContourSequence[0].NumberOfContourPoints = 5
    assert "damaged" in read_on_grid(wrong, tmp_path)[0]["error"]
    wrong = foreign([square(1, 5, 2)])
    wrong.ROIContourSequence[0].ReferencedROINumber = 9
    assert "not described" in read_on_grid(wrong, tmp_path)[0]["error"]
    image = dataset(CT, (12, 12))
    assert read_on_grid(image, tmp_path)[0]["code"] == 4


def test_real_ct(tmp_path):
    files, grid, labels = real_ct()
    masks = {f"label {value}": labels == value for value in np.unique(labels)[1:]}
    path = tmp_path / "rt.dcm"
    assert results_seg(tmp_path, files, grid, masks, rtstruct=path) is None
    assert conformance_errors(path) == []
    assert len(masks) > 20 and np.array_equal(drawn(path, grid), np.array([*masks.values()]))
