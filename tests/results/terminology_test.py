"""The words of segmentation targets, and the codes for them."""

import json
import os
import pathlib
import re
import subprocess

import pytest
from pydicom.sr._concepts_dict import concepts

TOOL = pathlib.Path(os.environ["VESALIUS_BUILD"]) / "results_seg"
TABLE = pathlib.Path(__file__).resolve().parents[2] / "src" / "results" / "terminology_table.cpp"

# Not in pydicom's dictionary but in TotalSegmentator's table of SNOMED CT codes.
ELSEWHERE = {"74281007": "Myocardium", "110765007": "Portal vein and splenic vein",
             "181674001": "Gluteus maximus muscle",
             "78333006": "Gluteus medius muscle", "68455001": "Iliopsoas muscle", "244849004": "Deep muscle of back",
             "67769002": "Subcutaneous fatty tissue", "47351003": "Infiltrate"}

# Targets of the published models, 2D and 3D.
TARGETS = """
postcava; aorta; right kidney; kidney; left kidney; duodenum; pancreas; liver; spleen; stomach; gallbladder;
left adrenal gland; adrenal gland; right adrenal gland; bladder; esophagus; nodule; COVID-19 infection; tumor; vessel;
left heart ventricle; myocardium; right heart ventricle; edema; tumor core; whole tumor; enhancing tumor;
non-enhancing tumor; connective tissue cells; inflammatory cells; neoplastic cells; epithelial cells; left lung; lung;
right lung; viral pneumonia; left heart atrium; neoplastic polyp; polyp; non-neoplastic polyp; optic cup; optic disc;
lesion; melanoma; kidney cyst; kidney tumor; colon tumor; liver tumor; lung nodule; uterus; lower-grade glioma;
hippocampus; hippocampus anterior; hippocampus posterior; right heart atrium; prostate; lung opacity; breast tumor;
benign breast tumor; malignant breast tumor; fetal head; public symphysis; prostate peripheral zone;
prostate transition zone; hepatic vessel; lung vessel; trachea; airways; thyroid gland; parotid gland; brainstem; brain;
optic nerve; optic chiasm; spinal cord; left femur; right hip; L1 vertebra; vertebrae T12; rib; sternum; small bowel;
colon; rectum; inferior vena cava; superior vena cava; portal vein and splenic vein; pulmonary artery; heart;
pericardium;
left lung upper lobe; iliopsoas left; gluteus maximus right; nuclei; cell nuclei; cardiomediastinum; pleural effusion;
pneumothorax; cerebellum; thalamus; left caudate nucleus; putamen; skin lesion; brain metastases; lymph nodes"""


def terms(words):
    run = subprocess.run([TOOL, "terms"], input="\n".join(words), stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def known_meanings():
    """Every SNOMED CT code that pydicom has, with all of its meanings."""
    meanings = {}
    for codes in concepts["SCT"].values():
        for code, (meaning, _) in codes.items():
            meanings.setdefault(code, set()).add(meaning.lower())
    return meanings


def long_words(text):
    return [word for word in re.split(r"\W+", text.lower()) if len(word) > 3]


def test_every_code_stands_in_a_published_table_with_this_meaning():
    rows = re.findall(r'\{"([^"]+)",\s+k\w+,\s+"(\d+)",\s+"([^"]+)"', TABLE.read_text())
    meanings = known_meanings()
    assert len(rows) > 230
    for words, code, meaning in rows:
        if code in ELSEWHERE:
            assert ELSEWHERE[code] == meaning, words
            continue
        agree = [m for m in meanings.get(code, ()) if all(word in m for word in long_words(meaning))]
        synonym = {"108369006": "tumor", "89837001": "bladder", "57850000": "celiac", "54019009": "submandibular",
                   "41216001": "prostat", "279706003": "peripheral", "399384005": "transition",
                   "12921003": "pelvi"}.get(code)
        assert agree or any(synonym and synonym in m for m in meanings.get(code, ())), (words, code, meaning)


def test_targets_of_the_published_models_are_known():
    words = [" ".join(target.split()) for target in TARGETS.split(";")]
    assert [term["words"] for term in terms(words) if not term["known"]] == []


def test_every_alias_leads_to_a_term_and_its_region():
    rows = re.findall(r'^    \{"([^"]+)", "([^"]+)", "([^"]*)"\},$', TABLE.read_text(), re.MULTILINE)
    assert len(rows) > 70
    for term, (words, target, region) in zip(terms([row[0] for row in rows]), rows):
        (expected,) = terms([target])
        assert term["known"] and term["type"] == expected["type"], words
        assert (term["region"] is not None) == (region != ""), words


@pytest.mark.parametrize("words, type_, modifier, region", [
    ("Left Kidney", "Kidney", "Left", None),
    ("kidney_right", "Kidney", "Right", None),
    ("the kidneys", "Kidney", None, None),
    ("both lungs", "Lung", "Right and left", None),
    ("left heart ventricle", "Left ventricle", None, None),
    ("kidney cyst left", "Cyst", "Left", "Kidney"),
    ("liver tumor", "Neoplasm", None, "Liver"),
    ("malignant breast tumor", "Neoplasm", None, "Breast"),
    ("enhancing tumor", "Neoplasm", None, "Brain"),
    ("optic cup", "Tissue", None, "Optic nerve head"),
    ("vertebrae L3", "L3 vertebra", None, None),
    ("coronary arteries", "Coronary artery", None, None),
    ("", "Tissue", None, None),
    ("left", "Tissue", None, None),
    ("left zebra", "Tissue", "Left", None),
])
def test_words_of_every_order(words, type_, modifier, region):
    (term,) = terms([words + "\n"])[:1]
    meanings = [term[key] and term[key][2] for key in ("type", "modifier", "region")]
    assert meanings == [type_, modifier, region]


def test_unknown_words_are_tissue_with_a_colour_of_their_own():
    a, b, again = terms(["zebra stripes", "unicorn", "zebra stripes"])
    assert not a["known"] and a["type"] == a["category"] == ["85756007", "SCT", "Tissue"]
    assert a["colour"] == again["colour"] and a["colour"] != b["colour"]
