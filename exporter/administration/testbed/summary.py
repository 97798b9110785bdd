"""What calls will cost at most, and what came of them, in the words of /metrics.

Applications, users and models are named as the configuration has the exporter name them, so that
the two can be held against each other.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from exporter.administration.plan import Change, Step
from exporter.administration.testbed.invoke import Call, Outcome
from exporter.administration.testbed.operations import MOST_INPUT_TOKENS, MOST_OUTPUT_TOKENS, Tokens
from exporter.administration.testbed.place import Place
from exporter.config import Config
from exporter.interpretation.attribution import Attribution
from exporter.interpretation.models import resolve
from exporter.interpretation.prices import PriceBook, price_counts
from exporter.usage import Counts, ServiceTier


def most_cost_usd(config: Config, calls: Sequence[Call], day: date) -> Decimal | None:
    """Return what calls cost at most, with every prompt and answer as long as it may be.

    None where a model has no price: then nobody knows.
    """
    book = PriceBook.bundled(config.prices.overrides)
    most = Counts(1, MOST_INPUT_TOKENS, MOST_OUTPUT_TOKENS)
    total = Decimal(0)
    for (price_id, region), count in Counter(
        (call.price_id, call.region) for call in calls
    ).items():
        priced_as = resolve(price_id, {})
        prices = book.unit_prices(
            priced_as.model, region, priced_as.routing, ServiceTier.STANDARD, 0, day
        )
        priced = price_counts(prices, most)
        if priced.unpriced:
            return None
        total += count * priced.cost_usd
    return total


def calls_step(
    config: Config, place: Place, calls: Sequence[Call], day: date, make: Callable[[], object]
) -> Step:
    """Return the one step of a plan that makes the calls, with what they cost at most."""
    cost_usd = most_cost_usd(config, calls, day)
    told_cost = "unknown: no price is known" if cost_usd is None else f"${cost_usd:.6f} at most"
    per_caller = Counter((call.caller, call.model_id, call.region) for call in calls)
    return Step(
        f"make {len(calls)} real calls of Amazon Bedrock",
        "sts:AssumeRole",
        place.role_arn("*"),
        make,
        (
            *(
                Change(f"{caller.role}/{caller.session}", None, f"{count} of {model} in {region}")
                for (caller, model, region), count in per_caller.items()
            ),
            Change("cost", None, told_cost),
        ),
    )


class Named(NamedTuple):
    """Who called what; the last three as /metrics has them."""

    caller: str
    """Its role and session."""
    application: str
    user: str
    model: str


class Row(NamedTuple):
    """What the calls of one caller to one model came to; those that failed stand apart."""

    named: Named
    calls: int
    tokens: Tokens


def rows(config: Config, place: Place, outcomes: Iterable[Outcome]) -> list[Row]:
    """Sum what was answered, by caller and model."""
    attribution = Attribution(config.attribution)
    answered: dict[Named, list[Tokens]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.tokens is not None:
            model = resolve(outcome.call.model_id, config.models).model
            answered[_named(attribution, place, outcome.call, model)].append(outcome.tokens)
    return [Row(named, len(tokens), _sum(tokens)) for named, tokens in answered.items()]


def _sum(tokens: Sequence[Tokens]) -> Tokens:
    return Tokens(sum(one.input for one in tokens), sum(one.output for one in tokens))


def _named(attribution: Attribution, place: Place, call: Call, model: str) -> Named:
    caller = call.caller
    attributed = attribution.attribute(
        place.session_arn(caller.role, caller.session),
        (("application", caller.application), ("user", caller.user)),
        call.model_id,
    )
    who = f"{caller.role}/{caller.session}"
    if attributed is None:
        return Named(who, "(left out)", "(left out)", model)
    return Named(who, attributed.application, attributed.user, model)


def lines(config: Config, place: Place, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Tell what came of the calls: a table of what was answered, then what failed and why."""
    summed = rows(config, place, outcomes)
    total = Row(
        Named("total", "", "", ""),
        sum(row.calls for row in summed),
        _sum([row.tokens for row in summed]),
    )
    yield from _table([_HEADER, *(_cells(row) for row in (*summed, total))])
    failed = Counter(
        (outcome.call.caller, outcome.call.operation, outcome.failure)
        for outcome in outcomes
        if outcome.tokens is None
    )
    for (caller, operation, why), count in failed.items():
        yield f"failed: {count} x {operation} as {caller.role}/{caller.session}: {why}"
    if config.privacy.users != "plain":
        yield f"privacy.users is {config.privacy.users}: /metrics names users otherwise."
    yield "Bedrock writes its logs within minutes. Then, where nobody else called today:"
    where = f'account_id="{place.account_id}"'
    yield f"  sum by (application, user, model) (bedrock_requests_today{{{where}}})"
    yield f"  sum by (application, user, model, token_kind) (bedrock_tokens_today{{{where}}})"


_HEADER = ("ROLE AND SESSION", "APPLICATION", "USER", "MODEL", "CALLS", "INPUT", "OUTPUT")


def _cells(row: Row) -> tuple[str, ...]:
    return (*row.named, str(row.calls), *map(str, row.tokens))


def _table(table: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Lay out cells in columns, the last three to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = [
            cell.rjust(width) if index > 3 else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
