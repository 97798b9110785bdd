"""What developers ask and assistants answer, from a small vocabulary; it means nothing.

Every text begins with CANARY, as those of Bedrock's records do.
"""

import random
from functools import cache
from itertools import product

from exporter.simulate.bodies import CANARY

_NOUNS = ("order", "invoice", "customer", "shipment", "payment", "session", "report", "address")
_VERBS = ("load", "validate", "merge", "export", "archive", "retry", "sort", "group")
_PROBLEMS = (
    "fails when the list is empty",
    "is called twice for the same id",
    "takes four seconds on the staging database",
    "returns the old value until the cache expires",
    "raises an error that nobody catches",
)
_QUESTIONS = (
    "The function that should {verb} each {noun} {problem}. What is the reason?",
    "How do I {verb} every {noun} of one day without reading the whole table?",
    "Write a unit test for the code that has to {verb} the {noun}; it {problem}.",
    "Explain step by step what happens when we {verb} a {noun} here.",
)
_ANSWERS = (
    "The code that has to {verb} the {noun} {problem}, because its state is shared.",
    "Pass the {noun} as an argument, so that a test can {verb} it without a database.",
    "A transaction around the loop makes sure that no {noun} is lost when it {problem}.",
    "First {verb} the {noun}, then compare the result with the one that was stored before.",
)
_CODE = '''def {verb}_{noun}s({noun}s: list[dict[str, str]], limit: int = 100) -> list[str]:
    """Return the ids of every {noun} that there was something to {verb} of."""
    found = []
    for position, {noun} in enumerate({noun}s[:limit]):
        if {noun}.get("status") != "{verb}ed":
            found.append({noun}["id"])
            logger.info("%s: {verb} {noun} %d", {noun}["id"], position)
    return found
'''
_FILE_NAMES = ("src/{noun}s/{verb}.py", "tests/test_{noun}_{verb}.py", "app/{noun}_service.py")
_LARGE_CONTEXT_FUNCTIONS = 42
"""Of a file that goes with a question: about 4,400 tokens."""


def chat_prompt(rng: random.Random, has_large_context: bool) -> str:
    """Return a question, sometimes with code."""
    functions = _LARGE_CONTEXT_FUNCTIONS if has_large_context else rng.choice((0, 0, 1, 3))
    question = _some(rng, _sentences(_QUESTIONS), rng.randint(1, 3))
    return "\n\n".join([CANARY, question, *_functions(rng, functions)])


def chat_answer(rng: random.Random) -> str:
    """Return an answer, mostly with code."""
    answer = _some(rng, _sentences(_ANSWERS), rng.randint(3, 12))
    code = [f"```python\n{each}```" for each in _functions(rng, rng.randint(0, 3))]
    return "\n\n".join([CANARY, answer, *code])


def task(rng: random.Random) -> str:
    """Return what /dev is told to do."""
    return f"{CANARY}\n/dev {_some(rng, _sentences(_QUESTIONS), rng.randint(2, 5))}"


def code(rng: random.Random, functions: int) -> str:
    """Return a part of a file."""
    return "\n\n".join([f"# {CANARY}", *_functions(rng, functions)])


def completion(rng: random.Random) -> str:
    """Return some lines of code."""
    lines = rng.choice(_all_functions()).splitlines()[3:]
    return "\n".join([f"    # {CANARY}", *lines[: rng.randint(1, 4)]])


def file_name(rng: random.Random) -> str:
    """Return the path of a file in a project."""
    return rng.choice(_FILE_NAMES).format(verb=rng.choice(_VERBS), noun=rng.choice(_NOUNS))


def _some(rng: random.Random, sentences: tuple[str, ...], number: int) -> str:
    return " ".join(rng.choices(sentences, k=number))


def _functions(rng: random.Random, number: int) -> list[str]:
    return rng.choices(_all_functions(), k=number)


@cache
def _sentences(patterns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        pattern.format(verb=verb, noun=noun, problem=problem)
        for pattern, verb, noun, problem in product(patterns, _VERBS, _NOUNS, _PROBLEMS)
    )


@cache
def _all_functions() -> tuple[str, ...]:
    return tuple(_CODE.format(verb=verb, noun=noun) for verb, noun in product(_VERBS, _NOUNS))
