"""Files of up to a megabyte in which one kind of trouble is all there is: what makes readers slow or large."""

from __future__ import annotations

import gzip
import random

__all__ = ["LARGEST", "NAMED", "some_large_file"]

LARGEST = 1_000_000
"""Bytes of a file."""
_HEADER = b"user_id,event,event_time\n"
_CSV = [
    b'"',
    b'""',
    b'a","b',
    b'1,"x',
    b",",
    b",,",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"1",
    b"a",
    b"\\",
    b"\xff",
    b"\x00",
]
_CSV += [b"1,a,2026-01-01\n", b"2,b\n", b"x,c,2026-01-01\n", b'"3","c\nd",2026-01-01\n', b"\xef\xbb\xbf", b" ", b"'"]
_JSON = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b":",
    b",",
    b"\n",
    b"\\",
    b'"a":',
    b'{"user_id":1}',
    b"[1,\n",
    b'{"a":\n',
    b"1e9",
]
_JSON += [b'{"user_id":1,"event_time":"2026-01-01"}\n', b"NaN", b"\xff", b'"x', b"\\u", b"[[", b" ", b"\r"]
_XML = [
    b"<a>",
    b"</a>",
    b"<a/>",
    b"<user_id>1</user_id>",
    b"<",
    b">",
    b"&amp;",
    b"&#65;",
    b"&x;",
    b"<!--",
    b"-->",
    b"\n",
]
_XML += [
    b"<![CDATA[",
    b"]]>",
    b"<?p ",
    b"?>",
    b' b="',
    b"'",
    b"x",
    b"<a b='1' c='2'>",
    b"\xff",
    b"\x00",
    b"xmlns:a='u' ",
    b"<x:a>",
]

NAMED = {
    "quotes_not_closed.csv": _HEADER + b'a","b\n' * 160_000,
    "one_quote_and_pairs.csv": _HEADER + b'1,"x\n' + b'""\n' * 300_000,
    "wrong_width.csv.gz": gzip.compress(_HEADER + b"a\n" * 800_000),
    "bad_values.csv.gz": gzip.compress(_HEADER + b"x,a,2026-01-01\n" * 300_000),
    "commas.csv": b"," * LARGEST,
    "long_line.csv.gz": gzip.compress(_HEADER + b"x" * (100 << 20)),
    "line_ends.csv": _HEADER + b"\n" * LARGEST,
    "brackets.json": b"[" * LARGEST,
    "lines_of_brackets.json": b'{"a":[\n' * 140_000,
    "open_arrays.json": (b"[" + b"1," * 500 + b"\n") * 990,
    "keys.json": b"\n".join(b'{"user_id":1,"event_time":"2026-01-01","k%d":1}' % n for n in range(20_000)),
}
"""Those that once took minutes or gigabytes, and their kin."""


def some_large_file(dice: random.Random) -> tuple[str, bytes]:
    """A name and a file that repeats a few things, with something else among them."""
    kind = dice.choice(["csv", "csv", "csv", "json", "json", "xml", "fixed_width"])
    marks = {"json": _JSON, "xml": _XML}.get(kind, _CSV)
    unit = b"".join(dice.choices(marks, k=dice.randrange(1, 8))) + dice.choice([b"", b"\n"])
    size = dice.choice([LARGEST // 10, LARGEST // 2, LARGEST])
    content = unit * (size // len(unit) + 1)
    for _ in range(dice.choice([0, 0, 1, 20])):
        at = dice.randrange(len(content))
        content = content[:at] + dice.choice(marks) + content[at:]
    beginning = dice.choice(
        {"csv": [_HEADER, _HEADER, b""], "json": [b"", b"["], "xml": [b"<r>", b""]}.get(kind, [b""])
    )
    content = (beginning + content)[:size]
    name = f"trouble.{kind}"
    return (f"{name}.gz", gzip.compress(content)) if dice.random() < 0.2 else (name, content)
