"""The existence statistic and its Beta distributions against scipy, for every published target."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
import scipy.stats

TOOL = pathlib.Path(os.environ["VESALIUS_BUILD"]) / "tasks_existence"


def run(*lines):
    done = subprocess.run([TOOL], input="".join(json.dumps(line) + "\n" for line in lines), text=True,
                          capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def table():
    table, = run({"table": True})
    assert len(table) == 14 and sum(map(len, table.values())) == 64
    return table


@pytest.fixture(scope="module")
def statistics(table):
    """(parameters, features, statistic) of twenty values a target, 0 and 1 among them."""
    rng = np.random.default_rng(0)
    questions, parameters = [], []
    for modality, targets in table.items():
        for target, betas in targets.items():
            near = [[scipy.stats.beta(a, b).ppf(q) for a, b in betas] for q in rng.uniform(0.01, 0.99, 10)]
            even = [[x] * 4 for x in np.linspace(0, 1, 10)]
            questions.append({"modality": modality, "target": target, "features": near + even})
            parameters.append(betas)
    got = np.array(run(*questions))
    assert got.shape == (64, 20)
    return np.array(parameters), np.array([q["features"] for q in questions]), got


def test_the_statistic_of_every_target_is_scipys(statistics):
    parameters, features, got = statistics
    beta = scipy.stats.beta(parameters[:, None, :, 0], parameters[:, None, :, 1])
    p = 2 * np.minimum(beta.cdf(features), beta.sf(features))
    np.testing.assert_allclose(got, np.prod(p, axis=-1) ** 0.25, atol=1e-6, rtol=0)
    assert got[:, 10].max() == 0 and got[:, 19].max() == 0  # at 0 and at 1
    assert np.median(got[:, :10]) > 0.2


def test_it_is_the_test_that_upstream_makes(statistics):
    """Four Kolmogorov-Smirnov tests of one value each. Upstream's 1 - F rounds p-values below 1e-15, which the
    fourth root magnifies to 1e-4; so the product is compared too, and roots where they are more than that."""
    for betas, rows, values in zip(*statistics):
        for row, value in zip(rows, values):
            product = np.prod([scipy.stats.ks_1samp([x], scipy.stats.beta(a, b).cdf).pvalue
                               for x, (a, b) in zip(row, betas)])
            assert value ** 4 == pytest.approx(product, abs=1e-6)
            if min(value, product ** 0.25) > 1e-2:
                assert value == pytest.approx(product ** 0.25, abs=1e-6)


def test_each_cdf_is_scipys(table):
    """Every single distribution at twenty values, far finer than the statistic needs."""
    betas = [beta for targets in table.values() for four in targets.values() for beta in four]
    queries = [[x, a, b] for a, b in betas for x in np.linspace(0, 1, 20)]
    queries += [[x, a, b] for a in (0.3, 1, 12, 5e4) for b in (0.02, 1, 700) for x in (1e-9, 0.1, 0.5, 0.97, 1 - 1e-9)]
    queries += [[-1, 2, 3], [2, 2, 3]]
    got, = run({"cdf": queries})
    x, a, b = np.array(queries).T
    np.testing.assert_allclose(got, scipy.stats.beta.cdf(x, a, b), atol=1e-10, rtol=0)


def test_check_vectors_of_the_published_code():
    """Of the parameters in full precision, so the last digits differ."""
    got, = run({"cdf": [[0.3, 2, 3], [0.55, 20.553, 16.313]]})
    assert 2 * min(got[0], 1 - got[0]) == pytest.approx(0.6966, abs=1e-9)
    assert 2 * min(got[1], 1 - got[1]) == pytest.approx(0.91734, abs=1e-5)
    features = [[0.98, 0.55, 0.55, 0.55]]
    liver, kidney, lung = run(*({"modality": m, "target": t, "features": features} for m, t in (
        ("CT-Abdomen", "liver"), ("CT-Abdomen", "kidney"), ("X-Ray-Chest", "lung"))))
    assert liver + kidney + lung == pytest.approx([0.82032, 0.71378, 0.24304], abs=1e-4)


def test_targets_without_parameters_have_no_statistic():
    unknown, other = run({"modality": "CT-Abdomen", "target": "uterus", "features": [[0.5] * 4]},
                         {"modality": "PET", "target": "liver", "features": [[0.5] * 4]})
    assert unknown == other == [None]


def published_features(probability, image):
    """What mask_stats of output_processing.py says: of a mask on the scale of 255 and an RGB image."""
    mask = probability.astype(np.float32) * 255
    if mask.max() <= 127:
        return [0, 0, 0, 0]
    return [values[mask >= 128].mean(dtype=float) / 256 for values in (mask, *np.moveaxis(image, -1, 0))]


@pytest.mark.parametrize("highest", [0.3, 127 / 255, 0.6, 1])
def test_features_are_the_published_ones(highest):
    rng = np.random.default_rng(1)
    probability = rng.uniform(0, highest, 500).astype(np.float32)
    probability[:3] = [128 / 255, np.float32(128) / 255 - 1e-6, 0]
    probability = np.minimum(probability, np.float32(highest))
    image = rng.integers(0, 256, (500, 3))
    got, = run({"probability": probability.tolist(), "rgb": image.flatten().tolist()})
    assert got == pytest.approx(published_features(probability, image), abs=1e-7)
    assert (got[0] > 0.5) == (highest > 0.502)


def test_between_127_and_128_nothing_counts_where_upstream_has_no_number():
    got, = run({"probability": [127.5 / 255, 0.2], "rgb": [9] * 6})
    assert got == [0, 0, 0, 0]


@pytest.mark.parametrize("a, b", [(2, 3), (500, 9), (0.7, 0.4), (12, 15), (1, 1)])
def test_fitted_parameters_are_scipys(a, b):
    values = np.clip(scipy.stats.beta(a, b).rvs(400, random_state=3), 1 / 512, 1 - 1 / 512)
    got, = run({"fit": values.tolist()})
    expected = scipy.stats.beta.fit(values, floc=0, fscale=1)[:2]
    assert got == pytest.approx(expected, rel=1e-5)
    assert np.sum(scipy.stats.beta.logpdf(values, *got)) >= np.sum(scipy.stats.beta.logpdf(values, *expected)) - 1e-9


def test_values_at_the_ends_can_be_fitted():
    got, = run({"fit": [0, 0.2, 0.5, 1]})
    assert got == pytest.approx(scipy.stats.beta.fit([1 / 512, 0.2, 0.5, 1 - 1 / 512], floc=0, fscale=1)[:2], rel=1e-5)


@pytest.mark.parametrize("values", [[], [0.2, 0.3], [0.4] * 5, [0.2, 0.4, 1.2], [0.2, 0.4, -0.1]])
def test_what_cannot_be_fitted_is_refused(values):
    done = subprocess.run([TOOL], input=json.dumps({"fit": values}), text=True, capture_output=True)
    assert done.returncode != 0 and "Beta distribution" in done.stderr
