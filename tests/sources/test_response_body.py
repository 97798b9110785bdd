"""What a response body says of its tokens, in the shape of every provider."""

import json
from typing import Any

import pytest

from exporter.sources.response_body import BodyFigures, body_figures


def figures(body: Any) -> BodyFigures:
    return body_figures(json.dumps(body).encode())


BODIES: dict[str, tuple[Any, BodyFigures]] = {
    "Converse": (
        {
            "output": {"message": {"role": "assistant", "content": [{"text": "x"}]}},
            "stopReason": "end_turn",
            "metrics": {"latencyMs": 900},
            "usage": {
                "inputTokens": 3,
                "outputTokens": 20,
                "totalTokens": 28_880,
                "cacheReadInputTokens": 0,
                "cacheReadInputTokenCount": 0,
                "cacheWriteInputTokens": 28_857,
                "cacheWriteInputTokenCount": 28_857,
                "cacheDetails": [
                    {"ttl": "5m", "inputTokens": 857},
                    {"ttl": "1h", "inputTokens": 28_000},
                ],
            },
            "serviceTier": {"type": "flex"},
            "performanceConfig": {"latency": "optimized"},
        },
        BodyFigures(3, 20, 0, 28_857, 857, 28_000, "flex", "optimized"),
    ),
    "Anthropic": (
        {
            "type": "message",
            "content": [{"type": "text", "text": "x"}],
            "usage": {
                "input_tokens": 4,
                "output_tokens": 30,
                "cache_read_input_tokens": 100,
                "cache_creation_input_tokens": 50,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 20,
                    "ephemeral_1h_input_tokens": 30,
                },
            },
        },
        BodyFigures(4, 30, 100, 50, 20, 30),
    ),
    "Anthropic, streamed": (
        [
            {
                "type": "message_start",
                "message": {
                    "model": "claude-3-haiku-48k-20240307",
                    "usage": {
                        "input_tokens": 4,
                        "output_tokens": 1,
                        "cache_creation_input_tokens": 50,
                        "cache_creation": {
                            "ephemeral_5m_input_tokens": 0,
                            "ephemeral_1h_input_tokens": 50,
                        },
                    },
                },
            },
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "tokens: 99"}},
            {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 30}},
            {
                "type": "message_stop",
                "amazon-bedrock-invocationMetrics": {
                    "inputTokenCount": 4,
                    "outputTokenCount": 30,
                    "invocationLatency": 4069,
                    "firstByteLatency": 1117,
                    "cacheReadInputTokenCount": 7,
                    "cacheWriteInputTokenCount": 50,
                },
            },
        ],
        BodyFigures(4, 30, 7, 50, 0, 50),
    ),
    "Anthropic, streamed and cut off before the end": (
        [{"type": "message_start", "message": {"usage": {"input_tokens": 4, "output_tokens": 1}}}],
        BodyFigures(4, 1),
    ),
    "Nova": (
        {
            "output": {},
            "usage": {"inputTokens": 5, "outputTokens": 6, "cacheReadInputTokenCount": 7},
        },
        BodyFigures(5, 6, 7),
    ),
    "Nova, streamed": (
        [
            {"messageStart": {"role": "assistant"}},
            {"contentBlockDelta": {"delta": {"text": "x"}, "contentBlockIndex": 0}},
            {"metadata": {"usage": {"inputTokens": 5, "outputTokens": 6}, "metrics": {}}},
        ],
        BodyFigures(5, 6),
    ),
    "OpenAI, cached tokens included": (
        {
            "choices": [{"message": {"content": "x"}}],
            "service_tier": "priority",
            "usage": {
                "prompt_tokens": 1000,
                "completion_tokens": 50,
                "total_tokens": 1050,
                "prompt_tokens_details": {"cached_tokens": 900},
            },
        },
        BodyFigures(100, 50, 900, service_tier="priority"),
    ),
    "OpenAI Responses, cached tokens included": (
        {
            "usage": {
                "input_tokens": 1000,
                "input_tokens_details": {"cached_tokens": 900},
                "output_tokens": 50,
            }
        },
        BodyFigures(100, 50, 900),
    ),
    "OpenAI, streamed": (
        [
            {"choices": [{"delta": {"content": "x"}}], "usage": None},
            {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 12}},
            "[DONE]",
        ],
        BodyFigures(11, 12),
    ),
    "Llama": (
        {"generation": "x", "prompt_token_count": 8, "generation_token_count": 9},
        BodyFigures(8, 9),
    ),
    "Titan": (
        {
            "inputTextTokenCount": 5,
            "results": [
                {"tokenCount": 32, "outputText": "x"},
                {"tokenCount": 8, "outputText": "y"},
            ],
        },
        BodyFigures(5, 40),
    ),
    "Titan, streamed": (
        [
            {"outputText": "x", "totalOutputTextTokenCount": None, "inputTextTokenCount": 5},
            {"outputText": "y", "totalOutputTextTokenCount": 40, "inputTextTokenCount": None},
        ],
        BodyFigures(5, 40),
    ),
    "Titan embedding": ({"embedding": [0.5], "inputTextTokenCount": 6}, BodyFigures(6)),
    "Mistral, without counts": ({"outputs": [{"text": "x"}]}, BodyFigures()),
    "image": ({"images": ["iVBOR"], "error": None}, BodyFigures()),
    "rerank": ({"results": [{"index": 0, "relevance_score": 0.9}]}, BodyFigures()),
}


@pytest.mark.parametrize("shape", BODIES)
def test_a_provider_s_shape_is_understood(shape: str) -> None:
    body, expected = BODIES[shape]
    assert figures(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"null",
            b"17",
            b'"text"',
            b"[]",
            b"{}",
            b'["[DONE]", null, 5, []]',
            b"[",
            b'{"usage"',
        ),
        *(b'{"usage": "none"}', b'{"usage": {"inputTokens": "5"}}', b'{"results": {"a": 1}}'),
        *(b'{"inputTextTokenCount": 1.5}', b'{"inputTextTokenCount": true}'),
    ],
)
def test_a_body_of_an_unknown_shape_says_nothing(body: bytes) -> None:
    assert body_figures(body) == BodyFigures()


@pytest.mark.parametrize(
    "field",
    [
        *({"message": "blocked"}, {"metadata": "x"}, {"service_tier": {"type": "flex"}}),
        *({"results": {}}, {"serviceTier": "flex"}, {"performanceConfig": []}),
    ],
)
def test_a_field_of_an_unknown_shape_hides_no_other(field: dict[str, Any]) -> None:
    assert figures({**field, "usage": {"inputTokens": 5, "outputTokens": 6}}) == BodyFigures(5, 6)


def test_text_that_is_not_looked_at_may_be_anything() -> None:
    body = b'[{"delta": "\xff\xfe tokens"}, {"usage": {"inputTokens": 5}}]'
    assert body_figures(body) == BodyFigures(5)


def test_a_lifetime_that_is_new_leaves_the_split_open() -> None:
    usage = {"cacheWriteInputTokens": 9, "cacheDetails": [{"ttl": "30m", "inputTokens": 9}]}
    assert figures({"usage": usage}) == BodyFigures(
        cache_write=9, cache_write_5m=0, cache_write_1h=0
    )


def test_an_empty_split_is_none() -> None:
    assert figures({"usage": {"cacheDetails": []}}) == BodyFigures()
