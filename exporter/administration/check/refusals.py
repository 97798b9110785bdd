"""What AWS refuses, as a red row: what it said, and which permission or command mends it."""

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from exporter.administration.check.rows import Row, failed
from exporter.administration.plan import is_about_credentials, printable
from exporter.aws.sessions import RoleError
from exporter.config import Account
from exporter.sources.aws_errors import error_code, is_denied
from exporter.sources.log_store import StoreError

_MOST_TOLD = 400
"""Characters of AWS's own words that are passed on."""

_REMEDIES = {
    "credentials": "renew the credentials, or give the exporter a role or a profile",
    "network": "check the network and its proxy",
    "not_found": "correct `location`",
    "archived": "restore the object, or keep log objects out of the archive",
}
_NOT_AWS = "check the network and its proxy: something else answers in place of AWS"
_OTHER_REMEDY = "see what it says, and run `bedrock-exporter aws check` again"


def policy_command(account: Account | None) -> str:
    """Name the command that prints what an identity must be allowed."""
    option = f" --account {account.name}" if account else ""
    return f"`bedrock-exporter aws permissions{option}` prints the whole policy"


def refused(
    subject: str,
    check: str,
    error: Exception,
    permission: str,
    resource: str,
    account: Account | None,
) -> Row:
    """Return the row of a call that raised one of AWS_ERRORS, and needs a permission."""
    said = told(error)
    if isinstance(error, RoleError):
        found, _, advice = said.partition("; ")
        return failed(subject, check, found, advice or _REMEDIES["credentials"])
    if isinstance(error, ClientError):
        code = error_code(error)
        if is_denied(code):
            remedy = f"allow {permission} on {resource}; {policy_command(account)}"
            return failed(subject, check, said, remedy)
        if is_about_credentials(code):
            return failed(subject, check, said, _REMEDIES["credentials"])
        return failed(subject, check, said, _OTHER_REMEDY)
    return unanswered(subject, check, error)


def unanswered(subject: str, check: str, error: Exception) -> Row:
    """Return the row of one of AWS_ERRORS that is no answer of AWS."""
    is_foreign = isinstance(error, ResponseParserError)
    remedy = _NOT_AWS if is_foreign else "check credentials, region and network"
    return failed(subject, check, told(error), remedy)


def not_from_aws(subject: str, check: str, who: str) -> Row:
    """Return the row of an answer that lacks what every answer of AWS has."""
    return failed(subject, check, f"what answered for {who} is not AWS", _NOT_AWS)


def unreadable(subject: str, check: str, error: StoreError, account: Account | None) -> Row:
    """Return the row of a store that could not be listed or read."""
    found, _, advice = _short(str(error)).partition("; ")
    remedy = advice or _REMEDIES.get(error.reason, _OTHER_REMEDY)
    if error.reason == "access_denied" and "permission denied" not in found:
        remedy = f"{remedy}; {policy_command(account)}" if advice else policy_command(account)
    return failed(subject, check, found, remedy)


def told(error: Exception) -> str:
    """Return what an error says, on one line and of bounded length."""
    if isinstance(error, RoleError):
        return _short(error.response["Error"]["Message"])
    if isinstance(error, ClientError):
        message = error.response.get("Error", {}).get("Message", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
        said = f"{error_code(error)} {message}".strip() or f"refused ({status}), no reason given"
        return _short(f"{error.operation_name}: {said}")
    if isinstance(error, ResponseParserError):
        # What follows the first line is what was answered.
        return _short(str(error).partition("\n")[0].rstrip(":"))
    return _short(str(error))


def _short(text: str) -> str:
    text = " ".join(printable(text).split())
    return f"{text[: _MOST_TOLD - 1]}…" if len(text) > _MOST_TOLD else text
