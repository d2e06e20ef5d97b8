"""What was found as a feed file, with what the samples do not tell as comments. No value of them stands in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from framework.feed import CsvOptions, Format, Negative, Numbers
from framework.infer.columns import Column
from framework.infer.digits import habits
from framework.infer.keys import Keys
from framework.infer.names import Pattern
from framework.infer.reading import Reading
from framework.law.layout import same_name
from framework.loader import yaml_text
from framework.types import Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["Findings", "numbers_text", "written"]

_WIDTH = 78


@dataclass(frozen=True, slots=True)
class Findings:
    """All that the samples told. `null_words` stand for NULL, `left_out` are headers that stand in a file twice."""

    name: str
    path: str
    reading: Reading
    columns: tuple[Column, ...]
    keys: Keys
    sequence: int | None
    null_words: tuple[str, ...]
    files: Pattern
    left_out: tuple[str, ...]
    schema: str | None


def written(found: Findings) -> str:
    """The text of the feed file."""
    return "\n".join([*_head(found), *_source(found), *_schema(found), *_target(found), ""])


def _head(found: Findings) -> Iterator[str]:
    if found.schema:
        yield f"# yaml-language-server: $schema={found.schema}"
    yield "# Inferred from samples. Comments say what they do not tell: look at them."
    yield f"feed: {found.name}"


def _source(found: Findings) -> Iterator[str]:
    reading, files = found.reading, found.files
    yield "source:"
    yield f"  path: {yaml_text(found.path)}"
    yield f"  format: {reading.format}"
    yield f"  files: {yaml_text(files.files)}"
    if reading.members:
        yield f"  members: {yaml_text(reading.members)}"
    if files.order_by:
        yield f"  order_by: {files.order_by}"
    if reading.encodings != ("utf-8",):
        if reading.encodings[-1] in ("windows-1252", "iso-8859-1"):
            yield from _comment("  ", "no UTF-8; which of the 8-bit encodings it is, bytes do not tell")
        yield f"  encoding: [{', '.join(map(yaml_text, reading.encodings))}]"
    if found.null_words:
        yield f"  null_values: [{', '.join(map(_quoted, ('', *found.null_words)))}]"
    yield from _habits(found)
    if reading.format is Format.CSV:
        yield from _options(reading.csv)
    if any(_is_moment(column) for column in found.columns):
        yield from _comment("  ", "timezone: Europe/Rome   (of times that carry no zone; UTC, if not given)")


def _habits(found: Findings) -> Iterator[str]:
    """How the files are written beyond what their format says."""
    reading = found.reading
    if reading.records is not None:
        yield f"  records: {yaml_text(reading.records)}"
    for other in reading.rows_in:
        yield from _comment("  ", f"records: {yaml_text(other)}   (if each file is one answer, and the rows are there)")
    if reading.sheet is not None:
        yield f"  sheet: {yaml_text(reading.sheet)}"
    if reading.skip_lines is None:
        yield "  until_header: true"
    elif reading.skip_lines:
        yield f"  skip_lines: {reading.skip_lines}"
    if reading.trailer is not None:
        count = f", count: {reading.trailer.count}" if reading.trailer.count is not None else ""
        yield f"  trailer: {{starts_with: {_quoted(reading.trailer.starts_with)}{count}}}"
    if reading.fill:
        yield "  short_rows: fill"
    if (numbers := _common_numbers(found)) is not None:
        yield f"  numbers: {numbers_text(numbers)}"


def _common_numbers(found: Findings) -> Numbers | None:
    """How numbers are written in all columns; None where some are plain ones that would be read otherwise then."""
    numbers = [column for column in found.columns if _is_number(column)]
    ways = {column.numbers for column in numbers if column.numbers is not None}
    way = ways.pop() if len(ways) == 1 else None
    plain = [column.type()[0] for column in numbers if column.numbers is None]
    fits = way is not None and Negative.LEADING in way.negative and all(each == Scalar("bigint") for each in plain)
    return way if fits or not plain else None


def _is_number(column: Column) -> bool:
    type_ = column.type()[0]
    return isinstance(type_, Decimal) or type_ in (Scalar("bigint"), Scalar("double"))


def numbers_text(numbers: Numbers) -> str:
    """How numbers are written, as it stands in a feed file."""
    listed = (
        f"{name}: [{', '.join(value)}]" if isinstance(value, list) else f"{name}: {_quoted(value)}"
        for name, value in habits(numbers)
    )
    return f"{{{', '.join(listed)}}}"


def _options(csv: CsvOptions) -> Iterator[str]:
    default = CsvOptions()
    options = {name: getattr(csv, name) for name in ("sep", "quote", "escape", "comment", "header")}
    given = {name: value for name, value in options.items() if value != getattr(default, name)}
    if csv.quote is None:
        given = {name: value for name, value in given.items() if name != "escape"}
    if given:
        if not csv.header:
            yield from _comment("  ", "there is no header: columns are told by their position alone")
        listed = (f"{name}: {_option(value)}" for name, value in given.items())
        yield f"  options: {{{', '.join(listed)}}}"


def _option(value: str | bool | None) -> str:
    return "false" if value is False else '""' if value is None else _quoted(str(value))


def _schema(found: Findings) -> Iterator[str]:
    yield "schema:"
    for column in found.columns:
        for doubt in column.doubts():
            yield from _comment("  ", f"{yaml_text(column.name)}: {doubt}")
        yield f"  {yaml_text(column.name)}: {_column(column, found)}"
    for header in found.left_out:
        yield from _comment("  ", f"left out, because it stands in the header more than once: {yaml_text(header)}")
    if found.files.order_by:
        capture = found.files.order_by
        yield from _comment("  ", f"{capture}: {{type: {found.files.type}, from_file: {capture}}}   (the file's own)")


def _column(column: Column, found: Findings) -> str:
    (type_, formats), reading = column.type(), found.reading
    text = _type(type_)
    by_name = reading.csv.header and reading.format is not Format.FIXED_WIDTH
    named = same_name(column.header) == same_name(column.name) or not by_name
    place = next((each for each in reading.places if each.name == column.header), None)
    numbers = column.numbers if _common_numbers(found) is None else None
    if named and not formats and place is None and numbers is None:
        return yaml_text(text)
    parts = [f"type: {_quoted(text) if '(' in text or '<' in text else text}"]
    if not named:
        parts.append(f"source_name: [{_quoted(column.header)}]")
    if formats:
        listed = ", ".join(map(_quoted, formats))
        parts.append(f"format: {listed if len(formats) == 1 else f'[{listed}]'}")
    if numbers is not None:
        parts.append(f"numbers: {numbers_text(numbers)}")
    if place is not None:
        parts.append(f"start: {place.start}, width: {place.width}")
    return f"{{{', '.join(parts)}}}"


def _target(found: Findings) -> Iterator[str]:
    names = [column.name for column in found.columns]
    yield "target:"
    yield f"  table: main.{found.name}"
    keys = found.keys
    if not keys.columns:
        yield from _comment("  ", "no column is unique in the samples, so rows are only added; if rows are updated")
        yield from _comment("  ", "or sent again, take mode: merge with keys: [the columns that identify a row]")
        yield "  mode: append"
        return
    for also in keys.also:
        yield from _comment("  ", f"unique too: {', '.join(yaml_text(names[index]) for index in also)}")
    yield f"  keys: [{', '.join(yaml_text(names[index]) for index in keys.columns)}]"
    if found.sequence is None:
        yield from _comment("  ", "sequence_by: a column that says which of two rows with the same key is newer")
    else:
        yield f"  sequence_by: {yaml_text(names[found.sequence])}"


def _is_moment(column: Column) -> bool:
    return column.type()[0] == Scalar("timestamp")


def _comment(indent: str, text: str) -> Iterator[str]:
    """Lines of a comment, broken between words."""
    line = ""
    for word in text.split(" "):
        if line and len(indent) + 2 + len(line) + 1 + len(word) > _WIDTH:
            yield f"{indent}# {line}"
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield f"{indent}# {line}"


def _quoted(text: str) -> str:
    """Text in double quotes, in which no reference is meant."""
    escaped = re.sub(r"\$+\{", lambda found: "$" + found.group(), text)
    return json.dumps(escaped, ensure_ascii=False)


def _type(type_: DataType) -> str:
    """A type as the schema takes it; names of members that are no words are in backquotes."""
    match type_:
        case Array(element):
            return f"array<{_type(element)}>"
        case Map(key, value):
            return f"map<{_type(key)},{_type(value)}>"
        case Struct(members):
            return f"struct<{','.join(f'{_member(name)}:{_type(member)}' for name, member in members)}>"
        case _:
            return str(type_)


def _member(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else f"`{name}`"
