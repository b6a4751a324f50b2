"""Models that are not what they claim: weights that lie, other shapes, other tokenizers, half a folder."""

import json
import shutil
import struct

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from cli.program import images, model, run  # noqa: F401


@pytest.fixture
def copy(model, tmp_path):  # noqa: F811
    return shutil.copytree(model, tmp_path / "copy")


def weights_of(folder):
    file, = (f for f in folder.rglob("vision_model/*") if f.is_file())
    return file


def header_of(file):
    data = file.read_bytes()
    size, = struct.unpack("<Q", data[:8])
    return json.loads(data[8:8 + size]), data[8 + size:]


def write(file, header, data, size=None):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(struct.pack("<Q", len(text) if size is None else size) + text + data)


def refused(folder, images, *says, code=5):  # noqa: F811
    result = run("embed", images / "a" / "0.png", "--text", "x", "--model", folder, "--json")
    assert result.code == code, (result.code, result.err)
    assert result.out == ""
    for part in says:
        assert part in result.err, result.err


def change_header(change):
    def damage(file):
        header, data = header_of(file)
        change(header)
        write(file, header, data)
    return damage


def first(header):
    return next(name for name in header if name != "__metadata__")


def lie(**fields):
    return change_header(lambda header: header[first(header)].update(fields))


def swap_offsets(header):
    names = [name for name in header if name != "__metadata__"][:2]
    header[names[0]]["data_offsets"] = header[names[1]]["data_offsets"]


DAMAGES = {
    "empty": lambda file: file.write_bytes(b""),
    "cut short": lambda file: file.write_bytes(file.read_bytes()[:-1000]),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"\0" * 8),
    "a pickle": lambda file: file.write_bytes(b"PK\x03\x04" + b"\0" * 1000),
    "no header": lambda file: file.write_bytes(struct.pack("<Q", 2**63)),
    "header beyond the file": lambda file: write(file, *header_of(file), size=2**40),
    "header of nothing": lambda file: write(file, {}, b""),
    "header that is a list": lambda file: write(file, [1], b""),
    "another type": lie(dtype="Q7"),
    "a negative side": lie(shape=[-1, 3]),
    "an endless side": lie(shape=[2**62, 2**62]),
    "another shape": lie(shape=[1]),
    "offsets backwards": lie(data_offsets=[100, 0]),
    "offsets beyond": lie(data_offsets=[0, 2**50]),
    "two in one place": change_header(swap_offsets),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_files_that_lie(copy, images, damage):  # noqa: F811
    file = weights_of(copy)
    DAMAGES[damage](file)
    result = run("embed", images / "a" / "0.png", "--model", copy, "--json")
    assert result.code in (4, 5), (result.code, result.err)
    assert result.out == "" and file.name in result.err, result.err
    shown = run("models", "verify", copy)
    assert shown.code in (4, 5) and file.name in shown.err, shown.err


def rewritten(change):
    def damage(file):
        tensors = load_file(file)
        change(tensors)
        save_file(tensors, file)
    return damage


def drop(tensors):
    del tensors["image_projection"]


def rename(tensors):
    tensors["image_projektion"] = tensors.pop("image_projection")


def turn(tensors):
    tensors["image_projection"] = np.ascontiguousarray(tensors["image_projection"][:, :-1])


def whole_numbers(tensors):
    tensors["image_projection"] = tensors["image_projection"].astype(np.int32)


@pytest.mark.parametrize("change, says", [
    (drop, ["image_projection"]),
    (rename, ["image_projection", "image_projektion"]),
    (turn, ["image_projection"]),
    (whole_numbers, ["image_projection"]),
])
def test_tensors_that_do_not_fit_are_all_named(copy, images, change, says):  # noqa: F811
    rewritten(change)(weights_of(copy))
    refused(copy, images, *says)


def test_every_wrong_tensor_is_in_one_message(copy, images):  # noqa: F811
    def several(tensors):
        drop(tensors)
        tensors["extra.weight"] = np.zeros(3, np.float32)
        tensors["text_projection" if "text_projection" in tensors else "lang_projection"] = np.zeros((2, 2), np.float32)

    rewritten(several)(weights_of(copy))
    refused(copy, images, "image_projection", "extra.weight", "lang_projection")


def test_a_weight_that_is_no_number_is_found(copy, images):  # noqa: F811
    def spoil(tensors):
        tensors["image_projection"] = np.full_like(tensors["image_projection"], np.nan)

    rewritten(spoil)(weights_of(copy))
    result = run("embed", images, "--model", copy, "--json")
    assert result.code in (1, 3) and result.out == "", result.err
    assert "not a finite number" in result.err and "models verify" in result.err
    assert "6 of 6 inputs failed" in result.err


@pytest.mark.parametrize("name, content, says", [
    ("config.yaml", "IMAGE_ENCODER: [", "config.yaml"),
    ("config.yaml", "a: &x 1\nb: *x\n", "alias"),
    ("config.yaml", "IMAGE_ENCODER: {NAME: resnet}\n", "config.yaml"),
    ("vocab.json", "{}", "vocab.json"),
    ("vocab.json", "[1, 2]", "vocab.json"),
    ("vocab.json", '{"a": 0, "b": 0}', "vocab.json"),
    ("merges.txt", "#version: 0.2\nno\n", "merges.txt"),
])
def test_other_parts_that_are_wrong(copy, images, name, content, says):  # noqa: F811
    file, = copy.rglob(name)
    file.write_text(content)
    refused(copy, images, says)


@pytest.mark.parametrize("part", ["config.yaml", "vision_model", "vocab.json", "merges.txt"])
def test_parts_that_are_missing(copy, images, part):  # noqa: F811
    found, = copy.rglob(part)
    shutil.rmtree(found) if found.is_dir() else found.unlink()
    refused(copy, images, str(copy))


def test_a_changed_card_changes_no_vector_but_what_is_said(model, copy, images):  # noqa: F811
    card, = copy.rglob("card.toml")
    card.write_text(card.read_text().replace("seeded = true", "seeded = false"))
    before, = run("embed", images / "a" / "0.png", "--model", model, "--json", "--threads", 1).lines
    after, = run("embed", images / "a" / "0.png", "--model", copy, "--json", "--threads", 1).lines
    assert before["features"] == after["features"]
    assert before["seeded"] is True and "seeded" not in after
    card.write_text("name = ")
    refused(copy, images, "card.toml")


def test_weights_in_half_precision_give_nearly_the_same(model, copy, images):  # noqa: F811
    def halve(tensors):
        for name, tensor in tensors.items():
            if tensor.dtype == np.float32:
                tensors[name] = tensor.astype(np.float16)

    rewritten(halve)(weights_of(copy))
    options = ("--json", "--precision", "fp32")
    a = run("embed", images, "--model", model, *options).lines
    b = run("embed", images, "--model", copy, *options).lines
    for one, other in zip(a, b):
        assert np.dot(one["features"], other["features"]) > 0.999
        assert one["weights_sha256"] != other["weights_sha256"]
