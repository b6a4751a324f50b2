"""Small source series, jobs for the tool results_seg, and dciodvfy, for the tests of DICOM objects."""

import json
import os
import pathlib
import shutil
import subprocess

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

BUILD = pathlib.Path(os.environ["VESALIUS_BUILD"])
SHARED = pathlib.Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
CT = "1.2.840.10008.5.1.4.1.1.2"
CR = "1.2.840.10008.5.1.4.1.1.1"
ULTRASOUND_CINE = "1.2.840.10008.5.1.4.1.1.3.1"

R = 0.5**0.5
GEOMETRIES = {  # step between columns, rows, slices, mm
    "axial": [[0.7, 0, 0], [0, 0.8, 0], [0, 0, 2.5]],
    "descending": [[0.7, 0, 0], [0, 0.8, 0], [0, 0, -2.5]],
    "sagittal": [[0, 0.9, 0], [0, 0, -0.9], [1.5, 0, 0]],
    "feet first": [[-0.7, 0, 0], [0, 0.8, 0], [0, 0, 3]],
    "oblique": [[0.7 * R, 0.7 * R, 0], [-0.7 * R, 0.7 * R, 0], [0, 0, 2]],
    "double oblique": [[0.9 * R, 0.45, 0.45], [-0.9 * R, 0.45, 0.45], [0, -1.7 * R, 1.7 * R]],
    "tilted gantry": [[0.7, 0, 0], [0, 0.7, 0], [0, 0.8, 2.4]],
}


def dataset(sop_class, shape, **more):
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Vesalius^Test", "42", "19000101", "O"
    ds.StudyDate, ds.StudyTime, ds.StudyID = "20260102", "101112", "7"
    ds.ReferringPhysicianName = ds.AccessionNumber = ""
    ds.Modality, ds.SeriesNumber = "CT", 3
    ds.Rows, ds.Columns = shape[-2:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.PixelData = np.zeros(shape, np.uint16).tobytes()
    for name, value in more.items():
        setattr(ds, name, value)
    return ds


def ct_series(folder, geometry, slices=6, rows=11, columns=13, **more):
    """Slices in DICOM files, named out of order; their grid, and the files in the grid's order."""
    step = np.array(GEOMETRIES[geometry], float)
    origin = np.array([-31.25, 17.5, -402.125])
    spacing = np.linalg.norm(step, axis=1)
    study, series, place = generate_uid(), generate_uid(), generate_uid()
    files = []
    for k in range(slices):
        ds = dataset(CT, (rows, columns), StudyInstanceUID=study, SeriesInstanceUID=series, FrameOfReferenceUID=place,
                     PositionReferenceIndicator="", SliceThickness="9", InstanceNumber=k + 1)
        ds.ImagePositionPatient = [f"{v:.9g}" for v in origin + k * step[2]]
        ds.ImageOrientationPatient = [f"{v:.12g}" for v in (*step[0] / spacing[0], *step[1] / spacing[1])]
        ds.PixelSpacing = [f"{spacing[1]:.9g}", f"{spacing[0]:.9g}"]
        for name, value in more.items():
            setattr(ds, name, value)
        files.append(folder / f"{(k * 5) % 7}-{k}.dcm")
        ds.save_as(files[-1], enforce_file_format=True)
    grid = {"size": [columns, rows, slices], "origin": origin.tolist(), "step": step.tolist(), "placed": True}
    return files, grid


def unplaced(columns, rows, slices):
    return {"size": [columns, rows, slices], "origin": [0, 0, 0], "step": np.eye(3).tolist(), "placed": False}


def blobs(grid, count, seed=0):
    """Masks [slice, row, column] with holes, diagonals, single pixels and empty slices; they overlap."""
    random = np.random.default_rng(seed)
    shape = grid["size"][::-1]
    masks = (random.random((count, *shape)) < 0.55).astype(np.uint8)
    if shape[0] > 3:
        masks[:, -2] = 0  # a gap
        masks[0, 0] = 0
    return masks


def results_seg(folder, files, grid, segments, **job):
    """Runs the tool; `segments` are {label: voxels}. Returns its last line, or None where all went well."""
    listed = []
    for i, (label, voxels) in enumerate(segments.items()):
        path = folder / f"{i}.raw"
        path.write_bytes(np.ascontiguousarray(voxels, np.uint8).tobytes())
        listed.append({"label": label, "voxels": str(path)})
    content = {"files": [str(f) for f in files], "grid": grid, "segments": listed}
    content |= {key: str(value) if isinstance(value, pathlib.Path) else value for key, value in job.items()}
    (folder / "job.json").write_text(json.dumps(content))
    run = subprocess.run([BUILD / "results_seg", folder / "job.json"], stdout=subprocess.PIPE, check=False)
    assert run.returncode >= 0, "the tool died"
    return json.loads(run.stdout) if run.stdout else None


def media_seg(*arguments, shape=None):
    """Header and voxels [segment, slice, row, column] as our own reader gives them."""
    run = subprocess.run([BUILD / "media_seg", *map(str, arguments)], stdout=subprocess.PIPE, check=False)
    assert run.returncode >= 0, "the tool died"
    line, _, voxels = run.stdout.partition(b"\n")
    header = json.loads(line)
    if "error" in header:
        return header, None
    shape = shape or header["grid"]["size"][::-1]
    return header, np.frombuffer(voxels, np.uint8).reshape(-1, *shape)


def conformance_errors(path):
    """What dciodvfy says against an object."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed (apt package dicom3tools)")
    run = subprocess.run(["dciodvfy", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    lines = run.stdout.splitlines()
    assert lines, "dciodvfy said nothing"
    harmless = "would be needed to build DICOMDIR"
    return [line for line in lines if line.startswith(("Error", "Warning")) and harmless not in line]


def real_ct():
    """The CT slices, their grid and the label map of another tool; skips where they are not."""
    folder = SHARED / "volumes" / "ct_dicom"
    nibabel = pytest.importorskip("nibabel")
    if not folder.is_dir():
        pytest.skip("../shared/data/volumes is not here")
    headers = {path: pydicom.dcmread(path, stop_before_pixels=True) for path in folder.iterdir()}
    files = sorted(headers, key=lambda path: headers[path].ImagePositionPatient[2])
    first, last = headers[files[0]], headers[files[-1]]
    origin = np.array(first.ImagePositionPatient, float)
    between = (np.array(last.ImagePositionPatient, float) - origin) / (len(files) - 1)
    rows, columns = map(float, first.PixelSpacing)
    grid = {"size": [first.Columns, first.Rows, len(files)], "origin": origin.tolist(),
            "step": [[columns, 0, 0], [0, rows, 0], between.tolist()], "placed": True}
    labels = nibabel.load(SHARED / "volumes" / "ct" / "example_seg_dicom.nii.gz")
    assert np.allclose(labels.affine[:3, 3], [-origin[0], -origin[1] - rows * 511, origin[2]])  # rows run upwards
    return files, grid, np.asarray(labels.dataobj).astype(np.uint8).transpose(2, 1, 0)[:, ::-1]
