"""The SQLite file in which the facts are kept: applies batches, reads periods.

A batch and the mark of its log object are one transaction, so that a batch counts once however
often it is delivered and whatever is killed in between. One exporter writes; any number of
readers may look on. Nothing is interpreted here: names, prices and days come later.
"""

from exporter.ledger.assistant_reader import AssistantReader
from exporter.ledger.assistant_writer import NewPrompts
from exporter.ledger.database import LedgerError
from exporter.ledger.past import PastLedger
from exporter.ledger.reader import FIRST_FILL, Ledger, NewestRecord
from exporter.ledger.writer import AnyBatch, WritableLedger

__all__ = [
    "FIRST_FILL",
    "AnyBatch",
    "AssistantReader",
    "Ledger",
    "LedgerError",
    "NewPrompts",
    "NewestRecord",
    "PastLedger",
    "WritableLedger",
]
