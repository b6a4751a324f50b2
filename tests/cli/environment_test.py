"""Options from the environment, where the home and catalog lie, and what stands on which stream."""

import json
import os
import re
import stat
import subprocess

import pytest

from cli.program import PROGRAM, images, model, picture, run  # noqa: F401


@pytest.mark.parametrize("variables, check", [
    ({"VESALIUS_FRAMES": "all"}, lambda line: True),
    ({"VESALIUS_RAW": "1"}, lambda line: line["normalised"] is False),
    ({"VESALIUS_RAW": "false"}, lambda line: line["normalised"] is True),
    ({"VESALIUS_RECIPE": "vesalius"}, lambda line: line["recipe"] == "vesalius@1"),
    ({"VESALIUS_RECIPE": "vesalius", "VESALIUS_RECIPE_PARAMETER": "window=lung"},
     lambda line: line["recipe_parameters"] == {"window": "lung"}),
    ({"VESALIUS_PRECISION": "fp32"}, lambda line: line["precision"] == "fp32"),
    ({"VESALIUS_POOL": "mean"}, lambda line: line["kind"] == "study"),
])
def test_an_option_can_be_a_variable(model, images, variables, check):  # noqa: F811
    result = run("embed", images / "a" / "0.png", "--model", model, "--json", env=variables)
    assert result.code == 0, result.err
    assert check(result.lines[0]), result.out[:200]


def test_the_command_line_goes_before_the_environment(model, images, tmp_path):  # noqa: F811
    report = tmp_path / "r.json"
    result = run("embed", images / "a" / "0.png", "--model", model, "--json", "--recipe", "azure-endpoint", "--seed", 4,
                 "--precision", "fp32", "--run-report", report,
                 env={"VESALIUS_RECIPE": "vesalius", "VESALIUS_MODEL": "/nowhere", "VESALIUS_SEED": "3",
                      "VESALIUS_PRECISION": "bf16", "VESALIUS_RUN_REPORT": str(tmp_path / "other.json")})
    assert result.code == 0, result.err
    line, = result.lines
    assert (line["recipe"], line["precision"]) == ("azure-endpoint@1", "fp32")
    assert json.loads(report.read_text())["seed"] == 4
    assert not (tmp_path / "other.json").exists()


def test_variables_of_other_commands_change_nothing(model, images):  # noqa: F811
    """VESALIUS_BATCH is the training's too, and VESALIUS_LABELS no option of embed."""
    plain = run("embed", images / "a" / "0.png", "--model", model, "--json", "--threads", 1)
    other = run("embed", images / "a" / "0.png", "--model", model, "--json", "--threads", 1,
                env={"VESALIUS_LABELS": "a,a", "VESALIUS_INDEX": "/nowhere", "VESALIUS_EPOCHS": "none"})
    assert (other.code, other.out) == (plain.code, plain.out), other.err


@pytest.mark.parametrize("variables, says", [
    ({"VESALIUS_PRECISION": "fp8"}, "fp8"),
    ({"VESALIUS_THREADS": "many"}, "many"),
    ({"VESALIUS_BATCH": "-3"}, "-3"),
    ({"VESALIUS_RECIPE": "mine"}, "mine"),
])
def test_a_wrong_variable_is_wrong_usage(model, images, variables, says):  # noqa: F811
    result = run("embed", images / "a" / "0.png", "--model", model, env=variables)
    assert result.code == 2, result.err
    assert says in result.err


def test_home_is_named_or_found(tmp_path):
    def home_of(env):
        report, = run("doctor", "--json", env=env).lines
        return next(f for f in report["findings"] if f["what"] == "home")

    assert home_of({"VESALIUS_HOME": str(tmp_path / "h")})["value"] == str(tmp_path / "h")
    assert home_of({"HOME": str(tmp_path)})["value"] == str(tmp_path / ".local" / "share" / "vesalius")
    assert not (tmp_path / "h").exists(), "looking makes nothing"


def test_doctor_says_what_to_do(tmp_path):
    text = run("doctor", env={"VESALIUS_CATALOG": str(tmp_path / "none"), "VESALIUS_HOME": str(tmp_path / "h")}).out
    assert "look catalog" in re.sub(r" +", " ", text)
    assert "VESALIUS_CATALOG" in text and "models add medimageinsight" in text
    assert "See the lines marked `look`." in text


def test_common_flags_also_stand_before_the_command(model, images):  # noqa: F811
    result = run("--json", "-q", "embed", images / "a" / "0.png", "--model", model)
    assert result.code == 0 and len(result.lines) == 1 and result.err == ""


def test_results_and_remarks_never_share_a_stream(model, images, tmp_path):  # noqa: F811
    result = run("embed", images, "--model", model, "-o", tmp_path / "v.jsonl")
    assert result.out == ""
    assert "Wrote 6 vectors" in result.err and "Skipped 1 file" in result.err
    both = run("embed", images, "--model", model, "-o", tmp_path / "w.jsonl", "--json")
    assert len(both.lines) == 6
    assert (tmp_path / "w.jsonl").read_text() == (tmp_path / "v.jsonl").read_text()


def test_an_output_replaces_the_older_one_whole(model, images, tmp_path):  # noqa: F811
    file = tmp_path / "v.jsonl"
    file.write_text("older\n" * 10000)
    assert run("embed", images / "a", "--model", model, "-o", file).code == 0
    assert len(file.read_text().splitlines()) == 3
    assert list(tmp_path.glob(".*")) == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~current_umask()


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_failed_run_keeps_the_older_output(model, tmp_path):  # noqa: F811
    file = tmp_path / "v.jsonl"
    file.write_text("older\n")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert run("embed", tmp_path / "bad.png", "--model", model, "-o", file).code == 4
    assert file.read_text() == "older\n"
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {"v.jsonl", "bad.png"}


def test_a_reader_who_leaves_early_ends_the_run(model, images):  # noqa: F811
    listed = "\n".join([str(images / "a" / "0.png")] * 3000)
    process = subprocess.Popen([PROGRAM, "embed", "-", "--model", model, "--json"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(listed.encode())
    process.stdin.close()
    assert json.loads(process.stdout.readline())["kind"] == "image"
    process.stdout.close()
    assert process.wait(60) != 0
    process.stderr.close()


@pytest.mark.parametrize("extension", ["jsonl", "csv", "npy", "safetensors"])
def test_a_limit_on_files_is_a_full_disk_and_leaves_nothing(model, images, tmp_path, extension):  # noqa: F811
    out = tmp_path / "out"
    out.mkdir()
    listed = "\n".join([str(images / "a" / "0.png")] * 300)
    command = f"ulimit -f 16; trap '' XFSZ; exec {PROGRAM} embed - --model {model} -q -o {out}/v.{extension}"
    done = subprocess.run(["bash", "-c", command], input=listed, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    assert f"v.{extension}" in done.stderr and "Nothing was left behind" in done.stderr
    assert list(out.iterdir()) == []


def test_run_reports_say_what_failed_too(model, tmp_path):  # noqa: F811
    report = tmp_path / "r.json"
    result = run("embed", tmp_path / "none.png", "--model", model, "--seed", 9, "--run-report", report)
    told = json.loads(report.read_text())
    assert (result.code, told["exit_code"], told["seed"]) == (4, 4, 9)
    assert told["command"] == "embed" and told["outputs"] == []
    assert told["arguments"][0] == "embed" and str(tmp_path / "none.png") in told["arguments"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["started"])
    assert told["resources"]["peak_memory_mb"] > 10 and told["research_use_only"] is True


def test_a_report_that_cannot_be_written_is_an_error(model, images):  # noqa: F811
    result = run("embed", images / "a" / "0.png", "--model", model, "--json", "--run-report", "/dev/null/r.json")
    assert result.code == 1 and "/dev/null/r.json" in result.err
    assert len(result.lines) == 1  # the work itself is done


def test_inputs_given_twice_are_done_twice(model, images):  # noqa: F811
    file = images / "a" / "0.png"
    lines = run("embed", file, file, "--model", model, "--json").lines
    assert [line["input"] for line in lines] == [str(file)] * 2
    assert lines[0]["features"] == pytest.approx(lines[1]["features"], abs=1e-6)


def test_a_list_may_have_windows_lines_and_gaps(model, images, tmp_path):  # noqa: F811
    picture(8).save(tmp_path / "z.png")
    listed = f"\r\n{images / 'a' / '0.png'}\r\n\n{tmp_path / 'z.png'}"
    assert len(run("embed", "-", "--model", model, "--json", stdin=listed).lines) == 2
    empty = run("embed", "-", "--model", model, stdin="\n\n")
    assert empty.code == 4 and empty.out == ""
