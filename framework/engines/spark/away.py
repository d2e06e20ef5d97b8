"""Files that executors open and read by the law: nothing of what they hold passes the driver.

Spark hands a file's bytes over where they fit a record batch; larger ones, and those whose paths Spark would take for
patterns, executors open in their storage, and stream. A first job tells the files' layouts, a second one, which is part
of the query that writes rows, gives their records. What came of each file is a row behind its records: it is observed
while the others are written, and tells whether these were right.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from framework.engines.arrow_records import nested_columns
from framework.engines.executors import FACT, Task, as_away, open_files, opened_pieces, raise_told, read_files
from framework.engines.spark.files import FileRead, Frame
from framework.engines.spark.session import translated
from framework.engines.spark.shipping import Shipping
from framework.errors import LandfeedError, SourceChanged
from framework.feed import Feed
from framework.law.dialects import SPARK
from framework.law.layout import Layout
from framework.law.ready import beside
from framework.opening import Piece, SourceFile

__all__ = ["AWAY_FROM", "Away", "Executors", "frame_columns"]

AWAY_FROM = 4 << 20
"""Bytes of a batch from which its files are read by executors (`benchmarks.spark_threshold`)."""
_HANDED_UP_TO = 32 << 20
"""Bytes of a file up to which Spark hands over its content."""
_PLAIN_PATH = re.compile(r"(gs://)?[A-Za-z0-9_./=+@ -]+")
"""Paths that mean the same as a path, a Hadoop glob and a URI."""
_BESIDE = 1 << 20
"""Bytes of a control file that are handed over."""
_log = logging.getLogger(__name__)
Work = Callable[[Task, Iterable[Any]], Iterable[Any]]
Columns: TypeAlias = Mapping[str, str]
"""The columns of a DataFrame: Spark's types by name."""


class Executors:
    """Those of a session: opens files there, and reads them."""

    def __init__(self, session: Callable[[], Any], shipping: Shipping, start: int | None = None) -> None:
        self._session, self._shipping, self._from = session, shipping, start

    def open(self, feed: Feed, sources: Mapping[int, SourceFile], size: int) -> dict[int, list[Piece]]:
        """See `Ways.open_away`. Where executors cannot do it at all, the driver does, as ever, and that is logged."""
        if size < (AWAY_FROM if self._from is None else self._from):
            return {}
        task = Task(feed, sources, ())
        columns = {"_file": "int", "_piece": "binary", FACT: "string"}
        try:
            with translated(f"feed {feed.name}"):
                found = self._rows(task, open_files, columns).collect()
        except LandfeedError as error:
            if gone := [source.file.path for source in sources.values() if not source.is_there()]:
                raise SourceChanged(gone) from error
            _log.warning("feed %s: Spark's executors cannot open its files, so the driver does: %s", feed.name, error)
            return {}
        opened = opened_pieces(found)
        if opened.keys() != sources.keys():
            raise LandfeedError(f"feed {feed.name}: Spark opened {len(opened)} files of {len(sources)}", code="engine")
        return {index: [as_away(piece, source) for piece in opened[index]] for index, source in sources.items()}

    def records(self, feed: Feed, layout: Layout, files: Sequence[FileRead]) -> Any:
        """The records of files of one layout, and a row with `FACT` for each file."""
        bare = replace(layout, others=(), numbers=())
        pieces = {file.index: replace(file.bare_piece(), layout=bare) for file in files}
        sources = {file.index: file.piece.source for file in files}
        task = Task(feed, sources, (), pieces=pieces, layout=bare)
        return self._rows(task, read_files, frame_columns(feed, layout))

    def worked(self, data: Any, work: Work, task: Task, columns: Columns) -> Any:
        """What executors make of rows. Over Spark Connect their texts have a collation, which tables made of them would
        have too."""
        self._shipping.to(self._session())
        made = data.mapInArrow(_bound(work, task), ", ".join(f"{name} {type_}" for name, type_ in columns.items()))
        return made.selectExpr(*(f"CAST({name} AS {type_}) AS {name}" for name, type_ in columns.items()))

    def _rows(self, task: Task, work: Work, columns: Columns) -> Any:
        """What executors make of the task's files."""
        session, sources = self._session(), task.sources
        given = {index: source for index, source in sources.items() if _is_handed(source)}
        opened = sorted(sources.keys() - given.keys(), key=lambda index: -sources[index].file.size)
        found = []
        if given:
            paths = [source.in_place for source in given.values()]
            bare = {index: source.bare() for index, source in given.items()}
            its = replace(task, sources=bare, beside=_beside(task.feed, given))
            data = session.read.format("binaryFile").load(paths).select("path", "content")
            found.append(self.worked(data, work, its, columns))
        if opened:
            its = replace(task, sources={index: sources[index] for index in opened}, order=tuple(opened))
            data = session.range(0, len(opened), 1, len(opened))
            found.append(self.worked(data, work, its, columns))
        return found[0] if len(found) == 1 else found[0].union(found[1])


def frame_columns(feed: Feed, layout: Layout) -> Columns:
    """The columns of the records of files of one layout, and `FACT`."""
    always = {"_file": "int", "_block": "bigint", "_line": "bigint", "_record": "string", "_why": "string"}
    fields = {f"f{index}": "string" for index in layout.used}
    types = [(index, SPARK.type(column.type)) for index, column in nested_columns(feed)]
    nested = {f"{kind}{index}": type_ for index, type_ in types for kind in "nd"}
    return {**always, **fields, **nested, FACT: "string"}


def _bound(work: Work, task: Task) -> Callable[[Iterable[Any]], Iterable[Any]]:
    """A function of nothing but batches, which goes to executors as it is, with all that it needs."""

    def worked(batches: Iterable[Any]) -> Iterable[Any]:
        return work(task, batches)

    return worked


def _is_handed(source: SourceFile) -> bool:
    if source.is_member:
        return False
    return 0 < source.file.size <= _HANDED_UP_TO and _PLAIN_PATH.fullmatch(source.file.path) is not None


def _beside(feed: Feed, sources: Mapping[int, SourceFile]) -> dict[int, dict[str, bytes | None]]:
    """What stands beside files, where their feed has control files."""
    control = feed.source.control
    if control is None:
        return {}
    paths = {index: beside(source.file.path, control.file) for index, source in sources.items()}
    return {index: {path: sources[index].read_beside(path, _BESIDE)} for index, path in paths.items()}


class Away:
    """Files of one layout that executors read; `frame` has their records, None where all of them are rejected."""

    def __init__(self, executors: Executors, feed: Feed, layout: Layout, files: Sequence[FileRead]) -> None:
        from pyspark.sql import Observation

        self._executors, self._feed, self._layout, self._files = executors, feed, layout, files
        self._seen, self._settled = Observation(), False
        self._frame: Frame | None = None

    @property
    def frame(self) -> Frame | None:
        """Made when it is first asked for: Spark looks at each of the files for that."""
        if self._frame is None and self._files:
            self._frame = self._look()
        return self._frame

    def _look(self) -> Frame:
        from pyspark.sql import functions

        records = self._executors.records(self._feed, self._layout, self._files)
        if not self._settled:
            records = records.observe(self._seen, functions.collect_list(FACT).alias("facts"))
        return Frame(self._layout, records.where(f"{FACT} IS NULL").drop(FACT))

    def settle(self) -> bool:
        """Take in what came of the files, now that their rows have been written. Whether others are to be written
        instead: those of a file that is broken do not count. Raises SourceChanged and SetAside."""
        if self._settled:
            return False
        facts = {fact["file"]: fact for fact in map(json.loads, self._seen.get["facts"])}
        raise_told(facts.values())
        if facts.keys() != {file.index for file in self._files}:
            raise LandfeedError(f"Spark read {len(facts)} files of {len(self._files)}", "run again", code="engine")
        for file in self._files:
            fact = facts[file.index]
            file.rejected, file.read, file.no_rows = fact.get("rejected"), fact["read"], fact["no_rows"]
        sound = [file for file in self._files if file.rejected is None]
        broken, self._files, self._settled, self._frame = len(sound) < len(self._files), sound, True, None
        return broken
