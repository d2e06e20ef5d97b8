"""Make: the projects of all bundle targets → the text of each file of the bundle, checked."""

from __future__ import annotations

from collections.abc import Sequence

from framework.databricks.bundle import bundle
from framework.databricks.files import plain, texts
from framework.databricks.folder import bundle_name, equipped, places
from framework.databricks.job import Target
from framework.databricks.lint import lint
from framework.environment import JobTrigger
from framework.errors import LandfeedError
from framework.law.places import inside
from framework.loader import Project, watched_folder

__all__ = ["make_bundle", "unwatched"]


def make_bundle(projects: Sequence[Project], config: str, folder: str, name: str | None = None) -> dict[str, str]:
    """The text of each file, by its path from the folder of databricks.yml. Environments without a `databricks`
    block are left out; without a `name` the bundle keeps the one that it has. Raises LandfeedError when a job
    has a mistake."""
    targets = [
        Target(project.environment, project.environment.databricks, project.feeds)
        for project in projects
        if project.environment.databricks is not None
    ]
    made = bundle(name or bundle_name(folder), equipped(targets, config), places(config, folder))
    jobs = ((target, job) for target, some in made.jobs.items() for job in some.values())
    mistakes = [f"{target}: {each}" for target, job in jobs for each in lint(plain(job, ""))]
    if mistakes:
        hint = "check the databricks blocks of the environments; if they are right, please report it"
        raise LandfeedError("the job would not work: " + "; ".join(mistakes), hint, code="bundle")
    return texts(made)


def unwatched(projects: Sequence[Project]) -> list[str]:
    """A sentence for each feed whose files start no run."""
    found = []
    for project in projects:
        settings = project.environment.databricks
        if settings is None or settings.trigger is JobTrigger.NONE:
            continue
        folder = watched_folder(settings, project.feeds) or ""
        for feed in project.feeds:
            if not inside(feed.source.path, folder):
                lands = f"{project.environment.name}: the feed {feed.name} lands outside of {folder}"
                found.append(f"{lands}: its files start no run, and are left out of those that files start")
    return found
