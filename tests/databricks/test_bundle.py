"""`landfeed bundle`: what it writes for each kind of target, and that Databricks would take it.

`golden/*` hold environments and what is made of them; `python -m tests.databricks.test_bundle` writes them anew.
"""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import replace
from typing import Any, cast

import pytest
from click.testing import CliRunner
from databricks.bundles.jobs import Job

from framework.cli import landfeed
from framework.databricks import BUNDLE_FILE, JOB_FILE
from framework.databricks.folder import equipped
from framework.databricks.job import Target
from framework.databricks.lint import lint
from framework.environment import DatabricksSettings, JobSource
from framework.loader import load_targets
from tests.databricks.targets import EXAMPLE, PROD, jobs, project_of, root
from tests.support import ACTIVITY, REPOSITORY, Project

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = sorted(glob.glob(os.path.join(HERE, "golden", "*")))
FILES = (BUNDLE_FILE, JOB_FILE)


def read(*parts: str) -> str:
    with open(os.path.join(*parts), encoding="utf-8") as stream:
        return stream.read()


def golden_project(folder: str, root: str) -> Project:
    files = glob.glob(os.path.join(folder, "environments", "*.yml"))
    return project_of(root, {os.path.basename(file)[:-4]: read(file) for file in files})


@pytest.fixture
def prod(tmp_path: os.PathLike[str]) -> Project:
    """A clone with one target, for production."""
    return project_of(os.fspath(tmp_path), {"prod": PROD})


def job(project: Project, target: str = "prod", folder: str = "") -> dict[str, Any]:
    return jobs(project.path(folder))[target]


@pytest.mark.parametrize("folder", GOLDEN, ids=os.path.basename)
def test_golden(folder: str, tmp_path: os.PathLike[str]) -> None:
    project = golden_project(folder, os.fspath(tmp_path))
    written = project.cli("bundle")
    assert (written.code, written.document["ok"]) == (0, True)
    for file in FILES:
        assert read(project.root, file) == read(folder, file)
    again = project.cli("bundle", "--check")
    assert (again.code, [file["state"] for file in again.document["files"]]) == (0, ["up to date"] * 2)


@pytest.mark.parametrize("folder", [*GOLDEN, EXAMPLE], ids=os.path.basename)
def test_databricks_would_take_the_jobs(folder: str) -> None:
    """The typed classes refuse unknown fields, wrong words and what is missing; the lint what they let through."""
    for found in jobs(folder).values():
        assert lint(found) == []
        typed = Job.from_dict(cast(Any, found)).as_dict()
        assert [task["task_key"] for task in cast(Any, typed)["tasks"]] == [
            "load_to_staging",
            "merge_into_target",
            "archive",
        ]


FRESH = "freshness: 0 0 7 * * ?\n  notify: [me@example.com]\n"


@pytest.mark.parametrize(
    ("more", "schedule", "mail"),
    [
        ("", "0 15 * * * ?", False),
        (f"  {FRESH}timezone: Europe/Rome\n", "0 0 7 * * ?", True),
        (f"  {FRESH}notify: [{{url: 'https://hooks.example.com/x'}}]\n", "0 0 7 * * ?", False),
    ],
)
def test_a_second_job_tells_late_feeds(tmp_path: os.PathLike[str], more: str, schedule: str, mail: bool) -> None:
    project = project_of(os.fspath(tmp_path), {"prod": PROD + more, "silent": PROD + "  freshness: none\n"})
    assert project.cli("bundle").code == 0
    assert "landfeed_freshness" not in read(project.root, BUNDLE_FILE)  # nothing is expected of any feed
    orders = read(project.path("pipelines_config", "feeds", "orders.yml"))
    project.write("pipelines_config/feeds/orders.yml", orders + "expect: {every: 1 day}\n")
    assert project.cli("bundle").code == 0
    targets = root(project.root)["targets"]
    assert "landfeed_freshness" not in targets["silent"].get("resources", {}).get("jobs", {})
    found = targets["prod"]["resources"]["jobs"]["landfeed_freshness"]
    assert lint(found) == []
    typed = cast(Any, Job.from_dict(cast(Any, found)).as_dict())
    zone = "Europe/Rome" if "Rome" in more else "UTC"
    assert typed["schedule"] == {"quartz_cron_expression": schedule, "timezone_id": zone}
    assert ("email_notifications" in typed) is mail
    (task,) = typed["tasks"]
    assert task["python_wheel_task"]["parameters"][-2:] == ["status", "--check"]
    assert task["max_retries"] == 0
    assert jobs(project.root)["prod"]["queue"] == {"enabled": True}  # the other job is as it was


@pytest.mark.parametrize("folder", [*GOLDEN, EXAMPLE], ids=os.path.basename)
def test_the_second_job_keeps_the_tables_small_once_a_night(folder: str) -> None:
    """On the same compute and as the same identity as the job that loads."""
    for name, found in jobs(folder, "landfeed_upkeep").items():
        assert lint(found) == []
        typed = cast(Any, Job.from_dict(cast(Any, found)).as_dict())
        assert typed["schedule"] == {"quartz_cron_expression": "0 30 3 * * ?", "timezone_id": "UTC"}
        (task,) = typed["tasks"]
        said = task.get("python_wheel_task") or task["spark_python_task"]
        assert said["parameters"][-3:] == ["--env", "{{job.parameters.env}}", "maintain"]
        loads = jobs(folder)[name]
        same = ("environments", "job_clusters", "git_source", "permissions", "email_notifications")
        assert {each: found.get(each) for each in same} == {each: loads.get(each) for each in same}


def test_the_typed_classes_refuse_what_they_should() -> None:
    """The test above can fail."""
    found = jobs(EXAMPLE)["prod"]
    with pytest.raises(Exception, match="queeu"):
        Job.from_dict(cast(Any, {**found, "queeu": {"enabled": True}}))


def test_the_example_is_up_to_date() -> None:
    """`landfeed --config examples/databricks/pipelines_config bundle` writes it."""
    config = os.path.join(EXAMPLE, "pipelines_config")
    result = CliRunner().invoke(landfeed, ["--config", config, "bundle", "--check"])
    assert (result.exit_code, result.stdout) == (0, "the bundle is up to date\n")


def test_check_names_what_is_out_of_date_and_writes_nothing(prod: Project) -> None:
    config = prod.path("pipelines_config")
    missing = CliRunner().invoke(landfeed, ["--config", config, "bundle", "--check"])
    assert (missing.exit_code, missing.stdout) == (1, f"{BUNDLE_FILE}: missing\n{JOB_FILE}: missing\n")
    assert f"update with: landfeed --config {config} bundle" in missing.stderr
    assert not os.path.exists(prod.path(BUNDLE_FILE))
    prod.cli("bundle")
    text = read(prod.root, JOB_FILE)
    prod.write(JOB_FILE, text.replace("14400", "7200"))
    stale = prod.cli("bundle", "--check")
    assert (stale.code, stale.document["ok"]) == (1, False)
    assert [file["state"] for file in stale.document["files"]] == ["up to date", "out of date"]
    assert read(prod.root, JOB_FILE) != text
    assert [file["written"] for file in prod.cli("bundle").document["files"]] == [False, True]
    assert read(prod.root, JOB_FILE) == text


def test_a_new_feed_changes_nothing(prod: Project) -> None:
    """As long as what is watched stays the same."""
    prod.cli("bundle")
    prod.feed("third", ACTIVITY.format(name="third"))
    assert prod.cli("bundle", "--check").code == 0
    prod.feed("far", ACTIVITY.format(name="far").replace("${landing}", "/Volumes/main/raw/other"))
    assert prod.cli("bundle", "--check").code == 2
    environment = prod.path("pipelines_config", "environments", "prod.yml")
    prod.write(environment, PROD + "  trigger_path: /Volumes/main/raw/landing\n")
    outside = prod.cli("bundle", "--check")
    assert outside.code == 0
    assert ["the feed far lands outside of" in note for note in outside.document["notes"]] == [True]


def test_without_a_trigger_path_the_feeds_common_folder_is_watched(prod: Project) -> None:
    prod.cli("bundle")
    assert job(prod)["trigger"]["file_arrival"]["url"] == "/Volumes/main/raw/landing/"
    os.remove(prod.path("pipelines_config", "feeds", "orders.yml"))
    prod.cli("bundle")
    assert job(prod)["trigger"]["file_arrival"]["url"] == "/Volumes/main/raw/landing/user_activity/"


def test_without_a_feed_there_is_nothing_to_watch(prod: Project) -> None:
    for name in ("orders", "user_activity"):
        prod.feed(name, ACTIVITY.format(name=name) + "enabled: false\n")
    result = prod.cli("bundle")
    assert result.code == 1
    assert "prod: trigger.file_arrival has no url" in result.document["error"]["message"]
    prod.write("pipelines_config/environments/prod.yml", PROD + "  trigger_path: /Volumes/main/raw/landing\n")
    assert prod.cli("bundle").code == 0


def test_somebody_elses_files_are_left_alone(prod: Project) -> None:
    prod.write(BUNDLE_FILE, "bundle: {name: mine}\n")
    result = prod.cli("bundle")
    assert result.code == 1
    assert "was not written by" in result.document["error"]["message"]
    assert read(prod.root, BUNDLE_FILE) == "bundle: {name: mine}\n"
    assert not os.path.exists(prod.path(JOB_FILE))


def test_a_bundle_keeps_its_name(prod: Project) -> None:
    """Two projects in a workspace need two names."""
    assert prod.cli("bundle", "--name", "sales").code == 0
    assert prod.cli("bundle", "--check").code == 0
    assert root(prod.root)["bundle"]["name"] == "sales"
    for odd in ("12", "1.50", "yes"):
        assert prod.cli("bundle", "--name", odd).code == 0
        assert prod.cli("bundle", "--check").code == 0
        assert root(prod.root)["bundle"]["name"] == odd
    assert prod.cli("bundle", "--name", "a b").code == 1


def test_elsewhere(prod: Project) -> None:
    """Paths are seen from the files in which they stand; in the workspace, files begin at the folder above both."""
    result = prod.cli("bundle", "--out", prod.path("deploy", "here"))
    assert result.code == 0
    assert not os.path.exists(prod.path(BUNDLE_FILE))
    found = root(prod.path("deploy", "here"))
    assert found["sync"] == {"paths": ["../../pipelines_config"]}
    assert found["artifacts"]["landfeed"]["build"].endswith(" --wheel-dir dist ../..")
    parameters = job(prod, folder="deploy/here")["tasks"][0]["python_wheel_task"]["parameters"]
    assert parameters[1] == "${workspace.file_path}/pipelines_config"


def test_a_project_without_sources_brings_the_wheel_itself(prod: Project) -> None:
    os.remove(prod.path("pyproject.toml"))
    prod.cli("bundle")
    assert "artifacts" not in root(prod.root)
    assert job(prod)["environments"][0]["spec"]["dependencies"] == ["../dist/*.whl"]


def test_a_broken_pyproject(prod: Project) -> None:
    prod.write("pyproject.toml", "[project\n")
    result = prod.cli("bundle")
    assert result.code == 1
    assert "pyproject.toml" in result.document["error"]["message"]


def test_from_git_the_repositorys_own_requirements_are_installed(prod: Project) -> None:
    """What runner.py imports is not in the runtime."""
    prod.write("pyproject.toml", read(REPOSITORY, "pyproject.toml"))
    git = "  source: git\n  git: {url: 'https://github.com/example/landfeed.git'}\n"
    prod.write("pipelines_config/environments/prod.yml", PROD + git)
    prod.cli("bundle")
    installed = job(prod)["environments"][0]["spec"]["dependencies"]
    assert {text.partition(">")[0] for text in installed} >= {"click", "jsonschema", "PyYAML", "rich", "sqlglot"}
    assert not any("spark" in text for text in installed)


def test_a_job_does_not_depend_on_the_other_targets(tmp_path: os.PathLike[str]) -> None:
    """What the targets have in common and what each has of its own make up the job that it would have alone."""
    folder = os.path.join(HERE, "golden", "several_targets")
    together = jobs(folder)
    assert len(together) == 3
    for name, found in together.items():
        text = read(folder, "environments", f"{name}.yml")
        alone = project_of(os.path.join(os.fspath(tmp_path), name), {name: text})
        alone.cli("bundle")
        written = json.dumps(found).replace("./dist/", "../dist/")
        assert json.loads(written) == job(alone, name)


def test_buckets_need_their_client(prod: Project) -> None:
    """It is an extra, and a wheel in dist/ comes without extras."""
    (project,) = load_targets(prod.path("pipelines_config"), environ={})
    feed = project.feeds[0]
    settings = DatabricksSettings()
    volume = Target(project.environment, settings, (feed,))
    bucket = replace(volume, feeds=(replace(feed, source=replace(feed.source, path="gs://lake/landing/")),))
    config = os.path.join(REPOSITORY, "pipelines_config")
    assert [target.requirements for target in equipped([volume, bucket], config)] == [
        (),
        ("google-cloud-storage>=3.7,<4",),
    ]
    (from_git,) = equipped([replace(bucket, settings=replace(settings, source=JobSource.GIT))], config)
    assert {"google-cloud-storage>=3.7,<4", "click>=8.2"} <= set(from_git.requirements)


def test_without_sources_the_installed_package_tells_what_it_needs(prod: Project) -> None:
    os.remove(prod.path("pyproject.toml"))
    git = "  source: git\n  git: {url: 'https://github.com/example/landfeed.git'}\n"
    prod.write("pipelines_config/environments/prod.yml", PROD + git)
    prod.cli("bundle")
    installed = job(prod)["environments"][0]["spec"]["dependencies"]
    assert "click>=8.2" in installed
    assert not any("extra" in text or "duckdb" in text for text in installed)


def test_problems_of_all_targets_are_told_at_once(prod: Project) -> None:
    prod.write("pipelines_config/environments/prod.yml", PROD.replace("mode:", "mdoe:"))
    prod.write("pipelines_config/environments/qa.yml", PROD.replace("tables: {catalog: main}\n", ""))
    prod.write("pipelines_config/environments/local.yml", "engine: nothing\n")
    result = prod.cli("bundle")
    assert result.code == 2
    assert {p["file"] for p in result.document["problems"]} == {"environments/prod.yml", "environments/qa.yml"}
    assert not os.path.exists(prod.path(BUNDLE_FILE))


def test_an_environment_file_that_cannot_be_read_may_be_a_target(prod: Project) -> None:
    prod.write("pipelines_config/environments/qa.yml", "engine: [\n")
    assert [p["file"] for p in prod.cli("bundle").document["problems"]] == ["environments/qa.yml"]


def test_the_walk_from_a_clone(tmp_path: os.PathLike[str]) -> None:
    """The page's own commands up to those of the Databricks CLI, and every other command of Landfeed that it names."""
    page = read(REPOSITORY, "docs", "databricks.md")
    clone = os.fspath(tmp_path)
    for name in ("pipelines_config", "examples", "pyproject.toml"):
        source, copy = os.path.join(REPOSITORY, name), os.path.join(clone, name)
        (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, copy)
    walk = page.partition("```sh\n")[2].partition("```")[0].splitlines()
    (copying,) = [line for line in walk if line.startswith("cp ")]
    subprocess.run(copying.partition("#")[0].split(), cwd=clone, check=True)
    result = CliRunner().invoke(landfeed, ["--config", os.path.join(clone, "pipelines_config"), "bundle"])
    assert result.exit_code == 0, result.stderr
    assert list(root(clone)["targets"]) == ["prod"]
    named = re.findall(r"(?:`|^| )landfeed +((?:--env \w+\s)?)(\w+)", page, re.MULTILINE)
    assert {command for _, command in named} == {
        "validate",
        "bundle",
        "stage",
        "merge",
        "archive",
        "maintain",
        "status",
    }
    assert {command for _, command in named} <= set(landfeed.commands)


def test_without_a_target(prod: Project) -> None:
    prod.write("pipelines_config/environments/prod.yml", PROD.partition("databricks:")[0])
    result = prod.cli("bundle")
    assert result.code == 2
    assert "no environment has a databricks block" in result.document["problems"][0]["message"]


def test_without_a_configuration() -> None:
    result = CliRunner().invoke(landfeed, ["--config", "nowhere", "bundle"])
    assert result.exit_code == 2
    assert "no such configuration folder" in result.stderr


if __name__ == "__main__":
    for golden in GOLDEN:
        with tempfile.TemporaryDirectory() as scratch:
            made = golden_project(golden, scratch)
            print(golden, made.cli("bundle").code)  # noqa: T201
            for name in FILES:
                os.makedirs(os.path.dirname(os.path.join(golden, name)), exist_ok=True)
                with open(os.path.join(golden, name), "w", encoding="utf-8") as out:
                    out.write(read(scratch, name))
