"""An HTTP server on loopback that takes what webhooks post, and behaves as badly as a test wants it to."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

__all__ = ["ANSWERS", "Listener", "listening"]


def _status(code: int, more: str = "") -> bytes:
    return f"HTTP/1.1 {code} Whatever\r\nContent-Length: 2\r\nConnection: close\r\n{more}\r\nok".encode()


def _drip(connection: socket.socket) -> None:
    """A header that never ends, a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(300):
        connection.sendall(b"x")
        time.sleep(0.1)


def _hang(connection: socket.socket) -> None:
    connection.settimeout(30)
    connection.recv(1)


def _flood(connection: socket.socket) -> None:
    """An answer without an end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(300):
        connection.sendall(b"x" * 100_000)


ANSWERS: dict[str, Callable[[socket.socket], object]] = {
    "ok": lambda c: c.sendall(_status(200)),
    "flood": _flood,
    "short": lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nno"),
    "refused": lambda c: c.sendall(_status(403)),
    "broken": lambda c: c.sendall(_status(500)),
    "elsewhere": lambda c: c.sendall(_status(302, "Location: http://127.0.0.1:9/secret\r\n")),
    "garbage": lambda c: c.sendall(b"\x00\xff no HTTP at all\r\n\r\n"),
    "nothing": id,
    "hang": _hang,
    "drip": _drip,
}


class Listener:
    """`answers` are used up one by one, the last one for good; `heard` are the documents that came, as `read` reads
    them."""

    def __init__(self, *answers: str, read: Callable[[bytes], Any] = json.loads) -> None:
        self._answers, self._read = list(answers), read
        self.heard: list[Any] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/services/hunter2"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # it was closed
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def answer(self, *answers: str) -> None:
        """Answer like this from now on."""
        self._answers = list(answers)

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self.heard.append(self._read(_body(connection)))
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            ANSWERS[answer](connection)


def _body(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
    length = int(fields[b"content-length"])
    while len(body) < length:
        body += connection.recv(65536)
    return body


@contextmanager
def listening(*answers: str, read: Callable[[bytes], Any] = json.loads) -> Iterator[Listener]:
    """A listener that answers so until the end of the block."""
    listener = Listener(*(answers or ("ok",)), read=read)
    thread = threading.Thread(target=listener.serve, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        listener.close()
        thread.join(10)
