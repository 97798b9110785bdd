"""The dashboard of the exporter itself: its sources, freshness, errors, size and own cost."""

from exporter import metrics
from exporter.metrics import Metric
from grafana.generator.layout import Page, Placed, Question
from grafana.generator.panels import (
    AGO,
    BAD_ABOVE_ZERO,
    BYTES,
    COUNT,
    GOOD_AT_ONE,
    GREEN,
    NEAR_AND_REACHED,
    ORANGE,
    RED,
    SECONDS,
    SHARE,
    USD,
    Column,
    Key,
    Series,
    bars,
    figure,
    lines,
    listing,
)
from grafana.generator.promql import (
    each,
    over_range,
    per_interval,
    ratio,
    total,
    zero_where,
)
from grafana.generator.trust import age_in_refreshes, newest_records
from grafana.generator.variables import data_source

_SOURCE = Key("source", "Source")
_NOT_YET = "No source was read yet"
_NO_ATHENA = "No source asks Athena"
_NONE_OF_A_SOURCE = Series(zero_where(metrics.SOURCE_UP, by="source"), "{{source}}: none")
"""Shows that there was none where the exporter is up, and nothing where it is not."""


def exporter_health() -> Page:
    """Return the dashboard."""
    return Page(
        uid="bedrock-exporter",
        title="Bedrock / Exporter",
        description="Whether the exporter reads all it should, how fresh that is, what it costs.",
        variables=[data_source()],
        questions=[
            Question("Is it well?", _state()),
            Question("Is every source read, and how fresh is it?", _sources()),
            Question("What was read, and what was refused?", _reading()),
            Question("How large is it, and what does it ask of AWS?", _size()),
            Question("What does it cost?", _cost()),
        ],
        since="now-24h",
    )


def _state() -> list[Placed]:
    build = metrics.BUILD_INFO.name
    spent = f"({total(metrics.AWS_COST_TODAY)} or vector(0))"
    figures = [
        figure(
            "Exporters",
            "Exporters that answer; more than one while one replaces another.",
            f"count({build}) or vector(0)",
            COUNT,
            steps=GOOD_AT_ONE,
        ),
        figure(
            "Sources failing",
            "Sources whose last refresh had an error; their earlier data stays.",
            f"count({each(metrics.SOURCE_UP)} == 0) or 0 * count({each(metrics.SOURCE_UP)})",
            COUNT,
            steps=BAD_ABOVE_ZERO,
            no_data=_NOT_YET,
        ),
        figure(
            "Age in refreshes",
            "Age of the data of the source that lags most, in refresh intervals; stale from 2 on.",
            age_in_refreshes(),
            COUNT,
            decimals=1,
            steps=((None, GREEN), (1.5, ORANGE), (2, RED)),
            no_data=_NOT_YET,
        ),
        figure(
            "Configuration",
            "Whether the configuration file was valid when it was last loaded.",
            f"min({each(metrics.CONFIG_LAST_RELOAD_SUCCESSFUL)})",
            COUNT,
            steps=GOOD_AT_ONE,
            words={"1": "Loaded", "0": "Refused"},
        ),
        figure(
            "Own AWS cost",
            "What the exporter's own requests cost this UTC day, of its daily ceiling.",
            ratio(spent, f"max({each(metrics.AWS_COST_CEILING)})"),
            SHARE,
            decimals=1,
            steps=NEAR_AND_REACHED,
        ),
        figure(
            "Users folded",
            "Users summed under `other`, so that metrics.max_series holds.",
            f"max({each(metrics.FOLDED_USERS)})",
            COUNT,
            steps=((None, GREEN), (1, ORANGE)),
        ),
    ]
    versions = listing(
        "Versions",
        "What runs, and when its configuration was loaded.",
        [Key("version", "Version"), Key("pythonversion", "Python")],
        [
            Column("Exporters", f"count by ({_VERSIONS}) ({build})", COUNT, width=100),
            Column("Configured", _ago(_CONFIGURED), AGO, width=150),
        ],
        sort="Version",
    )
    return [*(Placed(one, 4, 4) for one in figures), Placed(versions, 24, 4)]


_VERSIONS = "version, pythonversion"
_CONFIGURED = (
    f"{metrics.CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP_SECONDS.name} "
    f"* ignoring ({_VERSIONS}) group_left ({_VERSIONS}) {metrics.BUILD_INFO.name}"
)


def _ago(seconds: str) -> str:
    """Turn a moment in seconds into milliseconds, which Grafana takes."""
    return f"1000 * max by ({_VERSIONS}) ({seconds})"


def _sources() -> list[Placed]:
    def by_source(metric: Metric) -> str:
        return f"max by (source) ({each(metric)})"

    return [
        Placed(
            listing(
                "Sources",
                "How every source did at its last refresh.",
                [_SOURCE],
                [
                    Column("Up", by_source(metrics.SOURCE_UP), COUNT, steps=GOOD_AT_ONE, width=50),
                    Column(
                        "Complete",
                        by_source(metrics.SOURCE_COMPLETE),
                        COUNT,
                        steps=((None, ORANGE), (1, GREEN)),
                        width=80,
                    ),
                    Column("Backlog", by_source(metrics.SOURCE_BACKLOG), COUNT, width=70),
                    Column(
                        "Last success",
                        f"1000 * {by_source(metrics.SOURCE_LAST_SUCCESS)}",
                        AGO,
                        width=145,
                    ),
                    Column(
                        "Took", by_source(metrics.SOURCE_DURATION), SECONDS, decimals=2, width=80
                    ),
                ],
                sort="Source",
                descending=False,
                no_data=_NOT_YET,
            ),
            12,
            8,
        ),
        Placed(
            newest_records(
                "Of each account and region; an old one may mean that nobody calls a model there."
            ),
            12,
            8,
        ),
        Placed(
            lines(
                "Backlog",
                "Log objects that are listed and not yet read; a catch-up drains it.",
                [Series(f"max by (source) ({each(metrics.SOURCE_BACKLOG)})", "{{source}}")],
                COUNT,
                no_data=_NOT_YET,
            ),
            12,
            7,
        ),
        Placed(
            bars(
                "Errors of sources",
                "Failures to list or read, by reason; each is tried again at the next refresh.",
                [
                    Series(
                        per_interval(metrics.SOURCE_ERRORS, by="source, reason"),
                        "{{source}}: {{reason}}",
                    ),
                    _NONE_OF_A_SOURCE,
                ],
                COUNT,
                decimals=0,
                interval="5m",
                no_data=_NOT_YET,
            ),
            12,
            7,
        ),
    ]


def _reading() -> list[Placed]:
    def read(title: str, description: str, metric: Metric, unit: str) -> Placed:
        panel = bars(
            title,
            description,
            [Series(per_interval(metric, by="source"), "{{source}}")],
            unit,
            decimals=0,
            interval="5m",
            no_data="Nothing was read in this range",
        )
        return Placed(panel, 8, 7)

    rejected = per_interval(metrics.REJECTED_RECORDS, by="source, reason")
    skipped = per_interval(metrics.SKIPPED_RECORDS, by="source, reason")
    return [
        read("Records read", "Log records that were taken.", metrics.LOG_RECORDS, COUNT),
        read("Log objects read", "Log objects, each read once.", metrics.LOG_OBJECTS, COUNT),
        read("Bytes read", "JSON read, after decompression.", metrics.LOG_BYTES, BYTES),
        Placed(
            bars(
                "Rejected",
                "Log records, or whole objects, that were not taken, by the reason.",
                [Series(rejected, "{{source}}: {{reason}}"), _NONE_OF_A_SOURCE],
                COUNT,
                decimals=0,
                interval="5m",
                no_data=_NOT_YET,
            ),
            12,
            6,
        ),
        Placed(
            bars(
                "Skipped",
                "Log records that are sound and no usage, such as Kiro's own routing of a prompt.",
                [Series(skipped, "{{source}}: {{reason}}"), _NONE_OF_A_SOURCE],
                COUNT,
                decimals=0,
                interval="5m",
                no_data=_NOT_YET,
            ),
            12,
            6,
        ),
    ]


def _size() -> list[Placed]:
    requests = per_interval(metrics.AWS_REQUESTS, by="aws_service, operation")
    none = Series(zero_where(metrics.AWS_COST_CEILING), "none")
    return [
        Placed(
            lines(
                "Series",
                "Series of the last snapshot; metrics.max_series bounds them.",
                [Series(f"max({each(metrics.SERIES)})", "series")],
                COUNT,
            ),
            12,
            7,
        ),
        Placed(
            bars(
                "Requests to AWS",
                "The exporter's own requests, retries included; none where it reads a folder.",
                [Series(requests, "{{aws_service}} {{operation}}"), none],
                COUNT,
                decimals=0,
                interval="5m",
            ),
            12,
            7,
        ),
    ]


def _cost() -> list[Placed]:
    scanned = per_interval(metrics.ATHENA_SCANNED_BYTES)
    per_byte = ratio(over_range(metrics.ATHENA_SCANNED_BYTES), over_range(metrics.LOG_BYTES))
    return [
        Placed(
            lines(
                "Own AWS cost today",
                "What requests and queries cost this UTC day, at list prices, and where they stop.",
                [
                    Series(total(metrics.AWS_COST_TODAY, by="aws_service"), "{{aws_service}}"),
                    Series(f"max({each(metrics.AWS_COST_CEILING)})", "ceiling"),
                ],
                USD,
                decimals=2,
            ),
            10,
            7,
        ),
        Placed(
            bars(
                "Scanned by Athena a day",
                "Bytes that its queries scanned, compressed as they lie; Athena bills these.",
                [Series(scanned, "scanned")],
                BYTES,
                interval="1d",
                no_data=_NO_ATHENA,
            ),
            8,
            7,
        ),
        Placed(
            figure(
                "Scanned per byte of JSON",
                "Compressed bytes scanned for one of JSON read; rises if logs are scanned again.",
                per_byte,
                COUNT,
                decimals=2,
                no_data=_NO_ATHENA,
            ),
            6,
            7,
        ),
    ]
