"""What a response body says of its tokens, in the shapes of every provider.

Looked at only where the record's own figures leave something open. Text is skipped undecoded.
Field names are those of the wire.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

import msgspec

Count = int | None


class _CacheDetail(msgspec.Struct, rename="camel"):
    ttl: str | None = None
    input_tokens: Count = None


class _CacheCreation(msgspec.Struct):
    ephemeral_5m_input_tokens: Count = None
    ephemeral_1h_input_tokens: Count = None


class _InputDetails(msgspec.Struct):
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
    prompt_tokens_details: _InputDetails | None = None
    input_tokens_details: _InputDetails | None = None


class _StreamMetrics(msgspec.Struct, rename="camel"):
    input_token_count: Count = None
    output_token_count: Count = None
    cache_read_input_token_count: Count = None
    cache_write_input_token_count: Count = None


class _WithUsage(msgspec.Struct):
    usage: _BodyUsage | None = None


class _Tier(msgspec.Struct):
    type: str | None = None


class _Performance(msgspec.Struct):
    latency: str | None = None


class _Result(msgspec.Struct):
    tokenCount: Count = None


class _Body(msgspec.Struct):
    """A response body, or one chunk of a streamed one."""

    usage: _BodyUsage | None = None
    message: _WithUsage | None = None
    metadata: _WithUsage | None = None
    metrics: _StreamMetrics | None = msgspec.field(
        name="amazon-bedrock-invocationMetrics", default=None
    )
    serviceTier: _Tier | None = None
    service_tier: str | None = None
    performanceConfig: _Performance | None = None
    prompt_token_count: Count = None
    generation_token_count: Count = None
    inputTextTokenCount: Count = None
    totalOutputTextTokenCount: Count = None
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
    latency: str | None = None


_body_decoder = msgspec.json.Decoder(_Body)
_fields_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_chunks_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_TELLING = (b"oken", b"ier", b"atency")
"""Parts of the names of all fields that are looked at; most chunks of a stream hold none."""


def body_figures(body: bytes) -> BodyFigures:
    """Read a response body: an object, or the array of chunks that a stream left.

    A body of an unknown shape says nothing; it is no error, since the record may say it all.
    """
    try:
        if not body.startswith(b"["):
            return _merge(_decode(body))
        chunks = map(bytes, _chunks_decoder.decode(body))
        telling = (chunk for chunk in chunks if any(part in chunk for part in _TELLING))
        return _merge(part for chunk in telling for part in _decode(chunk))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return BodyFigures()


def _decode(text: bytes) -> Iterator[_Body]:
    """Decode a body or chunk; a field of another shape than is known says nothing.

    Plain strings such as "[DONE]" stand among the chunks of some streams.
    """
    if not text.startswith(b"{"):
        return
    try:
        yield _body_decoder.decode(text)
    except msgspec.ValidationError:
        for name, value in _fields_decoder.decode(text).items():
            with suppress(msgspec.ValidationError):
                yield _body_decoder.decode(msgspec.json.encode({name: value}))


def _merge(bodies: Iterable[_Body]) -> BodyFigures:
    """Merge what the chunks of a body say; a later chunk states a running total and replaces."""
    merged = BodyFigures()
    for body in bodies:
        for figures in _figures(body):
            stated = {name: value for name, value in figures._asdict().items() if value is not None}
            merged = merged._replace(**stated)
    return merged


def _figures(body: _Body) -> Iterable[BodyFigures]:
    for part in (body.message, body.metadata, body):
        if part is not None and part.usage is not None:
            yield _usage_figures(part.usage)
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
        output=first_stated(
            body.generation_token_count,
            body.totalOutputTextTokenCount,
            sum(results) if results else None,
        ),
        service_tier=tier,
        latency=body.performanceConfig.latency if body.performanceConfig else None,
    )


def _usage_figures(usage: _BodyUsage) -> BodyFigures:
    details = usage.prompt_tokens_details or usage.input_tokens_details
    cached = details.cached_tokens if details else None
    stated = first_stated(usage.inputTokens, usage.input_tokens, usage.prompt_tokens)
    if stated is not None and cached is not None:
        # The OpenAI-compatible counts, which alone have such details, include what the cache gave.
        stated -= cached
    five_minutes, one_hour = _split(usage)
    return BodyFigures(
        input=stated,
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
