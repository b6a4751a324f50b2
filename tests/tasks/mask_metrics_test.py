"""Figures of masks against independent implementations: DeepMind's surface-distance, MedPy, scipy, scikit-image."""

import itertools
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from scipy import ndimage, optimize

TOOL = pathlib.Path(os.environ["VESALIUS_BUILD"]) / "tasks_mask_metrics"
SPACINGS = [(1, 1, 1), (0.7, 0.7, 3), (2, 1, 0.5), (0.8, 1.3, 2.1)]
SIZES = [(24, 20, 12), (31, 17, 1), (1, 9, 14), (9, 1, 1)]


def run(lines):
    done = subprocess.run([TOOL], input="".join(json.dumps(line) + "\n" for line in lines), text=True,
                          capture_output=True, check=True)
    out = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(out) == len(lines)
    return out


def blobs(seed, size, share=0.3, smooth=2.0):
    """Smooth random shapes, [slices, rows, columns]; some reach the grid's edge."""
    noise = np.random.default_rng(seed).normal(size=size[::-1])
    noise = ndimage.gaussian_filter(noise, [min(smooth, n / 4) for n in noise.shape])
    return noise > np.quantile(noise, 1 - share)


def stored(folder, name, mask):
    path = folder / name
    path.write_bytes(np.ascontiguousarray(mask).tobytes())
    return str(path)


def squeezed(mask, spacing):
    """As the reference libraries take it: two dimensions for a single slice, spacing of the slowest axis first."""
    return (mask[0], spacing[1::-1]) if len(mask) == 1 else (mask, spacing[::-1])


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masks")
    cases, lines = [], []
    for number, (size, spacing) in enumerate(itertools.product(SIZES, SPACINGS)):
        truth, prediction = blobs(number, size), blobs(1000 + number, size, 0.25)
        prediction |= truth & blobs(2000 + number, size, 0.8)
        if number % 4 == 1:  # far apart: a voxel each in opposite corners
            truth, prediction = np.zeros_like(truth), np.zeros_like(prediction)
            truth.flat[0] = prediction.flat[-1] = True
        tolerance = (0.5, 1, 2, 4)[number % 4]
        cases.append((truth, prediction, spacing, tolerance))
        lines.append({"size": size, "spacing": spacing, "tolerance": tolerance,
                      "truth": stored(folder, f"{number}.t", truth),
                      "prediction": stored(folder, f"{number}.p", prediction)})
    return cases, run(lines)


@pytest.fixture(scope="module")
def deepmind():
    np.Inf = np.inf  # a name that numpy 2 took away
    return pytest.importorskip("surface_distance")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_surface_dice_is_deepminds(cases, deepmind):
    values = set()
    for (truth, prediction, spacing, tolerance), got in zip(*cases):
        (a, mm), (b, _) = squeezed(truth, spacing), squeezed(prediction, spacing)
        distances = deepmind.compute_surface_distances(a, b, mm)
        expected = deepmind.compute_surface_dice_at_tolerance(distances, tolerance)
        assert got["surface_dice"] == pytest.approx(expected, abs=1e-12)
        average = np.average(
            np.concatenate([distances["distances_gt_to_pred"], distances["distances_pred_to_gt"]]),
            weights=np.concatenate([distances["surfel_areas_gt"], distances["surfel_areas_pred"]]))
        assert got["element_distance"] == pytest.approx(average, abs=1e-9)
        assert got["dice"] == pytest.approx(deepmind.compute_dice_coefficient(a, b), abs=1e-12)
        values.add(round(expected, 3))
    assert len(values) > 8 and 0 < min(values - {0}) < 0.9


@pytest.mark.parametrize("spacing", SPACINGS)
def test_every_neighbourhood_has_deepminds_area(deepmind, spacing):
    from surface_distance import lookup_tables

    got, = run([{"areas": spacing}])
    areas = lookup_tables.create_table_neighbour_code_to_surface_area(spacing[::-1])
    kernel = lookup_tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL
    lengths = lookup_tables.create_table_neighbour_code_to_contour_length(spacing[1::-1])
    flat = lookup_tables.ENCODE_NEIGHBOURHOOD_2D_KERNEL
    for code in range(256):
        voxels = np.array([code >> bit & 1 for bit in range(8)]).reshape(2, 2, 2)
        assert got["areas"][code] == pytest.approx(areas[np.sum(kernel * voxels)], abs=1e-12), bin(code)
        if code < 16:
            assert got["lengths"][code] == pytest.approx(lengths[np.sum(flat * voxels[0])], abs=1e-12), bin(code)


def test_distances_are_medpys(cases):
    binary = pytest.importorskip("medpy.metric.binary")
    for (truth, prediction, spacing, _), got in zip(*cases):
        (a, mm), (b, _) = squeezed(truth, spacing), squeezed(prediction, spacing)
        assert got["dice"] == pytest.approx(binary.dc(b, a))
        assert got["iou"] == pytest.approx(binary.jc(b, a))
        assert got["hausdorff"] == pytest.approx(binary.hd(b, a, mm))
        assert got["hausdorff_95"] == pytest.approx(binary.hd95(b, a, mm))
        assert got["mean_distance"] == pytest.approx(binary.assd(b, a, mm))


def test_overlaps_are_simpleitks(cases):
    sitk = pytest.importorskip("SimpleITK")
    for (truth, prediction, _, _), got in zip(*cases):
        measures = sitk.LabelOverlapMeasuresImageFilter()
        measures.Execute(*(sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (truth, prediction)))
        assert got["dice"] == pytest.approx(measures.GetDiceCoefficient())
        assert got["iou"] == pytest.approx(measures.GetJaccardCoefficient())


@pytest.mark.parametrize("size", [(40, 30, 20), (64, 1, 1), (1, 1, 50), (33, 47, 1), (1, 1, 1)])
@pytest.mark.parametrize("spacing", SPACINGS)
def test_the_distance_transform_is_scipys_to_the_last_bit(tmp_path, size, spacing):
    masks = [blobs(3, size, 0.2), np.random.default_rng(4).random(size[::-1]) < 0.01]
    masks[0].flat[0] = masks[1].flat[-1] = True  # the second: few points, far apart
    got = run([{"size": size, "spacing": spacing, "set": stored(tmp_path, f"{i}", m)} for i, m in enumerate(masks)])
    for mask, distances in zip(masks, got):
        expected = ndimage.distance_transform_edt(~mask, sampling=spacing[::-1])
        # Where two points are equally near but for rounding, scipy may name the other.
        np.testing.assert_allclose(np.reshape(distances, mask.shape), expected, rtol=4e-16, atol=0)


def test_components_are_scikit_images(tmp_path):
    measure = pytest.importorskip("skimage.measure")
    sizes = [(30, 20, 10), (50, 40, 1), (7, 1, 9), (64, 64, 1)]
    masks = [np.random.default_rng(i).random(s[::-1]) < share for i, s in enumerate(sizes) for share in (0.3, 0.6)]
    got = run([{"size": m.shape[::-1], "mask": stored(tmp_path, f"{i}", m)} for i, m in enumerate(masks)])
    for mask, labels in zip(masks, got):
        expected = measure.label(mask, connectivity=1)
        assert expected.max() > 1
        np.testing.assert_array_equal(np.reshape(labels, mask.shape), expected)


def hungarian(truth, prediction, least):
    """The challenge's count: as many pairs as can be, then as much IoU."""
    objects = [[m == v for v in np.unique(m[m > 0])] for m in (truth, prediction)]
    iou = np.array([[np.sum(a & b) / np.sum(a | b) for b in objects[1]] for a in objects[0]])
    rows, columns = optimize.linear_sum_assignment(-1.0 * (iou >= least) - iou / (2 * max(1, min(iou.shape))))
    shares = iou[rows, columns]
    shares = shares[shares >= least]
    return len(shares), len(objects[0]), len(objects[1]), np.mean(2 * shares / (1 + shares)) if len(shares) else 0


@pytest.mark.parametrize("least", [0.5, 0.6, 0.9])
def test_objects_are_matched_as_by_the_hungarian_method(tmp_path, least):
    lines, pairs = [], []
    for seed in range(6):
        truth = ndimage.label(blobs(seed, (80, 80, 1), 0.4))[0]
        prediction = np.roll(truth, seed % 3, axis=2) * 7  # labels need not be 1, 2, 3
        prediction[(truth % 5) == seed % 5] = 0
        pairs.append((truth, prediction))
    halves = np.zeros((1, 4, 8), int)
    halves[0, 1], halves[0, 2] = [1] * 8, [2, 2, 2, 2, 2, 2, 0, 0]
    split = np.zeros_like(halves)
    split[0, 1], split[0, 2] = [1, 1, 1, 1, 2, 2, 2, 2], [3, 3, 3, 0, 0, 0, 0, 0]  # IoU of 0.5 each
    pairs += [(halves, split), (split, halves)]
    for i, pair in enumerate(pairs):
        files = [stored(tmp_path, f"{i}{name}", m.astype(np.uint32)) for name, m in zip("tp", pair)]
        lines.append({"objects": files, "iou": least})
    counts = set()
    for pair, got in zip(pairs, run(lines)):
        matched, of_truth, of_prediction, dice = hungarian(*pair, least)
        assert got["matched"] == matched
        assert (got["missed"], got["invented"]) == (of_truth - matched, of_prediction - matched)
        assert got["f1"] == pytest.approx(2 * matched / (of_truth + of_prediction))
        assert got["matched_dice"] == pytest.approx(dice)
        counts.add(matched)
    assert len(counts) > 2


def test_empty_masks(tmp_path):
    some, none = blobs(1, (12, 11, 5)), np.zeros((5, 11, 12), bool)
    files = {"s": stored(tmp_path, "s", some), "n": stored(tmp_path, "n", none)}
    both, missed, invented = run([{"size": (12, 11, 5), "spacing": (1, 1, 2), "tolerance": 2, "truth": files[t],
                                   "prediction": files[p]} for t, p in ("nn", "sn", "ns")])
    for name in ("dice", "iou", "surface_dice"):
        assert both[name] is None and missed[name] == 0 and invented[name] == 0
    for name in ("hausdorff", "hausdorff_95", "mean_distance"):
        assert both[name] is missed[name] is invented[name] is None
    assert both["instances"]["f1"] is None and missed["instances"]["f1"] == invented["instances"]["f1"] == 0
    assert missed["volumes"] == pytest.approx([some.sum() * 2 / 1000, 0])


def test_equal_masks_and_rotated_masks(tmp_path):
    """A mask is perfect against itself, and a turn of both changes nothing, elongated voxels included."""
    truth, prediction, spacing = blobs(5, (14, 11, 9)), blobs(6, (14, 11, 9)), (0.6, 1.1, 2.5)

    def line(name, t, p, mm):
        return {"size": t.shape[::-1], "spacing": mm, "tolerance": 1.5, "truth": stored(tmp_path, name + "t", t),
                "prediction": stored(tmp_path, name + "p", p)}

    turned = [line(str(axes), truth.transpose(axes), prediction.transpose(axes),
                   [spacing[::-1][a] for a in axes][::-1]) for axes in itertools.permutations(range(3))]
    flipped = line("flip", truth[::-1, :, ::-1], prediction[::-1, :, ::-1], spacing)
    same, first, *others = run([line("same", truth, truth, spacing), *turned, flipped])
    assert (same["dice"], same["iou"], same["surface_dice"], same["instances"]["f1"]) == (1, 1, 1, 1)
    assert (same["hausdorff"], same["hausdorff_95"], same["mean_distance"]) == (0, 0, 0)
    for other in others:
        for name in ("dice", "iou", "surface_dice", "hausdorff", "hausdorff_95", "mean_distance"):
            assert other[name] == pytest.approx(first[name], abs=1e-12), name
