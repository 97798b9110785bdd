"""Request and response bodies as each provider words them; the text means nothing.

Every prompt begins with CANARY, so that a test can prove that no prompt leaves the logs.
"""

from collections.abc import Callable
from functools import cache
from itertools import cycle, islice
from typing import Any

from exporter.simulate.calls import GUARDED, Call
from exporter.simulate.workloads import Dialect

Body = dict[str, Any]
Chunks = list[Body | str]
"""Of a stream."""

CANARY = "canary-7d1f"
"""Stands in every prompt, and in nothing but prompts and answers."""

_SENTENCES = (
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit.",
    "Sed do eiusmod tempor incididunt ut labore et dolore magna aliqua.",
    "Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris.",
    "Duis aute irure dolor in reprehenderit in voluptate velit esse.",
    "Excepteur sint occaecat cupidatat non proident, sunt in culpa.",
)
_PROMPT_SENTENCES = 12
_LARGE_PROMPT_SENTENCES = 2_000
"""More than the 100 KB that a record holds."""
_ANSWER_SENTENCES = 3
_BLOCKED = "Sorry, the model cannot answer this question."


def request_body(call: Call, large: bool = False) -> Body:
    """Return what the caller sent."""
    prompt = _text(call, _LARGE_PROMPT_SENTENCES if large else _PROMPT_SENTENCES)
    return _REQUESTS[call.task.dialect](prompt)


def response_body(call: Call) -> Body | Chunks:
    """Return what the model answered; a stream of InvokeModel is a list of chunks."""
    return _RESPONSES[call.task.dialect](call)


def _text(call: Call, sentences: int) -> str:
    return _lorem(int(call.request_id[:2], 16) % len(_SENTENCES), sentences)


@cache
def _lorem(first: int, sentences: int) -> str:
    return " ".join([CANARY, *islice(cycle(_SENTENCES), first, first + sentences)])


def _answer(call: Call) -> str:
    return _BLOCKED if call.outcome == GUARDED else _text(call, _ANSWER_SENTENCES)


def _latency(call: Call) -> int:
    return 300 + call.tokens.output * 12


def _converse_request(prompt: str) -> Body:
    return {
        "messages": [{"role": "user", "content": [{"text": prompt}]}],
        "inferenceConfig": {"maxTokens": 4096, "temperature": 0.2},
    }


def _converse_response(call: Call) -> Body:
    body: Body = {
        "output": {"message": {"role": "assistant", "content": [{"text": _answer(call)}]}},
        "stopReason": "guardrail_intervened" if call.outcome == GUARDED else "end_turn",
        "metrics": {"latencyMs": _latency(call)},
        "usage": _converse_usage(call),
    }
    if call.task.service_tier:
        body["serviceTier"] = {"type": call.task.service_tier}
    return body


def _converse_usage(call: Call) -> Body:
    tokens = call.tokens
    usage: Body = {
        "inputTokens": tokens.input,
        "outputTokens": tokens.output,
        "totalTokens": sum(tokens),
    }
    if call.task.cache_read_tokens:
        usage["cacheReadInputTokens"] = usage["cacheReadInputTokenCount"] = tokens.cache_read
        usage["cacheWriteInputTokens"] = usage["cacheWriteInputTokenCount"] = tokens.cache_write
    if call.task.cache_ttl and tokens.cache_write:
        usage["cacheDetails"] = [{"ttl": call.task.cache_ttl, "inputTokens": tokens.cache_write}]
    return usage


def _anthropic_request(prompt: str) -> Body:
    return {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": [{"type": "text", "text": prompt}]}],
    }


def _anthropic_usage(call: Call, output_tokens: int) -> Body:
    usage: Body = {"input_tokens": call.tokens.input, "output_tokens": output_tokens}
    if call.task.cache_read_tokens:
        usage["cache_read_input_tokens"] = call.tokens.cache_read
        usage["cache_creation_input_tokens"] = call.tokens.cache_write
    if call.task.cache_ttl:
        usage["cache_creation"] = {
            f"ephemeral_{ttl}_input_tokens": call.tokens.cache_write * (ttl == call.task.cache_ttl)
            for ttl in ("5m", "1h")
        }
    return usage


def _anthropic_message(call: Call) -> Body:
    return {
        "id": f"msg_bdrk_{call.request_id.replace('-', '')[:24]}",
        "type": "message",
        "role": "assistant",
        "model": "claude",
    }


def _anthropic_response(call: Call) -> Body | Chunks:
    return _anthropic_stream(call) if call.task.stream else _anthropic_answer(call)


def _anthropic_answer(call: Call) -> Body:
    body = {
        **_anthropic_message(call),
        "content": [{"type": "text", "text": _answer(call)}],
        "stop_reason": "end_turn",
        "usage": _anthropic_usage(call, call.tokens.output),
    }
    if call.outcome == GUARDED:
        body["amazon-bedrock-guardrailAction"] = "INTERVENED"
    return body


def _anthropic_stream(call: Call) -> Chunks:
    start = {**_anthropic_message(call), "content": [], "usage": _anthropic_usage(call, 1)}
    stop: Body = {
        "type": "message_stop",
        "amazon-bedrock-invocationMetrics": _invocation_metrics(call),
    }
    if call.outcome == GUARDED:
        stop["amazon-bedrock-guardrailAction"] = "INTERVENED"
    return [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": _answer(call)},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": call.tokens.output},
        },
        stop,
    ]


def _invocation_metrics(call: Call) -> Body:
    metrics = {
        "inputTokenCount": call.tokens.input,
        "outputTokenCount": call.tokens.output,
        "invocationLatency": _latency(call),
        "firstByteLatency": 300,
    }
    if call.task.cache_read_tokens:
        metrics["cacheReadInputTokenCount"] = call.tokens.cache_read
        metrics["cacheWriteInputTokenCount"] = call.tokens.cache_write
    return metrics


def _openai_request(prompt: str) -> Body:
    return {"messages": [{"role": "user", "content": prompt}], "max_completion_tokens": 4096}


def _openai_stream(call: Call) -> Chunks:
    chunk = {"object": "chat.completion.chunk", "model": call.task.model_id}
    return [
        {**chunk, "choices": [{"index": 0, "delta": {"content": _answer(call)}}]},
        {
            **chunk,
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
            "amazon-bedrock-invocationMetrics": _invocation_metrics(call),
        },
        "[DONE]",
    ]


def _llama_request(prompt: str) -> Body:
    return {"prompt": prompt, "max_gen_len": 2048, "temperature": 0.2}


def _llama_response(call: Call) -> Body:
    return {
        "generation": _answer(call),
        "prompt_token_count": call.tokens.input,
        "generation_token_count": call.tokens.output,
        "stop_reason": "stop",
    }


def _embedding_request(prompt: str) -> Body:
    return {"inputText": prompt, "dimensions": 256}


def _embedding_response(call: Call) -> Body:
    return {"embedding": [0.015625] * 16, "inputTextTokenCount": call.tokens.input}


def _image_request(prompt: str) -> Body:
    return {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": prompt}}


def _image_response(call: Call) -> Body:
    return {"images": ["iVBORw0KGgo="]}


_REQUESTS = {
    Dialect.CONVERSE: _converse_request,
    Dialect.ANTHROPIC: _anthropic_request,
    Dialect.OPENAI: _openai_request,
    Dialect.LLAMA: _llama_request,
    Dialect.TITAN_EMBEDDING: _embedding_request,
    Dialect.IMAGE: _image_request,
}
_RESPONSES: dict[Dialect, Callable[[Call], Body | Chunks]] = {
    Dialect.CONVERSE: _converse_response,
    Dialect.ANTHROPIC: _anthropic_response,
    Dialect.OPENAI: _openai_stream,
    Dialect.LLAMA: _llama_response,
    Dialect.TITAN_EMBEDDING: _embedding_response,
    Dialect.IMAGE: _image_response,
}
