"""Files that Spark's executors read: both engines give the same, nothing passes the driver, and executors need nothing
but what is shipped to them."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from framework.engines.spark import away, lines
from framework.names import File
from framework.storages.local import LocalStorage
from tests.engines.clustered import interpreter
from tests.engines.driving import Drive
from tests.engines.test_engines import CASES, compare_feeds, snapshot
from tests.spark_session import connect_server
from tests.support import REPOSITORY, Project
from tests.typed_files import WRITERS
from tests.workbooks import workbook

pytestmark = [pytest.mark.spark, pytest.mark.local_spark]
FEED = """\
feed: {name}
source: {{path: '${{landing}}/{name}/', format: {format}{more}}}
schema: {schema}
target: {{table: s.{name}, keys: [id]}}
quarantine: {{all_bad: load}}
"""
SCHEMA = "{id: bigint, name: string, list: 'array<int>', day: date}"


@pytest.fixture
def all_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Executors read batches of any size."""
    monkeypatch.setattr(away, "AWAY_FROM", 0)


def feed(name: str, format_: str, more: str = "", schema: str = SCHEMA) -> str:
    return FEED.format(name=name, format=format_, more=more, schema=schema)


CSV = b'id,name,list,day\n1,"a\nb","[1,2]",2026-01-31\n2,x,[3\n3,y,,2026-02-30\n1,last,,\nid,name,list,day\n'
JSON = b'{"id":1,"name":"x","list":[1]}\n{"id":"q"}\n{"id":2,\n"name":null,"more":1}\n{"id":3'


def zipped(content: bytes) -> bytes:
    with zipfile.ZipFile(stream := io.BytesIO(), "w") as archive:
        archive.writestr("a.txt", content)
    return stream.getvalue()


def packed(content: bytes, ending: str) -> dict[str, bytes]:
    """A file in all the ways in which files are packed, and some that are broken."""
    return {
        f"1.{ending}": content,
        f"2.{ending}.gz": gzip.compress(content),
        f"3.{ending}.bz2": bz2.compress(content),
        f"4.{ending}.zip": zipped(content),
        f"5 with blank.{ending}": content,
        f"6[1].{ending}": content,
        f"cut.{ending}.gz": gzip.compress(content * 999)[:-9],
        f"empty.{ending}": b"",
        f"other.{ending}": gzip.compress(content),
    }


LATIN = CSV.replace(b"x", "ü".encode("cp1252"))
SOME = {
    "j": (feed("j", "json"), packed(JSON, "json")),
    "c": (feed("c", "csv", ", encoding: [utf-8, windows-1252]"), packed(LATIN, "csv")),
}


def split(text: str) -> str:
    return text.split("\n", 1)[1]


@pytest.mark.torture
def test_packed_and_odd_files(spark: Any, all_away: None) -> None:
    """… and broken ones: rejected, with every row of theirs gone."""
    found = compare_feeds({name: (split(text), files) for name, (text, files) in SOME.items()})
    assert {name: len(found[name]["target"]) for name in SOME} == {"j": 2, "c": 1}


@pytest.mark.torture
def test_every_case_of_the_engines(spark: Any, all_away: None) -> None:
    compare_feeds(CASES)


# Nothing passes the driver


class Counted(LocalStorage):
    """Counts what this process reads of the files; executors have the storage that it is."""

    def __init__(self) -> None:
        self.read = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return LocalStorage, ()

    def open(self, file: File) -> BinaryIO:
        self.read += file.size
        return super().open(file)

    def read_range(self, file: File, start: int, length: int) -> bytes:
        self.read += length
        return super().read_range(file, start, length)


def of_every_format() -> Iterator[tuple[str, str, dict[str, bytes]]]:
    """Each format with a feed and two files."""
    yield "csv", feed("csv", "csv"), {"a.csv": CSV, "b.csv.gz": gzip.compress(CSV)}
    yield "zip", feed("zip", "csv"), {"a.zip": zipped(CSV), "b.zip": zipped(CSV.replace(b"2", b"7"))}
    yield "json", feed("json", "json"), {"a.json": JSON, "b.json": JSON}
    plain = feed("text", "text", schema="{id: {type: string, source_name: value}}")
    yield "text", plain, {"a.txt": b"x\ny\n", "b.txt": b"z"}
    fixed = "{id: {type: bigint, start: 1, width: 3}, name: {type: string, start: 4, width: 2}}"
    yield "fixed", feed("fixed", "fixed_width", schema=fixed), {"a.txt": b"  1ab\n  xcd\n", "b.txt": b"  2ef\n9\n"}
    xml = b"<all><row><id>1</id><name>x</name></row><row><id>q</id></row></all>"
    yield "xml", feed("xml", "xml"), {"a.xml": xml, "b.xml": xml.replace(b"1", b"2")}
    book = workbook({"all": [["id", "name"], [1, "x"], ["q", "y"]]})
    yield "excel", feed("excel", "excel"), {"a.xlsx": book, "b.xlsx": book}
    types = {"id": "bigint", "name": "string"}
    for format_, write in WRITERS.items():
        one, two = write(types, [{"id": 1, "name": "x"}]), write(types, [{"id": 2, "name": None}])
        yield str(format_), feed(str(format_), format_), {f"a.{format_}": one, f"b.{format_}": two}


@pytest.mark.torture
def test_nothing_passes_the_driver(spark: Any, all_away: None, tmp_path: Path) -> None:
    """From the threshold on, which is 0 here; below it all does."""
    counted = Counted()
    drive = Drive("spark", os.fspath(tmp_path), counted)
    for name, text, files in of_every_format():
        of = drive.feed(text)
        batch = [drive.land(of, file, content) for file, content in files.items()]
        staged = drive.stage(of, 1, batch)
        assert sum(outcome.rows.read for outcome in staged.manifest.outcomes), name
        assert (name, counted.read) == (name, 0)
    away.AWAY_FROM = 1 << 30
    drive.stage(of, 2, batch)
    assert counted.read >= sum(file.size for file in batch)


# Clusters


def loaded(project: Project, master: str, folder: str, memory: str = "1g", start: int = 0) -> dict[str, Any]:
    """What a load on a cluster prints."""
    import pyspark

    environ = {
        **os.environ,
        "PYTHONPATH": REPOSITORY,
        "PYSPARK_PYTHON": interpreter(folder),
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_HOME": os.path.dirname(pyspark.__file__),
        "SPARK_WORKER_DIR": os.path.join(folder, "work"),
    }
    if master.startswith("sc://"):
        environ["SPARK_REMOTE"] = master
    arguments = [master, memory, project.path("pipelines_config"), str(start)]
    command = [sys.executable, "-m", "tests.engines.clustered", *arguments]
    done = subprocess.run(command, env=environ, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def with_every_format(folder: Path, engine: str) -> Project:
    project = Project(os.fspath(folder / engine), engine=engine)
    for name, text, files in of_every_format():
        project.feed(name, text)
        for file, content in files.items():
            project.land(name, file, content)
    return project


def compare_with_embedded(folder: Path, master: str) -> None:
    ours, theirs = with_every_format(folder, "spark"), with_every_format(folder, "embedded")
    said = loaded(ours, master, os.fspath(folder))
    assert (said["there"], said["said"].count("so the driver does")) == (0, 0)
    expected = {each["feed"]: each for each in theirs.cli("run").document["feeds"]}
    for each in said["run"]["feeds"]:
        assert snapshot(ours, each) == snapshot(theirs, expected[each["feed"]]), each["feed"]


@pytest.mark.torture
@pytest.mark.local_spark
def test_a_cluster_of_processes(tmp_path: Path) -> None:
    compare_with_embedded(tmp_path, "local-cluster[2,1,1024]")


@pytest.mark.torture
@pytest.mark.local_spark
def test_a_server_of_spark_connect(tmp_path: Path) -> None:
    server = tmp_path / "server"
    server.mkdir()
    with connect_server(os.fspath(server), interpreter(os.fspath(server))) as address:
        compare_with_embedded(tmp_path, address)


@pytest.mark.torture
@pytest.mark.local_spark
def test_more_than_the_driver_has_memory_for(tmp_path: Path) -> None:
    """3 GB of JSON in 30 files with spark.driver.memory=1g, some rows of them bad."""
    project = Project(os.fspath(tmp_path / "large"), engine="spark")
    project.feed("large", feed("large", "json").replace("keys: [id]", "mode: append"))
    row = '{"id":%d,"name":"' + "x" * 980 + '"}\n'
    each = 100_000
    for number in range(30):
        with open(project.path("landing", "large", f"{number:02}.json"), "w", encoding="utf-8") as out:
            out.writelines(row % (number * each + at) for at in range(each - 1))
            out.write('{"id":"bad"}\n')
    said = loaded(project, "local[2]", os.fspath(tmp_path), memory="1g", start=8 << 20)["run"]["feeds"][0]
    figures = said["rows"]
    assert (figures["read"], figures["quarantined"], figures["inserted"]) == (30 * each, 30, 30 * (each - 1))
    assert project.rows("s.large__quarantine", "DISTINCT _line, _record") == [(str(each), '{"id":"bad"}')]


@pytest.mark.torture
def test_json_lines_are_split(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of which several tasks take lines: bad rows with the numbers of their lines, keys that come late, lines
    that are no records by themselves."""
    monkeypatch.setattr(lines, "LINES_FROM", 1)
    monkeypatch.setattr(away, "AWAY_FROM", 0)
    spark.conf.set("spark.sql.files.maxPartitionBytes", "4096")
    rows = ({"id": "q" if number % 333 == 7 else number, "name": f"x{number}"} for number in range(3000))
    good = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    files = {
        "a.json": good.encode(),
        "b.json": good.replace('"x17"', '"x17","more":1').encode(),
        "c.json": (good + '{"id":-1,"list":[1,2]}\n').encode(),
        "d.json": (good + '{"id":-2,\n"name":"two lines"}\n').encode(),
        "e.json": (good + '{"id":-3,\n').encode(),
        "f.json": ("\n\r\n" + good.replace("\n", "\r\n") + "nonsense\n").encode(),
        "g.json": ('{"name":"no key"}\n' * 9000 + good).encode(),
    }
    try:
        found = compare_feeds({"j": (split(feed("j", "json")), files)})
    finally:
        spark.conf.unset("spark.sql.files.maxPartitionBytes")
    assert len(found["j"]["quarantine"]) > 60
