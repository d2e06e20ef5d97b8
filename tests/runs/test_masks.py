"""The clear value of a masked column stands nowhere but in landing and archive."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator

import duckdb
import pytest
from click.testing import CliRunner

from framework.cli import landfeed
from tests.support import Project

FEED = """\
feed: people
source: {path: "${landing}/people/", format: csv, options: {escape: '"'}}
schema:
  id: {type: string, mask: {method: hmac_sha256, key: "${env:PEPPER}"}}
  email: {type: string, required: true, pattern: "^[^@]+@[^@]+$", mask: {method: sha256}}
  phone: {type: string, mask: {method: last, keep: 2}}
  note: {type: string, accepted_values: [calm, loud, drop], mask: {method: redact}}
  rank: int
  shout: {type: string, expr: "upper(email)", pattern: "^[A-Z@.]*$", mask: {method: redact}}
  at: timestamp
filter: "note <> 'drop'"
checks:
  - {name: phoned, expr: "phone is not null", action: warn}
  - {name: ranked, expr: "rank < 100", action: fail}
target: {table: t.people, keys: [id], sequence_by: at, audit_columns: true}
quarantine: {all_bad: load}
"""
HEADER = "id,email,phone,note,rank,at\n"
DAYS = [
    HEADER + "qzqzid1,qzqzann@x.org,qzqz5512,calm,1,2026-01-01\nqzqzid2,qzqznone,qzqz5513,calm,x,2026-01-01\n"
    "qzqzid1,qzqzann@y.org,qzqz5514,loud,1,2026-01-02\n",
    HEADER + "qzqzid3,,qzqz5515,qzqzodd,1,2026-01-03\nqzqzid4,qzqzeve@x.org,qzqz5516,drop,1,2026-01-03\n"
    'qzqzid5,"qzqzopen,qzqz5517\n',
    HEADER + "qzqzid1,qzqzann@x.org,,calm,5,2026-01-04\nqzqzid6,qzqz\u00e9@x.org,qzqz5518,calm,6,2026-01-04\n",
]
STOPS = HEADER + "qzqzid7,qzqztom@x.org,qzqz5519,calm,500,2026-01-05\n"
PEPPER = "a pepper nobody knows"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A project through good days and bad ones, and all that was printed meanwhile."""
    project = Project(os.fspath(tmp_path_factory.mktemp("masks")))
    environment = project.path("pipelines_config", "environments", "local.yml")
    with open(environment, "a", encoding="utf-8") as out:
        out.write("env_allowed: [PEPPER]\n")
    project.feed("people", FEED)
    printed: list[str] = []
    config = project.path("pipelines_config")

    def run(*arguments: str) -> int:
        result = CliRunner().invoke(landfeed, ["--config", config, *arguments], env={"PEPPER": PEPPER})
        printed.append(result.output)
        return result.exit_code

    for day, text in enumerate(DAYS):
        project.land("people", f"{day}.csv", text)
        if day == 1:  # a task at a time, as when processes die between them
            assert [run(task) for task in ("plan", "stage", "plan", "merge", "archive")] == [0] * 5
        else:
            assert run("run") == 0
    project.land("people", "again.csv", DAYS[0])
    assert run("run") == 0
    project.land("people", "stops.csv", STOPS)
    assert [run("plan", "--sql"), run("run")] == [0, 3]
    for arguments in (
        ["show"],
        ["show", "--quarantine"],
        ["show", "--staging"],
        ["quarantine"],
        ["status"],
        ["history"],
    ):
        assert run(*arguments) == 0
    return project, "\n".join(printed)


def stored(project: Project) -> Iterator[tuple[str, str]]:
    """Every file below the tables' root: its bytes, and what is in it when it is Parquet."""
    root = project.path("tables")
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as stream:
                yield path, stream.read().decode("latin-1")
            if name.endswith(".parquet"):
                yield path, str(duckdb.execute(f"SELECT * FROM read_parquet('{path}')").fetchall())


def test_no_table_holds_a_clear_value(said: tuple[Project, str]) -> None:
    project, _ = said
    found = [(path, text) for path, text in stored(project)]
    assert len(found) > 20
    assert [path for path, text in found if "qzqz" in text.lower()] == []


def test_nothing_that_was_printed_holds_one(said: tuple[Project, str]) -> None:
    _, printed = said
    assert "the check ranked failed in 1 row" in printed
    assert "rank = 500" in printed
    assert "qzqz" not in printed.lower()


def test_nor_the_key(said: tuple[Project, str]) -> None:
    project, printed = said
    pads = [bytes(byte ^ pad for byte in PEPPER.encode()).hex() for pad in (0x36, 0x5C)]
    for secret in (PEPPER, *pads):
        assert secret not in printed
        assert not any(secret in text for _, text in stored(project))


def test_the_target_holds_masks(said: tuple[Project, str]) -> None:
    project, _ = said
    key = hmac.new(PEPPER.encode(), b"qzqzid1", "sha256").hexdigest()
    email = hashlib.sha256(b"qzqzann@x.org").hexdigest()
    (row,) = [row for row in project.rows("t.people", "id, email, phone, note, rank, shout") if row[0] == key]
    assert row == (key, email, None, "***", "5", "***")


def test_the_quarantine_keeps_no_records(said: tuple[Project, str]) -> None:
    project, _ = said
    rows = project.rows("t.people__quarantine", "_record, to_json(_errors) AS errors")
    assert {record for record, _ in rows} == {"not kept: the feed has masked columns"}
    errors = [error for _, listed in rows for error in json.loads(listed)]
    assert {(error["code"], error["column"], error["value"]) for error in errors} >= {
        ("bad_value", "rank", "x"),
        ("pattern_mismatch", "email", None),
        ("not_accepted", "note", None),
    }


def test_what_came_of_the_checks_is_recorded(said: tuple[Project, str]) -> None:
    project, _ = said
    rows = project.rows("_landfeed.checks", 'feed, "check", action, rows_failed, passed')
    assert ("people", "ranked", "fail", "1", "false") in rows
    assert ("people", "phoned", "warn", "1", "false") in rows
    assert len(rows) == 10
