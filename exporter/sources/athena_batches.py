"""One query for log objects, from what is asked to the batch that the ledger takes."""

from collections.abc import Generator, Iterable, Mapping, Sequence

from xxhash import xxh3_64_hexdigest

from exporter import config
from exporter.sources.athena_plan import path_of, unit_of
from exporter.sources.athena_query import AthenaClient
from exporter.sources.athena_rows import Answer, read_rows
from exporter.sources.athena_sql import HourAsk, usage_query
from exporter.sources.events import Event
from exporter.sources.log_schedule import SlotRange
from exporter.sources.log_store import StoreError, key_of
from exporter.sources.record_reader import Recording, make_record_reader
from exporter.sources.rejection import Rejection
from exporter.usage import AthenaScan, LogObject, QueryBatch

_EMPTY_BYTES = 64
"""An object of so few stored bytes may hold no line at all: an empty one in gzip takes 20 to 60."""


class Queries:
    """Asks for log objects, and makes batches of the answers."""

    def __init__(
        self,
        settings: config.Athena,
        recording: Recording,
        slots: SlotRange,
        client: AthenaClient,
    ) -> None:
        self.location = settings.location
        self._settings = settings
        self._slots = slots
        self._client = client
        self._keys = sorted(recording.metadata_keys)
        self._reader = make_record_reader(recording, *slots)

    def ask(
        self,
        asks: Sequence[HourAsk],
        units: Mapping[LogObject, int] | None = None,
        may_reuse: bool = True,
    ) -> Generator[Event, None, StoreError | None]:
        """Run one query; `units`, with their stored bytes, are all that is listed of its objects.

        An answer that was given to the same words in the last hour will do, unless not `may_reuse`.
        Returns why it failed. Raises StoreError where none could be started.
        """
        sql = usage_query(
            self._settings.database, self._settings.table, asks, self._keys, *self._slots
        )
        units = units or {}
        if units:
            # The words are others as soon as more lies between the first and the last of a range.
            sql += f"\n-- {len(units)} log objects, {_digest(units)}"
        answered = self._client.run(sql, may_reuse)
        failure = answered.failure
        if failure is None:
            try:
                batch, failure = self._batch(
                    read_rows(answered.rows, self._keys, self._reader), units
                )
            except StoreError as error:
                failure = error
            else:
                yield batch
        # After the batch: when this spends the last of the day, what it paid for is taken.
        yield AthenaScan(self._settings.name, 1, answered.scanned_bytes, answered.billed_bytes)
        return failure

    def _batch(
        self, answer: Answer, units: Mapping[LogObject, int]
    ) -> tuple[QueryBatch, StoreError | None]:
        """Return what was read, and what is wrong if something was not."""
        read = {self._unit(path): said for path, said in answer.objects.items()}
        newest: dict[tuple[str, str], int] = {}
        for unit, said in read.items():
            newest[unit[:2]] = max(newest.get(unit[:2], 0), said.newest)
        silent = [unit for unit in units if unit not in read]
        empty = [unit for unit in silent if units[unit] <= _EMPTY_BYTES]
        rejected = dict(answer.rejected)
        if empty:
            rejected[Rejection.EMPTY_OBJECT] = len(empty)
        batch = QueryBatch(
            source=self._settings.name,
            units=(*read, *empty),
            usage=answer.usage,
            rejected=rejected,
            records=sum(said.records for said in read.values()),
            bytes=sum(said.bytes for said in read.values()),
            newest={owner: timestamp for owner, timestamp in newest.items() if timestamp},
        )
        return batch, self._passed_over(sorted(set(silent) - set(empty)))

    def _unit(self, path: str) -> LogObject:
        unit = unit_of(self.location, path)
        if unit is None:
            text = f"{self.location}: Athena read what was not asked for"
            raise StoreError("wrong_schema", f"{text}; run `bedrock-exporter aws setup`")
        return unit

    def _passed_over(self, units: Sequence[LogObject]) -> StoreError | None:
        if not units:
            return None
        return StoreError(
            "not_read",
            f"Athena returned nothing of {len(units)} listed log objects, such as "
            f"{path_of(self.location, units[0])}; is the table over this location, or are they "
            "archived? `bedrock-exporter aws check` tells",
        )

    def leave_out(self, unit: LogObject, why: Rejection) -> QueryBatch:
        """Return the batch of a log object that cannot be read at all."""
        return QueryBatch(self._settings.name, (unit,), rejected={why: 1})


def _digest(units: Iterable[LogObject]) -> str:
    """Return a few digits that stand for a set of log objects."""
    return xxh3_64_hexdigest("\n".join(sorted(map(key_of, units))))
