"""The command line. The only place that prints, exits, or looks at clock and environment.

Data goes to stdout, everything else to stderr. Engines are imported by the commands that need one.

    check | work | look | bad_rows      commands that check and write configuration · load · look · show what is bad
    options                             what they share: their options, what they open, how an error ends them
    say | progress                      what is printed · what is shown while work goes on
"""

from __future__ import annotations

import os
import signal
import sys
import threading

import click

from framework import __version__
from framework.cli import bad_rows, check, look, work

__all__ = ["landfeed", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", default="pipelines_config", show_default=True, help="The configuration folder.")
@click.option("--env", default="local", envvar="LANDFEED_ENV", show_default=True, help="The environment's name.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", help="What stdout holds.")
@click.version_option(__version__, prog_name="landfeed")
def landfeed(config: str, env: str, output: str) -> None:
    """Files that land in a folder or bucket become correct Delta tables, one YAML file a feed."""


_COMMANDS: tuple[click.Command, ...] = (
    *(check.validate, check.plan, check.schema, check.show_config, check.new, check.bundle),
    *(work.run, work.stage, work.merge, work.archive, work.watch),
    *(look.status, look.history, look.show, bad_rows.quarantine),
)
for _command in _COMMANDS:
    landfeed.add_command(_command)


def main() -> None:
    """Entry point of `landfeed` and `runner.py`. Returns when all is well: a host that calls it, as Databricks does,
    may take a SystemExit for a failure, also one of 0, and may call it in a thread, which takes no signals."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        landfeed.main(prog_name="landfeed", standalone_mode=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except SystemExit as error:
        if error.code:
            raise
