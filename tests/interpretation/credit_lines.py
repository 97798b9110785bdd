"""Lines of Kiro's user reports, for the tests that interpret them."""

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from exporter.assistant_usage import Credits, Reported

ACCOUNT = "111122223333"


def credit_line(
    day: date | str,
    used: object = 0,
    *,
    user: str = "alice",
    tier: str = "PRO",
    client: str = "KIRO_IDE",
    account: str = ACCOUNT,
    region: str = "us-east-1",
    overage: object = 0,
    overage_enabled: bool = False,
    limit: object = None,
    messages: dict[str, int] | None = None,
) -> Reported:
    """One line; what it does not name is nothing."""
    by_model = messages or {}
    row = Credits(
        day=date.fromisoformat(day) if isinstance(day, str) else day,
        user=user,
        client_type=client,
        tier=tier,
        used=Decimal(str(used)),
        overage=Decimal(str(overage)),
        overage_enabled=overage_enabled,
        overage_cap=None,
        usage_limit=None if limit is None else Decimal(str(limit)),
        conversations=0,
        messages=sum(by_model.values()),
        messages_by_model=tuple(sorted(by_model.items())),
    )
    return Reported(account, region, row)


some_credit_lines = st.lists(
    st.builds(
        credit_line,
        day=st.dates(date(2026, 9, 25), date(2026, 11, 22)),
        used=st.decimals(0, 100_000, places=17),
        user=st.sampled_from(["alice", "bob"]),
        tier=st.sampled_from(["PRO", "PRO_PLUS", "POWER"]),
        client=st.sampled_from(["KIRO_IDE", "KIRO_CLI"]),
        account=st.sampled_from([ACCOUNT, "444455556666"]),
        region=st.sampled_from(["us-east-1", "eu-west-1"]),
        overage=st.decimals(0, 100, places=17),
        overage_enabled=st.booleans(),
        limit=st.sampled_from([None, 1000, 2000]),
        messages=st.dictionaries(st.sampled_from(["auto", "claude_opus_4.8"]), st.integers(1, 99)),
    ),
    max_size=20,
    unique_by=lambda each: (each[:2], each.row[:3]),
)
"""One line for each account, region, day, user and client, with credits as exact as reported."""
