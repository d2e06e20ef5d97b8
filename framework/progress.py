"""Progress: a live display on a terminal when work takes long, one line a feed otherwise."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.status import Status

__all__ = ["Progress"]

_FINAL = {"succeeded", "nothing_to_do", "rejected", "failed", "busy"}


class Progress:
    """Told by many threads what each feed is doing; shows it on `stream` after `after_seconds`."""

    def __init__(self, stream: TextIO, after_seconds: float) -> None:
        self._stream, self._after = stream, after_seconds
        self._terminal = stream.isatty()
        self._lock = threading.Lock()
        self._working: dict[str, str] = {}
        self._done = 0
        self._started = time.monotonic()
        self._display: Status | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._display is not None:
            self._display.stop()

    def feed(self, name: str, doing: str) -> None:
        """A feed is now doing something, or has ended with a status."""
        with self._lock:
            if doing in _FINAL:
                self._done += 1
                self._working.pop(name, None)
                if not self._terminal and doing != "nothing_to_do":
                    print(f"{name}: {doing}", file=self._stream)
            else:
                self._working[name] = doing
            if self._terminal and time.monotonic() - self._started > self._after:
                self._show()

    def _show(self) -> None:
        text = f"{self._done} done; " + ", ".join(f"{name}: {doing}" for name, doing in list(self._working.items())[:4])
        if self._display is None:
            from rich.console import Console

            self._display = Console(file=self._stream).status(text)
            self._display.start()
        self._display.update(text)
