"""The order in which a row is asked: columns, computed columns, filter, checks, keys; and what NULL and errors are."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest

from framework.feed import (
    Archive,
    Check,
    CheckAction,
    CheckScope,
    Column,
    Feed,
    Format,
    Mask,
    MaskMethod,
    Quarantine,
    Source,
    Target,
)
from framework.law.batch_checks import outcomes, required
from framework.law.checks import secretive
from framework.law.dialects import DUCKDB
from framework.law.selects import Select, rendered
from framework.law.staging import RowQuery
from framework.law.verdict import check_warnings
from framework.names import Table
from framework.types import parse_type

TABLE = Table("s.t")
COLUMNS = (
    Column("id", parse_type("int"), ("id",)),
    Column("a", parse_type("int"), ("a",), min="0"),
    Column("b", parse_type("int"), ("b",)),
    Column("q", parse_type("double"), ("q",), expr="a / b", max="100"),
)


def feed(filter_: str | None = None, *checks: tuple[str, CheckAction]) -> Feed:
    return Feed(
        "t",
        Source("/landing/t/", Format.CSV),
        COLUMNS,
        Target(TABLE, TABLE.suffixed("__staging"), keys=("id",)),
        Quarantine(TABLE.suffixed("__quarantine")),
        Archive("/archive/t/", "/archive/_rejected/t/"),
        filter=filter_,
        checks=tuple(Check(f"c{index}", expr, action) for index, (expr, action) in enumerate(checks)),
    )


def asked(of: Feed, *fields: str | None) -> tuple[str, list[str]]:
    """The verdict of a record of id, a and b, and the reasons that are told of it."""
    record = ", ".join(
        f"CAST({'NULL' if field is None else DUCKDB.text(field)} AS VARCHAR) AS f{at}"
        for at, field in enumerate(fields)
    )
    rows = RowQuery(of, DUCKDB, {name: f"f{at}" for at, name in enumerate(("id", "a", "b"))}, {0: "x.csv"})
    codes = f"list_transform({rows.errors()}, lambda e: e.code || ' ' || coalesce(e.\"column\", e.message))"
    query = rendered(f"(SELECT 0 AS _file, {record})", [*rows.selects(), Select(("_verdict", codes))])
    return duckdb.execute(query).fetchone() or ("", [])


@pytest.mark.parametrize(
    ("filter_", "fields", "verdict"),
    [
        ("a > 1", ("1", "2", "1"), "keep"),
        ("a > 1", ("1", "1", "1"), "drop"),
        ("a > 1", ("1", None, "1"), "drop"),  # NULL leaves out
        ("a > 1", ("1", "-1", "1"), "quarantine"),  # a rule of a column comes before the filter
        ("a > 1", ("1", "1", "0"), "quarantine"),  # as does an error of a computed column
        ("q > 1", ("1", "900", "3"), "quarantine"),  # and a rule of a computed column
        ("a > 1", (None, "1", "1"), "drop"),  # the filter comes before keys
        ("a > 1", (None, "2", "1"), "quarantine"),
        ("100 / (a - 2) > 1", ("1", "2", "1"), "quarantine"),  # a filter without a value
        ("a <> 2 and 100 / (a - 2) > 1", ("1", "2", "1"), "drop"),  # what is not looked at has no errors
    ],
)
def test_the_filter(filter_: str, fields: tuple[str | None, ...], verdict: str) -> None:
    assert asked(feed(filter_), *fields)[0] == verdict


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        (CheckAction.WARN, "keep"),
        (CheckAction.DROP, "drop"),
        (CheckAction.QUARANTINE, "quarantine"),
        (CheckAction.FAIL, "fail"),
    ],
)
@pytest.mark.parametrize("fields", [("1", "1", "1"), ("1", None, "1"), ("1", "5", "1")])
def test_a_check_that_is_false_null_or_an_error(
    action: CheckAction, verdict: str, fields: tuple[str | None, ...]
) -> None:
    assert asked(feed(None, ("10 / (a - 5) > 9", action)), *fields)[0] == verdict


def test_all_reasons_are_told() -> None:
    of = feed(
        "b < 9", ("a > 1", CheckAction.QUARANTINE), ("b > 1", CheckAction.WARN), ("q > 1", CheckAction.QUARANTINE)
    )
    assert asked(of, None, "1", "1") == (
        "quarantine",
        ["null_key id", "check_failed the check c0 is not true", "check_failed the check c2 is not true"],
    )
    assert asked(of, "x", "-1", "0") == ("quarantine", ["bad_value id", "out_of_range a", "bad_value q"])


def test_the_worst_check_decides() -> None:
    checks = [("a > 1", CheckAction.DROP), ("b > 1", CheckAction.FAIL), ("q > 1", CheckAction.QUARANTINE)]
    assert asked(feed(None, *checks), "1", "1", "1")[0] == "fail"


def test_what_is_computed_from_a_masked_column_is_not_shown_either() -> None:
    masked = replace(COLUMNS[1], mask=Mask(MaskMethod.REDACT))
    of = replace(feed(), columns=(COLUMNS[0], masked, *COLUMNS[2:]))
    assert secretive(of) == {"a", "q"}


def test_a_check_of_a_batch_that_is_null_has_failed() -> None:
    check = Check("some", "max(a) > 1 and count(*) > 0", CheckAction.WARN, CheckScope.BATCH)
    of = replace(feed(), checks=(check,))
    (found,) = outcomes(of, [], [None, None, 0])
    assert (found.passed, found.value) == (False, "NULL, 0")
    assert list(check_warnings(required(of, [found], lambda _: ()))) == ["the check some failed (found: NULL, 0)"]
