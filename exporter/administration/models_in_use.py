"""Which models are called, by account and region, as the exporter's ledger remembers it.

Only ids that can stand in the ARN of a resource of Bedrock: a log may hold anything for an id.
AWS is not asked.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from exporter.config import Config
from exporter.interpretation.models import Routing, resolve
from exporter.interpretation.names import Names, profile_of
from exporter.ledger import Ledger

InUse = Mapping[tuple[str, str], frozenset[str]]
"""Models by account id and region: ids of foundation models and of system-defined inference
profiles, and ARNs of application inference profiles."""


def models_in_use(config: Config, ledger: Ledger) -> InUse:
    """Return what was called as far back as the ledger goes. Raises LedgerError."""
    names = Names(config.aws.lookups, ledger.lookups())
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for account_id, region, _, model_id in ledger.named_since(0):
        found[account_id, region].update(_called(model_id, config, names))
    return {place: frozenset(models) for place, models in found.items()}


def _called(model_id: str, config: Config, names: Names) -> Iterator[str]:
    """Yield what must be allowed for a call of a model id: a profile, and the model behind it."""
    if profile_of(model_id):
        yield model_id
    resolved = resolve(model_id, config.models, names.models_of(model_id))
    if resolved.unpriced is not None:
        return
    yield resolved.model
    name = model_id.rpartition("/")[2]
    if resolved.routing is not Routing.IN_REGION and resolve(name, {}) == resolved:
        yield name
