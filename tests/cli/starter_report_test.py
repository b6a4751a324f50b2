"""The starter that ships writes grounded reports: on real films where they are there, and as its golden says."""
import pathlib

import pytest

from cli.program import run

FILMS = pathlib.Path(__file__).resolve().parents[3] / "shared/data/cxr"


def report(*arguments):
    done = run("report", *arguments, "--json")
    assert done.code == 0, done.err
    [line] = done.lines
    return line


def test_verifies():
    done = run("models", "verify", "starter-report", "--precision", "fp32")
    assert done.code == 0, done.out + done.err
    assert done.out.count("pass") >= 4, done.out


@pytest.mark.skipif(not FILMS.is_dir(), reason="needs ../shared/data/cxr")
def test_tells_clear_films_from_others():
    """A score far below what it reaches would fall here: 16 films of each class, the last by name (chance: 16)."""
    rows = [line.split(",") for line in (FILMS / "classes.csv").read_text().splitlines()[1:]]
    right = 0
    for label in ("no finding", "covid-19"):
        for file, _ in sorted(row for row in rows if row[1] == label)[-16:]:
            made = report(FILMS / "classes" / file)
            assert made["complete"] and not made["diagnostics"]
            clear = any("clear" in finding["text"] for finding in made["findings"])
            right += clear == (label == "no finding")
    assert right >= 21, right


@pytest.mark.skipif(not FILMS.is_dir(), reason="needs ../shared/data/cxr")
def test_finds_the_lungs_by_name():
    film = sorted((FILMS / "outlined").iterdir())[0]
    boxes = [report(film, "--task", "phrase", "--phrase", f"{side} lung")["findings"][0]["boxes"][0]
             for side in ("right", "left")]
    (right_x, left_x) = ((box[0] + box[2]) / 2 for box in boxes)
    assert right_x < 0.5 < left_x, boxes
