"""Functions with regular expressions, which are literals."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from framework.law.functions.function import Function, Given, function
from framework.law.functions.kinds import BOOLEAN, INT, STRING, constant, of
from framework.law.functions.nodes import Check, Node, Refused
from framework.law.functions.regexes import Pattern, portable
from framework.types import Array, DataType

__all__ = ["FUNCTIONS"]

_EXAMPLE = r"for example name rlike '^[A-Z]{2}-\\d+$'"
_TEXTS = Array(STRING)


def _pattern(node: Node, *, empty: bool = True) -> Pattern:
    literal = constant(node)
    if literal is None or literal.type != STRING:
        raise Refused("the pattern must be a literal text", _EXAMPLE, node.at)
    try:
        found = portable(str(literal.value))
    except ValueError as error:
        raise Refused(f"the pattern cannot be used: {error}", _EXAMPLE, node.at) from None
    if found.empty and not empty:
        raise Refused("the pattern matches an empty text, which engines look for differently", "ask for one "
                      "character at least: + instead of *", node.at)  # fmt: skip
    return found


def _takes(least: int, most: int, returns: DataType, *, empty: bool = True, group: bool = False) -> Check:
    """A text and a pattern; then, with `group`, the number of a group of it."""

    def check(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
        if not least <= len(nodes) <= most:
            raise Refused(f"it takes {least} to {most} arguments, not {len(nodes)}")
        types: list[DataType] = [of(nodes[0], "string"), STRING]
        found = _pattern(nodes[1], empty=empty)
        if group:
            number = constant(nodes[2]).value if len(nodes) == 3 and constant(nodes[2]) else 1  # type: ignore[union-attr]
            if not isinstance(number, int) or (len(nodes) == 3 and constant(nodes[2]) is None):
                raise Refused("the number of the group must be a literal", None, nodes[2].at)
            if not 0 <= number <= found.groups:
                hint = "put it in brackets, or ask for 0, all that matches"
                raise Refused(f"the pattern has no group {number}", hint, nodes[-1].at)
        return [*types, *(node.type for node in nodes[2:])], returns

    return check


def _replaced(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if len(nodes) != 3:
        raise Refused(f"it takes a text, a pattern and what stands in its place, not {len(nodes)} arguments")
    found, literal = _pattern(nodes[1], empty=False), constant(nodes[2])
    if literal is None or literal.type != STRING:
        raise Refused("what stands in its place must be a literal text", r"$1 is the first group", nodes[2].at)
    if any(int(number) > found.groups for number in re.findall(r"(?<!\\)\$([0-9])", str(literal.value))):
        raise Refused("it names a group that the pattern does not have", None, nodes[2].at)
    if re.search(r"(?<!\\)\$(?![0-9])|(?<!\\)\$[0-9]{2}|\\(?![\\$])", str(literal.value).replace("\\\\", "")):
        raise Refused(
            r"in what stands in its place, $ and \ are written \$ and \\", "$1 is the first group", nodes[2].at
        )
    return [of(nodes[0], "string"), STRING, STRING], STRING


def _regex(given: Given) -> str:
    return given.dialect.text(_pattern(given.nodes[1]).regex)


def _group(given: Given) -> int:
    literal = constant(given.nodes[2]) if len(given.nodes) == 3 else None
    return 1 if literal is None else int(str(literal.value))


def _say(template: str) -> Callable[[Given], str]:
    """SQL with {0} for the text, {pattern} and {group}."""

    def say(given: Given) -> str:
        group = str(_group(given)) if "{group}" in template else ""
        text = template.replace("{group}", group).replace("{0}", given[0])
        return text.replace("{pattern}", _regex(given))

    return say


def _replacement(given: Given) -> str:
    """The replacement as RE2 writes it: \\1 for $1."""
    literal = constant(given.nodes[2])
    text = str(literal.value) if literal else ""
    parts = re.findall(r"\\(.)|\$([0-9])|([^\\$]+)", text, re.DOTALL)
    return "".join(
        f"\\{group}" if group else (escaped or plain).replace("\\", "\\\\") for escaped, group, plain in parts
    )


FUNCTIONS: tuple[Function, ...] = (
    function("rlike", "a RLIKE pattern", "whether a part of a text matches; also `regexp_like(a, pattern)`",
             _takes(2, 2, BOOLEAN), duckdb=_say("regexp_matches({0}, {pattern})"), spark=_say("({0} RLIKE {pattern})"),
             aliases=("regexp_like", "regexp"),
             examples={r"'AB-12' rlike '^[A-Z]+-\\d+$'": "true", r"'ab' rlike r'(?i)^AB$'": "true",
                       "'abc' rlike 'x'": "false", "'a\nb' rlike 'a.b'": "false", "null rlike 'x'": "NULL"}),
    function("regexp_extract", "regexp_extract(a, pattern [, group])", "the group of the first match, by default the "
             "first group; '' where nothing matches", _takes(2, 3, STRING, group=True),
             _say("regexp_extract({0}, {pattern}, {group})"),
             examples={r"regexp_extract('order 42', '(\\d+)')": "'42'", "regexp_extract('abc', '(x)')": "''",
                       r"regexp_extract('2026-01', r'(\d+)-(\d+)', 2)": "'01'",
                       "regexp_extract('abc', 'b.', 0)": "'bc'"}),
    function("regexp_substr", "regexp_substr(a, pattern)", "the first match, NULL where there is none",
             _takes(2, 2, STRING, empty=False), _say("nullif(regexp_extract({0}, {pattern}, 0), '')"),
             examples={r"regexp_substr('a1b22', r'\d+')": "'1'", "regexp_substr('abc', 'x')": "NULL"}),
    function("regexp_replace", "regexp_replace(a, pattern, text)", "the text with another in place of every match; "
             "`$1` is the first group", _replaced,
             duckdb=lambda given: f"regexp_replace({given[0]}, {_regex(given)}, "
             f"{given.dialect.text(_replacement(given))}, 'g')",
             spark=lambda given: f"regexp_replace({given[0]}, {_regex(given)}, {given[2]})",
             examples={r"regexp_replace('a1b22', r'\d+', '#')": "'a#b#'",
                       r"regexp_replace('Anna Bell', r'(\w+) (\w+)', '$2, $1')": "'Bell, Anna'",
                       r"regexp_replace('+39 06-12', r'[^0-9]', '')": "'390612'"}),
    function("regexp_count", "regexp_count(a, pattern)", "how often it matches", _takes(2, 2, INT, empty=False),
             duckdb=_say("CAST(len(regexp_extract_all({0}, {pattern})) AS INTEGER)"),
             spark=_say("regexp_count({0}, {pattern})"), examples={r"regexp_count('a1b22', r'\d')": "3"}),
    function("regexp_extract_all", "regexp_extract_all(a, pattern [, group])", "the group of every match, an array",
             _takes(2, 3, _TEXTS, empty=False, group=True), _say("regexp_extract_all({0}, {pattern}, {group})"),
             examples={r"regexp_extract_all('a1 b22', r'([a-z])(\d+)', 2)": "['1', '22']",
                       "regexp_extract_all('abc', '(x)')": "[]"}),
    function("split", "split(a, pattern)", "the parts of a text between matches, an array of texts",
             _takes(2, 2, _TEXTS, empty=False), duckdb=_say("string_split_regex({0}, {pattern})"),
             spark=_say("split({0}, {pattern})"),
             examples={"split('a,b,,c', ',')": "['a', 'b', '', 'c']", "split('', ',')": "['']",
                       r"split('a1b', r'\d')[1]": "'b'"}),
)  # fmt: skip
"""The functions of this group."""
