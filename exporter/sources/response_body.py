"""What a response body says of its tokens, in the shapes of every provider.

Looked at only where the record's own figures leave something open. Text is skipped undecoded.
Field names are those of the wire.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

Count = int | None


class _CacheDetail(msgspec.Struct, rename="camel"):
    ttl: str | None = None
    input_tokens: Count = None


class _CacheCreation(msgspec.Struct):
    ephemeral_5m_input_tokens: Count = None
    ephemeral_1h_input_tokens: Count = None


class _PromptDetails(msgspec.Struct):
    cached_tokens: Count = None


class _BodyUsage(msgspec.Struct):
    """The usage object of Converse and Nova, of Anthropic, and of the OpenAI-compatible models."""

    inputTokens: Count = None
    outputTokens: Count = None
    cacheReadInputTokens: Count = None
    cacheWriteInputTokens: Count = None
    cacheReadInputTokenCount: Count = None
    cacheWriteInputTokenCount: Count = None
    cacheDetails: list[_CacheDetail] | None = None
    input_tokens: Count = None
    output_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    cache_creation: _CacheCreation | None = None
    prompt_tokens: Count = None
    completion_tokens: Count = None
    prompt_tokens_details: _PromptDetails | None = None


class _StreamMetrics(msgspec.Struct, rename="camel"):
    input_token_count: Count = None
    output_token_count: Count = None
    cache_read_input_token_count: Count = None
    cache_write_input_token_count: Count = None


class _Message(msgspec.Struct):
    usage: _BodyUsage | None = None


class _Tier(msgspec.Struct):
    type: str | None = None


class _Result(msgspec.Struct):
    tokenCount: Count = None


class _Body(msgspec.Struct):
    """A response body, or one chunk of a streamed one."""

    usage: _BodyUsage | None = None
    message: _Message | None = None
    metrics: _StreamMetrics | None = msgspec.field(
        name="amazon-bedrock-invocationMetrics", default=None
    )
    serviceTier: _Tier | None = None
    service_tier: str | None = None
    prompt_token_count: Count = None
    generation_token_count: Count = None
    inputTextTokenCount: Count = None
    results: list[_Result] | None = None


class BodyFigures(NamedTuple):
    """What a response body says of its tokens; None where it does not."""

    input: Count = None
    output: Count = None
    cache_read: Count = None
    cache_write: Count = None
    cache_write_5m: Count = None
    cache_write_1h: Count = None
    service_tier: str | None = None


_body_decoder = msgspec.json.Decoder(_Body)
_chunks_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def body_figures(body: bytes) -> BodyFigures:
    """Read a response body: an object, or the array of chunks that a stream left.

    A body of an unknown shape says nothing; it is no error, since the record may say it all.
    """
    try:
        if not body.startswith(b"["):
            return _merge([_decode_body(body)])
        # Plain strings such as "[DONE]" stand among the chunks of some streams.
        chunks = (bytes(chunk) for chunk in _chunks_decoder.decode(body))
        return _merge(_decode_body(chunk) for chunk in chunks if chunk.startswith(b"{"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return BodyFigures()


def _decode_body(text: bytes) -> _Body:
    """Decode a body or chunk; one of another shape than is known says nothing."""
    try:
        return _body_decoder.decode(text)
    except msgspec.ValidationError:
        return _Body()


def _merge(bodies: Iterable[_Body]) -> BodyFigures:
    """Merge what the chunks of a body say; a later chunk states a running total and replaces."""
    merged = BodyFigures()
    for body in bodies:
        for figures in _figures(body):
            stated = {name: value for name, value in figures._asdict().items() if value is not None}
            merged = merged._replace(**stated)
    return merged


def _figures(body: _Body) -> Iterable[BodyFigures]:
    if body.message is not None and body.message.usage is not None:
        yield _usage_figures(body.message.usage)
    if body.usage is not None:
        yield _usage_figures(body.usage)
    if body.metrics is not None:
        metrics = body.metrics
        yield BodyFigures(
            metrics.input_token_count,
            metrics.output_token_count,
            metrics.cache_read_input_token_count,
            metrics.cache_write_input_token_count,
        )
    tier = body.serviceTier.type if body.serviceTier else body.service_tier
    results = [result.tokenCount for result in body.results or () if result.tokenCount is not None]
    yield BodyFigures(
        input=first_stated(body.prompt_token_count, body.inputTextTokenCount),
        output=first_stated(body.generation_token_count, sum(results) if results else None),
        service_tier=tier,
    )


def _usage_figures(usage: _BodyUsage) -> BodyFigures:
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else None
    prompt = usage.prompt_tokens
    if prompt is not None and cached is not None:
        # The OpenAI-compatible prompt count includes what the cache gave.
        prompt -= cached
    five_minutes, one_hour = _split(usage)
    return BodyFigures(
        input=first_stated(usage.inputTokens, usage.input_tokens, prompt),
        output=first_stated(usage.outputTokens, usage.output_tokens, usage.completion_tokens),
        cache_read=first_stated(
            usage.cacheReadInputTokens,
            usage.cacheReadInputTokenCount,
            usage.cache_read_input_tokens,
            cached,
        ),
        cache_write=first_stated(
            usage.cacheWriteInputTokens,
            usage.cacheWriteInputTokenCount,
            usage.cache_creation_input_tokens,
        ),
        cache_write_5m=five_minutes,
        cache_write_1h=one_hour,
    )


def _split(usage: _BodyUsage) -> tuple[Count, Count]:
    if usage.cacheDetails:
        by_ttl = {"5m": 0, "1h": 0}
        for detail in usage.cacheDetails:
            if detail.ttl in by_ttl:
                by_ttl[detail.ttl] += detail.input_tokens or 0
        return by_ttl["5m"], by_ttl["1h"]
    if usage.cache_creation is not None:
        return (
            usage.cache_creation.ephemeral_5m_input_tokens,
            usage.cache_creation.ephemeral_1h_input_tokens,
        )
    return None, None


def first_stated(*values: Count) -> Count:
    """Return the first count that is stated at all."""
    return next((value for value in values if value is not None), None)
