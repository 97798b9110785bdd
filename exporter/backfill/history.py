"""Writes a history: at each moment the figures of a snapshot, then the series that they make.

Reads the ledger beside the exporter that owns it, and writes only the file that it is told to.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from exporter import exposition
from exporter.backfill.moments import choose_moments
from exporter.backfill.readiness import wait_for_first_fill
from exporter.backfill.request import BackfillError, Request
from exporter.backfill.spool import Spool
from exporter.config import Config
from exporter.ledger import LedgerError, PastLedger
from exporter.metrics import Type
from exporter.snapshot import SnapshotBuilder
from exporter.snapshot.counters import Counters
from exporter.usage import SLOT_SECONDS, slot_of


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    moments: tuple[int, ...]
    """In seconds since the epoch; none where the ledger has no usage in the range."""
    series: int
    samples: int

    def __str__(self) -> str:
        if not self.moments:
            return "no history: the ledger has no usage in the range"
        first, last = (datetime.fromtimestamp(self.moments[end], UTC) for end in (0, -1))
        return (
            f"{self.series} series with {self.samples} samples at {len(self.moments)} moments "
            f"from {first:%Y-%m-%dT%H:%M:%SZ} to {last:%Y-%m-%dT%H:%M:%SZ}"
        )


def write_history(
    settings: Config,
    request: Request,
    output: Path | None,
    clock: Callable[[], datetime],
    pause: Callable[[float], object],
) -> Written:
    """Write the history of a ledger to a file, or to standard output where none is named.

    The file appears when it is whole. Raises BackfillError.
    """
    try:
        wait_for_first_fill(settings, request.wait, pause)
        with closing(PastLedger.open(settings.ledger)) as ledger:
            first_slot = ledger.begin(_known_from(settings, ledger))
            moments = choose_moments(request, first_slot, clock(), settings.timezone)
            return _write(settings, request, ledger, moments, output)
    except LedgerError as error:
        raise BackfillError(str(error)) from error


def _known_from(settings: Config, ledger: PastLedger) -> int:
    """Return the slot from which on all usage was read; before it, a few hours at most were."""
    starts = [
        slot_of(progress.fill_from)
        for source in settings.sources
        for progress in ledger.all_progress(source.location)
    ]
    return min(starts, default=0)


def _write(
    settings: Config,
    request: Request,
    ledger: PastLedger,
    moments: list[int],
    output: Path | None,
) -> Written:
    """Build every moment, then write every series; what waits in between lies beside the file."""
    file = _file_of(output)
    try:
        with TemporaryDirectory(prefix=".backfill-", dir=file and file.parent) as folder:
            spool = Spool(Path(folder))
            _collect(settings, ledger, moments, spool)
            with _opened(output) as target:
                target.writelines(_render(spool, request.labels))
    except BrokenPipeError:  # whoever reads standard output has read enough
        raise
    except OSError as error:
        place = output or error.filename or "standard output"
        raise BackfillError(f"{place} cannot be written: {error.strerror}") from error
    return Written(tuple(moments), spool.series, spool.samples)


def _collect(settings: Config, ledger: PastLedger, moments: list[int], spool: Spool) -> None:
    """Build what was exposed at each moment, of the slots that were over.

    Counters begin at 0 with the first moment; a series that comes later, one moment before it.
    """
    builder = SnapshotBuilder(settings, ledger, Counters(birth=timedelta(0)))
    before = None
    for moment in moments:
        newly_seen = ledger.see_until(moment // SLOT_SECONDS)
        if before is not None:
            builder.count(newly_seen)
        snapshot = builder.build_usage(datetime.fromtimestamp(moment, UTC))
        ledger.remember_exposed_users(snapshot.month, snapshot.exposed_users)
        for family in snapshot.families:
            if family.metric.type is Type.COUNTER and before is not None:
                births = dict.fromkeys(spool.new_series(family), 0)
                spool.add(replace(family, samples=births), before)
            spool.add(family, moment)
        before = moment


def _render(spool: Spool, target_labels: Mapping[str, str]) -> Iterator[bytes]:
    """Render every series; its own labels win over those of the target, as with honor_labels."""
    for metric, labels in spool.metrics():
        added = {name: value for name, value in target_labels.items() if name not in labels}
        series = (
            (values + tuple(added.values()), points) for values, points in spool.points(metric)
        )
        yield from exposition.render_history(metric, labels + tuple(added), series)
    yield exposition.END


def _file_of(output: Path | None) -> Path | None:
    """Return the file that is meant; None for standard output, a pipe or a device."""
    if output is None or (output.exists() and not output.is_file()):
        return None
    return output.resolve()


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    """Open what is written to; a file is put in its place once it is whole."""
    file = _file_of(output)
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif file is None:
        with output.open("wb") as target:
            yield target
    else:
        unfinished = file.with_name(f".{file.name}.part")
        try:
            with unfinished.open("wb") as target:
                yield target
            unfinished.replace(file)
        finally:
            unfinished.unlink(missing_ok=True)
