"""`vesalius models` from the outside: what it prints, how it ends."""

import json
import os
import pathlib
import subprocess

import pytest

PROGRAM = pathlib.Path(os.environ["VESALIUS_BUILD"]) / "vesalius"


class Home:
    def __init__(self, root):
        self.root = root
        self.env = {**os.environ, "VESALIUS_HOME": str(root / "home"), "XDG_CACHE_HOME": str(root / "cache")}

    def run(self, *arguments, code=0):
        done = subprocess.run([PROGRAM, "models", *map(str, arguments)], env=self.env, capture_output=True, text=True,
                              cwd=self.root)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stdout + done.stderr

    def json(self, *arguments):
        return [json.loads(line) for line in self.run(*arguments, "--json").splitlines()]


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@pytest.fixture
def tiny(home):
    home.run("random", "medimageinsight", "--seed", 7, "--size", "tiny", "-o", home.root / "tiny", "-q")
    return home.root / "tiny"


def test_the_way_of_a_model(home, tiny):
    assert {"medimageinsight": "not installed"}.items() <= {m["name"]: m["state"] for m in home.json("list")}.items()
    (added,) = home.json("add", "mine", "--from", tiny)
    assert added["state"] == "seeded" and len(added["weights_sha256"]) == 64
    assert "mine" in home.run("list")
    (card,) = home.json("show", "mine")
    assert card["seed"] == "7" and card["weights_sha256"] == added["weights_sha256"]
    (verified,) = home.json("verify", "mine")
    assert verified["passed"] and "PyTorch" in verified["reference"]
    assert {c["what"] for c in verified["checks"]} >= {"weights hash", "seeded values", "image", "tokens"}
    assert home.json("rm", "mine") == [{"name": "mine", "removed": True}]
    assert "mine" not in [m["name"] for m in home.json("list")]


def test_a_person_reads_aligned_lines(home, tiny):
    lines = home.run("verify", tiny).splitlines()
    assert lines[0].split() == ["check", "difference", "limit", "result"]
    assert all(" pass" in line for line in lines[1:-1])
    shown = home.run("show", "medimageinsight")
    assert "files.weights.bytes" in shown and "2464060700" in shown and "MIT" in shown


@pytest.mark.parametrize("code, arguments, says", [
    (2, ["random", "medimageinsight", "--size", "tiny"], "-o FOLDER"),
    (2, ["random", "medimageinsight", "--size", "huge", "-o", "x"], "full or tiny"),
    (2, ["random", "medimageinsight", "--gain", "a=3", "-o", "x"], "power of two"),
    (2, ["random", "nothing", "-o", "x"], "medimageinsight"),
    (2, ["add", "mine"], "--from"),
    (5, ["add", "mine", "--from", "nowhere"], "nowhere"),
    (5, ["show", "nothing"], "models list"),
    (5, ["verify", "nothing"], "neither installed nor a folder"),
    (5, ["rm", "nothing"], "not installed"),
    (2, ["frobnicate"], "models"),
])
def test_wrong_usage(home, code, arguments, says):
    assert says in home.run(*arguments, code=code)
    assert not (home.root / "x").exists()


def test_a_published_name_takes_the_published_architecture(home, tiny):
    assert "another model than medimageinsight" in home.run("add", "medimageinsight", "--from", tiny, code=5)


def test_a_changed_file_is_found(home, tiny):
    weights = next((tiny / "2024.09.27/vision_model").iterdir())
    data = bytearray(weights.read_bytes())
    data[-5_000_000] ^= 1
    weights.write_bytes(data)
    text = home.run("verify", tiny, code=5)
    assert "FAIL" in text and "weights hash" in text


def test_a_full_disk_is_said(home):
    """A limit on the size of files stands for the disk."""
    command = f"ulimit -f 2000; trap '' XFSZ; exec {PROGRAM} models random medimageinsight --size tiny -o {home.root}/t"
    done = subprocess.run(["bash", "-c", command], env=home.env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "medimageinsigt-v1.0.0.pt" in done.stderr and "writing stopped" in done.stderr, done.stderr
    assert not [p for p in (home.root / "t").rglob("*") if p.is_file()]


def test_every_verb_has_two_examples(home):
    for verb in ("list", "show", "add", "verify", "random", "rm"):
        text = home.run(verb, "--help")
        assert text.count("  vesalius models") >= 2, text
