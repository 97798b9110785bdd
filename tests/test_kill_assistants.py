"""An exporter killed at random moments while it reads prompts and reports: all figures exact."""

import json
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import sleep

from exporter.ledger import Ledger
from exporter.sources.tokens import count_tokens
from test_kill import kill_one, metrics, running, wait_for_reading, wait_until

KILLS = 4
USERS = [f"{number:08x}-1111-4222-8333-444455556666" for number in range(5)]
WORDS = ["list", "the", "buckets", "of", "this", "account", "and", "explain", "each"]
CONFIG = """
refresh_interval: 1s
ledger: ledger.sqlite
sources:
  - {type: prompt_logs, location: logs}
  - {type: activity_reports, location: logs}
"""

Figures = Counter[str]


def test_figures_are_exact_after_kills_at_random_moments(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    random, told = Random(5), Counter[str]()
    for number in range(KILLS):
        told += deliver_prompts(tmp_path / "logs", random, objects=150)
        deliver_report(tmp_path / "logs", chats=number)
        with running(tmp_path) as exporter:
            wait_for_reading(tmp_path / "ledger.sqlite", random.randrange(120))
            sleep(random.uniform(0, 0.05))
            kill_one(exporter, random)
    with running(tmp_path) as exporter:
        wait_until(lambda: is_complete(metrics(exporter)))
    assert read_ledger(tmp_path / "ledger.sqlite") == told + Counter(chats=KILLS - 1)


def is_complete(text: str) -> bool:
    return all(
        f'bedrock_exporter_source_{said}{{source="{source}"}} {value}\n' in text
        for source in ("prompt_logs", "activity_reports")
        for said, value in (("complete", "1.0"), ("backlog_objects", "0.0"))
    )


def folder_of(logs: Path, log_type: str, moment: datetime) -> Path:
    folder = logs / f"AWSLogs/111122223333/QDeveloperLogs/{log_type}/us-east-1"
    made = folder / f"{moment:%Y/%m/%d/%H}"
    made.mkdir(parents=True, exist_ok=True)
    return made


def deliver_prompts(logs: Path, random: Random, objects: int) -> Figures:
    """Write prompt logs, every tenth of them twice, and return what they come to."""
    told: Figures = Counter()
    now = datetime.now(UTC)
    for _ in range(objects):
        moment = now - timedelta(minutes=random.randrange(40 * 60))
        prompt, response = (" ".join(random.choices(WORDS, k=60)) for _ in range(2))
        document = json.dumps({"records": [record(random, moment, prompt, response)]})
        folder = folder_of(logs, "GenerateAssistantResponse", moment)
        for _ in range(1 if random.random() < 0.9 else 2):
            (folder / f"{random.randbytes(8).hex()}.json").write_text(document)
        told.update(requests=1, input=count_tokens(prompt), output=count_tokens(response))
    return told


def record(random: Random, moment: datetime, prompt: str, response: str) -> dict[str, object]:
    return {
        "generateAssistantResponseEventRequest": {
            "prompt": prompt,
            "userId": f"d-1234567890.{random.choice(USERS)}",
            "timeStamp": f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z",
        },
        "generateAssistantResponseEventResponse": {
            "assistantResponse": response,
            "messageMetadata": {"conversationId": random.choice([None, "c1", "c2"])},
            "requestId": random.randbytes(8).hex(),
        },
    }


def deliver_report(logs: Path, chats: int) -> None:
    """Write the report of yesterday again, under a name of its own."""
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    name = f"111122223333_by_user_analytic_{day:%Y%m%d}00{chats:02}_report.csv"
    (folder_of(logs, "by_user_analytic", day) / name).write_text(
        f"UserId,Date,Chat_MessagesSent\n{USERS[0]},{day:%m-%d-%Y},{chats}\n"
    )


def read_ledger(path: Path) -> Figures:
    figures: Figures = Counter()
    with closing(Ledger.open(path)) as ledger:
        for _, (requests, given, taken) in ledger.assistants.sum_prompts(0, 2**40).values():
            figures.update(requests=requests, input=given, output=taken)
        today = datetime.now(UTC).date()
        for line in ledger.assistants.reported(today - timedelta(days=9), today):
            figures.update(chats=dict(line.row.counts)["chat_messages_sent"])
    return figures
