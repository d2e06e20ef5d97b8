"""The client for Google Cloud Storage: who we are, how long to try, and what its errors mean."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import responses
from typing import Any

import google.auth
import requests
from google.api_core import exceptions
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import AuthorizedSession
from google.cloud import storage
from google.cloud.storage.exceptions import InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from google.oauth2 import service_account
from requests.adapters import HTTPAdapter

from framework.environment import storage_emulator
from framework.errors import StorageError

__all__ = ["GcsAccount", "GcsClient", "bucket_and_key", "translated"]

_CONNECTIONS = 32
_HELD = re.compile(r"\bunder active .*\bhold\b|\bretention (policy|period)\b|\bobject retention\b", re.IGNORECASE)
_CODE = "credentials"
_KEY_HINT = "set gcs.credentials in the environment file to the key file of a service account, or leave it out"
_NEEDED = {
    "listed": "storage.objects.list",
    "read": "storage.objects.get",
    "moved": "storage.objects.move",
    "copied": "storage.objects.create",
    "deleted": "storage.objects.delete",
    "written": "storage.objects.create",
}
_PERMISSION = re.compile(r"storage\.[A-Za-z]+\.[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class GcsAccount:
    """Whose rights are used: a key file, or else Application Default Credentials; nobody's on an emulator.

    `retry_seconds` is how long one request is repeated while the service or the network fails.
    """

    credentials: str | None = None
    project: str | None = None
    emulator: str | None = None
    retry_seconds: float = 120.0

    @classmethod
    def of(cls, credentials: str | None, project: str | None, environ: Mapping[str, str]) -> GcsAccount:
        return cls(credentials, project, storage_emulator(environ))

    def sign_in(self) -> Credentials:
        """The credentials, which are only looked for. Raises StorageError when there are none."""
        if self.emulator:
            return AnonymousCredentials()
        if self.credentials is not None:
            return _key(self.credentials)
        try:
            return google.auth.default(scopes=storage.Client.SCOPE)[0]
        except DefaultCredentialsError as error:
            raise StorageError(
                f"there are no credentials for Google Cloud Storage ({_first_sentence(error)})",
                "run `gcloud auth application-default login`, or set gcs.credentials in the environment file",
                code=_CODE,
            ) from error


class GcsClient:
    """The library's client and its HTTP session, made when first needed; one for all threads."""

    def __init__(self, account: GcsAccount) -> None:
        self._account = account
        self._lock = threading.Lock()
        self._client: storage.Client | None = None
        self._session: AuthorizedSession | None = None
        self.endpoint = account.emulator or "https://storage.googleapis.com"
        self.retry: Retry = DEFAULT_RETRY.with_delay(0.2, 20.0, 2.0).with_timeout(account.retry_seconds)
        self.timeout = (10, 60)

    @property
    def patience(self) -> dict[str, Any]:
        """How long every request is waited for (connecting, reading) and repeated: keyword arguments."""
        return {"timeout": self.timeout, "retry": self.retry}

    @property
    def session(self) -> AuthorizedSession:
        """HTTP with our credentials and a connection for every thread (the library's own has ten)."""
        with self._lock:
            if self._session is None:
                session = AuthorizedSession(self._account.sign_in())
                session.hooks["response"].append(_read_refusal)
                for scheme in ("https://", "http://"):
                    session.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))
                self._session = session
            return self._session

    @property
    def client(self) -> storage.Client:
        session = self.session
        with self._lock:
            if self._client is None:
                self._client = storage.Client(
                    project=self._account.project or "none",  # only needed to make or list buckets
                    credentials=session.credentials,
                    _http=session,
                    client_options={"api_endpoint": self.endpoint} if self._account.emulator else None,
                )
            return self._client


def _key(path: str) -> Credentials:
    try:
        with open(path, "rb") as stream:
            info = json.load(stream)
        if not isinstance(info, dict):
            raise ValueError("not an object")
        return service_account.Credentials.from_service_account_info(info, scopes=storage.Client.SCOPE)
    except OSError as error:
        if _is_path(path):
            message = f"the key file {path} cannot be read: {error.strerror}"
            raise StorageError(message, _KEY_HINT, code=_CODE) from error
        message = "gcs.credentials is not the path of a key file; is it the key itself?"
        raise StorageError(message, _KEY_HINT, code=_CODE) from None
    except ValueError:  # its text may have parts of the key, and so may the path
        name = path if _is_path(path) else "gcs.credentials"
        raise StorageError(f"{name} is not the key of a service account", _KEY_HINT, code=_CODE) from None


def _is_path(text: str) -> bool:
    """Whether a text may be shown as the path of a file: it is none that holds a key."""
    return len(text) < 1024 and text.isprintable() and not any(mark in text for mark in ('"', "{", "BEGIN "))


def bucket_and_key(path: str) -> tuple[str, str]:
    """`gs://bucket/any/key` in two. Keys are taken literally: nothing is decoded or tidied."""
    bucket, _, key = path.removeprefix("gs://").partition("/")
    return bucket, key


def _read_refusal(response: requests.Response, **_: object) -> None:
    """Read the answer to a streaming request that failed, so that its connection can be used again."""
    if response.status_code >= 400:
        response.content  # noqa: B018 (reading is what it does)


@contextmanager
def translated(path: str, done: str, destination: str = "") -> Iterator[None]:
    """Turns what the library raises into StorageError; `done` is what should have been done with `path`."""
    what = f"{path} cannot be {done} to {destination}" if destination else f"{path} cannot be {done}"
    try:
        yield
    except exceptions.RetryError as error:
        raise _refusal(what, done, error.cause or error) from error
    except (exceptions.GoogleAPICallError, GoogleAuthError, requests.RequestException) as error:
        raise _refusal(what, done, error) from error
    except OSError as error:
        raise StorageError(f"{what}: {error.strerror}", "check the disk and free space") from error


def _refusal(what: str, done: str, error: Exception) -> StorageError:
    if isinstance(error, InvalidResponse | exceptions.GoogleAPICallError) and error.response is not None:
        error = exceptions.from_http_response(error.response)
    match error:
        case exceptions.Forbidden() | exceptions.Unauthorized():
            return _denied(what, done, _said(error))
        case exceptions.NotFound():
            return StorageError(
                f"{what}: there is no such bucket or object", "check the name of the bucket", code="missing_folder"
            )
        case exceptions.TooManyRequests() | exceptions.ServerError():
            return StorageError(
                f"{what}: Google Cloud Storage is not available ({_said(error)})",
                "it was tried again and again; run it again later",
                code="unavailable",
            )
        case exceptions.GoogleAPICallError():
            return StorageError(f"{what}: Google Cloud Storage refused it ({_said(error)})")
        case GoogleAuthError() if not isinstance(error, TransportError):
            return StorageError(
                f"{what}: Google does not accept the credentials ({_first_sentence(error)})",
                "make a new key, or run `gcloud auth application-default login`",
                code=_CODE,
            )
        case _:
            return StorageError(
                f"{what}: Google Cloud Storage cannot be reached ({type(error).__name__})",
                "check the network",
                code="unavailable",
            )


def _denied(what: str, done: str, said: str) -> StorageError:
    if named := _PERMISSION.search(said):
        return StorageError(
            f"{what}: the permission {named.group()} is missing",
            "grant it on the bucket (the role Storage Object User has it)",
            code="forbidden",
        )
    if _HELD.search(said):
        return StorageError(
            f"{what}: the object is under a hold or a retention policy",
            "release it, or set archive.on_success: keep",
            code="held",
        )
    return StorageError(
        f"{what}: access is denied ({said})", f"it takes {_NEEDED[done]} on the bucket", code="forbidden"
    )


def _said(error: exceptions.GoogleAPICallError) -> str:
    """The service's own words, without the address of the request."""
    words = [detail["message"] for detail in error.errors if "message" in detail]
    return f"{int(error.code)} {words[0] if words else responses.get(error.code, '')}"


def _first_sentence(error: Exception) -> str:
    return str(error.args[0] if error.args else error).split(". ")[0].rstrip(".")
