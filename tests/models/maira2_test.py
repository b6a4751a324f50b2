"""MAIRA-2's graph equals transformers' parts put together, stage by stage and block by block; and the gates see what
a wrong port would give."""
import pytest
import torch
import torch.nn.functional as F

from models.maira2_reference import (GROUPED, PHI3, TINY, Reference, changed, image_tokens, longrope, ours, prompt,
                                     seeded_weights, unfused)
from models.reference import difference, images

FEATURES, BLOCK = 1e-5, 1e-5  # of the largest reference value
LOGITS = 1e-4  # absolute
STEPS = 64


def pixels_of(c, n):
    return images(n, c["vision"]["image_size"], c["vision"]["image_size"])


def off(a, b):
    assert a.shape == b.shape, (a.shape, b.shape)
    return (a - b).abs().max().item()


def forced(c, count=STEPS, seed=5):
    return torch.randint(3, c["image_token"] - 4, (count,), generator=torch.Generator().manual_seed(seed)).int()


class Case:
    """One config: what ours gives for a prompt with images and forced steps, and the reference's inputs of blocks."""

    def __init__(self, folder, c, n=2, words=9, weights=None):
        self.c, self.weights = c, weights or seeded_weights(c)
        self.pixels, self.ids, self.force = pixels_of(c, n), prompt(c, n, words), forced(c)
        self.inputs = {}
        reference = Reference(c, self.weights)
        for name, module in self.blocks(reference):
            module.register_forward_pre_hook(
                lambda _, args, kwargs, name=name: self.inputs.__setitem__(name, args[0]), with_kwargs=True)
        embeds = reference.embeds(self.ids, reference.projected(self.pixels))
        reference.steps(embeds, self.force[:0])
        self.inputs = {n: x[0] if n.startswith("language") else x for n, x in self.inputs.items()}
        self.blocks_in = {f"block.{n}#{kind}": f(x) for n, x in self.inputs.items()
                          for kind, f in (("loud", lambda x: x), ("quiet", lambda x: x * (0.02 / x.std())))}
        self.got = ours(folder, c, self.weights,
                        {"pixels": self.pixels, "ids": self.ids, "force": self.force} | self.blocks_in)

    def blocks(self, reference):
        yield from ((f"vision_tower.encoder.layer.{i}", m) for i, m in enumerate(reference.tower.encoder.layer))
        yield from ((f"language_model.model.layers.{i}", m) for i, m in enumerate(reference.decoder.model.layers))

    @torch.no_grad()
    def block_error(self, reference):
        worst, text = 0, reference.decoder.model
        modules = dict(self.blocks(reference))
        for key, x in self.blocks_in.items():
            module = modules[key.removeprefix("block.").split("#")[0]]
            if "language" in key:
                places = torch.arange(len(x))[None]
                hidden = torch.ones(len(x), len(x)).triu(1)
                if window := self.c["text"].get("sliding_window"):
                    hidden += torch.ones_like(hidden).tril(-window)
                mask = torch.zeros(len(x), len(x)).masked_fill(hidden > 0, -torch.inf)
                out = module(x[None], position_embeddings=text.rotary_emb(x[None], places), attention_mask=mask[None, None])
                out = (out[0] if isinstance(out, tuple) else out)[0]
            else:
                out = module(x)
                out = out[0] if isinstance(out, tuple) else out
            worst = max(worst, difference(self.got[key], out))
        return worst

    def errors(self, reference, swap=False, first=0):
        """Error over limit of each stage, each fed by what the reference gave before it."""
        hidden = reference.hidden(self.pixels)
        features = reference.projected(self.pixels)
        embeds = reference.embeds(self.ids, features.flip(0) if swap else features)
        prefill, steps = reference.steps(embeds, self.force, first)
        return {"hidden": difference(self.got["hidden"], hidden) / FEATURES,
                "projected": difference(self.got["projected"], features) / FEATURES,
                "block": self.block_error(reference) / BLOCK,
                "prefill": off(self.got["prefill"], prefill) / LOGITS,
                "steps": off(self.got["steps"], steps) / LOGITS,
                "train": off(self.got["train"], prefill) / LOGITS}


CONFIGS = {
    "maira2": TINY,
    "projector of 1": changed(TINY, projector={"layers": 1}),
    "projector of 2": changed(TINY, projector={"layers": 2}),
    "an earlier layer, no norm": changed(TINY, vision={"tap": 2, "final_norm": False}),
    "an earlier layer": changed(TINY, vision={"tap": 2}),
    "grouped": GROUPED,
    "wide heads": changed(TINY, text={"head_dim": 24, "kv_heads": 1}),
    "tied head": changed(TINY, text={"tied_head": True}),
    "plain rope": changed(TINY, text={"rope": {"theta": 5e5}}),
    "phi3": PHI3,
    "phi3 grouped": changed(PHI3, text={"kv_heads": 2}),
    "phi3 window": changed(PHI3, text={"sliding_window": 23}),
    "phi3 short rope": changed(PHI3, text={"rope": longrope(4096)}),
    "phi3 long rope": changed(PHI3, text={"rope": longrope(48)}),
    "phi3 long rope from a step on": changed(PHI3, text={"rope": longrope(100)}),
    "phi3 all": changed(PHI3, text={"rope": longrope(48), "kv_heads": 2, "sliding_window": 31}),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_every_stage(tmp_path, name):
    case = Case(tmp_path, CONFIGS[name])
    errors = case.errors(Reference(case.c, case.weights))
    print(name, errors)
    crossing = name.endswith("from a step on")
    if crossing:  # blocks alone are given other lengths
        errors.pop("block")
    assert max(errors.values()) <= 1, errors


@pytest.mark.parametrize("n", [1, 3])
def test_one_and_three_images(tmp_path, n):
    case = Case(tmp_path, TINY, n=n)
    errors = case.errors(Reference(case.c, case.weights))
    assert max(errors.values()) <= 1, errors


def test_fused_is_unfused(tmp_path):
    fused = Case(tmp_path / "fused", PHI3)
    c, weights = unfused(PHI3, fused.weights)
    plain = Case(tmp_path / "plain", c, weights=weights)
    assert max(off(fused.got[k], plain.got[k]) for k in ("prefill", "steps", "train")) <= 1e-5


def test_more_than_4096_tokens(tmp_path):
    """Three films' worth of tokens: linear scaling, and LongRoPE beyond 4096."""
    for name, c in {"linear": TINY, "longrope": changed(PHI3, text={"rope": longrope(4096), "sliding_window": 2047})
                    }.items():
        c = changed(c, text={"layers": 2})
        weights, ids, force = seeded_weights(c), prompt(c, 0, 4300), forced(c, 8)
        got = ours(tmp_path, c, weights, {"ids": ids, "force": force})
        reference = Reference(c, weights)
        prefill, steps = reference.steps(reference.embeds(ids, torch.empty(0)), force)
        found = off(got["prefill"], prefill), off(got["steps"], steps)
        print(name, found)
        assert max(found) <= LOGITS, (name, found)


def test_middle_size(tmp_path):
    """True image size and the width of ViT-B; a decoder of 512."""
    c = {"vision": {"image_size": 518, "patch_size": 14, "hidden": 768, "layers": 2, "heads": 12},
         "projector": {"layers": 4}, "image_token": 1020,
         "text": {"vocabulary": 1024, "hidden": 512, "intermediate": 1408, "layers": 4, "heads": 8, "kv_heads": 8,
                  "head_dim": 64, "eps": 1e-5, "rope": {"theta": 10000.0, "factor": 1.5}}}
    case = Case(tmp_path, c, n=1, words=40)
    errors = case.errors(Reference(c, case.weights))
    print(errors)
    assert max(errors.values()) <= 1, errors


def test_names_are_the_trace(tmp_path):
    weights = seeded_weights(TINY)
    inputs = {"pixels": pixels_of(TINY, 1), "ids": prompt(TINY, 1, 4)}
    got = ours(tmp_path, TINY, weights, inputs, trace=True,
               runs=[{"prompt": inputs["ids"].tolist(), "max_new_tokens": 2, "reuse_prefix": False}])
    stages = {n.removeprefix("stage.") for n in got if n.startswith("stage.")}
    assert {"pixels", "features", "projected", "embeds", "prefill_logits", "step_logits", "vision_tower.embeddings",
            "vision_tower.encoder.layer.2", "multi_modal_projector", "language_model.model.layers.2.self_attn",
            "language_model.model.layers.2"} <= stages
    assert torch.equal(got["stage.features"], got["hidden"][:, 1:])
    assert off(got["stage.prefill_logits"], got["prefill"][-1:]) <= 1e-5


def test_gradients(tmp_path):
    """Every parameter's, of projector, decoder and image encoder."""
    for c in (TINY, changed(PHI3, text={"kv_heads": 2, "sliding_window": 23})):
        weights, pixels, ids = seeded_weights(c), pixels_of(c, 2), prompt(c, 2, 5)
        got = ours(tmp_path, c, weights, {"pixels": pixels, "ids": ids}, gradients=True)
        reference = Reference(c, weights)
        learnt = {n: t.clone().requires_grad_() for n, t in weights.items()}
        reference.weights = learnt
        parts = {"vision_tower": reference.tower, "language_model": reference.decoder}
        loss = loss_of(reference, pixels, ids)
        loss.backward()
        expected = {n: t.grad for n, t in learnt.items() if n.startswith("multi_modal")}
        expected |= {f"{p}.{published(n)}": t.grad for p, m in parts.items() for n, t in m.named_parameters()}
        expected = {n: g for n, g in expected.items() if g is not None and "mask_token" not in n}
        assert off(got["loss"], loss.detach()) <= 1e-5
        assert {n.removeprefix("gradient.") for n in got if n.startswith("gradient.")} == set(expected)
        floor = 1e-2 * max(g.abs().max() for g in expected.values())
        worst = {n: (off(got[f"gradient.{n}"], g) / max(g.abs().max(), floor)).item() for n, g in expected.items()}
        assert max(worst.values()) <= 1e-4, sorted(worst.items(), key=lambda x: -x[1])[:5]


def loss_of(reference, pixels, ids):
    with torch.enable_grad():
        hidden = reference.tower(pixels).feature_maps[-1][:, 1:]
        features = type(reference).project.__wrapped__(reference, hidden)
        x = reference.decoder.get_input_embeddings()(ids.long())
        x = x.masked_scatter((ids == reference.c["image_token"])[:, None].expand_as(x), features)
        logits = reference.decoder(inputs_embeds=x[None]).logits[0]
        return F.cross_entropy(logits[:-1], ids[1:].long())


def published(name):
    """transformers' names in memory -> those of files."""
    for here, there in (("attention.q_proj", "attention.attention.query"), ("attention.k_proj", "attention.attention.key"),
                        ("attention.v_proj", "attention.attention.value"), ("attention.o_proj", "attention.output.dense")):
        name = name.replace(here, there) if ".layer." in name else name
    return name


# ---- slips -----------------------------------------------------------------------------------------------
class KeepsCls(Reference):
    """A tower's tokens from CLS on, without the last patch."""

    def projected(self, pixels):
        return self.project(self.hidden(pixels)[:, :-1])


tanh = lambda x: F.gelu(x, approximate="tanh")
SLIPS = {
    "skipped last LayerNorm": lambda c, w: Reference(c, w, vision={"apply_layernorm": False}),
    "the layer before the last": lambda c, w: Reference(c, w, vision={"out_features": ["stage2"]}),
    "CLS kept": KeepsCls,
    "tanh GELU in the tower": lambda c, w: Reference(c, w, vision={"hidden_act": "gelu_pytorch_tanh"}),
    "tanh GELU in the projector": lambda c, w: Reference(c, w, activation=tanh),
    "tower's LayerNorm eps 1e-5": lambda c, w: Reference(c, w, vision={"layer_norm_eps": 1e-5}),
    "RMSNorm eps 1e-6": lambda c, w: Reference(c, w, text={"rms_norm_eps": 1e-6}),
    "positions not scaled": lambda c, w: Reference(c, w, text={"rope_parameters": {
        "rope_type": "default", "rope_theta": 10000.0}}),
    "another theta": lambda c, w: Reference(c, w, text={"rope_parameters": {
        "rope_type": "linear", "factor": 1.5, "rope_theta": 5e5}}),
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return Case(tmp_path_factory.mktemp("tiny"), TINY)


@pytest.mark.parametrize("slip", SLIPS)
def test_gate_sees_slip(tiny, slip):
    errors = tiny.errors(SLIPS[slip](tiny.c, tiny.weights))
    print(slip, errors)
    assert max(errors.values()) > 3, errors


def test_gate_sees_positions_off_by_one(tiny):
    errors = tiny.errors(Reference(tiny.c, tiny.weights), first=1)
    assert errors["prefill"] <= 1 and errors["steps"] > 3, errors


def test_gate_sees_images_in_another_order(tiny):
    errors = tiny.errors(Reference(tiny.c, tiny.weights), swap=True)
    assert errors["projected"] <= 1 and errors["prefill"] > 3, errors


PHI3_SLIPS = {
    "no sliding window": {"sliding_window": None},
    "a window of one more": {"sliding_window": 24},
    "short factors": {"rope": longrope(4096)},
}


@pytest.mark.parametrize("slip", PHI3_SLIPS)
def test_gate_sees_slip_of_phi3(tmp_path, slip):
    c = changed(PHI3, text={"sliding_window": 23, "rope": longrope(48)})
    case = Case(tmp_path, c)
    wrong = changed(c, text=PHI3_SLIPS[slip])
    prefill, steps = Reference(wrong, case.weights).steps(case.got["embeds"], case.force)
    assert min(off(case.got["prefill"], prefill), off(case.got["steps"], steps)) > 3 * LOGITS
    assert image_tokens(c) == 16
