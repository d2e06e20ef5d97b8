"""What fails in Landfeed's own work is no file's fault: files stay in landing, and the next run loads them."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import BinaryIO

import pytest

from framework.errors import cannot_load, expected
from framework.loader import load_project
from framework.machine import most_open_files, open_more_files, read_error
from framework.names import File, Status
from framework.runs.options import Options
from framework.runs.run import run_feeds
from framework.runs.world import open_world
from framework.storages.local import LocalStorage
from tests.support import ACTIVITY, HEADER, Project, Result

LIMITED = "tests/recovery/limited.py"
OLD = ACTIVITY.format(name="old").replace("format: csv", "format: csv\n  encoding: windows-1252")
ROWS = HEADER + "".join(f"{number},événement,2026-01-01\n" for number in range(20_000))


@contextmanager
def small_disk(path: str, size: str) -> Iterator[str]:
    """A file system of its own that is soon full."""
    os.makedirs(path)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can make a small file system here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def ended(process: subprocess.Popen[str]) -> Result:
    out, errors = process.communicate(timeout=100)
    assert "Traceback" not in errors
    return Result(process.returncode, json.loads(out))


@pytest.fixture
def old(tmp_path: os.PathLike[str]) -> Project:
    """A file whose encoding makes the engine write a copy of it, and one in UTF-8 with a broken record."""
    project = Project(os.fspath(tmp_path))
    project.feed("old", OLD)
    project.land("old", "a.csv", ROWS.encode("cp1252"))
    return project


def failed(report: Result, said: str) -> None:
    assert (report.code, report.feed["status"]) == (1, "failed")
    assert report.feed["error"]["code"] == "machine"
    assert said in report.feed["error"]["message"]
    assert "files stay in landing" in report.feed["error"]["hint"]


def untouched(project: Project) -> None:
    assert project.files("landing") == ["old/a.csv"]
    assert project.cli("run").feed["rows"]["inserted"] == 20_000


def test_a_full_temporary_folder(old: Project) -> None:
    with small_disk(old.path("tmp"), "256k") as folder:
        report = ended(old.start("run", TMPDIR=folder))
    failed(report, f"the disk of {old.path('tmp')} is full")
    untouched(old)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ("FSIZE=200000", "would be larger than this process may write (ulimit -f)"),
        ("NOFILE=16", "may open no more files (ulimit -n)"),
    ],
)
def test_a_limit_of_the_process(old: Project, limits: str, said: str) -> None:
    failed(ended(old.start("run", script=LIMITED, LIMITS=limits)), said)
    untouched(old)


LEASE, REFUSED = "_leases/activity.lock cannot be opened", "Read-only file system"


@contextmanager
def read_only(path: str) -> Iterator[None]:
    """A folder as on a disk that the system has made read-only."""
    if os.geteuid() or subprocess.run(["mount", "--bind", path, path], capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a folder here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", path], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


@pytest.mark.parametrize(
    ("folder", "code", "said"),
    [
        ("tables", "lease", LEASE),
        ("tables/analytics", "machine", "table analytics.activity__quarantine cannot be written"),
        ("landing", "storage", "landing/activity/b.csv cannot be moved"),
        ("archive", "storage", "landing/activity/b.csv cannot be moved"),
        *(
            pytest.param(folder, "machine", f"table {table} cannot be written", marks=pytest.mark.torture)
            for folder, table in (
                ("tables/analytics/activity", "analytics.activity"),
                ("tables/analytics/activity__staging", "analytics.activity__staging"),
                ("tables/_landfeed/files", "_landfeed.files"),
                ("tables/_landfeed/batches", "_landfeed.batches"),
            )
        ),
    ],
)
def test_a_disk_that_has_become_read_only(project: Project, folder: str, code: str, said: str) -> None:
    """… between two loads, of which the second one has the first bad row, and so the first need of a new table."""
    project.land("activity", "a.csv", HEADER + "1,login,2026-01-01\n")
    assert project.cli("run").code == 0
    project.land("activity", "b.csv", HEADER + "2,login,2026-01-01\nx,login,2026-01-01\n")
    with read_only(project.path(folder)):
        run = project.cli("run")
        assert (run.code, run.feed["status"], run.feed["error"]["code"]) == (1, "failed", code)
        assert said in run.feed["error"]["message"]
        assert REFUSED in run.feed["error"]["message"]
        assert "report it" not in run.feed["error"]["hint"]
        assert (project.files("landing") == ["activity/b.csv"]) == ("_landfeed/" not in folder)
        assert project.cli("status").code == 0
    run = project.cli("run")
    assert (run.code, run.feed["rows"]["inserted"], run.feed["rows"]["quarantined"]) == (0, 1, 1)
    assert project.files("landing") == []
    assert len(project.files("archive")) == 2
    assert project.rows("analytics.activity", "user_id") == [("1",), ("2",)]
    assert project.rows("analytics.activity__quarantine", "_record") == [("x,login,2026-01-01",)]


@pytest.mark.parametrize("stands", ["tables", "tables/_landfeed", "tables/_landfeed/_leases"])
def test_a_file_in_the_place_of_a_folder_of_the_tables(project: Project, stands: str) -> None:
    project.land("activity", "a.csv", HEADER + "1,login,2026-01-01\n")
    project.write(stands, "")
    run = project.cli("run")
    assert (run.code, run.document["error"]["code"]) == (1, "lease")
    assert "_landfeed/_leases cannot be opened: Not a directory" in run.document["error"]["message"]
    assert "take away what is in the way" in run.document["error"]["hint"]
    os.remove(project.path(stands))
    assert project.cli("run").feed["rows"]["inserted"] == 1


def test_a_library_that_finds_no_room_is_not_said_to_be_missing(old: Project) -> None:
    """A part of one, as `deltalake._internal`, cannot be mapped, which is an ImportError."""
    process = old.start("run", script=LIMITED, LIMITS=f"AS={150 << 20}")
    out, said = process.communicate(timeout=100)
    assert process.returncode == 1
    assert json.loads(out)["error"]["code"] == "machine"
    assert said.startswith("error: the system gives this process no more memory")
    assert not any(word in said for word in ("_internal", "pip install", "Traceback"))
    untouched(old)


@pytest.mark.parametrize("megabytes", [200, 500])
def test_little_memory(old: Project, megabytes: int) -> None:
    """Where no thread can be started. In between the C library or Rust may end the process, without a word of ours."""
    process = old.start("run", script=LIMITED, LIMITS=f"AS={megabytes << 20}")
    out, said = process.communicate(timeout=100)
    assert process.returncode != 0
    assert "Traceback" not in said
    if process.returncode == 1:
        report = json.loads(out)
        errors = [report.get("error"), *(feed["error"] for feed in report.get("feeds", []))]
        assert {error["code"] for error in errors if error} <= {"machine", "set_aside"}
    untouched(old)


def test_a_library_that_finds_no_memory_is_no_missing_package() -> None:
    found = "deltalake/_internal.abi3.so: failed to map segment from shared object"
    error = cannot_load("embedded", ImportError(found, name="_internal"))
    assert (error.code, "no more memory" in error.message) == ("machine", True)
    error = cannot_load("embedded", ImportError("_internal.abi3.so: wrong ELF class", name="_internal"))
    assert error.message == "engine: embedded cannot be loaded: _internal.abi3.so: wrong ELF class"
    assert error.hint == "pip install --force-reinstall 'landfeed[embedded]'"


def test_what_another_thread_could_not_load_is_no_defect() -> None:
    """Where one thread gets no memory while it loads a module, another one finds it without its names."""
    missing = "cannot import name 'FAST' from 'framework.engines.embedded.readers'"
    assert expected(ImportError(missing, name="framework.engines.embedded.readers")).code == "machine"
    for error in (ImportError("x", name="pyarrow"), ModuleNotFoundError("x", name="framework.gone")):
        assert expected(error).code == "internal"


def test_a_hint_that_cannot_be_looked_for_is_left_out(old: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bad values are asked what would mend them when the load is done: by then nothing may be opened any more."""
    old.land("old", "b.csv", HEADER + "x,login,2026-01-01\n")
    old.land("old", "c.csv", HEADER + "1,login,01.02.2026\n2,login,2026-01-01\n")
    monkeypatch.setitem(sys.modules, "framework.infer", None)
    report = old.cli("run", "old")
    assert report.feed["rows"]["quarantined"] > 0
    assert (report.feed["error"], report.feed["hints"]) == (None, [])


def test_many_files_are_loaded_by_a_process_that_may_open_few(project: Project) -> None:
    for number in range(150):
        project.land("activity", f"{number}.csv", HEADER + f"{number},login,2026-01-01\n")
    report = ended(project.start("run", script=LIMITED, LIMITS="NOFILE=100"))
    assert (report.code, report.feed["rows"]["inserted"]) == (0, 150)


def test_a_process_opens_as_many_files_as_the_system_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
        assert most_open_files() == 100
        open_more_files()
        assert most_open_files() == min(hard, 1 << 16)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_full_disk_below_the_tables(old: Project) -> None:
    with small_disk(old.path("tables"), "96k"):
        report = ended(old.start("run"))
        failed(report, "cannot be written")
    untouched(old)


class Refusing(LocalStorage):
    """A storage on a disk that has lost a file's first block."""

    def open(self, file: File) -> BinaryIO:
        if file.name == "lost.csv":
            raise read_error(OSError(errno.EIO, os.strerror(errno.EIO)), file.path)
        return super().open(file)


def test_a_file_that_cannot_be_read_is_set_aside_and_the_others_are_loaded(project: Project) -> None:
    for name in ("good.csv", "lost.csv", "more.csv"):
        project.land("activity", name, HEADER + f"{ord(name[0])},login,2026-01-01\n")
    loaded = load_project(project.path("pipelines_config"), "local", environ={})
    with open_world(loaded.environment, {}, "run", lambda: datetime.now(UTC)) as (world, leases):
        sick = replace(world, storage=lambda _: Refusing())
        (report,) = run_feeds(loaded.feeds, sick, leases, Options())
    assert (report.status, report.rows.inserted) == (Status.FAILED, 2)
    states = {os.path.basename(file.file): (file.status, file.reason) for file in report.files}
    assert states["lost.csv"] == ("failed", "the file cannot be read: Input/output error")
    assert report.error is not None
    assert report.error.code == "set_aside"
    assert project.files("landing") == ["activity/lost.csv"]
    assert project.cli("run").feed["rows"]["inserted"] == 1


@pytest.mark.torture
def test_fifty_thousand_files(project: Project) -> None:
    """In one batch, in time that grows with their number."""
    for number in range(50_000):
        project.land("activity", f"{number}.csv", HEADER + f"{number},login,2026-01-01\n")
    run = project.cli("run")
    assert (run.code, run.feed["rows"]["inserted"]) == (0, 50_000)
    assert project.files("landing") == []
    assert len(project.files("archive")) == 50_000
