"""The program media_volume, and what Python knows of volumes, for the tests beside."""

import json
import os
import pathlib
import subprocess

import numpy as np

TOOL = pathlib.Path(os.environ["VESALIUS_BUILD"]) / "media_volume"
VOLUMES = pathlib.Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "volumes"
TO_LPS = np.diag([-1.0, -1.0, 1.0])
DTYPES = {"labels": "u2", "write-npz": "u2"}


def call(command, *arguments):
    """The line of JSON and the values, [slices, rows, columns]; on an error the line and None."""
    run = subprocess.run([TOOL, command, *map(str, arguments)], stdout=subprocess.PIPE, check=False)
    end = run.stdout.index(b"\n")
    line = json.loads(run.stdout[:end])
    if "error" in line:
        assert run.returncode == line["code"]
        return line, None
    dtype = DTYPES.get(command, {"uint8": "u1", "int16": "i2", "uint16": "u2"}.get(str(arguments[2]), "f4")
                       if command == "rewrite" else "f4")
    values = np.frombuffer(run.stdout[end + 1 :], dtype)
    assert values.nbytes == line["bytes"]
    return line, values.reshape(line["size"][::-1])


def read(command, *arguments):
    line, values = call(command, *arguments)
    assert "error" not in line, line["error"]
    return line, values


def refusal(command, *arguments, code=4):
    """The sentence by which something is refused."""
    line, _ = call(command, *arguments)
    assert "error" in line, "it was read"
    assert line["code"] == code
    return line["error"]


def affine_of(line):
    """3 x 4, in mm, LPS."""
    return np.column_stack([*line["step"], line["origin"]])
