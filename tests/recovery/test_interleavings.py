"""The three tasks in any order, repeated, skipped or late, with files arriving in between: always the right end."""

from __future__ import annotations

import os
import shutil
import tempfile
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

    @rule(users=USERS, bad=st.booleans())
    def land(self, users: list[int], bad: bool) -> None:
        """A file whose rows are newer than all before; sometimes one row is bad."""
        self.landed += 1
        rows = [self.row(user) for user in users] + ["x,bad,2026-01-01\n"] * bad
        self.last = self.project.land("activity", f"{self.landed:03}.csv", HEADER + "".join(rows))

    def row(self, user: int) -> str:
        self.clock += 1
        self.newest[user] = f"event{self.clock}"
        return f"{user},event{self.clock},2026-01-01 00:00:{self.clock:02}\n"

    @precondition(lambda self: self.calls < 6)
    @rule(task=TASKS)
    def call(self, task: str) -> None:
        self.calls += 1
        assert self.project.cli(task).code == 0

    @precondition(lambda self: self.last is not None and os.path.exists(self.last) and self.calls < 6)
    @rule(user=st.integers(1, 4))
    def replace(self, user: int) -> None:
        """The newest file is sent once more with another row, before it was moved."""
        assert self.last is not None
        with open(self.last, encoding="utf-8") as file:
            text = file.read()
        self.project.land("activity", os.path.basename(self.last), text + self.row(user))
        self.last = None

    def teardown(self) -> None:
        if not hasattr(self, "project"):
            return
        try:
            for task in ("archive", "merge", "archive", "stage", "merge", "archive", "stage", "merge", "archive"):
                assert self.project.cli(task).code == 0
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
TestTasks = Quick.TestCase


class OnSpark(Tasks):
    engine = "spark"


@pytest.mark.spark
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
