"""What a fact means under one configuration: whose it is, of which model, at which price."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from exporter.config import Application, Config
from exporter.interpretation.attribution import Attribution
from exporter.interpretation.measures import UNKNOWN, Labels, label_text
from exporter.interpretation.models import Model, Routing, UnpricedReason, resolve
from exporter.interpretation.names import Names
from exporter.interpretation.owners import owners
from exporter.interpretation.prices import Price, PriceBook
from exporter.usage import OK, Fact, TokenKind


class ModelPlace(NamedTuple):
    """A model where it is called."""

    account_id: str
    region: str
    model: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """A fact, interpreted."""

    labels: Labels
    place: ModelPlace
    routing: Routing
    unpriced: UnpricedReason | None
    """Why the fact has no price at all; None where it has one."""
    error_code: str | None
    """Of a call that failed; its tokens are no usage."""
    service_tier: str
    context_from: int


class Interpreter:
    """Interprets facts; one is made for each configuration, and anew when AWS told of names."""

    def __init__(self, settings: Config, book: PriceBook, names: Names | None = None) -> None:
        self._names = names or Names()
        self._attribution = Attribution(settings.attribution, self._names)
        self._applications = settings.attribution.applications
        self._role_tags = settings.aws.lookups.role_tags
        self._aliases = settings.models
        self._book = book

    @property
    def change_days(self) -> frozenset[date]:
        """Return the UTC days on which some price changes."""
        return self._book.change_days()

    def interpret(self, fact: Fact) -> Meaning | None:
        """Return what a fact means; None where the filters leave its principal out."""
        attributed = self._attribution.attribute(fact.principal, fact.metadata, fact.model_id)
        if attributed is None:
            return None
        user = label_text(self._names.user_name(attributed.user)) or attributed.user
        model = resolve(fact.model_id, self._aliases, self._names.models_of(fact.model_id))
        account_id, region = label_text(fact.account_id), label_text(fact.region)
        place = ModelPlace(account_id or UNKNOWN, region or UNKNOWN, model.model)
        return Meaning(
            labels=Labels(*place[:2], attributed.application, user, place.model),
            place=place,
            routing=model.routing,
            unpriced=self._unpriced(model),
            error_code=None if fact.outcome == OK else fact.outcome,
            service_tier=fact.service_tier,
            context_from=fact.context_from,
        )

    def applications(self, principals: Iterable[str]) -> dict[str, Application]:
        """Return who answers for applications: as configured, else as the tags of roles say."""
        told = owners(principals, self._attribution, self._names, self._role_tags)
        return told | self._applications

    def _unpriced(self, model: Model) -> UnpricedReason | None:
        if model.unpriced is not None:
            return model.unpriced
        if self._book.billed_otherwise(model.model):
            return UnpricedReason.NOT_TOKEN_BILLED
        return None if self._book.knows(model.model) else UnpricedReason.UNKNOWN_MODEL

    def unit_prices(self, meaning: Meaning, day: date) -> Mapping[TokenKind, Price]:
        """Return what a fact's tokens cost on a UTC day; none, for what is unpriced."""
        if meaning.unpriced is not None:
            return {}
        return self._book.unit_prices(
            meaning.labels.model,
            meaning.labels.region,
            meaning.routing,
            meaning.service_tier,
            meaning.context_from,
            day,
        )
