"""How delta-rs reaches a bucket that holds tables."""

from __future__ import annotations

import json
from collections.abc import Mapping

from framework.environment import Environment, storage_emulator

__all__ = ["storage_options"]


def storage_options(environment: Environment, environ: Mapping[str, str]) -> dict[str, str]:
    """How delta-rs reaches the tables below `tables.root`: as the storages do, by the environment's key file,
    by Application Default Credentials, or at an emulator without any."""
    if not (environment.root or "").startswith("gs://"):
        return {}
    emulator = storage_emulator(environ)
    if emulator is not None:
        key = {"gcs_base_url": emulator, "disable_oauth": True, "client_email": ""}
        return {"google_service_account_key": json.dumps(key | {"private_key": "", "private_key_id": ""})}
    if environment.gcs_credentials is not None:
        return {"google_service_account": environment.gcs_credentials}
    return {}
