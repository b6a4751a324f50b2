"""NIfTI files against nibabel: headers of all kinds, values to the bit, what is written read again."""

import gzip
import itertools

import nibabel
import numpy as np
import pytest
from volumes import TO_LPS, VOLUMES, affine_of, read, refusal

DTYPES = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]
ORDERS = list(itertools.product(itertools.permutations(range(3)), itertools.product([1, -1], repeat=3)))


def random_values(rng, dtype, shape):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return (rng.normal(size=shape) * 1000).astype(dtype)
    return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, True)


def rotation(rng):
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return q


def nifti(rng, dtype, version=1, endian="<", pair=False, shape=(5, 4, 3), codes=(1, 1), scaling=(1, 0)):
    """An image whose sform and qform differ, so that the choice between them shows."""
    kinds = {(1, False): nibabel.Nifti1Image, (2, False): nibabel.Nifti2Image, (1, True): nibabel.Nifti1Pair,
             (2, True): nibabel.Nifti2Pair}
    kind = kinds[version, pair]
    header = kind.header_class(endianness=endian)
    header.set_data_dtype(np.dtype(dtype).newbyteorder(endian))
    header.set_data_shape(shape)
    zooms = rng.uniform(0.3, 6, len(shape))
    header.set_zooms(zooms)
    for code, set_form in zip(codes, (header.set_sform, header.set_qform)):
        affine = np.eye(4)
        affine[:3, :3] = rotation(rng) * np.resize(zooms, 3)
        affine[:3, 3] = rng.uniform(-300, 300, 3)
        set_form(affine, int(code))
    values = random_values(rng, dtype, shape)
    return header, values, scaling


def save(path, header, values, scaling):
    """By hand, because nibabel would choose its own forms and scaling."""
    header = header.copy()
    header["scl_slope"], header["scl_inter"] = scaling
    raw = values.astype(header.get_data_dtype()).tobytes(order="F")
    if header.is_single:
        offset = {348: 352, 540: 544}[header.sizeof_hdr]
        header["vox_offset"] = offset
        path.write_bytes(header.binaryblock.ljust(offset, b"\0") + raw)
    else:
        header["vox_offset"] = 0
        path.with_suffix(".hdr").write_bytes(header.binaryblock)
        path.with_suffix(".img").write_bytes(raw)


def check(path, exact_affine=True):
    image = nibabel.load(path)
    line, values = read("nifti", path)
    with np.errstate(over="ignore"):
        theirs = np.asarray(image.get_fdata(dtype=np.float64)).astype(np.float32)
    theirs = theirs.reshape(theirs.shape + (1,) * (3 - theirs.ndim))[..., :].squeeze(tuple(range(3, theirs.ndim)))
    assert np.array_equal(values, theirs.T, equal_nan=True)
    if exact_affine:
        assert np.allclose(affine_of(line), TO_LPS @ image.affine[:3], rtol=1e-12, atol=1e-9)
    return line, image


CASES = list(itertools.product(DTYPES, (1, 2), "<>", (False, True), ((0, 0), (1, 0), (0, 1), (2, 4))))


@pytest.mark.parametrize("dtype, version, endian, pair, codes", CASES)
def test_every_kind_of_header(tmp_path, dtype, version, endian, pair, codes):
    seed = CASES.index((dtype, version, endian, pair, codes))
    rng = np.random.default_rng(seed)
    shape = [(5, 4, 3), (7, 1, 2), (6, 5), (4, 3, 2, 1), (9,)][seed % 5]
    scaling = [(1, 0), (0, 5), (2.5, -1024), (np.nan, 3), (-0.125, 7)][(seed // 5) % 5]
    path = tmp_path / ("image.img" if pair else "image.nii")
    save(path, *nifti(rng, dtype, version, endian, pair, shape, codes)[:2], scaling)
    line, _ = check(path)
    assert line["placed"] == any(codes)
    assert line["size"] == [*shape, 1, 1][:3]
    if pair:
        assert read("nifti", path.with_suffix(".hdr"))[0] == line


@pytest.mark.parametrize("seed", range(60))
def test_a_qform_alone(tmp_path, seed):
    """Every turn of the quaternion, half turns and left-handed grids too."""
    rng = np.random.default_rng(seed)
    header, values, scaling = nifti(rng, "i2", codes=(0, 0))
    axes, signs = ORDERS[seed % 48]
    turn = np.eye(3)[list(axes)] * signs if seed < 48 else rotation(rng)
    header.set_qform(nibabel.affines.from_matvec(turn * rng.uniform(0.5, 4, 3), rng.uniform(-99, 99, 3)), 1)
    save(tmp_path / "q.nii", header, values, scaling)
    line, _ = check(tmp_path / "q.nii")
    assert line["placed"]


def test_a_header_that_nibabel_mends(tmp_path):
    header, values, scaling = nifti(np.random.default_rng(3), "u1", codes=(0, 1))
    header["pixdim"][:4] = [0, -2, 3, 0]
    header["sform_code"] = 77
    save(tmp_path / "m.nii", header, values, scaling)
    check(tmp_path / "m.nii")


@pytest.mark.parametrize("units, factor", [("meter", 1000), ("mm", 1), ("micron", 1e-3), ("unknown", 1)])
def test_units_become_millimetres(tmp_path, units, factor):
    header, values, scaling = nifti(np.random.default_rng(4), "u1")
    header.set_xyzt_units(units)
    save(tmp_path / "u.nii", header, values, scaling)
    line, _ = read("nifti", tmp_path / "u.nii")
    assert np.allclose(affine_of(line), TO_LPS @ nibabel.load(tmp_path / "u.nii").affine[:3] * factor, rtol=1e-12)


@pytest.mark.parametrize("name", ["a.nii.gz", "a.hdr.gz"])
def test_packed(tmp_path, name):
    header, values, scaling = nifti(np.random.default_rng(5), "i2", pair="hdr" in name, shape=(40, 30, 20))
    plain = tmp_path / name.removesuffix(".gz")
    save(plain, header, values, scaling)
    unpacked = read("nifti", plain)[1]
    for path in [path for path in tmp_path.iterdir()]:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    check(tmp_path / name)
    assert np.array_equal(read("nifti", tmp_path / name)[1], unpacked)


def test_several_gzip_members_and_damage(tmp_path):
    header, values, scaling = nifti(np.random.default_rng(6), "i2", shape=(40, 30, 20))
    save(tmp_path / "a.nii", header, values, scaling)
    whole = (tmp_path / "a.nii").read_bytes()
    path = tmp_path / "b.nii.gz"
    path.write_bytes(gzip.compress(whole[:5000]) + gzip.compress(whole[5000:]) + b"\0" * 512)
    check(path)
    packed = gzip.compress(whole)
    path.write_bytes(packed[:-20])
    assert "ends early" in refusal("nifti", path)
    path.write_bytes(packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:])
    assert "damaged" in refusal("nifti", path)


def test_nan_and_infinities_stay(tmp_path):
    header, values, _ = nifti(np.random.default_rng(7), "f4")
    values[0, 0, 0], values[1, 0, 0], values[2, 0, 0] = np.nan, np.inf, -np.inf
    for scaling in [(1, 0), (2, 1)]:
        save(tmp_path / "n.nii", header, values, scaling)
        check(tmp_path / "n.nii")
        ours = read("nifti", tmp_path / "n.nii")[1][0, 0]
        assert np.isnan(ours[0]) and ours[1] == np.inf and ours[2] == -np.inf


def test_several_volumes_want_an_index(tmp_path):
    header, values, scaling = nifti(np.random.default_rng(8), "i2", shape=(5, 4, 3, 7))
    path = tmp_path / "t.nii"
    save(path, header, values, scaling)
    assert "7 volumes" in refusal("nifti", path)
    for i in range(7):
        assert np.array_equal(read("nifti", path, i)[1], values[..., i].T)
    refusal("nifti", path, 7, code=2)
    refusal("nifti", path, -1, code=2)
    packed = tmp_path / "t.nii.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert np.array_equal(read("nifti", packed, 6)[1], values[..., 6].T)


@pytest.mark.parametrize("code, name", [(128, "RGB24"), (2304, "RGBA32"), (32, "complex64"), (1, "single bits")])
def test_other_voxels_are_refused_by_name(tmp_path, code, name):
    header, values, scaling = nifti(np.random.default_rng(9), "u1")
    save(tmp_path / "c.nii", header, values, scaling)
    content = bytearray((tmp_path / "c.nii").read_bytes())
    content[70:72] = code.to_bytes(2, "little")
    (tmp_path / "c.nii").write_bytes(content)
    assert name in refusal("nifti", tmp_path / "c.nii")


DAMAGE = {
    "cut in the header": lambda whole: whole[:200],
    "cut in the voxels": lambda whole: whole[:-1],
    "no dimensions": lambda whole: whole[:40] + b"\0\0" + whole[42:],
    "a side of -1": lambda whole: whole[:42] + b"\xff\xff" + whole[44:],
    "a side too long": lambda whole: whole[:42] + b"\xff\x7f" + whole[44:],
    "no mark": lambda whole: whole[:344] + b"\0\0\0\0" + whole[348:],
    "voxels in the header": lambda whole: whole[:108] + np.float32(8).tobytes() + whole[112:],
    "voxels nowhere": lambda whole: whole[:108] + np.float32("nan").tobytes() + whole[112:],
    "voxels far away": lambda whole: whole[:108] + np.float32(1e30).tobytes() + whole[112:],
    "an infinite intercept": lambda whole: whole[:116] + np.float32("inf").tobytes() + whole[120:],
    "a flat sform": lambda whole: whole[:280] + bytes(48) + whole[328:],
    "a sform of NaN": lambda whole: whole[:280] + np.float32("nan").tobytes() + whole[284:],
    "empty": lambda whole: b"",
    "a claim of 2^45 voxels": lambda whole: whole[:42] + b"\xff\x7f" * 3 + whole[48:],
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_files_are_refused(tmp_path, what, packed):
    header, values, _ = nifti(np.random.default_rng(10), "i2")
    save(tmp_path / "d.nii", header, values, (1, 0))
    content = DAMAGE[what]((tmp_path / "d.nii").read_bytes())
    path = tmp_path / ("d.nii.gz" if packed else "d.nii")
    path.write_bytes(gzip.compress(content) if packed else content)
    assert str(path) in refusal("nifti", path)


def test_a_gzip_bomb_costs_nothing(tmp_path):
    """The header's claim is compared with what the packed bytes can hold, before memory is asked for."""
    header, _, _ = nifti(np.random.default_rng(11), "f8", shape=(1000, 1000, 1000))
    header["vox_offset"] = 352
    path = tmp_path / "b.nii.gz"
    path.write_bytes(gzip.compress(header.binaryblock.ljust(352, b"\0") + bytes(1 << 20)))
    assert "cannot hold" in refusal("nifti", path)


@pytest.mark.parametrize("seed", range(48))
def test_all_axis_orders(tmp_path, seed):
    """canonical() turns every order to LPS, as nibabel turns it to LPS, and back again exactly."""
    rng = np.random.default_rng(seed)
    axes, signs = ORDERS[seed]
    small = np.eye(3)
    angle = rng.uniform(-0.3, 0.3)
    small[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine = nibabel.affines.from_matvec(
        (small[:, list(axes)] * signs) * rng.uniform(0.5, 4, 3), rng.uniform(-99, 99, 3))
    values = rng.integers(-1000, 1000, (4, 5, 6)).astype(np.int16)
    image = nibabel.Nifti1Image(values, affine)
    nibabel.save(image, tmp_path / "o.nii")
    image = nibabel.load(tmp_path / "o.nii")
    line, _ = read("nifti", tmp_path / "o.nii")
    assert line["orientation"] == "".join(nibabel.aff2axcodes(image.affine))
    for code in ("LPS", "RAS", "PIR", "SLA"):
        line, turned = read("canonical", tmp_path / "o.nii", code)
        start = nibabel.io_orientation(image.affine)
        theirs = image.as_reoriented(nibabel.orientations.ornt_transform(start, nibabel.orientations.axcodes2ornt(code)))
        assert line["orientation"] == code and line["restored"]
        assert np.array_equal(turned, np.asarray(theirs.dataobj).T)
        assert np.allclose(affine_of(line), TO_LPS @ theirs.affine[:3], atol=1e-4)


@pytest.mark.parametrize("code", ["LPX", "LLS", "LP", "LPSA", "lps", ""])
def test_codes_that_are_none(tmp_path, code):
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4)), tmp_path / "o.nii")
    refusal("canonical", tmp_path / "o.nii", code, code=2)


WRITTEN = list(itertools.product(["uint8", "int16", "uint16", "float32"], ["out.nii", "out.nii.gz"], range(8)))


@pytest.mark.parametrize("dtype, name, seed", WRITTEN)
def test_written_files(tmp_path, dtype, name, seed):
    """From a grid alone: nibabel finds the affine in the sform and in the qform, to float32."""
    rng = np.random.default_rng(seed)
    affine = np.eye(4)
    affine[:3, :3] = rotation(rng) * rng.uniform(0.4, 5, 3)
    affine[:3, 3] = rng.uniform(-400, 400, 3)
    values = rng.integers(0, 250, (6, 5, 4)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, affine), tmp_path / "in.nii")
    read("rewrite", tmp_path / "in.nii", tmp_path / name, dtype)
    written = nibabel.load(tmp_path / name)
    assert written.get_data_dtype() == dtype and np.array_equal(written.get_fdata(), values)
    assert np.array_equal(written.affine, nibabel.load(tmp_path / "in.nii").affine)
    qform, code = written.get_qform(coded=True)
    assert code == 1 and written.get_sform(coded=True)[1] == 1
    assert np.allclose(qform, written.affine, atol=2e-4)
    assert written.header["descrip"].item() == b"rewritten" and written.header.get_xyzt_units()[0] == "mm"
    check(tmp_path / name)


def test_a_sheared_grid_has_no_qform(tmp_path):
    affine = np.diag([1.0, 1, 2, 1])
    affine[1, 2] = 0.5
    nibabel.save(nibabel.Nifti1Image(np.zeros((3, 4, 5), np.uint8), affine), tmp_path / "in.nii")
    read("rewrite", tmp_path / "in.nii", tmp_path / "out.nii", "uint8")
    written = nibabel.load(tmp_path / "out.nii")
    assert np.array_equal(written.affine, affine) and written.get_qform(coded=True)[1] == 0


def test_a_long_side_needs_nifti_2(tmp_path):
    nibabel.save(nibabel.Nifti2Image(np.arange(40000, dtype=np.float32).reshape(40000, 1, 1), np.eye(4)), tmp_path / "in.nii")
    read("rewrite", tmp_path / "in.nii", tmp_path / "out.nii", "float32")
    written = nibabel.load(tmp_path / "out.nii")
    assert isinstance(written, nibabel.Nifti2Image) and written.shape == (40000, 1, 1)
    check(tmp_path / "out.nii")


FORMS = ["sform_code", "qform_code", "srow_x", "srow_y", "srow_z", "quatern_b", "quatern_c", "quatern_d", "qoffset_x",
         "qoffset_y", "qoffset_z", "xyzt_units"]


@pytest.mark.parametrize("seed", range(60))
def test_a_mask_keeps_the_header_of_its_image(tmp_path, seed):
    """Both forms, their codes, units and voxel sizes, bit by bit, whatever they are."""
    rng = np.random.default_rng(seed)
    codes = [(0, 0), (1, 0), (0, 1), (2, 4), (3, 5)][seed % 5]
    shape = [(5, 4, 3), (6, 5), (4, 3, 2, 1)][seed % 3]
    header, values, _ = nifti(rng, "u1", 1 + seed % 2, "<>"[seed // 2 % 2], shape=shape, codes=codes)
    header.set_xyzt_units(["mm", "micron", "unknown"][seed % 3])
    save(tmp_path / "in.nii", header, values, (1, 0))
    read("rewrite", tmp_path / "in.nii", tmp_path / "out.nii.gz", "uint8", "like")
    image, mask = nibabel.load(tmp_path / "in.nii"), nibabel.load(tmp_path / "out.nii.gz")
    assert type(mask) is type(image) and mask.shape == image.shape[:3]
    assert np.array_equal(mask.affine, image.affine)
    for name in FORMS:
        assert np.array_equal(mask.header[name], image.header[name]), name
    assert np.array_equal(mask.header["pixdim"][:4], image.header["pixdim"][:4])
    assert np.array_equal(mask.get_fdata(), image.get_fdata().reshape(mask.shape))


def test_names_that_are_not_written(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4)), tmp_path / "in.nii")
    assert ".nii.gz" in refusal("rewrite", tmp_path / "in.nii", tmp_path / "out.mha", "uint8", code=2)


def test_a_pair_without_its_voxels(tmp_path):
    header, values, scaling = nifti(np.random.default_rng(12), "u1", pair=True)
    save(tmp_path / "a.img", header, values, scaling)
    (tmp_path / "a.img").unlink()
    assert "a.img" in refusal("nifti", tmp_path / "a.hdr")


@pytest.mark.skipif(not VOLUMES.exists(), reason="the shared volumes are not here")
def test_real_volumes(tmp_path):
    paths = sorted(VOLUMES.rglob("*.nii.gz"))
    assert paths
    for path in paths:
        _, image = check(path)
        read("rewrite", path, tmp_path / "again.nii.gz", "float32", "like")
        assert np.array_equal(nibabel.load(tmp_path / "again.nii.gz").affine, image.affine)
