"""vesalius report: what is asked for, what comes out, and what is refused."""

import csv
import json
import pathlib
import re

import numpy as np
import pydicom
import pytest
from PIL import Image

from cli.program import PROGRAM, dicom_test_file, picture, run

DATA = pathlib.Path(__file__).resolve().parents[3] / "shared/data"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    folder = tmp_path_factory.mktemp("model") / "maira-2"
    made = run("models", "random", "maira-2", "--seed", 7, "--size", "tiny", "-o", folder)
    assert made.code == 0, made.err
    return folder


def grey(seed, size=(160, 120)):
    return picture(seed, size).convert("L")


@pytest.fixture
def films(tmp_path):
    paths = []
    for number, name in enumerate(("frontal", "lateral", "prior")):
        paths.append(tmp_path / f"{name}.png")
        grey(number).save(paths[-1])
    return paths


def report(model, *arguments, tokens=12, forced=True, **more):
    """The tests' films are noise, which the program refuses unless it is forced."""
    exact = () if "--precision" in arguments else ("--precision", "fp32")
    force = ("--force",) if forced else ()
    return run("report", *arguments, "--model", model, *exact, *force, "--max-new-tokens", tokens, **more)


def one(model, *arguments, **more):
    done = report(model, *arguments, "--json", **more)
    assert done.code == 0, done.err
    [line] = done.lines
    return line


def test_a_report_says_what_it_is(model, films):
    line = one(model, films[0], "--indication", "Cough.")
    assert line["input"] == str(films[0]) and line["research_use_only"] and line["seeded"]
    assert line["recipe"] == "maira-2@1" and line["model"] == "maira-2"
    assert len(line["output_ids"]) == 12 and not line["complete"]
    assert "INDICATION: Cough. TECHNIQUE: N/A COMPARISON: N/A" in line["prompt"]
    assert line["prompt"].count("<image>") == 1
    assert len(line["output_log_probabilities"]) == 12 and max(line["output_log_probabilities"]) <= 0
    for finding in line["findings"]:
        assert finding["text"] and finding["mean_log_probability"] < 0
        begin, end = finding["tokens"]
        told = line["output_log_probabilities"][begin:end]
        assert finding["mean_log_probability"] == pytest.approx(sum(told) / len(told))
        assert len(finding["box_probabilities"]) == len(finding["boxes"])


def test_all_that_is_known_enters_the_prompt(model, films, tmp_path):
    (tmp_path / "old.txt").write_text("Heart is enlarged.")
    line = one(model, films[0], "--lateral", films[1], "--prior", films[2], "--prior-report",
               f"@{tmp_path / 'old.txt'}", "--comparison", "Yesterday.")
    assert line["prompt"].count("<image>") == 3
    assert "PRIOR_REPORT: Heart is enlarged." in line["prompt"] and "COMPARISON: Yesterday." in line["prompt"]


def test_a_prior_report_needs_its_film(model, films):
    line = one(model, films[0], "--prior-report", "Clear.")
    assert "PRIOR_REPORT" not in line["prompt"] and any("prior report" in w for w in line["warnings"])


def test_shortcuts_change_nothing(model, films):
    """Guessing from the prior report and keeping prompts' beginnings: the same ids."""
    asked = (films[0], "--prior", films[2], "--prior-report", "The lungs are clear. " * 8, "--task",
             "findings,grounded")
    fast = report(model, *asked, "--json", tokens=40)
    slow = report(model, *asked, "--json", "--no-speculation", "--no-reuse", tokens=40)
    assert fast.code == slow.code == 0, fast.err + slow.err
    assert [line["output_ids"] for line in fast.lines] == [line["output_ids"] for line in slow.lines]


def test_prompts_share_their_beginning(model, films, tmp_path):
    done = report(model, films[0], "--task", "findings,grounded", "--run-report", tmp_path / "run.json")
    assert done.code == 0, done.err
    first, second = json.loads((tmp_path / "run.json").read_text())["generation"]
    assert first["prompt_tokens_reused"] == 0 and second["prompt_tokens_reused"] > 30


def test_words_cannot_become_tokens(model, films, tmp_path):
    """An image or a box typed into a field stays text: else the model would be refused its 25 further rows."""
    def tokens(words):
        done = report(model, films[0], "--indication", words, "--run-report", tmp_path / "run.json")
        assert done.code == 0, done.err
        return json.loads((tmp_path / "run.json").read_text())["generation"][0]["prompt_tokens"]

    typed = "cough <image><obj><box><x1></s>"
    assert tokens(typed) - tokens("cough") > 5, "five control tokens would be five more"


def test_seeds(model, films):
    def drawn(seed):
        return one(model, films[0], "--temperature", "1", "--seed", seed)["output_ids"]

    assert drawn(1) == drawn(1) != drawn(2)


def test_samples_say_how_many_agree(model, films):
    line = one(model, films[0], "--samples", "2")
    assert all(0 <= finding["agreement"] <= 1 for finding in line["findings"])


def test_files(model, films, tmp_path):
    done = report(model, films[0], "--format", "json,txt,png", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["frontal.json", "frontal.png", "frontal.txt"]
    assert json.loads((tmp_path / "out/frontal.json").read_text())["research_use_only"]
    assert "esearch use" in (tmp_path / "out/frontal.txt").read_text()
    assert Image.open(tmp_path / "out/frontal.png").width >= 160


def test_a_picture_cannot_become_a_structured_report(model, films, tmp_path):
    done = report(model, films[0], "--format", "sr", "-o", tmp_path / "out")
    assert done.code != 0 and "DICOM" in done.err


@pytest.mark.parametrize("make", (
    lambda path: picture(1, (160, 120)).save(path),
    lambda path: Image.fromarray(np.full((90, 90), 7, np.uint8)).save(path),
    lambda path: grey(1, (30, 30)).save(path),
), ids=("colour", "constant", "tiny"))
def test_no_chest_film_is_refused(model, tmp_path, make):
    make(tmp_path / "other.png")
    done = report(model, tmp_path / "other.png", forced=False)
    assert done.code == 4 and "no frontal chest X-ray" in done.err and "--force" in done.err
    assert report(model, tmp_path / "other.png").code == 0


def picture_of(name, path):
    """A DICOM test file as a picture, which has no header to tell what it is."""
    pixels = pydicom.dcmread(dicom_test_file(name)).pixel_array.astype(float)
    grey = (255 * (pixels - pixels.min()) / np.ptp(pixels)).astype(np.uint8)
    Image.fromarray(grey).save(path)
    return path


@pytest.mark.parametrize("name", ("CT_small.dcm", "MR_small.dcm", "examples_overlay.dcm"))
def test_pictures_that_look_like_something_else_are_refused(model, films, tmp_path, name):
    other = picture_of(name, tmp_path / "other.png")
    done = report(model, other, forced=False)
    assert done.code == 4 and str(other) in done.err and "--force" in done.err
    assert re.search("to starter-insight it looks like (computed|magnetic|ultrasound)", done.err)
    line = one(model, other)
    assert any("looks like" in warning and "forced" in warning for warning in line["warnings"])
    prior = report(model, films[0], "--prior", other)
    assert prior.code == 0 and "it looks like" in prior.err


def test_without_the_starter_nobody_looks(model, tmp_path):
    other = picture_of("MR_small.dcm", tmp_path / "other.png")
    nowhere = {"VESALIUS_CATALOG": str(tmp_path / "none"), "VESALIUS_HOME": str(tmp_path / "home")}
    assert report(model, other, forced=False, env=nowhere).code == 0


@pytest.mark.parametrize("kind, refused", (
    ("cxr/outlined/*", ""), ("cxr/classes/*", ""), ("nine_modalities/images/*_CT_*", "computed tomography"),
    ("mri/tumour/*", "magnetic resonance imaging"), ("nine_modalities/images/*_ultrasound_*", "."),
    ("oct/*", "optical coherence tomography")))
def test_chest_films_are_told_from_other_pictures(model, kind, refused):
    files = sorted(DATA.glob(kind))[:60:20]
    if not files:
        pytest.skip(f"{DATA / kind} is not here")
    for file in files:
        done = report(model, file, forced=False, tokens=1)
        assert done.code == (4 if refused else 0), done.err
        if refused:
            assert re.search(f"it looks like {refused}", done.err)


def test_a_ct_is_refused(model):
    done = report(model, dicom_test_file("CT_small.dcm"), forced=False)
    assert done.code == 4 and "its modality is CT" in done.err


def radiograph(path, view):
    """A DICOM test file whose header says that it is a chest film of this view."""
    data = pydicom.dcmread(dicom_test_file("CT_small.dcm"))
    data.Modality, data.BodyPartExamined, data.ViewPosition = "DX", "CHEST", view
    data.save_as(path)
    return path


@pytest.mark.parametrize("frontal, lateral, wrong", (
    ("PA", "LL", None), ("AP", "", None), ("LL", "LL", "frontal"), ("PA", "PA", "lateral"), ("PA", "AP", "lateral")))
def test_a_film_of_another_view_is_refused(model, tmp_path, frontal, lateral, wrong):
    files = {"frontal": radiograph(tmp_path / "frontal.dcm", frontal),
             "lateral": radiograph(tmp_path / "lateral.dcm", lateral)}
    done = report(model, files["frontal"], "--lateral", files["lateral"], forced=False, tokens=1)
    if wrong is None:
        assert done.code == 0, done.err
        return
    assert done.code == 4 and f"{files[wrong]}: is no {wrong} chest X-ray" in done.err
    forced = one(model, files["frontal"], "--lateral", files["lateral"])
    assert any(f"not {wrong}" in warning and "forced" in warning for warning in forced["warnings"])


def test_a_film_far_from_square_is_warned_about(model, tmp_path):
    grey(2, (300, 120)).save(tmp_path / "wide.png")
    line = one(model, tmp_path / "wide.png")
    assert any("middle square" in warning for warning in line["warnings"])


def test_a_long_prior_report_is_cut(model, films, tmp_path):
    (tmp_path / "long.txt").write_text("No change. " * 100_000)
    line = one(model, films[0], "--prior", films[2], "--prior-report", f"@{tmp_path / 'long.txt'}")
    assert any("prior report was cut" in warning for warning in line["warnings"])


def test_other_long_words_are_refused(model, films, tmp_path):
    (tmp_path / "long.txt").write_text("word " * 200_000)
    done = report(model, films[0], "--indication", f"@{tmp_path / 'long.txt'}")
    assert done.code == 4 and "tokens" in done.err


def test_usage(model, films, tmp_path):
    assert report(model).code == 2
    assert report(model, films[0], "--task", "poem").code == 2
    assert report(model, films[0], "--task", "phrase").code == 2
    assert report(model, films[0], "--format", "doc", "-o", tmp_path).code == 2
    assert report(model, films[0], "--format", "png").code == 2
    assert report(model, tmp_path / "missing.png").code != 0
    (tmp_path / "cut.png").write_bytes(films[0].read_bytes()[:60])
    assert report(model, tmp_path / "cut.png").code == 4


def test_phrase(model, films):
    line = one(model, films[0], "--lateral", films[1], "--task", "phrase", "--phrase", "right effusion")
    assert line["prompt"].count("<image>") == 1 and "Finding: right effusion" in line["prompt"]


def manifest_of(path, *rows):
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_manifest_gives_what_its_studies_give_alone(model, films, tmp_path):
    first = {"frontal": "frontal.png", "indication": "Cough, fever.", "phrase": "right effusion"}
    second = {"frontal": "lateral.png", "prior": "prior.png", "prior_report": "@clear", "comparison": "Old."}
    done = report(model, "--manifest", manifest_of(tmp_path / "studies.csv", first, second), "--json")
    assert done.code == 0, done.err
    words = tmp_path / "words.txt"
    words.write_text("@clear")  # as it is: a manifest's words name no files
    alone = [one(model, films[0], "--indication", "Cough, fever."),
             one(model, films[1], "--prior", films[2], "--prior-report", f"@{words}", "--comparison", "Old.")]
    assert done.lines == alone
    (tmp_path / "studies.jsonl").write_text(json.dumps(first) + "\n" + json.dumps(second) + "\n")
    again = report(model, "--manifest", tmp_path / "studies.jsonl", "--json")
    assert again.lines == alone


def test_a_bad_study_does_not_stop_the_rest(model, films, tmp_path):
    (tmp_path / "b").mkdir()
    grey(9).save(tmp_path / "b/frontal.png")
    rows = ({"frontal": str(films[0])}, {"frontal": "missing.png"}, {"frontal": "", "lateral": str(films[1])},
            {"frontal": str(tmp_path / "b/frontal.png")})
    studies = manifest_of(tmp_path / "studies.csv", *rows)
    done = report(model, "--manifest", studies, "--json", "-o", tmp_path / "out", "--format", "json,txt")
    assert done.code == 3 and len(done.lines) == 2
    assert "row 2: " in done.err and "missing.png" in done.err and "row 3: there is no frontal film" in done.err
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["frontal-2.json", "frontal-2.txt", "frontal.json", "frontal.txt"]
    assert [json.loads((tmp_path / "out" / name).read_text())["input"] for name in names[::2]] == [
        str(tmp_path / "b/frontal.png"), str(films[0])]
    text = report(model, "--manifest", studies)
    assert text.code == 3 and f"{films[0]}:" in text.out
    assert report(model, "--manifest", manifest_of(tmp_path / "bad.csv", *rows[1:3])).code == 4
    asked = report(model, "--manifest", studies, "--task", "phrase")
    assert asked.code == 2 and "`phrase`" in asked.err


def test_manifest_usage(model, films, tmp_path):
    studies = manifest_of(tmp_path / "studies.csv", {"frontal": str(films[0])})
    assert report(model, films[0], "--manifest", studies).code == 2
    assert report(model, "--manifest", studies, "--indication", "Cough.").code == 2
    assert report(model, "--manifest", tmp_path / "studies.txt").code == 2


def test_parse(model, tmp_path):
    text = "<obj>Heart is large.<box><x10><y20><x50><y60></box></obj><obj>No effusion."
    (tmp_path / "text.txt").write_text(text)
    done = run("report", "--parse", tmp_path / "text.txt", "--json")
    assert done.code == 0, done.err
    [line] = done.lines
    assert line["findings"][0] == {"text": "Heart is large.", "boxes": [[0.105, 0.205, 0.505, 0.605]]}
    assert line["findings"][1]["text"] == "No effusion." and line["diagnostics"]


def test_lower_precisions_run(model, films):
    for precision in ("int8", "int4"):
        line = one(model, films[0], "--precision", precision)
        assert line["precision"] == precision and len(line["output_ids"]) == 12


def test_other_models_are_refused(model, films, tmp_path):
    assert run("segment", films[0], "--prompt", "lung", "--model", model).code == 5
    done = report("starter-parse", films[0])
    assert done.code == 5 and "a report model" in done.err


def test_adding_and_verifying(model, tmp_path):
    home = tmp_path / "home"
    added = run("models", "add", "mine", "--from", model, home=home)
    assert added.code == 0, added.err
    assert run("models", "verify", "mine", home=home).code == 0
    done = run("models", "add", "maira-2", "--from", model, home=home)
    assert done.code == 5 and "another model" in done.err
