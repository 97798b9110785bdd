"""When developers ask their assistants for what: the prompts of a UTC day, from a seed.

A day's prompts depend on the seed and the day alone, and so do the live ones that come on top, so
that any stretch of time can be gone on with. Nothing here knows what a record looks like.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from exporter.simulate.developers import DEVELOPERS, Developer, Service, developers_of
from exporter.simulate.workloads import Rhythm

LIVE_SECONDS = 240
"""In which there is one live prompt."""
SPIKE = 2.5
"""Times the usual number of prompts, on the day that a developer does much more than usual."""

_DAY_SECONDS = 86_400
_SAME_CONVERSATION = 0.75
"""Chance that a chat goes on with the conversation before."""


class Kind(StrEnum):
    """What is asked for, or by whom."""

    CHAT = "chat"
    INLINE_CHAT = "inline_chat"
    COMPLETION = "completion"
    DEV_TASK = "dev_task"
    ROUTER_TURN = "router_turn"
    """Kiro's own question to itself which of its agents a chat is for."""


class Prompt(NamedTuple):
    """One request to an assistant."""

    second: int
    """Since the epoch."""
    developer: Developer
    kind: Kind
    request_id: str
    """Its texts and whatever else the record holds follow from it."""
    conversation_id: str = ""
    """Empty for what belongs to none."""
    has_large_context: bool = False
    """As where a whole file goes with the question."""


def prompts_of_day(seed: int, day: date) -> list[Prompt]:
    """Return the prompts of a UTC day in the order of time; on weekends there are few."""
    prompts = (
        prompt
        for developer in DEVELOPERS
        for prompt in _of_developer(_rng(seed, day, developer.user_id), seed, day, developer)
    )
    return sorted(prompts, key=lambda prompt: (prompt.second, prompt.request_id))


def live_prompts_of_day(seed: int, day: date) -> list[Prompt]:
    """Return what comes on top while time is simulated as it passes, whatever the hour."""
    rng = _rng(seed, day, "live")
    active = [each for each in DEVELOPERS if each.chats]
    return [
        _live(rng, seed, rng.choice(active), second)
        for second in range(_midnight(day), _midnight(day) + _DAY_SECONDS, LIVE_SECONDS)
    ]


def is_spike(developer: Developer, day: date) -> bool:
    """Tell whether the developer does much more than usual: each day one does, in turn."""
    users = developers_of(Service.QDEVELOPER)
    return developer == users[day.toordinal() % len(users)]


def _rng(seed: int, day: date, what: str) -> random.Random:
    return random.Random(f"{seed} {day} {what}")


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _of_developer(
    rng: random.Random, seed: int, day: date, developer: Developer
) -> Iterator[Prompt]:
    hours = _hour_weights(developer, day)
    factor = sum(hours) / 24 * (SPIKE if is_spike(developer, day) else 1)
    chats = max(_about(rng, developer.chats * factor), developer.asks_daily)
    yield from _chats(rng, seed, developer, sorted(_seconds(rng, day, hours, chats)))
    completions = _about(rng, developer.completions * factor)
    for second in _seconds(rng, day, hours, completions):
        yield Prompt(second, developer, Kind.COMPLETION, _uuid(rng))
    for second in _seconds(rng, day, hours, developer.dev_tasks.whole_on(day)):
        yield Prompt(second, developer, Kind.DEV_TASK, _uuid(rng))


def _chats(
    rng: random.Random, seed: int, developer: Developer, seconds: list[int]
) -> Iterator[Prompt]:
    conversation_id = ""
    for second in seconds:
        if not conversation_id or rng.random() > _SAME_CONVERSATION:
            conversation_id = _uuid(rng)
        long_id = _long_conversation_id(seed, developer, second)
        stands_alone = not long_id and rng.random() < 0.1
        if developer.service is Service.KIRO and rng.random() < 0.2:
            yield Prompt(second, developer, Kind.ROUTER_TURN, _uuid(rng))
        yield Prompt(
            second,
            developer,
            _chat_kind(rng, developer),
            _uuid(rng),
            "" if stands_alone else long_id or conversation_id,
            bool(long_id),
        )


def _chat_kind(rng: random.Random, developer: Developer) -> Kind:
    inline = developer.service is Service.QDEVELOPER and rng.random() < 0.15
    return Kind.INLINE_CHAT if inline else Kind.CHAT


def _long_conversation_id(seed: int, developer: Developer, second: int) -> str:
    """Return that of the week; empty for developers who have none."""
    first = developer.long_conversation_weekday
    if first is None:
        return ""
    week = (second // _DAY_SECONDS + 3 - first) // 7  # the epoch began on a Thursday
    return _uuid(random.Random(f"{seed} {developer.user_id} {week}"))


def _live(rng: random.Random, seed: int, developer: Developer, second: int) -> Prompt:
    of_hour = _uuid(random.Random(f"{seed} {developer.user_id} live {second // 3600}"))
    wants_completion = rng.random() < 0.4 and developer.completions
    return Prompt(
        second + rng.randrange(LIVE_SECONDS),
        developer,
        Kind.COMPLETION if wants_completion else Kind.CHAT,
        _uuid(rng),
        "" if wants_completion else _long_conversation_id(seed, developer, second) or of_hour,
    )


def _hour_weights(developer: Developer, day: date) -> list[float]:
    """Return how busy each hour of a UTC day is at the developer's; 1 is the mean of a week."""
    weights = []
    for hour in range(24):
        days, local_hour = divmod(hour + developer.utc_offset, 24)
        weights.append(Rhythm.OFFICE.weight(local_hour, (day.weekday() + days) % 7))
    return weights


def _about(rng: random.Random, mean: float) -> int:
    return int(mean * rng.uniform(0.75, 1.25) + rng.random()) if mean else 0


def _seconds(rng: random.Random, day: date, hours: list[float], number: int) -> list[int]:
    chosen = rng.choices(range(24), hours, k=number)
    return [_midnight(day) + hour * 3600 + rng.randrange(3600) for hour in chosen]


def _uuid(rng: random.Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
