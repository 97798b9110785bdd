"""Prompts of developer assistants as counters, as usage_counters.py does for Bedrock."""

from collections import defaultdict

from exporter import metrics
from exporter.interpretation.prompts import Prompts
from exporter.metrics import Family, Metric
from exporter.snapshot.assistant_families import prompt_labels
from exporter.snapshot.assistant_history import AssistantUsage
from exporter.snapshot.counters import Counters
from exporter.snapshot.exposure import Exposure
from exporter.usage import TokenKind

ASSISTANT_COUNTERS = (metrics.QDEVELOPER_REQUESTS, metrics.QDEVELOPER_TOKENS)


def assistant_counters_at_zero(usage: AssistantUsage, exposure: Exposure) -> list[Family]:
    """Return the counters of all who asked in this or the previous month, each at 0."""
    values_of = exposure.values_of(metrics.QDEVELOPER_REQUESTS.labels)
    series: dict[Metric, dict[tuple[str, ...], int]] = defaultdict(dict)
    for prompts in (usage.previous_month, usage.month):
        for group in prompts:
            values = values_of(group.labels) + prompt_labels(group)
            series[metrics.QDEVELOPER_REQUESTS][values] = 0
            for kind in (TokenKind.INPUT, TokenKind.OUTPUT):
                series[metrics.QDEVELOPER_TOKENS][*values, kind] = 0
    return [
        Family(metric, exposure.names(metric.labels), series[metric])
        for metric in ASSISTANT_COUNTERS
    ]


def count_prompts(counters: Counters, prompts: Prompts, exposure: Exposure) -> None:
    """Add newly taken prompts to the counters of their label sets."""
    values_of = exposure.values_of(metrics.QDEVELOPER_REQUESTS.labels)
    for group, (_, counts) in prompts.items():
        values = values_of(group.labels) + prompt_labels(group)
        counters.add(metrics.QDEVELOPER_REQUESTS, counts.requests, *values)
        counters.add(metrics.QDEVELOPER_TOKENS, counts.input, *values, TokenKind.INPUT)
        counters.add(metrics.QDEVELOPER_TOKENS, counts.output, *values, TokenKind.OUTPUT)
