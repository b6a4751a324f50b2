"""An index as it grows: additions, refusals, two writers at once, and search against numpy over the stored matrix."""

import fcntl
import hashlib
import json
import shutil

import numpy as np
import pytest

from cli.program import images, model, picture, run  # noqa: F401


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(24):
        picture(number % 20).save(folder / f"{number:02}.png")  # the last four repeat the first four
    return folder


@pytest.fixture(scope="module")
def built(model, pictures, tmp_path_factory):  # noqa: F811
    """An index in two parts, built once."""
    folder = tmp_path_factory.mktemp("built") / "i"
    first = [pictures / f"{number:02}.png" for number in range(14)]
    assert run("index", "build", *first, "-o", folder, "--model", model, "-q").code == 0
    rest = [pictures / f"{number:02}.png" for number in range(14, 24)]
    assert run("index", "add", *rest, "--index", folder, "--model", model, "-q").code == 0
    return folder


@pytest.fixture
def index(built, tmp_path):
    return shutil.copytree(built, tmp_path / "i")


def stored(index):
    """The matrix and entries as anybody can read them: raw floats and JSON lines."""
    header = json.loads((index / "index.json").read_text())
    rows, entries = [], []
    for part in header["segments"]:
        rows.append(np.fromfile(index / part["vectors"], "<f4").reshape(part["count"], header["dimension"]))
        entries += [json.loads(line) for line in (index / part["entries"]).read_text().splitlines()]
    return np.concatenate(rows), entries


def snapshot(index):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in index.iterdir() if path.name != "lock"}


def test_anybody_can_read_it(index, pictures):
    matrix, entries = stored(index)
    np.testing.assert_allclose(np.linalg.norm(matrix, axis=1), 1, atol=1e-6)
    assert [entry["path"] for entry in entries] == [str(pictures / f"{n:02}.png") for n in range(24)]
    header = json.loads((index / "index.json").read_text())
    assert header["format"] == "vesalius-index" and header["count"] == 24 and header["research_use_only"] is True
    for part in header["segments"]:
        for what in ("vectors", "entries"):
            assert hashlib.sha256((index / part[what]).read_bytes()).hexdigest() == part[f"{what}_sha256"]


@pytest.mark.parametrize("k", [1, 5, 24, 1000])
def test_search_is_a_matrix_product_and_a_stable_sort(model, index, pictures, k):  # noqa: F811
    matrix, entries = stored(index)
    lines = run("search", pictures, "--index", index, "-k", k, "--model", model, "--json").lines
    assert len(lines) == 24
    for row, line in enumerate(lines):
        scores = matrix @ matrix[row]
        assert len(line["hits"]) == min(k, 24)
        found = [hit["score"] for hit in line["hits"]]
        np.testing.assert_allclose(found, np.sort(scores)[::-1][:k], atol=2e-5)
        assert found == sorted(found, reverse=True)
        names = [hit["path"] for hit in line["hits"]]
        assert len(set(names)) == len(names)
        for name, score in zip(names, found):
            at = next(i for i, entry in enumerate(entries) if entry["path"] == name)
            assert score == pytest.approx(float(scores[at]), abs=2e-5)


def test_leaving_out_oneself_keeps_a_copy_elsewhere(model, index, pictures):  # noqa: F811
    line, = run("search", pictures / "02.png", "--index", index, "-k", 3, "--exclude-self", "--model", model,
                "--json").lines
    assert line["hits"][0]["path"].endswith("22.png")  # the same pixels under another name
    assert line["hits"][0]["score"] > 0.9999
    assert not any(hit["path"].endswith("02.png") for hit in line["hits"])


def test_words_are_ranked_by_the_same_product(model, index):  # noqa: F811
    matrix, entries = stored(index)
    words = ["ct abdomen", "x-ray chest", "ünïcode"]
    texts = [part for word in words for part in ("--text", word)]
    vectors = [np.array(line["features"]) for line in run("embed", *texts, "--model", model, "--json").lines]
    lines = run("search", *texts, "--index", index, "-k", 4, "--model", model, "--json").lines
    for vector, line in zip(vectors, lines):
        np.testing.assert_allclose([hit["score"] for hit in line["hits"]], np.sort(matrix @ vector)[::-1][:4], atol=1e-4)


def test_adding_nothing_usable_changes_nothing(model, index, tmp_path):  # noqa: F811
    before = snapshot(index)
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    result = run("index", "add", tmp_path / "bad.png", "--index", index, "--model", model)
    assert result.code == 4 and "bad.png" in result.err
    assert snapshot(index) == before


def test_a_batch_with_one_bad_file_adds_the_others(model, index, tmp_path):  # noqa: F811
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    picture(50).save(tmp_path / "good.png")
    result = run("index", "add", tmp_path / "bad.png", tmp_path / "good.png", "--index", index, "--model", model, "--json")
    assert result.code == 3
    assert (result.lines[0]["added"], result.lines[0]["failed"]) == (1, 1)
    assert run("index", "info", index, "--json").lines[0]["count"] == 25


@pytest.mark.parametrize("options, says", [
    (("--recipe", "toolkit"), "toolkit@1"),
    (("--recipe", "vesalius"), "vesalius@1"),
    (("--recipe-parameter", "pillow=13"), '"pillow":13'),
])
def test_other_pixels_are_refused_and_nothing_changes(model, index, pictures, options, says):  # noqa: F811
    before = snapshot(index)
    for command in (("index", "add"), ("search",)):
        result = run(*command, pictures / "00.png", "--index", index, *options, "--model", model)
        assert result.code == 5, result.err
        assert says in result.err and "--recipe" in result.err
    assert snapshot(index) == before


def test_parameters_of_a_recipe_are_remembered(model, pictures, tmp_path):  # noqa: F811
    folder = tmp_path / "p"
    assert run("index", "build", pictures / "00.png", "-o", folder, "--recipe", "vesalius", "--recipe-parameter",
               "window=[40,80]", "--model", model).code == 0
    line, = run("search", pictures / "00.png", "--index", folder, "--model", model, "--json").lines
    assert (line["recipe"], line["recipe_parameters"]) == ("vesalius@1", {"window": [40, 80]})
    assert "[40,80]" in run("index", "info", folder).out


def test_while_one_writes_the_other_waits_outside(model, index, pictures):  # noqa: F811
    with open(index / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = run("index", "add", pictures / "00.png", "--index", index, "--model", model)
        assert result.code == 1 and "another program" in result.err
        assert run("search", pictures / "00.png", "--index", index, "--model", model).code == 0  # readers go on
    assert run("index", "add", pictures / "00.png", "--index", index, "--model", model).code == 0


@pytest.mark.parametrize("name, content, says", [
    ("index.json", b"", "not valid JSON"),
    ("index.json", b"[]", "not a JSON object"),
    ("index.json", b'{"format":"other"}', "vesalius-index"),
    ("vectors-000001.f32", b"", "bytes long"),
    ("entries-000001.jsonl", b"", "SHA-256"),
])
def test_damage_is_named_by_every_command(model, index, pictures, name, content, says):  # noqa: F811
    (index / name).write_bytes(content)
    for command in (("index", "info", index), ("search", pictures / "00.png", "--index", index),
                    ("index", "add", pictures / "00.png", "--index", index)):
        result = run(*command, "--model", model)
        assert result.code == 4, (command, result.err)
        assert says in result.err and name in result.err, (command, result.err)
        assert result.out == ""


def test_places_that_are_no_index(model, pictures, tmp_path):  # noqa: F811
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    for place, code, says in (("file", 2, "is a file"), ("full", 2, "holds other files")):
        result = run("index", "build", pictures / "00.png", "-o", tmp_path / place, "--model", model)
        assert result.code == code and says in result.err, result.err
    for place in ("none", "full"):
        result = run("search", pictures / "00.png", "--index", tmp_path / place, "--model", model)
        assert result.code == 4 and "index build" in result.err, result.err
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]


def test_a_moved_archive_is_still_searched(model, index, pictures, tmp_path):  # noqa: F811
    moved = tmp_path / "elsewhere" / "j"
    shutil.copytree(index, moved)
    shutil.rmtree(index)
    assert len(run("search", pictures / "00.png", "--index", moved, "-k", 2, "--model", model, "--json").lines[0]["hits"]) == 2
