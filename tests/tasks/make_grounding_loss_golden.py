"""Makes the stored values that grounding_loss_test.cpp compares with, from BiomedParse's published training code.

    .venv/bin/python tests/tasks/make_grounding_loss_golden.py V1 V2 tests/tasks/golden/grounding_loss.safetensors

V1 and V2 are as in tests/models/make_biomedparse_golden.py, whose tiny seeded model this trains for one step: the
decoder is the one of training (seem_v1, with object, grounding and spatial queries), the loss is the grounding part
of SetCriterion on every layer's output, and torch.rand is arithmetic, so that points and matches can be made again.
"""
import importlib
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from scipy.optimize import linear_sum_assignment

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from models.make_biomedparse_golden import (  # noqa: E402
    PROMPTS, TINY, Model, package, pixels, published, sample, seeded_unit, stand_in)

# configs/biomed_seg_lang_v1.yaml and assets/scripts/train.sh
ARCH = dict(
    VARIABLE=dict(queries=["object", "grounding", "spatial"], tokens=["grounding", "spatial"], memories=["spatial"]),
    SELF_ATTENTION=dict(
        queries=dict(object=["queries_object"], grounding=["queries_grounding", "tokens_grounding"],
                     spatial=["queries_spatial", "tokens_spatial", "memories_spatial"]),
        tokens=dict(grounding=["queries_grounding", "tokens_grounding"], spatial=["tokens_spatial"]),
        memories=dict(spatial=["memories_spatial"])),
    CROSS_ATTENTION=dict(queries=dict(object=True, grounding=True, spatial=True), memories=dict(spatial=True),
                         tokens=dict(grounding=False, spatial=False)),
    MASKING=["tokens_spatial", "tokens_grounding"],
    DUPLICATION=dict(queries=dict(grounding="queries_object", spatial="queries_object")),
    SPATIAL_MEMORIES=32, QUERY_NUMBER=3)
MASK_WEIGHTS = dict(cost_class=2.0, cost_mask=5.0, cost_dice=5.0)
GROUNDING_WEIGHTS = dict(ce=0.4, bce=1.0, dice=1.0)
POINTS, OVERSAMPLE, IMPORTANCE = 12544, 3.0, 0.75
TEXT_WEIGHT, CLASS_WEIGHT = 2.0, 0.5

IDS = [[PROMPTS[0], PROMPTS[1]], [PROMPTS[2], [510, 33, 9, 250, 511], PROMPTS[1]]]  # of two images
GRADIENTS = ["backbone.patch_embed.proj.weight", "backbone.layers.2.blocks.1.modulation.f.weight",
             "sem_seg_head.pixel_decoder.mask_features.weight", "sem_seg_head.pixel_decoder.layer_3.norm.weight",
             *(f"sem_seg_head.predictor.{name}" for name in (
                 "query_feat.weight", "query_embed.weight", "level_embed.weight", "class_embed",
                 "mask_embed.layers.1.weight", "decoder_norm.bias", "lang_encoder.lang_proj", "lang_encoder.logit_scale",
                 "lang_encoder.lang_encoder.token_embedding.weight",
                 "transformer_self_attention_layers.1.self_attn.in_proj_weight",
                 "transformer_cross_attention_layers.2.multihead_attn.in_proj_weight",
                 "transformer_ffn_layers.3.linear2.weight"))]


def training_code(v1):
    """The published modules of training, beside those of published()."""
    stand_in("detectron2.layers", cat=torch.cat)
    stand_in("detectron2.utils.comm", get_world_size=lambda: 1)
    for name in ("torchvision.ops.boxes", "einops", "distutils", "transformers"):
        stand_in(name)
    sys.modules["torchvision"]._is_tracing = lambda: False
    for name in ("modeling.modules", "modeling.modules.point_features", "timm", "timm.loss"):
        sys.modules.pop(name, None)
    stand_in("timm.loss")
    position = importlib.import_module("v2.transformer_decoder.position_encoding")
    package("modeling.modules", v1 / "modeling/modules")
    package("modeling.language", v1 / "modeling/language")
    package("utilities", v1 / "utilities")
    sys.modules["modeling.modules"].PositionEmbeddingSine = position.PositionEmbeddingSine
    interactive = importlib.import_module("modeling.utils.interactive")
    sys.modules["modeling.utils"].rand_sample = interactive.rand_sample
    return [importlib.import_module(f"modeling.{name}") for name in
            ("interface.seem_v1", "modules.criterion", "modules.matcher")]


class Uniforms:
    """torch.rand: draw k is (unit("draw.k") + 1) / 2."""

    def __init__(self):
        self.count = 0

    def __call__(self, *shape, **_):
        flat = seeded_unit(f"draw.{self.count}", int(np.prod(shape)))
        self.count += 1
        return ((flat + 1) / 2).view(shape)


def truths():
    y, x = torch.meshgrid(torch.arange(64), torch.arange(96), indexing="ij")
    return [torch.stack([(x - 30) ** 2 + (y - 25) ** 2 < 300, (x > 50) & (y > 20)]).byte(),
            torch.stack([x + 2 * y < 90, torch.zeros_like(x, dtype=torch.bool), abs(x - y) < 9]).byte()]


def training_model(m, seem_v1):
    model = Model(m, TINY, 1)
    c = TINY
    predictor = seem_v1.SEEMDecoder(
        model.language(), c["dim"], hidden_dim=c["dim"], dim_proj=c["dim"], num_queries=c["queries_v1"],
        contxt_len=c["context"], nheads=c["heads"], dim_feedforward=c["feedforward"], dec_layers=c["layers"],
        pre_norm=False, mask_dim=c["dim"], enforce_input_project=False, max_spatial_len=[512] * 4, attn_arch=ARCH,
        task_switch=dict(mask=True, bbox=False, spatial=True, grounding=True))
    model.sem_seg_head["predictor"] = predictor
    model.fill()
    return model.train()


def forward(model, images, masks):
    """forward_seg of seem_model_v1.py from the tokens on: outputs, targets."""
    features = model.backbone(images)
    mask_features, _, levels = model.sem_seg_head["pixel_decoder"].forward_features(features)
    targets, tokens = [], []
    for ids, mask in zip(IDS, masks):
        each, classes = model.language().prompts(ids, TINY["context"])
        tokens.append(torch.cat(each))
        targets.append(dict(grounding_masks=mask, grounding_class_embs=classes, grounding_task="text",
                            grounding_hash=np.arange(len(ids))))
    words = torch.nn.utils.rnn.pad_sequence(tokens, padding_value=-1)
    padding = words.sum(dim=-1) == -words.shape[-1]
    words = words.masked_fill(padding[..., None], 0)
    strokes = [mask[:1].bool() for mask in masks]
    extra = dict(grounding_tokens=words, grounding_nonzero_mask=padding.t(), spatial_query_pos_mask=strokes,
                 spatial_query_neg_mask=[x & False for x in strokes])
    return model.predictor()(levels, mask_features, extra=extra, task="seg"), targets


def layers_of(outputs):
    """Last layer first, as the criterion goes."""
    return [{key: outputs[key] for key in ("pred_gmasks", "pred_gtexts")},
            *outputs["aux_outputs"][::-1]]


def assignments():
    """Costs with scipy's answer: wide, tall, square, a single one."""
    stored = {}
    for i, (rows, columns) in enumerate([(7, 3), (3, 7), (6, 6), (1, 1), (101, 20)]):
        costs = seeded_unit(f"costs.{i}", rows * columns).view(rows, columns)
        pairs = torch.tensor(np.stack(linear_sum_assignment(costs.numpy())))
        stored |= {f"costs.{i}": costs, f"pairs.{i}": pairs.to(torch.float32)}
    return stored


def main():
    v1, v2 = (pathlib.Path(x) for x in sys.argv[1:3])
    torch.set_num_threads(2)
    m = published(v1, v2)
    seem_v1, criterion, matcher = training_code(v1)
    # So scaled no point stands at the edge of the least certain ones: with oneDNN and without it the published
    # gradients agree to 2e-5.
    model, masks, images = training_model(m, seem_v1), truths(), 0.7 * pixels(2, 64, 96)
    torch.manual_seed(0)  # of the strokes' points, which no grounding depends on
    outputs, targets = forward(model, images, masks)
    matching = matcher.HungarianMatcher(**MASK_WEIGHTS, num_points=POINTS)
    matches = []
    right = matching.grounding_forward
    matching.grounding_forward = lambda *a: matches.append(right(*a)) or matches[-1]
    loss = criterion.SetCriterion(16, matching, {}, 0.1, dict(grounding=10), ["groundings"], POINTS, OVERSAMPLE,
                                  IMPORTANCE, dict(text=TEXT_WEIGHT))
    layers = layers_of(outputs)
    rand, torch.rand = torch.rand, Uniforms()
    parts = loss.forward_grounding(layers[0] | dict(aux_outputs=layers[:0:-1]), targets,
                                   dict(lang_logit=model.language().logit_scale))
    torch.rand = rand
    total = sum(value * GROUNDING_WEIGHTS[name.split("_")[2]] for name, value in parts.items())
    total.backward()
    stored = {"image": images, "loss": total.view(1)} | {f"part.{name}": value.view(1) for name, value in parts.items()}
    for i, mask in enumerate(masks):
        stored[f"truth.{i}"] = mask
    for layer, both in enumerate(matches):
        for i, (queries, prompts) in enumerate(both):
            stored[f"match.{layer}.{i}"] = queries[prompts.argsort()]
    for layer, out in enumerate(layers):
        stored[f"masks.{layer}"], stored[f"captions.{layer}"] = sample(out["pred_gmasks"]), sample(out["pred_gtexts"])
    gradients = {model.checkpoint_name(name): x.grad for name, x in model.named_parameters() if x.grad is not None}
    for name in GRADIENTS:
        stored[f"gradient.{name}"] = sample(gradients[name])
    stored |= assignments()
    save_file({name: (x if x.dtype == torch.uint8 else x.detach().float()).contiguous() for name, x in stored.items()},
              sys.argv[3])
    print(total.item(), {name: round(x.item(), 4) for name, x in parts.items()})
    print([[q.tolist() for q, _ in both] for both in matches])


if __name__ == "__main__":
    main()
