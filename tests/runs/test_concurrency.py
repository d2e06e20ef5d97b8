"""Several runners at once: nothing lost, nothing doubled, no older batch over a newer one."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import pytest
from deltalake import DeltaTable

from framework.engines.control import DeltaControl
from framework.engines.delta import DeltaTables
from framework.names import Table
from framework.steps import CreateTable, TableColumn
from framework.types import Scalar
from tests.support import HEADER, Project


def race(project: Project, rounds: int, seed: int, *, kill: bool) -> None:
    """Land files and start two runners each round; some are killed. Then drain, and compare with the truth."""
    dice = random.Random(seed)
    newest: dict[int, int] = {}
    landed = 0
    for number in range(rounds):
        rows = []
        for user in dice.sample(range(20), 5):
            newest[user] = number
            rows.append(f"{user},round{number},2026-01-01 00:{number // 60:02}:{number % 60:02}\n")
        rows.append(f"bad{number},x,2026-01-01\n")
        project.land("activity", f"{number:04}.csv", HEADER + "".join(rows))
        landed += 1
        runners = [project.start("run") for _ in range(2)]
        if kill:
            time.sleep(dice.uniform(0.3, 1.2))
            dice.choice(runners).send_signal(signal.SIGKILL)
        for runner in runners:
            out, errors = runner.communicate(timeout=120)
            assert "Traceback" not in errors
            if runner.returncode != -signal.SIGKILL:
                assert runner.returncode == 0, out + errors
    last = project.cli("run")
    assert last.code == 0
    truth = sorted((str(user), f"round{number}") for user, number in newest.items())
    assert sorted(row[:2] for row in project.rows("analytics.activity")) == truth
    bad = [row[0] for row in project.rows("analytics.activity__quarantine", "_record")]
    assert sorted(bad) == sorted(f"bad{number},x,2026-01-01" for number in range(rounds))
    assert project.files("landing") == []
    assert len(project.files("archive")) == landed
    states = project.rows("_landfeed.files", "parse_filename(file) f, state")
    assert len(states) == len(set(states)) == 3 * landed


def test_two_runners(project: Project) -> None:
    race(project, 3, seed=1, kill=False)


def test_two_runners_and_one_is_killed(project: Project) -> None:
    race(project, 3, seed=2, kill=True)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(10))
def test_many_runners_and_kills(project: Project, seed: int) -> None:
    race(project, 20, seed=seed, kill=True)


def test_the_second_runner_is_busy_or_waits(project: Project) -> None:
    from framework.storages.local_leases import LocalLeases

    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    with LocalLeases(project.path("tables", "_landfeed", "_leases")).hold("activity", 0):
        busy = project.cli("run")
        assert (busy.code, busy.document["status"]) == (0, "busy")
        waiting = project.start("run", "--wait", "30")
        time.sleep(1.5)
        assert waiting.poll() is None
    out, _ = waiting.communicate(timeout=60)
    assert json.loads(out)["feeds"][0]["rows"]["inserted"] == 1


def test_a_file_replaced_during_the_load_stays_pending(project: Project) -> None:
    """A real writer replaces the file again and again while runners load: the last version wins, each counts once."""
    for number in range(30):
        path = project.write("upload.csv", HEADER + f"1,v{number},2026-01-01 00:00:{number:02}\n")
        runner = project.start("run") if number % 10 == 0 else None
        os.replace(path, project.path("landing", "activity", "same.csv"))
        time.sleep(0.05)
        if runner is not None:
            runner.communicate(timeout=60)
    project.cli("run")
    assert [row[1] for row in project.rows("analytics.activity")] == ["v29"]
    assert project.files("landing") == []


def test_many_feeds_at_once(tmp_path: os.PathLike[str]) -> None:
    names = [f"feed{number:02}" for number in range(20)]
    project = Project(os.fspath(tmp_path), *names)
    for name in names:
        project.land(name, "a.csv", HEADER + "1,a,2026-01-01\n2,b,2026-01-01\n")
    report = project.cli("run", "--jobs", "4").document
    assert [feed["rows"]["inserted"] for feed in report["feeds"]] == [2] * 20
    assert len(project.rows("_landfeed.batches")) == 60


TOGETHER = 4


def at_once(calls: list[Callable[[], object]]) -> None:
    """Make the calls at the same moment, each in a thread of its own."""
    start = threading.Barrier(len(calls))

    def one(call: Callable[[], object]) -> None:
        start.wait()
        call()

    with ThreadPoolExecutor(len(calls)) as pool:
        list(pool.map(one, calls))


@pytest.mark.parametrize("attempt", range(5))
def test_runners_that_make_a_control_table_at_once_lose_nothing(attempt: int, tmp_path: os.PathLike[str]) -> None:
    table, root = Table("_landfeed.files"), os.fspath(tmp_path)
    rows = [{"recorded_at": datetime.now(UTC), "run_id": f"{number}"} for number in range(TOGETHER)]
    at_once([partial(DeltaControl(DeltaTables(root, {})).append, table, [row]) for row in rows])
    found = DeltaControl(DeltaTables(root, {})).select(table, {})
    assert sorted(str(row["run_id"]) for row in found) == [row["run_id"] for row in rows]


@pytest.mark.parametrize("attempt", range(5))
def test_runners_that_make_a_target_at_once_get_the_same_one(attempt: int, tmp_path: os.PathLike[str]) -> None:
    root, columns = os.fspath(tmp_path), (TableColumn("x", Scalar("bigint")),)
    at_once([partial(DeltaTables(root, {}).create, CreateTable(Table("a.b"), columns))] * TOGETHER)
    assert DeltaTable(f"{root}/a/b").version() == 0
