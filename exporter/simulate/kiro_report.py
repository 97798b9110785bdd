"""The daily report of what users of Kiro did and what it cost them: user_report, as CSV.

One for each client. Conversations and messages are those of the prompt logs; credits follow from
each seat's month. Every seat has a line for its first client, whether it is used or not.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from exporter.simulate.asked import Asked
from exporter.simulate.developers import ACCOUNT, Developer, Seat, Service, developers_of

_COLUMNS = (
    *("Date", "UserId", "Client_Type", "Chat_Conversations", "Credits_Used", "Overage_Cap"),
    *("Overage_Credits_Used", "Overage_Enabled", "ProfileId", "Subscription_Tier"),
    *("Total_Messages", "New_User", "User_Email", "Usage_Limit"),
)
"""Those of every report, in AWS's order; columns of messages by model follow."""
_CREDITS = {"PRO": 1_000, "PRO_PLUS": 2_000, "POWER": 10_000}
"""A month, by tier."""


class _Use(NamedTuple):
    """One line: what a seat was used for with one client."""

    developer: Developer
    seat: Seat
    asked: list[Asked]
    credits: float
    """Overage included."""
    overage: float


def kiro_reports(seed: int, day: date, region: str, asked: Sequence[Asked]) -> dict[str, str]:
    """Return the reports of a region's users on a day by client; none where nobody asked."""
    if not asked:
        return {}
    uses: dict[str, list[_Use]] = {}
    for developer in developers_of(Service.KIRO):
        if developer.region == region and developer.seat:
            own = [each for each in asked if each.user_id == developer.user_id]
            for client, use in _uses(seed, day, developer, developer.seat, own):
                uses.setdefault(client, []).append(use)
    return {client: _report(day, client, uses[client]) for client in sorted(uses)}


def _uses(
    seed: int, day: date, developer: Developer, seat: Seat, asked: Sequence[Asked]
) -> Iterator[tuple[str, _Use]]:
    """Yield the use of each client; the credits of a day are divided by messages."""
    credits_until = [_credits_until(seed, each, developer, seat) for each in _since(day)]
    overage_until = [max(0.0, used - _CREDITS[seat.tier]) for used in credits_until]
    for client in seat.clients:
        own = [each for each in asked if _client(seat, each) == client]
        is_first = client == seat.clients[0]
        if own or is_first:
            part = len(own) / len(asked) if asked else 1
            credits, overage = (
                (until[-1] - sum(until[:-1])) * part for until in (credits_until, overage_until)
            )
            yield client, _Use(developer, seat, own, credits, overage)


def _since(day: date) -> list[date]:
    """Return the day before, unless that was another month's, and the day."""
    return [day - timedelta(days=1), day] if day.day > 1 else [day]


def _credits_until(seed: int, day: date, developer: Developer, seat: Seat) -> float:
    """Return the credits from the first of the month on; some of a day's are billed the next."""
    rng = random.Random(f"{seed} {day} {developer.user_id} credits")
    until = seat.credits.until(day)
    return until - (until - seat.credits.before(day)) * rng.uniform(0, 0.8)


def _client(seat: Seat, asked: Asked) -> str:
    return seat.clients[int(asked.conversation[0], 16) % len(seat.clients)]


def _report(day: date, client: str, uses: Sequence[_Use]) -> str:
    models = sorted({each.model_id for use in uses for each in use.asked})
    lines = [",".join(_line(day, client, use, models)) for use in uses]
    return "\n".join([",".join([*_COLUMNS, *map(_column, models)]), *lines, ""])


def _column(model_id: str) -> str:
    return f"{model_id.replace('-', '_')}_messages"


def _line(day: date, client: str, use: _Use, models: Sequence[str]) -> Iterator[str]:
    user_id, seat = use.developer.user_id, use.seat
    limit = _CREDITS[seat.tier]
    messages = Counter(each.model_id for each in use.asked)
    yield from (f"{day}", f'"{user_id}"', client)
    yield str(len({each.conversation for each in use.asked}))
    yield from map(str, (use.credits, limit / 2, use.overage))
    yield str(seat.overage_enabled).lower()
    yield f'"arn:aws:codewhisperer:{use.developer.region}:{ACCOUNT}:profile/EXAMPLEPROFILE"'
    yield from (seat.tier, str(messages.total()), "false")
    yield f'"{user_id[:8]}@example.com"'
    yield str(float(limit))
    yield from (str(messages[model]) for model in models)
