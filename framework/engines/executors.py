"""What Spark's executors do: open files and read their records by the law, where the bytes are.

These functions run in Python processes that have this package, pyarrow, and nothing else for certain: no Spark session,
no configuration. Whatever they need comes with the `Task`; what they find goes back as rows, and what came of each file
as a row of its own behind its records (`FACT`).
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from framework.engines.arrow_records import file_batches, record_batches, record_schema
from framework.errors import LandfeedError, MissingDependency, SetAside, SourceChanged
from framework.feed import Feed
from framework.law.layout import Layout
from framework.law.records import Record
from framework.law.records.json_lines import JsonLines, NotByItself
from framework.machine import own_folder
from framework.opening import BROKEN_FILE, FileRead, GivenFile, Piece, SourceFile, open_file, unreadable

__all__ = [
    "FACT",
    "Task",
    "as_away",
    "open_files",
    "opened_pieces",
    "plain_path",
    "raise_told",
    "read_files",
    "read_json_lines",
]

FACT = "_fact"
"""The column of what came of a file, as JSON; NULL for its records."""
Beside = Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done with which files, by position in the batch.

    A file comes as the row (path, content), or by its place in `order` (id), and is then opened in its storage.
    `beside` has what stands beside files. Where they are read, `pieces` has how they were opened, and `layout` is that
    of all of them.
    """

    feed: Feed
    sources: Mapping[int, SourceFile]
    order: tuple[int, ...]
    beside: Mapping[int, Beside] = field(default_factory=dict)
    pieces: Mapping[int, Piece] = field(default_factory=dict)
    layout: Layout = Layout((), ())

    def taken(self, batches: Iterable[Any], folder: str) -> Iterator[tuple[int, SourceFile]]:
        """The files of Arrow batches, one after another."""
        by_path = {source.file.path: index for index, source in self.sources.items()}
        for batch in batches:
            if "content" not in batch.schema.names:
                for place in batch.column("id").to_pylist():
                    index = self.order[place]
                    yield index, self.sources[index].elsewhere(folder)
                continue
            for path, content in zip(batch.column("path"), batch.column("content"), strict=True):
                index = by_path[plain_path(path.as_py())]
                yield index, GivenFile(self.sources[index], content.as_py(), self.beside.get(index, {}), folder)


def plain_path(path: str) -> str:
    """A path as storages have it, from one as Spark has it."""
    scheme, colon, rest = path.partition(":")
    return "/" + rest.lstrip("/") if colon and scheme in ("file", "dbfs") else path


def open_files(task: Task, batches: Iterable[Any]) -> Iterator[Any]:
    """For each file `_file`, `_piece` (its pieces, pickled), or what went wrong (`FACT`)."""
    import pyarrow as pa

    with own_folder() as folder:
        for index, source in task.taken(batches, folder):
            piece, fact = None, None
            try:
                opened = open_file(task.feed, index, source)
                piece = pickle.dumps([as_away(each, task.sources[index]) for each in opened])
            except LandfeedError as error:
                fact = json.dumps(_told(error))
            columns = [pa.array([index], pa.int32()), pa.array([piece], pa.binary()), pa.array([fact], pa.string())]
            yield pa.record_batch(columns, names=["_file", "_piece", FACT])


def as_away(piece: Piece, source: SourceFile) -> Piece:
    """A piece of a file that another process opened, for one that knows the file as this source."""
    its = piece.source.within(source) if piece.source.is_member else source
    return replace(piece, source=its, away=True)


def opened_pieces(rows: Iterable[Any]) -> dict[int, list[Piece]]:
    """The pieces that `open_files` gave, by their file's position. Raises as `raise_told` does."""
    found = list(rows)
    raise_told(json.loads(row[FACT]) for row in found if row[FACT] is not None)
    return {row["_file"]: pickle.loads(row["_piece"]) for row in found}  # noqa: S301 (our own code wrote it)


def read_files(task: Task, batches: Iterable[Any]) -> Iterator[Any]:
    """For each file its records as in a `Frame`, and a row with what came of it (`FACT`)."""
    import pyarrow as pa

    records = record_schema(task.feed, task.layout)
    schema = records.append(pa.field(FACT, pa.string()))
    with own_folder() as folder:
        for index, source in task.taken(batches, folder):
            file = FileRead(replace(task.pieces[index], source=source))
            fact: dict[str, Any] = {"file": index}
            try:
                for batch in file_batches(file, task.feed, records):
                    yield pa.record_batch([*batch.columns, pa.nulls(batch.num_rows, pa.string())], schema=schema)
            except BROKEN_FILE as error:
                fact["rejected"] = unreadable(error)
            except LandfeedError as error:
                fact |= _told(error)
            fact |= {"read": file.counted, "no_rows": file.no_rows}
            nulls = [pa.nulls(1, each.type) for each in records]
            yield pa.record_batch([*nulls, pa.array([json.dumps(fact)], pa.string())], schema=schema)


def read_json_lines(task: Task, batches: Iterable[Any]) -> Iterator[Any]:
    """For each line (`_file`, `_start`, `_line`, `value` in bytes) its record as in a `Frame`, and for each file a row
    with what came of these lines (`FACT`): how many records, how many lines that are none by themselves, and which new
    keys, with the place where they were first."""
    import pyarrow as pa

    records = record_schema(task.feed, task.layout)
    schema = records.append(pa.field(FACT, pa.string()))
    found: dict[int, _Found] = {}
    readers = {index: JsonLines(task.feed, _layout(piece)) for index, piece in task.pieces.items()}
    for batch in batches:
        for made in record_batches(_line_records(readers, batch, found), task.feed, task.layout, records):
            yield pa.record_batch([*made.columns, pa.nulls(made.num_rows, pa.string())], schema=schema)
    if found:
        facts = [json.dumps({"file": index, **asdict(each)}) for index, each in found.items()]
        nulls = [pa.nulls(len(facts), each.type) for each in records]
        yield pa.record_batch([*nulls, pa.array(facts, pa.string())], schema=schema)


def _layout(piece: Piece) -> Layout:
    return FileRead(piece).layout


@dataclass(slots=True)
class _Found:
    """What came of lines of one file; `new` are keys, each with where it was first: block and line."""

    read: int = 0
    odd: int = 0
    new: dict[str, tuple[int, int]] = field(default_factory=dict)


def _line_records(
    readers: Mapping[int, JsonLines], batch: Any, found: dict[int, _Found]
) -> Iterator[tuple[int, int, Record]]:
    columns = (batch.column(name).to_pylist() for name in ("_file", "_start", "_line", "value"))
    for index, start, line, value in zip(*columns, strict=True):
        its, reader = found.setdefault(index, _Found()), readers[index]
        try:
            record = reader.record(value, line)
        except NotByItself:
            its.odd += 1
            continue
        if record is not None:
            its.read += 1
            yield index, start, record
            if reader.new:
                its.new |= dict.fromkeys(reader.new, (start, line))
                reader.new.clear()


def _told(error: LandfeedError) -> dict[str, Any]:
    """An error as it goes back."""
    match error:
        case SourceChanged():
            return {"changed": list(error.paths)}
        case SetAside():
            return {"aside": dict(error.reasons)}
        case MissingDependency():
            return {"missing": [str(error.message), error.hint]}
        case _:
            return {"failed": [str(error.message), error.hint, error.code]}


def raise_told(facts: Iterable[Mapping[str, Any]]) -> None:
    """Raise what executors have met: SourceChanged with all files, SetAside with all, or another LandfeedError."""
    found = list(facts)
    if changed := [path for fact in found for path in fact.get("changed", ())]:
        raise SourceChanged(changed)
    if aside := {path: why for fact in found for path, why in fact.get("aside", {}).items()}:
        raise SetAside(aside)
    for fact in found:
        if "missing" in fact:
            message, hint = fact["missing"]
            raise MissingDependency(f"{message} on Spark's executors", hint)
        if "failed" in fact:
            message, hint, code = fact["failed"]
            raise LandfeedError(message, hint, code=code)
