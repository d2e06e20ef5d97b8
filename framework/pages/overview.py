"""The first page: what came in today, what is late, what was bad and why, what changed; and all feeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from framework.law.verdict import most_frequent
from framework.pages.charts import Bar, bars
from framework.pages.facts import DAYS, RECENT, STATES, Changed, FeedFacts, Load, Site
from framework.pages.html import badge, moment, more, number, section, table, text

__all__ = ["overview"]

_FEWEST_DAYS = 14
"""Days of which none are left out at the beginning where there was nothing yet."""
_REASONS = 3
_MOST = 50
"""Rows of lists on the first page; of more it is said how many."""


def overview(site: Site) -> str:
    """The content of the first page."""
    counted = Counter(facts.state for facts in site.feeds)
    tiles = "".join(f'<li class="{state}"><b>{counted[state]:,}</b> {state}</li>' for state in STATES if counted[state])
    return "".join(
        (
            f"<h1>Feeds of {text(site.environment)}</h1>",
            f'<ul class="tiles" aria-label="Feeds by state">{tiles}</ul>',
            section("Needs a look", _worries(site.feeds)),
            section("Came in today", _today(site)),
            section("What changed", _changes(site)),
            section("Rows a day", _rows_a_day(site)),
            section("All feeds", _search(), _all(site.feeds)),
        )
    )


def _link(facts: FeedFacts) -> str:
    return f'<a href="feeds/{text(facts.feed.name)}.html">{text(facts.feed.name)}</a>'


def _worries(feeds: Sequence[FeedFacts]) -> str:
    bad = [facts for facts in feeds if facts.state in STATES[:4]]
    bad.sort(key=lambda facts: STATES.index(facts.state))
    rows = ((_link(facts), badge(facts.state), text(facts.message), text(facts.feed.owner)) for facts in bad[:_MOST])
    found = table(("feed", "state", "why", "owner"), rows) if bad else "<p>Nothing. All is well.</p>"
    return found + more(len(bad) - _MOST)


def _today(site: Site) -> str:
    today = site.at.date()
    rows = []
    for facts in site.feeds:
        loads = [load for load in facts.loads if load.recorded_at.date() == today and load.state == "archived"]
        if loads:
            read, bad = sum(load.rows_read for load in loads), sum(load.rows_quarantined for load in loads)
            files = sum(load.files for load in loads)
            figures = (number(files), number(read), number(bad), text(_why_bad(facts, loads)))
            rows.append((read, (_link(facts), moment(loads[0].recorded_at), *figures)))
    rows.sort(key=lambda row: -row[0])
    columns = ("feed", "last load (UTC)", "files", "rows", "bad rows", "why they are bad")
    if not rows:
        return "<p>Nothing yet.</p>"
    return table(columns, (row for _, row in rows[:_MOST]), columns[2:5]) + more(len(rows) - _MOST)


def _why_bad(facts: FeedFacts, loads: Sequence[Load]) -> str:
    """The most frequent reasons of bad rows in these loads."""
    found = most_frequent(reason for load in loads for reason in facts.reasons.get(load.batch_id, ()))
    said = [f"{r.column + ': ' if r.column else ''}{r.message} ({r.rows:,})" for r in found[:_REASONS]]
    return "; ".join([*said, f"{len(found) - _REASONS} more reasons"] if len(found) > _REASONS else said)


def _changes(site: Site) -> str:
    """What was different lately, the same of several files once."""
    once: dict[tuple[str, str], Changed] = {}
    for facts in site.feeds:
        for change in facts.changed:  # the newest first
            if change.at >= site.at - RECENT:
                once.setdefault((change.feed, change.sentence), change)
    found = sorted(once.values(), key=lambda change: change.at, reverse=True)
    if not found:
        return f"<p>Nothing in the last {RECENT.days} days.</p>"
    rows = (
        (f'<a href="feeds/{text(change.feed)}.html">{text(change.feed)}</a>', moment(change.at), text(change.sentence))
        for change in found[:_MOST]
    )
    return table(("feed", "since (UTC)", "what changed"), rows) + more(len(found) - _MOST)


def _rows_a_day(site: Site) -> str:
    good: Counter[date] = Counter()
    bad: Counter[date] = Counter()
    for facts in site.feeds:
        for load in facts.loads:
            if load.state == "archived":
                day = load.recorded_at.date()
                good[day] += load.rows_read - load.rows_quarantined
                bad[day] += load.rows_quarantined
    days = site.days(DAYS)
    while len(days) > _FEWEST_DAYS and not good[days[0]] and not bad[days[0]]:
        del days[0]
    steps = [Bar(day.isoformat(), (good[day], bad[day])) for day in days]
    return bars(f"Rows read in the last {len(days)} days", ("good rows", "bad rows"), steps)


def _search() -> str:
    return (
        '<p class="search" hidden><label for="search">Search</label> '
        '<input type="search" id="search" autocomplete="off" aria-describedby="found"> '
        '<span id="found" role="status"></span></p>'
    )


def _all(feeds: Sequence[FeedFacts]) -> str:
    columns = ("feed", "state", "last load (UTC)", "rows", "bad rows", "waiting", "owner", "tags")
    rows: Iterator[tuple[str, ...]] = (
        (
            _link(facts),
            badge(facts.state),
            moment(facts.last.recorded_at if facts.last else None),
            number(facts.last.rows_read if facts.last else None),
            number(facts.last.rows_quarantined if facts.last else None),
            number(facts.pending),
            text(facts.feed.owner),
            text(", ".join(facts.feed.tags)),
        )
        for facts in feeds
    )
    return f'<div id="feeds">{table(columns, rows, columns[3:6])}</div>'
