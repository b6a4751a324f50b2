"""PNG files as cameras, editors and broken disks leave them, against Pillow."""

import struct
import zlib

import numpy as np
import pytest
from decoded import compare_image, decode_one
from raw_png import SIGNATURE, chunk, header, png_rows

GREY = np.arange(30 * 40).reshape(30, 40).astype("u1")
COLOUR = np.stack([GREY, GREY.T.reshape(30, 40), 255 - GREY], -1)
END = chunk(b"IEND", b"")


def exif(orientation, order="<"):
    """A TIFF block that says how the camera was held, and nothing else."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order]
    return head + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def grey(*behind_header, pixels=None, end=END, depth=8):
    """A grey PNG of 40 x 30: `pixels` are the chunks that hold its rows."""
    rows = zlib.compress(png_rows(GREY[..., None], 8))
    return SIGNATURE + header(40, 30, depth, 0) + b"".join(behind_header) + (pixels or chunk(b"IDAT", rows)) + end


def looked_at(tmp_path, data):
    path = tmp_path / "odd.png"
    path.write_bytes(data)
    found, pixels = decode_one(path)
    return path, found, pixels


def in_pieces(sizes):
    """The rows in IDAT chunks of these sizes, the rest in the last."""
    rows, chunks = zlib.compress(png_rows(GREY[..., None], 8)), b""
    for size in [*sizes, len(rows)]:
        chunks += chunk(b"IDAT", rows[:size])
        rows = rows[size:]
    return chunks


SAME = {
    "gamma": lambda: grey(chunk(b"gAMA", struct.pack(">I", 100000))),
    "linear light": lambda: grey(chunk(b"gAMA", struct.pack(">I", 22000)), chunk(b"sRGB", b"\0")),
    "significant bits": lambda: grey(chunk(b"sBIT", b"\3")),
    "a background": lambda: grey(chunk(b"bKGD", b"\0\x80")),
    "a time": lambda: grey(chunk(b"tIME", bytes([7, 230, 1, 1, 0, 0, 0]))),
    "text of a megabyte": lambda: grey(chunk(b"tEXt", b"Comment\0" + b"x" * (1 << 20))),
    "a chunk of nobody": lambda: grey(chunk(b"prVt", b"private")),
    "a second header's worth of profile": lambda: grey(chunk(b"iCCP", b"n\0\0" + zlib.compress(b"no profile"))),
    "pixels in pieces": lambda: grey(pixels=in_pieces([1, 0, 2, 0, 5])),
    "a byte a piece": lambda: grey(pixels=in_pieces([1] * 40)),
    "bytes behind the end": lambda: grey(end=END + b"appended by a careless gateway"),
    "another picture behind the end": lambda: grey(end=END + grey()),
    "text behind the pixels": lambda: grey(end=chunk(b"tEXt", b"a\0b") + END),
}


@pytest.mark.parametrize("what", SAME)
def test_what_stands_around_the_pixels_changes_none(tmp_path, what):
    path, found, pixels = looked_at(tmp_path, SAME[what]())
    assert found.get("mode") == "L", found
    assert pixels == GREY.tobytes()
    assert compare_image(found, pixels, path) is None


def test_text_that_would_explode_is_not_inflated(tmp_path):
    """Pillow refuses such a file; its pixels are as good as any."""
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1 << 26)))
    _, found, pixels = looked_at(tmp_path, grey(bomb, bomb))
    assert found.get("mode") == "L" and pixels == GREY.tobytes()


@pytest.mark.parametrize("behind", [
    b"", b"\0", chunk(b"tEXt", b"a\0b")[:-2], struct.pack(">I", 1 << 30) + b"eXIf", chunk(b"eXIf", b"")[:-1] + b"?",
    chunk(b"IHDR", b""), b"\xff" * 40,
], ids=["nothing", "a byte", "cut text", "a length that lies", "a wrong sum", "a header", "noise"])
def test_damage_behind_the_pixels_takes_none(tmp_path, behind):
    _, found, pixels = looked_at(tmp_path, grey(end=behind))
    assert found.get("mode") == "L", found
    assert pixels == GREY.tobytes() and found["orientation"] == 1


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("behind", [False, True])
def test_exif_counts_before_and_behind_the_pixels(tmp_path, orientation, order, behind):
    block = chunk(b"eXIf", exif(orientation, order))
    data = grey(end=block + END) if behind else grey(block)
    _, found, pixels = looked_at(tmp_path, data)
    assert found["orientation"] == orientation
    assert pixels == GREY.tobytes()


FILTERS = range(5)


def filtered(kind, array):
    """Rows behind their filter byte, as the standard's four formulas make them (RFC 2083, section 6)."""
    out, step = b"", array.shape[2]
    above = np.zeros(array[0].size, int)
    for row in array.reshape(len(array), -1).astype(int):
        left, corner = (np.concatenate([np.zeros(step, int), line[:-step]]) for line in (row, above))
        guess = left + above - corner
        far = np.abs(guess - np.stack([left, above, corner]))
        paeth = np.stack([left, above, corner])[far.argmin(0), np.arange(row.size)]
        minus = [np.zeros_like(row), left, above, (left + above) // 2, paeth][kind]
        out += bytes([kind]) + ((row - minus) % 256).astype("u1").tobytes()
        above = row
    return out


@pytest.mark.parametrize("kind", FILTERS)
def test_every_filter_is_undone(tmp_path, kind):
    rows = filtered(kind, COLOUR)
    data = SIGNATURE + header(40, 30, 8, 2) + chunk(b"IDAT", zlib.compress(rows)) + END
    path, found, pixels = looked_at(tmp_path, data)
    assert pixels == COLOUR.tobytes()
    assert compare_image(found, pixels, path) is None


def test_a_colour_that_means_transparent_stays_a_colour(tmp_path):
    """As Pillow has it: tRNS of grey and colour is a remark beside the pixels."""
    rows = zlib.compress(png_rows(COLOUR, 8))
    for transparent in (COLOUR[0, 0], [1, 2, 3]):
        note = chunk(b"tRNS", struct.pack(">HHH", *map(int, transparent)))
        data = SIGNATURE + header(40, 30, 8, 2) + note + chunk(b"IDAT", rows) + END
        path, found, pixels = looked_at(tmp_path, data)
        assert found["mode"] == "RGB" and pixels == COLOUR.tobytes()
        assert compare_image(found, pixels, path) is None


@pytest.mark.parametrize("colors, alphas", [(1, 0), (2, 1), (16, 16), (256, 256), (3, 0)])
def test_palettes_shorter_than_their_depth(tmp_path, colors, alphas):
    indices = (GREY.astype(int) % colors).astype("u1")[..., None]
    palette = np.random.default_rng(colors).integers(0, 256, (colors, 3), np.uint8)
    parts = chunk(b"PLTE", palette.tobytes()) + (chunk(b"tRNS", bytes(range(alphas))) if alphas else b"")
    data = SIGNATURE + header(40, 30, 8, 3) + parts + chunk(b"IDAT", zlib.compress(png_rows(indices, 8))) + END
    path, found, pixels = looked_at(tmp_path, data)
    assert compare_image(found, pixels, path) is None
    assert found["palette"] == palette.ravel().tolist() + [0] * (768 - palette.size)  # the rest is black
    assert found["palette_alpha"] == list(range(alphas))


ROWS = png_rows(GREY[..., None], 8)
BROKEN = {
    "no pixels at all": lambda: SIGNATURE + header(40, 30, 8, 0) + END,
    "rows that end early": lambda: grey(pixels=chunk(b"IDAT", zlib.compress(ROWS[:-1]))),
    "a stream cut short": lambda: grey(pixels=chunk(b"IDAT", zlib.compress(ROWS)[:-60])),
    "a stream that is none": lambda: grey(pixels=chunk(b"IDAT", b"not deflated")),
    "a wrong sum over the pixels": lambda: grey(pixels=chunk(b"IDAT", zlib.compress(ROWS))[:-1] + b"?"),
    "pixels before a palette": lambda: SIGNATURE + header(40, 30, 8, 3) + chunk(b"IDAT", zlib.compress(ROWS)) + END,
    "an unknown filter": lambda: grey(pixels=chunk(b"IDAT", zlib.compress(b"\5" + ROWS[1:]))),
    "no header": lambda: SIGNATURE + chunk(b"IDAT", zlib.compress(ROWS)) + END,
    "three bits": lambda: grey(depth=3),
    "a critical chunk of nobody": lambda: grey(chunk(b"PRVT", b"")),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_refused_by_name(tmp_path, what):
    path, found, _ = looked_at(tmp_path, BROKEN[what]())
    assert found.get("code") == 4 and str(path) in found["error"], found


def test_every_truncation_before_the_last_pixel_is_refused(tmp_path):
    whole = grey(chunk(b"gAMA", struct.pack(">I", 45455)))
    for size in range(8, len(whole) - len(END) - 4, 7):
        _, found, _ = looked_at(tmp_path, whole[:size])
        assert found.get("code") == 4, size
