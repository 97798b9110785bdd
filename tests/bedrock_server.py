"""A Bedrock control plane to test against: inference profiles and their tags, over HTTP.

    with BedrockServer() as bedrock:
        bedrock.add(ARN, ["arn:aws:bedrock:us-east-1::foundation-model/..."], Team="Search")
        bedrock.faults.append(Fault("GetInferenceProfile", ARN, 403, "AccessDeniedException"))

It stands in for what moto lacks. Listens on loopback; AWS_ENDPOINT_URL_BEDROCK
leads boto3 to it.
"""

import json
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import unquote

from loopback_server import LoopbackServer


class Request(NamedTuple):
    """A request that reached the server."""

    operation: str
    arn: str
    access_key: str
    """Whose credentials signed it."""
    region: str
    """For which it is signed."""


@dataclass
class Fault:
    """What to answer to the next `times` requests of an operation for ARNs that hold `where`."""

    operation: str
    where: str
    status: int
    code: str
    times: float = float("inf")


@dataclass
class Profile:
    """An application inference profile."""

    models: list[str]
    tags: dict[str, str] = field(default_factory=dict)


class BedrockServer(LoopbackServer):
    """Application inference profiles by their ARNs."""

    def __init__(self) -> None:
        self.profiles: dict[str, Profile] = {}
        self.faults: list[Fault] = []
        self.requests: list[Request] = []

    def handler(self) -> type[BaseHTTPRequestHandler]:
        return _handler(self)

    def reset(self) -> None:
        """Forget what was added, told and asked."""
        self.profiles.clear()
        self.faults.clear()
        self.requests.clear()

    def add(self, arn: str, models: list[str], **tags: str) -> None:
        """Have a profile that routes to these models."""
        self.profiles[arn] = Profile(models, tags)

    def asked(self, operation: str) -> list[str]:
        """Return the ARNs that an operation was asked of."""
        return [request.arn for request in self.requests if request.operation == operation]

    def answer(self, request: Request) -> tuple[int, str, Any]:
        """Return status, error code and body."""
        self.requests.append(request)
        for fault in self.faults:
            if fault.times and fault.operation == request.operation and fault.where in request.arn:
                fault.times -= 1
                return fault.status, fault.code, {"message": "told to fail"}
        profile = self.profiles.get(request.arn)
        if profile is None:
            return 404, "ResourceNotFoundException", {"message": "there is none"}
        if request.operation == "ListTagsForResource":
            tags = [{"key": key, "value": value} for key, value in profile.tags.items()]
            return 200, "", {"tags": tags}
        return 200, "", _described(request.arn, profile)


def _described(arn: str, profile: Profile) -> dict[str, Any]:
    """Describe a profile as GetInferenceProfile does (Bedrock API reference)."""
    return {
        "inferenceProfileName": "profile",
        "inferenceProfileArn": arn,
        "inferenceProfileId": arn.rpartition("/")[2],
        "models": [{"modelArn": model} for model in profile.models],
        "status": "ACTIVE",
        "type": "APPLICATION",
        "createdAt": "2026-01-02T03:04:05Z",
        "updatedAt": "2026-01-02T03:04:05Z",
    }


def _handler(bedrock: BedrockServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            arn = unquote(self.path.removeprefix("/inference-profiles/"))
            self._answer("GetInferenceProfile", arn)

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer("ListTagsForResource", asked["resourceARN"])

        def _answer(self, operation: str, arn: str) -> None:
            signed = re.search("Credential=([^/]+)/[0-9]+/([^/]+)/", self.headers["Authorization"])
            assert signed
            status, code, answer = bedrock.answer(Request(operation, arn, *signed.groups()))
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if code:
                self.send_header("x-amzn-ErrorType", code)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    return Handler
