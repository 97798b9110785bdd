"""A plan: printed, agreed to, taken step by step; a refusal says what is missing."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.parsers import ResponseParserError

from exporter.administration.plan import (
    DONE,
    FAILED,
    Change,
    PlanError,
    Step,
    allowed,
    carry_out,
    printable,
    unless_changed,
)

BUCKET = "arn:aws:s3:::logs"


def step(title: str, call: Callable[[], object], group: str = "", *changes: Change) -> Step:
    return Step(title, "s3:PutBucketPolicy", BUCKET, call, changes, group=group)


def refusal(code: str = "AccessDenied", message: str = "because of a boundary") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "PutBucketPolicy")


def refuse(code: str = "AccessDenied") -> Callable[[], object]:
    def call() -> object:
        raise refusal(code)

    return call


class Screen(list[str]):
    """The lines that were shown."""

    def __call__(self, line: str) -> None:
        self.append(line)


def test_nothing_happens_before_the_plan_was_shown_and_agreed_to() -> None:
    screen = Screen()
    steps = [step("make the bucket", lambda: screen("made"))]
    assert carry_out(steps, screen, lambda: screen("asked") is None) == DONE
    assert screen == [
        "Plan: 1 change",
        "  1. make the bucket",
        "asked",
        "made",
        "done: make the bucket",
    ]


def test_a_setting_is_shown_from_what_it_is_to_what_it_shall_be() -> None:
    screen = Screen()
    changes = [Change("engine", "AUTO", "version 3"), Change("results", None, "s3://a/")]
    carry_out([step("change it", lambda: None, "", *changes)], screen, None)
    assert screen[2:4] == ["       engine: AUTO -> version 3", "       results: s3://a/"]


def test_what_comes_afterwards_is_announced_too() -> None:
    screen = Screen()
    carry_out([step("make it", lambda: None)], screen, None, dry_run=True, then="a test query")
    assert screen[2] == "Then: a test query"


def test_an_empty_plan_asks_nobody_and_says_that_all_is_well() -> None:
    screen = Screen()
    assert carry_out([], screen, None) == DONE
    assert screen == ["Nothing to do: all is as it should be."]


def test_a_dry_run_does_nothing_and_succeeds() -> None:
    screen, done = Screen(), Screen()
    code = carry_out([step("make it", lambda: done("!"))], screen, lambda: True, dry_run=True)
    assert (code, done, screen[-1]) == (DONE, [], "Dry run: nothing was changed.")


def test_who_declines_has_nothing_changed_and_learns_so() -> None:
    screen, done = Screen(), Screen()
    assert carry_out([step("make it", lambda: done("!"))], screen, lambda: False) == FAILED
    assert (done, screen[-1]) == ([], "Nothing was changed.")


def test_where_nobody_can_be_asked_nothing_is_changed() -> None:
    screen, done = Screen(), Screen()
    assert carry_out([step("make it", lambda: done("!"))], screen, None) == FAILED
    assert done == []
    assert "no terminal" in screen[-1] and "--yes" in screen[-1]


def test_a_refusal_names_what_is_missing_what_was_done_and_what_was_not() -> None:
    screen = Screen()
    steps = [
        step("make it", lambda: None),
        step("guard it", refuse()),
        step("fill it", lambda: screen("filled")),
    ]
    assert carry_out(steps, screen, lambda: True) == FAILED
    assert screen[4:] == [
        "done: make it",
        "failed: guard it",
        "  s3:PutBucketPolicy on arn:aws:s3:::logs was refused (AccessDenied): because of a "
        "boundary; allow s3:PutBucketPolicy on arn:aws:s3:::logs to whoever runs this",
        "Done: 1 of 3 changes. Not done:",
        "  - guard it",
        "  - fill it (not tried)",
        "Once that is mended, run the command again: it goes on from here.",
    ]


def test_a_refusal_ends_its_group_and_no_other() -> None:
    screen, done = Screen(), Screen()
    steps = [
        step("here", refuse(), "us-east-1"),
        step("here, too", lambda: done("us"), "us-east-1"),
        step("there", lambda: done("eu"), "eu-west-1"),
    ]
    assert carry_out(steps, screen, lambda: True) == FAILED
    assert done == ["eu"]
    assert screen[-3:-1] == ["  - here", "  - here, too (not tried)"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (refusal("ExpiredToken"), "AWS refuses the credentials (ExpiredToken); renew them"),
        (refusal("SlowDown", ""), "failed (SlowDown): no reason given"),
        (NoCredentialsError(), "Unable to locate credentials; check credentials"),
        (ResponseParserError("not XML"), "not XML; check credentials, region and network"),
        (PermissionError(13, "not yours", "config"), "not yours"),
    ],
)
def test_other_failures_are_told_as_what_they_are(error: Exception, told: str) -> None:
    with pytest.raises(PlanError) as raised, allowed("s3:PutBucketPolicy", BUCKET):
        raise error
    assert told in str(raised.value)
    assert "was refused" not in str(raised.value)


def test_a_role_that_cannot_be_assumed_is_not_told_as_a_missing_permission_of_another_call() -> (
    None
):
    response = {"Error": {"Code": "AccessDenied", "Message": "cannot assume arn:aws:iam::1:role/x"}}
    with pytest.raises(PlanError) as raised, allowed("sts:GetCallerIdentity", "*"):
        raise ClientError(response, "AssumeRole")
    assert str(raised.value) == "cannot assume arn:aws:iam::1:role/x"


def test_what_is_as_it_was_when_it_was_planned_is_changed() -> None:
    screen, settings = Screen(), {"a": 1}
    call = unless_changed("it", lambda: dict(settings), {"a": 1}, lambda: screen("changed"))
    call()
    assert screen == ["changed"]


def test_what_is_not_as_it_was_when_it_was_planned_is_left_alone() -> None:
    screen, settings = Screen(), {"a": 1}
    call = unless_changed("it", lambda: dict(settings), {"a": 1}, lambda: screen("changed"))
    settings["b"] = 2
    with pytest.raises(PlanError, match="it was changed meanwhile; run the command again"):
        call()
    assert screen == []


def test_a_bug_shows_itself() -> None:
    def call() -> object:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        carry_out([step("make it", call)], Screen(), lambda: True)


def test_what_aws_says_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\r\nc‮d") == "a [2Jb  c d"
