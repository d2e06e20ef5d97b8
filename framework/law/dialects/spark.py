"""Spark's SQL. It reads backslashes in literals as escapes, and regular expressions as Java does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.law.dialects.base import Dialect
from framework.types import INTEGERS, Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["SPARK"]


class _Spark(Dialect):
    sqlglot = "spark"
    mark = "`"
    once = "monotonically_increasing_id()"

    def text(self, text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def type(self, type_: DataType) -> str:
        match type_:
            case Array(element):
                return f"array<{self.type(element)}>"
            case Map(key, value):
                return f"map<{self.type(key)},{self.type(value)}>"
            case Struct(members):
                return f"struct<{','.join(f'{self.name(name)}:{self.type(member)}' for name, member in members)}>"
            case _:
                return str(type_)

    def cut(self, number: str) -> str:
        """Casts of Spark cut by themselves."""
        return number

    def value(self, text: str, type_: DataType) -> str:
        return f"CAST({self.text(text)} AS {self.type(type_)})"

    def as_text(self, value: str) -> str:
        return f"CAST({value} AS STRING)"

    def trimmed(self, text: str) -> str:
        return f"trim(BOTH ' \\t\\r\\n' FROM {text})"

    def starts_with(self, text: str, beginning: str) -> str:
        return f"startswith({text}, {beginning})"

    def without_zeros(self, digits: str, *, leading: bool) -> str:
        return f"trim({'LEADING' if leading else 'TRAILING'} '0' FROM {digits})"

    def matches(self, text: str, regex: str) -> str:
        return f"{text} RLIKE {self.text(f'{chr(92)}A(?:{regex}){chr(92)}z')}"

    def contains_match(self, text: str, regex: str) -> str:
        return f"regexp_like({text}, {self.text(regex)})"

    def group(self, text: str, regex: str, number: int) -> str:
        return f"regexp_extract({text}, {self.text(f'{chr(92)}A(?:{regex}){chr(92)}z')}, {number})"

    def groups(self, text: str, regex: str, count: int) -> str:
        return self.struct({f"g{number}": self.group(text, regex, number) for number in range(1, count + 1)})

    def bind(self, name: str, value: str, inner: str) -> str:
        return f"transform(array({value}), {name} -> {inner})[0]"

    def struct(self, members: Mapping[str, str]) -> str:
        return f"named_struct({', '.join(f'{self.text(name)}, {value}' for name, value in members.items())})"

    def array(self, items: Sequence[str]) -> str:
        return f"array({', '.join(items)})"

    def present(self, array: str) -> str:
        return f"filter({array}, e -> e IS NOT NULL)"

    def item(self, array: str, index: str) -> str:
        return f"{array}[{index}]"

    def nth(self, array: str, index: str) -> str:
        return f"get({array}, {index})"

    def size(self, value: str) -> str:
        return f"CASE WHEN {value} IS NOT NULL THEN size({value}) END"

    def of_key(self, map_: str, key: str) -> str:
        return f"try_element_at({map_}, {key})"

    def contains_item(self, array: str, item: str) -> str:
        return f"array_contains({array}, {item})"

    def unnest(self, array: str) -> str:
        return f"explode({array})"

    def json(self, value: str) -> str:
        return f"to_json({value}, map('ignoreNullFields', 'false'))"

    def json_object(self, members: Mapping[str, str]) -> str:
        pairs = ", ".join(f"{self.text(name)}, {value}" for name, value in members.items())
        return f"to_json(named_struct({pairs}))"

    def bytes_of(self, text: str) -> str:
        return f"CAST({text} AS BINARY)"

    def bytes_literal(self, data: bytes) -> str:
        return f"X'{data.hex()}'"

    def joined_bytes(self, one: str, other: str) -> str:
        return f"concat({one}, {other})"

    def sha256(self, data: str) -> str:
        return f"sha2({data}, 256)"

    def instant(self, local: str, zone: str | None) -> str:
        moved = local if zone is None else f"convert_timezone({zone}, 'UTC', {local})"
        return f"CAST({moved} AS TIMESTAMP)"

    def local(self, instant: str, zone: str | None) -> str:
        plain = f"CAST({instant} AS TIMESTAMP_NTZ)"
        return plain if zone is None else f"convert_timezone('UTC', {zone}, {plain})"

    def micros(self, moment: str, *, plain: bool) -> str:
        return f"unix_micros({f'CAST({moment} AS TIMESTAMP)' if plain else moment})"

    def weekday(self, moment: str) -> str:
        return f"(dayofweek({moment}) - 1)"

    def days_later(self, day: str, days: str) -> str:
        return f"date_add({day}, {days})"

    def since_epoch(self, micros: str, *, plain: bool) -> str:
        if not plain:
            return f"timestamp_micros({micros})"
        of_day = f"pmod({micros}, 86400000000L)"
        day = f"date_add(DATE '1970-01-01', CAST(({micros} - {of_day}) div 86400000000L AS int))"
        return f"CAST({day} AS TIMESTAMP_NTZ) + make_dt_interval(0, 0, 0, CAST({of_day} AS decimal(20,6)) / 1000000)"

    def instant_literal(self, utc: str) -> str:
        return f"TIMESTAMP '{utc}+00:00'"

    def minutes_before(self, local: str, minutes: str) -> str:
        return f"CAST(timestampadd(MINUTE, -({minutes}), {local}) AS TIMESTAMP)"

    def usual(self, text: str, type_: DataType, zone: str) -> tuple[str, str] | None:
        """One simple regular expression is cheaper than the grammar's."""
        match type_:
            case Scalar(name) if name in INTEGERS:
                regex, value = "[+-]?[0-9]{1,19}", self.try_cast(text, name)
            case Decimal(precision, scale) if 0 < scale < precision:
                regex = f"[+-]?[0-9]{{1,{precision - scale}}}(?:[.][0-9]{{1,{scale}}})?"
                value = self.try_cast(text, str(type_))
            case Scalar("float" | "double" as name):
                regex, value = "[+-]?[0-9]{1,15}(?:[.][0-9]{1,15})?", self.try_cast(text, name)
            case Scalar("date"):
                regex, value = "(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}", self.try_cast(text, "date")
            case Scalar("timestamp"):
                clock = "(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}(?:[.][0-9]{1,6})?"
                not_these = "0000" if zone == "UTC" else "0000|0001-01-01|9999-12-31"
                regex = f"(?!{not_these})[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ]{clock}"
                value = self.instant(self.try_cast(text, "TIMESTAMP_NTZ"), None if zone == "UTC" else self.text(zone))
            case _:
                return None
        return self.matches(text, regex), value

    def differs(self, left: str, right: str, type_: DataType) -> str:
        """Maps have no order in Spark, and are compared as texts."""
        if "map<" in str(type_):
            left, right = f"to_json({left})", f"to_json({right})"
        return super().differs(left, right, type_)


SPARK = _Spark()
