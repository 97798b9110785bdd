"""The catalogue keeps the rules of Prometheus and of the product, whatever is added to it."""

import re

import pytest

from exporter.metrics import CATALOGUE, Metric, Type
from exporter.usage import LABELS

PREFIXES = ("bedrock_", "usage_limit_", "qdeveloper_", "kiro_")
TARGET_LABELS = {"app", "instance", "job", "pod", "namespace", "service", "env"}
"""Labels that scrape configurations set themselves."""

every_metric = pytest.mark.parametrize("metric", CATALOGUE.values(), ids=lambda metric: metric.name)


@every_metric
def test_a_name_is_the_products_and_its_end_tells_a_counter(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name) and metric.name.startswith(PREFIXES)
    assert metric.name.endswith("_total") == (metric.type is Type.COUNTER)
    assert "hours" not in metric.name  # promtool takes it for a unit


@every_metric
def test_money_says_that_it_is_dollars_and_time_that_it_is_seconds(metric: Metric) -> None:
    if re.search(r"cost|_price|savings|spend", metric.name):
        assert "_usd" in metric.name
    if "_usd" in metric.name:
        assert "US dollars" in metric.help
    if re.search(r"timestamp|duration", metric.name):
        assert metric.name.endswith("_seconds")


@every_metric
def test_labels_are_plain_and_none_stands_twice_or_is_the_targets(metric: Metric) -> None:
    assert len(set(metric.labels)) == len(metric.labels)
    assert not set(metric.labels) & {*TARGET_LABELS, "le", "quantile", "type"}
    assert all(re.fullmatch(r"[a-z][a-z_]*", label) for label in metric.labels)


@every_metric
def test_a_help_text_is_whole_sentences_on_one_line(metric: Metric) -> None:
    assert re.fullmatch(r"[A-Z1].{10,250}\.", metric.help)


def test_the_labels_of_usage_stand_in_their_order_wherever_all_of_them_stand() -> None:
    full = [metric for metric in CATALOGUE.values() if set(LABELS) <= set(metric.labels)]
    assert len(full) > 10
    for metric in full:
        assert tuple(label for label in metric.labels if label in LABELS) == LABELS
