"""The Dockerfile, taken apart into its instructions."""

import json
from typing import NamedTuple

from tools import ROOT


class Instruction(NamedTuple):
    name: str
    rest: str


def instructions() -> list[Instruction]:
    """The instructions of the Dockerfile, each on one line."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [Instruction(*line.split(maxsplit=1)) for line in lines]


def final_stage() -> list[Instruction]:
    all_of_them = instructions()
    last_from = max(n for n, (name, _) in enumerate(all_of_them) if name == "FROM")
    return all_of_them[last_from:]


def last(name: str) -> str:
    """What the last instruction of a name in the final stage says."""
    return [rest for instruction, rest in final_stage() if instruction == name][-1]


def health_check() -> list[str]:
    """The command of the health check."""
    command = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert isinstance(command, list)
    return command
