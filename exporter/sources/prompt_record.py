"""One record of the prompt logs of Amazon Q Developer and Kiro, from JSON to what is counted of it.

The format is that of AWS's "Prompt log examples in Amazon Q Developer", which Kiro follows too. It
states no tokens, so the texts are handed on to be counted and dropped; no error quotes them. Kiro
writes no keys that are empty: most of its chat requests go on by themselves and have no prompt.
"""

import re
from dataclasses import dataclass, field, replace

import msgspec

from exporter.assistant_usage import RequestKind
from exporter.sources import invocation_record
from exporter.sources.json_repair import repaired
from exporter.sources.rejection import Rejection

_FINER_THAN_MICROSECONDS = re.compile(r"(\.[0-9]{6})[0-9]+")
_LONGEST_SCORES = 256
_IN_FENCE = re.compile(r"\s*(?:```(?:json)?\s*)?(\{[^{}]*\})\s*(?:```\s*)?")


@dataclass(frozen=True, slots=True)
class PromptRecord:
    """What of a record is looked at; an identifier that is absent, null or no text is empty."""

    request_kind: RequestKind
    timestamp: str
    user_id: str
    conversation_id: str
    identity: bytes = field(repr=False)
    """What the same request has wherever it stands: its requestId, or every byte of it."""
    input: tuple[str, ...] = field(repr=False)
    """Texts of which the tokens are input."""
    output: tuple[str, ...] = field(repr=False)


class _ChatRequest(msgspec.Struct, rename="camel"):
    prompt: str | None = None
    user_id: msgspec.Raw = msgspec.Raw()
    time_stamp: str | None = None


class _Metadata(msgspec.Struct, rename="camel"):
    conversation_id: msgspec.Raw = msgspec.Raw()


class _ChatResponse(msgspec.Struct, rename="camel"):
    """Follow-up prompts, links and references are no part of the answer, and skipped undecoded."""

    assistant_response: str | None = None
    message_metadata: msgspec.Raw = msgspec.Raw()
    request_id: msgspec.Raw = msgspec.Raw()


class _InlineRequest(msgspec.Struct, rename="camel"):
    left_context: str | None = None
    right_context: str | None = None
    file_name: str | None = None
    user_id: msgspec.Raw = msgspec.Raw()
    time_stamp: str | None = None


class _Completion(msgspec.Struct):
    """A completion as the API of CodeWhisperer has it, where it is not a mere text."""

    content: str | None = None


class _InlineResponse(msgspec.Struct, rename="camel"):
    completions: list[str | _Completion | None] | str | None = None
    request_id: msgspec.Raw = msgspec.Raw()


class _Record(msgspec.Struct):
    chat_request: _ChatRequest | None = msgspec.field(
        name="generateAssistantResponseEventRequest", default=None
    )
    chat_response: _ChatResponse | None = msgspec.field(
        name="generateAssistantResponseEventResponse", default=None
    )
    inline_request: _InlineRequest | None = msgspec.field(
        name="generateCompletionsEventRequest", default=None
    )
    inline_response: _InlineResponse | None = msgspec.field(
        name="generateCompletionsEventResponse", default=None
    )


class _Scores(msgspec.Struct, forbid_unknown_fields=True):
    chat: float
    do: float
    spec: float


class _Document(msgspec.Struct):
    records: list[_Record]


_document_decoder = msgspec.json.Decoder(_Document)
_record_decoder = msgspec.json.Decoder(_Record)
_scores_decoder = msgspec.json.Decoder(_Scores)
_metadata_decoder = msgspec.json.Decoder(_Metadata)
_text_decoder = msgspec.json.Decoder(str)


def decode_plain_document(text: bytes) -> list[PromptRecord] | None:
    """Read {"records": [...]} at once; None unless all of it is as AWS documents it.

    Gives the same as `decode_prompt_record` of each record, in a third of the time.
    """
    try:
        records = _document_decoder.decode(text).records
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    known = [_known(record) for record in records]
    plain = [record for record in known if record and record.identity]
    return plain if plain and len(plain) == len(records) else None


def decode_prompt_record(text: bytes) -> PromptRecord | Rejection:
    """Read the JSON object of one record, or tell why it is none of those that AWS documents."""
    try:
        record = _record_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            record = _record_decoder.decode(repaired(text))
        except msgspec.ValidationError as error:
            return _explain(error)
        except msgspec.DecodeError:
            return Rejection.MALFORMED_JSON
    known = _known(record)
    if known is None:
        return Rejection.UNKNOWN_PROMPT_RECORD
    return known if known.identity else replace(known, identity=text)


def parse_timestamp(text: str) -> int | None:
    """Return the seconds since the epoch of a timeStamp, whatever its precision.

    Digits past microseconds are cut off: rounded, the last moment of a day would be on the next.
    """
    return invocation_record.parse_timestamp(_FINER_THAN_MICROSECONDS.sub(r"\1", text))


def is_router_turn(record: PromptRecord) -> bool:
    """Tell whether Kiro asked itself what a prompt wants: a chat, something done, or a spec.

    The answer to that is nothing but a JSON object of three scores.
    """
    if record.request_kind is not RequestKind.CHAT:
        return False
    answer = "".join(record.output)
    scores = _IN_FENCE.fullmatch(answer) if len(answer) <= _LONGEST_SCORES else None
    try:
        return scores is not None and _scores_decoder.decode(scores[1]) is not None
    except (msgspec.DecodeError, UnicodeEncodeError):
        return False


def _known(record: _Record) -> PromptRecord | None:
    if record.chat_request or record.chat_response:
        return _chat(record.chat_request or _ChatRequest(), record.chat_response or _ChatResponse())
    if record.inline_request or record.inline_response:
        return _inline(
            record.inline_request or _InlineRequest(), record.inline_response or _InlineResponse()
        )
    return None


def _chat(request: _ChatRequest, response: _ChatResponse) -> PromptRecord:
    return PromptRecord(
        RequestKind.CHAT,
        timestamp=request.time_stamp or "",
        user_id=_text(request.user_id),
        conversation_id=_conversation_id(response.message_metadata),
        identity=_text(response.request_id).encode(),
        input=_texts(request.prompt),
        output=_texts(response.assistant_response),
    )


def _inline(request: _InlineRequest, response: _InlineResponse) -> PromptRecord:
    completions = response.completions or []
    return PromptRecord(
        RequestKind.INLINE,
        timestamp=request.time_stamp or "",
        user_id=_text(request.user_id),
        conversation_id="",
        identity=_text(response.request_id).encode(),
        input=_texts(request.left_context, request.right_context, request.file_name),
        output=_texts(*([completions] if isinstance(completions, str) else completions)),
    )


def _texts(*values: str | _Completion | None) -> tuple[str, ...]:
    """Return the texts among values, without empty ones."""
    texts = (value.content if isinstance(value, _Completion) else value for value in values)
    return tuple(text for text in texts if text)


def _text(value: msgspec.Raw) -> str:
    """Return a JSON value if it is a text; any other costs a record its name, not its tokens."""
    try:
        return _text_decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _conversation_id(metadata: msgspec.Raw) -> str:
    try:
        return _text(_metadata_decoder.decode(metadata).conversation_id)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _explain(error: msgspec.ValidationError) -> Rejection:
    is_moment = "timeStamp" in str(error)
    return Rejection.INVALID_TIMESTAMP if is_moment else Rejection.INVALID_RECORD
