"""Texts equal transformers' greedy ones; and each thing that makes them faster gives the same ids."""
import itertools

import pytest
import torch

from models.maira2_reference import GROUPED, PHI3, TINY, Reference, changed, longrope, ours, prompt, seeded_weights
from models.reference import images

TOKENS, NEAR = 128, 2e-3  # two best logits closer than this may change places
LOGITS = 1e-4


def until_near_tie(gaps):
    """How many steps come before the first near tie."""
    return next((i for i, gap in enumerate(gaps) if gap < NEAR), len(gaps))


CONFIGS = {"maira2": TINY, "grouped": GROUPED, "phi3": changed(PHI3, text={"sliding_window": 40}),
           "phi3 long rope": changed(PHI3, text={"rope": longrope(40)}),
           "goes on across the original length": changed(PHI3, text={"rope": longrope(120)})}


@pytest.mark.parametrize("name", CONFIGS)
def test_greedy(tmp_path, name):
    c = CONFIGS[name]
    pixels, compared = images(1, 56, 56), 0
    weights = seeded_weights(c)
    reference = Reference(c, weights)
    prompts = [prompt(c, 1, 12, seed) for seed in range(4)]
    got = ours(tmp_path, c, weights, {"pixels": pixels},
               runs=[{"prompt": ids.tolist(), "max_new_tokens": TOKENS} for ids in prompts])
    for i, ids in enumerate(prompts):
        expected, gaps = reference.greedy(reference.embeds(ids, reference.projected(pixels)), TOKENS)
        sure = until_near_tie(gaps)
        compared += sure
        assert got[f"run.{i}.ids"].tolist()[:sure] == expected[:sure], (name, i, sure)
    print(name, compared, len(set(got["run.0.ids"].tolist())))
    assert compared >= TOKENS


def test_reads_again_across_the_original_length(tmp_path):
    """As Phi3ForCausalLM.generate does."""
    c = changed(PHI3, text={"rope": longrope(40), "read_again": True})
    weights, ids = seeded_weights(c), prompt(c, 0, 24)
    reference = Reference(c, weights)
    with torch.no_grad():
        out = reference.decoder.generate(ids.long()[None], do_sample=False, max_new_tokens=48, eos_token_id=None,
                                         return_dict_in_generate=True, output_logits=True)
    force = out.sequences[0, len(ids):]
    got = ours(tmp_path, c, weights, {}, runs=[{"prompt": ids.tolist(), "force": force.tolist()}])
    other = ours(tmp_path, changed(c, text={"read_again": False}), weights, {},
                 runs=[{"prompt": ids.tolist(), "force": force.tolist()}])
    expected = torch.cat(out.logits)
    assert (got["run.0.logits"] - expected).abs().max() <= LOGITS
    assert (other["run.0.logits"] - expected).abs().max() > 3 * LOGITS


def repeats(ids):
    """A text to look up in: parts of what will be written, and others."""
    return [7, 8, 9, *ids[10:40], 11, *ids[60:100], *ids[2:9]]


@pytest.mark.parametrize("reuse, lookup, temperature",
                         list(itertools.product([False, True], [False, True], [0, 1.5])))
def test_shortcuts_change_nothing(tmp_path, reuse, lookup, temperature):
    """A second prompt that shares its beginning, images too, with the first."""
    for c in (TINY, changed(PHI3, text={"rope": longrope(60), "sliding_window": 40})):
        weights, pixels = seeded_weights(c), images(1, 56, 56)
        first = prompt(c, 1, 12).tolist()
        second = first[:-6] + [5, 9, 6]
        options = {"max_new_tokens": TOKENS, "temperature": temperature, "seed": 3, "reuse_prefix": False}
        plain = ours(tmp_path, c, weights, {"pixels": pixels}, runs=[{"prompt": second, **options}])
        ids = plain["run.0.ids"].tolist()
        fast = options | {"reuse_prefix": reuse} | ({"lookup": repeats(ids)} if lookup else {})
        got = ours(tmp_path, c, weights, {"pixels": pixels},
                   runs=[{"prompt": first, **options}, {"prompt": second, **fast}])
        assert got["run.1.ids"].tolist() == ids
        assert (got["run.1.logits"] - plain["run.0.logits"]).abs().max() <= LOGITS
        computed, reused, guessed, accepted, passes = got["run.1.counts"].tolist()
        assert computed + reused == len(second)
        assert (reused > 0) == (reuse and c is TINY) or reused == len(first) - 6
        assert (accepted > 20 and passes < TOKENS - 20) == lookup and guessed >= accepted


def test_scores_are_those_of_writing(tmp_path):
    c, ids = TINY, prompt(TINY, 0, 20).tolist()
    weights = seeded_weights(c)
    wrote = ours(tmp_path, c, weights, {}, runs=[{"prompt": ids, "max_new_tokens": 100, "temperature": 1, "seed": 5}])
    text = wrote["run.0.ids"]
    got = ours(tmp_path, c, weights, {}, runs=[{"prompt": ids, "force": text.tolist()}])
    assert torch.equal(got["run.0.ids"], text)
    assert (got["run.0.log_probs"] - wrote["run.0.log_probs"]).abs().max() <= 1e-4
    expected = wrote["run.0.logits"].log_softmax(-1).gather(1, text.long()[:, None])[:, 0]
    assert (wrote["run.0.log_probs"] - expected).abs().max() <= 1e-5
    assert got["run.0.counts"][4] == 2  # 64 rows at once


def test_sampling_follows_the_probabilities(tmp_path):
    c = changed(TINY, text={"vocabulary": 8}, image_token=6)
    weights, ids = seeded_weights(c), [1, 5, 3]
    weights["language_model.lm_head.weight"] *= 2
    runs = [{"prompt": ids, "max_new_tokens": 1, "temperature": 0.7, "seed": s} for s in range(4000)]
    nucleus = [run | {"top_p": 0.6} for run in runs[:1000]]
    got = ours(tmp_path, c, weights, {}, runs=runs + nucleus)
    drawn = torch.stack([got[f"run.{i}.ids"] for i in range(5000)])[:, 0]
    expected = (got["run.0.logits"][0] / 0.7).softmax(-1)
    found = torch.bincount(drawn[:4000], minlength=8) / 4000
    assert (found - expected).abs().max() <= 4 * 0.5 / 4000**0.5
    order = expected.sort(descending=True)
    kept = order.indices[:int((order.values.cumsum(0) < 0.6).sum()) + 1]
    assert set(drawn[4000:].tolist()) == set(kept.tolist())
