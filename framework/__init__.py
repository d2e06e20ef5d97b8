"""Landfeed: files that land in a bucket become correct Delta tables, one YAML file a feed.

The whole program is four lines, each an arrow from data to data::

    YAML text ──loader──▶ Feed ──observe──▶ Facts ──compile_plan──▶ Plan ──execute──▶ Report
                                                                     └──explain──▶ text

``loader`` knows YAML and no engine, ``plan`` reads nothing and writes nothing, ``execute`` is the
only place where an engine, a storage and the ledger meet, and ``cli`` is the only one that prints.
``watch`` stays, and runs feeds when ``arrivals`` says that their files are quiet.
A module imports only from rows above its own in this list (checked by import-linter):

    errors  names  types
    feed  environment  steps  arrivals
    values  scd  layout
    loader  engine  storage  ledger  report
    observe  plan  explain  events
    engines.*  storages.*
    execute
    run  watch
    databricks
    cli
"""

__version__ = "0.1.0"
