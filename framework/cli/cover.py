"""What is printed has no secrets in it: stdout and stderr, tracebacks too, are written through this."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from framework.names import Secrets

__all__ = ["cover"]


def cover(secrets: Secrets) -> None:
    """From now on these secrets are hidden in whatever this process prints."""
    if secrets.values:
        sys.stdout, sys.stderr = _covered(sys.stdout, secrets), _covered(sys.stderr, secrets)


def _covered(stream: TextIO | None, secrets: Secrets) -> TextIO:
    return cast(TextIO, _Covered(stream, secrets) if stream is not None else None)


class _Covered:
    def __init__(self, stream: TextIO, secrets: Secrets) -> None:
        self._stream, self._secrets = stream, secrets

    def write(self, text: str) -> int:
        self._stream.write(self._secrets.hide(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
