"""One picture under many DICOM headers: some change nothing, some the picture, and those that lie are refused."""

import io

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian,
                         ImplicitVRLittleEndian, JPEG2000Lossless, RLELossless, SecondaryCaptureImageStorage)

from cli.program import model, run  # noqa: F401

ROWS, COLUMNS = 64, 88
GREY = np.random.default_rng(8).integers(0, 1200, (ROWS // 2, COLUMNS // 2)).astype("u2").repeat(2, 0).repeat(2, 1)
INDICES = (GREY // 100).astype("u1")
TABLES = np.random.default_rng(9).integers(0, 256, (3, 12)).astype("u2")
COLOUR = TABLES[:, INDICES].transpose(1, 2, 0).astype("u1")


def dataset(array, photometric="MONOCHROME2", syntax=ExplicitVRLittleEndian):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3.4"
    data.PhotometricInterpretation = photometric
    data.Rows, data.Columns = ROWS, COLUMNS
    data.SamplesPerPixel = 3 if array.ndim == 3 else 1
    if array.ndim == 3:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = 8 * array.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, 0
    data.PixelData = array.tobytes()
    data["PixelData"].VR = "OB" if array.itemsize == 1 else "OW"
    return data


def grey(**elements):
    data = dataset(GREY)
    data.WindowCenter, data.WindowWidth = 500, 900
    for name, value in elements.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    return data


def written(data, **options):
    buffer = io.BytesIO()
    data.save_as(buffer, **(options or {"enforce_file_format": True}))
    return buffer.getvalue()


def in_syntax(syntax):
    data = grey()
    data.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        data.PixelData = GREY.byteswap().tobytes()
    return written(data)


def compressed(syntax):
    data = grey()
    data.compress(syntax, generate_instance_uid=False)
    return written(data)


def bare():
    """As old machines wrote it: neither preamble nor meta header."""
    data = grey()
    del data.file_meta
    return written(data, implicit_vr=True, little_endian=True, enforce_file_format=False)


def with_overlay():
    """Planes of graphics are the viewer's to show; the model sees the pixels alone."""
    data = grey()
    data.add_new(0x60000010, "US", ROWS)
    data.add_new(0x60000011, "US", COLUMNS)
    data.add_new(0x60000040, "CS", "G")
    data.add_new(0x60000050, "SS", [1, 1])
    data.add_new(0x60000100, "US", 1)
    data.add_new(0x60000102, "US", 0)
    data.add_new(0x60003000, "OW", b"\xff" * (ROWS * COLUMNS // 8))
    return written(data)


def with_icon():
    """A thumbnail has pixels of its own, before the image's."""
    icon = Dataset()
    icon.Rows = icon.Columns = 4
    icon.SamplesPerPixel, icon.PhotometricInterpretation = 1, "MONOCHROME2"
    icon.BitsAllocated, icon.BitsStored, icon.HighBit, icon.PixelRepresentation = 8, 8, 7, 0
    icon.PixelData = bytes(range(16))
    icon["PixelData"].VR = "OB"
    return written(grey(IconImageSequence=[icon]))


def with_private():
    data = grey()
    block = data.private_block(0x0029, "SOMEBODY 1.0", create=True)
    block.add_new(0x10, "OB", b"\xfe\xff\x00\xe0" * 50)  # looks like an item, and is none
    block.add_new(0x11, "LO", "text")
    return written(data)


def frame_window():
    """The frame's own window goes before the one of the whole object."""
    window, group = Dataset(), Dataset()
    window.WindowCenter, window.WindowWidth = 500, 900
    group.FrameVOILUTSequence = [window]
    return written(grey(WindowCenter=10, WindowWidth=20, NumberOfFrames=1, PerFrameFunctionalGroupsSequence=[group]))


def padded():
    data = grey()
    data.add_new(0xFFFCFFFC, "OB", b"\0" * 64)
    return written(data)


SAME = {
    "implicit": lambda: in_syntax(ImplicitVRLittleEndian),
    "big endian": lambda: in_syntax(ExplicitVRBigEndian),
    "deflated": lambda: in_syntax(DeflatedExplicitVRLittleEndian),
    "run lengths": lambda: compressed(RLELossless),
    "JPEG 2000": lambda: compressed(JPEG2000Lossless),
    "no meta header": bare,
    "overlay": with_overlay,
    "icon": with_icon,
    "private": with_private,
    "window of the frame": frame_window,
    "padding behind": padded,
    "12 bits stored": lambda: written(grey(BitsStored=12, HighBit=11)),
    "signed": lambda: written(grey(PixelRepresentation=1)),
    "several windows": lambda: written(grey(WindowCenter=[500, 40], WindowWidth=[900, 80])),
    "rescale that changes nothing": lambda: written(grey(RescaleSlope=1, RescaleIntercept=0)),
    "rescale with its window": lambda: written(grey(RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=-524)),
    "one frame": lambda: written(grey(NumberOfFrames=1)),
    "pixels behind the last": lambda: written(grey(PixelData=GREY.tobytes() + b"\1" * 10)),
    "names and dates": lambda: written(grey(PatientName="A^B", StudyDate="20260230", PatientAge="old")),
}


def palette(**elements):
    data = dataset(INDICES, "PALETTE COLOR")
    for name, table in zip(("Red", "Green", "Blue"), TABLES):
        setattr(data, f"{name}PaletteColorLookupTableDescriptor", [12, 0, 16])
        setattr(data, f"{name}PaletteColorLookupTableData", (table * 257).astype("u2").tobytes())
    for name, value in elements.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    return written(data)


def planar():
    data = dataset(COLOUR, "RGB")
    data.PlanarConfiguration = 1
    data.PixelData = COLOUR.transpose(2, 0, 1).tobytes()
    return written(data)


SAME_COLOURS = {"planes": planar, "palette": palette}

OTHER = {
    "another window": lambda: written(grey(WindowCenter=200)),
    "no window": lambda: written(grey(WindowCenter=None, WindowWidth=None)),
    "turned over": lambda: written(grey(PhotometricInterpretation="MONOCHROME1")),
    "rescale without its window": lambda: written(grey(RescaleSlope=1, RescaleIntercept=-300)),
}


def says_run_lengths():
    return written(grey()).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0", 1)


def floats():
    data = grey(PixelData=None, BitsAllocated=32, BitsStored=None, HighBit=None)
    data.FloatPixelData = GREY.astype("f4").tobytes()
    return written(data)


REFUSED = {
    "unknown colours": (lambda: written(grey(PhotometricInterpretation="HSV")), 'interpretation "HSV"'),
    "three of one": (lambda: written(grey(PhotometricInterpretation="RGB")), 'interpretation "RGB"'),
    "palette without tables": (lambda: palette(GreenPaletteColorLookupTableData=None), "palette image without"),
    "no rows": (lambda: written(grey(Rows=None)), "make no image"),
    "no columns": (lambda: written(grey(Columns=None)), "make no image"),
    "more stored than allocated": (lambda: written(grey(BitsStored=17)), "17 stored"),
    "two samples": (lambda: written(grey(SamplesPerPixel=2)), "2 sample(s)"),
    "odd depth": (lambda: written(grey(BitsAllocated=24)), "of 24 bits"),
    "no pixels": (lambda: written(grey(PixelData=None)), "without pixels"),
    "too few pixels": (lambda: written(grey(Rows=2 * ROWS)), f"of {COLUMNS} x {2 * ROWS} pixels need"),
    "too few frames": (lambda: written(grey(NumberOfFrames=3)), "3 frame(s)"),
    "not compressed": (says_run_lengths, "compressed, and they are not"),
    "floats": (floats, "floating-point pixel data"),
}


@pytest.fixture(scope="module")
def answers(model, tmp_path_factory):  # noqa: F811
    """Everything above in one run: vectors by name, and what was said."""
    folder = tmp_path_factory.mktemp("headers")
    makers = {"grey": lambda: written(grey()), "colour": lambda: written(dataset(COLOUR, "RGB"))}
    makers |= SAME | SAME_COLOURS | OTHER | {name: make for name, (make, _) in REFUSED.items()}
    for name, make in makers.items():
        (folder / f"{name}.dcm").write_bytes(make())
    files = [folder / f"{name}.dcm" for name in makers]
    result = run("embed", *files, "--model", model, "--recipe", "vesalius", "--json")
    assert result.code == 3, result.err
    vectors = {line["input"]: np.array(line["features"]) for line in result.lines}
    return {name: vectors.get(str(folder / f"{name}.dcm")) for name in makers}, result.err


@pytest.mark.parametrize("name", [*SAME, *SAME_COLOURS])
def test_the_same_picture_gives_the_same_vector(answers, name):
    vectors, said = answers
    assert vectors[name] is not None, said
    wanted = vectors["grey" if name in SAME else "colour"]
    assert np.abs(vectors[name] - wanted).max() < 1e-5


@pytest.mark.parametrize("name", OTHER)
def test_what_is_seen_decides_the_vector(answers, name):
    vectors, said = answers
    assert vectors[name] is not None, said
    assert np.abs(vectors[name] - vectors["grey"]).max() > 1e-4


@pytest.mark.parametrize("name", REFUSED)
def test_a_header_that_lies_is_refused_with_its_reason(answers, name):
    vectors, said = answers
    assert vectors[name] is None
    about = [line for line in said.splitlines() if f"{name}.dcm" in line]
    assert len(about) == 1 and REFUSED[name][1] in about[0], about
