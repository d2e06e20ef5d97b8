"""What every storage promises: nothing is overwritten, no upload is lost, and repeating changes nothing."""

from __future__ import annotations

import gzip
import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from framework.errors import FileGone, StorageError
from framework.names import File
from tests.storages.places import Place

NAMES = [
    "with blanks .csv",
    "a#b.csv",
    "a?b=c&d.csv",
    "100%.csv",
    "%2F%20.csv",
    "a+b.csv",
    'it\'s "quoted".csv',
    "Größe_名前_🎉.csv",
    "e\u0301_not_é.csv",
    "back\\slash.csv",
    "[a-z]*{x}.csv",
    "~a:b;c@d!$(e),f.csv",
    "x" * 196 + ".csv",
    "deep/er/file.csv",
]
KEYS = ["x" * 956 + ".csv", "a//b.csv", "//a.csv", "../up.csv", "a/../../up.csv", "./a.csv", "a/./b.csv", "a/..", " "]


def at_once(*calls: Callable[[], object]) -> list[object]:
    """The results of calls that begin at the same moment."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def listed(place: Place, *, recursive: bool = True) -> dict[str, File]:
    return {file.name: file for file in place.storage.list(place.landing, recursive=recursive)}


def test_list_and_head_agree(place: Place) -> None:
    for name in ("a.csv", "b.csv", "sub/c.csv", "sub/deeper/d.csv"):
        place.land(name, name.encode())
    files = listed(place)
    assert sorted(files) == ["a.csv", "b.csv", "sub/c.csv", "sub/deeper/d.csv"]
    assert sorted(listed(place, recursive=False)) == ["a.csv", "b.csv"]
    for name, file in files.items():
        head = place.storage.head(place.landing + name)
        assert head is not None
        assert (head.identity, head.modified, head.name) == (file.identity, file.modified, name.rsplit("/", 1)[-1])
        assert (file.path, file.size) == (place.landing + name, len(name))
    assert place.storage.head(place.landing + "sub") is None
    assert place.storage.head(place.landing + "nothing.csv") is None


def test_a_folder_is_given_with_or_without_its_slash(place: Place) -> None:
    place.land("a.csv")
    place.write(place.landing.rstrip("/") + "_and_more/b.csv", b"another folder")
    assert [file.name for file in place.storage.list(place.landing.rstrip("/"), recursive=True)] == ["a.csv"]


def test_what_is_written_replaces_what_was_there(place: Place) -> None:
    path = f"{place.archive}reports/2026/a.json"
    for content in (b"one", b"", b"three" * 1000):
        place.storage.write(path, content)
        assert place.read(path) == content
        assert [file.path for file in place.storage.list(place.archive, recursive=True)] == [path]
        assert place.stored(place.archive) == ["reports/2026/a.json"]


def test_a_replaced_file_has_another_version(place: Place) -> None:
    first = place.land("a.csv", b"one")
    second = place.land("a.csv", b"two")
    assert first.version != second.version
    assert listed(place)["a.csv"].identity == second.identity


def test_read_range(place: Place) -> None:
    file = place.land("a.csv", b"0123456789")
    read = place.storage.read_range
    assert [read(file, 0, 4), read(file, 8, 4), read(file, 10, 4), read(file, 99, 1)] == [b"0123", b"89", b"", b""]
    assert read(place.land("empty.csv", b""), 0, 10) == b""
    place.land("a.csv", b"another version")
    with pytest.raises(FileGone, match=r"a\.csv"):
        read(file, 0, 4)
    with pytest.raises(FileGone, match=r"b\.csv"):
        read(File(place.landing + "b.csv", "b.csv", 1, 1, 1), 0, 4)


def test_open(place: Place) -> None:
    content = os.urandom(3_000_000)
    for name in ("a.csv", "sub/deeper/b.csv", "c.csv.gz"):
        with place.storage.open(place.land(name, content)) as stream:
            assert stream.read(10) == content[:10]
            assert stream.seek(1_000_000) == 1_000_000
            assert stream.read() == content[1_000_000:]
    with place.storage.open(place.land("empty.csv", b"")) as stream:
        assert stream.read() == b""


def test_only_the_version_that_was_listed_is_opened(place: Place) -> None:
    file = place.land("a.csv", b"one")
    place.land("a.csv", b"two")
    with pytest.raises(FileGone, match=r"a\.csv"):
        place.storage.open(file)
    with pytest.raises(FileGone, match=r"b\.csv"):
        place.storage.open(File(place.landing + "sub/b.csv", "sub/b.csv", 1, 1, 1))


def test_what_is_open_stays_the_version_that_it_was(place: Place) -> None:
    file = place.land("a.csv", b"one")
    with place.storage.open(file) as stream:
        place.land("a.csv", b"another")
        assert stream.read() == b"one"


def test_fetch(place: Place, tmp_path: os.PathLike[str]) -> None:
    folder = os.path.join(tmp_path, "fetched")
    os.makedirs(folder)
    contents = {
        "a.csv": b"",
        "b.csv": os.urandom(3_000_000),
        "sub/b.csv": b"same name",
        "c.csv.gz": gzip.compress(b"c"),
    }
    files = [place.land(name, content) for name, content in contents.items()]
    paths = [place.storage.fetch(file, folder) for file in files]
    if paths[0] is None:
        assert (set(paths), os.listdir(folder)) == ({None}, []), "opened in place"
        return
    assert len(set(paths)) == len(paths)
    for path, content, name in zip(paths, contents.values(), contents, strict=True):
        assert path is not None
        assert path.endswith(name[name.index(".") :])
        with open(path, "rb") as stream:
            assert stream.read() == content
    assert place.storage.fetch(files[0], folder) == paths[0], "fetched again"


def test_move_and_move_again(place: Place) -> None:
    file, destination = place.land("a.csv", b"one"), f"{place.archive}day/batch/a.csv"
    assert place.storage.move(file, destination)
    assert (place.read(destination), place.stored(place.landing)) == (b"one", [])
    assert place.storage.move(file, destination), "a move that is repeated has already been done"
    place.land("a.csv", b"two")
    assert place.storage.move(file, destination)
    assert (place.read(file.path), place.read(destination)) == (b"two", b"one")
    assert place.stored(place.archive) == ["day/batch/a.csv"]


def test_copy_and_copy_again(place: Place) -> None:
    file, destination = place.land("a.csv", b"one"), f"{place.archive}day/batch/a.csv"
    for _ in range(2):
        assert place.storage.copy(file, destination)
        assert (place.read(destination), place.read(file.path)) == (b"one", b"one")
    assert place.storage.head(file.path) == File(file.path, "a.csv", file.version, file.size, file.modified)
    place.land("a.csv", b"the next version")
    assert place.storage.copy(file, destination), "it was copied before it was replaced"
    assert place.stored(place.archive) == ["day/batch/a.csv"]


def test_a_copied_file_is_moved_afterwards(place: Place) -> None:
    file, destination = place.land("a.csv", b"one"), f"{place.archive}a.csv"
    assert place.storage.copy(file, destination)
    assert place.storage.move(file, destination)
    assert (place.read(destination), place.stored(place.landing)) == (b"one", [])


def test_delete(place: Place) -> None:
    file = place.land("a.csv", b"one")
    assert place.storage.delete(file)
    assert place.storage.delete(file)
    assert place.stored(place.landing) == []
    file = place.land("a.csv", b"one")
    place.land("a.csv", b"the next version")
    assert not place.storage.delete(file)
    assert place.read(file.path) == b"the next version"


@pytest.mark.parametrize("content", [b"the next version", b"two"])
def test_another_version_is_left_where_it_is(place: Place, content: bytes) -> None:
    file = place.land("a.csv", b"one")
    place.land("a.csv", content)
    assert not place.storage.move(file, f"{place.archive}a.csv")
    assert not place.storage.copy(file, f"{place.archive}a.csv")
    assert (place.read(file.path), place.stored(place.landing)) == (content, ["a.csv"])
    assert place.stored(place.archive) == []


def test_a_file_that_is_gone(place: Place) -> None:
    file = place.land("a.csv", b"one")
    assert place.storage.delete(file)
    assert not place.storage.move(file, f"{place.archive}a.csv")
    assert not place.storage.copy(file, f"{place.archive}a.csv")
    place.write(f"{place.archive}b.csv", b"of another size")
    assert not place.storage.move(file, f"{place.archive}b.csv")


@pytest.mark.parametrize("other", [b"somebody else's", b"two", b"on", b""])
def test_nothing_is_overwritten(place: Place, other: bytes) -> None:
    file, destination = place.land("a.csv", b"one"), f"{place.archive}a.csv"
    place.write(destination, other)
    for verb in (place.storage.move, place.storage.copy, place.storage.move):
        with pytest.raises(StorageError, match="another file stands") as caught:
            verb(file, destination)
        assert (caught.value.code, caught.value.hint) == ("archive_exists", "move it away; it is never overwritten")
        assert (place.read(destination), place.stored(place.archive)) == (other, ["a.csv"])
    place.storage.delete(place.write(destination, b"away with it"))
    assert place.storage.move(file, destination), "tried again"
    assert (place.read(destination), place.stored(place.landing)) == (b"one", [])


def test_names_of_all_kinds(place: Place, tmp_path: os.PathLike[str]) -> None:
    names = NAMES + KEYS * place.any_key + ["line\nbreak.csv"] * place.line_breaks
    for number, name in enumerate(names):
        place.land(name, f"content {number}".encode())
    files = listed(place)
    assert sorted(files) == sorted(names)
    for number, name in enumerate(names):
        file, content = files[name], f"content {number}".encode()
        assert place.storage.head(file.path) is not None
        assert place.storage.read_range(file, 0, 100) == content
        fetched = place.storage.fetch(file, os.fspath(tmp_path))
        assert place.any_key is (fetched is not None)
        if fetched is not None:
            assert os.path.samefile(os.path.dirname(fetched), tmp_path), "nothing gets out of the folder"
        with place.storage.open(file) if fetched is None else open(fetched, "rb") as stream:
            assert stream.read() == content
        assert place.storage.copy(file, f"{place.archive}copied/{name}")
        assert place.storage.move(file, f"{place.archive}moved/{name}")
        assert place.storage.move(file, f"{place.archive}moved/{name}")
        assert place.read(f"{place.archive}moved/{name}") == content
    assert place.stored(place.landing) == []
    assert place.stored(place.archive) == sorted(f"{folder}/{name}" for folder in ("copied", "moved") for name in names)


def test_two_movers_of_one_file(place: Place) -> None:
    for number in range(20):
        content = b"%d" % number * 10_000
        file, destination = place.land(f"{number}.csv", content), f"{place.archive}{number}.csv"
        results = at_once(*[partial(place.storage.move, file, destination)] * 2)
        assert any(results)
        assert place.read(destination) == content
        assert place.storage.move(file, destination)
    assert place.stored(place.landing) == []
    assert place.stored(place.archive) == sorted(f"{number}.csv" for number in range(20))


def test_a_mover_and_an_upload(place: Place) -> None:
    """Whoever comes first: the upload is there afterwards, and the archive has the first version or nothing."""
    if place.window:
        pytest.skip("this storage has a window, as its documentation says")
    for number in range(20):
        file, destination = place.land(f"{number}.csv", b"first"), f"{place.archive}{number}.csv"
        at_once(partial(place.storage.move, file, destination), partial(place.write, file.path, b"second"))
        moved = place.storage.move(file, destination)
        assert place.read(file.path) == b"second"
        assert place.read(destination) == (b"first" if moved else None)


def test_movers_of_many_files(place: Place) -> None:
    files = [place.land(f"{number:02}.csv", b"%d" % number) for number in range(40)]
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda file: place.storage.move(file, f"{place.archive}b/{file.name}"), files))
    assert place.stored(place.archive) == [f"b/{number:02}.csv" for number in range(40)]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.torture) for seed in range(2, 12))])
def test_movers_and_uploads_at_random(place: Place, seed: int) -> None:
    """Several runners, none of which knows of the others: no version is archived twice or in place of
    another, and what is uploaded last is archived or still there."""
    if place.window:
        pytest.skip("this storage has a window, as its documentation says")
    names, ended = [f"{number}.csv" for number in range(3)], threading.Event()
    last = {}

    def upload() -> None:
        chosen = random.Random(seed)
        for number in range(150):
            name = chosen.choice(names)
            last[name] = f"{name} {number}".ljust(chosen.choice([12, 14])).encode()
            place.write(place.landing + name, last[name])
            time.sleep(chosen.choice([0, 0, 0.002]))
        ended.set()

    def move(_: object = None) -> None:
        for file in place.storage.list(place.landing, recursive=True):
            if not file.name.startswith("."):
                place.storage.move(file, f"{place.archive}{file.version}/{file.name}")

    def run() -> None:
        while not ended.is_set():
            move()

    with place.disturbed(seed):
        at_once(upload, run, run, run)
    move()
    archived = [place.read(place.archive + name) for name in place.stored(place.archive)]
    assert len(archived) == len(set(archived))
    assert place.stored(place.landing) == []
    assert set(last.values()) <= set(archived)
