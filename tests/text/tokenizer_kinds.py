"""Small tokenizers of every kind in use, trained by the library that tokenizer.json comes from."""

import json
from pathlib import Path

from hard_strings import HARD, PHRASES
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

REPORTS = Path(__file__).resolve().parents[2] / "../shared/data/text/chest_reports.json"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")  # fmt: skip
QWEN = LLAMA3.replace("{1,3}", "")
CL100K = (r"(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*"
          r"|\s*[\r\n]|\s+(?!\S)|\s+")  # fmt: skip

MAIRA = ["<obj>", "</obj>", "<x0>", "<x10>", "<x99>", "<y0>", "<y10>", "<box>", "</box>"]
FLAGGED = [
    AddedToken("<image>", special=True, normalized=False), AddedToken("<|end|>", special=True, normalized=False, rstrip=True),
    AddedToken("<left>", normalized=False, lstrip=True), AddedToken("<both>", normalized=False, lstrip=True, rstrip=True),
    AddedToken("word", normalized=False, single_word=True), AddedToken("<x10><y10>", normalized=False),
    AddedToken("Normal", normalized=True), AddedToken("caf\u00e9", normalized=True, single_word=True),
    AddedToken("<|end|>\n", special=True, normalized=False),
]  # fmt: skip


def walk(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from walk(part)


def reports():
    """Lines of chest reports, and a few of our own where those are not there."""
    texts = [t for t in walk(json.loads(REPORTS.read_text("utf-8"))) if t.strip()] if REPORTS.exists() else []
    return texts[:3000] + PHRASES + [t for kind in HARD.values() for t in kind] + ["The lungs are clear. No effusion."] * 5


def trained(pre_tokenizer, size=1200, normalizer=None, alphabet=(), unknown="<unk>", lines=None, **model):
    tokenizer = Tokenizer(models.BPE(unk_token=unknown, **model))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    special = [AddedToken(t, special=True, normalized=False) for t in ("<unk>", "<s>", "</s>")]
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, initial_alphabet=list(alphabet), show_progress=False)
    tokenizer.train_from_iterator(lines or reports(), trainer)
    return tokenizer


def with_bytes(tokenizer, missing=()):
    """The same with tokens for bytes, which Llama's vocabulary has behind its control tokens."""
    file = json.loads(tokenizer.to_str())
    pieces = sorted(file["model"]["vocab"], key=file["model"]["vocab"].get)
    single = {p for p in pieces if len(p) == 1 and ord(p) > 0x2FF and p != "\u2581"}  # so that bytes are needed
    merges = [m for m in file["model"]["merges"] if not single & set("".join(m))]
    made = {"".join(m) for m in merges}
    pieces = [p for p in pieces if p not in single and (len(p) == 1 or p in made or p.startswith("<"))]
    bytes_ = [f"<0x{b:02X}>" for b in range(256) if b not in missing]
    file["model"]["vocab"] = {p: i for i, p in enumerate(pieces[:3] + bytes_ + pieces[3:])}
    file["model"] |= {"merges": merges, "byte_fallback": True, "fuse_unk": True}
    return Tokenizer.from_str(json.dumps(file))


def sentencepiece_decoder():
    return decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])


def begin_of_text(tokenizer, token="<s>"):
    return processors.TemplateProcessing(single=f"{token} $A", pair=f"{token} $A {token} $B",
                                         special_tokens=[(token, tokenizer.token_to_id(token))])  # fmt: skip


def legacy(tokenizer):
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.pre_tokenizer = None
    tokenizer.decoder, tokenizer.post_processor = sentencepiece_decoder(), begin_of_text(tokenizer)
    return tokenizer


def metaspace(scheme, split, **model):
    tokenizer = with_bytes(trained(pre_tokenizers.Metaspace("\u2581", scheme, True), **model))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("\u2581", scheme, split)
    tokenizer.decoder, tokenizer.post_processor = decoders.Metaspace("\u2581", scheme, split), begin_of_text(tokenizer)
    return tokenizer


def byte_level(pre_tokenizer, normalizer=None, ignore_merges=False):
    tokenizer = trained(pre_tokenizer, alphabet=pre_tokenizers.ByteLevel.alphabet(), unknown=None, normalizer=normalizer)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), begin_of_text(tokenizer)])
    if not ignore_merges:
        return tokenizer
    # Fewer merges, so that some words are found whole alone.
    file = json.loads(tokenizer.to_str())
    file["model"] |= {"ignore_merges": True, "merges": file["model"]["merges"][::3]}
    return Tokenizer.from_str(json.dumps(file))


def regex_byte_level(regex, **options):
    steps = [pre_tokenizers.Split(Regex(regex), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    return byte_level(pre_tokenizers.Sequence(steps), **options)


def splitting(behaviour, invert, pattern):
    steps = [pre_tokenizers.Split(pattern, behaviour, invert), pre_tokenizers.Digits(invert), pre_tokenizers.Metaspace("\u2581", "first")]
    tokenizer = trained(pre_tokenizers.Sequence(steps), size=700)
    tokenizer.decoder = decoders.Sequence([decoders.Strip("\u2581", 2, 0), decoders.Replace(Regex("\u2581+"), " ")])
    return tokenizer


def cleaning():
    steps = [normalizers.NFKC(), normalizers.Strip(True, True), normalizers.Lowercase(), normalizers.Replace(Regex("[0-9]{2,}"), "##"),
             normalizers.Replace("ss", ""), normalizers.NFC(), normalizers.Prepend("> ")]  # fmt: skip
    return trained(pre_tokenizers.Metaspace("\u2581", "first"), normalizer=normalizers.Sequence(steps))


def unknowns(fuse, unknown="<unk>"):
    tokenizer = trained(pre_tokenizers.Metaspace("\u2581", "always"), lines=["the lungs are clear " * 3] * 5, fuse_unk=fuse, unknown=unknown)
    tokenizer.post_processor = begin_of_text(tokenizer, "</s>")
    return tokenizer


def across_words():
    """Merges that reach over spaces, as no published file has them."""
    lines = [" ".join(t.split()[:3]) for t in reports()]
    return legacy(with_bytes(trained(None, normalizer=normalizers.Replace(" ", "\u2581"), lines=lines)))


KINDS = {
    "legacy": lambda: legacy(with_bytes(trained(pre_tokenizers.Metaspace("\u2581", "always")))),
    "legacy, some bytes": lambda: legacy(with_bytes(trained(pre_tokenizers.Metaspace("\u2581", "always")), range(0x80, 0x92))),
    "across words": across_words,
    "first": lambda: metaspace("first", False),
    "first, split": lambda: metaspace("first", True),
    "always": lambda: metaspace("always", True),
    "never": lambda: metaspace("never", False),
    "gpt-2": lambda: byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "gpt-2, prefix": lambda: byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True)),
    "llama-3": lambda: regex_byte_level(LLAMA3, ignore_merges=True),
    "qwen": lambda: regex_byte_level(QWEN, normalizer=normalizers.NFC()),
    "cl100k": lambda: regex_byte_level(CL100K),
    "cleaning": cleaning,
    "unknown": lambda: unknowns(False),
    "unknown, fused": lambda: unknowns(True),
    "no unknown": lambda: unknowns(False, None),
} | {
    f"split {behaviour} {invert} {name}": lambda b=behaviour, i=invert, p=pattern: splitting(b, i, p)
    for behaviour in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")
    for invert in (False, True) for name, pattern in (("string", "e"), ("regex", Regex(r"\s|[aeiou]+")))
}  # fmt: skip


def made(kind):
    tokenizer = KINDS[kind]()
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t in MAIRA])
    tokenizer.add_tokens([t for t in FLAGGED if not t.special])
    tokenizer.add_special_tokens([t for t in FLAGGED if t.special])
    return tokenizer
