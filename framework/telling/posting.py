"""Posting: requests to addresses outside, each with a time limit that holds whatever the other side does."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["Letter", "post_all"]

_PAUSES = (0.2, 1.0)
"""Seconds before the second and the third attempt."""
_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))


@dataclass(frozen=True, slots=True)
class Letter:
    """A body that goes to a URL by POST within so many `seconds`, all attempts together."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    seconds: float = 10.0
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"}, repr=False)

    @property
    def host(self) -> str:
        """Where it goes; what else is in the address may be a secret."""
        return urlsplit(self.url).hostname or "(no host)"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An address that leads elsewhere is not followed: it has the secret in it, and was not configured."""

    def redirect_request(self, *_: object) -> None:
        return None


class _Attempts(threading.Thread):
    """Posts a letter. `trouble` is why it did not arrive, None when it did. The thread ends with the process: a peer
    that sends a byte now and then could hold it for ever."""

    def __init__(self, letter: Letter) -> None:
        super().__init__(name="post", daemon=True)
        self._letter = letter
        self.deadline = time.monotonic() + letter.seconds
        self.trouble: str | None = f"no answer within {letter.seconds:g} s"

    def run(self) -> None:
        for pause in (0.0, *_PAUSES):
            if time.monotonic() + pause >= self.deadline:
                return
            time.sleep(pause)
            trouble, again = self._once()
            if time.monotonic() < self.deadline:
                self.trouble = trouble
            if trouble is None or not again:
                return

    def _once(self) -> tuple[str | None, bool]:
        """Why it did not arrive, if so, and whether to try again."""
        letter = self._letter
        request = urllib.request.Request(letter.url, letter.body, dict(letter.headers), method="POST")  # noqa: S310
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(request, timeout=max(0.1, self.deadline - time.monotonic())) as answer:
                code = answer.status
        except urllib.error.HTTPError as error:
            code = error.code
            error.close()
        except urllib.error.URLError as error:
            return _words(error.reason), True
        except (OSError, http.client.HTTPException) as error:
            return _words(error), True
        except (ValueError, UnicodeError):
            return "the address cannot be used", False
        if 200 <= code < 300:
            return None, False
        return f"it answered {code}", code in _AGAIN


def post_all(letters: Sequence[Letter]) -> list[str | None]:
    """Post all letters at the same time; for each why it did not arrive, None when the other side has taken it."""
    attempts = [_Attempts(letter) for letter in letters]
    for each in attempts:
        each.start()
    for each in attempts:
        each.join(max(0.0, each.deadline - time.monotonic()))
    return [each.trouble for each in attempts]


def _words(error: object) -> str:
    """What went wrong, without the address."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, http.client.HTTPException):
        return "what it answers is no HTTP"
    return type(error).__name__
