"""Records in every shape that is known, sound and broken, for ways of reading that must agree.

Each is one line, of ACCOUNT and with REQUEST_ID unless that is the point of it; `line_of` gives it
other ones.
"""

import json
from typing import Any

from bad_input import ABSENT, ARN, line, record, with_body
from test_response_body import BODIES

from exporter.sources.invocation_record import MAX_TOKENS

ACCOUNT = "111122223333"
REQUEST_ID = "4d8c3f0e-0001-4a6b-9c1d-000000000001"
METADATA_KEYS = sorted(["team", "a b", 'q"uote', "back\\slash", "it's", "été", "x.y", "0", "/~1"])
_COUNTS = ("inputTokenCount", "outputTokenCount", "cacheReadInputTokenCount")
_WRITE = "cacheWriteInputTokenCount"


def line_of(shape: str, number: int) -> bytes:
    """The line of a shape, for an account and a request of its own."""
    text = SHAPES[shape].replace(ACCOUNT.encode(), account_of(number).encode())
    return text.replace(REQUEST_ID.encode(), f"request-{number}".encode())


def account_of(number: int) -> str:
    """The account that `line_of` gives a shape."""
    return f"{number:012}"


def _text(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()


def _with(old: str, new: bytes, **fields: Any) -> bytes:
    text = _text(record(**fields))
    assert text.count(old.encode()) == 1
    return text.replace(old.encode(), new)


def _sound() -> dict[str, bytes]:
    shapes = {
        "ordinary": line(),
        "keys in another order": _text(dict(reversed(record().items()))),
        "spaces around it": b"  " + line() + b"\t ",
        "unknown fields": line(thoughts={"a": [1, {}]}, schemaVersion="7", operation="New"),
        "inference region": line(inferenceRegion="us-west-2"),
        "an error": line(errorCode="ThrottlingException", output=ABSENT),
        "a long error": line(errorCode="x" * 70),
        "an error that is none": line(errorCode="<b>"),
        "nobody": line(identity=ABSENT),
        "more of an identity": line(identity={"type": 1, "arn": ARN, "x": []}),
        "a batch job": line(
            operation="CreateModelInvocationJob", performanceConfig={"latency": "optimized"}
        ),
        "text in other writing": line(modelId="模型-é-😀", identity={"arn": "arn:é\\\"'\n\t/"}),
        "long names": line(modelId="m" * 2048, identity={"arn": "a" * 2048}),
        "long places": line(region="r" * 70, inferenceRegion="i" * 70),
        "the largest count": line(input={"inputTokenCount": MAX_TOKENS}),
        "no counts": line(input={}, output={}),
        "null counts": _text(with_body(None, **dict.fromkeys((*_COUNTS, _WRITE)))),
        "null input and output": line(input=None, output=None),
        "neither input nor output": line(input=ABSENT, output=ABSENT),
        "deep": _with('"HERE"', b"[" * 900 + b"]" * 900, input={"inputBodyJson": "HERE"}),
        "an emoji as escapes": line(output={"outputBodyJson": {"x": "\U0001f600", "usage": 1}}),
        "metadata": line(
            requestMetadata={key: f"{key}-value" for key in METADATA_KEYS} | {"secret": "s"}
        ),
        "empty metadata": line(requestMetadata={"team": "", "x.y": "1"}),
        "metadata of other kinds": line(requestMetadata={"team": 5, "0": ["a"], "x.y": "1"}),
        "a guardrail": _text(
            with_body({"stopReason": "x", "usage": {}}, inputTokenCount=0, outputTokenCount=0)
        ),
        "talk of tokens": _text(
            with_body({"x": 'say "cacheDetails" and "usage": {"inputTokens": 5}'}, **{_WRITE: 5})
        ),
    }
    for field in ("accountId", "region", "requestId", "operation", "errorCode", "inferenceRegion"):
        for name, value in {"no": ABSENT, "null": None, "empty": ""}.items():
            shapes[f"{name} {field}"] = line(**{field: value})
    for value in ([], 5, "x", None, {"team": None}):
        shapes[f"metadata {value!r}"] = line(requestMetadata=value)
    for value in ([], 5, "x", None, {}, {"arn": None}, {"arn": 5}, {"arn": ""}, [ARN]):
        shapes[f"identity {value!r}"] = line(identity=value)
    for value in ({}, None, {"latency": "standard"}, {"latency": None}, {"latency": "optimized"}):
        shapes[f"performanceConfig {value!r}"] = line(performanceConfig=value)
    for moment in ("30.999Z", "30.123456789Z", "30", "30+00:00", "30+05:45", "30.5-14:00"):
        shapes[f"second {moment}"] = line(timestamp=f"2025-11-17T10:20:{moment}")
    for tokens in (100_000, 100_001, 200_000, 200_001, 600_000):
        given = {"inputTokenCount": 1, "cacheReadInputTokenCount": tokens - 1}
        shapes[f"a prompt of {tokens}"] = line(input=given)
    return shapes


def _bodies() -> dict[str, bytes]:
    """Each known body alone, with counts of the record's own, and with cache writes only."""
    shapes = {}
    own = dict.fromkeys(_COUNTS, 7)
    for name, (body, _) in BODIES.items():
        shapes[f"{name} alone"] = _text(with_body(body))
        shapes[f"{name} beside counts"] = _text(with_body(body, **own))
        shapes[f"{name} to split"] = _text(with_body(body, **own, **{_WRITE: 60}))
    for tier in ("default", "auto", "on_demand", "flex", "reserved", "new", "<b>", "x" * 40):
        shapes[f"serviceTier {tier!r}"] = _text(with_body({"serviceTier": {"type": tier}}, **own))
        shapes[f"service_tier {tier!r}"] = _text(with_body({"service_tier": tier}, **own))
    for name, split in {
        "none": {},
        "partial": {"5m": 10, "1h": 20},
        "too large": {"5m": 80, "1h": 90},
        "huge": {"1h": 10**30},
        "negative": {"5m": -5, "1h": -5},
        "another lifetime": {"30m": 9, "5m": 1},
    }.items():
        details = [{"ttl": ttl, "inputTokens": count} for ttl, count in split.items()]
        written = {**own, _WRITE: 60}
        shapes[f"split {name}"] = _text(with_body({"usage": {"cacheDetails": details}}, **written))
    return shapes | {f"body {body!r}": _text(with_body(body)) for body in _ODD_BODIES}


_ODD_BODIES: list[Any] = [
    *(None, 17, "text", [], {}, ["[DONE]", None, 5, []], True),
    *({"usage": "none"}, {"usage": []}, {"usage": None}, {"usage": {"inputTokens": "5"}}),
    *({"results": {"a": 1}}, {"results": []}, {"results": [{}]}, {"results": [None]}),
    *({"results": [{"tokenCount": None}, {"tokenCount": 3}]}, {"results": [{"tokenCount": "3"}]}),
    *({"inputTextTokenCount": 1.5}, {"inputTextTokenCount": True}, {"prompt_token_count": -3}),
    {"inputTextTokenCount": 1.5, "totalOutputTextTokenCount": 3},
    {"usage": {"inputTokens": 5.0, "outputTokens": 6}},
    {"usage": {"inputTokens": 5, "cacheDetails": {"ttl": "5m"}}},
    {"usage": {"inputTokens": 5, "cacheDetails": ["5m"]}},
    {"usage": {"inputTokens": 5, "cacheDetails": [{"ttl": 5, "inputTokens": 5}]}},
    {"usage": {"inputTokens": 5, "cacheDetails": [{"ttl": "5m", "inputTokens": "5"}]}},
    {"usage": {"inputTokens": 5, "cacheDetails": [{"ttl": None}, {"inputTokens": 4}]}},
    {"usage": {"inputTokens": 5, "cacheDetails": []}},
    {
        "usage": {
            "cacheWriteInputTokens": 9,
            "cacheDetails": [{"ttl": "5m", "inputTokens": 4}],
            "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2},
        }
    },
    {"usage": {"inputTokens": 5, "cache_creation": 5}},
    {"usage": {"inputTokens": 5, "prompt_tokens_details": [5]}},
    {"usage": {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": None}}},
    {
        "usage": {
            "prompt_tokens": 9,
            "prompt_tokens_details": {},
            "input_tokens_details": {"cached_tokens": 4},
        }
    },
    {"usage": {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 6}}},
    {"usage": {"prompt_tokens_details": {"cached_tokens": 6}}},
    {"usage": {"inputTokens": -5}},
    {"usage": {"inputTokens": 10**30}},
    {"usage": {"inputTokens": 5, "input_tokens": 6, "prompt_tokens": 7}},
    {"usage": {"outputTokens": None, "output_tokens": 6, "completion_tokens": 7}},
    {"message": "blocked", "usage": {"inputTokens": 5}},
    {"message": {"usage": {"inputTokens": "5"}}, "usage": {"outputTokens": 6}},
    {"message": {"usage": {"inputTokens": 1}}, "metadata": {"usage": {"inputTokens": 2}}},
    {"amazon-bedrock-invocationMetrics": {"inputTokenCount": "1", "outputTokenCount": 2}},
    {"amazon-bedrock-invocationMetrics": [], "usage": {"inputTokens": 5}},
    {
        "amazon-bedrock-invocationMetrics": {"inputTokenCount": 1, "outputTokenCount": 2},
        "usage": {"inputTokens": 5, "outputTokens": 6},
        "prompt_token_count": 8,
    },
    [{"usage": {"inputTokens": 5}}, {"usage": {"outputTokens": 6}}, {"usage": {"inputTokens": 7}}],
    [{"usage": {"inputTokens": 5}}, {"usage": {"inputTokens": None}}, {"usage": None}],
    [{"service_tier": "flex"}, {"serviceTier": {"type": None}}, {"service_tier": None}],
    [{"performanceConfig": {"latency": "optimized"}}, {"performanceConfig": {"latency": "x"}}],
    *({"serviceTier": "flex"}, {"serviceTier": {"type": 5}}, {"service_tier": {"type": "flex"}}),
    {"serviceTier": {}, "service_tier": "flex"},
    {"performanceConfig": []},
]


def _rejected() -> dict[str, bytes]:
    shapes = {
        "a long model": line(modelId="m" * 2049),
        "a long principal": line(identity={"arn": "a" * 2049}),
        "long metadata": line(requestMetadata={"team": "t" * 2049}),
        "from the future": line(timestamp="9999-12-31T23:59:59Z"),
        "just from the future": line(timestamp="2025-11-18T12:45:00Z"),
        "expired": line(timestamp="0001-01-01T00:00:00+14:00"),
        "half a record": line()[:-30],
        "the end of one": line()[30:],
        "an array": b"[1]",
        "text": b'"text"',
        "a number": b"5",
        "a bracket": b"}",
        "a trailing comma": line()[:-1] + b",}",
        "a bad escape": _with("Converse", rb"a\x"),
        "a bad literal": _with("199", b"tru"),
        "a leading zero": _with("199", b"01"),
    }
    for value in (1_763_374_830, None, ABSENT, ["2025-11-17T10:20:30Z"], True, "", "T", "now"):
        shapes[f"timestamp {value!r}"] = line(timestamp=value)
    for moment in ("2025-04-99T23:00:17Z", "2025-02-29T00:00:00Z", "2025-11-17T25:00:00Z"):
        shapes[f"timestamp {moment}"] = line(timestamp=moment)
    for moment in ("2025-11-17", "2025-11-17T10:20:60Z", "2025-11-17T10:20:30+99:00", "1763374830"):
        shapes[f"timestamp {moment}"] = line(timestamp=moment)
    for value in (-1, 1.5, 12.0, MAX_TOKENS + 1, 10**30, "12", True, [], {}):
        for name in ("inputTokenCount", "cacheReadInputTokenCount", _WRITE):
            shapes[f"{name} {value!r}"] = line(input={name: value})
        shapes[f"outputTokenCount {value!r}"] = line(output={"outputTokenCount": value})
    for count in (b"1e3", b"1e400", b"9" * 500):
        shapes[f"output count {count[:9].decode()}"] = _with("199", count)
    for field in ("accountId", "region", "modelId", "requestId", "errorCode", "operation"):
        for value in (5, [], {}, True):
            shapes[f"{field} {value!r}"] = line(**{field: value})
    for field in ("input", "output"):
        for value in ("text", 5, True):
            shapes[f"{field} {value!r}"] = line(**{field: value})
    for value in (ABSENT, None, ""):
        shapes[f"modelId {value!r}"] = line(modelId=value)
    for value in ([], 5, "x", {"latency": 5}, {"latency": []}):
        shapes[f"performanceConfig {value!r}"] = line(performanceConfig=value)
    return shapes


SHAPES = _sound() | _bodies() | _rejected()
