"""vesalius index and search."""

import json

import numpy as np
import pytest

from cli.program import dicom_test_file, images, model, picture, run  # noqa: F401


@pytest.fixture
def index(model, images, tmp_path):  # noqa: F811
    folder = tmp_path / "archive.index"
    result = run("index", "build", images, "-o", folder, "--model", model, "--json")
    assert result.code == 0, result.err
    assert result.lines[0]["added"] == 6
    return folder


def test_search_equals_brute_force(model, images, index):  # noqa: F811
    vectors = {line["input"]: np.array(line["features"], np.float32)
               for line in run("embed", images, "--model", model, "--json").lines}
    for line in run("search", images, "--index", index, "-k", 6, "--model", model, "--json").lines:
        query = vectors[line["input"]]
        expected = sorted(((float(v @ query), name) for name, v in vectors.items()), reverse=True)
        assert [hit["path"] for hit in line["hits"]] == [name for _, name in expected]
        np.testing.assert_allclose([hit["score"] for hit in line["hits"]], [s for s, _ in expected], atol=1e-5)


def test_words_find_images(model, index):  # noqa: F811
    result = run("search", "--text", "mri brain", "--index", index, "-k", 2, "--model", model, "--json")
    assert result.code == 0, result.err
    line, = result.lines
    assert line["input"] == "mri brain" and len(line["hits"]) == 2


def test_the_query_itself_can_be_left_out(model, images, index):  # noqa: F811
    file = images / "a" / "2.png"
    first, = run("search", file, "--index", index, "--model", model, "--json").lines
    assert first["hits"][0]["path"] == str(file)
    without, = run("search", file, "--index", index, "--exclude-self", "--model", model, "--json").lines
    assert str(file) not in [hit["path"] for hit in without["hits"]]


def test_add_appends_and_info_tells(model, images, index, tmp_path):  # noqa: F811
    picture(77).save(tmp_path / "new.png")
    result = run("index", "add", tmp_path / "new.png", "--index", index, "--model", model)
    assert result.code == 0, result.err
    info, = run("index", "info", index, "--json").lines
    assert info["count"] == 7 and len(info["segments"]) == 2
    assert info["weights_sha256"] and info["recipe"].startswith("community@")
    best = run("search", tmp_path / "new.png", "--index", index, "--model", model, "--json").lines[0]["hits"][0]
    assert best["path"] == str(tmp_path / "new.png")
    assert "7 of" in run("index", "info", index).out


def test_other_weights_are_refused(model, images, index, tmp_path):  # noqa: F811
    other = tmp_path / "other"
    assert run("models", "random", "medimageinsight", "--seed", 8, "--size", "tiny", "-o", other).code == 0
    for command in (("search", images, "--index", index), ("index", "add", images, "--index", index),
                    ("classify", images, "--labels", "a,b", "--index", index)):
        result = run(*command, "--model", other)
        assert result.code == 5, result.err
        assert "weights" in result.err
    assert run("index", "info", index, "--json").lines[0]["count"] == 6


def test_other_recipes_are_refused(model, images, index):  # noqa: F811
    result = run("search", images, "--index", index, "--recipe", "azure-endpoint", "--model", model)
    assert result.code == 5
    assert "azure-endpoint@1" in result.err


def test_an_index_remembers_its_recipe(model, images, tmp_path):  # noqa: F811
    folder = tmp_path / "azure.index"
    assert run("index", "build", images, "-o", folder, "--recipe", "azure-endpoint", "--model", model).code == 0
    line = run("search", images / "a" / "0.png", "--index", folder, "--model", model, "--json").lines[0]
    assert line["recipe"] == "azure-endpoint@1"
    assert line["hits"][0]["score"] > 0.9999


def test_building_twice_needs_replace(model, images, index):  # noqa: F811
    again = run("index", "build", images / "a", "-o", index, "--model", model)
    assert again.code == 2 and "--replace" in again.err
    assert run("index", "build", images / "a", "-o", index, "--replace", "--model", model).code == 0
    assert run("index", "info", index, "--json").lines[0]["count"] == 3


@pytest.mark.parametrize("damage", ["vectors", "entries", "header", "gone"])
def test_a_damaged_index_is_refused_by_name(model, images, index, damage):  # noqa: F811
    if damage == "header":
        (index / "index.json").write_text('{"format":')
    elif damage == "gone":
        next(index.glob("vectors-*")).unlink()
    else:
        file = next(index.glob(f"{damage}-*"))
        content = bytearray(file.read_bytes())
        content[5] ^= 1
        file.write_bytes(content)
    result = run("search", images, "--index", index, "--model", model)
    assert result.code == 4, result.err
    assert "index" in result.err and str(index) in result.err
    assert result.out == ""


def test_dicom_identity_is_kept(model, tmp_path):  # noqa: F811
    folder = tmp_path / "d.index"
    assert run("index", "build", dicom_test_file("CT_small.dcm"), "-o", folder, "--model", model,
               "--recipe", "vesalius").code == 0
    hit = run("search", "--text", "ct", "--index", folder, "--model", model, "--json").lines[0]["hits"][0]
    assert hit["modality"] == "CT" and hit["sop_instance_uid"]


def test_nothing_readable_leaves_no_index(model, tmp_path):  # noqa: F811
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    result = run("index", "build", tmp_path / "bad.png", "-o", tmp_path / "i", "--model", model)
    assert result.code == 4
    assert run("index", "info", tmp_path / "i").code == 4


def test_a_page_of_similar_cases(model, images, index, tmp_path):  # noqa: F811
    page = tmp_path / "s.html"
    result = run("search", images / "a", "--text", "<words>", "--index", index, "--html", page, "--model", model)
    assert result.code == 0, result.err
    html = page.read_text()
    assert "&lt;words&gt;" in html and "<words>" not in html
    assert html.count("<article") == 4
