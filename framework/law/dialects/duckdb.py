"""DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.law.dialects.base import Dialect
from framework.types import INTEGERS, Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["DUCKDB"]


class _DuckDB(Dialect):
    sqlglot = "duckdb"
    plain_timestamp = "TIMESTAMP"
    reads_json = True

    def type(self, type_: DataType) -> str:
        """Delta's `timestamp` is an instant: TIMESTAMP WITH TIME ZONE."""
        match type_:
            case Scalar("timestamp"):
                return "TIMESTAMPTZ"
            case Scalar("timestamp_ntz"):
                return "TIMESTAMP"
            case Scalar("string"):
                return "VARCHAR"
            case Array(element):
                return f"{self.type(element)}[]"
            case Map(key, value):
                return f"MAP({self.type(key)}, {self.type(value)})"
            case Struct(members):
                return f"STRUCT({', '.join(f'{self.name(name)} {self.type(member)}' for name, member in members)})"
            case _:
                return str(type_).upper()

    def cut(self, number: str) -> str:
        return f"trunc({number})"

    def as_text(self, value: str) -> str:
        return f"CAST({value} AS VARCHAR)"

    def trimmed(self, text: str) -> str:
        return f"trim({text}, chr(32) || chr(9) || chr(13) || chr(10))"

    def starts_with(self, text: str, beginning: str) -> str:
        return f"starts_with({text}, {beginning})"

    def without_zeros(self, digits: str, *, leading: bool) -> str:
        return f"{'ltrim' if leading else 'rtrim'}({digits}, '0')"

    def matches(self, text: str, regex: str) -> str:
        return f"regexp_full_match({text}, {self.text(regex)})"

    def contains_match(self, text: str, regex: str) -> str:
        return f"regexp_matches({text}, {self.text(regex)})"

    def group(self, text: str, regex: str, number: int) -> str:
        return f"regexp_extract({text}, {self.text(f'^(?:{regex})$')}, {number})"

    def groups(self, text: str, regex: str, count: int) -> str:
        names = ", ".join(f"'g{number}'" for number in range(1, count + 1))
        return f"regexp_extract({text}, {self.text(f'^(?:{regex})$')}, [{names}])"

    def concat(self, *texts: str) -> str:
        return " || ".join(texts)

    def bind(self, name: str, value: str, inner: str) -> str:
        return f"list_transform([{value}], lambda {name}: {inner})[1]"

    def struct(self, members: Mapping[str, str]) -> str:
        return f"struct_pack({', '.join(f'{self.name(name)} := {value}' for name, value in members.items())})"

    def array(self, items: Sequence[str]) -> str:
        return f"[{', '.join(items)}]"

    def present(self, array: str) -> str:
        return f"list_filter({array}, lambda e: e IS NOT NULL)"

    def item(self, array: str, index: str) -> str:
        return f"{array}[{index} + 1]"

    def nth(self, array: str, index: str) -> str:
        return f"{array}[CAST({index} AS BIGINT) + 1]"

    def size(self, value: str) -> str:
        return f"CAST(len({value}) AS INTEGER)"

    def of_key(self, map_: str, key: str) -> str:
        return f"{map_}[{key}]"

    def contains_item(self, array: str, item: str) -> str:
        found, nulls = f"list_contains({array}, {item})", f"len(list_filter({array}, lambda e: e IS NULL)) > 0"
        return f"CASE WHEN {found} THEN true WHEN {item} IS NULL OR {nulls} THEN NULL ELSE {found} END"

    def unnest(self, array: str) -> str:
        return f"unnest({array})"

    def last_value(self, value: str) -> str:
        return f"last_value({value} IGNORE NULLS)"

    def json(self, value: str) -> str:
        return self.as_text(f"to_json({value})")

    def json_object(self, members: Mapping[str, str]) -> str:
        pairs = ", ".join(f"{self.text(name)}, {value}" for name, value in members.items())
        return self.as_text(f"json_merge_patch('{{}}', json_object({pairs}))")

    def bytes_of(self, text: str) -> str:
        return f"encode({text})"

    def bytes_literal(self, data: bytes) -> str:
        return f"unhex('{data.hex()}')"

    def joined_bytes(self, one: str, other: str) -> str:
        return f"({one} || {other})"

    def sha256(self, data: str) -> str:
        return f"sha256({data})"

    def instant(self, local: str, zone: str | None) -> str:
        if zone is None:
            return f"make_timestamptz(epoch_us({local}))"
        there = f"({local} AT TIME ZONE {zone})"
        earlier = [
            f"WHEN (({there} - INTERVAL {minutes} MINUTE) AT TIME ZONE {zone}) = {local} "
            f"THEN {there} - INTERVAL {minutes} MINUTE"
            for minutes in (60, 30, 120)
        ]
        return f"CASE {' '.join(earlier)} ELSE {there} END"

    def local(self, instant: str, zone: str | None) -> str:
        return f"make_timestamp(epoch_us({instant}))" if zone is None else f"({instant} AT TIME ZONE {zone})"

    def micros(self, moment: str, *, plain: bool) -> str:
        del plain
        return f"epoch_us({moment})"

    def weekday(self, moment: str) -> str:
        return f"dayofweek({moment})"

    def days_later(self, day: str, days: str) -> str:
        return f"CAST({day} + {days} AS DATE)"

    def since_epoch(self, micros: str, *, plain: bool) -> str:
        return f"{'make_timestamp' if plain else 'make_timestamptz'}({micros})"

    def instant_literal(self, utc: str) -> str:
        return f"TIMESTAMPTZ '{utc}+00:00'"

    def minutes_before(self, local: str, minutes: str) -> str:
        return f"make_timestamptz(epoch_us({local}) - ({minutes}) * 60000000)"

    def usual(self, text: str, type_: DataType, zone: str) -> tuple[str, str] | None:
        """A value whose own text is the text that was read needs no grammar."""
        match type_:
            case Scalar(name) if name in INTEGERS:
                value = f"TRY_CAST({text} AS {name.upper()})"
                return f"CAST({value} AS VARCHAR) = {text}", value
            case Decimal(precision, scale) if scale < precision:  # others it writes without the zero before the point
                value = f"TRY_CAST({text} AS {type_})"
                return f"CAST({value} AS VARCHAR) = {text}", value
            case Scalar("date"):
                value = f"TRY_CAST({text} AS DATE)"
                return f"length({text}) = 10 AND CAST({value} AS VARCHAR) = {text}", value
            case Scalar("timestamp"):
                value = f"TRY_CAST({text} AS TIMESTAMP)"
                first, last = ("0001-01-01", "9999-12-31") if zone == "UTC" else ("0001-01-02", "9999-12-30")
                years = f"{value} BETWEEN TIMESTAMP '{first}' AND TIMESTAMP '{last} 23:59:59.999999'"
                test = f"length({text}) >= 19 AND CAST({value} AS VARCHAR) = {text} AND {years}"
                return test, self.instant(value, None if zone == "UTC" else self.text(zone))
        return None


DUCKDB = _DuckDB()
