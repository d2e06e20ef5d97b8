"""Expressions of a feed (`filter`, `checks`, `expr`, `apply_as_deletes`): one scalar of Spark SQL over its columns."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp, parse
from sqlglot.dialects import Spark
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from framework.law.functions import Node, Refused, aggregates_in, meaning, taken_as
from framework.law.functions.nodes import Call, Field
from framework.types import DataType

__all__ = ["Mistake", "mistakes"]

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of statements that it cannot parse: they are refused

_CHANGING = {
    "rand", "randn", "random", "randstr", "uniform", "uuid", "shuffle", "monotonically_increasing_id",
    "spark_partition_id", "input_file_name", "input_file_block_start", "input_file_block_length", "now", "curdate",
    "current_date", "current_timestamp", "current_time", "localtimestamp", "current_timezone", "current_user",
    "session_user", "user", "current_catalog", "current_database", "current_schema", "version",
}  # fmt: skip
"""Functions whose result depends on when, where or by whom a row is read."""
_WITHOUT_PARENTHESES = {
    "current_date", "current_timestamp", "current_time", "localtimestamp", "current_user", "session_user",
}  # fmt: skip
_REACHING_OUT = {"reflect", "java_method", "try_reflect", "http_request", "ai_query", "read_files", "secret"}
_NOW = ("unix_timestamp", "to_unix_timestamp")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at a character (from 1, None for the whole expression), and what to do.

    `unknown` is the name of a column that there is not."""

    at: int | None
    message: str
    hint: str | None = None
    unknown: str | None = None


def mistakes(
    text: str, columns: Mapping[str, DataType | None], type_: DataType | None, *, aggregates: bool = False
) -> Iterator[Mistake]:
    """Everything that keeps a text from being one deterministic scalar of a type over `columns` (their types by name;
    None for one that is not understood).

    `aggregates` says that it is about a whole batch: it needs an aggregate then, and has none otherwise.
    """
    found = list(_no_scalar(text, {name.lower(): name for name in columns}, aggregates))
    known = {name: each for name, each in columns.items() if each is not None}
    if found or type_ is None or len(known) < len(columns):
        yield from found
        return
    try:
        node = taken_as(meaning(text, known), type_)
    except Refused as refused:
        yield Mistake(refused.at, refused.message, refused.hint, refused.unknown)
        return
    yield from _mixed(node, aggregates)


def _mixed(node: Node, aggregates: bool) -> Iterator[Mistake]:
    """Where an expression over a batch looks at one row, or an aggregate at another one."""
    for aggregate in aggregates_in(node):
        if not aggregates:
            yield Mistake(aggregate.at, "an aggregate looks at other rows", _ONLY_BATCH)
        if any(inner is not aggregate for inner in aggregates_in(aggregate)):
            yield Mistake(aggregate.at, "an aggregate of an aggregate", "take one of them")
    if aggregates:
        for name, at in _alone(node):
            hint = f"for example max({name}): the check is about all rows"
            yield Mistake(at, f"'{name}' is of one row, and stands beside an aggregate", hint)


def _alone(node: Node) -> Iterator[tuple[str, int]]:
    """The columns that stand in no aggregate, and where."""
    match node:
        case Field(name, _, at):
            yield name, at
        case Call() if not node.function.aggregate:
            for arg in node.args:
                yield from _alone(arg)


_ONLY_BATCH = "only a check with scope: batch can count or sum"


def _no_scalar(text: str, columns: Mapping[str, str], aggregates: bool) -> Iterator[Mistake]:
    """What makes a text something else than one deterministic scalar, whatever its functions and types."""

    try:
        tokens: Sequence[Token] = Spark().tokenize(text)
    except SqlglotError:
        yield Mistake(None, "a quote or a comment is opened and not closed", "close it, or double a quote inside '…'")
        return
    if not tokens:
        yield Mistake(None, "there is no expression", "for example status <> 'TEST'")
        return
    found = list(_forbidden_words(tokens))
    if any(token.comments for token in tokens):
        found.append(Mistake(None, "a comment hides what is written in it", "put comments behind a # of YAML"))
    ends = [token for token in tokens if token.token_type is TokenType.SEMICOLON]
    if ends:
        found.append(Mistake(ends[0].start + 1, "a semicolon ends a statement; this is one expression", "remove it"))
    if found:
        yield from found
        return
    try:
        (tree,) = parse(text, dialect=Spark)
    except ParseError as error:
        yield _syntax(error, text)
        return
    if tree is None or not isinstance(tree, exp.Condition) or isinstance(tree, exp.Query):
        yield Mistake(None, f"it is {_kind(tree)}, not one value", "write one expression, for example status <> 'TEST'")
        return
    yield from _shape(tree, aggregates)
    yield from _unknown_columns(tree, columns)


def _forbidden_words(tokens: Sequence[Token]) -> Iterator[Mistake]:

    for index, token in enumerate(tokens):
        name = token.text.lower()
        before = tokens[index - 1].token_type if index else None
        called = index + 1 < len(tokens) and tokens[index + 1].token_type is TokenType.L_PAREN
        if token.token_type in (TokenType.STRING, TokenType.IDENTIFIER) or before is TokenType.DOT:
            continue
        empty = called and index + 2 < len(tokens) and tokens[index + 2].token_type is TokenType.R_PAREN
        if (name in _CHANGING and called) or name in _WITHOUT_PARENTHESES or (name in _NOW and empty):
            hint = "the same row must always get the same answer; take a column, or a capture of the file name"
            yield Mistake(token.start + 1, f"{name} gives another value at each run", hint)
        elif name in _REACHING_OUT and called:
            yield Mistake(token.start + 1, f"{name} runs code outside of the expression", "it cannot be used here")


def _syntax(error: ParseError, text: str) -> Mistake:
    details = error.errors or [{}]
    line, column = details[0].get("line"), details[0].get("col")
    at = None
    if isinstance(line, int) and isinstance(column, int):
        at = sum(len(each) + 1 for each in text.split("\n")[: line - 1]) + column
    near = details[0].get("highlight") or ""
    return Mistake(at, "it is not valid SQL" + (f" near '{near[:40]}'" if near else ""), "check operators and brackets")


def _kind(tree: exp.Expr | None) -> str:
    match tree:
        case exp.Alias():
            return "a value with a name (AS …)"
        case exp.Tuple():
            return "a list of values"
        case exp.Star():
            return "all columns"
        case exp.Query() | exp.Values():
            return "a query"
        case _:
            return "a statement"


def _shape(tree: exp.Expr, aggregates: bool) -> Iterator[Mistake]:

    if tree.find(exp.Query, exp.Exists):
        yield Mistake(None, "a subquery reads other tables", "an expression sees one row of the feed")
    if tree.find(exp.Placeholder, exp.Parameter):
        yield Mistake(None, "a parameter has no value here", "write the value, or use ${…} of the configuration")
    if tree.find(exp.Window):
        yield Mistake(None, "a window function looks at other rows", "an expression sees one row of the feed")
    if tree.find(exp.UDTF):
        yield Mistake(None, "it makes several rows out of one", "take a function that gives one value")
    summed = tree.find(exp.AggFunc) is not None
    if summed and not aggregates:
        yield Mistake(None, "an aggregate looks at other rows", _ONLY_BATCH)
    if aggregates and not summed:
        yield Mistake(None, "scope: batch needs an aggregate", "for example count(*) > 0, or take scope: row")


def _unknown_columns(tree: exp.Expr, columns: Mapping[str, str]) -> Iterator[Mistake]:

    for column in tree.find_all(exp.Column):
        first = column.parts[0]
        if first.name.lower() not in columns:
            start = first.meta.get("start")
            at = start + 1 if isinstance(start, int) else None
            yield Mistake(at, f"there is no column '{first.name}'", unknown=first.name)
