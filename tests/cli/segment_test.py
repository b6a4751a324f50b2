"""vesalius segment: what is asked for, what comes out, and what is refused."""

import json

import numpy as np
import pytest
from PIL import Image

from cli.program import PROGRAM, dicom_test_file, picture, run

GAINS = ("query_feat.weight=16", "query_embed.weight=16", "query_feat_.weight=16", "query_embed_.weight=16",
         "level_embed.weight=16")


def tiny(tmp_path_factory, name):
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    folder = tmp_path_factory.mktemp("model") / name
    gains = [word for gain in GAINS for word in ("--gain", gain)]
    made = run("models", "random", name, "--seed", 7, "--size", "tiny", *gains, "-o", folder)
    assert made.code == 0, made.err
    return folder


@pytest.fixture(scope="module")
def v1(tmp_path_factory):
    return tiny(tmp_path_factory, "biomedparse-v1")


@pytest.fixture(scope="module")
def v2(tmp_path_factory):
    return tiny(tmp_path_factory, "biomedparse-v2")


@pytest.fixture
def film(tmp_path):
    picture(3, (90, 61)).save(tmp_path / "film.png")
    return tmp_path / "film.png"


def volume_file(folder, values, name="volume.nii.gz"):
    nibabel = pytest.importorskip("nibabel")
    path = folder / name
    nibabel.save(nibabel.Nifti1Image(values, np.diag([-0.8, -0.8, 2.5, 1])), path)
    return path


@pytest.fixture
def ct(tmp_path):
    z, y, x = np.mgrid[:7, :40, :36]
    values = (300 * np.sin(x / 5) * np.cos(y / 7) + 40 * z - 100).astype(np.int16)
    return volume_file(tmp_path, values.transpose(2, 1, 0))


def test_a_line_a_prompt(v2, film):
    done = run("segment", film, "--model", v2, "--prompt", "left lung & heart", "--prompt", "rib", "--json")
    assert done.code == 0, done.err
    assert [line["prompt"] for line in done.lines] == ["left lung", "heart", "rib"]
    for line in done.lines:
        assert line["input"] == str(film) and line["research_use_only"] and line["seeded"]
        assert line["present"] == (line["voxels"] > 0)
        assert 0 <= line["existence_probability"] <= 1
        assert line["volume_ml"] is None  # a picture has no spacing
        assert line["recipe_parameters"]["seed"] == 0


def test_masks_are_of_the_inputs_size(v1, film, tmp_path):
    done = run("segment", film, "--model", v1, "--prompt", "left lung", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    mask = np.asarray(Image.open(tmp_path / "out/film_left+lung.png"))
    assert mask.shape == (61, 90) and set(np.unique(mask)) <= {0, 255}
    assert Image.open(tmp_path / "out/film_overview.png").size == (90, 61)
    line = json.loads((tmp_path / "out/film.jsonl").read_text())
    assert line["voxels"] == (mask > 0).sum()


def test_the_same_seed_the_same_masks_another_others(v2, film):
    def voxels(seed):
        done = run("segment", film, "--model", v2, "--prompt", "a & b & c", "--seed", seed, "--json")
        return [(line["voxels"], line["existence_probability"]) for line in done.lines]

    assert voxels(1) == voxels(1)
    assert voxels(1) != voxels(2)


def test_isolated_prompts_do_not_see_each_other(v1, film):
    def found(*options):
        done = run("segment", film, "--model", v1, "--json", *options)
        return {line["prompt"]: line["voxels"] for line in done.lines}

    alone = found("--prompt", "left lung")
    assert found("--prompt", "left lung & liver", "--isolated")["left lung"] == alone["left lung"]


def test_samples_give_uncertainty(v2, film, tmp_path):
    done = run("segment", film, "--model", v2, "--prompt", "heart", "--samples", 3, "--probabilities", "-o",
               tmp_path / "out")
    assert done.code == 0, done.err
    probability = np.asarray(Image.open(tmp_path / "out/film_heart_probability.png"))
    uncertainty = np.asarray(Image.open(tmp_path / "out/film_heart_uncertainty.png"))
    assert probability.std() > 0 and uncertainty.max() > 0


def test_a_volumes_affine_is_kept(v2, ct, tmp_path):
    nibabel = pytest.importorskip("nibabel")
    done = run("segment", ct, "--model", v2, "--prompt", "liver & spleen", "--format", "nifti,npz,json", "-o",
               tmp_path / "out", "--json")
    assert done.code == 0, done.err
    labels = nibabel.load(tmp_path / "out/volume.nii.gz")
    assert np.array_equal(labels.affine, nibabel.load(ct).affine) and labels.shape == (36, 40, 7)
    counts = {line["prompt"]: line for line in done.lines}
    values = np.asarray(labels.dataobj)
    assert (values == 1).sum() == counts["liver"]["voxels"] and (values == 2).sum() == counts["spleen"]["voxels"]
    assert counts["liver"]["volume_ml"] == pytest.approx(counts["liver"]["voxels"] * 0.8 * 0.8 * 2.5 / 1000)
    segs = np.load(tmp_path / "out/volume.npz")["segs"]
    assert np.array_equal(segs, values.transpose(2, 1, 0))


def test_slices_in_other_batches_are_the_same_without_draws(v1, ct):
    def found(batch):
        done = run("segment", ct, "--model", v1, "--prompt", "liver", "--slice-batch", batch, "--json")
        assert done.code == 0, done.err
        return done.lines[0]["voxels"]

    assert found(1) == found(5)


def test_all_targets_of_a_kind(v2, ct):
    done = run("segment", ct, "--model", v2, "--all", "--modality", "CT-Abdomen", "--json")
    assert done.code == 0, done.err
    assert {"liver", "spleen", "pancreas"} <= {line["prompt"] for line in done.lines}


def test_a_dicom_series_as_seg(v2, tmp_path):
    highdicom = pytest.importorskip("highdicom")
    source = dicom_test_file("CT_small.dcm")
    done = run("segment", source, "--model", v2, "--prompt", "liver", "--format", "seg,rtstruct,json", "-o",
               tmp_path / "out")
    assert done.code == 0, done.err
    seg = highdicom.seg.segread(tmp_path / "out/CT_small.seg.dcm")
    assert seg.get_segment_description(1).SegmentLabel == "liver"
    line = json.loads((tmp_path / "out/CT_small.jsonl").read_text())
    assert int(seg.pixel_array.sum()) == line["voxels"]
    assert line["series_instance_uid"]


@pytest.mark.parametrize("arguments, words", [
    (["--prompt", "liver & "], "empty part"),
    ([], "say what to look for"),
    (["--prompt", "x", "--format", "docx"], "docx"),
    (["--all"], "--modality"),
    (["--prompt", "x", "--modality", "Sonar"], "CT-Abdomen"),
    (["--prompt", "x", "--intensity", "purple"], "purple")])
def test_what_cannot_be_meant_is_refused(v2, film, ct, arguments, words):
    done = run("segment", ct if "--intensity" in arguments else film, "--model", v2, *arguments)
    assert done.code == 2 and words in done.err, done.err


def test_seg_needs_dicom(v2, film, tmp_path):
    done = run("segment", film, "--model", v2, "--prompt", "x", "--format", "seg", "-o", tmp_path / "out")
    assert done.code == 4 and "not DICOM" in done.err and "nifti or png" in done.err


@pytest.mark.parametrize("prompts", [["", "x"], ["  "], ["&"], ["liver[SEP]"], ["x", "liver && spleen"]])
def test_an_empty_prompt_stops_before_anything_is_read(v1, prompts, tmp_path):
    asked = [word for prompt in prompts for word in ("--prompt", prompt)]
    done = run("segment", tmp_path / "not there.png", "--model", v1, *asked, "-o", tmp_path / "out")
    assert done.code == 2 and "empty part" in done.err and "liver & spleen" in done.err
    assert not (tmp_path / "out").exists()


def test_a_hundred_prompts(v1, v2, film, tmp_path):
    prompts = [f"target {i}" for i in range(100)]
    for model in (v1, v2):
        done = run("segment", film, "--model", model, "--prompt", " & ".join(prompts), "--json", "-o", tmp_path / "out")
        assert done.code == 0, done.err
        assert [line["prompt"] for line in done.lines] == prompts
        assert len(list((tmp_path / "out").glob("film_target+*.png"))) == 100


def test_no_prompt_is_lost(v2, film, tmp_path):
    prompts = ["a/b", "a:b", "liver", "overview", "x" * 300, "liver"]
    done = run("segment", film, "--model", v2, "--prompt", " & ".join(prompts), "--json", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert [line["prompt"] for line in done.lines] == prompts[:-1]  # a twin is asked once
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"film_a_b.png", "film_a_b-2.png", "film_liver.png", "film_overview-2.png",
                     f"film_{'x' * 120}.png", "film_overview.png", "film.jsonl"}


def test_no_input_takes_the_place_of_another(v2, tmp_path):
    for folder, seed in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        picture(seed).save(tmp_path / folder / "film.png")
    done = run("segment", tmp_path / "a/film.png", tmp_path / "b/film.png", "--model", v2, "--prompt", "x", "--json",
               "-o", tmp_path / "out")
    assert done.code == 0, done.err
    for line, stem in zip(done.lines, ("film", "film-2")):
        assert json.loads((tmp_path / f"out/{stem}.jsonl").read_text()) == line
        assert (np.asarray(Image.open(tmp_path / f"out/{stem}_x.png")) > 0).sum() == line["voxels"]


def test_an_unknown_target_beside_all(v2, ct):
    """Words that no list has are looked for like any others."""
    done = run("segment", ct, "--model", v2, "--all", "--prompt", "flux capacitor & liver", "--modality", "CT-Abdomen",
               "--json")
    assert done.code == 0, done.err
    prompts = [line["prompt"] for line in done.lines]
    assert prompts[:2] == ["flux capacitor", "liver"] and "spleen" in prompts and prompts.count("liver") == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (33, 2)])
def test_pictures_of_hardly_any_pixels(v1, v2, tmp_path, size):
    picture(1, size).save(tmp_path / "small.png")
    for model in (v1, v2):
        done = run("segment", tmp_path / "small.png", "--model", model, "--prompt", "x", "-o", tmp_path / "out")
        assert done.code == 0, done.err
        assert Image.open(tmp_path / "out/small_x.png").size == size


def all_nan(shape):
    return np.full(shape, np.nan, np.float32)


@pytest.mark.parametrize("values, says", [
    (np.zeros((20, 18, 3), np.int16), "all values are the same (0)"),
    (np.full((20, 18, 2), -1000, np.int16), "all values are the same (-1000)"),
    (all_nan((20, 18, 1)), "360 values are no numbers"),
    (np.where(np.arange(720).reshape(20, 18, 2) % 7, np.float32(50), np.float32(np.nan)), "103 values are no numbers"),
    (np.ones((1, 1, 1), np.int16), "all values are the same (1)")])
def test_volumes_with_nothing_in_them(v1, v2, tmp_path, values, says):
    nibabel = pytest.importorskip("nibabel")
    file = volume_file(tmp_path, values)
    for model in (v1, v2):
        done = run("segment", file, "--model", model, "--prompt", "liver", "--json", "-o", tmp_path / "out")
        assert done.code == 0 and len(done.lines) == 1, done.err
        assert says in done.err and any(says in remark for remark in done.lines[0]["remarks"])
        mask = nibabel.load(tmp_path / "out/volume.nii.gz")
        assert mask.shape == values.shape and (np.asarray(mask.dataobj) > 0).sum() == done.lines[0]["voxels"]


def test_one_bad_input_does_not_stop_the_others(v2, film, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture at all")
    done = run("segment", film, tmp_path / "bad.png", "--model", v2, "--prompt", "x", "--json")
    assert done.code == 3 and len(done.lines) == 1 and "bad.png" in done.err


def test_an_embedding_model_is_told_apart(tmp_path, film):
    made = run("models", "random", "medimageinsight", "--size", "tiny", "-o", tmp_path / "other")
    assert made.code == 0
    done = run("segment", film, "--model", tmp_path / "other", "--prompt", "x")
    assert done.code == 5 and "embed" in done.err
