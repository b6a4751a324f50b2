"""`vesalius models` on BiomedParse's family from the outside; PyTorch reads what is written for it."""

import json
import pathlib
import subprocess

import pytest
import torch
from safetensors.torch import load_file

from catalog.models_test import PROGRAM, home  # noqa: F401
from models.reference import seeded

FILES = {"biomedparse-v1": "biomedparse_v1.pt", "biomedparse-v2": "biomedparse_v2.ckpt",
         "medimageparse": "artifacts/checkpoints/boltzformer_focal_all.safetensors",
         "medimageparse3d": "artifacts/checkpoints/boltzformer_focal_all.safetensors"}
NAMES = pathlib.Path(__file__).parents[2] / "../shared/specs/names"
DEFINED = {"pixel_mean": 114.495, "pixel_std": 57.63, "dilation_kernel": 1.0}


def write_tiny(home, model, *options):  # noqa: F811
    folder = home.root / model
    home.run("random", model, "--seed", 7, "--size", "tiny", "-o", folder, "-q", *options)
    return folder, folder / FILES[model]


def state_dict(file):
    """As the published loaders have it."""
    if file.suffix == ".safetensors":
        return load_file(file)
    stored = torch.load(file, weights_only=True)
    if file.suffix == ".pt":
        return dict(stored)
    assert set(stored) == {"state_dict"}
    assert all(name.startswith("model.") for name in stored["state_dict"])
    return {name.removeprefix("model."): value for name, value in stored["state_dict"].items()}


@pytest.mark.parametrize("model", FILES)
def test_pytorch_reads_the_seeded_values(home, model):  # noqa: F811
    _, file = write_tiny(home, model, "--gain", "query_embed_.weight=16")
    tensors = state_dict(file)
    assert len(tensors) > 300
    for name, value in tensors.items():
        if name in DEFINED:
            assert (value == torch.tensor(DEFINED[name])).all(), name
        else:
            gain = 16 if name.endswith("query_embed_.weight") else 1
            assert torch.equal(value, seeded(name, tuple(value.shape)) * gain), name


@pytest.mark.parametrize("version", [1, 2])
def test_names_are_the_published_ones_less_repeated_blocks(home, version):  # noqa: F811
    """Tiny has fewer blocks of each kind and no kind less."""
    published = NAMES / f"biomedparse-v{version}.json"
    if not published.exists():
        pytest.skip(f"{published} is not on this machine")
    wanted = {t["name"] for t in json.loads(published.read_text())["tensors"]}
    found = set(state_dict(write_tiny(home, f"biomedparse-v{version}")[1]))
    assert found <= wanted

    def kinds(names):
        return {".".join("#" if part.isdigit() else part for part in name.split(".")) for name in names}
    assert kinds(found) == kinds(wanted)


@pytest.mark.parametrize("model", FILES)
def test_the_way_of_a_model(home, model):  # noqa: F811
    folder, _ = write_tiny(home, model)
    (added,) = home.json("add", "mine", "--from", folder)
    assert added["state"] == "seeded" and len(added["weights_sha256"]) == 64
    (card,) = home.json("show", "mine")
    assert card["seed"] == "7" and card["architecture"]["image_size"] == 64
    (verified,) = home.json("verify", "mine")
    assert verified["passed"]
    assert {c["what"] for c in verified["checks"]} >= {"weights hash", "seeded values", "tokens", "mask 'liver'"}
    assert "this program" in verified["reference"]
    assert "mine" in home.run("list")
    assert home.json("rm", "mine") == [{"name": "mine", "removed": True}]


LOUD = [word for table in ("query_feat", "query_embed", "query_feat_", "query_embed_", "level_embed")
        for word in ("--gain", f"{table}.weight=16")]


@pytest.mark.parametrize("model", FILES)
def test_the_published_code_goes_before_this_programs_own_outputs(home, model):  # noqa: F811
    folder, _ = write_tiny(home, model, *LOUD)
    home.run("add", "mine", "--from", folder)
    (verified,) = home.json("verify", "mine")
    assert verified["passed"] and "the published code of BiomedParse" in verified["reference"]
    assert all(check["max_rel_diff"] < 2e-5 for check in verified["checks"])


def test_lightnings_other_entries_are_passed_over(home):  # noqa: F811
    folder, file = write_tiny(home, "biomedparse-v2")
    stored = torch.load(file, weights_only=True)
    stored |= {"epoch": 3, "pytorch-lightning_version": "2.4.0", "hyper_parameters": {"lr": 1e-5},
               "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(3)}}, "path": pathlib.PurePosixPath("a/b")}]}
    file.unlink()
    torch.save(stored, folder / "biomedparse_3D_AllData_MultiView_edge.ckpt")
    (added,) = home.json("add", "mine", "--from", folder)
    assert added["family"] == "biomedparse-v2"


def test_the_published_extra_of_version_1(home):  # noqa: F811
    folder, file = write_tiny(home, "biomedparse-v1")
    stored = torch.load(file, weights_only=True)
    torch.save(stored | {"criterion.empty_weight": torch.ones(17)}, file)
    home.run("add", "mine", "--from", folder)
    torch.save(stored | {"criterion.other": torch.ones(17)}, file)
    assert "extra criterion.other [17]" in home.run("add", "other", "--from", folder, code=5)


def test_a_published_name_takes_the_published_sizes(home):  # noqa: F811
    folder, _ = write_tiny(home, "biomedparse-v2")
    assert "another model than biomedparse-v2" in home.run("add", "biomedparse-v2", "--from", folder, code=5)


def test_another_model_is_not_written_over_one(home):  # noqa: F811
    folder, file = write_tiny(home, "biomedparse-v2")
    text = home.run("random", "medimageparse", "--size", "tiny", "-o", folder, code=2)
    assert "holds other files" in text and file.exists()


def test_cards_say_what_one_must_know(home):  # noqa: F811
    listed = {m["name"]: m for m in home.json("list")}
    for model in FILES:
        assert listed[model]["state"] == "not installed"
        shown = home.run("show", model)
        assert all(word in shown for word in ("licence", "publisher", "files.weights.path", "limits", "published."))


def test_a_full_disk_leaves_nothing(home):  # noqa: F811
    for model in ("biomedparse-v1", "biomedparse-v2"):
        target = home.root / "full"
        command = f"ulimit -f 2000; trap '' XFSZ; exec {PROGRAM} models random {model} --size tiny -o {target}"
        done = subprocess.run(["bash", "-c", command], env=home.env, capture_output=True, text=True)
        assert done.returncode == 1 and FILES[model] in done.stderr, done.stderr
        assert not [p for p in target.rglob("*") if p.is_file()]
