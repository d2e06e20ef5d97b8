"""Inferring: from samples to a feed that validates and loads every row of them. Pure but for opening the samples.

What it decides it decides by the law: the readers of `law.records` break the samples into records, a type is one
that `law.values` parses every value as. What samples cannot tell is said in comments; no value of theirs is ever
written.

    inferring | advice                  samples to a feed file · what a feed may lack, told from its bad values
    written                             the feed file as text
    keys | reading                      which columns identify a row, and which order them · how files are written
    columns | delimited | documents | sheets | widths    a column's name and type, from all its values · separators,
                                        headers and trailers · where documents, workbooks and lines hold their records
    nested | names                      the types of JSON values · what headers and file names say
    digits | moments | sample | feeds   how numbers, dates and times are written · a file to learn from · a feed to
                                        read it with
"""

from framework.infer.advice import advice
from framework.infer.inferring import Inferred, infer
from framework.infer.sample import Sample

__all__ = ["Inferred", "Sample", "advice", "infer"]
