"""Leases in a bucket: an object for each feed, which its holder keeps writing.

The holder creates `<folder>/<feed>.lease` and writes it again every few seconds. Who finds one that has
not been written for a minute takes it over. Each write names the generation it replaces, so of two
that take over only one succeeds, and a holder that was held up notices that it has lost. How old a
lease is, is told by the service's clock alone: the time of the last write and the time of the answer.

A holder that lost its lease is not stopped. Commits fence themselves; the lease saves work twice done.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from google.api_core import exceptions
from google.api_core.retry import Retry

from framework.errors import Busy, StorageError
from framework.leases import REAL_TIME, Patience
from framework.storages.gcs_client import GcsAccount, GcsClient, bucket_and_key, translated

__all__ = ["GcsLeases"]

_POLL_SECONDS = 1.0
_NOBODY = "nobody"
"""The owner of a lease that tells that something is left to do: anybody may take it over at once."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A lease as it is now: who wrote it last, as which generation, and how long ago."""

    owner: str
    generation: int
    age: timedelta


class GcsLeases:
    """Lease objects in `folder` (`gs://…`), written every `heartbeat` and expired after `expiry` seconds."""

    def __init__(
        self,
        account: GcsAccount,
        folder: str,
        *,
        heartbeat: float = 10.0,
        expiry: float = 60.0,
        patience: Patience = REAL_TIME,
    ) -> None:
        self._gcs, self._patience = GcsClient(account), patience
        self._folder = folder.rstrip("/")
        self._heartbeat = heartbeat
        self._expiry = timedelta(seconds=expiry)

    @contextmanager
    def hold(self, feed: str, wait_seconds: float) -> Iterator[None]:
        path = f"{self._folder}/{feed}.lease"
        held = _Held(self._gcs, path)
        self._take(held, feed, wait_seconds)
        done = threading.Event()
        heart = threading.Thread(target=self._beat, args=(held, done), name=f"lease of {feed}", daemon=True)
        heart.start()
        left = True
        try:
            yield
            left = False
        finally:
            done.set()
            heart.join()
            with suppress(StorageError):  # it expires by itself, and the work is done
                held.release(left=left)

    def left(self) -> frozenset[str]:
        bucket, prefix = bucket_and_key(f"{self._folder}/")
        with translated(self._folder, "listed"):
            blobs = self._gcs.client.list_blobs(bucket, prefix=prefix, **self._gcs.patience)
            names = [str(blob.name)[len(prefix) :] for blob in blobs]
        return frozenset(name.removesuffix(".lease") for name in names if name.endswith(".lease"))

    def _take(self, held: _Held, feed: str, wait_seconds: float) -> None:
        def taken_over() -> bool:
            seen = held.look()
            if seen is not None and seen.age <= self._expiry:
                return False
            return held.write(seen.generation if seen else 0)

        if not held.write(0) and not self._patience.tried(taken_over, wait_seconds, _POLL_SECONDS):
            raise Busy(f"another runner is working on feed {feed}", "wait for it with --wait SECONDS")

    def _beat(self, held: _Held, done: threading.Event) -> None:
        patience = self._gcs.retry.with_timeout(self._heartbeat)
        while not done.wait(self._heartbeat):
            with suppress(StorageError):  # tried again at the next beat; until then the lease grows older
                if not held.write(held.generation, patience):
                    return


class _Held:
    """One holder's side of a lease object."""

    def __init__(self, gcs: GcsClient, path: str) -> None:
        self._gcs = gcs
        self._path = path
        self._owner = uuid.uuid4().hex
        self.generation = 0

    def look(self) -> _Seen | None:
        """The lease as it is now, with its age by the service's clock; None if there is none."""
        with translated(self._path, "read"):
            try:
                lease, now = self._gcs.retry(self._get)()
            except exceptions.NotFound:
                return None
        owner, written = lease.get("metadata", {}).get("owner", ""), datetime.fromisoformat(lease["updated"])
        return _Seen(owner, int(lease["generation"]), now - written if owner != _NOBODY else timedelta.max)

    def write(self, generation: int, retry: Retry | None = None) -> bool:
        """Write the lease over `generation` (0: where there is none). False when somebody else has it."""
        with translated(self._path, "written"):
            blob = self._blob()
            blob.metadata = {"owner": self._owner}
            holder = {"host": socket.gethostname(), "process": os.getpid(), "owner": self._owner}
            try:
                blob.upload_from_string(
                    json.dumps(holder),
                    "application/json",
                    if_generation_match=generation,
                    timeout=self._gcs.timeout,
                    retry=retry or self._gcs.retry,
                )
                self.generation = blob.generation
                return True
            except exceptions.PreconditionFailed:
                return self._is_mine()

    def release(self, *, left: bool = False) -> None:
        """Delete the lease unless somebody else has it by now; one that is `left` stays, and is nobody's."""
        if left:
            self._owner = _NOBODY
            self.write(self.generation)
            return
        with translated(self._path, "deleted"):
            try:
                self._blob().delete(if_generation_match=self.generation, **self._gcs.patience)
            except exceptions.NotFound:
                return  # there is none any more
            except exceptions.PreconditionFailed:
                if self._is_mine():
                    self._blob().delete(if_generation_match=self.generation, **self._gcs.patience)

    def _is_mine(self) -> bool:
        """Whether the lease is ours after all: the answer to an earlier write may have been lost."""
        seen = self.look()
        if seen is None or seen.owner != self._owner:
            return False
        self.generation = seen.generation
        return True

    def _blob(self) -> Any:
        bucket, key = bucket_and_key(self._path)
        return self._gcs.client.bucket(bucket).blob(key)

    def _get(self) -> tuple[dict[str, Any], datetime]:
        """The object's properties and the service's time; the library does not give the latter."""
        bucket, key = bucket_and_key(self._path)
        response = self._gcs.session.get(
            f"{self._gcs.endpoint}/storage/v1/b/{bucket}/o/{quote(key, safe='')}",
            params={"fields": "generation,updated,metadata"},
            timeout=self._gcs.timeout,
        )
        if response.status_code != 200:
            raise exceptions.from_http_response(response)
        return response.json(), parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
