"""Writes a few small inputs for each fuzz target: seeds.py FOLDER makes FOLDER/TARGET/NAME."""

import argparse
import gzip
import io
import json
import pathlib
import pickle
import sys
import zipfile

import nibabel
import numpy as np
import pydicom
import torch
from PIL import Image
from safetensors.numpy import save as save_arrays

sys.path.append(str(pathlib.Path(__file__).parent.parent / "tests"))
from text.hard_strings import HARD, PHRASES  # noqa: E402


def picture(mode, size=(19, 11)):
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    array = np.stack([(x * 13 + y * 7) % 256, (x * y) % 256, (x + y) * 9 % 256], -1).astype(np.uint8)
    if mode == "I;16":
        return Image.fromarray(array[..., 0].astype(np.uint16) * 201)
    image = Image.fromarray(array)
    return image.quantize(30) if mode == "P" else image.convert(mode)


def saved(mode, kind, **options):
    out = io.BytesIO()
    picture(mode).save(out, kind, **options)
    return out.getvalue()


def png_seeds():
    return {mode.replace(";", ""): saved(mode, "png") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")}


def jpeg_seeds():
    seeds = {mode: saved(mode, "jpeg") for mode in ("L", "RGB", "CMYK")}
    seeds["progressive"] = saved("RGB", "jpeg", progressive=True)
    seeds["half"] = saved("RGB", "jpeg", subsampling="4:2:0", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0")
    return seeds


def tiff_seeds():
    seeds = {mode.replace(";", ""): saved(mode, "tiff") for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16")}
    for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        seeds[name] = saved("RGB", "tiff", compression=name)
    seeds["group4"] = saved("1", "tiff", compression="group4")
    return seeds


def dicom_seeds():
    """The smallest of pydicom's own files, which hold every transfer syntax."""
    folder = pathlib.Path(pydicom.__file__).parent / "data" / "test_files"
    files = [path for path in sorted(folder.rglob("*.dcm")) if path.stat().st_size < 12_000]
    return {path.name: path.read_bytes() for path in files}


def item(**attributes):
    out = pydicom.Dataset()
    for name, value in attributes.items():
        setattr(out, name, value)
    return out


def dicom_bytes(dataset, syntax=pydicom.uid.ExplicitVRLittleEndian):
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "1.2.3"
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def code(value, meaning):
    return [item(CodeValue=value, CodingSchemeDesignator="SCT", CodeMeaning=meaning)]


def segmentation(kind, placed=True):
    """Two segments in three frames of 4 x 5 pixels."""
    label_map = kind == "LABELMAP"
    bits = 1 if kind == "BINARY" else 8
    ds = item(SOPClassUID="1.2.840.10008.5.1.4.1.1.66.7" if label_map else "1.2.840.10008.5.1.4.1.1.66.4",
              SpecificCharacterSet="ISO_IR 100", SegmentationType=kind, Rows=5, Columns=4, NumberOfFrames=3,
              SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2", BitsAllocated=bits, BitsStored=bits,
              HighBit=bits - 1, PixelRepresentation=0, MaximumFractionalValue=200)
    ds.SegmentSequence = [
        item(SegmentNumber=n, SegmentLabel="m\u00fcde", RecommendedDisplayCIELabValue=[4000, 3000, 2000],
             SegmentedPropertyCategoryCodeSequence=code("85756007", "Tissue"),
             SegmentedPropertyTypeCodeSequence=code("10200004", "Liver")) for n in (1, 2)]
    if placed:
        ds.SharedFunctionalGroupsSequence = [item(
            PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            PixelMeasuresSequence=[item(PixelSpacing=[1, 2], SpacingBetweenSlices=3)])]
    frames = []
    for f, (segment, slice_) in enumerate([(1, 0), (1, 2), (2, 0)]):
        source = item(ReferencedSOPInstanceUID="1.2", ReferencedFrameNumber=f + 1)
        frame = item(DerivationImageSequence=[item(SourceImageSequence=[source])])
        if placed:
            frame.PlanePositionSequence = [item(ImagePositionPatient=[5, 6, 3 * slice_])]
        if not label_map:
            frame.SegmentIdentificationSequence = [item(ReferencedSegmentNumber=segment)]
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = frames
    ds.PixelData = bytes([0, 1, 2, 0] * 15) if bits == 8 else bytes([0x5A] * 8)
    ds["PixelData"].VR = "OB"
    return dicom_bytes(ds)


def dicom_seg_seeds():
    seeds = {kind.lower(): segmentation(kind) for kind in ("BINARY", "FRACTIONAL", "LABELMAP")}
    # The type of the segmentation as a number that claims to be a gigabyte long.
    claims = seeds["labelmap"].replace(b"\x62\x00\x01\x00CS\x08\x00", b"\x62\x00\x01\x00UVCS\x08\x00")
    assert claims != seeds["labelmap"]
    return seeds | {"unplaced": segmentation("BINARY", placed=False), "claims": claims}


def rtstruct_seeds():
    square = [[2, 2], [9.5, 2], [9.5, 9.5], [2, 9.5]]
    contours = [item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=4,
                     ContourImageSequence=[item(ReferencedSOPInstanceUID="1.2")],
                     ContourData=[v for x, y in square for v in (x, y, z)]) for z in (0, 2, 2.5)]
    ds = item(SOPClassUID="1.2.840.10008.5.1.4.1.1.481.3", StructureSetLabel="A", SpecificCharacterSet="ISO_IR 192",
              StructureSetROISequence=[item(ROINumber=n, ROIName="liver", ReferencedFrameOfReferenceUID="1")
                                       for n in (1, 2)],
              ROIContourSequence=[item(ReferencedROINumber=1, ROIDisplayColor=[1, 2, 3], ContourSequence=contours),
                                  item(ReferencedROINumber=2)])
    implicit = pydicom.uid.ImplicitVRLittleEndian
    return {"explicit": dicom_bytes(ds), "implicit": dicom_bytes(ds, implicit)}


def nifti_seeds():
    seeds = {}
    for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        for dtype in ("u1", "i2", ">f4", "f8"):
            image = kind(np.arange(60).reshape(3, 4, 5).astype(dtype), np.diag([-2.0, 1, 3, 1]), dtype=np.dtype(dtype))
            image.header.set_slope_inter(2, -1)
            seeds[f"{kind.__name__}-{dtype.strip('>')}"] = image.to_bytes()
    series = nibabel.Nifti1Image(np.zeros((2, 2, 2, 3), np.uint8), np.eye(4))
    series.set_sform(None, 0)
    seeds["qform"] = series.to_bytes()
    return seeds | {f"{name}.gz": gzip.compress(seed) for name, seed in list(seeds.items())[:3]}


def npz_seeds():
    values = np.arange(60).reshape(3, 4, 5)
    prompts = np.array({"1": "liver", "2": "left kidney", "instance_label": np.int64(1)}, dtype=object)
    seeds = {"pickle": pickle.dumps(prompts, 4), "pickle3": pickle.dumps(prompts, 3)}
    for name, array in {"u1": values.astype("u1"), "f8": values.astype(">f8"), "fortran": np.asfortranarray(values),
                        "negative half": -values.astype("f2")}.items():
        out = io.BytesIO()
        np.save(out, array)
        seeds[name] = out.getvalue()
    for name, save_archive in {"stored": np.savez, "deflated": np.savez_compressed}.items():
        out = io.BytesIO()
        save_archive(out, imgs=values.astype("u1"), gts=values.astype("f4"), spacing=np.ones(3), origin=np.zeros(3),
                     direction=np.eye(3).ravel(), text_prompts=prompts)
        seeds[name] = out.getvalue()
    return seeds


def prepare_seeds():
    """A byte that chooses the recipe, then a picture of each kind."""
    pictures = {"png": saved("RGB", "png"), "gray16": saved("I;16", "png"), "jpeg": saved("L", "jpeg"),
                "tiff": saved("RGB", "tiff")}
    pictures |= dict(sorted(dicom_seeds().items(), key=lambda item: len(item[1]))[:12])
    return {f"{recipe}-{name}": bytes([recipe]) + content for recipe in range(4) for name, content in pictures.items()}


def parameters_seeds():
    parameters = {
        "none": {}, "window": {"window": [40, 400], "percentiles": [1, 99.5]}, "preset": {"window": "lung"},
        "toolkit": {"percentiles": [0.01, 0.99], "then": "community", "pillow": 12},
        "azure": {"image_standardization_image_size": 512, "image_standardization_jpeg_compression_ratio": 75},
    }
    return {name: json.dumps(content).encode() for name, content in parameters.items()}


def tokenizer_seeds():
    """The texts of the tests that are hard to clean or to cut."""
    seeds = {f"{kind}-{i}".replace(" ", "-"): text for kind, texts in HARD.items() for i, text in enumerate(texts)}
    seeds |= {f"phrase-{i}": text for i, text in enumerate(PHRASES)}
    bytes_of = {name: text.encode("utf-8", "surrogatepass") for name, text in seeds.items()}
    return bytes_of | {"not-utf8": b"a\xc3(\xf0\x9f\x98", "over-long": b"\xc0\xaf\xe0\x80\xaf"}


def tokenizer_file_seeds():
    """vocab.json and merges.txt with a NUL between: all bytes, two merges, as CLIP writes them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    merges = ["a b</w>", "e r"]
    tokens = letters + [letter + "</w>" for letter in letters] + [merge.replace(" ", "") for merge in merges]
    vocabulary = {token: i for i, token in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}
    lines = "\n".join(["#version: 0.2", *merges]) + "\n"
    return {"whole": f"{json.dumps(vocabulary, ensure_ascii=False)}\0{lines}".encode(),
            "small": b'{"a": 0, "b</w>": 1}\0#version: 0.2\na b</w>\n', "cut": b'{"a": 0}\0#version\na'}


def tokenizer_json_seeds():
    """A tokenizer.json of each way with spaces, and behind a NUL a text."""
    added = [{"id": 0, "content": "<unk>", "special": True}, {"id": 7, "content": "<obj>", "normalized": False, "lstrip": True},
             {"id": 8, "content": "AB", "normalized": True, "single_word": True, "rstrip": True}]  # fmt: skip
    model = {"type": "BPE", "unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True, "merges": ["a b", ["\u2581", "ab"]],
             "vocab": {"<unk>": 0, "\u2581": 1, "a": 2, "b": 3, "ab": 4, "\u2581ab": 5, "<0xC3>": 6}}  # fmt: skip
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True}
    split = {"type": "Split", "pattern": {"Regex": "\\s+(?!\\S)|\\p{L}+|[0-9]{1,3}"}, "behavior": "MergedWithNext", "invert": False}
    template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "s"}}, {"Sequence": {"id": "A"}}],
                "special_tokens": {"s": {"ids": [0]}}}  # fmt: skip
    back = dict(space, pattern={"String": "\u2581"}, content=" ")
    byte_level = {"type": "ByteLevel", "add_prefix_space": True}
    kinds = {
        "legacy": {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"}, space]},
                   "decoder": {"type": "Sequence", "decoders": [back, {"type": "ByteFallback"}, {"type": "Fuse"},
                                                                {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}},
        "metaspace": {"pre_tokenizer": metaspace, "decoder": metaspace},
        "bytes": {"normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
                  "decoder": byte_level},
        "cleaning": {"normalizer": {"type": "Sequence", "normalizers": [{"type": kind} for kind in ("NFKC", "Lowercase", "Strip")]},
                     "pre_tokenizer": {"type": "Digits", "individual_digits": True}},
    }  # fmt: skip
    parts = {"post_processor": template, "added_tokens": added, "model": model}
    text = "ab <obj> AB\u00e9 12  a"
    return {name: f"{json.dumps(kind | parts)}\0{text}".encode() for name, kind in kinds.items()}


def grounded_seeds():
    box = "<box><x1><y20><x30><y99></box>"
    return {name: text.encode() for name, text in {
        "whole": f"<obj>A nodule.{box}{box}</obj><obj>No effusion.</obj>", "cut": f"<obj>A.</obj> <obj>B{box}<box><x1>",
        "stray": f"No change. <obj>A</box></obj>. {box}<obj>B<box><x1> <y2><x300></obj></obj>", "plain": " Clear lungs.\u00a0",
    }.items()}  # fmt: skip


def manifest_seeds():
    return {
        "csv": b"\xef\xbb\xbfpath,label\r\na.png,\"effusion, left\"\r\nb.png,\"says \"\"no\"\"\"\n",
        "lines": b'{"path": "a.png", "label": "CT"}\n\n{"path": "b.png"}\n',
        "labels": b"# modality | a {} image\nx-ray\nCT\n# finding | when modality = x-ray\nno finding\n\\#1\n",
    }


def index_seeds():
    segment = {"vectors": "vectors-000001.f32", "entries": "entries-000001.jsonl", "count": 2,
               "vectors_sha256": "00", "entries_sha256": "11"}
    header = {"format": "vesalius-index", "version": 1, "dimension": 4, "count": 2, "model": "m",
              "weights_sha256": "22", "recipe": "vesalius@1", "recipe_parameters": {"a": 1},
              "precision": "fp32", "device": "cpu", "segments": [segment]}
    empty = dict(header, count=0, segments=[])
    return {"one": json.dumps(header).encode(), "empty": json.dumps(empty).encode()}


def safetensors_seeds():
    arrays = {"a.weight": np.ones((2, 3), np.float32), "b": np.arange(4, dtype=np.int64), "c": np.ones((), np.float16)}
    seeds = {"plain": save_arrays(arrays), "metadata": save_arrays(arrays, {"format": "pt"}), "empty": save_arrays({})}
    seeds["overlap"] = seeds["plain"].replace(b'"data_offsets":[0,32]', b'"data_offsets":[8,40]')
    seeds["huge"] = seeds["plain"].replace(b"[2,3]", b"[99999999999,99999999999]")
    return seeds


def torch_seeds():
    """A byte that chooses, then a whole file or its pickle alone; all storages have the name 0 or 1."""
    base = torch.arange(60.).reshape(3, 4, 5)
    model = torch.nn.Linear(5, 5)
    contents = {
        "flat": {"a": base, "b": base.transpose(0, 2), "c": torch.nn.Parameter(base[1])},
        "model": model.state_dict(), "bool": {"a": torch.ones(3, dtype=torch.bool), "b": base[:0]},
        "nested": {"state_dict": model.state_dict(), "args": argparse.Namespace(a=1.5, b={2, 3}, c=[None, 2**70, b"x"])},
        "half": {"a": base.half(), "b": base[:, :1].expand(3, 4, 5)}, "scalar": {"a": torch.tensor(7)},
    }
    seeds = {}
    for name, content in contents.items():
        for protocol in (2, 4):
            out = io.BytesIO()
            torch.save(content, out, pickle_protocol=protocol)
            seeds[f"{name}-{protocol}"] = b"\0" + out.getvalue()
            seeds[f"{name}-{protocol}-pickle"] = b"\1" + zipfile.ZipFile(out).read("archive/data.pkl")
    return seeds


CONFIG = """
IMAGE_ENCODER:
  IMAGE_SIZE: [96, 96]
  IMAGE_MEAN: [0.485, 0.456, 0.406]
  SPEC: {DIM_EMBED: [32, 64], DEPTHS: [1, 2], NUM_HEADS: [1, 2], NUM_GROUPS: [1, 2], PATCH_SIZE: [7, 3],
         PATCH_STRIDE: [4, 2], PATCH_PADDING: [3, 1], PATCH_PRENORM: [false, true], WINDOW_SIZE: 12}
LANG_ENCODER: {CONTEXT_LENGTH: 77, WIDTH: 64, HEADS: 2, LAYERS: 3, AUTOGRESSIVE: false}
UNICL_MODEL: {DIM_PROJECTION: 48}
"""


def config_seeds():
    return {"plain": CONFIG.encode(), "dotted": (CONFIG + "IMAGE_ENCODER.SPEC.WINDOW_SIZE: 6\n").encode(),
            "anchors": b"a: &a [1, 2]\nIMAGE_ENCODER: {SPEC: {DEPTHS: *a}}\nLANG_ENCODER: {}\n"}


def card_seeds():
    cards = pathlib.Path(__file__).parent.parent / "catalog"
    seeds = {path.stem: path.read_bytes() for path in cards.rglob("*.toml")}
    return seeds | {"kinds": b"a = 1\nb = [1.5, 2]\nc = 1979-05-27T07:32:00Z\n[d.e]\nf = true\n[[g]]\nh = \"i\"\n"}


SEEDS = {
    "checkpoint_header_fuzz": safetensors_seeds,
    "checkpoint_torch_fuzz": torch_seeds,
    "catalog_config_fuzz": config_seeds,
    "catalog_card_fuzz": card_seeds,
    "tasks_manifest_fuzz": manifest_seeds,
    "tasks_index_fuzz": index_seeds,
    "media_png_fuzz": png_seeds,
    "media_jpeg_fuzz": jpeg_seeds,
    "media_tiff_fuzz": tiff_seeds,
    "media_dicom_fuzz": dicom_seeds,
    "media_nifti_fuzz": nifti_seeds,
    "media_npz_fuzz": npz_seeds,
    "media_dicom_seg_fuzz": dicom_seg_seeds,
    "media_rtstruct_fuzz": rtstruct_seeds,
    "recipes_prepare_fuzz": prepare_seeds,
    "recipes_parameters_fuzz": parameters_seeds,
    "text_tokenizer_fuzz": tokenizer_seeds,
    "text_files_fuzz": tokenizer_file_seeds,
    "text_tokenizer_json_fuzz": tokenizer_json_seeds,
    "text_grounded_fuzz": grounded_seeds,
}


def main(folder):
    for target, make in SEEDS.items():
        below = pathlib.Path(folder) / target
        below.mkdir(parents=True, exist_ok=True)
        for name, content in make().items():
            (below / name).write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1])
