"""The command that writes pages: docs."""

from __future__ import annotations

import os
from typing import Any

import click

from framework.cli.options import Request, common, given, opened
from framework.cli.say import print_json
from framework.cli.streams import say, tell
from framework.errors import LandfeedError

__all__ = ["docs"]

_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_SAMPLES = "Show the first value of each reason of bad rows: values of the data."


@click.command()
@click.option("--out", metavar="DIR", help="The folder of the pages.  [default: site, in the project folder]")
@click.option("--samples", is_flag=True, help=_SAMPLES)
@click.option("--serve", is_flag=True, help="Stay, and serve them on this machine, each time as things are then.")
@click.option("--port", type=click.IntRange(0, 65535), default=8320, show_default=True, help="Where to serve them.")
@click.option("--refresh", type=click.IntRange(min=1), default=30, show_default=True, help="Seconds between two looks.")
@common
def docs(request: Request, out: str | None, samples: bool, serve: bool, port: int, refresh: int) -> None:
    """Write pages about the feeds: static files that open from disk, with what came, what is late, bad or new."""
    folder = given(out) or os.path.join(os.path.dirname(os.path.abspath(request.config)), "site")

    def build() -> int:
        from framework.pages import collect, write_site

        with opened(request) as (project, world, _):
            site = collect(project.feeds, world, project.environment.name, samples=samples)
            return write_site(site, folder, refresh if serve else None)

    pages = build()
    first = os.path.join(os.path.abspath(folder), "index.html")
    if request.as_json:
        print_json({"pages": pages, "index": first})
    else:
        tell(f"{pages:,} pages: {first}")
    if serve:
        _serve(folder, port, refresh, build)


def _serve(folder: str, port: int, refresh: int, build: Any) -> None:
    """Serve a folder to this machine until the process is ended; it is built anew when it is older than so many
    seconds and somebody asks."""
    import http.server
    import threading
    import time

    lock, built = threading.Lock(), [time.monotonic()]

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=folder)

        def do_GET(self) -> None:
            host = self.headers.get("Host", "").rsplit(":", 1)[0]
            if host not in _HOSTS:  # a page elsewhere that leads its name here
                self.send_error(403)
                return
            with lock:
                if time.monotonic() - built[0] >= refresh:
                    try:
                        build()
                    except LandfeedError as error:
                        say(f"error: {error.message}")
                    built[0] = time.monotonic()
            super().do_GET()

        def list_directory(self, _path: Any) -> None:
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            """Nobody reads who looked at what."""

    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise LandfeedError(f"port {port} cannot be used: {error.strerror}", "name another one: --port") from error
    with server:
        tell(f"http://127.0.0.1:{server.server_address[1]}/")
        server.serve_forever()
