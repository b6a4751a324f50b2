"""DICOM series as volumes, against pydicom and SimpleITK: made here with every trap, and real."""

import warnings

import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.uid import CTImageStorage, EnhancedMRImageStorage, JPEG2000Lossless, generate_uid
from volumes import VOLUMES, affine_of, read, refusal

AXIAL = ([1, 0, 0], [0, 1, 0])
SAGITTAL = ([0, 1, 0], [0, 0, -1])
BACKWARDS = ([-1, 0, 0], [0, 1, 0])
OBLIQUE = tuple(np.linalg.qr(np.array([[1, 0.3, 0.2], [-0.2, 1, 0.4], [0.1, -0.5, 1.0]]))[0].T[:2].tolist())
ROWS, COLUMNS = 6, 7


def slice_set(uid, instance, place, planes, pixels, spacing=(0.8, 0.6), slope=1, intercept=-1024, sop_class=CTImageStorage):
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = sop_class
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID = "1.2", uid
    data.Modality, data.PatientID, data.InstanceNumber = "CT", "x", instance
    data.Rows, data.Columns = pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes()
    if planes is not None:
        data.ImagePositionPatient = [f"{x:.8g}" for x in place]
        data.ImageOrientationPatient = [f"{x:.9g}" for x in (*planes[0], *planes[1])]
        data.PixelSpacing = list(spacing)
    data.SliceThickness = 3
    data.RescaleSlope, data.RescaleIntercept = slope, intercept
    return data


def series(planes=AXIAL, count=8, step=2.0, seed=0, uid=None, shift=(0, 0, 0), **more):
    """Slices in the order of their places; `shift` moves each against the one before (a tilted gantry)."""
    rng = np.random.default_rng(seed)
    uid = uid or generate_uid()
    normal = np.cross(*planes)
    start = np.array([-100.5, -80.25, 30])
    return [slice_set(uid, i + 1, start + i * (step * normal + np.array(shift)), planes,
                      rng.integers(0, 3000, (ROWS, COLUMNS)).astype(np.uint16), **more) for i in range(count)]


def save(folder, slices, seed=None, name="s{:03}.dcm"):
    """Under shuffled names."""
    folder.mkdir(exist_ok=True)
    order = np.random.default_rng(seed).permutation(len(slices)) if seed is not None else range(len(slices))
    for data, number in zip(slices, order):
        data.save_as(folder / name.format(number), enforce_file_format=True)
    return folder


def values_of(slices):
    return np.stack([data.pixel_array * float(data.RescaleSlope) + float(data.RescaleIntercept) for data in slices])


def check(folder, slices):
    """`slices` in the order of their places: values, identity and geometry of our volume."""
    line, values = read("dicom", folder)
    assert np.array_equal(values, values_of(slices).astype(np.float32))
    assert [s["sop_instance_uid"] for s in line["slices"]] == [data.SOPInstanceUID for data in slices]
    assert {s["sop_class_uid"] for s in line["slices"]} == {data.SOPClassUID for data in slices}
    affine = affine_of(line)
    for k, data in enumerate(slices):
        assert np.allclose(affine @ [0, 0, k, 1], [float(x) for x in data.ImagePositionPatient], atol=1e-4)
    orientation = np.array(slices[0].ImageOrientationPatient, float)
    assert np.allclose(line["step"][0], orientation[:3] * slices[0].PixelSpacing[1], atol=1e-6)
    assert np.allclose(line["step"][1], orientation[3:] * slices[0].PixelSpacing[0], atol=1e-6)
    return line, values


def check_simpleitk(folder, line, values):
    files = [str(folder / s["file"]) for s in line["slices"]]
    if line["series"]:
        assert files == list(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    image = SimpleITK.ReadImage(files)
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), values)
    assert np.allclose(image.GetSpacing(), line["spacing"], atol=1e-4)
    assert np.allclose(image.GetOrigin(), line["origin"], atol=1e-4)
    steps = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    assert np.allclose(steps.T, line["step"], atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("step", [2.0, 0.7, 5.0])
@pytest.mark.parametrize("planes", [AXIAL, SAGITTAL, BACKWARDS, OBLIQUE])
def test_series_in_any_order_of_names(tmp_path, planes, step, seed):
    slices = series(planes, step=step, seed=seed)
    folder = save(tmp_path / "s", slices, seed)
    line, values = check(folder, slices)
    assert line["placed"] and line["remarks"] == []
    assert np.isclose(line["spacing"][2], step, atol=1e-4)
    check_simpleitk(folder, line, values)


def test_instance_numbers_say_nothing_of_the_order(tmp_path):
    slices = series()
    for data in slices:
        data.InstanceNumber = 9 - data.InstanceNumber
    check(save(tmp_path / "s", slices, 1), slices)


def test_thickness_says_nothing_of_the_distance(tmp_path):
    slices = series(step=1.5)
    assert slices[0].SliceThickness == 3
    assert np.isclose(check(save(tmp_path / "s", slices), slices)[0]["spacing"][2], 1.5)


def test_each_slice_has_its_own_rescale(tmp_path):
    slices = series()
    for i, data in enumerate(slices):
        data.RescaleSlope, data.RescaleIntercept = f"{1 + i / 8}", -i
    check(save(tmp_path / "s", slices), slices)


def test_signed_and_compressed_slices(tmp_path):
    slices = series()
    for data in slices:
        wide = np.tile(data.pixel_array, (16, 12)).astype(np.int16) - 1500
        data.PixelRepresentation, data.PixelData = 1, wide.tobytes()
        data.Rows, data.Columns = wide.shape
        data.compress(JPEG2000Lossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    check(save(tmp_path / "s", slices, 2), slices)


def test_modality_table(tmp_path):
    slices = series(count=3)
    for data in slices:
        del data.RescaleSlope, data.RescaleIntercept
        table = pydicom.Dataset()
        table.LUTDescriptor, table.ModalityLUTType = [4096, 0, 16], "HU"
        table.LUTData = (np.arange(4096) * 3 % 5000).astype(np.uint16).tobytes()
        table["LUTData"].VR = "OW"
        data.ModalityLUTSequence = [table]
    _, values = read("dicom", save(tmp_path / "s", slices))
    assert np.array_equal(values, np.stack([data.pixel_array.astype(int) * 3 % 5000 for data in slices]))


def test_a_tilted_gantry_shears_the_grid(tmp_path):
    slices = series(shift=(0, 0.4, 0), step=2)
    line, _ = check(save(tmp_path / "s", slices, 3), slices)
    assert np.allclose(line["step"][2], [0, 0.4, 2])
    assert "11.3 degrees" in line["remarks"][0]


def test_copies_are_dropped(tmp_path):
    slices = series()
    twins = [slices[2].copy(), slices[5].copy()]
    for data in twins:
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    folder = save(tmp_path / "s", slices)
    save(folder, twins, name="z{}.dcm")
    line, _ = check(folder, slices)
    assert "2 slices are there more than once" in line["remarks"][0]


def test_two_phases_in_one_series_are_refused(tmp_path):
    uid = generate_uid()
    folder = save(tmp_path / "s", series(uid=uid))
    save(folder, series(uid=uid, seed=1), name="b{}.dcm")
    reason = refusal("dicom", folder)
    assert "16 slices in 8 places" in reason and "phases" in reason


@pytest.mark.parametrize("missing", [(3,), (3, 4), (2, 5)])
def test_gaps(tmp_path, missing):
    slices = series(count=9)
    kept = [data for i, data in enumerate(slices) if i not in missing]
    folder = save(tmp_path / "s", kept)
    reason = refusal("dicom", folder)
    first = missing[0]
    assert f"{len(missing)} slices are missing" in reason
    assert f"s{first - 1:03}.dcm" in reason and f"s{first:03}.dcm" in reason and "allow gaps" in reason
    line, values = read("dicom", "--fill", folder)
    theirs = values_of(slices)
    theirs[list(missing)] = values_of(kept).min()
    assert np.array_equal(values, theirs) and np.isclose(line["spacing"][2], 2)
    assert [i for i, s in enumerate(line["slices"]) if s["file"] == ""] == list(missing)
    assert any("filled" in remark for remark in line["remarks"])
    assert any("instance numbers are missing" in remark for remark in line["remarks"])


@pytest.mark.parametrize("options", [[], ["--fill"]])
def test_uneven_slices_are_refused(tmp_path, options):
    slices = series()
    slices[4].ImagePositionPatient[2] += 0.9
    assert "s004.dcm" in refusal("dicom", *options, save(tmp_path / "s", slices))
    slices = series()
    slices[4].ImagePositionPatient[0] += 3
    assert "not on a line" in refusal("dicom", *options, save(tmp_path / "t", slices))


def test_rounded_positions_are_even_enough(tmp_path):
    slices = series(step=0.6667, count=20)
    for data in slices:
        data.ImagePositionPatient[2] = f"{float(data.ImagePositionPatient[2]):.1f}"
    line, _ = read("dicom", save(tmp_path / "s", slices))
    assert np.isclose(line["spacing"][2], 0.6667, atol=0.01)


def test_two_stacks_far_apart(tmp_path):
    uid = generate_uid()
    far = series(uid=uid, seed=1)
    for data in far:
        data.ImagePositionPatient[2] += 500
    folder = save(tmp_path / "s", series(uid=uid))
    save(folder, far, name="b{}.dcm")
    for options in [], ["--fill"]:
        assert "files of one stack" in refusal("dicom", *options, folder)


def test_two_series_are_listed(tmp_path):
    one, two = series(), series(seed=1, count=5)
    folder = save(tmp_path / "s", one)
    save(folder, two, name="b{}.dcm")
    reason = refusal("dicom", folder)
    assert "2 series" in reason and one[0].SeriesInstanceUID in reason and "5 files" in reason
    line, values = read("dicom", "--series", two[0].SeriesInstanceUID, folder)
    assert np.array_equal(values, values_of(two)) and line["series"] == two[0].SeriesInstanceUID
    assert "no series 9.9" in refusal("dicom", "--series", "9.9", folder)


def test_files_without_a_series_are_one(tmp_path):
    slices = series()
    for data in slices:
        del data.SeriesInstanceUID
    line, _ = check(save(tmp_path / "s", slices, 4), slices)
    assert "name no series" in line["remarks"][0]
    save(tmp_path / "s", series(seed=1), name="b{}.dcm")
    assert "without a UID (CT , 8 files)" in refusal("dicom", tmp_path / "s")


@pytest.mark.parametrize("what, word", [("size", "sizes"), ("spacing", "spacings"), ("direction", "directions"), ("place", "geometry")])
def test_slices_of_different_kinds(tmp_path, what, word):
    slices = series()
    odd = slices[3]
    if what == "size":
        odd.Rows, odd.Columns = COLUMNS, ROWS
    elif what == "spacing":
        odd.PixelSpacing = [0.8, 0.7]
    elif what == "direction":
        odd.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    else:
        del odd.ImagePositionPatient
    assert word in refusal("dicom", save(tmp_path / "s", slices))


def test_one_slice(tmp_path):
    slices = series(OBLIQUE, count=1)
    line, _ = check(save(tmp_path / "s", slices), slices)
    assert np.allclose(line["step"][2], np.cross(*OBLIQUE), atol=1e-6) and "1 mm" in line["remarks"][0]


def test_no_places(tmp_path):
    slices = series(count=3)
    for data in slices:
        del data.ImagePositionPatient
    assert "ImagePositionPatient" in refusal("dicom", save(tmp_path / "s", slices))
    line, values = read("dicom", tmp_path / "s" / "s001.dcm")
    assert not line["placed"] and np.allclose(line["spacing"], [0.6, 0.8, 1])
    assert np.array_equal(values, values_of(slices[1:2]))


@pytest.mark.parametrize("orientation", [[1, 0, 0, 1, 0, 0], [2, 0, 0, 0, 1, 0], [0] * 6])
def test_directions_that_make_no_sense(tmp_path, orientation):
    slices = series()
    for data in slices:
        data.ImageOrientationPatient = orientation
    assert "right angles" in refusal("dicom", save(tmp_path / "s", slices))


def test_colour_is_refused(tmp_path):
    slices = series(count=2)
    for data in slices:
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = 8, 8, 7
        data.PixelData = bytes(ROWS * COLUMNS * 3)
    assert "colour" in refusal("dicom", save(tmp_path / "s", slices))


def test_a_damaged_file_is_not_left_out(tmp_path):
    folder = save(tmp_path / "s", series())
    whole = (folder / "s003.dcm").read_bytes()
    (folder / "s003.dcm").write_bytes(whole[:-20])
    assert "s003.dcm" in refusal("dicom", folder)
    (folder / "s003.dcm").write_bytes(whole[:170])
    assert "s003.dcm" in refusal("dicom", folder)


def test_other_files_in_the_folder_do_not_matter(tmp_path):
    slices = series()
    folder = save(tmp_path / "s", slices)
    (folder / "notes.txt").write_text("hello")
    (folder / "empty").write_bytes(b"")
    check(folder, slices)
    (tmp_path / "none").mkdir()
    assert "no DICOM" in refusal("dicom", tmp_path / "none")


def enhanced(planes=OBLIQUE, count=6, step=1.25, seed=0, order=None, place_frames=True):
    """Frames in any order; rescale and place belong to each frame, the rest is shared."""
    slices = series(planes, count, step, seed)
    order = list(order or range(count))
    data = slice_set("1.2.9", 1, (0, 0, 0), None, np.stack([slices[i].pixel_array for i in order]), sop_class=EnhancedMRImageStorage)
    data.NumberOfFrames = count
    del data.RescaleSlope, data.RescaleIntercept
    shared, item = pydicom.Dataset(), pydicom.Dataset()
    measures = pydicom.Dataset()
    measures.PixelSpacing, measures.SliceThickness = slices[0].PixelSpacing, 3
    item.ImageOrientationPatient = slices[0].ImageOrientationPatient
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [item]
    data.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for i in order:
        place, rescale, group = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
        place.ImagePositionPatient = slices[i if place_frames else 0].ImagePositionPatient
        slices[i].RescaleSlope = rescale.RescaleSlope = f"{1 + i / 4}"
        slices[i].RescaleIntercept = rescale.RescaleIntercept = -10 * i
        rescale.RescaleType = "US"
        group.PlanePositionSequence, group.PixelValueTransformationSequence = [place], [rescale]
        groups.append(group)
    data.PerFrameFunctionalGroupsSequence = groups
    return data, slices


@pytest.mark.parametrize("order", [None, [3, 0, 5, 1, 4, 2], [5, 4, 3, 2, 1, 0]])
def test_multi_frame_objects(tmp_path, order):
    data, slices = enhanced(order=order)
    data.save_as(tmp_path / "e.dcm", enforce_file_format=True)
    line, values = read("dicom", tmp_path / "e.dcm")
    assert np.array_equal(values, values_of(slices).astype(np.float32))
    assert [s["frame"] for s in line["slices"]] == [(order or list(range(6))).index(i) for i in range(6)]
    assert np.isclose(line["spacing"][2], 1.25, atol=1e-4)
    assert np.allclose(line["origin"], [float(x) for x in slices[0].ImagePositionPatient], atol=1e-4)


def test_a_film_is_no_volume(tmp_path):
    data, _ = enhanced(place_frames=False)
    data.save_as(tmp_path / "e.dcm", enforce_file_format=True)
    assert "6 slices in 1 places" in refusal("dicom", tmp_path / "e.dcm")


@pytest.mark.skipif(not VOLUMES.exists(), reason="the shared volumes are not here")
def test_the_real_series():
    warnings.filterwarnings("ignore")
    folder = VOLUMES / "ct_dicom"
    slices = sorted((pydicom.dcmread(path) for path in folder.iterdir()), key=lambda data: float(data.ImagePositionPatient[2]))
    line, values = check(folder, slices)
    assert np.isclose(line["spacing"][2], 2) and slices[0].SliceThickness == 3
    check_simpleitk(folder, line, values)
