"""The command that looks at bad rows: quarantine."""

from __future__ import annotations

import click

from framework.cli.options import Request, common, given, opened
from framework.cli.say import print_json
from framework.cli.streams import say
from framework.cli.tables import near, print_table

__all__ = ["quarantine"]

_ALL = "Every batch, and not only the newest one with bad rows."


@click.command()
@click.option("--batch", metavar="ID", default=None, help="Only of this batch.")
@click.option("--file", metavar="FILE", default=None, help="Only of this file: its path, or the end of it.")
@click.option("--all", "every", is_flag=True, help=_ALL)
@common
def quarantine(request: Request, batch: str | None, file: str | None, every: bool) -> None:
    """Show why rows of the feeds are bad, the newest batch and the most frequent reason first."""
    from framework.runs.quarantine import Wanted, bad_rows

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
        say("no bad rows")
        return
    print_table(["feed", "batch_id", *names], rows, cut=("value", "file", "message"))
    say()
    named = " ".join(dict.fromkeys(str(row[0]) for row in rows))
    say(f"the records: landfeed show {named} --quarantine")
