"""Which storage serves a path, and what is said when it cannot be opened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from framework.environment import EngineName, Environment
from framework.errors import Busy, StorageError
from framework.storage import Storage
from framework.storages import open_leases, open_storage
from framework.storages.gcs import GcsStorage
from framework.storages.gcs_client import GcsAccount
from framework.storages.gcs_leases import GcsLeases
from framework.storages.local import LocalStorage
from framework.storages.local_leases import LocalLeases
from framework.storages.memory import MemoryStorage
from framework.storages.volumes import VolumeStorage
from tests.gcs_server import GcsServer
from tests.support import REPOSITORY

HINT = "set gcs.credentials in the environment file to the key file of a service account, or leave it out"

WITHOUT_PACKAGES = """
import sys
sys.path.insert(0, {repository!r})
from framework.environment import EngineName, Environment
from framework.errors import MissingDependency
from framework.storages import open_leases, open_storage
environment = Environment("local", EngineName.EMBEDDED, "/project", root="gs://b/tables")
for opening in (lambda: open_storage("gs://b/landing/", environment, {{}}), lambda: open_leases(environment, {{}})):
    try:
        opening()
    except MissingDependency as error:
        print(error.message, error.hint, sep="|")
"""


def environment(root: str | None = "/tables", credentials: str | None = None) -> Environment:
    return Environment("local", EngineName.EMBEDDED, "/project", root=root, gcs_credentials=credentials)


def listing(path: str, credentials: str | None = None) -> StorageError:
    storage = open_storage("gs://b/landing/", environment(credentials=credentials), {})
    with pytest.raises(StorageError) as caught:
        list(storage.list(path, recursive=True))
    return caught.value


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/data/landing/", LocalStorage),
        ("/Volumes/main/raw/landing/", VolumeStorage),
        ("/Volumes_of_mine/landing/", LocalStorage),
        ("gs://bucket/landing/", GcsStorage),
    ],
)
def test_a_path_has_its_storage(path: str, kind: type) -> None:
    assert type(open_storage(path, environment(), {})) is kind


def test_every_storage_is_one() -> None:
    storages: list[Storage] = [LocalStorage(), VolumeStorage(), MemoryStorage()]
    assert len(storages) == 3


def test_leases_stand_beside_the_tables(tmp_path: os.PathLike[str]) -> None:
    leases = open_leases(environment(f"{os.fspath(tmp_path)}/"), {})
    assert isinstance(leases, LocalLeases)
    with leases.hold("orders", 0):
        assert os.listdir(os.path.join(tmp_path, "_landfeed", "_leases")) == ["orders.lock"]
    anywhere = {"STORAGE_EMULATOR_HOST": "http://127.0.0.1:9"}
    assert isinstance(open_leases(environment("gs://bucket/tables"), anywhere), GcsLeases)


@pytest.mark.parametrize("host", ["http://127.0.0.1:9", "127.0.0.1:9", "http://127.0.0.1:9/"])
def test_an_emulator_is_named_by_its_address(host: str) -> None:
    account = GcsAccount.of("/nowhere/key.json", None, {"STORAGE_EMULATOR_HOST": host})
    assert account == GcsAccount("/nowhere/key.json", None, "http://127.0.0.1:9")
    assert GcsAccount.of(None, "p", {"STORAGE_EMULATOR_HOST": ""}) == GcsAccount(None, "p", None)


def test_other_uris_have_no_storage() -> None:
    with pytest.raises(StorageError) as caught:
        open_storage("s3://bucket/landing/", environment(), {})
    assert caught.value.message == "s3://bucket/landing/: there is no storage for s3://"
    assert caught.value.hint == "use gs://bucket/…, a folder, or a volume (/Volumes/…)"
    with pytest.raises(StorageError, match="there is no storage for abfss://"):
        open_leases(environment("abfss://tables"), {})


def test_leases_of_a_catalog_hold_on_one_machine() -> None:
    tables = Environment("local", EngineName.SPARK, "/", catalog="main")
    with open_leases(tables, {}).hold("f", 0), pytest.raises(Busy), open_leases(tables, {}).hold("f", 0):
        pass
    with open_leases(tables, {}).hold("f", 0), open_leases(replace(tables, catalog="other"), {}).hold("f", 0):
        pass


def test_the_client_is_not_installed() -> None:
    script = WITHOUT_PACKAGES.format(repository=REPOSITORY)
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "gs://b/landing/ needs the package google-cloud-storage|pip install 'landfeed[gcs]'",
        "gs://b/tables/_landfeed/_leases needs the package google-cloud-storage|pip install 'landfeed[gcs]'",
    ]


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]) -> None:
    """A machine without credentials of its own."""
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", os.fspath(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.mark.usefixtures("nobody")
def test_there_are_no_credentials() -> None:
    error = listing("gs://b/landing/")
    assert error.code == "credentials"
    assert error.message.startswith("there are no credentials for Google Cloud Storage (")
    assert error.hint == "run `gcloud auth application-default login`, or set gcs.credentials in the environment file"


@pytest.mark.usefixtures("nobody")
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    assert "(File /nowhere/key.json was not found)" in listing("gs://b/landing/").message


def test_the_key_file_is_missing() -> None:
    error = listing("gs://b/landing/", "/nowhere/key.json")
    assert (error.code, error.hint) == ("credentials", HINT)
    assert error.message == "the key file /nowhere/key.json cannot be read: No such file or directory"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "[]",
        '{"type": "authorized_user", "refresh_token": "secret"}',
        '{"type": "service_account", "private_key": "secret", "client_email": "a@b", "token_uri": "http://127.0.0.1:9"}',
    ],
)
def test_the_key_file_is_broken(tmp_path: os.PathLike[str], text: str) -> None:
    path = os.path.join(tmp_path, "key.json")
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    error = listing("gs://b/landing/", path)
    assert (error.code, error.message, error.hint) == (
        "credentials",
        f"{path} is not the key of a service account",
        HINT,
    )


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def with_key(folder: os.PathLike[str], private_key: str, giver: str) -> StorageError:
    """What a list says with a key whose tokens are given out at `giver`."""
    path = os.path.join(folder, "key.json")
    with open(path, "w", encoding="utf-8") as out:
        document = {"private_key": private_key, "client_email": "a@b", "token_uri": f"{giver}/token"}
        json.dump({"type": "service_account", **document}, out)
    storage = GcsStorage(GcsAccount(path, retry_seconds=0.5))
    with pytest.raises(StorageError) as caught:
        list(storage.list("gs://b/landing/", recursive=True))
    assert private_key not in caught.value.message
    return caught.value


def test_nobody_gives_out_tokens(tmp_path: os.PathLike[str], private_key: str) -> None:
    assert with_key(tmp_path, private_key, "http://127.0.0.1:9").code == "unavailable"


@pytest.mark.gcs
def test_a_key_that_is_not_accepted(tmp_path: os.PathLike[str], private_key: str, gcs_server: GcsServer) -> None:
    body = json.dumps({"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    with gcs_server.faults({"path": "tokens", "status": 400, "times": -1, "body": body}):
        error = with_key(tmp_path, private_key, f"{gcs_server.address}/upload/storage/v1/b/tokens/o?for=")
    assert (error.code, error.hint) == ("credentials", "make a new key, or run `gcloud auth application-default login`")
    said = "Google does not accept the credentials (invalid_grant: Invalid JWT Signature)"
    assert error.message == f"gs://b/landing/ cannot be listed: {said}"


def test_the_example_in_the_documentation() -> None:
    with open(os.path.join(REPOSITORY, "docs", "storages.md"), encoding="utf-8") as text:
        example = text.read().split("```python\n")[1].split("```")[0]
    exec(compile(example, "storages.md", "exec"), {})  # noqa: S102 (our own text)
