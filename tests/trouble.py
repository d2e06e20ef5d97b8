"""Files made of what readers get wrong: mostly clean, with something odd here and there, in several encodings."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from random import Random

from framework.feed import Format

__all__ = ["ENCODINGS", "MARK", "some_file"]

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
    "a,b\n",
    "\na,b\n",
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


MARK = re.compile("t[0-9]{6}t")
"""A word that is nowhere twice, and that trouble leaves whole."""


def some_file(dice: Random, format_: Format, encoding: str, *, marked: bool = False) -> bytes:
    """A file with the fields a and b. Bytes that are not in the encoding come too. The words of a marked one are
    `MARK`s."""
    numbers = itertools.count()

    def word() -> str:
        return f"t{next(numbers):06}t" if marked else _word(dice)

    text = _csv(dice, encoding, word) if format_ is Format.CSV else _json(dice, encoding, word)
    content = text.encode(encoding, "ignore")
    if dice.random() < 0.1:
        at = dice.randrange(len(content) + 1)
        if marked:
            at = len("".join(_atoms(text)[: at % 50]).encode(encoding, "ignore"))
        content = content[:at] + dice.choice([b"\xff", b"\x81", b"\x00", b"\xc3", b"\xef\xbb\xbf"]) + content[at:]
    return content


def _odd(dice: Random, marks: list[str], encoding: str) -> str:
    wide = _LETTERS if encoding == "cp1252" else _WIDE
    return dice.choice([dice.choice(marks), dice.choice(marks), dice.choice(_CONTROLS), dice.choice(wide)])


def _with_trouble(dice: Random, text: str, marks: list[str], encoding: str) -> str:
    """The text with odd things put in or over what was there; often none at all."""
    atoms = _atoms(text)
    for _ in range(dice.choice([0, 0, 0, 1, 1, 2, 5])):
        at = dice.randrange(len(atoms) + 1)
        atoms[at : at + dice.choice([0, 0, 1])] = _odd(dice, marks, encoding)
    return "".join(atoms)


def _atoms(text: str) -> list[str]:
    """The marks and the other characters of a text."""
    return re.findall(f"(?s){MARK.pattern}|.", text)


def _word(dice: Random) -> str:
    return "".join(dice.choices(_LETTERS, k=dice.randrange(4)))


def _csv(dice: Random, encoding: str, some_word: Callable[[], str]) -> str:
    end, always = dice.choice(["\n", "\n", "\r\n", "\r"]), dice.random() < 0.3

    def field() -> str:
        word = some_word()
        if dice.random() < 0.1:
            word += dice.choice([",", '"', end, "\n", " "]) + some_word()
        quoted = always or dice.random() < 0.1 or any(mark in word for mark in ',"\r\n')
        return '"' + word.replace('"', '""') + '"' if quoted else word

    lines = [",".join([field(), field()]) for _ in range(dice.randrange(8))]
    body = end.join(["a,b" if not always else '"a","b"', *lines]) + end * dice.choice([0, 1, 1, 1, 2])
    beginning, rest = body[:3], body[3:]
    return dice.choice(["", "", "", "\ufeff"]) + beginning + _with_trouble(dice, rest, _CSV, encoding)


def _json(dice: Random, encoding: str, some_word: Callable[[], str]) -> str:
    end, form = (
        dice.choice(["\n", "\n", "\r\n", "\r"]),
        dice.choice(["lines", "lines", "lines", "run", "array", "pretty"]),
    )

    def value() -> object:
        return dice.choice([some_word(), dice.randrange(9), None, 1.5, {"c": some_word()}, [1, some_word()], True])

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
