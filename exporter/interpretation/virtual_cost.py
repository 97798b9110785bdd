"""What assistants' tokens would have cost at the price of a model, beside what a seat costs."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from exporter.config import Config
from exporter.interpretation import periods
from exporter.interpretation.models import Model, resolve
from exporter.interpretation.prices import PriceBook
from exporter.usage import ServiceTier, TokenKind, slot_start

_MICROSECOND = timedelta(microseconds=1)
_REGION = "us-east-1"
"""Where a price differs by region, that of the first one holds."""


class VirtualPrice:
    """The price of assistants.virtual_cost_model."""

    def __init__(self, settings: Config, book: PriceBook) -> None:
        self._model: Model = resolve(settings.assistants.virtual_cost_model, settings.models)
        self._book = book

    def cost_usd(self, input_tokens: int, output_tokens: int, day: date) -> Decimal | None:
        """Return what tokens cost on a UTC day as short calls; None where the model has no price.

        Logs of assistants tell nothing of caching or of long contexts: every token costs as in a
        standard call of the shortest context.
        """
        prices = self._book.unit_prices(
            self._model.model, _REGION, self._model.routing, ServiceTier.STANDARD, 0, day
        )
        try:
            return (
                input_tokens * prices[TokenKind.INPUT].usd_per_token
                + output_tokens * prices[TokenKind.OUTPUT].usd_per_token
            )
        except KeyError:
            return None


def subscription_usd(usd_a_month: Decimal, now: datetime, zone: ZoneInfo) -> Decimal:
    """Return the part of a month's price that falls to what of the month is over."""
    month = periods.this_month(now, zone)
    start, end = slot_start(month.start), slot_start(month.end)
    return usd_a_month * ((now - start) // _MICROSECOND) / ((end - start) // _MICROSECOND)
