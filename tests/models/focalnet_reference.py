"""BiomedParse's backbone in plain PyTorch: timm's FocalNet on seeded weights with the checkpoint's names."""
import re

import torch

from models.reference import seeded
from timm.models.focalnet import FocalNet  # behind reference, which stands in for torchvision

DIM, LEVELS, OUTPUTS = 192, 4, ["res2", "res3", "res4", "res5"]


class Backbone(torch.nn.Module):
    """timm's FocalNet with the norms that the published backbone has at its outputs; maps channels-last, as ours."""

    def __init__(self, depths, dim=DIM, **changes):
        super().__init__()
        options = dict(use_overlap_down=True, use_post_norm=True, normalize_modulator=True) | changes
        with torch.device("meta"):
            self.net = FocalNet(embed_dim=dim, depths=depths, focal_levels=(LEVELS,) * 4, focal_windows=(3,) * 4,
                                layerscale_value=1e-4, num_classes=0, **options)
            self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(dim << i) for i in range(4))
        del self.net.norm, self.net.head
        shapes = {n: tuple(p.shape) for n, p in self.state_dict().items()}
        values = {n: seeded(self.published(n), shape) for n, shape in shapes.items()}
        self.load_state_dict(values, assign=True)
        self.eval()
        # timm has convolutions of 1 x 1 where the checkpoint has linear layers.
        linear = re.compile(r"(\.f|modulation\.proj|\.fc[12])\.weight$")
        self.weights = {self.published(n): t.flatten(1) if linear.search(n) else t for n, t in values.items()}

    @staticmethod
    def published(name):
        """timm's name as the checkpoint has it."""
        kind, *rest = name.split(".")
        if kind == "norms":
            return f"backbone.norm{rest[0]}.{rest[1]}"
        if rest[0] == "stem":
            return ".".join(["backbone.patch_embed", *rest[1:]])
        stage = int(rest[1])
        if rest[2] == "downsample":
            return ".".join(["backbone.layers", str(stage - 1), *rest[2:]])
        name = ".".join(["backbone.layers", *rest[1:]])
        for theirs, ours in (("norm1_post", "norm1"), ("norm2_post", "norm2"), ("ls1.gamma", "gamma_1"),
                             ("ls2.gamma", "gamma_2")):
            name = name.replace(theirs, ours)
        return name

    def forward(self, x):
        x, maps = self.net.stem(x), []
        for layer, norm in zip(self.net.layers, self.norms):
            x = layer(x)
            maps.append(norm(x.permute(0, 2, 3, 1)))
        return maps
