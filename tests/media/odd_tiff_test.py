"""TIFF files as scanners, microscopes and fax machines write them, against Pillow and tifffile."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from decoded import as_array, compare_image, decode_one
from PIL import Image

Y, X = np.mgrid[0:45, 0:70]
GREY = ((X * 3 + Y * 7) % 256).astype("u1")
COLOUR = np.stack([GREY, 255 - GREY, (X * Y % 256).astype("u1")], -1)


def decoded(path):
    found, pixels = decode_one(path)
    assert "error" not in found, found
    return found, as_array(found, pixels)


@pytest.mark.parametrize("array", [GREY, COLOUR, GREY * np.uint16(257), COLOUR.astype("u2") * 251], ids=["L", "RGB", "I;16", "RGB;16"])
@pytest.mark.parametrize("layout", [{}, {"tile": (16, 32)}, {"byteorder": ">"}, {"rowsperstrip": 1}], ids=str)
def test_differences_are_summed_up_again(tmp_path, array, layout):
    path = tmp_path / "p.tif"
    colours = {"photometric": "rgb"} if array.ndim == 3 else {}
    tifffile.imwrite(path, array, compression="zlib", predictor=True, metadata=None, **colours, **layout)
    found, ours = decoded(path)
    assert np.array_equal(ours, array), found


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt", "packbits", None])
def test_fax_pages(tmp_path, compression):
    path = tmp_path / "fax.tif"
    Image.fromarray(GREY > 99).save(path, **({"compression": compression} if compression else {}))
    found, ours = decoded(path)
    assert found["mode"] == "1"
    assert np.array_equal(ours, np.where(GREY > 99, 255, 0))
    assert compare_image(found, ours.tobytes(), path) is None


def entries(width, height, bits, pixels, **more):
    """The tags of an image in one strip behind the directory; `more` by number, as t262=1."""
    tags = {256: (4, width), 257: (4, height), 258: (3, bits), 259: (3, 1), 262: (3, 1), 277: (3, 1), 278: (4, height),
            279: (4, len(pixels))}
    return tags | {int(name[1:]): value for name, value in more.items()}


def written(path, tags, pixels, order="<", following=0, big=False):
    """A TIFF or BigTIFF with one directory right behind its header and the pixels right behind that."""
    word, count, head = ("Q", "Q", 16) if big else ("I", "H", 8)
    tags = tags | {273: (4, 0)}
    size = struct.calcsize("=" + count) + len(tags) * (4 + 2 * struct.calcsize("=" + word)) + struct.calcsize("=" + word)
    tags[273] = (4, head + size)
    out = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + ("HHHQ" if big else "HI"), *((43, 8, 0, 16) if big else (42, 8)))
    out += struct.pack(order + count, len(tags))
    for tag, (kind, value) in sorted(tags.items()):
        out += struct.pack(order + "HH" + word, tag, kind, 1)
        out += struct.pack(order + {3: "H", 4: "I"}[kind], value).ljust(struct.calcsize("=" + word), b"\0")
    path.write_bytes(out + struct.pack(order + word, following) + pixels)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("white", [0, 1])
def test_grey_of_few_bits(tmp_path, order, big, bits, white):
    """Packed from the highest bit of a byte, rows at whole bytes; photometric 0 has white at nought."""
    values = GREY[:5, :13] & (2**bits - 1)
    packed = np.packbits(np.unpackbits(values[..., None], axis=2)[..., 8 - bits :].reshape(5, -1), axis=1).tobytes()
    written(tmp_path / "b.tif", entries(13, 5, bits, packed, t262=(3, white)), packed, order, big=big)
    found, ours = decoded(tmp_path / "b.tif")
    expected = values.astype(int) * (255 // (2**bits - 1))
    assert np.array_equal(ours, expected if white else 255 - expected)
    if not (big and order == ">"):  # which Pillow does not read
        assert compare_image(found, ours.tobytes(), tmp_path / "b.tif") is None


@pytest.mark.parametrize("order", "<>")
def test_floating_point_differences(tmp_path, order):
    """Predictor 3 of Adobe's TIFF technical note 3: a row's bytes by significance, then their differences."""
    array = (GREY.astype("f4") - 100) / 7
    planes = array.astype(">f4").view("u1").reshape(45, 70, 4).transpose(0, 2, 1).reshape(45, 280)
    pixels = zlib.compress(np.diff(planes, axis=1, prepend=np.uint8(0)).tobytes())
    kinds = {"t259": (3, 8), "t317": (3, 3), "t339": (3, 3)}
    written(tmp_path / "f.tif", entries(70, 45, 32, pixels, **kinds), pixels, order)
    found, ours = decoded(tmp_path / "f.tif")
    assert found["mode"] == "F" and np.array_equal(ours, array)


def test_bits_from_the_lowest(tmp_path):
    packed = np.packbits(GREY[:5, :13] > 99, axis=1)
    turned = np.packbits(np.unpackbits(packed, bitorder="little").reshape(packed.shape + (8,)), axis=2).tobytes()
    written(tmp_path / "r.tif", entries(13, 5, 1, turned, t266=(3, 2)), turned)
    _, ours = decoded(tmp_path / "r.tif")
    assert np.array_equal(ours, np.where(GREY[:5, :13] > 99, 255, 0))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", "<>")
def test_orientation(tmp_path, orientation, order):
    pixels = zlib.compress(GREY[:5, :13].tobytes())  # Pillow garbles what is turned and not compressed
    written(tmp_path / "o.tif", entries(13, 5, 8, pixels, t259=(3, 8), t274=(3, orientation)), pixels, order)
    found, ours = decoded(tmp_path / "o.tif")
    assert found["orientation"] == orientation and np.array_equal(ours, GREY[:5, :13])
    assert compare_image(found, ours.tobytes(), tmp_path / "o.tif") is None  # which turns it


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_orientations_that_are_none(tmp_path, orientation):
    written(tmp_path / "o.tif", entries(13, 5, 8, bytes(65), t274=(3, orientation)), bytes(65))
    assert decoded(tmp_path / "o.tif")[0]["orientation"] == 1


@pytest.mark.parametrize("following", [8, 1 << 31, 9, 200], ids=["itself", "far outside", "in itself", "in the pixels"])
def test_what_follows_the_first_page_does_not_matter(tmp_path, following):
    pixels = GREY[:20, :30].tobytes()
    written(tmp_path / "n.tif", entries(30, 20, 8, pixels), pixels, following=following)
    assert np.array_equal(decoded(tmp_path / "n.tif")[1], GREY[:20, :30])


@pytest.mark.parametrize("bigtiff", [False, True])
def test_the_first_of_several_pages_is_taken(tmp_path, bigtiff):
    path = tmp_path / "pages.tif"
    with tifffile.TiffWriter(path, bigtiff=bigtiff) as writer:
        for page in (GREY, COLOUR, GREY[:9]):
            writer.write(page, metadata=None)
    found, ours = decoded(path)
    assert np.array_equal(ours, GREY)
    assert compare_image(found, ours.tobytes(), path) is None


def test_a_pyramid_gives_its_largest_level(tmp_path):
    path = tmp_path / "pyramid.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(COLOUR, subifds=2, tile=(16, 16), photometric="rgb", metadata=None)
        for step in (2, 4):
            writer.write(COLOUR[::step, ::step], subfiletype=1, tile=(16, 16), photometric="rgb", metadata=None)
    assert np.array_equal(decoded(path)[1], COLOUR)


@pytest.mark.parametrize("quality", [20, 95])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_jpeg_inside(tmp_path, mode, quality):
    path = tmp_path / "j.tif"
    Image.fromarray(COLOUR).convert(mode).save(path, compression="jpeg", quality=quality)
    found, ours = decoded(path)
    assert compare_image(found, ours.tobytes(), path) is None


BROKEN = {
    "a strip longer than the file": lambda: (entries(13, 5, 8, bytes(65), t279=(4, 1 << 30), t257=(4, 4000)), bytes(65)),
    "no width": lambda: ({k: v for k, v in entries(13, 5, 8, bytes(65)).items() if k != 256}, bytes(65)),
    "no bits": lambda: (entries(13, 5, 0, bytes(65)), bytes(65)),
    "five bits": lambda: (entries(13, 5, 5, bytes(65)), bytes(65)),
    "a compression of nobody": lambda: (entries(13, 5, 8, bytes(65), t259=(3, 65000)), bytes(65)),
    "deflate that is none": lambda: (entries(13, 5, 8, bytes(65), t259=(3, 8)), bytes(65)),
    "LZW that is none": lambda: (entries(13, 5, 8, b"\xff" * 65, t259=(3, 5)), b"\xff" * 65),
    "PackBits cut short": lambda: (entries(13, 5, 8, b"\x81a", t259=(3, 32773)), b"\x7fa"),
    "tiles of nothing": lambda: (entries(13, 5, 8, bytes(65), t322=(4, 0), t323=(4, 0)), bytes(65)),
    "a palette without colours": lambda: (entries(13, 5, 4, bytes(65), t262=(3, 3)), bytes(65)),
    "a mask": lambda: (entries(13, 5, 1, bytes(10), t262=(3, 4)), bytes(10)),
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("big", [False, True])
def test_what_is_broken_is_refused_by_name(tmp_path, what, big):
    path = tmp_path / "broken.tif"
    tags, pixels = BROKEN[what]()
    written(path, tags, pixels, big=big)
    found, _ = decode_one(path)
    assert found.get("code") == 4 and str(path) in found["error"], found
