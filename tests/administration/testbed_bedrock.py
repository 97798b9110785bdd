"""A small Bedrock to test against, beside moto, which has no inference profiles and no Converse.

    with BedrockServer() as bedrock:
        bedrock.refuse["Converse"] = (429, "ThrottlingException", "slow down")

It remembers every call with who made it, answers each with other token counts, and stands before
moto's STS, to refuse roles that are still too new.
"""

import json
import re
import urllib.request
import zlib
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from moto.sts.models import sts_backends

from loopback_server import LoopbackServer

ACCOUNT = "123456789012"
_OPERATIONS = {
    "converse": "Converse",
    "converse-stream": "ConverseStream",
    "invoke": "InvokeModel",
}


@dataclass(frozen=True)
class Received:
    """A call as it arrived."""

    principal: str
    operation: str
    model_id: str
    metadata: dict[str, str]
    user_agent: str
    body: dict[str, Any]
    input_tokens: int
    output_tokens: int


class BedrockServer(LoopbackServer):
    """The endpoints of Bedrock, its runtime and STS, on loopback."""

    def __init__(self, moto_url: str = "") -> None:
        self.moto_url = moto_url
        self.reset()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        return _handler(self)

    def reset(self) -> None:
        """Forget what was made, asked and told."""
        self.profiles: dict[str, dict[str, Any]] = {}
        self.received: list[Received] = []
        self.refuse: dict[str, tuple[int, str, str]] = {}
        """Operations that are refused: status, error code and message."""
        self.stream_ends_in: Literal["an answer", "an error", "silence"] = "an answer"
        self.counts_tokens = True
        """Whether InvokeModel says how many tokens it cost."""
        self.disabled_regions: set[str] = set()
        self.refused_roles = 0
        """How many AssumeRole are refused before one is granted."""

    def add_profile(
        self, name: str, tags: dict[str, str], source: str = "model", region: str = "us-east-1"
    ) -> str:
        """Make an application inference profile and return its ARN."""
        number = f"profile{len(self.profiles)}"
        arn = f"arn:aws:bedrock:{region}:{ACCOUNT}:application-inference-profile/{number}"
        self.profiles[arn] = {"name": name, "tags": tags, "source": source}
        return arn

    def call(self, operation: str, handler: BaseHTTPRequestHandler, model_id: str) -> Received:
        """Remember a call; its tokens differ from those of every other."""
        body = handler.body  # type: ignore[attr-defined]
        header = handler.headers.get("X-Amzn-Bedrock-Request-Metadata", "{}")
        number = len(self.received)
        call = Received(
            _principal(handler),
            operation,
            model_id,
            body.get("requestMetadata") or json.loads(header),
            handler.headers["User-Agent"],
            body,
            10 + number,
            1 + number,
        )
        self.received.append(call)
        return call


def _region(handler: BaseHTTPRequestHandler) -> str:
    match = re.search("Credential=[^/]+/[^/]+/([^/]+)/", handler.headers["Authorization"])
    assert match
    return match[1]


def _routes(source: str, region: str) -> list[str]:
    """Return the models that a profile routes to, which GetInferenceProfile documents so."""
    geography, _, model = source.rpartition("/")[2].partition(".")
    if ":inference-profile/" not in source:
        return [source]
    regions = [region, "" if geography == "global" else "us-west-2"]
    return [f"arn:aws:bedrock:{each}::foundation-model/{model}" for each in regions]


def _principal(handler: BaseHTTPRequestHandler) -> str:
    match = re.search("Credential=([^/]+)", handler.headers["Authorization"])
    assert match
    role = sts_backends[ACCOUNT]["aws"].get_assumed_role_from_access_key(match[1])
    return role.arn if role else "nobody"


def _event(kind: str, payload: dict[str, Any], message: str = "event") -> bytes:
    """Encode one message of application/vnd.amazon.eventstream."""
    name = ":exception-type" if message == "exception" else ":event-type"
    texts = {":message-type": message, name: kind, ":content-type": "application/json"}
    headers = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + len(text).to_bytes(2, "big") + text.encode()
        for key, text in texts.items()
    )
    content = json.dumps(payload).encode()
    total = 16 + len(headers) + len(content)
    prelude = total.to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    prelude += zlib.crc32(prelude).to_bytes(4, "big")
    message_bytes = prelude + headers + content
    return message_bytes + zlib.crc32(message_bytes).to_bytes(4, "big")


def _handler(bedrock: BedrockServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            region = _region(self)
            if region in bedrock.disabled_regions:
                code = {"x-amzn-ErrorType": "UnrecognizedClientException"}
                return self._answer({"message": "The security token is invalid"}, 403, code)
            summaries = [
                {
                    "inferenceProfileName": profile["name"],
                    "inferenceProfileArn": arn,
                    "inferenceProfileId": arn.rpartition("/")[2],
                    "models": [{"modelArn": model} for model in _routes(profile["source"], region)],
                    "status": "ACTIVE",
                    "type": "APPLICATION",
                }
                for arn, profile in bedrock.profiles.items()
                if arn.split(":")[3] == region
            ]
            return self._answer({"inferenceProfileSummaries": summaries})

        def do_DELETE(self) -> None:
            del bedrock.profiles[
                unquote(urlsplit(self.path).path).partition("/inference-profiles/")[2]
            ]
            self._answer({})

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"] or 0))
            path = unquote(urlsplit(self.path).path)
            if path == "/":
                return self._sts(raw)
            self.body = json.loads(raw)
            if path == "/inference-profiles":
                tags = {tag["key"]: tag["value"] for tag in self.body["tags"]}
                source = self.body["modelSource"]["copyFrom"]
                name, region = self.body["inferenceProfileName"], _region(self)
                arn = bedrock.add_profile(name, tags, source, region)
                return self._answer({"inferenceProfileArn": arn, "status": "ACTIVE"}, 201)
            if path == "/listTagsForResource":
                tags = bedrock.profiles[self.body["resourceARN"]]["tags"]
                listed = [{"key": key, "value": value} for key, value in tags.items()]
                return self._answer({"tags": listed})
            return self._model(path)

        def _model(self, path: str) -> None:
            model_id, _, verb = path.removeprefix("/model/").rpartition("/")
            operation = _OPERATIONS[verb]
            call = bedrock.call(operation, self, model_id)
            if operation in bedrock.refuse:
                status, code, message = bedrock.refuse[operation]
                return self._answer({"message": message}, status, {"x-amzn-ErrorType": code})
            tokens = {"inputTokens": call.input_tokens, "outputTokens": call.output_tokens}
            usage = tokens | {"totalTokens": sum(tokens.values())}
            if operation == "Converse":
                message = {"role": "assistant", "content": [{"text": "Rhine"}]}
                return self._answer(
                    {
                        "output": {"message": message},
                        "stopReason": "end_turn",
                        "usage": usage,
                        "metrics": {"latencyMs": 5},
                    }
                )
            if operation == "ConverseStream":
                return self._stream(usage)
            counted = {
                "X-Amzn-Bedrock-Input-Token-Count": str(call.input_tokens),
                "X-Amzn-Bedrock-Output-Token-Count": str(call.output_tokens),
            }
            return self._answer({}, headers=counted if bedrock.counts_tokens else {})

        def _stream(self, usage: dict[str, int]) -> None:
            events = _event("messageStart", {"role": "assistant"})
            if bedrock.stream_ends_in == "silence":
                self.send_response(200)
                self.send_header("Content-Type", "application/vnd.amazon.eventstream")
                self.send_header("Content-Length", str(10 * len(events)))
                self.end_headers()
                self.wfile.write(events)
                self.close_connection = True
                return
            if bedrock.stream_ends_in == "an error":
                told = {"message": "the model broke off"}
                events += _event("modelStreamErrorException", told, "exception")
            else:
                events += _event("messageStop", {"stopReason": "end_turn"})
                events += _event("metadata", {"usage": usage, "metrics": {"latencyMs": 5}})
            self._send(200, events, {"Content-Type": "application/vnd.amazon.eventstream"})

        def _sts(self, raw: bytes) -> None:
            if b"Action=AssumeRole" in raw and bedrock.refused_roles:
                bedrock.refused_roles -= 1
                error = b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
                return self._send(403, error, {"Content-Type": "text/xml"})
            forwarded = urllib.request.Request(bedrock.moto_url, raw, dict(self.headers))
            with urllib.request.urlopen(forwarded) as answer:
                return self._send(200, answer.read(), {"Content-Type": "text/xml"})

        def _answer(
            self, body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
        ) -> None:
            kind = {"Content-Type": "application/json"}
            self._send(status, json.dumps(body).encode(), kind | (headers or {}))

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    return Handler
