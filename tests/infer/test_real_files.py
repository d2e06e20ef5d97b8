"""Files that other projects ship: an inferred feed loads every record of them."""

from __future__ import annotations

import csv
import importlib.util
import io
import os
from collections.abc import Sequence
from functools import partial
from glob import glob

import pyarrow.orc
import pyarrow.parquet

from framework.infer import Sample, infer
from tests.support import Project

SHIPPED = {
    "numpy": ("random/tests/data/pcg64-*.csv", "_core/tests/data/umath-validation-set-cos.csv"),
    "pyarrow": ("tests/data/orc/*File.orc", "tests/data/orc/*test1.orc", "tests/data/parquet/*.parquet"),
    "tzdata": ("zoneinfo/iso3166.tab", "zoneinfo/zone.tab", "zoneinfo/zonenow.tab"),
}
"""Patterns of data files in installed packages."""
OF_THE_SYSTEM = ("/etc/passwd", "/usr/share/distro-info/debian.csv", "/usr/share/distro-info/ubuntu.csv")


def found() -> Sequence[str]:
    """Paths of the files that there are."""
    paths = [path for path in OF_THE_SYSTEM if os.path.exists(path)]
    for package, patterns in SHIPPED.items():
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec is not None else []:
            paths += [path for pattern in patterns for path in sorted(glob(os.path.join(folder, pattern)))]
    return paths


def records_in(path: str, header: bool) -> int:
    """How many records a file has, by another reader."""
    if path.endswith(".orc"):
        return int(pyarrow.orc.ORCFile(path).nrows)
    if path.endswith(".parquet"):
        return int(pyarrow.parquet.ParquetFile(path).metadata.num_rows)
    with open(path, encoding="utf-8", newline="") as stream:
        lines = (line for line in stream if not line.startswith("#") and line.strip())
        rows = list(csv.reader(lines, delimiter="\t" if path.endswith(".tab") else ","))
    return len(rows) - header


def test_every_record_is_loaded(project: Project) -> None:
    paths = found()
    assert len(paths) >= 10
    wanted = []
    for number, path in enumerate(paths):
        with open(path, "rb") as stream:
            content = stream.read()
        feed = infer([Sample(os.path.basename(path), partial(io.BytesIO, content))], name=f"feed_{number:02}")
        project.feed(feed.name, feed.text)
        project.land(feed.name, os.path.basename(path), content)
        wanted.append((path, "succeeded", records_in(path, header="header: false" not in feed.text), 0))
    feeds = [feed for feed in project.cli("run").document["feeds"] if feed["feed"].startswith("feed_")]
    got = [(feed["status"], feed["rows"]["read"], feed["rows"]["quarantined"]) for feed in feeds]
    assert [(path, *each) for path, each in zip(paths, got, strict=True)] == wanted
