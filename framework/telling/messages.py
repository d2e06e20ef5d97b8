"""Messages: what changed, in the forms in which those who are told take it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from framework import __version__
from framework.environment import HookForm, Occasion
from framework.telling.changes import Change

__all__ = ["About", "message"]

_SHOWN = 20
"""Changes that a message for people names; of more it says how many."""
_LENGTH = 300
"""Characters of a sentence in a message for people."""
_MARKS = {Occasion.RECOVERED: "✅", Occasion.FAILED: "🔴", Occasion.REJECTED: "🟠"}


@dataclass(frozen=True, slots=True)
class About:
    """Of which run and environment a message is; `at` is the moment in UTC, as text."""

    environment: str
    run_id: str
    command: str
    at: str


def message(form: HookForm, about: About, changes: Sequence[Change], hide: Callable[[str], str]) -> bytes:
    """The body of a request, UTF-8 JSON without secrets."""
    match form:
        case HookForm.JSON:
            document = _plain(about, changes)
        case HookForm.SLACK:
            document = {"text": "\n".join(_slack(line) for line in _lines(about, changes))}
        case HookForm.TEAMS:
            document = _teams(_lines(about, changes))
        case _:
            assert_never(form)
    return hide(json.dumps(document, ensure_ascii=False)).encode("utf-8", "replace")


def _plain(about: About, changes: Sequence[Change]) -> dict[str, Any]:
    return {
        "landfeed": __version__,
        "environment": about.environment,
        "run_id": about.run_id,
        "command": about.command,
        "at": about.at,
        "changes": [change.as_dict() for change in changes],
    }


def _lines(about: About, changes: Sequence[Change]) -> list[str]:
    """A line for each change, and one about all of them first."""
    lines = [f"Landfeed, {about.environment}: {len(changes):,} change{'s' if len(changes) > 1 else ''}"]
    for change in changes[:_SHOWN]:
        said = " ".join(change.message.split())
        said = said if len(said) <= _LENGTH else said[: _LENGTH - 1] + "…"
        mark = _MARKS.get(change.occasion, "🟡")
        lines.append(f"{mark} {change.feed or 'the run'}: {change.occasion}: {said}{_reasons(change.more)}")
    if len(changes) > _SHOWN:
        lines.append(f"and {len(changes) - _SHOWN:,} more")
    return lines


def _reasons(more: Mapping[str, Any]) -> str:
    """The most frequent reasons of bad rows."""
    reasons = more.get("reasons") or []
    named = [
        f"{each['rows']:,} of {each['code']}" + (f" in {each['column']}" if each["column"] else "") for each in reasons
    ]
    return f" ({', '.join(named[:3])})" if named else ""


def _slack(line: str) -> str:
    """A line in Slack's own form, in which three characters are special."""
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(lines: Sequence[str]) -> dict[str, Any]:
    """An Adaptive Card, as workflows of Teams take it."""
    first, *others = lines
    blocks = [{"type": "TextBlock", "text": first, "weight": "Bolder", "wrap": True}]
    blocks += [{"type": "TextBlock", "text": _unmarked(line), "wrap": True} for line in others]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _unmarked(line: str) -> str:
    """Text blocks take some Markdown, which names and sentences have none of."""
    return "".join(f"\\{c}" if c in "\\*_[]`#" else c for c in line)
