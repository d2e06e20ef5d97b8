"""Random expressions of the functions' list, and rows at the edges of types to ask them of."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from framework.law.dialects import Dialect
from framework.law.functions import Refused, meaning, said
from framework.types import DataType, parse_type

__all__ = ["COLUMNS", "ROWS", "expressions", "items", "plain", "values_sql"]

COLUMNS: Mapping[str, DataType] = {
    name: parse_type(type_)
    for name, type_ in {
        "i": "int",
        "j": "int",
        "k": "bigint",
        "d": "decimal(12,2)",
        "e": "decimal(5,3)",
        "f": "double",
        "s": "string",
        "u": "string",
        "x": "date",
        "t": "timestamp",
        "p": "timestamp_ntz",
        "z": "boolean",
    }.items()
}

TEMPLATES: Mapping[str, Sequence[str]] = {
    "int": [
        *("i", "j", "0", "1", "-1", "7", "2147483647", "-2147483648", "null"),
        *("<int> + <int>", "<int> - <int>", "<int> * <int>", "<int> % <int>", "pmod(<int>, <int>)", "-(<int>)"),
        *("abs(<int>)", "length(<string>)", "instr(<string>, <string>)", "levenshtein(left(<string>, 9), 'abc')"),
        *("ascii(<string>)", "octet_length(<string>)", "year(<date>)", "month(<ts>)", "day(<date>)", "hour(<ts>)"),
        *("second(<ts>)", "dayofweek(<date>)", "weekday(<date>)", "weekofyear(<date>)", "quarter(<date>)"),
        *("dayofyear(<date>)", "datediff(<date>, <date>)", "unix_date(<date>)", "sign(<dec>)", "<int> & <int>"),
        *("<int> | <int>", "<int> ^ <int>", "~(<int>)", "cast(<string> as int)", "try_cast(<string> as int)"),
        *("cast(<double> as int)", "cast(<dec> as int)", "cast(<long> as int)", "cast(<bool> as int)"),
        *("coalesce(<int>, <int>)", "nullif(<int>, <int>)", "if(<bool>, <int>, <int>)", "greatest(<int>, <int>)"),
        *("case when <bool> then <int> when <bool> then <int> end", "size(split(<string>, ','))"),
        *("regexp_count(<string>, '[a-z]')", "extract(week from <date>)", "array(<int>, <int>)[<int>]"),
        *("element_at(array(<int>, 5), <int>)", "array_max(array(<int>, <int>))", "try_add(<int>, <int>)"),
    ],
    "long": [
        *("k", "0L", "9223372036854775807", "<long> + <int>", "<long> * <long>", "<long> - <long>", "<long> div <int>"),
        *("<int> div <int>", "<long> % <int>", "abs(<long>)", "floor(<double>)", "ceil(<double>)", "floor(<dec>)"),
        *("unix_seconds(<ts>)", "unix_millis(<ts>)", "unix_micros(<ts>)", "cast(<string> as bigint)"),
        *("cast(<double> as bigint)", "nvl(<long>, <int>)", "negative(<long>)"),
    ],
    "dec": [
        *("d", "e", "0.00", "1.5", "-0.005", "99.999", "<dec2> + <dec2>", "<dec2> - <dec2>", "d * e", "d / e", "e / 3"),
        *("d % e", "pmod(d, 3)", "abs(<dec2>)", "round(<dec2>, 1)", "bround(<dec2>, 1)", "bround(<dec2>)", "-(<dec2>)"),
        *("cast(<string> as decimal(12,2))", "cast(<double> as decimal(12,2))", "cast(<int> as decimal(12,2))"),
        *("coalesce(<dec2>, 0)", "least(d, e)", "if(<bool>, d, 1)", "try_divide(d, e)"),
    ],
    "dec2": ["d", "e", "1.50", "-7.125", "cast(<string> as decimal(8,3))", "cast(d as decimal(9,1))"],
    "double": [
        *(
            "f",
            "1.5e0",
            "-0.0e0",
            "1e300",
            "<int> / <int>",
            "<double> * <double>",
            "<double> + <dec>",
            "<double> / <int>",
        ),
        *("<double> - <int>", "sqrt(<double>)", "round(<double>, 2)", "round(<double>)", "abs(<double>)"),
        *("cast(<string> as double)", "cast(<long> as double)", "cast(<dec> as double)", "<double> % <int>"),
        *("months_between(<date>, <ts>)", "try_divide(<double>, <double>)", "nullif(<double>, <double>)"),
    ],
    "string": [
        *(
            "s",
            "u",
            "''",
            "'a,b'",
            "'Ünï'",
            "null",
            "<string> || <string>",
            "concat(<string>, <int>)",
            "upper(<string>)",
        ),
        *("lower(<string>)", "initcap(<string>)", "trim(<string>)", "ltrim(<string>)", "rtrim(<string>)"),
        *(
            "btrim(<string>, 'a ')",
            "lpad(<string>, 5, 'xy')",
            "rpad(<string>, <small>, '*')",
            "left(<string>, <small>)",
        ),
        *("right(<string>, <small>)", "substring(<string>, <int>, <small>)", "substring(<string>, <int>)"),
        *("substring(<string>, 0, 2)", "split_part(<string>, ',', 2)", "split_part(<string>, 'b', -1)"),
        *("substring_index(<string>, ',', -1)", "replace(<string>, 'a', <string>)", "translate(<string>, 'abc', 'x')"),
        *(
            "repeat(left(<string>, 3), <small>)",
            "reverse(<string>)",
            "hex(<string>)",
            "hex(<long>)",
            "base64(<string>)",
        ),
        *("md5(<string>)", "sha2(<string>, 256)", "sha1(<string>)", "regexp_replace(<string>, '[a-z]+', '<$0>')"),
        *("regexp_replace(<string>, r'(\\w)(\\d)', '$2-$1')", "regexp_extract(<string>, r'(\\d+)', 1)"),
        *(
            "regexp_substr(<string>, '[^,]+')",
            "cast(<int> as string)",
            "cast(<dec> as string)",
            "cast(<date> as string)",
        ),
        *("cast(<ts> as string)", "cast(<bool> as string)", "date_format(<ts>, 'yyyy-MM-dd HH:mm:ss.SSS')"),
        *("date_format(<date>, 'EEEE d MMM yy')", "concat_ws('-', <string>, <int>, <string>)", "nullif(<string>, '')"),
        *(
            "coalesce(<string>, <string>)",
            "if(<bool>, <string>, <string>)",
            "bin(<int>)",
            "chr(<small>)",
            "space(<small>)",
        ),
        *("get(split(<string>, ','), <small>)", "array_join(array(<string>, <string>), '+')", "from_unixtime(<long>)"),
    ],
    "small": ["-1", "0", "1", "2", "3", "i % 7", "null"],
    "date": [
        *(
            "x",
            "date '2024-02-29'",
            "date '0001-01-01'",
            "date '9999-12-31'",
            "date_add(<date>, <int>)",
            "last_day(<date>)",
        ),
        *(
            "date_sub(<date>, <small>)",
            "add_months(<date>, <small>)",
            "add_months(<date>, <int>)",
            "trunc(<date>, 'MM')",
        ),
        *(
            "trunc(<date>, 'week')",
            "trunc(<date>, 'quarter')",
            "to_date(<string>)",
            "try_to_date(<string>, 'dd.MM.yyyy')",
        ),
        *("to_date(<ts>)", "cast(<ts> as date)", "next_day(<date>, 'fri')", "make_date(<int>, <small>, <int>)"),
        *("date_from_unix_date(<int>)", "coalesce(<date>, <date>)", "cast(<string> as date)"),
    ],
    "ts": [
        *("t", "timestamp '2024-02-29 12:34:56.789'", "date_trunc('hour', <ts>)", "date_trunc('month', <ts>)"),
        *("to_timestamp(<string>)", "try_to_timestamp(<string>, 'dd.MM.yyyy HH:mm')", "timestamp_seconds(<int>)"),
        *("timestamp_millis(<long>)", "cast(<date> as timestamp)", "from_utc_timestamp(<ts>, 'Europe/Rome')"),
        *("to_utc_timestamp(<ts>, 'America/New_York')", "greatest(<ts>, <ts>)", "cast(p as timestamp)"),
    ],
    "bool": [
        *("z", "true", "null", "<int> > <int>", "<int> = <long>", "<string> < <string>", "<dec> <= <double>"),
        *("<date> >= <date>", "<ts> <> <ts>", "<int> <=> <int>", "<string> is null", "<double> is not null"),
        *("<bool> and <bool>", "<bool> or <bool>", "not <bool>", "<int> between <int> and <int>"),
        *("<string> in ('a', <string>, null)", "<int> in (1, <int>)", "<string> like '%a_%'", "<string> ilike 'A%'"),
        *("<string> rlike r'^[a-z]+\\d?$'", "contains(<string>, <string>)", "startswith(<string>, 'a')"),
        *("endswith(<string>, <string>)", "isnan(<double>)", "array_contains(array(<int>, <int>), <int>)"),
        *("<bool> is true", "<date> = to_date(<ts>)", "p < timestamp_ntz '2024-01-01'", "cast(<string> as boolean)"),
    ],
}


def _one(chance: random.Random, type_: str, depth: int) -> str:
    options = TEMPLATES[type_]
    if depth <= 0:
        options = [each for each in options if "<" not in re.sub(r"<=>|<>|<=|< |'<\$0>'", "", each)]
    template = chance.choice(options)
    return re.sub(
        r"<(int|long|dec2|dec|double|string|small|date|ts|bool)>", lambda m: _below(chance, m.group(1), depth), template
    )


def _below(chance: random.Random, type_: str, depth: int) -> str:
    found = _one(chance, type_, depth - 1)
    return found if re.fullmatch(r"\w+|'[^']*'|[\w.]+\([^()]*\)", found) else f"({found})"


def expressions(seed: int, count: int) -> list[str]:
    """Expressions of all types, up to four deep, that are not refused."""
    chance, found = random.Random(seed), list[str]()
    types = [each for each in TEMPLATES if each not in ("small", "dec2")]
    while len(found) < count:
        text = _one(chance, types[len(found) % len(types)], chance.choice([1, 2, 2, 3, 3, 4]))
        try:
            node = meaning(text, COLUMNS)
        except Refused:
            continue
        if str(node.type) != "null":
            found.append(text)
    return found


_TEXTS = [None, "", "a", "abc", " a b ", "a,b,,c", "12", "-7.50", "12.0", "1e3", "2024-02-29", "29.02.2024 10:30",
"true",
          "STRASSE ß", "añ😀ΑΣ", "x1y22", "9999999999", "NaN", "a'b\"\\", "yes"]  # fmt: skip
_INTS = [None, 0, 1, -1, 5, 7, 13, 2147483647, -2147483648, 100000, 2024, 31, 2, -3, 10, 3]
_LONGS = [None, 0, 1, -1, 9223372036854775807, -9223372036854775808, 86400, 1700000000, -86401, 3000000000]
_DECIMALS = [None, "0.00", "0.01", "-0.01", "9999999999.99", "-9999999999.99", "2.50", "3.50", "-2.50", "100.00"]
_SMALL = [None, "0.000", "0.001", "-0.005", "99.999", "-99.999", "2.345", "2.355", "1.000", "3.000"]
_DOUBLES = [None, 0.0, -0.0, 1.5, -2.675, 2.5, 1e300, 1e-300, float("nan"), float("inf"), 1e15, 0.1, 9.3e18]
_DATES = [None, "2024-02-29", "0001-01-01", "9999-12-31", "1970-01-01", "1969-12-31", "2023-01-31", "2026-11-29"]
_MOMENTS = [None, "2024-03-31 01:30:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "1969-12-31 23:59:59.5",
            "2024-10-27 00:30:00", "2026-01-01 12:00:00.123456"]  # fmt: skip
_LISTS: Sequence[Sequence[Any]] = [
    *(_INTS, _INTS[::-1], _LONGS, _DECIMALS, _SMALL, _DOUBLES, _TEXTS, _TEXTS[::-1], _DATES, _MOMENTS, _MOMENTS[::-1]),
    [None, True, False],
]
ROWS = [tuple(values[(row * (1 + at % 3) + at) % len(values)] for at, values in enumerate(_LISTS)) for row in range(40)]
"""Rows of all columns, with NULLs and edges, moments in UTC."""


def values_sql(dialect: Dialect) -> str:
    """The rows as a query of v0, v1, …"""
    selects = []
    for row in ROWS:
        cells = []
        for at, (value, type_) in enumerate(zip(row, COLUMNS.values(), strict=True)):
            sql = "NULL" if value is None else dialect.text(str(value))
            if value is not None and str(type_) == "timestamp":
                sql = dialect.instant_literal(str(value))
            cells.append(f"CAST({sql} AS {dialect.type(type_)}) AS v{at}")
        selects.append(f"SELECT {', '.join(cells)}")
    return " UNION ALL ".join(f"{select}, {number} AS number" for number, select in enumerate(selects))


def items(texts: Sequence[str], dialect: Dialect, zone: str) -> list[str]:
    """Two items of a SELECT for each expression: its value, and whether it failed."""
    names, found = {name: f"v{at}" for at, name in enumerate(COLUMNS)}, []
    for text in texts:
        node = meaning(text, COLUMNS)
        sql = said(node, names, dialect, zone)
        value = f"CAST({sql.value} AS {dialect.type(node.type)})"
        if str(node.type) == "timestamp":
            value = dialect.micros(value, plain=False)
        found += [value, sql.failed or "false"]
    return found


def plain(value: Any) -> str:
    """A value as text, the same for both engines."""
    match value:
        case float():
            return repr(value + 0.0) if value != 0 else "0.0"
        case datetime():
            return (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat()
        case date():
            return value.isoformat()
        case _:
            return repr(value)
