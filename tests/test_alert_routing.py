"""A real Alertmanager under the shipped configuration: who is told, how, and in which words."""

import email
import json
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alerting import (
    SHIPPED,
    Inbox,
    Message,
    filled_in,
    mail_inbox,
    post,
    running_alertmanager,
    shipped,
    web_inbox,
)
from tools import ROOT, Service


@pytest.fixture
def web() -> Iterator[Inbox]:
    with web_inbox() as inbox:
        yield inbox


@pytest.fixture
def mail() -> Iterator[Inbox]:
    with mail_inbox() as inbox:
        yield inbox


@pytest.fixture
def alertmanager(
    alertmanager_binary: Path, tmp_path: Path, web: Inbox, mail: Inbox
) -> Iterator[Service]:
    """One in which every receiver is filled in as its comments say."""
    config = filled_in(tmp_path / "secrets", web, mail, wait="500ms")
    with running_alertmanager(alertmanager_binary, config, tmp_path / "alertmanager") as service:
        yield service


def alert(name: str, severity: str, summary: str, **labels: str) -> dict[str, Any]:
    return {
        "labels": {"alertname": name, "severity": severity, "job": "bedrock", **labels},
        "annotations": {
            "summary": summary,
            "description": f"What {name} means.",
            "runbook_url": f"docs/runbooks/{name}.md",
            "dashboard_url": "http://localhost:3000/d/bedrock-limits",
        },
    }


def reached(application: str, team: str, **labels: str) -> dict[str, Any]:
    """An alert that a limit of an application is reached."""
    labels |= {"application": application, "team": team, "limit": "budget", "product": "bedrock"}
    summary = f"{labels.get('user', application)} used it all"
    return alert("BedrockUsageLimitReached", "critical", summary, **labels)


# Whom


def test_amtool_takes_the_configuration(amtool: Path) -> None:
    ran = subprocess.run([amtool, "check-config", SHIPPED], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({"severity": "critical"}, "on-call"),
        ({"severity": "critical", "team": "customer-care"}, "on-call,customer-care"),
        ({"severity": "critical", "team": "without-a-route"}, "on-call"),
        ({"severity": "warning", "team": "engineering"}, "engineering"),
        ({"severity": "info", "team": "customer-care"}, "customer-care"),
        ({"severity": "warning"}, "platform"),
        ({"severity": "info"}, "platform"),
        ({"severity": "warning", "product": "kiro"}, "platform"),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "",
)
def test_an_alert_goes_by_severity_and_team(
    labels: dict[str, str], receivers: str, amtool: Path
) -> None:
    pairs = [f"{name}={value}" for name, value in labels.items()]
    command = [amtool, "config", "routes", "test", f"--config.file={SHIPPED}", *pairs]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == receivers


def test_credentials_are_read_from_files() -> None:
    keys = re.findall(
        r"[\w-]*(?:password|token|key|credentials|api_url)\w*(?=:)", SHIPPED.read_text()
    )
    assert keys
    assert [key for key in keys if not key.endswith("_file")] == []


def test_as_shipped_nobody_is_told_and_the_log_has_no_errors(
    alertmanager_binary: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "alertmanager"
    with running_alertmanager(alertmanager_binary, shipped(wait="100ms"), folder) as service:
        post(service, reached("CustomerServiceApp", "customer-care"))
        time.sleep(1)
        shown = json.loads(service.get("/api/v2/alerts").body)
        assert [one["labels"]["application"] for one in shown] == ["CustomerServiceApp"]
        assert "level=error" not in service.log
        assert "level=warn" not in service.log


# How


def test_a_critical_alert_of_a_team_is_told_to_pagerduty_and_in_slack(
    alertmanager: Service, web: Inbox
) -> None:
    post(alertmanager, reached("CustomerServiceApp", "customer-care"))
    page = web.wait_for(lambda message: message.place == "/enqueue", log=alertmanager.log).content
    assert page["routing_key"] == "the pagerduty-routing-key"
    assert page["event_action"] == "trigger"
    assert page["payload"]["severity"] == "critical"
    assert page["payload"]["summary"] == "CustomerServiceApp used it all"
    note = web.wait_for(lambda message: message.place == "/slack", log=alertmanager.log).content
    assert note["channel"] == "#customer-care-alerts"
    (attachment,) = note["attachments"]
    assert attachment["title"] == "CustomerServiceApp used it all"
    assert attachment["title_link"] == "http://localhost:3000/d/bedrock-limits"
    assert attachment["text"] == (
        "What BedrockUsageLimitReached means.\n"
        "\n"
        "Dashboard: http://localhost:3000/d/bedrock-limits\n"
        "Runbook: docs/runbooks/BedrockUsageLimitReached.md"
    )


def test_fifty_users_over_their_limit_are_one_mail(alertmanager: Service, mail: Inbox) -> None:
    users = [f"user-{number:02}" for number in range(50)]
    post(alertmanager, *(reached("CodeReviewer", "engineering", user=user) for user in users))
    letter = mail.wait_for(lambda message: True, log=alertmanager.log)
    time.sleep(1)
    assert mail.messages == [letter]
    assert letter.place == "developer-tools@example.com"
    parsed = email.message_from_string(letter.body)
    assert parsed["Subject"] == "50 alerts BedrockUsageLimitReached, CodeReviewer"
    lines = text_of(letter).splitlines()
    assert lines[:10] == [f"- {user} used it all" for user in users[:10]]
    assert lines[10:] == [
        "- and others, 50 in all",
        "",
        "What BedrockUsageLimitReached means.",
        "",
        "Dashboard: http://localhost:3000/d/bedrock-limits",
        "Runbook: docs/runbooks/BedrockUsageLimitReached.md",
    ]


def test_users_of_each_assistant_are_a_message_of_their_own(
    alertmanager: Service, mail: Inbox
) -> None:
    labels = {"team": "engineering", "limit": "by-user", "period": "month"}
    post(
        alertmanager,
        *(
            alert("BedrockUsageLimitReached", "warning", "", product=product, user=user, **labels)
            for product in ("qdeveloper", "kiro")
            for user in ("alice", "bob")
        ),
    )
    for assistant in ("Amazon Q Developer", "Kiro"):
        subject = f"Subject: 2 alerts BedrockUsageLimitReached, {assistant}"
        mail.wait_for(lambda message, line=subject: line in message.body, log=alertmanager.log)
    assert len(mail.messages) == 2


def test_a_message_says_what_is_over_and_what_is_not(alertmanager: Service, mail: Inbox) -> None:
    alice = reached("CodeReviewer", "engineering", user="alice")
    bob = reached("CodeReviewer", "engineering", user="bob")
    post(alertmanager, alice, bob)
    mail.wait_for(lambda message: True, log=alertmanager.log)
    post(alertmanager, alice | {"endsAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}, bob)
    letter = mail.wait_for(lambda message: "Resolved" in text_of(message), log=alertmanager.log)
    assert email.message_from_string(letter.body)["Subject"] == "bob used it all"
    assert text_of(letter).splitlines()[:4] == [
        "Resolved:",
        "- alice used it all",
        "",
        "What BedrockUsageLimitReached means.",
    ]


def test_a_name_gives_no_command_to_a_channel(alertmanager: Service, web: Inbox) -> None:
    post(alertmanager, reached("<!channel>", "customer-care"))
    note = web.wait_for(lambda message: message.place == "/slack", log=alertmanager.log).content
    assert note["attachments"][0]["title"] == "!channel used it all"


def text_of(letter: Message) -> str:
    """The text of a mail."""
    (part,) = email.message_from_string(letter.body).get_payload()
    return str(part.get_payload(decode=True).decode())


def test_what_belongs_to_no_team_goes_to_the_webhook_with_its_token(
    alertmanager: Service, web: Inbox
) -> None:
    post(alertmanager, alert("BedrockSeriesFolded", "info", "Users without series: 12"))
    message = web.wait_for(lambda message: message.place == "/webhook", log=alertmanager.log)
    assert message.headers["Authorization"] == "Bearer the webhook-token"
    assert message.content["receiver"] == "platform"
    (told,) = message.content["alerts"]
    assert told["annotations"]["summary"] == "Users without series: 12"


# What is silenced


def suppressed(alertmanager: Service) -> set[str]:
    """Names of the alerts that another one silences."""
    shown = json.loads(alertmanager.get("/api/v2/alerts").body)
    return {one["labels"]["alertname"] for one in shown if one["status"]["inhibitedBy"]}


def wait_until_suppressed(alertmanager: Service, names: set[str]) -> None:
    deadline = time.monotonic() + 10
    while suppressed(alertmanager) != names:
        assert time.monotonic() < deadline, suppressed(alertmanager)
        time.sleep(0.1)


LIMIT = {"application": "CustomerServiceApp", "limit": "budget", "product": "bedrock"}
OTHER = LIMIT | {"limit": "another"}
SEAT = {"account_id": "111122223333", "user": "alice"}


@pytest.mark.parametrize(
    ("alerts", "silenced"),
    [
        (
            [
                alert("BedrockUsageLimitReached", "critical", "", **LIMIT),
                alert("BedrockUsageLimitNear", "warning", "", **LIMIT),
                alert("BedrockUsageLimitProjected", "warning", "", **LIMIT),
                alert("BedrockApplicationCostJump", "warning", "", **LIMIT),
            ],
            {"BedrockUsageLimitNear", "BedrockUsageLimitProjected"},
        ),
        (
            [
                alert("BedrockUsageLimitNear", "warning", "", **LIMIT),
                alert("BedrockUsageLimitProjected", "warning", "", **LIMIT),
            ],
            {"BedrockUsageLimitProjected"},
        ),
        (
            [
                alert("BedrockUsageLimitReached", "critical", "", **OTHER),
                alert("BedrockUsageLimitNear", "warning", "", **LIMIT),
            ],
            set(),
        ),
        (
            [
                alert("BedrockExporterDown", "critical", ""),
                alert("BedrockUsageLimitReached", "critical", "", **LIMIT),
                alert("BedrockDataStale", "warning", "", source="logs"),
                alert("QDeveloperSeatDormant", "info", "", product="qdeveloper", user="alice"),
                alert("KiroOverageCredits", "warning", "", user="alice"),
            ],
            {
                "BedrockUsageLimitReached",
                "BedrockDataStale",
                "QDeveloperSeatDormant",
                "KiroOverageCredits",
            },
        ),
        (
            [
                alert("BedrockExporterDown", "critical", ""),
                {"labels": {"alertname": "BedrockUnpricedTokens", "severity": "warning"}},
                {"labels": {"alertname": "BedrockUserCostJump", "severity": "warning"}},
            ],
            {"BedrockUnpricedTokens", "BedrockUserCostJump"},
        ),
        (
            [
                alert("BedrockSourceFailing", "warning", "", source="logs"),
                alert("BedrockDataStale", "warning", "", source="logs"),
                alert("BedrockReportsMissing", "warning", "", source="logs"),
                alert("BedrockDataIncomplete", "info", "", source="other"),
            ],
            {"BedrockDataStale", "BedrockReportsMissing"},
        ),
        (
            [
                alert("BedrockExporterSpendCeilingReached", "critical", ""),
                alert("BedrockExporterSpendNearCeiling", "warning", ""),
                alert("BedrockSourceFailing", "warning", "", source="athena"),
                alert("BedrockDataStale", "warning", "", source="athena"),
                alert("BedrockUsageLimitNear", "warning", "", **LIMIT),
                alert("BedrockSourceFailing", "warning", "", job="bedrock-research", source="logs"),
            ],
            {"BedrockExporterSpendNearCeiling", "BedrockSourceFailing", "BedrockDataStale"},
        ),
        (
            [
                alert("KiroOverageCredits", "warning", "", **SEAT),
                alert("BedrockUsageLimitReached", "warning", "", limit="kiro-credits", **SEAT),
                alert("BedrockUsageLimitNear", "warning", "", limit="credits-of-the-team", **SEAT),
            ],
            {"BedrockUsageLimitReached"},
        ),
        (
            [
                alert("KiroOverageCredits", "warning", "", account_id="111122223333", user="bob"),
                alert("BedrockUsageLimitReached", "warning", "", limit="kiro-credits", **SEAT),
            ],
            set(),
        ),
        (
            [
                alert("QDeveloperContextWindowFull", "warning", "", product="kiro", user="alice"),
                alert("QDeveloperContextWindowNear", "info", "", product="kiro", user="alice"),
            ],
            {"QDeveloperContextWindowNear"},
        ),
        (
            [
                alert("QDeveloperContextWindowFull", "warning", "", product="kiro", user="alice"),
                alert("QDeveloperContextWindowNear", "info", "", product="kiro", user="bob"),
            ],
            set(),
        ),
    ],
    ids=[
        *("reached", "near", "another-limit", "exporter-down", "without-job", "source-failing"),
        *(
            "ceiling",
            "overage",
            "overage-of-another",
            "context-window",
            "context-window-of-another",
        ),
    ],
)
def test_one_cause_is_one_message(
    alerts: list[dict[str, Any]], silenced: set[str], alertmanager_binary: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "alertmanager"
    with running_alertmanager(alertmanager_binary, shipped(wait="100ms"), folder) as service:
        post(service, *alerts)
        time.sleep(0.5)
        wait_until_suppressed(service, silenced)


def test_the_example_of_a_receiver_is_all_that_is_commented_out(tmp_path: Path) -> None:
    inbox = Inbox("http://127.0.0.1:1")
    config = filled_in(tmp_path / "secrets", inbox, inbox)
    ways = {way for receiver in config["receivers"] for way in receiver if way != "name"}
    assert ways == {"pagerduty_configs", "slack_configs", "email_configs", "webhook_configs"}
    assert {"smtp_smarthost", "smtp_from"} < config["global"].keys()
    assert (ROOT / "prometheus/.gitignore").read_text().splitlines()[-1] == "/secrets/"
