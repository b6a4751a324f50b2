"""Runs the program that shows what a recipe makes of files."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np

TOOL = Path(os.environ["VESALIUS_BUILD"]) / "recipes_prepare"


def run(folder, jobs):
    """Jobs of (recipe, path, extra keys) to (answer, pixels or None) each."""
    lines = []
    for i, (recipe, path, more) in enumerate(jobs):
        lines.append(json.dumps({"recipe": recipe, "path": str(path), "out": str(folder / f"{i}"), **more}))
    done = subprocess.run([TOOL], input="\n".join(lines) + "\n", text=True, capture_output=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(jobs)
    out = []
    for i, ((_, _, more), answer) in enumerate(zip(jobs, answers)):
        size = more.get("size", 480)
        kind, shape = (np.float32, (3, size, size)) if more.get("normalise") else (np.uint8, (size, size, 3))
        made = None if "error" in answer else np.fromfile(folder / f"{i}", kind).reshape(shape)
        out.append((answer, made))
    return out
