"""What `simulate` writes of Amazon Q Developer and Kiro: AWS's layout, and figures that agree.

Everything is read here with gzip, json and csv alone.
"""

import csv
import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from exporter.simulate import CANARY, Written, assistants, live, run, simulate
from exporter.simulate.assistants import write_assistants

Row = dict[str, str]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = datetime(2026, 10, 12, tzinfo=UTC)
NOW = datetime(2026, 11, 18, 12, 34, 56, tzinfo=UTC)
"""A Wednesday."""
FULL_DAYS = [START.date() + number * DAY for number in range((NOW - START).days)]

ACCOUNT = r"AWSLogs/\d{12}"
PLACE = r"(?P<region>us-east-1|eu-central-1)/(?P<day>\d{4}/\d\d/\d\d)"
CHAT, INLINE = "GenerateAssistantResponse", "GenerateCompletions"
DEV = "StartTaskAssistCodeGeneration"
PROMPTS = {
    "QDeveloperLogs": re.compile(
        rf"{ACCOUNT}/QDeveloperLogs/(?P<log>{CHAT}|{INLINE}|{DEV})/{PLACE}/(?P<hour>\d\d)/"
        r"\d{12}_(?P=log)_\d{12}_[0-9a-f]{16}\.json\.gz/[0-9a-f]{16}\.json"
    ),
    "KiroLogs": re.compile(
        rf"{ACCOUNT}/KiroLogs/(?P<log>{CHAT})/{PLACE}/(?P<hour>\d\d)/"
        r"\d{12}_(?P=log)_\d{12}_[0-9a-f]{16}\.json\.gz"
    ),
}
ACTIVITY = re.compile(
    rf"{ACCOUNT}/QDeveloperLogs/by_user_analytic/{PLACE}/00/"
    r"\d{12}_by_user_analytic_(?P<stamp>\d{8})0000_report\.csv"
)
CREDITS = re.compile(
    rf"{ACCOUNT}/KiroLogs/user_report/{PLACE}/00/"
    r"(?P<client>KIRO_IDE|KIRO_CLI)_\d{12}_user_report_(?P<stamp>\d{8})0000\.csv"
)
STRAY = re.compile(rf"{ACCOUNT}/KiroLogs/[0-9a-f]{{8}}-[0-9a-f-]{{27}}")
SCORES = re.compile(r'\{"chat":(0\.\d|1\.0),"do":(0\.\d|1\.0),"spec":0\.0\}')


class Asked(NamedTuple):
    """A record of a prompt log, and where it lies."""

    key: str
    service: str
    log_type: str
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def moment(self) -> datetime:
        return datetime.strptime(self.request["timeStamp"][:19], "%Y-%m-%dT%H:%M:%S").replace(
            tzinfo=UTC
        )

    @property
    def user(self) -> str:
        return str(self.request["userId"]).partition(".")[2]

    @property
    def is_router_turn(self) -> bool:
        return SCORES.fullmatch(self.response.get("assistantResponse", "")) is not None

    @property
    def conversation(self) -> str | None:
        metadata = self.response.get("messageMetadata", {"conversationId": None})
        return metadata["conversationId"]


def files(folder: Path) -> dict[str, bytes]:
    """Return what the assistants wrote, by key."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for service in PROMPTS
        for path in sorted(folder.glob(f"AWSLogs/*/{service}/**/*"))
        if path.is_file()
    }


def read_prompts(folder: Path) -> list[Asked]:
    return list(find_prompts(folder))


def find_prompts(folder: Path) -> Iterator[Asked]:
    for key, content in files(folder).items():
        for service, pattern in PROMPTS.items():
            if match := pattern.fullmatch(key):
                text = gzip.decompress(content) if key.endswith(".gz") else content
                for record in json.loads(text)["records"]:
                    operation = match["log"][0].lower() + match["log"][1:]
                    parts = (record[f"{operation}Event{part}"] for part in ("Request", "Response"))
                    yield Asked(key, service, match["log"], *parts)


def read_reports(folder: Path, pattern: re.Pattern[str]) -> list[Row]:
    return [
        row
        for key, content in files(folder).items()
        if pattern.fullmatch(key)
        for row in csv.DictReader(content.decode().splitlines())
    ]


def write(folder: Path, start: datetime, end: datetime, seed: int = 1) -> Written:
    return write_assistants(folder, seed=seed, start=start, end=end, is_live=False)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    folder = tmp_path_factory.mktemp("assistants")
    return folder, write(folder, START, NOW)


@pytest.fixture(scope="module")
def folder(written: tuple[Path, Written]) -> Path:
    return written[0]


@pytest.fixture(scope="module")
def prompts(folder: Path) -> list[Asked]:
    return read_prompts(folder)


@pytest.fixture(scope="module")
def activity(folder: Path) -> list[Row]:
    return read_reports(folder, ACTIVITY)


@pytest.fixture(scope="module")
def credits(folder: Path) -> list[Row]:
    return read_reports(folder, CREDITS)


def day_of(row: Row) -> date:
    form = "%m-%d-%Y" if "Chat_MessagesSent" in row else "%Y-%m-%d"
    return datetime.strptime(row["Date"], form).replace(tzinfo=UTC).date()


def test_every_file_is_where_and_what_aws_would_write(folder: Path) -> None:
    patterns = (*PROMPTS.values(), ACTIVITY, CREDITS)
    keys = files(folder)
    assert [key for key in keys if not any(each.fullmatch(key) for each in patterns)] == []
    for pattern in patterns:
        assert any(map(pattern.fullmatch, keys))


def test_what_was_written_is_what_a_plain_reader_finds(
    written: tuple[Path, Written], prompts: list[Asked]
) -> None:
    keys = files(written[0])
    router_turns = sum(each.is_router_turn for each in prompts)
    assert written[1] == Written(
        prompt_objects=len({each.key for each in prompts}),
        prompts=len(prompts) - router_turns,
        router_turns=router_turns,
        reports=sum(key.endswith(".csv") for key in keys),
    )


def test_the_same_seed_makes_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("same", 5), ("other", 6)):
        write(tmp_path / name, NOW - DAY, NOW, seed)
    assert files(tmp_path / "one") == files(tmp_path / "same")
    ids = [
        {each.response["requestId"] for each in read_prompts(tmp_path / name)}
        for name in ("one", "other")
    ]
    assert not ids[0] & ids[1]


def test_two_runs_write_the_objects_of_one(tmp_path: Path) -> None:
    middle = datetime(2026, 11, 17, 0, 30, 1, tzinfo=UTC)  # between the two kinds of reports
    write(tmp_path / "one", START, START + DAY)
    one = write(tmp_path / "one", NOW - 2 * DAY, NOW)
    write(tmp_path / "two", START, START + DAY)
    two = write(tmp_path / "two", NOW - 2 * DAY, middle).plus(write(tmp_path / "two", middle, NOW))
    assert one == two
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_an_object_lies_in_the_hour_of_its_one_or_two_records(prompts: list[Asked]) -> None:
    sizes = Counter(each.key for each in prompts)
    assert set(sizes.values()) == {1, 2}
    for each in prompts:
        assert f"/{each.moment:%Y/%m/%d/%H}/" in each.key


def test_a_prompt_comes_after_it_was_asked_and_within_its_hour(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 18, 12, tzinfo=UTC)
    for hour in range(9):
        write(tmp_path / f"{hour}", noon + hour * HOUR, noon + (hour + 1) * HOUR)
        moments = [each.moment for each in read_prompts(tmp_path / f"{hour}")]
        assert {moment.hour for moment in moments} == {12 + hour}
    write(tmp_path / "part", noon, NOW)
    assert max(each.moment for each in read_prompts(tmp_path / "part")) < NOW


def test_users_have_the_directory_in_prompt_logs_and_not_in_reports(
    prompts: list[Asked], activity: list[Row], credits: list[Row]
) -> None:
    uuid = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    assert all(
        re.fullmatch(rf"d-[0-9a-f]{{10}}\.{uuid}", each.request["userId"]) for each in prompts
    )
    assert all(re.fullmatch(uuid, row["UserId"]) for row in activity + credits)
    of_service = {
        service: {each.user for each in prompts if each.service == service} for service in PROMPTS
    }
    assert {row["UserId"] for row in activity} == of_service["QDeveloperLogs"]
    assert {row["UserId"] for row in credits} > of_service["KiroLogs"]
    assert (len(of_service["QDeveloperLogs"]), len(of_service["KiroLogs"])) == (9, 5)


SHAPES: dict[str, Callable[[Asked], bool]] = {
    "6 digits of a second": lambda each: (
        re.search(r"\.\d{6}Z", each.request["timeStamp"]) is not None
    ),
    "9 digits of a second": lambda each: (
        re.search(r"\.\d{9}Z", each.request["timeStamp"]) is not None
    ),
    "no customization": lambda each: each.request["customizationArn"] is None,
    "chat": lambda each: each.request.get("chatTriggerType") == "MANUAL",
    "inline chat": lambda each: each.request.get("chatTriggerType") == "INLINE_CHAT",
    "no conversation": lambda each: "messageMetadata" in each.response and not each.conversation,
    "no follow-up prompts": lambda each: each.response.get("followupPrompts") == "",
    "web link": lambda each: each.response.get("supplementaryWebLinksEvent", []) != [],
    "empty prompt of Kiro": lambda each: (
        each.service == "KiroLogs" and each.request["prompt"] == ""
    ),
    "empty answer": lambda each: each.response.get("assistantResponse") == "",
    "model auto": lambda each: each.request.get("modelId") == "auto",
    "model by id": lambda each: each.request.get("modelId") == "claude-sonnet-4.5",
    "model null": lambda each: each.request.get("modelId", "") is None,
    "Kiro without a model": lambda each: (
        each.service == "KiroLogs" and "modelId" not in each.request
    ),
    "router turn": lambda each: each.service == "KiroLogs" and each.is_router_turn,
    "two completions": lambda each: len(each.response.get("completions", [])) == 2,
    "nothing right of the cursor": lambda each: each.request.get("rightContext") == "",
    "/dev": lambda each: "/dev " in each.request.get("prompt", ""),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_some_weeks_show_every_shape_of_record(shape: str, prompts: list[Asked]) -> None:
    assert any(map(SHAPES[shape], prompts))


def test_only_kiro_has_models_and_router_turns(prompts: list[Asked]) -> None:
    of_others = [each for each in prompts if each.service != "KiroLogs"]
    assert not any("modelId" in each.request or each.is_router_turn for each in of_others)


def test_every_text_bears_the_canary_and_nothing_else_does(prompts: list[Asked]) -> None:
    for each in prompts:
        texts = [each.request.get("prompt"), each.request.get("leftContext")]
        texts += [each.request.get("rightContext"), each.response.get("assistantResponse")]
        texts += each.response.get("completions", [])
        assert all(CANARY in text for text in texts if text and not SCORES.fullmatch(text))
        rest = json.dumps([each.request, each.response])
        for text in filter(None, texts):
            rest = rest.replace(json.dumps(text), "")
        assert CANARY not in rest


def test_each_week_a_conversation_of_either_assistant_nears_its_context_window(
    prompts: list[Asked],
) -> None:
    characters: Counter[tuple[str, str]] = Counter()
    for each in prompts:
        if each.conversation:
            texts = each.request["prompt"] + each.response["assistantResponse"]
            characters[each.service, each.conversation] += len(texts)
    for service in PROMPTS:
        long = [count for (of, _), count in characters.items() if of == service and count > 200_000]
        assert len(long) >= 5
        assert 700_000 < max(long) < 1_300_000  # a token has about 4.3 characters


def test_conversations_go_on_over_several_requests(prompts: list[Asked]) -> None:
    requests = Counter(each.conversation for each in prompts if each.conversation)
    assert 1 < sum(requests.values()) / len(requests) < 10
    assert 1 in requests.values()


def test_weekends_are_quiet_and_offices_are_in_europe_and_america(prompts: list[Asked]) -> None:
    weekend = sum(each.moment.weekday() >= 5 for each in prompts)
    assert 0 < weekend < 0.12 * len(prompts)
    hours = {
        region: Counter(each.moment.hour for each in prompts if f"/{region}/" in each.key)
        for region in ("eu-central-1", "us-east-1")
    }
    assert hours["eu-central-1"][9] > 10 * hours["eu-central-1"][22]
    assert hours["us-east-1"][20] > 2 * hours["us-east-1"][3]


def test_every_full_day_is_reported_and_no_other(activity: list[Row], credits: list[Row]) -> None:
    assert sorted({day_of(row) for row in activity}) == FULL_DAYS
    assert sorted({day_of(row) for row in credits}) == FULL_DAYS


@pytest.mark.parametrize("pattern", [ACTIVITY, CREDITS], ids=["activity", "credits"])
def test_a_report_lies_under_the_day_that_it_speaks_of(
    folder: Path, pattern: re.Pattern[str]
) -> None:
    for key, content in files(folder).items():
        if match := pattern.fullmatch(key):
            rows = list(csv.DictReader(content.decode().splitlines()))
            assert {day_of(row) for row in rows} == {
                datetime.strptime(match["day"], "%Y/%m/%d").replace(tzinfo=UTC).date()
            }
            assert match["stamp"] == match["day"].replace("/", "")


def test_reports_come_when_their_day_is_over(tmp_path: Path) -> None:
    midnight = datetime(2026, 11, 18, tzinfo=UTC)
    second = timedelta(seconds=1)
    counts = []
    write(tmp_path, midnight - DAY, midnight - second)
    for start, end in (
        (midnight - second, midnight),
        (midnight, midnight + 2 * HOUR - second),
        (midnight + 2 * HOUR - second, midnight + 2 * HOUR),
    ):
        write(tmp_path, start, end)
        counts.append([len(read_reports(tmp_path, each)) for each in (ACTIVITY, CREDITS)])
    assert counts[0][0] > 5 and counts[0][1] == 0
    assert counts[1] == counts[0]
    assert counts[2] == [counts[0][0], 7]


def test_activity_has_the_columns_of_aws_in_its_order(folder: Path) -> None:
    key, content = next(
        (key, content) for key, content in files(folder).items() if ACTIVITY.fullmatch(key)
    )
    header, first, *_ = content.decode().splitlines()
    columns = header.split(",")
    assert columns[:5] == [
        *("UserId", "Date", "Chat_AICodeLines", "Chat_MessagesInteracted", "Chat_MessagesSent")
    ]
    assert columns[-1] == "Transformation_LinesIngested"
    assert len(columns) == len(set(columns)) == 46
    assert re.fullmatch(r'"[0-9a-f-]{36}",\d\d-\d\d-\d{4}(,\d+){44}', first), key


def test_activity_is_that_of_the_prompt_logs(prompts: list[Asked], activity: list[Row]) -> None:
    asked: dict[tuple[str, date], Counter[str]] = defaultdict(Counter)
    for each in prompts:
        if each.service == "QDeveloperLogs" and each.moment.date() in FULL_DAYS:
            counts = asked[each.user, each.moment.date()]
            counts[each.log_type] += 1
            counts["inline chat"] += each.request.get("chatTriggerType") == "INLINE_CHAT"
    assert {(row["UserId"], day_of(row)) for row in activity} == asked.keys()
    for row in activity:
        counts = asked[row["UserId"], day_of(row)]
        assert int(row["Chat_MessagesSent"]) == counts[CHAT]
        assert int(row["InlineChat_TotalEventCount"]) == counts["inline chat"]
        assert int(row["Dev_GenerationEventCount"]) == counts[DEV]
        assert int(row["Inline_AcceptanceCount"]) <= counts[INLINE]
        assert int(row["Inline_SuggestionsCount"]) >= counts[INLINE]


def test_every_activity_happens(activity: list[Row]) -> None:
    never = {
        column for column in list(activity[0])[2:] if not any(int(row[column]) for row in activity)
    }
    assert never == {
        "DocGeneration_AcceptedFileUpdates",
        "DocGeneration_AcceptedLineUpdates",
        "DocGeneration_RejectedFileCreations",
        "DocGeneration_RejectedLineAdditions",
        "InlineChat_DismissalEventCount",
        "InlineChat_DismissedLineAdditions",
        "InlineChat_DismissedLineDeletions",
        "InlineChat_RejectedLineDeletions",
    }


def events_by_day(activity: list[Row]) -> dict[str, dict[date, int]]:
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for row in activity:
        found[row["UserId"]][day_of(row)] = int(row["Chat_MessagesSent"]) + int(
            row["Inline_SuggestionsCount"]
        )
    return found


@pytest.mark.parametrize("day", FULL_DAYS[-9:], ids=str)
def test_each_day_somebody_does_three_times_the_usual(day: date, activity: list[Row]) -> None:
    ratios = {
        user: days[day] * len(before) / sum(before)
        for user, days in events_by_day(activity).items()
        if day in days and (before := [n for when, n in days.items() if when < day])
    }
    assert sum(ratio > 3 for ratio in ratios.values()) == 1


def of_november(rows: list[Row], column: str) -> Counter[str]:
    sums: Counter[str] = Counter()
    for row in rows:
        if day_of(row).month == 11:
            sums[row["UserId"]] += float(row[column])  # type: ignore[assignment]
    return sums


@pytest.mark.parametrize(
    ("column", "limit"), [("Dev_GenerationEventCount", 30), ("Transformation_LinesIngested", 4000)]
)
def test_past_the_middle_of_the_month_one_user_is_near_a_limit(
    column: str, limit: int, activity: list[Row]
) -> None:
    used = sorted(of_november(activity, column).values())
    assert used[-2] < 0.5 * limit < 0.8 * limit < used[-1] < limit


def test_credits_have_the_columns_of_aws_in_its_order(folder: Path) -> None:
    for key, content in files(folder).items():
        if CREDITS.fullmatch(key):
            header, *lines = content.decode().splitlines()
            fixed = (
                "Date,UserId,Client_Type,Chat_Conversations,Credits_Used,Overage_Cap,"
                "Overage_Credits_Used,Overage_Enabled,ProfileId,Subscription_Tier,Total_Messages,"
                "New_User,User_Email,Usage_Limit"
            )
            models = header.removeprefix(fixed)
            assert re.fullmatch(r"(,(auto|claude_(haiku|opus|sonnet)_4\.\d)_messages)*", models)
            line = re.compile(
                r'\d{4}-\d\d-\d\d,"[0-9a-f-]{36}",KIRO_(IDE|CLI),\d+,[\d.e-]+,\d+\.0,[\d.e-]+,'
                r'(true|false),"arn:aws:codewhisperer:us-east-1:\d{12}:profile/[A-Z]+",'
                r'(PRO|PRO_PLUS|POWER),\d+,false,"[0-9a-f]+@example\.com",\d+\.0'
                rf"(,\d+){{{models.count(',')}}}"
            )
            assert [each for each in lines if not line.fullmatch(each)] == []


def test_messages_of_kiro_are_the_chats_of_the_prompt_logs(
    prompts: list[Asked], credits: list[Row]
) -> None:
    asked = Counter(
        (each.user, each.moment.date())
        for each in prompts
        if each.service == "KiroLogs" and not each.is_router_turn
    )
    reported: Counter[tuple[str, date]] = Counter()
    for row in credits:
        reported[row["UserId"], day_of(row)] += int(row["Total_Messages"])
        models = [int(row[name]) for name in list(row)[14:]]
        assert sum(models) == int(row["Total_Messages"]) >= int(row["Chat_Conversations"])
    assert +reported == {key: n for key, n in asked.items() if key[1] in FULL_DAYS}


def test_an_unused_model_has_no_column_in_a_report(folder: Path) -> None:
    for key, content in files(folder).items():
        if CREDITS.fullmatch(key):
            rows = list(csv.DictReader(content.decode().splitlines()))
            assert all(sum(int(row[name]) for row in rows) for name in list(rows[0])[14:])


def test_seats_show_what_there_is_to_show(credits: list[Row]) -> None:
    used, overage = (
        of_november(credits, name) for name in ("Credits_Used", "Overage_Credits_Used")
    )
    limits = {row["UserId"]: float(row["Usage_Limit"]) for row in credits}
    clients = defaultdict(set)
    for row in credits:
        clients[row["UserId"]].add(row["Client_Type"])
    above = [user for user in used if used[user] > limits[user]]
    near = [user for user in used if 0.8 < used[user] / limits[user] <= 1]
    dormant = [user for user in used if used[user] == 0]
    assert (len(used), len(above), len(near), len(dormant)) == (6, 1, 1, 1)
    assert overage[above[0]] == pytest.approx(used[above[0]] - limits[above[0]])
    assert sum(overage.values()) == overage[above[0]]
    assert {row["Overage_Enabled"] for row in credits if row["UserId"] == above[0]} == {"true"}
    assert sorted(map(len, clients.values())) == [1, 1, 1, 1, 1, 2]
    assert {row["Subscription_Tier"] for row in credits} == {"PRO", "PRO_PLUS", "POWER"}


def test_a_dormant_seat_has_a_line_of_zeros_each_day(credits: list[Row]) -> None:
    of_user: dict[str, list[Row]] = defaultdict(list)
    for row in credits:
        of_user[row["UserId"]].append(row)
    [rows] = [
        rows for rows in of_user.values() if not any(int(row["Total_Messages"]) for row in rows)
    ]
    assert [day_of(row) for row in rows] == FULL_DAYS
    assert not any(float(row["Credits_Used"]) for row in rows)


def test_every_line_of_credits_is_of_a_sane_amount(credits: list[Row]) -> None:
    for row in credits:
        used, overage = float(row["Credits_Used"]), float(row["Overage_Credits_Used"])
        assert 0 <= overage <= used < 1_000


class Clock:
    """A clock that moves only while someone waits, for so many rounds."""

    def __init__(self, now: datetime, rounds: int) -> None:
        self.now = now
        self.rounds = rounds

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += timedelta(seconds=seconds)
        self.rounds -= 1
        return self.rounds < 0


def run_live(folder: Path, start: datetime, interval: timedelta, rounds: int) -> Written:
    clock = Clock(start, rounds)
    return live(
        folder,
        seed=1,
        calls_per_day=10,
        calls_per_minute=0.1,
        interval=interval,
        clock=clock,
        wait=clock.wait,
        assistants=True,
    )


def test_live_prompts_come_every_few_minutes_even_on_a_sunday_night(tmp_path: Path) -> None:
    sunday = datetime(2026, 11, 15, 1, tzinfo=UTC)
    written = run_live(tmp_path, sunday, timedelta(minutes=1), 60)
    prompts = sorted(each.moment for each in read_prompts(tmp_path))
    assert written.prompts + written.router_turns == len(prompts) >= 15
    assert {(each - sunday) // timedelta(minutes=10) for each in prompts} == set(range(6))
    assert sunday <= prompts[0] and prompts[-1] <= sunday + HOUR


def test_a_live_day_is_reported_with_its_live_prompts(tmp_path: Path) -> None:
    sunday = datetime(2026, 11, 15, tzinfo=UTC)
    run_live(tmp_path, sunday, timedelta(minutes=30), 53)
    of_day = [each for each in read_prompts(tmp_path) if each.moment.date() == sunday.date()]
    sent = {
        row["UserId"]: int(row["Chat_MessagesSent"]) for row in read_reports(tmp_path, ACTIVITY)
    }
    chats = Counter(
        each.user for each in of_day if (each.service, each.log_type) == ("QDeveloperLogs", CHAT)
    )
    assert {user: n for user, n in sent.items() if n} == chats
    messages = sum(int(row["Total_Messages"]) for row in read_reports(tmp_path, CREDITS))
    assert messages == sum(
        each.service == "KiroLogs" and not each.is_router_turn for each in of_day
    )
    assert len(of_day) > 300


def test_run_writes_both_past_and_live(tmp_path: Path) -> None:
    clock = Clock(NOW, 30)
    announced: list[Written] = []
    total = run(
        tmp_path,
        seed=1,
        days=2,
        calls_per_day=10,
        calls_per_minute=0.1,
        interval=timedelta(minutes=1),
        clock=clock,
        wait=clock.wait,
        announce=announced.append,
    )
    [past] = announced
    prompts = [each for each in read_prompts(tmp_path) if not each.is_router_turn]
    assert 100 < past.prompts < total.prompts == len(prompts)
    assert past.reports == len([key for key in files(tmp_path) if key.endswith(".csv")]) == 8
    assert max(each.moment for each in prompts) > NOW + 15 * timedelta(minutes=1)


def test_kiro_leaves_three_stray_objects_of_103_bytes(tmp_path: Path) -> None:
    simulate(tmp_path, seed=1, start=NOW - HOUR, end=NOW, calls_per_day=10, assistants=True)
    strays = [content for key, content in files(tmp_path).items() if STRAY.fullmatch(key)]
    assert list(map(len, strays)) == [103] * 3


def test_without_assistants_only_bedrocks_logs_are_written(tmp_path: Path) -> None:
    simulate(tmp_path, seed=1, start=NOW - DAY, end=NOW, calls_per_day=50)
    assert files(tmp_path) == {}


@pytest.mark.parametrize("objects", [0, 1, 60])
def test_a_run_cut_short_among_prompts_is_finished_by_the_next(
    objects: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def past(folder: Path) -> Written:
        clock = Clock(NOW, 0)
        return run(
            folder,
            seed=1,
            days=1,
            calls_per_day=10,
            calls_per_minute=None,
            interval=HOUR,
            clock=clock,
            wait=clock.wait,
        )

    write_whole, left = assistants.write_object, iter(range(objects))

    def write_until_killed(path: Path, content: bytes) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        write_whole(path, content)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(assistants, "write_object", write_until_killed)
        past(tmp_path / "cut")
    finished, whole = past(tmp_path / "cut"), past(tmp_path / "whole")
    assert finished == whole
    assert files(tmp_path / "cut") == files(tmp_path / "whole") != {}
