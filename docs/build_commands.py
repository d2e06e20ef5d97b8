"""Writes docs/commands.md from the command line itself: `python docs/build_commands.py`."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator

import click

from framework.cli import landfeed

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "commands.md")
INTRODUCTION = """\
# Commands

`landfeed [--config DIR] [--env NAME] [--output text|json] COMMAND …`; `python runner.py …` is the same. Data goes to
stdout, everything else to stderr; with `--output json` stdout is one JSON document. Without feeds a command is about
all that are enabled. `--config` and `--env` are understood before and after the command.

Exit codes: 0 done, or nothing to do; 1 a step failed; 2 the configuration is wrong; 3 data broke a policy (a file was
rejected, a check that says `fail`); 130 or 143 stopped by Ctrl-C or SIGTERM.
"""


def commands() -> str:
    """The text of docs/commands.md."""
    return "\n".join([INTRODUCTION, *(_entry(name, landfeed.commands[name]) for name in sorted(landfeed.commands))])


def _entry(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    usage = f"landfeed {name} {' '.join(command.collect_usage_pieces(context))}"
    options = "\n".join(_options(command, context))
    table = f"\n| option | |\n|---|---|\n{options}\n" if options else ""
    return f"## {name}\n\n`{usage}`\n\n{_said(command)}\n{table}"


def _said(command: click.Command) -> str:
    """What a command says of itself; what stands behind a mark for click is shown as it is."""
    paragraphs = (command.help or "").split("\n\n")
    return "\n\n".join(_as_it_is(each) if "\b" in each else " ".join(each.split()) for each in paragraphs)


def _as_it_is(paragraph: str) -> str:
    lines = textwrap.dedent(paragraph.partition("\n")[2]).strip()
    return f"```\n{lines}\n```"


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None and record[1]:
            names, said = (part.replace("|", "\\|") for part in record)
            yield f"| `{names}` | {' '.join(said.split())} |"


if __name__ == "__main__":
    with open(FILE, "w", encoding="utf-8") as out:
        out.write(commands())
