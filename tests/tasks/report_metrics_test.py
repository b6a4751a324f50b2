"""Figures of reports against the Python packages that papers use: pycocoevalcap, rouge_score (with NLTK's stemmer);
box and RadFact shares against their definitions in numpy."""

import json
import os
import pathlib
import random
import string
import subprocess

import numpy as np
import pytest

TOOL = pathlib.Path(os.environ["VESALIUS_BUILD"]) / "tasks_report_metrics"
REPORTS = pathlib.Path(__file__).resolve().parents[2] / ".." / "shared/data/text/chest_reports.json"
HARD = [
    ("", "the lungs are clear"), ("clear", "clear"), ("the the the the", "the lungs"), ("No EFFUSION.", "no effusion ."),
    ("...", "heart is normal"), ("a b c d e f g", "a b c d e f g"), ("a b c", "a b c d e f g h i j k l m n o"),
    ("größere Aufhellung — links", "Größere aufhellung links"), ("\u212b \u0130stanbul \u017ftill", "å istanbul still"),
    ("heart\u00a0size\x1cnormal\u200b end", "heart size normal end"), ("line\nbreaks\tand   runs", "line breaks and runs"),
    ("atelectases opacities flies dying", "atelectasis opacity fly die"), ("x" * 300, "x" * 300 + " y"),
]


def run(*lines):
    done = subprocess.run([TOOL], input="".join(json.dumps(line) + "\n" for line in lines), text=True,
                          capture_output=True, check=True)
    out = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(out) == len(lines)
    return out


def garbled(words, rng):
    """A worse report: words lost, doubled, exchanged, out of order."""
    out = []
    for word in words:
        kind = rng.random()
        if kind < 0.1:
            continue
        out += [word, word] if kind < 0.15 else [rng.choice(words)] if kind < 0.3 else [word]
    cut = rng.randrange(len(out) + 1)
    return " ".join(out[cut:] + out[:cut] if rng.random() < 0.3 else out)


def real_pairs():
    if not REPORTS.exists():
        pytest.skip("the chest reports are not here")
    rng = random.Random(5)
    reports = [text for text in json.loads(REPORTS.read_text()).values() if text.strip()][:600]
    return [(garbled(text.split(), rng) if i % 3 else rng.choice(reports), text) for i, text in enumerate(reports)]


def corpora():
    rng = random.Random(7)
    vocabulary = ["lung", "lungs", "clear", "clear.", "no", "No", "effusion,", "heart", "is", "normal", "opacity"]
    drawn = [(" ".join(rng.choices(vocabulary, k=rng.randrange(0, 12))),
              " ".join(rng.choices(vocabulary, k=rng.randrange(1, 12)))) for _ in range(200)]
    return {"hard": HARD, "drawn": drawn, "one": drawn[:1], "equal": [(b, b) for _, b in drawn[:9]]}


def check_texts(pairs, several=False):
    """Greatest deviation from the packages over all figures of a corpus."""
    bleu = pytest.importorskip("pycocoevalcap.bleu.bleu")
    cider = pytest.importorskip("pycocoevalcap.cider.cider")
    rouge = pytest.importorskip("rouge_score.rouge_scorer")
    references = [[b] + ([pairs[i - 1][1], b + " too"] if several else []) for i, (_, b) in enumerate(pairs)]
    ours, = run({"candidates": [a for a, _ in pairs], "references": references})
    said = {i: [a] for i, (a, _) in enumerate(pairs)}
    truth = dict(enumerate(references))
    corpus, each = bleu.Bleu(4).compute_score(truth, said, verbose=0)
    mean, ciders = cider.Cider().compute_score(truth, said)
    worst = np.max(np.abs(np.array(ours["bleu"]) - corpus))
    worst = max(worst, np.max(np.abs(np.array(ours["bleu_each"]).T - np.array(each))))
    worst = max(worst, np.max(np.abs(np.array(ours["cider_d"]) - ciders)), abs(np.mean(ours["cider_d"]) - mean))
    for name, stem in (("rouge_l", False), ("rouge_l_stemmed", True)):
        scorer = rouge.RougeScorer(["rougeL"], use_stemmer=stem)
        theirs = [scorer.score(b, a)["rougeL"].fmeasure for a, b in pairs]
        worst = max(worst, np.max(np.abs(np.array(ours[name]) - theirs)))
    assert max(corpus) > 0.01  # there was something to compare
    return worst


@pytest.mark.parametrize("name", ["hard", "drawn", "one", "equal"])
@pytest.mark.parametrize("several", [False, True])
def test_made_up_texts_are_scored_as_by_the_packages(name, several):
    assert check_texts(corpora()[name], several) < 1e-9


def test_chest_reports_are_scored_as_by_the_packages():
    pairs = real_pairs()
    assert len(pairs) > 100
    assert check_texts(pairs) < 1e-9


def test_stems_are_nltks():
    porter = pytest.importorskip("nltk.stem.porter")
    rng = random.Random(3)
    suffixes = ("s es ies ied sses eed ed ing at bl iz y ational tional enci anci izer bli alli entli eli ousli ization "
                "ation ator alism iveness fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful "
                "ness al ance ence er ic able ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ll").split()
    words = {"".join(rng.choices("aeiouybcdlmnrstwxz", k=rng.randrange(0, 6))) + rng.choice(suffixes)
             + rng.choice(["", "", *suffixes]) for _ in range(60000)}
    words |= {"".join(rng.choices(string.ascii_lowercase + "0123456789", k=rng.randrange(1, 9))) for _ in range(20000)}
    words |= set("sky skies dying lying tying news innings inning outing cannings howe proceed exceed succeed yyyyy".split())
    if REPORTS.exists():
        words |= {word for text in json.loads(REPORTS.read_text()).values() for word in text.lower().split()
                  if word.isascii() and word.isalnum()}
    words = sorted(word for word in words if word)
    stemmer = porter.PorterStemmer()
    ours, = run({"words": words})
    assert [(w, o) for w, o in zip(words, ours) if o != stemmer.stem(w)] == []


def mask(boxes, size=224):
    out = np.zeros((size, size), bool)
    for x0, y0, x1, y1 in boxes:
        (x0, x1), (y0, y1) = sorted((x0, x1)), sorted((y0, y1))
        a, b, c, d = (np.array((x0, y0, x1, y1)) * size).astype(int)
        out[a:c, b:d] = True
    return out


def box_shares(predicted, truth):
    p, t = mask(predicted), mask(truth)
    both = (p & t).sum()
    return [both / whole if whole else None for whole in ((p | t).sum(), p.sum(), t.sum())]


def draw_boxes(rng, most=4):
    return [[rng.randrange(201) / 200 for _ in range(4)] for _ in range(rng.randrange(most))]


def test_boxes_are_compared_on_the_raster():
    rng = random.Random(2)
    cases = [(draw_boxes(rng), draw_boxes(rng)) for _ in range(400)]
    cases += [([], []), ([[0, 0, 1, 1]], []), ([], [[0, 0, 1, 1]]), ([[0, 0, 1, 1]], [[1, 1, 0, 0]]),
              ([[0.5, 0.5, 0.5, 0.9]], [[0.1, 0.1, 0.9, 0.9]])]
    for (p, t), ours in zip(cases, run(*({"predicted": p, "truth": t} for p, t in cases))):
        assert ours == pytest.approx(box_shares(p, t), abs=1e-12), (p, t)


def shares(judged):
    """RadFact's three for one direction, as its paper words them."""
    boxed = [s for s in judged if s["boxes"]]
    entailed_boxed = [s for s in boxed if s["entailed"]]
    spatial = [s for s in entailed_boxed if s["evidence"] and (box_shares(s["boxes"], s["evidence"])[1] or 0) > 0.5]
    return [len(part) / len(whole) if whole else None for part, whole in
            (([s for s in judged if s["entailed"]], judged), (spatial, boxed), (spatial, entailed_boxed))]


def test_radfact_shares_of_judged_sentences():
    rng = random.Random(4)
    cases = [[{"entailed": rng.random() < 0.6, "boxes": draw_boxes(rng, 3), "evidence": draw_boxes(rng, 6)}
              for _ in range(rng.randrange(7))] for _ in range(300)]
    half = {"entailed": True, "boxes": [[0, 0, 1, 1]], "evidence": [[0, 0, 0.5, 1]]}  # 0.5 is not above 0.5
    more = half | {"evidence": [[0, 0, 0.505, 1]]}
    cases += [[half], [more], [half, more, half | {"boxes": []}], []]
    out = run(*({"judged": case} for case in cases))
    assert out == [pytest.approx(shares(case)) for case in cases]
    assert out[-4:] == [[1, 0, 0], [1, 1, 1], [1, 0.5, 0.5], [None, None, None]]
