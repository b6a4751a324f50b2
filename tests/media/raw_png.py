"""PNG files of every kind, also those that Pillow does not write."""

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def header(width, height, depth, color_type, interlaced=False):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced)))


def png_rows(array, depth):
    """Rows of one pass, each behind its filter byte; narrow samples packed, the first in the highest bits."""
    if depth == 16:
        return b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    bits = np.unpackbits(array.reshape(len(array), -1, 1), axis=2)[..., 8 - depth :]
    return b"".join(b"\0" + np.packbits(row.ravel()).tobytes() for row in bits)


def raw_png(path, array, color_type, depth, interlaced=False, chunks=()):
    """[height, width, channels], with `chunks` before the pixels."""
    passes = [array[y::dy, x::dx] for y, x, dy, dx in ADAM7] if interlaced else [array]
    rows = b"".join(png_rows(part, depth) for part in passes if part.size)
    parts = [*chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    head = SIGNATURE + header(array.shape[1], array.shape[0], depth, color_type, interlaced)
    path.write_bytes(head + b"".join(chunk(*part) for part in parts))
