"""evaluate search and evaluate embedding against numpy over the vectors of embed."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from cli.program import model, run  # noqa: F401


@pytest.fixture(scope="module")
def cases(model, tmp_path_factory):  # noqa: F811
    """21 noisy images in four classes, one of them with a single member, each with a text; their vectors beside."""
    folder = tmp_path_factory.mktemp("cases")
    rng = np.random.default_rng(8)
    rows = []
    for number in range(21):
        label = "alone" if number == 20 else ("low", "mid", "high")[number % 3]
        base = {"low": 60, "mid": 110, "high": 160, "alone": 240}[label]
        pixels = np.clip(base + rng.normal(0, 60, (8, 8, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).resize((32, 32)).save(folder / f"{number}.png")
        rows.append({"path": f"{number}.png", "label": label, "text": f"a {label} picture" + " again" * (number % 2)})
    with (folder / "m.csv").open("w") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    (folder / "texts.txt").write_text("".join(row["text"] + "\n" for row in rows))
    images = run("embed", "--manifest", folder / "m.csv", "--model", model, "--json").lines
    texts = run("embed", "--texts", folder / "texts.txt", "--model", model, "--json").lines
    return folder, rows, np.array([l["features"] for l in images]), np.array([l["features"] for l in texts])


def rankings(labels, vectors):
    """For each row: whether the others, nearest first, share its label."""
    scores = vectors @ vectors.T
    for row, label in enumerate(labels):
        order = [i for i in np.argsort(-scores[row], kind="stable") if i != row]
        yield label, np.array([labels[i] == label for i in order]), order


def test_search_figures(model, cases):  # noqa: F811
    folder, rows, vectors, _ = cases
    labels = [row["label"] for row in rows]
    report, = run("evaluate", "search", "--manifest", folder / "m.csv", "-k", "1,4,50", "--model", model, "--json").lines
    known = [(label, hits) for label, hits, _ in rankings(labels, vectors) if hits.any()]
    assert (report["samples"], report["queries"], report["alone_in_class"]) == (21, 20, 1)
    for k in (1, 4, 50):
        values = np.array([hits[:k].sum() / k for _, hits in known])
        assert report[f"precision_at_{k}"]["value"] == pytest.approx(values.mean())
        classes = [np.mean([v for v, (label, _) in zip(values, known) if label == c]) for c in ("low", "mid", "high")]
        assert report[f"precision_at_{k}_by_class"]["value"] == pytest.approx(np.mean(classes))
    average = [np.mean([(n + 1) / (rank + 1) for n, rank in enumerate(np.flatnonzero(hits))]) for _, hits in known]
    assert report["mean_average_precision"]["value"] == pytest.approx(np.mean(average))


@pytest.mark.parametrize("k", [1, 3, 100])
def test_neighbours_vote(model, cases, k):  # noqa: F811
    folder, rows, vectors, _ = cases
    labels = [row["label"] for row in rows]
    names = sorted(set(labels))
    report, = run("evaluate", "embedding", "--manifest", folder / "m.csv", "-k", k, "--model", model, "--json").lines
    said = []
    for _, _, order in rankings(labels, vectors):
        votes = [sum(labels[i] == name for i in order[:k]) for name in names]
        said.append(names[int(np.argmax(votes))])
    assert report["neighbours"] == k
    assert report["accuracy"]["value"] == pytest.approx(np.mean([a == b for a, b in zip(said, labels)]))
    assert np.trace(np.array(report["confusion"])) == sum(a == b for a, b in zip(said, labels))
    assert [one["label"] for one in report["classes"]] == names


def test_pairs_find_each_other(model, cases):  # noqa: F811
    folder, rows, vectors, texts = cases
    words = [row["text"] for row in rows]
    report, = run("evaluate", "embedding", "--manifest", folder / "m.csv", "--model", model, "--json").lines
    for name, scores in (("image_to_text", vectors @ texts.T), ("text_to_image", texts @ vectors.T)):
        ranks = []
        for row in range(len(words)):
            best = max(scores[row][i] for i in range(len(words)) if words[i] == words[row])
            ranks.append(1 + np.sum(scores[row] > best + 1e-7))
        ranks = np.array(ranks)
        for k in (1, 5, 10):
            assert report["pairs"][name][f"recall_at_{k}"]["value"] == pytest.approx(np.mean(ranks <= k), abs=1e-9), name
        assert report["pairs"][name]["median_rank"]["value"] == pytest.approx(np.median(ranks))


def test_unreadable_rows_are_left_out_of_the_figures(model, cases, tmp_path):  # noqa: F811
    folder, rows, _, _ = cases
    lines = (folder / "m.csv").read_text().splitlines()
    (tmp_path / "m.csv").write_text("\n".join([lines[0]] + [f"{folder}/{line}" for line in lines[1:]]
                                              + ["gone.png,low,a low picture"]) + "\n")
    for command in ("search", "embedding", "classify"):
        options = ("--labels", "low, mid, high, alone") if command == "classify" else ()
        result = run("evaluate", command, "--manifest", tmp_path / "m.csv", "--model", model, "--json", *options)
        assert result.code == 3, result.err
        assert "gone.png" in result.err and result.lines[0]["samples"] == 21


@pytest.mark.parametrize("content, command, code, says", [
    ("path,label\n0.png,\n", "search", 4, "no value in the column `label`"),
    ("path,kind\n0.png,a\n", "search", 4, "--label-column"),
    ("label\na\n", "search", 4, "column `path`"),
    ("path,label\n", "search", 4, "m.csv"),
    ("path,label\n0.png,a\n1.png,b\n", "search", 2, "no class has two members"),
    ("path,label\nnone.png,a\nnothing.png,a\n", "search", 4, "none of the manifest's images"),
    ("path,label,label\n0.png,a,b\n", "classify", 4, "named twice"),
    ("path,label\n0.png\n", "classify", 4, "line 2 has 1 fields"),
    ('path,label\n"0.png,a\n', "classify", 4, "never closed"),
])
def test_manifests_that_say_too_little(model, cases, content, command, code, says):  # noqa: F811
    manifest = cases[0] / "wrong.m.csv"
    manifest.write_text(content)
    result = run("evaluate", command, "--manifest", manifest, "--model", model, "--json")
    assert result.code == code, result.err
    assert says in result.err
    assert result.out == ""


def test_json_lines_are_a_manifest_too(model, cases, tmp_path):  # noqa: F811
    folder, rows, _, _ = cases
    manifest = folder / "m.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n\n" for row in rows))
    first, second = (run("evaluate", "search", "--manifest", folder / name, "--model", model, "--json", "--threads", 1).out
                     for name in ("m.csv", "m.jsonl"))
    assert first == second


def test_reports_go_to_a_file_and_a_person_sees_a_table(model, cases, tmp_path):  # noqa: F811
    folder = cases[0]
    out = tmp_path / "figures.jsonl"
    result = run("evaluate", "classify", "--manifest", folder / "m.csv", "--model", model, "-o", out)
    assert result.code == 0, result.err
    report = json.loads(out.read_text())
    assert report["task"] == "classify"
    assert f"{report['accuracy']['value']:.3f}" in result.out
    for one in report["classes"]:
        row = next(line for line in result.out.splitlines() if line.startswith(one["label"] + " "))
        assert f"{one['f1']:.3f}" in row and f" {one['count']} " in row
    wrong = run("evaluate", "classify", "--manifest", folder / "m.csv", "--model", model, "-o", tmp_path / "f.csv")
    assert wrong.code == 2 and ".jsonl" in wrong.err
