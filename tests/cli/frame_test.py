"""What holds for every command: help, exit codes, environment, run report, completion."""

import json
import re
import subprocess

import pytest

from cli.program import PROGRAM, images, model, run  # noqa: F401

COMMANDS = ["embed", "classify", "search", "index build", "index add", "index info", "evaluate classify",
            "evaluate search", "evaluate embedding", "doctor", "completion", "trace", "models list",
            "models show", "models add", "models verify", "models random", "models rm", "train embedding"]

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="the program is not built")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_two_examples(command):
    result = run(*command.split(), "--help")
    assert result.code == 0
    assert result.err == ""
    examples = result.out.split("Examples:")[1]
    assert len(re.findall(r"^ +.*vesalius ", examples, re.M)) >= 2, result.out
    assert "not a medical device" in result.out


def test_version_and_help_of_the_whole():
    assert re.match(r"vesalius \d+\.\d+\.\d+$", run("--version").out.strip())
    everything = run("--help").out
    for command in COMMANDS:
        assert command.split()[0] in everything


@pytest.mark.parametrize("arguments, says", [
    ((), "subcommand"),
    (("embd", "x.png"), "Did you mean 'embed'"),
    (("frobnicate",), "there is no command"),
    (("embed",), "no input"),
    (("embed", "x.png", "--pool", "average"), "--pool"),
    (("embed", "x.png", "--frames", "last"), "--frames"),
    (("embed", "x.png", "--nonsense"), "--nonsense"),
    (("embed", "x.png", "--precision", "fp8"), "fp8"),
    (("embed", "x.png", "-o", "v.parquet"), ".parquet"),
    (("embed", "x.png", "--recipe", "mine"), "mine"),
    (("embed", "x.png", "--recipe-parameter", "novalue"), "KEY=VALUE"),
    (("classify", "x.png"), "--labels"),
    (("classify", "x.png", "--labels", "a,b", "--labels-file", "f"), "either"),
    (("classify", "x.png", "--labels", "a,a"), "twice"),
    (("classify", "x.png", "--labels", "a,b", "--template", "no gap"), "{}"),
    (("search", "x.png"), "--index"),
    (("index", "build", "x.png"), "-o"),
    (("index",), "subcommand"),
    (("evaluate", "classify"), "--manifest"),
    (("completion", "tcsh"), "tcsh"),
    (("trace", "embed", "x.png"), "-o FOLDER"),
    (("trace", "-o", "t", "trace"), "itself"),
])
def test_wrong_usage_is_2_and_says_why(model, tmp_path, arguments, says):  # noqa: F811
    extra = ["--model", model] if "x.png" in arguments else []
    result = run(*arguments, *extra, cwd=tmp_path)
    assert result.code == 2, result.err
    assert says in result.err
    assert result.out == ""
    assert list(tmp_path.iterdir()) == []


def test_missing_model_is_5(tmp_path, images):  # noqa: F811
    result = run("embed", images, "--model", tmp_path / "nowhere")
    assert result.code == 5, result.err
    assert "nowhere" in result.err


def test_missing_device_is_6(model, images):  # noqa: F811
    result = run("embed", images, "--model", model, "--device", "cuda:7")
    assert result.code == 6, result.err


def test_options_come_from_the_environment(model, images):  # noqa: F811
    result = run("embed", images / "a" / "0.png",
                 env={"VESALIUS_MODEL": str(model), "VESALIUS_JSON": "1", "VESALIUS_RAW": "true"})
    assert result.code == 0, result.err
    assert result.lines[0]["normalised"] is False


def test_notice_is_on_standard_error_and_quiet_hides_it(model, images):  # noqa: F811
    arguments = ["embed", images / "a" / "0.png", "--model", model, "--json"]
    assert "not a medical device" in run(*arguments).err
    assert run(*arguments, "-q").err == ""


def test_run_report_says_what_ran(model, images, tmp_path):  # noqa: F811
    file = tmp_path / "report.json"
    (images / "a" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    result = run("embed", images, "--model", model, "-o", tmp_path / "v.jsonl", "--run-report", file)
    assert result.code == 3
    report = json.loads(file.read_text())
    assert report["command"] == "embed"
    assert report["exit_code"] == 3
    assert report["inputs"]["done"] == 6 and report["inputs"]["failed"] == 1
    assert report["inputs"]["skipped"] == 1
    assert report["provenance"]["weights_sha256"]
    assert report["seconds"] > 0 and report["machine"]["cores"] >= 1
    assert report["outputs"] == [str(tmp_path / "v.jsonl")]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_with_every_command(shell):
    script = run("completion", shell).out
    for word in ("embed", "classify", "index", "--labels-file", "--run-report"):
        assert word.lstrip("-") in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_bash_completion_completes(tmp_path):
    script = tmp_path / "c.sh"
    script.write_text(run("completion", "bash").out)
    ask = ("source {}; COMP_WORDS=({}); COMP_CWORD={}; _vesalius; printf '%s\\n' \"${{COMPREPLY[@]}}\"")

    def complete(words, at):
        done = subprocess.run(["bash", "-c", ask.format(script, words, at)], capture_output=True, text=True)
        return done.stdout.split()

    assert complete("vesalius cla", 1) == ["classify"]
    assert "--labels-file" in complete("vesalius classify --lab", 2)
    assert complete("vesalius index b", 2) == ["build"]
    assert "--replace" in complete("vesalius index build --re", 3)


def test_doctor_names_the_machine(tmp_path):
    report = run("doctor", "--json", home=tmp_path / "home").lines[0]
    found = {finding["what"]: finding for finding in report["findings"]}
    assert {"CPU", "cores", "memory", "CUDA", "home", "catalog", "models", "program"} <= set(found)
    assert found["home"]["value"] == str(tmp_path / "home")
    assert "LibTorch" in run("doctor").out
