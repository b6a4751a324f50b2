"""vesalius classify and evaluate: words, groups, pages, figures."""

import csv
import json

import numpy as np
import pytest
import scipy.stats

from cli.program import images, model, picture, run  # noqa: F401


def test_scores_are_the_softmax_of_scaled_cosines(model, images):  # noqa: F811
    file, labels = images / "a" / "0.png", ["no finding", "pneumonia", "covid-19"]
    line, = run("classify", file, "--labels", ",".join(labels), "--model", model, "--json").lines
    image = np.array(run("embed", file, "--model", model, "--json").lines[0]["features"])
    texts = [arg for label in labels for arg in ("--text", label)]
    words = np.array([l["features"] for l in run("embed", *texts, "--model", model, "--json").lines])
    cosines = words @ image
    scores = {entry["label"]: entry["score"] for entry in line["scores"]}
    assert abs(sum(scores.values()) - 1) < 1e-9
    values = np.array([scores[label] for label in labels])
    # Softmax fixes ratios: log p_i - log p_j = scale (cos_i - cos_j), one scale for all.
    scales = (np.log(values[1:]) - np.log(values[0])) / (cosines[1:] - cosines[0])
    np.testing.assert_allclose(scales, scales[0], rtol=1e-2)
    assert [e["score"] for e in line["scores"]] == sorted((e["score"] for e in line["scores"]), reverse=True)


def test_templates_are_an_ensemble(model, images):  # noqa: F811
    file = images / "a" / "0.png"

    def scores(*options):
        line, = run("classify", file, "--labels", "mass, none", "--model", model, "--json", *options).lines
        return {entry["label"]: entry["score"] for entry in line["scores"]}

    both = scores("--template", "ct {}", "--template", "mri {} seen")
    assert both != scores("--template", "ct {}")
    assert scores("--template", "{}") == scores()


def test_groups_and_top(model, images):  # noqa: F811
    labels = images.parent / "labels.txt"
    labels.write_text("# modality | a {} image\nx-ray\nCT\nMR\n\n# finding | when modality = x-ray, CT, MR\n"
                      "effusion, left\nnone\n")
    line, = run("classify", images / "a" / "0.png", "--labels-file", labels, "--top", 2, "--model", model,
                "--json").lines
    assert [entry["group"] for entry in line["scores"]] == ["modality"] * 2 + ["finding"] * 2
    assert {"effusion, left", "none"} == {entry["label"] for entry in line["scores"][2:]}


def test_sigmoid_scores_stand_alone(model, images):  # noqa: F811
    line, = run("classify", images / "a" / "0.png", "--labels", "a, b", "--scores", "sigmoid", "--model", model,
                "--json").lines
    assert all(0 < entry["score"] < 1 for entry in line["scores"])


def test_a_person_sees_bars(model, images):  # noqa: F811
    result = run("classify", images / "a" / "0.png", "--labels", "a, b", "--model", model)
    assert "%" in result.out and "0.png" in result.out and "{" not in result.out


def test_page_is_whole_and_escaped(model, images, tmp_path):  # noqa: F811
    evil = images / "a" / "<img src=x onerror=alert(1)>.png"
    picture(9).save(evil)
    (images / "b" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    index = tmp_path / "i"
    assert run("index", "build", images / "a", "-o", index, "--model", model).code == 0
    page = tmp_path / "out.html"
    result = run("classify", images, "--labels", "CT, <b>MR</b>", "--index", index, "--html", page, "--model", model)
    assert result.code == 3, result.err
    html = page.read_text()
    assert "<img src=x" not in html and "<b>MR" not in html
    assert html.count("<article") == 7
    assert html.count("data:image/jpeg;base64,") > 7
    assert "broken.png" in html and "not a medical device" in html
    assert "http:" not in html and "https:" not in html


@pytest.fixture
def labelled(tmp_path):
    """Dark, middle and bright noise: three classes that any embedding tells apart."""
    rows, rng = [], np.random.default_rng(3)
    for number in range(18):
        label = ("dark", "middle", "bright")[number % 3]
        from PIL import Image

        base = {"dark": 20, "middle": 120, "bright": 220}[label]
        Image.fromarray((base + rng.integers(-15, 15, (24, 24, 3))).astype(np.uint8)).save(tmp_path / f"{number}.png")
        rows.append({"path": f"{number}.png", "label": label, "text": f"a {label} image"})
    with (tmp_path / "m.csv").open("w") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path / "m.csv"


def macro_f1(truth, said, names):
    """F1 of each class from its counts, averaged, as scikit-learn's f1_score(average="macro")."""
    values = []
    for name in names:
        both = sum(t == s == name for t, s in zip(truth, said))
        values.append(2 * both / (truth.count(name) + said.count(name)))
    return np.mean(values)


def macro_auroc(truth, scores, names):
    """One against the rest by rank sums, ties shared, as roc_auc_score(multi_class="ovr")."""
    values = []
    for column, name in enumerate(names):
        positive = np.array([t == name for t in truth])
        ranks = scipy.stats.rankdata(scores[:, column])
        n, m = positive.sum(), (~positive).sum()
        values.append((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))
    return np.mean(values)


def test_evaluate_classify_equals_scipys_ranks(model, labelled):  # noqa: F811
    report, = run("evaluate", "classify", "--manifest", labelled, "--model", model, "--json").lines
    lines = run("classify", "--manifest", labelled, "--labels", "bright,dark,middle", "--model", model, "--json").lines
    truth = [line["label"] for line in lines]
    names = ["bright", "dark", "middle"]
    scores = np.array([[{e["label"]: e["score"] for e in line["scores"]}[name] for name in names] for line in lines])
    said = [names[i] for i in scores.argmax(1)]
    assert report["accuracy"]["value"] == pytest.approx(np.mean([t == s for t, s in zip(truth, said)]))
    assert report["macro_f1"]["value"] == pytest.approx(macro_f1(truth, said, names))
    assert report["macro_auroc"]["value"] == pytest.approx(macro_auroc(truth, scores, names))
    for figure in ("accuracy", "macro_f1", "macro_auroc"):
        assert report[figure]["low"] <= report[figure]["value"] <= report[figure]["high"]


def test_evaluate_search_and_embedding_find_the_classes(model, labelled):  # noqa: F811
    search, = run("evaluate", "search", "--manifest", labelled, "-k", "1,5", "--model", model, "--json").lines
    assert search["samples"] == 18
    assert search["precision_at_1"]["value"] > 0.9
    assert {"precision_at_5", "precision_at_5_by_class", "mean_average_precision"} <= set(search)
    embedding, = run("evaluate", "embedding", "--manifest", labelled, "-k", 3, "--model", model, "--json").lines
    assert embedding["accuracy"]["value"] > 0.9
    assert embedding["pairs"]["pairs"] == 18
    assert 0 <= embedding["pairs"]["image_to_text"]["recall_at_5"]["value"] <= 1


def test_evaluate_is_repeatable_and_a_person_can_read_it(model, labelled):  # noqa: F811
    first, second = (run("evaluate", "search", "--manifest", labelled, "--seed", 5, "--model", model, "--json").out
                     for _ in range(2))
    assert first == second
    text = run("evaluate", "classify", "--manifest", labelled, "--model", model).out
    assert "accuracy" in text and "(" in text and "{" not in text


@pytest.mark.parametrize("options, code, says", [
    (("--label-column", "truth"), 4, "no column `truth`"),
    (("--labels", "dark, bright"), 2, "'middle'"),
    (("--frames", "all"), 2, "one frame"),
])
def test_evaluate_refuses_what_makes_no_sense(model, labelled, options, code, says):  # noqa: F811
    result = run("evaluate", "classify" if "--labels" in options else "search", "--manifest", labelled, *options,
                 "--model", model)
    assert result.code == code, result.err
    assert says in result.err
