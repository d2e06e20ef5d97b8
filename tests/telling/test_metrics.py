"""`metrics`: a file that Prometheus' own parsers take, with the figures of the runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from framework.names import Rows, Status
from framework.report import FeedReport
from framework.telling.metrics import METRICS, FeedMetrics, rendered, samples, write_metrics
from tests.cli import text
from tests.support import ACTIVITY, HEADER, Project
from tests.telling.test_reports import configure

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: os.PathLike[str]) -> Project:
    project = Project(os.fspath(tmp_path), "activity", "other")
    configure(project, "metrics: ./data/landfeed.prom\n")
    return project


def parsed(path: str) -> dict[tuple[str, ...], float]:
    """The samples by metric, feed and further label, as Prometheus' client library reads them."""
    with open(path, encoding="utf-8") as stream:
        content = stream.read()
    if promtool := shutil.which("promtool"):
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=content, capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    found = {}
    for family in text_string_to_metric_families(content):
        assert family.type == "gauge"
        assert family.documentation == METRICS[family.name]
        for sample in family.samples:
            found[(sample.name.removeprefix("landfeed_"), *sample.labels.values())] = sample.value
    return found


def metrics(project: Project) -> dict[tuple[str, ...], float]:
    assert set(project.files("data")) == {".landfeed.prom.lock", "landfeed.prom"}
    return parsed(project.path("data", "landfeed.prom"))


def test_the_figures_are_those_of_the_runs(project: Project) -> None:
    project.feed("other", ACTIVITY.format(name="other") + "expect: {every: 1 day}\n")
    project.land("activity", "a.csv", HEADER + "1,login,2026-01-01\nx,login,2026-01-01\n")
    project.land("activity", ".hidden", "no file")
    began = datetime.now(UTC).timestamp()
    report = project.cli("run").document["feeds"][0]
    first = metrics(project)
    assert first["last_run_success", "activity"] == 1
    assert (
        began - 1
        <= first["last_success_timestamp_seconds", "activity"]
        <= first["last_run_timestamp_seconds", "activity"]
    )
    assert {key[2]: value for key, value in first.items() if key[:2] == ("last_run_rows", "activity")} == report["rows"]
    assert abs(first["last_run_seconds", "activity", "stage"] - report["seconds"]["stage"]) < 0.001
    assert first["pending_files", "activity"] == 0
    assert first["late", "other"] == 0
    assert ("late", "activity") not in first
    assert ("last_success_timestamp_seconds", "other") not in first
    project.cli("run")  # nothing to do: the last load is what it was
    second = metrics(project)
    changed = {key for key in first if first[key] != second[key]}
    assert changed == {("last_run_timestamp_seconds", "activity"), ("last_run_timestamp_seconds", "other")}


def test_what_waits_and_what_fails(project: Project) -> None:
    file = project.land("activity", "a.csv", "other\n1\n")
    project.land("activity", "b.csv", HEADER)
    os.utime(file, (1e9, 1e9))
    project.cli("status", "--check")
    found = metrics(project)
    assert found["pending_files", "activity"] == 2
    assert found["oldest_pending_timestamp_seconds", "activity"] == 1e9
    assert project.cli("run", "activity").code == 3
    found = metrics(project)
    assert found["last_run_success", "activity"] == 0
    assert ("oldest_pending_timestamp_seconds", "activity") not in found
    assert ("pending_files", "other") in found  # of another run


def test_metrics_that_cannot_be_written_fail_nothing(project: Project) -> None:
    project.write("data", "a file where the folder would be")
    project.land("activity", "a.csv", HEADER)
    said = text(project, "run")
    assert said.exit_code == 0
    assert "warning: the metrics are not written: " in said.stderr


def feed(name: str, rows: int = 1) -> FeedMetrics:
    return FeedMetrics(name, FeedReport(name, Status.SUCCEEDED, rows=Rows(read=rows)), 0, None, None, NOW)


def test_several_runners_lose_nothing(tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "data", "a.prom")
    names = [f"feed_{number}" for number in range(20)]
    threads = [threading.Thread(target=write_metrics, args=(path, [feed(name)], NOW)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key[1] for key in parsed(path)} == set(names)


def test_a_feed_that_is_gone_goes(tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "a.prom")
    write_metrics(path, [feed("old")], NOW)
    write_metrics(path, [feed("new")], NOW + timedelta(days=30))
    assert {key[1] for key in parsed(path)} == {"old", "new"}
    write_metrics(path, [feed("new")], NOW + timedelta(days=32))
    assert {key[1] for key in parsed(path)} == {"new"}


def test_any_text_is_read_as_it_was_written(tmp_path: os.PathLike[str]) -> None:
    label = (("feed", 'a"b\\c\nd{},= é'), ("outcome", "\\n"))
    found = {("landfeed_last_run_rows", label): 1e15, ("landfeed_late", label[:1]): 0.0}
    assert samples(rendered(found).splitlines()) == found
    path = os.path.join(tmp_path, "a.prom")
    with open(path, "w", encoding="utf-8") as out:
        out.write(rendered(found))
    assert parsed(path) == {("last_run_rows", 'a"b\\c\nd{},= é', "\\n"): 1e15, ("late", 'a"b\\c\nd{},= é'): 0.0}


def test_a_file_of_somebody_else_is_replaced(tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "a.prom")
    with open(path, "wb") as out:
        out.write(b'\xff\nlandfeed_late{feed="x"} many\nother{feed="x"} 1\n')
    write_metrics(path, [feed("new")], NOW)
    assert {key[1] for key in parsed(path)} == {"new"}
