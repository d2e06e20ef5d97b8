"""What names say: which fields are names at all, what a column is about, what file names capture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from framework.infer.moments import Way
from framework.law.filenames import captures, mistakes
from framework.law.values import parse
from framework.types import Scalar

__all__ = ["Pattern", "about_keys", "about_sequence", "about_time", "feed_name", "file_pattern", "looks_like_names"]

_LONGEST = 128
_KEY = re.compile(r"(^|.*[_\W])(id|key|uuid|guid|code|no|nr|num|number|sku|isin|iban|email)$|.*[a-z](Id|ID|Key)$")
_NEWER = re.compile(
    r"updat|modif|chang|last_|lastmod|valid_from|event_?time|event_?ts|timestamp|_ts$|^ts$|_at$|extract|ge(ä|ae)ndert"
)
_VERSION = re.compile(r"(^|_)(version|revision|rev|seq|sequence|seq_no|lsn|scn)$")
_SIGNED = re.compile(r"[+-][0-9]")
_TIME = re.compile(r"date|day|time|_at$|_on$|_ts$|^ts$|created|updated|modified|since|until|birth|dob|epoch|stamp")
_DATES = (
    ("yyyyMMddHHmmss", r"\d{14}"),
    ("yyyyMMdd_HHmmss", r"\d{8}_\d{6}"),
    ("yyyyMMdd-HHmmss", r"\d{8}-\d{6}"),
    ("yyyy-MM-dd", r"\d{4}-\d{2}-\d{2}"),
    ("yyyy_MM_dd", r"\d{4}_\d{2}_\d{2}"),
    ("yyyyMMdd", r"\d{8}"),
)
"""Date patterns as they stand in file names, the longest first."""


def looks_like_names(fields: Sequence[str | None]) -> bool:
    """Whether a record names the fields of the others: there is a letter in it, and no field of it is a number, a date
    or a truth value."""
    named = [field.strip() for field in fields if field is not None and field.strip()]
    has_letters = any(letter.isalpha() for name in named for letter in name)
    return has_letters and not any("@" in name or _is_value(name) for name in named)


def _is_value(text: str) -> bool:
    ways = (Way("date"), Way("timestamp"), Way("date", "d.M.yyyy"), Way("date", "M/d/yyyy"), Way("date", "d/M/yyyy"))
    if any(way.reads(text) for way in ways) or text.lower() in ("true", "false") or _SIGNED.match(text):
        return True
    try:
        parse(text.replace(",", "."), Scalar("double"))
    except ValueError:
        return False
    return True


def about_keys(name: str) -> bool:
    """Whether a column is called like one that identifies rows."""
    return bool(_KEY.fullmatch(name) or _KEY.fullmatch(name.lower()))


def about_sequence(name: str, *, moment: bool) -> bool:
    """Whether a column is called like one that tells the newer of two rows."""
    return bool((_NEWER if moment else _VERSION).search(name.lower().replace(" ", "_")))


def about_time(name: str) -> bool:
    """Whether a column is called like one that holds days or moments."""
    return bool(_TIME.search(name.lower()))


def feed_name(name: str) -> str:
    """A feed's name from a sample's name, without what changes from file to file."""
    stem = name.split(".")[0].lower()
    for _, digits in _DATES:
        stem = re.sub(digits, "_", stem)
    words = [word for word in re.split(r"[^a-z0-9]+", stem) if word and not word.isdigit()]
    found = "_".join(words)[:_LONGEST].rstrip("_")
    found = re.sub(r"(?<=[a-z])\d+$", "", found) if len(found) > 2 else found
    return found if re.fullmatch(r"[a-z][a-z0-9_]*", found) else f"feed_{found}".rstrip("_")


@dataclass(frozen=True, slots=True)
class Pattern:
    """`files` for a feed, and the capture by which its files are in order, with its type."""

    files: str
    order_by: str | None = None
    type: str | None = None


def file_pattern(names: Sequence[str]) -> Pattern:
    """A pattern that all names match, with the date that stands in each of them as a capture."""
    endings = {"".join(name.partition(".")[1:]) for name in names}
    suffix = endings.pop() if len(endings) == 1 else ""
    plain = Pattern(f"*{_literal(suffix)}")
    for candidate in (*_dated(names), plain):
        fits = not list(mistakes(candidate.files)) and all(
            captures(candidate.files, name) is not None for name in names
        )
        if fits:
            return candidate
    return Pattern("*")


def _dated(names: Sequence[str]) -> Iterator[Pattern]:
    for date_pattern, digits in _DATES:
        found = [re.fullmatch(rf"(.*?)(?<!\d)({digits})(?!\d)(.*)", name, re.DOTALL) for name in names]
        whole = [each for each in found if each is not None]
        if len(whole) != len(names):
            continue
        time = "H" in date_pattern
        name = "file_time" if time else "file_date"
        before, after = ({each.group(part) for each in whole} for part in (1, 3))
        capture = f"{{{name}:{date_pattern}}}"
        yield Pattern(f"{_common(before)}{capture}{_common(after)}", name, "timestamp" if time else "date")


def _common(texts: set[str]) -> str:
    """What these texts have in common as a pattern: digits may differ from file to file."""
    shapes = {re.sub(r"\d+", "*", _literal(text)) for text in texts}
    if len(shapes) == 1:
        return shapes.pop()
    ends = {"".join(text.rpartition(".")[1:]) for text in texts}
    return "*" + (_literal(ends.pop()) if len(ends) == 1 else "")


def _literal(text: str) -> str:
    return re.sub(r"[{}*?/$]", "?", text)
