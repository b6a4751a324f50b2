"""Labels in files, groups that depend on each other, templates: against numpy over the vectors of embed."""

import numpy as np
import pytest

from cli.program import images, model, picture, run  # noqa: F401


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("one") / "one.png"
    picture(2).save(path)
    return path


def unit(x):
    x = np.asarray(x, np.float64)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def texts(model, *words):  # noqa: F811
    options = [part for word in words for part in ("--text", word)]
    return np.array([line["features"] for line in run("embed", *options, "--model", model, "--json").lines])


def image(model, file):  # noqa: F811
    return np.array(run("embed", file, "--model", model, "--json").lines[0]["features"])


def scores(model, file, *options):  # noqa: F811
    result = run("classify", file, "--model", model, "--json", *options)
    assert result.code == 0, result.err
    return result.lines[0]["scores"]


def by_label(entries):
    return {entry["label"]: entry["score"] for entry in entries}


def scale_of(model, file):  # noqa: F811
    """exp(logit_scale), from the scores of two labels alone."""
    both = by_label(scores(model, file, "--labels", "a, zz"))
    cosines = texts(model, "a", "zz") @ image(model, file)
    return (np.log(both["a"]) - np.log(both["zz"])) / (cosines[0] - cosines[1])


@pytest.mark.parametrize("templates", [["x-ray chest {}"], ["{}"], ["ct {}", "mri {} seen", "{}"]])
def test_templates_are_averaged_as_unit_vectors(model, file, templates):  # noqa: F811
    labels = ["pneumonia", "no finding", "effusion, left"]
    words = [template.replace("{}", label) for label in labels for template in templates]
    classes = unit(unit(texts(model, *words)).reshape(len(labels), len(templates), -1).mean(1))
    logits = scale_of(model, file) * classes @ unit(image(model, file))
    expected = np.exp(logits - logits.max())
    expected /= expected.sum()
    labels_file = file.parent / "labels.txt"
    labels_file.write_text("\n".join(labels) + "\n")
    options = [part for template in templates for part in ("--template", template)]
    found = by_label(scores(model, file, "--labels-file", labels_file, *options))
    assert list(found) == [labels[i] for i in np.argsort(-expected, kind="stable")]
    np.testing.assert_allclose([found[label] for label in labels], expected, rtol=2e-3)


def test_sigmoid_is_of_the_scaled_cosine(model, file):  # noqa: F811
    found = by_label(scores(model, file, "--labels", "a, b, c", "--scores", "sigmoid"))
    logits = scale_of(model, file) * texts(model, "a", "b", "c") @ image(model, file)
    np.testing.assert_allclose([found[label] for label in "abc"], 1 / (1 + np.exp(-logits)), rtol=5e-3)


def test_a_group_is_asked_only_where_its_condition_holds(model, file):  # noqa: F811
    labels = file.parent / "groups.txt"
    labels.write_text("# kind\nfirst\nsecond\n\n# more | a {} thing | when kind = first\nred\nblue\n\n"
                      "# other | when kind = second\nbig\nsmall\n\n# deeper | when more = red, blue\nx\ny\n"
                      "# deepest | when other = big, small\nz\nw\n")
    entries = scores(model, file, "--labels-file", labels)
    groups = list(dict.fromkeys(entry["group"] for entry in entries))
    best = entries[0]["label"]
    assert groups == ["kind", *({"first": ["more", "deeper"], "second": ["other", "deepest"]}[best])]
    for group in groups:
        assert sum(entry["score"] for entry in entries if entry["group"] == group) == pytest.approx(1)


def test_top_cuts_each_group_and_keeps_its_scores(model, file):  # noqa: F811
    whole = scores(model, file, "--labels", "a, b, c, d, e")
    assert scores(model, file, "--labels", "a, b, c, d, e", "--top", 2) == whole[:2]
    assert scores(model, file, "--labels", "a, b, c, d, e", "--top", 99) == whole


def test_labels_are_cut_at_commas_and_trimmed(model, file):  # noqa: F811
    assert set(by_label(scores(model, file, "--labels", " a ,b,, c c ,"))) == {"a", "b", "c c"}


@pytest.mark.parametrize("content, says", [
    ("", "no label"),
    ("# group\n", "no label in 'group'"),
    ("#\na\n", "needs a name"),
    ("a\nb\na\n", "'a' comes twice"),
    ("# g\na\n# g\nb\n", "the group 'g' comes twice"),
    ("# g | no gap\na\n", "neither a template"),
    ("# g | when kind\na\n", "'when GROUP = LABEL"),
    ("# g | when later = x\na\n# later\nx\n", "must stand before it"),
    ("# k\nx\n# g | when k = y\na\n", "'y', which 'k' does not have"),
])
def test_wrong_label_files_are_usage_errors_that_name_the_file(model, file, tmp_path, content, says):  # noqa: F811
    labels = tmp_path / "my labels.txt"
    labels.write_text(content)
    result = run("classify", file, "--labels-file", labels, "--model", model)
    assert result.code == 2, result.err
    assert says in result.err and "my labels.txt" in result.err
    assert result.out == ""


def test_a_label_file_that_is_not_there(model, file):  # noqa: F811
    result = run("classify", file, "--labels-file", "/nowhere/labels.txt", "--model", model)
    assert result.code == 4 and "/nowhere/labels.txt" in result.err


def test_windows_lines_and_signs_in_labels(model, file, tmp_path):  # noqa: F811
    labels = tmp_path / "l.txt"
    labels.write_bytes("\\# no heading\r\nZürich\r\n  spaced  \r\n\r\n".encode())
    assert set(by_label(scores(model, file, "--labels-file", labels))) == {"# no heading", "Zürich", "spaced"}


def test_what_a_person_reads_is_what_the_lines_say(model, file):  # noqa: F811
    entries = scores(model, file, "--labels", "alpha, beta, gamma")
    shown = run("classify", file, "--labels", "alpha, beta, gamma", "--model", model).out.splitlines()
    assert shown[0] == str(file)
    for line, entry in zip(shown[1:], entries):
        assert line.split()[:2] == [f"{100 * entry['score']:.1f}", "%"]
        assert line.rstrip().endswith(entry["label"])
        assert line.count("━") == round(20 * entry["score"])
