"""YAML text → a tree of nodes, each with the place and the text as it was written.

Plain scalars are read as YAML 1.2's core schema has them, so that `no`, `2024-01-01` and `007` stay
text; where a value is compared with data, its `text` is used and `1.10` stays `1.10`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

import yaml

from framework.errors import Problem

__all__ = ["MAX_BYTES", "Node", "Value", "data", "parse", "scalar"]

MAX_BYTES = 1_000_000
"""A configuration file that is larger is refused unread."""
_MAX_NODES = 50_000
_MAX_DEPTH = 40
_DEPTH_SCAN_FROM = 2_000  # characters; shorter texts cannot nest deeply enough to hurt the C parser

Value: TypeAlias = "dict[str, Node] | list[Node] | str | int | float | bool | None"


class Node(NamedTuple):
    """A value with its origin. `raw` is the scalar as written, `text` after substitution; `plain`
    means unquoted; `secret` that the text comes from an environment variable and must not be shown."""

    value: Value
    file: str
    line: int
    column: int
    key_line: int
    key_column: int
    raw: str = ""
    text: str = ""
    plain: bool = False
    secret: bool = False
    broken: bool = False
    """What it says has been reported as wrong; nothing more is to be said about it."""

    def get(self, *keys: str) -> Node | None:
        """The node below this path of keys, None when there is none."""
        node: Node | None = self
        for key in keys:
            if node is None or not isinstance(node.value, dict):
                return None
            node = node.value.get(key)
        return node

    @property
    def map(self) -> dict[str, Node]:
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """The elements of a list; a scalar counts as a list of one."""
        if isinstance(self.value, list):
            return self.value
        return [] if isinstance(self.value, dict) else [self]

    @property
    def shown(self) -> str:
        """The text for messages: never the value of an environment variable."""
        text = self.raw if self.secret else self.text
        return text if len(text) <= 120 else text[:119] + "…"

    def problem(self, path: str, message: str, hint: str | None = None, *, at_key: bool = False) -> Problem:
        line, column = (self.key_line, self.key_column) if at_key else (self.line, self.column)
        return Problem(self.file, line, column, path, message, hint)


def data(node: Node) -> Any:
    """The plain dicts, lists and scalars of a tree."""
    value = node.value
    if isinstance(value, dict):
        return {key: data(child) for key, child in value.items()}
    if isinstance(value, list):
        return [data(child) for child in value]
    return value


_NUMBER = re.compile(
    r"[-+]?(?:(0|[1-9][0-9]{0,17})|(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,2})?)"
)
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = {"", "~", "null", "Null", "NULL"}


def scalar(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar means."""
    first = text[:1]
    if first.isdigit() or first in "+-.":
        match = _NUMBER.fullmatch(text) if len(text) < 40 else None
        if match is not None and text:
            return int(text) if match.group(1) is not None else float(text)
    if text in _NULLS:
        return None
    return _WORDS.get(text, text)


class _Loader(yaml.CSafeLoader):
    """Composes without guessing types: that is `scalar`'s work."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own attribute)


_TAGS = {
    yaml.ScalarNode: "tag:yaml.org,2002:str",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
    yaml.MappingNode: "tag:yaml.org,2002:map",
}


def parse(content: bytes, file: str, report: Callable[[Problem], None]) -> Node | None:
    """Read one YAML document. Everything wrong goes to `report`; None when nothing can be used."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        report(Problem(file, line, 1, "", "the file is not UTF-8 text", "save it in the encoding UTF-8"))
        return None
    try:
        if len(text) > _DEPTH_SCAN_FROM:
            _refuse_depth(text)
        root = yaml.compose(text, Loader=_Loader)
    except _TooMuchError as error:
        report(error.problem(file))
        return None
    except yaml.MarkedYAMLError as error:
        report(_syntax_problem(error, file, text))
        return None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 1
        report(
            Problem(file, line, 1, "", "the file contains a control character", "remove it, or save the file as text")
        )
        return None
    if root is None:
        report(Problem(file, 1, 1, "", "the file is empty", "begin with `feed: name`"))
        return None
    try:
        return _Tree(file, report).node(root, "", None, 0)
    except _TooMuchError as error:
        report(error.problem(file))
        return None


class _TooMuchError(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line

    def problem(self, file: str) -> Problem:
        return Problem(file, self.line, 1, "", str(self), "write the values out; a feed needs a handful of levels")


def _refuse_depth(text: str) -> None:
    """The C composer recurses without a limit of its own; the event stream does not."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise _TooMuchError("values are nested too deeply", line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Tree:
    """Turns composed nodes into `Node`s, following aliases up to a limit."""

    def __init__(self, file: str, report: Callable[[Problem], None]) -> None:
        self.file = file
        self.report = report
        self.count = 0

    def node(self, found: yaml.Node, path: str, key: yaml.Node | None, depth: int) -> Node:
        self.count += 1
        mark = found.start_mark
        if self.count > _MAX_NODES:
            raise _TooMuchError(f"aliases make more than {_MAX_NODES:,} values out of this file", mark.line + 1)
        if depth > _MAX_DEPTH:
            raise _TooMuchError("an alias contains itself, or values are nested too deeply", mark.line + 1)
        at = mark if key is None else key.start_mark
        place = (self.file, mark.line + 1, mark.column + 1, at.line + 1, at.column + 1)
        if found.tag != _TAGS[type(found)]:
            tag = found.tag if found.tag.startswith("!") else "!!" + found.tag.rsplit(":", 1)[-1]
            self._problem(found, path, f"the YAML tag {tag[:60]} is not understood", "write the value without a tag")
        match found:
            case yaml.MappingNode():
                return Node(dict(self._pairs(found, path, depth)), *place)
            case yaml.SequenceNode():
                children = enumerate(found.value)
                return Node([self.node(child, f"{path}[{i}]", None, depth + 1) for i, child in children], *place)
            case yaml.ScalarNode():
                text, plain = found.value, not found.style  # libyaml says '' where PyYAML says None
                return Node(scalar(text) if plain else text, *place, text, text, plain)
            case _:
                raise AssertionError(f"YAML has no {type(found).__name__}")

    def _pairs(self, found: yaml.MappingNode, path: str, depth: int) -> Iterator[tuple[str, Node]]:
        seen: dict[str, int] = {}
        for key, value in found.value:
            if not isinstance(key, yaml.ScalarNode):
                hint = "text that begins with { or [ must stand in quotes"
                self._problem(key, path, "a key must be text, not a list or a mapping", hint)
                continue
            name = key.value
            below = f"{path}.{name}" if path else name
            if name in seen:
                message = f"the key '{name[:60]}' stands twice; the first is in line {seen[name]}"
                self._problem(key, below, message, "remove one of the two")
                continue
            seen[name] = key.start_mark.line + 1
            yield name, self.node(value, below, key, depth + 1)

    def _problem(self, found: yaml.Node, path: str, message: str, hint: str) -> None:
        mark = found.start_mark
        self.report(Problem(self.file, mark.line + 1, mark.column + 1, path, message, hint))


_SYNTAX = (
    # what the parser says (problem, or what it was doing), what is wrong, what to do
    ("nesting depth", "values are nested too deeply", "write the values out; a feed needs a handful of levels"),
    ("found undefined alias", "text that begins with * names an alias, and there is none", "put the text in quotes"),
    ("scanning an alias", "text that begins with * must stand in quotes", 'as in "*.csv"'),
    ("scanning an anchor", "text that begins with & must stand in quotes", 'as in "&text"'),
    ("found a tab", "a tab is used for indentation", "indent with blanks"),
    ("found character that cannot start any token", None, ("put text that begins with @, ` or % in quotes; "
     "indent with blanks, not tabs")),
    ("scanning a quoted scalar", "a quote is opened and not closed", "close the quote, or double a quote inside '…'"),
    ("mapping values are not allowed", "a ': ' stands where no key can be", ("put text that contains ': ' in quotes; "
     "check the indentation")),
    ("could not find expected ':'", "a key without ':'", "write `key: value`"),
    ("did not find expected ',' or '}'", "a { is opened and not closed, or text follows it", ("close it with }, or put "
     "text that begins with { in quotes")),
    ("did not find expected ',' or ']'", "a [ is opened and not closed, or text follows it", ("close it with ], or put "
     "text that begins with [ in quotes")),
    ("did not find expected key", "the line does not fit the ones above it", "check the indentation; text after a "
     "closing quote is not allowed"),
    ("did not find expected '-' indicator", "the line does not fit the list above it", "check the indentation"),
    ("but found another document", "the file has several documents (---)", "one feed, one file"),
    ("unknown escape character", "an unknown escape after \\ in double quotes", "use single quotes, or double the \\"),
)  # fmt: skip


def _syntax_problem(error: yaml.MarkedYAMLError, file: str, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = f"{error.context or ''} {error.problem or ''}".strip()
    written = text.splitlines()[line - 1][: column - 1].rstrip() if line <= len(text.splitlines()) else ""
    if "did not find expected key" in said and written.endswith(("}", "]")):
        hint = "put text that begins with { or [ in quotes"
        return Problem(file, line, column, "", f"not valid YAML: text follows a closing {written[-1]}", hint)
    for words, message, hint in _SYNTAX:
        if words in said:
            if "quote" in (message or "") and error.context_mark is not None:
                line, column = error.context_mark.line + 1, error.context_mark.column + 1
            return Problem(file, line, column, "", f"not valid YAML: {message or error.problem}", hint)
    return Problem(file, line, column, "", f"not valid YAML: {said}", "check indentation and quotes")
