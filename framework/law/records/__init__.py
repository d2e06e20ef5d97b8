"""Records: how a file falls apart into records. The law for every engine, one reader a format.

The readers here are exact, read any file, and are slow (tens of MB a second). Engines have faster ones for files in
which nothing is out of the ordinary, and tests hold those against these. A new format is a reader in a module of
its own and a line in `READERS`; from then on every engine reads it. A reader that needs a library imports it when it
reads, by `framework.machine.library`, which tells how to install it.
"""

from framework.feed import Format
from framework.law.records.avro import AvroFile
from framework.law.records.csv import CsvRecords
from framework.law.records.excel import ExcelRecords
from framework.law.records.fixed_width import FixedWidthRecords
from framework.law.records.json import JsonRecords
from framework.law.records.orc import OrcFile
from framework.law.records.parquet import ParquetFile
from framework.law.records.record import BrokenFile, Record, RecordReader
from framework.law.records.text import TextRecords
from framework.law.records.typed import TypedRecords
from framework.law.records.xml import XmlRecords

__all__ = ["READERS", "BrokenFile", "Record", "RecordReader"]

READERS: dict[Format, RecordReader] = {
    Format.CSV: CsvRecords(),
    Format.JSON: JsonRecords(),
    Format.XML: XmlRecords(),
    Format.FIXED_WIDTH: FixedWidthRecords(),
    Format.EXCEL: ExcelRecords(),
    Format.TEXT: TextRecords(),
    Format.PARQUET: TypedRecords(ParquetFile()),
    Format.AVRO: TypedRecords(AvroFile()),
    Format.ORC: TypedRecords(OrcFile()),
}
"""The reader of every format that can be read."""
