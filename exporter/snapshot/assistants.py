"""The part of a snapshot that speaks of developer assistants: builder.py's counterpart to usage."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from exporter.assistant_usage import Asker, PromptSum
from exporter.config import Config
from exporter.interpretation.assistant_users import AssistantUsers
from exporter.interpretation.names import Names
from exporter.interpretation.prices import PriceBook
from exporter.interpretation.prompts import attribute
from exporter.ledger import AssistantReader, NewPrompts
from exporter.metrics import Family
from exporter.snapshot.assistant_counters import assistant_counters_at_zero, count_prompts
from exporter.snapshot.assistant_families import assistant_families
from exporter.snapshot.assistant_figures import AssistantFigures, AssistantInterpreter
from exporter.snapshot.assistant_history import AssistantHistory
from exporter.snapshot.counters import Counters
from exporter.snapshot.exposure import Exposure


class Assistants:
    """Developer assistants under one configuration, and under the names that AWS told."""

    def __init__(
        self, settings: Config, ledger: AssistantReader, book: PriceBook, names: Names
    ) -> None:
        self._settings = settings
        self._users = AssistantUsers(settings.assistants.users, names)
        self._history = AssistantHistory(ledger, self._users.name_of, settings.timezone)
        self._interpreter = AssistantInterpreter(settings, book, self._users)

    def figures(self, now: datetime) -> AssistantFigures:
        """Return all that is known as of `now`."""
        return self._interpreter.figures(self._history.usage(now), now)

    def gauges(self, figures: AssistantFigures, exposure: Exposure) -> list[Family]:
        """Return the gauges, as exposed."""
        window = self._settings.assistants.context_window_tokens
        return assistant_families(figures, exposure, window)

    def counters_at_zero(self, figures: AssistantFigures, exposure: Exposure) -> list[Family]:
        """Return the counters that there are, as exposed."""
        return assistant_counters_at_zero(figures.usage, exposure)

    def count(self, counters: Counters, new: NewPrompts, exposure: Exposure) -> None:
        """Count what was newly taken."""
        sums: dict[Asker, PromptSum] = {}
        for (slot, asker), counts in new.items():
            added = PromptSum(slot, counts)
            sums[asker] = sums[asker].plus(added) if asker in sums else added
        count_prompts(counters, attribute(sums, self._users.name_of), exposure)


def users_of(figures: AssistantFigures) -> Iterator[str]:
    """Yield every user of this month; one may come more than once."""
    yield from (group.labels.user for group in figures.usage.month)
    yield from (key.user for key in figures.reports.activity.users)
    yield from (key.labels.user for key in figures.reports.kiro.idle_days)


def virtual_cost_by_user(figures: AssistantFigures) -> Iterator[tuple[str, Decimal]]:
    """Yield what each user's tokens would have cost, by which users are ranked."""
    yield from ((key.user, valued.cost_usd) for key, valued in figures.virtual_cost.items())
