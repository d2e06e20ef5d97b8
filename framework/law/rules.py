"""Rules: how the text of a record becomes a row, and every reason why it may not. Pure SQL builders.

For a column, `text` is the field as text with NULL values recognised, `value` the typed value (or the
default). A row is bad when any rule is broken; all broken rules are reported. The same builders serve
all engines, in their dialects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from framework.feed import Column, Feed, NullKeys
from framework.law.change import Kind
from framework.law.dialects import Dialect
from framework.law.functions import Sql, meaning, said, taken_as
from framework.law.values import typed
from framework.law.verdict import Verdict
from framework.types import DataType, Scalar

__all__ = [
    "LATE",
    "Rule",
    "error_list",
    "is_null",
    "kind_of",
    "malformed",
    "needs_all",
    "row_rules",
    "text_of",
    "typed_literal",
    "value_of",
    "worst",
]

STRING = Scalar("string")
LATE = ("null_key", "null_sequence")
"""The codes of rules that only rows that pass the filter have to keep."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which a row can be bad: `broken` is a boolean SQL expression, never NULL for a broken
    row; `text` the SQL of the offending text; `verdict` what becomes of a row that breaks it."""

    code: str
    column: str | None
    broken: str
    text: str
    message: str
    verdict: Verdict = Verdict.QUARANTINE


def typed_literal(text: str, column: Column, zone: str, dialect: Dialect) -> str:
    """A value that the feed file names (`min`, `default`, …), by the same rules as the data."""
    return typed(dialect.text(text), column.type, formats=column.formats, zone=zone, dialect=dialect)


def text_of(column: Column, field: str, feed: Feed, dialect: Dialect) -> str:
    """The text of a field, with what stands for NULL turned into NULL.

    `field` is the SQL of the raw field, NULL for an empty unquoted one. For types other than string a
    blank text is NULL too, which the rules see to: most texts need not be looked at for it.
    """
    is_text = column.type == STRING
    field = _formula(field, dialect) if feed.source.text_formulas else field
    text = dialect.trimmed(field) if feed.source.trim else field
    nulls = [value for value in feed.source.null_values if value != ""]
    if not nulls:
        return text
    if not is_text:
        text = dialect.trimmed(field)
    return f"CASE WHEN {text} IN ({dialect.texts(nulls)}) THEN NULL ELSE {text} END"


def _formula(field: str, dialect: Dialect) -> str:
    """The text that the formula ="text" gives, in which quotes are doubled; every other text as it is."""
    is_one = f"{dialect.starts_with(field, dialect.text(chr(61) + chr(34)))} AND right({field}, 1) = '\"'"
    inner = f"replace(substring({field}, 3, length({field}) - 3), '\"\"', '\"')"
    return f"CASE WHEN {is_one} AND length({field}) > 2 THEN {inner} ELSE {field} END"


def value_of(
    column: Column,
    text: str,
    feed: Feed,
    dialect: Dialect,
    *,
    plain: str | None = None,
    formatted: bool = True,
    usual_only: bool = False,
) -> str:
    """The typed value of a text: NULL for NULL and for what the type does not accept; the default for NULL. `plain` is
    the text as the law of values reads it, where it is written otherwise. A text that is not `formatted` is not in the
    column's formats. For `usual_only` see `typed`."""
    zone, formats = feed.source.timezone, column.formats if formatted else ()
    value = typed(plain or text, column.type, formats=formats, zone=zone, dialect=dialect, usual_only=usual_only)
    if column.default is None:
        return value
    default = typed_literal(column.default, column, zone, dialect)
    return f"CASE WHEN {is_null(text, column, dialect)} THEN {default} ELSE {value} END"


def is_null(text: str, column: Column, dialect: Dialect) -> str:
    """Whether a text stands for NULL in a column of this type."""
    if column.type == STRING:
        return f"{text} IS NULL"
    return f"({text} IS NULL OR {dialect.trimmed(text)} = '')"


def kind_of(feed: Feed, values: Mapping[str, str], dialect: Dialect) -> str | None:
    """SQL of what a row does (`framework.law.change.Kind`), over the SQL names of the columns' values; None where all
    rows of a feed do the same."""
    conditions = _conditions(feed, values, dialect)
    if not conditions:
        return None
    whens = (f"WHEN {condition.value} THEN '{kind}'" for kind, condition in conditions.items())
    return f"CASE {' '.join(whens)} ELSE '{Kind.UPSERT}' END"


def _conditions(feed: Feed, values: Mapping[str, str], dialect: Dialect) -> dict[Kind, Sql]:
    """The conditions under which a row does something else than to bring values, in the order in which they count."""
    texts = {Kind.TRUNCATE: feed.target.apply_as_truncates, Kind.DELETE: feed.target.apply_as_deletes}
    types = {column.name: column.type for column in feed.columns}
    meant = {kind: taken_as(meaning(text, types), Scalar("boolean")) for kind, text in texts.items() if text}
    return {kind: said(node, values, dialect, feed.source.timezone) for kind, node in meant.items()}


def needs_all(feed: Feed, name: str, kind: str) -> str | None:
    """The condition for a row of this kind (SQL) to need a value in a column: a delete needs its key and its sequence,
    a truncate only its sequence. None where every row does."""
    if name in feed.target.sequence_by:
        return None
    if name in feed.target.keys:
        return f"{kind} <> '{Kind.TRUNCATE}'" if feed.target.apply_as_truncates else None
    return f"{kind} NOT IN ('{Kind.DELETE}', '{Kind.TRUNCATE}')"


def row_rules(feed: Feed, texts: Mapping[str, str], values: Mapping[str, str], dialect: Dialect) -> Iterator[Rule]:
    """Every rule of the feed, over the SQL names of each column's text and value (by column name).

    A column without a text (the file does not have it) can only break the rules about NULL.
    """
    kind = kind_of(feed, values, dialect)
    for does, condition in _conditions(feed, values, dialect).items():
        if condition.failed is not None:
            message = f"apply_as_{does}s has no value for this row"
            yield Rule("bad_value", None, f"({condition.failed})", "NULL", message)
    for column in feed.columns:
        text, value = texts.get(column.name, "NULL"), values[column.name]
        asked = needs_all(feed, column.name, kind) if kind is not None else None
        for rule in _column_rules(feed, column, text, value, dialect):
            yield rule if asked is None else replace(rule, broken=f"({asked} AND {rule.broken})")


def _column_rules(feed: Feed, column: Column, text: str, value: str, dialect: Dialect) -> Iterator[Rule]:
    name, zone = column.name, feed.source.timezone
    converted = column.type != STRING and text != "NULL"
    if converted:
        broken = f"CASE WHEN {value} IS NULL THEN NOT {is_null(text, column, dialect)} ELSE false END"
        yield Rule("bad_value", name, broken, text, f"not {_article(column.type)}{_formats(column)}")
    null = f"({value} IS NULL)"
    if converted:
        null = f"CASE WHEN {value} IS NULL THEN {is_null(text, column, dialect)} ELSE false END"
    if column.required:
        yield Rule("missing_required", name, null, "NULL", "the column is required and there is no value")
    if name in feed.target.keys and feed.target.null_keys is NullKeys.QUARANTINE:
        yield Rule("null_key", name, null, "NULL", "a key column must have a value")
    if name in feed.target.sequence_by:
        yield Rule("null_sequence", name, null, "NULL", "a sequence column must have a value")
    shown = text if text != "NULL" else dialect.as_text(value)
    if column.accepted_values is not None:
        accepted = ", ".join(typed_literal(text, column, zone, dialect) for text in column.accepted_values)
        broken = f"({value} IS NOT NULL AND {value} NOT IN ({accepted}))"
        yield Rule("not_accepted", name, broken, shown, f"not one of {', '.join(column.accepted_values)}")
    if column.pattern is not None:
        broken = f"({value} IS NOT NULL AND NOT {dialect.contains_match(value, column.pattern)})"
        yield Rule("pattern_mismatch", name, broken, shown, f"does not match {column.pattern}")
    if column.min is not None:
        broken = f"({value} IS NOT NULL AND {value} < {typed_literal(column.min, column, zone, dialect)})"
        yield Rule("out_of_range", name, broken, shown, f"less than {column.min}")
    if column.max is not None:
        broken = f"({value} IS NOT NULL AND {value} > {typed_literal(column.max, column, zone, dialect)})"
        yield Rule("out_of_range", name, broken, shown, f"more than {column.max}")


def _article(type_: DataType) -> str:
    text = str(type_)
    return f"an {text}" if text[0] in "aeiou" else f"a {text}"


def _formats(column: Column) -> str:
    if column.numbers is not None:
        return f" with the decimal sign {column.numbers.decimal}"
    return f" in the format {' or '.join(column.formats)}" if column.formats else ""


def worst(rules: Iterable[Rule], why: str | None = None, always: str | None = None) -> str:
    """SQL of a row's Verdict, the worst of its broken rules'; a record that is none (`why` is not NULL) is a bad row.
    `always` is a condition that every row meets."""
    broken: dict[Verdict, list[str]] = {}
    if why is not None:
        broken[Verdict.QUARANTINE] = [f"{why} IS NOT NULL"]
    for rule in rules:
        broken.setdefault(rule.verdict, []).append(rule.broken)
    cases = []
    for verdict in reversed(Verdict):
        if verdict in broken:
            test = " OR ".join(broken[verdict])
            cases.append(f"WHEN {f'({test}) AND {always}' if always else test} THEN '{verdict}'")
    return f"CASE {' '.join(cases)} ELSE '{Verdict.KEEP}' END" if cases else f"'{Verdict.KEEP}'"


def malformed(message: str, dialect: Dialect) -> str:
    """SQL of the one reason of a record that could not be taken apart; `message` is SQL."""
    return dialect.array([_struct("'malformed_record'", "NULL", "NULL", message, dialect)])


def error_list(rules: Iterable[Rule], dialect: Dialect) -> str:
    """SQL for `array<struct<code, column, value, message>>` of the broken rules."""
    return dialect.present(
        dialect.array([f"CASE WHEN {rule.broken} THEN {_error(rule, dialect)} END" for rule in rules])
    )


def _error(rule: Rule, dialect: Dialect) -> str:
    column = dialect.text(rule.column) if rule.column is not None else "NULL"
    return _struct(dialect.text(rule.code), column, rule.text, dialect.text(rule.message), dialect)


def _struct(code: str, column: str, value: str, message: str, dialect: Dialect) -> str:
    members = {"code": code, "column": column, "value": value, "message": message}
    return dialect.struct({name: dialect.as_text(sql) for name, sql in members.items()})
