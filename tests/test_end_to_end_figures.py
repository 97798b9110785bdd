"""Three simulated days through the whole chain, against a plain computation from the same files.

The plain one opens every log object with gzip and json, takes each requestId once, reads names off
the ARN by itself, and prices a handful of models by figures typed here. It shares nothing with the
exporter but the order of the labels.
"""

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from exporter.simulate import simulate
from exporter.snapshot import Snapshot
from exporter.sources.events import Times
from exporter.sources.reading import ReaderPool
from exporter.sources.record_reader import Recording
from exporter.usage import Batch
from log_sources import open_bedrock_logs
from snapshots import Exporter, samples, utc

NOW = utc("2026-11-02T12:34")  # 18:04 in Kolkata, and October is still among the three days
LATER = NOW + timedelta(hours=3)
ZONE = ZoneInfo("Asia/Kolkata")
KEYS = frozenset({"application", "user"})

USD_PER_MILLION = {
    # input, output, cache_read, cache_write, cache_write_1h
    ("anthropic.claude-sonnet-4-5-20250929-v1:0", "geo"): "3.3 16.5 0.33 4.125 6.6",
    ("anthropic.claude-sonnet-4-5-20250929-v1:0", "geo, long"): "6.6 24.75 0.66 8.25 13.2",
    ("anthropic.claude-sonnet-4-5-20250929-v1:0", "global"): "3 15 0.3 3.75 6",
    ("anthropic.claude-haiku-4-5-20251001-v1:0", "geo"): "1.1 5.5 0.11 1.375 2.2",
    ("anthropic.claude-haiku-4-5-20251001-v1:0", "global"): "1 5 0.1 1.25 2",
    ("anthropic.claude-3-7-sonnet-20250219-v1:0", "in_region"): "3 15 0.3 3.75 6",
    ("anthropic.claude-3-7-sonnet-20250219-v1:0", "geo"): "3 15 0.3 3.75 6",
    ("anthropic.claude-3-haiku-20240307-v1:0", "in_region"): "0.25 1.25",
    ("amazon.titan-embed-text-v2:0", "in_region"): "0.02",
}
"""As AWS lists them; typed by hand."""
KINDS = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
Key = tuple[str, ...]


@dataclass(frozen=True)
class Plain:
    """One call, as the plain computation understands its record."""

    day: date
    labels: Key
    error: str
    tokens: tuple[int, ...]
    cost_usd: Decimal | None
    """None for a model that is not among those priced here."""


def read_plainly(folder: Path) -> dict[str, Plain]:
    """Read every log object; one call for each requestId."""
    calls = {}
    for path in folder.rglob("*.json.gz"):
        if path.parent.name != "data":
            for line in gzip.decompress(path.read_bytes()).splitlines():
                record = json.loads(line)
                calls[record["requestId"]] = understand(record)
    return calls


def understand(record: dict[str, Any]) -> Plain:
    moment = datetime.fromisoformat(record["timestamp"])
    model, routing = model_of(record["modelId"])
    tokens = tokens_of(record)
    prompt = tokens[0] + sum(tokens[2:])
    prices = USD_PER_MILLION.get((model, f"{routing}, long" if prompt > 200_000 else routing))
    return Plain(
        moment.astimezone(ZONE).date(),
        (record["accountId"], record["region"], *caller(record), model),
        record.get("errorCode", ""),
        tokens,
        None
        if prices is None
        else sum(
            (
                count * Decimal(usd) / 10**6
                for count, usd in zip(tokens, prices.split(), strict=False)
            ),
            Decimal(0),
        ),
    )


def caller(record: dict[str, Any]) -> tuple[str, str]:
    """Return application and user."""
    resource = record["identity"]["arn"].split(":", 5)[5]
    metadata = record.get("requestMetadata", {})
    if match := re.fullmatch("assumed-role/(.+)-BedrockRole/(.+)", resource):
        return match[1], "machine" if is_machine(match[2]) else match[2]
    if match := re.fullmatch("assumed-role/AWSReservedSSO_.+/(.+)|user/.+/(.+)", resource):
        return metadata.get("application", "unknown"), match[1] or match[2]
    return metadata.get("application", "unknown"), metadata.get("user", "unknown")


def is_machine(session: str) -> bool:
    return bool(re.fullmatch(r"botocore-session-\d+|i-[0-9a-f]{17}|[0-9a-f-]{36}", session))


def model_of(model_id: str) -> tuple[str, str]:
    """Return model and routing."""
    if "application-inference-profile/" in model_id:
        return model_id.split(":", 5)[5], "in_region"
    name = model_id.rpartition("/")[2]
    prefix, _, model = name.partition(".")
    if prefix in ("us", "eu", "apac"):
        return model, "geo"
    return (model, "global") if prefix == "global" else (name, "in_region")


def tokens_of(record: dict[str, Any]) -> tuple[int, ...]:
    """Return the tokens by kind: the record's own counts, else those of the response body."""
    given, output = record["input"], record.get("output", {})
    body = stated(output.get("outputBodyJson", {}))

    def count(own: int | None, *names: str) -> int:
        return own if own is not None else next((body[n] for n in names if n in body), 0)

    written = count(
        given.get("cacheWriteInputTokenCount"),
        *("cacheWriteInputTokenCount", "cache_creation_input_tokens"),
    )
    one_hour = body.get("one_hour", 0)
    return (
        count(
            given.get("inputTokenCount"),
            *("inputTokens", "input_tokens", "inputTokenCount", "inputTextTokenCount"),
            "prompt_token_count",
        ),
        count(
            output.get("outputTokenCount"),
            *("outputTokens", "output_tokens", "outputTokenCount", "generation_token_count"),
        ),
        count(
            given.get("cacheReadInputTokenCount"),
            *("cacheReadInputTokenCount", "cache_read_input_tokens"),
        ),
        written - one_hour,
        one_hour,
    )


def stated(body: Any) -> dict[str, int]:
    """Return the counts that a body states, with the cache writes that live for an hour."""
    if isinstance(body, list):
        chunks = [chunk for chunk in body if isinstance(chunk, dict)]
        start = next((c["message"]["usage"] for c in chunks if "message" in c), {})
        key = "amazon-bedrock-invocationMetrics"
        metrics = next(chunk[key] for chunk in chunks if key in chunk)
        return {**metrics, **stated({"usage": {"cache_creation": start.get("cache_creation", {})}})}
    usage = dict(body.get("usage", body))
    split = usage.pop("cache_creation", {}).get("ephemeral_1h_input_tokens", 0)
    details = {part["ttl"]: part["inputTokens"] for part in usage.pop("cacheDetails", [])}
    return {**usage, "one_hour": split + details.get("1h", 0)}


class Chain:
    """Logs, source, ledger and snapshots, put together as the collector does, in one process."""

    def __init__(self, folder: Path) -> None:
        self.logs = folder / "logs"
        self.exporter = Exporter(folder, timezone=str(ZONE))
        self.pool = ReaderPool()
        self.source = open_bedrock_logs(self.logs, Recording(KEYS), pool=self.pool)

    def read(self, now: datetime, is_first: bool) -> None:
        """Refresh once."""
        times = Times(now, utc("2026-09-30T18:30"), utc("2025-10-01T00:00"))
        for event in self.source.read(times, self.exporter.ledger, lambda: False):
            if isinstance(event, Batch):
                taken = self.exporter.ledger.apply([event])
                if not is_first:
                    self.exporter.builder.count(taken)
        self.pool.close()


@dataclass(frozen=True)
class Story:
    """Two refreshes and what they should have found."""

    first: Snapshot
    """After three days were read."""
    second: Snapshot
    """After the three hours that followed, once counters were shown."""
    calls: list[Plain]
    later_calls: list[Plain]
    """Those of the three hours alone."""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    chain = Chain(tmp_path_factory.mktemp("chain"))
    simulate(chain.logs, seed=7, start=NOW - timedelta(days=3), end=NOW, calls_per_day=300)
    calls = read_plainly(chain.logs)
    chain.read(NOW, is_first=True)
    first = chain.exporter.build(NOW)
    simulate(chain.logs, seed=7, start=NOW, end=LATER, calls_per_day=300)
    chain.read(LATER, is_first=False)
    chain.exporter.build(LATER)
    second = chain.exporter.build(LATER + timedelta(minutes=3))
    chain.exporter.ledger.close()
    later = {id_: call for id_, call in read_plainly(chain.logs).items() if id_ not in calls}
    return Story(first, second, list(calls.values()), list(later.values()))


TODAY = NOW.astimezone(ZONE).date()


def is_today(call: Plain) -> bool:
    return call.day == TODAY


def is_of_month(call: Plain) -> bool:
    return call.day.month == 11


def is_of_october(call: Plain) -> bool:
    return call.day.month == 10


def requests(calls: Iterable[Plain]) -> dict[Key, int]:
    sums: dict[Key, int] = defaultdict(int)
    for call in calls:
        sums[call.labels] += 1
    return sums


def tokens(calls: Iterable[Plain]) -> dict[Key, int]:
    sums: dict[Key, int] = defaultdict(int)
    for call in calls:
        for kind, count in zip(KINDS, call.tokens, strict=True):
            if count and not call.error:
                sums[*call.labels, kind] += count
    return sums


def cost_usd(calls: Iterable[Plain]) -> dict[Key, Decimal]:
    sums: dict[Key, Decimal] = defaultdict(Decimal)
    for call in calls:
        if call.cost_usd is not None and not call.error:
            sums[call.labels] += call.cost_usd
    return sums


def of_priced_models(found: dict[Key, Any]) -> dict[Key, Any]:
    models = {model for model, _ in USD_PER_MILLION}
    return {labels: usd for labels, usd in found.items() if labels[4] in models}


def not_zero(found: dict[Key, Any]) -> dict[Key, Any]:
    return {labels: amount for labels, amount in found.items() if amount}


def test_the_story_has_what_it_should_tell_of(story: Story) -> None:
    assert len(story.calls) > 500 and len(story.later_calls) > 10
    for happened in (is_today, is_of_month, is_of_october):
        assert any(happened(call) for call in story.calls)
    assert any(call.error for call in story.calls)
    assert {"machine", "unknown"} < {call.labels[3] for call in story.calls}
    assert all(sum(call.tokens[i] for call in story.calls) for i in range(5))


PERIODS: list[tuple[str, Callable[[Plain], bool]]] = [
    ("today", is_today),
    ("month_to_date", is_of_month),
]


@pytest.mark.parametrize(("period", "happened"), PERIODS)
def test_requests_are_those_of_the_files(story: Story, period: str, happened: Any) -> None:
    found = samples(story.first, f"bedrock_requests_{period}")
    assert not_zero(found) == requests(filter(happened, story.calls))


@pytest.mark.parametrize(("period", "happened"), PERIODS)
def test_tokens_are_those_of_the_files(story: Story, period: str, happened: Any) -> None:
    found = samples(story.first, f"bedrock_tokens_{period}")
    assert not_zero(found) == tokens(filter(happened, story.calls))


@pytest.mark.parametrize(("period", "happened"), [*PERIODS, ("previous_month", is_of_october)])
def test_the_cost_of_models_priced_by_hand_is_exact(
    story: Story, period: str, happened: Any
) -> None:
    found = of_priced_models(samples(story.first, f"bedrock_cost_usd_{period}"))
    assert not_zero(found) == not_zero(cost_usd(filter(happened, story.calls)))


def test_every_label_set_of_the_month_has_its_series_today(story: Story) -> None:
    of_month = requests(filter(is_of_month, story.calls))
    assert samples(story.first, "bedrock_requests_today").keys() == of_month.keys()


def test_counters_hold_what_the_second_reading_brought_and_nothing_else(story: Story) -> None:
    assert not not_zero(samples(story.first, "bedrock_requests_total"))
    found = samples(story.second, "bedrock_requests_total")
    assert not_zero(found) == requests(story.later_calls)
    assert not_zero(samples(story.second, "bedrock_tokens_total")) == tokens(story.later_calls)
    found = of_priced_models(samples(story.second, "bedrock_cost_usd_total"))
    assert not_zero(found) == not_zero(cost_usd(story.later_calls))


def test_gauges_go_on_from_what_was_read_before(story: Story) -> None:
    calls = story.calls + story.later_calls
    found = samples(story.second, "bedrock_tokens_month_to_date")
    assert found == tokens(filter(is_of_month, calls))


def test_unpriced_calls_are_those_of_models_that_nobody_prices(story: Story) -> None:
    found = samples(story.first, "bedrock_unpriced_requests_month_to_date")
    unpriced: dict[Key, int] = defaultdict(int)
    for call in filter(is_of_month, story.calls):
        account_id, region, _, _, model = call.labels
        for pattern, reason in (
            ("sonnet-9-", "unknown_model"),
            ("application-inference-profile/", "unresolved"),
            ("nova-canvas", "not_token_billed"),
        ):
            if pattern in model and not call.error:
                unpriced[account_id, region, model, reason] += 1
    assert found == unpriced and {key[3] for key in unpriced} >= {"unresolved"}
