"""Regular expressions: what Java and RE2 read alike is written out, the rest is refused."""

from __future__ import annotations

import re

import pytest

from framework.law.functions.regexes import portable


@pytest.mark.parametrize(
    ("pattern", "regex", "groups", "empty"),
    [
        (r"^\d{2}-[A-Z]+$", r"\A[0-9]{2}-[A-Z]+\z", 0, False),
        (r"(a|b)(?:c)?", "(a|b)(?:c)?", 1, False),
        (r"\w*", "[0-9A-Za-z_]*", 0, True),
        (r"(?i)ab1", "[aA][bB]1", 0, False),
        (r"[^\s,]+?", r"[^ \t\n\x0b\f\r,]+?", 0, False),
        (r"a\.b\/c", r"a\.b/c", 0, False),
        (r"[a\-z\]]", r"[a\-z\]]", 0, False),
        (r"[]a]", r"[\]a]", 0, False),
        (r"\u20ac", "€", 0, False),
        (".", "[^\\n\\r\x85\u2028\u2029]", 0, False),
        (r"(?i)[abc]", "[aAbBcC]", 0, False),
    ],
)
def test_what_is_read(pattern: str, regex: str, groups: int, empty: bool) -> None:
    found = portable(pattern)
    assert (found.regex, found.groups, found.empty) == (regex, groups, empty)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(?=a)", "begin with (?"),
        ("(?<n>a)", "begin with (?"),
        ("a++", "possessive"),
        (r"(a)\1", "does not work on every engine"),
        (r"\bword", "does not work on every engine"),
        ("(a*)*", "may be empty is repeated"),
        ("a{2000}", "at most 1000"),
        ("{", "written"),
        ("a{x}", "no repetition"),
        ("(a", "not closed"),
        ("a)", "closes nothing"),
        ("[a", "ends too early"),
        ("[a[b]]", "sets are not combined"),
        ("[a&&b]", "sets are not combined"),
        ("*a", "repeats nothing"),
        ("(?i)[a-z]", "both cases of a range"),
        ("^*", "not repeated"),
        ("a\\", "ends too early"),
    ],
)
def test_what_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        portable(pattern)
