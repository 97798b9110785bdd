"""Small facts of developer assistants for tests: prompts, report lines and batches of them."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import count

from exporter.assistant_usage import (
    ALONE,
    Activity,
    Asker,
    Credits,
    Delivery,
    Product,
    Prompt,
    PromptBatch,
    ReportBatch,
    RequestKind,
    Row,
)
from exporter.sources.log_store import hour_of
from exporter.usage import LogObject, slot_of
from usage_builders import ACCOUNT, NOON, REGION

ANN, BOB = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "0c2f5a8e-1111-4222-8333-444455556666"
TODAY = NOON.date()

_numbers = count(1)


def asker(
    user: str = ANN,
    kind: RequestKind = RequestKind.CHAT,
    product: Product = Product.QDEVELOPER,
    account_id: str = ACCOUNT,
) -> Asker:
    return Asker(account_id, REGION, product, user, kind)


def prompt(
    input: int = 100,
    output: int = 10,
    *,
    who: Asker | None = None,
    at: datetime = NOON,
    conversation: int = ALONE,
    digest: int | None = None,
) -> Prompt:
    """One request; another one each time, unless a digest is given."""
    number = next(_numbers) if digest is None else digest
    return Prompt(slot_of(at), number, who or asker(), conversation, input, output)


def prompt_batch(
    *prompts: Prompt, name: str | None = None, source: str = "prompt_logs"
) -> PromptBatch:
    """One log object; another one each time, unless a name is given."""
    slot = max((each.slot for each in prompts), default=slot_of(NOON))
    unit = LogObject(
        prompts[0].asker.account_id if prompts else ACCOUNT,
        REGION,
        slot // 4,
        name or f"QDeveloperLogs/GenerateAssistantResponse/{next(_numbers)}.json.gz",
    )
    return PromptBatch(
        source, unit, prompts, records=len(prompts), bytes=1000, newest=slot * 900 if prompts else 0
    )


def activity(
    day: date = TODAY, user: str = ANN, product: Product = Product.QDEVELOPER, **counts: int
) -> Activity:
    return Activity(day, product, user, tuple(sorted(counts.items())))


def credits(
    used: str = "1.5",
    *,
    day: date = TODAY,
    user: str = ANN,
    client_type: str = "KIRO_IDE",
    tier: str = "PRO",
    overage: str = "0",
    usage_limit: str | None = None,
    messages: Sequence[tuple[str, int]] = (),
) -> Credits:
    return Credits(
        day=day,
        user=user,
        client_type=client_type,
        tier=tier,
        used=Decimal(used),
        overage=Decimal(overage),
        overage_enabled=Decimal(overage) > 0,
        overage_cap=None,
        usage_limit=None if usage_limit is None else Decimal(usage_limit),
        conversations=1,
        messages=sum(number for _, number in messages),
        messages_by_model=tuple(messages),
    )


def report(
    *rows: Row,
    stamp: str = "20261120000000000000",
    folder_day: date = TODAY,
    series: str = "by_user_analytic",
    part: str = "",
    folder: str = "QDeveloperLogs/by_user_analytic",
    account_id: str = ACCOUNT,
    source: str = "activity_reports",
    version: str = "",
    number: str = "",
) -> ReportBatch:
    """One delivered report; the same stamp and another part make another object of it."""
    hour = hour_of(datetime(folder_day.year, folder_day.month, folder_day.day, tzinfo=NOON.tzinfo))
    unit = LogObject(account_id, REGION, hour, f"{folder}/{series}_{stamp}{part}.csv")
    newest = max((row.day for row in rows), default=None)
    return ReportBatch(
        source,
        unit,
        Delivery(series, stamp, number),
        rows,
        records=len(rows),
        bytes=500,
        newest=int(datetime(*newest.timetuple()[:3], tzinfo=NOON.tzinfo).timestamp())
        if newest
        else 0,
        version=version,
    )
