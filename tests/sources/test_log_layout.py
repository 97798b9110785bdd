"""Which folders and names are those of each kind of log, and which are foreign."""

import pickle

import pytest

from exporter.sources.log_layout import (
    ACTIVITY_REPORTS,
    INVOCATION_LOGS,
    KIRO_REPORTS,
    LAYOUTS,
    PROMPT_LOGS,
    Layout,
    is_log_type,
)

CHAT = "KiroLogs/GenerateAssistantResponse"
ACTIVITY = "QDeveloperLogs/by_user_analytic"


@pytest.mark.parametrize(
    "rest",
    [
        "111122223333_GenerateAssistantResponse_202611210700_0a1b2c.json.gz",
        "0a1b2c.json",
        "0a1b2c.json.gz/0d1e2f.json",
        "0a1b2c.gz/0d1e2f.json.gz",
        "0a1b2c.gz",
        "with spaces, and ü+(1).json",
    ],
)
def test_a_prompt_log_is_named_by_its_folder_and_all_that_follows_the_hour(rest: str) -> None:
    assert PROMPT_LOGS.object_name(CHAT, rest) == f"{CHAT}/{rest}"


@pytest.mark.parametrize(
    "rest",
    [
        *("", "7d9c5b6f-1111-4222-8333-0123456789ab", "_SUCCESS", "notes.txt", "x.csv", "gz"),
        *(".json", ".hidden.json", ".json.gz", "../x.json", "x.gz/../y.json", "x.gz/.y.json"),
        *("folder/x.json", "x.gz/y.gz/z.json", "x.gz/", "/x.json", "x.json/", "x.json.gz.tmp"),
        *("x\n.json", "x.json\n", "x\x1b[2J.json", "x\x7f.json", "x\u202e.json", "x\udcff.json"),
        f"{'x' * 512}.json",
    ],
)
def test_whatever_else_lies_among_prompt_logs_is_passed_over(rest: str) -> None:
    assert PROMPT_LOGS.object_name(CHAT, rest) is None


def test_a_name_may_have_512_characters() -> None:
    folder = "KiroLogs/x"
    longest = f"{'x' * (512 - len(folder) - len('/.json'))}.json"
    assert len(PROMPT_LOGS.object_name(folder, longest) or "") == 512
    assert PROMPT_LOGS.object_name(folder, "x" + longest) is None


@pytest.mark.parametrize(
    "rest",
    [
        "111122223333_by_user_analytic_202611210000.csv",
        "111122223333_by_user_analytic_202611210000_part_2.csv",
        "111122223333_by_user_analytic_202611210000_report.csv.gz",
        "KIRO_IDE_111122223333_user_report_202611210000.csv",
    ],
)
@pytest.mark.parametrize("layout", [ACTIVITY_REPORTS, KIRO_REPORTS], ids=lambda it: it.label)
def test_a_report_is_any_csv(layout: Layout, rest: str) -> None:
    assert layout.object_name(ACTIVITY, rest) == f"{ACTIVITY}/{rest}"
    foreign = [f".{rest}", f"x.gz/{rest}", f"{rest}\n", f"{rest}.tmp", f"a\tb{rest}", "x.json"]
    assert [layout.object_name(ACTIVITY, name) for name in foreign] == [None] * 6


def test_of_bedrock_s_logs_the_bare_name_tells_the_object() -> None:
    name = "20240418T225457Z_0a1b2c3d4e5f6071.json.gz"
    [folder] = INVOCATION_LOGS.folders
    assert INVOCATION_LOGS.object_name(folder, name) == name
    assert INVOCATION_LOGS.object_name(folder, f"data/{name}") is None


@pytest.mark.parametrize(
    "folder",
    [
        *("GenerateAssistantResponse", "GenerateCompletions", "StartTaskAssistCodeGeneration"),
        *("chat_v2", "Kiro-Spec.2027"),
    ],
)
def test_log_types_that_aws_adds_are_found(folder: str) -> None:
    assert is_log_type(folder)


@pytest.mark.parametrize(
    "folder",
    [
        *("by_user_analytic", "user_report", "us-east-1", "us-gov-west-1", "", ".", "..", ".git"),
        *("a b", "a\nb", "a/b", "x" * 129, "\u0661"),
    ],
)
def test_reports_regions_and_what_aws_would_not_write_are_no_log_types(folder: str) -> None:
    assert not is_log_type(folder)


def test_reports_lie_in_known_folders() -> None:
    assert ACTIVITY_REPORTS.folders == (
        "QDeveloperLogs/by_user_analytic",
        "KiroLogs/by_user_analytic",
    )
    assert KIRO_REPORTS.folders == ("KiroLogs/user_report",)


def test_only_prompt_logs_are_looked_for_deeper_than_their_hour() -> None:
    folders = ["x.gz", "x.json.gz", "data", "x.gz.tmp"]
    assert list(filter(PROMPT_LOGS.is_entered, folders)) == ["x.gz", "x.json.gz"]
    assert not any(
        layout.is_entered("x.json.gz")
        for layout in (INVOCATION_LOGS, ACTIVITY_REPORTS, KIRO_REPORTS)
    )


def test_progress_is_told_apart_by_a_label_but_for_bedrock_s() -> None:
    assert {kind: layout.label for kind, layout in LAYOUTS.items()} == {
        "invocation_logs": "",
        "athena": "",
        "prompt_logs": "prompt_logs",
        "activity_reports": "activity_reports",
        "kiro_reports": "kiro_reports",
    }


def test_a_layout_can_be_given_to_another_process_and_kept_in_a_set() -> None:
    assert pickle.loads(pickle.dumps(set(LAYOUTS.values()))) == set(LAYOUTS.values())
