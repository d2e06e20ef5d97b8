"""What a run is asked to do, besides its feeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from framework.names import File, Status
from framework.plan.compile import ALL_TASKS, Task

__all__ = ["Doing", "Options"]

Doing: TypeAlias = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Options:
    """`tasks` to run, `jobs` feeds at a time, seconds to `wait` for a busy feed; with `fail_fast` no
    feed starts after one has failed. `on_feed` is told from any thread that a feed is doing something, which
    can be asked for a text at any time, or how it has ended. Files that are not `ready` are left alone, and
    when the run is `stopping` no batch begins; both are asked from any thread before each batch."""

    tasks: frozenset[Task] = ALL_TASKS
    jobs: int = 4
    wait: float = 0.0
    fail_fast: bool = False
    on_feed: Callable[[str, Doing | Status], None] = lambda _feed, _doing: None
    ready: Callable[[File], bool] = lambda _file: True
    stopping: Callable[[], bool] = lambda: False
