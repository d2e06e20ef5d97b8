"""Commands that check and explain configuration, and write what follows from it: validate, plan, schema, show-config,
bundle."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import asdict
from typing import Any

import click

from framework.cli.options import Request, anywhere, common, errors, given, opened, request_of
from framework.cli.say import print_json, say_problems
from framework.cli.streams import put, say, tell
from framework.errors import LandfeedError

__all__ = ["bundle", "plan", "schema", "show_config", "validate"]


@click.command()
@common
def validate(request: Request) -> None:
    """Check everything that can be known from the files. No engine, no network."""
    from framework.loader import check_project

    feeds, problems = check_project(
        request.config, request.env, environ=os.environ, feeds=request.feeds, tags=request.tags
    )
    if request.as_json:
        print_json({"ok": not problems, "feeds": feeds, "problems": [asdict(problem) for problem in problems]})
    elif problems:
        say_problems(problems, request.config)
    else:
        tell(f"{feeds} feed(s) checked, nothing wrong")
    sys.exit(2 if problems else 0)


@click.command()
@click.argument("kind", type=click.Choice(["feed", "environment", "defaults", "report"]), default="feed")
@click.option("--write", is_flag=True, help="Write all of them into the configuration folder, where editors look.")
@anywhere
def schema(kind: str, write: bool, **params: Any) -> None:
    """Print the JSON Schema of a kind of file, for editors; or of the report of a run."""
    from framework.begin import editor_schema, schema_files
    from framework.loader import Kind

    if kind == "report" and not write:
        from framework.telling.reports import report_schema

        put(report_schema().rstrip("\n"))
        return
    if not write:
        put(editor_schema(Kind(kind)).rstrip("\n"))
        return
    request = request_of(params)
    with errors(as_json=False, config=request.config):
        for name, text in schema_files().items():
            file = os.path.join(request.config, name)
            try:
                with open(file, "w", encoding="utf-8") as out:
                    out.write(text)
            except OSError as error:
                hint = "start it in the project folder, or begin one: landfeed init"
                raise LandfeedError(f"{file} cannot be written: {error.strerror}", hint) from error
            tell(f"{file} is written")


@click.command()
@click.option("--sql", is_flag=True, help="Show the SQL of each step too.")
@common
def plan(request: Request, sql: bool) -> None:
    """Show what `run` would do now: pending files, tables to make or change, steps. Writes nothing."""
    from framework.loader import feed_names
    from framework.plan.explain import explain_text
    from framework.runs.views import plans, removed

    with opened(request) as (project, world, _):
        document = plans(project.feeds, world, world.engine.sql if sql else None)
        every = not request.feeds and not request.tags
        document["removed"] = removed(feed_names(request.config), world) if every else []
    if request.as_json:
        print_json(document)
    else:
        for feed, planned in zip(project.feeds, document["feeds"], strict=True):
            for line in explain_text(planned, feed.source.path):
                tell(line)
        for gone in document["removed"]:
            say(f"note: no file is about the feed {gone['feed']} any more; {gone['table']} stays as it is")
    sys.exit(1 if any(feed["error"] for feed in document["feeds"]) else 0)


@click.command("show-config")
@common
def show_config(request: Request) -> None:
    """Print feeds as they are after defaults, each value with the file and line it comes from."""
    from framework.loader import annotated, merged_tree, origins

    if not request.feeds:
        raise click.UsageError("name at least one feed")
    trees = [merged_tree(request.config, request.env, name, environ=os.environ) for name in request.feeds]
    if request.as_json:
        documents = [
            [{"path": path, "value": node.raw, "file": node.file, "line": node.line} for path, node in origins(tree)]
            for tree in trees
        ]
        print_json({"feeds": [{"feed": name, "values": v} for name, v in zip(request.feeds, documents, strict=True)]})
        return
    for number, tree in enumerate(trees):
        for line in (*["---"] * (number > 0), *annotated(tree)):
            tell(line)


@click.command()
@click.option("--out", metavar="DIR", help="The folder of databricks.yml.  [default: the project folder]")
@click.option("--name", help="The bundle's name.  [default: the one that it has, or landfeed]")
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when a file is out of date.")
@click.option("--output", type=click.Choice(["text", "json"]), default=None, help="What stdout holds.")
@anywhere
def bundle(out: str | None, name: str | None, check: bool, **params: Any) -> None:
    """Write the Databricks bundle: each environment with a `databricks` block is a target."""
    from framework.databricks import State, compare, make_bundle, unwatched, write
    from framework.loader import load_targets

    request = request_of(params)
    with errors(as_json=request.as_json, config=request.config):
        projects = load_targets(request.config, environ=os.environ)
        folder = given(out) or os.path.dirname(os.path.abspath(request.config))
        if name is not None and not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
            raise LandfeedError(f"'{name}' cannot be a bundle's name", "use letters, digits, _, . and -", code="bundle")
        wanted = make_bundle(projects, request.config, folder, name)
        states = compare(folder, wanted)
        if not check:
            write(folder, wanted)
        notes = unwatched(projects)
    targets = [project.environment.name for project in projects]
    changed = [file for file, state in states.items() if state is not State.UP_TO_DATE]
    if request.as_json:
        written = [] if check else changed
        files = [{"file": file, "state": str(states[file]), "written": file in written} for file in states]
        print_json({"ok": not (check and changed), "targets": targets, "files": files, "notes": notes})
    else:
        for file in changed:
            tell(f"{file}: {states[file] if check else 'written'}")
        if not changed:
            tell("the bundle is up to date")
    for note in notes:
        say(f"note: {note}")
    if check and changed:
        say()
        say(f"hint: update with: landfeed --config {request.config} bundle" + (f" --out {out}" if out else ""))
    sys.exit(1 if check and changed else 0)
