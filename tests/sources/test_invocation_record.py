"""One record: what it says, what of it may be missing, and what it is rejected for."""

import json
from typing import Any

import pytest
from bad_input import ABSENT, ARN, NOW_SLOT, UNIT, enter, entry, record, with_body
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.sources.invocation_record import MAX_TOKENS, parse_timestamp
from exporter.sources.record_reader import Entry
from exporter.sources.rejection import Rejection
from exporter.usage import SLOT_SECONDS, Counts, ServiceTier

TOKENS = ("inputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount")


def with_counts(*counts: Any, output: Any = 0, **fields: Any) -> dict[str, Any]:
    """A record that states input, cache read and cache write tokens, as far as they are given."""
    stated = dict(zip(TOKENS, counts, strict=False))
    return record(input=stated, output={"outputTokenCount": output}, **fields)


def text_with(old: str, new: bytes, **fields: Any) -> bytes:
    """The JSON of a record in which one piece of text is replaced."""
    text = json.dumps(record(**fields)).encode()
    assert text.count(old.encode()) == 1
    return text.replace(old.encode(), new)


def test_a_record_is_entered_as_it_stands() -> None:
    taken = entry(record(inferenceRegion="us-west-2"))
    assert taken.timestamp == 1_763_374_830
    assert taken.slot == 1_763_374_830 // 900
    assert taken.counts == Counts(requests=1, input=22, output=199)
    assert taken.fact._asdict() == {
        "account_id": "111122223333",
        "region": "us-east-1",
        "inference_region": "us-west-2",
        "principal": ARN,
        "model_id": "anthropic.claude-3-7-sonnet-20250219-v1:0",
        "context_from": 0,
        "service_tier": "standard",
        "outcome": "ok",
        "metadata": (),
    }


def test_the_order_of_keys_says_nothing() -> None:
    fields = record()
    assert entry(dict(reversed(fields.items()))) == entry(fields)


@pytest.mark.parametrize("field", ["schemaType", "schemaVersion", "operation", "inferenceRegion"])
@pytest.mark.parametrize("value", [ABSENT, None])
def test_a_field_that_decides_nothing_may_be_missing(field: str, value: Any) -> None:
    assert entry(record(**{field: value})).counts.input == 22


def test_unknown_fields_and_operations_are_passed_over() -> None:
    fields = record(
        operation="InvokeTelepathically",
        schemaVersion="7.0",
        thoughts={"depth": [1, {"x": None}]},
        status="200",
    )
    fields["input"]["moodTokenCount"] = "many"
    assert entry(fields) == entry(record())


def test_account_and_region_come_from_the_path_where_the_record_lacks_them() -> None:
    fact = entry(record(accountId=ABSENT, region=None)).fact
    assert (fact.account_id, fact.region) == (UNIT.account_id, UNIT.region)


TIMESTAMPS = {
    "2025-11-17T10:20:30Z": 1_763_374_830,
    "2025-11-17T10:20:30.999Z": 1_763_374_830,
    "2025-11-17T10:20:30.123456789Z": 1_763_374_830,
    "2025-11-17T10:20:30": 1_763_374_830,
    "2025-11-17T10:20:30+00:00": 1_763_374_830,
    "2025-11-17T19:20:30+09:00": 1_763_374_830,
    "2025-11-17T04:50:30-05:30": 1_763_374_830,
    "2025-11-17T16:05:30.5+05:45": 1_763_374_830,
}


@pytest.mark.parametrize("text", TIMESTAMPS)
def test_a_moment_is_read_with_its_fraction_and_offset(text: str) -> None:
    assert parse_timestamp(text) == TIMESTAMPS[text]


@pytest.mark.parametrize(
    "value",
    [
        *("2025-04-99T23:00:17Z", "2025-02-29T00:00:00Z", "2025-11-17T25:00:00Z", "2025-11-17"),
        *("2025-11-17T10:20:60Z", "", "T", "now", "1763374830", "2025-11-17T10:20:30+99:00"),
        *(1_763_374_830, None, ABSENT, ["2025-11-17T10:20:30Z"], True),
    ],
)
def test_an_impossible_moment_is_rejected(value: Any) -> None:
    assert enter(record(timestamp=value)) is Rejection.INVALID_TIMESTAMP


def test_a_record_from_the_future_is_rejected() -> None:
    assert entry(record(timestamp="2025-11-18T12:44:59Z")).slot == NOW_SLOT + 4
    assert enter(record(timestamp="2025-11-18T12:45:00Z")) is Rejection.FUTURE_TIMESTAMP
    assert enter(record(timestamp="9999-12-31T23:59:59Z")) is Rejection.FUTURE_TIMESTAMP


def test_a_record_before_the_retention_is_rejected() -> None:
    first = 1_763_374_500 // SLOT_SECONDS  # 10:15:00
    assert entry(record(timestamp="2025-11-17T10:15:00Z"), first_slot=first).slot == first
    too_old = record(timestamp="2025-11-17T10:14:59Z")
    assert enter(too_old, first_slot=first) is Rejection.EXPIRED_TIMESTAMP
    assert enter(record(timestamp="0001-01-01T00:00:00+14:00")) is Rejection.EXPIRED_TIMESTAMP


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("count", [-1, 1.5, 12.0, MAX_TOKENS + 1, 10**30, "12", True, [], {}])
def test_an_impossible_count_is_rejected(count: Any, position: int) -> None:
    counts = [1, 1, 1, 1]
    counts[position] = count
    *given, output = counts
    assert enter(with_counts(*given, output=output)) is Rejection.INVALID_TOKEN_COUNT


@pytest.mark.parametrize("count", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"9" * 5000])
def test_a_count_that_is_no_number_is_rejected_and_not_taken_for_none(count: bytes) -> None:
    assert enter(text_with("199", count)) is Rejection.INVALID_TOKEN_COUNT


def test_the_largest_count_is_taken() -> None:
    assert entry(with_counts(MAX_TOKENS)).counts.input == MAX_TOKENS


@pytest.mark.parametrize(
    "fields",
    [
        record(input={}, output={}),
        record(input=None, output=None),
        record(input=ABSENT, output=ABSENT),
        with_counts(None, None, None, output=None),
    ],
)
def test_a_record_without_counts_is_a_request_without_tokens(fields: dict[str, Any]) -> None:
    assert entry(fields).counts == Counts(requests=1)


@pytest.mark.parametrize("field", ["input", "output"])
@pytest.mark.parametrize("value", ["text", 5, [], True])
def test_a_record_whose_counts_cannot_be_looked_for_is_rejected(field: str, value: Any) -> None:
    assert enter(record(**{field: value})) is Rejection.INVALID_RECORD


@pytest.mark.parametrize("value", [ABSENT, None, ""])
def test_a_record_without_a_model_is_rejected(value: Any) -> None:
    assert enter(record(modelId=value)) is Rejection.MISSING_MODEL_ID


@pytest.mark.parametrize(
    "identity",
    [ABSENT, None, {}, {"arn": None}, {"arn": ""}, {"arn": 5}, "alice", 5, [], [ARN]],
)
def test_a_call_of_nobody_counts_all_the_same(identity: Any) -> None:
    taken = entry(record(identity=identity))
    assert taken.fact.principal == ""
    assert taken.counts == Counts(1, 22, 199)


def test_identity_may_say_more_than_the_arn() -> None:
    assert entry(record(identity={"type": 1, "arn": ARN, "x": []})).fact.principal == ARN


def test_metadata_is_kept_as_far_as_the_configuration_names_it() -> None:
    pairs = {"team": "search", "secret": "s", "tenant": "t-1"}
    fact = entry(record(requestMetadata=pairs), metadata_keys=["tenant", "team", "stage"]).fact
    assert fact.metadata == (("team", "search"), ("tenant", "t-1"))


@pytest.mark.parametrize("value", [None, 5, 1.5, True, [], {"a": 1}, ""])
def test_a_metadata_value_that_is_no_text_costs_nothing_else(value: Any) -> None:
    pairs = {"team": value, "tenant": "t-1"}
    taken = entry(record(requestMetadata=pairs), metadata_keys=["team", "tenant"])
    assert taken.fact.metadata == (("tenant", "t-1"),)
    assert taken.counts == Counts(1, 22, 199)


@pytest.mark.parametrize("pairs", [None, "team=search", 5, ["team"], [], {}])
def test_metadata_that_are_no_pairs_cost_no_tokens(pairs: Any) -> None:
    taken = entry(record(requestMetadata=pairs), metadata_keys=["team"])
    assert (taken.fact.metadata, taken.counts) == ((), Counts(1, 22, 199))


@pytest.mark.parametrize(
    "fields",
    [
        {"modelId": "m" * 2049},
        {"identity": {"arn": "a" * 2049}},
        {"requestMetadata": {"team": "t" * 2049}},
    ],
)
def test_a_name_longer_than_aws_allows_is_rejected(fields: dict[str, Any]) -> None:
    assert enter(record(**fields), metadata_keys=["team"]) is Rejection.FIELD_TOO_LONG
    shorter = json.loads(
        json.dumps(fields).replace("mm", "m").replace("aa", "a").replace("tt", "t")
    )
    assert isinstance(enter(record(**shorter), metadata_keys=["team"]), Entry)


@pytest.mark.parametrize("field", ["accountId", "region", "modelId", "requestId", "errorCode"])
def test_a_name_that_is_no_text_is_rejected(field: str) -> None:
    assert enter(record(**{field: 5})) is Rejection.INVALID_RECORD


def test_the_same_request_has_the_same_digest_whatever_else_it_says() -> None:
    assert entry(record()).digest == entry(with_counts(7)).digest
    assert entry(record()).digest != entry(record(requestId="other")).digest


@pytest.mark.parametrize("request_id", [ABSENT, None, ""])
def test_without_a_request_id_a_record_is_known_by_its_bytes(request_id: Any) -> None:
    one, other = with_counts(1, requestId=request_id), with_counts(2, requestId=request_id)
    assert entry(one).digest == entry(one).digest
    assert entry(one).digest != entry(other).digest


def test_an_error_is_an_outcome_with_its_tokens() -> None:
    taken = entry(with_counts(50, errorCode="ThrottlingException"))
    assert taken.fact.outcome == "ThrottlingException"
    assert taken.counts == Counts(requests=1, input=50)


@pytest.mark.parametrize("code", [ABSENT, None, ""])
def test_no_error_is_ok(code: Any) -> None:
    assert entry(record(errorCode=code)).fact.outcome == "ok"


@pytest.mark.parametrize("code", ["ok", "<b>", 'a"b', "a\nb", "x" * 65, "5xx", "é"])
def test_an_error_code_that_can_be_none_is_other(code: str) -> None:
    assert entry(record(errorCode=code)).fact.outcome == "other"


def test_a_call_that_a_guardrail_stopped_succeeded_without_tokens() -> None:
    body = {"output": {"message": {}}, "stopReason": "guardrail_intervened", "usage": {}}
    taken = entry(with_body(body, inputTokenCount=0, outputTokenCount=0))
    assert (taken.fact.outcome, taken.counts) == ("ok", Counts(requests=1))


def test_the_record_s_own_counts_come_before_the_body_s() -> None:
    body = {"usage": {"inputTokens": 1000, "outputTokens": 2000, "cacheReadInputTokens": 3000}}
    fields = with_body(body, inputTokenCount=1, outputTokenCount=2, cacheReadInputTokenCount=0)
    assert entry(fields).counts == Counts(1, 1, 2, 0)


@pytest.mark.parametrize("stated", [{}, {"inputTokenCount": None, "outputTokenCount": None}])
def test_counts_that_the_record_lacks_come_from_the_body(stated: dict[str, None]) -> None:
    usage = {"inputTokens": 3, "outputTokens": 20, "cacheReadInputTokens": 5}
    usage["cacheWriteInputTokens"] = 7
    assert entry(with_body({"usage": usage}, **stated)).counts == Counts(1, 3, 20, 5, 0, 0, 7)


def test_cache_counts_alone_may_come_from_the_body() -> None:
    body = {"usage": {"cacheReadInputTokens": 5, "cacheWriteInputTokens": 7}}
    taken = entry(with_body(body, inputTokenCount=1, outputTokenCount=2))
    assert taken.counts == Counts(1, 1, 2, 5, 0, 0, 7)


def test_a_body_whose_counts_are_impossible_is_not_believed() -> None:
    assert enter(with_body({"usage": {"inputTokens": -5}})) is Rejection.INVALID_TOKEN_COUNT
    more_cached_than_sent = {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 6}}
    assert enter(with_body({"usage": more_cached_than_sent})) is Rejection.INVALID_TOKEN_COUNT


SPLITS = {
    "none": ({}, (0, 0, 100)),
    "whole": ({"5m": 40, "1h": 60}, (40, 60, 0)),
    "only 5m": ({"5m": 100}, (100, 0, 0)),
    "only 1h": ({"1h": 100}, (0, 100, 0)),
    "partial": ({"5m": 10, "1h": 20}, (10, 20, 70)),
    "larger than the whole": ({"5m": 80, "1h": 90}, (10, 90, 0)),
    "much larger than the whole": ({"1h": 10**12}, (0, 100, 0)),
    "negative": ({"5m": -5, "1h": -5}, (0, 0, 100)),
    "of another lifetime": ({"30m": 100}, (0, 0, 100)),
}


@pytest.mark.parametrize("name", SPLITS)
def test_cache_writes_are_split_as_far_as_the_body_says(name: str) -> None:
    split, expected = SPLITS[name]
    details = [{"ttl": ttl, "inputTokens": count} for ttl, count in split.items()]
    body = {"usage": {"cacheDetails": details}}
    fields = with_body(
        body,
        inputTokenCount=1,
        outputTokenCount=2,
        cacheReadInputTokenCount=0,
        cacheWriteInputTokenCount=100,
    )
    assert entry(fields).counts[4:] == expected


def test_the_split_of_a_stream_stands_in_its_first_chunk() -> None:
    split = {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}
    start = {"usage": {"input_tokens": 1, "output_tokens": 1, "cache_creation": split}}
    body = [{"type": "message_start", "message": start}, {"type": "ping"}, "[DONE]"]
    fields = with_body(body, inputTokenCount=1, outputTokenCount=9, cacheWriteInputTokenCount=100)
    assert entry(fields).counts == Counts(1, 1, 9, 0, 30, 70, 0)


TIERS = {
    "default": "standard",
    "auto": "standard",
    "flex": "flex",
    "priority": "priority",
    "reserved": "reserved",
    "express": "express",
    "<b>": "other",
    "x" * 40: "other",
}


@pytest.mark.parametrize("tier", TIERS)
def test_the_service_tier_is_the_body_s(tier: str) -> None:
    for body in ({"serviceTier": {"type": tier}}, {"service_tier": tier}):
        fields = with_body(body, inputTokenCount=1, outputTokenCount=2)
        assert entry(fields).fact.service_tier == TIERS[tier]


def test_latency_optimized_calls_are_a_tier() -> None:
    optimized = {"latency": "optimized"}
    assert entry(record(performanceConfig=optimized)).fact.service_tier == "latency_optimized"
    body = with_body({"performanceConfig": optimized}, inputTokenCount=1, outputTokenCount=2)
    assert entry(body).fact.service_tier == "latency_optimized"
    for value in (None, {}, {"latency": "standard"}, {"latency": None}):
        assert entry(record(performanceConfig=value)).fact.service_tier == ServiceTier.STANDARD


def test_a_batch_job_is_a_tier() -> None:
    fields = record(
        operation="CreateModelInvocationJob", performanceConfig={"latency": "optimized"}
    )
    assert entry(fields).fact.service_tier == "batch"


@pytest.mark.parametrize(
    ("counts", "band"),
    [
        ((200_000,), 128_000),
        ((200_001,), 200_000),
        ((1, 100_000, 100_000), 200_000),
        ((1, 0, 100_000), 100_000),
        ((100_000,), 0),
    ],
)
def test_the_context_band_is_that_of_the_whole_prompt(counts: tuple[int, ...], band: int) -> None:
    assert entry(with_counts(*counts, output=500_000)).fact.context_from == band


BODY_TEXTS = {
    "bad UTF-8": b"\xff\xfe\x80",
    "a cut character": b"\xed\x95",
    "an encoded surrogate": b"\xed\xa0\x80",
    "a lone high surrogate": rb"\ud800",
    "a lone low surrogate": rb"\udc00 x",
    "surrogates in the wrong order": rb"\udc00\ud800",
    "a backslash before what is no escape": rb"\\ud800",
    "control characters": b"\x00\x01\t\r\x1f",
    "an emoji": rb"\ud83d\ude00",
}


@pytest.mark.parametrize("kind", BODY_TEXTS)
@pytest.mark.parametrize("where", ["input", "output"])
def test_no_text_of_a_body_costs_the_record(kind: str, where: str) -> None:
    fields = record(input={"inputBodyJson": {"x": ""}}, output={"outputBodyJson": {"x": ""}})
    fields["output"]["outputBodyJson"]["usage"] = {"inputTokens": 3, "outputTokens": 4}
    fields[where][f"{where}BodyJson"]["x"] = "HERE"
    text = json.dumps(fields).encode().replace(b"HERE", BODY_TEXTS[kind])
    assert entry(text).counts == Counts(1, 3, 4)


@pytest.mark.parametrize("text", [b"\xff", rb"\ud800", rb"\udfff"])
def test_a_name_that_is_no_text_is_kept_as_far_as_it_is(text: bytes) -> None:
    fact = entry(text_with("alice", b"al" + text + b"ice")).fact
    assert fact.principal == ARN.replace("alice", "al\ufffdice")
    assert entry(text_with("sonnet", b"son" + text)).fact.model_id.startswith(
        "anthropic.claude-3-7-son\ufffd"
    )


def test_what_is_kept_can_always_be_written() -> None:
    fact = entry(text_with("alice", rb"\ud83d\ude00\ud800\u0000")).fact
    assert fact.principal.encode() == ARN.replace("alice", "\U0001f600\ufffd\0").encode()


@pytest.mark.parametrize("depth", [50, 500, 990, 5_000, 100_000])
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_no_nesting_of_a_prompt_hides_a_call(depth: int, brackets: tuple[str, str]) -> None:
    opened, closed = brackets
    prompt = (opened * depth + "1" + closed * depth).encode()
    body = {"usage": {"inputTokens": 3}}
    text = text_with(
        '"HERE"', prompt, input={"inputBodyJson": "HERE"}, output={"outputBodyJson": body}
    )
    assert entry(text).counts == Counts(1, 3)


def test_numbers_that_are_none_are_harmless_outside_of_counts() -> None:
    text = text_with('"HERE"', b"[NaN, -Infinity, 1e999]", output={"outputBodyJson": {"x": "HERE"}})
    assert entry(text).counts == Counts(1, 22)


def test_the_last_of_duplicate_keys_counts() -> None:
    text = text_with('"inputTokenCount": 22', b'"inputTokenCount": 1, "inputTokenCount": 2')
    assert entry(text).counts.input == 2


@pytest.mark.parametrize(
    "text",
    [
        *(
            b"",
            b"{",
            b"}",
            b"x",
            b'{"timestamp"',
            b'{"timestamp": 5',
            b"{}{}",
            b"{} x",
            b'{"a": tru}',
        ),
        *(b'{"timestamp": 5} {"timestamp": 5}', b'{"a": 01}', b'{"a" 1}', rb'{"a": "\x"}'),
        b'{"a": "line\nbreak"}',
    ],
)
def test_what_is_no_single_object_is_malformed(text: bytes) -> None:
    assert enter(text) is Rejection.MALFORMED_JSON


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(0, 2000), st.integers(0, 40))
def test_nothing_in_a_record_raises(noise: bytes, place: int, length: int) -> None:
    text = json.dumps(with_body({"usage": {"inputTokens": 3}}, outputTokenCount=1)).encode()
    place %= len(text)
    spoiled = text[:place] + noise + text[place + length :]
    taken = enter(spoiled)
    assert isinstance(taken, Rejection) or min(taken.counts) >= 0
