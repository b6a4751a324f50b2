"""Grounded text against a plain reading of the published rules."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest
from grounded_reference import Refused, of_film, parse

TOOL = Path(os.environ["VESALIUS_BUILD"]) / "text_grounded"
SIZES = [(518, 518), (640, 480), (481, 640), (2991, 2992), (1, 7), (7, 1), (1024, 1023)]
PIECES = [
    "<obj>", "</obj>", "<box>", "</box>", "<x10>", "<y20>", "<x30>", "<y40>", "<x0>", "<y99>", "<x100>", "<x\u0663>",
    "<x7><y8><x9><y10>", "<box><x1><y2><x3><y4></box>", "<box><x9><y2><x3><y4></box>", "There is a nodule.", " ", "\n", ". ",
    "\u00a0", "\x1c", "\u2028", "\u00e9", "<", "<x", "<obj", "\U0001f600",
]  # fmt: skip


def run(texts, size=(518, 518)):
    lines = "".join(text.encode().hex() + "\n" for text in texts)
    done = subprocess.run([TOOL, *map(str, size)], input=lines, text=True, capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def wanted(text):
    """What the rules give, or None where the published parser stops."""
    try:
        return parse(text)
    except Refused:
        return None


def equals(got, want):
    if isinstance(want, str):
        return not got["grounded"] and [s["text"] for s in got["sentences"]] == [want] * bool(want)
    return got["grounded"] and [(s["text"], s["square"]) for s in got["sentences"]] == want


def drawn(rng):
    """Well-formed text, and in half of the draws something is put in, taken out or doubled."""
    parts = []
    for _ in range(rng.randint(0, 4)):
        parts += ["<obj>", rng.choice(PIECES[15:20]) * rng.randint(0, 2), rng.choice(["", " ", "Lungs are clear. "])]
        parts += ["<box>" + "".join(f"<{a}{rng.randint(0, 99)}>" for a in "xyxy") + "</box>" for _ in range(rng.choice([0, 0, 1, 2]))]
        parts.append("</obj>")
    for _ in range(rng.choice([0, 0, 1, 3])):
        at = rng.randint(0, len(parts))
        parts[at : at + rng.randint(0, 2)] = rng.choices(PIECES, k=rng.randint(0, 2))
    return "".join(parts)


def test_what_the_published_parser_takes_is_read_alike():
    rng = random.Random(5)
    texts = [drawn(rng) for _ in range(20000)] + ["".join(rng.choices(PIECES, k=rng.randint(0, 9))) for _ in range(20000)]
    wants = [wanted(text) for text in texts]
    taken = [(text, want) for text, want in zip(texts, wants) if want is not None]
    assert len(taken) > 8000 and len(taken) < 35000
    wrong = [(t, g, w) for (t, w), g in zip(taken, run([t for t, _ in taken])) if not equals(g, w)]
    assert not wrong, f"{len(wrong)}: {wrong[:3]!a}"


def test_what_the_published_parser_refuses_is_told():
    rng = random.Random(6)
    texts = [drawn(rng) for _ in range(20000)]
    refused = [text for text in texts if wanted(text) is None]
    assert len(refused) > 3000
    silent = [text for text, got in zip(refused, run(refused)) if not got["repairs"]]
    assert not silent, f"{len(silent)}: {silent[:3]!a}"


@pytest.mark.parametrize("size", SIZES)
def test_boxes_of_the_film(size):
    rng = random.Random(7)
    texts = ["<obj>a" + "".join(f"<box><x{rng.randint(0, 99)}><y{rng.randint(0, 99)}><x{rng.randint(0, 99)}>"
                                f"<y{rng.randint(0, 99)}></box>" for _ in range(50)) + "</obj>" for _ in range(20)]  # fmt: skip
    for got in run(texts, size):
        for square, film in zip(got["sentences"][0]["square"], got["sentences"][0]["film"], strict=True):
            assert film == of_film(square, *size)
            assert all(0 <= v <= 1 for v in film)
