"""Progress: a live display on a terminal when work takes long, one line a feed otherwise."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from framework.cli.logs import LOG, Level
from framework.cli.streams import printable, say
from framework.names import Status

if TYPE_CHECKING:
    from rich.live import Live
    from rich.spinner import Spinner

__all__ = ["Progress"]

_NAMED = 4
"""More feeds that are worked on at once are counted."""


class Progress:
    """Told by many threads what each of `total` feeds is doing; shows it on a terminal after `after_seconds`."""

    def __init__(self, stream: TextIO, after_seconds: float, total: int) -> None:
        self._stream, self._total = stream, total
        self._terminal = stream.isatty() and LOG.is_plain
        self._lock = threading.Lock()
        self._working: dict[str, Callable[[], str]] = {}
        self._done = 0
        self._note = ""
        self._started = time.monotonic()
        self._display: Live | None = None
        self._timer = threading.Timer(after_seconds, self._begin)
        self._timer.daemon = True

    def __enter__(self) -> Progress:
        if self._terminal:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            display, self._display, self._terminal = self._display, None, False
        if display is not None:
            display.stop()

    def _begin(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        spinner = Spinner("dots")
        with self._lock:
            if self._terminal:
                console = Console(file=self._stream)
                self._display = Live(get_renderable=lambda: self._shown(spinner), console=console, transient=True)
                self._display.start()

    def _shown(self, spinner: Spinner) -> Spinner:
        from rich.text import Text

        spinner.update(text=Text(self.text(), overflow="ellipsis", no_wrap=True))
        return spinner

    def text(self) -> str:
        """How far the work is: feeds that are done, time, and what the others are doing."""
        working = list(self._working.copy().items())
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        parts = [f"{self._done} of {self._total} done, {minutes}:{seconds:02}"]
        parts += [f"{name}: {doing()}" for name, doing in working[:_NAMED]]
        more = len(working) - _NAMED
        parts += [f"{more} more"] * (more > 0) + [self._note] * bool(self._note)
        return printable("; ".join(parts))

    def feed(self, name: str, doing: Callable[[], str] | Status) -> None:
        """A feed is now doing something, or has ended with a status."""
        with self._lock:
            if not isinstance(doing, Status):
                self._working[name] = doing
                say(f"{name}: {doing()}", Level.DEBUG)
                return
            self._done += 1
            self._working.pop(name, None)
            if not self._terminal and doing is not Status.NOTHING_TO_DO:
                say(f"{name}: {doing}")

    def note(self, text: str) -> None:
        """Something to be known while the work goes on. A signal handler may call it: whatever it interrupted, it
        neither waits for it nor writes in the midst of it."""
        self._note = text
        if self._display is None:
            with suppress(OSError, ValueError):
                threading.Thread(target=say, args=[text], daemon=True).start()
