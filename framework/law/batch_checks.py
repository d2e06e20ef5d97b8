"""What came of a batch's checks: those of its rows by their marks, those of the whole batch by their aggregates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from framework.batch import Checked
from framework.errors import PolicyError
from framework.feed import Check, CheckAction, CheckScope, Feed
from framework.law.checks import batch_checks, columns_of, first_check, flagged, row_checks, secretive
from framework.law.dialects import Dialect
from framework.law.functions import aggregates_in, fields_in, meaning, said
from framework.law.verdict import in_rows
from framework.names import AUDIT_COLUMNS

__all__ = ["SAMPLES", "aggregates", "failing", "outcomes", "required", "row_counts", "sample",
           "sample_columns"]  # fmt: skip

SAMPLES = 3
"""Rows that are shown of a check that stops a feed."""


def row_counts(feed: Feed) -> list[str]:
    """Items of a SELECT over all rows: in how many each check of rows failed."""
    first = first_check(feed)
    return [f"count(CASE WHEN {flagged(first + index)} THEN 1 END)" for index, _ in enumerate(row_checks(feed))]


def failing(feed: Feed, check: Check) -> str:
    """SQL: whether a row fails a check of rows."""
    return flagged(first_check(feed) + row_checks(feed).index(check))


def aggregates(feed: Feed, values: Mapping[str, str], dialect: Dialect) -> list[str]:
    """Items of a SELECT over the staged rows: for every check of the batch whether it passes, then its aggregates."""
    items = []
    for check in batch_checks(feed):
        node, zone = meaning(check.expr, columns_of(feed)), feed.source.timezone
        items.append(said(node, values, dialect, zone).value)
        items += [said(each, values, dialect, zone).value for each in aggregates_in(node)]
    return items


def outcomes(feed: Feed, counts: Sequence[int], found: Sequence[Any]) -> list[Checked]:
    """What came of the checks, from the values of `row_counts` and of `aggregates`. A check that is NULL has failed."""
    rows = [
        Checked(check.name, check.scope, check.action, count, None, not count)
        for check, count in zip(row_checks(feed), counts, strict=True)
    ]
    left, batch = list(found), []
    for check in batch_checks(feed):
        many = 1 + sum(1 for _ in aggregates_in(meaning(check.expr, columns_of(feed))))
        (passed, *values), left = left[:many], left[many:]
        shown = ", ".join("NULL" if value is None else str(value) for value in values)
        batch.append(Checked(check.name, check.scope, check.action, None, shown, passed is True))
    return rows + batch


def sample_columns(feed: Feed, check: Check) -> list[str]:
    """The columns that are shown of rows that fail a check: those that it looks at and that may be seen."""
    hidden = {*secretive(feed), *AUDIT_COLUMNS}
    if check.exists_in is not None:
        fields = [check.exists_in.column]
    else:
        fields = [field.name for field in fields_in(meaning(check.expr, columns_of(feed)))]
    return [name for name in dict.fromkeys(fields) if name not in hidden][:SAMPLES]


def sample(path: str, names: Sequence[str], texts: Sequence[str | None]) -> str:
    """A row that fails a check, in words: its file, and the values of columns as texts."""
    values = ", ".join(
        f"{name} = {'NULL' if text is None else text[:50]}" for name, text in zip(names, texts, strict=True)
    )
    file = path.rsplit("/", 1)[-1]
    return f"{file}: {values}" if values else file


def required(feed: Feed, checked: Sequence[Checked], samples: Callable[[Check], Sequence[str]]) -> Sequence[Checked]:
    """The same, when no check stops the feed. Raises PolicyError; `samples` describes rows that fail a check."""
    stopping = [each for each in checked if not each.passed and each.action == CheckAction.FAIL]
    if not stopping:
        return checked
    by_name = {check.name: check for check in feed.checks}
    sentences = (_sentence(each, by_name[each.check], samples) for each in stopping)
    error = PolicyError(
        f"feed {feed.name}: {'; '.join(sentences)}",
        "nothing was loaded and the files stay in landing: mend them, or give the check another action",
    )
    error.checked = tuple(checked)
    raise error


def _sentence(checked: Checked, check: Check, samples: Callable[[Check], Sequence[str]]) -> str:
    if check.scope is CheckScope.BATCH:
        return f"the check {check.name} failed: {check.expr} (found: {checked.value})"
    shown = "; ".join(samples(check))
    return f"the check {check.name} failed in {in_rows(checked.rows_failed)}: {check.expr} ({shown})"
