"""Makes the small data set that class_prompts_test.cpp reads, sliced by BiomedParse v2's own process_2D.py.

    python tests/tasks/make_class_prompts_golden.py V2 tests/tasks/golden/class_prompts

V2 is a checkout of BiomedParse's version 2, which is not part of this repository; it wants OpenCV and tqdm. Planes are
32 pixels wide instead of 512.
"""
import json
import os
import pathlib
import sys

import numpy as np

PROMPTS = {
    "BALLS": {"1": ["Left ball", "Left ball in CT"], "2": "Box", "instance_label": 0},
    "CELLS": {"1": ["Cell", "Cells in light-sheet microscopy"], "instance_label": 1},
}


def cubic():
    """Nearly cubic and isotropic: three views."""
    z, y, x = np.meshgrid(np.arange(4), np.arange(6), np.arange(4), indexing="ij")
    image = (20 * z + 25 * y + 9 * x + (z * y * x) % 7).astype(np.uint8)
    labels = np.where((z > 0) & (y > 3), 2, 0)
    labels[(z < 3) & (y < 2) & (x < 3)] = 1
    return dict(imgs=image, gts=labels.astype(np.uint8), spacing=np.array([1.0, 1.0, 1.05]))


def flat():
    """Two thick slices with three numbered objects."""
    z, y, x = np.meshgrid(np.arange(2), np.arange(10), np.arange(8), indexing="ij")
    image = (100 * z + 9 * y + 5 * x).astype(np.uint8)
    labels = np.zeros(image.shape)
    labels[0, 1:4, 1:4], labels[0, 6:9, 4:7], labels[1, 2:5, 3:6] = 1, 2, 3
    return dict(imgs=image, gts=labels.astype(np.uint8), spacing=np.array([1.0, 1.0, 5.0]))


def main():
    script = (pathlib.Path(sys.argv[1]) / "process_2D.py").read_text()
    script = script.replace("size = 512", "size = 32").replace("'DATASET1', 'DATASET2', 'DATASET3'", "'BALLS', 'CELLS'")
    out = pathlib.Path(sys.argv[2])
    for name, volume in (("BALLS", cubic()), ("CELLS", flat())):
        (out / name / "train").mkdir(parents=True, exist_ok=True)
        np.savez_compressed(out / name / "train" / "one.npz", **volume)
    (out / "class_prompts.json").write_text(json.dumps(PROMPTS, indent=1) + "\n")
    os.chdir(out)
    exec(compile(script, "process_2D.py", "exec"), {})


if __name__ == "__main__":
    main()
