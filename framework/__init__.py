"""Landfeed: files that land in a bucket become correct Delta tables, one YAML file a feed.

The whole program is four lines, each an arrow from data to data::

    YAML text ──loader──▶ Feed ──observe──▶ Facts ──compile_plan──▶ Plan ──execute──▶ Report
                                                                     └──explain──▶ text

A module imports only from rows below its own; the same holds inside `law`, `opening`, `infer`, `plan`,
`runs`, `telling`, `pages` and `cli`, whose docstrings have lists of their own:

    start                               the entry point
    cli                                 the command line: the only place that prints, exits, asks clock and environment
    databricks | begin | telling | pages   the bundle: one job for all feeds · what a project begins with · who is
                                        told of runs · a site about the feeds
    runs                                many feeds: which are run when, what landing holds, what is told of it
    plan | engines | storages | infer   one feed's batch: facts, steps, two interpreters · who implements the seams ·
                                        samples to a feed
    loader | ledger                     YAML text to Feed, every problem at once · what happened to files and batches
    engine | control                    the seams to tables: reads, checks, merges · Landfeed's own
    opening                             files to bytes, encoding and layout, or why they are rejected
    storage | leases | keeping          the seams to folders and buckets, to other runners, to files under tables
    steps | report                      the closed set of steps · what a run did
    law                                 what data means: values, records, rules, merges; pure, shared by all engines
    feed | environment | batch          what one YAML promises · where things are · files staged and merged together
    machine                             errors of the system, told apart by what was being done
    errors | names | types              the words everybody uses

Where a new thing goes: a format is a reader in `law.records`, a merge mode a function in `law.modes` that says it as
a `Change`, a check a rule in `law.rules`, a function of expressions a row in `law.functions`; each is written there
once, and engines only carry it out.
"""

__version__ = "0.1.0"
