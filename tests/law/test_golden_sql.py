"""The SQL of values as it is, in every dialect. A change here is a change of every feed's queries: look at it.

Write the files anew with `python -m tests.law.test_golden_sql`.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from framework.law.dialects import DUCKDB, SPARK, Dialect
from framework.law.values import typed
from framework.types import TYPE_NAMES, parse_type

FOLDER = Path(__file__).parent / "golden"
DIALECTS: dict[str, Dialect] = {"duckdb": DUCKDB, "spark": SPARK}
ZONES = ("UTC", "Europe/Rome")
FORMATS = (("dd.MM.yyyy HH:mm", "d/M/yy hh:mm a"), ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX",), ("dd MMM yyyy HH:mm:ss Z",))
DECIMALS = ("decimal(12,2)", "decimal(5,5)", "decimal(10,0)")
NESTED = ("array<int>", "struct<a:int,b:map<string,date>>")


def text(name: str) -> str:
    dialect = DIALECTS[name]
    nested = NESTED if dialect.reads_json else ()
    plain = [(type_, (), "UTC") for type_ in (*TYPE_NAMES, *DECIMALS, *nested)]
    moments = product(("date", "timestamp"), FORMATS, ZONES)
    parts = []
    for type_, formats, zone in (*plain, ("timestamp", (), "Europe/Rome"), *moments):
        sql = typed("x", parse_type(type_), formats=formats, zone=zone, dialect=dialect)
        parts.append(f"-- {' or '.join((type_, *formats))} in {zone}\n{sql}\n")
    return "\n".join(parts)


@pytest.mark.parametrize("name", DIALECTS)
def test_values_as_sql(name: str) -> None:
    assert text(name) == (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def test_a_nested_value_has_no_sql_in_spark() -> None:
    with pytest.raises(ValueError, match="array<int> has no SQL here"):
        typed("x", parse_type("array<int>"), dialect=SPARK)


@pytest.mark.parametrize("name", ["odd`name", 'odd"name', "a b", "it's", "Größe"])
def test_names_are_quoted_with_their_marks_doubled(name: str) -> None:
    assert DUCKDB.name(name) == '"' + name.replace('"', '""') + '"'
    assert SPARK.name(name) == "`" + name.replace("`", "``") + "`"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in DIALECTS:
        (FOLDER / f"{each}.sql").write_text(text(each), encoding="utf-8")
