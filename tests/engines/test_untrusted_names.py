"""What a folder is called is no data, and no statement reaches for code or for this process."""

from __future__ import annotations

import os
from contextlib import closing

import duckdb
import pytest

from framework.engines.embedded import EmbeddedEngine
from tests.support import Project

FOLDERS = ["f0=666", "f1=evil", "filename=x", "id=666", "value=x"]
FEED = """\
feed: {name}
source: {{path: "${{landing}}/{name}/_path=1/_file=9/", format: {format}, recursive: true}}
schema: {{id: bigint, v: string}}
target: {{table: s.{name}, keys: [id]}}
"""


@pytest.fixture
def project(tmp_path: os.PathLike[str], engine: str) -> Project:
    return Project(os.fspath(tmp_path), engine=engine)


def loaded(project: Project, name: str, format_: str, files: dict[str, str]) -> list[tuple[str, ...]]:
    project.feed(name, FEED.format(name=name, format=format_))
    for file, text in files.items():
        project.land(name, f"_path=1/_file=9/{file}", text)
    report = project.cli("run", name)
    assert (report.code, report.feed["rows"]["read"]) == (0, len(files))
    return project.rows(f"s.{name}", "id, v")


@pytest.mark.engines
def test_folders_named_like_partitions_give_no_values(project: Project) -> None:
    csv = {f"{folder}/{number}.csv": f"id,v\n{number},good\n" for number, folder in enumerate(FOLDERS)}
    expected = [(str(number), "good") for number in range(len(FOLDERS))]
    assert loaded(project, "all_csv", "csv", csv) == expected
    folders = [*FOLDERS[:-1], 'line={"id":"666","v":"evil"}']
    json = {f"{folder}/{number}.json": f'{{"id": {number}, "v": "good"}}\n' for number, folder in enumerate(folders)}
    assert loaded(project, "all_json", "json", json) == expected


@pytest.mark.embedded
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_single_file_in_a_folder_named_like_a_partition(project: Project, folder: str) -> None:
    assert loaded(project, "one", "csv", {f"{folder}/a.csv": "id,v\n1,good\n"}) == [("1", "good")]


@pytest.mark.embedded
def test_a_json_file_in_a_folder_named_like_its_line(project: Project) -> None:
    files = {'line={"id":"666","v":"evil"}/a.json': '{"id": 1, "v": "good"}\n'}
    assert loaded(project, "one", "json", files) == [("1", "good")]


@pytest.mark.embedded
def test_a_batch_in_a_folder_named_like_a_column_of_ours(project: Project) -> None:
    files = {f"{number}.csv": f"id,v\n{number},good\n" for number in range(3)}
    assert loaded(project, "three", "csv", files) == [("0", "good"), ("1", "good"), ("2", "good")]


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SET memory_limit = '100GB'", "has been locked"),
        ("SET autoload_known_extensions = true", "has been locked"),
        ("SELECT * FROM visible", "does not exist"),
        ("SELECT * FROM read_xlsx('a.xlsx')", "does not exist|not in the catalog|not loaded|exists in"),
        ("INSTALL cowsay FROM community", "ommunity"),
    ],
)
def test_statements_that_reach_out(tmp_path: os.PathLike[str], engine: str, statement: str, said: str) -> None:
    visible = [(1,)]
    with closing(EmbeddedEngine(os.fspath(tmp_path))) as opened:
        connect = opened._connection
        with pytest.raises(Exception, match=said), connect() as connection:
            connection.execute(statement)
    assert visible
    assert duckdb.__version__
