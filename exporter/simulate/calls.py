"""When who calls what, and what comes of it: the traffic of an hour, from a seed.

An hour's calls depend on the seed, the rate and the hour alone, so that any stretch of time can be
made again, or gone on with. Nothing here knows what a record looks like.
"""

import random
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from exporter.simulate.workloads import WORKLOADS, Dialect, Task, Workload

HOUR_SECONDS = 3600
SUCCEEDED = ""
GUARDED = "guardrail"

_ERROR_CODES = (
    "ThrottlingException",
    "ThrottlingException",
    "ModelTimeoutException",
    "ValidationException",
    "AccessDeniedException",
    "ServiceUnavailableException",
)
_SERVED_IN = {
    "us": ("us-east-1", "us-east-2", "us-west-2"),
    "eu": ("eu-central-1", "eu-west-1", "eu-west-3"),
    "apac": ("ap-northeast-1", "ap-northeast-2", "ap-southeast-1"),
    "global": ("us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1"),
}

_BURST_APPLICATIONS = ("CustomerServiceApp", "CodeReviewer", "SalesCopilot", "DataPipeline")
_BURST_LOCAL_HOUR = 15
_BURST_WEIGHT = 14.0
"""Times the mean hour: more than half a day's calls in one hour."""


class Quirk(Enum):
    """What is unusual about how a call is logged."""

    NONE = "none"
    LATE = "late"
    REPEATED = "repeated"
    """In its object and in a later one."""
    DOUBLED = "doubled"
    """Twice in its object."""
    UNCOUNTED = "uncounted"
    """Only the response body says how many tokens there were."""
    LARGE = "large"
    """The request body is an object of its own."""


_RARE_QUIRKS = tuple(quirk for quirk in Quirk if quirk is not Quirk.NONE)


class Tokens(NamedTuple):
    """What a call used; the kinds never overlap."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0


class Call(NamedTuple):
    """One call to a model."""

    second: int
    """Since the epoch."""
    request_id: str
    workload: Workload
    task: Task
    principal: str
    """ARN."""
    metadata: dict[str, str]
    inference_region: str
    """Empty where the call was served in its own region."""
    outcome: str
    """SUCCEEDED, GUARDED or an errorCode."""
    quirk: Quirk
    tokens: Tokens


class Rate(NamedTuple):
    """How many calls there are: a day, in the rhythm of each workload, or a minute, steadily."""

    calls_per_day: int
    calls_per_minute: float | None = None

    @property
    def size(self) -> float:
        """Return what a call's tokens are multiplied by.

        Steady calls are smaller as they are more frequent: a day of them costs as much as a day
        in rhythm, so that spending stays plausible however lively the demonstration.
        """
        if self.calls_per_minute is None:
            return 1.0
        return min(1.0, self.calls_per_day / (self.calls_per_minute * 1440))


def calls_between(seed: int, rate: Rate, start: datetime, end: datetime) -> Iterator[Call]:
    """Yield the calls from start, inclusive, to end, exclusive, in the order of time."""
    first, last = int(start.timestamp()), int(end.timestamp())
    for hour in range(first // HOUR_SECONDS, -(-last // HOUR_SECONDS)):
        for call in _calls_of_hour(seed, rate, hour):
            if first <= call.second < last:
                yield call


@lru_cache(maxsize=1)  # live asks for the same hour again and again
def _calls_of_hour(seed: int, rate: Rate, hour: int) -> tuple[Call, ...]:
    rng = random.Random(f"{seed} {rate.calls_per_day} {rate.calls_per_minute} {hour}")
    weights = [_weight(workload, hour) for workload in WORKLOADS]
    if rate.calls_per_minute is None:
        calls_per_weight = rate.calls_per_day / 24
    else:
        calls_per_weight = rate.calls_per_minute * 60 / sum(weights)
    calls = [
        _call(rng, hour, workload, rate.size)
        for workload, weight in zip(WORKLOADS, weights, strict=True)
        for _ in range(int(weight * calls_per_weight * rng.uniform(0.75, 1.25) + rng.random()))
    ]
    return tuple(sorted(calls, key=lambda call: (call.second, call.request_id)))


def _weight(workload: Workload, hour: int) -> float:
    """Return the workload's part of an hour's calls; the mean over all hours is its share."""
    if _bursts(workload, hour):
        return workload.share * _BURST_WEIGHT
    day, local_hour = divmod(hour + workload.utc_offset, 24)
    weekday = (day + 3) % 7  # the epoch began on a Thursday
    return workload.share * workload.rhythm.weight(local_hour, weekday)


def _bursts(workload: Workload, hour: int) -> bool:
    """Tell whether the workload runs wild: every second day one does, for an hour, in turn."""
    day, local_hour = divmod(hour + workload.utc_offset, 24)
    turn, off = divmod(day, 2)
    application = _BURST_APPLICATIONS[turn % len(_BURST_APPLICATIONS)]
    return not off and local_hour == _BURST_LOCAL_HOUR and workload.name == application


def _call(rng: random.Random, hour: int, workload: Workload, size: float) -> Call:
    task = rng.choices(workload.tasks, [task.weight for task in workload.tasks])[0]
    outcome = _outcome(rng, task, _bursts(workload, hour))
    return Call(
        second=hour * HOUR_SECONDS + rng.randrange(HOUR_SECONDS),
        request_id=str(UUID(int=rng.getrandbits(128), version=4)),
        workload=workload,
        task=task,
        principal=_principal(rng, workload, hour),
        metadata=dict(rng.choice(workload.metadata)) if workload.metadata else {},
        inference_region=_inference_region(rng, task.model_id, workload.region),
        outcome=outcome,
        quirk=_quirk(rng, task, outcome),
        tokens=Tokens() if outcome == GUARDED else _tokens(rng, task, size),
    )


def _outcome(rng: random.Random, task: Task, burst: bool) -> str:
    chance = rng.random()
    if chance < (0.12 if burst else 0.02):
        return rng.choice(_ERROR_CODES)
    if chance > 0.98 and task.dialect in (Dialect.CONVERSE, Dialect.ANTHROPIC):
        return GUARDED
    return SUCCEEDED


def _quirk(rng: random.Random, task: Task, outcome: str) -> Quirk:
    if rng.random() > 0.05:
        return Quirk.NONE
    quirk = rng.choice(_RARE_QUIRKS)
    if quirk is Quirk.UNCOUNTED and (outcome != SUCCEEDED or task.dialect is Dialect.IMAGE):
        return Quirk.NONE
    return quirk


def _tokens(rng: random.Random, task: Task, size: float) -> Tokens:
    def about(median: int) -> int:
        return 1 + int(median * size * rng.lognormvariate(0, 0.4)) if median else 0

    return Tokens(
        input=about(task.input_tokens),
        output=about(task.output_tokens),
        cache_read=about(task.cache_read_tokens) if rng.random() < 0.75 else 0,
        cache_write=about(task.cache_write_tokens) if rng.random() < 0.3 else 0,
    )


def _principal(rng: random.Random, workload: Workload, hour: int) -> str:
    resource = rng.choice(workload.principals)
    if "{" in resource:
        resource = resource.format(
            botocore=f"botocore-session-{hour * HOUR_SECONDS + rng.randrange(HOUR_SECONDS)}",
            instance=f"i-0{rng.getrandbits(64):016x}",
            uuid=UUID(int=rng.getrandbits(128), version=4),
        )
    service = "iam" if resource.startswith("user/") else "sts"
    return f"arn:aws:{service}::{workload.account_id}:{resource}"


def _inference_region(rng: random.Random, model_id: str, region: str) -> str:
    prefix = model_id.rpartition("/")[2].partition(".")[0]
    served = rng.choice(_SERVED_IN.get(prefix, (region,)))
    return "" if served == region else served
