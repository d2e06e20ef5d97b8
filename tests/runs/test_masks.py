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
from tests.telling.listener import listening

pytestmark = [pytest.mark.engines, pytest.mark.rarely]

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
target: {table: t.people, keys: [id], sequence_by: at, audit_columns: true, apply_as_deletes: "rank = -1"}
quarantine: {all_bad: load}
"""
VERSIONS = FEED.replace("people", "versions").replace("audit_columns: true", "audit_columns: true, scd_type: 2")
"""The same as a history, which remembers whole rows beside its target."""
HEADER = "id,email,phone,note,rank,at\n"
DAYS = [
    HEADER + "qzqzid1,qzqzann@x.org,qzqz5512,calm,1,2026-01-01\nqzqzid2,qzqznone,qzqz5513,calm,x,2026-01-01\n"
    "qzqzid1,qzqzann@y.org,qzqz5514,loud,1,2026-01-02\n",
    HEADER + "qzqzid3,,qzqz5515,qzqzodd,1,2026-01-03\nqzqzid4,qzqzeve@x.org,qzqz5516,drop,1,2026-01-03\n"
    'qzqzid5,"qzqzopen,qzqz5517\n',
    HEADER + "qzqzid1,qzqzann@x.org,,calm,5,2026-01-04\nqzqzid6,qzqz\u00e9@x.org,qzqz5518,calm,6,2026-01-04\n",
    HEADER + "qzqzid6,qzqz\u00e9@x.org,qzqz5518,calm,-1,2026-01-05\nqzqzid8,qzqzbob@x.org,,calm,-1,2026-01-05\n",
]
KILLED = HEADER + "qzqzid2{n},qzqzkim@x.org,qzqz552{n},loud,{n},2026-02-0{n}\nqzqzid9,qzqzno,,qzqzodd,y,2026-02-01\n"
STOPS = HEADER + "qzqzid7,qzqztom@x.org,qzqz5519,calm,500,2026-03-05\n"
PEPPER = "a pepper nobody knows"
KILLS = {"embedded": (4, 10), "spark": (7,)}
"""The boundaries at which processes end themselves: between bad rows and staging, and after the merge."""


def tell(project: Project, url: str) -> None:
    """Let everything be told of runs that can be."""
    environment = project.path("pipelines_config", "environments", "local.yml")
    with open(environment, "a", encoding="utf-8") as out:
        out.write("env_allowed: [PEPPER]\nreports: ./reports\nmetrics: ./landfeed.prom\n")
        out.write(f"notify: [{{url: '{url}', form: json}}]\nlineage: {{url: '{url}'}}\n")


@pytest.fixture(scope="module")
def said(engine: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A project through good days and bad ones, kills and replays, and all that was printed and posted meanwhile."""
    project, printed = Project(os.fspath(tmp_path_factory.mktemp("masks")), engine=engine), list[str]()
    config = project.path("pipelines_config")
    project.feed("people", FEED)
    project.feed("versions", VERSIONS)

    def run(*arguments: str) -> int:
        result = CliRunner().invoke(landfeed, ["--config", config, *arguments], env={"PEPPER": PEPPER})
        printed.append(result.output)
        return result.exit_code

    def land(name: str, text: str) -> None:
        for feed in ("people", "versions"):
            project.land(feed, name, text)

    with listening() as listener:
        tell(project, listener.url)
        for day, text in enumerate(DAYS):
            land(f"{day}.csv", text)
            if day == 1:  # a task at a time, as when processes die between them
                assert [run(task) for task in ("plan", "stage", "plan", "merge", "archive")] == [0] * 5
            else:
                assert run("run", "-v", "--log-format", "json") == 0
        for number, at in enumerate(KILLS[engine], start=1):
            land(f"killed{number}.csv", KILLED.replace("{n}", str(number)))
            script, environ = "tests/recovery/killed.py", {"PEPPER": PEPPER, "KILL_AT": str(at)}
            process = project.start("run", script=script, **environ)
            printed += process.communicate()
            assert process.returncode < 0
        assert run("run") == 0
        land("again.csv", DAYS[0])
        assert run("run") == 0
        assert run("replay", "people", "versions", "--file", "0.csv") == 0
        run("replay", "people", "--quarantined")
        run("quarantine", "people", "--export", project.path("exported.csv"))
        assert [run("rebuild", "people", "--swap"), run("maintain")] == [0, 0]
        land("stops.csv", STOPS)
        assert [run("plan", "--sql"), run("run")] == [0, 3]
        for told in ("show", "show --quarantine", "show --staging", "quarantine --all", "status", "history", "doctor"):
            assert run(*told.split()) in (0, 1)
        assert [run("docs"), run("docs", "--samples", "--out", project.path("samples"))] == [0, 0]
    printed += [json.dumps(document) for document in listener.heard]
    return project, "\n".join(printed)


def stored(project: Project) -> Iterator[tuple[str, str]]:
    """Every file of the project but landing and archive: its bytes, and what is in it when it is Parquet."""
    for folder, folders, names in os.walk(project.root):
        if folder == project.root:
            folders[:] = [name for name in folders if name not in ("landing", "archive")]
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as stream:
                content = stream.read()
            for encoding in ("latin-1", "utf-16-le"):
                yield path, content.decode(encoding, "ignore")
            if name.endswith(".parquet"):
                yield path, str(duckdb.execute(f"SELECT * FROM read_parquet('{path}')").fetchall())


def test_everything_that_is_written_was_looked_at(said: tuple[Project, str]) -> None:
    project, printed = said
    seen = {os.path.relpath(path, project.root) for path, _ in stored(project)}
    tables = {name.split("/_delta_log/")[0] for name in seen if "/_delta_log/" in name}
    of_feeds = {f"tables/t/{feed}{suffix}" for feed in ("people", "versions") for suffix in ("", *_BESIDE)}
    control = {f"tables/_landfeed/{name}" for name in ("files", "batches", "checks")}
    assert tables >= of_feeds | control
    assert {"landfeed.prom", "reports/latest.json", "site/index.html", "samples/index.html"} <= seen
    assert "eventType" in printed


_BESIDE = ("__staging", "__quarantine", "__cdc")


def test_no_file_holds_a_clear_value(said: tuple[Project, str]) -> None:
    project, _ = said
    assert [path for path, text in stored(project) if "qzqz" in text.lower()] == []


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
