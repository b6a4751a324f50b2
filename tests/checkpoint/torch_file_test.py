"""Files of torch.save are read as torch reads them, whatever else lies in them is never run, and what the program
writes is what torch.load gives."""

import argparse
import collections
import hashlib
import io
import itertools
import json
import os
import pathlib
import pickle
import struct
import subprocess
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.reference import seeded

TOOL = pathlib.Path(os.environ["VESALIUS_BUILD"]) / "checkpoint_tensors"
NAMES = {torch.float64: "Double", torch.float32: "Float", torch.float16: "Half", torch.bfloat16: "BFloat16",
         torch.int64: "Long", torch.int32: "Int", torch.int16: "Short", torch.int8: "Char", torch.uint8: "Byte",
         torch.bool: "Bool"}


def run(*arguments, stdin=""):
    done = subprocess.run([TOOL, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def read(*arguments):
    lines = run(*arguments)
    assert not any("error" in line for line in lines), lines
    return {line["name"]: line for line in lines}


def refusal(*arguments):
    (line,) = run(*arguments)
    assert line["code"] == 5 and line["error"].startswith(str(arguments[0])), line
    return line["error"]


def said(tensor):
    flat = tensor.detach().contiguous().reshape(-1)
    return list(tensor.shape), NAMES[tensor.dtype], hashlib.sha256(flat.view(torch.uint8).numpy().tobytes()).hexdigest()


def check(got, expected):
    assert sorted(got) == sorted(expected)
    for name, tensor in expected.items():
        assert (got[name]["shape"], got[name]["dtype"], got[name]["sha256"]) == said(tensor), name


def every_kind():
    base = torch.arange(60, dtype=torch.float32).reshape(3, 4, 5)
    tensors = {f"type.{kind}": (torch.arange(7) * 3 % 5).to(kind) for kind in NAMES}
    return tensors | {
        "scalar": torch.tensor(2.5), "none": torch.empty(0), "none.2d": torch.empty(0, 4), "ünï/ \"code\"": base[0, 0],
        "whole": base, "transposed": base.transpose(0, 2), "every.other": base[:, ::2, 1::2], "tail": base[2, 1:],
        "expanded": base[:, :1, :1].expand(3, 4, 5), "channels_last": torch.ones(2, 3, 4, 5).to(
            memory_format=torch.channels_last), "parameter": torch.nn.Parameter(base + 1),
        "frozen": torch.nn.Parameter(base[1], requires_grad=False), "bool.strided": (base % 3 == 0)[:, :, 1:3],
    }


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8))
        self.head = torch.nn.Linear(8, 2)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_kind_of_tensor(tmp_path, protocol):
    torch.save(every_kind(), tmp_path / "a.pt", pickle_protocol=protocol)
    got = read(tmp_path / "a.pt")
    check(got, every_kind())
    assert got["transposed"]["strides"] == [1, 5, 20]  # a view, not a copy
    assert got["expanded"]["strides"] == [20, 0, 0]


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_state_dict_with_its_metadata(tmp_path, protocol):
    state = Model().state_dict()
    assert state._metadata  # BUILD is in the file
    torch.save(state, tmp_path / "a.pth", pickle_protocol=protocol)
    check(read(tmp_path / "a.pth"), state)


def test_a_file_without_a_name_and_with_many_tensors(tmp_path):
    state = {f"block.{i}.weight": torch.full((3,), float(i)) for i in range(1500)}  # beyond 256: the long memo
    out = io.BytesIO()
    torch.save(state, out)
    (tmp_path / "a.bin").write_bytes(out.getvalue())
    check(read(tmp_path / "a.bin"), state)


class Callback:
    def __init__(self):
        self.best = {"score": 0.5, "path": pathlib.Path("a")}


def lightning(state):
    model = Model()
    optimizer = torch.optim.AdamW(model.parameters())
    model.head(torch.ones(1, 8)).sum().backward()
    optimizer.step()
    return {
        "epoch": 3, "global_step": 2**40, "pytorch-lightning_version": "2.5.0", "state_dict": state,
        "loops": {"fit": {"progress": {"total": {"ready": 1}}, "none": None, "set": {1, 2}, "float": 1.5}},
        "callbacks": {"Checkpoint{'monitor': None}": Callback()}, "optimizer_states": [optimizer.state_dict()],
        "lr_schedulers": [collections.deque([1, 2])], "big": 2**200, "bytes": b"abc" * 100, "array": np.arange(3),
        "hyper_parameters": argparse.Namespace(lr=1e-4, arch=torch.float16, size=torch.Size([1, 2])),
        "function": np.sum, "complex": 1j, "class": Callback, "bytearray": bytearray(b"x" * 9),
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_other_objects_beside_a_state_dict_are_passed_over(tmp_path, protocol):
    state = Model().state_dict(prefix="model.")
    torch.save(lightning(state), tmp_path / "a.ckpt", pickle_protocol=protocol)
    check(read(tmp_path / "a.ckpt"), state)
    bare = {name.removeprefix("model."): tensor for name, tensor in state.items()}
    check(read(tmp_path / "a.ckpt", "", "model."), bare)


def test_which_state_dict(tmp_path):
    state = {"a": torch.ones(300)}
    torch.save({"ema": state, "args": argparse.Namespace(x=1)}, tmp_path / "a.pt")
    check(read(tmp_path / "a.pt", "ema"), state)
    error = refusal(tmp_path / "a.pt")
    assert "they are: 'ema', 'args'" in error and "argparse.Namespace" in error
    assert "no entry 'model'; its entries are: 'ema', 'args'" in refusal(tmp_path / "a.pt", "model")
    assert "'args' asks for argparse.Namespace" in refusal(tmp_path / "a.pt", "args")
    torch.save([state], tmp_path / "list.pt")
    assert "it holds no dict" in refusal(tmp_path / "list.pt")
    torch.save(state | {"step": 5}, tmp_path / "number.pt")
    assert "'step' is no tensor" in refusal(tmp_path / "number.pt")
    torch.save(state | {1: state["a"]}, tmp_path / "key.pt")
    assert "no text" in refusal(tmp_path / "key.pt")
    torch.save(Model(), tmp_path / "model.pt")
    assert f"it asks for {Model.__module__}.Model" in refusal(tmp_path / "model.pt")


def test_prefixes(tmp_path):
    torch.save({"model.a": torch.ones(300), "model.b": torch.zeros(2)}, tmp_path / "a.pt")
    assert sorted(read(tmp_path / "a.pt", "", "model.")) == ["a", "b"]
    assert sorted(read(tmp_path / "a.pt", "", "other.")) == ["model.a", "model.b"]
    torch.save({"model.a": torch.ones(300), "loss.b": torch.zeros(2)}, tmp_path / "b.pt")
    assert "only some names start with 'model.'; 'loss.b' does not" in refusal(tmp_path / "b.pt", "", "model.")


class Evil:
    """Asks for a command that leaves a mark, in one of the ways in which a pickle can."""

    def __init__(self, mark, way):
        self.mark, self.way = mark, way

    def __reduce__(self):
        call = (os.system, (f"touch {self.mark}",))
        return call if self.way == "call" else (collections.OrderedDict, (), {"x": Evil(self.mark, "call")})


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("way, place", [*itertools.product(["call", "state"], ["value", "nested", "attribute"]),
                                        ("call", "key")])
def test_nothing_is_ever_run(tmp_path, protocol, way, place):
    mark = tmp_path / "run"
    evil = Evil(mark, way)
    state = collections.OrderedDict(a=torch.ones(300))
    whole, who = state, "it"
    if place == "value":
        state["b"], who = evil, "'b'"
    elif place == "attribute":
        state._metadata, who = {"": evil}, "what its state dict carries"
    elif place == "key":
        whole, who = {"a": state["a"], ("b", evil): state["a"]}, "no text"
    else:
        state["b"], whole, who = evil, {"state_dict": state}, "'b'"
    torch.save(whole, tmp_path / "a.pt", pickle_protocol=protocol)
    error = refusal(tmp_path / "a.pt")
    assert who in error and not mark.exists()
    assert place == "key" or f"{who} asks for posix.system (nothing of it was run)" in error
    torch.load(tmp_path / "a.pt", weights_only=False)  # the file is as bad as it looks
    assert mark.exists()


def test_evil_beside_the_state_dict_is_not_run_either(tmp_path):
    state = {"a": torch.ones(300)}
    torch.save({"state_dict": state, "hyper_parameters": Evil(tmp_path / "run", "call")}, tmp_path / "a.ckpt")
    check(read(tmp_path / "a.ckpt"), state)
    assert not (tmp_path / "run").exists()


def with_pickle(path, content):
    """The file again, with another data.pkl."""
    source = zipfile.ZipFile(path)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            target.writestr(name, content if name.endswith("data.pkl") else source.read(name))
    path.write_bytes(out.getvalue())
    return path


def test_a_call_whose_value_is_dropped_is_refused(tmp_path):
    torch.save({"a": torch.ones(300)}, tmp_path / "a.pt")
    content = zipfile.ZipFile(tmp_path / "a.pt").read("a/data.pkl")
    mark = str(tmp_path / "run").encode()
    evil = b"cposix\nsystem\n(X" + struct.pack("<I", 6 + len(mark)) + b"touch " + mark + b"tR0"
    with_pickle(tmp_path / "a.pt", content[:2] + evil + content[2:])
    assert "it asks for posix.system (nothing" in refusal(tmp_path / "a.pt")
    torch.load(tmp_path / "a.pt", weights_only=False)
    assert (tmp_path / "run").exists()


@pytest.mark.parametrize("protocol", [0, 1])
def test_old_protocols_are_refused(tmp_path, protocol):
    torch.save({"a": torch.ones(300)}, tmp_path / "a.pt")
    with_pickle(tmp_path / "a.pt", pickle.dumps({"a": 1}, protocol))
    assert "protocol 2" in refusal(tmp_path / "a.pt")


def test_files_that_are_something_else(tmp_path):
    state, path = {"a": torch.ones(300)}, tmp_path / "a.pt"
    save_file(state, path)
    assert "is a safetensors file" in refusal(path)
    torch.save(state, path, _use_new_zipfile_serialization=False)
    error = refusal(path)
    assert "before 1.6" in error and "torch.save(torch.load(" in error
    torch.jit.save(torch.jit.script(torch.nn.Linear(20, 20)), path)
    assert "TorchScript" in refusal(path)
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    assert "git lfs pull" in refusal(path)
    path.write_bytes(b"x" * 1000)
    assert "1000 bytes are too few" in refusal(path)
    path.write_bytes(b"<html>" * 1000)
    assert "does not start as a zip archive" in refusal(path)
    path.write_bytes(b"")
    assert "0 bytes" in refusal(path)


def test_a_file_that_was_cut_short_or_changed(tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"a": torch.ones(3000)}, path)
    whole = path.read_bytes()
    for size in (len(whole) - 1, len(whole) - 300, len(whole) // 2, 1100):
        path.write_bytes(whole[:size])
        assert "cut short" in refusal(path)
    path.write_bytes(whole.replace(b"FloatStorage", b"FloatStoragf"))
    assert "checksum of 'a/data.pkl'" in refusal(path)
    path.write_bytes(whole.replace(b"little", b"bigger"))
    assert "big-endian" in refusal(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("a/data.pkl", os.urandom(2000))
        target.writestr("a/data/0", b"a" * 20000)
    assert "compressed" in refusal(path)


def with_storage(tmp_path, old, new):
    """A file whose pickle has been changed in one place."""
    path = tmp_path / "a.pt"
    torch.save({"a": torch.arange(300.)[:200].view(10, 20)}, path)
    content = zipfile.ZipFile(path).read("a/data.pkl")
    assert content.count(old) == 1
    return refusal(with_pickle(path, content.replace(old, new)))


LARGE = b"\x8a\x08" + struct.pack("<q", 2**62)


@pytest.mark.parametrize("old, new, says", [
    (b"K\x00K\nK\x14\x86", b"KeK\nK\x14\x86", "past the end"),  # offset 101
    (b"K\x00K\nK\x14\x86", LARGE + b"K\nK\x14\x86", "past the end"),
    (b"K\x00K\nK\x14\x86", b"J\xff\xff\xff\xffK\nK\x14\x86", "not described"),  # offset -1
    (b"K\nK\x14\x86", b"K\x10K\x14\x86", "past the end"),  # 16 rows
    (b"K\nK\x14\x86", LARGE + LARGE + b"\x86", "larger than any file"),
    (b"K\nK\x14\x86", b"K\x00" + LARGE + b"\x86", "larger than any file"),
    (b"K\nK\x14\x86", b"K\n\x85", "not described"),  # sides and strides differ in number
    (b"K\x14K\x01\x86", LARGE + LARGE + b"\x86", "past the end"),
    (b"K\x14K\x01\x86", b"K\x14J\xff\xff\xff\xff\x86", "not described"),  # stride -1
    (b"K\x14K\x01\x86", b"K\x14N\x86", "not described"),
    (b"M,\x01", b"M-\x01", "claims 301 values"),
    (b"M,\x01", LARGE, "claims"),
    (b"X\x01\x00\x00\x000", b"X\x01\x00\x00\x001", "'a/data/1' is missing"),
    (b"FloatStorage", b"QUInt8Storage", "'a' asks for torch.QUInt8Storage"),
    (b"_rebuild_tensor_v2", b"_rebuild_qtensor", "asks for torch._utils._rebuild_qtensor"),
    (b"FloatStorage", b"float32", "not described"),
    (b"X\x07\x00\x00\x00storage", b"X\x07\x00\x00\x00storagf", "not described"),
])
def test_tensors_that_claim_too_much(tmp_path, old, new, says):
    assert says in with_storage(tmp_path, old, new)


def test_a_tensor_that_repeats_itself_without_end(tmp_path):
    torch.save({"a": torch.ones(1).expand(2**40)}, tmp_path / "a.pt")
    assert "'a' repeats its values" in refusal(tmp_path / "a.pt")


@pytest.mark.parametrize("key, prefix", [("", ""), ("state_dict", "model.")])
def test_torch_loads_what_is_written(tmp_path, key, prefix):
    torch.save(every_kind(), tmp_path / "a.pt")
    assert run("copy", tmp_path / "b.pt", tmp_path / "a.pt", key, prefix) == []
    for options in ({}, {"mmap": True}):
        loaded = torch.load(tmp_path / "b.pt", weights_only=True, map_location="cpu", **options)
        state = loaded[key] if key else loaded
        assert type(state) is collections.OrderedDict
        assert list(state) == sorted((prefix + name for name in every_kind()), key=str.encode)
        for name, tensor in every_kind().items():
            assert state[prefix + name].dtype == tensor.dtype and said(state[prefix + name]) == said(tensor), name
    check(read(tmp_path / "b.pt", "", prefix), every_kind())
    archive = zipfile.ZipFile(tmp_path / "b.pt")
    assert archive.testzip() is None
    for entry in archive.infolist():
        raw = (tmp_path / "b.pt").read_bytes()[entry.header_offset:]
        name, extra = struct.unpack("<26xHH", raw[:30])
        assert (entry.header_offset + 30 + name + extra) % 64 == 0


@pytest.mark.parametrize("key, prefix, gain", [("", "", "-"), ("state_dict", "model.", "dw.weight=0.125")])
def test_seeded_files_hold_the_values_of_the_rule(tmp_path, key, prefix, gain):
    shapes = {"z.dw.weight": [8, 1, 3, 3], "big.weight": [1200, 1001], "a.bias": [5], "scale": [], "none": [0, 3]}
    mean = [114.49500274658203, 1.5, -2.25]
    lines = [json.dumps({"name": name, "shape": shape}) for name, shape in shapes.items()]
    lines += [json.dumps({"name": "pixel_mean", "shape": [1, 3, 1, 1], "values": mean}),
              json.dumps({"name": "ones", "shape": [2, 2], "values": [1]})]
    path = tmp_path / "a.ckpt"
    assert run("seeded", path, 7, gain, key, prefix, stdin="\n".join(lines)) == []
    loaded = torch.load(path, weights_only=True, map_location="cpu")
    state = loaded[key] if key else loaded
    assert list(state) == [prefix + name for name in [*shapes, "pixel_mean", "ones"]]
    for name, shape in shapes.items():
        factor = 0.125 if gain != "-" and name.endswith("dw.weight") else 1
        assert state[prefix + name].equal(seeded(name, tuple(shape), 7) * factor), name
    assert state[prefix + "pixel_mean"].equal(torch.tensor(mean).view(1, 3, 1, 1))
    assert state[prefix + "ones"].equal(torch.ones(2, 2))
    check(read(path, "", prefix), {name.removeprefix(prefix): tensor for name, tensor in state.items()})
    line = json.dumps({"name": "a", "shape": [4], "values": [1, 2]})
    assert "has 2 values in its definition, not 4" in run("seeded", tmp_path / "no", 7, "-", "", "", stdin=line)[0]["error"]
    assert not (tmp_path / "no").exists()
