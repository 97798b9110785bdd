"""The daily report of what users of Amazon Q Developer did: by_user_analytic, as CSV.

Chats, inline chats, accepted and rejected suggestions and uses of /dev are those of the prompt
logs; suggestions that were ignored, lines, reviews and the like stand in no prompt log and follow
from the seed. Who did nothing has no line.
"""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import date

from exporter.assistant_usage import ACTIVITY_COLUMNS
from exporter.simulate.asked import Asked
from exporter.simulate.developers import Developer, Service, developers_of
from exporter.simulate.prompts import Kind, is_spike

_Counts = dict[str, int]
"""By column; what is absent is 0."""

_IGNORED_SUGGESTIONS = 6
"""For each one that is accepted or rejected."""
_IGNORED_ON_A_SPIKE = 16
"""Times as many on the day that a developer does much more than usual."""


def activity_report(seed: int, day: date, region: str, asked: Iterable[Asked]) -> str:
    """Return the report of a region's users on a day; empty where none of them did anything."""
    kinds = Counter((each.user_id, each.kind) for each in asked)
    lines = []
    for developer in developers_of(Service.QDEVELOPER):
        of_user = Counter({kind: kinds[developer.user_id, kind] for kind in Kind})
        if developer.region == region and of_user.total():
            counts = _counts(seed, day, developer, of_user)
            figures = [str(counts.get(column, 0)) for column in ACTIVITY_COLUMNS]
            lines.append(",".join([f'"{developer.user_id}"', f"{day:%m-%d-%Y}", *figures]))
    if not lines:
        return ""
    return "\n".join([",".join(["UserId", "Date", *ACTIVITY_COLUMNS]), *lines, ""])


def _counts(seed: int, day: date, developer: Developer, kinds: Counter[Kind]) -> _Counts:
    rng = random.Random(f"{seed} {day} {developer.user_id} activity")
    ignored = _ignored_suggestions(rng, day, developer)
    return {
        **_chats(rng, kinds[Kind.CHAT] + kinds[Kind.INLINE_CHAT]),
        **_inline_chats(rng, kinds[Kind.INLINE_CHAT]),
        **_suggestions(rng, kinds[Kind.COMPLETION], ignored),
        **_dev_tasks(rng, kinds[Kind.DEV_TASK]),
        **_transformations(developer.transformed_lines.whole_on(day)),
        **_occasional(rng),
    }


def _ignored_suggestions(rng: random.Random, day: date, developer: Developer) -> int:
    usual = developer.completions * _IGNORED_SUGGESTIONS * rng.uniform(0.75, 1.25)
    if is_spike(developer, day):
        return round(usual * _IGNORED_ON_A_SPIKE)
    return round(usual if day.weekday() < 5 else usual / 10)


def _chats(rng: random.Random, chats: int) -> _Counts:
    return {
        "Chat_MessagesSent": chats,
        "Chat_MessagesInteracted": rng.randint(0, chats),
        "Chat_AICodeLines": chats * rng.randint(2, 12),
    }


def _inline_chats(rng: random.Random, chats: int) -> _Counts:
    accepted = rng.randint(0, chats)
    return {
        "InlineChat_TotalEventCount": chats,
        "InlineChat_AcceptanceEventCount": accepted,
        "InlineChat_AcceptedLineAdditions": accepted * 6,
        "InlineChat_AcceptedLineDeletions": accepted * 2,
        "InlineChat_RejectionEventCount": chats - accepted,
        "InlineChat_RejectedLineAdditions": (chats - accepted) * 5,
    }


def _suggestions(rng: random.Random, decided: int, ignored: int) -> _Counts:
    accepted = round(decided * rng.uniform(0.5, 0.9))
    return {
        "Inline_SuggestionsCount": decided + ignored,
        "Inline_AcceptanceCount": accepted,
        "Inline_AICodeLines": accepted * rng.randint(1, 3),
    }


def _dev_tasks(rng: random.Random, tasks: int) -> _Counts:
    accepted = rng.randint(0, tasks)
    return {
        "Dev_GenerationEventCount": tasks,
        "Dev_GeneratedLines": tasks * 85,
        "Dev_AcceptanceEventCount": accepted,
        "Dev_AcceptedLines": accepted * 70,
    }


def _transformations(lines: int) -> _Counts:
    return {
        "Transformation_EventCount": 1 if lines else 0,
        "Transformation_LinesIngested": lines,
        "Transformation_LinesGenerated": lines * 6 // 5,
    }


def _occasional(rng: random.Random) -> _Counts:
    counts: _Counts = {}
    if rng.random() < 0.3:
        counts |= {
            "CodeReview_SucceededEventCount": 1,
            "CodeReview_FindingsCount": rng.randrange(12),
            "CodeReview_FailedEventCount": int(rng.random() < 0.1),
        }
    if rng.random() < 0.2:
        counts |= {
            "CodeFix_GenerationEventCount": 2,
            "CodeFix_GeneratedLines": 24,
            "CodeFix_AcceptanceEventCount": 1,
            "CodeFix_AcceptedLines": 11,
        }
    if rng.random() < 0.15:
        counts |= {
            "TestGeneration_EventCount": 1,
            "TestGeneration_GeneratedTests": 6,
            "TestGeneration_GeneratedLines": 90,
            "TestGeneration_AcceptedTests": 4,
            "TestGeneration_AcceptedLines": 62,
        }
    if rng.random() < 0.1:
        counts |= {
            "DocGeneration_EventCount": 1,
            "DocGeneration_AcceptedFilesCreations": 1,
            "DocGeneration_AcceptedLineAdditions": 48,
            "DocGeneration_RejectedFileUpdates": 1,
            "DocGeneration_RejectedLineUpdates": 9,
        }
    return counts
