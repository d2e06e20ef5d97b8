"""The command that looks at bad rows: quarantine."""

from __future__ import annotations

import os

import click

from framework.cli.options import Request, common, given, opened
from framework.cli.say import print_json
from framework.cli.streams import say
from framework.cli.tables import near, print_table
from framework.errors import LandfeedError

__all__ = ["quarantine"]

_ALL = "Every batch, and not only the newest one with bad rows."
_EXPORT = "Write the records of one feed to this file, with the header that they came with, to be mended and landed."


@click.command()
@click.option("--batch", metavar="ID", default=None, help="Only of this batch.")
@click.option("--file", metavar="FILE", default=None, help="Only of this file: its path, or the end of it.")
@click.option("--all", "every", is_flag=True, help=_ALL)
@click.option("--export", "to", metavar="FILE", default=None, help=_EXPORT)
@common
def quarantine(request: Request, batch: str | None, file: str | None, every: bool, to: str | None) -> None:
    """Show why rows of the feeds are bad, the newest batch and the most frequent reason first."""
    from framework.runs.quarantine import Wanted, bad_rows

    if to is not None:
        _export(request, to, given(batch), given(file), every=every)
        return
    with opened(request) as (project, world, _):
        document = bad_rows(project.feeds, world.engine, Wanted(given(batch), given(file), every))
    if request.as_json:
        print_json(document)
        return
    names = ["code", "column", "rows", "value", "file", "line", "message"]
    rows = [
        [feed["feed"], batch["batch_id"], *((reason | {"file": near(reason["file"])})[name] for name in names)]
        for feed in document["feeds"]
        for batch in feed["batches"]
        for reason in batch["reasons"]
    ]
    if not rows:
        say("no bad rows; rejected files: landfeed history --files")
        return
    print_table(["feed", "batch_id", *names], rows, cut=("value", "file", "message"))
    say()
    for question in dict.fromkeys(hint for feed in document["feeds"] for hint in feed["hints"]):
        say(f"hint: {question}")
    named = " ".join(dict.fromkeys(str(row[0]) for row in rows))
    say(f"the records: landfeed show {named} --quarantine")


def _export(request: Request, to: str, batch: str | None, file: str | None, *, every: bool) -> None:
    from framework.runs.bad_records import Chosen, exported

    with opened(request) as (project, world, _):
        if len(project.feeds) != 1:
            raise click.UsageError("name the feed whose records are to be exported")
        (feed,) = project.feeds
        found = exported(feed, world, Chosen(batch, file), every=every)
    root, ending = os.path.splitext(to)
    written = []
    for number, each in enumerate(found, 1):
        path = to if number == 1 else f"{root}-{number}{ending}"
        try:
            with open(path, "xb") as out:
                out.write(each.content)
        except OSError as error:
            why = f"{path} cannot be written: {error.strerror}"
            raise LandfeedError(why, "give another name; nothing is overwritten", code="export") from error
        written.append({"file": path, "records": each.records, "left_out": each.left_out})
    if request.as_json:
        print_json({"feed": feed.name, "files": written})
        return
    for one in written:
        say(f"{one['file']}: {one['records']:,} record(s)")
        if one["left_out"]:
            say(
                f"  {one['left_out']:,} more cannot be written: not all of them was kept, or the encoding lacks letters"
            )
    say(f"mend them, and copy the file to {feed.source.path}" if written else "no bad rows")
    if written and (feed.source.trailer or feed.source.control):
        say("  the feed wants a trailer or a control file: add it")
