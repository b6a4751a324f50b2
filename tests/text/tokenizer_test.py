"""Tokenizers of every kind in use against the library that tokenizer.json comes from."""

import itertools
import json
import os
import random
import subprocess
import unicodedata
from pathlib import Path

import ftfy.bad_codecs  # noqa: F401  (the encodings of hard_strings)
import pytest
from hard_strings import HARD, INVALID, PHRASES, endless

tokenizers = pytest.importorskip("tokenizers")
from tokenizer_kinds import FLAGGED, KINDS, MAIRA, made, reports  # noqa: E402

BUILD = Path(os.environ["VESALIUS_BUILD"])
TOKENS = MAIRA + [t.content for t in FLAGGED]
BITS = [" ", "  ", "\n", "\t", "There", "is", "word", "a word.", "sword", "_word", "1", "12 345", "caf\u00e9", "cafe\u0301", "\u0130", "\u03a3",
        "'s", "'LL", "\u017f", "\u65e5\u672c", "\U0001f600", "\u2581", "\u00a0", "\u3000", "normal", "Normal", "\ufffd", "\x00", "e", "ee", "<", ">",
        "<image", "image>", "<0x0A>", "\u2160", "\u0301", "\uac00", "\u1100\u1161"]  # fmt: skip


class Ours:
    def __init__(self, file):
        self.file = file

    def ask(self, questions):
        lines = "".join(json.dumps(q) + "\n" for q in questions)
        done = subprocess.run([BUILD / "text_tokenizer", self.file], input=lines, text=True, capture_output=True, check=True)
        return [json.loads(line) for line in done.stdout.split("\n") if line]

    def encode(self, texts, special=True, plains=None):
        hexes = [(t if isinstance(t, bytes) else t.encode()).hex() for t in texts]
        return self.ask([{"hex": h, "special": special, "plain": p} for h, p in zip(hexes, plains or itertools.repeat([]))])

    def decode(self, lists, skip=True):
        return self.ask([{"ids": ids, "skip": skip} for ids in lists])


@pytest.fixture(scope="module", params=list(KINDS))
def pair(request, tmp_path_factory):
    """The library's tokenizer and ours, from one file."""
    reference = made(request.param)
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    file.write_text(reference.to_str(), encoding="utf-8")
    return reference, Ours(file)


def differences(texts, got, wanted):
    wrong = [(t, g, w) for t, g, w in zip(texts, got, wanted, strict=True) if g != w]
    return f"{len(wrong)} of {len(texts)} differ: {wrong[:3]!a}" if wrong else ""


def drawn(seed, count):
    """Words, signs and added tokens in any order."""
    rng = random.Random(seed)
    for _ in range(count):
        yield "".join(rng.choice(TOKENS if rng.random() < 0.4 else BITS) for _ in range(rng.randint(0, 9)))


def characters(seed, count):
    rng = random.Random(seed)
    while count:
        text = "".join(chr(rng.randrange(0x2FFFF)) for _ in range(3 * rng.randint(1, 4)))
        # Characters given out lately are classed otherwise by older tables.
        text = "".join(c for c in text if unicodedata.ucd_3_2_0.category(c) not in ("Cn", "Cs"))
        count -= 1
        yield text


def texts_of(seed):
    hard = [t for kind in HARD.values() for t in kind]
    return [*hard, *PHRASES, *reports()[:800], *itertools.islice(endless(seed), 800), *drawn(seed, 2000), *characters(seed, 600)]


def test_ids_and_texts(pair):
    reference, ours = pair
    texts = texts_of(1)
    for special in (True, False):
        wanted = [e.ids for e in reference.encode_batch(texts, add_special_tokens=special)]
        assert not differences(texts, ours.encode(texts, special), wanted)
    for skip in (True, False):
        assert not differences(wanted, ours.decode(wanted, skip), reference.decode_batch(wanted, skip_special_tokens=skip))


def test_any_ids_are_decoded(pair):
    reference, ours = pair
    rng = random.Random(2)
    ids = sorted(reference.get_vocab().values())
    lists = [rng.choices(ids, k=rng.randint(0, 12)) for _ in range(1500)]
    for skip in (True, False):
        assert not differences(lists, ours.decode(lists, skip), reference.decode_batch(lists, skip_special_tokens=skip))


def test_invalid_utf8_is_replaced_as_python_does(pair):
    reference, ours = pair
    wanted = [reference.encode(t.decode("utf-8", "replace")).ids for t in INVALID]
    assert not differences(INVALID, ours.encode(INVALID), wanted)


def test_users_words_without_tokens_are_as_ever(pair):
    """Whatever is said to be the user's, if there is no added token in it the ids stay."""
    reference, ours = pair
    rng = random.Random(3)
    texts = [t for t in [*reports()[:300], *itertools.islice(endless(3), 300)] if not any(a in t.lower() for a in ("normal", "word", "caf"))]
    plains = []
    for text in texts:
        cuts = sorted(rng.choices(range(len(text.encode()) + 1), k=4))
        plains.append([cuts[:2], cuts[2:]])
    assert not differences(texts, ours.encode(texts, True, plains), [reference.encode(t).ids for t in texts])


def renamed(reference):
    """The library's tokenizer with its added tokens spelled otherwise, and how the programmer's tokens are spelled then."""
    file = json.loads(reference.to_str())
    other = {}
    for token in file["added_tokens"]:
        if token["content"] not in ("<unk>", "<s>", "</s>"):
            other[token["content"]] = token["content"] = f"\ue000{token['content']}\ue001"
    return tokenizers.Tokenizer.from_str(json.dumps(file)), other


@pytest.mark.parametrize("kind", ["legacy", "first", "llama-3", "qwen", "across words"])
def test_users_words_become_no_tokens(kind, tmp_path):
    """`a <image> b`, where the programmer wrote one token and the user another."""
    reference = made(kind)
    file = json.loads(reference.to_str())
    apart = [t for t in file["added_tokens"] if not t["normalized"] and not t["single_word"]]
    file["added_tokens"] = [t for t in apart if t["content"] not in ("<x10><y10>", "<|end|>\n")]
    for i, token in enumerate(t for t in file["added_tokens"] if t["id"] > 2):
        token["id"] = len(file["model"]["vocab"]) + i
    (tmp_path / "tokenizer.json").write_text(json.dumps(file))
    other, spelled = renamed(tokenizers.Tokenizer.from_str(json.dumps(file)))
    rng = random.Random(4)
    texts, plains, wanted = [], [], []
    for _ in range(1500):
        text, disguised, spans = b"", "", []
        for _ in range(rng.randint(1, 7)):
            part = rng.choice(list(spelled)) if rng.random() < 0.5 else rng.choice(BITS[:22])
            users = rng.random() < 0.5
            if users:
                spans.append([len(text), len(text) + len(part.encode())])
            text += part.encode()
            disguised += part if users else spelled.get(part, part)
        texts.append(text)
        plains.append(spans)
        wanted.append(other.encode(disguised).ids)
    assert not differences(texts, Ours(tmp_path / "tokenizer.json").encode(texts, True, plains), wanted)


def test_trained_here(tmp_path):
    """Our trainer's file, filled up to Llama's size with MAIRA-2's tokens behind, loads in the library to the same ids."""
    lines = [" ".join(t.split()) for t in reports()]
    (tmp_path / "lines.txt").write_text("\n".join(lines), encoding="utf-8")
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file in files:
        subprocess.run([BUILD / "text_trainer", tmp_path / "lines.txt", "1500", "32000", file], check=True)
    assert files[0].read_bytes() == files[1].read_bytes()
    reference = tokenizers.Tokenizer.from_file(str(files[0]))
    named = {"<obj>": 32000, "</obj>": 32001, "<x0>": 32002, "<x99>": 32101, "<y0>": 32102, "<y99>": 32201, "<box>": 32202,
             "</box>": 32203, "<image>": 32204, "<prev_im>": 32205, "<lat_image>": 32206, "<s>": 1, "</s>": 2}  # fmt: skip
    assert {t: reference.token_to_id(t) for t in named} == named
    assert reference.get_vocab_size() == 32207
    texts = texts_of(5)
    wanted = [e.ids for e in reference.encode_batch(texts)]
    ours = Ours(files[0])
    assert not differences(texts, ours.encode(texts), wanted)
    assert not differences(wanted, ours.decode(wanted), reference.decode_batch(wanted))
    assert max(i for ids in wanted for i in ids if i < 32000) < 1500
    plain = [t for t in lines if "<" not in t]
    assert sum(len(e.ids) for e in reference.encode_batch(plain)) < 0.45 * sum(map(len, plain))
    assert [reference.decode(reference.encode(t).ids) for t in plain] == plain
