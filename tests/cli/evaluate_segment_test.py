"""evaluate segment: pairs of mask files in all formats against figures computed here, and what it refuses."""

import csv
import gzip
import json

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from cli.program import run


def blobs(seed, shape, share=0.3):
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), [min(2, n / 4) for n in shape])
    return noise > np.quantile(noise, 1 - share)


def dice(a, b):
    return 2 * np.sum(a & b) / (np.sum(a) + np.sum(b)) if a.any() or b.any() else None


def mean(values):
    known = [v for v in values if v is not None]
    return pytest.approx(np.mean(known)) if known else None


def write(path, labels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels.astype(np.uint8)).save(path)


def evaluate(*arguments, code=0):
    result = run("evaluate", "segment", *arguments, "--json")
    assert result.code == code, result.err
    return result.lines[0] if result.out else result.err


@pytest.fixture
def folders(tmp_path):
    """Eight pictures with two labels; in one nothing is there, in one the second is missed, in one invented."""
    predictions, truths = [], []
    for number in range(8):
        truth = blobs(number, (40, 30)) + 2 * (blobs(50 + number, (40, 30), 0.15) & ~blobs(number, (40, 30)))
        predicted = np.roll(truth, 1, axis=1)
        if number == 3:
            truth, predicted = truth * 0, predicted * 0
        if number == 4:
            predicted = np.where(predicted == 2, 0, predicted)
        if number == 5:
            truth = np.where(truth == 2, 0, truth)
        name = f"sub/{number}.png" if number > 5 else f"{number}.png"
        write(tmp_path / "p" / name, predicted)
        write(tmp_path / "t" / name, truth)
        predictions.append(predicted)
        truths.append(truth)
    return tmp_path / "p", tmp_path / "t", predictions, truths


def test_anything_but_zero_is_the_target(folders):
    p, t, predictions, truths = folders
    report = evaluate(p, t)
    target, = report["targets"]
    each = [dice(b > 0, a > 0) for a, b in zip(predictions, truths)]
    assert (report["pairs"], report["unit"], report["task"]) == (8, "pixel", "segment")
    assert (target["target"], target["pairs"], target["present"]) == ("mask", 8, 7)
    assert target["dice"]["value"] == mean(each)
    assert target["iou"]["value"] == mean([d and d / (2 - d) for d in each])
    assert [one["dice"] for one in report["cases"]] == [d if d is None else pytest.approx(d) for d in each]
    assert target["truth_ml"] is None  # of pixels nobody knows the size
    assert "all_targets" not in report


def test_labels_are_targets_of_their_own(folders):
    p, t, predictions, truths = folders
    report = evaluate(p, t, "--labels", "2=tumor, 1=left kidney")
    tumor, kidney = report["targets"]
    assert (tumor["target"], kidney["target"]) == ("tumor", "left kidney")
    assert (tumor["present"], tumor["missed"], tumor["invented"]) == (6, 1, 1)
    assert (kidney["present"], kidney["missed"], kidney["invented"]) == (7, 0, 0)
    means = []
    for label, target in ((2, tumor), (1, kidney)):
        each = [dice(b == label, a == label) for a, b in zip(predictions, truths)]
        assert target["dice"]["value"] == mean(each)
        means.append(target["dice"]["value"])
    assert 0 in [one["dice"] for one in report["cases"] if one["target"] == "tumor"]
    assert report["all_targets"]["dice"]["value"] == pytest.approx(np.mean(means))
    everything = evaluate(p, t, "--labels", "all")
    assert [one["target"] for one in everything["targets"]] == ["1", "2"]
    assert everything["targets"][1]["dice"]["value"] == pytest.approx(
        np.mean([one["dice"] for one in everything["cases"] if one["target"] == "2"]))


def test_intervals_hold_their_values_and_come_from_the_seed(folders):
    p, t, *_ = folders
    first, second, other = (evaluate(p, t, "--seed", seed)["targets"][0] for seed in (1, 1, 2))
    assert first == second != other
    for name in ("dice", "iou", "surface_dice", "hausdorff_95", "mean_surface_distance", "instance_f1"):
        figure = first[name]
        assert figure["low"] <= figure["value"] <= figure["high"], name
        assert figure["low"] < figure["high"], name


def nifti(path, mask, spacing, origin=(0, 0, 0), dtype=np.uint8, flip=1):
    nibabel = pytest.importorskip("nibabel")
    affine = np.diag([flip * spacing[0], spacing[1], spacing[2], 1.0])
    affine[:3, 3] = origin
    path.parent.mkdir(exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(mask.transpose(2, 1, 0).astype(dtype), affine), path)


def test_volumes_are_measured_in_millimetres(tmp_path):
    binary = pytest.importorskip("medpy.metric.binary")
    spacing = (0.8, 0.9, 3.0)
    truth, predicted = blobs(1, (9, 24, 30)), blobs(2, (9, 24, 30)) | blobs(1, (9, 24, 30), 0.2)
    nifti(tmp_path / "t" / "a.nii.gz", truth, spacing)
    nifti(tmp_path / "p" / "a.nii.gz", predicted, spacing, dtype=np.float32)
    report = evaluate(tmp_path / "p", tmp_path / "t")
    target, = report["targets"]
    assert report["unit"] == "mm" and report["tolerance"] == 2
    mm = spacing[::-1]
    assert target["hausdorff"]["value"] == pytest.approx(binary.hd(predicted, truth, mm), rel=1e-6)
    assert target["hausdorff_95"]["value"] == pytest.approx(binary.hd95(predicted, truth, mm), rel=1e-6)
    assert target["mean_surface_distance"]["value"] == pytest.approx(binary.assd(predicted, truth, mm), rel=1e-6)
    assert target["truth_ml"]["value"] == pytest.approx(truth.sum() * np.prod(spacing) / 1000, rel=1e-6)
    assert target["predicted_ml"]["value"] == pytest.approx(predicted.sum() * np.prod(spacing) / 1000, rel=1e-6)


def test_formats_and_spacings_agree(tmp_path):
    """The same masks as NIfTI, as npz with its spacing, and as npz with the spacing told."""
    spacing, truth, predicted = (0.5, 2.0, 4.0), blobs(3, (7, 20, 16)), blobs(4, (7, 20, 16))
    for name, mask in (("t", truth), ("p", predicted)):
        nifti(tmp_path / name / "a.nii", mask, spacing)
        np.savez(tmp_path / f"{name}.npz", segs=mask.astype(np.uint8), spacing=np.array(spacing))
        np.savez(tmp_path / f"{name}_bare.npz", gts=mask.astype(np.uint16))
    rows = [("p/a.nii", "t/a.nii", ""), ("p.npz", "t.npz", ""), ("p_bare.npz", "t.npz", ""),
            ("p_bare.npz", "t_bare.npz", "0.5x2x4")]
    with (tmp_path / "m.csv").open("w") as file:
        writer = csv.writer(file)
        writer.writerow(["prediction", "truth", "spacing", "target"])
        writer.writerows([*row, "liver"] for row in rows)
    report = evaluate("--pairs", tmp_path / "m.csv")
    assert report["unit"] == "mm" and [t["target"] for t in report["targets"]] == ["liver"]
    first, *others = report["cases"]
    for other in others:
        for name in ("dice", "surface_dice", "hausdorff_95", "mean_surface_distance", "truth_ml"):
            assert other[name] == pytest.approx(first[name], rel=1e-6), name
    told = evaluate("--pairs", tmp_path / "m.csv", "--spacing", "1")
    assert told["cases"][0]["hausdorff"] != pytest.approx(first["hausdorff"])
    assert told["cases"][3]["hausdorff"] == pytest.approx(first["hausdorff"], rel=1e-6)  # its own goes first


def test_targets_of_rows_choose_among_the_labels(tmp_path):
    labels = np.zeros((6, 6))
    labels[:3], labels[4:] = 1, 2
    write(tmp_path / "a.png", labels)
    (tmp_path / "m.csv").write_text("prediction,truth,target\na.png,a.png,spleen\na.png,a.png,\n")
    report = evaluate("--pairs", tmp_path / "m.csv", "--labels", "1=liver,2=spleen")
    assert [one["target"] for one in report["cases"]] == ["spleen", "liver", "spleen"]
    (tmp_path / "m.csv").write_text("prediction,truth,target\na.png,a.png,lung\n")
    assert "lung" in evaluate("--pairs", tmp_path / "m.csv", "--labels", "1=liver", code=4)


def test_objects_are_told_apart_by_value(tmp_path):
    """Two touching objects: one by connected components, two by their values."""
    truth = np.zeros((10, 12))
    truth[2:8, 1:6], truth[2:8, 6:11] = 7, 9
    write(tmp_path / "t" / "a.png", truth)
    write(tmp_path / "p" / "a.png", np.where(truth == 9, 0, truth) // 7 * 3)
    one = evaluate(tmp_path / "p", tmp_path / "t")["cases"][0]["objects"]
    two = evaluate(tmp_path / "p", tmp_path / "t", "--objects")["cases"][0]["objects"]
    assert one == {"matched": 1, "missed": 0, "invented": 0}  # IoU of 0.5 is enough
    assert two == {"matched": 1, "missed": 1, "invented": 0}
    strict = evaluate(tmp_path / "p", tmp_path / "t", "--instance-iou", "0.6")["cases"][0]["objects"]
    assert strict == {"matched": 0, "missed": 1, "invented": 1}


def test_kinds_of_png_agree(tmp_path):
    mask = blobs(5, (20, 21))
    grey = mask.astype(np.uint8)
    images = [Image.fromarray(mask), Image.fromarray(grey * 255), Image.fromarray(mask.astype(np.uint16) * 40000),
              Image.fromarray(np.stack([grey * 255] * 3, -1)), Image.fromarray(grey).convert("P")]
    for number, image in enumerate(images):
        folder = tmp_path / "p"
        folder.mkdir(exist_ok=True)
        image.save(folder / f"{number}.png")
        write(tmp_path / "t" / f"{number}.png", mask)
    report = evaluate(tmp_path / "p", tmp_path / "t")
    assert [one["dice"] for one in report["cases"]] == [1] * 5


def test_other_grids_are_refused(tmp_path):
    mask, spacing = blobs(6, (5, 12, 10)), (1, 1, 2)
    nifti(tmp_path / "t.nii", mask, spacing)
    wrong = {"size": (mask[:4], spacing, (0, 0, 0), 1), "spacing": (mask, (1, 1, 2.5), (0, 0, 0), 1),
             "moved": (mask, spacing, (0.5, 0, 0), 1), "turned": (mask, spacing, (9, 0, 0), -1)}
    for name, (voxels, mm, origin, flip) in wrong.items():
        nifti(tmp_path / f"{name}.nii", voxels, mm, origin, flip=flip)
        (tmp_path / "m.csv").write_text(f"prediction,truth\n{name}.nii,t.nii\n")
        message = evaluate("--pairs", tmp_path / "m.csv", code=4)
        assert f"{name}.nii" in message and "t.nii" in message and "on the grid of the truth" in message
    nifti(tmp_path / "rounded.nii", mask, (1, 1, 2.0001), (0.001, 0, 0))
    (tmp_path / "m.csv").write_text("prediction,truth\nrounded.nii,t.nii\n")
    assert evaluate("--pairs", tmp_path / "m.csv")["cases"][0]["dice"] == 1


def test_a_pair_that_fails_is_told_of_and_the_rest_done(tmp_path, folders):
    p, t, *_ = folders
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(p / "2.png")
    (p / "0.png").write_bytes(b"no picture")
    result = run("evaluate", "segment", p, t, "--json")
    assert result.code == 3 and "2.png" in result.err and "0.png" in result.err and "2 of 8 pairs" in result.err
    assert result.lines[0]["pairs"] == 6


def test_truth_without_a_prediction_is_an_error_and_the_reverse_is_not(folders):
    p, t, *_ = folders
    write(p / "more.png", np.zeros((4, 4)))
    result = run("evaluate", "segment", p, t, "--json")
    assert result.code == 0 and "1 predictions have no truth" in result.err and result.lines[0]["pairs"] == 8
    (p / "1.png").unlink()
    message = evaluate(p, t, code=4)
    assert "1 of the 8" in message and "1.png" in message


@pytest.mark.parametrize("content, code, says", [
    (np.full((4, 4), 0.5, np.float32), 4, "whole numbers"),
    (np.full((4, 4), -1, np.int16), 4, "whole numbers"),
    (np.full((4, 4), np.nan, np.float32), 4, "whole numbers"),
])
def test_values_that_are_no_labels(tmp_path, content, code, says):
    nifti(tmp_path / "t" / "a.nii", content[None], (1, 1, 1), dtype=content.dtype)
    nifti(tmp_path / "p" / "a.nii", np.zeros((1, 4, 4)), (1, 1, 1))
    assert says in evaluate(tmp_path / "p", tmp_path / "t", code=code)


def test_colours_are_no_labels(tmp_path):
    write(tmp_path / "t" / "a.png", np.zeros((4, 4)))
    (tmp_path / "p").mkdir()
    Image.new("RGB", (4, 4), (200, 0, 0)).save(tmp_path / "p" / "a.png")
    assert "colours" in evaluate(tmp_path / "p", tmp_path / "t", code=4)


@pytest.mark.parametrize("arguments, code, says", [
    ((), 2, "--pairs"),
    (("p",), 2, "FOLDERS"),
    (("p", "nowhere"), 2, "no folder"),
    (("p", "empty"), 4, "no masks"),
    (("p", "t", "--labels", "liver"), 2, "1=liver"),
    (("p", "t", "--labels", "0=liver"), 2, "1 to 65535"),
    (("p", "t", "--labels", "1=liver,1=spleen"), 2, "once"),
    (("p", "t", "--labels", "1=a", "--objects"), 2, "--objects"),
    (("p", "t", "--spacing", "1x-2"), 2, "spacing"),
    (("p", "t", "--instance-iou", "0.3"), 2, "0.3"),
    (("--pairs", "m.csv"), 4, "`truth`"),
    (("--pairs", "none.csv"), 4, "none.csv"),
    (("--pairs", "heads.csv"), 4, "heads.csv"),
    (("--pairs", "jpeg.csv"), 4, "a.jpg"),
])
def test_what_is_refused(folders, arguments, code, says):
    home = folders[0].parent
    (home / "empty").mkdir()
    (home / "m.csv").write_text("prediction,mask\na.png,b.png\n")
    (home / "heads.csv").write_text("prediction,truth\n")
    (home / "jpeg.csv").write_text("prediction,truth\na.jpg,b.jpg\n")
    result = run("evaluate", "segment", *arguments, "--json", cwd=home)
    assert result.code == code, result.err
    assert says in result.err and result.out == ""


def test_a_person_sees_a_table_and_a_file_gets_the_report(folders, tmp_path):
    p, t, *_ = folders
    result = run("evaluate", "segment", p, t, "--labels", "1=liver,2=spleen", "-o", tmp_path / "f.jsonl")
    report = json.loads((tmp_path / "f.jsonl").read_text())
    assert result.code == 0 and report["research_use_only"] is True
    for target in report["targets"]:
        assert f"{target['target']}: 8 pairs, {target['present']} with the target" in result.out
        assert f"{target['dice']['value']:.3f}  ({target['dice']['low']:.3f}" in result.out
    assert "all targets" in result.out and "pixels" in result.err


def test_damaged_files_do_not_crash(tmp_path):
    nifti(tmp_path / "t" / "a.nii.gz", blobs(7, (4, 10, 10)), (1, 1, 1))
    whole = (tmp_path / "t" / "a.nii.gz").read_bytes()
    plain = gzip.decompress(whole)
    for content in (whole[:40], gzip.compress(plain[:300]), gzip.compress(plain[:-5]), b""):
        (tmp_path / "p").mkdir(exist_ok=True)
        (tmp_path / "p" / "a.nii.gz").write_bytes(content)
        assert "a.nii.gz" in evaluate(tmp_path / "p", tmp_path / "t", code=4)
