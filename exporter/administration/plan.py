"""Plans: what a command would change in AWS, told in words and agreed to before anything happens.

A command compares what is with what shall be and makes a step of each difference. Nothing else
changes anything: a step that was not printed is not taken, and whoever is refused learns what was
done before and what was not.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from exporter.sources.aws_errors import AWS_ERRORS, error_code, is_denied

DONE, FAILED = 0, 1
"""Exit codes. Declined is failed: what was asked for is not there."""

_CREDENTIALS = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId"),
        *("InvalidToken", "SignatureDoesNotMatch", "UnrecognizedClientException"),
    }
)


class PlanError(Exception):
    """A plan cannot be made or cannot be carried out; says what is wrong and what to do."""


@dataclass(frozen=True)
class Change:
    """A setting, from what it is to what it shall be; both as the reader is to see them."""

    setting: str
    old: str | None
    """None: it is not set."""
    new: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.new if self.old is None else f'{self.old} -> {self.new}'}"


@dataclass(frozen=True)
class Step:
    """One call that changes something."""

    title: str
    """What it does, as "create the bucket logs"."""
    permission: str
    """The IAM action that the call needs, as s3:CreateBucket."""
    resource: str
    """The ARN that the permission is needed on."""
    call: Callable[[], object]
    changes: tuple[Change, ...] = ()
    group: str = field(default="", kw_only=True)
    """Steps of a group build upon each other: the first that fails ends its group, and no other."""


def unless_changed(
    what: str, read: Callable[[], object], seen: object, call: Callable[[], object]
) -> Callable[[], object]:
    """Return a call that looks again first, and changes only what is still as the plan saw it.

    For what is written as a whole: whatever somebody put there meanwhile would be lost. It raises
    PlanError where that is so.
    """

    def checked() -> object:
        if read() != seen:
            raise PlanError(f"{what} was changed meanwhile; run the command again for a new plan")
        return call()

    return checked


def carry_out(
    steps: Sequence[Step],
    show: Callable[[str], None],
    agree: Callable[[], bool] | None,
    *,
    dry_run: bool = False,
    then: str = "",
) -> int:
    """Print a plan, ask, and take its steps; return DONE or FAILED, the exit code.

    `agree` asks whoever may agree; None: nobody can be asked, and nothing is done. `then` tells
    what the command does afterwards that changes nothing.
    """

    def print_line(line: str) -> None:
        show(printable(line))

    if not steps:
        print_line("Nothing to do: all is as it should be.")
        return DONE
    for line in describe(steps):
        print_line(line)
    if then:
        print_line(f"Then: {then}")
    if dry_run:
        print_line("Dry run: nothing was changed.")
        return DONE
    if agree is None:
        print_line("Nothing was changed: there is no terminal to ask at. Agree with --yes.")
        return FAILED
    if not agree():
        print_line("Nothing was changed.")
        return FAILED
    return _take(steps, print_line)


def describe(steps: Sequence[Step]) -> Iterator[str]:
    """Tell a plan, a line for each step and each of its settings."""
    yield f"Plan: {_count(steps)}"
    for number, step in enumerate(steps, 1):
        yield f"{number:3}. {step.title}"
        yield from (f"       {change}" for change in step.changes)


def _take(steps: Sequence[Step], print_line: Callable[[str], None]) -> int:
    done: list[Step] = []
    failed: list[Step] = []
    for step in steps:
        if step.group in {other.group for other in failed}:
            continue
        try:
            with allowed(step.permission, step.resource):
                step.call()
        except PlanError as error:
            failed.append(step)
            print_line(f"failed: {step.title}")
            print_line(f"  {error}")
        else:
            done.append(step)
            print_line(f"done: {step.title}")
    if not failed:
        return DONE
    print_line(f"Done: {len(done)} of {_count(steps)}. Not done:")
    for step in steps:
        if step not in done:
            print_line(f"  - {step.title}{'' if step in failed else ' (not tried)'}")
    print_line("Once that is mended, run the command again: it goes on from here.")
    return FAILED


@contextmanager
def allowed(permission: str, resource: str) -> Iterator[None]:
    """Turn what boto3 raises into a PlanError that names the permission and the resource."""
    try:
        yield
    except AWS_ERRORS as error:
        raise PlanError(explain(error, permission, resource)) from None


def explain(error: Exception, permission: str, resource: str) -> str:
    """Tell why AWS did not do what a permission on a resource allows, and what to do."""
    if not isinstance(error, ClientError):
        # What answers in place of AWS is repeated from the second line on.
        words = str(error).partition("\n")[0].rstrip(":")
        return f"{permission} on {resource}: {words}; check credentials, region and network"
    code, said = error_code(error), str(error.response.get("Error", {}).get("Message", ""))
    if error.operation_name == "AssumeRole":
        return said
    if is_denied(code):
        return (
            f"{permission} on {resource} was refused ({code}): {said or 'no reason given'}; "
            f"allow {permission} on {resource} to whoever runs this"
        )
    if is_about_credentials(code):
        return f"{permission} on {resource}: AWS refuses the credentials ({code}); renew them"
    return f"{permission} on {resource} failed ({code}): {said or 'no reason given'}"


def is_about_credentials(code: str) -> bool:
    """Tell whether a code says that the credentials themselves are not taken."""
    return code in _CREDENTIALS


def printable(text: str) -> str:
    """Return text without what would steer a terminal; AWS's words may hold anybody's."""
    return "".join(character if character.isprintable() else " " for character in text)


def _count(steps: Sequence[Step]) -> str:
    return "1 change" if len(steps) == 1 else f"{len(steps)} changes"
