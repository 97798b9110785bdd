"""config.yaml as a frozen, validated value; every mistake named at once, each by its place.

Knows the shape of the file and nothing of what is done with it. `load` is the only way in and
`ConfigError` the only way out for a bad file:

    config.yaml: limits[2].period: 'monthly' is not one of day, week, month
"""

from exporter.config.assistants import Assistants
from exporter.config.aws import Account, Aws
from exporter.config.loading import load
from exporter.config.partitions import partition_of
from exporter.config.schema import (
    CREDIT_MEASURES,
    MEASURES,
    PROMPT_MEASURES,
    Application,
    Attribution,
    Config,
    Limit,
    Measure,
    Metrics,
    Period,
    PriceOverride,
    Prices,
    Privacy,
    Rule,
)
from exporter.config.sources import (
    DEFAULT_USD_PER_TERABYTE,
    MINIMUM_BILLED_BYTES,
    TERABYTE,
    ActivityReports,
    AssistantSource,
    Athena,
    BedrockSource,
    InvocationLogs,
    KiroReports,
    PromptLogs,
    Source,
)
from exporter.config.yaml_file import ConfigError, read_yaml
from exporter.usage import LABELS, Label

__all__ = [
    "CREDIT_MEASURES",
    "DEFAULT_USD_PER_TERABYTE",
    "LABELS",
    "MEASURES",
    "MINIMUM_BILLED_BYTES",
    "PROMPT_MEASURES",
    "TERABYTE",
    "Account",
    "ActivityReports",
    "Application",
    "AssistantSource",
    "Assistants",
    "Athena",
    "Attribution",
    "Aws",
    "BedrockSource",
    "Config",
    "ConfigError",
    "InvocationLogs",
    "KiroReports",
    "Label",
    "Limit",
    "Measure",
    "Metrics",
    "Period",
    "PriceOverride",
    "Prices",
    "Privacy",
    "PromptLogs",
    "Rule",
    "Source",
    "load",
    "partition_of",
    "read_yaml",
]
