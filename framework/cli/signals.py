"""What Ctrl-C and SIGTERM do: a command that loads comes to a safe end first, another one ends; twice ends at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

__all__ = ["EndSignals", "StopSignals"]

_NUMBERS = (signal.SIGTERM, signal.SIGINT)


class _Signals:
    """The first signal is handled, the second one ends the process at once. Only the main thread takes signals.
    `number` is the one that came, None while none has."""

    def __init__(self) -> None:
        self.number: int | None = None

    def take(self) -> None:
        """Handle the signals from now on."""
        numbers = _NUMBERS if threading.current_thread() is threading.main_thread() else ()
        self._before = {number: signal.signal(number, self._handle) for number in numbers}

    def give_back(self) -> None:
        """Let those handle the signals that did before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self.number is not None:
            os._exit(128 + number)
        self.number = number
        self._first(number)

    def _first(self, number: int) -> None:
        raise NotImplementedError


class EndSignals(_Signals):
    """The command ends where it is; what it has open is closed."""

    def _first(self, number: int) -> None:
        sys.exit(128 + number)


class StopSignals(_Signals):
    """The command is asked to come to an end."""

    def __init__(self) -> None:
        super().__init__()
        self._stop: Callable[[], None] | None = None

    def __enter__(self) -> StopSignals:
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()

    def stop_with(self, stop: Callable[[], None]) -> None:
        """What a stop is; done now if it has been asked for already."""
        self._stop = stop
        if self.number is not None:
            stop()

    def _first(self, number: int) -> None:
        del number
        if self._stop is not None:
            self._stop()
