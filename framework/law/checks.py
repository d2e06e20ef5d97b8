"""Checks: what the expressions of a feed ask of its rows, between the rules of columns and those of keys.

The order is that of the values: columns that are computed, then the filter, then the checks. A row that breaks a rule
of a column, or makes an expression fail, is bad; it is asked nothing more. Of the others those for which the filter is
not true are left out, and the checks are only asked of those that are left. What is found is written into one text a
row (`FLAGS`), a character for each thing that can be, NULL where there is nothing: engines count it, and the rules
read it. A row that deletes needs its keys and its sequence only: it is asked nothing, and only left out where the
filter is false.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from framework.feed import Check, CheckAction, CheckScope, Column, Feed, Reference
from framework.law.change import Kind
from framework.law.dialects import Dialect
from framework.law.functions import Node, Sql, fields_in, meaning, said, taken_as
from framework.law.references import allowed, holds
from framework.law.rules import Rule, kind_of
from framework.law.verdict import Verdict
from framework.names import AUDIT_COLUMNS
from framework.types import DataType, Scalar

__all__ = [
    "FLAGS", "asks", "batch_checks", "columns_of", "computed", "first_check", "flag_rules", "flagged", "judged",
    "row_checks", "secretive", "verdict", "warns",
]  # fmt: skip

FLAGS = "_flags"
"""The column of what was found out about a row."""
BOOLEAN = Scalar("boolean")
_VERDICTS = {
    CheckAction.WARN: Verdict.KEEP,
    CheckAction.DROP: Verdict.DROP,
    CheckAction.QUARANTINE: Verdict.QUARANTINE,
    CheckAction.FAIL: Verdict.FAIL,
}


def asks(feed: Feed) -> bool:
    """Whether rows are asked anything beyond the rules of their columns."""
    return bool(feed.filter or row_checks(feed) or _derived(feed))


def row_checks(feed: Feed) -> tuple[Check, ...]:
    return tuple(check for check in feed.checks if check.scope is CheckScope.ROW)


def batch_checks(feed: Feed) -> tuple[Check, ...]:
    return tuple(check for check in feed.checks if check.scope is CheckScope.BATCH)


def warns(feed: Feed) -> bool:
    """Whether a check of rows says something of rows that are staged all the same."""
    return any(check.action is CheckAction.WARN for check in row_checks(feed))


def _derived(feed: Feed) -> list[tuple[int, Column, str]]:
    return [(index, each, each.expr) for index, each in enumerate(feed.columns) if each.expr is not None]


def columns_of(feed: Feed) -> dict[str, DataType]:
    """The columns that expressions may name: those of the feed and of its audit."""
    source, batch, loaded = AUDIT_COLUMNS
    audit = {source: Scalar("string"), batch: Scalar("string"), loaded: Scalar("timestamp")}
    return {**audit, **{column.name: column.type for column in feed.columns}}


@lru_cache(maxsize=4096)
def _meant(text: str, columns: tuple[tuple[str, DataType], ...], type_: DataType) -> Node:
    return taken_as(meaning(text, dict(columns)), type_)


def _sql(feed: Feed, text: str, type_: DataType, values: Mapping[str, str], dialect: Dialect) -> Sql:
    node = _meant(text, tuple(columns_of(feed).items()), type_)
    return said(node, values, dialect, feed.source.timezone)


def secretive(feed: Feed) -> frozenset[str]:
    """Columns whose values are shown to nobody: those with a mask, and those that are computed from them."""
    masked = {column.name for column in feed.columns if column.mask is not None}
    if not masked:
        return frozenset()
    columns = tuple(columns_of(feed).items())
    derived = (
        column.name
        for _, column, text in _derived(feed)
        if masked.intersection(field.name for field in fields_in(_meant(text, columns, column.type)))
    )
    return frozenset(masked.union(derived))


# What can be found out about a row


@dataclass(frozen=True, slots=True)
class _Flag:
    """One thing that a row can be marked with: the reason it is for, and what becomes of the row."""

    code: str
    column: str | None
    message: str
    verdict: Verdict


def _flags(feed: Feed) -> Iterator[_Flag]:
    for _, column, _ in _derived(feed):
        yield _Flag("bad_value", column.name, "the expression has no value for this row", Verdict.QUARANTINE)
    if feed.filter is not None:
        yield _Flag("bad_value", None, "the filter has no value for this row", Verdict.QUARANTINE)
    for check in row_checks(feed):
        where, message = None, f"the check {check.name} is not true"
        if (reference := check.exists_in) is not None:
            where, message = reference.column, f"there is no such {reference.among} in {reference.table}"
        yield _Flag("check_failed", where, message, _VERDICTS[check.action])


def flagged(index: int) -> str:
    """SQL: whether a row has the mark at this position."""
    return f"substring({FLAGS}, {index + 1}, 1) = '1'"


def flag_rules(feed: Feed) -> list[Rule]:
    """The rules about what was found out, which only read it."""
    found = enumerate(_flags(feed))
    return [Rule(f.code, f.column, f"({flagged(index)})", "NULL", f.message, f.verdict) for index, f in found]


def first_check(feed: Feed) -> int:
    """The position of the mark of the first check of rows."""
    return len(_derived(feed)) + (feed.filter is not None)


# How it is found out


def computed(feed: Feed, values: Mapping[str, str], dialect: Dialect) -> Iterator[list[str]]:
    """Items of SELECTs, one over the other: the value `v…` of every column that is computed, and `e…`, whether that
    fails."""
    found, failed = list[str](), list[str]()
    for index, column, text in _derived(feed):
        sql = _sql(feed, text, column.type, values, dialect)
        found.append(f"CAST({sql.value} AS {dialect.type(column.type)}) AS v{index}")
        failed.append(f"{sql.failed_by(f'v{index}') or 'false'} AS e{index}")
    if found:
        yield found
        yield failed


def judged(
    feed: Feed,
    values: Mapping[str, str],
    broken: Iterable[str],
    once: str | None,
    dialect: Dialect,
    known: Mapping[Reference, str],
) -> Iterator[list[str]]:
    """Items of three SELECTs, one over the other, up to the marks; `broken` are conditions under which a row is bad,
    `known` the SQL of relations of the values that references allow."""
    kind = kind_of(feed, values, dialect)
    brings = f"({kind}) = '{Kind.UPSERT}'" if kind is not None else None
    computed_ = [f"{f'{brings} AND ' if brings else ''}e{index}" for index, _, _ in _derived(feed)]
    bad = [*broken, *computed_]
    asked = f"CASE WHEN {' OR '.join(bad)} THEN false ELSE true END" if bad else "true"
    kept = _sql(feed, feed.filter, BOOLEAN, values, dialect) if feed.filter is not None else Sql("true")
    unknown = f"WHEN NOT {brings} AND ({kept.value}) IS NULL THEN true " if brings else ""
    yield [
        f"{asked} AS _asked",
        f"CASE WHEN {kept.value} THEN true {unknown}ELSE false END AS _passed",
        f"{f'{brings} AND ' if brings else ''}{kept.failed or 'false'} AS _lost",
        *([f"{brings} AS _brings"] if brings else []),
    ]
    marks = [*computed_, *(["_asked AND _lost"] if feed.filter is not None else [])]
    left = f"NOT (_asked AND _passed{' AND _brings' if brings else ''})"
    for check in row_checks(feed):
        passed = _passed(feed, check, values, dialect, known)
        marks.append(f"CASE WHEN {left} THEN false WHEN {passed} THEN false ELSE true END")
    yield [f"{mark} AS c{index}" for index, mark in enumerate(marks)]
    each = [f"CASE WHEN c{index} THEN '1' ELSE '0' END" for index, _ in enumerate(marks)]
    some = " OR ".join(f"c{index}" for index, _ in enumerate(marks))
    written = f"CASE WHEN {some} THEN {dialect.concat(*each) if len(each) > 1 else each[0]} END"
    yield [f"{written} AS {FLAGS}", *([f"{once} AS _once"] if once else [])]


def _passed(
    feed: Feed, check: Check, values: Mapping[str, str], dialect: Dialect, known: Mapping[Reference, str]
) -> str:
    """SQL: whether a row passes a check."""
    reference = check.exists_in
    if reference is None:
        return _sql(feed, check.expr, BOOLEAN, values, dialect).value
    relation = known.get(reference) or f"({allowed(reference, reference.table.name, dialect)})"
    return holds(values[reference.column], relation)


def verdict(feed: Feed, late: Sequence[Rule], always: str | None) -> str:
    """SQL of a row's Verdict by the order of evaluation; `late` are the rules of keys. Most rows have no marks, and
    those are not looked at one by one."""
    tests = [("NOT _asked OR _lost", Verdict.QUARANTINE), ("NOT _passed", Verdict.DROP)]
    for worst in (Verdict.FAIL, Verdict.QUARANTINE, Verdict.DROP):
        broken = [rule.broken for rule in late if rule.verdict is worst]
        if marked := [rule.broken for rule in flag_rules(feed) if rule.verdict is worst]:
            broken.insert(0, f"CASE WHEN {FLAGS} IS NULL THEN false ELSE {' OR '.join(marked)} END")
        if broken:
            tests.append((" OR ".join(broken), worst))
    whens = (f"WHEN {f'({test}) AND {always}' if always else test} THEN '{found}'" for test, found in tests)
    return f"CASE {' '.join(whens)} ELSE '{Verdict.KEEP}' END"
