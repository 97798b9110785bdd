"""One query for log objects, from what is asked to the batch that the ledger takes."""

from collections.abc import Generator, Iterable, Sequence

from exporter import config
from exporter.sources.athena_plan import unit_of
from exporter.sources.athena_query import AthenaClient
from exporter.sources.athena_rows import Answer, read_rows
from exporter.sources.athena_sql import HourAsk, usage_query
from exporter.sources.events import Event
from exporter.sources.log_schedule import SlotRange
from exporter.sources.log_store import StoreError
from exporter.sources.record_reader import Recording, make_record_reader
from exporter.sources.rejection import Rejection
from exporter.usage import AthenaScan, LogObject, QueryBatch


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
        self, asks: Sequence[HourAsk], units: Sequence[LogObject] = (), may_reuse: bool = True
    ) -> Generator[Event, None, StoreError | None]:
        """Run one query; `units` are read by it, whatever it says of them.

        An answer that was given to the same words in the last hour will do, unless not `may_reuse`.
        Returns why it failed. Raises StoreError where none could be run.
        """
        sql = usage_query(
            self._settings.database, self._settings.table, asks, self._keys, *self._slots
        )
        answered = self._client.run(sql, may_reuse)
        failure = answered.failure
        if failure is None:
            try:
                batch = self._batch(read_rows(answered.rows, self._keys, self._reader), units)
            except StoreError as error:
                failure = error
            else:
                yield batch
        # After the batch: when this spends the last of the day, what it paid for is taken.
        yield AthenaScan(self._settings.name, 1, answered.scanned_bytes, answered.billed_bytes)
        return failure

    def _batch(self, answer: Answer, units: Iterable[LogObject]) -> QueryBatch:
        read = {unit_of(self.location, path): said for path, said in answer.objects.items()}
        newest: dict[tuple[str, str], int] = {}
        for unit, said in read.items():
            if unit is None:
                text = f"{self.location}: Athena read what was not asked for"
                raise StoreError("wrong_schema", f"{text}; run `bedrock-exporter aws setup`")
            newest[unit[:2]] = max(newest.get(unit[:2], 0), said.newest)
        empty = set(units) - read.keys()
        rejected = dict(answer.rejected)
        if empty:
            rejected[Rejection.EMPTY_OBJECT] = len(empty)
        return QueryBatch(
            source=self._settings.name,
            units=tuple(unit for unit in (*read, *empty) if unit is not None),
            usage=answer.usage,
            rejected=rejected,
            records=sum(said.records for said in read.values()),
            bytes=sum(said.bytes for said in read.values()),
            newest={owner: timestamp for owner, timestamp in newest.items() if timestamp},
        )

    def leave_out(self, unit: LogObject, why: Rejection) -> QueryBatch:
        """Return the batch of a log object that cannot be read at all."""
        return QueryBatch(self._settings.name, (unit,), rejected={why: 1})
