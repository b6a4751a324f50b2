"""The figures of evaluate against scikit-learn's and scipy's, over drawn tables with ties and absent classes."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
import scipy.stats

TOOL = pathlib.Path(os.environ["VESALIUS_BUILD"]) / "tasks_figures"
metrics = pytest.importorskip("sklearn.metrics")


def run(lines):
    done = subprocess.run([TOOL], input="".join(json.dumps(line) + "\n" for line in lines), text=True,
                          capture_output=True, check=True)
    out = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(out) == len(lines)
    return out


def drawn(seed, samples, classes, distinct):
    """Truth that misses the last class now and then, scores with ties but one best each."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes - (seed % 3 == 0 and classes > 2), samples)
    scores = rng.integers(0, distinct, (samples, classes)) / distinct
    scores[np.arange(samples), rng.integers(0, classes, samples)] += 1.5
    return truth, scores


@pytest.fixture(scope="module")
def tables():
    shapes = [(1, 2, 3), (2, 2, 2), (7, 3, 2), (12, 4, 5), (40, 2, 10), (60, 6, 4), (25, 9, 100)]
    cases = [drawn(seed, *shape) for seed in range(4) for shape in shapes]
    return cases, run([{"truth": t.tolist(), "scores": s.tolist()} for t, s in cases])


def test_accuracy_confusion_and_f1(tables):
    for (truth, scores), report in zip(*tables):
        said, every = scores.argmax(1), np.arange(scores.shape[1])
        assert report["samples"] == len(truth)
        assert report["accuracy"]["value"] == pytest.approx(metrics.accuracy_score(truth, said))
        assert report["confusion"] == metrics.confusion_matrix(truth, said, labels=every).tolist()
        f1 = metrics.f1_score(truth, said, labels=every, average=None, zero_division=0)
        assert [one["f1"] for one in report["classes"]] == pytest.approx(f1.tolist())
        assert report["macro_f1"]["value"] == pytest.approx(metrics.f1_score(truth, said, average="macro"))


def test_sensitivity_is_recall(tables):
    for (truth, scores), report in zip(*tables):
        recall = metrics.recall_score(truth, scores.argmax(1), labels=np.arange(scores.shape[1]), average=None,
                                      zero_division=0)
        for c, one in enumerate(report["classes"]):
            if (truth == c).any():
                assert one["sensitivity"]["value"] == pytest.approx(recall[c])
            else:
                assert one["sensitivity"] is None and one["count"] == 0


def test_areas_of_each_class_and_their_means(tables):
    for (truth, scores), report in zip(*tables):
        areas, precisions = [], []
        for c, one in enumerate(report["classes"]):
            member = truth == c
            if member.all() or not member.any():
                assert one["auroc"] is None
            else:
                areas.append(metrics.roc_auc_score(member, scores[:, c]))
                assert one["auroc"]["value"] == pytest.approx(areas[-1])
            if member.any():
                precisions.append(metrics.average_precision_score(member, scores[:, c]))
                assert one["average_precision"]["value"] == pytest.approx(precisions[-1])
            else:
                assert one["average_precision"] is None
        for name, values in (("macro_auroc", areas), ("macro_average_precision", precisions)):
            if values:
                assert report[name]["value"] == pytest.approx(np.mean(values))
            else:
                assert report[name] is None


def test_every_interval_holds_its_value_and_stays_a_share(tables):
    def look(value):
        if isinstance(value, dict) and "low" in value:
            assert 0 <= value["low"] <= value["high"] <= 1, value
            assert 0 <= value["value"] <= 1
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            look(inner)

    for report in tables[1]:
        look(report)


def test_wilson_is_scipys():
    cases = [(k, n) for n in (1, 2, 9, 30, 500) for k in sorted({0, 1, n // 3, n // 2, n - 1, n})]
    for (k, n), figure in zip(cases, run([{"successes": k, "trials": n} for k, n in cases])):
        interval = scipy.stats.binomtest(k, n).proportion_ci(0.95, "wilson")
        assert (figure["low"], figure["high"]) == pytest.approx((interval.low, interval.high), abs=1e-12), (k, n)


def test_the_bootstrap_is_as_wide_as_scipys():
    truth, scores = drawn(5, 300, 2, 50)
    report, = run([{"truth": truth.tolist(), "scores": scores.tolist()}])
    area = report["macro_auroc"]

    def statistic(index):
        return np.mean([metrics.roc_auc_score(truth[index] == c, scores[index, c]) for c in (0, 1)])

    reference = scipy.stats.bootstrap((np.arange(300),), statistic, n_resamples=400, method="percentile",
                                      vectorized=False, rng=np.random.default_rng(1)).confidence_interval
    width = reference.high - reference.low
    assert area["low"] == pytest.approx(reference.low, abs=0.25 * width)
    assert area["high"] == pytest.approx(reference.high, abs=0.25 * width)


def test_a_seed_gives_the_same_interval_and_another_one_another():
    truth, scores = drawn(6, 40, 3, 7)
    table = {"truth": truth.tolist(), "scores": scores.tolist()}
    first, second, other = run([table, table, table | {"seed": 1}])
    assert first == second
    assert first["macro_f1"]["value"] == other["macro_f1"]["value"]
    assert first["macro_f1"] != other["macro_f1"]
