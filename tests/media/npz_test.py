"""NumPy archives against NumPy: kinds of arrays, volumes of the challenge, text prompts that are pickled."""

import io
import itertools
import os
import pickle
import zipfile

import numpy as np
import pytest
from volumes import VOLUMES, affine_of, read, refusal

KINDS = [order + kind for kind in ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8") for order in "<>"] + ["u1", "i1", "?"]
VERSIONS = [(1, 0), (2, 0), (3, 0)]


def npy(array, version=(1, 0)):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version)
    return out.getvalue()


def archive(path, **contents):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in contents.items():
            out.writestr(f"{name}.npy", content)
    return path


@pytest.mark.parametrize("kind, version, fortran", list(itertools.product(KINDS, VERSIONS, (False, True))))
def test_kinds_of_arrays(tmp_path, kind, version, fortran):
    values = np.random.default_rng(1).integers(0, 100, (3, 4, 5)).astype(kind)
    values = np.asfortranarray(values) if fortran else values
    path = archive(tmp_path / "a.npz", imgs=npy(values, version), gts=npy(values, version))
    assert np.array_equal(read("npz", path)[1], values.astype(np.float32))
    assert np.array_equal(read("labels", path, "gts")[1], values.astype(np.uint16))


def test_half_floats(tmp_path):
    values = np.arange(65536, dtype=np.uint16).view(np.float16).reshape(16, 64, 64)
    path = archive(tmp_path / "h.npz", imgs=npy(values))
    assert np.array_equal(read("npz", path)[1], values.astype(np.float32), equal_nan=True)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 7, 5), (6, 5)])
def test_savez(tmp_path, compressed, shape):
    values = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    (np.savez_compressed if compressed else np.savez)(tmp_path / "s.npz", imgs=values)
    line, ours = read("npz", tmp_path / "s.npz")
    assert np.array_equal(ours.reshape(shape), values)
    assert not line["placed"] and line["spacing"] == [1, 1, 1]


@pytest.mark.parametrize("values, kind", [
    ([0, 70000], "i8"), *itertools.product(([-1, 2], [0.5, 1], [np.nan, 1], [np.inf, 0]), ("f2", "f4", "f8"))])
def test_labels_are_whole_numbers(tmp_path, values, kind):
    np.savez(tmp_path / "l.npz", gts=np.array(values, kind).reshape(1, 1, 2))
    assert "whole numbers" in refusal("labels", tmp_path / "l.npz", "gts")


@pytest.mark.parametrize("seed", range(8))
def test_geometry_is_that_of_simpleitk(tmp_path, seed):
    import SimpleITK

    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    image = SimpleITK.GetImageFromArray(rng.integers(0, 255, (3, 4, 5)).astype(np.uint8))
    image.SetSpacing(rng.uniform(0.5, 4, 3).tolist())
    image.SetOrigin(rng.uniform(-200, 200, 3).tolist())
    image.SetDirection(q.ravel().tolist())
    np.savez(tmp_path / "g.npz", imgs=SimpleITK.GetArrayFromImage(image), spacing=image.GetSpacing(),
             origin=image.GetOrigin(), direction=image.GetDirection())
    line, _ = read("npz", tmp_path / "g.npz")
    assert line["placed"]
    for index in [(0, 0, 0), (4, 3, 2), (1, 0, 2)]:
        place = affine_of(line) @ [*index, 1]
        assert np.allclose(place, image.TransformIndexToPhysicalPoint(index), atol=1e-9)


@pytest.mark.parametrize("name, value", [("spacing", [1, 2]), ("spacing", [1, 0, 1]), ("spacing", [1, np.nan, 1]),
                                         ("direction", np.ones(9)), ("spacing", np.array([{}] * 3, object))])
def test_geometry_that_makes_no_sense(tmp_path, name, value):
    more = {"spacing": np.ones(3), "origin": np.zeros(3), "direction": np.eye(3)} | {name: np.asarray(value)}
    np.savez(tmp_path / "g.npz", imgs=np.zeros((2, 2, 2), np.uint8), **more)
    assert refusal("npz", tmp_path / "g.npz")


PROMPTS = {"1": "the spleen", "2": "Niere, links – ü", "13": "", "instance_label": 0}


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("home", ["numpy.core", "numpy._core"])
@pytest.mark.parametrize("instances", [0, 1, np.int64(1), np.uint8(1), True])
def test_text_prompts(tmp_path, protocol, home, instances):
    prompts = PROMPTS | {"instance_label": instances}
    content = npy_of_object(prompts, protocol)
    if home == "numpy.core" and protocol == 3:  # as NumPy before 2 wrote it
        content = content.replace(b"numpy._core", b"numpy.core")
    path = archive(tmp_path / "p.npz", imgs=npy(np.zeros((1, 2, 2), np.uint8)), text_prompts=content)
    line, _ = read("npz", path)
    assert line["prompts"] == {key: text for key, text in PROMPTS.items() if key != "instance_label"}
    assert line["instances"] == bool(instances)


def npy_of_object(value, protocol):
    array = np.array(value, dtype=object)
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, np.lib.format.header_data_from_array_1_0(array))
    return out.getvalue() + pickle.dumps(array, protocol)


def test_np_save_of_prompts_with_whole_keys(tmp_path):
    prompts = {1: "liver", np.int64(2): "kidney", "instance_label": 1}
    np.savez_compressed(tmp_path / "p.npz", imgs=np.zeros((1, 2, 2)), text_prompts=prompts)
    assert read("npz", tmp_path / "p.npz")[0]["prompts"] == {"1": "liver", "2": "kidney"}


class Run:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


HOSTILE = {
    "a command": {"1": Run(os.system, "touch ran")},
    "an import": {"1": Run(__import__, "this")},
    "code": {"1": Run(eval, "1 + 1")},
    "a class": {"1": zipfile.Path},
    "a nested list": {"1": [["deep"]]},
    "a label of no number": {"liver": "the liver"},
    "label 0": {"0": "background"},
    "a label too large": {"70000": "much"},
    "no text": {"1": 5},
    "a set": {"1": {1, 2}},
    "no dictionary": ["1", "liver"],
    "an array": {"1": np.arange(3)},
    "a huge integer": {"1": "a", "instance_label": 1 << 80},
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("protocol", [3, 4])
def test_nothing_in_a_pickle_is_run(tmp_path, monkeypatch, what, protocol):
    content = npy_of_object(HOSTILE[what], protocol)
    path = archive(tmp_path / "h.npz", imgs=npy(np.zeros((1, 2, 2), np.uint8)), text_prompts=content)
    monkeypatch.chdir(tmp_path)
    reason = refusal("npz", path)
    assert "text_prompts" in reason
    if what == "a command":
        assert "posix.system" in reason and not (tmp_path / "ran").exists()


def test_every_cut_of_a_pickle_is_refused(tmp_path):
    content = npy_of_object(PROMPTS, 4)
    for end in range(len(content) - 1, 60, -7):
        path = archive(tmp_path / "c.npz", imgs=npy(np.zeros((1, 2, 2), np.uint8)), text_prompts=content[:end])
        refusal("npz", path)


def damaged_archives():
    whole = io.BytesIO()
    np.savez_compressed(whole, imgs=np.random.default_rng(3).integers(0, 9, (4, 9, 9)).astype(np.uint8))
    whole = whole.getvalue()
    directory = whole.rindex(b"PK\1\2")

    def patched(at, content):
        return whole[:at] + content + whole[at + len(content) :]

    return {
        "empty": b"", "no zip": b"hello" * 20, "cut": whole[:-30], "half": whole[: len(whole) // 2],
        "another checksum": patched(directory + 16, b"\1\2\3\4"), "a larger size": patched(directory + 24, b"\xff\xff"),
        "a smaller size": patched(directory + 24, b"\x80\0"), "encrypted": patched(directory + 8, b"\1\0"),
        "bzip2": patched(directory + 10, b"\x0c\0"), "an entry elsewhere": patched(directory + 42, b"\xf0\xff\xff\x7f"),
        "many entries": patched(len(whole) - 12, b"\xff\x7f"), "damaged data": patched(80, b"\xff" * 20),
    }


@pytest.mark.parametrize("what", damaged_archives())
def test_damaged_archives(tmp_path, what):
    (tmp_path / "d.npz").write_bytes(damaged_archives()[what])
    assert "d.npz" in refusal("npz", tmp_path / "d.npz")


HEADERS = ["", "{", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,}",
           "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
           "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", "{'descr': '<f4', 'fortran_order': 7, 'shape': (2,)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 2), 'x': 1}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999999, 99999999)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, -2)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 3)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 0)}"]


@pytest.mark.parametrize("header", HEADERS)
def test_headers_that_make_no_sense(tmp_path, header):
    content = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + bytes(32)
    assert "imgs" in refusal("npz", archive(tmp_path / "h.npz", imgs=content))


def test_a_missing_array_is_named(tmp_path):
    np.savez(tmp_path / "m.npz", images=np.zeros((2, 2, 2)), other=np.zeros(1))
    assert '"imgs"; it has images, other' in refusal("npz", tmp_path / "m.npz")


def test_four_dimensions(tmp_path):
    np.savez(tmp_path / "c.npz", imgs=np.zeros((2, 4, 4, 3), np.uint8))
    assert "4 dimensions" in refusal("npz", tmp_path / "c.npz")


def test_a_zip64_archive(tmp_path):
    values = np.random.default_rng(4).integers(0, 9, (4, 9, 9)).astype(np.uint8)
    with zipfile.ZipFile(tmp_path / "z.npz", "w", zipfile.ZIP_STORED) as out:
        for i in range(66000):
            out.writestr(str(i), b"")
        out.writestr("imgs.npy", npy(values))
    assert np.array_equal(read("npz", tmp_path / "z.npz")[1], values)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_written_archives(tmp_path, dtype):
    values = np.random.default_rng(5).integers(0, 200, (13, 40, 30)).astype(dtype)
    np.savez(tmp_path / "in.npz", gts=values)
    read("write-npz", tmp_path / "in.npz", "gts", tmp_path / "out.npz", dtype)
    with np.load(tmp_path / "out.npz") as written:
        assert list(written) == ["segs"] and written["segs"].dtype == dtype
        assert np.array_equal(written["segs"], values)
    with zipfile.ZipFile(tmp_path / "out.npz") as archived:
        assert archived.testzip() is None and archived.infolist()[0].compress_type == zipfile.ZIP_DEFLATED
    assert np.array_equal(read("labels", tmp_path / "out.npz", "segs")[1], values)


@pytest.mark.skipif(not VOLUMES.exists(), reason="the shared volumes are not here")
def test_the_challenge(tmp_path):
    paths = sorted(VOLUMES.rglob("*.npz"))
    assert paths
    for path in paths:
        theirs = np.load(path, allow_pickle=True)
        if "imgs" in theirs:
            line, values = read("npz", path)
            assert np.array_equal(values, theirs["imgs"])
            assert np.allclose(line["spacing"], theirs["spacing"])
            assert line["placed"] == ("direction" in theirs)
        if "text_prompts" in theirs:
            prompts = theirs["text_prompts"].item()
            assert line["instances"] == bool(prompts.pop("instance_label"))
            assert line["prompts"] == prompts
        if "gts" in theirs:
            assert np.array_equal(read("labels", path, "gts")[1], theirs["gts"])
