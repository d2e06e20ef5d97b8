"""Environments of bundle targets: what `validate` says of them, and where."""

from __future__ import annotations

import os
from typing import Any

import pytest

from framework.environment import BundleMode, Cluster, DatabricksSettings, GitRepository, Permission, Principal
from framework.loader import load_project
from tests.databricks.targets import PROD, project_of
from tests.support import ACTIVITY, Project


@pytest.fixture
def prod(tmp_path: os.PathLike[str]) -> Project:
    return project_of(os.fspath(tmp_path), {"prod": PROD})


def problems(project: Project, text: str) -> list[dict[str, Any]]:
    project.write("pipelines_config/environments/prod.yml", text)
    result = project.cli("--env", "prod", "validate")
    found: list[dict[str, Any]] = result.document["problems"]
    assert result.code == (2 if found else 0)
    return found


def settings(project: Project, text: str) -> DatabricksSettings:
    assert problems(project, text) == []
    found = load_project(project.path("pipelines_config"), "prod", environ={}).environment.databricks
    assert found is not None
    return found


def test_a_good_environment_needs_no_engine_to_be_checked(prod: Project) -> None:
    assert problems(prod, PROD) == []


@pytest.mark.parametrize(
    ("old", "new", "place", "message", "hint"),
    [
        ("engine: spark", "engine: embedded", "1:9 engine", "does not run on Databricks", "engine: spark"),
        ("{catalog: main}", "{root: ./t}", "3:16 tables.root", "gone after the run", "tables.catalog"),
        ("{catalog: main}", "{root: /Volumes/main/t}", "3:16 tables.root", "cannot live in a volume", "tables.catalog"),
        ("  run_as: {user_name: me@example.com}\n", "", "5:9 databricks.mode", "needs run_as", "root_path"),
        ("mode: production", "root_path: /Workspace/x", "5:14 databricks.root_path", "home folder", "production"),
        ("mode: production", "root_path: /x", "5:14 databricks.root_path", "cannot stand here", "/Workspace/"),
        ("me@example.com}", "a, service_principal_name: b}", "6:11 databricks.run_as", "only 1 of", "choose one"),
        ("{user_name: me@example.com}", "{}", "6:11 databricks.run_as", "empty", "user_name"),
        ("mode: production", "mode: produciton", "5:9 databricks.mode", "'produciton' is not one of", "production"),
        ("  mode: production\n  run_as", "  mdoe: production\n  run_as", "5:3 databricks.mdoe", "unknown", "mode"),
    ],
)
def test_mistakes(prod: Project, old: str, new: str, place: str, message: str, hint: str) -> None:
    assert old in PROD
    check(problems(prod, PROD.replace(old, new)), place, message, hint)


@pytest.mark.parametrize(
    ("line", "place", "message", "hint"),
    [
        ("source: git", "7:11 databricks.source", "needs to know the repository", "git: {url"),
        ("git: {url: 'https://github.com/a/b'}", "7:3 databricks.git", "runs the wheel", "source: git"),
        ("trigger_path: ./landing", "7:17 databricks.trigger_path", "cannot watch './landing'", "/Volumes/"),
        ("trigger_path: /Volumes/main/raw", "7:17 databricks.trigger_path", "cannot watch", "catalog/schema/volume"),
        ("trigger_path: https://x/y", "7:17 databricks.trigger_path", "cannot watch", "gs://bucket"),
        ("trigger_path: '/Volumes/main/raw/*'", "7:17 databricks.trigger_path", "no wildcard", "folder above"),
        ("{trigger: none, trigger_path: /Volumes/a/b/c}", "7:19 databricks.trigger_path", "nothing is", "file_arrival"),
        ("min_time_between_triggers_seconds: 59", "7:38 databricks.min_time_be", "the least is 60", "300"),
        ("max_retries: -1", "7:16 databricks.max_retries", "the least is 0", "2"),
        ("permissions: [{level: CAN_VIEW}]", "7:17 databricks.permissions[0]", "for one user, group or", "group_name"),
        ("notify: ['${env:MAIL}']", "7:12 databricks.notify[0]", "written into databricks.yml", "write it out"),
        ("trigger_path: /Volumes/main/raw/", "7:17 databricks.trigger_path", "cannot watch", "/Volumes/"),
    ],
)
def test_mistakes_of_one_line(
    prod: Project, monkeypatch: pytest.MonkeyPatch, line: str, place: str, message: str, hint: str
) -> None:
    monkeypatch.setenv("MAIL", "secret@example.com")
    text = line[1:-1].replace(", ", "\n  ") if line.startswith("{") else line
    place = place.replace("7:19", "8:3") if line.startswith("{") else place
    check(problems(prod, f"{PROD}  {text}\n"), place, message, hint)


def test_git_mistakes(prod: Project) -> None:
    git = PROD + "  source: git\n  git: {url: %s}\n"
    check(problems(prod, git % "https://git.example.com/a/b"), "8:14 databricks.git.url", "which service", "provider")
    check(problems(prod, git % "git@github.com:a/b.git"), "8:14 databricks.git.url", "cannot stand", "https://")
    check(problems(prod, git % "https://me:pw@github.com/a/b"), "8:14 databricks.git.url", "cannot stand", "password")


@pytest.mark.parametrize("version", ["14.3.x-scala2.12", "16.4.x-scala2.13", "9.1.x-scala2.12"])
def test_a_runtime_with_an_old_spark(prod: Project, version: str) -> None:
    compute = f"  compute: {{node_type_id: n2-standard-4, num_workers: 0, spark_version: {version}}}\n"
    check(problems(prod, PROD + compute), "7:", "older than 4.0", "17.3.x")


@pytest.mark.parametrize("version", ["17.0.x-scala2.13", "17.3.x-scala2.13", "18.x-scala2.13", "latest"])
def test_a_runtime_that_will_do(prod: Project, version: str) -> None:
    compute = f"  compute: {{node_type_id: n2-standard-4, num_workers: 0, spark_version: {version}}}\n"
    assert settings(prod, PROD + compute).cluster == Cluster("n2-standard-4", 0, version)


def test_what_is_watched_contains_no_archive(prod: Project) -> None:
    watched = PROD + "  trigger_path: dbfs:/Volumes/main/raw/landing\n"
    inside = watched.replace("archive: /Volumes/main/raw/archive", "archive: /Volumes/main/raw/landing/_done")
    found = problems(prod, inside)
    place, message = "7:17 databricks.trigger_path", "archive.path of the feed orders (and 1 more feeds)"
    check(found, place, message, "elsewhere", file="environments/prod.yml")


def test_the_folder_that_feeds_have_in_common_contains_no_archive(prod: Project) -> None:
    text = PROD.replace("/Volumes/main/raw/archive", "/Volumes/main/raw/landing/archive")
    check(problems(prod, text), "4:1 databricks", "start the job again", "without it")


def test_what_is_watched_contains_no_table(prod: Project) -> None:
    text = PROD.replace("{catalog: main}", "{root: 'gs://lake/in/tables'}") + "  trigger_path: gs://lake/in\n"
    check(problems(prod, text), "7:17 databricks.trigger_path", "contains tables.root", "elsewhere")


def test_feeds_without_a_folder_in_common(prod: Project) -> None:
    prod.feed("far", ACTIVITY.format(name="far").replace("${landing}", "/Volumes/other/raw/landing"))
    check(problems(prod, PROD), "4:1 databricks", "have only /Volumes/ in common", "trigger_path")
    assert problems(prod, PROD + "  trigger: none\n") == []
    prod.feed("far", ACTIVITY.format(name="far").replace("${landing}", "/data/landing"))
    check(problems(prod, PROD), "4:1 databricks", "lie below no folder", "trigger_path")


def test_a_feed_that_is_not_enabled_is_not_watched(prod: Project) -> None:
    prod.feed("far", ACTIVITY.format(name="far").replace("${landing}", "/data/landing") + "enabled: false\n")
    assert problems(prod, PROD) == []


def test_a_folder_from_an_environment_variable_is_not_written(prod: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLUME", "/Volumes/main/secret")
    text = PROD.replace("landing: /Volumes/main/raw/landing", 'landing: "${env:VOLUME}/landing"')
    found = problems(prod, text)
    assert {problem["path"] for problem in found} == {"databricks"}
    assert not any("secret" in problem["message"] for problem in found)
    assert problems(prod, text + "  trigger_path: /Volumes/main/raw/other\n") == []


def test_only_the_feeds_that_it_concerns_are_stopped(prod: Project) -> None:
    text = PROD + "  trigger_path: /Volumes/main/raw/landing\n"
    prod.write("pipelines_config/environments/prod.yml", text)
    name = "pipelines_config/feeds/own.yml"
    prod.write(name, ACTIVITY.format(name="own") + "archive:\n  path: /Volumes/main/raw/landing/own_archive/\n")
    assert prod.cli("--env", "prod", "validate", "orders").code == 0
    assert prod.cli("--env", "prod", "validate", "own").code == 2


def test_the_block_as_data(prod: Project) -> None:
    assert settings(prod, PROD.replace("run_as: {user_name: me@example.com}", "run_as: {user_name: you}")) == (
        DatabricksSettings(mode=BundleMode.PRODUCTION, run_as=Principal("user_name", "you"))
    )
    text = "  source: git\n  git: {url: 'https://gitlab.com/a/b', branch: x}\n  max_retries: 0\n  timeout_seconds: 0\n"
    found = settings(
        prod, PROD + text + "  notify: me@example.com\n  permissions: [{level: IS_OWNER, user_name: me}]\n"
    )
    assert found.git == GitRepository("https://gitlab.com/a/b", "x", "gitLab")
    assert (found.max_retries, found.timeout_seconds, found.notify) == (0, 0, ("me@example.com",))
    assert found.permissions == (Permission("IS_OWNER", Principal("user_name", "me")),)


def check(
    found: list[dict[str, Any]], place: str, message: str, hint: str, file: str = "environments/prod.yml"
) -> None:
    told = [f"{p['line']}:{p['column']} {p['path']}" for p in found]
    assert len(found) == 1, found
    assert told[0].startswith(place), told
    assert found[0]["file"] == file
    assert message in found[0]["message"], found
    assert hint in (found[0]["hint"] or ""), found


def test_the_embedded_engine_has_no_catalog(prod: Project) -> None:
    text = PROD.partition("databricks:")[0].replace("spark", "embedded")
    check(problems(prod, text), "3:19 tables.catalog", "has no catalog", "engine: spark")
