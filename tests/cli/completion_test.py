"""Completion scripts against the help texts: every word that completes exists, every option completes."""

import re
import shlex
import shutil
import subprocess

import pytest

from cli.program import PROGRAM, run

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="the program is not built")


def listed(help_text):
    """The names under "SUBCOMMANDS:" of a help text."""
    block = re.search(r"^Subcommands:\n((?:  .*\n|\n)+)", help_text, re.M)
    return re.findall(r"^  ([a-z]+) ", block[1], re.M) if block else []


@pytest.fixture(scope="module")
def commands():
    """Every command's whole name to its long options, and groups of commands to their verbs, as --help has them."""
    found = {}

    def look(path):
        text = run(*path, "--help").out
        verbs = listed(text)
        found[" ".join(path)] = verbs or sorted(set(re.findall(r"^ +(?:-\w,)?--([a-z-]+)", text, re.M)))
        for verb in verbs:
            look([*path, verb])

    for name in listed(run("--help").out):
        look([name])
    return found


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory):
    script = tmp_path_factory.mktemp("completion") / "vesalius.bash"
    script.write_text(run("completion", "bash").out)
    return script


def complete(script, words):
    """What bash offers for the last word."""
    line = " ".join(shlex.quote(word) for word in words)
    ask = f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _vesalius; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_the_help_lists_commands_at_all(commands):
    assert {"embed", "index build", "evaluate embedding", "models verify", "train embedding"} <= set(commands)
    assert "run-report" in commands["embed"] and "labels-file" in commands["classify"]


def test_bash_offers_every_option_that_the_help_has(commands, bash_script):
    for path, words in commands.items():
        group = any(f"{path} {word}" in commands for word in words)
        wanted = set(words) if group else {f"--{word}" for word in words}
        prefix = "" if group else "--"
        offered = set(complete(bash_script, ["vesalius", *path.split(), prefix]))
        missing = wanted - offered
        assert not missing, (path, missing)
        unknown = {word for word in offered - wanted if word != "--help"}
        assert not unknown, (path, unknown)


@pytest.mark.parametrize("words, offered", [
    (["vesalius", ""], {"embed", "classify", "index", "search", "segment", "report", "train", "evaluate", "models", "doctor", "trace",
                        "completion"}),
    (["vesalius", "e"], {"embed", "evaluate"}),
    (["vesalius", "models", "r"], {"random", "rm"}),
    (["vesalius", "evaluate", "embedding", "--text-c"], {"--text-column"}),
    (["vesalius", "search", "scan.dcm", "--exc"], {"--exclude-self"}),
    (["vesalius", "classify", "--labels-file", "f", "-"], None),
    (["vesalius", "nonsense", "--"], set()),
    (["vesalius", "zzz"], set()),
])
def test_bash_completes(bash_script, words, offered):
    got = set(complete(bash_script, words))
    if offered is None:
        assert {"-o", "-k", "-q", "--labels"} <= got
    else:
        assert got == offered


def test_bash_leaves_file_names_to_the_shell(bash_script):
    assert complete(bash_script, ["vesalius", "embed", "scan"]) == []
    assert "complete -o default -F _vesalius vesalius" in bash_script.read_text()


@pytest.fixture(scope="module")
def fish_lines():
    return [line for line in run("completion", "fish").out.splitlines() if line.startswith("complete ")]


def test_fish_offers_each_command_its_own_options_and_no_others(commands, fish_lines):
    """Also where commands share a verb: `train embedding` has not the options of `evaluate embedding`."""
    offered = {}
    for line in fish_lines:
        path, kind, word = re.match(r"complete -c vesalius -n '__vesalius_is ?([a-z ]*)' (?:-f )?-(l|a) (\S+) -d '", line).groups()
        offered.setdefault(path, set()).add((kind, word))
    assert {word for _, word in offered.pop("")} == {path.split()[0] for path in commands}
    for path, words in commands.items():
        groups = {("a" if f"{path} {word}" in commands else "l", word) for word in words}
        assert offered.pop(path) - {("l", "help")} == groups - {("l", "help")}, path
    assert offered == {}


def test_fish_knows_which_words_are_groups(commands):
    groups = {path.split()[0] for path in commands if " " in path}
    known = re.search(r'contains -- "\$path" (.*); and', run("completion", "fish").out)[1]
    assert set(known.split()) == groups


def test_fish_lines_are_well_quoted(fish_lines):
    for line in fish_lines:
        # fish escapes a quote inside quotes with a backslash; taken out, the rest must pair up.
        assert line.replace("\\'", "").count("'") % 2 == 0, line


def test_zsh_is_the_bash_script_behind_its_adapter():
    script = run("completion", "zsh").out
    assert script.startswith("#compdef vesalius\n")
    assert "bashcompinit" in script.split("_vesalius()")[0]
    assert script.endswith(run("completion", "bash").out)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_itself_reads_the_script(shell):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    script = run("completion", shell).out
    done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
