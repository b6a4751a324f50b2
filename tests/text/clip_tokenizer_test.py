"""The tokenizer and its clean-up against ftfy and a plain reference."""

import csv
import html.entities
import itertools
import json
import os
import subprocess
from pathlib import Path

import ftfy.bad_codecs
import pytest
from clip_reference import ClipReference
from hard_strings import HARD, INVALID, endless

TOOL = Path(os.environ["VESALIUS_BUILD"]) / "text_tokens"
DATA = Path(__file__).resolve().parents[2] / "../shared/data"
PUBLISHED = DATA / "tokenizers/clip"


def run(what, texts):
    lines = "".join((t if isinstance(t, bytes) else t.encode("utf-8")).hex() + "\n" for t in texts)
    done = subprocess.run([TOOL, str(what)], input=lines, text=True, capture_output=True, check=True)
    out = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(out) == len(texts)
    return out


def differences(texts, got, wanted):
    wrong = [(t, g, w) for t, g, w in zip(texts, got, wanted) if g != w]
    return f"{len(wrong)} of {len(texts)} differ: {wrong[:5]!a}" if wrong else ""


@pytest.fixture(scope="module")
def reference():
    if not PUBLISHED.exists():
        pytest.skip("../shared/data/tokenizers/clip is not there")
    return ClipReference(PUBLISHED)


def test_golden_ids(reference):
    head = [49406, 343, 268, 3077, 10563, 514, 20727, 22881, 2498]
    golden = {
        "x-ray chest anteroposterior Pneumonia": [*head, 42906, 49407],
        "x-ray chest anteroposterior No Finding": [*head, 871, 6002, 49407],
        "x-ray chest anteroposterior No Finding.": [*head, 871, 6002, 269, 49407],
        "x-ray chest anteroposterior Support Devices": [*head, 1425, 9067, 49407],
        "x-ray chest anteroposterior Pleural Effusion": [*head, 926, 33948, 1490, 9364, 49407],
        "x-ray chest anteroposterior Pleural_Thickening": [*head, 926, 33948, 318, 18417, 1133, 49407],
        "": [49406, 49407],
    }
    assert not differences(list(golden), run(PUBLISHED, list(golden)), golden.values())
    assert not differences(list(golden), [reference.encode(t) for t in golden], golden.values())


def test_label_examples(reference):
    with open(DATA / "text/label_examples.csv", newline="", encoding="utf-8") as file:
        labels = [row["text"] for row in csv.DictReader(file)]
    assert len(labels) == 973
    assert not differences(labels, run(PUBLISHED, labels), [reference.encode(t) for t in labels])


@pytest.mark.parametrize("kind", list(HARD))
def test_hard_strings(reference, kind):
    texts = HARD[kind]
    assert not differences(texts, run("fix", texts), [ftfy.fix_text(t) for t in texts])
    assert not differences(texts, run(PUBLISHED, texts), [reference.encode(t) for t in texts])


def test_invalid_utf8_is_replaced_as_python_does(reference):
    wanted = [reference.encode(t.decode("utf-8", "replace")) for t in INVALID]
    assert not differences(INVALID, run(PUBLISHED, INVALID), wanted)


def test_every_html_entity():
    names = [name for name in html.entities.html5 if name.endswith(";")]
    texts = [f"&{n}" for name in names for n in (name, name.lower(), name.upper())]
    assert not differences(texts, run("fix", texts), [ftfy.fix_text(t) for t in texts])


def test_every_character_alone():
    codes = [c for c in range(0x30000) if not 0xD800 <= c < 0xE000]
    import unicodedata

    texts = [f"a{chr(c)}b" for c in codes if unicodedata.category(chr(c)) != "Cn"]
    assert not differences(texts, run("fix", texts), [ftfy.fix_text(t) for t in texts])


def test_garbled_texts(reference):
    texts = list(itertools.islice(endless(11), 12000))
    assert not differences(texts, run("fix", texts), [ftfy.fix_text(t) for t in texts])
    texts = texts[:1500]
    assert not differences(texts, run(PUBLISHED, texts), [reference.encode(t) for t in texts])


def test_reports(reference):
    reports = json.loads((DATA / "text/chest_reports.json").read_text("utf-8"))
    texts = [t for t in walk(reports) if t.strip()][:1500]
    assert len(texts) > 500
    assert not differences(texts, run(PUBLISHED, texts), [reference.encode(t) for t in texts])


def walk(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from walk(part)


def test_the_reference_is_not_the_fast_tokenizer(reference):
    """If this fails, transformers repairs text again, and the hand-written reference can go."""
    transformers = pytest.importorskip("transformers")
    fast = transformers.CLIPTokenizer.from_pretrained(PUBLISHED)
    same = ["x-ray chest anteroposterior Pneumonia", "don't", "3.14"]
    assert [fast(t)["input_ids"] for t in same] == [reference.encode(t) for t in same]
    repaired = "schÃ¶n &amp; ﬁne"
    assert fast(repaired)["input_ids"] != reference.encode(repaired)
