"""What merges mean, once more and on its own: the events of a key, folded in the order of their sequence.

Nothing here calls the product. A table is a list of dicts; an event is a tuple whose values are those that a file
holds. Of events with the same sequence the one that came later counts, whatever it does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Event", "Model", "Version", "versions"]

Key = tuple[Any, ...]
Values = tuple[Any, ...]


@dataclass(frozen=True)
class Event:
    """One row of a file; `kind` is U, D or T."""

    kind: str
    key: Key
    seq: Any
    values: Values = ()


@dataclass(frozen=True)
class Version:
    """A row of a history: valid from `start` to before `end` (None = still)."""

    key: Key
    values: Values
    start: Any
    end: Any


def versions(events: Iterable[Event], tracked: Sequence[int]) -> list[Version]:
    """The history of one key. Its events have different sequences."""
    found: list[Version] = []
    for event in sorted(events, key=lambda each: each.seq):
        current = found[-1] if found and found[-1].end is None else None
        if event.kind == "U" and current and all(current.values[i] == event.values[i] for i in tracked):
            found[-1] = Version(event.key, event.values, current.start, None)
            continue
        if current:
            found[-1] = Version(event.key, current.values, current.start, event.seq)
        if event.kind == "U":
            found.append(Version(event.key, event.values, event.seq, None))
    return found


@dataclass
class Model:
    """A target that has seen some batches. `history` is SCD2, whose `tracked` values open versions."""

    history: bool = False
    tracked: Sequence[int] = (0,)
    events: dict[Key, dict[Any, Event]] = field(default_factory=dict)
    horizon: Any = None

    def current(self) -> dict[Key, Event]:
        """The rows of an SCD1 target: the last event of each key, if it is no delete and not truncated."""
        last = {key: events[max(events)] for key, events in self.events.items() if events}
        return {k: e for k, e in last.items() if e.kind == "U" and (self.horizon is None or e.seq >= self.horizon)}

    def versions(self) -> list[Version]:
        return [each for events in self.events.values() for each in versions(events.values(), self.tracked)]

    def load(self, batch: Sequence[Event]) -> Counter[str]:
        """Apply a batch, whose events stand in the order of their delivery; the figures."""
        figures = self._history(batch) if self.history else self._rows(batch)
        figures["deduplicated"] = len(batch) - figures.total()
        return figures

    def _rows(self, batch: Sequence[Event]) -> Counter[str]:
        before, figures = self.current(), Counter[str]()
        old, truncates = self.horizon, [event.seq for event in batch if event.kind == "T"]
        if truncates:
            new = max(truncates)
            figures["deleted" if old is None or new > old else "stale" if new < old else "unchanged"] += 1
            self.horizon = new if old is None else max(old, new)
        for key in dict.fromkeys(event.key for event in batch if event.kind != "T"):
            mine = [event for event in batch if event.key == key and event.kind != "T"]
            newest = max(event.seq for event in mine)
            event = [event for event in mine if event.seq == newest][-1]
            figures[self._outcome(event, before.get(key))] += 1
            self._remember(mine)
        return figures

    def _outcome(self, event: Event, row: Event | None) -> str:
        known = self.events.get(event.key)
        if (known and event.seq < max(known)) or (self.horizon is not None and event.seq < self.horizon):
            return "stale"
        if event.kind == "D":
            return "deleted" if row else "unchanged"
        if row is None:
            return "inserted"
        return "unchanged" if (row.seq, row.values) == (event.seq, event.values) else "updated"

    def _remember(self, events: Iterable[Event]) -> None:
        for event in events:
            self.events.setdefault(event.key, {})[event.seq] = event

    def _history(self, batch: Sequence[Event]) -> Counter[str]:
        figures = Counter[str]()
        for key in dict.fromkeys(event.key for event in batch):
            known = dict(self.events.get(key, {}))
            before = versions(known.values(), self.tracked)
            self._remember(event for event in batch if event.key == key)
            now = self.events[key]
            after = versions(now.values(), self.tracked)
            for seq in {event.seq for event in batch if event.key == key}:
                figures[_outcome(now[seq], now, known, before, after)] += 1
        return figures


def _outcome(
    event: Event, now: dict[Any, Event], known: dict[Any, Event], before: Sequence[Version], after: Sequence[Version]
) -> str:
    """What one event of a batch comes to in the history of its key, which it changes from `before` to `after`."""
    hidden = "stale" if known and event.seq < max(known) else "unchanged"
    if event.kind == "D":
        starts = {version.start for version in after}
        closes = event.seq in {version.end for version in after} - starts
        closed = event.seq in {v.end for v in before} - {v.start for v in before}
        replaces = event.seq in {version.start for version in before}
        return "deleted" if (closes and not closed) or replaces else hidden
    mine = next(v for v in after if v.start <= event.seq and (v.end is None or event.seq < v.end))
    same = next((v for v in before if v.start == mine.start), None)
    if mine.start == event.seq:
        if not before and mine is after[0]:
            return "inserted"
        return "unchanged" if same and same.values == mine.values else "updated"
    members = sorted(seq for seq in now if mine.start <= seq and (mine.end is None or seq < mine.end))
    if members[-1] != event.seq:
        return hidden
    earlier = same.values if same else now[members[-2]].values
    return hidden if earlier == mine.values else "updated"
