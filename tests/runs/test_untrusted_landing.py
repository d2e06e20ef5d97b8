"""What else than files stands in a landing folder is passed over and told, and stops nothing."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support import ACTIVITY, HEADER, REPOSITORY, Project, Result

ROW = HEADER + "1,login,2026-01-01\n"
RECURSIVE = ACTIVITY.format(name="a").replace("format: csv", "format: csv\n  recursive: true")


@pytest.fixture
def project(tmp_path: os.PathLike[str]) -> Project:
    made = Project(os.fspath(tmp_path), "a")
    made.feed("a", RECURSIVE)
    return made


def put(text: str, path: str) -> str:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def archived(project: Project) -> list[str]:
    return [name.split("/", 3)[-1] for name in project.files("archive")]


def test_links_pipes_and_sockets_are_told_and_stay(project: Project) -> None:
    secret = put(ROW.replace("login", "secret"), project.path("private", "secret.csv"))
    landing = project.path("landing", "a")
    project.land("a", "good.csv", ROW)
    os.symlink(secret, os.path.join(landing, "file.csv"))
    os.symlink("good.csv", os.path.join(landing, "latest.csv"))
    os.symlink(os.path.dirname(secret), os.path.join(landing, "folder"))
    os.symlink("/nowhere", os.path.join(landing, "dangling.csv"))
    os.mkfifo(os.path.join(landing, "pipe.csv"))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.join(landing, "socket.csv"))
    before = sorted(os.listdir(landing))
    report = project.cli("run")
    assert (report.code, archived(project)) == (0, ["good.csv"])
    assert sorted(os.listdir(landing)) == [name for name in before if name != "good.csv"]
    assert report.feed["warnings"] == [
        *(
            f"{name}: skipped: it is a symbolic link, and links are not followed"
            for name in ("dangling.csv", "file.csv", "folder", "latest.csv")
        ),
        "pipe.csv: skipped: it is a pipe and no file",
        "socket.csv: skipped: it is a socket and no file",
    ]
    assert project.rows("analytics.a", "event") == [("login",)]
    again = project.cli("run")
    assert (again.document["status"], again.feed["warnings"]) == ("nothing_to_do", report.feed["warnings"])
    status = project.cli("status").feed
    assert (status["pending_files"], status["warnings"]) == (0, report.feed["warnings"])


def test_watch_tells_of_a_link_once(project: Project) -> None:
    os.symlink("/nowhere", project.path("landing", "a", "a.csv"))
    out, _ = project.start("watch", "--once").communicate(timeout=60)
    notices = [document for document in map(json.loads, out.splitlines()) if document["event"] == "notice"]
    assert [(notice["message"], notice["hint"]) for notice in notices] == [
        (
            "a: a.csv: skipped: it is a symbolic link, and links are not followed",
            "what is skipped, and why: landfeed plan a",
        )
    ]


def test_many_links_are_counted(project: Project) -> None:
    for number in range(30):
        os.symlink("/nowhere", project.path("landing", "a", f"{number:02}.csv"))
    warnings = project.cli("run").feed["warnings"]
    assert (len(warnings), warnings[-1]) == (21, "10 more are skipped, see plan")


def test_a_link_with_another_name_is_not_told(project: Project) -> None:
    project.feed("a", RECURSIVE.replace("recursive:", 'files: "*.csv"\n  recursive:'))
    os.symlink("/nowhere", project.path("landing", "a", "README"))
    os.symlink("/nowhere", project.path("landing", "a", ".hidden.csv"))
    assert project.cli("run").feed["warnings"] == []
    reasons = {os.path.basename(file["file"]): file["reason"] for file in project.cli("plan").feed["files"]}
    assert reasons == {
        "README": "the name does not match *.csv",
        ".hidden.csv": "the name begins with . or _",
    }


def test_a_folder_that_somebody_has_locked_is_not_waited_for(project: Project) -> None:
    project.land("a", "a.csv", ROW)
    held = os.open(project.path("landing", "a"), os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert project.cli("run").code == 0
    finally:
        os.close(held)
    assert archived(project) == ["a.csv"]


def test_a_file_with_another_name_elsewhere_cannot_be_changed_in_the_archive(project: Project) -> None:
    path = project.land("a", "a.csv", ROW)
    other = project.path("kept.csv")
    os.link(path, other)
    assert project.cli("run").code == 0
    with open(other, "a", encoding="utf-8") as text:
        text.write("2,forged,2026-01-02\n")
    (name,) = project.files("archive")
    with open(project.path("archive", name), encoding="utf-8") as text:
        assert text.read() == ROW
    assert os.listdir(project.path("landing", "a")) == []


def test_a_link_in_the_archive_is_not_followed(project: Project, tmp_path: os.PathLike[str]) -> None:
    outside = os.path.join(tmp_path, "outside")
    os.makedirs(outside)
    project.land("a", "a.csv", ROW)
    assert project.cli("run", "a").code == 0
    (day,) = os.listdir(project.path("archive", "a"))
    shutil.rmtree(project.path("archive", "a", day))
    os.symlink(outside, project.path("archive", "a", day))
    project.land("a", "b.csv", ROW)
    report = project.cli("run")
    (file,) = report.feed["files"]
    assert (report.code, file["status"], os.listdir(outside)) == (1, "merged", [])
    assert report.feed["error"]["message"].endswith(f"archive/a/{day} is a link, which would lead out of the archive")
    os.unlink(project.path("archive", "a", day))
    assert project.cli("run").code == 0
    assert archived(project) == ["b.csv"]


def test_deep_folders_are_told(project: Project) -> None:
    """Beyond what a path may have, and beyond a hundred folders."""
    project.land("a", "good.csv", ROW)
    landing = project.path("landing", "a")
    for name, depth in (("x" * 250, 20), ("d", 150)):
        at = os.open(landing, os.O_RDONLY)
        for _ in range(depth):
            os.mkdir(name, dir_fd=at)
            at, above = os.open(name, os.O_RDONLY, dir_fd=at), at
            os.close(above)
        os.close(os.open("deep.csv", os.O_CREAT, dir_fd=at))
        os.close(at)
    report = project.cli("run")
    assert (report.code, archived(project)) == (0, ["good.csv"])
    warnings = [warning.split(": ", 1) for warning in report.feed["warnings"]]
    assert [reason for _, reason in warnings] == ["skipped: the folder lies too deep to be listed"] * 2
    assert warnings[0][0] == "d/" * 101


# Where rights apply, as they do not to root

WITHOUT_RIGHTS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@pytest.fixture
def common(project: Project) -> Iterator[Project]:
    """A project for `run`."""
    if WITHOUT_RIGHTS and shutil.which(WITHOUT_RIGHTS[0]) is None:
        pytest.skip("root needs setpriv to be somebody to whom rights apply")
    yield project
    subprocess.run(["chmod", "-R", "u+rwx", project.root], check=True)


def run(project: Project) -> Result:
    """Run the feeds as somebody who may only do what rights allow."""
    script = [*WITHOUT_RIGHTS, sys.executable, os.path.join(REPOSITORY, "runner.py")]
    command = [*script, "--config", project.path("pipelines_config"), "--output", "json", "run"]
    environ = os.environ | {"PYTHONPATH": REPOSITORY}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return Result(done.returncode, json.loads(done.stdout))


def test_a_file_that_may_not_be_read_stays_and_is_told(common: Project) -> None:
    os.chmod(common.land("a", "closed.csv", ROW), 0)
    common.land("a", "sub/good.csv", ROW)
    for _ in range(2):
        report = run(common)
        assert report.code == 0
        assert report.feed["warnings"] == ["closed.csv: skipped: the file cannot be read: permission denied"]
    assert (common.files("landing/a"), archived(common)) == (["closed.csv"], ["sub/good.csv"])
    os.chmod(common.path("landing", "a", "closed.csv"), 0o600)
    assert run(common).feed["warnings"] == []
    assert sorted(archived(common)) == ["closed.csv", "sub/good.csv"]


@pytest.mark.parametrize("mode", [0o000, 0o400, 0o100])
def test_a_closed_subfolder_is_told(common: Project, mode: int) -> None:
    common.land("a", "good.csv", ROW)
    common.land("a", "sub/a.csv", ROW)
    os.chmod(common.path("landing", "a", "sub"), mode)
    report = run(common)
    assert (report.code, archived(common)) == (0, ["good.csv"])
    assert report.feed["warnings"] == ["sub/: skipped: the folder cannot be listed: Permission denied"]


@pytest.mark.parametrize("mode", [0o000, 0o400, 0o100])
def test_a_landing_folder_that_cannot_be_looked_into_is_no_empty_one(common: Project, mode: int) -> None:
    common.land("a", "a.csv", ROW)
    os.chmod(common.path("landing", "a"), mode)
    report = run(common)
    assert (report.code, report.document["status"]) == (1, "failed")
    error = report.feed["error"]
    assert error["message"] == f"the folder {common.path('landing', 'a')}/ cannot be listed: Permission denied"
    assert error["hint"] == "it takes the rights to read and to enter it"
