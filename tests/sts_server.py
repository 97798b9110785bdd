"""An STS to test against, where moto's refuses nobody and hides what it was asked.

    with StsServer() as sts:
        sts.refusals["arn:aws:iam::111122223333:role/Reader"] = (403, "AccessDenied")

Listens on loopback, on a port of its own. The access key that it gives names the account.
"""

from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl

from loopback_server import LoopbackServer

CALLER = "arn:aws:sts::999988887777:assumed-role/exporter/i-0abc"


class StsServer(LoopbackServer):
    """Answers AssumeRole."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was asked and told."""
        self.asked: list[dict[str, str]] = []
        self.refusals: dict[str, tuple[int, str]] = {}
        """Of a role's ARN: the status and the code that it is refused with."""
        self.lifetime = timedelta(hours=1)
        """Of the credentials that are given."""

    def handler(self) -> type[BaseHTTPRequestHandler]:
        return _handler(self)

    def answer(self, asked: dict[str, str]) -> tuple[int, str]:
        """Return status and body."""
        self.asked.append(asked)
        role = asked["RoleArn"]
        if role in self.refusals:
            status, code = self.refusals[role]
            message = f"User: {CALLER} is not authorized to perform: sts:AssumeRole on {role}"
            return status, (
                f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
                f"<Message>{message}</Message></Error></ErrorResponse>"
            )
        number = len(self.asked)
        expiration = datetime.now(UTC) + self.lifetime
        return 200, (
            "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
            f"<AccessKeyId>ASIA{role.split(':')[4]}N{number}</AccessKeyId>"
            f"<SecretAccessKey>secret{number}</SecretAccessKey>"
            f"<SessionToken>token{number}</SessionToken>"
            f"<Expiration>{expiration:%Y-%m-%dT%H:%M:%SZ}</Expiration>"
            "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
        )


def _handler(sts: StsServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, text = sts.answer(dict(parse_qsl(form)))
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    return Handler
