"""--json of every command: only JSON Lines on standard output, each with where it comes from."""

import json
import pathlib

import pytest

from cli.program import dicom_test_file, images, model, run  # noqa: F401

PROVENANCE = {"model", "weights_sha256", "recipe", "recipe_parameters", "precision", "device", "version",
              "research_use_only", "seeded"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def archive(model, images, tmp_path):  # noqa: F811
    folder = tmp_path / "archive"
    assert run("index", "build", images, "-o", folder, "--model", model).code == 0
    (images / "m.csv").write_text("path,label,text\n" + "".join(
        f"{'ab'[n % 2]}/{n}.png,{'xy'[n % 2]},text {n % 2}\n" for n in range(6)))
    return folder


def commands(images, archive, tmp_path):  # noqa: F811
    file, manifest = images / "a" / "0.png", images / "m.csv"
    return {
        "embed images": (("embed", images), 6, {"input", "kind", "features", "normalised"}),
        "embed texts": (("embed", "--text", "a", "--text", "b"), 2, {"input", "kind", "features"}),
        "embed pooled": (("embed", images, "--pool", "mean"), 2, {"input", "kind", "images", "pool"}),
        "embed all pooled": (("embed", images, "--pool", "max", "--pool-by", "all"), 1, {"images"}),
        "embed and file": (("embed", file, "-o", tmp_path / "v.npy"), 1, {"features"}),
        "classify": (("classify", images, "--labels", "a, b"), 6, {"input", "scores"}),
        "classify near": (("classify", file, "--labels", "a, b", "--index", archive), 1, {"scores", "hits"}),
        "search": (("search", images, "--index", archive), 6, {"input", "hits"}),
        "search words": (("search", "--text", "a", "--index", archive), 1, {"input", "hits"}),
        "index build": (("index", "build", images, "-o", tmp_path / "i"), 1, {"index", "added", "failed", "skipped"}),
        "index add": (("index", "add", file, "--index", archive), 1, {"index", "added"}),
        "evaluate classify": (("evaluate", "classify", "--manifest", manifest), 1, {"task", "accuracy", "classes"}),
        "evaluate search": (("evaluate", "search", "--manifest", manifest), 1, {"task", "queries"}),
        "evaluate embedding": (("evaluate", "embedding", "--manifest", manifest), 1, {"task", "accuracy", "pairs"}),
    }


NAMES = list(commands(pathlib.Path(), None, pathlib.Path()))


@pytest.mark.parametrize("name", NAMES)
def test_lines_say_what_and_where_from(model, images, archive, tmp_path, name):  # noqa: F811
    arguments, count, keys = commands(images, archive, tmp_path)[name]
    result = run(*arguments, "--model", model, "--json")
    assert result.code == 0, result.err
    lines = result.lines
    assert len(lines) == count
    for line in lines:
        assert keys | PROVENANCE <= set(line), (keys | PROVENANCE) - set(line)
        assert line["research_use_only"] is True and line["seeded"] is True
        assert len(line["weights_sha256"]) == 64 and "@" in line["recipe"]
    assert "NaN" not in result.out and "Infinity" not in result.out
    quiet = run(*arguments, "--model", model, "--json", "-q", *(("--replace",) if "build" in name else ()))
    assert (quiet.code, quiet.err) == (0, "")


def test_keys_stand_in_the_same_order_in_every_line(model, images):  # noqa: F811
    orders = {tuple(line) for line in run("embed", images, "--model", model, "--json").lines}
    assert len(orders) == 1
    (order,) = orders
    assert order[:2] == ("input", "kind") and order.index("features") < order.index("model")


def test_catalog_and_machine(model, home):  # noqa: F811
    cards = run("models", "list", "--json", home=home).lines
    assert {"name", "title", "state", "folder", "recipe", "licence", "seeded", "starter"} <= set(cards[0])
    assert "medimageinsight" in [card["name"] for card in cards]
    card, = run("models", "show", model, "--json", home=home).lines
    assert card["state"] == "seeded" and card["folder"] == str(model)
    verified, = run("models", "verify", model, "--json", home=home).lines
    assert verified["passed"] is True
    for check in verified["checks"]:
        assert {"what", "passed", "max_rel_diff", "limit", "note"} <= set(check)
        assert check["max_rel_diff"] <= check["limit"] or check["limit"] == 0
    report, = run("doctor", "--json", home=home).lines
    assert report["machine"]["memory_gb"] > 0.1 and report["machine"]["cores"] >= 1


def test_frames_of_a_film_are_lines_of_their_own(model):  # noqa: F811
    movie = dicom_test_file("examples_ybr_color.dcm")
    options = ("--model", model, "--recipe", "vesalius", "--json")
    for frames, expected in (("first", [0]), ("middle", [15]), ("7", [7]), ("29", [29])):
        lines = run("embed", movie, "--frames", frames, *options).lines
        assert [line["frame"] for line in lines] == expected
    beyond = run("embed", movie, "--frames", "30", *options)
    assert beyond.code in (2, 4) and "30" in beyond.err and beyond.out == ""


@pytest.mark.parametrize("frames", ["-1", "1.5", "1-3", "last", "99999999999999999999"])
def test_frames_that_make_no_sense(model, images, frames):  # noqa: F811
    result = run("embed", images / "a" / "0.png", f"--frames={frames}", "--model", model)
    assert result.code == 2 and "--frames" in result.err, result.err


def test_files_and_standard_output_hold_the_same(model, images, archive, tmp_path):  # noqa: F811
    for number, arguments in enumerate([("classify", images, "--labels", "a,b"), ("search", images, "--index", archive)]):
        out = tmp_path / f"{number}.jsonl"
        result = run(*arguments, "--model", model, "--json", "-o", out)
        assert result.code == 0, result.err
        assert out.read_text() == result.out
        silent = run(*arguments, "--model", model, "-o", out)
        assert silent.out == "" and len([json.loads(line) for line in out.read_text().splitlines()]) == 6
        wrong = run(*arguments, "--model", model, "-o", tmp_path / "x.csv")
        assert wrong.code == 2 and ".jsonl" in wrong.err and not (tmp_path / "x.csv").exists()
