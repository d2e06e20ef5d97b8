"""The law as SQL: `typed` gives an expression for a text's value, NULL for what the type does not accept.

Neither engine's casts are trusted with text as it comes (DuckDB reads '12.7' as 13 and '1_000' as
1000, Spark reads '12.7' as 12): a cast only sees text that the grammar has passed. The common
spelling of each type takes a faster way to the same end: on DuckDB a value whose own text is the text
that was read needs no grammar, on Spark one simple regular expression is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from framework.law.values.law import FALSE, INTEGER, INTEGERS, NUMBER, TIMESTAMP, TRUE
from framework.law.values.nested import typed_nested
from framework.law.values.patterns import MONTHS, Pattern, compile_pattern
from framework.types import Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["Dialect", "trimmed", "typed"]

Dialect: TypeAlias = Literal["duckdb", "spark"]
_TIMES = frozenset(("hour", "hour12", "minute", "second"))


def trimmed(text: str, dialect: Dialect) -> str:
    """The text without blanks, tabs and line ends around it."""
    if dialect == "duckdb":
        return f"trim({text}, chr(32) || chr(9) || chr(13) || chr(10))"
    return f"trim(BOTH ' \\t\\r\\n' FROM {text})"


def typed(
    text: str,
    type: DataType,
    *,
    formats: Sequence[str] = (),
    zone: str = "UTC",
    dialect: Dialect,
) -> str:
    """SQL for the value of the SQL expression `text` (evaluated more than once, so best a column)."""
    if type == Scalar("string"):
        return text
    if isinstance(type, Array | Map | Struct):
        return typed_nested(text, type, lambda member, type_: typed(member, type_, zone=zone, dialect=dialect))
    build = _Builder(dialect, trimmed(text, dialect))
    exact = build.value(type, formats, zone)
    spelling = _duckdb_spelling if dialect == "duckdb" else _spark_spelling
    common = None if formats else spelling(text, type, zone)
    return f"CASE WHEN {common[0]} THEN {common[1]} ELSE {exact} END" if common else exact


def _duckdb_spelling(text: str, type_: DataType, zone: str) -> tuple[str, str] | None:
    """A cheap test for the type's usual spelling, and the value."""
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
            return test, _Builder("duckdb", text).instant(value, zone)
    return None


def _spark_spelling(text: str, type_: DataType, zone: str) -> tuple[str, str] | None:
    """A cheap test for the type's usual spelling, and the value."""
    build = _Builder("spark", text)
    match type_:
        case Scalar(name) if name in INTEGERS:
            regex, value = "[+-]?[0-9]{1,19}", build.cast(text, name)
        case Decimal(precision, scale) if 0 < scale < precision:
            regex = f"[+-]?[0-9]{{1,{precision - scale}}}(?:[.][0-9]{{1,{scale}}})?"
            value = build.cast(text, str(type_))
        case Scalar("float" | "double" as name):
            regex, value = "[+-]?[0-9]{1,15}(?:[.][0-9]{1,15})?", build.cast(text, name)
        case Scalar("date"):
            regex, value = "(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}", build.cast(text, "date")
        case Scalar("timestamp"):
            clock = "(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}(?:[.][0-9]{1,6})?"
            not_these = "0000" if zone == "UTC" else "0000|0001-01-01|9999-12-31"
            regex = f"(?!{not_these})[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ]{clock}"
            value = build.instant(build.cast(text, "TIMESTAMP_NTZ"), zone)
        case _:
            return None
    return build.matches(regex), value


class _Builder:
    """Builds expressions over one text, in one dialect."""

    def __init__(self, dialect: Dialect, text: str) -> None:
        self._duckdb, self._dialect, self._text = dialect == "duckdb", dialect, text

    def value(self, type_: DataType, formats: Sequence[str], zone: str) -> str:
        """The value by the grammar."""
        match type_:
            case Scalar(name) if name in INTEGERS:
                return self._if(INTEGER, self.cast(self._group(INTEGER, 1), name))
            case Decimal(_, scale):
                return self._decimal(type_, scale)
            case Scalar("double" | "float" as name):
                return self._floating(name)
            case Scalar("boolean"):
                return self._boolean()
            case Scalar("date"):
                if formats:
                    return self._first(formats, self._day_alone)
                return self._if("[0-9]{4}-[0-9]{2}-[0-9]{2}", self._date(self._text))
            case Scalar("timestamp"):
                if formats:
                    return self._first(formats, lambda pattern: self._moment(pattern, zone))
                return self._timestamp(zone)
            case _:
                raise ValueError(f"a text is not a {type_}")

    # Pieces that the dialects write differently

    def _literal(self, text: str) -> str:
        escaped = text if self._duckdb else text.replace("\\", "\\\\")
        return "'" + escaped.replace("'", "''" if self._duckdb else "\\'") + "'"

    def matches(self, regex: str) -> str:
        if self._duckdb:
            return f"regexp_full_match({self._text}, {self._literal(regex)})"
        return f"{self._text} RLIKE {self._literal(chr(92) + 'A(?:' + regex + ')' + chr(92) + 'z')}"

    def _group(self, regex: str, number: int) -> str:
        anchored = f"^(?:{regex})$" if self._duckdb else f"\\A(?:{regex})\\z"
        return f"regexp_extract({self._text}, {self._literal(anchored)}, {number})"

    def _groups(self, regex: str, count: int) -> tuple[list[str], Callable[[str], str]]:
        """SQL of every group of a match, and what an expression over them must be wrapped in.

        What is needed more than once is bound in a lambda (`_with`): the expression stays small, and so do the
        time to plan it, which is what a small file costs, and the code that Spark makes of it, which the JVM
        would not compile if it were large.
        """
        fields = [f"m.g{number}" for number in range(1, count + 1)]
        if self._duckdb:
            names = ", ".join(f"'g{number}'" for number in range(1, count + 1))
            match = f"regexp_extract({self._text}, {self._literal(f'^(?:{regex})$')}, [{names}])"
        else:
            found = ", ".join(f"'g{number}', {self._group(regex, number)}" for number in range(1, count + 1))
            match = f"named_struct({found})"
        return fields, lambda inner: self._with("m", match, inner)

    def _with(self, name: str, value: str, inner: str) -> str:
        """SQL of `inner`, in which `name` is the value, computed once."""
        if self._duckdb:
            return f"list_transform([{value}], lambda {name}: {inner})[1]"
        return f"transform(array({value}), {name} -> {inner})[0]"

    def cast(self, value: str, type_: str) -> str:
        return f"try_cast({value} AS {type_})"

    def _if(self, regex: str, value: str) -> str:
        return f"CASE WHEN {self.matches(regex)} THEN {value} END"

    # Numbers

    def _decimal(self, type_: Decimal, scale: int) -> str:
        """Digits are shifted by the exponent as text, so that nothing is ever rounded."""
        (sign, whole, fraction, exponent), bound = self._groups(NUMBER, 4)
        length = f"(length({whole}) + coalesce(try_cast(nullif({exponent}, '') AS int), 0))"
        before, after = "greatest(0, 1 - p)", f"greatest(0, p - length({whole}) - length({fraction}))"
        digits = f"concat(repeat('0', {before}), {whole}, {fraction}, repeat('0', {after}))"
        decimals = self._without_zeros("TRAILING", "substring(d, greatest(p, 1) + 1)")
        integer = self._without_zeros("LEADING", "substring(d, 1, greatest(p, 1))")
        number = self.cast(f"concat({sign}, '0', {integer}, '.', {decimals}, '0')", str(type_))
        fits = f"length({decimals}) <= {scale} AND length({integer}) <= {type_.precision - scale}"
        value = self._with("p", length, self._with("d", digits, f"CASE WHEN {fits} THEN {number} END"))
        return self._if(NUMBER, bound(value))

    def _without_zeros(self, side: str, digits: str) -> str:
        if self._duckdb:
            return f"{'ltrim' if side == 'LEADING' else 'rtrim'}({digits}, '0')"
        return f"trim({side} '0' FROM {digits})"

    def _floating(self, name: str) -> str:
        value = self.cast(self._text, name)
        finite = f"CASE WHEN abs({value}) < CAST('Infinity' AS {name}) THEN {value} END"
        specials = " ".join(
            f"WHEN lower({self._text}) = '{word.lower()}' THEN CAST('{word}' AS {name})"
            for word in ("NaN", "Infinity", "-Infinity")
        )
        return f"CASE WHEN {self.matches(NUMBER)} THEN {finite} {specials} END"

    def _boolean(self) -> str:
        yes, no = (", ".join(f"'{word}'" for word in words) for words in (TRUE, FALSE))
        return f"CASE WHEN lower({self._text}) IN ({yes}) THEN true WHEN lower({self._text}) IN ({no}) THEN false END"

    # Moments

    def _date(self, day: str) -> str:
        """A date from yyyy-MM-dd; the year 0000 is not one."""
        return (
            f"CASE WHEN NOT starts_with({day}, '0000') THEN {self.cast(day, 'date')} END"
            if self._duckdb
            else (f"CASE WHEN NOT startswith({day}, '0000') THEN {self.cast(day, 'date')} END")
        )

    def _timestamp(self, zone: str) -> str:
        (day, minutes, seconds, fraction, offset), bound = self._groups(TIMESTAMP, 5)
        clock = f"concat(coalesce(nullif({minutes}, ''), '00:00'), ':', coalesce(nullif({seconds}, ''), '00'))"
        return self._if(TIMESTAMP, bound(self._from_parts(day, clock, fraction, offset, zone)))

    def _from_parts(self, day: str, clock: str, fraction: str | None, offset: str | None, zone: str) -> str:
        """An instant from yyyy-MM-dd, HH:mm:ss, digits of a fraction, and Z, ±HH:mm, ±HHmm or ''."""
        micros = f"rpad(substring({fraction}, 1, 6), 6, '0')" if fraction else "'000000'"
        plain = "TIMESTAMP" if self._duckdb else "TIMESTAMP_NTZ"
        real = f"{self._clock_is_valid('c')} AND substring({day}, 1, 4) <> '0000'"
        local = f"CASE WHEN {real} THEN try_cast(concat({day}, ' ', c, '.', {micros}) AS {plain}) END"
        instant = self._within_years(self.instant("l", zone)) if zone != "UTC" else self.instant("l", zone)
        if offset is not None:
            instant = f"CASE WHEN {offset} = '' THEN {instant} ELSE {self._with_offset('l', offset)} END"
        return self._with("c", clock, self._with("l", local, instant))

    def _within_years(self, instant: str) -> str:
        """The instant, NULL when its zone has moved it out of the years 0001 to 9999."""
        type_ = "TIMESTAMPTZ" if self._duckdb else "TIMESTAMP"
        first, last = (f"{type_} '{local}+00:00'" for local in ("0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"))
        value = f"CASE WHEN i BETWEEN {first} AND {last} THEN i END"
        return self._with("i", instant, value)

    def _clock_is_valid(self, clock: str) -> str:
        hour, minute, second = (f"substring({clock}, {at}, 2)" for at in (1, 4, 7))
        return f"({hour} <= '23' AND {minute} <= '59' AND {second} <= '59')"

    def instant(self, local: str, zone: str) -> str:
        """An instant from a local time: in a gap the clock counts on, an hour that is twice is the first one."""
        if not self._duckdb:
            return (
                f"CAST(convert_timezone({self._literal(zone)}, 'UTC', {local}) AS TIMESTAMP)"
                if zone != "UTC"
                else (f"CAST({local} AS TIMESTAMP)")
            )
        if zone == "UTC":
            return f"make_timestamptz(epoch_us({local}))"
        there = f"({local} AT TIME ZONE {self._literal(zone)})"
        earlier = [
            f"WHEN (({there} - INTERVAL {minutes} MINUTE) AT TIME ZONE {self._literal(zone)}) = {local} "
            f"THEN {there} - INTERVAL {minutes} MINUTE"
            for minutes in (60, 30, 120)
        ]
        return f"CASE {' '.join(earlier)} ELSE {there} END"

    def _with_offset(self, local: str, offset: str) -> str:
        hours, minutes = self._hours_and_minutes(offset)
        total = f"({hours} * 60 + {minutes}) * CASE WHEN {offset} LIKE '-%' THEN -1 ELSE 1 END"
        if self._duckdb:
            shifted = f"make_timestamptz(epoch_us({local}) - ({total}) * 60000000)"
        else:
            shifted = f"CAST(timestampadd(MINUTE, -({total}), {local}) AS TIMESTAMP)"
        years = f"{local} BETWEEN TIMESTAMP '0001-01-02 00:00:00' AND TIMESTAMP '9999-12-30 23:59:59.999999'"
        return f"CASE WHEN {self._offset_fits(offset)} AND {years} THEN {shifted} END"

    def _hours_and_minutes(self, offset: str) -> tuple[str, str]:
        hours = f"coalesce(try_cast(substring({offset}, 2, 2) AS bigint), 0)"
        return hours, f"coalesce(try_cast(right({offset}, 2) AS bigint), 0)"

    def _offset_fits(self, offset: str) -> str:
        hours, minutes = self._hours_and_minutes(offset)
        return f"({minutes} <= 59 AND {hours} * 60 + {minutes} <= 1080)"

    # Formats

    def _first(self, formats: Sequence[str], value: object) -> str:
        patterns = [compile_pattern(pattern) for pattern in formats]
        tries = [f"CASE WHEN {self.matches(p.regex)} THEN {value(p)} END" for p in patterns]  # type: ignore[operator]
        return f"coalesce({', '.join(tries)})" if len(tries) > 1 else tries[0]

    def _found(self, pattern: Pattern, name: str) -> str | None:
        number = pattern.group(name)
        return None if number is None else self._group(pattern.regex, number)

    def _day(self, pattern: Pattern) -> str:
        """yyyy-MM-dd, NULL for a year 0000."""
        year = self._found(pattern, "year") or f"concat('20', {self._found(pattern, 'short_year')})"
        month = self._found(pattern, "month")
        if month is None:
            name = self._found(pattern, "month_name")
            cases = " ".join(f"WHEN '{month[:3]}' THEN '{number:02}'" for number, month in enumerate(MONTHS, 1))
            month = f"CASE substring({name}, 1, 3) {cases} END"
        day = self._found(pattern, "day")
        return (
            f"concat(nullif({year}, '0000'), '-', {self._two(month)}, '-', {self._two(day or '')})"
            if not self._duckdb
            else (f"nullif({year}, '0000') || '-' || {self._two(month)} || '-' || {self._two(day or '')}")
        )

    def _two(self, digits: str) -> str:
        return f"lpad({digits}, 2, '0')"

    def _day_alone(self, pattern: Pattern) -> str:
        """The date of a moment, which has to be a real one with its time and zone."""
        day, offset = self.cast(self._day(pattern), "date"), self._found(pattern, "zone")
        timed = not _TIMES.isdisjoint(pattern.groups)
        real = [self._clock_is_valid(self._clock(pattern))] * timed + [self._offset_fits(offset or "")] * bool(offset)
        return f"CASE WHEN {' AND '.join(real)} THEN {day} END" if real else day

    def _moment(self, pattern: Pattern, zone: str) -> str:
        return self._from_parts(
            self._day(pattern),
            self._clock(pattern),
            self._found(pattern, "fraction"),
            self._found(pattern, "zone"),
            zone,
        )

    def _clock(self, pattern: Pattern) -> str:
        """HH:mm:ss, whatever of it there is."""
        hour = self._found(pattern, "hour")
        hour12 = self._found(pattern, "hour12")
        if hour12 is not None:
            half = f"CASE WHEN lower({self._found(pattern, 'half')}) = 'pm' THEN 12 ELSE 0 END"
            number = f"try_cast({hour12} AS int)"
            text = "VARCHAR" if self._duckdb else "STRING"
            hour = f"CASE WHEN {number} BETWEEN 1 AND 12 THEN CAST({number} % 12 + {half} AS {text}) ELSE '99' END"
        minute, second = self._found(pattern, "minute"), self._found(pattern, "second")
        return f"concat({', chr(58), '.join(self._two(part or chr(39) * 2) for part in (hour, minute, second))})"
