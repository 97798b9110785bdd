"""What an assistant's tokens would have cost, beside what its seat costs."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from exporter.config import Config
from exporter.interpretation.prices import PriceBook
from exporter.interpretation.virtual_cost import VirtualPrice, subscription_usd

UTC_ZONE = ZoneInfo("UTC")
DAY = date(2026, 11, 20)


def price(**assistants):
    sources = [{"type": "prompt_logs", "location": "logs"}]
    settings = Config.model_validate({"sources": sources, "assistants": assistants})
    return VirtualPrice(settings, PriceBook.bundled())


def test_four_days_of_one_user_against_the_seat():
    """The case of a team that asked: 54,555 tokens in and 7,502 out in 4 of 30 days."""
    virtual = price().cost_usd(54_555, 7_502, DAY)
    assert virtual == Decimal("0.276195")  # 0.163665 at $3 and 0.112530 at $15 for a million
    seat = subscription_usd(Decimal(19), datetime(2026, 11, 5, tzinfo=UTC), UTC_ZONE)
    assert round(seat, 4) == Decimal("2.5333")
    assert round(seat - virtual, 2) == Decimal("2.26")
    assert round((seat - virtual) / seat * 100, 1) == Decimal("89.1")


@pytest.mark.parametrize(
    ("model", "usd"),
    [
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "18"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "19.8"),
        ("anthropic.claude-3-haiku-20240307-v1:0", "1.5"),
        ("anthropic.claude-sonnet-9-20280101-v1:0", None),
    ],
)
def test_the_price_is_that_of_the_configured_model(model, usd):
    found = price(virtual_cost_model=model).cost_usd(10**6, 10**6, DAY)
    assert found == (None if usd is None else Decimal(usd))


@pytest.mark.parametrize(
    ("now", "zone", "usd"),
    [
        ("2026-11-01T00:00:00+00:00", "UTC", "0"),
        ("2026-11-16T00:00:00+00:00", "UTC", "15"),
        ("2026-11-30T12:00:00+00:00", "UTC", "29.5"),
        ("2026-11-15T23:00:00+00:00", "Europe/Berlin", "15"),
    ],
)
def test_the_seat_costs_in_proportion_to_what_of_the_month_is_over(now, zone, usd):
    found = subscription_usd(Decimal(30), datetime.fromisoformat(now), ZoneInfo(zone))
    assert found == Decimal(usd)
