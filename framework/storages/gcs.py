"""Google Cloud Storage. A version is an object's generation, and every request names the one it means.

Within a bucket a move is one atomic request. Between buckets it is a copy and a delete, and a process
may die between them. Whatever a request was refused for, the answer is found by looking: at the source
first, then at the destination, so that a move by somebody else in between is seen as done.
"""

from __future__ import annotations

import base64
import gzip
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import IO, Any, BinaryIO, cast

import google_crc32c
from google.api_core import exceptions
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from framework.errors import FileGone, StorageError
from framework.names import File, Skipped
from framework.storages.downloads import download_path, written
from framework.storages.gcs_client import GcsAccount, GcsClient, bucket_and_key, translated
from framework.storages.posix import occupied

__all__ = ["GcsStorage"]

_PAGE = 1000
_DOWNLOADS = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REFUSED = (exceptions.NotFound, exceptions.PreconditionFailed)
_KEPT = ("content_type", "content_encoding", "content_language", "content_disposition", "cache_control", "metadata")


class GcsStorage:
    """Implements `framework.storage.Storage` for `gs://` paths. Safe for threads.

    Keys may hold anything: `..` and `//` are characters like others. Objects of no bytes whose names
    end with `/` only mark a folder and are no files.
    """

    def __init__(self, account: GcsAccount) -> None:
        self._account, self._gcs = account, GcsClient(account)

    def __reduce__(self) -> tuple[type[GcsStorage], tuple[GcsAccount]]:
        """What another process needs, which signs in by itself."""
        return GcsStorage, (self._account,)

    def list(
        self, folder: str, *, recursive: bool, tell: Callable[[Skipped], object] = lambda _: None
    ) -> Iterator[File]:
        del tell  # there is nothing but files
        bucket, prefix = bucket_and_key(folder if folder.endswith("/") else f"{folder}/")
        with translated(folder, "listed"):
            pages = self._gcs.client.list_blobs(
                bucket,
                prefix=prefix or None,
                delimiter=None if recursive else "/",
                fields="items(name,generation,size,updated),nextPageToken",
                page_size=_PAGE,
                **self._gcs.patience,
            ).pages
        while True:
            with translated(folder, "listed"):
                page = next(pages, None)
            if page is None:
                return
            for blob in page:
                if blob.size or not blob.name.endswith("/"):
                    yield _file(blob, blob.name[len(prefix) :])

    def head(self, path: str) -> File | None:
        with translated(path, "read"):
            blob = self._look(path)
        return _file(blob, path.rsplit("/", 1)[-1]) if blob else None

    def open(self, file: File) -> BinaryIO:
        with ExitStack() as unless_returned, translated(file.path, "read"):
            stream = unless_returned.enter_context(tempfile.TemporaryFile())
            blob = self._download(file, stream)
            stream.seek(0)
            unless_returned.pop_all()
            if blob.content_encoding == "gzip" and not file.name.endswith(".gz"):
                return cast(BinaryIO, _Unpacked(stream))
            return cast(BinaryIO, stream)

    def read_range(self, file: File, start: int, length: int) -> bytes:
        with translated(file.path, "read"):
            try:
                content: bytes = self._blob(file.path, file.version).download_as_bytes(
                    start=start, end=start + length - 1, raw_download=True, checksum=None, **self._gcs.patience
                )
            except exceptions.NotFound:
                raise _gone(file) from None
            except exceptions.RequestRangeNotSatisfiable:
                return b""
        return content[:length]

    def fetch(self, file: File, folder: str) -> str:
        path = download_path(file, folder)
        with translated(file.path, "read"), written(path) as stream:
            blob = self._download(file, stream)
        if blob.content_encoding == "gzip" and not path.endswith(".gz"):
            os.replace(path, path := f"{path}.gz")
        return path

    def move(self, file: File, destination: str, *, root: str | None = None) -> bool:
        del root  # there are no links
        source, target = self._blob(file.path), self._blob(destination)
        if source.bucket.name != target.bucket.name:
            arrived = self.copy(file, destination)
        else:
            with translated(file.path, "moved", destination):
                try:
                    source.bucket.move_blob(
                        source,
                        target.name,
                        if_generation_match=0,
                        if_source_generation_match=file.version,
                        **self._gcs.patience,
                    )
                    return True
                except _REFUSED as refusal:
                    arrived = self._arrived(file, destination, refusal)
        if arrived:
            with translated(file.path, "moved"):
                self._delete(file)
        return arrived

    def copy(self, file: File, destination: str, *, root: str | None = None) -> bool:
        del root  # there are no links
        target = self._blob(destination)
        with translated(file.path, "copied", destination):
            source = self._look(file.path)
            if source is None or source.generation != file.version:
                return self._stands(file, destination)
            for name in _KEPT:
                if (value := getattr(source, name)) is not None:
                    setattr(target, name, value)
            try:
                self._rewrite(source, target)
            except _REFUSED as refusal:
                return self._arrived(file, destination, refusal)
            if not _same(source, target):
                target.delete(if_generation_match=target.generation, **self._gcs.patience)
                raise StorageError(f"the copy of {file.path} at {destination} differs from it", "it is tried again")
            return True

    def delete(self, file: File) -> bool:
        with translated(file.path, "deleted"):
            return self._delete(file)

    def write(self, path: str, content: bytes) -> None:
        with translated(path, "written"):
            self._blob(path).upload_from_string(content, "application/octet-stream", **self._gcs.patience)

    def _blob(self, path: str, generation: int | None = None) -> Any:
        bucket, key = bucket_and_key(path)
        return self._gcs.client.bucket(bucket).blob(key, generation=generation)

    def _look(self, path: str) -> Any:
        """The object that is there now, with its properties; None if there is none."""
        bucket, key = bucket_and_key(path)
        return self._gcs.client.bucket(bucket).get_blob(key, **self._gcs.patience)

    def _download(self, file: File, stream: BinaryIO) -> Any:
        """Write the file's bytes, which are compared with what is stored. Gives the object."""
        for attempt in Retrying(
            retry=retry_if_exception_type(_Damaged), stop=stop_after_attempt(_DOWNLOADS), reraise=True
        ):
            with attempt:
                stream.seek(0)
                stream.truncate()
                blob = self._download_once(file, stream)
        return blob

    def _download_once(self, file: File, stream: BinaryIO) -> Any:
        """The file's bytes. As long as some arrive, a download that is cut off goes on where it was."""
        blob, sink = self._blob(file.path, file.version), _Sink(stream)
        while True:
            before = sink.size
            try:
                blob.download_to_file(
                    sink, start=before or None, raw_download=True, checksum=None, **self._gcs.patience
                )
                break
            except exceptions.NotFound:
                raise _gone(file) from None
            except exceptions.RetryError:
                if sink.size == before:
                    raise
                if sink.size >= file.size:
                    break
        if blob.crc32c is None:
            blob.reload(**self._gcs.patience)
        if (sink.size, sink.crc32c) != (file.size, blob.crc32c):
            raise _Damaged(
                f"{file.path} does not arrive as it is stored: size or checksum differ",
                f"it was downloaded {_DOWNLOADS} times; check the network",
            )
        return blob

    def _rewrite(self, source: Any, target: Any) -> None:
        token = None
        while True:
            token, _, _ = target.rewrite(
                self._blob(f"gs://{source.bucket.name}/{source.name}"),
                token=token,
                if_generation_match=0,
                if_source_generation_match=source.generation,
                **self._gcs.patience,
            )
            if token is None:
                return

    def _delete(self, file: File) -> bool:
        try:
            self._blob(file.path).delete(if_generation_match=file.version, **self._gcs.patience)
        except _REFUSED:
            return self._look(file.path) is None
        return True

    def _arrived(self, file: File, destination: str, refusal: Exception) -> bool:
        """Whether the file stands at its destination, found by looking after a request was refused."""
        source = self._look(file.path)
        if source is None or source.generation != file.version:
            return self._stands(file, destination)
        found = self._look(destination)
        if found is None:
            raise refusal
        if not _same(source, found):
            raise occupied(destination)
        return True

    def _stands(self, file: File, destination: str) -> bool:
        """Whether a file that is gone from its place is at its destination: an archive path is a batch's own."""
        found = self._look(destination)
        return found is not None and found.size == file.size


class _Damaged(StorageError):
    """A download that is not what is stored."""

    code = "damaged"


class _Unpacked(gzip.GzipFile):
    """A compressed stream, unpacked as it is read; closed with it."""

    def __init__(self, packed: IO[bytes]) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._packed = packed

    def close(self) -> None:
        super().close()
        self._packed.close()


class _Sink:
    """Where a download is written, with its size and checksum. The library checks whole responses only."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._checksum = google_crc32c.Checksum()
        self.size = 0

    def write(self, chunk: bytes) -> int:
        self._checksum.update(chunk)
        self.size += len(chunk)
        return self._stream.write(chunk)

    @property
    def crc32c(self) -> str:
        return base64.b64encode(self._checksum.digest()).decode("ascii")


def _file(blob: Any, name: str) -> File:
    modified = (blob.updated - _EPOCH) // timedelta(microseconds=1) * 1000
    return File(f"gs://{blob.bucket.name}/{blob.name}", name, blob.generation, blob.size, modified)


def _same(one: Any, other: Any) -> bool:
    return (one.size, one.crc32c) == (other.size, other.crc32c)


def _gone(file: File) -> FileGone:
    return FileGone(f"{file.path} is gone or was replaced")
