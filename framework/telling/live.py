"""Live: OpenLineage events on their way: START when the work on a feed begins, COMPLETE or FAIL when it is durable.

They are posted in the background, in their order; only the end of a run waits for them, and not for long.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from queue import SimpleQueue
from typing import Any

from framework.environment import Lineage
from framework.feed import Feed
from framework.names import Status
from framework.report import RunReport
from framework.telling.lineage import ended, run_id_of, started
from framework.telling.posting import Letter, post_all

__all__ = ["Live"]


class Live:
    """Who hears events of `lineage`, as `dump` writes them; `clock` gives the time in UTC. Safe for threads."""

    def __init__(
        self, lineage: Lineage, clock: Callable[[], datetime], dump: Callable[[Mapping[str, Any]], bytes]
    ) -> None:
        self._lineage, self._clock, self._dump = lineage, clock, dump
        self._lock = threading.Lock()
        self._begun: dict[str, str] = {}
        """By feed, the id of the run whose START is on its way."""
        self._events: SimpleQueue[bytes | threading.Event] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._trouble: str | None = None
        self._lost = 0

    def began(self, run: RunReport, feed: Feed) -> None:
        """The work on a feed begins, unless it has already."""
        with self._lock:
            if feed.name in self._begun:
                return
            at = self._clock()
            self._begun[feed.name] = run_id = run_id_of(run, feed, at)
        self._send(started(run_id, at, feed, self._lineage))

    def ended(self, run: RunReport, feeds: Sequence[Feed]) -> str | None:
        """The run is over: why not all events have arrived. Who does not hear one will not hear the others either."""
        by_name, now = {feed.name: feed for feed in feeds}, self._clock()
        for report in run.feeds:
            feed = by_name.get(report.feed)
            with self._lock:
                begun = self._begun.pop(report.feed, None)
            if feed is None or (begun is None and report.status in (Status.NOTHING_TO_DO, Status.BUSY)):
                continue
            if begun is None:  # it failed before it came to any work
                at = report.started_at or run.started_at
                begun = run_id_of(run, feed, at)
                self._send(started(begun, at, feed, self._lineage))
            self._send(ended(begun, now, feed, report, self._lineage))
        return self._awaited()

    def _send(self, event: Mapping[str, Any]) -> None:
        self._events.put(self._dump(event))
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._post, name="lineage", daemon=True)
                self._thread.start()

    def _awaited(self) -> str | None:
        """Wait until all is posted; what went wrong since this was called last."""
        if self._thread is None:
            return None
        posted = threading.Event()
        self._events.put(posted)
        if not posted.wait(self._lineage.seconds):
            return f"{self._letter(b'').host}: no answer within {self._lineage.seconds:g} s; events may be lost"
        trouble, lost = self._trouble, self._lost
        self._trouble, self._lost = None, 0
        return None if trouble is None else f"{trouble}; {lost:,} event(s) are lost"

    def _post(self) -> None:
        while True:
            event = self._events.get()
            if isinstance(event, threading.Event):
                event.set()
            elif self._trouble is not None:
                self._lost += 1
            else:
                letter = self._letter(event)
                (trouble,) = post_all([letter])
                if trouble is not None:
                    self._trouble, self._lost = f"{letter.host}: {trouble}", 1

    def _letter(self, event: bytes) -> Letter:
        headers = {"Content-Type": "application/json"}
        if self._lineage.api_key:
            headers["Authorization"] = f"Bearer {self._lineage.api_key}"
        return Letter(self._lineage.url, event, self._lineage.seconds, headers)
