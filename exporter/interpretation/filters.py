"""Filters by name, as `include` and `exclude` of the configuration have them."""

import fnmatch
import re
from collections.abc import Iterable


class Filter:
    """What passes: all that some `include` names, or everything without any; less `exclude`."""

    def __init__(self, include: Iterable[str], exclude: Iterable[str]) -> None:
        self._include = _any_of(include)
        self._exclude = _any_of(exclude)

    def passes(self, *names: str) -> bool:
        """Tell whether something passes that has these names."""
        if self._include and not any(map(self._include.search, names)):
            return False
        return not (self._exclude and any(map(self._exclude.search, names)))


def _any_of(filters: Iterable[str]) -> re.Pattern[str] | None:
    """Compile filters: one with * or ? is a pattern of the whole name, any other a part of it."""
    patterns = [
        rf"\A{fnmatch.translate(text)}" if set(text) & set("*?") else re.escape(text)
        for text in filters
    ]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None
