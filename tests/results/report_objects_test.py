"""DICOM objects and FHIR of drafted reports: judged by dciodvfy, highdicom and fhir.resources."""

import base64
import hashlib
import json
import subprocess

import numpy as np
import pydicom
import pytest
from highdicom.sr import srread
from pydicom.uid import generate_uid

from results.dicom_objects import BUILD, CR, SHARED, conformance_errors, dataset

FINDINGS = [
    {"text": "There is a right pleural effusion, naïvely speaking.", "boxes": [[0.105, 0.515, 0.455, 0.905]],
     "labels": [["Pleural Effusion", "present"]]},
    {"text": "Opacities in both lungs may be pneumonia.", "boxes": [[0.005, 0.3, 0.2, 0.5], [0.6, 0.3, 0.995, 1.0]],
     "labels": [["Lung Opacity", "present"], ["Pneumonia", "uncertain"]]},
    {"text": "No pneumothorax.", "labels": [["Pneumothorax", "absent"]]},
    {"text": "The patient is rotated."},
]
INPUTS = {"indication": "Cough", "technique": "PA", "comparison": "None"}
NAMES = {"sr": "sr.dcm", "report": "report.dcm", "gsps": "gsps.dcm"}


def run(folder, film, formats, findings=None, **more):
    job = {"film": str(film), "formats": formats, "folder": str(folder), **INPUTS, **more}
    job["findings"] = FINDINGS if findings is None else findings
    (folder / "job.json").write_text(json.dumps(job))
    done = subprocess.run([BUILD / "results_report", folder / "job.json"], stdout=subprocess.PIPE, check=False)
    assert done.returncode >= 0, "the tool died"
    return json.loads(done.stdout) if done.stdout else None


def film(folder, rows, columns, **more):
    ds = dataset(CR, (rows, columns), StudyInstanceUID=generate_uid(), SeriesInstanceUID=generate_uid(),
                 Modality="CR", BodyPartExamined="CHEST", ViewPosition="PA", PatientOrientation=["L", "F"],
                 InstanceNumber=1, WindowCenter="700", WindowWidth="900", AcquisitionNumber=1, Laterality="")
    for name, value in more.items():
        setattr(ds, name, value)
    path = folder / "film.dcm"
    ds.save_as(path, enforce_file_format=True)
    return path


def corners(box, rows, columns):
    x0, y0, x1, y1 = np.array(box) * [columns, rows, columns, rows]
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]])


def all_corners(rows, columns):
    return [corners(box, rows, columns) for f in FINDINGS for box in f.get("boxes", [])]


def items(item, value_type):
    for child in item.get("ContentSequence", []):
        if child.ValueType == value_type:
            yield child
        yield from items(child, value_type)


def regions_of(path):
    return [np.array(item.GraphicData).reshape(-1, 2) for item in items(pydicom.dcmread(path), "SCOORD")]


def assert_same(read, expected):
    assert len(read) == len(expected)
    for ours, right in zip(read, expected):
        np.testing.assert_allclose(ours, right, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("rows, columns", [(169, 211), (3001, 2477), (2, 7), (512, 512)])
def test_coordinates_survive(tmp_path, rows, columns):
    path = film(tmp_path, rows, columns)
    assert run(tmp_path, path, "sr,gsps") is None
    for name in NAMES.values():
        assert conformance_errors(tmp_path / f"report.{name}") == [], name
    assert_same(regions_of(tmp_path / "report.sr.dcm"), all_corners(rows, columns))
    state = pydicom.dcmread(tmp_path / "report.gsps.dcm")
    drawn = [np.array(g.GraphicData).reshape(-1, 2) for a in state.GraphicAnnotationSequence
             for g in a.GraphicObjectSequence]
    assert_same(drawn, all_corners(rows, columns))


def test_measurement_report(tmp_path):
    path = film(tmp_path, 169, 211)
    assert run(tmp_path, path, "sr", prompt="asked") is None
    ds, source = pydicom.dcmread(tmp_path / "report.sr.dcm"), pydicom.dcmread(path)
    assert (ds.CompletionFlag, ds.VerificationFlag) == ("PARTIAL", "UNVERIFIED")
    assert ds.StudyInstanceUID == source.StudyInstanceUID and ds.PatientID == source.PatientID
    for image in items(ds, "IMAGE"):
        assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    content = srread(tmp_path / "report.sr.dcm").content
    (planar,) = content.get_planar_roi_measurement_groups()
    assert planar.tracking_identifier == "Finding 1" and planar.finding_type.value == "60046008"
    assert planar.roi.graphic_type.name == "POLYLINE"
    others = content.get_image_measurement_groups()
    assert [g.tracking_identifier for g in others] == ["Finding 2", "Finding 3", "Finding 4"]
    assert [g.finding_type and g.finding_type.value for g in others] == ["233604007", None, None]
    evaluated = [[(e.name.value, e.value.meaning) for e in g.get_qualitative_evaluations()] for g in [planar, *others]]
    assert evaluated == [[("60046008", "Present")], [("233604007", "Undetermined")], [("36118008", "Absent")], []]
    texts = [t.TextValue for t in items(ds, "TEXT") if t.ConceptNameCodeSequence[0].CodeMeaning == "Finding"]
    assert texts == [f["text"] for f in FINDINGS]
    assert any("assigned by rules" in t.TextValue for t in items(ds, "TEXT"))
    parameters = [t.TextValue for t in items(ds, "TEXT") if t.ConceptNameCodeSequence[0].CodeValue == "111002"]
    assert set(parameters) == {"seed 7, prompt sha256 " + hashlib.sha256(b"asked").hexdigest()}


def test_narrative_report(tmp_path):
    assert run(tmp_path, film(tmp_path, 20, 30), "sr") is None
    ds = pydicom.dcmread(tmp_path / "report.report.dcm")
    sections = {c.ConceptNameCodeSequence[0].CodeMeaning: [t.TextValue for t in c.ContentSequence]
                for c in ds.ContentSequence if c.ValueType == "CONTAINER"}
    assert sections == {
        "Indications for Procedure": ["Cough"], "Current Procedure Descriptions": ["PA"],
        "Prior Procedure Descriptions": ["None"], "Findings": [f["text"] for f in FINDINGS],
        "Summary": ["Research use only. Draft, not verified."]}
    assert ds.VerificationFlag == "UNVERIFIED"


def test_presentation_state(tmp_path):
    path = film(tmp_path, 169, 211, PhotometricInterpretation="MONOCHROME1", RescaleSlope="2", RescaleIntercept="-5",
                PixelSpacing=["0.2", "0.3"])
    assert run(tmp_path, path, "gsps") is None
    ds = pydicom.dcmread(tmp_path / "report.gsps.dcm")
    assert [layer.GraphicLayer for layer in ds.GraphicLayerSequence] == ["FINDING 1", "FINDING 2"]
    area = ds.DisplayedAreaSelectionSequence[0]
    assert list(area.DisplayedAreaBottomRightHandCorner) == [211, 169]
    assert list(area.PresentationPixelSpacing) == [0.2, 0.3]
    assert (ds.PresentationLUTShape, ds.RescaleSlope, ds.RescaleIntercept) == ("INVERSE", 2, -5)
    assert ds.SoftcopyVOILUTSequence[0].WindowCenter == 700
    first = ds.GraphicAnnotationSequence[0]
    assert first.TextObjectSequence[0].UnformattedTextValue.startswith("1 There is a right pleural")
    assert np.allclose(first.TextObjectSequence[0].AnchorPoint, first.GraphicObjectSequence[0].GraphicData[:2])


def test_a_malformed_age_is_left_out(tmp_path):
    for age, kept in (("062Y", "062Y"), ("62", None)):
        run(tmp_path, film(tmp_path, 64, 64, PatientAge=age), "sr")
        assert pydicom.dcmread(tmp_path / "report.sr.dcm").get("PatientAge") == kept
        assert not conformance_errors(tmp_path / "report.sr.dcm")


@pytest.mark.parametrize("findings", [[], [{"text": " ", "boxes": [[0, 0, 1, 1]]}]])
def test_a_draft_that_says_nothing(tmp_path, findings):
    assert run(tmp_path, film(tmp_path, 20, 30), "sr,gsps,fhir", findings=findings) is None
    for name in NAMES.values():
        assert conformance_errors(tmp_path / f"report.{name}") == [], name


def test_fhir(tmp_path):
    bundles = pytest.importorskip("fhir.resources.R4B.bundle")
    path = film(tmp_path, 169, 211)
    for source in (path, SHARED / "cxr" / "files" / "00027426_000.png"):
        if not source.exists():
            continue
        assert run(tmp_path, source, "fhir") is None
        content = (tmp_path / "report.fhir.json").read_text()
        bundle = bundles.Bundle.model_validate_json(content)
        urls = {entry.fullUrl for entry in bundle.entry}
        kinds = [entry.resource.__class__.__name__ for entry in bundle.entry]
        assert kinds.count("Observation") == len(FINDINGS) and len(urls) == len(kinds)
        for part in content.split('"reference": "')[1:]:
            assert part.split('"')[0] in urls
        assert ("ImagingStudy" in kinds) == (source == path)


def test_fhir_says_what_the_draft_says(tmp_path):
    path = film(tmp_path, 169, 211)
    assert run(tmp_path, path, "fhir", prompt="Given the film") is None
    resources = [e["resource"] for e in json.loads((tmp_path / "report.fhir.json").read_text())["entry"]]
    (report,) = [r for r in resources if r["resourceType"] == "DiagnosticReport"]
    assert report["status"] == "preliminary" and "Research use only" in report["conclusion"]
    assert FINDINGS[2]["text"] in base64.b64decode(report["presentedForm"][0]["data"]).decode()
    assert report["subject"]["identifier"]["value"] == "42"
    found = [r for r in resources if r["resourceType"] == "Observation"]
    assert [r["valueString"] for r in found] == [f["text"] for f in FINDINGS]
    boxes = [[float(v) for v in c["valueString"].split()] for r in found for c in r.get("component", [])
             if "valueString" in c]
    expected = [[*c[0], *c[2]] for c in all_corners(169, 211)]
    np.testing.assert_allclose(boxes, expected, rtol=1e-6)
    (study,) = [r for r in resources if r["resourceType"] == "ImagingStudy"]
    source = pydicom.dcmread(path)
    assert study["series"][0]["instance"][0]["uid"] == source.SOPInstanceUID
    assert study["identifier"][0]["value"] == "urn:oid:" + source.StudyInstanceUID
    (origin,) = [r for r in resources if r["resourceType"] == "Provenance"]
    hashes = {e["what"]["display"]: e["what"]["identifier"]["value"] for e in origin["entity"] if "display" in e["what"]}
    prompt = hashlib.sha256(b"Given the film").hexdigest()
    assert hashes == {"weights of MAIRA-2 (test)": "00ff", "prompt": prompt}


def test_codes_of_the_user(tmp_path):
    path = film(tmp_path, 20, 30)
    (tmp_path / "codes.csv").write_text("label,scheme,code,meaning\nPleural Effusion,RADLEX,RID34539,pleural effusion\n")
    assert run(tmp_path, path, "sr", codes=str(tmp_path / "codes.csv")) is None
    (planar,) = srread(tmp_path / "report.sr.dcm").content.get_planar_roi_measurement_groups()
    assert (planar.finding_type.value, planar.finding_type.scheme_designator) == ("RID34539", "RADLEX")
    (tmp_path / "codes.csv").write_text("label,scheme,code,meaning\nHiccups,X,1,y\n")
    assert "codes.csv: line 2" in run(tmp_path, path, "sr", codes=str(tmp_path / "codes.csv"))["error"]


def test_what_cannot_be_done(tmp_path):
    colour = film(tmp_path, 4, 4, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0,
                  BitsAllocated=8, BitsStored=8, HighBit=7, PixelData=bytes(48))
    assert "in colour" in run(tmp_path, colour, "gsps")["error"]


def real_films():
    return [SHARED / "dicom" / "objects" / "dx_image.dcm", *(SHARED / "cxr" / "files").glob("*.dcm")]


@pytest.mark.parametrize("path", real_films(), ids=lambda path: path.name[:20])
def test_real_films(tmp_path, path):
    if not path.exists():
        pytest.skip(f"{path} is not here")
    assert run(tmp_path, path, "json,txt,png,sr,gsps,fhir") is None
    source = pydicom.dcmread(path, stop_before_pixels=True)
    assert_same(regions_of(tmp_path / "report.sr.dcm"), all_corners(source.Rows, source.Columns))
    inherited = ("Patient's", "invalid data values")  # attributes that the film itself has wrong
    for name in NAMES.values():
        errors = conformance_errors(tmp_path / f"report.{name}")
        assert [e for e in errors if not any(word in e for word in inherited)] == [], name
