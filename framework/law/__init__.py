"""What data means, above every engine and free of them: pure functions from a feed and texts to rows, reasons and
SQL. Nothing here reads, writes or asks the clock.

    discovery | scd                     which files of a folder count, in which order · what merging a row does
    rules | filenames                   how the text of a record becomes a row, and every reason why it may not · what
                                        a file's name gives
    values | records | layout | limits | expressions | places | ready    what each of them says
    dialects                            how an engine says what the builders need
"""
