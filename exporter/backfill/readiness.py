"""Waits until the ledger holds the whole of its first fill: half a history would stay half.

Looks only; the ledger belongs to the exporter, which may be about to make it.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

from exporter.config import Config
from exporter.ledger import FIRST_FILL, Ledger, LedgerError
from exporter.usage import Progress

_PAUSE = timedelta(seconds=2)
_NOT_YET = ("not_found", "old_version", "failed", "filling")
"""Reasons that pass once the exporter runs; `failed` is a file that it is just making."""
_REMEDY = (
    "start the exporter and wait until bedrock_exporter_source_complete is 1; --wait 10m waits"
)


def wait_for_first_fill(
    settings: Config, patience: timedelta, pause: Callable[[float], object]
) -> None:
    """Return once the ledger is filled. Raises LedgerError where it is not by then, or never."""
    while True:
        try:
            _check_filled(settings)
            return
        except LedgerError as error:
            if error.reason not in _NOT_YET:
                raise
            if patience <= timedelta(0):
                raise LedgerError(error.reason, f"{error}. {_REMEDY}") from error
        pause(min(patience, _PAUSE).total_seconds())
        patience -= _PAUSE


def _check_filled(settings: Config) -> None:
    with closing(Ledger.open(settings.ledger)) as ledger:
        unfinished = [
            progress
            for source in settings.sources
            for progress in ledger.all_progress(source.location)
            if not progress.complete
        ]
        if unfinished or ledger.note(FIRST_FILL) is None:
            raise LedgerError("filling", f"ledger {ledger.path}: {_describe(unfinished)}")


def _describe(unfinished: list[Progress]) -> str:
    if not unfinished:
        return "its first fill is not complete"
    last = max(unfinished, key=lambda progress: progress.filled_to)
    return (
        "its first fill is not complete: the logs of account "
        f"{last.account_id} in {last.region} are read back to {last.filled_to:%Y-%m-%d %H:%M} "
        f"of {last.fill_from:%Y-%m-%d %H:%M} UTC"
    )
