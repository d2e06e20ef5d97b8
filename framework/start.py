"""Start: the entry point of `landfeed` and `runner.py`. Imports take a moment, in which nobody takes signals yet."""

from __future__ import annotations

import signal

__all__ = ["main"]


def main() -> None:
    """See `framework.cli.main`. Ctrl-C ends it without a traceback while it is still being imported."""
    try:
        from framework.cli import main as command
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None
    command()
