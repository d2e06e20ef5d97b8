"""Sheets: rows of a table as a CSV file that people write and read, and how two of them differ.

An empty unquoted field is NULL and `""` an empty string, as in the files of a feed. Values are compared as what their
columns hold (`framework.law.values`), not as they are spelled, and only in the columns that the expected sheet has.
"""

from __future__ import annotations

import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from framework.feed import CsvOptions
from framework.law.records.csv import read_records
from framework.law.values import parse
from framework.types import DataType

__all__ = ["Difference", "Row", "Sheet", "compare", "read_sheet", "sheet_text"]

Row: TypeAlias = tuple[str | None, ...]
_SHOWN = 10
"""Rows of a kind that are shown; more are counted."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of texts (None = NULL) under the names of their columns."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...] = ()

    def only(self, columns: Sequence[str]) -> Sheet:
        """Some of the columns, in this order."""
        at = [self.columns.index(name) for name in columns]
        return Sheet(tuple(columns), tuple(tuple(row[index] for index in at) for row in self.rows))


@dataclass(frozen=True, slots=True)
class Difference:
    """How rows that were found differ from those that were expected: `missing` and `surplus` ones, and those of a key
    that is on both sides, with (column, expected, found) of each value that is another."""

    columns: tuple[str, ...]
    missing: tuple[Row, ...] = ()
    surplus: tuple[Row, ...] = ()
    changed: tuple[tuple[str, tuple[tuple[str, str | None, str | None], ...]], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.surplus or self.changed)

    @property
    def told(self) -> Iterator[str]:
        """Lines for people."""
        named = (("missing", self.missing), ("too many", self.surplus), ("with other values", self.changed))
        yield ", ".join(f"{len(rows):,} row{'s' if len(rows) > 1 else ''} {what}" for what, rows in named if rows)
        for key, values in self.changed[:_SHOWN]:
            yield f"  {key}"
            for column, expected, found in values:
                yield f"    {column}: {_shown(found)}, expected {_shown(expected)}"
        yield from self._rows("missing", self.missing)
        yield from self._rows("too many", self.surplus)
        hidden = sum(max(0, len(rows) - _SHOWN) for rows in (self.missing, self.surplus, self.changed))
        if hidden:
            yield f"  and {hidden:,} more"

    def _rows(self, what: str, rows: Sequence[Row]) -> Iterator[str]:
        for row in rows[:_SHOWN]:
            yield f"  {what}: " + _named(self.columns, row)

    def as_dict(self) -> dict[str, Any]:
        def listed(rows: Iterable[Row]) -> list[dict[str, str | None]]:
            return [dict(zip(self.columns, row, strict=True)) for row in rows]

        changed = [
            {"key": key, "values": [{"column": c, "expected": e, "found": f} for c, e, f in values]}
            for key, values in self.changed
        ]
        return {"missing": listed(self.missing), "too_many": listed(self.surplus), "changed": changed}


def read_sheet(data: bytes) -> Sheet:
    """The sheet in a CSV file. Raises ValueError with a sentence."""
    found = list(read_records(io.BytesIO(data), encoding="utf-8-sig", options=CsvOptions(), width=None))
    if not found:
        raise ValueError("it has no header")
    header, *records = found
    if header.fields is None:
        raise ValueError(f"line {header.line}: {header.error}")
    columns, rows = tuple(name or "" for name in header.fields), []
    if len(set(columns)) < len(columns):
        raise ValueError("a column stands in its header twice")
    for record in records:
        if record.fields is None or len(record.fields) != len(columns):
            fields = len(record.fields or ())
            why = record.error or f"{fields} field{'s' if fields != 1 else ''} instead of {len(columns)}"
            raise ValueError(f"line {record.line}: {why}")
        rows.append(record.fields)
    return Sheet(columns, tuple(rows))


def sheet_text(sheet: Sheet) -> str:
    """The sheet as a CSV file that reads as the same sheet."""
    return "".join(",".join(map(_field, row)) + "\n" for row in (sheet.columns, *sheet.rows))


def _field(text: str | None) -> str:
    if text is None:
        return ""
    if not text or any(character in text for character in ',"\r\n') or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


def compare(
    expected: Sheet, found: Sheet, types: Mapping[str, DataType] | None = None, keys: Sequence[str] = ()
) -> Difference:
    """How the rows that were found differ from the expected ones, in the columns of the latter, all of which `found`
    has. Columns without a type are compared as text; rows are of the same one where their keys are the same."""
    columns, types = expected.columns, types or {}
    wanted, there = _counted(expected, types), _counted(found.only(columns), types)
    missing = [row for value, rows in wanted.items() for row in rows[len(there.get(value, ())) :]]
    surplus = [row for value, rows in there.items() for row in rows[len(wanted.get(value, ())) :]]
    if keys and set(keys) <= set(columns):
        return _paired(columns, types, keys, missing, surplus)
    return Difference(columns, tuple(missing), tuple(surplus))


def _paired(
    columns: tuple[str, ...],
    types: Mapping[str, DataType],
    keys: Sequence[str],
    missing: Sequence[Row],
    surplus: Sequence[Row],
) -> Difference:
    """The same with rows of one key on both sides as changed."""
    one, other = (_counted(Sheet(columns, tuple(rows)), types, keys) for rows in (missing, surplus))
    changed, paired = [], Counter[Row]()
    for key, rows in one.items():
        if len(rows) == len(other.get(key, ())) == 1:
            ((before,), (after,)) = rows, other[key]
            named = zip(columns, before, after, strict=True)
            values = tuple((c, e, f) for c, e, f in named if _value(e, types.get(c)) != _value(f, types.get(c)))
            changed.append((_named(keys, Sheet(columns, (before,)).only(keys).rows[0]), values))
            paired.update((before, after))
    left = [tuple(row for row in rows if row not in paired) for rows in (missing, surplus)]
    return Difference(columns, left[0], left[1], tuple(changed))


def _counted(sheet: Sheet, types: Mapping[str, DataType], by: Sequence[str] = ()) -> dict[tuple[Any, ...], list[Row]]:
    """The rows by their values, or by those of some columns, in their order."""
    names = by or sheet.columns
    counted: dict[tuple[Any, ...], list[Row]] = {}
    for row, part in zip(sheet.rows, sheet.only(names).rows, strict=True):
        value = tuple(_value(text, types.get(name)) for name, text in zip(names, part, strict=True))
        counted.setdefault(value, []).append(row)
    return counted


def _value(text: str | None, type_: DataType | None) -> Any:
    """What can be compared: equal for two spellings of a value. A text that is none stands for itself."""
    if text is None or type_ is None:
        return text
    try:
        return _frozen(parse(text, type_))
    except ValueError:
        return ("text", text)


def _frozen(value: Any) -> Any:
    match value:
        case dict():
            return tuple(sorted((str(key), _frozen(each)) for key, each in value.items()))
        case list():
            return tuple(map(_frozen, value))
        case Decimal():
            return value.normalize()
        case float() if math.isnan(value):
            return "NaN"
        case _:
            return value


def _named(columns: Sequence[str], row: Row) -> str:
    return ", ".join(f"{name}={_shown(value)}" for name, value in zip(columns, row, strict=True))


def _shown(value: str | None) -> str:
    if value is None:
        return "NULL"
    return value if value and value == value.strip() and value.isprintable() else json.dumps(value, ensure_ascii=False)
