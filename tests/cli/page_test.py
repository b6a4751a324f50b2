"""The pages of classify and search, read as a browser reads them: whole, true, and showing the right pictures."""

import base64
import html.parser
import io
import re

import numpy as np
import pytest
from PIL import Image, ImageOps

from cli.program import dicom_test_file, images, model, picture, run  # noqa: F401

VOID = {"meta", "img", "link", "br", "hr", "input"}


class Reader(html.parser.HTMLParser):
    """Checks that every element is closed where it should be, and keeps a tree of (tag, attributes, children)."""

    def __init__(self, text):
        super().__init__()
        self.root = ("root", {}, [])
        self.open = [self.root]
        self.feed(text)
        assert len(self.open) == 1, f"left open: {[node[0] for node in self.open[1:]]}"

    def handle_starttag(self, tag, attributes):
        node = (tag, dict(attributes), [])
        self.open[-1][2].append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag):
        assert self.open[-1][0] == tag, f"</{tag}> closes <{self.open[-1][0]}>"
        self.open.pop()

    def handle_data(self, data):
        self.open[-1][2].append(data)

    def find(self, tag, classes=None, below=None):
        found = []
        for child in (below or self.root)[2]:
            if isinstance(child, str):
                continue
            if child[0] == tag and (classes is None or classes in child[1].get("class", "").split()):
                found.append(child)
            found += self.find(tag, classes, child)
        return found


def text_of(node):
    return "".join(child if isinstance(child, str) else text_of(child) for child in node[2])


def image_of(node):
    head, data = node[1]["src"].split(",", 1)
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


def classify(model, page, *inputs, labels="light, dark", **more):  # noqa: F811
    options = [part for name, value in more.items() for part in (f"--{name.replace('_', '-')}", value)]
    result = run("classify", *inputs, "--labels", labels, "--model", model, "--html", page, "--json", *options)
    assert result.code in (0, 3), result.err
    return Reader(page.read_text()), result


def test_what_the_page_says_is_what_the_program_says(model, images, tmp_path):  # noqa: F811
    index = tmp_path / "i"
    assert run("index", "build", images, "-o", index, "--model", model).code == 0
    page, result = classify(model, tmp_path / "p.html", images, labels="a, b, c", index=index, hits=3)
    cases = page.find("article")
    assert len(cases) == len(result.lines) == 6
    for case, line in zip(cases, result.lines):
        assert text_of(page.find("h2", below=case)[0]) == line["input"].rsplit("/", 1)[1]
        rows = page.find("li", below=page.find("ol", "scores", below=case)[0])
        assert [text_of(page.find("span", "label", below=row)[0]) for row in rows] == \
            [entry["label"] for entry in line["scores"]]
        for row, entry in zip(rows, line["scores"]):
            assert text_of(page.find("span", "value", below=row)[0]) == f"{100 * entry['score']:.1f} %"
            width = float(re.search(r"width:([\d.]+)%", page.find("i", below=row)[0][1]["style"])[1])
            assert width == pytest.approx(100 * entry["score"], abs=0.06)
        hits = page.find("li", below=page.find("ol", "hits", below=case)[0])
        assert len(hits) == len(line["hits"]) == 3
        for hit, entry in zip(hits, line["hits"]):
            assert text_of(page.find("span", "name", below=hit)[0]) == entry["path"].rsplit("/", 1)[1]
            assert f"{entry['score']:.3f}" in text_of(page.find("span", "cosine", below=hit)[0])


def test_the_page_stands_alone_and_says_where_it_comes_from(model, images, tmp_path):  # noqa: F811
    page, result = classify(model, tmp_path / "p.html", images / "a")
    line = result.lines[0]
    (document,) = page.find("html")
    assert document[1]["lang"] == "en" and page.find("meta")[0][1]["charset"] == "utf-8"
    footer = text_of(page.find("footer")[0])
    for key in ("weights_sha256", "recipe", "precision", "device", "version"):
        assert key in footer and str(line[key]) in footer
    assert "seeded, not trained" in text_of(page.find("header")[0])
    text = (tmp_path / "p.html").read_text()
    assert not re.search(r"(?:https?:)?//[a-z]", text.replace("data:image", ""))
    assert not page.find("script") and not page.find("link") and not page.find("iframe")
    for node in page.find("img"):
        assert node[1]["alt"] and node[1]["src"].startswith("data:")


def test_every_heading_and_bar_is_there_for_a_screen_reader(model, images, tmp_path):  # noqa: F811
    page, _ = classify(model, tmp_path / "p.html", images / "a")
    assert len(page.find("h1")) == 1 and len(page.find("main")) == 1
    for track in page.find("span", "track"):
        assert track[1]["aria-hidden"] == "true"
    assert all(text_of(heading).strip() for tag in ("h1", "h2", "h3") for heading in page.find(tag))


def test_pictures_stand_upright_and_keep_their_shape(model, tmp_path):  # noqa: F811
    source = picture(4, (160, 96)).convert("RGB")
    folder = tmp_path / "in"
    folder.mkdir()
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        source.save(folder / f"{orientation}.jpg", exif=exif, quality=95)
    page, _ = classify(model, tmp_path / "p.html", folder, recipe="vesalius")
    shown = [image_of(node) for node in page.find("img")]
    assert len(shown) == 8
    for orientation, image in enumerate(shown, 1):
        expected = ImageOps.exif_transpose(Image.open(folder / f"{orientation}.jpg"))
        assert image.size == expected.size, orientation
        difference = np.abs(np.asarray(image, float) - np.asarray(expected, float)).mean()
        assert difference < 6, (orientation, difference)


@pytest.mark.parametrize("size, shown", [((1000, 500), (400, 200)), ((30, 20), (30, 20)), ((100, 2000), (20, 400))])
def test_pictures_are_shrunk_never_enlarged(model, tmp_path, size, shown):  # noqa: F811
    picture(4, size).save(tmp_path / "a.png")
    page, _ = classify(model, tmp_path / "p.html", tmp_path / "a.png")
    assert image_of(page.find("img")[0]).size == shown


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16", "CMYK"])
def test_every_kind_of_picture_is_shown(model, tmp_path, mode):  # noqa: F811
    grey = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 16)
    else:
        image = Image.fromarray(grey).convert("RGB" if mode in ("CMYK", "RGBA") else "L").convert(mode)
    path = tmp_path / f"a.{'tif' if mode == 'CMYK' else 'png'}"
    image.save(path)
    page, _ = classify(model, tmp_path / "p.html", path, recipe="vesalius")
    row = np.asarray(image_of(page.find("img")[0]).convert("L"), float).mean(0)
    assert row[:4].mean() < 40 and row[-4:].mean() > 215, mode
    if mode != "1":
        assert (np.diff(row) > -12).all(), mode  # a ramp stays a ramp


def test_a_dicom_carries_tags_and_identity(model, tmp_path):  # noqa: F811
    movie = dicom_test_file("examples_ybr_color.dcm")
    page, result = classify(model, tmp_path / "p.html", movie, dicom_test_file("CT_small.dcm"), recipe="vesalius")
    first, second = page.find("article")
    assert [text_of(tag) for tag in page.find("li", below=page.find("ul", "tags", below=first)[0])][-1] == \
        "frame 16 of 30"
    assert "CT" in text_of(page.find("ul", "tags", below=second)[0])
    identity = text_of(page.find("details", below=second)[0])
    assert result.lines[1]["sop_instance_uid"] in identity
    assert image_of(page.find("img", below=second)[0]).size == (128, 128)


def test_manifest_columns_and_warnings_are_shown(model, tmp_path):  # noqa: F811
    Image.new("L", (20, 20), 9).save(tmp_path / "flat.png")
    (tmp_path / "m.csv").write_text('path,label,note\nflat.png,CT,"<b>&"\n')
    result = run("classify", "--manifest", tmp_path / "m.csv", "--labels", "a,b", "--model", model, "--html",
                 tmp_path / "p.html")
    assert result.code == 0, result.err
    page = Reader((tmp_path / "p.html").read_text())
    facts = dict(zip([text_of(name) for name in page.find("dt")], [text_of(value) for value in page.find("dd")]))
    assert facts["label"] == "CT" and facts["note"] == "<b>&"
    assert "constant" in text_of(page.find("p", "warning")[0])


def test_what_failed_is_listed_and_nothing_at_all_leaves_no_page(model, tmp_path):  # noqa: F811
    picture(1).save(tmp_path / "good.png")
    (tmp_path / "bad<.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    page, result = classify(model, tmp_path / "p.html", tmp_path / "good.png", tmp_path / "bad<.png")
    assert result.code == 3
    problems = page.find("section", "problems")[0]
    assert "1 input could not be used" in text_of(problems)
    assert "bad<.png" in text_of(page.find("li", below=problems)[0])
    usage = run("classify", tmp_path / "good.png", "--labels", "a,a", "--model", model, "--html", tmp_path / "q.html")
    assert usage.code == 2 and not (tmp_path / "q.html").exists()


def test_a_page_that_cannot_be_written_is_named(model, images):  # noqa: F811
    result = run("classify", images, "--labels", "a,b", "--model", model, "--html", "/dev/null/p.html")
    assert result.code == 1 and "/dev/null/p.html" in result.err


def test_a_search_page_shows_words_and_their_neighbours(model, images, tmp_path):  # noqa: F811
    index = tmp_path / "i"
    assert run("index", "build", images, "-o", index, "--model", model).code == 0
    result = run("search", "--text", "a \"quoted\" <finding>", "--index", index, "-k", 4, "--model", model, "--html",
                 tmp_path / "p.html", "--json")
    assert result.code == 0, result.err
    page = Reader((tmp_path / "p.html").read_text())
    (case,) = page.find("article")
    assert "words" in case[1]["class"].split()
    assert 'a "quoted" <finding>' in text_of(page.find("h2", below=case)[0])
    names = [text_of(name) for name in page.find("span", "name", below=case)]
    assert names == [hit["path"].rsplit("/", 1)[1] for hit in result.lines[0]["hits"]]
    (images / "a" / "0.png").unlink()  # a neighbour whose file is gone is still named
    again = run("search", "--text", "x", "--index", index, "-k", 6, "--model", model, "--html", tmp_path / "q.html")
    assert again.code == 0, again.err
    assert (tmp_path / "q.html").read_text().count("The image cannot be shown") == 1
