"""Inputs to planes and masks back, against what Pillow, PyTorch, scikit-image and numpy make of the same files.

The references below say in a line or a few each what the published code does (microsoft/BiomedParse,
inference_utils/ and src/utils.py, and the clients' toolkit)."""

import gzip
import itertools

import nibabel
import numpy as np
import pydicom
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from planes_tool import SHARED, planes, run
from pydicom.data import get_testdata_file
from skimage import transform

rng = np.random.default_rng(5)
WINDOWS = {"ct-abdomen": (-150, 250), "ct-lung": (-1000, 1000), "ct-pelvis": (-55, 200), "ct-liver": (-25, 230),
           "ct-colon": (-68, 187), "ct-pancreas": (-100, 200)}
CHALLENGE = {"cvpr-soft-tissue": (400, 40), "cvpr-lung": (1500, -160), "cvpr-brain": (80, 40), "cvpr-bone": (1800, 400)}


def shared(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} of the shared data is not here")
    return path


# ---- intensities


def stretched_reference(values, bounds):
    """Version 1: clip, then the slice's own range."""
    held = np.clip(values, *bounds)
    return (held - held.min()) / (held.max() - held.min()) * 255.0


def bytes_reference(values, low, high):
    """The clients' toolkit and the challenge: bounds, then the fraction is cut off."""
    return ((np.clip(values, low, high) - low) / (high - low) * 255.0).astype(np.uint8)


CT = np.rint(rng.normal(0, 400, 5000)).astype(np.float32)
SAMPLES = {"ct": CT, "real": rng.normal(3, 900, 3001).astype(np.float32), "two": np.array([-1, 7], np.float32),
           "one": np.array([5], np.float32), "mostly zero": np.where(rng.random(2000) < 0.9, 0, CT[:2000])}


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_of_the_first_version(tmp_path, name):
    _, made = run(tmp_path, "stretched", np.float64, intensity=name, values=CT)
    assert np.array_equal(made, stretched_reference(CT.astype(np.float64), WINDOWS[name]))
    _, made = run(tmp_path, "bytes", np.uint8, intensity=name, values=CT)
    assert np.array_equal(made, bytes_reference(CT.astype(np.float64), *WINDOWS[name]))


@pytest.mark.parametrize("name", CHALLENGE)
def test_windows_of_the_challenge(tmp_path, name):
    width, level = CHALLENGE[name]
    _, made = run(tmp_path, "bytes", np.uint8, intensity=name, values=CT)
    assert np.array_equal(made, bytes_reference(CT.astype(np.float64), level - width / 2, level + width / 2))
    _, same = run(tmp_path, "bytes", np.uint8, intensity=f"{level}/{width}", values=CT)
    assert np.array_equal(made, same)


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("name", ["percentile", "percentile-positive"])
def test_percentiles(tmp_path, sample, name):
    values = SAMPLES[sample].astype(np.float32)
    wide = values.astype(np.float64)
    low, high = np.percentile(wide[wide > 0] if name == "percentile-positive" else wide, [0.5, 99.5])
    answer, made = run(tmp_path, "bytes", np.uint8, intensity=name, values=values)
    assert (answer["low"], answer["high"]) == (low, high)
    if high > low:
        assert np.array_equal(made, bytes_reference(wide, low, high))
        _, made = run(tmp_path, "stretched", np.float64, intensity=name, values=values)
        assert np.array_equal(made, stretched_reference(wide, (low, high)))
    else:
        assert not made.any()


@pytest.mark.parametrize("values", [[], [0, 0, 0], [-3, -2], [4, 4, 4]])
@pytest.mark.parametrize("name", ["ct-lung", "percentile", "percentile-positive", "untouched", "40/400"])
def test_nothing_to_see_divides_by_nothing(tmp_path, values, name):
    values = np.array(values, np.float32)
    for do, dtype in (("bytes", np.uint8), ("stretched", np.float64)):
        _, made = run(tmp_path, do, dtype, intensity=name, values=values)
        assert made.shape == values.shape and np.isfinite(made).all()
        constant = len(set(values)) < 2
        if constant and name != "untouched" and (do == "stretched" or name.startswith("percentile")):
            assert not made.any()


def test_unknown_intensities_are_refused(tmp_path):
    for name in ("lung", "", "40/", "/400", "40/-1", "40/0", "nan/4", "40/400 ", "inf/1"):
        answer, _ = run(tmp_path, "bytes", intensity=name, values=CT)
        assert answer["code"] == 2 and "ct-abdomen" in answer["error"]


# ---- pictures


def rgb(path):
    return Image.open(path).convert("RGB")


def version_1_picture(image, side):
    # Pillow up to 12 resizes across first; 13 may go down first, which changes last bits.
    across = image.resize((side, image.height), Image.BICUBIC) if side != image.width else image
    return np.asarray(across.resize((side, side), Image.BICUBIC)).astype(np.float32).transpose(2, 0, 1)


def square(height, width):
    """Padding of version 2: left and top rounded down, the rest right and bottom."""
    rows, columns = max(width - height, 0), max(height - width, 0)
    return rows // 2, rows - rows // 2, columns // 2, columns - columns // 2


def version_2_picture(image, side):
    array = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float()[None]
    top, bottom, left, right = square(image.height, image.width)
    array = F.pad(array, (left, right, top, bottom))
    return F.interpolate(array, size=(side, side), mode="bicubic", align_corners=False)[0].numpy()


def check_picture(tmp_path, path, side):
    for version, reference in ((1, version_1_picture), (2, version_2_picture)):
        answer, made = planes(tmp_path, path, version=version, side=side)
        assert answer["kind"] == "picture" and answer["count"] == 1 and answer["placed"] is False
        assert made.shape == (1, 3, side, side)
        assert np.array_equal(made[0], reference(rgb(path), side))
        _, shown = run(tmp_path, "shown", np.uint8, path=path, version=version)
        assert np.array_equal(shown.reshape(np.asarray(rgb(path)).shape), np.asarray(rgb(path)))
    return made


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (33, 64), (64, 33), (31, 30), (300, 299), (50, 50)])
def test_pictures_of_odd_sizes(tmp_path, shape):
    noise = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    for side in (64, 96):
        made = check_picture(tmp_path, tmp_path / "noise.png", side)
    if min(shape) > 20:  # overshoot is kept in version 2
        assert made.min() < 0 and made.max() > 255


@pytest.mark.parametrize("pattern", ["nine_modalities/images/*.png", "examples/*.png", "examples/*.jp*g"])
def test_published_pictures(tmp_path, pattern):
    shared(pattern.split("/")[0])
    paths = sorted(SHARED.glob(pattern))
    assert paths
    for i, path in enumerate(paths):
        check_picture(tmp_path, path, (1024, 512)[i % 2])


def test_values_of_pictures(tmp_path):
    """What is measured: grey as it is stored, colour by its mean."""
    wide = rng.integers(0, 60000, (20, 31), dtype=np.uint16)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert np.array_equal(run(tmp_path, "values", path=tmp_path / "wide.png")[1], wide.ravel())
    colour = rng.integers(0, 256, (20, 31, 3), dtype=np.uint8)
    Image.fromarray(colour).save(tmp_path / "colour.png")
    _, made = run(tmp_path, "values", path=tmp_path / "colour.png")
    assert np.allclose(made, colour.reshape(-1, 3).mean(1), atol=1e-5)


def test_a_turned_picture_says_so(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(rng.integers(0, 256, (20, 31, 3), dtype=np.uint8)).save(tmp_path / "turned.jpg", exif=exif)
    answer, _ = planes(tmp_path, tmp_path / "turned.jpg", side=32)
    assert answer["size"] == [20, 31, 1] and "upright" in answer["remarks"][0]


# ---- volumes, as the second version reads them


def get_axis(shape):
    if 2 * abs(shape[1] - shape[2]) / (shape[1] + shape[2]) < 0.5:
        return 0
    return int(np.argmin(shape))


def version_2_volume(volume, side):
    """uint8 [slices, rows, columns] to [slices, 3, side, side]."""
    volume = np.moveaxis(volume, get_axis(volume.shape), 0)
    top, bottom, left, right = square(*volume.shape[1:])
    volume = torch.from_numpy(np.pad(volume, ((0, 0), (top, bottom), (left, right))))[None]
    image = F.interpolate(volume, size=(side, side), mode="bicubic", align_corners=False).int()
    if image.shape[1] == 1:
        image = image.expand(3, -1, -1, -1)
    else:
        before = torch.cat((image[:, 1:2], image[:, :-1]), dim=1)
        behind = torch.cat((image[:, 1:], image[:, -2:-1]), dim=1)
        image = torch.cat((image, before, behind))
    return image.transpose(0, 1).float().numpy()


def version_2_back(masks, shape):
    """Label maps [slices, side, side] on the volume."""
    axis = get_axis(shape)
    moved = np.moveaxis(np.empty(shape, np.uint8), axis, 0).shape
    top, _, left, _ = square(*moved[1:])
    size = max(moved[1:])
    masks = torch.from_numpy(masks)
    if masks.shape[-1] != size:
        masks = F.interpolate(masks[None].float(), size=(size, size), mode="nearest")[0].int()
    masks = masks.numpy()[:, top : top + moved[1], left : left + moved[2]]
    return np.moveaxis(masks, 0, axis)


def challenge(folder, volume, **more):
    np.savez_compressed(folder / "case.npz", imgs=volume, **more)
    return folder / "case.npz"


def check_volume(tmp_path, path, volume, side, **options):
    wanted = version_2_volume(volume, side)
    answer, made = planes(tmp_path, path, side=side, **options)
    assert answer["kind"] == "volume" and answer["count"] == len(wanted)
    assert np.array_equal(made, wanted)
    for begin, end in ((0, 1), (len(wanted) - 1, len(wanted)), (len(wanted) // 2, min(len(wanted) // 2 + 4, len(wanted)))):
        _, part = planes(tmp_path, path, side=side, begin=begin, end=end, **options)
        assert np.array_equal(part, wanted[begin:end])
    labels = rng.integers(0, 14, (len(wanted), side, side), dtype=np.uint8)
    _, back = run(tmp_path, "back", np.uint8, path=path, side=side, masks=labels, **options)
    assert np.array_equal(back.reshape(volume.shape), version_2_back(labels, volume.shape))
    return answer


SHAPES = [(1, 1, 1), (1, 1, 9), (1, 30, 31), (2, 20, 33), (5, 33, 20), (3, 64, 64), (40, 12, 41), (30, 31, 9), (7, 50, 51),
          (24, 10, 10), (4, 3, 5)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_volumes_of_odd_sizes(tmp_path, shape):
    volume = rng.integers(0, 256, shape, dtype=np.uint8)
    answer = check_volume(tmp_path, challenge(tmp_path, volume), volume, 48)
    assert answer["intensity"] == "untouched" and answer["placed"] is False


@pytest.mark.parametrize("name", ["CT_AMOS_amos_0018", "US_Cardiac_patient0027_2CH_half_sequence"])
def test_volumes_of_the_challenge(tmp_path, name):
    path = shared(f"volumes/challenge/{name}.npz")
    volume = np.load(path, allow_pickle=True)["imgs"]
    answer = check_volume(tmp_path, path, volume, 512)
    assert answer["intensity"] == "untouched" and answer["prompts"] > 0


def test_lesions_are_placed_and_read_as_they_are(tmp_path):
    path = shared("volumes/lesions/CT_Lesion_000002_03_01_035-047.npz")
    check_volume(tmp_path, path, np.load(path)["imgs"], 256, as_is=True)


# ---- slices, as the first version reads them


def version_1_slice(image, bounds, side):
    image = stretched_reference(image, bounds)
    rows, columns = image.shape
    pad = ((max(columns - rows, 0) // 2,) * 2, (max(rows - columns, 0) // 2,) * 2)
    image = np.pad(image, pad, "constant", constant_values=0)
    return transform.resize(image, (side, side), order=3, mode="constant", preserve_range=True,
                            anti_aliasing=True).astype(np.uint8)


def positive_percentiles(image):
    return np.percentile(image[image > 0], 0.5), np.percentile(image[image > 0], 99.5)


def save_nifti(folder, volume, affine, name="volume.nii.gz"):
    """`volume` [columns, rows, slices]."""
    nibabel.save(nibabel.Nifti1Image(volume, affine), folder / name)
    return folder / name


LPS = np.diag([-1.0, -1.0, 2.0, 1.0])  # NIfTI's axes run to the right, the front and the head


@pytest.mark.parametrize("shape", [(40, 57), (57, 40), (64, 64), (31, 30), (1, 1), (1, 12), (200, 170)], ids=str)
def test_slices_of_the_first_version(tmp_path, shape):
    volume = np.rint(rng.normal(0, 300, (3, *shape))).astype(np.int16)
    path = save_nifti(tmp_path, volume.transpose(2, 1, 0), LPS)
    if max(shape) > 2 and get_axis(volume.shape) == 0:
        answer, made = planes(tmp_path, path, version=1, side=96, modality="CT")
        assert answer["intensity"] == "ct-abdomen"
        for plane, image in zip(made, volume.astype(np.float64)):
            assert all(np.array_equal(channel, version_1_slice(image, (-150, 250), 96)) for channel in plane)
        answer, made = planes(tmp_path, path, version=1, side=96, modality="MR")
        assert answer["intensity"] == "percentile-positive"
        for plane, image in zip(made, volume.astype(np.float64)):
            assert np.array_equal(plane[0], version_1_slice(image, positive_percentiles(image), 96))
    else:  # too thin for slices: no crash, nothing infinite
        _, made = planes(tmp_path, path, version=1, side=96, modality="CT")
        assert np.isfinite(made).all()


@pytest.mark.parametrize("site", ["ct-lung", "ct-abdomen", "ct-liver"])
def test_the_published_lung_nodule(tmp_path, site):
    path = shared("examples/CT_lung_nodule.dcm")
    data = pydicom.dcmread(path)
    image = data.pixel_array * data.RescaleSlope + data.RescaleIntercept
    answer, made = planes(tmp_path, path, version=1, side=1024, intensity=site)
    assert answer["modality"] == "CT" and answer["slices"] == [data.SOPInstanceUID]
    assert np.array_equal(made[0, 1], version_1_slice(image, WINDOWS[site], 1024))
    _, values = run(tmp_path, "values", path=path)
    assert np.array_equal(values, image.ravel())
    _, shown = run(tmp_path, "shown", np.uint8, path=path, version=1, intensity=site)
    assert np.array_equal(shown.reshape(*image.shape, 3)[..., 2], stretched_reference(image, WINDOWS[site]).astype(np.uint8))


def test_a_series(tmp_path):
    """Twenty slices, named out of order: by place, from the feet to the head."""
    folder = shared("volumes/ct_dicom")
    slices = sorted((pydicom.dcmread(path) for path in folder.iterdir()), key=lambda d: d.ImagePositionPatient[2])
    volume = np.stack([d.pixel_array * d.RescaleSlope + d.RescaleIntercept for d in slices])
    answer, made = planes(tmp_path, folder, version=2, side=256, begin=0, end=5)
    assert answer["intensity"] == "cvpr-soft-tissue" and answer["orientation"] == "LPS"
    assert answer["spacing"][2] == pytest.approx(2.0, abs=1e-3)  # their SliceThickness says 3
    assert answer["slices"] == [d.SOPInstanceUID for d in slices]
    assert np.array_equal(made, version_2_volume(bytes_reference(volume, -160, 240), 256)[:5])
    _, made = planes(tmp_path, folder, version=1, side=512, intensity="ct-abdomen", begin=7, end=9)
    for plane, image in zip(made, volume[7:9]):
        assert np.array_equal(plane[0], version_1_slice(image, (-150, 250), 512))


# ---- the way back of logits


def logits_of(shape):
    return rng.normal(0, 4, shape).astype(np.float32)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (100, 37), (256, 256), (301, 64)], ids=str)
def test_probabilities(tmp_path, size):
    logits = logits_of((2, 3, 32, 32))
    tensor, (rows, columns) = torch.from_numpy(logits), size
    top, _, left, _ = square(rows, columns)

    def check(way, resized, cut=np.s_[...], side=128):
        answer, made = run(tmp_path, "probabilities", way=way, rows=rows, columns=columns, side=side, logits=logits,
                           shape=logits.shape)
        assert np.array_equal(made.reshape(answer["shape"]), resized.sigmoid()[cut].numpy())

    cut = np.s_[..., top : top + rows, left : left + columns]
    check("picture-v1", F.interpolate(tensor, size, mode="bilinear"))
    odd = (rows + max(columns - rows, 0) // 2 * 2, columns + max(rows - columns, 0) // 2 * 2)
    check("slice-v1", F.interpolate(tensor, odd, mode="bilinear"), cut)
    smooth = {"mode": "bicubic", "align_corners": False, "antialias": True}
    check("picture-v2", F.interpolate(tensor, (max(size),) * 2, **smooth), cut)
    for side in (128, 24):
        check("slice-v2", F.interpolate(tensor, (side, side), **smooth), side=side)


# ---- what is known of an input


def test_a_volume_that_looks_like_ct(tmp_path):
    path = shared("volumes/ct/example_ct_sm.nii.gz")
    answer, _ = planes(tmp_path, path, side=64)
    assert answer["modality"] == "CT" and answer["intensity"] == "cvpr-soft-tissue"
    assert any("Hounsfield" in remark for remark in answer["remarks"])
    answer, _ = planes(tmp_path, path, side=64, modality="MR")
    assert answer["intensity"] == "percentile" and not answer["remarks"]


@pytest.mark.parametrize("part, slices, volumes", [
    ("CHEST", "ct-chest", "cvpr-lung"), ("Abdomen", "ct-abdomen", "cvpr-soft-tissue"), ("", "ct-abdomen", "cvpr-soft-tissue"),
    ("CHESTABDPELVIS", "ct-abdomen", "cvpr-soft-tissue"), ("PELVIS", "ct-pelvis", "cvpr-soft-tissue"),
    ("HEAD", "cvpr-brain", "cvpr-brain"), ("liver", "ct-liver", "cvpr-soft-tissue")])
def test_windows_by_body_part(tmp_path, part, slices, volumes):
    path = save_nifti(tmp_path, CT[:4000].reshape(20, 20, 10).astype(np.int16), LPS)
    for version, name in ((1, slices), (2, volumes)):
        answer, _ = planes(tmp_path, path, version=version, side=32, modality="ct", body_part=part)
        assert answer["intensity"] == name


def test_voxels_that_are_no_numbers(tmp_path):
    volume = rng.normal(100, 20, (12, 12, 6)).astype(np.float32)
    clean = volume.copy()
    volume[0, 0, 0], volume[3, 4, 5], volume[1, 1, 1], volume[2, 2, 2] = np.nan, np.nan, np.inf, -np.inf
    rest = volume[np.isfinite(volume)]
    clean[0, 0, 0] = clean[3, 4, 5] = clean[2, 2, 2] = rest.min()
    clean[1, 1, 1] = rest.max()
    answer, made = planes(tmp_path, save_nifti(tmp_path, volume, LPS), side=32)
    assert "4 values are no numbers" in answer["remarks"][0]
    _, wanted = planes(tmp_path, save_nifti(tmp_path, clean, LPS, "clean.nii.gz"), side=32)
    assert np.array_equal(made, wanted)


@pytest.mark.parametrize("value", [0, -1000, 7.5, np.nan])
@pytest.mark.parametrize("version", [1, 2])
def test_constant_volumes(tmp_path, value, version):
    path = save_nifti(tmp_path, np.full((9, 8, 3), value, np.float32), LPS)
    answer, made = planes(tmp_path, path, version=version, side=32, modality="CT")
    assert any("all values are the same" in remark for remark in answer["remarks"])
    assert np.isfinite(made).all()


def test_dicom_that_is_a_picture(tmp_path):
    path = get_testdata_file("examples_rgb_color.dcm")
    answer, _ = planes(tmp_path, path, side=32)
    data = pydicom.dcmread(path)
    assert answer["kind"] == "picture" and answer["slices"] == [data.SOPInstanceUID]
    _, shown = run(tmp_path, "shown", np.uint8, path=path)
    assert np.array_equal(shown.reshape(data.pixel_array.shape), data.pixel_array)
    answer, _ = run(tmp_path, "planes", path=path, frame=1)
    assert answer["code"] == 2 and "no frame 1" in answer["error"]


def test_a_radiograph_alone_in_a_folder_is_a_picture(tmp_path):
    data = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    data.Modality, data.SOPClassUID = "DX", "1.2.840.10008.5.1.4.1.1.1.1"
    (tmp_path / "study").mkdir()
    data.save_as(tmp_path / "study" / "only.dcm")
    answer, _ = planes(tmp_path, tmp_path / "study", side=32)
    assert answer["kind"] == "picture" and answer["modality"] == "DX"
    assert answer["spacing"][:2] == pytest.approx([float(x) for x in data.PixelSpacing][::-1])
    _, values = run(tmp_path, "values", path=tmp_path / "study")
    assert np.array_equal(values, (data.pixel_array * data.RescaleSlope + data.RescaleIntercept).ravel())


def test_what_cannot_be_read(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "noise.nii.gz").write_bytes(gzip.compress(rng.bytes(900)))
    (tmp_path / "noise.npz").write_bytes(rng.bytes(900))
    (tmp_path / "noise.png").write_bytes(rng.bytes(900))
    for name in ("empty", "noise.nii.gz", "noise.npz", "noise.png", "absent.png"):
        answer, _ = run(tmp_path, "planes", path=tmp_path / name)
        assert answer["code"] == 4 and name in answer["error"]


# ---- orientation


@pytest.mark.parametrize("shape", [(11, 14, 9), (3, 14, 11), (12, 2, 13)], ids=str)
def test_every_order_of_axes_gives_the_same_planes(tmp_path, shape):
    """The same head on an oblique grid, stored in all 48 ways: planes agree, and masks do in the patient."""
    volume = rng.integers(-1000, 1000, shape).astype(np.int16)  # columns, rows, slices
    axes = np.linalg.qr(np.array([[0.96, -0.2, 0.19], [0.2, 0.98, 0.02], [-0.19, 0.02, 0.98]]))[0]
    affine = np.eye(4)
    affine[:3, :3] = axes * np.sign(np.diag(axes)) @ np.diag([-0.8, -0.9, 2.5])
    affine[:3, 3] = [12, -30, 77]
    image = nibabel.Nifti1Image(volume, affine)
    masks = rng.integers(0, 2, (min(shape), 24, 24), dtype=np.uint8)
    wanted = {}
    for order, *flips in itertools.product(itertools.permutations(range(3)), *[(1, -1)] * 3):
        turned = image.as_reoriented(np.stack([order, flips], 1))
        path = tmp_path / "turned.nii"
        nibabel.save(turned, path)
        for version in (1, 2):
            _, made = planes(tmp_path, path, version=version, side=24, modality="CT")
            assert np.array_equal(made, wanted.setdefault(version, made))
        _, back = run(tmp_path, "back", np.uint8, path=path, version=2, side=24, masks=masks)
        mask = nibabel.as_closest_canonical(nibabel.Nifti1Image(back.reshape(turned.shape[::-1]).T, turned.affine))
        same, place = wanted.setdefault("mask", (mask.get_fdata(), mask.affine))
        assert np.array_equal(mask.get_fdata(), same) and np.allclose(mask.affine, place)
    assert same.any() and not same.all()
