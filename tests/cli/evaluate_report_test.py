"""evaluate report: figures from a manifest, boxes and labels, a second system, and what it refuses."""

import csv
import json

import numpy as np
import pytest

from cli.program import run

ROWS = [
    {"candidate": "No pleural effusion. Possible pneumonia.", "reference": "There is pneumonia. No pleural effusion."},
    {"candidate": "Moderate cardiomegaly. Lungs are clear.", "reference": "Mild cardiomegaly with clear lungs."},
    {"candidate": "Small left pleural effusion.", "reference": "Left basal atelectasis and small pleural effusion."},
    {"candidate": "The lungs are clear.", "reference": "The lungs are clear."},
    {"candidate": "Heart size is normal.", "reference": "Bibasilar atelectasis. Heart size is normal."},
]


def write(path, rows):
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows({k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()} for row in rows)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def evaluate(tmp_path):
    def call(rows, *arguments, name="m.jsonl", code=0):
        result = run("evaluate", "report", "--manifest", write(tmp_path / name, rows), "--json", *arguments)
        assert result.code == code, result.err
        return result.lines[0] if code == 0 else result.err
    return call


def test_words_are_scored_and_intervals_hold_their_values(evaluate):
    report = evaluate(ROWS)
    assert (report["task"], report["rows"], report["empty_candidates"]) == ("report", 5, 0)
    for name in ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "rouge_l_stemmed", "cider_d", "label_micro_f1"):
        figure = report[name]
        assert figure["low"] <= figure["value"] <= figure["high"], name
        assert 0 < figure["value"] < (10 if name == "cider_d" else 1), name
    assert "box_iou" not in report and "radfact_logical_f1" not in report and "other" not in report
    same = evaluate([row | {"candidate": row["reference"]} for row in ROWS])
    assert same["bleu_4"]["value"] == pytest.approx(1) and same["rouge_l"]["value"] == 1
    assert same["label_micro_f1"]["value"] == 1


def test_figures_are_the_packages(evaluate):
    bleu = pytest.importorskip("pycocoevalcap.bleu.bleu")
    cider = pytest.importorskip("pycocoevalcap.cider.cider")
    rouge = pytest.importorskip("rouge_score.rouge_scorer")
    report = evaluate(ROWS)
    truth = {i: [row["reference"]] for i, row in enumerate(ROWS)}
    said = {i: [row["candidate"]] for i, row in enumerate(ROWS)}
    theirs = bleu.Bleu(4).compute_score(truth, said, verbose=0)[0]
    assert [report[f"bleu_{n}"]["value"] for n in (1, 2, 3, 4)] == pytest.approx(theirs, abs=1e-9)
    assert report["cider_d"]["value"] == pytest.approx(cider.Cider().compute_score(truth, said)[0], abs=1e-9)
    for name, stem in (("rouge_l", False), ("rouge_l_stemmed", True)):
        scorer = rouge.RougeScorer(["rougeL"], use_stemmer=stem)
        each = [scorer.score(row["reference"], row["candidate"])["rougeL"].fmeasure for row in ROWS]
        assert report[name]["value"] == pytest.approx(np.mean(each), abs=1e-9)


def test_csv_and_json_lines_give_the_same(evaluate):
    rows = [row | {"candidate_boxes": [[0, 0, 0.5, 1]], "reference_boxes": [[0, 0, 1, 1]]} for row in ROWS]
    assert evaluate(rows, name="m.csv") == evaluate(rows)
    assert evaluate(rows, "--seed", 1) != evaluate(rows, "--seed", 2)


def test_uncertain_labels_count_as_told(evaluate):
    """The first row's pneumonia is possible in the candidate, certain in the reference."""
    def counts(report):
        return {one["label"]: (one["reference"], one["candidate"], one["f1"]) for one in report["labels"]}

    negative, positive = evaluate(ROWS), evaluate(ROWS, "--uncertain", "positive")
    assert (negative["uncertain"], positive["uncertain"]) == ("negative", "positive")
    assert counts(negative)["Pneumonia"] == (1, 0, 0) and counts(positive)["Pneumonia"] == (1, 1, 1)
    assert counts(negative)["Pleural Effusion"] == (1, 1, 1) and counts(negative)["Atelectasis"] == (2, 0, 0)
    assert counts(negative)["Fracture"] == (0, 0, None)
    for report in (negative, positive):
        told = [one for one in report["labels"]]
        five = [one for one in told if one["label"] in ("Cardiomegaly", "Edema", "Consolidation", "Atelectasis",
                                                        "Pleural Effusion")]
        for group, end in ((told, ""), (five, "_5")):
            both = sum((one["f1"] or 0) * (one["reference"] + one["candidate"]) / 2 for one in group)
            sides = sum(one["reference"] + one["candidate"] for one in group)
            assert report["label_micro_f1" + end]["value"] == pytest.approx(2 * both / sides)
            assert report["label_macro_f1" + end]["value"] == pytest.approx(sum(one["f1"] or 0 for one in group)
                                                                           / len(group))


def test_boxes_come_from_columns_or_from_grounded_text(evaluate):
    grounded = "<obj>Left opacity.<box><x0><y0><x49><y99></box></obj><obj>Heart size is normal.</obj>"
    rows = [
        {"candidate": grounded, "reference": "Left opacity. Heart size is normal.", "reference_boxes": [[0, 0, 1, 1]]},
        {"candidate": "Clear.", "reference": "Clear.", "reference_boxes": []},  # both have none: no figure
        {"candidate": "Clear.", "reference": "Opacity.", "reference_boxes": [[0, 0, 1, 1]]},  # all is missed
        {"candidate": grounded, "reference": "Opacity."},  # nobody told the boxes
    ]
    report = evaluate(rows)
    x, y = int(0.495 * 224) - 1, int(0.995 * 224) - 1  # bins are told by their middles
    share = x * y / 224**2
    assert report["box_recall"]["value"] == pytest.approx((share + 0) / 2)
    assert report["box_iou"]["value"] == pytest.approx((share + 0) / 2)
    assert report["box_precision"]["value"] == pytest.approx(1)
    assert evaluate(rows[:1])["rouge_l"]["value"] == 1  # its words are compared without the tokens
    silent = evaluate([{"candidate": "Clear.", "reference": "Opacity.", "reference_boxes": [[0, 0, 1, 1]]}])
    assert silent["box_iou"] is None and silent["box_recall"] is None


def test_a_judges_answers_and_other_scores(evaluate):
    half = {"entailed": True, "boxes": [[0, 0, 1, 1]], "evidence": [[0, 0, 0.5, 1]]}
    inside = {"entailed": True, "boxes": [[0, 0, 0.4, 1]], "evidence": [[0, 0, 0.5, 1]]}
    plain, unanswered = {"entailed": True}, {"entailed": None}
    answers = [([half, inside, plain], [inside]), ([plain, unanswered], [half, plain, unanswered, plain])]
    scores = {"radgraph": 0.3, "bertscore": 0.4, "chexbert": 0.5, "bleu_2": 0.2}
    rows = [row | {"candidate_judged": a, "reference_judged": b} | scores for row, (a, b) in zip(ROWS, answers)]
    report = evaluate([*rows, ROWS[2]])
    expected = {"logical_precision": (1 + 1 / 2) / 2, "logical_recall": (1 + 3 / 4) / 2, "spatial_precision": 1 / 2,
                "spatial_recall": 1 / 2, "grounding_precision": 1 / 2, "grounding_recall": 1 / 2}
    for name, value in expected.items():
        assert report["radfact_" + name]["value"] == pytest.approx(value), name
    p, r = expected["logical_precision"], expected["logical_recall"]
    assert report["radfact_logical_f1"]["value"] == pytest.approx(2 * p * r / (p + r))
    v1 = sum(w * (x - m) / s for w, x, m, s in ((-0.37708, 0.3, 0.53792, 0.30283), (-0.3703, 0.4, 0.61757, 0.22431),
                                                (-0.25262, 0.5, 0.76479, 0.25394)))
    assert report["radcliq_v1"]["value"] == pytest.approx(v1)
    assert evaluate([*rows, ROWS[2] | {k: "" for k in scores} | {"candidate_judged": "", "reference_judged": ""}],
                    name="m.csv")["radcliq_v0"] == report["radcliq_v0"]


def test_what_was_said_of_a_second_system_is_compared(evaluate):
    good = {"judged": [{"entailed": True}], "reference_judged": [{"entailed": True}],
            "radgraph": 0.9, "bertscore": 0.9, "chexbert": 0.9, "bleu_2": 0.9}
    bad = {"judged": [{"entailed": False}], "reference_judged": [{"entailed": True}, {"entailed": False}],
           "radgraph": 0.1, "bertscore": 0.1, "chexbert": 0.1, "bleu_2": 0.1}
    mine = {("candidate_judged" if k == "judged" else k): value for k, value in good.items()}
    rows = [row | {"other": row["candidate"]} | mine for row in ROWS * 4]
    worse = evaluate([row | {f"other_{k}": value for k, value in bad.items()} for row in rows])
    assert worse["other"]["radfact_logical_precision"]["value"] == 0
    assert worse["other"]["radfact_logical_recall"]["difference"] == pytest.approx(0.5)
    for figure, sign in (("radfact_logical_precision", 1), ("radcliq_v0", -1), ("radcliq_v1", -1)):
        told = worse["other"][figure]
        assert told["difference"] == pytest.approx(worse[figure]["value"] - told["value"])
        assert told["difference"] * sign > 0 and told["p_value"] < 1e-2
    same = evaluate([row | {f"other_{k}": value for k, value in good.items()} for row in rows])
    assert same["other"]["radcliq_v1"]["p_value"] == 1 and same["other"]["radcliq_v1"]["difference"] == 0
    assert evaluate(rows)["other"]["radcliq_v1"] is None  # nobody said anything of it


def test_a_second_system_is_compared_row_by_row(evaluate):
    rows = [row | {"candidate": row["reference"], "other": "xxxx yyyy"} for row in ROWS * 4]
    report = evaluate(rows)
    other = report["other"]["rouge_l"]
    assert (other["value"], other["difference"]) == (0, 1) and other["p_value"] < 1e-3
    assert report["other"]["bleu_1"]["p_value"] < 1e-3
    same = evaluate([row | {"other": row["candidate"]} for row in ROWS])
    for name, figure in same["other"].items():
        assert (figure["value"], figure["p_value"]) == (same[name]["value"], 1)
    assert evaluate(rows) == report


def test_people_get_a_table(tmp_path):
    result = run("evaluate", "report", "--manifest",
                 write(tmp_path / "m.jsonl", [row | {"other": row["reference"]} for row in ROWS]))
    assert result.code == 0
    assert "bleu_4" in result.out and "Cardiomegaly" in result.out and "difference" in result.out
    assert "not by CheXbert" in result.err


@pytest.mark.parametrize("row, words", [
    ({"reference": "a"}, ["row 2", "`candidate`"]),
    ({"candidate": "a"}, ["row 2", "`reference`"]),
    ({"candidate": 3, "reference": "a"}, ["row 2", "`candidate`", "3"]),
    ({"candidate": "a", "reference": None}, ["row 2", "`reference`"]),
    ({"candidate": "a", "reference": "  "}, ["row 2", "empty"]),
    ({"candidate": "a", "reference": "a", "other": "b"}, ["row 2", "`other`"]),
    ({"candidate": "a" * 70000, "reference": "a"}, ["row 2", "70000 bytes"]),
    ({"candidate": "a", "reference": "a", "reference_boxes": [[0, 0, 1.5, 1]]}, ["row 2", "1.5", "0 to 1"]),
    ({"candidate": "a", "reference": "a", "reference_boxes": [[0, 0, 1]]}, ["row 2", "[0,0,1]"]),
    ({"candidate": "a", "reference": "a", "candidate_boxes": {"x": 1}}, ["row 2", "`candidate_boxes`", "list"]),
    ({"candidate": "a", "reference": "a", "candidate_boxes": "[[0,0"}, ["row 2", "`candidate_boxes`"]),
    ({"candidate": "a", "reference": "a", "candidate_boxes": [["0", 0, 1, 1]]}, ["row 2", "\"0\""]),
    ({"candidate": "a", "reference": "a", "radgraph": 0.5}, ["row 2", "together"]),
    ({"candidate": "a", "reference": "a", "radgraph": "x"}, ["row 2", "`radgraph`", "number"]),
    ({"candidate": "a", "reference": "a", "candidate_judged": []}, ["row 2", "together"]),
    (ROWS[0] | {"other": "a", "other_judged": []}, ["row 2", "`other_reference_judged`", "together"]),
    (ROWS[0] | {"other": "a", "other_radgraph": 0.5}, ["row 2", "`other_bertscore`", "together"]),
    ({"candidate": "a", "reference": "a", "candidate_judged": [{"entailed": "yes"}]}, ["row 2", "yes"]),
    ({"candidate": "a", "reference": "a", "candidate_judged": [1]}, ["row 2", "`candidate_judged`"]),
])
def test_bad_rows_are_named(evaluate, row, words):
    message = evaluate([ROWS[0], row, ROWS[1]], code=4)
    assert all(word in message for word in words), message


def test_an_empty_candidate_counts_and_an_empty_manifest_does_not(evaluate, tmp_path):
    report = evaluate([ROWS[3] | {"candidate": ""}, ROWS[3]])
    assert report["empty_candidates"] == 1 and report["rouge_l"]["value"] == 0.5
    (tmp_path / "none.jsonl").write_text("")
    empty = run("evaluate", "report", "--manifest", tmp_path / "none.jsonl")
    assert empty.code == 4 and "no rows" in empty.err
    assert run("evaluate", "report").code == 2
