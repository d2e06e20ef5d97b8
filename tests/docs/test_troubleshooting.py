"""Every code that the product gives has its entry in docs/troubleshooting.md, and every entry a code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.documents import document
from tests.support import REPOSITORY

ROWS = ("Rule", "_Flag")
"""What the law makes reasons of rows with; the first argument is the code."""


def codes() -> Iterator[str]:
    """Codes of errors (`code=…`, `code = …` in an exception) and of bad rows, from the sources."""
    for path in sorted(Path(REPOSITORY, "framework").rglob("*.py")):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.keyword(arg="code", value=ast.Constant(value=str(code))):
                    yield code
                case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                    yield code
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(code)), *_]) if name in ROWS:
                    yield code
    yield "malformed_record"


def test_every_code_has_an_entry_and_every_entry_a_code() -> None:
    text = document("docs", "troubleshooting.md")
    entries = re.findall(r"^### `(\w+)`$", text, re.MULTILINE)
    assert sorted(entries) == sorted(set(codes()))


def test_every_entry_says_what_to_do() -> None:
    for part in document("docs", "troubleshooting.md").split("\n### ")[1:]:
        assert len(part.partition("\n")[2].split("\n## ")[0].strip()) > 40, part
