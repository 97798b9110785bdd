"""Records and objects of prompt logs for tests: as AWS writes them, and as no one should."""

import io
import json
from typing import Any

from bad_input import ABSENT, MEBIBYTE, NOW_SLOT, Dripping

from exporter.assistant_usage import Prompt, PromptBatch
from exporter.identity import Privacy
from exporter.sources.prompt_log_format import PromptLogFormat
from exporter.usage import LogObject

ACCOUNT, REGION, HOUR = "111122223333", "us-east-1", 489_826
USER = "b8f1f340-9081-70ad-5fc5-0f37151937a6"
MOMENT = "2025-11-17T10:20:30.412719Z"
SECONDS = 1_763_374_830
"""Of MOMENT, since the epoch."""


def unit_of(
    log_type: str = "GenerateAssistantResponse",
    service: str = "QDeveloperLogs",
    rest: str = "b2a1.json.gz/c3d4.json",
) -> LogObject:
    """An object in one of AWS's folders."""
    return LogObject(ACCOUNT, REGION, HOUR, f"{service}/{log_type}/{rest}")


CHAT = unit_of()
INLINE = unit_of("GenerateCompletions")
DEV = unit_of("StartTaskAssistCodeGeneration")
KIRO = unit_of(service="KiroLogs", rest="111122223333_GenerateAssistantResponse_202511171020_x.gz")


def chat(
    prompt: Any = "How do I list buckets?",
    response: Any = "Call list_buckets.",
    **fields: Any,
) -> dict[str, Any]:
    """A chat turn as Amazon Q Developer writes it, some fields of either half changed or ABSENT."""
    request = {
        "prompt": prompt,
        "chatTriggerType": "MANUAL",
        "customizationArn": None,
        "userId": f"d-92675051d5.{USER}",
        "timeStamp": MOMENT,
    }
    answer = {
        "assistantResponse": response,
        "followupPrompts": "",
        "messageMetadata": {"conversationId": "4d8c3f0e-0001", "utteranceId": None},
        "codeReferenceEvents": [],
        "supplementaryWebLinksEvent": [{"uri": "https://a", "title": "t", "snippet": "s"}],
        "requestId": "797c70ee-abc9-4cc7-a148-b9df17f6ce48",
    }
    return _record("generateAssistantResponseEvent", request, answer, fields)


def inline(
    left: Any = "import boto3\r\ns3 = ",
    right: Any = "",
    completions: Any = ("boto3.client('s3')",),
    **fields: Any,
) -> dict[str, Any]:
    """An inline suggestion, some fields changed or ABSENT."""
    request = {
        "leftContext": left,
        "rightContext": right,
        "fileName": "buckets.py",
        "customizationArn": None,
        "userId": f"d-92675051d5.{USER}",
        "timeStamp": MOMENT,
    }
    answer = {"completions": completions, "requestId": "797c70ee-abc9-4cc7-a148-000000000001"}
    return _record("generateCompletionsEvent", request, answer, fields)


def dev(**fields: Any) -> dict[str, Any]:
    """A request of /dev, in a shape like that of the other kinds."""
    request = {"prompt": "add a test", "userId": f"d-92675051d5.{USER}", "timeStamp": MOMENT}
    return {"startTaskAssistCodeGenerationEventRequest": _with(request, fields)}


def router_turn(**fields: Any) -> dict[str, Any]:
    """What Kiro asks itself before it answers."""
    return chat(response='{"chat": 0.0, "do": 0.9, "spec": 0.1}', **fields)


def numbered(count: int) -> list[dict[str, Any]]:
    """So many different chat turns; the n-th has a prompt of n tokens."""
    return [
        chat("x" + " x" * (number - 1), requestId=f"request-{number}")
        for number in range(1, count + 1)
    ]


def document(*records: Any, **options: Any) -> bytes:
    """Records in a document, as AWS packs them."""
    return json.dumps({"records": records}, **options).encode()


def read(
    stored: bytes,
    unit: LogObject = CHAT,
    *,
    privacy: Privacy | None = None,
    first_slot: int = 0,
    max_record_bytes: int = MEBIBYTE,
    max_object_bytes: int = 64 * MEBIBYTE,
    step: int | None = None,
) -> PromptBatch:
    """Read an object from its stored bytes, `step` at a time if given; its now is NOW_SLOT."""
    log_format = PromptLogFormat(
        source="prompts",
        privacy=privacy or Privacy(),
        first_slot=first_slot,
        last_slot=NOW_SLOT + 4,
        max_record_bytes=max_record_bytes,
        max_object_bytes=max_object_bytes,
    )
    stream = io.BytesIO(stored) if step is None else Dripping(stored, step)
    return log_format.reader()(unit, stream)


def read_one(record: dict[str, Any], unit: LogObject = CHAT, **options: Any) -> Prompt:
    """Read an object of one record, which must be good."""
    batch = read(document(record), unit, **options)
    assert (len(batch.prompts), batch.rejected, batch.skipped) == (1, {}, {}), batch
    return batch.prompts[0]


def inputs(batch: PromptBatch) -> list[int]:
    """Input tokens of each request of a batch, in their order."""
    return [prompt.input for prompt in batch.prompts]


def _record(
    event: str, request: dict[str, Any], answer: dict[str, Any], fields: dict[str, Any]
) -> dict[str, Any]:
    asked = {name: value for name, value in fields.items() if name not in answer}
    answered = {name: value for name, value in fields.items() if name in answer}
    return {f"{event}Request": _with(request, asked), f"{event}Response": _with(answer, answered)}


def _with(half: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (half | fields).items() if value is not ABSENT}
