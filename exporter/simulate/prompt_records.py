"""One prompt as a record of a prompt log, as Amazon Q Developer and Kiro write it.

The names are those of AWS's user guide, which does not show a record of /dev: that one is made like
the other two. No record counts tokens. What may be null, empty or absent is so now and then.
"""

import random
from typing import Any

import msgspec

from exporter.simulate import prompt_texts
from exporter.simulate.developers import IDENTITY_STORE, Service
from exporter.simulate.layout import timestamp
from exporter.simulate.prompts import Kind, Prompt

Fields = dict[str, Any]

CHAT_LOG = "GenerateAssistantResponse"
COMPLETION_LOG = "GenerateCompletions"
DEV_LOG = "StartTaskAssistCodeGeneration"

_LOG_TYPES = {Kind.COMPLETION: COMPLETION_LOG, Kind.DEV_TASK: DEV_LOG}
_KIRO_MODELS = ("auto", "auto", "auto", "claude-sonnet-4.5", "claude-opus-4.6", "claude-haiku-4.5")
_LINK = {
    "uri": "https://docs.python.org/3/library/sqlite3.html",
    "title": "sqlite3: DB-API 2.0 interface for SQLite databases",
    "snippet": "A transaction is opened implicitly before INSERT, UPDATE, DELETE or REPLACE.",
}
ROUTER_ANSWERS = tuple(
    msgspec.json.encode({"chat": chat / 10, "do": (10 - chat) / 10, "spec": 0.0}).decode()
    for chat in range(11)
)
"""Kiro's scores of its agents: all that a router turn answers."""


def log_type(kind: Kind) -> str:
    """Return the folder of the records of a kind."""
    return _LOG_TYPES.get(kind, CHAT_LOG)


def prompt_record(prompt: Prompt) -> Fields:
    """Return the record that the assistant would log."""
    rng = random.Random(prompt.request_id)
    if prompt.kind is Kind.COMPLETION:
        return _completion_record(rng, prompt)
    if prompt.kind is Kind.DEV_TASK:
        return _dev_record(rng, prompt)
    return _chat_record(rng, prompt)


def _asked(rng: random.Random, prompt: Prompt) -> Fields:
    """Return what every request has; a fraction of a second has 6 or 9 digits."""
    digits = rng.choice((6, 9))
    moment = timestamp(prompt.second).removesuffix("Z")
    return {
        "customizationArn": None,
        "userId": f"{IDENTITY_STORE}.{prompt.developer.user_id}",
        "timeStamp": f"{moment}.{rng.randrange(10**digits):0{digits}}Z",
    }


def _chat_record(rng: random.Random, prompt: Prompt) -> Fields:
    request = _asked(rng, prompt) | {
        "prompt": _chat_prompt(rng, prompt),
        "chatTriggerType": "INLINE_CHAT" if prompt.kind is Kind.INLINE_CHAT else "MANUAL",
    }
    if prompt.developer.service is Service.KIRO:
        request |= _model(rng)
    response = {
        "assistantResponse": _chat_answer(rng, prompt),
        "followupPrompts": "",
        "messageMetadata": {
            "conversationId": prompt.conversation_id or None,
            "utteranceId": prompt.request_id if prompt.conversation_id else None,
        },
        "codeReferenceEvents": [],
        "supplementaryWebLinksEvent": [_LINK] if rng.random() < 0.1 else [],
        "requestId": prompt.request_id,
    }
    return _record("generateAssistantResponse", request, response)


def _chat_prompt(rng: random.Random, prompt: Prompt) -> str:
    """Return the question; turns of Kiro's agent, in which it uses its tools, have none."""
    may_be_a_turn = prompt.developer.service is Service.KIRO and prompt.kind is Kind.CHAT
    if may_be_a_turn and not prompt.has_large_context and rng.random() < 0.2:
        return ""
    return prompt_texts.chat_prompt(rng, prompt.has_large_context)


def _chat_answer(rng: random.Random, prompt: Prompt) -> str:
    if prompt.kind is Kind.ROUTER_TURN:
        return rng.choice(ROUTER_ANSWERS)
    return "" if rng.random() < 0.05 else prompt_texts.chat_answer(rng)


def _model(rng: random.Random) -> Fields:
    chance = rng.random()
    if chance < 0.1:
        return {}
    return {"modelId": None if chance < 0.2 else rng.choice(_KIRO_MODELS)}


def _completion_record(rng: random.Random, prompt: Prompt) -> Fields:
    request = _asked(rng, prompt) | {
        "leftContext": prompt_texts.code(rng, rng.randint(1, 4)),
        "rightContext": prompt_texts.code(rng, rng.randint(1, 2)) if rng.random() < 0.8 else "",
        "fileName": prompt_texts.file_name(rng),
    }
    response = {
        "completions": [prompt_texts.completion(rng) for _ in range(rng.choice((1, 1, 2)))],
        "requestId": prompt.request_id,
    }
    return _record("generateCompletions", request, response)


def _dev_record(rng: random.Random, prompt: Prompt) -> Fields:
    request = _asked(rng, prompt) | {"prompt": prompt_texts.task(rng)}
    return _record("startTaskAssistCodeGeneration", request, {"requestId": prompt.request_id})


def _record(operation: str, request: Fields, response: Fields) -> Fields:
    return {f"{operation}EventRequest": request, f"{operation}EventResponse": response}
