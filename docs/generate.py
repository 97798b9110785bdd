"""Writes docs/metrics.md from the catalogue; a test fails while the two disagree."""

from pathlib import Path

from exporter.metrics import CATALOGUE, Metric

TARGET = Path(__file__).with_name("metrics.md")

_INTRODUCTION = """# Metrics

<!-- Written by docs/generate.py from exporter/metrics.py. Run `make docs` after a change there. -->

Counters end in `_total`; a ratio of 1 is 100 % and may be exceeded; money is in US dollars; today,
week and month are those of the configured time zone. No sample carries a timestamp.

**Gauges are exact.** They hold the calendar period's figures whatever restarts or late logs there
were; a label set that was seen this month stays until the month ends. Use them for money, budgets
and alerts.

**Counters are for rates.** They count what the running exporter newly read, so a catch-up after an
outage, or a location added later, is a spike, and they begin at 0 with every start. A new series
stands at 0 for `metrics.counter_birth` before it rises, so that `increase()` loses nothing.

`metrics.labels` chooses which of `account_id`, `region`, `application`, `user` and `model` usage
has; leaving one out sums over it. An unknown application or user is `unknown`; users past
`metrics.max_series` are summed under `other`. Limits do not add up: their units differ by
`measure`.

`token_kind` is `input`, `output`, `cache_read`, `cache_write` or `cache_write_1h`; the kinds never
overlap. `routing` is `in_region`, `geo` or `global`. `provenance` says where a price comes from:
`list`, `override` or `derived` ([prices](prices.md)).
"""

_SECTIONS = (
    ("bedrock_exporter_", "The exporter itself"),
    ("usage_limit_", "Limits"),
    ("bedrock_", "Bedrock usage and cost"),
)


def render() -> str:
    """Return the text of docs/metrics.md."""
    by_title: dict[str, list[Metric]] = {title: [] for _, title in reversed(_SECTIONS)}
    for metric in CATALOGUE.values():
        title = next(title for prefix, title in _SECTIONS if metric.name.startswith(prefix))
        by_title[title].append(metric)
    parts = [_INTRODUCTION]
    for title, metrics in by_title.items():
        rows = "\n".join(_row(metric) for metric in metrics)
        parts.append(
            f"## {title}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n{rows}\n"
        )
    return "\n".join(parts)


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.type} | {labels} | {metric.help} |"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
