"""Staging: how records become rows, and rows staging and the quarantine. Queries as values, for all engines.

Inside these queries a feed's columns have no names but their positions: the text of the column at index 2 is `t2`,
its value `v2` (and `p2` is the text as a plain number, where numbers are written otherwise). So what an engine keeps
beside them (`_file`, a row's place, its verdict) never meets a column of that name; and where columns do have their
names, what stands beside them is called as no column may be (`FILE`, `BLOCK`, `ROW`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from framework.feed import Column, Feed, Reference
from framework.law import checks
from framework.law.conversions import MOMENTS
from framework.law.dialects import Dialect
from framework.law.layout import Layout
from framework.law.masks import NO_RECORD, masked
from framework.law.pathnames import captures
from framework.law.rescue import rescued
from framework.law.rules import (
    LATE,
    Rule,
    error_list,
    is_null,
    kind_of,
    malformed,
    needs_all,
    row_rules,
    text_of,
    typed_literal,
    value_of,
    worst,
)
from framework.law.selects import Select, by_file
from framework.law.values import plain_number_sql
from framework.law.verdict import Verdict
from framework.names import AUDIT_COLUMNS, CHANGE, shown
from framework.types import Array, Map, Struct

__all__ = [
    "BAD",
    "BLOCK",
    "FILE",
    "KEPT",
    "KIND",
    "ROW",
    "RowQuery",
    "audit_values",
    "is_nested",
    "moments",
    "quarantined",
    "rules_of",
    "staged",
]

FILE, BLOCK, ROW, KIND = "(file)", "(block)", "(row)", "(kind)"
"""Names that no column has: Delta refuses the brackets."""
KEPT = f"_verdict = '{Verdict.KEEP}'"
"""Whether a row is staged."""
BAD = f"_verdict = '{Verdict.QUARANTINE}'"
"""Whether a row goes to the quarantine."""


def is_nested(column: Column) -> bool:
    return isinstance(column.type, Array | Map | Struct)


def moments(layout: Layout) -> frozenset[str]:
    """The columns whose fields have moments or dates by the file's own schema."""
    return frozenset(name for name, index in layout.fields if layout.record[index].type in MOMENTS)


@dataclass(frozen=True, slots=True)
class RowQuery:
    """How records of one layout become rows. `fields` is the SQL of the raw field of each column that they have,
    `files` the names of their files by position; `why` the SQL of why a record is none, NULL for one (None = all are
    records). Nested values are `n0`, `n1`, … with the defaults `d0`, `d1`, … where the SQL reads no JSON. `once` is an
    expression without meaning that makes an engine compute the values before it looks at their rules; `audit` is the
    SQL of the audit columns. With `usual_only` a row with a value in an uncommon spelling counts as bad, which is right
    for a look that only asks whether all rows are good. `moments` are the columns whose fields were moments already, so
    that no format is asked of them, `rescued` the SQL of fields that no column wants, by their names, `known` the SQL
    of relations of the values that references allow (without them the tables' names are said)."""

    feed: Feed
    dialect: Dialect
    fields: Mapping[str, str]
    files: Mapping[int, str]
    why: str | None = None
    once: str | None = None
    audit: Mapping[str, str] = field(default_factory=dict)
    usual_only: bool = False
    moments: frozenset[str] = frozenset()
    rescued: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[Reference, str] = field(default_factory=dict)

    def selects(self) -> tuple[Select, ...]:
        """The steps from records to rows: the columns' texts, their values, the verdict (`_verdict`)."""
        texts = [f"{sql} AS t{index}" for index, sql in self._texts().items()]
        plain = [f"{sql} AS p{index}" for index, sql in self._plain().items()]
        columns = [(index, column) for index, column in enumerate(self.feed.columns) if column.expr is None]
        values = [f"{self._value(index, column)} AS v{index}" for index, column in columns]
        steps = [("*", *items) for items in (texts, plain) if items]
        if checks.asks(self.feed):
            steps += [("*", *items) for items in (values, *self._asked())]
        else:
            steps.append(("*", *values, *([f"{self.once} AS _once"] if self.once else [])))
        return (*map(Select, steps), Select(("*", f"{self.verdict()} AS _verdict")))

    def _asked(self) -> Iterator[list[str]]:
        """Items of the steps in which expressions are worked out, in the order in which they count."""
        values = {**self.audit, **self._values()}
        yield from checks.computed(self.feed, values, self.dialect)
        broken = [rule.broken for rule in self.column_rules() if rule.code not in LATE]
        if self.why is not None:
            broken.insert(0, f"{self.why} IS NOT NULL")
        yield from checks.judged(self.feed, values, broken, self.once, self.dialect, self.known)

    def _values(self) -> dict[str, str]:
        return {column.name: f"v{index}" for index, column in enumerate(self.feed.columns)}

    def _texts(self) -> dict[int, str]:
        found = {}
        for index, column in enumerate(self.feed.columns):
            if column.from_file is not None:
                found[index] = f"nullif({by_file(self._captured(column.from_file), self.dialect)}, '')"
            elif column.rescues:
                path = self.audit.get(AUDIT_COLUMNS[0], self.dialect.text(""))
                found[index] = rescued(self.rescued, path, self.dialect)
            elif column.name in self.fields:
                found[index] = text_of(column, self.fields[column.name], self.feed, self.dialect)
        return found

    def _plain(self) -> dict[int, str]:
        """The texts of numbers that are not written plainly, as if they were."""
        return {
            index: plain_number_sql(f"t{index}", column.numbers, self.dialect)
            for index, column in enumerate(self.feed.columns)
            if column.numbers is not None and column.name in self.fields
        }

    def _captured(self, capture: str) -> dict[int, str]:
        pattern = self.feed.source.files or "*"
        names = {index: shown(name) for index, name in self.files.items()}
        return {index: (captures(pattern, name) or {}).get(capture, "") for index, name in names.items()}

    def has_text(self, column: Column) -> bool:
        return column.from_file is not None or column.rescues or column.name in self.fields

    def _value(self, index: int, column: Column) -> str:
        dialect, has_text = self.dialect, self.has_text(column)
        if is_nested(column) and not dialect.reads_json:
            null = is_null(f"t{index}", column, dialect) if has_text else "true"
            value = f"CASE WHEN {null} THEN d{index} ELSE n{index} END"
        elif has_text:
            plain = f"p{index}" if column.numbers is not None and column.name in self.fields else None
            formatted = column.name not in self.moments
            value = value_of(
                column, f"t{index}", self.feed, dialect, plain=plain, formatted=formatted, usual_only=self.usual_only
            )
        elif column.default is not None:
            value = typed_literal(column.default, column, self.feed.source.timezone, dialect)
        else:
            value = "NULL"
        return f"CAST({value} AS {dialect.type(column.type)})"

    def column_rules(self) -> list[Rule]:
        """The rules of columns and keys, over the texts and values."""
        columns = list(enumerate(self.feed.columns))
        texts = {column.name: f"t{index}" for index, column in columns if self.has_text(column)}
        return list(row_rules(self.feed, texts, self._values(), self.dialect))

    def rules(self) -> list[Rule]:
        """All rules, in the order in which their reasons are told."""
        return rules_of(self.feed, self.column_rules())

    def verdict(self) -> str:
        """What becomes of a row, a `Verdict`."""
        always = "_once >= 0" if self.once else None
        if not checks.asks(self.feed):
            return worst(self.rules(), self.why, always)
        late = [rule for rule in self.column_rules() if rule.code in LATE]
        return checks.verdict(self.feed, late, always)

    def errors(self) -> str:
        """Every reason why a row is bad."""
        listed = error_list(self.rules(), self.dialect)
        if self.why is None:
            return listed
        return f"CASE WHEN {self.why} IS NOT NULL THEN {malformed(self.why, self.dialect)} ELSE {listed} END"


def rules_of(feed: Feed, column_rules: Iterable[Rule]) -> list[Rule]:
    """The rules whose reasons are told of a bad row. What only leaves a row out, or warns, is none of them; of columns
    that are masked no value is shown."""
    hidden = checks.secretive(feed)
    found = [*column_rules, *(checks.flag_rules(feed) if checks.asks(feed) else ())]
    told = [rule for rule in found if rule.verdict in (Verdict.QUARANTINE, Verdict.FAIL)]
    return [_without_values(rule) if rule.column in hidden else rule for rule in told]


def _without_values(rule: Rule) -> Rule:
    message = "not an accepted value" if rule.code == "not_accepted" else rule.message
    return replace(rule, text="NULL", message=message)


# From rows to tables


def staged(
    feed: Feed,
    batch_id: str,
    files: Sequence[str],
    loaded_at: datetime | None,
    dialect: Dialect,
    *,
    values: Sequence[str] | None = None,
    kind: str | None = None,
    position: str = "_file",
    clear: bool = False,
) -> Select:
    """The step from rows to staging: the columns by their names, what the row does (where rows may delete), and the
    audit columns. `files` are the paths by position, `values` the SQL of the columns' values, `kind` that of what the
    row does, where it was told before; a batch that is not loaded yet has no `loaded_at`. Of a row that deletes only
    what it needs is stored. With `clear` nothing is masked."""
    names = [dialect.name(column.name) for column in feed.columns]
    listed = list(values or [f"v{index}" for index in range(len(names))])
    kind = kind or kind_of(feed, {column.name: sql for column, sql in zip(feed.columns, listed, strict=True)}, dialect)
    if kind is not None:
        for index, column in enumerate(feed.columns):
            if asked := needs_all(feed, column.name, kind):
                listed[index] = f"CASE WHEN {asked} THEN {listed[index]} END"
    if not clear:
        listed = [masked(column, value, dialect) for column, value in zip(feed.columns, listed, strict=True)]
    if kind is not None:
        listed.append(kind)
        names.append(CHANGE)
    audit = audit_values(batch_id, files, loaded_at, dialect, position)
    named = (f"{value} AS {name}" for value, name in zip(listed, names, strict=True))
    return Select((*named, *(f"{value} AS {name}" for name, value in audit.items())))


def audit_values(
    batch_id: str, files: Sequence[str], loaded_at: datetime | None, dialect: Dialect, position: str = "_file"
) -> dict[str, str]:
    """SQL of the audit columns, by name; `files` are the paths by position."""
    source, batch, loaded = AUDIT_COLUMNS
    return {
        source: by_file(dict(enumerate(files)), dialect, position),
        batch: dialect.text(batch_id),
        loaded: _moment(loaded_at, dialect) if loaded_at else "CURRENT_TIMESTAMP",
    }


def quarantined(feed: Feed, batch_id: str, files: Sequence[str], at: datetime, dialect: Dialect) -> Select:
    """The step from bad rows (`_file`, `_line`, `_record`, `_errors`) to the quarantine."""
    return Select(
        (
            f"{dialect.text(feed.name)} AS _feed",
            f"{dialect.text(batch_id)} AS _batch_id",
            f"{by_file(dict(enumerate(files)), dialect)} AS _source_file",
            "CAST(_line AS bigint) AS _line",
            f"{dialect.text(NO_RECORD)} AS _record" if any(column.mask for column in feed.columns) else "_record",
            "_errors",
            f"{_moment(at, dialect)} AS _quarantined_at",
        )
    )


def _moment(moment: datetime, dialect: Dialect) -> str:
    return dialect.instant_literal(moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" "))
