"""From calls in a log to the message in a channel, and to the end of it, through the real programs.

The exporter, Prometheus under the shipped rules and Alertmanager under the shipped routes run on
loopback. Only intervals are shorter, and receivers have the addresses of the test.
"""

import email
import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

import rules
from alerting import Inbox, Message, filled_in, mail_inbox, running_alertmanager, web_inbox
from tools import ROOT, Prometheus, Service
from usage_builders import Call, write_log

SENT_WITH_EVERY_ALERT = """\
Nothing is blocked, and use goes on. The {period} ends on {end}. Stop or slow what drives it, or \
raise the limit in config.yaml if this use is intended.

Dashboard: http://localhost:3000/d/bedrock-limits
Runbook: docs/runbooks/BedrockUsageLimitReached.md"""


@dataclass(frozen=True)
class Stack:
    """Everything that runs, and where messages arrive."""

    folder: Path
    exporter: Service
    prometheus: Prometheus
    alertmanager: Service
    web: Inbox
    mail: Inbox

    def call(self, *calls: Call) -> None:
        """Let Bedrock log calls."""
        write_log(self.folder / "logs", calls)

    def set_budget(self, usd: str) -> None:
        """Change the configuration, and have the exporter load it again."""
        write_config(self.folder, usd)
        self.exporter.process.send_signal(signal.SIGHUP)

    def notes(self) -> list[dict[str, str]]:
        """What was said in Slack so far."""
        told = [message for message in self.web.messages if message.place == "/slack"]
        return [message.content["attachments"][0] for message in told]

    def wait_for_note(self, title: str) -> dict[str, str]:
        """Wait for a note in Slack with a title."""

        def is_it(message: Message) -> bool:
            return message.place == "/slack" and message.content["attachments"][0]["title"] == title

        found = self.web.wait_for(is_it, log=self.alertmanager.log)
        return dict(found.content["attachments"][0])

    def pages(self, action: str) -> list[str]:
        """What those on call were told so far: of triggers, or of their resolution."""
        told = [one.content for one in list(self.web.messages) if one.place == "/enqueue"]
        return [page["payload"]["summary"] for page in told if page["event_action"] == action]


def noon_zone() -> str:
    """A time zone in which it is about noon, so that no day or month ends while the test runs."""
    hours = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-hours:+d}"  # whose signs are those of POSIX: Etc/GMT-3 is ahead of UTC


def write_config(folder: Path, budget_usd: str) -> Path:
    file = folder / "config.yaml"
    file.write_text(
        json.dumps(
            {
                "timezone": noon_zone(),
                "refresh_interval": "1s",
                "ledger": "ledger.sqlite",
                "sources": [{"type": "invocation_logs", "location": "logs"}],
                "attribution": {
                    "applications": {
                        "CustomerServiceApp": {"team": "customer-care"},
                        "CodeReviewer": {"team": "engineering"},
                    }
                },
                "limits": [
                    {
                        "name": "customer-service-budget",
                        "match": {"application": "CustomerServiceApp"},
                        "measure": "cost_usd",
                        "period": "month",
                        "threshold": budget_usd,
                    },
                    {
                        "name": "daily-tokens-per-user",
                        "match": {"application": "CodeReviewer"},
                        "by": ["user"],
                        "measure": "tokens",
                        "period": "day",
                        "threshold": 1000,
                    },
                ],
            }
        )
    )
    return file


def prometheus_config(folder: Path, exporter: Service, alertmanager: Service) -> dict[str, Any]:
    """The shipped configuration, every second, with labels of the target that many have."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(write_rules(folder))]
    (alerting,) = config["alerting"]["alertmanagers"]
    alerting["static_configs"][0]["targets"] = [alertmanager.url.removeprefix("http://")]
    bedrock = next(job for job in config["scrape_configs"] if job["job_name"] == "bedrock")
    target = exporter.url.removeprefix("http://")
    bedrock["static_configs"] = [{"targets": [target], "labels": {"app": "x", "region": "nowhere"}}]
    return config | {"scrape_configs": [bedrock]}


def write_rules(folder: Path) -> Path:
    """Copy the shipped rules, but with alerts that follow their cause by seconds."""
    copy = folder / "rules"
    shutil.copytree(rules.FOLDER, copy)
    alerts = copy / "alerts.yml"
    text = alerts.read_text()
    for shipped, quick in (
        ("for: 1m\n", "for: 2s\n"),
        ("keep_firing_for: 15m", "keep_firing_for: 4s"),
    ):
        assert shipped in text
        text = text.replace(shipped, quick)
    alerts.write_text(text)
    return copy / "*.yml"


@pytest.fixture
def stack(
    tmp_path: Path,
    alertmanager_binary: Path,
    start_exporter: Callable[..., Service],
    start_prometheus: Callable[[dict[str, Any]], Prometheus],
) -> Iterator[Stack]:
    with web_inbox() as web, mail_inbox() as mail:
        config = filled_in(tmp_path / "secrets", web, mail)
        with running_alertmanager(alertmanager_binary, config, tmp_path / "alertmanager") as told:
            (tmp_path / "logs").mkdir()
            exporter = start_exporter(write_config(tmp_path, "5"))
            prometheus = start_prometheus(prometheus_config(tmp_path, exporter, told))
            yield Stack(tmp_path, exporter, prometheus, told, web, mail)


def calls(count: int, since: int = 0) -> list[Call]:
    """Calls of Claude 3.7 Sonnet at 60 cents each: 30 for the input, 30 for the output."""
    return [
        Call(
            f"call {number}",
            time=datetime.now(UTC),
            application="CustomerServiceApp",
            input=100_000,
            output=20_000,
        )
        for number in range(since, since + count)
    ]


def end_of(period: str, prometheus: Prometheus) -> str:
    """When a period ends, as messages say it."""
    query = f'max(usage_limit_reset_timestamp_seconds{{period="{period}"}})'
    ((_, reset),) = prometheus.query(query)
    return f"{datetime.fromtimestamp(reset, UTC):%Y-%m-%d at %H:%M} UTC"


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_budget_is_near_then_reached_then_raised(stack: Stack) -> None:
    near = "CustomerServiceApp used $4.20 of $5.00 this month (84%): limit customer-service-budget"
    over = "CustomerServiceApp used $5.40 of $5.00 this month (108%): limit customer-service-budget"
    stack.call(*calls(7))
    stack.wait_for_note(near)
    assert stack.pages("trigger") == []  # no reason to wake anybody

    stack.call(*calls(2, since=7))
    note = stack.wait_for_note(over)
    assert note["text"] == SENT_WITH_EVERY_ALERT.format(
        period="month", end=end_of("month", stack.prometheus)
    )
    wait_until(lambda: stack.pages("trigger") == [over])
    ((labels, _),) = stack.prometheus.query('ALERTS{alertname="BedrockUsageLimitReached"}')
    assert labels["team"] == "customer-care"
    assert "region" not in labels  # the exporter's, which is empty, and not the target's
    shown = json.loads(stack.alertmanager.get("/api/v2/alerts").body)
    states = {one["labels"]["alertname"]: one["status"]["state"] for one in shown}
    assert states == {
        "BedrockUsageLimitReached": "active",
        "BedrockUsageLimitNear": "suppressed",
    }
    assert all("grafana_url" not in one["labels"] for one in shown)

    stack.set_budget("100")
    stack.wait_for_note(f"Resolved: {over}")
    wait_until(lambda: stack.pages("resolve") == [f"Resolved: {over}"])
    assert [note["title"] for note in stack.notes()] == [near, over, f"Resolved: {over}"]


def test_fifty_users_over_their_limit_make_one_message(stack: Stack) -> None:
    users = [f"user-{number:02}" for number in range(50)]
    stack.call(
        *(
            Call(user, datetime.now(UTC), user, "CodeReviewer", input=1000, output=100)
            for user in users
        )
    )
    letter = email.message_from_string(stack.mail.wait_for(lambda message: True).body)
    assert letter["Subject"] == "50 alerts BedrockUsageLimitReached, CodeReviewer"
    (part,) = letter.get_payload()
    lines = part.get_payload(decode=True).decode().splitlines()
    assert lines[0] == (
        "- user-00 in CodeReviewer used 1.1k of 1k tokens today (110%): limit daily-tokens-per-user"
    )
    assert lines[10:12] == ["- and others, 50 in all", ""]
    assert "\n".join(lines[12:]) == SENT_WITH_EVERY_ALERT.format(
        period="day", end=end_of("day", stack.prometheus)
    )
    time.sleep(2)  # two groups' intervals, in which more would come
    assert len(stack.mail.messages) == 1
    assert stack.pages("trigger") == ["50 alerts BedrockUsageLimitReached, CodeReviewer"]
