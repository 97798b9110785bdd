"""Counting tokens: as tiktoken counts them, offline, whatever the text is."""

import gzip
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken import Encoding
from tiktoken_ext import openai_public

from exporter.sources import tokens
from exporter.sources.tokens import VocabularyError, count_tokens
from tools import ROOT


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    """cl100k_base as tiktoken defines it; what it would download comes from our vocabulary."""

    def load(url: str, expected_hash: str) -> dict[bytes, int]:
        assert expected_hash == tokens.VOCABULARY_SHA256
        return tokens.read_ranks()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openai_public, "load_tiktoken_bpe", load)
        return openai_public.cl100k_base()


@pytest.fixture(scope="module")
def tiktoken_count(definition: dict[str, Any]) -> Callable[[str], int]:
    encoding = Encoding(**definition)
    return lambda text: len(encoding.encode_ordinary(text))


TEXTS = {
    "nothing": ("", 0),
    "a word": ("hello", 1),
    "English": ("The quick brown fox doesn't jump over the lazy dog.", 12),
    "contractions": ("I'll we've they're it'S 'twas y'all'd", 14),
    "code": ("def f(x):\n    return {'a': [x, 1_000_000]}\n\n\n", 20),
    "Windows lines": ("import boto3\r\n\r\ns3 = boto3.client('s3')\r\n", 14),
    "tabs": ("\tif err != nil {\n\t\treturn err\n\t}\n", 11),
    "Korean": ("버킷을 나열하려면 어떻게 해야 하나요?", 23),
    "emoji": ("👩‍👩‍👧‍👦 🎉🎉", 24),
    "digits": ("12345678901234567890", 7),
    "control characters": ("\x00\x01\x1b[31m\x7f\x85", 8),
    "other spaces": ("a\u00a0b\u2003\u2003c\u3000 d\x1c\x1de", 13),
    "special tokens": ("<|endoftext|><|fim_prefix|>", 13),
    "a lone surrogate": ("\ud800", 1),
    "half of a pair, then text": ("a\udc00b", 3),
    "only white space": (" \n\t \r\n  ", 3),
    "JSON": ('{"records": [{"prompt": "x"}]}', 10),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_has_as_many_tokens_as_tiktoken_says(name: str, tiktoken_count) -> None:
    text, count = TEXTS[name]
    assert (count_tokens(text), tiktoken_count(text)) == (count, count)


PIECES = st.sampled_from(
    [
        *"aZé한😀\u0301'\u2019s.!{}()1\uff19\u00b2\0\x1c\x85\u00a0\u200b\ufeff\ud800",
        " ",
        "\n",
        "\r",
        "\t",
        "ll",
        "  ",
    ]
)
HOSTILE = st.lists(PIECES, max_size=40).map("".join)


@settings(deadline=None, max_examples=400)
@given(text=st.text(max_size=200) | HOSTILE)
def test_any_text_has_as_many_tokens_as_tiktoken_says(text: str, tiktoken_count) -> None:
    assert count_tokens(text) == tiktoken_count(text)


@settings(deadline=None, max_examples=400)
@given(text=HOSTILE)
def test_no_token_reaches_across_a_boundary(text: str, tiktoken_count) -> None:
    whole = tiktoken_count(text)
    for boundary in tokens._BOUNDARY.finditer(text):
        parts = text[: boundary.start()], text[boundary.start() :]
        assert sum(map(tiktoken_count, parts)) == whole


@settings(deadline=None)
@given(text=HOSTILE)
def test_the_parts_of_a_text_are_the_text(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "PART", 8)
        parts = list(tokens._parts(text))
    assert "".join(parts) == text
    assert all(0 < len(part) <= 16 for part in parts)


def test_a_long_text_has_as_many_tokens_as_tiktoken_says(tiktoken_count) -> None:
    code = (ROOT / "exporter/sources/tokens.py").read_text()
    for text in (code * 60, code.replace(" ", "") * 80, re.sub(r"\s+", " ", code) * 60):
        assert len(text) > 2 * tokens.PART
        assert count_tokens(text) == tiktoken_count(text)


def test_a_word_without_end_differs_by_a_few_tokens(tiktoken_count) -> None:
    for text in ("a" * 300_000, "ab1" * 100_000, "한" * 200_000):
        assert abs(count_tokens(text) - tiktoken_count(text)) <= 4


@pytest.mark.parametrize("end", ["", "x", "\n"])
@pytest.mark.parametrize("character", [" ", "\t", "\n", "\u2003"])
def test_white_space_without_end_is_counted(character: str, end: str) -> None:
    """At a million in a row, tiktoken itself ends in a panic that is no Exception."""
    assert 0 < count_tokens(character * 1_100_000 + end) <= 3 * 1_100_001


def test_the_encoding_is_that_of_tiktoken(definition: dict[str, Any]) -> None:
    ours = tokens._encoding()
    assert ours.name == definition["name"]
    assert ours._special_tokens == definition["special_tokens"]
    assert ours.n_vocab == 100_277
    assert (ours.encode_single_token(b"!"), ours.encode_single_token(b" Conveyor")) == (0, 100_255)


DAMAGED = {
    "empty": b"",
    "no gzip": b"IQ== 0\n",
    "cut short": tokens.VOCABULARY.read_bytes()[:-1000],
    "flipped": tokens.VOCABULARY.read_bytes()[:5000] + b"\0" * 1000,
    "another vocabulary": gzip.compress(b"IQ== 0\n"),
}


@pytest.mark.parametrize("name", [*DAMAGED, "missing"])
def test_a_damaged_vocabulary_counts_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vocabulary = tmp_path / "cl100k_base.tiktoken.gz"
    if name in DAMAGED:
        vocabulary.write_bytes(DAMAGED[name])
    monkeypatch.setattr(tokens, "VOCABULARY", vocabulary)
    with pytest.raises(VocabularyError, match=r"^cl100k_base\.tiktoken\.gz, .*; install again$"):
        tokens.read_ranks()


def test_the_vocabulary_comes_with_its_license() -> None:
    notice = tokens.VOCABULARY.with_name("cl100k_base.tiktoken.LICENSE").read_text()
    assert "MIT License" in notice
    assert "OpenAI" in notice


OFFLINE = """
import socket, sys

def refuse(*args, **options):
    raise AssertionError("a socket was opened")

socket.socket = socket.create_connection = socket.getaddrinfo = refuse
from exporter.sources import tokens
assert "tiktoken" not in sys.modules
assert tokens.count_tokens("") == 0
assert "tiktoken" not in sys.modules
assert tokens.count_tokens("hello world") == 2
assert not {"requests", "urllib3", "tiktoken_ext.openai_public"} & sys.modules.keys()
"""


def test_nothing_is_downloaded_and_nothing_loaded_before_there_is_text(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        cwd=ROOT,
        env={"TIKTOKEN_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
