"""Hooks: webhooks hear what changed about feeds, once for each change.

What each was told stands in the control table `notices`, written after the other side has taken it: a message that did
not arrive is sent again after the next run, and one that arrived is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from framework.environment import Hook
from framework.ledger import Ledger, NoticeEvent
from framework.telling.changes import News, Standing, changes
from framework.telling.messages import About, message
from framework.telling.posting import Letter, post_all

__all__ = ["Heard", "hook_id", "notify"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What there is to say of a feed, by how it stood when somebody was told last."""

    feed: str
    news: Callable[[Standing], News]


def hook_id(hook: Hook) -> str:
    """What tells a hook from others, and nothing of its address."""
    return hashlib.sha256(hook.url.encode()).hexdigest()[:12]


def notify(
    hooks: Sequence[Hook],
    heard: Sequence[Heard],
    ledger: Ledger,
    about: About,
    at: datetime,
    hide: Callable[[str], str],
) -> list[str]:
    """Tell every hook what is new to it; a sentence for each that could not be told."""
    told = ledger.notices([hook_id(hook) for hook in hooks])
    letters: list[Letter] = []
    waiting: list[Sequence[NoticeEvent]] = []
    quiet: list[NoticeEvent] = []
    for hook in hooks:
        before, found, events = told.get(hook_id(hook), {}), [], []
        for each in heard:
            was = _standing(before.get(each.feed))
            news = each.news(was)
            if news.standing != was:
                found += changes(each.feed, was, news, hook.on)
                events.append(_event(hook, each.feed, news.standing, about.run_id, at))
        if found:
            letters.append(Letter(hook.url, message(hook.form, about, found, hide), hook.seconds))
            waiting.append(events)
        else:
            quiet += events
    troubles = post_all(letters)
    arrived = (event for events, trouble in zip(waiting, troubles, strict=True) if trouble is None for event in events)
    ledger.record_notices([*quiet, *arrived])
    return [
        f"{letter.host}: {trouble}" for letter, trouble in zip(letters, troubles, strict=True) if trouble is not None
    ]


def _standing(event: NoticeEvent | None) -> Standing:
    return Standing() if event is None else Standing(event.load, event.freshness, event.rows)


def _event(hook: Hook, feed: str, standing: Standing, run_id: str, at: datetime) -> NoticeEvent:
    return NoticeEvent(at, run_id, feed, hook_id(hook), standing.load, standing.freshness, standing.rows)
