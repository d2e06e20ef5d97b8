"""Files made of what readers get wrong: mostly clean, with something odd here and there, in several encodings."""

from __future__ import annotations

import json
from random import Random

from framework.feed import Format

__all__ = ["ENCODINGS", "some_file"]

ENCODINGS = ("utf-8", "utf-16", "cp1252")
_CONTROLS = [chr(code) for code in range(0x20)]
_LETTERS = ["a", "b ", "1", "-", "ü", "é", "€", "\x7f"]
_WIDE = ["\u0085", "\u2028", "\u2029", "\ufeff", "\u00a0", "語", "😀", "\u3000"]
_CSV = [
    '"',
    '"',
    '""',
    ' "',
    '" ',
    '"x"',
    ",",
    ",",
    ",,",
    ";",
    "'",
    "\\",
    '\\"',
    "\t",
    " ",
    "#",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
]
_JSON = [
    *[
        '"',
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\\",
        "\\u0041",
        "\\ud800",
        "\\ud83d\\ude00",
        "\n",
        "\r",
        "\r\n",
        "//",
        "'",
    ],
    *[
        "NaN",
        "Infinity",
        "-Infinity",
        "nan",
        "inf",
        "null",
        "true",
        "tru",
        '"a":2,',
        ',"b":1',
        "1.",
        "01",
        "1e5",
        "-0",
        ",}",
        '{"a":1}',
        "[]",
    ],
]


def some_file(dice: Random, format_: Format, encoding: str) -> bytes:
    """A file with the fields a and b. Bytes that are not in the encoding come too."""
    text = _csv(dice, encoding) if format_ is Format.CSV else _json(dice, encoding)
    content = text.encode(encoding, "ignore")
    if dice.random() < 0.1:
        at = dice.randrange(len(content) + 1)
        content = content[:at] + dice.choice([b"\xff", b"\x81", b"\x00", b"\xc3", b"\xef\xbb\xbf"]) + content[at:]
    return content


def _odd(dice: Random, marks: list[str], encoding: str) -> str:
    wide = _LETTERS if encoding == "cp1252" else _WIDE
    return dice.choice([dice.choice(marks), dice.choice(marks), dice.choice(_CONTROLS), dice.choice(wide)])


def _with_trouble(dice: Random, text: str, marks: list[str], encoding: str) -> str:
    """The text with odd things put in or over what was there; often none at all."""
    for _ in range(dice.choice([0, 0, 0, 1, 1, 2, 5])):
        at = dice.randrange(len(text) + 1)
        text = text[:at] + _odd(dice, marks, encoding) + text[at + dice.choice([0, 0, 1]) :]
    return text


def _word(dice: Random) -> str:
    return "".join(dice.choices(_LETTERS, k=dice.randrange(4)))


def _csv(dice: Random, encoding: str) -> str:
    end, always = dice.choice(["\n", "\n", "\r\n", "\r"]), dice.random() < 0.3

    def field() -> str:
        word = _word(dice)
        if dice.random() < 0.1:
            word += dice.choice([",", '"', end, "\n", " "]) + _word(dice)
        quoted = always or dice.random() < 0.1 or any(mark in word for mark in ',"\r\n')
        return '"' + word.replace('"', '""') + '"' if quoted else word

    lines = [",".join([field(), field()]) for _ in range(dice.randrange(8))]
    body = end.join(["a,b" if not always else '"a","b"', *lines]) + end * dice.choice([0, 1, 1, 1, 2])
    beginning, rest = body[:3], body[3:]
    return dice.choice(["", "", "", "\ufeff"]) + beginning + _with_trouble(dice, rest, _CSV, encoding)


def _json(dice: Random, encoding: str) -> str:
    end, form = (
        dice.choice(["\n", "\n", "\r\n", "\r"]),
        dice.choice(["lines", "lines", "lines", "run", "array", "pretty"]),
    )

    def value() -> object:
        return dice.choice([_word(dice), dice.randrange(9), None, 1.5, {"c": _word(dice)}, [1, _word(dice)], True])

    keys = [["a", "b"], ["b"], ["a", "c"], [] if dice.random() < 0.1 else ["b", "a"]]
    objects = [{key: value() for key in dice.choice(keys)} for _ in range(6)]
    indent = 1 if form == "pretty" or (form == "array" and dice.random() < 0.5) else None
    separators = dice.choice([(", ", ": "), (",", ":")])
    documents = [json.dumps(each, indent=indent, separators=separators, ensure_ascii=False) for each in objects]
    match form:
        case "array":
            text = "[" + dice.choice(["", end]) + f",{dice.choice(['', end])}".join(documents) + "]"
        case "run":
            text = "".join(documents)
        case _:
            text = end.join(documents)
    if dice.random() < 0.2:  # a key twice within a value
        text = text.replace('{"c":', dice.choice(['{"c":0,"c":', '{"\\u0063":0,"c":', '{"d":{"e":1,"e":2},"c":']))
    text = '{"a":"first","b":"one"}' + end + text if form != "array" else text
    return _with_trouble(dice, text + end * dice.randrange(3), _JSON, encoding)
