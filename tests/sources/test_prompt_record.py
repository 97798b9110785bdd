"""One record of a prompt log: what is taken from it, in every shape that it may have."""

import json
from typing import Any

import pytest
from prompt_shapes import (
    ABSENT,
    CHAT,
    DEV,
    INLINE,
    KIRO,
    MOMENT,
    SECONDS,
    USER,
    chat,
    dev,
    document,
    inline,
    read,
    read_one,
    router_turn,
    unit_of,
)

from exporter.assistant_usage import ALONE, Asker, Product, RequestKind
from exporter.identity import Privacy
from exporter.sources.prompt_record import (
    decode_plain_document,
    decode_prompt_record,
    is_router_turn,
    parse_timestamp,
)
from exporter.sources.record_reader import digest_of
from exporter.usage import SLOT_SECONDS, LogObject


def rejected(record: Any, unit: LogObject = CHAT) -> dict[str, int]:
    """Why a record is not taken."""
    batch = read(document(record), unit)
    assert (batch.prompts, batch.records) == ((), 0)
    return dict(batch.rejected)


class TestAChatTurn:
    def test_is_the_prompt_and_the_answer(self) -> None:
        prompt = read_one(chat("How do I list buckets?", "Call list_buckets."))
        assert (prompt.input, prompt.output) == (6, 4)
        assert prompt.slot == SECONDS // SLOT_SECONDS
        assert prompt.asker == Asker(
            "111122223333", "us-east-1", Product.QDEVELOPER, USER, RequestKind.CHAT
        )

    def test_of_kiro_is_of_kiro(self) -> None:
        assert read_one(chat(), KIRO).asker.product is Product.KIRO

    def test_lacks_whatever_kiro_leaves_out(self) -> None:
        record = {
            "generateAssistantResponseEventRequest": {
                "prompt": "go on",
                "chatTriggerType": "MANUAL",
                "userId": f"d-92675051d5.{USER}",
                "timeStamp": "2025-11-17T10:20:30.412719001Z",
                "modelId": "claude-opus-4.6",
            },
            "generateAssistantResponseEventResponse": {"assistantResponse": "ok"},
        }
        prompt = read_one(record, KIRO)
        assert (prompt.input, prompt.output, prompt.conversation) == (2, 1, ALONE)

    @pytest.mark.parametrize("text", ["", None, ABSENT])
    def test_without_text_is_a_request_all_the_same(self, text: Any) -> None:
        prompt = read_one(chat(text, text))
        assert (prompt.input, prompt.output) == (0, 0)

    def test_counts_no_follow_up_links_or_references(self) -> None:
        plain = read_one(chat())
        more = {
            "followupPrompts": "And then? " * 50,
            "supplementaryWebLinksEvent": [{"snippet": "x " * 500}],
            "codeReferenceEvents": [{"information": "x " * 500}],
        }
        assert read_one(chat(**more)) == plain

    @pytest.mark.parametrize("half", ["Request", "Response"])
    @pytest.mark.parametrize("value", [None, ABSENT])
    def test_may_lack_a_half(self, half: str, value: Any) -> None:
        record = chat() | {f"generateAssistantResponseEvent{half}": value}
        record = {name: value for name, value in record.items() if value is not ABSENT}
        if half == "Response":
            assert (read_one(record).input, read_one(record).output) == (6, 0)
        else:
            assert rejected(record) == {"invalid_timestamp": 1}

    @pytest.mark.parametrize("identifier", [None, ABSENT, "", 5, ["x"], {"a": 1}])
    def test_stands_alone_without_a_conversation(self, identifier: Any) -> None:
        metadata = {"conversationId": identifier} if identifier is not ABSENT else {}
        assert read_one(chat(messageMetadata=metadata)).conversation == ALONE

    @pytest.mark.parametrize("metadata", [None, ABSENT, "x", [], 5])
    def test_stands_alone_without_metadata(self, metadata: Any) -> None:
        assert read_one(chat(messageMetadata=metadata)).conversation == ALONE

    def test_has_the_number_of_its_conversation(self) -> None:
        one, same, other = (
            read_one(chat(requestId=name, messageMetadata={"conversationId": conversation}))
            for name, conversation in [("1", "a"), ("2", "a"), ("3", "b")]
        )
        assert one.conversation == same.conversation != other.conversation
        assert 0 < one.conversation < 2**63

    def test_is_never_alone_for_its_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("exporter.sources.prompt_log_format.digest_of", lambda text: 0)
        assert read_one(chat()).conversation != ALONE


class TestAnInlineSuggestion:
    def test_is_both_contexts_and_the_file_name_and_every_completion(self) -> None:
        prompt = read_one(inline("a b c", "d e", ["f g", "h"], fileName="i j.py"), INLINE)
        assert (prompt.input, prompt.output) == (3 + 2 + 3, 2 + 1)
        assert prompt.asker.request_kind is RequestKind.INLINE
        assert prompt.conversation == ALONE

    @pytest.mark.parametrize(
        ("completions", "tokens"),
        [
            ([], 0),
            (None, 0),
            (ABSENT, 0),
            ([""], 0),
            ([None, "a b"], 2),
            ("a b", 2),
            ([{"content": "a b", "references": [{"licenseName": "MIT"}]}, "c"], 3),
            ([{"content": None}, {}], 0),
        ],
        ids=str,
    )
    def test_has_completions_in_any_shape(self, completions: Any, tokens: int) -> None:
        assert read_one(inline(completions=completions), INLINE).output == tokens

    @pytest.mark.parametrize("value", ["", None, ABSENT])
    def test_may_lack_every_context(self, value: Any) -> None:
        assert read_one(inline(value, value, fileName=value), INLINE).input == 0

    def test_is_told_by_its_keys_whatever_its_folder(self) -> None:
        assert read_one(inline(), CHAT).asker.request_kind is RequestKind.INLINE
        assert read_one(chat(), DEV).asker.request_kind is RequestKind.CHAT


class TestDev:
    def test_is_the_prompt(self) -> None:
        prompt = read_one(dev(prompt="add a test"), DEV)
        assert (prompt.input, prompt.output) == (3, 0)
        assert prompt.asker.request_kind is RequestKind.DEV
        assert prompt.asker.user == USER
        assert prompt.slot == SECONDS // SLOT_SECONDS

    @pytest.mark.parametrize(
        "fields",
        [
            {"startTaskAssistCodeGenerationRequest": {"prompt": "a b"}},
            {"startTaskAssistCodeGenerationEventRequest": {"userMessage": "a b"}},
            {"StartTaskAssistCodeGenerationRequest": {"content": ["a", "b"]}},
            {"taskAssistRequest": {"PROMPT": "a b"}, "userId": "u"},
            {"userInput": "a b", "chatTriggerType": "MANUAL"},
            {
                "startTaskAssistCodeGenerationEventRequest": {
                    "conversationState": {
                        "currentMessage": {"userInputMessage": {"content": "a b"}},
                        "chatTriggerType": "MANUAL",
                    },
                    "workspaceState": {"uploadId": "u u u"},
                }
            },
        ],
        ids=str,
    )
    def test_has_its_prompt_somewhere(self, fields: dict[str, Any]) -> None:
        assert read_one(fields, DEV).input == 2

    def test_without_a_known_prompt_is_a_request_without_tokens(self) -> None:
        record = {"startTaskAssistCodeGenerationEventRequest": {"wish": "a b"}}
        assert read_one(record, DEV).input == 0

    def test_has_prompts_only(self) -> None:
        answered = dev() | {
            "startTaskAssistCodeGenerationEventResponse": {"content": "x y", "requestId": "r-1"}
        }
        prompt = read_one(answered, DEV)
        assert (prompt.input, prompt.output) == (3, 0)
        assert prompt.digest == read_one({**answered, "more": 1}, DEV).digest

    @pytest.mark.parametrize("moment", [ABSENT, None, "", 1_763_374_830])
    def test_without_a_moment_is_of_the_hour_of_its_path(self, moment: Any) -> None:
        assert read_one(dev(timeStamp=moment), DEV).slot == DEV.hour * 4

    def test_is_told_by_its_key_in_any_folder(self) -> None:
        assert read_one(dev(), CHAT).asker.request_kind is RequestKind.DEV

    @pytest.mark.parametrize("record", [{}, {"a": 1}, {"wish": "a b"}], ids=str)
    def test_says_something_at_least(self, record: dict[str, Any]) -> None:
        assert rejected(record, DEV) == {"unknown_prompt_record": 1}

    def test_may_be_nested_however_deep(self) -> None:
        deep = b'{"records":[{"userId":"u","x":' + b"[" * 5000 + b"]" * 5000 + b"}]}"
        assert len(read(deep, DEV).prompts) == 1


class TestARouterTurn:
    @pytest.mark.parametrize(
        "answer",
        [
            '{"chat": 0.0, "do": 0.9, "spec": 0.1}',
            '{"spec":1,"chat":0,"do":0}',
            ' \n{\n  "chat": 0.05,\n  "do": 0.9,\n  "spec": 0.05\n}\n',
            '```json\n{"chat": 0.0, "do": 0.9, "spec": 0.1}\n```',
        ],
    )
    def test_is_no_usage(self, answer: str) -> None:
        batch = read(document(router_turn(assistantResponse=answer)), KIRO)
        assert (batch.prompts, batch.records, batch.rejected) == ((), 0, {})
        assert batch.skipped == {"router_turn": 1}

    @pytest.mark.parametrize(
        "answer",
        [
            "",
            "{}",
            '{"chat": 0.0, "do": 0.9}',
            '{"chat": 0.0, "do": 0.9, "spec": 0.1, "plan": 0}',
            '{"chat": "a", "do": "b", "spec": "c"}',
            '{"chat": 0.0, "do": 0.9, "spec": 0.1} is what a router says',
            'The scores: {"chat": 0.0, "do": 0.9, "spec": 0.1}',
            '[{"chat": 0.0, "do": 0.9, "spec": 0.1}]',
        ],
    )
    def test_is_nothing_but_scores(self, answer: str) -> None:
        assert len(read(document(chat(response=answer)), KIRO).prompts) == 1

    def test_is_a_chat(self) -> None:
        scores = '{"chat": 0.0, "do": 0.9, "spec": 0.1}'
        assert read_one(inline(completions=[scores]), INLINE).output > 0

    def test_of_another_time_is_not_counted_twice(self) -> None:
        old = router_turn(timeStamp="2020-01-01T00:00:00Z")
        batch = read(document(old), KIRO, first_slot=SECONDS // SLOT_SECONDS - 96)
        assert (batch.skipped, batch.rejected) == ({}, {"expired_timestamp": 1})


class TestAUser:
    @pytest.mark.parametrize("written", [USER, f"d-92675051d5.{USER}", f"d-abc.{USER}"])
    def test_is_one_with_and_without_the_directory(self, written: str) -> None:
        assert read_one(chat(userId=written)).asker.user == USER

    @pytest.mark.parametrize("written", [None, ABSENT, "", 5, [USER], {"id": USER}])
    def test_that_is_not_named_costs_no_tokens(self, written: Any) -> None:
        prompt = read_one(chat(userId=written))
        assert (prompt.asker.user, prompt.input) == ("", 6)

    def test_is_hidden_as_the_configuration_says(self) -> None:
        hidden = read_one(chat(), privacy=Privacy("pseudonym", b"k" * 16)).asker.user
        assert (
            hidden
            == read_one(chat(userId=USER), privacy=Privacy("pseudonym", b"k" * 16)).asker.user
        )
        assert hidden.startswith("user-")
        assert read_one(chat(), privacy=Privacy("drop")).asker.user == "unknown"

    def test_has_no_endless_id(self) -> None:
        assert read_one(chat(userId="u" * 256)).asker.user == "u" * 256
        assert rejected(chat(userId="u" * 257)) == {"field_too_long": 1}


class TestAMoment:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            (MOMENT, SECONDS),
            ("2025-11-17T10:20:30Z", SECONDS),
            ("2025-11-17T10:20:30.412719001Z", SECONDS),
            ("2025-11-17T10:20:30.999999999Z", SECONDS),
            ("2025-11-17T10:20:30.9999999999999Z", SECONDS),
            ("2025-11-17T10:20:30", SECONDS),
            ("2025-11-17T11:20:30.412719001+01:00", SECONDS),
        ],
    )
    def test_is_cut_to_the_second(self, text: str, seconds: int) -> None:
        assert parse_timestamp(text) == seconds
        assert read(document(chat(timeStamp=text))).newest == seconds

    def test_at_the_end_of_a_day_stays_on_it(self) -> None:
        prompt = read_one(chat(timeStamp="2025-11-17T23:59:59.999999999Z"))
        assert prompt.slot % 96 == 95

    @pytest.mark.parametrize("moment", ["", None, ABSENT, "now", "2025-02-29T00:00:00Z", 5, []])
    @pytest.mark.parametrize("make", [chat, inline])
    def test_that_is_none_costs_the_record(self, make: Any, moment: Any) -> None:
        assert rejected(make(timeStamp=moment)) == {"invalid_timestamp": 1}

    def test_of_another_time_is_rejected(self) -> None:
        assert rejected(chat(timeStamp="2025-11-18T12:45:00Z")) == {"future_timestamp": 1}
        assert len(read(document(chat(timeStamp="2025-11-18T12:44:59.9999999Z"))).prompts) == 1
        batch = read(document(chat()), first_slot=SECONDS // SLOT_SECONDS + 1)
        assert batch.rejected == {"expired_timestamp": 1}
        assert len(read(document(chat()), first_slot=SECONDS // SLOT_SECONDS).prompts) == 1


class TestAnIdentity:
    def test_is_the_request_id(self) -> None:
        one, same, other = chat("a"), chat("b"), chat(requestId="other")
        digests = [read_one(record).digest for record in (one, same, other)]
        assert digests[0] == digests[1] != digests[2]
        assert 0 <= digests[0] < 2**63

    def test_is_not_that_of_a_request_of_bedrock(self) -> None:
        request_id = "4d8c3f0e-0001-4a6b-9c1d-000000000001"
        assert read_one(chat(requestId=request_id)).digest != digest_of(request_id.encode())

    @pytest.mark.parametrize("request_id", [ABSENT, None, "", 5])
    def test_is_every_byte_without_a_request_id(self, request_id: Any) -> None:
        one, other = chat("a", requestId=request_id), chat("b", requestId=request_id)
        batch = read(document(one, other, one))
        assert (len(batch.prompts), batch.records) == (2, 3)


UNKNOWN: list[Any] = [
    {},
    {"generateAssistantResponseEventRequest": None},
    {"Records": [{"eventVersion": "1.08"}]},
    {"timestamp": "2025-11-17T10:20:30Z", "modelId": "m"},
    {"newRequest": {"userId": USER, "timeStamp": MOMENT, "prompt": "a b"}},
]
ILL_SHAPED: list[Any] = [
    *(None, 5, "text", True, [], [chat()]),
    {"generateAssistantResponseEventRequest": "text"},
    {"generateCompletionsEventResponse": []},
    *(chat(prompt) for prompt in (5, ["a"], {"a": "b"}, True)),
    chat(response=["a"]),
    *(inline(left) for left in (5, ["a"])),
    *(inline(completions=value) for value in (5, {"content": "a"}, [5], [["a"]], [{"content": 5}])),
]


@pytest.mark.parametrize("record", UNKNOWN, ids=str)
def test_a_record_of_no_known_request_is_counted_as_such(record: Any) -> None:
    assert rejected(record) == {"unknown_prompt_record": 1}
    assert rejected(record, unit_of("SomethingNew")) == {"unknown_prompt_record": 1}


@pytest.mark.parametrize("record", ILL_SHAPED, ids=str)
def test_a_record_of_another_shape_is_counted_as_such(record: Any) -> None:
    assert rejected(record) == {"invalid_record": 1}


def test_a_known_request_is_read_in_a_folder_that_is_not_known() -> None:
    assert read_one(chat(), unit_of("SomethingNew", "KiroLogs")).input == 6


ODD_TEXT = {
    rb"\ud800": 1,
    rb"\ud83d\ude00": 2,
    b"\xff": 1,
    b"\x01": 1,
    rb"\u0000": 1,
    rb"a\\ud800": 4,
}


@pytest.mark.parametrize("odd", ODD_TEXT, ids=repr)
def test_odd_text_costs_nothing(odd: bytes) -> None:
    batch = read(document(chat("HERE")).replace(b"HERE", odd))
    assert (len(batch.prompts), batch.rejected) == (1, {})
    assert batch.prompts[0].input == ODD_TEXT[odd]
    assert batch.prompts[0].output == 4


PLAIN = [
    chat(),
    inline(),
    router_turn(),
    chat(None),
    chat(userId=5),
    inline(completions=[]),
    chat(timeStamp=None),
]


@pytest.mark.parametrize("record", [*PLAIN, dev(), *UNKNOWN, *ILL_SHAPED], ids=str)
def test_a_document_is_read_at_once_as_its_records_by_themselves(record: Any) -> None:
    text = json.dumps(record).encode()
    at_once = decode_plain_document(document(record, record))
    if record in PLAIN:
        assert at_once == [decode_prompt_record(text)] * 2
    else:
        assert at_once is None


def test_a_record_shows_no_text() -> None:
    record = decode_prompt_record(json.dumps(chat("SECRET", "SECRET")).encode())
    assert "SECRET" not in repr(record)
    assert not is_router_turn(record)
