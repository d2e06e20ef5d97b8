"""The law as SQL: `typed` gives an expression for a text's value, NULL for what the type does not accept.

Neither engine's casts are trusted with text as it comes (DuckDB reads '12.7' as 13 and '1_000' as
1000, Spark reads '12.7' as 12): a cast only sees text that the grammar has passed. The common
spelling of each type takes a faster way to the same end: on DuckDB a value whose own text is the text
that was read needs no grammar, on Spark one simple regular expression is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from framework.law.dialects import Dialect
from framework.law.values.law import FALSE, INTEGER, NUMBER, PLAIN_TIMESTAMP, TIMESTAMP, TRUE
from framework.law.values.nested import typed_nested
from framework.law.values.patterns import (
    ABBREVIATIONS,
    EPOCH_NUMBER,
    EPOCHS,
    MONTHS,
    Pattern,
    compile_pattern,
)
from framework.law.values.zones import Then, Zone, carried, within_years
from framework.types import INTEGERS, Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["typed"]

_TIMES = frozenset(("hour", "hour12", "minute", "second"))
_FIRST, _LAST = -62135596800000000, 253402300799999999
"""The first and the last microsecond of the years 0001 to 9999, since 1970-01-01 in UTC."""


def typed(
    text: str,
    type: DataType,
    *,
    formats: Sequence[str] = (),
    zone: str = "UTC",
    dialect: Dialect,
    usual_only: bool = False,
) -> str:
    """SQL for the value of the SQL expression `text` (evaluated more than once, so best a column). With `usual_only`
    a text in another than the type's common spelling has none, where there is such a spelling: the expression is a
    fraction as long, and so is the time to plan it."""
    if type == Scalar("string"):
        return text
    if isinstance(type, Array | Map | Struct):
        if not dialect.reads_json:
            raise ValueError(f"a {type} has no SQL here: the law's reader gives its value")
        return typed_nested(text, type, lambda member, type_: typed(member, type_, zone=zone, dialect=dialect))
    usual = None if formats else dialect.usual(text, type, zone)
    if usual and usual_only:
        return f"CASE WHEN {usual[0]} THEN {usual[1]} END"
    exact = _Builder(dialect, dialect.trimmed(text)).value(type, formats, zone)
    return f"CASE WHEN {usual[0]} THEN {usual[1]} ELSE {exact} END" if usual else exact


class _Builder:
    """Builds expressions over one text, in one dialect."""

    def __init__(self, dialect: Dialect, text: str) -> None:
        self._sql, self._text = dialect, text

    def value(self, type_: DataType, formats: Sequence[str], zone: str) -> str:
        """The value by the grammar."""
        match type_:
            case Scalar(name) if name in INTEGERS:
                return self._if(INTEGER, self._sql.try_cast(self._sql.group(self._text, INTEGER, 1), name))
            case Decimal(_, scale):
                return self._decimal(type_, scale)
            case Scalar("double" | "float" as name):
                return self._floating(name)
            case Scalar("boolean"):
                return self._boolean()
            case Scalar("date"):
                if formats:
                    plain = self._sql.type(Scalar("date"))
                    return self._first(formats, self._day_alone, lambda local: f"CAST({local} AS {plain})")
                return self._if("[0-9]{4}-[0-9]{2}-[0-9]{2}", self._date(self._text))
            case Scalar("timestamp"):
                if formats:
                    return self._first(formats, lambda pattern: self._moment(pattern, self._in(zone)))
                return self._timestamp(TIMESTAMP, self._in(zone))
            case Scalar("timestamp_ntz"):
                if formats:
                    return self._first(formats, lambda pattern: self._moment(pattern, _plain), _plain)
                return self._timestamp(PLAIN_TIMESTAMP, _plain)
            case _:
                raise ValueError(f"a text is not a {type_}")

    # Pieces

    def _groups(self, regex: str, count: int) -> tuple[list[str], Callable[[str], str]]:
        """SQL of every group of a match, and what an expression over them must be wrapped in.

        What is needed more than once is bound (`Dialect.bind`): the expression stays small, and so do the time to
        plan it, which is what a small file costs, and the code that Spark makes of it, which the JVM would not
        compile if it were large.
        """
        fields = [f"m.g{number}" for number in range(1, count + 1)]
        match = self._sql.groups(self._text, regex, count)
        return fields, lambda inner: self._sql.bind("m", match, inner)

    def _if(self, regex: str, value: str) -> str:
        return f"CASE WHEN {self._sql.matches(self._text, regex)} THEN {value} END"

    # Numbers

    def _decimal(self, type_: Decimal, scale: int) -> str:
        """Digits are shifted by the exponent as text, so that nothing is ever rounded."""
        (sign, whole, behind, alone, exponent), bound = self._groups(NUMBER, 5)
        fraction = f"concat({behind}, {alone})"
        length = f"(length({whole}) + coalesce(try_cast(nullif({exponent}, '') AS int), 0))"
        before, after = "greatest(0, 1 - p)", f"greatest(0, p - length({whole}) - length({fraction}))"
        digits = f"concat(repeat('0', {before}), {whole}, {fraction}, repeat('0', {after}))"
        decimals = self._sql.without_zeros("substring(d, greatest(p, 1) + 1)", leading=False)
        integer = self._sql.without_zeros("substring(d, 1, greatest(p, 1))", leading=True)
        number = self._sql.try_cast(f"concat({sign}, '0', {integer}, '.', {decimals}, '0')", str(type_))
        fits = f"length({decimals}) <= {scale} AND length({integer}) <= {type_.precision - scale}"
        value = self._sql.bind("p", length, self._sql.bind("d", digits, f"CASE WHEN {fits} THEN {number} END"))
        return self._if(NUMBER, bound(value))

    def _floating(self, name: str) -> str:
        value = self._sql.try_cast(self._text, name)
        finite = f"CASE WHEN abs({value}) < CAST('Infinity' AS {name}) THEN {value} END"
        specials = " ".join(
            f"WHEN lower({self._text}) = '{word.lower()}' THEN CAST('{word}' AS {name})"
            for word in ("NaN", "Infinity", "-Infinity")
        )
        return f"CASE WHEN {self._sql.matches(self._text, NUMBER)} THEN {finite} {specials} END"

    def _boolean(self) -> str:
        yes, no = (", ".join(f"'{word}'" for word in words) for words in (TRUE, FALSE))
        return f"CASE WHEN lower({self._text}) IN ({yes}) THEN true WHEN lower({self._text}) IN ({no}) THEN false END"

    # Moments

    def _date(self, day: str) -> str:
        """A date from yyyy-MM-dd; the year 0000 is not one."""
        starts = self._sql.starts_with(day, "'0000'")
        return f"CASE WHEN NOT {starts} THEN {self._sql.try_cast(day, 'date')} END"

    def _timestamp(self, regex: str, then: Then) -> str:
        """A moment by the grammar, of which `then` makes the value."""
        (day, minutes, seconds, fraction, *offset), bound = self._groups(regex, 5 if regex is TIMESTAMP else 4)
        clock = f"concat(coalesce(nullif({minutes}, ''), '00:00'), ':', coalesce(nullif({seconds}, ''), '00'))"
        zone = carried(self._sql, offset[0], "") if offset else None
        return self._if(regex, bound(self._from_parts(day, clock, fraction, zone, then)))

    def _from_parts(self, day: str, clock: str, fraction: str | None, zone: Zone | None, then: Then) -> str:
        """A moment from yyyy-MM-dd, HH:mm:ss, digits of a fraction, and a zone of its own."""
        micros = f"rpad(substring({fraction}, 1, 6), 6, '0')" if fraction else "'000000'"
        real = f"{self._clock_is_valid('c')} AND substring({day}, 1, 4) <> '0000'"
        plain = self._sql.try_cast(f"concat({day}, ' ', c, '.', {micros})", self._sql.plain_timestamp)
        local = f"CASE WHEN {real} THEN {plain} END"
        return self._sql.bind("c", clock, self._sql.bind("l", local, then("l", zone)))

    def _in(self, zone: str) -> Then:
        """How a local time becomes an instant: by its own zone, or by this one when it has none."""

        def instant(local: str, own: Zone | None) -> str:
            value = self._sql.instant(local, None if zone == "UTC" else self._sql.text(zone))
            if zone != "UTC":
                value = within_years(self._sql, value)
            if own is None:
                return value
            return f"CASE WHEN {own.text} = '' THEN {value} WHEN {own.real} THEN {own.instant(local)} END"

        return instant

    def _clock_is_valid(self, clock: str) -> str:
        hour, minute, second = (f"substring({clock}, {at}, 2)" for at in (1, 4, 7))
        return f"({hour} <= '23' AND {minute} <= '59' AND {second} <= '59')"

    # Zones that values carry

    def _zone_by(self, pattern: Pattern) -> Zone | None:
        offset, region = self._found(pattern, "zone"), self._found(pattern, "region")
        if region is not None:
            return carried(self._sql, region, region)
        short = self._found(pattern, "abbreviation")
        if short is not None:
            cases = " ".join(f"WHEN '{name}' THEN '{offset}'" for name, offset in ABBREVIATIONS.items())
            offset = f"coalesce(CASE {short} {cases} END, '')"
        return None if offset is None else carried(self._sql, offset, "")

    # Formats

    def _first(
        self, formats: Sequence[str], value: Callable[[Pattern], str], epoch: Callable[[str], str] | None = None
    ) -> str:
        """The value by the first format that gives one; `epoch` makes it of a moment without a zone."""
        tries = []
        for format_ in formats:
            if format_ in EPOCHS:
                tries.append(self._since_epoch(EPOCHS[format_], epoch))
            else:
                pattern = compile_pattern(format_)
                tries.append(f"CASE WHEN {self._sql.matches(self._text, pattern.regex)} THEN {value(pattern)} END")
        return f"coalesce({', '.join(tries)})" if len(tries) > 1 else tries[0]

    def _since_epoch(self, shift: int, then: Callable[[str], str] | None) -> str:
        (sign, whole, fraction), bound = self._groups(EPOCH_NUMBER, 3)
        if shift > 0:
            digits = f"concat({sign}, {whole}, rpad(substring({fraction}, 1, {shift}), {shift}, '0'))"
        elif shift == 0:
            digits = f"concat({sign}, {whole})"
        else:
            digits = f"concat({sign}, '0', substring({whole}, 1, greatest(0, length({whole}) - {-shift})))"
        moment = self._sql.since_epoch("e", plain=then is not None)
        value = f"CASE WHEN e BETWEEN {_FIRST} AND {_LAST} THEN {then(moment) if then else moment} END"
        return self._if(EPOCH_NUMBER, bound(self._sql.bind("e", self._sql.try_cast(digits, "bigint"), value)))

    def _found(self, pattern: Pattern, name: str) -> str | None:
        number = pattern.group(name)
        return None if number is None else self._sql.group(self._text, pattern.regex, number)

    def _day(self, pattern: Pattern) -> str:
        """yyyy-MM-dd, NULL for a year 0000."""
        year = self._found(pattern, "year") or f"concat('20', {self._found(pattern, 'short_year')})"
        month = self._found(pattern, "month")
        if month is None:
            name = self._found(pattern, "month_name")
            cases = " ".join(f"WHEN '{month[:3].lower()}' THEN '{number:02}'" for number, month in enumerate(MONTHS, 1))
            month = f"CASE lower(substring({name}, 1, 3)) {cases} END"
        day = self._found(pattern, "day")
        return self._sql.concat(f"nullif({year}, '0000')", "'-'", self._two(month), "'-'", self._two(day or ""))

    def _two(self, digits: str) -> str:
        return f"lpad({digits}, 2, '0')"

    def _day_alone(self, pattern: Pattern) -> str:
        """The date of a moment, which has to be a real one with its time and zone."""
        day, zone = self._sql.try_cast(self._day(pattern), "date"), self._zone_by(pattern)
        real = [] if _TIMES.isdisjoint(pattern.groups) else [self._clock_is_valid(self._clock(pattern))]
        real += [] if zone is None else [f"({zone.text} = '' OR {zone.real})"]
        return f"CASE WHEN {' AND '.join(real)} THEN {day} END" if real else day

    def _moment(self, pattern: Pattern, then: Then) -> str:
        fraction = self._found(pattern, "fraction")
        return self._from_parts(self._day(pattern), self._clock(pattern), fraction, self._zone_by(pattern), then)

    def _clock(self, pattern: Pattern) -> str:
        """HH:mm:ss, whatever of it there is."""
        hour = self._found(pattern, "hour")
        hour12 = self._found(pattern, "hour12")
        if hour12 is not None:
            half = f"CASE WHEN lower({self._found(pattern, 'half')}) = 'pm' THEN 12 ELSE 0 END"
            number = f"try_cast({hour12} AS int)"
            text = self._sql.as_text(f"{number} % 12 + {half}")
            hour = f"CASE WHEN {hour12} = '' THEN '' WHEN {number} BETWEEN 1 AND 12 THEN {text} ELSE '99' END"
        minute, second = self._found(pattern, "minute"), self._found(pattern, "second")
        return f"concat({', chr(58), '.join(self._two(part or chr(39) * 2) for part in (hour, minute, second))})"


def _plain(local: str, zone: Zone | None = None) -> str:
    """The local time itself, if its zone is a real one."""
    return local if zone is None else f"CASE WHEN {zone.text} = '' OR {zone.real} THEN {local} END"
