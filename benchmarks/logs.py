"""Log objects of a given shape to read: many small ones, or fewer with large bodies."""

import gzip
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

_WORDS = (
    *("the", "ledger", "keeps", "what", "a", "log", "said", "and", "the", "snapshot", "says"),
    *("what", "it", "means", "for", "every", "account", "region", "application", "user"),
    *('"quoted"', "two\nlines", "1,234", "ü", "한국어"),
)
_MODELS = (
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "anthropic.claude-3-haiku-20240307-v1:0",
    "global.anthropic.claude-haiku-4-5-20251001-v1:0",
    "amazon.nova-pro-v1:0",
)


class Shape(NamedTuple):
    """What a set of log objects looks like."""

    objects: int
    records: int
    """In each object."""
    record_bytes: int

    def __str__(self) -> str:
        return f"{self.objects} objects of {self.records} x {self.record_bytes // 1024} KB"


def write_logs(folder: Path, shape: Shape, end: datetime, seed: int = 1) -> int:
    """Write log objects of the hours before `end`; returns the bytes of JSON in them."""
    rng = random.Random(seed)
    total = 0
    for number in range(shape.objects):
        moment = end - timedelta(minutes=5 + number % 600)
        lines = [_record(rng, moment, shape.record_bytes) for _ in range(shape.records)]
        text = b"".join(lines)
        total += len(text)
        path = folder / (
            f"AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/{moment:%Y/%m/%d/%H}/"
            f"{moment:%Y%m%dT%H%M%S}Z_{number:016x}.json.gz"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text, 6))
    return total


def _record(rng: random.Random, moment: datetime, size: int) -> bytes:
    # A few applications make most of the calls, each with a model of its own.
    number = min(int(rng.expovariate(0.25)), 19)
    application, user = f"App{number}", f"user{number}-{rng.randrange(2)}"
    tokens = rng.randrange(1, 4000)
    output = " ".join(rng.choices(_WORDS, k=40))
    record = {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "accountId": "111122223333",
        "identity": {
            "arn": f"arn:aws:sts::111122223333:assumed-role/{application}-BedrockRole/{user}"
        },
        "region": "us-east-1",
        "requestId": str(rng.getrandbits(128)),
        "operation": "Converse",
        "modelId": _MODELS[number % len(_MODELS)],
        "input": {"inputContentType": "application/json", "inputBodyJson": None},
        "output": {
            "outputContentType": "application/json",
            "outputBodyJson": {
                "output": {"message": {"role": "assistant", "content": [{"text": output}]}},
                "stopReason": "end_turn",
                "metrics": {"latencyMs": 1234},
                "usage": {"inputTokens": tokens, "outputTokens": 60, "totalTokens": tokens + 60},
            },
            "outputTokenCount": 60,
        },
    }
    short = len(json.dumps(record))
    words = rng.choices(_WORDS, k=max(1, (size - short) // 7))
    text = " ".join(words)[: max(1, size - short - 60)]
    record["input"] = {
        "inputContentType": "application/json",
        "inputBodyJson": {"messages": [{"role": "user", "content": [{"text": text}]}]},
        "inputTokenCount": tokens,
    }
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def frozen_now() -> datetime:
    """Return the moment that the benchmarks happen at."""
    return datetime(2026, 11, 20, 12, tzinfo=UTC)
