"""`landfeed watch` as a process: files that arrive in any way are loaded, once and whole, whatever happens to it."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any

import pytest

from framework.cli import landfeed
from framework.names import Status
from framework.report import FeedReport
from framework.runs import events
from framework.storages.local_leases import LocalLeases
from tests.support import ACTIVITY, HEADER, REPOSITORY, Project

Document = dict[str, Any]


class Watching:
    """A `landfeed watch` that runs, and the documents that it has printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.seen: list[Document] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        assert process.stdout is not None
        self._thread = threading.Thread(target=self._read, args=[process.stdout])
        self._thread.start()

    def _read(self, out: IO[str]) -> None:
        for line in out:
            self._lines.put(line)

    def wait(self, event: str, feed: str | None = None, seconds: float = 30) -> Document:
        """The next document of this kind."""
        deadline = time.monotonic() + seconds
        while True:
            document = self._next(max(0.0, deadline - time.monotonic()))
            if document["event"] == event and feed in (None, document.get("feed")):
                return document

    def _next(self, seconds: float) -> Document:
        try:
            document: Document = json.loads(self._lines.get(timeout=seconds))
        except queue.Empty:
            pytest.fail(f"no such event; there were {self.seen}")
        self.seen.append(document)
        return document

    def end(self, *signals: signal.Signals) -> int:
        """Send the signals, wait for the end; the exit code. All that it printed is in `seen`."""
        for number in signals:
            self.process.send_signal(number)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        with self.process.stdout, self.process.stderr:
            errors = self.process.stderr.read()
            code = self.process.wait(30)
            self._thread.join()
        while not self._lines.empty():
            self._next(0)
        assert "Traceback" not in errors
        return code

    def events(self, name: str) -> list[Document]:
        return [document for document in self.seen if document["event"] == name]


@contextmanager
def watched(process: subprocess.Popen[str]) -> Iterator[Watching]:
    watch = Watching(process)
    try:
        yield watch
    finally:
        process.kill()
        if process.stdout is not None and not process.stdout.closed:
            watch.end()


def watching(project: Project, *arguments: str, quiet: float = 0.3) -> AbstractContextManager[Watching]:
    return watched(project.start("watch", "--quiet", str(quiet), *arguments))


def row(user: int, event: str = "a") -> str:
    return f"{user},{event},2026-01-01\n"


def until(true: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def loaded_once(project: Project, feed: str, users: int, files: int) -> None:
    """Each of the users is in the target, each loaded file in the archive and in the ledger; nothing is left."""
    assert sorted(int(found[0]) for found in project.rows(f"analytics.{feed}")) == list(range(users))
    assert project.files(f"landing/{feed}") == []
    assert len(project.files(f"archive/{feed}")) == files
    rows = project.rows("_landfeed.files", "feed, file, file_version, state")
    states = [found for found in rows if found[0] == feed and found[3] != "rejected"]
    assert len(states) == len(set(states)) == 3 * files


# Files


def test_a_file_is_loaded_soon_and_the_process_stays(project: Project) -> None:
    with watching(project) as watch:
        watch.wait("started")
        for number in range(3):
            path = project.land("activity", f"{number} 'ü'\n.csv", HEADER + row(number))
            landed = time.monotonic()
            assert [file["file"] for file in watch.wait("seen")["files"]] == [path]
            assert watch.wait("succeeded")["report"]["rows"]["inserted"] == 1
            assert time.monotonic() - landed < 5
        assert watch.end(signal.SIGTERM) == 0
    assert [document["event"] for document in watch.seen[-2:]] == ["stopping", "stopped"]
    loaded_once(project, "activity", 3, 3)


def test_a_file_that_is_written_slowly_is_loaded_once_and_whole(project: Project) -> None:
    """Another file of the feed does not wait for it."""
    loaded, written = threading.Event(), list[str]()

    def write_slowly() -> None:
        with open(project.path("landing", "activity", "slow.csv"), "w", encoding="utf-8") as out:
            out.write(HEADER)
            while len(written) < 10 or not loaded.is_set():
                written.append(row(1 + len(written)))
                out.write(written[-1])
                out.flush()
                time.sleep(0.1)

    with watching(project, quiet=0.6) as watch:
        watch.wait("started")
        writer = threading.Thread(target=write_slowly)
        writer.start()
        try:
            until(lambda: len(written) > 5)
            project.land("activity", "quick.csv", HEADER + row(0))
            quick = watch.wait("succeeded")["report"]
        finally:
            loaded.set()
            writer.join()
        slow = watch.wait("succeeded")["report"]
        assert watch.end(signal.SIGTERM) == 0
    assert (quick["rows"]["read"], slow["rows"]["read"]) == (1, len(written))
    loaded_once(project, "activity", 1 + len(written), 2)


def test_files_that_arrived_while_nothing_ran(project: Project) -> None:
    """An old file is quiet at once; what the file's clock says does not matter for long."""
    old = project.land("activity", "old.csv", HEADER + row(0))
    os.utime(old, (1, 1))
    with watching(project, quiet=20) as watch:
        assert watch.wait("succeeded", seconds=10)["report"]["rows"]["inserted"] == 1
    future = project.land("activity", "future.csv", HEADER + row(1))
    os.utime(future, (4e9, 4e9))
    with watching(project) as watch:
        assert watch.wait("succeeded")["report"]["rows"]["inserted"] == 1
    loaded_once(project, "activity", 2, 2)


def test_files_moved_in_and_in_subfolders(project: Project) -> None:
    project.feed("activity", ACTIVITY.format(name="activity").replace("format: csv", "format: csv\n  recursive: true"))
    with watching(project) as watch:
        watch.wait("started")
        project.write("outside/day/a.csv", HEADER + row(0))
        os.rename(project.path("outside/day"), project.path("landing/activity/day"))
        watch.wait("succeeded")
        project.land("activity", "day/b.csv.part", HEADER + row(1))
        os.rename(project.path("landing/activity/day/b.csv.part"), project.path("landing/activity/day/b.csv"))
        watch.wait("succeeded")
    loaded_once(project, "activity", 2, 2)


def test_a_name_that_is_no_text_stops_no_other_feed(project: Project) -> None:
    project.feed("other", ACTIVITY.format(name="other"))
    with watching(project) as watch:
        watch.wait("started")
        for number in range(3):
            project.land("other", f"{number}\udcff.csv", HEADER + row(number))
            assert watch.wait("seen", "other")["files"][0]["file"].endswith(f"/{number}\\xff.csv")
            project.land("activity", f"{number}.csv", HEADER + row(number))
            watch.wait("succeeded", "activity", seconds=20)
        assert watch.end(signal.SIGTERM) == 0
        assert watch.events("notice") == []
    loaded_once(project, "activity", 3, 3)


def test_a_rejected_file(project: Project) -> None:
    with watching(project) as watch:
        watch.wait("started")
        project.land("activity", "bad.csv", "a,b\n1,2\n")
        report = watch.wait("rejected")["report"]
        project.land("activity", "good.csv", HEADER + row(0))
        watch.wait("succeeded")
        assert watch.end(signal.SIGINT) == 0
    assert "user_id" in report["files"][0]["reason"]
    assert [name.split("/")[0] for name in project.files("archive")] == ["_rejected", "activity"]
    loaded_once(project, "activity", 1, 1)


# Folders


def test_folders_that_appear_and_disappear(project: Project) -> None:
    folder = project.path("landing", "activity")
    shutil.rmtree(project.path("landing"))
    with watching(project) as watch:
        assert watch.wait("missing")["folder"] == folder + "/"
        project.land("activity", "0.csv", HEADER + row(0))
        watch.wait("succeeded")
        shutil.rmtree(project.path("landing"))
        watch.wait("missing")
        project.land("activity", "1.csv", HEADER + row(1))
        watch.wait("succeeded")
        shutil.rmtree(folder)
        project.land("activity", "2.csv", HEADER + row(2))
        watch.wait("succeeded")
        os.rename(folder, folder + "_away")
        project.land("activity", "3.csv", HEADER + row(3))
        watch.wait("succeeded")
        assert watch.end(signal.SIGTERM) == 0
        assert watch.events("failed") == []
    loaded_once(project, "activity", 4, 4)


def test_a_folder_that_cannot_be_read(project: Project) -> None:
    os.rmdir(project.path("landing", "activity"))
    project.write("landing/activity", "a file in its place")
    with watching(project) as watch:
        failed = watch.wait("failed")
        assert "cannot be listed" in failed["report"]["error"]["message"]
        assert failed["retry_seconds"] == 1
        os.remove(project.path("landing", "activity"))
        project.land("activity", "0.csv", HEADER + row(0))
        watch.wait("succeeded")
    loaded_once(project, "activity", 1, 1)


def test_what_is_not_reported_is_found_by_looking(project: Project) -> None:
    """A link that leads elsewhere from now on changes nothing in a folder that is watched."""
    os.rmdir(project.path("landing", "activity"))
    project.write("one/0.csv", HEADER + row(0))
    os.symlink(project.path("one"), project.path("landing", "activity"))
    with watching(project, "--interval", "1") as watch:
        watch.wait("succeeded")
        project.write("two/1.csv", HEADER + row(1))
        os.symlink(project.path("two"), project.path("landing", "new"))
        os.rename(project.path("landing", "new"), project.path("landing", "activity"))
        watch.wait("succeeded")
        project.write("two/2.csv", HEADER + row(2))
        watch.wait("succeeded")
    loaded_once(project, "activity", 3, 3)


@pytest.mark.skipif(
    subprocess.run(["unshare", "-Ur", "true"], check=False, capture_output=True).returncode != 0,
    reason="needs user namespaces",
)
def test_a_system_that_can_watch_nothing(project: Project) -> None:
    script = 'echo 0 > /proc/sys/user/max_inotify_instances; exec "$@"'
    runner = [sys.executable, os.path.join(REPOSITORY, "runner.py"), "--config", project.path("pipelines_config")]
    command = ["unshare", "-Ur", "sh", "-c", script, "sh", *runner, "--output", "json", "watch", "--interval", "0.5"]
    with watched(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)) as watch:
        assert "cannot watch" in watch.wait("notice")["message"]
        project.land("activity", "0.csv", HEADER + row(0))
        watch.wait("succeeded")
        assert watch.end(signal.SIGTERM) == 0
    loaded_once(project, "activity", 1, 1)


# Ends


def large(project: Project, rows: int) -> None:
    project.land("activity", "large.csv", HEADER + "".join(map(row, range(rows))))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_during_a_load(project: Project, number: signal.Signals) -> None:
    """The batch that is being loaded is finished."""
    large(project, 600_000)
    with watching(project) as watch:
        until(lambda: os.path.exists(project.path("tables", "_landfeed", "_leases", "activity.lock")))
        assert watch.end(number) == 0
    assert watch.events("stopping")[0]["working"] == ["activity"]
    assert watch.events("succeeded")[0]["report"]["rows"]["inserted"] == 600_000
    assert project.cli("run").document["status"] == "nothing_to_do"
    loaded_once(project, "activity", 600_000, 1)


def test_stopped_between_batches(project: Project) -> None:
    """Batches that have not begun stay pending, and no feed that waits for its turn begins."""
    project.feed(
        "activity", ACTIVITY.format(name="activity").replace("format: csv", "format: csv\n  max_files_per_batch: 1")
    )
    for name in ("second", "third"):
        project.feed(name, ACTIVITY.format(name=name))
        project.land(name, "0.csv", HEADER + row(0))
    for number in range(12):
        project.land("activity", f"{number:02}.csv", HEADER + row(number))
    with watching(project, "--jobs", "1") as watch:
        until(lambda: project.files("archive"))
        assert watch.end(signal.SIGTERM) == 0
    assert project.files("landing"), "it was stopped before its end"
    assert project.cli("run").document["status"] == "succeeded"
    loaded_once(project, "activity", 12, 12)
    loaded_once(project, "third", 1, 1)


def test_a_second_signal_ends_it_at_once(project: Project) -> None:
    large(project, 900_000)
    with watching(project) as watch:
        until(lambda: os.path.exists(project.path("tables", "_landfeed", "_leases", "activity.lock")))
        watch.process.send_signal(signal.SIGINT)
        watch.wait("stopping")
        sent = time.monotonic()
        assert watch.end(signal.SIGINT) == 130
        assert time.monotonic() - sent < 1
    assert watch.events("succeeded") == []
    assert project.cli("run").code == 0
    loaded_once(project, "activity", 900_000, 1)


def test_killed_again_and_again(project: Project) -> None:
    landed = 0
    for pause in (0.35, 0.5, 0.6, 0.7):
        with watching(project, quiet=0.1) as watch:
            watch.wait("started")
            project.land("activity", f"{landed}.csv", HEADER + row(landed))
            landed += 1
            time.sleep(pause)
            watch.process.kill()
    with watching(project, "--once") as watch:
        assert watch.end() == 0
    loaded_once(project, "activity", landed, landed)


# Feeds beside each other


def test_a_failing_feed_is_tried_again_and_stops_no_other(project: Project) -> None:
    project.feed("broken", ACTIVITY.format(name="broken"))
    project.write("archive/broken", "in the way")
    with watching(project) as watch:
        watch.wait("started")
        project.land("broken", "0.csv", HEADER + row(0))
        failed = [watch.wait("failed", "broken") for _ in range(2)]
        assert [document["retry_seconds"] for document in failed] == [1, 2]
        assert failed[0]["report"]["error"]["hint"]
        project.land("activity", "0.csv", HEADER + row(0))
        watch.wait("succeeded", "activity")
        os.remove(project.path("archive", "broken"))
        project.land("broken", "1.csv", HEADER + row(1))
        watch.wait("succeeded", "broken")
        until(lambda: project.files("landing") == [])
        assert watch.end(signal.SIGTERM) == 0
    loaded_once(project, "broken", 2, 2)
    loaded_once(project, "activity", 1, 1)


def test_a_busy_feed_is_tried_again(project: Project) -> None:
    project.land("activity", "0.csv", HEADER + row(0))
    with watching(project) as watch:
        with LocalLeases(project.path("tables", "_landfeed", "_leases")).hold("activity", 0):
            assert watch.wait("busy")["retry_seconds"] == 1
        watch.wait("succeeded")
        assert watch.end(signal.SIGTERM) == 0
    loaded_once(project, "activity", 1, 1)


def test_two_watchers(project: Project) -> None:
    with watching(project) as one, watching(project) as other:
        one.wait("started")
        other.wait("started")
        for number in range(12):
            project.land("activity", f"{number}.csv", HEADER + row(number))
            time.sleep(0.1)
        until(lambda: project.files("landing/activity") == [])
        assert (one.end(signal.SIGTERM), other.end(signal.SIGINT)) == (0, 0)
        assert one.events("failed") == other.events("failed") == []
    loaded_once(project, "activity", 12, 12)


# Once, and what cannot begin


def test_once_drains_and_ends_as_a_run_does(project: Project) -> None:
    for number in range(3):
        project.land("activity", f"{number}.csv", HEADER + row(number))
    with watching(project, "--once") as watch:
        assert watch.end() == 0
    assert watch.seen[-1]["event"] == "stopped"
    loaded_once(project, "activity", 3, 3)
    project.land("activity", "bad.csv", "a\n1\n")
    with watching(project, "--once") as watch:
        assert watch.end() == 3
    shutil.rmtree(project.path("landing"))
    with watching(project, "--once") as watch:
        assert watch.end() == 1
    assert watch.events("failed")[0]["report"]["error"]["code"] == "missing_folder"


def test_once_leaves_a_file_that_is_being_written(project: Project) -> None:
    stop = threading.Event()

    def write() -> None:
        with open(project.path("landing", "activity", "slow.csv"), "w", encoding="utf-8") as out:
            out.write(HEADER)
            while not stop.wait(0.05):
                out.write(row(0))
                out.flush()

    writer = threading.Thread(target=write)
    writer.start()
    with watching(project, "--once") as watch:
        assert watch.end() == 0
    stop.set()
    writer.join()
    assert project.files("landing/activity") == ["slow.csv"]


def test_without_watchfiles(project: Project) -> None:
    """The core does not install it; `--once` does without."""
    script = "import sys; sys.modules['watchfiles'] = None\nfrom framework.cli import main\nmain()"
    command = [sys.executable, "-c", script, "--config", project.path("pipelines_config"), "--output", "json", "watch"]
    result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=REPOSITORY)
    error = json.loads(result.stdout)["error"]
    assert (result.returncode, error["code"]) == (1, "missing_dependency")
    assert error["hint"] == "pip install 'landfeed[watch]'"
    assert subprocess.run([*command, "--once"], check=False, capture_output=True, cwd=REPOSITORY).returncode == 0


def test_nothing_to_watch_and_a_wrong_feed(project: Project) -> None:
    project.feed("activity", ACTIVITY.format(name="activity") + "enabled: false\n")
    result = project.cli("watch")
    assert (result.code, result.document["error"]["message"]) == (1, "there is no feed to watch")
    project.feed("activity", "feed: activity\n")
    process = project.start("watch")
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert json.loads(out)["ok"] is False
    assert out.count("\n") == 1, "one document a line"


def test_for_people(project: Project) -> None:
    project.land("activity", "bad.csv", "a\n1\n")
    for number in range(8):
        project.land("activity", f"{number}.csv", HEADER + row(number))
    process = project.start("watch", "--once", "--output", "text", "--quiet", "0.1")
    out, errors = process.communicate(timeout=30)
    lines = [line.partition(" ")[2] for line in out.splitlines()]
    assert lines[0] == "activity: seen 0.csv (40 bytes)"
    assert lines[5:] == ["activity: seen 4 more files", "activity: rejected (8 read, 8 staged, 8 inserted)"]
    assert "bad.csv: rejected: there is no column" in errors


def test_the_page_is_complete() -> None:
    with open(os.path.join(REPOSITORY, "docs", "watch.md"), encoding="utf-8") as page:
        text = page.read()
    options = [name for option in landfeed.commands["watch"].params for name in option.opts if name.startswith("--")]
    everywhere = ("--config", "--env", "--log-format")  # options of all commands
    assert [name for name in options if name not in everywhere and f"`{name}" not in text] == []
    told: list[events.Event] = [
        events.Started("", (), 0, 0),
        events.Seen("", ()),
        events.Missing("", ""),
        *(events.Ended(FeedReport("", status)) for status in Status if status is not Status.NOTHING_TO_DO),
        events.Notice("", ""),
        events.Stopping(()),
        events.Stopped(0),
    ]
    for event in told:
        for word in (event.as_dict()["event"], *event.as_dict()):
            assert f"`{word}`" in text
