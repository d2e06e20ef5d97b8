"""The command that looks whether all is well: doctor."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from framework import __version__
from framework.cli.options import Request, common, opened
from framework.cli.say import print_json
from framework.cli.streams import say
from framework.cli.tables import print_table

__all__ = ["doctor"]


@click.command()
@common
def doctor(request: Request) -> None:
    """Look at folders, rights, space, clock, tables, leases and versions, and say what to do. Exit code 1 when
    something is wrong."""
    from framework.runs.doctor import Health, examine

    with opened(request) as (project, world, leases):
        findings = list(examine(project.feeds, world, leases))
    wrong = [finding for finding in findings if finding.health is Health.ERROR]
    if request.as_json:
        listed = [{**asdict(finding), "health": finding.health.value} for finding in findings]
        print_json({"ok": not wrong, "version": __version__, "findings": listed})
    else:
        print_table(["health", "subject", "what"], [[f.health.value, f.subject, f.message] for f in findings])
        for hint in dict.fromkeys(finding.hint for finding in findings if finding.hint):
            say(f"hint: {hint}")
    sys.exit(1 if wrong else 0)
