"""Grounded text by the rules that the fact sheet states of the published parser, which stops at what breaks them."""

import math
import re

CORNERS = re.compile(r"<x(\d+)><y(\d+)><x(\d+)><y(\d+)>")


class Refused(Exception):
    pass


def insides(text, begin, end):
    """The parts between begin and end, when such pairs are all there is."""
    parts = []
    while text:
        stop = text.find(end)
        if not text.startswith(begin) or stop < 0:
            raise Refused
        parts.append(text[len(begin) : stop])
        text = text[stop + len(end) :]
    return parts


def box(text):
    found = CORNERS.search(text)
    if not found or max(map(int, found.groups())) > 99:
        raise Refused
    return [(int(n) + 0.5) / 100 for n in found.groups()]


def sentence(text):
    if "<box>" not in text and "</box>" not in text:
        return text.lstrip(), []
    words, mark, boxes = text.partition("<box>")
    if not mark:
        raise Refused
    return words.strip(), [box(part) for part in insides(mark + boxes, "<box>", "</box>")]


def parse(text):
    """A string, or a list of sentences with their boxes."""
    text = text.strip()
    if not any(token in text for token in ("<obj>", "</obj>", "<box>", "</box>")):
        return text
    return [sentence(part) for part in insides(text, "<obj>", "</obj>")]


def of_film(corners, width, height):
    side = min(width, height)
    places = zip(corners, ((width - side) // 2, (height - side) // 2) * 2, (width, height) * 2)
    return [math.trunc(value * side + offset) / size for value, offset, size in places]
