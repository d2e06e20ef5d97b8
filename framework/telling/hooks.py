"""Hooks: webhooks hear what changed about feeds, once for each change.

How each feed stands, and what each webhook was told of it, stands in the control table `notices`. The latter is written
after the other side has taken it: what did not arrive is told after the next run, and what arrived is not told again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from framework.environment import Hook
from framework.ledger import Ledger, NoticeEvent
from framework.telling.changes import News, Standing, changes
from framework.telling.messages import About, message
from framework.telling.posting import Letter, post_all

__all__ = ["Heard", "hook_id", "notify"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What there is to say of a feed, by how it stood before."""

    feed: str
    news: Callable[[Standing], News]


_NOBODY = ""
"""In place of a hook: how feeds stand, whoever knows it."""


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
    told = ledger.notices([_NOBODY, *map(hook_id, hooks)])
    stood = told[_NOBODY]
    news = {each.feed: each.news(_standing(stood.get(each.feed))) for each in heard}

    def differing(hook: str) -> list[NoticeEvent]:
        """How feeds stand, where this hook does not know it."""
        known = {feed: _standing(told[hook].get(feed)) for feed in news}
        standings = ((feed, found.standing) for feed, found in news.items() if found.standing != known[feed])
        return [NoticeEvent(at, about.run_id, feed, hook, *astuple(standing)) for feed, standing in standings]

    letters: list[Letter] = []
    waiting: list[Sequence[NoticeEvent]] = []
    quiet = differing(_NOBODY)
    for hook in hooks:
        events, before = differing(hook_id(hook)), told[hook_id(hook)]
        found = [
            change
            for event in events
            for change in changes(event.feed, _standing(before.get(event.feed)), news[event.feed], hook.on)
        ]
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
