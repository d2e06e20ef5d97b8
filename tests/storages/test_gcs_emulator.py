"""The emulator answers Google's own client and delta-rs as Google Cloud Storage does."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import duckdb
import pytest
from deltalake import DeltaTable, Field, QueryBuilder, Schema
from deltalake.schema import PrimitiveType
from google.api_core.exceptions import Forbidden, NotFound, PreconditionFailed
from google.cloud.storage.exceptions import DataCorruption

from tests.gcs_server import QUICKLY, SOURCES, Bucket, GcsServer, require_go, running
from tests.support import REPOSITORY

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


def test_its_go_tests_pass(gcs_server: GcsServer) -> None:
    """The emulator is built before, so that nothing is compiled twice."""
    subprocess.run([require_go(), "test", *QUICKLY, "./..."], cwd=SOURCES, check=True)


def test_move_blob_keeps_content_and_obeys_preconditions(gcs_server: GcsServer, bucket: Bucket) -> None:
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


def test_a_move_whose_answer_is_lost_was_made(gcs_server: GcsServer, bucket: Bucket) -> None:
    store = gcs_server.client().bucket(bucket())
    blob = store.blob("a")
    blob.upload_from_string(b"content")

    with gcs_server.faults({"path": f"{store.name}/o/a/moveTo", "drop_reply": True}), pytest.raises(NotFound):
        store.move_blob(blob, "b", if_generation_match=0)  # the client asks again by itself, and the source is gone
    moved = store.get_blob("b")
    assert (moved.crc32c, moved.size) == (blob.crc32c, 7)


def test_content_that_changes_on_its_way_is_noticed(gcs_server: GcsServer, bucket: Bucket) -> None:
    store = gcs_server.client().bucket(bucket())
    blob = store.blob("a")
    blob.upload_from_string(b"content" * 1000)
    here = {"operation": "media", "path": store.name}

    with gcs_server.faults({**here, "corrupt": True}), pytest.raises(DataCorruption):
        blob.download_as_bytes()
    with gcs_server.faults({**here, "cut_after_bytes": 100}):
        assert blob.download_as_bytes() == b"content" * 1000  # after a second request
    with gcs_server.faults({**here, "status": 403}), pytest.raises(Forbidden):
        blob.download_as_bytes()


def test_requests_are_counted(gcs_server: GcsServer, bucket: Bucket) -> None:
    store = gcs_server.client().bucket(bucket())
    gcs_server.reset_counts()
    for name in ["a", "b"]:
        store.blob(name).upload_from_string(b"")
    store.move_blob(store.blob("a"), "c")
    list(store.list_blobs())
    counts = gcs_server.counts()
    counts.pop("bucket")  # the client looks buckets up in the background
    assert {operation: count for operation, count in counts.items() if count} == {"upload": 2, "move": 1, "list": 1}


def test_a_resumable_upload_goes_on_after_a_lost_answer(gcs_server: GcsServer, bucket: Bucket) -> None:
    store = gcs_server.client().bucket(bucket())
    content = bytes(range(256)) * 4096
    blob = store.blob("large", chunk_size=256 * 1024)
    with gcs_server.faults({"method": "PUT", "path": f"{store.name}/o", "skip": 1, "drop_reply": True}):
        blob.upload_from_string(content, if_generation_match=0)
    assert blob.download_as_bytes() == content


def test_a_batch_deletes(gcs_server: GcsServer, bucket: Bucket) -> None:
    client = gcs_server.client()
    store = client.bucket(bucket())
    for name in ["a b", "c"]:
        store.blob(name).upload_from_string(b"")
    with client.batch():
        store.delete_blob("a b")
        store.delete_blob("c")
    assert list(store.list_blobs()) == []


def test_a_large_rewrite_is_a_loop() -> None:
    with running("-rewrite-chunk", "4", "-bucket", "from", "-bucket", "to") as server:
        client = server.client()
        source = client.bucket("from").blob("a")
        source.upload_from_string(b"0123456789")
        copy = client.bucket("to").blob("a")
        token, written, total = copy.rewrite(source, if_generation_match=0)
        assert (written, total) == (4, 10)
        assert not copy.exists()
        token, written, total = copy.rewrite(source, token=token, if_generation_match=0)
        assert (written, total) == (8, 10)
        assert copy.rewrite(source, token=token, if_generation_match=0) == (None, 10, 10)
        assert copy.download_as_bytes() == b"0123456789"


STARTED = """
import os, sys
from tests.gcs_server import running
with running() as server:
    print(server.address, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_it_ends_with_the_process_that_started_it() -> None:
    require_go()
    ended = subprocess.run([sys.executable, "-c", STARTED], cwd=REPOSITORY, capture_output=True, text=True)
    address = urlsplit(ended.stdout.strip())
    assert address.port
    for _ in range(100):
        with socket.socket() as connection:
            if connection.connect_ex((address.hostname or "", address.port)):
                return
        time.sleep(0.1)
    pytest.fail("the emulator is still there after ten seconds")


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
    number = PrimitiveType("integer")
    # Of two writers that create a table at once delta-rs refuses one: its metadata have changed.
    DeltaTable.create(table, Schema([Field("writer", number), Field("i", number)]), storage_options=options)
    command = [sys.executable, "-c", APPEND, table, json.dumps(options)]
    writers = [subprocess.Popen([*command, str(writer)]) for writer in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]

    delta = DeltaTable(table, storage_options=options)
    stored = QueryBuilder().register("t", delta).execute("SELECT writer, i FROM t").read_all()
    with duckdb.connect() as connection:
        rows = connection.register("t", stored).execute("SELECT * FROM t ORDER BY ALL").fetchall()
    assert rows == [(writer, i) for writer in range(2) for i in range(20)]
    assert delta.version() == 40
