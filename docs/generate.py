"""Writes docs/metrics.md from the catalogue and docs/aws-commands.md from the commands.

A test fails while a page and what it is written from disagree.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from exporter.aws_commands import aws
from exporter.metrics import CATALOGUE, Metric

_METRICS = """# Metrics

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
`list`, `override` or `derived` ([prices](prices.md)). `product` is `bedrock`, `qdeveloper` or
`kiro`; figures of [developer assistants](developer-assistants.md) are not part of Bedrock's.
"""

_SECTIONS = (
    ("bedrock_exporter_", "The exporter itself"),
    ("kiro_", "Developer assistants"),
    ("qdeveloper_", "Developer assistants"),
    ("usage_limit_", "Limits"),
    ("bedrock_", "Bedrock usage and cost"),
)


_COMMANDS = """# Commands below `bedrock-exporter aws`

<!-- Written by docs/generate.py from exporter/aws_commands. Run `make docs` after a change. -->

What they are for: [AWS set-up](aws-setup.md), [permissions and checks](aws-permissions.md), the
[testbed](testbed.md). Those that change something print what they will do and ask first.
"""


def render_metrics() -> str:
    """Return the text of docs/metrics.md."""
    by_title: dict[str, list[Metric]] = {title: [] for _, title in reversed(_SECTIONS)}
    for metric in CATALOGUE.values():
        title = next(title for prefix, title in _SECTIONS if metric.name.startswith(prefix))
        by_title[title].append(metric)
    parts = [_METRICS]
    for title, metrics in by_title.items():
        rows = "\n".join(_row(metric) for metric in metrics)
        parts.append(
            f"## {title}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n{rows}\n"
        )
    return "\n".join(parts)


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.type} | {labels} | {metric.help} |"


def render_commands() -> str:
    """Return the text of docs/aws-commands.md."""
    return "\n".join([_COMMANDS, *(_section(name, command) for name, command in _walk("aws", aws))])


def _walk(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for sub_name, sub in command.commands.items():
            yield from _walk(f"{name} {sub_name}", sub)
    else:
        yield name, command


def _section(name: str, command: click.Command) -> str:
    options = [option for option in command.params if isinstance(option, click.Option)]
    arguments = [
        f" {part.make_metavar(click.Context(command))}"
        for part in command.params
        if part not in options
    ]
    rows = "\n".join(map(_flag, options))
    return (
        f"## bedrock-exporter {name}{''.join(arguments)}\n\n{_text(command.help or '')}\n\n"
        f"| flag | default | meaning |\n|---|---|---|\n{rows}\n"
    )


def _flag(option: click.Option) -> str:
    flags = ", ".join(f"`{flag}`" for flag in (*option.opts, *option.secondary_opts))
    record = option.to_info_dict()
    default = record["default"]
    shown = "" if option.is_flag or default in (None, (), []) else f"`{_shown(default)}`"
    more = "; repeatable" if option.multiple else ""
    return f"| {flags} | {shown} | {_text(option.help or '')}{more} |"


def _shown(default: object) -> str:
    return ", ".join(map(str, default)) if isinstance(default, (list, tuple)) else str(default)


def _text(help_text: str) -> str:
    paragraphs = help_text.replace("\b", "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).rstrip(".")


PAGES = {"metrics.md": render_metrics, "aws-commands.md": render_commands}
"""What writes each page."""

if __name__ == "__main__":
    for page, render in PAGES.items():
        Path(__file__).with_name(page).write_text(render(), encoding="utf-8")
