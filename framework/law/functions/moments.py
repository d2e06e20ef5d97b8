"""Dates and moments. Parts of a moment are those of its local time in the feed's zone (`source.timezone`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from framework.law.functions.casts import instant, local, within_years
from framework.law.functions.function import Function, Given, function
from framework.law.functions.kinds import DATE, DOUBLE, INT, STRING, TIMESTAMP, constant, takes
from framework.law.functions.nodes import Node, Refused
from framework.types import DataType

__all__ = ["FUNCTIONS"]

_DAY = takes("day", returns=INT)
_MOMENT_PARTS = takes("moment", returns=INT)
_FARTHEST = 3_700_000
"""Days between the first and the last date."""


def _int(sql: str) -> str:
    return f"CAST({sql} AS int)"


def _part_of_day(part: str) -> Callable[[Given], str]:
    def say(given: Given) -> str:
        match part:
            case "sunday":
                return _int(f"{given.dialect.weekday(given[0])} + 1")
            case "monday":
                return _int(f"({given.dialect.weekday(given[0])} + 6) % 7")
            case _:
                return _int(f"{part}({given[0]})")

    return say


def _moved(there: Callable[[Given], str], *, most: int, number: str = "{1}") -> Callable[[Given], str]:
    """A date that is moved by a number, which is too large to be looked at beyond `most`."""

    def say(given: Given) -> str:
        day = given.dialect.bind("moved", there(given), within_years(given, "moved", DATE))
        return f"CASE WHEN {number.replace('{1}', given[1])} BETWEEN -{most} AND {most} THEN {day} END"

    return say


def _of_local(part: str) -> Callable[[Given], str]:
    """A part of the local time of a moment."""
    return lambda given: _int(part.replace("{0}", local(given, given[0], given.nodes[0].type)))


_UNITS = {
    **dict.fromkeys(("year", "yyyy", "yy"), "year"),
    **dict.fromkeys(("month", "mon", "mm"), "month"),
    "quarter": "quarter",
    "week": "week",
}
_FINE = {**_UNITS, **dict.fromkeys(("day", "dd"), "day"), "hour": "hour", "minute": "minute", "second": "second"}


def _unit(node: Node, units: dict[str, str]) -> str:
    literal = constant(node)
    found = units.get(str(literal.value).lower()) if literal is not None else None
    if found is None:
        raise Refused(f"the unit is one of {', '.join(dict.fromkeys(units.values()))}", None, node.at)
    return found


def _truncated(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, result = takes("day", "string", returns=DATE)(nodes)
    _unit(nodes[1], _UNITS)
    return types, result


def _moment_truncated(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, _ = takes("string", "moment", returns=TIMESTAMP)(nodes)
    _unit(nodes[0], _FINE)
    return types, types[1]


def _say_trunc(given: Given) -> str:
    return f"CAST(date_trunc('{_unit(given.nodes[1], _UNITS)}', {given[0]}) AS date)"


def _say_date_trunc(given: Given) -> str:
    there = f"date_trunc('{_unit(given.nodes[0], _FINE)}', {local(given, given[1], given.type)})"
    plain = f"CAST({there} AS {given.dialect.plain_timestamp})"
    return instant(given, plain) if given.type == TIMESTAMP else plain


_PARTS = ("year", "quarter", "month", "week", "day", "dayofweek", "dayofyear", "hour", "minute")


def _extracted(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, result = takes("string", "moment", returns=INT)(nodes)
    literal = constant(nodes[0])
    if literal is None or str(literal.value).lower() not in _PARTS:
        raise Refused(f"it takes one of {', '.join(_PARTS)}", "second(…) gives the seconds", nodes[0].at)
    return types, result


def _say_extract(given: Given) -> str:
    literal = constant(given.nodes[0])
    name = str(literal.value).lower() if literal else ""
    there = local(given, given[1], given.nodes[1].type)
    if name == "dayofweek":
        return _int(f"{given.dialect.weekday(there)} + 1")
    return _int(f"{'weekofyear' if name == 'week' else name}({there})")


def _between_months(given: Given) -> str:
    """On DuckDB, as Spark counts them: 31 days are a month where the days of the months differ."""
    one, other = (local(given, arg, node.type) for arg, node in zip(given.args, given.nodes, strict=True))
    months = "((year(a) - year(b)) * 12 + month(a) - month(b))"
    last = "(CAST(a AS DATE) = last_day(a) AND CAST(b AS DATE) = last_day(b))"
    seconds = "(hour({0}) * 3600 + minute({0}) * 60 + second({0}))"
    rest = f"((day(a) - day(b)) * 86400 + {seconds.format('a')} - {seconds.format('b')})"
    exact = f"floor((CAST({months} AS DOUBLE) + CAST({rest} AS DOUBLE) / 2678400.0e0) * 1e8 + 0.5e0) / 1e8"
    value = f"CASE WHEN day(a) = day(b) OR {last} THEN CAST({months} AS DOUBLE) ELSE {exact} END"
    return given.dialect.bind("a", one, given.dialect.bind("b", other, value))


def _plain_months(given: Given) -> str:
    one, other = (local(given, arg, node.type) for arg, node in zip(given.args, given.nodes, strict=True))
    return f"months_between({one}, {other})"


def _made(given: Given) -> str:
    """A date of year, month and day; what is none is NULL."""
    parts = (f"lpad(CAST({part} AS {given.dialect.type(STRING)}), {width}, '0')"
             for part, width in zip(given.args, (4, 2, 2), strict=True))  # fmt: skip
    year, month, day = parts
    real = f"{given[0]} BETWEEN 1 AND 9999 AND {given[1]} BETWEEN 1 AND 12 AND {given[2]} BETWEEN 1 AND 31"
    text = given.dialect.concat(year, "'-'", month, "'-'", day)
    return f"CASE WHEN {real} THEN {given.dialect.try_cast(f'({text})', given.result)} END"


_WEEKDAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")


def _next(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, result = takes("day", "string", returns=DATE)(nodes)
    literal = constant(nodes[1])
    if literal is None or str(literal.value).lower()[:2] not in _WEEKDAYS:
        raise Refused("it takes a day of the week as a literal", "for example next_day(day, 'Monday')", nodes[1].at)
    return types, result


def _say_next(given: Given) -> str:
    literal = constant(given.nodes[1])
    wanted = (_WEEKDAYS.index(str(literal.value).lower()[:2]) + 1) % 7 if literal else 0  # Sunday is 0
    ahead = f"(({wanted} - {given.dialect.weekday(given[0])} + 6) % 7 + 1)"
    moved = given.dialect.days_later(given[0], f"CAST({ahead} AS int)")
    return given.dialect.bind("moved", moved, within_years(given, "moved", DATE))


def _days(sign: str) -> Callable[[Given], str]:
    return lambda given: given.dialect.days_later(given[0], f"CAST({sign}({given[1]}) AS int)")


FUNCTIONS: tuple[Function, ...] = (
    *(
        function(name, f"{name}(day)", what, _DAY, _part_of_day(part), aliases=aliases, examples=examples)
        for name, what, part, aliases, examples in (
            ("year", "the year of a date or a moment", "year", (), {"year('2026-01-31')": "2026"}),
            ("quarter", "the quarter, 1 to 4", "quarter", (), {"quarter('2026-05-31')": "2"}),
            ("month", "the month, 1 to 12", "month", (), {"month('2026-05-31')": "5"}),
            ("day", "the day of the month", "day", ("dayofmonth",), {"day('2026-05-31')": "31"}),
            ("dayofyear", "the day of the year", "dayofyear", (), {"dayofyear('2026-02-01')": "32"}),
            ("dayofweek", "the day of the week; Sunday is 1", "sunday", (),
             {"dayofweek('2026-11-29')": "1"}),
            ("weekday", "the day of the week; Monday is 0", "monday", (),
             {"weekday('2026-11-29')": "6"}),
            ("weekofyear", "the week of the year by ISO 8601", "weekofyear", (),
             {"weekofyear('2027-01-01')": "53"}),
        )
    ),
    *(
        function(name, f"{name}(moment)", f"the {name}s of a moment's local time", _MOMENT_PARTS,
                 _of_local(f"{name}({{0}})"),
                 examples={f"{name}(timestamp '2026-01-31 12:34:56.7')": value})
        for name, value in (("hour", "12"), ("minute", "34"), ("second", "56"))
    ),
    function("extract", "extract(part FROM moment)", f"a part: {', '.join(_PARTS)}", _extracted,
             _say_extract, aliases=("date_part",),
             examples={"extract(year from date '2026-01-31')": "2026", "extract(week from date '2026-01-31')": "5"}),
    function("date_add", "date_add(day, n)", "n days later", takes("day", "int", returns=DATE),
             _moved(_days("+"), most=_FARTHEST), fails=True, aliases=("dateadd",),
             examples={"date_add('2026-02-27', 2)": "2026-03-01", "date_add('9999-12-31', 1)": "error"}),
    function("date_sub", "date_sub(day, n)", "n days earlier", takes("day", "int", returns=DATE),
             _moved(_days("-"), most=_FARTHEST), fails=True, examples={"date_sub('2026-03-01', 1)": "2026-02-28"}),
    function("datediff", "datediff(end, start)", "days from start to end", takes("day", "day", returns=INT),
             duckdb="CAST(date_diff('day', {1}, {0}) AS INTEGER)", spark="datediff({0}, {1})", aliases=("date_diff",),
             examples={"datediff('2026-03-01', '2026-02-27')": "2", "datediff('2026-01-01', '2026-01-02')": "-1"}),
    function("add_months", "add_months(day, n)", "n months later, at most the last day of the month",
             takes("day", "int", returns=DATE),
             duckdb=_moved(lambda given: f"CAST({given[0]} + to_months({given[1]}) AS DATE)", most=130_000),
             spark=_moved(lambda given: f"add_months({given[0]}, {given[1]})", most=130_000), fails=True,
             examples={"add_months('2026-01-31', 1)": "2026-02-28", "add_months('2026-02-28', -1)": "2026-01-28"}),
    function("months_between", "months_between(a, b)",
             "months from b to a, a double with 8 places; parts of a month are "
             "31ths", takes("moment", "moment", returns=DOUBLE), duckdb=_between_months, spark=_plain_months,
             examples={"months_between('2026-03-31', '2026-02-28')": "1.0",
             "months_between('2026-03-15', '2026-02-28')":
                       "0.58064516"}),
    function("last_day", "last_day(day)", "the last day of the month", takes("day", returns=DATE), "last_day({0})",
             examples={"last_day('2028-02-01')": "2028-02-29"}),
    function("next_day", "next_day(day, weekday)", "the first such day of the week after a date", _next,
             _say_next, fails=True,
             examples={"next_day('2026-11-27', 'Monday')": "2026-11-30",
             "next_day('2026-11-27', 'fri')": "2026-12-04"}),
    function("trunc", "trunc(day, unit)", "the first day of the year, quarter, month or week", _truncated, _say_trunc,
             fails=True, examples={"trunc('2026-05-17', 'MM')": "2026-05-01",
             "trunc('2026-05-17', 'week')": "2026-05-11"}),
    function("date_trunc", "date_trunc(unit, moment)",
             "the beginning of the year, quarter, month, week, day, hour, minute "
             "or second", _moment_truncated, _say_date_trunc, fails=True,
             examples={"date_trunc('hour', timestamp '2026-01-31 12:34:56')": "2026-01-31 12:00:00",
                       "date_trunc('MONTH', date '2026-01-31')": "2026-01-01 00:00:00"}),
    function("make_date", "make_date(year, month, day)", "a date; an error where there is none",
             takes("int", "int", "int", returns=DATE), _made, fails=True,
             examples={"make_date(2026, 2, 28)": "2026-02-28", "make_date(2026, 2, 29)": "error"}),
    function("unix_date", "unix_date(day)", "days since 1970-01-01", takes("day", returns=INT),
             duckdb="CAST(date_diff('day', DATE '1970-01-01', {0}) AS INTEGER)", spark="unix_date({0})",
             examples={"unix_date('1970-01-11')": "10"}),
    function("date_from_unix_date", "date_from_unix_date(n)", "the date n days after 1970-01-01",
             takes("int", returns=DATE),
             lambda given: f"CASE WHEN {given[0]} BETWEEN -719162 AND 2932896 THEN "
             f"{given.dialect.days_later(f'CAST({chr(39)}1970-01-01{chr(39)} AS date)', given[0])} END",
             fails=True, examples={"date_from_unix_date(10)": "1970-01-11", "date_from_unix_date(9000000)": "error"}),
)  # fmt: skip
"""The functions of this group."""
