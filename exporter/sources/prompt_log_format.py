"""How an object of the prompt logs of Amazon Q Developer and Kiro is read.

Text is read to count its tokens and dropped with the record: a batch holds none. A fault costs the
record that has it, at worst the rest of its object, and is counted.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from exporter.assistant_usage import ALONE, Asker, Product, Prompt, PromptBatch, RequestKind
from exporter.identity import Privacy
from exporter.sources.log_store import StoreError, Stream, hour_start
from exporter.sources.object_reader import Inflater
from exporter.sources.prompt_dev_record import find_dev_record
from exporter.sources.prompt_documents import prompt_records
from exporter.sources.prompt_record import (
    PromptRecord,
    decode_plain_document,
    decode_prompt_record,
    is_router_turn,
    parse_timestamp,
)
from exporter.sources.record_reader import digest_of
from exporter.sources.rejection import Rejection, Skip
from exporter.sources.tokens import VocabularyError, count_tokens
from exporter.usage import SLOT_SECONDS, LogObject

_KIRO = "KiroLogs"
_LONGEST_USER_ID = 256
"""Ids of Identity Center have up to 60 characters, with that of their directory."""
_MOST_UNREADABLE = 100_000
"""An object of which more cannot be read than so many records is no log, and costs only time."""


class _Entry(NamedTuple):
    timestamp: int
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class PromptLogFormat:
    """All that a process must know to read the objects of one source."""

    source: str
    privacy: Privacy
    first_slot: int
    last_slot: int
    """Records outside these are rejected."""
    max_record_bytes: int
    """Also of the document that a record is in, unless it can be cut into records."""
    max_object_bytes: int

    def reader(self) -> Callable[[LogObject, Stream], PromptBatch]:
        """Return what reads an object.

        It raises what the stream raises, and StoreError if tokens cannot be counted here.
        """
        return self._read

    def _read(self, unit: LogObject, stream: Stream) -> PromptBatch:
        service, log_type, *_ = unit.name.split("/")
        product = Product.KIRO if service == _KIRO else Product.QDEVELOPER
        inflater = Inflater(stream, self.max_object_bytes)
        records = prompt_records(
            inflater.chunks(),
            decode_plain_document,
            partial(_decode, log_type=log_type),
            self.max_record_bytes,
        )
        tally = _Tally()
        try:
            for record in records:
                outcome = self._enter(record, unit, product)
                tally.add(outcome)
                if isinstance(outcome, Rejection) and tally.unreadable > _MOST_UNREADABLE:
                    tally.add(Rejection.NOT_A_LOG)
                    break
        except VocabularyError as error:
            raise StoreError("vocabulary", str(error)) from None
        if inflater.fault is Rejection.OBJECT_TOO_LARGE:
            tally.forget()
        if inflater.fault:
            tally.add(inflater.fault)
        return tally.batch(self.source, unit, inflater.bytes)

    def _enter(
        self, record: PromptRecord | Rejection, unit: LogObject, product: Product
    ) -> _Entry | Rejection | Skip:
        """Count the tokens of a record, or tell why they do not count."""
        if isinstance(record, Rejection):
            return record
        timestamp = _timestamp_of(record, unit)
        if timestamp is None:
            return Rejection.INVALID_TIMESTAMP
        slot = timestamp // SLOT_SECONDS
        if slot > self.last_slot:
            return Rejection.FUTURE_TIMESTAMP
        if slot < self.first_slot:
            return Rejection.EXPIRED_TIMESTAMP
        if len(record.user_id) > _LONGEST_USER_ID:
            return Rejection.FIELD_TOO_LONG
        if is_router_turn(record):
            return Skip.ROUTER_TURN
        user = self.privacy.user_id(record.user_id)
        asker = Asker(unit.account_id, unit.region, product, user, record.request_kind)
        return _Entry(timestamp, _prompt(slot, asker, record))


def _decode(text: bytes, log_type: str) -> PromptRecord | Rejection:
    record = decode_prompt_record(text)
    is_unknown = record is Rejection.UNKNOWN_PROMPT_RECORD
    return find_dev_record(text, log_type) if is_unknown else record


def _timestamp_of(record: PromptRecord, unit: LogObject) -> int | None:
    """Return when a request was made; of /dev, whose records may not say it, the path's hour."""
    if record.request_kind is RequestKind.DEV and not record.timestamp:
        return int(hour_start(unit.hour).timestamp())
    return parse_timestamp(record.timestamp)


def _prompt(slot: int, asker: Asker, record: PromptRecord) -> Prompt:
    conversation = record.conversation_id.encode()
    return Prompt(
        slot=slot,
        # Never that of a request of Bedrock, though their ids be equal.
        digest=digest_of(b"prompt:" + record.identity),
        asker=asker,
        conversation=(digest_of(b"conversation:" + conversation) or 1) if conversation else ALONE,
        input=sum(map(count_tokens, record.input)),
        output=sum(map(count_tokens, record.output)),
    )


class _Tally:
    """What an object has given so far. A record that stands twice in it counts once."""

    def __init__(self) -> None:
        self._prompts: dict[tuple[int, int], Prompt] = {}
        self._rejected: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._records = 0
        self._newest = 0

    @property
    def unreadable(self) -> int:
        """Return how many records could not be read; one at another time can."""
        misdated = (Rejection.FUTURE_TIMESTAMP, Rejection.EXPIRED_TIMESTAMP)
        return self._rejected.total() - sum(self._rejected[reason] for reason in misdated)

    def add(self, outcome: _Entry | Rejection | Skip) -> None:
        if isinstance(outcome, Rejection):
            self._rejected[outcome] += 1
        elif isinstance(outcome, Skip):
            self._skipped[outcome] += 1
        else:
            timestamp, prompt = outcome
            self._prompts.setdefault((prompt.slot, prompt.digest), prompt)
            self._records += 1
            self._newest = max(self._newest, timestamp)

    def forget(self) -> None:
        """Leave out what was taken; what was rejected stays counted."""
        self._prompts.clear()
        self._skipped.clear()
        self._records = self._newest = 0

    def batch(self, source: str, unit: LogObject, size: int) -> PromptBatch:
        if not self._records and not self._skipped and not self._rejected:
            self.add(Rejection.EMPTY_OBJECT)
        return PromptBatch(
            source=source,
            unit=unit,
            prompts=tuple(self._prompts.values()),
            rejected=dict(self._rejected),
            skipped=dict(self._skipped),
            records=self._records,
            bytes=size,
            newest=self._newest,
        )
