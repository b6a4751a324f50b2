"""Runs the program that shows the ways between inputs and planes."""

import functools
import json
import os
import pathlib
import subprocess

import numpy as np

TOOL = pathlib.Path(os.environ["VESALIUS_BUILD"]) / "tasks_planes"
SHARED = pathlib.Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


@functools.cache
def tool():
    return subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)


def run(folder, do, dtype=np.float32, **job):
    """The answer of one job and the flat array that it wrote, or None where it failed."""
    for key, value in job.items():
        if isinstance(value, np.ndarray):
            value.tofile(folder / key)
            job[key] = str(folder / key)
        elif isinstance(value, pathlib.Path):
            job[key] = str(value)
    job |= {"do": do, "out": str(folder / "out")}
    tool().stdin.write(json.dumps(job) + "\n")
    line = tool().stdout.readline()
    assert line, f"the tool died of {job}"
    answer = json.loads(line)
    return answer, None if "error" in answer else np.fromfile(folder / "out", dtype)


def planes(folder, path, **job):
    answer, out = run(folder, "planes", path=path, **job)
    assert "error" not in answer, answer["error"]
    return answer, out.reshape(answer["shape"])
