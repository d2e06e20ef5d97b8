"""Start: the entry point of `landfeed` and `runner.py`. Imports take a moment, in which nobody takes signals yet."""

from __future__ import annotations

import os
import signal
import sys
import threading

__all__ = ["main"]


def main() -> None:
    """See `framework.cli.main`. Ctrl-C ends it without a traceback while it is still being imported."""
    try:
        _speak_utf8()
        from framework.cli import main as command
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None
    command()


def _speak_utf8() -> None:
    """Begin again in Python's UTF-8 mode where names of files would be read in another encoding, as with
    LANG=de_DE.ISO-8859-1: the same file would have another name in the tables, or one that is no text."""
    other = sys.getfilesystemencoding().lower() not in ("utf-8", "utf8")
    if other and sys.executable and threading.current_thread() is threading.main_thread():
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 (the same program)
