"""Makes the stored values that segment_loss_test.cpp compares with, from the published loss.

    .venv/bin/python tests/tasks/make_segment_loss_golden.py V2 tests/tasks/golden/segment_loss.safetensors

V2 is a checkout of BiomedParse's version 2 (src/losses); it is not part of this repository.
"""
import importlib
import pathlib
import sys
import types

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from models.make_biomedparse_golden import seeded_unit  # noqa: E402


def main():
    losses = types.ModuleType("losses")
    losses.__path__ = [str(pathlib.Path(sys.argv[1]) / "src/losses")]
    sys.modules["losses"] = losses
    published = importlib.import_module("losses.biomedparse_loss")
    medsam = importlib.import_module("losses.medsam_loss")
    loss = published.BiomedParseLossCLS(loss=medsam.MedSamLoss(reduction="none"), edge_coeff=1.0)
    masks = (2 * seeded_unit("masks", 4 * 12 * 16).view(4, 1, 12, 16)).requires_grad_()
    edges = (2 * seeded_unit("edges", 4 * 12 * 16).view(4, 1, 12, 16)).requires_grad_()
    existence = (3 * seeded_unit("existence", 4)).requires_grad_()
    y, x = torch.meshgrid(torch.arange(24), torch.arange(32), indexing="ij")
    truth = torch.stack([(x - 10) ** 2 + (y - 9) ** 2 < 50, torch.zeros_like(x, dtype=torch.bool), x + y > 40,
                         (x > 28) & (y < 2)]).float().view(2, 2, 24, 32)
    value = loss({"pred_gmasks": masks, "edge_masks": edges, "object_existence": existence}, truth)
    value.backward()
    tensors = {"masks": masks, "edges": edges, "existence": existence, "truth": truth.view(4, 24, 32), "loss": value.view(1),
               "gradient.masks": masks.grad, "gradient.edges": edges.grad, "gradient.existence": existence.grad,
               "edges_of_truth": published.batch_edge_masks(truth.view(4, 1, 24, 32))}
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, sys.argv[2])
    print(value.item())


if __name__ == "__main__":
    main()
