"""Columns that come, go or change their names from one day to the next, through the real command line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import pytest

from framework.batch import Manifest
from tests.support import Project

pytestmark = [pytest.mark.engines, pytest.mark.rarely]


@dataclass(frozen=True, slots=True)
class Days:
    """A feed, and the files that land for it on each of two days."""

    first: Mapping[str, str]
    second: Mapping[str, str]
    schema: str = "{id: int, name: string}"
    target: str = ""
    contract: str = ""
    columns: tuple[str, ...] = field(default=("id", "name"))

    def text(self, name: str) -> str:
        contract = f"schema_contract: {{{self.contract}}}\n" if self.contract else ""
        return (
            f"feed: {name}\nsource: {{path: '${{landing}}/{name}/', format: csv}}\nschema: {self.schema}\n"
            f"target: {{table: s.{name}, keys: [id]{self.target}}}\n{contract}"
        )


_OLD, _NEW = {"1.csv": "id,name\n1,a\n"}, {"2.csv": "id,full name\n1,b\n2,c\n"}
_NOTED = "{id: int, name: string, note: string}"
FEEDS = {
    "renamed": Days(_OLD, _NEW),
    "told": Days(_OLD, _NEW, "{id: int, name: {type: string, source_name: [full name, name]}}"),
    "allowed": Days(_OLD, _NEW, contract="renamed_columns: set_null"),
    "within": Days({"1.csv": "id,name\n1,a\n", "2.csv": "id,full name\n1,b\n", "3.csv": "id,name\n2,c\n"}, {}),
    "gone": Days(_OLD, {"2.csv": "id\n1\n"}),
    "come": Days(_OLD, {"2.csv": "id,name,full name\n1,b,c\n"}),
    "kept": Days(
        {"1.csv": "id,name,note\n1,a,x\n2,b,y\n"},
        {"2.csv": "id,name\n1,c\n3,d\n", "3.csv": "id,note\n1,z\n2,\n"},
        _NOTED,
        contract="missing_columns: keep",
        columns=("id", "name", "note"),
    ),
    "only_keys": Days(_OLD, {"2.csv": "id\n1\n2\n"}, contract="missing_columns: keep"),
    "half_a_key": Days(
        {"1.csv": "id,part,name\n1,x,a\n1,,b\n"},
        {"2.csv": "id,name\n1,c\n2,d\n"},
        "{id: int, part: string, name: string}",
        ", null_keys: match",
        columns=("id", "part", "name"),
    ),
    "no_key": Days(_OLD, {"2.csv": "name\nb\n"}, target=", null_keys: match"),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    project: Project
    days: tuple[dict[str, dict[str, Any]], ...]

    def rows(self, name: str) -> list[tuple[Any, ...]]:
        return self.project.rows(f"s.{name}", ", ".join(FEEDS[name].columns))


KEPT = ("kept", "only_keys", "half_a_key", "told")
"""The feeds in which engines have a part: rows keep what they have."""


@pytest.fixture(scope="module")
def loaded(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """Two runs of the feeds about which headers are right, which is told above the engines."""
    return load(engine, os.fspath(tmp_path_factory.mktemp("columns")), {*FEEDS} - {*KEPT})


@pytest.fixture(scope="module")
def kept(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """Two runs of the others."""
    return load(engine, os.fspath(tmp_path_factory.mktemp("kept")), {*KEPT})


def load(engine: str, folder: str, names: Set[str]) -> Loaded:
    project = Project(folder, engine=engine)
    days = []
    for day in ("first", "second"):
        for name, feed in FEEDS.items():
            if name not in names:
                continue
            keys = "[id, part]" if "part" in feed.columns else "[id]"
            project.feed(name, feed.text(name).replace("keys: [id]", f"keys: {keys}"))
            for file, text in getattr(feed, day).items():
                project.land(name, file, text)
        report = project.cli("run").document["feeds"]
        days.append({feed["feed"]: feed for feed in report})
    return Loaded(project, tuple(days))


def test_a_renamed_column_rejects_the_file(loaded: Loaded) -> None:
    """Its values would have become NULL; the reason says what to write."""
    report = loaded.days[1]["renamed"]
    assert (report["status"], loaded.rows("renamed")) == ("rejected", [("1", "a")])
    reason = report["files"][0]["reason"]
    assert reason.startswith("'name', which the file before had, is gone, and 'full name' has come")
    assert "source_name: [full name, name] at the column name" in reason


def test_a_renamed_column_with_both_names_is_loaded(kept: Loaded) -> None:
    assert kept.rows("told") == [("1", "b"), ("2", "c")]
    assert kept.days[1]["told"]["warnings"] == []


def test_renamed_columns_may_be_set_null(loaded: Loaded) -> None:
    assert loaded.rows("allowed") == [("1", None), ("2", None)]
    assert loaded.days[1]["allowed"]["warnings"] == [
        "column 'name' is missing in 1 file: NULL or the default there",
        "column 'full name' is ignored in 1 file: not in the schema",
    ]


def test_the_file_before_may_be_in_the_same_batch(loaded: Loaded) -> None:
    assert [file["status"] for file in loaded.days[0]["within"]["files"]] == ["archived", "rejected", "archived"]
    assert loaded.rows("within") == [("1", "a"), ("2", "c")]


@pytest.mark.parametrize(("name", "row"), [("gone", ("1", None)), ("come", ("1", "b"))])
def test_what_only_comes_or_only_goes_is_no_new_name(loaded: Loaded, name: str, row: tuple[str, ...]) -> None:
    assert loaded.days[1][name]["status"] == "succeeded"
    assert loaded.rows(name) == [row]


def test_missing_columns_may_keep_what_is_there(kept: Loaded) -> None:
    """Rows of one key from files that lack different columns count one after the other."""
    assert kept.rows("kept") == [("1", "c", "z"), ("2", "b", None), ("3", "d", None)]
    rows = kept.days[1]["kept"]["rows"]
    assert (rows["inserted"], rows["updated"], rows["unchanged"]) == (1, 3, 0)
    assert "column 'note' is missing in 1 file: rows keep what they have" in kept.days[1]["kept"]["warnings"]


def test_a_row_of_nothing_but_its_key_changes_nothing(kept: Loaded) -> None:
    rows = kept.days[1]["only_keys"]["rows"]
    assert (rows["inserted"], rows["updated"], rows["unchanged"]) == (1, 0, 1)
    assert kept.rows("only_keys") == [("1", "a"), ("2", None)]


def test_where_null_keys_match_a_key_column_may_be_missing(kept: Loaded) -> None:
    assert kept.rows("half_a_key") == [("1", "x", "a"), ("1", None, "c"), ("2", None, "d")]


def test_one_key_column_must_be_there(loaded: Loaded) -> None:
    assert loaded.days[1]["no_key"]["status"] == "rejected"
    assert "there is no column 'id'" in loaded.days[1]["no_key"]["files"][0]["reason"]


@pytest.mark.rarely
def test_what_is_different_is_recorded_once_and_told(loaded: Loaded) -> None:
    """In the control table, the report, `status` and `history`; of files that go on as before nothing is told."""
    told = {
        "renamed": [("2.csv", "renamed?", "name", "name", "full name", "reject_file")],
        "allowed": [
            ("2.csv", "missing_column", "name", "string", None, "set_null"),
            ("2.csv", "new_column", "full name", None, None, "ignore"),
        ],
        "gone": [("2.csv", "missing_column", "name", "string", None, "set_null")],
        "come": [("2.csv", "new_column", "full name", None, None, "ignore")],
        "no_key": [("2.csv", "missing_column", "id", "int", None, "reject_file")],
    }
    columns = '"column", "from", "to", action'
    for feed, rows in told.items():
        query = f"CASE WHEN feed = '{feed}' THEN parse_filename(file) END AS f, kind, {columns}"
        recorded = loaded.project.rows("_landfeed.schema_changes", query)
        assert [row for row in recorded if row[0]] == rows
        report = loaded.days[1][feed]["schema_changes"]
        assert [(each["file"].rsplit("/", 1)[-1], *list(each.values())[1:]) for each in report] == rows
        assert loaded.days[0][feed]["schema_changes"] == []
        (status,) = loaded.project.cli("status", feed).document["feeds"]
        (last, *_) = loaded.project.cli("history", feed).document["batches"]
        assert status["schema_changes"] == last["schema_changes"] == report


def test_the_manifest_keeps_how_files_were_read(kept: Loaded) -> None:
    table = kept.project.table("s.told__staging")
    assert table is not None
    manifest = next(filter(None, (Manifest.from_json(entry.get("userMetadata")) for entry in table.history())))
    (outcome,) = manifest.outcomes
    assert (outcome.seen.header, outcome.seen.encoding) == (("id", "full name"), "utf-8")
    assert {"format": "csv", "sep": ",", "quote": '"', "null_values": [""]}.items() <= manifest.options.items()
