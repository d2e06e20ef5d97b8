"""What data means, above every engine and free of them: pure functions from a feed and texts to rows, reasons and
SQL. Nothing here reads, writes or asks the clock.

    staging                             how records become rows, and rows staging and the quarantine
    discovery | merging | manifests     which files count · a change as SQL · which manifests are ours
    records | pathnames                 bytes to records, a reader a format · what a file's path gives
    rules | filenames | change | expressions    texts to rows, or why not · what a file's name gives · what a merge
                                        does · what is wrong with an expression
    verdict | functions                 what becomes of rows and files · what expressions consist of, and what that
                                        means on every engine
    values | layout | places | ready    texts to values · headers to columns · …
    dialects                            how an engine says what the builders need
"""
