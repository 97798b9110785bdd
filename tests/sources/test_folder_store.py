"""Log objects in a folder, and the bundled sample read through it."""

import errno
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from bad_input import MEBIBYTE, pack, reader, total

from exporter.sources.folder_store import FolderStore
from exporter.sources.log_layout import ACTIVITY_REPORTS, KIRO_REPORTS, PROMPT_LOGS
from exporter.sources.log_store import (
    DayListing,
    ListedObject,
    ObjectGoneError,
    Owners,
    StoreError,
    hour_of,
    hour_start,
    key_of,
)
from exporter.sources.object_reader import read_object
from exporter.usage import Batch, Counts, LogObject, Usage, slot_start

ACCOUNT, REGION = "111122223333", "us-east-1"
DAY = date(2025, 11, 17)
TEN = hour_of(datetime(2025, 11, 17, 10, tzinfo=UTC))
NAME = "20251117T101512345Z_0a1b2c3d4e5f6071.json.gz"
UNIT = LogObject(ACCOUNT, REGION, TEN, NAME)
SAMPLE = Path(__file__).parent.parent / "fixtures" / "logs"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """A folder with one log object of twelve bytes."""
    put(tmp_path, key_of(UNIT), b"twelve bytes")
    return FolderStore(tmp_path)


def put(root: Path, key: str, content: bytes = b"") -> Path:
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_an_object_is_listed_by_hour_name_and_size(store: FolderStore) -> None:
    assert store.owners() == Owners([(ACCOUNT, REGION)], [])
    assert store.list_day(ACCOUNT, REGION, DAY).found == [ListedObject(UNIT, 12)]


def test_an_object_is_read(store: FolderStore) -> None:
    stream = store.open(ListedObject(UNIT, 12))
    assert [stream.read(8), stream.read(8), stream.read(8)] == [b"twelve b", b"ytes", b""]
    stream.close()


def test_accounts_and_regions_are_told_from_foreign_folders(tmp_path: Path) -> None:
    logs = "BedrockModelInvocationLogs"
    put(tmp_path, f"AWSLogs/{ACCOUNT}/{logs}/us-east-1/2025/11/17/10/{NAME}")
    put(tmp_path, f"AWSLogs/{ACCOUNT}/{logs}/eu-central-1/2025/11/17/10/{NAME}")
    put(tmp_path, f"AWSLogs/444455556666/{logs}/ap-south-1/2025/11/17/10/{NAME}")
    put(tmp_path, f"AWSLogs/{ACCOUNT}/{logs}/amazon-bedrock-logs-permission-check")
    put(tmp_path, f"AWSLogs/{ACCOUNT}/{logs}/archive/{NAME}")
    put(tmp_path, f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2025/11/17/{NAME}")
    put(tmp_path, f"AWSLogs/o-organisation/{logs}/us-east-1/2025/11/17/10/{NAME}")
    put(tmp_path, "AWSLogs/999999999999")
    assert FolderStore(tmp_path).owners().found == [
        (ACCOUNT, "eu-central-1"),
        (ACCOUNT, "us-east-1"),
        ("444455556666", "ap-south-1"),
    ]


def test_an_account_that_may_not_be_read_hides_no_other(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "AWSLogs/444455556666/BedrockModelInvocationLogs"
    closed.mkdir(parents=True)
    iterdir = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    found, [fault] = store.owners()
    assert found == [(ACCOUNT, REGION)]
    assert (fault.reason, str(fault)) == ("access_denied", f"{closed}: permission denied")


def test_bodies_markers_and_foreign_files_are_passed_over(
    store: FolderStore, tmp_path: Path
) -> None:
    hour = Path(key_of(UNIT)).parent
    for foreign in ("amazon-bedrock-logs-permission-check", "notes.json", f".{NAME}.tmp"):
        put(tmp_path, f"{hour}/{foreign}")
    for body in (NAME, "4d8c3f0e-5561-4431-93b8-06a817275900_input.json.gz"):
        put(tmp_path, f"{hour}/data/{body}")
    for place in ("1", "24", "data", "\u0660\u0665"):
        put(tmp_path, f"{hour.parent}/{place}/{NAME}")
    put(tmp_path, f"{hour.parent}/{NAME}")
    (tmp_path / hour / NAME.replace("0a", "0b")).mkdir()
    assert store.list_day(ACCOUNT, REGION, DAY).found == [ListedObject(UNIT, 12)]


def test_what_would_block_or_is_gone_is_no_object(store: FolderStore, tmp_path: Path) -> None:
    hour = (tmp_path / key_of(UNIT)).parent
    os.mkfifo(hour / NAME.replace("0a", "0b"))
    (hour / NAME.replace("0a", "0c")).symlink_to("deleted")
    assert store.list_day(ACCOUNT, REGION, DAY).found == [ListedObject(UNIT, 12)]


def test_a_link_to_itself_costs_only_itself(store: FolderStore, tmp_path: Path) -> None:
    hour = (tmp_path / key_of(UNIT)).parent
    for loop in ("loop.json", NAME.replace("0a", "0b")):
        (hour / loop).symlink_to(loop)
    (hour.parent / "11").symlink_to("11")
    assert store.list_day(ACCOUNT, REGION, DAY) == DayListing([ListedObject(UNIT, 12)], [])


def test_a_file_that_cannot_be_looked_at_is_told_and_hides_no_other(
    store: FolderStore, tmp_path: Path
) -> None:
    hour = (tmp_path / key_of(UNIT)).parent
    (hour / NAME.replace("0a", "0b")).symlink_to("x" * 300)
    found, [fault] = store.list_day(ACCOUNT, REGION, DAY)
    assert found == [ListedObject(UNIT, 12)]
    assert fault.reason == "unreadable"
    assert str(fault).startswith(str(hour / NAME.replace("0a", "0b")))


def test_an_hour_that_may_not_be_read_is_told_and_hides_no_other(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = (tmp_path / key_of(UNIT._replace(hour=TEN - 1))).parent
    closed.mkdir(parents=True)
    scandir = os.scandir

    def refuse(path: Path) -> Iterator[os.DirEntry[str]]:
        if path == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found, [fault] = store.list_day(ACCOUNT, REGION, DAY)
    assert found == [ListedObject(UNIT, 12)]
    assert (fault.reason, str(fault)) == ("access_denied", f"{closed}: permission denied")


def test_a_day_or_folder_without_logs_is_empty(store: FolderStore, tmp_path: Path) -> None:
    assert store.list_day(ACCOUNT, REGION, date(2025, 11, 18)).found == []
    assert store.list_day("444455556666", REGION, DAY).found == []
    (tmp_path / "empty").mkdir()
    assert FolderStore(tmp_path / "empty").owners() == Owners([], [])


@pytest.mark.parametrize("root", ["absent", "file", "x" * 5000])
def test_a_location_that_is_no_folder_is_told(tmp_path: Path, root: str) -> None:
    put(tmp_path, "file")
    with pytest.raises(StoreError, match=root[:20]) as told:
        FolderStore(tmp_path / root).owners()
    assert told.value.reason in ("not_found", "unreadable")


def test_an_object_that_is_deleted_after_it_was_listed_is_gone(
    store: FolderStore, tmp_path: Path
) -> None:
    [listed] = store.list_day(ACCOUNT, REGION, DAY).found
    (tmp_path / key_of(UNIT)).unlink()
    with pytest.raises(ObjectGoneError, match=NAME):
        store.open(listed)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told(store: FolderStore, tmp_path: Path) -> None:
    path = tmp_path / key_of(UNIT)
    path.chmod(0)
    with pytest.raises(StoreError, match=NAME) as told:
        store.open(ListedObject(UNIT, 12))
    assert told.value.reason == "access_denied"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that opens but cannot be read")
def test_a_file_that_breaks_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / key_of(UNIT)
    path.parent.mkdir(parents=True)
    path.symlink_to("/proc/self/mem")
    stream = FolderStore(tmp_path).open(ListedObject(UNIT, 12))
    with pytest.raises(StoreError, match=NAME) as told:
        stream.read(10)
    stream.close()
    assert told.value.reason == "unreadable"


def read_sample() -> dict[LogObject, Batch]:
    """Each object of the bundled sample, read."""
    store = FolderStore(SAMPLE)
    batches = {}
    for account_id, region in store.owners().found:
        for day in (date(2025, 11, 17), date(2025, 11, 18)):
            for listed in store.list_day(account_id, region, day).found:
                stream = store.open(listed)
                batches[listed.unit] = read_object(
                    "logs", listed.unit, stream, reader(), MEBIBYTE, MEBIBYTE
                )
                stream.close()
    return batches


def sums(counts: Counts) -> dict[str, int]:
    return {"requests": counts.requests, "input": counts.input, "output": counts.output}


def summed(usages: Iterable[Usage]) -> Counts:
    return total(Batch("logs", UNIT, tuple(usages)))


def test_the_sample_is_what_was_added_up_by_hand() -> None:
    expected = json.loads((SAMPLE / "expected.json").read_text())
    batches = read_sample()
    assert [batch.rejected for batch in batches.values()] == [{}, {}, {}]
    assert {
        f"{unit.region} {hour_start(unit.hour):%Y-%m-%d %Hh} {unit.name}": sums(total(batch))
        for unit, batch in batches.items()
    } == expected["objects"]

    usages = [usage for batch in batches.values() for usage in batch.usage]
    assert summed(usages)._asdict() == expected["total"]
    assert {
        outcome: sums(summed(usage for usage in usages if usage.fact.outcome == outcome))
        for outcome in {usage.fact.outcome for usage in usages}
    } == expected["outcomes"]
    tiers: Counter[str] = Counter()
    days: Counter[str] = Counter()
    for slot, fact, counts in usages:
        tiers[fact.service_tier] += counts.requests
        days[f"{slot_start(slot):%Y-%m-%d}"] += counts.requests
    assert (tiers, days) == (expected["tiers"], expected["days"])


def test_the_sample_has_every_form_of_a_model_id() -> None:
    models = {usage.fact.model_id for batch in read_sample().values() for usage in batch.usage}
    kinds = {model.split(":", 5)[5].split("/")[0] for model in models if model.startswith("arn:")}
    assert kinds == {
        *("inference-profile", "application-inference-profile", "foundation-model"),
        *("provisioned-model", "custom-model", "custom-model-deployment", "imported-model"),
        *("prompt", "prompt-router", "default-prompt-router", "endpoint"),
    }
    plain = {model.split(".")[0] for model in models if not model.startswith("arn:")}
    assert plain >= {"anthropic", "us", "global", "amazon", "openai"}


def test_a_larger_object_is_read_in_pieces(tmp_path: Path) -> None:
    stored = pack(b"x" * 2**20)
    put(tmp_path, key_of(UNIT), stored)
    stream = FolderStore(tmp_path).open(ListedObject(UNIT, len(stored)))
    pieces = list(iter(lambda: stream.read(100), b""))
    stream.close()
    assert b"".join(pieces) == stored


class TestPromptLogs:
    """Several services and log types, each with its regions, below one account."""

    q_chat, kiro_chat = "QDeveloperLogs/GenerateAssistantResponse", "KiroLogs/Chat"

    @pytest.fixture
    def store(self, tmp_path: Path) -> FolderStore:
        return FolderStore(tmp_path, PROMPT_LOGS)

    def put(self, root: Path, below: str, account: str = ACCOUNT) -> Path:
        return put(root, f"AWSLogs/{account}/{below}", b"text")

    def test_owners_are_those_of_every_log_type(self, store: FolderStore, tmp_path: Path) -> None:
        for below in (f"{self.q_chat}/us-east-1/x", "KiroLogs/Inline2027/eu-central-1/x"):
            self.put(tmp_path, below)
        self.put(tmp_path, f"{self.kiro_chat}/us-east-1/x", "444455556666")
        for foreign in (
            "KiroLogs/user_report/ap-south-1/x",
            "QDeveloperLogs/by_user_analytic/ap-south-1/x",
            "KiroLogs/ap-south-1/2025/11/17/10/x.json",
            "BedrockModelInvocationLogs/ap-south-1/x",
            "KiroLogs/6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        ):
            self.put(tmp_path, foreign)
        assert store.owners() == Owners(
            [(ACCOUNT, "eu-central-1"), (ACCOUNT, "us-east-1"), ("444455556666", "us-east-1")], []
        )

    def test_a_day_is_that_of_every_log_type(self, store: FolderStore, tmp_path: Path) -> None:
        day = f"{REGION}/2025/11/17"
        for below in (
            f"{self.q_chat}/{day}/10/a.json.gz/b.json",
            f"{self.kiro_chat}/{day}/10/c.json.gz",
            f"{self.kiro_chat}/{day}/23/c.json.gz",
        ):
            self.put(tmp_path, below)
        for foreign in (
            f"{self.q_chat}/{day}/10/a.json.gz/deeper/b.json",
            f"{self.q_chat}/{day}/10/folder/b.json",
            f"{self.kiro_chat}/{day}/10/6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
            f"{self.kiro_chat}/{day}/10/hostile\x1b[2J.json",
            f"{self.kiro_chat}/{day}/10/{os.fsdecode(b'no-utf8-' + bytes([255]))}.json",
            f"KiroLogs/user_report/{day}/10/c.json",
            f"{self.kiro_chat}/{REGION}/2025/11/18/00/c.json.gz",
        ):
            self.put(tmp_path, foreign)
        assert sorted(store.list_day(ACCOUNT, REGION, DAY).found) == [
            ListedObject(LogObject(ACCOUNT, REGION, hour, name), 4)
            for hour, name in (
                (TEN, f"{self.kiro_chat}/c.json.gz"),
                (TEN, f"{self.q_chat}/a.json.gz/b.json"),
                (TEN + 13, f"{self.kiro_chat}/c.json.gz"),
            )
        ]

    def test_what_is_listed_is_opened(self, store: FolderStore, tmp_path: Path) -> None:
        self.put(tmp_path, f"{self.q_chat}/{REGION}/2025/11/17/10/a.json.gz/b.json")
        [listed] = store.list_day(ACCOUNT, REGION, DAY).found
        stream = store.open(listed)
        assert stream.read(10) == b"text"
        stream.close()

    def test_what_is_named_like_a_folder_and_is_none_is_passed_over(
        self, store: FolderStore, tmp_path: Path
    ) -> None:
        hour = self.put(tmp_path, f"{self.kiro_chat}/{REGION}/2025/11/17/10/a.json").parent
        os.mkfifo(hour / "b.gz")
        (hour / "c.gz").symlink_to("deleted")
        (hour / "d.gz").mkdir()
        assert len(store.list_day(ACCOUNT, REGION, DAY).found) == 1

    def test_a_log_type_that_may_not_be_read_costs_itself(
        self, store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.put(tmp_path, f"{self.q_chat}/{REGION}/2025/11/17/10/a.json")
        closed = self.put(tmp_path, f"{self.kiro_chat}/{REGION}/2025/11/17/10/a.json").parents[4]
        assert closed.name == REGION
        is_dir = Path.is_dir

        def refuse(path: Path) -> bool:
            if path.is_relative_to(closed):
                raise PermissionError(errno.EACCES, "Permission denied", str(closed))
            return is_dir(path)

        monkeypatch.setattr(Path, "is_dir", refuse)
        found, [fault] = store.owners()
        assert found == [(ACCOUNT, REGION)]
        assert str(fault) == f"{closed}: permission denied"
        listed, [fault] = store.list_day(ACCOUNT, REGION, DAY)
        assert [item.unit.name for item in listed] == [f"{self.q_chat}/a.json"]
        assert str(fault) == f"{closed}: permission denied"


def test_reports_are_found_in_their_folders_alone(tmp_path: Path) -> None:
    hour = f"{REGION}/2025/11/17/00"
    for below in (
        f"QDeveloperLogs/by_user_analytic/{hour}/q.csv",
        f"KiroLogs/by_user_analytic/{hour}/k.csv.gz",
        f"KiroLogs/user_report/{hour}/u.csv",
        f"KiroLogs/GenerateAssistantResponse/{hour}/p.json",
    ):
        put(tmp_path, f"AWSLogs/{ACCOUNT}/{below}")
    named = {
        layout.label: {
            item.unit.name
            for item in FolderStore(tmp_path, layout).list_day(ACCOUNT, REGION, DAY).found
        }
        for layout in (ACTIVITY_REPORTS, KIRO_REPORTS)
    }
    assert named == {
        "activity_reports": {
            "QDeveloperLogs/by_user_analytic/q.csv",
            "KiroLogs/by_user_analytic/k.csv.gz",
        },
        "kiro_reports": {"KiroLogs/user_report/u.csv"},
    }
