"""Turns Model Invocation Log records into entries: what of them the ledger takes."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from xxhash import xxh3_64_intdigest

from exporter.identity import Privacy
from exporter.sources.invocation_record import (
    MAX_FIELD,
    Record,
    count_tokens,
    decode_record,
    outcome_of,
    parse_timestamp,
    record_figures,
    service_tier,
)
from exporter.sources.rejection import Rejection
from exporter.usage import SLOT_SECONDS, Counts, Fact, LogObject, context_band

Said = tuple[str, str, str, str, str, int, str, str, tuple[tuple[str, str], ...]]
"""The fields of a Fact as a record has them, before anything of it is stored."""

_MAX_PLACE = 64
_REMEMBERED_FACTS = 10_000


class Recording(NamedTuple):
    """What of a record's names is kept, and how."""

    metadata_keys: frozenset[str] = frozenset()
    """Of requestMetadata; no other is looked at."""
    user_metadata_keys: frozenset[str] = frozenset()
    """Those whose values name a user."""
    privacy: Privacy = Privacy()


class Entry(NamedTuple):
    """One record as the ledger takes it; `digest` and the slot identify it."""

    timestamp: int
    slot: int
    digest: int
    fact: Fact
    counts: Counts


class RecordReader:
    """Reads records for one configuration and one moment.

    `store_principal` and `store_metadata` are what the configuration lets be stored of a name;
    records outside [`first_slot`, `last_slot`] are rejected.
    """

    def __init__(
        self,
        store_principal: Callable[[str], str],
        store_metadata: Callable[[str, str], str],
        metadata_keys: Iterable[str],
        first_slot: int,
        last_slot: int,
    ) -> None:
        self.first_slot = first_slot
        self.last_slot = last_slot
        self._store_principal = store_principal
        self._store_metadata = store_metadata
        self._metadata_keys = sorted(metadata_keys)
        self._facts: dict[Said, Fact | Rejection] = {}

    def read(self, text: bytes, unit: LogObject) -> Entry | Rejection:
        """Return the record in a JSON text as an entry, or why it is none.

        `unit` stands in for an account or region that the record does not name.
        """
        record = decode_record(text)
        if isinstance(record, Rejection):
            return record
        timestamp = parse_timestamp(record.timestamp)
        if timestamp is None:
            return Rejection.INVALID_TIMESTAMP
        slot = timestamp // SLOT_SECONDS
        if slot > self.last_slot:
            return Rejection.FUTURE_TIMESTAMP
        if slot < self.first_slot:
            return Rejection.EXPIRED_TIMESTAMP
        figures = record_figures(record)
        counts = count_tokens(record, figures)
        if counts is None:
            return Rejection.INVALID_TOKEN_COUNT
        fact = self.fact(self._said(record, unit, counts, service_tier(record, figures)))
        if isinstance(fact, Rejection):
            return fact
        # Without a requestId, a record is the same as another if every byte of it is.
        digest = digest_of(record.request_id.encode() if record.request_id else text)
        return Entry(timestamp, slot, digest, fact, counts)

    def _said(self, record: Record, unit: LogObject, counts: Counts, tier: str) -> Said:
        return (
            record.account_id or unit.account_id,
            record.region or unit.region,
            record.inference_region or "",
            (record.identity.arn if record.identity else None) or "",
            record.model_id or "",
            context_band(counts.input + sum(counts[3:])),
            tier,
            record.error_code or "",
            self.metadata(record.request_metadata) if record.request_metadata else (),
        )

    def fact(self, said: Said) -> Fact | Rejection:
        """Return the fact of what a record said, as it may be stored.

        Records that say the same share one fact.
        """
        fact = self._facts.get(said)
        if fact is None:
            if len(self._facts) == _REMEMBERED_FACTS:
                self._facts.clear()
            fact = self._facts[said] = self._stored(Fact(*said))
        return fact

    def metadata(self, pairs: dict[str, Any]) -> tuple[tuple[str, str], ...]:
        """Return the pairs that the configuration names; a value that is no text is none."""
        named = [(key, pairs.get(key)) for key in self._metadata_keys]
        return tuple((key, value) for key, value in named if value and isinstance(value, str))

    def _stored(self, said: Fact) -> Fact | Rejection:
        if not said.model_id:
            return Rejection.MISSING_MODEL_ID
        values = [value for _, value in said.metadata]
        if any(len(text) > MAX_FIELD for text in (said.model_id, said.principal, *values)):
            return Rejection.FIELD_TOO_LONG
        return said._replace(
            account_id=said.account_id[:_MAX_PLACE],
            region=said.region[:_MAX_PLACE],
            inference_region=said.inference_region[:_MAX_PLACE],
            principal=self._store_principal(said.principal),
            outcome=outcome_of(said.outcome),
            metadata=tuple((key, self._store_metadata(key, value)) for key, value in said.metadata),
        )


def make_record_reader(recording: Recording, first_slot: int, last_slot: int) -> RecordReader:
    """Return a reader of the records in a range of slots, both ends included."""
    plain = Privacy()

    def metadata(key: str, value: str) -> str:
        hides = key in recording.user_metadata_keys
        return (recording.privacy if hides else plain).value(value)

    return RecordReader(
        store_principal=lru_cache(maxsize=10_000)(recording.privacy.principal),
        store_metadata=lru_cache(maxsize=10_000)(metadata),
        metadata_keys=recording.metadata_keys,
        first_slot=first_slot,
        last_slot=last_slot,
    )


def digest_of(text: bytes) -> int:
    """Return 63 bits that stand for a text."""
    return xxh3_64_intdigest(text) >> 1
