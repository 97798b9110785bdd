"""Reading prompt logs from a folder, against tiktoken alone on the same texts."""

import gzip
import json
import multiprocessing
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple
from unittest.mock import patch

from tiktoken import Encoding
from tiktoken_ext import openai_public

from benchmarks.logs import frozen_now
from exporter.assistant_usage import PromptBatch
from exporter.identity import Privacy
from exporter.sources import tokens
from exporter.sources.log_store import ListedObject, hour_of, key_of
from exporter.sources.prompt_log_format import PromptLogFormat
from exporter.sources.reading import ReaderPool, Reading, Result, read_task
from exporter.usage import LogObject, slot_of

_OBJECTS = 400
_RECORDS = 2
"""In each object, as AWS writes them."""
_ROUNDS = 5
_WORKERS = 2
_CORPUS = Path(__file__).parent.parent
_PROMPT, _RESPONSE = (1024, 8192), (1024, 4096)
_CONTEXT, _COMPLETION = (2048, 8192), (40, 800)
"""Characters, from and to; an inline suggestion has two contexts."""


class _Texts(NamedTuple):
    """One record: its texts by their fields, input before output."""

    asked: dict[str, str]
    answered: dict[str, str]


def run() -> None:
    """Print the speed of reading, with one process and with two."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        texts = list(_records(random.Random(1)))
        listed = _write(folder, texts, frozen_now())
        plain = [text for record in texts for half in record for text in half.values()]
        _compare(folder, listed, plain)


def _compare(folder: Path, listed: Sequence[ListedObject], texts: Sequence[str]) -> None:
    """Take every way in turn, several times, so that all meet the same machine."""
    size = sum(len(text.encode()) for text in texts)
    text_file = folder / "texts.json"
    text_file.write_text(json.dumps(texts))
    reading = Reading(str(folder), _format())
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(_WORKERS, initializer=_load, initargs=(text_file,)) as alone:
        pool = ReaderPool(_WORKERS)
        parts = [range(start, len(texts), 100) for start in range(100)]
        ways: dict[str, Callable[[], int]] = {
            "tiktoken alone, 1 process": lambda: _count(texts),
            "ours, 1 process": lambda: _read_here(reading, listed),
            "tiktoken alone, 2 processes": lambda: sum(alone.map(_count_some, parts, chunksize=1)),
            "ours, 2 processes": lambda: _read_apart(pool, reading, listed),
        }
        counts = {name: way() for name, way in ways.items()}  # also starts the processes
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(_ROUNDS):
            for name, way in ways.items():
                started = time.perf_counter()
                way()
                seconds[name].append(time.perf_counter() - started)
        pool.close()
    if len(set(counts.values())) > 1:
        raise AssertionError(f"the ways do not count alike: {counts}")
    _print(size, {name: median(values) for name, values in seconds.items()})


def _print(size: int, seconds: dict[str, float]) -> None:
    print(f"\nPrompt logs, {_OBJECTS} objects of {_RECORDS} records, {size / 1e6:.0f} MB of text")
    single, _, double, _ = seconds.values()
    for name, taken in seconds.items():
        yardstick = single if "1 process" in name else double
        print(f"  {name:<28}{size / taken / 1e6:6.2f} MB/s  {yardstick / taken:5.0%} of tiktoken")


def _format() -> PromptLogFormat:
    return PromptLogFormat(
        source="benchmark",
        privacy=Privacy(),
        first_slot=0,
        last_slot=slot_of(frozen_now()),
        max_record_bytes=2**24,
        max_object_bytes=2**28,
    )


def _read_here(reading: Reading, listed: Sequence[ListedObject]) -> int:
    return _total([read_task(reading, listed)])


def _read_apart(pool: ReaderPool, reading: Reading, listed: Sequence[ListedObject]) -> int:
    return _total(pool.read(reading, listed, lambda: False))


def _total(results: Iterable[Result]) -> int:
    return sum(
        prompt.input + prompt.output
        for result in results
        for batch in result.batches
        if isinstance(batch, PromptBatch)
        for prompt in batch.prompts
    )


_texts: list[str] = []
"""What a process counts that counts only."""


def _load(text_file: Path) -> None:
    _texts.extend(json.loads(text_file.read_text()))


def _count_some(part: range) -> int:
    return _count([_texts[number] for number in part])


def _count(texts: Sequence[str]) -> int:
    encode = _encoding().encode_ordinary
    return sum(len(encode(text)) for text in texts)


@lru_cache(maxsize=1)
def _encoding() -> Encoding:
    """Return cl100k_base as tiktoken defines it, without the download."""
    with patch.object(openai_public, "load_tiktoken_bpe", lambda *_, **__: tokens.read_ranks()):
        return Encoding(**openai_public.cl100k_base())


def _records(rng: random.Random) -> Iterator[_Texts]:
    """Yield chat turns and inline suggestions out of this project's own code and documentation."""
    prose = "\n".join(path.read_text() for path in sorted((_CORPUS / "docs").rglob("*.md")))
    code = "\n".join(path.read_text() for path in sorted((_CORPUS / "exporter").rglob("*.py")))
    both = prose + code
    for number in range(_OBJECTS * _RECORDS):
        if number // _RECORDS % 2:
            yield _Texts(
                {
                    "leftContext": _cut(rng, code, _CONTEXT),
                    "rightContext": _cut(rng, code, _CONTEXT),
                },
                {"completions": _cut(rng, code, _COMPLETION)},
            )
        else:
            yield _Texts(
                {"prompt": _cut(rng, both, _PROMPT)},
                {"assistantResponse": _cut(rng, both, _RESPONSE)},
            )


def _cut(rng: random.Random, text: str, sizes: tuple[int, int]) -> str:
    size = rng.randrange(*sizes)
    start = rng.randrange(len(text) - size)
    return text[start : start + size]


def _write(folder: Path, texts: Sequence[_Texts], end: datetime) -> list[ListedObject]:
    """Write log objects of the hours before `end`."""
    listed = []
    for number in range(_OBJECTS):
        moment = end - timedelta(minutes=5 + number % 600)
        records = texts[number * _RECORDS : (number + 1) * _RECORDS]
        log_type = "GenerateCompletions" if number % 2 else "GenerateAssistantResponse"
        name = (
            f"KiroLogs/{log_type}/111122223333_{log_type}_{moment:%Y%m%d%H%M}_{number:016}.json.gz"
        )
        unit = LogObject("111122223333", "us-east-1", hour_of(moment), name)
        document = {
            "records": [
                _record(record, moment, f"{number}-{position}")
                for position, record in enumerate(records)
            ]
        }
        path = folder / key_of(unit)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(json.dumps(document).encode(), 6))
        listed.append(ListedObject(unit, path.stat().st_size))
    return listed


def _record(texts: _Texts, moment: datetime, request_id: str) -> dict[str, object]:
    is_chat = "prompt" in texts.asked
    event = "generateAssistantResponseEvent" if is_chat else "generateCompletionsEvent"
    answered: dict[str, object] = dict(texts.answered)
    if not is_chat:
        answered["completions"] = [texts.answered["completions"]]
    return {
        f"{event}Request": {
            **texts.asked,
            "userId": "d-92675051d5.b8f1f340-9081-70ad-5fc5-0f37151937a6",
            "timeStamp": f"{moment:%Y-%m-%dT%H:%M:%S}.123456789Z",
        },
        f"{event}Response": {**answered, "requestId": request_id},
    }
