"""What goes wrong with any service of AWS, told as a StoreError: the reason, where, and what to do.

What only one service refuses is told where that service is used, before it is asked here.
"""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from exporter.aws.sessions import ATTEMPTS, RoleError
from exporter.sources.log_store import StoreError

AWS_ERRORS = (BotoCoreError, ClientError, ResponseParserError, HTTPError, OSError)
"""All that a call of boto3 raises."""

_NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
_NETWORK = (
    HTTPClientError,
    ConnectionError,
    IncompleteReadError,
    FlexibleChecksumError,
    HTTPError,
    OSError,
)
_DENIED = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "403", "AllAccessDisabled"),
        *("AuthorizationError", "UnauthorizedOperation", "UnauthorizedException"),
    }
)
_THROTTLES = frozenset(
    {
        *("SlowDown", "Throttling", "ThrottlingException", "ThrottledException"),
        *("RequestLimitExceeded", "TooManyRequestsException"),
    }
)
_REFUSED = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "InvalidToken", "UnrecognizedClientException"),
        *("InvalidAccessKeyId", "InvalidClientTokenId", "SignatureDoesNotMatch"),
    }
)


def explain(error: Exception, place: str, service: str) -> StoreError:
    """Return what one of AWS_ERRORS means at a place; `service` as people call it: S3."""
    if isinstance(error, ClientError):
        return _explain_answer(error, place, service)
    if isinstance(error, _NO_CREDENTIALS):
        return StoreError(
            "credentials",
            f"{place}: no AWS credentials ({error}); give the exporter a role or a profile",
        )
    if isinstance(error, ResponseParserError):
        # It repeats what was answered in place of AWS, from its second line on.
        said = str(error).partition("\n")[0].rstrip(":")
        return StoreError("network", f"{place}: {said}; check the network and its proxy")
    if isinstance(error, _NETWORK):
        return StoreError("network", f"{place}: {error}; check the network and its proxy")
    return StoreError("aws", f"{place}: {error}")


def error_code(error: ClientError) -> str:
    """Return the code of an error that AWS answered with; empty if it gave none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_denied(code: str) -> bool:
    """Tell whether a code means that a permission is missing."""
    return code in _DENIED


def _explain_answer(error: ClientError, place: str, service: str) -> StoreError:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    reason, text = "aws", str(error)
    if is_denied(code):
        reason, text = "access_denied", f"access denied ({error})"
    elif code in _REFUSED:
        reason, text = "credentials", f"AWS refuses the credentials ({code}); renew them"
    elif code in _THROTTLES:
        reason, text = "throttled", f"{service} asks to slow down; tried {ATTEMPTS} times"
    elif status >= 500:
        reason, text = "server_error", f"{service} failed ({status}); tried {ATTEMPTS} times"
    # A refused role says itself what to do.
    return StoreError(reason, f"{place}: {error if isinstance(error, RoleError) else text}")
