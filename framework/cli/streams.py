"""The standard streams: every text for people goes through `tell` or `say`, every document through `put`.

Names of files and values come from outside. What could move a cursor, ring a bell or begin a line of its own is
shown as an escape, so that a name cannot pretend to be a message.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress

from framework.cli.logs import LOG, Level

__all__ = ["OutputError", "finish", "prepare", "printable", "put", "say", "tell"]


class OutputError(Exception):
    """Standard output takes nothing more, as on a full disk."""


def printable(text: str) -> str:
    """The text in one line; characters that are not printed are shown as \\n, \\x1b or \\u202e."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def tell(line: str = "") -> None:
    """A line for people on stdout. Raises OutputError."""
    put(printable(line))


def put(text: str) -> None:
    """Lines on stdout as they are, which must hold nothing from outside but as JSON. Raises OutputError."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error.strerror) from error


def say(line: str = "", level: Level | None = None) -> None:
    """A line for people on stderr, as far as they want it. Work does not stop because nobody can be told of it."""
    shown = LOG.line(printable(line), level)
    if shown is not None:
        with suppress(OSError):
            print(shown, file=sys.stderr, flush=True)


def prepare() -> None:
    """See to it that all three streams are there, and can write every character in some way.

    A process may be started with some of them closed. Then the next file that is opened, which may be a table's,
    would stand in for the stream and get what is written to it by libraries.
    """
    while (free := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(free, True)
    os.close(free)
    sys.stdin = sys.stdin or open(0)  # noqa: SIM115 (a standard stream is never closed)
    sys.stdout = sys.stdout or open(1, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def finish() -> None:
    """Write out what is left. Raises OutputError, and BrokenPipeError when nobody reads any more; the interpreter
    does not try again then."""
    try:
        sys.stdout.flush()
    except OSError as error:
        abandon()
        if error.errno == errno.EPIPE:
            raise
        raise OutputError(error.strerror) from error
    try:
        sys.stderr.flush()
    except OSError:
        _lead_nowhere(sys.stderr.fileno())


def abandon() -> None:
    """Nothing that is still to be written to stdout will be."""
    _lead_nowhere(sys.stdout.fileno())
    sys.stdout.flush()


def _lead_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
