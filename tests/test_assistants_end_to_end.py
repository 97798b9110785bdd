"""Simulated logs of developer assistants through the whole chain, against a plain computation.

The plain one opens every file with gzip, json and csv. It shares nothing with the exporter but
what counts the tokens of a text, which is held against tiktoken where it is tested.
"""

import csv
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import structlog

from exporter.config import load
from exporter.identity import Privacy
from exporter.ledger import WritableLedger
from exporter.refresh import Refresh
from exporter.simulate import simulate
from exporter.snapshot import Snapshot
from exporter.sources.prompt_logs import prompt_logs
from exporter.sources.reading import ReaderPool
from exporter.sources.reports import activity_reports, kiro_reports
from exporter.sources.tokens import count_tokens
from snapshots import samples, utc

NOW = utc("2026-11-20T17:34")
CONFIG = """
sources:
  - {type: prompt_logs, location: logs}
  - {type: activity_reports, location: logs}
  - {type: kiro_reports, location: logs}
"""


class Chain:
    """Three sources, a ledger and a refresh, at moments of the test's choosing."""

    def __init__(self, folder: Path) -> None:
        (folder / "config.yaml").write_text(CONFIG)
        self.settings = load(folder / "config.yaml", {})
        self.ledger = WritableLedger.open(self.settings.ledger)
        self.snapshots: list[Snapshot] = []
        self.now = NOW
        pool, plain = ReaderPool(processes=1), Privacy()
        prompts, activity, kiro = self.settings.sources
        self.refresh = Refresh(
            self.settings,
            [
                prompt_logs(prompts, None, plain, pool),  # type: ignore[arg-type]
                activity_reports(activity, None, plain, pool),  # type: ignore[arg-type]
                kiro_reports(kiro, None, plain, pool),  # type: ignore[arg-type]
            ],
            self.ledger,
            publish=self.snapshots.append,
            clock=lambda: self.now,
            is_stopping=lambda: False,
            is_interrupted=lambda: False,
            log=structlog.get_logger("exporter"),
        )

    def read(self) -> Snapshot:
        while not self.refresh.run():
            pass
        return self.snapshots[-1]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assistants")
    start = NOW.replace(hour=0, minute=0) - timedelta(days=9)
    simulate(folder / "logs", seed=3, start=start, end=NOW, calls_per_day=0, assistants=True)
    return folder


@pytest.fixture(scope="module")
def snapshot(logs: Path) -> Iterator[Snapshot]:
    chain = Chain(logs)
    yield chain.read()
    chain.ledger.close()


def plain_prompts(folder: Path) -> Iterator[tuple[tuple[str, ...], datetime, str, str]]:
    """Yield who asked what with which product, when, and the texts in and out."""
    for path in (folder / "logs/AWSLogs").rglob("*.json*"):
        if not path.is_file() or not {"QDeveloperLogs", "KiroLogs"} & set(path.parts):
            continue
        account, service, _, region = path.relative_to(folder / "logs/AWSLogs").parts[:4]
        data = path.read_bytes()
        text = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        for record in json.loads(text)["records"]:
            (request,) = (value for key, value in record.items() if key.endswith("Request"))
            answer = next((v for key, v in record.items() if key.endswith("Response")), {})
            kind, given, taken = understand(record, request, answer)
            if is_router_turn(taken):
                continue
            product = "kiro" if service == "KiroLogs" else "qdeveloper"
            user = request["userId"].split(".")[-1]
            moment = datetime.fromisoformat(request["timeStamp"][:26].rstrip("Z")).replace(
                tzinfo=UTC
            )
            yield (account, region, user, product, kind), moment, given, taken


def understand(
    record: dict[str, Any], request: dict[str, Any], answer: dict[str, Any]
) -> tuple[str, str | list[str], str | list[str]]:
    name = next(iter(record))
    if name.startswith("generateCompletions"):
        given = [request["leftContext"], request["rightContext"], request["fileName"]]
        return "inline", given, answer["completions"]
    if name.startswith("generateAssistantResponse"):
        return "chat", request.get("prompt") or "", answer.get("assistantResponse") or ""
    return "dev", request["prompt"], ""


def is_router_turn(text: object) -> bool:
    try:
        return isinstance(text, str) and set(json.loads(text)) == {"chat", "do", "spec"}
    except (ValueError, TypeError):
        return False


def tokens(texts: str | list[str]) -> int:
    return sum(map(count_tokens, [texts] if isinstance(texts, str) else texts))


def test_prompts_of_this_month_are_those_of_the_files(logs: Path, snapshot: Snapshot) -> None:
    requests: Counter[tuple[str, ...]] = Counter()
    counted: Counter[tuple[str, ...]] = Counter()
    for who, _, given, taken in plain_prompts(logs):
        requests[who] += 1
        counted[*who, "input"] += tokens(given)
        counted[*who, "output"] += tokens(taken)
    assert {kind for *_, kind in requests} == {"chat", "inline", "dev"}
    assert samples(snapshot, "qdeveloper_requests_month_to_date") == requests
    assert samples(snapshot, "qdeveloper_tokens_month_to_date") == counted


def test_prompts_of_today_are_those_of_the_files(logs: Path, snapshot: Snapshot) -> None:
    today = Counter(who for who, at, *_ in plain_prompts(logs) if at.date() == NOW.date())
    shown = samples(snapshot, "qdeveloper_requests_today")
    assert {who: count for who, count in shown.items() if count} == today


def lines(folder: Path, kind: str) -> Iterator[dict[str, str]]:
    for path in sorted((folder / "logs/AWSLogs").rglob("*.csv")):
        if kind in path.parts:
            account, _, _, region = path.relative_to(folder / "logs/AWSLogs").parts[:4]
            with path.open(newline="") as file:
                yield from ({**row, "place": f"{account} {region}"} for row in csv.DictReader(file))


def test_activity_is_that_of_the_files(logs: Path, snapshot: Snapshot) -> None:
    chats: Counter[tuple[str, ...]] = Counter()
    for row in lines(logs, "by_user_analytic"):
        account, region = row["place"].split()
        chats[account, region, row["UserId"]] += int(row["Chat_MessagesSent"] or 0)
    shown = samples(
        snapshot,
        "qdeveloper_activity_month_to_date",
        activity="chat_messages_sent",
        product="qdeveloper",
    )
    assert {who: count for who, count in shown.items() if count} == dict(+chats)


def test_credits_are_those_of_the_files_to_the_last_digit(logs: Path, snapshot: Snapshot) -> None:
    credits: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for row in lines(logs, "user_report"):
        account, region = row["place"].split()
        key = account, region, row["UserId"], row["Subscription_Tier"], row["Client_Type"]
        credits[key] += Decimal(row["Credits_Used"])
    assert samples(snapshot, "kiro_credits_used_month_to_date") == credits


def test_nothing_simulated_is_rejected(snapshot: Snapshot) -> None:
    assert samples(snapshot, "bedrock_exporter_rejected_records_total") == {}


def test_a_second_refresh_and_a_second_start_change_nothing(
    logs: Path, snapshot: Snapshot, tmp_path: Path
) -> None:
    (tmp_path / "logs").symlink_to(logs / "logs")
    figures = []
    for _ in range(2):
        chain = Chain(tmp_path)
        figures += [gauges(chain.read()), gauges(chain.read())]
        chain.ledger.close()
    assert figures == [gauges(snapshot)] * 4


def gauges(snapshot: Snapshot) -> dict[str, dict[tuple[str, ...], object]]:
    return {
        family.metric.name: dict(family.samples)
        for family in snapshot.families
        if family.metric.name.startswith(("qdeveloper", "kiro", "usage_limit"))
        and not family.metric.name.endswith("_total")
    }
