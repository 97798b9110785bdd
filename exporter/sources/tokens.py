"""Counts the tokens of a text with tiktoken's cl100k_base, from a vocabulary that is shipped here.

Nothing is ever downloaded: tiktoken's own `get_encoding` would. The encoding takes 0.2 s and 60 MB,
so it is made when the first text is counted; whoever counts none does not even import tiktoken.
Keeps no text, and no error of it holds one.
"""

import gzip
import hashlib
import re
import zlib
from binascii import a2b_base64
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

VOCABULARY = Path(__file__).with_name("cl100k_base.tiktoken.gz")
"""As https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken has it."""
VOCABULARY_SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
"""Of the text in it; tiktoken's own module `openai_public` states the same."""

_PATTERN = (
    r"(?:'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s+$|\s*[\r\n])|\s+(?!\S)|\s"
)
"""Matches what the pattern of `openai_public` matches, and is nearly twice as fast.

The difference is a group around what needs no look-ahead, without possessive quantifiers: tiktoken
hands it to an engine that does not backtrack. Nothing could match in another way by backtracking.
"""
_SPECIAL_TOKENS = {
    "<|endoftext|>": 100257,
    "<|fim_prefix|>": 100258,
    "<|fim_middle|>": 100259,
    "<|fim_suffix|>": 100260,
    "<|endofprompt|>": 100276,
}
"""As `openai_public` of tiktoken 0.14 has them."""

PART = 2**16
"""Characters. A longer text is counted in parts: tiktoken fails at a million spaces in a row, and
holds a list of all tokens of what it is given."""
_BOUNDARY = re.compile(r"(?<=\S)[ \t]|(?<=\n)(?=\S)")
"""Where no token of cl100k_base reaches across: before a space that follows a word, and at the
beginning of a line. What Python takes for no white space, tiktoken's pattern does not either."""


class VocabularyError(Exception):
    """The vocabulary is not what it was shipped as."""


def count_tokens(text: str) -> int:
    """Return the number of tokens that tiktoken's `encode_ordinary` finds in a text.

    Names of special tokens are ordinary text. A surrogate without its other half counts as the
    replacement character. The count can differ by a few tokens from tiktoken's own only where a
    text goes on for PART characters with no word, nor any line, that begins after white space: it
    is cut there all the same, every 2 * PART characters. Raises VocabularyError.
    """
    if not text:
        return 0
    encode = _encoding().encode_ordinary
    if len(text) <= PART:
        return len(encode(text))
    return sum(len(encode(part)) for part in _parts(text))


def _parts(text: str) -> Iterator[str]:
    """Cut a text where that changes no token, as far as there is such a place."""
    start = 0
    while start < len(text):
        boundary = _BOUNDARY.search(text, start + PART, start + 2 * PART)
        end = boundary.start() if boundary else start + 2 * PART
        yield text[start:end]
        start = end


@lru_cache(maxsize=1)
def _encoding() -> "Encoding":
    from tiktoken import Encoding

    return Encoding(
        "cl100k_base",
        pat_str=_PATTERN,
        mergeable_ranks=read_ranks(),
        special_tokens=_SPECIAL_TOKENS,
    )


def read_ranks() -> dict[bytes, int]:
    """Read the vocabulary: a line for each token, in the order of their ranks, which begin at 0.

    Raises VocabularyError.
    """
    try:
        text = gzip.decompress(VOCABULARY.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise VocabularyError(_remedy(f"cannot be read: {type(error).__name__}")) from None
    digest = hashlib.sha256(text).hexdigest()
    if digest != VOCABULARY_SHA256:
        raise VocabularyError(_remedy(f"is damaged: its SHA-256 is {digest}"))
    return {a2b_base64(token): rank for rank, token in enumerate(text.split()[::2])}


def _remedy(fault: str) -> str:
    return f"{VOCABULARY.name}, the vocabulary that tokens are counted with, {fault}; install again"
