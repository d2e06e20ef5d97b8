"""Values: what each type accepts, and as which value. The law for every engine (docs/values.md).

`parse` is the law, in plain Python. `typed` says the same in an engine's SQL; tests hold the two
against each other. Everything that the law does not accept is a bad value, never silently changed:

    all but string     blanks, tabs and line ends around the text are removed first
    integers           [+-]digits, optionally a point and zeros; within range
    decimal(p,s)       [+-]digits with a point anywhere among them, [e[+-]1-3 digits]; must fit p and s exactly
    float, double      as decimal, rounded to the nearest; NaN, Infinity, -Infinity in any case; no overflow
    boolean            true false t f yes no y n 1 0 in any case
    date               yyyy-MM-dd or the given formats; years 0001 to 9999
    timestamp          yyyy-MM-dd[(T| )HH:mm[:ss[.1-9 digits]][[ ]zone]] or the given formats; cut to
                       microseconds. A zone is Z, UTC, ±HH, ±HHmm or ±HH:mm. A local time that a clock
                       change skips counts as if the clock had not been changed yet; one that occurs twice is
                       the earlier one.
    timestamp_ntz      as timestamp, without a zone
    array, map, struct JSON of that shape, whose members follow these rules; null is NULL everywhere, members
                       that the struct does not name are passed over, missing ones are NULL
"""

from framework.law.values.law import parse
from framework.law.values.nested import DEEPEST, guarded, json_document, json_object, json_text, pointer, unguarded
from framework.law.values.numbers import plain_number, plain_number_sql
from framework.law.values.patterns import check_pattern
from framework.law.values.sql import typed

__all__ = [
    "DEEPEST",
    "check_pattern",
    "guarded",
    "json_document",
    "json_object",
    "json_text",
    "parse",
    "plain_number",
    "plain_number_sql",
    "pointer",
    "typed",
    "unguarded",
]
