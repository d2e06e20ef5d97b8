"""The emulator answers Google's own client and delta-rs as Google Cloud Storage does."""

from __future__ import annotations

import json
import subprocess
import sys

import duckdb
import pytest
from deltalake import DeltaTable, QueryBuilder

from tests.gcs_server import SOURCES, Bucket, GcsServer, require_go

pytestmark = pytest.mark.gcs

NAMES = [
    "a b",
    "a#b",
    "a?b",
    "a%2Fb",
    "a+b",
    "naïve/日本",
    "a//b",
    "a/../b",
    "/a",
    "a/",
    "n" * 1000,
    "a&b=c;d",
    "~'(!)*\"<",
]


def test_its_go_tests_pass() -> None:
    subprocess.run([require_go(), "test", "./..."], cwd=SOURCES, check=True)


def test_move_blob_keeps_content_and_obeys_preconditions(gcs_server: GcsServer, bucket: Bucket) -> None:
    from google.api_core.exceptions import NotFound, PreconditionFailed

    store = gcs_server.client().bucket(bucket())
    blob = store.blob("landing/a.csv")
    blob.upload_from_string(b"1,2\n", if_generation_match=0)
    store.blob("archive/taken.csv").upload_from_string(b"else")

    for new_name, source in [("archive/taken.csv", blob.generation), ("archive/a.csv", blob.generation + 1)]:
        with pytest.raises(PreconditionFailed):
            store.move_blob(blob, new_name, if_generation_match=0, if_source_generation_match=source)
    moved = store.move_blob(blob, "archive/a.csv", if_generation_match=0, if_source_generation_match=blob.generation)

    assert moved.download_as_bytes() == b"1,2\n"
    assert moved.crc32c == blob.crc32c
    assert moved.generation > blob.generation
    with pytest.raises(NotFound):
        store.move_blob(blob, "archive/b.csv", if_generation_match=0)
    assert [b.name for b in store.list_blobs()] == ["archive/a.csv", "archive/taken.csv"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_works_on_every_route(gcs_server: GcsServer, bucket: Bucket, name: str) -> None:
    store, other = (gcs_server.client().bucket(bucket()) for _ in range(2))
    blob = store.blob(name)
    blob.upload_from_string(b"content", if_generation_match=0)
    blob.metadata = {"k": "v"}
    blob.patch()

    assert [b.name for b in store.list_blobs(prefix=name)] == [name]
    moved = store.move_blob(blob, name + "!", if_generation_match=0)
    assert moved.metadata == {"k": "v"}
    copied = other.blob(name)
    assert copied.rewrite(moved, if_generation_match=0) == (None, 7, 7)
    assert copied.download_as_bytes() == b"content"
    copied.delete(if_generation_match=copied.generation)
    assert list(other.list_blobs()) == []


def test_pages_hold_every_name_once(gcs_server: GcsServer, bucket: Bucket) -> None:
    store = gcs_server.client().bucket(bucket())
    names = [f"{folder}/{i}" for folder in "abc" for i in range(7)] + ["d"]
    for name in names:
        store.blob(name).upload_from_string(b"")

    pages = [[blob.name for blob in page] for page in store.list_blobs(page_size=5).pages]
    assert [len(page) for page in pages] == [5, 5, 5, 5, 2]
    assert [name for page in pages for name in page] == names
    assert [blob.name for blob in store.list_blobs(start_offset="c/5")] == ["c/5", "c/6", "d"]
    listed = store.list_blobs(delimiter="/", page_size=2)
    assert [blob.name for blob in listed] == ["d"]
    assert listed.prefixes == {"a/", "b/", "c/"}


APPEND = """
import json, sys
import duckdb
from deltalake import write_deltalake
table, options, writer = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
for i in range(20):
    rows = duckdb.sql(f"SELECT {writer} AS writer, {i} AS i")
    write_deltalake(table, rows, mode="append", storage_options=options)
"""


def test_two_processes_that_append_lose_nothing(gcs_server: GcsServer, bucket: Bucket) -> None:
    options = gcs_server.delta_options
    table = f"gs://{bucket()}/tables/t"
    command = [sys.executable, "-c", APPEND, table, json.dumps(options)]
    writers = [subprocess.Popen([*command, str(writer)]) for writer in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]

    delta = DeltaTable(table, storage_options=options)
    stored = QueryBuilder().register("t", delta).execute("SELECT writer, i FROM t").read_all()
    with duckdb.connect() as connection:
        rows = connection.register("t", stored).execute("SELECT * FROM t ORDER BY ALL").fetchall()
    assert rows == [(writer, i) for writer in range(2) for i in range(20)]
    assert delta.version() == 39
