"""Texts that are hard to clean or to cut, by kind; and endless more from a seed."""

import random

ENCODINGS = [
    "latin-1", "sloppy-windows-1252", "sloppy-windows-1251", "sloppy-windows-1250", "sloppy-windows-1253",
    "sloppy-windows-1254", "sloppy-windows-1257", "iso-8859-2", "macroman", "cp437",
]  # fmt: skip

PHRASES = [
    "naïve café", "“quoted” — text…", "Привет мир", "ελληνικά", "مرحبا", "日本語テスト", "😀🎉", "100 €", "à la carte",
    "às vezes", "Ærø", "µm ± 3°", "Zürich", "½ ²", "ﬁne", "I’m", "№ 5", "x\u00a0y", "š ž", "pneumothorax 3 mm",
]  # fmt: skip

HARD = {
    "empty": ["", " ", "\n", "\t \r\n", "\u3000", "\u200b", "\ufeff", "\x00", "\u00a0"],
    "contractions": ["it's", "IT'S", "don't we'll you've I'm he'd they're", "it’s", "'s", "''s", "o'clock", "'ſ",
                     "it'ﬅ", "rock'n'roll", "'S'T'RE'VE'M'LL'D", "'lls"],
    "numbers": ["1", "12", "3.14", "1,000,000", "½", "x²", "Ⅷ", "٣٤", "１２３", "①②", "𝟙𝟚", "0x1F", "1e-5", "3-4mm", "L4/L5"],
    "punctuation": ["...", "…", "!?!?", "a.b.c", "--", "—", "(a)", "[b]{c}", "#tag", "@you", "a_b", "///", "\\n", "%", "$5", "^^",
                    "Pleural_Thickening", "x-ray chest anteroposterior No Finding."],
    "html": ["&amp;", "&amp;amp;", "&lt;b&gt;", "<b>&amp;</b>", "&eacute;", "&EACUTE;", "&nTILDE;", "&#233;", "&#xe9;", "&#xE9;",
             "&#59;", "&#0;", "&#128;", "&#x80;", "&#xD800;", "&#x110000;", "&#99999999999999999999;", "&#12ab;", "&#;", "&;",
             "&notit;", "this&not that", "&hellip;", "&NotEqualTilde;", "&SZLIG;", "&AMP;", "&AMPX;", "&#1;", "&#xFDD0;",
             "&lt;\n&lt;", "<\n&lt;", "&lt;\n<", "&thetasym; &THETASYM;", "&#xfffe;", "&nbsp;", "&ndash;&mdash;"],
    "quotes": ["“a”", "‘b’", "‚c‛", "„d‟", "ʼn", "ŉ", "«e»", "‹f›", "`g´", "′″"],
    "ligatures": ["ﬁ ﬂ ﬀ ﬃ ﬄ ﬅ ﬆ", "Ĳssel", "ǅ ǆ Ǆ", "Ǉ ǈ ǉ Ǌ ǋ ǌ Ǳ ǲ ǳ", "æ œ"],
    "width": ["ＬＯＵＤ　ＮＯＩＳＥＳ", "Ｕﾀｰﾝ", "ﾊﾞ", "￣", "￠￡￢￥￦", "ﾠ", "（ａ）"],
    "combining": ["e\u0301", "é", "a\u0308\u0323", "n\u0303\u0303", "\u0301", "\u0344", "Å", "Å", "K", "ａ\u0301", "가", "각"],
    "case": ["İSTANBUL", "ΟΔΟΣ", "ΟΔΟΣ ΑΣ", "ẞ", "ǅ", "STRASSE", "ﬀI", "Ω", "ΑΣ.", "Σ"],
    "scripts": ["中文字符", "日本語", "한국어", "العربية", "עברית", "हिन्दी", "ไทย", "ქართული", "አማርኛ", "🀄", "𝓗𝓮𝓵𝓵𝓸", "ꙮ"],
    "emoji": ["😀", "👨‍👩‍👧‍👦", "🇩🇪", "👍🏽", "❤️", "☠", "✔", "\U000e0067\U000e0062"],
    "invisible": ["a\u200bb", "a\u200db", "a\u00adb", "a\u2060b", "\u202eabc", "a\ufeffb", "a\u2028b", "a\u2029b", "a\x85b",
                  "a\u206ab", "a\ufffcb", "a\x7fb", "a\x0bb\x0cc", "a\x1cb", "a\u180eb"],
    "terminal": ["\x1b[31mred\x1b[0m", "\x1b[1;2;3Kx", "\x1b[", "\x1b[3", "\x1bc", "\x1b[٣m"],
    "line breaks": ["a\r\nb", "a\rb", "a\n\n\nb", "\r\r\n", "a\n b\n"],
    "special tokens": ["<|endoftext|>", "a<|endoftext|>b", "<|startoftext|>x", "<|ENDOFTEXT|>", "<|endoftext|", "<|endoftext|>&amp;",
                       "<|ſtartoftext|>", "a <|startoftext|><|endoftext|> b"],
    "long": ["word " * 200, "x" * 5000, "pneumonia" * 40, "1" * 90, "." * 300, "é" * 300, "a " * 74 + "b", "a " * 76],
    "mojibake": ["âœ” No problems", "&macr;\\_(ã\x83\x84)_/&macr;", "voilÃ le travail", "lâ€™humanitÃ©", "Ã la mode", "fÃ cil",
                 "Ã s vezes", "Ã quele", "schÃ¶n", "Ã¶sterreich", "â€œ like this â€�", "ä½\xa0å¥½", "ÐŸÑ€Ð¸Ð²ÐµÑ‚", "Ð¿Ñ€Ð¸Ð²ÐµÑ‚",
                 "вЂњquotedвЂќ", "ГҐ", "β€™s", "ā€™s", "Î•Î»Î»Î¬Î´Î±", "Ø§Ù„", "√©t√©", "‚Äôs", "‚Äú", "╨ƒ╤Ç╨╕", "Γ¥ñ", "ï»¿bom", "Â©", "Â 5",
                 "10 Â°C", "Ãƒâ€šÃ‚Â©", "é\x85", "caf\xe9 \x93x\x94", "\xed\xa0\xbd\xed\xb8\x80", "í\xa0½í¸\x80", "À\x80a", "êß", "Ã?a",
                 "â\x1a\x1a", "ð\x9f\x98\x80", "ðŸ˜€", "ÃÂ©", "Å\xa0", "Å kola", "ã®ã®ã", "a\xa0Â b", "Ãº", "é€", "Œ ", "Œuvre"],
}  # fmt: skip

INVALID = [b"\xff", b"a\xffb", b"\xc3", b"\xc3(", b"\xe2\x82", b"\xe2\x82x", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80",
           b"\xf4\x90\x80\x80", b"\x80\x80", b"\xe0\x80\xaf", b"ok\xfe\xfeok", b"\xf8\x88\x80\x80\x80"]  # fmt: skip


def garbled(rng):
    """A phrase or three, read wrongly up to three times and damaged on the way."""
    text = " ".join(rng.choice(PHRASES) for _ in range(rng.randint(1, 3)))
    for _ in range(rng.randint(0, 3)):
        try:
            text = text.encode("utf-8").decode(rng.choice(ENCODINGS))
        except UnicodeDecodeError:
            pass
        damage, at = rng.random(), rng.randrange(len(text))
        if damage < 0.2:
            text = text.replace("\xa0", " ")
        elif damage < 0.35:
            text = text[:at] + rng.choice("\ufffd?") + text[at + 1 :]
        elif damage < 0.45:
            text = text[:at] + text[at + 1 :] or "x"
        elif damage < 0.6:
            text += rng.choice(PHRASES)
    return text


def noise(rng):
    """A few characters, mostly of those that wrong decodings give."""
    letters = "".join(bytes(range(0x80, 256)).decode(encoding) for encoding in ENCODINGS)
    letters += " aZ.?!\n\r\t&;<\x1a\x00\x1b[3m'"
    return "".join(rng.choice(letters) for _ in range(rng.randint(1, 12)))


def endless(seed):
    rng = random.Random(seed)
    while True:
        yield garbled(rng)
        yield noise(rng)
