"""The golden exposition: a small ledger at a fixed moment, as exactly this text in both formats.

A change of these files is a change of the product's public interface: look at the difference as at
code. `python tests/test_golden.py` writes them anew.
"""

import subprocess
import tempfile
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from assistant_builders import BOB, TODAY, activity, asker, credits, prompt, report
from exporter import exposition, metrics
from exporter.assistant_usage import Product, RequestKind
from exporter.metrics import CATALOGUE
from exporter.snapshot import Snapshot
from exporter.status import AwsSpend, SourceStatus
from snapshots import HAIKU, UNKNOWN_MODEL, Exporter, used, utc

GOLDEN = Path(__file__).with_name("golden")
NOW = utc("2026-11-20T09:30")  # 15:15 in Kathmandu
DAY = timedelta(days=1)
SONNET_4_5 = "anthropic.claude-sonnet-4-5-20250929-v1:0"

SECTIONS = {
    "timezone": "Asia/Kathmandu",
    "attribution": {
        "applications": {
            "Shop": {"team": "sales", "cost_center": "CC-1", "owner": "shop@example.com"}
        }
    },
    "prices": {
        "overrides": [
            {
                "model": HAIKU,
                "region": "eu-central-1",
                "effective_from": "2026-11-10",
                "usd_per_million_tokens": {"input": "0.20", "output": "1.00"},
            }
        ]
    },
    "limits": [
        {
            "name": "shop-budget",
            "match": {"application": "Shop"},
            "measure": "cost_usd",
            "period": "month",
            "threshold": 50,
        },
        {
            "name": "tokens-per-user",
            "by": ["user"],
            "measure": "tokens",
            "period": "day",
            "threshold": 100_000,
        },
    ],
}

HISTORY = [
    used(utc("2026-10-10T12:00"), requests=40, input=120_000, output=30_000),
    used(utc("2026-10-31T18:15"), requests=1, input=1_000),  # November has begun in Kathmandu
    used(NOW - 8 * DAY, "bob", model=HAIKU, region="eu-central-1", requests=9, input=9_000),
    used(
        NOW - DAY,
        model=f"us.{SONNET_4_5}",
        requests=3,
        input=2_500,
        output=700,
        cache_read=60_000,
        cache_write_5m=8_000,
        cache_write_1h=4_000,
        cache_write_unsplit=500,
    ),
    used(NOW - DAY, 'eve "\\\n<b>é</b>', application="Späti", input=5, output=5),
    used(NOW, requests=23, input=506, output=4_576),
    used(NOW, model=UNKNOWN_MODEL, requests=2, input=77, output=7),
    used(NOW, "bob", model=HAIKU, outcome="ThrottlingException", requests=4, input=50),
]
PROMPTS = [
    prompt(3_000, 900, at=NOW - DAY, conversation=7),
    prompt(47_000, 1_100, at=NOW, conversation=7),
    prompt(600, 40, at=NOW, who=asker(kind=RequestKind.INLINE)),
    prompt(250, 0, at=NOW - DAY, who=asker(BOB, RequestKind.DEV)),
    prompt(9_000, 2_000, at=NOW, who=asker(BOB, product=Product.KIRO)),
]
NEWLY_ASKED = [prompt(100, 10, at=NOW)]
REPORTS = [
    report(
        activity(
            TODAY - day * DAY,
            chat_messages_sent=events,
            inline_suggestions_count=day,
            dev_generation_event_count=5,
        ),
        folder_day=TODAY - day * DAY,
    )
    for day, events in enumerate([40, 10, 12, 8])
]
CREDITS = [
    report(
        credits("800.25", overage="12.5", messages=[("auto", 31), ("claude_opus_4.8", 4)]),
        credits("3.1", user=BOB, client_type="KIRO_CLI", tier="PRO_PLUS"),
        folder="KiroLogs/user_report",
        series="user_report",
        source="kiro_reports",
    )
]
NEWLY_READ = [
    used(NOW, requests=2, input=1_000, output=100),
    used(NOW, "bob", model=HAIKU, outcome="ThrottlingException"),
]


def build(folder: Path) -> Snapshot:
    """Build the snapshot of a process that started ten minutes ago."""
    exporter = Exporter(folder, **SECTIONS)
    with closing(exporter.ledger):
        exporter.fill(*HISTORY, newest=NOW)
        exporter.fill_prompts(*PROMPTS)
        exporter.ledger.apply_reports([*REPORTS, *CREDITS])
        exporter.build(NOW - timedelta(minutes=10))
        exporter.take(*NEWLY_READ)
        exporter.take_prompts(*NEWLY_ASKED)
        count_reading(exporter)
        status = SourceStatus(
            "logs",
            "data/logs",
            up=True,
            complete=True,
            backlog_objects=0,
            last_success=NOW,
            last_duration_seconds=0.25,
        )
        exporter.build(NOW - timedelta(minutes=5))
        return exporter.builder.build(
            NOW, [status], AwsSpend({"s3": Decimal("0.0004")}, Decimal(1))
        )


def count_reading(exporter: Exporter) -> None:
    """Count what reading counts."""
    counters = exporter.counters
    counters.add(metrics.LOG_OBJECTS, 12, "logs")
    counters.add(metrics.LOG_BYTES, 34_567, "logs")
    counters.add(metrics.LOG_RECORDS, 89, "logs")
    counters.add(metrics.REJECTED_RECORDS, 1, "logs", "malformed_json")
    counters.add(metrics.SKIPPED_RECORDS, 3, "prompt_logs", "router_turn")
    counters.add(metrics.SOURCE_ERRORS, 2, "logs", "access_denied")
    counters.add(metrics.AWS_REQUESTS, 20, "s3", "ListObjectsV2")
    counters.add(metrics.ATHENA_SCANNED_BYTES, 12_345_678)


def render(snapshot: Snapshot) -> dict[str, bytes]:
    """Return both formats as the web hands them out, without its own live metrics."""
    text, openmetrics = exposition.expose(snapshot.families)
    return {
        "metrics.txt": b"".join(exposition.plain(text, b"")),
        "metrics.openmetrics.txt": b"".join(exposition.plain(openmetrics, exposition.END)),
    }


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return render(build(tmp_path_factory.mktemp("golden")))


@pytest.mark.parametrize("name", ["metrics.txt", "metrics.openmetrics.txt"])
def test_the_exposition_is_exactly_this(rendered: dict[str, bytes], name: str) -> None:
    golden = (GOLDEN / name).read_text(encoding="utf-8").splitlines()
    assert rendered[name].decode().splitlines() == golden


def test_the_exposition_is_the_same_again(rendered: dict[str, bytes], tmp_path: Path) -> None:
    assert render(build(tmp_path)) == rendered


def test_every_family_of_a_snapshot_is_in_it(rendered: dict[str, bytes]) -> None:
    text = rendered["metrics.txt"].decode()
    absent = {name for name in CATALOGUE if f"# HELP {name} " not in text}
    assert absent == {
        "bedrock_exporter_build_info",
        "bedrock_exporter_config_last_reload_successful",
        "bedrock_exporter_config_last_reload_success_timestamp_seconds",
    }


def test_prometheus_s_own_parsers_read_the_same_in_both_formats(
    rendered: dict[str, bytes],
) -> None:
    text = parse_text(rendered["metrics.txt"].decode())
    openmetrics = parse_openmetrics(rendered["metrics.openmetrics.txt"].decode())
    assert [family.samples for family in text] == [family.samples for family in openmetrics]


def test_promtool_has_nothing_to_say(promtool: Path, rendered: dict[str, bytes]) -> None:
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=rendered["metrics.txt"],
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for name, body in render(build(Path(scratch))).items():
            (GOLDEN / name).write_bytes(body)
