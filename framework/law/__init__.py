"""What data means, above every engine and free of them: pure functions from a feed and texts to rows, reasons and
SQL. Nothing here reads, writes or asks the clock.

    staging | relations                 how records become rows, and rows staging and the quarantine · changes as SQL
    history                             versions of keys, from their events
    discovery | merging | manifests | modes     which files count · cases as SQL · which manifests are ours · modes
    records                             bytes to records, a reader a format
    rules | filenames | counts          texts to rows, or why not · what a file's name gives · what counts mean
    conditions | change                 conditions on rows as SQL · what a merge does, as a value
    values | layout | verdict | expressions | places | ready    texts to values · headers to columns · …
    dialects                            how an engine says what the builders need
"""
