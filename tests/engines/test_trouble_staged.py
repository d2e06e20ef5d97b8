"""Whatever files hold, what an engine stages and quarantines are the records that the law reads, one by one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from random import Random

import pytest

from framework.engines.spark import lines as spark_lines
from framework.feed import CsvOptions, Feed, Format
from framework.names import File
from framework.opening import SourceFile
from framework.storages.local import LocalStorage
from tests.engines.driving import Drive
from tests.engines.test_trouble import OPTIONS, Records, by_law
from tests.trouble import ENCODINGS, some_file

pytestmark = pytest.mark.engines
FEED = """\
feed: {name}
source: {{path: '${{landing}}/{name}/', format: {format}, encoding: [{encoding}]{options}}}
schema: {{a: string, b: string}}
schema_contract: {{renamed_columns: set_null}}
target: {{table: s.{name}, mode: append}}
quarantine: {{all_bad: load}}
"""
FILES = {"embedded": 2000, "spark": 340}
"""Files of a format in an encoding in the torture run: 12,000, and 2,040 on Spark."""
PER_BATCH = 350


@pytest.fixture(scope="module")
def drive(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drive]:
    made = Drive(engine, os.fspath(tmp_path_factory.mktemp(engine)))
    yield made
    made.close()


@pytest.fixture
def lines_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark reads small files by itself too."""
    monkeypatch.setattr(spark_lines, "LINES_FROM", 1)


def yaml(options: CsvOptions) -> str:
    """The options of a CSV file as a feed has them (in JSON, which is YAML)."""
    if options == CsvOptions():
        return ""
    given = {"sep": options.sep, "quote": options.quote or "", "header": options.header}
    return f", options: {json.dumps(given)}"


def landed(drive: Drive, feed: Feed, format_: Format, encoding: str, seeds: range) -> list[File]:
    contents = ((seed, some_file(Random(f"{seed} {format_} {encoding}"), format_, encoding)) for seed in seeds)
    return [drive.land(feed, f"{seed:05}.txt", content) for seed, content in contents]


def by_engine(drive: Drive, feed: Feed, files: list[File]) -> list[Records]:
    """What stands in the tables of each file once the batch is staged; its rows are sorted."""
    outcomes = drive.stage(feed, 1, files).manifest.outcomes
    rows: dict[str, list[tuple[str | None, ...]]] = {}
    for name, *values in drive.rows(feed.target.staging, "_source_file, a, b"):
        rows.setdefault(name, []).append(tuple(values))
    bad: dict[str, list[tuple[int | None, str, str]]] = {}
    columns = "_source_file, _line, _record, _errors[1].message m, _errors[1].code c, length(_errors) n"
    for name, line, record, why, code, number in drive.rows(feed.quarantine.table, columns):
        assert (code, number) == ("malformed_record", "1")
        bad.setdefault(name, []).append((int(line), record, why))
    found: list[Records] = []
    for outcome in outcomes:
        its = rows.get(outcome.file.path, []), bad.get(outcome.file.path, [])
        assert outcome.rows.read == len(its[0]) + len(its[1]) + outcome.rows.filtered
        found.append((outcome.rejected, sorted(its[0], key=str), sorted(its[1], key=str)))
    return found


def compare(drive: Drive, format_: Format, encoding: str, options: CsvOptions, seeds: range) -> None:
    name = f"{format_}_{encoding.replace('-', '_')}_{OPTIONS[format_].index(options)}_{seeds.start}"
    text = FEED.format(name=name, format=format_, encoding=encoding, options=yaml(options))
    feed = drive.feed(text)
    files = landed(drive, feed, format_, encoding, seeds)
    found, storage, folder = by_engine(drive, feed, files), LocalStorage(), os.path.dirname(files[0].path)
    for index, (file, records) in enumerate(zip(files, found, strict=True)):
        why, rows, malformed = by_law(feed, index, SourceFile(file, storage, folder))
        assert (file.name, *records) == (file.name, why, sorted(rows, key=str), sorted(malformed, key=str))


@pytest.mark.parametrize(
    ("format_", "encoding"),
    [(Format.CSV, "utf-8"), pytest.param(Format.CSV, "utf-16", marks=pytest.mark.rarely), (Format.JSON, "utf-8")],
)
def test_a_few_files(drive: Drive, lines_of_any_size: None, format_: Format, encoding: str) -> None:
    compare(drive, format_, encoding, OPTIONS[format_][0], range(40))


@pytest.mark.torture
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("format_", OPTIONS)
def test_many_files(drive: Drive, lines_of_any_size: None, format_: Format, encoding: str) -> None:
    each = FILES[drive.kind] // len(OPTIONS[format_])
    for number, options in enumerate(OPTIONS[format_]):
        first, last = 1000 + number * each, 1000 + number * each + each
        for start in range(first, last, PER_BATCH):
            compare(drive, format_, encoding, options, range(start, min(start + PER_BATCH, last)))
