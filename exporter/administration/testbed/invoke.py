"""Makes a few real, paid calls through the test roles, one after the other, and keeps what came.

A call is one request: nothing is tried again, so that what is counted here is what Bedrock logs.
A call that fails costs no other.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from exporter.administration.plan import PlanError
from exporter.administration.testbed.applications import CALLERS, Caller
from exporter.administration.testbed.found import find_profile, find_roles, model_and_region
from exporter.administration.testbed.operations import NoTokensError, Tokens, operations
from exporter.administration.testbed.place import Place
from exporter.administration.testbed.policies import EXTERNAL_ID, foundation_model
from exporter.sources.aws_errors import error_code

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_sts.type_defs import CredentialsTypeDef

_PAUSES, _PAUSE_SECONDS = 6, 5.0
"""What all calls together wait for new roles: IAM needs some seconds until they can be assumed."""
_SESSION_SECONDS = 900
"""The shortest that there is."""

_REMEDIES = {
    "AccessDeniedException": (
        "give the account access to the model; the policy of a new role takes some seconds to hold"
    ),
    "ResourceNotFoundException": "the model may be retired; make a testbed for another one",
    "ThrottlingException": "make fewer calls, or wait",
    "ValidationException": (
        "where a model is only served through a profile, make a testbed for the profile's id, "
        "such as us.amazon.nova-micro-v1:0"
    ),
}
"""What to do, by the error code of Bedrock."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that is to be made."""

    caller: Caller
    operation: str
    model_id: str
    """As it is called: a model id, a profile id, or the ARN of an application profile."""
    price_id: str
    """The id that decides its price: of a model, or of a system-defined profile."""
    region: str

    @property
    def model(self) -> str:
        """Return the foundation model that answers."""
        return foundation_model(self.price_id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call: tokens as its answer said them, or why it failed."""

    call: Call
    tokens: Tokens | None
    """None: it failed."""
    failure: str = ""


def plan_calls(session: boto3.Session, place: Place, calls_per_caller: int) -> list[Call]:
    """Return the calls that the testbed of an account makes, each operation in its turn.

    Raises PlanError where there is no testbed, or its profile leads to another model.
    """
    ours = [role for role in find_roles(session.client("iam"), place) if role.is_ours]
    model_id, region = model_and_region(ours)
    profile = find_profile(session.client("bedrock", region_name=region), place, region)
    if profile:
        profile.check_model(model_id)
    profile_arn = profile.arn if profile else None
    return [
        Call(caller, operation, (caller.uses_profile and profile_arn) or model_id, model_id, region)
        for caller in CALLERS
        for operation in islice(cycle(operations(foundation_model(model_id))), calls_per_caller)
    ]


def make_calls(
    session: boto3.Session, place: Place, calls: Sequence[Call], wait: Callable[[float], object]
) -> Iterator[Outcome]:
    """Make the calls of each caller in a session of its role, and yield what came of each."""
    wait_once = _patience(wait)
    for caller in dict.fromkeys(call.caller for call in calls):
        own = [call for call in calls if call.caller == caller]
        try:
            client = _client(session, place, caller, own[0].region, wait_once)
        except PlanError as error:
            yield from (Outcome(call, None, str(error)) for call in own)
        else:
            yield from (_make(client, call) for call in own)


def _make(client: "BedrockRuntimeClient", call: Call) -> Outcome:
    operation = operations(call.model)[call.operation]
    try:
        return Outcome(call, operation(client, call.model_id, call.model, call.caller))
    except NoTokensError as error:
        return Outcome(call, None, str(error))
    except (BotoCoreError, ClientError, HTTPError) as error:
        return Outcome(call, None, _why(error))


def _why(error: BotoCoreError | ClientError | HTTPError) -> str:
    if not isinstance(error, ClientError):
        return str(error)
    code, said = error_code(error), error.response.get("Error", {}).get("Message", "")
    return "; ".join(filter(None, (f"{code}: {said}", _REMEDIES.get(code))))


def _client(
    session: boto3.Session, place: Place, caller: Caller, region: str, wait: Callable[[], bool]
) -> "BedrockRuntimeClient":
    """Return a client in a session of the caller's role.

    It says its application in the user agent, as the variable AWS_SDK_UA_APP_ID has it done.
    """
    given = _assume(session, place, caller, wait)
    return session.client(
        "bedrock-runtime",
        region_name=region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        config=Config(
            user_agent_extra=f"app/{caller.application}",
            retries={"total_max_attempts": 1},
            connect_timeout=10,
            read_timeout=60,
        ),
    )


def _assume(
    session: boto3.Session, place: Place, caller: Caller, wait: Callable[[], bool]
) -> "CredentialsTypeDef":
    arn = place.role_arn(caller.role)
    sts = session.client("sts")
    while True:
        try:
            return sts.assume_role(
                RoleArn=arn,
                RoleSessionName=caller.session,
                ExternalId=EXTERNAL_ID,
                DurationSeconds=_SESSION_SECONDS,
            )["Credentials"]
        except (BotoCoreError, ClientError) as error:
            is_refused = isinstance(error, ClientError) and error_code(error) == "AccessDenied"
            if not (is_refused and wait()):
                raise PlanError(
                    f"cannot assume {arn}: {error}; allow sts:AssumeRole on it to whoever runs this"
                ) from None


def _patience(wait: Callable[[float], object]) -> Callable[[], bool]:
    """Return what waits a little while there is patience left, and tells whether it did."""
    left = iter(range(_PAUSES))

    def wait_once() -> bool:
        if next(left, None) is None:
            return False
        wait(_PAUSE_SECONDS)
        return True

    return wait_once
