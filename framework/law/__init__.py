"""What data means, above every engine and free of them: pure functions from a feed and texts to rows, reasons and
SQL. Nothing here reads, writes or asks the clock.

    discovery | scd | manifests         which files of a folder count, in which order · what merging a row does · which
                                        manifests are ours
    rules | filenames                   how the text of a record becomes a row, and every reason why it may not · what
                                        a file's name gives
    values | records | layout | limits | expressions | places    texts to values · bytes to records · headers to columns
"""
