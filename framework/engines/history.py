"""What a table's history says of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from framework.batch import Manifest
from framework.engine import Merged
from framework.errors import LandfeedError
from framework.names import Table

__all__ = ["HISTORY", "merged_earlier", "with_files"]

HISTORY = 1000
"""How many commits back a batch's manifest is looked for; it is nearly always the last one."""


def with_files(metadata: Iterable[str | None], feed: str) -> list[Manifest]:
    """The manifests of a feed in the metadata of commits, but for those that leave the files out."""
    manifests = map(Manifest.from_json, metadata)
    return [manifest for manifest in manifests if manifest and manifest.batch.feed == feed and manifest.outcomes]


def merged_earlier(
    table: Table, last: int, manifest: Manifest, find: Callable[[int], tuple[Manifest, int] | None]
) -> Merged | None:
    """What an earlier process merged of this batch, None when nobody did.

    `last` is the number of the feed's last batch in the target `table`, `find` gives the manifest that a batch left
    there, with its version. Raises LandfeedError when the target is already further.
    """
    batch = manifest.batch
    if last < batch.seq:
        return None
    found = find(batch.seq)
    if last > batch.seq or found is None or found[0].batch_id != manifest.batch_id:
        raise LandfeedError(
            f"feed {batch.feed}: table {table} has batch {last} already, which is newer than this "
            f"one (number {batch.seq}, {manifest.batch_id})",
            "another runner was faster; run again",
            code="superseded",
        )
    return Merged(found[1], found[0].rows)
