"""vesalius embed: inputs, formats, pooling, failures, signals."""

import csv
import json
import re
import signal
import subprocess
import time

import numpy as np
import pytest

from cli.program import PROGRAM, dicom_test_file, images, model, picture, run  # noqa: F401

PROVENANCE = {"model", "weights_sha256", "recipe", "recipe_parameters", "precision", "device", "version",
              "research_use_only"}


def test_json_lines_carry_everything(model, images):  # noqa: F811
    result = run("embed", images, "--model", model, "--json")
    assert result.code == 0, result.err
    lines = result.lines
    assert [line["input"].split("/")[-1] for line in lines] == [f"{n}.png" for n in (0, 2, 4, 1, 3, 5)]
    for line in lines:
        assert PROVENANCE <= set(line)
        assert line["research_use_only"] is True
        assert line["kind"] == "image"
        assert abs(np.linalg.norm(line["features"]) - 1) < 1e-5
    assert "Skipped 1 file" in result.err


def test_without_json_a_person_reads(model, images):  # noqa: F811
    result = run("embed", images / "a", "--model", model)
    assert len(result.out.splitlines()) == 3
    assert "numbers" in result.out and "{" not in result.out


def test_every_format_holds_the_same(model, images, tmp_path):  # noqa: F811
    reference = np.array([line["features"] for line in run("embed", images, "--model", model, "--json").lines],
                         np.float32)
    for extension in ("jsonl", "csv", "npy", "safetensors"):
        file = tmp_path / f"v.{extension}"
        result = run("embed", images, "--model", model, "-o", file)
        assert result.code == 0, result.err
        assert result.out == ""
        np.testing.assert_allclose(read(file), reference, atol=1e-6)
    beside = json.loads((tmp_path / "v.npy.json").read_text())
    assert beside["records"][0]["input"].endswith("0.png")
    assert beside["provenance"]["weights_sha256"]


def read(file):
    if file.suffix == ".npy":
        return np.load(file)
    if file.suffix == ".safetensors":
        from safetensors.numpy import load_file

        return load_file(file)["features"]
    if file.suffix == ".csv":
        with file.open() as lines:
            rows = list(csv.DictReader(lines))
        return np.array([[row[f"f{i}"] for i in range(sum(k[0] == "f" and k[1:].isdigit() for k in row))]
                         for row in rows], np.float32)
    return np.array([json.loads(line)["features"] for line in file.read_text().splitlines()], np.float32)


def test_batch_and_workers_change_nothing(model, images):  # noqa: F811
    def features(*options):
        return np.array([l["features"] for l in run("embed", images, "--model", model, "--json", *options).lines])

    reference = features("--batch", 1, "--workers", 1)
    np.testing.assert_allclose(features("--batch", 4, "--workers", 3), reference, atol=1e-5)


def test_raw_is_not_normalised(model, images):  # noqa: F811
    file = images / "a" / "0.png"
    unit = np.array(run("embed", file, "--model", model, "--json").lines[0]["features"])
    raw = np.array(run("embed", file, "--model", model, "--json", "--raw").lines[0]["features"])
    assert abs(np.linalg.norm(raw) - 1) > 1e-3
    np.testing.assert_allclose(raw / np.linalg.norm(raw), unit, atol=1e-6)


def test_texts(model, tmp_path):  # noqa: F811
    texts = tmp_path / "t.txt"
    texts.write_text("mri brain tumour\n\nx-ray chest\n")
    result = run("embed", "--text", "ct, abdomen", "--texts", texts, "--model", model, "--json")
    assert result.code == 0, result.err
    assert [line["input"] for line in result.lines] == ["ct, abdomen", "mri brain tumour", "x-ray chest"]
    assert all(line["kind"] == "text" for line in result.lines)


def test_manifest_columns_are_carried_through(model, images, tmp_path):  # noqa: F811
    manifest = images / "m.csv"
    manifest.write_text("label,path,age\nCT,a/0.png,61\nMR,b/1.png,\n")
    lines = run("embed", "--manifest", manifest, "--model", model, "--json").lines
    assert [(l["input"], l["label"], l["age"]) for l in lines] == [("a/0.png", "CT", "61"), ("b/1.png", "MR", "")]
    file = tmp_path / "v.csv"
    run("embed", "--manifest", manifest, "--model", model, "-o", file)
    assert file.read_text().splitlines()[0].startswith("input,kind,label,age")


def test_a_list_on_standard_input(model, images):  # noqa: F811
    listed = f"{images / 'b' / '1.png'}\n{images / 'a'}\n"
    result = run("embed", "-", "--model", model, "--json", stdin=listed)
    assert len(result.lines) == 4


def test_pools(model, images):  # noqa: F811
    single = np.array([l["features"] for l in run("embed", images / "a", "--model", model, "--json").lines])
    for pool, expected in (("mean", single.mean(0)), ("median", np.median(single, 0)), ("max", single.max(0)),
                           ("std", single.std(0, ddof=1))):
        line, = run("embed", images / "a", "--pool", pool, "--model", model, "--json").lines
        np.testing.assert_allclose(line["features"], expected / np.linalg.norm(expected), atol=1e-5)
        assert line["kind"] == "study" and line["images"] == 3 and line["pool"] == pool
    study, = run("embed", images / "a", "--pool", "study", "--model", model, "--json").lines
    expected = np.concatenate([single.mean(0), single.std(0, ddof=1), single.min(0),
                               *np.quantile(single, [0.25, 0.5, 0.75], axis=0), single.max(0)])
    np.testing.assert_allclose(study["features"], expected, atol=1e-5)


def test_dicom_carries_uids_and_frames(model):  # noqa: F811
    one, = run("embed", dicom_test_file("CT_small.dcm"), "--model", model, "--recipe", "vesalius", "--json").lines
    assert one["modality"] == "CT"
    assert one["sop_instance_uid"].startswith("1.") and one["series_instance_uid"] and one["study_instance_uid"]
    assert "frame" not in one
    movie = dicom_test_file("examples_ybr_color.dcm")
    middle, = run("embed", movie, "--model", model, "--recipe", "vesalius", "--json").lines
    assert (middle["frame"], middle["frames"]) == (15, 30)
    every = run("embed", movie, "--frames", "all", "--model", model, "--recipe", "vesalius", "--json").lines
    assert [line["frame"] for line in every] == list(range(30))
    pooled, = run("embed", movie, "--pool", "mean", "--model", model, "--recipe", "vesalius", "--json").lines
    assert pooled["images"] == 30


def test_a_published_model_takes_dicom_beside_pictures(model, images, tmp_path):  # noqa: F811
    """As the README shows it, without a recipe named; the index of both is of one recipe."""
    scan = dicom_test_file("CT_small.dcm")
    lines = run("embed", scan, images, "--model", model, "--json").lines
    assert len(lines) == 7 and {line["recipe"] for line in lines} == {"community@1"}
    assert lines[0]["modality"] == "CT"
    built = run("index", "build", images / "a", "-o", tmp_path / "i", "--model", model)
    assert built.code == 0, built.err
    added = run("index", "add", scan, "--index", tmp_path / "i", "--model", model)
    assert added.code == 0, added.err


def test_a_recipe_that_takes_no_dicom_names_options_that_do(model):  # noqa: F811
    scan = dicom_test_file("CT_small.dcm")
    refused = run("embed", scan, "--model", model, "--recipe", "azure-endpoint", "--json")
    assert refused.code == 4 and refused.out == ""
    offered = set(re.findall(r"--recipe (\w+)", refused.err))
    assert offered == {"toolkit", "vesalius"}
    for name in offered:
        assert run("embed", scan, "--model", model, "--recipe", name, "--json").code == 0


def test_csv_keeps_what_only_some_inputs_carry(model, images, tmp_path):  # noqa: F811
    scan = dicom_test_file("CT_small.dcm")
    for order in ([images / "a", scan], [scan, images / "a"]):
        assert run("embed", *order, "--model", model, "-o", tmp_path / "v.csv").code == 0
        with (tmp_path / "v.csv").open() as lines:
            rows = list(csv.DictReader(lines))
        uids = [row["sop_instance_uid"] for row in rows if row["input"].endswith(".dcm")]
        assert len(rows) == 4 and len(uids) == 1 and uids[0].startswith("1.")
        assert all(row["f0"] and row["research_use_only"] == "true" and None not in row for row in rows)


@pytest.mark.parametrize("name, content", [
    ("empty.png", b""),
    ("short.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
    ("text.dcm", b"this is no image at all, only words in a file " * 10),
    ("short.dcm", b"\0" * 128 + b"DICM" + b"\x02\x00\x10\x00UI"),
])
def test_one_bad_file_does_not_stop_the_rest(model, images, name, content):  # noqa: F811
    bad = images.parent / name
    bad.write_bytes(content)
    result = run("embed", bad, images / "a", "--model", model, "--json")
    assert result.code == 3
    assert len(result.lines) == 3
    assert name in result.err
    alone = run("embed", bad, "--model", model, "--json")
    assert alone.code == 4
    assert alone.out == ""


def test_missing_files_and_empty_folders(model, tmp_path):  # noqa: F811
    missing = run("embed", tmp_path / "no.png", "--model", model)
    assert missing.code == 4 and "no.png" in missing.err
    (tmp_path / "empty").mkdir()
    assert run("embed", tmp_path / "empty", "--model", model).code == 4
    (tmp_path / "empty" / "notes.txt").write_text("words")
    assert run("embed", tmp_path / "empty", "--model", model).code == 4


def test_a_constant_image_is_done_with_a_warning(model, tmp_path):  # noqa: F811
    from PIL import Image

    Image.new("L", (30, 30), 77).save(tmp_path / "flat.png")
    result = run("embed", tmp_path / "flat.png", "--model", model, "--json")
    assert result.code == 0
    assert np.isfinite(result.lines[0]["features"]).all()
    assert "constant" in result.err and result.lines[0]["warnings"]


def test_a_full_disk_is_an_error_that_names_the_file(model, images):  # noqa: F811
    result = run("embed", images, "--model", model, "-o", "/dev/full/v.jsonl")
    assert result.code == 1 and "/dev/full/v.jsonl" in result.err
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "embed", images, "--model", model, "--json"], stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "standard output" in done.stderr


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_what_is_finished(model, images, tmp_path, number, code):  # noqa: F811
    many = "\n".join(str(images / "a" / "0.png") for _ in range(200000))
    file = tmp_path / "v.jsonl"
    process = subprocess.Popen([PROGRAM, "embed", "-", "--model", model, "-o", file], stdin=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    process.stdin.write(many)
    process.stdin.close()
    part = None
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (part and part.stat().st_size > 0):  # until work was done
        part = next(iter(tmp_path.glob(".v.jsonl.*")), None)
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(60) == code
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert 0 < len(lines) < 200000
    assert set(tmp_path.iterdir()) == {file, images}


def test_memory_is_flat(model, images, tmp_path):  # noqa: F811
    def peak(count):
        report = tmp_path / "r.json"
        listed = "\n".join(str(images / "a" / f"{2 * (i % 3)}.png") for i in range(count))
        result = run("embed", "-", "--model", model, "-o", tmp_path / "v.npy", "--run-report", report, stdin=listed)
        assert result.code == 0, result.err
        return json.loads(report.read_text())["resources"]["peak_memory_mb"]

    few, many = peak(100), peak(1500)
    assert many < few + 24, (few, many)


def test_two_runs_on_one_thread_are_equal_to_the_bit(model, images):  # noqa: F811
    first, second = (run("embed", images, "--model", model, "--json", "--threads", 1).out for _ in range(2))
    assert first == second


def test_trace_writes_stages(model, images, tmp_path):  # noqa: F811
    from safetensors.numpy import load_file

    result = run("trace", "embed", images / "a" / "0.png", "--model", model, "--json", "-o", tmp_path / "stages")
    assert result.code == 0, result.err
    assert len(result.lines) == 1
    stages = load_file(tmp_path / "stages" / "trace.safetensors")
    assert any(name.startswith("image_encoder.") for name in stages)
