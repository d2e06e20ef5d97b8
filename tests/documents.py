"""The documents of `docs/` as tests read them: blocks of commands, of what they print, and of configuration."""

from __future__ import annotations

import os
import re

from tests.support import REPOSITORY

__all__ = ["blocks", "document"]

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


def document(*parts: str) -> str:
    """The text of a document, by its path in the repository."""
    with open(os.path.join(REPOSITORY, *parts), encoding="utf-8") as stream:
        return stream.read()


def blocks(text: str) -> list[tuple[str, str]]:
    """The language and the text of each block of code."""
    return [(found[2], found[3]) for found in _BLOCK.finditer(text)]
