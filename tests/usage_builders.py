"""Small usage for tests: facts, records as AWS logs them, batches, and a plain sum to compare with.

The sums here know nothing of the exporter's own: they count each requestId once, by hand.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from exporter.config import Config
from exporter.usage import Batch, Counts, Fact, LogObject, Requests, Usage, slot_of

ACCOUNT, REGION = "111122223333", "us-east-1"
MODEL = "anthropic.claude-3-7-sonnet-20250219-v1:0"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""The now of most tests: a Friday, so that day, week and month all have a past."""

_numbers = count(1)


@dataclass(frozen=True)
class Call:
    """One call of a model, as its log record states it."""

    request_id: str
    time: datetime = NOON
    user: str = "alice"
    application: str = "Shop"
    model_id: str = MODEL
    input: int = 100
    output: int = 10
    error_code: str | None = None
    account_id: str = ACCOUNT
    region: str = REGION
    prompt: str = "hello"

    @property
    def arn(self) -> str:
        role = f"assumed-role/{self.application}-BedrockRole/{self.user}"
        return f"arn:aws:sts::{self.account_id}:{role}"

    @property
    def record(self) -> dict[str, Any]:
        """The record as Bedrock writes it."""
        error = {"errorCode": self.error_code} if self.error_code else {}
        return {
            "schemaType": "ModelInvocationLog",
            "schemaVersion": "1.0",
            "timestamp": f"{self.time:%Y-%m-%dT%H:%M:%SZ}",
            "accountId": self.account_id,
            "region": self.region,
            "requestId": self.request_id,
            "operation": "Converse",
            "modelId": self.model_id,
            "identity": {"arn": self.arn},
            "input": {
                "inputTokenCount": self.input,
                "inputBodyJson": {"messages": [{"content": [{"text": self.prompt}]}]},
            },
            "output": {"outputTokenCount": self.output, "outputBodyJson": {}},
            **error,
        }

    @property
    def fact(self) -> Fact:
        """What the ledger holds of the caller."""
        return Fact(
            self.account_id,
            self.region,
            "",
            self.arn,
            self.model_id,
            0,
            "standard",
            self.error_code or "ok",
            (),
        )

    @property
    def counts(self) -> Counts:
        return Counts(1, self.input, self.output)


def json_lines(calls: Iterable[Call]) -> bytes:
    """Return the text of a log object."""
    return b"".join(json.dumps(call.record).encode() + b"\n" for call in calls)


def log_object(time: datetime = NOON, account_id: str = ACCOUNT, region: str = REGION) -> LogObject:
    """Return a log object of its own name, in the path of an hour."""
    name = f"{time:%Y%m%dT%H%M%S}000Z_{next(_numbers):016x}.json.gz"
    return LogObject(account_id, region, int(time.timestamp()) // 3600, name)


def write_log(location: Path, calls: Sequence[Call], time: datetime | None = None) -> Path:
    """Write calls of one account and region as one log object, in the path of an hour."""
    first = calls[0]
    unit = log_object(time or first.time, first.account_id, first.region)
    return write_text(location, unit, json_lines(calls))


def write_text(location: Path, unit: LogObject, text: bytes) -> Path:
    """Write the text of a log object where AWS would, and as AWS does: whole or not at all."""
    hour = datetime.fromtimestamp(unit.hour * 3600, UTC)
    folder = location / f"AWSLogs/{unit.account_id}/BedrockModelInvocationLogs/{unit.region}"
    path = folder / f"{hour:%Y/%m/%d/%H}" / unit.name
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(gzip.compress(text))
    unfinished.replace(path)
    return path


def batch(*calls: Call, unit: LogObject | None = None, source: str = "logs") -> Batch:
    """Return what a source says of one log object that holds these calls, all different."""
    first = calls[0]
    usage: list[Usage] = []
    requests = Requests()
    for call in calls:
        requests.slot.append(slot_of(call.time))
        requests.digest.append(digest(call.request_id))
        requests.usage.append(len(usage))
        requests.counts.extend(call.counts)
        usage.append(Usage(slot_of(call.time), call.fact, call.counts))
    return Batch(
        source=source,
        unit=unit or log_object(first.time, first.account_id, first.region),
        usage=tuple(usage),
        requests=requests,
        records=len(calls),
        bytes=len(json_lines(calls)),
        newest=max(int(call.time.timestamp()) for call in calls),
    )


def digest(request_id: str) -> int:
    """Return a number that stands for a request in a batch made by hand."""
    return int.from_bytes(request_id.encode()[:7].ljust(7, b"."), "big")


def plain_sum(
    calls: Iterable[Call], key: Callable[[Call], Any] = lambda call: (slot_of(call.time), call.fact)
) -> dict[Any, Counts]:
    """Add up calls, each requestId once, by a key: that of the ledger unless another is given."""
    sums: dict[Any, Counts] = defaultdict(Counts)
    for call in {call.request_id: call for call in calls}.values():
        sums[key(call)] = sums[key(call)].plus(call.counts)
    return dict(sums)


def settings(folder: Path, **changes: Any) -> Config:
    """Return a configuration of one folder of logs, with the given keys of config.yaml."""
    fields: dict[str, Any] = {
        "ledger": folder / "ledger.sqlite",
        "sources": [{"type": "invocation_logs", "name": "logs", "location": str(folder / "logs")}],
    }
    return Config.model_validate(fields | changes)
