"""All dashboards, and their JSON."""

import json

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.generator.application import application
from grafana.generator.exporter_health import exporter_health
from grafana.generator.kiro import kiro
from grafana.generator.layout import Page
from grafana.generator.limits import limits
from grafana.generator.models import models
from grafana.generator.overview import overview
from grafana.generator.qdeveloper import qdeveloper
from grafana.generator.user import user

DASHBOARDS: tuple[Page, ...] = (
    overview(),
    application(),
    user(),
    models(),
    qdeveloper(),
    kiro(),
    limits(),
    exporter_health(),
)


def render(page: Page) -> str:
    """Return a dashboard's JSON, its keys sorted so that a difference shows what changed."""
    return json.dumps(page.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
