"""BiomedParse's backbone equals timm's FocalNet, a port of its own; and the gates see what a wrong port would give."""
import pytest
import torch
import torch.nn.functional as F

from models.focalnet_reference import OUTPUTS, Backbone
from models.reference import difference, images, models_forward

TINY = dict(dim=16, depths=(1, 1, 2, 1))
MIDDLE = dict(dim=96, depths=(2, 2, 6, 2))
GATE = 4e-5  # of a map's largest value; timm's own maps differ by up to 3e-5 when oneDNN is off
FLOORS = 10  # times as much at the middle size, where the test measures that


def padding(backbone):
    """timm wants sides that divide; the published layers add zeros right and below."""
    def to(multiple):
        return lambda _, args: F.pad(args[0], (0, -args[0].shape[-1] % multiple, 0, -args[0].shape[-2] % multiple))
    backbone.net.stem.register_forward_pre_hook(to(4))
    for layer in backbone.net.layers[1:]:
        layer.downsample.register_forward_pre_hook(to(2))
    return backbone


def maps_of(backbone, pixels):
    with torch.no_grad():
        return padding(backbone)(pixels)


def ours(folder, size, pixels):
    got = models_forward(folder, Backbone(**size).weights, {"images": pixels},
                         focalnet={"embed_dim": size["dim"], "depths": size["depths"]})
    return [got[name] for name in OUTPUTS]


def errors(maps, expected):
    return [difference(ours, theirs) for ours, theirs in zip(maps, expected, strict=True)]


@pytest.mark.parametrize("sides", [(64, 96), (61, 70)], ids=["divides", "padded"])
def test_tiny(tmp_path, sides):
    pixels = images(2, *sides)
    found = errors(ours(tmp_path, TINY, pixels), maps_of(Backbone(**TINY), pixels))
    print(found)
    assert max(found) <= GATE


def test_middle_size(tmp_path):
    """The floor: what timm's maps differ from themselves when oneDNN is off, so that sums run in another order."""
    pixels = images(1, 211, 300)
    expected = maps_of(Backbone(**MIDDLE), pixels)
    with torch.backends.mkldnn.flags(enabled=False):
        floors = errors(maps_of(Backbone(**MIDDLE), pixels), expected)
    found = errors(ours(tmp_path, MIDDLE, pixels), expected)
    print(found, floors)
    assert all(error <= FLOORS * floor for error, floor in zip(found, floors)), (found, floors)


def stem_padding_3(backbone):
    backbone.net.stem.proj.padding = (3, 3)
    return backbone


def tanh_gelu(backbone):
    for module in backbone.modules():
        if isinstance(module, torch.nn.GELU):
            module.approximate = "tanh"
    return backbone


SLIPS = {
    "stem padding 3": lambda: stem_padding_3(Backbone(**TINY)),
    "modulators not divided": lambda: Backbone(**TINY, normalize_modulator=False),
    "tanh GELU": lambda: tanh_gelu(Backbone(**TINY)),
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    pixels = images(2, 61, 70)
    return pixels, ours(tmp_path_factory.mktemp("tiny"), TINY, pixels)


@pytest.mark.parametrize("slip", SLIPS)
def test_gate_sees_slip(tiny, slip):
    pixels, got = tiny
    found = errors(got, maps_of(SLIPS[slip](), pixels))
    print(slip, found)
    assert max(found) > 3 * GATE
