"""The vocabulary of developer assistants: what prompt logs and daily reports said of users.

The counterpart of usage.py for Amazon Q Developer and Kiro. Knows neither prices nor limits, and
holds no text of a prompt or response: only how many tokens it had.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from exporter.usage import LogObject

ALONE = 0
"""The conversation of a request that names none: it stands alone."""


class Product(StrEnum):
    """Which assistant; told by the folder that a log lies in."""

    QDEVELOPER = "qdeveloper"
    KIRO = "kiro"


class RequestKind(StrEnum):
    """What a user asked for."""

    CHAT = "chat"
    INLINE = "inline"
    DEV = "dev"


class Asker(NamedTuple):
    """Who asked an assistant for what."""

    account_id: str
    region: str
    product: Product
    user: str
    """Id without that of its directory, after privacy; empty where the log names none."""
    request_kind: RequestKind


class PromptCounts(NamedTuple):
    """How much of it: requests, and tokens as counted here."""

    requests: int = 0
    input: int = 0
    output: int = 0

    def plus(self, other: "PromptCounts") -> "PromptCounts":
        """Add field by field."""
        return PromptCounts(self[0] + other[0], self[1] + other[1], self[2] + other[2])


class Prompt(NamedTuple):
    """One request of a prompt log; `digest` and the slot identify it."""

    slot: int
    digest: int
    asker: Asker
    conversation: int
    """63 bits that stand for a conversationId, or ALONE."""
    input: int
    """Tokens."""
    output: int
    """Tokens."""


@dataclass(frozen=True, slots=True)
class PromptBatch:
    """All that one object of prompt logs held. Counts once, however often it is delivered."""

    source: str
    unit: LogObject
    prompts: tuple[Prompt, ...] = ()
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Records that were not taken, by reason."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Records that are sound and no usage, by reason."""
    records: int = 0
    """Records taken, duplicates within the object included."""
    bytes: int = 0
    """Of JSON, after decompression."""
    newest: int = 0
    """Timestamp of the newest record, in seconds since the epoch; 0 where there is none."""


class Delivery(NamedTuple):
    """What a report object is a delivery of.

    In one folder, an object with a later stamp replaces earlier ones of its series, but for other
    parts. Several objects of one series and stamp are one delivery.
    """

    series: str
    """What the names of all deliveries have in common, such as 111122223333_by_user_analytic."""
    stamp: str
    """When it was written, as digits that sort by time; empty where the name has none."""
    part: str = ""
    """Its number, where a delivery comes in parts; parts may be written at different moments."""


class Activity(NamedTuple):
    """What one user did on one day, as a by_user_analytic report says."""

    day: date
    """UTC."""
    product: Product
    user: str
    counts: tuple[tuple[str, int], ...]
    """Activity and count, sorted; none that is 0."""


class Credits(NamedTuple):
    """What one user spent on one day with one client, as a Kiro user_report says."""

    day: date
    """UTC."""
    user: str
    client_type: str
    tier: str
    """As the report writes it, in capitals: PRO, PRO_PLUS; empty where it is absent or unknown."""
    used: Decimal
    overage: Decimal
    overage_enabled: bool
    overage_cap: Decimal | None
    usage_limit: Decimal | None
    """Credits of a month; None where the report does not state it."""
    conversations: int
    messages: int
    messages_by_model: tuple[tuple[str, int], ...]
    """Model as the report calls it and messages, sorted; none that is 0."""


Row = Activity | Credits
"""One line of a report."""


@dataclass(frozen=True, slots=True)
class ReportBatch:
    """All that one object of daily reports held. Replaces what its day said before."""

    source: str
    unit: LogObject
    delivery: Delivery
    rows: tuple[Row, ...] = ()
    """One for each day and user, and client where there are several."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Lines that were not taken, by reason."""
    records: int = 0
    """Lines taken."""
    bytes: int = 0
    """Of CSV."""
    newest: int = 0
    """Start of the newest day reported, in seconds since the epoch; 0 where there is none."""
    version: str = ""
    """Tells one writing of the object from another; empty where it is written once."""


class PromptSum(NamedTuple):
    """What one asker amounted to in a period, and the first slot of it that it was seen in."""

    first_slot: int
    counts: PromptCounts

    def plus(self, other: "PromptSum") -> "PromptSum":
        """Add what the same asker amounted to in another period."""
        return PromptSum(min(self[0], other[0]), self.counts.plus(other.counts))


class Conversation(NamedTuple):
    """How much of a context window one conversation takes, of those of which a period has some."""

    account_id: str
    region: str
    product: Product
    user: str
    tokens: int
    """Of all of it, input and output, before the period too."""


class Reported(NamedTuple):
    """One line that holds, and whose it is."""

    account_id: str
    region: str
    row: Row


def activity_of(column: str) -> str:
    """Return what a column of by_user_analytic counts: of Chat_AICodeLines, chat_ai_code_lines.

    Both names of the one column that has two give the same.
    """
    return _ALIASES.get(name := _snake_case(column), name)


def _snake_case(text: str) -> str:
    words: list[str] = []
    for position, letter in enumerate(text):
        before, after = text[position - 1 : position], text[position + 1 : position + 2]
        starts = letter.isupper() and (before.islower() or (before.isupper() and after.islower()))
        words.append(f"_{letter.lower()}" if starts and before != "_" else letter.lower())
    return "".join(words)


_ALIASES = {"inline_chat_event_count": "inline_chat_total_event_count"}

_COLUMNS = """
    Chat_AICodeLines Chat_MessagesInteracted Chat_MessagesSent CodeFix_AcceptanceEventCount
    CodeFix_AcceptedLines CodeFix_GeneratedLines CodeFix_GenerationEventCount
    CodeReview_FailedEventCount CodeReview_FindingsCount CodeReview_SucceededEventCount
    Dev_AcceptanceEventCount Dev_AcceptedLines Dev_GeneratedLines Dev_GenerationEventCount
    DocGeneration_AcceptedFileUpdates DocGeneration_AcceptedFilesCreations
    DocGeneration_AcceptedLineAdditions DocGeneration_AcceptedLineUpdates DocGeneration_EventCount
    DocGeneration_RejectedFileCreations DocGeneration_RejectedFileUpdates
    DocGeneration_RejectedLineAdditions DocGeneration_RejectedLineUpdates
    InlineChat_AcceptanceEventCount InlineChat_AcceptedLineAdditions
    InlineChat_AcceptedLineDeletions InlineChat_DismissalEventCount
    InlineChat_DismissedLineAdditions InlineChat_DismissedLineDeletions
    InlineChat_RejectedLineAdditions InlineChat_RejectedLineDeletions
    InlineChat_RejectionEventCount InlineChat_TotalEventCount Inline_AICodeLines
    Inline_AcceptanceCount Inline_SuggestionsCount TestGeneration_AcceptedLines
    TestGeneration_AcceptedTests TestGeneration_EventCount TestGeneration_GeneratedLines
    TestGeneration_GeneratedTests Transformation_EventCount Transformation_LinesGenerated
    Transformation_LinesIngested
"""

ACTIVITY_COLUMNS: tuple[str, ...] = tuple(_COLUMNS.split())
"""The columns of by_user_analytic after UserId and Date, in AWS's order (2026-11)."""

ACTIVITIES: tuple[str, ...] = tuple(activity_of(column) for column in ACTIVITY_COLUMNS)
"""What they count."""
