"""A project whose files, and tables if wanted, are in buckets of the emulator."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from deltalake import DeltaTable

from tests.gcs_server import GcsServer
from tests.support import Project

__all__ = ["BucketProject"]


class BucketProject(Project):
    """Landing is gs://`bucket`/landing, the archive gs://`archive`/archive in the same bucket or another one, the
    tables are in gs://`bucket`/tables or in a local folder. Commands in this process need STORAGE_EMULATOR_HOST."""

    def __init__(
        self,
        root: str,
        server: GcsServer,
        *names: str,
        other_archive: bool = False,
        local_tables: bool = False,
        engine: str = "embedded",
        settings: str = "",
    ) -> None:
        self.server = server
        self.bucket = server.create_bucket()
        self.archive = server.create_bucket() if other_archive else self.bucket
        self.tables = os.path.join(root, "tables") if local_tables else f"gs://{self.bucket}/tables"
        super().__init__(root, *names)
        self.environment(engine, settings)

    def environment(self, engine: str, settings: str = "") -> None:
        """Write the environment file; `settings` are further lines."""
        places = f"{{landing: gs://{self.bucket}/landing, archive: gs://{self.archive}/archive}}"
        text = f"engine: {engine}\nvariables: {places}\ntables: {{root: '{self.tables}'}}\n{settings}"
        self.write("pipelines_config/environments/local.yml", text)

    def feed(self, name: str, text: str) -> None:
        self.write(f"pipelines_config/feeds/{name}.yml", text)

    def land(self, feed: str, name: str, text: str | bytes) -> str:
        return self.put(f"landing/{feed}/{name}", text)

    def put(self, key: str, content: str | bytes) -> str:
        """Upload an object to the bucket, over whatever is there; its URI."""
        self.server.client().bucket(self.bucket).blob(key).upload_from_string(content)
        return f"gs://{self.bucket}/{key}"

    def content(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("gs://").partition("/")
        content: bytes = self.server.client().bucket(bucket).blob(key).download_as_bytes()
        return content

    def start(self, *arguments: str, script: str = "runner.py", **environ: str) -> subprocess.Popen[str]:
        return super().start(*arguments, script=script, **{"STORAGE_EMULATOR_HOST": self.server.address} | environ)

    def table(self, name: str) -> DeltaTable | None:
        uri = f"{self.tables}/{name.replace('.', '/')}"
        options = self.server.delta_options if uri.startswith("gs://") else {}
        return DeltaTable(uri, storage_options=options) if DeltaTable.is_deltatable(uri, options) else None

    def version(self, table: str) -> int:
        delta = self.table(table)
        return -1 if delta is None else delta.version()

    def files(self, folder: str) -> list[str]:
        """The objects below `landing`, `archive` or another folder of the bucket, relative to it."""
        bucket = self.archive if folder.startswith("archive") else self.bucket
        blobs: list[Any] = list(self.server.client().list_blobs(bucket, prefix=f"{folder}/"))
        return sorted(blob.name.removeprefix(f"{folder}/") for blob in blobs)

    def release_leases(self) -> None:
        """What a minute does to the lease of a process that was killed: anybody may take it over."""
        store = self.server.client().bucket(self.bucket)
        for blob in store.list_blobs(prefix="tables/_landfeed/_leases/"):
            blob.metadata = {"owner": "nobody"}
            blob.patch()
