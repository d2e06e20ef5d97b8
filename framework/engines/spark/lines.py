"""CSV files that Spark reads as lines, in parallel, and the two looks that it can take at them.

The first look takes for granted what is nearly always so: every line is a record, and only the first one of a
file is its header. What tells whether it was so is counted while the rows are written. The second look, the
survey, reads all lines once more. It is for files that are otherwise, and for bad rows, which are told with the
numbers of their lines.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from framework.engines.spark.away import Executors
from framework.engines.spark.encodings_sql import decoded_line, is_single_byte, is_undecodable, is_utf8
from framework.engines.spark.files import FileRead, Frame
from framework.engines.spark.lines_sql import is_open, line_field, line_fields, line_problem
from framework.feed import Feed
from framework.law.dialects import SPARK
from framework.law.layout import Layout
from framework.law.records.csv import read_records
from framework.law.staging import is_nested
from framework.opening import Compression, SourceFile

__all__ = ["PLAIN_PATH", "Lines", "file_of", "offsets"]

LINES_FROM = 8 << 20
"""Bytes from which a file is read by Spark itself."""
_BEGINNING = 1 << 16
PLAIN_PATH = re.compile(r"(gs://)?[A-Za-z0-9_./=+@-]+")
"""Paths that mean the same as a path, a Hadoop glob and a URI."""
_BLOCK = "concat(_file, ':', _start)"
"""SQL of the name of a line's block, in which the lines' ids ascend by one."""


def _breaks(beginning: bytes, feed: Feed) -> bool:
    """Whether a record of the beginning has a line break within quotes; then others will."""
    options = feed.source.csv
    if len(beginning) < _BEGINNING or not options.quote or options.quote.encode() not in beginning:
        return False
    whole = io.BytesIO(beginning[: beginning.rfind(b"\n") + 1])
    records = read_records(whole, encoding=feed.source.encodings[0], options=options, width=None)
    return any(record.fields is not None and ("\n" in record.raw or "\r" in record.raw) for record in records)


class Lines:
    """Files of one layout; `frame` has their records, as far as they are known."""

    @staticmethod
    def can_read(feed: Feed, source: SourceFile) -> bool:
        """Whether Spark can read the file, as far as can be told without looking at every line."""
        options, path, encoding = feed.source.csv, source.file.path, feed.source.encodings[0]
        if source.file.size < LINES_FROM or feed.source.only_by_law or not PLAIN_PATH.fullmatch(path):
            return False
        if not is_utf8(encoding) and not is_single_byte(encoding):
            return False
        if options.comment or options.escape != options.quote or Compression.of(path) is not Compression.NONE:
            return False
        if any(is_nested(column) for column in feed.columns):
            return False
        beginning = source.beginning(_BEGINNING)
        if beginning.removeprefix(codecs.BOM_UTF8).strip(b'"')[:4].lower() == b"sep=" or _breaks(beginning, feed):
            return False
        return not beginning.startswith(codecs.BOM_UTF8) or (options.header and is_utf8(encoding))

    @staticmethod
    def example(feed: Feed, layout: Layout) -> str:
        """The records of `lines` as a table of a query, for people."""
        options = feed.source.csv
        fields = ", ".join(f"{line_field(options, index)} AS f{index}" for index in range(len(layout.record)))
        return f"(SELECT *, {fields} FROM (SELECT value, {line_fields(options)} AS fields FROM lines))"

    def __init__(self, spark: Any, executors: Executors, feed: Feed, layout: Layout, files: Sequence[FileRead]) -> None:
        from pyspark.sql import Observation

        del executors  # they need no Python

        self._feed, self._layout, self.files = feed, layout, files
        self.surveyed = False
        indexes = {file.piece.source.in_place: str(file.index) for file in files}
        longest, encoding = feed.source.limits.record, feed.source.encodings[0]
        read = spark.read.text(list(indexes)).selectExpr(
            f"{file_of(indexes)} AS _file",
            "_metadata.file_block_start AS _start",
            "monotonically_increasing_id() AS _id",
            f"{decoded_line(encoding)} AS value",
            f"{is_undecodable(encoding)} AS _undecodable",
        )
        odd = f"_undecodable OR length(value) > {longest} OR {is_open(feed.source.csv)} AS _odd"
        self._lines = read.selectExpr("_file", "_start", "_id", "value", odd)
        self._headers = {file.index: file.piece.header.raw for file in files if file.piece.header is not None}
        self._seen = Observation()
        self.frame = self._first_look()

    def _first_look(self) -> Frame:
        is_header = self._is_header()
        figures = _exprs(
            records="count_if(value <> '')",
            headers="count_if(_header)",
            again=f"count_if({is_header} AND NOT _header)",
            odd="count_if(_odd)",
        )
        marked = self._lines.selectExpr("*", f"coalesce(_start = 0 AND {is_header}, false) AS _header")
        seen = marked.observe(self._seen, *figures)
        return self._records(seen.where("value <> '' AND NOT _header AND NOT _odd"), "_id")

    def _is_header(self) -> str:
        """SQL for: a line is its file's header, letter for letter."""
        headers = {index: SPARK.text(header) for index, header in self._headers.items()}
        return f"coalesce(value = {_choice(headers, '_file')}, false)"

    def _records(self, lines: Any, line: str) -> Frame:
        options, width = self._feed.source.csv, len(self._layout.record)
        fields = f"{line_fields(options)} AS fields"
        numbered = [f"{line_field(options, index)} AS f{index}" for index in self._layout.used]
        why = f"{line_problem(options, width)} AS _why"
        records = lines.selectExpr("_file", "_start AS _block", f"{line} AS _line", "value", fields)
        return Frame(self._layout, records.selectExpr("_file", "_block", "_line", "value AS _record", why, *numbered))

    def settle(self, clean: Mapping[str, int]) -> tuple[bool, set[int]]:
        """Take in what the look has told, now that its rows have been written, of which so many are clean. Whether
        others are to be written instead, and which files the law is to read, by position."""
        if self.surveyed:
            return False, set()
        held = self.first_look_holds()
        if held and self.first_look_tells_all(clean):
            return False, set()
        return not held, self.survey()

    def first_look_holds(self) -> bool:
        """Whether the files are as the first look took them to be, now that its rows have been written."""
        seen = self._seen.get
        return bool(seen) and (seen["headers"], seen["again"], seen["odd"]) == (len(self._headers), 0, 0)

    def first_look_tells_all(self, clean: Mapping[str, int]) -> bool:
        """Whether, besides, all records became clean rows (their number by file), so that no line's number is
        needed; then the files' records are counted with this."""
        its = {file.index: clean.get(file.file.shown, 0) for file in self.files}
        if self._seen.get["records"] - len(self._headers) != sum(its.values()):
            return False
        for file in self.files:  # no file has more rows than records, so if the sums are equal all of them are
            file.read = its[file.index]
        return True

    def survey(self) -> set[int]:
        """Look at every line: `frame` then has the lines' numbers, and the files' records are counted. Those whose
        indexes come back have records that are not lines, and are left out."""
        self.surveyed = True
        blocks = self._blocks()
        odd = {block["_file"] for block in blocks if block["odd"]}
        odd |= {file.index for file in self.files if _header_again(blocks, file.index)}
        headers: list[int] = []
        before: dict[str, str] = {}
        for file in self.files:
            its = sorted((block for block in blocks if block["_file"] == file.index), key=lambda block: block["_start"])
            if file.index not in odd:
                file.read = sum(block["records"] for block in its) - (file.index in self._headers)
                first = [block["first_record"] for block in its if block["first_record"] is not None][:1]
                headers += first if file.index in self._headers else []
            count = 1
            for block in its:
                before[f"{file.index}:{block['_start']}"] = str(count - block["first"])
                count += block["lines"]
        self.files = [file for file in self.files if file.index not in odd]
        keep = f"value <> '' AND _file IN ({', '.join(str(file.index) for file in self.files) or 'NULL'})"
        if headers:
            keep += f" AND _id NOT IN ({', '.join(map(str, headers))})"
        self.frame = self._records(self._lines.where(keep), f"_id + {_choice(before, _BLOCK)}")
        return odd

    def _blocks(self) -> list[Any]:
        """What the lines are, by file and block (as Spark splits files): how many of them, their first id, the
        first record's id, how many records, whether a line is not for Spark, how many are the header, and the
        first of those."""
        figures = _exprs(
            lines="count(*)",
            first="min(_id)",
            records="count_if(value <> '')",
            first_record="min(CASE WHEN value <> '' THEN _id END)",
            odd="bool_or(_odd)",
            headers=f"count_if({self._is_header()})",
            first_header=f"min(CASE WHEN {self._is_header()} THEN _id END)",
        )
        blocks: list[Any] = self._lines.groupBy("_file", "_start").agg(*figures).collect()
        return blocks


def _header_again(blocks: Iterable[Any], index: int) -> bool:
    """Whether a line of a file is its header, and not its first record."""
    its = sorted((block for block in blocks if block["_file"] == index), key=lambda block: block["_start"])
    first = next((block for block in its if block["first_record"] is not None), None)
    once = first is not None and first["first_header"] == first["first_record"]
    return int(sum(block["headers"] for block in its)) > once


def file_of(indexes: Mapping[str, str]) -> str:
    """SQL of the position of a line's file, given those of their paths."""
    return _choice(indexes, "regexp_replace(_metadata.file_path, '^(file|dbfs):/+', '/')")


def offsets(lines: Any, files: Sequence[int]) -> str:
    """SQL of what is to be added to a line's id to have its number in its file. All lines are looked at."""
    counted = lines.groupBy("_file", "_start").agg(*_exprs(lines="count(*)", first="min(_id)")).collect()
    before: dict[str, str] = {}
    for index in files:
        count = 1
        for block in sorted((each for each in counted if each["_file"] == index), key=lambda each: each["_start"]):
            before[f"{index}:{block['_start']}"] = str(count - block["first"])
            count += block["lines"]
    return _choice(before, _BLOCK)


def _choice(values: Mapping[Any, str], key: str) -> str:
    """SQL of the value that belongs to a key; NULL where there are none."""
    different = set(values.values())
    if len(different) == 1:
        return different.pop()
    pairs = ", ".join(f"{SPARK.text(name) if isinstance(name, str) else name}, {sql}" for name, sql in values.items())
    return f"map({pairs})[{key}]" if pairs else "NULL"


def _exprs(**named: str) -> list[Any]:
    from pyspark.sql import functions

    return [functions.expr(sql).alias(name) for name, sql in named.items()]
