"""Arrivals: when to look into a feed's landing folder, which files are quiet, when to run the feed.

Pure: a state machine over times and events; `watch` brings both. Times are seconds of a clock that only
moves forward. A file is *quiet* when two looks that are at least the quiet period apart found the same
version of it, so what a file server believes the time to be does not matter. Where the ages of files can
be trusted, one that was last modified before the quiet period is quiet at first sight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from framework.names import File

__all__ = ["Action", "Arrivals", "Identity", "Look", "Outcome", "Pace"]

Identity = tuple[str, int, int]


class Action(StrEnum):
    LOOK = "look"
    RUN = "run"


class Outcome(StrEnum):
    """How a run of the feed ended."""

    DONE = "done"
    IDLE = "idle"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. After the first failure the feed waits `first_pause`, after each further one twice as long,
    at most `longest_pause`; `longest_busy` is that limit while another runner has the feed."""

    quiet: float
    interval: float
    first_pause: float = 1.0
    longest_pause: float = 300.0
    longest_busy: float = 30.0

    def pause(self, outcome: Outcome, times: int) -> float:
        longest = self.longest_busy if outcome is Outcome.BUSY else self.longest_pause
        return float(min(self.first_pause * 2 ** min(times, 30), longest))


@dataclass(frozen=True, slots=True)
class Look:
    """What a look between `started` and `ended` found; `wall` is the time of day at its start, in
    nanoseconds since the epoch. `missing`: there is no such folder."""

    started: float
    ended: float
    wall: int
    files: Sequence[File] = ()
    missing: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    identity: Identity
    since: float
    quiet: bool
    changed: bool
    """Whether the file has been another version before."""


@dataclass(slots=True)
class Arrivals:
    """One feed. `next` says what to do now; the caller does it and tells with `looked` or `ended`.

    `trust_age`: files carry a time of modification that can be compared with ours, at any look; otherwise
    only those that are there at the first one. `due`: the feed is to run although nothing has arrived.
    """

    pace: Pace
    trust_age: bool = False
    due: bool = False
    missing: bool = False
    ready: frozenset[Identity] = frozenset()
    """The versions that are quiet."""
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _tried: frozenset[Identity] = frozenset()
    _doing: Action | None = None
    _look_at: float = -inf
    _retry_at: float = inf
    _last_look: float = -inf
    _spacing: float = 0.0
    _failures: int = 0
    _unreadable: int = 0
    _fresh: bool = False
    """Whether there has been a look since files were loaded."""

    def next(self, now: float) -> Action | None:
        """What is to be done now, which counts as begun; None while there is nothing or something is being done."""
        if self._doing is not None:
            return None
        if now >= self._retry_at:
            self._retry_at, self._look_at, self.due = inf, now, True
        if now >= self._look_at:
            self._doing, self._look_at = Action.LOOK, inf
        elif self._runnable:
            self._doing, self._tried = Action.RUN, self.ready
        return self._doing

    @property
    def running(self) -> bool:
        return self._doing is Action.RUN

    @property
    def wake(self) -> float:
        """When `next` is to be asked again if nothing happens until then."""
        if self._doing is not None:
            return inf
        return -inf if self._runnable else min(self._look_at, self._retry_at)

    @property
    def drained(self) -> bool:
        """Whether everything that was seen has been tried, but for files that keep changing."""
        if self._doing is not None or not self._fresh or self._runnable:
            return False
        return all(seen.quiet or seen.changed for seen in self._seen.values())

    @property
    def _runnable(self) -> bool:
        return (self.due and not self.missing) or not self.ready <= self._tried

    def changed(self, now: float) -> None:
        """Something has changed in the folder: look, but not all the time while a file is being written."""
        self._look_at = min(self._look_at, max(now, self._last_look + self._spacing))

    def looked(self, look: Look) -> tuple[File, ...]:
        """Take in what the folder holds; the files that are new in it."""
        age_counts = self.trust_age or self._last_look == -inf
        before, self._seen = self._seen, {}
        for file in look.files:
            self._seen[file.path] = self._sighting(file, before.get(file.path), look, age_counts)
        self.missing = look.missing
        self.ready = frozenset(seen.identity for seen in self._seen.values() if seen.quiet)
        self._tried &= self.ready
        self._looked(look)
        return tuple(file for file in look.files if file.path not in before)

    def _sighting(self, file: File, before: _Seen | None, look: Look, age_counts: bool) -> _Seen:
        if before is not None and before.identity == file.identity:
            quiet = before.quiet or look.started >= before.since + self.pace.quiet
            return _Seen(before.identity, before.since, quiet, before.changed)
        old = age_counts and look.wall - file.modified >= self.pace.quiet * 1e9
        return _Seen(file.identity, look.ended, old or self.pace.quiet == 0, before is not None)

    def _looked(self, look: Look) -> None:
        self._doing, self._last_look, self._fresh, self._unreadable = None, look.ended, True, 0
        self._spacing = max(self.pace.quiet / 5, 3 * (look.ended - look.started))
        wanted = min((seen.since + self.pace.quiet for seen in self._seen.values() if not seen.quiet), default=inf)
        self._look_at = min(max(self._look_at, look.ended + self._spacing), wanted, look.ended + self.pace.interval)

    def unreadable(self, now: float) -> float:
        """The look failed: try again after a pause, whose seconds it returns, or when something changes."""
        pause = self.pace.pause(Outcome.FAILED, self._unreadable)
        self._doing, self._last_look, self._fresh, self._unreadable = None, now, True, self._unreadable + 1
        self._spacing, self._look_at = self.pace.first_pause, now + pause
        return pause

    def ended(self, now: float, outcome: Outcome) -> float | None:
        """The run is over. When it failed or found another runner, what it tried is tried again after a
        pause, whose seconds it returns; what is new does not wait for that."""
        self._doing, self.due, self._look_at = None, False, now
        match outcome:
            case Outcome.DONE:
                self._tried, self._failures, self._retry_at, self._fresh = frozenset(), 0, inf, False
                return None
            case Outcome.IDLE:
                self._failures = 0
                self._retry_at = now + self.pace.interval if self._tried else inf
                return None
            case Outcome.BUSY | Outcome.FAILED:
                pause = self.pace.pause(outcome, self._failures)
                self._failures += 1
                self._retry_at = now + pause
                return pause
