"""A feed's page: its YAML explained, its last loads as charts, what was bad and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, timedelta

from framework.feed import Column, Expect, Feed
from framework.law.verdict import most_frequent
from framework.pages.charts import Bar, bars
from framework.pages.facts import LOADS, FeedFacts, Load, Site
from framework.pages.html import badge, moment, more, number, place, section, table, text

__all__ = ["feed_page"]

_FILES = 20


def feed_page(facts: FeedFacts, site: Site) -> str:
    """The content of a feed's page."""
    feed, loads = facts.feed, list(reversed(facts.loads[:LOADS]))
    about = f"<p>{text(feed.description)}</p>" if feed.description else ""
    owner = f"<p>Owner: {text(feed.owner)}</p>" if feed.owner else ""
    tags = f"<p>Tags: {text(', '.join(feed.tags))}</p>" if feed.tags else ""
    why = f"<p>{text(facts.message)}</p>" if facts.message else ""
    return "".join(
        (
            f"<h1>{text(feed.name)} {badge(facts.state)}</h1>{why}{about}{owner}{tags}",
            section("The way of a file", _flow(feed), _facts(facts)),
            section("Last loads", _charts(loads), _table(facts.loads[:LOADS])),
            section("Bad rows by reason", _reasons(facts, site)),
            section("Rejected files", _rejected(facts)),
            section("What changed", _changes(facts)),
            section("Columns", _columns(feed)),
        )
    )


def _flow(feed: Feed) -> str:
    """Source to archive, as a list that is drawn as a picture."""
    pattern = feed.source.files or "every file"
    how = f"{feed.target.mode} of rows" + (f" by {', '.join(feed.target.keys)}" if feed.target.keys else "")
    stations = (
        ("landing", feed.source.path, f"{feed.source.format}, {pattern}"),
        ("staging", feed.target.staging.name, "typed and checked"),
        ("target", feed.target.table.name, how),
        ("archive", feed.archive.path, f"files: {feed.archive.on_success}"),
    )
    aside = (
        ("bad rows", feed.quarantine.table.name, "with every reason"),
        ("rejected files", feed.archive.rejected_path, "as they came"),
    )
    main = "".join(_station(*station) for station in stations)
    beside = "".join(_station(*station) for station in aside)
    return f'<ol class="flow">{main}</ol><ul class="flow aside">{beside}</ul>'


def _station(name: str, where: str, what: str) -> str:
    return f"<li><b>{text(name)}</b>{place(where)}<span>{text(what)}</span></li>"


def _facts(facts: FeedFacts) -> str:
    feed = facts.feed
    target = feed.target
    known = (
        ("Keys", ", ".join(target.keys)),
        ("History", "every version of a row (SCD 2)" if target.scd_type == 2 else ""),
        ("Newest by", ", ".join(target.sequence_by)),
        ("Deletes", f"{target.apply_as_deletes} ({target.delete_mode})" if target.apply_as_deletes else ""),
        ("Rows kept", feed.filter),
        ("Expected", _expected(feed.expect) if feed.expect else ""),
        ("Waiting", f"{facts.pending:,} file(s)" if facts.pending else ""),
        ("Checks", "; ".join(f"{check.name}: {check.expr} ({check.action})" for check in feed.checks)),
        ("Feed file", feed.file),
    )
    listed = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in known if value)
    return f"<dl>{listed}</dl>"


def _expected(expect: Expect) -> str:
    by = f" by {expect.by:%H:%M}" if expect.by else ""
    but = len(expect.weekdays) + len(expect.exceptions)
    days = f", {but} exceptions" if but else ""
    units = (("week", timedelta(weeks=1)), ("day", timedelta(days=1)), ("hour", timedelta(hours=1)))
    unit, size = next(((u, s) for u, s in units if not expect.every % s), ("minute", timedelta(minutes=1)))
    count = expect.every // size
    return f"every {unit if count == 1 else f'{count} {unit}s'}{by} ({expect.timezone}){days}"


def _charts(loads: Sequence[Load]) -> str:
    """Of loads in the order of time."""
    if not loads:
        return "<p>Nothing was loaded yet.</p>"
    names = [f"{load.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M}" for load in loads]

    def steps(values: Iterable[tuple[float, ...]]) -> list[Bar]:
        return [Bar(name, value) for name, value in zip(names, values, strict=True)]

    good = ((load.rows_read - load.rows_quarantined, load.rows_quarantined) for load in loads)
    changed = ((load.inserted, load.updated, load.deleted) for load in loads)
    return (
        '<div class="charts">'
        + bars("Rows read", ("good rows", "bad rows"), steps(good))
        + bars("Rows changed in the target", ("inserted", "updated", "deleted"), steps(changed), colours=(0, 2, 1))
        + bars("Seconds", ("stage", "merge", "archive"), steps(load.seconds for load in loads), " s", (0, 2, 3))
        + bars("Files", ("files",), steps((load.files,) for load in loads))
        + "</div>"
    )


def _table(loads: Sequence[Load]) -> str:
    if not loads:
        return ""
    columns = ("loaded (UTC)", "batch", "state", "files", "rows", "bad", "inserted", "updated", "deleted", "seconds")
    rows = (
        (
            moment(load.recorded_at),
            f"<code>{text(load.batch_id)}</code>",
            text(load.state) + (f": {text(load.error)}" if load.error else ""),
            *map(number, (load.files, load.rows_read, load.rows_quarantined)),
            *map(number, (load.inserted, load.updated, load.deleted)),
            f"{sum(load.seconds):.1f}",
        )
        for load in loads
    )
    return f"<details><summary>The figures</summary>{table(columns, rows, columns[3:])}</details>"


def _reasons(facts: FeedFacts, site: Site) -> str:
    """The reasons of recent batches together, and those of each newest batch with bad rows as bars."""
    found = most_frequent(reason for reasons in facts.reasons.values() for reason in reasons)
    if not found:
        return ""
    columns = ["reason", "column", "rows", "what it says"] + (["first value", "line"] if site.samples else [])
    rows = []
    for reason in found:
        row = [text(reason.code), text(reason.column), number(reason.rows), text(reason.message)]
        rows.append(row + ([text(reason.value), number(reason.line)] if site.samples else []))
    return _by_batch(facts) + table(columns, rows, ("rows", "line"))


def _by_batch(facts: FeedFacts) -> str:
    codes = sorted({reason.code for reasons in facts.reasons.values() for reason in reasons})
    steps = []
    for load in reversed(facts.loads[:LOADS]):
        if load.batch_id in facts.reasons:
            counted = dict.fromkeys(codes, 0)
            for reason in facts.reasons[load.batch_id]:
                counted[reason.code] += reason.rows
            steps.append(Bar(f"{load.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M}", tuple(counted.values())))
    return bars("Bad rows by reason", codes, steps)


def _rejected(facts: FeedFacts) -> str:
    if not facts.rejected:
        return ""
    rows = (
        (moment(event.recorded_at), place(event.file.removeprefix(facts.feed.source.path)), text(event.reason))
        for event in facts.rejected[:_FILES]
    )
    return table(("rejected (UTC)", "file", "why"), rows) + more(len(facts.rejected) - _FILES)


def _changes(facts: FeedFacts) -> str:
    """What was different in files, the feed or the target, the newest first."""
    if not facts.changed:
        return ""
    rows = (
        (
            moment(change.at),
            text(change.sentence),
            place(change.file.removeprefix(facts.feed.source.path)) if change.file else text(None),
        )
        for change in facts.changed[:_FILES]
    )
    return table(("since (UTC)", "what changed", "first file"), rows) + more(len(facts.changed) - _FILES)


def _columns(feed: Feed) -> str:
    columns = ("column", "type", "from", "rules", "what it is")
    rows = (
        (
            f"<code>{text(column.name)}</code>",
            text(column.type),
            text(_origin(column)),
            text("; ".join(_rules(column, feed))),
            text(column.description),
        )
        for column in feed.columns
    )
    return table(columns, rows)


def _origin(column: Column) -> str:
    if column.expr is not None:
        return f"= {column.expr}"
    if column.from_file is not None:
        return f"the file's name: {column.from_file}"
    return " or ".join(column.source_names)


def _rules(column: Column, feed: Feed) -> Iterator[str]:
    if column.name in feed.target.keys:
        yield "key"
    if column.name in feed.target.except_columns:
        yield "not in the target"
    if column.required:
        yield "required"
    if column.accepted_values:
        yield f"one of {', '.join(column.accepted_values)}"
    if column.min is not None or column.max is not None:
        yield f"from {column.min or '…'} to {column.max or '…'}"
    if column.pattern:
        yield f"matches {column.pattern}"
    if column.formats:
        yield f"written as {' or '.join(column.formats)}"
    if column.default is not None:
        yield f"{column.default} where missing"
    if column.mask is not None:
        yield f"masked ({column.mask.method})"
