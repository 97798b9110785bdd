"""What the reader chooses at the top of a dashboard.

`All` is any value or none (`.*`), so that a dashboard works where `metrics.labels` leaves a label
out.
"""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from exporter.metrics import LIMIT_RATIO, REQUESTS_MONTH, Metric
from grafana.generator.promql import chosen

DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")

_LABELS = {
    "account_id": "Account",
    "region": "Region",
    "application": "Application",
    "user": "User",
    "model": "Model",
    "product": "Product",
    "limit": "Limit",
}


def data_source() -> build.DatasourceVariable:
    """Choose the Prometheus server."""
    return build.DatasourceVariable("datasource").label("Data source").type("prometheus")


def choices(*labels: str, of: tuple[Metric, ...] = (REQUESTS_MONTH,)) -> list[build.QueryVariable]:
    """Choose values of labels that one of the metrics has.

    Each offers what the choices before it leave.
    """
    return [
        _choice(label, f"label_values({_series(of, labels[:place])}, {label})")
        for place, label in enumerate(labels)
    ]


def limit_choices() -> list[build.QueryVariable]:
    """Choose among limits: the product and the limit's name."""
    name = LIMIT_RATIO.name
    return [
        _choice("product", f"label_values({name}, product)"),
        _choice("limit", f'label_values({name}{{product=~"$product"}}, limit)'),
    ]


def at_first(choice: build.QueryVariable, value: str) -> build.QueryVariable:
    """Open with one value chosen; where it is none that there is, Grafana takes All."""
    return choice.current(model.VariableOption(text=[value], value=[value]))


def _choice(label: str, query: str) -> build.QueryVariable:
    return (
        build.QueryVariable(label)
        .label(_LABELS[label])
        .datasource(DATASOURCE)
        .query(query)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(model.VariableOption(text="All", value="$__all"))
    )


def _series(metrics: tuple[Metric, ...], labels: tuple[str, ...]) -> str:
    if len(metrics) == 1:
        name, where = metrics[0].name, chosen(*labels)
    else:
        names = "|".join(metric.name for metric in metrics)
        name, where = "", (f'__name__=~"{names}"', *chosen(*labels))
    return name + ("{" + ", ".join(where) + "}" if where else "")
