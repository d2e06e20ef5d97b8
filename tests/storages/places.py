"""The places that storages serve, each driven in the same way: what lands there, and what is then stored."""

from __future__ import annotations

import os
import random
import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from framework.names import File
from framework.storage import Storage
from framework.storages.gcs_client import GcsAccount, bucket_and_key
from framework.storages.local import LocalStorage
from framework.storages.memory import MemoryStorage
from framework.storages.volumes import VolumeStorage
from tests.gcs_server import GcsServer
from tests.storages.sequential import SequentialCalls

__all__ = ["Buckets", "Disk", "Memory", "Place", "Volume"]


class Place(ABC):
    """A storage with a landing and an archive folder (both end with `/`).

    `any_key`: names may hold whatever a bucket takes. `line_breaks`: they may hold those. `window`: an
    upload in the very moment of a deletion may be lost, as the storage says of itself.
    """

    storage: Storage
    landing: str
    archive: str
    any_key = False
    line_breaks = True
    window = False

    @abstractmethod
    def write(self, path: str, content: bytes) -> File:
        """An upload, complete at once, over whatever is there."""

    @abstractmethod
    def read(self, path: str) -> bytes | None: ...

    @abstractmethod
    def stored(self, folder: str) -> list[str]:
        """Everything below a folder, however it is named, as `list` may not show it."""

    def disturbed(self, seed: int) -> AbstractContextManager[None]:
        """A block in which some requests fail or have no answer, where there are requests."""
        del seed
        return nullcontext()

    def land(self, name: str, content: bytes = b"id\n1\n") -> File:
        file = self.write(self.landing + name, content)
        return File(file.path, name, file.version, file.size, file.modified)


class Disk(Place):
    """Folders of a file system."""

    def __init__(self, landing: str, archive: str) -> None:
        self.landing, self.archive = f"{landing}/", f"{archive}/"
        os.makedirs(landing)
        os.makedirs(archive, exist_ok=True)
        self.storage: Storage = LocalStorage()

    def write(self, path: str, content: bytes) -> File:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        upload = os.path.join(os.path.dirname(path), f".upload-{time.monotonic_ns()}")
        with open(upload, "wb") as out:
            out.write(content)
        status = os.stat(upload)
        os.replace(upload, path)
        return File(path, os.path.basename(path), status.st_mtime_ns, status.st_size, status.st_mtime_ns)

    def read(self, path: str) -> bytes | None:
        try:
            with open(path, "rb") as stream:
                return stream.read()
        except FileNotFoundError:
            return None

    def stored(self, folder: str) -> list[str]:
        return sorted(
            os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names
        )


class Volume(Disk):
    """A folder that can do no more than a Databricks Volume."""

    window = True

    def __init__(self, landing: str, archive: str) -> None:
        super().__init__(landing, archive)
        self.storage = VolumeStorage(SequentialCalls())


class Memory(Place):
    """Nothing but this process."""

    any_key = True

    def __init__(self) -> None:
        self.memory = MemoryStorage()
        self.storage = self.memory
        self.landing, self.archive = "mem://landing/", "mem://archive/"

    def write(self, path: str, content: bytes) -> File:
        return self.memory.write(path, content)

    def read(self, path: str) -> bytes | None:
        return self.memory.read(path) if self.memory.head(path) else None

    def stored(self, folder: str) -> list[str]:
        return sorted(file.name for file in self.memory.list(folder, recursive=True))


class Buckets(Place):
    """Two folders of one bucket, or two buckets."""

    any_key = True
    line_breaks = False

    def __init__(self, server: GcsServer, landing: str, archive: str, retry_seconds: float = 20) -> None:
        from framework.storages.gcs import GcsStorage

        self.server = server
        self.account = GcsAccount(emulator=server.address, retry_seconds=retry_seconds)
        self.storage: Storage = GcsStorage(self.account)
        self.landing, self.archive = f"gs://{landing}/landing/", f"gs://{archive}/archive/"
        self._client = server.client()

    def disturbed(self, seed: int) -> AbstractContextManager[None]:
        chosen = random.Random(seed)
        faults: list[dict[str, Any]] = [{"drop_reply": True}, {"drop_request": True}, {"status": 503}]
        return self.server.faults(
            *(
                {"operation": operation, "skip": chosen.randrange(40)} | chosen.choice(faults)
                for operation in ("move", "rewrite", "delete", "metadata", "list")
                for _ in range(4)
            )
        )

    def object(self, path: str) -> Any:
        bucket, key = bucket_and_key(path)
        return self._client.bucket(bucket).blob(key)

    def write(self, path: str, content: bytes) -> File:
        blob = self.object(path)
        blob.upload_from_string(content, "text/csv")
        found = self._client.bucket(blob.bucket.name).get_blob(blob.name, generation=blob.generation) or blob
        modified = int(found.updated.timestamp() * 1_000_000) * 1000
        return File(path, path.rsplit("/", 1)[-1], found.generation, found.size, modified)

    def read(self, path: str) -> bytes | None:
        blob = self.object(path)
        return bytes(blob.download_as_bytes()) if blob.exists() else None

    def stored(self, folder: str) -> list[str]:
        bucket, prefix = bucket_and_key(folder)
        return sorted(blob.name[len(prefix) :] for blob in self._client.list_blobs(bucket, prefix=prefix))
