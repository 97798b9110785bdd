"""Inspected records as text for a terminal: every field on a line, and why it is as it is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from exporter.administration.inspect import Inspected, Item, Rejected
from exporter.administration.plan import printable
from exporter.interpretation.measures import UNKNOWN, label_text
from exporter.interpretation.models import UnpricedReason
from exporter.interpretation.totals import KINDS, tokens_by_kind
from exporter.usage import slot_start

_WIDTH = 12
_REMEDIES = {
    UnpricedReason.UNKNOWN_MODEL: "give its price in prices.overrides, or take a newer exporter",
    UnpricedReason.NO_PRICE: "none for this region, routing or tier; give one in prices.overrides",
    UnpricedReason.UNRESOLVED: "name its model under `models`",
    UnpricedReason.NOT_TOKEN_BILLED: "billed by the image, second or query; see the AWS bill",
    UnpricedReason.PROVISIONED: "provisioned throughput, paid by the hour; see the AWS bill",
    UnpricedReason.CUSTOM: "a custom model; see the AWS bill",
    UnpricedReason.IMPORTED: "an imported model, billed while loaded; see the AWS bill",
}


def describe(item: Item) -> Iterator[str]:
    """Yield the lines of one item."""
    if isinstance(item, Inspected):
        yield printable(item.place)
        for name, text in _fields(item):
            yield f"  {name:<{_WIDTH}}  {text}"
    elif isinstance(item, Rejected):
        yield printable(item.place)
        yield f"  {'rejected':<{_WIDTH}}  {item.reason}"
    else:
        yield printable(f"not read: {item}")


def _fields(item: Inspected) -> Iterator[tuple[str, str]]:
    entry, fact = item.entry, item.entry.fact
    moment = datetime.fromtimestamp(entry.timestamp, UTC)
    start, end = slot_start(entry.slot), slot_start(entry.slot + 1)
    yield "time", f"{moment:%Y-%m-%d %H:%M:%S} UTC, in the slot {start:%H:%M} to {end:%H:%M}"
    yield "request", label_text(item.said.request_id) or "has no requestId"
    served = f", served in {label_text(fact.inference_region)}" if fact.inference_region else ""
    yield "called in", f"{label_text(fact.account_id)}, {label_text(fact.region)}{served}"
    yield from _principal(item)
    yield "metadata", ", ".join(map(_pair, item.said.metadata)) or "none"
    yield from _attribution(item)
    yield from _model(item)
    kinds = zip(KINDS, tokens_by_kind(entry.counts), strict=True)
    yield "tokens", ", ".join(f"{kind} {tokens:,}" for kind, tokens in kinds)
    yield from _cost(item)


def _principal(item: Inspected) -> Iterator[tuple[str, str]]:
    said, stored = item.said.principal, item.entry.fact.principal
    yield "principal", label_text(stored if said is None else said) or "the log names none"
    if said not in (None, stored):
        yield "stored as", label_text(stored)


def _pair(pair: tuple[str, str | None]) -> str:
    key, value = pair
    return f"{label_text(key)}={'(not shown)' if value is None else label_text(value)}"


def _attribution(item: Inspected) -> Iterator[tuple[str, str]]:
    if item.meaning is None:
        yield "left out", "by attribution.include or attribution.exclude"
        return
    labels = item.meaning.labels
    yield "application", _named(labels.application, item.application_rule)
    yield "user", _named(labels.user, item.user_rule)


def _named(name: str, rule: int | None) -> str:
    if name == UNKNOWN and rule is None:
        return f"{UNKNOWN}: no rule of attribution.rules names one"
    return f"{name}, by rule {rule}"


def _model(item: Inspected) -> Iterator[tuple[str, str]]:
    fact = item.entry.fact
    yield "model id", label_text(fact.model_id)
    if item.meaning is not None:
        yield "model", f"{item.meaning.labels.model}, {item.meaning.routing}, {item.resolved_by}"
    yield "tier", f"{fact.service_tier}, context from {fact.context_from:,} tokens"


def _cost(item: Inspected) -> Iterator[tuple[str, str]]:
    if item.meaning is None:
        return
    if item.meaning.error_code is not None:
        yield "cost", f"none: the call failed with {item.meaning.error_code}"
        return
    for line in item.priced.lines:
        each = item.prices[line.token_kind].usd_per_token * 10**6
        yield (
            "cost",
            f"{_usd(line.cost_usd)}: {line.tokens:,} {line.token_kind} at {_usd(each)} a million, "
            f"{line.provenance}",
        )
    if item.unpriced is not None:
        yield "unpriced", f"{item.unpriced}: {_REMEDIES[item.unpriced]}"
    elif item.priced.unpriced:
        kinds = ", ".join(item.priced.unpriced)
        yield "unpriced", f"{kinds}: {_REMEDIES[UnpricedReason.NO_PRICE]}"


def _usd(amount: Decimal) -> str:
    return f"${amount.normalize():f}"
