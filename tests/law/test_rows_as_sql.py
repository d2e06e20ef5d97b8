"""How records become rows, as SQL: as it is in every dialect, and what DuckDB makes of it.

Write the files anew with `python -m tests.law.test_rows_as_sql`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from framework.batch import Batch
from framework.engines.embedded.explain import stage_queries
from framework.engines.spark.explain import stage_query
from framework.feed import Archive, Column, Feed, Format, NullKeys, Quarantine, Source, Target
from framework.law.dialects import DUCKDB
from framework.law.modes import change_of
from framework.law.ranking import ranked
from framework.law.reasons import reason_counts
from framework.law.rules import Rule, worst
from framework.law.selects import Select, rendered
from framework.law.staging import RowQuery
from framework.law.survivors import OneRow
from framework.law.verdict import Verdict
from framework.names import File, Table
from framework.steps import Stage
from framework.types import parse_type

FOLDER = Path(__file__).parent / "golden"
TABLE = Table("s.t")


def column(name: str, type_: str, **more: object) -> Column:
    return Column(name, parse_type(type_), (name,), **more)  # type: ignore[arg-type]


COLUMNS = (
    column("id", "bigint"),
    column("rowid", "string", required=True, accepted_values=("a", "b")),
    column("amount", "decimal(12,2)", min="0", default="1.5"),
    column("seen", "timestamp"),
    column("_file", "string", pattern="^x"),
)


def feed(format_: Format, columns: tuple[Column, ...] = COLUMNS, null_keys: NullKeys = NullKeys.QUARANTINE) -> Feed:
    keys = (columns[0].name,)
    sequence = tuple(each.name for each in columns if each.name == "seen")
    return Feed(
        "t",
        Source("/landing/t/", format_),
        columns,
        Target(TABLE, TABLE.suffixed("__staging"), keys=keys, sequence_by=sequence, null_keys=null_keys),
        Quarantine(TABLE.suffixed("__quarantine")),
        Archive("/archive/t/", "/archive/_rejected/t/"),
    )


def text(format_: Format, engine: str) -> str:
    files = tuple(File(f"/landing/t/{name}.{format_}", f"{name}.{format_}", 1, 1, 1) for name in ("1", "2"))
    of = feed(format_)
    step = Stage(of, Batch("t", 1, files), change_of(of).survivor)
    queries = stage_queries(step) if engine == "duckdb" else (stage_query(step),)
    return ";\n".join(queries) + "\n"


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
@pytest.mark.parametrize("format_", [Format.CSV, Format.JSON])
def test_the_staged_query(format_: Format, engine: str) -> None:
    assert text(format_, engine) == (FOLDER / f"staged_{format_}.{engine}.sql").read_text(encoding="utf-8")


def rows(fields: Mapping[str, str | None], columns: tuple[Column, ...] = COLUMNS) -> tuple[str, list[tuple[str, str]]]:
    """The verdict of one record and its reasons (code, column), as DuckDB tells them."""
    names = list(fields)
    record = ", ".join(
        f"{'NULL' if f is None else DUCKDB.text(f)}::VARCHAR AS f{i}" for i, f in enumerate(fields.values())
    )
    at = {name: f"f{index}" for index, name in enumerate(names)}
    query = RowQuery(feed(Format.CSV, columns), DUCKDB, at, {0: "a.csv"})
    last = Select(("_verdict", f"{query.errors()} AS _errors"))
    with duckdb.connect() as connection:
        sql = rendered(f"(SELECT {record}, 0 AS _file)", [*query.selects(), last])
        ((verdict, errors),) = connection.execute(sql).fetchall()
    return verdict, [(error["code"], error["column"]) for error in errors]


GOOD = {"id": "1", "rowid": "a", "amount": "2", "seen": "2026-01-01", "_file": "x"}


@pytest.mark.parametrize(
    ("record", "reasons"),
    [
        (GOOD, []),
        (GOOD | {"amount": None}, []),
        (GOOD | {"amount": "0"}, []),
        (GOOD | {"amount": "-0.01"}, [("out_of_range", "amount")]),
        (GOOD | {"id": None}, [("null_key", "id")]),
        (GOOD | {"id": " "}, [("null_key", "id")]),
        (GOOD | {"id": "x"}, [("bad_value", "id")]),
        (GOOD | {"rowid": None}, [("missing_required", "rowid")]),
        (GOOD | {"rowid": "c"}, [("not_accepted", "rowid")]),
        (GOOD | {"_file": "y"}, [("pattern_mismatch", "_file")]),
        (GOOD | {"seen": None}, [("null_sequence", "seen")]),
        ({"id": "1", "rowid": "a"}, [("null_sequence", "seen")]),
        (
            GOOD | {"id": "x", "seen": "y", "rowid": "z"},
            [("bad_value", "id"), ("not_accepted", "rowid"), ("bad_value", "seen")],
        ),
    ],
)
def test_a_row_has_a_verdict_and_every_reason(record: dict[str, str | None], reasons: list[tuple[str, str]]) -> None:
    assert rows(record) == (Verdict.QUARANTINE if reasons else Verdict.KEEP, reasons)


@pytest.mark.parametrize(
    ("broken", "verdict"),
    [
        ((), Verdict.KEEP),
        ((Verdict.DROP,), Verdict.DROP),
        ((Verdict.DROP, Verdict.QUARANTINE), Verdict.QUARANTINE),
        ((Verdict.QUARANTINE, Verdict.FAIL, Verdict.DROP), Verdict.FAIL),
    ],
)
def test_the_worst_verdict_of_the_broken_rules_holds(broken: tuple[Verdict, ...], verdict: Verdict) -> None:
    rules = [Rule("check_failed", "c", str(each in broken).lower(), "NULL", "", each) for each in list(Verdict)[1:]]
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {worst(rules)}").fetchone() == (verdict,)


def test_a_record_that_is_none_is_a_bad_row_whatever_its_fields() -> None:
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {worst([], 'why')} FROM (SELECT 'x' AS why)").fetchone() == ("quarantine",)
        assert connection.execute(f"SELECT {worst([], 'why')} FROM (SELECT NULL AS why)").fetchone() == ("keep",)


def test_the_row_of_a_key_that_counts() -> None:
    """The highest sequence, then the last file, then the last row, whatever the columns are called."""
    named = (column("(id)", "int"), column("seen", "int"), column("_file", "int"), column("v1", "int"))
    of = feed(Format.CSV, named)
    survivor = change_of(of).survivor
    assert isinstance(survivor, OneRow)
    selects, rank = ranked(of, survivor, {"(file)": "_file", "(row)": "row"}, DUCKDB)
    data = (
        "(VALUES (1, 5, 9, 1, 0, 1), (1, 7, 8, 2, 0, 2), (1, 7, 7, 3, 1, 0), (1, 7, 6, 4, 1, 1), (2, NULL, 5, 5, 0, 0))"
    )
    source = f"(SELECT * FROM {data} AS t(v0, v1, v2, v3, _file, row))"
    with duckdb.connect() as connection:
        query = rendered(source, [*selects, Select(('"(id)"', "v1"), f"{rank} = 1")])
        assert sorted(connection.execute(query).fetchall()) == [(1, 4), (2, 5)]


def test_reasons_are_counted_by_file_with_the_first_row_of_each() -> None:
    def error(code: str, value: str) -> str:
        return f"{{'code': '{code}', 'column': 'c', 'value': {value}, 'message': 'm'}}"

    x, none, y, z = error("a", "'x'"), error("a", "NULL"), error("b", "'y'"), error("a", "'z'")
    bad = f"(SELECT * FROM (VALUES (0, 7, [{x}]), (0, 3, [{none}, {y}]), (1, 1, [{z}])) AS t(_file, _line, _errors))"
    with duckdb.connect() as connection:
        found = connection.execute(reason_counts(bad, "_line", DUCKDB)).fetchall()
    assert sorted(found) == [
        (0, "a", "c", 2, 3, None, "m"),
        (0, "b", "c", 1, 3, "y", "m"),
        (1, "a", "c", 1, 1, "z", "m"),
    ]


if __name__ == "__main__":
    for format_ in (Format.CSV, Format.JSON):
        for engine in ("duckdb", "spark"):
            path = FOLDER / f"staged_{format_}.{engine}.sql"
            path.write_text(text(format_, engine), encoding="utf-8")
