"""The slow CLIP tokenizer, from its description: ftfy, white space, lower case, a pattern, byte pairs.

transformers 5 has only the fast one, which normalises with NFC where the slow one repairs with ftfy, so the
reference is written out here, on ftfy and regex."""

import json
from pathlib import Path

import ftfy
import regex

PATTERN = regex.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    regex.IGNORECASE,
)
SPECIAL = ("<|startoftext|>", "<|endoftext|>")


def byte_letters():
    printable = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or b >= 174]
    letters = {b: chr(b) for b in printable}
    hidden = (b for b in range(256) if b not in letters)
    letters.update({b: chr(256 + i) for i, b in enumerate(hidden)})
    return letters


class ClipReference:
    def __init__(self, folder):
        self.vocabulary = json.loads((Path(folder) / "vocab.json").read_text("utf-8"))
        lines = (Path(folder) / "merges.txt").read_text("utf-8").strip().split("\n")[1:]
        self.ranks = {tuple(line.split()): rank for rank, line in enumerate(lines)}
        self.letters = byte_letters()

    def pairs(self, word):
        """Merges the pair of the lowest rank, everywhere, until no pair has one."""
        pieces = [*word[:-1], word[-1] + "</w>"]
        while len(pieces) > 1:
            best = min(zip(pieces, pieces[1:]), key=lambda pair: self.ranks.get(pair, float("inf")))
            if best not in self.ranks:
                break
            merged, i = [], 0
            while i < len(pieces):
                if tuple(pieces[i : i + 2]) == best:
                    merged.append(pieces[i] + pieces[i + 1])
                    i += 2
                else:
                    merged.append(pieces[i])
                    i += 1
            pieces = merged
        return pieces

    def tokens(self, text):
        for part in regex.split(r"(<\|startoftext\|>|<\|endoftext\|>)", text):
            if part in SPECIAL:
                yield part
                continue
            cleaned = regex.sub(r"\s+", " ", ftfy.fix_text(part)).strip().lower()
            for word in PATTERN.findall(cleaned):
                if word in SPECIAL:
                    yield word
                else:
                    yield from self.pairs("".join(self.letters[b] for b in word.encode("utf-8")))

    def encode(self, text, context=77):
        ids = [self.vocabulary[token] for token in self.tokens(text)]
        return [self.vocabulary[SPECIAL[0]], *ids[: context - 2], self.vocabulary[SPECIAL[1]]]
