"""Progress: a live display on a terminal when work takes long, one line a feed otherwise."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.status import Status

__all__ = ["Progress"]

_FINAL = {"succeeded", "nothing_to_do", "rejected", "failed", "busy"}


class Progress:
    """Told by many threads what each feed is doing; shows it on a terminal after `after_seconds`."""

    def __init__(self, stream: TextIO, after_seconds: float) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._lock = threading.Lock()
        self._working: dict[str, str] = {}
        self._done = 0
        self._display: Status | None = None
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
            if self._display is not None:
                self._display.stop()

    def _begin(self) -> None:
        from rich.console import Console

        with self._lock:
            self._display = Console(file=self._stream).status(self._text())
            self._display.start()

    def _text(self) -> str:
        working = ", ".join(f"{name}: {doing}" for name, doing in list(self._working.items())[:4])
        return f"{self._done} done; {working}"

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
            if self._display is not None:
                self._display.update(self._text())
