"""The three ways in which an application calls a model, and what each answer says of its tokens.

Every call sends the same short prompt and asks for few tokens back. The answer's text is not
looked at.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from exporter.administration.testbed.applications import Caller

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

PROMPT = "Name one river. Answer with its name alone."
MOST_INPUT_TOKENS = 64
"""More than any model makes of the prompt and what frames it."""
MOST_OUTPUT_TOKENS = 32
"""What every call allows the model to answer at most."""


class Tokens(NamedTuple):
    """What an answer said of the tokens of its call."""

    input: int
    output: int


class NoTokensError(Exception):
    """An answer that does not say how many tokens it cost."""

    def __init__(self) -> None:
        super().__init__("it was answered without token counts; the log may have them")


Operation = Callable[["BedrockRuntimeClient", str, str, Caller], Tokens]
"""Makes a call: by a client, of a model id or profile ARN, of a foundation model, for a caller."""


def converse(client: "BedrockRuntimeClient", model_id: str, model: str, caller: Caller) -> Tokens:
    """Call Converse."""
    answer = client.converse(modelId=model_id, **_conversation(caller))
    return _usage(answer.get("usage"))


def converse_stream(
    client: "BedrockRuntimeClient", model_id: str, model: str, caller: Caller
) -> Tokens:
    """Call ConverseStream, to its end: the last event has the tokens."""
    usage: Any = None
    for event in client.converse_stream(modelId=model_id, **_conversation(caller))["stream"]:
        if "metadata" in event:
            usage = event["metadata"].get("usage")
    return _usage(usage)


def invoke_model(
    client: "BedrockRuntimeClient", model_id: str, model: str, caller: Caller
) -> Tokens:
    """Call InvokeModel, in the words of the model's provider; headers have the tokens."""
    answer = client.invoke_model(
        modelId=model_id,
        contentType="application/json",
        accept="application/json",
        requestMetadata=json.dumps(_metadata(caller)),
        body=json.dumps(_BODIES[_provider(model)]),
    )
    answer["body"].close()
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    stated = [headers.get(f"x-amzn-bedrock-{kind}-token-count", "") for kind in Tokens._fields]
    if not all(text.isdecimal() for text in stated):
        raise NoTokensError
    return Tokens(*map(int, stated))


_MESSAGES = [{"role": "user", "content": [{"text": PROMPT}]}]
_BODIES: dict[str, dict[str, Any]] = {
    "amazon.nova-": {
        "schemaVersion": "messages-v1",
        "messages": _MESSAGES,
        "inferenceConfig": {"maxTokens": MOST_OUTPUT_TOKENS},
    },
    "anthropic.claude-": {
        "anthropic_version": "bedrock-2023-05-31",
        "messages": [{"role": "user", "content": PROMPT}],
        "max_tokens": MOST_OUTPUT_TOKENS,
    },
}
"""Bodies of InvokeModel, by how the models that take them begin."""


def operations(model: str) -> dict[str, Operation]:
    """Return the operations that a foundation model is called with, by their names in the log."""
    known: dict[str, Operation] = {"Converse": converse, "ConverseStream": converse_stream}
    if _provider(model):
        known["InvokeModel"] = invoke_model
    return known


def _provider(model: str) -> str:
    return next((prefix for prefix in _BODIES if model.startswith(prefix)), "")


def _conversation(caller: Caller) -> Any:
    return {
        "messages": _MESSAGES,
        "inferenceConfig": {"maxTokens": MOST_OUTPUT_TOKENS},
        "requestMetadata": _metadata(caller),
    }


def _metadata(caller: Caller) -> dict[str, str]:
    return {"application": caller.application, "user": caller.user}


def _usage(usage: Any) -> Tokens:
    if not usage or "inputTokens" not in usage or "outputTokens" not in usage:
        raise NoTokensError
    return Tokens(usage["inputTokens"], usage["outputTokens"])
