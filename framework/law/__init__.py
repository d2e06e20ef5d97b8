"""What data means, above every engine and free of them: pure functions from a feed and texts to rows, reasons and
SQL. Nothing here reads, writes or asks the clock.

    ranking                             which rows of a key count, and what a folded one holds
    staging | relations | reasons       how records become rows, and rows staging and the quarantine · changes as SQL ·
                                        why rows are bad
    history | modes                     versions of keys, from their events · what modes mean, as changes
    snapshots                           complete pictures: their order and their guards
    manifests | quarantined             which manifests are ours · records of the quarantine, read once more
    deliveries                          what an archive holds, in the order in which it came
    discovery | merging | replacing | sheets    which files count · cases as SQL · what a batch takes the place of ·
                                        rows as CSV, and how they differ
    records | pathnames                 bytes to records, a reader a format · what a file's path gives
    batch_checks                        what came of a batch's checks
    checks                              what expressions ask of rows: columns, filter, checks
    widening                            which types hold all values of another
    rules | masks | filenames | counts | expressions    texts to rows, or why not · what is stored of masked columns ·
                                        what a file's name gives · what counts mean · what is wrong with an expression
    change | references                 what a merge does, as a value · values that another table is to have
    verdict | functions | survivors | conversions       what becomes of rows and files · what expressions consist of,
                                        and what that means on every engine · which rows of a batch take part · typed
                                        values as texts
    additions | rescue                  what columns files bring that the schema does not have: as columns, as JSON
    headers | drift | naming            what headers lack and bring, as it is told · what is different from the file
                                        before · names as tables take them
    layout                              headers to columns
    matched | members                   which of a file's names each column has; which members structs have in files
    hints                               what may be wrong with a file that lacks a column
    values | selects | places | ready | freshness | fitting   texts to values · queries in steps · … · which types rows
                                        may be written as
    dialects                            how an engine says what the builders need
"""
