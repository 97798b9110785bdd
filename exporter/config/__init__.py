"""config.yaml as a frozen, validated value; every mistake named at once, each by its place.

Knows the shape of the file and nothing of what is done with it. `load` is the only way in and
`ConfigError` the only way out for a bad file:

    config.yaml: limits[2].period: 'monthly' is not one of day, week, month
"""

from exporter.config.loading import load
from exporter.config.schema import (
    Application,
    Attribution,
    Aws,
    Config,
    InvocationLogs,
    Limit,
    Measure,
    Metrics,
    Period,
    PriceOverride,
    Prices,
    Privacy,
    Rule,
)
from exporter.config.yaml_file import ConfigError, read_yaml
from exporter.usage import LABELS, Label

__all__ = [
    "LABELS",
    "Application",
    "Attribution",
    "Aws",
    "Config",
    "ConfigError",
    "InvocationLogs",
    "Label",
    "Limit",
    "Measure",
    "Metrics",
    "Period",
    "PriceOverride",
    "Prices",
    "Privacy",
    "Rule",
    "load",
    "read_yaml",
]
