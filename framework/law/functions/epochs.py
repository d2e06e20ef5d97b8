"""Moments as numbers, and from one zone to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import available_timezones

from framework.law.functions.casts import local
from framework.law.functions.function import Function, Given, function
from framework.law.functions.kinds import BIGINT, DATE, TIMESTAMP, constant, takes
from framework.law.functions.nodes import Node, Refused
from framework.types import DataType

__all__ = ["FUNCTIONS"]

_FIRST_SECOND, _LAST_SECOND = -62135596800, 253402300799
_MICROSECONDS = _FIRST_SECOND * 1_000_000, _LAST_SECOND * 1_000_000 + 999_999


def _zoned(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, result = takes("timestamp", "string", returns=TIMESTAMP)(nodes)
    _zone(nodes[1])
    return types, result


def _zone(node: Node) -> str:
    literal = constant(node)
    if literal is None or (str(literal.value) not in available_timezones()):
        raise Refused("the zone must be a literal with the name of a region", "for example 'Europe/Rome'", node.at)
    return str(literal.value)


def _literal_zone(node: Node, given: Given) -> str | None:
    zone = _zone(node)
    return None if zone == "UTC" else given.dialect.text(zone)


def _from_utc(given: Given) -> str:
    there = given.dialect.instant(given.dialect.local(given[0], _literal_zone(given.nodes[1], given)), None)
    return _within_years(given, there)


def _to_utc(given: Given) -> str:
    there = given.dialect.instant(given.dialect.local(given[0], None), _literal_zone(given.nodes[1], given))
    return _within_years(given, there)


def _within_years(given: Given, moment: str) -> str:
    """A moment, NULL beyond the years 0001 to 9999."""
    first, last = (given.dialect.since_epoch(f"({each})", plain=False) for each in _MICROSECONDS)
    return given.dialect.bind("there", moment, f"CASE WHEN there BETWEEN {first} AND {last} THEN there END")


def _since_epoch(unit: int) -> Callable[[Given], str]:
    """Whole units of so many microseconds since 1970-01-01, rounded down."""

    def say(given: Given) -> str:
        type_ = given.nodes[0].type
        moment = local(given, given[0], DATE) if type_ == DATE else given[0]
        micros = given.dialect.micros(moment, plain=type_ != TIMESTAMP)
        if unit == 1:
            return micros
        rest = f"({micros} % {unit})"
        return f"(CAST(({micros} - {rest}) / {unit} AS bigint) - CASE WHEN {rest} < 0 THEN 1 ELSE 0 END)"

    return say


def _moment_of(unit: int) -> Callable[[Given], str]:
    def say(given: Given) -> str:
        first, last = (each // unit for each in _MICROSECONDS)
        micros = f"CAST({given[0]} AS bigint) * {unit}" if unit > 1 else f"CAST({given[0]} AS bigint)"
        moment = given.dialect.since_epoch(f"({micros})", plain=False)
        return f"CASE WHEN {given[0]} BETWEEN {first} AND {last} THEN {moment} END"

    return say


def _instants(nodes: Sequence[Node]) -> tuple[Sequence[DataType], DataType]:
    types, result = takes("moment", returns=BIGINT)(nodes)
    return types, result


FUNCTIONS: tuple[Function, ...] = (
    *(
        function(name, f"{name}(moment)", f"{unit} since 1970-01-01 in UTC, a bigint", _instants, _since_epoch(micros),
                 aliases=aliases, examples={f"{name}(timestamp '1970-01-01 00:00:01.5Z')": value,
                                            f"{name}(timestamp '1969-12-31 23:59:58.5Z')": before})
        for name, unit, micros, aliases, value, before in (
            ("unix_seconds", "seconds", 1_000_000, ("unix_timestamp", "to_unix_timestamp"), "1", "-2"),
            ("unix_millis", "milliseconds", 1_000, (), "1500", "-1500"),
            ("unix_micros", "microseconds", 1, (), "1500000", "-1500000"),
        )
    ),
    *(
        function(name, f"{name}(n)", f"the moment n {unit} after 1970-01-01 in UTC", takes("integer",
                 returns=TIMESTAMP),
                 _moment_of(micros), fails=True, examples={f"{name}({value})": "1970-01-01 00:00:02"})
        for name, unit, micros, value in (
            ("timestamp_seconds", "seconds", 1_000_000, 2),
            ("timestamp_millis", "milliseconds", 1_000, 2_000),
            ("timestamp_micros", "microseconds", 1, 2_000_000),
        )
    ),
    function("from_utc_timestamp", "from_utc_timestamp(moment, zone)",
             "the moment at which clocks in UTC show what they "
             "show in the zone now", _zoned, _from_utc, fails=True,
             examples={"from_utc_timestamp(timestamp '2026-07-01 10:00:00Z', 'Europe/Rome')": "2026-07-01 12:00:00"}),
    function("to_utc_timestamp", "to_utc_timestamp(moment, zone)",
             "the moment at which clocks in the zone show what they "
             "show in UTC now", _zoned, _to_utc, fails=True,
             examples={"to_utc_timestamp(timestamp '2026-07-01 12:00:00Z', 'Europe/Rome')": "2026-07-01 10:00:00",
                       "to_utc_timestamp(timestamp '9999-12-31 23:00:00Z', 'America/New_York')": "error"}),
)  # fmt: skip
"""The functions of this group."""
