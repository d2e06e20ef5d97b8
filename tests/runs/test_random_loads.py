"""Whole runs over files made of trouble, day after day: what stands in the tables is what the law reads, no word of a
file is nowhere, and every file is somewhere."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from framework.engines.spark import lines as spark_lines
from framework.feed import CsvOptions, Feed, Format
from framework.law.layout import Rejected
from framework.loader import load_project
from framework.opening import BROKEN_FILE, SourceFile, open_piece, unreadable
from framework.storages.local import LocalStorage
from tests.engines.test_trouble import texts
from tests.support import Project
from tests.trouble import ENCODINGS, MARK, some_file

pytestmark = pytest.mark.engines

FEED = """\
feed: {name}
source:
  path: ${{landing}}/{name}/
  format: {format}
  encoding: [{encoding}]{options}{most}
schema: {{a: string, b: {{type: string, required: true}}}}
schema_contract: {{renamed_columns: set_null}}
target: {{table: s.{name}, {target}}}
quarantine: {{all_bad: load}}
"""
TARGETS = {"append": "mode: append", "merge": "keys: [a], null_keys: match"}
OPTIONS = [CsvOptions(), CsvOptions(), CsvOptions(quote="'"), CsvOptions(sep=";"), CsvOptions(header=False)]
OPTIONS += [CsvOptions(quote=None), CsvOptions(escape="\\"), CsvOptions(comment="#"), CsvOptions(multiLine=False)]


@dataclass(slots=True)
class Told:
    """What the law says of a file: why it is rejected, its good rows, its bad ones as line and text, and the number of
    records that are no rows."""

    rejected: str | None = None
    good: list[tuple[str | None, ...]] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    no_rows: int = 0

    @property
    def read(self) -> int:
        return len(self.good) + len(self.bad) + self.no_rows


def by_law(feed: Feed, path: str) -> Told:
    storage = LocalStorage()
    file = storage.head(path)
    assert file is not None
    piece = open_piece(feed, 0, SourceFile(file, storage, os.path.dirname(path)))
    if isinstance(piece.layout, Rejected):
        return Told(piece.layout.reason)
    told = Told()
    try:
        for record in piece.records(feed, piece.layout):
            row = texts(piece.layout, record.fields) if record.fields is not None else (None, None)
            if record.no_row:
                told.no_rows += 1
            elif row[1] is None:  # malformed, or without the column that is required
                told.bad.append((record.line, record.raw))
            else:
                told.good.append(row)
    except BROKEN_FILE as error:
        return Told(unreadable(error))
    return told


@dataclass(slots=True)
class Fed:
    """A feed of a project, and all that was landed for it."""

    name: str
    format: Format
    encoding: str
    mode: str
    text: str
    options: CsvOptions
    landed: dict[str, bytes] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)

    def land(self, dice: Random, project: Project, day: int) -> None:
        (feed,) = load_project(project.path("pipelines_config"), "local", environ={}, feeds=[self.name]).feeds
        for number in range(dice.randrange(1, 10)):
            content = some_file(dice, self.format, self.encoding, marked=True)
            name = f"{day}_{number}.{self.format}"
            if dice.random() < 0.2:
                content, name = gzip.compress(content, mtime=0), f"{name}.gz"
                content = content[: -dice.randrange(1, 12)] if dice.random() < 0.2 else content
            content = b"" if dice.random() < 0.03 else content
            path = project.land(self.name, name, content)
            self.landed[name], self.told[name] = content, by_law(feed, path)

    def target(self) -> list[tuple[str | None, ...]]:
        rows = [row for name in sorted(self.told) for row in self.told[name].good]
        return rows if self.mode == "append" else [*dict(rows).items()]  # type: ignore[arg-type]

    def words(self) -> set[str]:
        """Words of files that are loaded which may be in no header and no comment."""
        found: set[str] = set()
        for name, content in self.landed.items():
            if self.told[name].rejected is None and self.format is Format.CSV and not self.options.comment:
                unpacked = gzip.decompress(content) if name.endswith(".gz") else content
                text = unpacked.decode(self.encoding, "replace").removeprefix("\ufeff").lstrip("\r\n")
                found |= {f"{name}:{word}" for word in MARK.findall(text)} if text.startswith("a") else set()
        return found


def some_feed(dice: Random, name: str) -> Fed:
    format_, mode = dice.choice([Format.CSV, Format.CSV, Format.JSON]), dice.choice(list(TARGETS))
    encoding, options = dice.choice(["utf-8", *ENCODINGS]), dice.choice(OPTIONS)
    given = {"sep": options.sep, "quote": options.quote or "", "header": options.header}
    given |= {"multiLine": options.multiLine, "escape": options.escape} if options.quote == '"' else {}
    given |= {"comment": options.comment} if options.comment else {}
    written = f"\n  options: {json.dumps(given)}" if format_ is Format.CSV else ""
    most = f"\n  max_files_per_batch: {dice.randrange(1, 5)}" if dice.random() < 0.3 else ""
    text = FEED.format(name=name, format=format_, encoding=encoding, options=written, most=most, target=TARGETS[mode])
    return Fed(name, format_, encoding, mode, text, options)


def check(project: Project, fed: Fed) -> None:
    rows = project.rows(f"s.{fed.name}", "a, b")
    assert Counter(rows) == Counter(fed.target())
    bad = project.rows(f"s.{fed.name}__quarantine", "split_part(_source_file, '/', -1) f, _line, _record")
    expected = Counter((name, str(line), raw) for name, told in fed.told.items() for line, raw in told.bad)
    assert Counter(bad) == expected
    if fed.mode == "append":
        kept = "".join(f"{a} {b}" for a, b in rows) + "".join(raw for _, _, raw in bad)
        assert {word for word in fed.words() if word.split(":")[1] not in kept} == set()


def check_files(project: Project, fed: Fed, reports: list[dict[str, Any]]) -> None:
    """Every file is in the archive, or with those that are rejected, with its bytes."""
    assert project.files(f"landing/{fed.name}") == []
    there: dict[str, set[str]] = {"archived": set(), "rejected": set()}
    for folder, status in ((f"archive/{fed.name}", "archived"), (f"archive/_rejected/{fed.name}", "rejected")):
        for path in project.files(folder):
            name = os.path.basename(path)
            with open(project.path(folder, path), "rb") as kept:
                assert kept.read() == fed.landed[name]
            there[status].add(name)
    rejected = {name for name, told in fed.told.items() if told.rejected is not None}
    assert there == {"archived": set(fed.landed) - rejected, "rejected": rejected}
    for report in reports:
        told = fed.told[os.path.basename(report["file"])]
        assert (report["status"] == "rejected", report["rows_read"]) == (
            told.rejected is not None,
            told.read,
        ), report
        assert report["reason"] == told.rejected


def load(project: Project, seed: int, feeds: int, days: int) -> None:
    dice = Random(f"loads {seed}")
    fed = [some_feed(dice, f"f{number}") for number in range(feeds)]
    for each in fed:
        project.feed(each.name, each.text)
    os.remove(project.path("pipelines_config", "feeds", "activity.yml"))
    for day in range(days):
        for each in fed:
            each.land(dice, project, day)
        result = project.cli("run")
        assert result.code in (0, 3), result.document
        reports = {report["feed"]: report["files"] for report in result.document["feeds"]}
        for each in fed:
            check(project, each)
            check_files(project, each, reports[each.name])
    assert project.cli("run").document["status"] == "nothing_to_do"


@pytest.mark.embedded
@pytest.mark.parametrize("seed", range(2))
def test_random_loads(project: Project, seed: int) -> None:
    load(project, seed, feeds=4, days=1)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(100, 160))
@pytest.mark.embedded
def test_many_random_loads(project: Project, seed: int) -> None:
    load(project, seed, feeds=6, days=3)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(200, 203))
def test_some_random_loads_on_spark(project: Project, engine: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_lines, "LINES_FROM", 1)
    load(project, seed, feeds=4, days=2)
