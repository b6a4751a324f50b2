"""The built program, a tiny seeded model and small images, for the tests of the command line."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from PIL import Image

BUILD = pathlib.Path(os.environ["VESALIUS_BUILD"]).resolve()
PROGRAM = BUILD / "vesalius"


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def lines(self):
        """Standard output as JSON Lines; fails when anything else stands there."""
        return [json.loads(line) for line in self.out.splitlines()]


def run(*arguments, env=None, stdin="", home=None, cwd=None):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VESALIUS_")}
    environment |= {"OMP_NUM_THREADS": "1", **(env or {})}
    if home:
        environment["VESALIUS_HOME"] = str(home)
    done = subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, text=True,
                          env=environment, cwd=cwd, timeout=300)
    return Result(done)


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    folder = tmp_path_factory.mktemp("model") / "tiny"
    made = run("models", "random", "medimageinsight", "--seed", 7, "--size", "tiny", "-o", folder)
    assert made.code == 0, made.err
    return folder


def picture(seed, size=(40, 30)):
    noise = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.BICUBIC)


@pytest.fixture
def images(tmp_path):
    """Six images in two folders, a text file beside them."""
    for number in range(6):
        folder = tmp_path / "images" / ("a" if number % 2 == 0 else "b")
        folder.mkdir(parents=True, exist_ok=True)
        picture(number).save(folder / f"{number}.png")
    (tmp_path / "images" / "notes.txt").write_text("no image, but in the folder")
    return tmp_path / "images"


def dicom_test_file(name):
    from pydicom.data import get_testdata_file

    path = get_testdata_file(name)
    if not path:
        pytest.skip(f"pydicom's {name} is not installed")
    return path
