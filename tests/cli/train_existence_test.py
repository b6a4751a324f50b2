"""vesalius train existence: Beta parameters from one's own masks, and segment that goes by them."""

import csv
import json

import numpy as np
import pytest
import scipy.stats
from PIL import Image

from cli.program import PROGRAM, picture, run
from cli.segment_test import tiny, volume_file


@pytest.fixture(scope="module")
def v1(tmp_path_factory):
    return tiny(tmp_path_factory, "biomedparse-v1")


def manifest(folder, rows):
    with (folder / "data.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "prompt", "mask", "kind"), *rows])
    return folder / "data.csv"


@pytest.fixture(scope="module")
def outlined(v1, tmp_path_factory):
    """Eight pictures, and as the user's masks those of the model itself, so that they agree."""
    folder = tmp_path_factory.mktemp("outlined")
    for i in range(8):
        picture(i, (40 + 3 * i, 30)).save(folder / f"{i}.png")
    done = run("segment", *(folder / f"{i}.png" for i in range(8)), "--model", v1, "--prompt", "uterus", "--format",
               "png", "-o", folder / "masks")
    assert done.code == 0, done.err
    return folder


def rows_of(folder, kind="CT abdomen", target="uterus"):
    return [(f"{i}.png", target, f"masks/{i}_uterus.png", kind) for i in range(8)]


def fit(data, v1, file, *more):
    return run("train", "existence", "--model", v1, "--data", data, "-o", file, *more)


def test_parameters_are_scipys_and_segment_goes_by_them(v1, outlined, tmp_path):
    done = fit(manifest(outlined, rows_of(outlined)), v1, tmp_path / "e.json", "--json")
    assert done.code == 0, done.err
    line, = done.lines
    assert (line["modality"], line["target"], line["outlined"], line["agreeing"]) == ("CT-Abdomen", "uterus", 8, 8)
    assert line["research_use_only"] and line["weights_sha256"]
    parameters = json.loads((tmp_path / "e.json").read_text())["CT-Abdomen"]["uterus"]
    assert parameters == line["parameters"]
    colours = []
    for i in range(8):
        mask = np.asarray(Image.open(outlined / f"masks/{i}_uterus.png")) > 0
        colours.append(np.asarray(Image.open(outlined / f"{i}.png").convert("RGB"))[mask].mean(0) / 256)
    for (a, b), values in zip(parameters[1:], np.transpose(colours)):
        # The model's masks count from 128 of 255 on, these from a half.
        assert [a, b] == pytest.approx(scipy.stats.beta.fit(values, floc=0, fscale=1)[:2], rel=0.03)

    def asked(*more):
        done = run("segment", outlined / "0.png", "--model", v1, "--prompt", "uterus", "--modality", "CT-Abdomen",
                   "--json", *more)
        assert done.code == 0, done.err
        return done.lines[0], done.err

    without, said = asked()
    assert without["p_value"] is None and "no statistic" in said and "train existence" in said
    assert without["recipe_parameters"]["existence"] == "published"
    with_it, said = asked("--existence", tmp_path / "e.json")
    assert 0.05 <= with_it["p_value"] <= 1 and with_it["voxels"] == without["voxels"] and "no statistic" not in said
    assert len(with_it["recipe_parameters"]["existence"]) == 64


def test_what_is_unusual_is_dropped(v1, outlined, tmp_path):
    (tmp_path / "e.json").write_text(json.dumps({"CT-Abdomen": {"liver": [[900, 1], [2, 900], [2, 900], [2, 900]]}}))
    asked = ["segment", outlined / "0.png", "--model", v1, "--prompt", "liver", "--modality", "CT-Abdomen", "--json"]
    own, published = run(*asked, "--existence", tmp_path / "e.json").lines[0], run(*asked).lines[0]
    assert own["p_value"] < 0.05 and not own["present"]
    assert own["p_value"] != published["p_value"]


def test_all_takes_ones_own_targets_too(v1, outlined, tmp_path):
    rows = rows_of(outlined)[:4] + rows_of(outlined, "PET whole body", "lesion")[4:]
    assert fit(manifest(outlined, rows), v1, tmp_path / "e.json").code == 0

    def tried(kind):
        done = run("segment", outlined / "1.png", "--model", v1, "--all", "--modality", kind, "--existence",
                   tmp_path / "e.json", "--json")
        assert done.code == 0, done.err
        return {line["prompt"]: line["p_value"] for line in done.lines}

    assert tried("PET whole body").keys() == {"lesion"}
    abdomen = tried("ct abdomen")
    assert {"liver", "uterus"} <= abdomen.keys() and None not in abdomen.values()


def test_the_published_layout(v1, outlined, tmp_path):
    for folder in ("train", "train_mask"):
        (tmp_path / folder).mkdir()
    for i in range(8):
        Image.open(outlined / f"{i}.png").save(tmp_path / f"train/{i}_X-Ray_chest.png")
        Image.open(outlined / f"masks/{i}_uterus.png").save(tmp_path / f"train_mask/{i}_X-Ray_chest_foreign+body.png")
    done = fit(tmp_path, v1, tmp_path / "e.json")
    assert done.code == 0, done.err
    assert "X-Ray-Chest, foreign body: from 8 masks; keeps 8 of 8 outlined" in done.out
    assert json.loads((tmp_path / "e.json").read_text())["X-Ray-Chest"].keys() == {"foreign body"}


def test_a_volumes_slices_are_examples(v1, tmp_path):
    z, y, x = np.mgrid[:7, :40, :36]
    values = (300 * np.sin(x / 5 + z) * np.cos(y / 7) + 40 * z - 100).astype(np.int16).transpose(2, 1, 0)
    volume_file(tmp_path, values, "ct.nii.gz")
    done = run("segment", tmp_path / "ct.nii.gz", "--model", v1, "--prompt", "cyst", "--format", "nifti", "-o",
               tmp_path / "out")
    assert done.code == 0, done.err
    nibabel = pytest.importorskip("nibabel")
    mask = nibabel.load(tmp_path / "out/ct.nii.gz")
    labels = np.asarray(mask.dataobj).copy()
    labels[:, :, 5:] = 0
    nibabel.save(nibabel.Nifti1Image(labels, mask.affine), tmp_path / "cyst.nii.gz")
    data = manifest(tmp_path, [("ct.nii.gz", "cyst", "cyst.nii.gz", "")])
    done = fit(data, v1, tmp_path / "e.json", "--modality", "CT-Abdomen", "--json")
    assert done.code == 0, done.err
    line, = done.lines
    assert (line["outlined"], line["agreeing"], line["absent"]) == (5, 5, 2)


def test_a_target_with_too_few_masks_is_named_and_the_rest_done(v1, outlined, tmp_path):
    rows = rows_of(outlined) + [("0.png", "cyst", "masks/0_uterus.png", "CT abdomen"),
                                ("1.png", "cyst", "", "CT abdomen"), ("gone.png", "uterus", "", "CT abdomen")]
    done = fit(manifest(outlined, rows), v1, tmp_path / "e.json")
    assert done.code == 3 and "gone.png" in done.err and "1 of 9 images" in done.err
    assert "CT-Abdomen, cyst: no statistic; 1 outlined" in done.out
    assert json.loads((tmp_path / "e.json").read_text())["CT-Abdomen"].keys() == {"uterus"}


def test_masks_that_do_not_agree_fit_nothing(v1, outlined, tmp_path):
    for i in range(8):
        mask = np.asarray(Image.open(outlined / f"masks/{i}_uterus.png"))
        Image.fromarray(255 - mask).save(tmp_path / f"{i}.png")
    rows = [(outlined / f"{i}.png", "uterus", tmp_path / f"{i}.png", "CT abdomen") for i in range(8)]
    done = fit(manifest(tmp_path, rows), v1, tmp_path / "e.json")
    assert done.code == 4 and "--agreement" in done.err and not (tmp_path / "e.json").exists()
    assert "0 of the model's masks agree" in done.out


def test_what_is_refused(v1, outlined, tmp_path, tmp_path_factory):
    rows = rows_of(outlined)
    data = manifest(outlined, rows)

    def refused(code, words, *arguments):
        done = run(*arguments)
        assert done.code == code and words in done.err, done.err
        assert not (tmp_path / "e.json").exists()

    train = ["train", "existence", "--data", data, "--model"]
    refused(2, "-o existence.json", *train, v1)
    refused(2, "e.txt", *train, v1, "-o", tmp_path / "e.txt")
    v2 = tiny(tmp_path_factory, "biomedparse-v2")
    refused(5, "version 1", *train, v2, "-o", tmp_path / "e.json")
    (tmp_path / "own.json").write_text('{"CT-Abdomen": {"liver": [[1, 2], [1, 2], [1, 2], [1, 2]]}}')
    refused(2, "--existence is for version 1", "segment", outlined / "0.png", "--model", v2, "--prompt", "x",
            "--existence", tmp_path / "own.json")
    (tmp_path / "bad.json").write_text('{"CT-Abdomen": {"liver": [[1, 2]]}}')
    refused(4, "bad.json: 'liver' of 'CT-Abdomen'", "segment", outlined / "0.png", "--model", v1, "--prompt", "x",
            "--existence", tmp_path / "bad.json")
    refused(4, "gone.csv", "train", "existence", "--data", tmp_path / "gone.csv", "--model", v1, "-o",
            tmp_path / "e.json")
    manifest(outlined, [(*row[:3], "") for row in rows])
    refused(2, "column `kind`", *train, v1, "-o", tmp_path / "e.json")
    Image.new("L", (9, 9)).save(outlined / "other.png")
    manifest(outlined, [("0.png", "uterus", "other.png", "CT abdomen")])
    refused(4, "on the grid of the image", *train, v1, "-o", tmp_path / "e.json")
