"""The three tasks in any order, repeated, skipped or late, with files arriving in between: always the right end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support import HEADER, Project

TASKS = st.sampled_from(["stage", "merge", "archive"])
USERS = st.lists(st.integers(1, 4), min_size=1, max_size=3)


class Tasks(RuleBasedStateMachine):
    """Six task calls at most; files land before and between them. At the end the job runs as scheduled."""

    engine = "embedded"

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.project = Project(self.folder, "activity", engine=self.engine)
        os.makedirs(self.project.path("landing", "activity"), exist_ok=True)
        self.calls = self.landed = self.clock = 0
        self.newest: dict[int, str] = {}
        self.last: str | None = None
        self.bad: dict[tuple[str, int], int] = {}
        self.reported: list[dict[str, Any]] = []
        self.land([1, 1, 4], bad=True)
        self.task("run")

    @rule(users=USERS, bad=st.booleans())
    def land(self, users: list[int], bad: bool) -> None:
        """A file whose rows are newer than all before; sometimes one row is bad."""
        self.landed += 1
        rows = [self.row(user) for user in users] + ["x,bad,2026-01-01\n"] * bad
        self.last = self.write(f"{self.landed:03}.csv", HEADER + "".join(rows))

    def write(self, name: str, text: str) -> str:
        path = self.project.land("activity", name, text)
        self.bad[path, os.stat(path).st_mtime_ns] = text.count("x,bad")
        return path

    def row(self, user: int) -> str:
        self.clock += 1
        self.newest[user] = f"event{self.clock}"
        return f"{user},event{self.clock},2026-01-01 00:00:{self.clock:02}\n"

    @precondition(lambda self: self.calls < 6)
    @rule(task=TASKS)
    def call(self, task: str) -> None:
        self.calls += 1
        self.task(task)

    def task(self, task: str) -> None:
        result = self.project.cli(task)
        assert result.code == 0, result.document
        self.reported += result.feed["files"]

    @precondition(lambda self: self.last is not None and os.path.exists(self.last) and self.calls < 6)
    @rule(user=st.integers(1, 4))
    def replace(self, user: int) -> None:
        """The newest file is sent once more with another row, before it was moved."""
        assert self.last is not None
        with open(self.last, encoding="utf-8") as file:
            text = file.read()
        self.write(os.path.basename(self.last), text + self.row(user))
        self.last = None

    def teardown(self) -> None:
        if not hasattr(self, "project"):
            return
        try:
            for task in ("archive", "merge", "archive", "stage", "merge", "archive", "stage", "merge", "archive"):
                self.task(task)
            self.check()
        finally:
            shutil.rmtree(self.folder)

    def check(self) -> None:
        found = {int(user): event for user, event, _ in self.project.rows("analytics.activity")}
        assert found == self.newest
        assert self.project.files("landing") == []
        assert self.project.cli("run").document["status"] == "nothing_to_do"
        moved = sorted({os.path.basename(name) for name in self.project.files("archive")})
        assert moved == [f"{number:03}.csv" for number in range(1, self.landed + 1)]
        over = self.check_batches()
        self.check_files(over)
        self.check_quarantine(over)

    def check_batches(self) -> set[str]:
        """Each batch came to its one end, with the same figures all the way; those that are in the archive."""
        figures = "rows_read, rows_staged, rows_quarantined, rows_deduplicated, inserted, updated, unchanged, stale"
        batches = defaultdict[str, dict[str, list[int]]](dict)
        for batch, state, *rows in self.project.rows("_landfeed.batches", f"batch_id, state, {figures}"):
            assert state not in batches[batch], f"{state} is recorded twice"
            batches[batch][state] = [int(each) for each in rows]
        over = {batch for batch, states in batches.items() if states.keys() == {"staged", "merged", "archived"}}
        for batch, states in batches.items():
            assert batch in over or states.keys() == {"staged", "abandoned"}, states
            read, staged, quarantined, deduplicated, *outcomes = states.get("archived", states["staged"])
            assert read == staged + quarantined + deduplicated
            assert batch not in over or staged == sum(outcomes)
            assert states.get("merged") == states.get("archived")
            assert states["staged"][:4] == [read, staged, quarantined, deduplicated]
        return over

    def check_files(self, over: set[str]) -> None:
        """Each version of a file that was merged was so once, stands where the ledger and a report say, and nothing
        else is in the archive."""
        columns = "batch_id, file, file_version, state, moved_to, reason"
        events = self.project.rows("_landfeed.files", columns)
        assert len(events) == len({event[:4] for event in events}), "a state is recorded twice"
        states = defaultdict[tuple[str, str], set[tuple[str, str]]](set)
        for batch, file, version, state, *_ in events:
            states[file, version].add((batch, state))
        self.merged = {
            (file, int(version)) for (file, version), those in states.items() if "merged" in {each for _, each in those}
        }
        for those in states.values():
            ended = {(batch, state) for batch, state in those if batch in over}
            assert {state for _, state in ended} in ({"staged", "merged", "archived"}, set())
            assert len({batch for batch, _ in ended}) <= 1, "it was loaded twice"
            assert {state for batch, state in those if batch not in over} <= {"staged"}
        archived = [event for event in events if event[3] == "archived"]
        assert all((event[4] is None) == (event[5] is not None) for event in archived)
        there = sorted(event[4] for event in archived if event[4] is not None)
        assert there == sorted(self.project.path("archive", name) for name in self.project.files("archive"))
        told = [(each["file"], each["moved_to"]) for each in self.reported if each["status"] == "archived"]
        assert sorted(told, key=str) == sorted(((event[1], event[4]) for event in archived), key=str)

    def check_quarantine(self, over: set[str]) -> None:
        """The bad rows of every version that was merged, once; nothing of batches that were given up."""
        rows = self.project.rows("analytics.activity__quarantine", "_batch_id, _record, _feed")
        assert {row[0] for row in rows} <= over
        assert {row[1:] for row in rows} <= {("x,bad,2026-01-01", "activity")}
        assert len(rows) == sum(self.bad[each] for each in self.merged)


WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""To shrink an example takes minutes, of tens of loads each; it is six calls at most anyway."""


class Quick(Tasks):
    pass


Quick.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=WITHOUT_SHRINKING,
)
TestTasks = pytest.mark.timeout(600)(Quick.TestCase)


class OnSpark(Tasks):
    engine = "spark"


@pytest.mark.spark
@pytest.mark.torture
def test_tasks_on_spark(spark: Any) -> None:
    """A few; each call costs seconds."""
    few = settings(
        max_examples=3,
        stateful_step_count=10,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=WITHOUT_SHRINKING,
    )
    run_state_machine_as_test(OnSpark, settings=few)


class Long(Tasks):
    pass


Long.TestCase.settings = settings(
    max_examples=1_000, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
)
TestTasksLong = pytest.mark.torture(Long.TestCase)
