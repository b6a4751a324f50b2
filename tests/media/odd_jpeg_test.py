"""JPEG files in the forms that scanners, cameras and printers write, against Pillow."""

import io
import struct

import numpy as np
import pytest
from decoded import as_array, compare_image, decode_one
from PIL import Image

Y, X = np.mgrid[0:61, 0:83]
GREY = ((X * 3 + Y * 5) % 256).astype("u1")
COLOUR = np.stack([GREY, 255 - GREY, (X * Y % 256).astype("u1")], -1)
SOI, EOI = b"\xff\xd8", b"\xff\xd9"


def jpeg(array=COLOUR, mode=None, **options):
    buffer = io.BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def segment(marker, body):
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def behind_start(data, *segments):
    """The file with these segments right behind its first marker."""
    return data[:2] + b"".join(segments) + data[2:]


def without(data, *markers):
    """The file without the segments of these markers."""
    out, at = data[:2], 2
    while data[at + 1] != 0xDA:
        size = struct.unpack(">H", data[at + 2 : at + 4])[0] + 2
        out += b"" if data[at + 1] in markers else data[at : at + size]
        at += size
    return out + data[at:]


def looked_at(tmp_path, data):
    path = tmp_path / "odd.jpg"
    path.write_bytes(data)
    found, pixels = decode_one(path)
    return path, found, pixels


def agrees(tmp_path, data):
    path, found, pixels = looked_at(tmp_path, data)
    assert compare_image(found, pixels, path) is None
    return found, pixels


ADOBE = 0xEE
LIKE_PILLOW = {
    "restart markers by blocks": lambda: jpeg(restart_marker_blocks=3),
    "restart markers by rows": lambda: jpeg(restart_marker_rows=1),
    "restart markers in scans": lambda: jpeg(progressive=True, restart_marker_rows=1),
    "own Huffman tables": lambda: jpeg(optimize=True),
    "the worst quality": lambda: jpeg(quality=1),
    "the best quality": lambda: jpeg(quality=100, subsampling="4:4:4"),
    "tables of sixteen bits": lambda: jpeg(qtables=[[300] * 64, [999] * 64]),
    "RGB as it is": lambda: jpeg(keep_rgb=True),
    "a comment": lambda: jpeg(comment=b"x" * 65000),
    "no JFIF": lambda: without(jpeg(), 0xE0),
    "grey without JFIF": lambda: without(jpeg(GREY), 0xE0),
    "filling before a marker": lambda: behind_start(jpeg(), b"\xff" * 5 + segment(0xFE, b"c")),
    "bytes behind the end": lambda: jpeg() + b"appended\xff\xd8\xff",
    "another picture behind the end": lambda: jpeg() + jpeg(GREY),
    "CMYK": lambda: jpeg(mode="CMYK"),
    "CMYK without Adobe's mark": lambda: without(jpeg(mode="CMYK"), ADOBE),
    "Adobe's mark, colours": lambda: behind_start(without(jpeg(), 0xE0), segment(ADOBE, b"Adobe\0d\0\0\0\0\1")),
    "Adobe's mark, RGB": lambda: behind_start(without(jpeg(), 0xE0), segment(ADOBE, b"Adobe\0d\0\0\0\0\0")),
    "Adobe's mark, YCCK": lambda: behind_start(
        without(jpeg(mode="CMYK"), ADOBE), segment(ADOBE, b"Adobe\0d\0\0\0\0\2")),
}


@pytest.mark.parametrize("what", LIKE_PILLOW)
def test_the_same_samples_as_pillow(tmp_path, what):
    found, _ = agrees(tmp_path, LIKE_PILLOW[what]())
    assert found["orientation"] == 1


def test_restart_markers_change_nothing(tmp_path):
    _, plain = agrees(tmp_path, jpeg())
    assert agrees(tmp_path, jpeg(restart_marker_blocks=1))[1] == plain


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (7, 9), (8, 8), (17, 16)])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_sides_that_are_no_whole_blocks(tmp_path, size, subsampling):
    found, _ = agrees(tmp_path, jpeg(COLOUR[: size[1], : size[0]], subsampling=subsampling))
    assert (found["width"], found["height"]) == size


def test_a_changed_restart_marker_loses_its_stretch_and_no_more(tmp_path):
    data = bytearray(jpeg(GREY, restart_marker_rows=1))
    marks = [at for at in range(len(data) - 1) if data[at] == 0xFF and 0xD0 <= data[at + 1] <= 0xD7]
    assert len(marks) == 7
    data[marks[3] + 9] ^= 0x55  # inside the fifth row of blocks
    _, found, pixels = looked_at(tmp_path, bytes(data))
    _, _, whole = looked_at(tmp_path, jpeg(GREY))
    ours, undamaged = as_array(found, pixels), np.frombuffer(whole, "u1").reshape(61, 83)
    assert np.array_equal(ours[:32], undamaged[:32]) and np.array_equal(ours[40:], undamaged[40:])
    assert not np.array_equal(ours, undamaged)


def exif(order, entries, at=8):
    """An EXIF block: entries of (tag, type, count, value as bytes), the directory at byte `at`."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", at)
    body = struct.pack(order + "H", len(entries))
    for tag, kind, count, value in entries:
        body += struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\0")
    return b"Exif\0\0" + head.ljust(at, b"\0") + body + bytes(4)


def short(order, value):
    return struct.pack(order + "H", value)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_in_both_byte_orders(tmp_path, order, orientation):
    entries = [(0x010F, 2, 4, b"cam\0"), (0x0112, 3, 1, short(order, orientation)), (0x011A, 4, 1, b"")]
    for at in (8, 200):
        data = behind_start(jpeg(), segment(0xE1, exif(order, entries, at)))
        assert looked_at(tmp_path, data)[1]["orientation"] == orientation


def raw_exif(block):
    return segment(0xE1, b"Exif\0\0" + block)


UPRIGHT = {
    "no such orientation": exif("<", [(0x0112, 3, 1, short("<", 9))]),
    "orientation nought": exif(">", [(0x0112, 3, 1, short(">", 0))]),
    "orientation as text": exif("<", [(0x0112, 2, 1, b"6\0")]),
    "no entry of it": exif("<", [(0x0100, 3, 1, short("<", 6))]),
    "a directory beyond the block": exif("<", [])[:10] + struct.pack("<I", 1 << 31),
    "a directory at the last byte": exif("<", [])[:10] + struct.pack("<I", 13) + b"\x01\x00",
    "65535 entries of nothing": exif("<", [])[:14] + b"\xff\xff" + bytes(100),
    "cut in the entry": exif(">", [(0x0112, 3, 1, short(">", 6))])[:22],
    "only its name": b"Exif\0\0",
    "a cut name": b"Exif",
    "the other byte order's number": exif("<", [(0x0112, 3, 1, short(">", 6))]),
    "XMP, which is no EXIF": b"http://ns.adobe.com/xap/1.0/\0<x/>",
}


@pytest.mark.parametrize("what", UPRIGHT)
def test_a_block_that_says_nothing_sensible_is_upright(tmp_path, what):
    _, found, _ = looked_at(tmp_path, behind_start(jpeg(), segment(0xE1, UPRIGHT[what])))
    assert found.get("orientation") == 1, found


def test_the_first_exif_counts_and_xmp_may_stand_before_it(tmp_path):
    blocks = [segment(0xE1, UPRIGHT["XMP, which is no EXIF"])]
    blocks += [segment(0xE1, exif(order, [(0x0112, 3, 1, short(order, value))])) for order, value in (("<", 6), (">", 3))]
    assert looked_at(tmp_path, behind_start(jpeg(), *blocks))[1]["orientation"] == 6


def frame_header(data):
    """Where the segment that names size and components begins."""
    return next(at for at in range(len(data)) if data[at : at + 2] == b"\xff\xc0")


def changed(data, offset, value):
    at = frame_header(data) + offset
    return data[:at] + bytes([value]) + data[at + 1 :]


BROKEN = {
    "only its start": lambda: SOI + b"\xff",
    "nothing between start and end": lambda: SOI + EOI,
    "twelve bits": lambda: changed(jpeg(), 4, 12),
    "two components": lambda: changed(jpeg(), 9, 2),
    "no rows": lambda: changed(changed(jpeg(), 5, 0), 6, 0),
    "a scan before its frame": lambda: SOI + jpeg()[jpeg().index(b"\xff\xda") :],
    "no Huffman tables of its own": lambda: without(jpeg(progressive=True), 0xC4),
    "no quantisation tables": lambda: without(jpeg(), 0xDB),
    "lossless": lambda: jpeg().replace(b"\xff\xc0", b"\xff\xc3"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_refused_by_name(tmp_path, what):
    path, found, _ = looked_at(tmp_path, BROKEN[what]())
    assert found.get("code") == 4 and str(path) in found["error"], found


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}], ids=str)
def test_every_truncation_is_refused(tmp_path, options):
    whole = jpeg(**options)
    for size in range(3, len(whole), 211):
        _, found, _ = looked_at(tmp_path, whole[:size])
        assert found.get("code") == 4, size
