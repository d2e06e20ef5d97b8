"""A value that comes from an environment variable of a feed, or a credential, stands nowhere afterwards."""

from __future__ import annotations

import json
import os

import duckdb
import pytest

from framework.errors import LandfeedError
from framework.names import Secrets
from tests.support import ACTIVITY, HEADER, Project

SECRET = "hunter2 'and' \"quotes\" Größe"  # noqa: S105
FEED = ACTIVITY.format(name="a").replace("format: csv", 'format: csv\n  null_values: ["", "${env:LANDFEED_SECRET}"]')
ENVIRONMENT = """\
engine: embedded
env_allowed: [LANDFEED_SECRET]
variables: {landing: ./landing, archive: ./archive}
tables: {root: ./tables}
"""


@pytest.fixture
def project(tmp_path: os.PathLike[str]) -> Project:
    project = Project(os.fspath(tmp_path))
    project.write("pipelines_config/environments/local.yml", ENVIRONMENT)
    project.feed("a", "description: 'of ${env:LANDFEED_SECRET}'\n" + FEED)
    return project


def printed(project: Project, *arguments: str, **environ: str) -> str:
    """All that a command writes to stdout and stderr, as text and as JSON."""
    said = ""
    for output in ("text", "json"):
        out, err = project.start(*arguments, "--output", output, **environ).communicate(timeout=120)
        said += out + err
    return said


def content_of(path: str) -> bytes:
    """The bytes of a file; of a Parquet file, whose values are packed, these as text as well."""
    with open(path, "rb") as stream:
        content = stream.read()
    if path.endswith(".parquet"):
        rows = duckdb.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM '{path}'").fetchall()
        content += repr(rows).encode() + "".join(str(value) for row in rows for value in row).encode()
    return content


def holders(root: str, secret: str) -> list[str]:
    """The files below a folder that hold the secret in some spelling."""
    spellings = {secret.encode(), json.dumps(secret)[1:-1].encode(), repr(secret)[1:-1].encode(), b"hunter2"}
    found = []
    for at, _, names in os.walk(root):
        for name in names:
            content = content_of(os.path.join(at, name))
            if any(spelling in content or spelling in name.encode() for spelling in spellings):
                found.append(os.path.join(at, name))
    return found


def test_a_run_leaves_a_secret_nowhere(project: Project) -> None:
    project.write(
        "pipelines_config/environments/local.yml", ENVIRONMENT + "reports: ./reports\nmetrics: ./metrics.prom\n"
    )
    project.land("a", "a.csv", HEADER + "1,login,2026-01-01\n2,x,broken\n")
    project.land("a", "b.csv", "nothing,here\n")
    said = ""
    for command in ("validate", "show-config", "plan", "run", "status", "history", "show"):
        arguments = [command, "a"] if command == "show-config" else [command]
        said += printed(project, *arguments, LANDFEED_SECRET=SECRET)
    assert "hunter2" not in said
    assert "${env:LANDFEED_SECRET}" in said, "the plan has it in its SQL"
    assert holders(project.root, SECRET) == []
    assert project.rows("analytics.a", "event") == [("login",)]
    assert project.files("reports")


def test_a_secret_in_packed_values_is_found(project: Project) -> None:
    """What the test above looks with."""
    path = project.path("x.parquet")
    duckdb.execute(f"COPY (SELECT ? AS v FROM range(100)) TO '{path}' (COMPRESSION zstd)", [SECRET])
    assert holders(project.root, SECRET) == [path]


def test_a_failure_that_quotes_a_secret_is_recorded_without_it(project: Project) -> None:
    """What an engine says of a statement may hold parts of it."""
    error = LandfeedError(f"cannot run SELECT {SECRET!r}", f"look at {SECRET}")
    error.hide(Secrets({"${env:S}": SECRET}).hide)
    assert (error.failure.message, error.failure.hint) == ("cannot run SELECT '${env:S}'", "look at ${env:S}")
    assert "hunter2" not in str(error)


@pytest.mark.parametrize("spelling", [SECRET, SECRET.replace("'", "''"), json.dumps(SECRET), repr(SECRET)])
def test_spellings_of_a_secret(spelling: str) -> None:
    assert "hunter2" not in Secrets({"***": SECRET}).hide(f"<{spelling}>")


def test_a_short_value_is_no_secret() -> None:
    assert Secrets({"***": "a"}).hide("a table") == "a table"


def test_a_key_in_place_of_its_path_is_not_shown(project: Project) -> None:
    key = json.dumps({"type": "service_account", "private_key": "-----BEGIN hunter2", "at": "https://x//y"})
    project.write(
        "pipelines_config/environments/local.yml",
        ENVIRONMENT.replace("./landing", "gs://bucket/landing").replace("./archive", "gs://bucket/archive")
        + "gcs: {credentials: '${env:LANDFEED_KEY}'}\n",
    )
    said = printed(project, "run", LANDFEED_SECRET=SECRET, LANDFEED_KEY=key, STORAGE_EMULATOR_HOST="")
    assert "hunter2" not in said
    assert "gcs.credentials is not the path of a key file; is it the key itself?" in said
    wrong = printed(project, "run", LANDFEED_SECRET=SECRET, LANDFEED_KEY="/nowhere/hunter2", STORAGE_EMULATOR_HOST="")
    assert "the key file ${env:LANDFEED_KEY} cannot be read" in wrong
    assert "hunter2" not in wrong


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("${landing}/a/", "${landing}/${env:LANDFEED_SECRET}/", "source.path"),
        ("table: analytics.a", "table: analytics.${env:LANDFEED_SECRET}", "target.table"),
        ("event: string", "event: {type: string, default: '${env:LANDFEED_SECRET}'}", "schema.event.default"),
        ("event: string", "event: {type: string, pattern: '${env:LANDFEED_SECRET}'}", "schema.event.pattern"),
    ],
)
def test_a_secret_cannot_become_a_name_or_a_value(project: Project, old: str, new: str, path: str) -> None:
    project.feed("a", FEED.replace(old, new))
    said = printed(project, "validate", LANDFEED_SECRET=SECRET)
    assert f"{path}: " in said
    assert "is a secret, and this would be shown or stored" in said
    assert "hunter2" not in said


def test_feeds_may_name_only_what_they_are_allowed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFEED_OTHER", SECRET)
    monkeypatch.setenv("LANDFEED_SECRET", SECRET)
    project.write("pipelines_config/feeds/_defaults.yml", "source: {null_values: ['${env:LANDFEED_OTHER}']}\n")
    project.feed("a", ACTIVITY.format(name="a"))
    result = project.cli("validate")
    said = [(problem["message"], problem["hint"]) for problem in result.document["problems"]]
    assert (
        "feeds may not name the environment variable LANDFEED_OTHER",
        "add it to env_allowed in environments/local.yml",
    ) in said
    assert result.code == 2


def test_an_environment_file_may_name_any_and_say_where_things_are(project: Project) -> None:
    """A place is no secret: it is in every path."""
    moved = ENVIRONMENT.replace("landing: ./landing", "landing: '${env:LANDFEED_LANDING}'")
    project.write("pipelines_config/environments/local.yml", moved)
    project.land("a", "a.csv", HEADER + "1,login,2026-01-01\n")
    landing = project.path("landing")
    said = printed(project, "run", LANDFEED_SECRET=SECRET, LANDFEED_LANDING=landing)
    assert f'"{landing}/a/a.csv"' in said or project.files("archive/a") != []
    assert project.rows("analytics.a", "event") == [("login",)]
