"""What `aws inspect` does: the newest records of Bedrock logs, each with how it was read.

Reads at most so many log objects. What a record asked and what it was answered is never kept: the
record reader passes over it undecoded. A record that cannot be read is told by its reason and place
alone. Names are shown as `privacy.users` lets them be stored.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from exporter.administration.newest_objects import DAYS, newest_first
from exporter.config import BedrockSource, Config, InvocationLogs
from exporter.identity import Privacy
from exporter.interpretation import periods
from exporter.interpretation.attribution import Attribution
from exporter.interpretation.meaning import Interpreter, Meaning
from exporter.interpretation.measures import UNKNOWN
from exporter.interpretation.models import UnpricedReason, resolve
from exporter.interpretation.names import Names
from exporter.interpretation.prices import Price, PriceBook, Priced, price_counts
from exporter.interpretation.totals import Totals
from exporter.sources.invocation_record import Record, decode_record
from exporter.sources.json_documents import documents
from exporter.sources.log_store import (
    ListedObject,
    LogStore,
    ObjectGoneError,
    StoreError,
    key_of,
)
from exporter.sources.object_reader import Inflater
from exporter.sources.record_reader import Entry, Recording, make_record_reader
from exporter.sources.rejection import Rejection
from exporter.usage import LogObject, Summed, TokenKind, slot_of, slot_start

_AHEAD = timedelta(hours=1)
_MOST_PAIRS = 16
"""Of requestMetadata; AWS allows no more."""
_LIMITS = InvocationLogs(type="invocation_logs")
"""How large a record or object may be, where a source does not say."""


class Only(StrEnum):
    """Which records are looked for; without one, any."""

    UNATTRIBUTED = "unattributed"
    """Their application or user is unknown, or the filters leave them out."""
    UNPRICED = "unpriced"
    """Some of their tokens have no price."""
    REJECTED = "rejected"
    """They cannot be read."""


class Asked(NamedTuple):
    """What to look for, and how far."""

    only: Only | None = None
    records: int = 5
    objects: int = 50
    """At most so many log objects are read."""


@dataclass(frozen=True)
class Rejected:
    """A record, or the rest of an object, that cannot be read."""

    place: str
    reason: Rejection


class Said(NamedTuple):
    """What a record says of itself that is not all stored."""

    request_id: str
    principal: str | None
    """As the log has it; None where privacy keeps it hidden."""
    metadata: tuple[tuple[str, str | None], ...]
    """Of requestMetadata; None for a value that is no text, or that privacy keeps hidden."""


@dataclass(frozen=True)
class Inspected:
    """A record, and how it was read."""

    place: str
    """The object, and which of its records."""
    entry: Entry
    said: Said
    meaning: Meaning | None
    """None: the filters of `attribution` leave it out."""
    application_rule: int | None
    """Number of the rule that names the application, from 1."""
    user_rule: int | None
    resolved_by: str
    """What told the model: its id, the configuration, or AWS."""
    prices: dict[TokenKind, Price]
    priced: Priced
    unpriced: UnpricedReason | None
    """Why none of its tokens has a price."""

    @property
    def is_unattributed(self) -> bool:
        """Tell whether its application or user is unknown."""
        labels = self.meaning.labels if self.meaning else None
        return labels is None or UNKNOWN in (labels.application, labels.user)

    @property
    def is_unpriced(self) -> bool:
        """Tell whether some of its tokens have no price; those of a failed call need none."""
        counts = self.meaning is not None and self.meaning.error_code is None
        return counts and (self.unpriced is not None or bool(self.priced.unpriced))


Item = Inspected | Rejected | StoreError
"""What is told: a record, one that cannot be read, or what cannot be listed or opened."""


@dataclass
class Inspection:
    """Looks through the newest log objects of one source; counts what it looked at."""

    config: Config
    source: BedrockSource
    privacy: Privacy
    names: Names
    now: datetime
    objects: int = field(default=0, init=False)
    records: int = field(default=0, init=False)
    """Those that could be read, and those that could not."""

    def __post_init__(self) -> None:
        attribution = self.config.attribution
        self._explain = _Explainer(self.config, self.names)
        oldest = periods.months_back(self.now, self.config.timezone, self.config.retention_months)
        self._reader = make_record_reader(
            Recording(attribution.metadata_keys, attribution.user_metadata_keys, self.privacy),
            oldest.start,
            slot_of(self.now + _AHEAD),
        )

    def run(self, store: LogStore, asked: Asked) -> Iterator[Item]:
        """Yield what was asked for, newest first. Raises StoreError."""
        owners = store.owners()
        yield from owners.faults
        left = asked.records
        for listed in newest_first(store, owners.found, self.now):
            if isinstance(listed, StoreError):
                yield listed
                continue
            self.objects += 1
            try:
                found = self._look_into(store, listed, asked.only, left)
            except (StoreError, ObjectGoneError) as error:
                yield StoreError("unreadable", str(error))
                found = []
            yield from found
            left -= len(found)
            if not left or self.objects == asked.objects:
                return

    def summary(self, asked: Asked) -> str:
        """Return what was looked at, and that it was not all there is."""
        objects = (
            "the newest log object"
            if self.objects == 1
            else f"the newest {self.objects:,} log objects"
        )
        records = "1 record" if self.records == 1 else f"{self.records:,} records"
        told = f"Looked at {records} of {objects}"
        if self.objects == asked.objects:
            return f"{told}; --objects looks further."
        return f"{told}, none older than {DAYS} days."

    def _look_into(
        self, store: LogStore, listed: ListedObject, only: Only | None, most: int
    ) -> Sequence[Item]:
        """Return the last records of an object that are looked for, last first."""
        kept: deque[Item] = deque(maxlen=most)
        stream = store.open(listed)
        with closing(stream):
            limits = self.source if isinstance(self.source, InvocationLogs) else _LIMITS
            inflater = Inflater(stream, limits.max_object_bytes)
            place = f"{self.source.location.rstrip('/')}/{key_of(listed.unit)}"
            read = documents(
                inflater.chunks(),
                lambda text: self._read(text, listed.unit),
                limits.max_record_bytes,
            )
            for number, record in enumerate(read, 1):
                self.records += 1
                item = self._item(f"record {number} of {place}", record)
                if _is_asked_for(item, only):
                    kept.append(item)
            if inflater.fault and only in (None, Only.REJECTED):
                kept.append(Rejected(place, inflater.fault))
        return [*reversed(kept)]

    def _read(self, text: bytes, unit: LogObject) -> tuple[Entry, Record] | Rejection:
        entry = self._reader.read(text, unit)
        if isinstance(entry, Rejection):
            return entry
        record = decode_record(text)
        return record if isinstance(record, Rejection) else (entry, record)

    def _item(self, place: str, read: tuple[Entry, Record] | Rejection) -> Item:
        if isinstance(read, Rejection):
            return Rejected(place, read)
        entry, record = read
        principal = (record.identity.arn if record.identity else None) or ""
        said = Said(
            record.request_id or "",
            principal if self.privacy.users == "plain" else None,
            self._pairs(entry, record),
        )
        return self._explain.explain(place, entry, said)

    def _pairs(self, entry: Entry, record: Record) -> tuple[tuple[str, str | None], ...]:
        """Return metadata; where names are hidden, values only of the keys that rules look at."""
        stored = dict(entry.fact.metadata)
        said = record.request_metadata or {}
        pairs: list[tuple[str, str | None]] = []
        for key, value in list(said.items())[:_MOST_PAIRS]:
            if key in stored:
                pairs.append((key, stored[key]))
            else:
                is_shown = self.privacy.users == "plain" and isinstance(value, str)
                pairs.append((key, value if is_shown else None))
        return tuple(pairs)


def _is_asked_for(item: Item, only: Only | None) -> bool:
    if only is None:
        return True
    if isinstance(item, Inspected):
        return (only is Only.UNATTRIBUTED and item.is_unattributed) or (
            only is Only.UNPRICED and item.is_unpriced
        )
    return only is Only.REJECTED


class _Explainer:
    """Interprets records as the exporter does, and finds what made it so."""

    def __init__(self, config: Config, names: Names) -> None:
        self._aliases = config.models
        self._names = names
        self._interpreter = Interpreter(config, PriceBook.bundled(config.prices.overrides), names)
        whole = config.attribution.model_copy(update={"include": (), "exclude": ()})
        self._rules = [
            Attribution(whole.model_copy(update={"rules": (rule,)}), names) for rule in whole.rules
        ]

    def explain(self, place: str, entry: Entry, said: Said) -> Inspected:
        """Return a record with all that can be said of how it was read."""
        meaning = self._interpreter.interpret(entry.fact)
        day = slot_start(entry.slot).date()
        prices = dict(self._interpreter.unit_prices(meaning, day)) if meaning else {}
        return Inspected(
            place=place,
            entry=entry,
            said=said,
            meaning=meaning,
            application_rule=self._rule(entry, "application"),
            user_rule=self._rule(entry, "user"),
            resolved_by=self._resolved_by(entry.fact.model_id),
            prices=prices,
            priced=price_counts(prices, entry.counts),
            unpriced=_unpriced(meaning, entry, prices) if meaning else None,
        )

    def _rule(self, entry: Entry, name: str) -> int | None:
        """Return the number of the first rule that names an application or user by itself."""
        fact = entry.fact
        for number, rule in enumerate(self._rules, 1):
            named = rule.attribute(fact.principal, fact.metadata, fact.model_id)
            if named and getattr(named, name) != UNKNOWN:
                return number
        return None

    def _resolved_by(self, model_id: str) -> str:
        plain = resolve(model_id, {})
        if resolve(model_id, self._aliases) != plain:
            return "by `models` of the configuration"
        if resolve(model_id, {}, self._names.models_of(model_id)) != plain:
            return "by what AWS told of the profile"
        return "by the id itself"


def _unpriced(
    meaning: Meaning, entry: Entry, prices: dict[TokenKind, Price]
) -> UnpricedReason | None:
    """Return why a call has no price, as the metrics count it."""
    totals = Totals()
    totals.add_usage(meaning, Summed(entry.slot, entry.counts), prices)
    return next((reason for _, reason in totals.unpriced_requests), None)
