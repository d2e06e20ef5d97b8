"""Texts of dates and moments: to_date, to_timestamp and date_format, with Spark's datetime patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from framework.law.dialects import Dialect
from framework.law.functions.casts import instant, local
from framework.law.functions.function import Function, Given, function
from framework.law.functions.kinds import BIGINT, DATE, STRING, TIMESTAMP, constant, of, takes
from framework.law.functions.nodes import Literal, Node, Refused
from framework.law.values import check_pattern, typed
from framework.types import DataType, Scalar

__all__ = ["FUNCTIONS"]

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
_PIECES = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_NUMBERS = {"M": "month", "d": "day", "H": "hour", "m": "minute", "s": "second"}


def _pattern(nodes: Sequence[Node]) -> str | None:
    literal = constant(nodes[1]) if len(nodes) > 1 else None
    if len(nodes) > 1 and literal is None:
        raise Refused("the pattern must be a literal text", "for example 'dd.MM.yyyy'", nodes[1].at)
    return None if literal is None else str(literal.value)


def _reads(type_: Scalar) -> Callable[[Sequence[Node]], tuple[Sequence[DataType], DataType]]:
    def check(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
        if not 1 <= len(nodes) <= 2:
            raise Refused(f"it takes a text and a pattern, not {len(nodes)} arguments")
        pattern = _pattern(nodes)
        if pattern is not None:
            try:
                check_pattern(pattern)
            except ValueError as error:
                raise Refused(str(error), "for example 'dd.MM.yyyy HH:mm'", nodes[1].at) from None
            return [of(nodes[0], "string"), STRING], type_
        if nodes[0].type == STRING:
            return [STRING], type_
        return [of(nodes[0], "moment" if type_ == TIMESTAMP else "day")], type_

    return check


def _read(given: Given) -> str:
    if given.nodes[0].type == STRING:
        pattern = _pattern(given.nodes)
        formats = () if pattern is None else (pattern,)
        return typed(given[0], given.type, formats=formats, zone=given.zone, dialect=given.dialect)
    if given.nodes[0].type == given.type:
        return given[0]
    return instant(given, local(given, given[0], given.nodes[0].type))


_KNOWN = re.compile(r"yyyy|yy|M{1,4}|d{1,2}|E{1,4}|H{1,2}|h{1,2}|m{1,2}|s{1,2}|S{1,6}|a")


def _writes(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, result = takes("moment", "string", returns=STRING)(nodes)
    pattern = _pattern(nodes) or ""
    if _PIECES.sub("", pattern) or not pattern:
        raise Refused("the pattern has a quote that is not closed", "for example 'dd.MM.yyyy'", nodes[1].at)
    for match in _PIECES.finditer(pattern):
        if match.group(2) and not _KNOWN.fullmatch(match.group()):
            hint = "it takes yyyy yy MM M MMM MMMM dd d EEE EEEE HH H hh h mm m ss s S…S a, and text in quotes"
            raise Refused(f"'{match.group()}' cannot be written", hint, nodes[1].at)
    return types, result


class _Writer:
    """Writes the pieces of a pattern over the SQL `f` of a local time."""

    def __init__(self, dialect: Dialect) -> None:
        self._sql = dialect

    def piece(self, match: re.Match[str]) -> str:
        quoted, letter = match.groups()
        if letter is None:
            plain = match.group() if quoted is None else quoted.replace("''", "'") or "'"
            return self._sql.text(plain)
        width = len(match.group())
        match letter:
            case "y":
                return self._padded("year(f)" if width == 4 else "year(f) % 100", width)
            case "M" if width > 2:
                return self._word("month(f)", _MONTHS, 1, 3 if width == 3 else None)
            case "E":
                return self._word(self._sql.weekday("f"), _DAYS, 0, None if width == 4 else 3)
            case "a":
                return "CASE WHEN hour(f) < 12 THEN 'AM' ELSE 'PM' END"
            case "h":
                return self._padded("(hour(f) + 11) % 12 + 1", width)
            case "S":
                micros = self._sql.micros("f", plain=True)
                return f"left({self._padded(f'({micros} % 1000000 + 1000000) % 1000000', 6)}, {width})"
            case _:
                return self._padded(f"{_NUMBERS[letter]}(f)", width)

    def _padded(self, number: str, width: int) -> str:
        text = self._sql.as_text(f"CAST({number} AS int)")
        return f"lpad({text}, {width}, '0')" if width > 1 else text

    def _word(self, number: str, words: Sequence[str], first: int, letters: int | None) -> str:
        cases = " ".join(f"WHEN {index} THEN '{word[:letters]}'" for index, word in enumerate(words, first))
        return f"(CASE {number} {cases} END)"


def _write(given: Given) -> str:
    writer = _Writer(given.dialect)
    pieces = [writer.piece(match) for match in _PIECES.finditer(_pattern(given.nodes) or "")]
    whole = given.dialect.concat(*pieces) if len(pieces) > 1 else pieces[0]
    return given.dialect.bind("f", local(given, given[0], given.nodes[0].type), whole)


def _since_epoch(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    if not 1 <= len(nodes) <= 2:
        raise Refused(f"it takes seconds and a pattern, not {len(nodes)} arguments")
    of(nodes[0], "integer")
    if len(nodes) == 2:
        _writes([Literal(None, TIMESTAMP), nodes[1]])
    return [BIGINT, *([STRING] if len(nodes) == 2 else [])], STRING


def _from_unixtime(given: Given) -> str:
    moment = given.dialect.since_epoch(f"({given[0]} * 1000000)", plain=False)
    pattern = given.nodes[1] if len(given.nodes) == 2 else Literal("yyyy-MM-dd HH:mm:ss", STRING)
    nodes = (Literal(None, TIMESTAMP), pattern)
    written = _write(Given((moment, ""), nodes, STRING, given.dialect, given.zone))
    return f"CASE WHEN {given[0]} BETWEEN -62135596800 AND 253402300799 THEN {written} END"


_DATES = {"to_date('31.01.2026', 'dd.MM.yyyy')": "2026-01-31", "to_date('2026-02-30')": "error",
          "to_date(timestamp '2026-01-31 12:00:00')": "2026-01-31"}  # fmt: skip
_MOMENTS = {"to_timestamp('2026-01-31 12:30')": "2026-01-31 12:30:00", "to_timestamp('x')": "error",
            "to_timestamp('31/01/2026 1:05 PM', 'dd/MM/yyyy h:mm a')": "2026-01-31 13:05:00"}  # fmt: skip
_BY = "by the value law, or by a pattern as in the key `format`"

FUNCTIONS: tuple[Function, ...] = (
    function("to_date", "to_date(a [, pattern])", f"the date of a text, {_BY}; also of a moment", _reads(DATE), _read,
             fails=True, examples=_DATES),
    function("try_to_date", "try_to_date(a [, pattern])", "as `to_date`; NULL for a text that is none", _reads(DATE),
             _read, examples={"try_to_date('31.02.2026', 'dd.MM.yyyy')": "NULL"}),
    function("to_timestamp", "to_timestamp(a [, pattern])", f"the moment of a text, {_BY}; also of a date",
             _reads(TIMESTAMP), _read, fails=True, examples=_MOMENTS),
    function("try_to_timestamp", "try_to_timestamp(a [, pattern])", "as `to_timestamp`; NULL for a text that is none",
             _reads(TIMESTAMP), _read, examples={"try_to_timestamp('x')": "NULL"}),
    function("date_format", "date_format(moment, pattern)",
             "a date or a moment as a text, by a pattern of yyyy yy MM M "
             "MMM MMMM dd d EEE EEEE HH H hh h mm m ss s S…S a; month and day names are English", _writes, _write,
             examples={"date_format('2026-01-05', 'dd.MM.yyyy')": "'05.01.2026'",
                       "date_format(timestamp '2026-01-05 13:07:08.25', 'EEE d MMM yy, h:mm:ss.SSS a')":
                       "'Mon 5 Jan 26, 1:07:08.250 PM'",
                       "date_format('2026-01-05', 'yyyyMM')": "'202601'",
                       "date_format('2026-01-05', \"yyyy'Q'M\")": "'2026Q1'"}),
    function("from_unixtime", "from_unixtime(n [, pattern])", "the local time n seconds after 1970-01-01 in UTC, as a "
             "text", _since_epoch, _from_unixtime, fails=True,
             examples={"from_unixtime(1)": "'1970-01-01 00:00:01'",
             "from_unixtime(86400, 'dd.MM.yyyy')": "'02.01.1970'"}),
)  # fmt: skip
"""The functions of this group."""
