"""Lines of Kiro's user_report: what one user spent on one day with one client, in credits.

Columns are read by their names, for they change: Usage_Limit came in September 2026, and there is a
<model>_messages for each model that somebody used. Of text, the tier and the client are kept, made
of words that AWS uses; a cell that is neither may name a person, and shows empty. E-mail addresses
and profiles are not read.

Format: https://kiro.dev/docs/enterprise/monitor-and-track/user-activity/
"""

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal, localcontext

from exporter.assistant_usage import Credits
from exporter.sources.rejection import Rejection
from exporter.sources.report_cells import Columns, parse_boolean, parse_count, parse_decimal
from exporter.sources.report_dates import UNDATED
from exporter.sources.report_name import client_in_name
from exporter.usage import LogObject

REQUIRED = ("UserId", "Date", "Credits_Used")
"""Without the last, a report would say that nobody spent anything."""

_EXACT_DIGITS = 60
"""Of a sum; Python's default of 28 would round one of cells of 17 digits each."""
_MODEL = re.compile(r"([a-z0-9][a-z0-9._:-]{0,63})_messages")
_OF_ALL_MODELS = "total"
_MOST_MODELS = 64
_CLIENT_TYPE = re.compile(r"KIRO_[A-Z]{2,16}|PLUGIN")
_WRITTEN_TIER = re.compile(r"[A-Za-z][A-Za-z0-9_+ -]{0,31}")
_TIER_WORDS = (
    "BASIC|BUSINESS|ENTERPRISE|FREE|LITE|PLUS|POWER|PREMIUM|PRO|STANDARD|STARTER|STUDENT|TEAM|TRIAL"
    "|ULTRA"
)
_TIER = re.compile(rf"(?:KIRO_)?(?:{_TIER_WORDS})(?:_(?:{_TIER_WORDS}|MAX|[0-9]{{1,4}})){{0,3}}")
"""As AWS may name one tomorrow. Max alone is a person's name, and a cell may stand in a wrong
column."""
_WORD_END = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TIERS = {"PROPLUS": "PRO_PLUS", "PROMAX": "PRO_MAX"}


class CreditRows:
    """Reads the lines below one header."""

    def __init__(self, columns: Columns, unit: LogObject) -> None:
        self._columns = columns
        self._client_type = _client_type(client_in_name(unit))
        self._models = _models(columns)

    def read(self, cells: Sequence[str], user: str) -> Credits | Rejection:
        """Return what a user spent, UNDATED. A cell that should count and is no number rejects."""
        used = self._credits(cells, "Credits_Used")
        overage = self._credits(cells, "Overage_Credits_Used")
        conversations = parse_count(self._text(cells, "Chat_Conversations"))
        messages = parse_count(self._text(cells, "Total_Messages"))
        by_model = self._messages_by_model(cells)
        if used is None or overage is None:
            return Rejection.INVALID_COUNT
        if conversations is None or messages is None or by_model is None:
            return Rejection.INVALID_COUNT
        overage_enabled = parse_boolean(self._text(cells, "Overage_Enabled"))
        if overage_enabled is None:
            return Rejection.MALFORMED_ROW
        return Credits(
            day=UNDATED,
            user=user,
            # AWS writes a report a client: without that, lines of two would be taken for one.
            client_type=_client_type(self._text(cells, "Client_Type")) or self._client_type,
            tier=_tier(self._text(cells, "Subscription_Tier")),
            used=used,
            overage=overage,
            overage_enabled=overage_enabled,
            # These are told for information: a word in place of a number costs no credits.
            overage_cap=self._stated(cells, "Overage_Cap"),
            usage_limit=self._stated(cells, "Usage_Limit"),
            conversations=conversations,
            # Where the column is missing, the messages of all models are all of them.
            messages=messages or sum(count for _, count in by_model),
            messages_by_model=by_model,
        )

    def _text(self, cells: Sequence[str], column: str) -> str:
        return self._columns.text(cells, column)

    def _credits(self, cells: Sequence[str], column: str) -> Decimal | None:
        return parse_decimal(self._text(cells, column))

    def _stated(self, cells: Sequence[str], column: str) -> Decimal | None:
        """Return the number in a cell that may be empty."""
        return self._credits(cells, column) if self._text(cells, column) else None

    def _messages_by_model(self, cells: Sequence[str]) -> tuple[tuple[str, int], ...] | None:
        """Return what the columns of models count; None if a cell of one is no count."""
        messages: list[tuple[str, int]] = []
        for model, column in self._models:
            count = parse_count(self._text(cells, column))
            if count is None:
                return None
            if count:
                messages.append((model, count))
        return tuple(messages)


def sum_credits(rows: Sequence[Credits]) -> Credits:
    """Return what users, of whom nobody may know which, spent on one day together.

    Tiers, limits and caps are single users', and hold for none of them.
    """
    by_model: Counter[str] = Counter()
    for row in rows:
        by_model.update(dict(row.messages_by_model))
    with localcontext(prec=_EXACT_DIGITS):
        used = sum((row.used for row in rows), Decimal(0))
        overage = sum((row.overage for row in rows), Decimal(0))
    return rows[0]._replace(
        tier="",
        used=used,
        overage=overage,
        overage_enabled=any(row.overage_enabled for row in rows),
        overage_cap=None,
        usage_limit=None,
        conversations=sum(row.conversations for row in rows),
        messages=sum(row.messages for row in rows),
        messages_by_model=tuple(sorted(by_model.items())),
    )


def _models(columns: Columns) -> list[tuple[str, str]]:
    """Return each model that has a column, sorted, and the name of that; the first so many."""
    named = {name.casefold() for _, name in columns}
    matches = [match for name in named if (match := _MODEL.fullmatch(name))]
    models = sorted((match[1], match[0]) for match in matches if match[1] != _OF_ALL_MODELS)
    return models[:_MOST_MODELS]


def _client_type(text: str) -> str:
    text = text.upper()
    return text if _CLIENT_TYPE.fullmatch(text) else ""


def _tier(text: str) -> str:
    """Return ProMax, PRO_MAX and Pro Max as PRO_MAX; nothing for what is no name of a tier."""
    if not _WRITTEN_TIER.fullmatch(text):
        return ""
    words = _WORD_END.sub(" ", text).replace("+", " PLUS").upper()
    tier = "_".join(re.findall("[A-Z0-9]+", words))
    tier = _TIERS.get(tier, tier)
    return tier if _TIER.fullmatch(tier) else ""
