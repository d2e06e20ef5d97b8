"""Google Cloud Storage for tests: the emulator in tests/gcs_emulator, built once and started on a loopback port."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import hashlib
import json
import os
import shutil
import subprocess
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.spark_session import required

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gcs_emulator")

QUICKLY = ("-buildvcs=false", "-gcflags=all=-N -l -dwarf=false", "-ldflags=-s -w")
"""Not optimised and without what a debugger needs: the compiler takes a third less; the emulator has little to do."""

NO_GO = "there is no Go to build the emulator of Google Cloud Storage with; install Go 1.26"

Bucket = Callable[[], str]
"""Creates an empty bucket and gives its name."""


class GcsServer:
    """A running emulator, at `address`. Code that has no options for it takes STORAGE_EMULATOR_HOST=address."""

    def __init__(self, address: str) -> None:
        self.address = address

    @property
    def delta_options(self) -> dict[str, str]:
        """The storage options with which delta-rs reaches the emulator."""
        key = {"gcs_base_url": self.address, "disable_oauth": True}
        key |= {"client_email": "", "private_key": "", "private_key_id": ""}
        return {"google_service_account_key": json.dumps(key)}

    def client(self) -> Any:
        """A client of google-cloud-storage; nothing is set in the environment."""
        from google.cloud import storage

        options = {"api_endpoint": self.address}
        return storage.Client(project="test", use_auth_w_custom_endpoint=False, client_options=options)

    def create_bucket(self) -> str:
        """A new bucket with a name that no other test has."""
        name = f"test-{uuid.uuid4().hex}"
        self._ask("POST", "/storage/v1/b?project=test", {"name": name})
        return name

    def counts(self) -> dict[str, int]:
        """How many requests there were of each class since the last `reset_counts`."""
        counts: dict[str, int] = self._ask("GET", "/_emulator/counts")
        return counts

    def reset_counts(self) -> None:
        self._ask("DELETE", "/_emulator/counts")

    @contextlib.contextmanager
    def faults(self, *rules: dict[str, Any]) -> Iterator[None]:
        """Let the requests within the block fail as the rules say (fields: faults.go)."""
        self._ask("POST", "/_emulator/faults", list(rules))
        try:
            yield
        finally:
            self._ask("DELETE", "/_emulator/faults")

    def _ask(self, method: str, path: str, document: Any = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, body, headers, method=method)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)


def go() -> str | None:
    """The go command, on the path or where Go's own archive puts it."""
    return shutil.which("go") or shutil.which("/usr/local/go/bin/go")


def build(command: str) -> str:
    """The program, from the cache unless the sources have changed; of several builders at once one builds."""
    digest = hashlib.sha256()
    for source in sorted(glob.glob(os.path.join(SOURCES, "*.go")) + glob.glob(os.path.join(SOURCES, "go.*"))):
        with open(source, "rb") as file:
            digest.update(os.path.basename(source).encode() + b"\0" + file.read() + b"\0")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cache = os.path.join(home, "landfeed-tests")
    os.makedirs(cache, exist_ok=True)
    program = os.path.join(cache, f"gcs_emulator-{digest.hexdigest()[:16]}")
    with open(f"{program}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(program):
            subprocess.run([command, "build", *QUICKLY, "-o", f"{program}.new", "."], cwd=SOURCES, check=True)
            os.replace(f"{program}.new", program)
    return program


def require_go() -> str:
    """The go command; tests are skipped without it unless LANDFEED_REQUIRE names gcs."""
    command = go()
    if command is None:
        if required("gcs"):
            pytest.fail(NO_GO)
        pytest.skip(NO_GO)
    return command


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[GcsServer]:
    """An emulator of one's own (arguments: main.go); it also ends when this process does."""
    command = [build(require_go()), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), "the emulator did not start"
        yield GcsServer(address)


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[GcsServer]:
    """The emulator of this test process."""
    with running() as server:
        yield server


@pytest.fixture
def bucket(gcs_server: GcsServer) -> Bucket:
    """Makes buckets that no other test has."""
    return gcs_server.create_bucket
