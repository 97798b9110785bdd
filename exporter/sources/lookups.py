"""Names that logs leave open, looked up: asks AWS for those in use, and remembers what it said.

Each refresh asks for names that were not asked for yet, or too long ago. What AWS refuses or does
not know is left alone for a day, and what was known of it before stays: past calls were of it.
What the answers mean is interpretation's; this module writes nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from botocore.exceptions import ClientError

from exporter.aws.lookups import Directory, NoAccountError
from exporter.aws.meter import Meter
from exporter.aws.sessions import RoleError
from exporter.config import Config
from exporter.interpretation.names import MODEL, USER_NAME, Kind, Names, Pairs
from exporter.interpretation.questions import Named, Question, questions
from exporter.sources.aws_errors import AWS_ERRORS, error_code, explain, is_denied
from exporter.sources.events import AwsRequests, Event, Fault, Finished, Times
from exporter.sources.log_store import StoreError
from exporter.usage import LookedUp, slot_of

_MOST_A_REFRESH = 200
"""Names asked for in one refresh."""
_UNKNOWN_FOR = timedelta(days=1)
"""How long AWS is not asked again for what it refused or did not know."""
_UNKNOWN_NAMES = frozenset({"ResourceNotFoundException", "NoSuchEntity", "ValidationException"})
_PASSING = frozenset({"credentials", "network", "throttled", "server_error"})
"""Reasons that may be gone at the next refresh, and that concern an account more than a name."""

_ACTIONS = {
    Kind.INFERENCE_PROFILE: "bedrock:GetInferenceProfile",
    Kind.PROFILE_TAGS: "bedrock:ListTagsForResource",
    Kind.ROLE: "iam:ListRoleTags",
    Kind.IDENTITY_USER: "identitystore:DescribeUser",
}


class Known(Protocol):
    """What the ledger knows of names."""

    def lookups(self) -> Mapping[tuple[str, str], LookedUp]:
        """Return what AWS said of names, by kind and name."""

    def named_since(self, slot: int) -> set[Named]:
        """Return account id, region, principal and model id of all usage since a slot."""

    def assistant_users_since(self, slot: int) -> set[str]:
        """Return the ids of all users of developer assistants since a slot."""


class Lookups:
    """The source of what AWS says of names."""

    name = "lookups"
    location = "aws"
    is_billed = False
    has_history = False
    lookback = timedelta(0)
    duplicates_window = timedelta(0)

    def __init__(self, settings: Config) -> None:
        self._settings = settings
        self._meter = Meter()
        self._directory = Directory(settings.aws.accounts, self._meter)
        self._began: datetime | None = None

    def read(
        self, times: Times, known: Known, is_due: Callable[[], bool]
    ) -> Generator[Event, None, None]:
        """Yield what AWS says of names in use since the start of last month.

        Stops once the next refresh is due, or when it has asked for many; the rest is left to that
        one. However soon it does, each refresh asks for something.
        """
        # A new configuration may be allowed what another was refused. The ledger keeps seconds.
        self._began = self._began or times.now.replace(microsecond=0)
        lookups = known.lookups()
        due = self._due(lookups, known, times)
        attempt = _Attempt(self._settings, self._directory, lookups, times.now)
        for question in due:
            if attempt.asked == _MOST_A_REFRESH or (attempt.asked and is_due()):
                break
            yield from attempt.ask(question)
        yield from attempt.refusals()
        yield Finished(is_complete=attempt.answered == len(due))
        yield AwsRequests(self._meter.take())

    def _due(
        self, lookups: Mapping[tuple[str, str], LookedUp], known: Known, times: Times
    ) -> list[Question]:
        """Return what to ask, first what was never asked, then what was asked longest ago."""
        names = Names(self._settings.aws.lookups, lookups)
        since = slot_of(times.fill_from)
        in_use = known.named_since(since), known.assistant_users_since(since)
        answers = [
            (question, lookups.get((question.kind, question.key)))
            for question in questions(self._settings, names, *in_use)
        ]
        due = [pair for pair in answers if self._is_due(*pair, times.now)]
        due.sort(key=lambda pair: pair[1].at.timestamp() if pair[1] else 0)
        return [question for question, _ in due]

    def _is_due(self, question: Question, answer: LookedUp | None, now: datetime) -> bool:
        """Tell whether to ask: for what is new, too old, or lacks a tag that is wanted now."""
        if answer is None or answer.at > now:  # the clock was ahead
            return True
        if not answer.values:
            return answer.at < max(self._began or now, now - _UNKNOWN_FOR)
        if question.tags - {key for key, _ in answer.values}:
            return True
        return now - answer.at >= self._settings.aws.lookups.refresh_after


class _Place(NamedTuple):
    """What fails together: the requests of one kind to one account."""

    kind: Kind
    account_id: str

    def __str__(self) -> str:
        account = f" in account {self.account_id}" if self.account_id else ""
        return f"{_ACTIONS[self.kind]}{account}"


class _Attempt:
    """The questions of one refresh, each put to AWS unless its like has just failed."""

    def __init__(
        self,
        settings: Config,
        directory: Directory,
        lookups: Mapping[tuple[str, str], LookedUp],
        now: datetime,
    ) -> None:
        self.asked = 0
        self.answered = 0
        self._center = settings.aws.lookups.identity_center
        self._directory = directory
        self._lookups = lookups
        self._now = now
        self._failing: set[_Place] = set()
        self._refused: dict[tuple[_Place, str], list[str]] = defaultdict(list)
        """Names that got no answer, by place and reason."""
        self._texts: dict[tuple[_Place, str], str] = {}

    def ask(self, question: Question) -> Iterator[Event]:
        """Yield the answer, or why there is none; that a name is refused is an answer."""
        place = _Place(question.kind, question.account_id)
        if place in self._failing:
            return
        self.asked += 1
        try:
            values = self._values(question)
        except (NoAccountError, *AWS_ERRORS) as error:
            told = _explain(error, place)
            if told.reason in _PASSING:
                yield self._fail(place, told)
                return
            self._refused[place, told.reason].append(question.key)
            self._texts[place, told.reason] = str(told)
            values = self._known(question)
        self.answered += 1
        yield LookedUp(question.kind, question.key, values, self._now)

    def refusals(self) -> Iterator[Event]:
        """Yield what was refused; it takes nothing from what was answered."""
        for what, keys in self._refused.items():
            more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
            yield Fault(what[1], f"{self._texts[what]}, for {keys[0]}{more}", is_outage=False)

    def _fail(self, place: _Place, told: StoreError) -> Fault:
        """Leave the rest of a place to the next refresh."""
        self._failing.add(place)
        if told.reason == "credentials":
            self._directory.forget_clients()
        return Fault(told.reason, str(told))

    def _values(self, question: Question) -> Pairs:
        directory, owner = self._directory, (question.account_id, question.region)
        match question.kind:
            case Kind.INFERENCE_PROFILE:
                models = directory.profile_models(*owner, question.subject)
                return tuple((MODEL, arn) for arn in models)
            case Kind.PROFILE_TAGS:
                return _picked(directory.profile_tags(*owner, question.subject), question)
            case Kind.ROLE:
                return _picked(directory.role_tags(*owner, question.subject), question)
            case Kind.IDENTITY_USER:
                name = self._center and directory.user_name(self._center, question.subject)
                return ((USER_NAME, name),) if name else ()

    def _known(self, question: Question) -> Pairs:
        """Return what was known of a name before AWS did not tell."""
        answer = self._lookups.get((question.kind, question.key))
        if answer is None or not question.tags or not answer.values:
            return answer.values if answer else ()
        return _picked(dict(answer.values), question)


def _picked(tags: Mapping[str, str], question: Question) -> Pairs:
    """Return the tags that are wanted; of one that is not there, that it is empty."""
    return tuple((key, tags.get(key, "")) for key in sorted(question.tags))


def _explain(error: Exception, place: _Place) -> StoreError:
    if isinstance(error, NoAccountError):
        return StoreError("no_account", f"{place}: {error}")
    told = explain(error, str(place), "AWS")
    if not isinstance(error, ClientError) or told.reason in _PASSING:
        return told
    if isinstance(error, RoleError):
        return StoreError("credentials", str(told))
    code = error_code(error)
    if is_denied(code):
        return StoreError(
            "access_denied", f"{place}: is denied; allow it, or leave it out of aws.lookups"
        )
    if code in _UNKNOWN_NAMES:
        return StoreError("not_found", f"{place}: AWS knows no such name ({code})")
    return told
