"""The command line. The only place that prints, exits, or looks at clock and environment.

Data goes to stdout, everything else to stderr. Engines are imported by the commands that need one.

    begin | demo | check | work | look | bad_rows | doctor | days | pages   commands to begin with · an example ·
                                        check · load · look · show what is bad · tell what is wrong with the machine ·
                                        for the days after the first load · pages about feeds
    told                                who is told of runs
    options                             what they share: their options, what they open, how an error ends them
    say | progress | signals | cover    what is printed · shown meanwhile · how it is interrupted · what never is
    tables                              tables as wide as the terminal is
    streams                             the standard streams, whatever state they are in
    logs                                which lines stderr has, and how
"""

from __future__ import annotations

import sys
import traceback

import click

from framework import __version__
from framework.cli import bad_rows, begin, check, days, look, pages, work
from framework.cli import demo as showing
from framework.cli import doctor as health
from framework.cli.logs import LOG
from framework.cli.options import complete_environments, logged
from framework.cli.signals import EndSignals
from framework.cli.streams import OutputError, abandon, finish, prepare, say
from framework.machine import open_more_files

__all__ = ["landfeed", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", default="pipelines_config", show_default=True, help="The configuration folder.")
@click.option(
    "--env",
    default="local",
    envvar="LANDFEED_ENV",
    show_default=True,
    help="The environment's name.",
    shell_complete=complete_environments,
)
@click.option("--output", type=click.Choice(["text", "json"]), default="text", help="What stdout holds.")
@logged
@click.version_option(__version__, prog_name="landfeed")
def landfeed(*, log_format: str | None, less: bool, more: bool, **_: str) -> None:
    """Files that land in a folder or bucket become correct Delta tables, one YAML file a feed."""
    LOG.begin(as_json=log_format == "json", quiet=less, verbose=more)


_COMMANDS: tuple[click.Command, ...] = (
    *(begin.init, showing.demo, begin.new, begin.infer, begin.completion),
    *(check.validate, check.plan, check.schema, check.show_config, check.bundle),
    *(work.run, work.stage, work.merge, work.archive, work.watch),
    *(look.status, look.history, look.show, bad_rows.quarantine, health.doctor),
    *(days.test, days.replay, days.rebuild, days.maintain, pages.docs),
)
for _command in _COMMANDS:
    landfeed.add_command(_command)


def main() -> None:
    """Entry point of `landfeed` and `runner.py`. Returns when all is well: a host that calls it, as Databricks does,
    may take a SystemExit for a failure, also one of 0, and may call it in a thread, which takes no signals."""
    prepare()
    open_more_files()
    signals = EndSignals()
    signals.take()
    try:
        code = _ended(signals)
    finally:
        signals.give_back()
    if code:
        sys.exit(code)


def _ended(signals: EndSignals) -> int:
    """Run the command; its exit code. What it had to print is printed, or the code is not 0."""
    try:
        code = _invoked(signals)
        finish()
        return code
    except BrokenPipeError:
        abandon()
        return 1
    except OutputError as error:
        abandon()
        say(f"error: standard output cannot be written: {error}; what was to be done is done")
        return 1


def _while_click_tells(error: OSError) -> bool:
    """Whether it was raised by what click writes by itself."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_code is click.echo.__code__ for frame in frames)


def _invoked(signals: EndSignals) -> int:
    try:
        code = landfeed.main(prog_name="landfeed", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:  # a question that nobody answers
        say("aborted")
        return 1
    except SystemExit as error:
        code = error.code
    except OutputError:
        raise
    except OSError as error:
        finish()  # which raises what is to be told if it was standard output that failed
        if _while_click_tells(error):  # as with --help, of which nothing is left to write out
            raise OutputError(error.strerror) from error
        raise
    except Exception:  # what a library makes of a signal while it is at work
        if signals.number is None:
            raise
        return 128 + signals.number
    return code if isinstance(code, int) else 0
