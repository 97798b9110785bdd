"""Turns samples that come moment by moment into series, each with all its points.

OpenMetrics wants a series in one piece, and all series of months are too much for memory: so they
wait in files of some series each. Memory holds the names of the series, one buffer, and one file.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from exporter.metrics import Family, Metric

_SERIES_PER_FILE = 100
_BUFFERED_SAMPLES = 1_000_000

Points = Iterable[tuple[float, float]]
"""Times, in seconds since the epoch, and values."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A metric and its series, numbered as they came."""

    metric: Metric
    labels: tuple[str, ...]
    numbers: dict[tuple[str, ...], int] = field(default_factory=dict)


class Spool:
    """Takes families of one moment after the other, and gives back series."""

    def __init__(self, folder: Path) -> None:
        """Use a folder that exists, and that nobody else writes to."""
        self.samples = 0
        self._folder = folder
        self._kept: dict[str, _Kept] = {}
        self._buffers: defaultdict[tuple[str, int], array[float]] = defaultdict(lambda: array("d"))
        self._buffered = 0

    @property
    def series(self) -> int:
        """Return how many series there are."""
        return sum(len(kept.numbers) for kept in self._kept.values())

    def add(self, family: Family, time: int) -> None:
        """Take samples of a metric, later than those of the same series before. Raises OSError."""
        name = family.metric.name
        kept = self._kept.setdefault(name, _Kept(family.metric, family.labels))
        numbers = kept.numbers
        for values, value in family.samples.items():
            file, place = divmod(numbers.setdefault(values, len(numbers)), _SERIES_PER_FILE)
            self._buffers[name, file].extend((place, time, float(value)))
        self.samples += len(family.samples)
        self._buffered += len(family.samples)
        if self._buffered > _BUFFERED_SAMPLES:
            self._flush()

    def new_series(self, family: Family) -> list[tuple[str, ...]]:
        """Return those series of a family that were never added."""
        kept = self._kept.get(family.metric.name)
        return [values for values in family.samples if not kept or values not in kept.numbers]

    def metrics(self) -> list[tuple[Metric, tuple[str, ...]]]:
        """Return every metric that has series, and its labels."""
        return [(kept.metric, kept.labels) for kept in self._kept.values() if kept.numbers]

    def points(self, metric: Metric) -> Iterator[tuple[tuple[str, ...], Points]]:
        """Yield the series of a metric, each with its points in time. Raises OSError."""
        self._flush()
        series = list(self._kept[metric.name].numbers)
        for first in range(0, len(series), _SERIES_PER_FILE):
            file = self._file(metric.name, first // _SERIES_PER_FILE)
            yield from zip(series[first:], _split(file.read_bytes()), strict=False)

    def _flush(self) -> None:
        for (name, file), buffer in self._buffers.items():
            with self._file(name, file).open("ab") as target:
                buffer.tofile(target)
        self._buffers.clear()
        self._buffered = 0

    def _file(self, name: str, file: int) -> Path:
        return self._folder / f"{name}-{file}"


def _split(stored: bytes) -> list[Points]:
    """Return the points of each series of a file."""
    numbers = array("d")
    numbers.frombytes(stored)
    split = [array("d") for _ in range(_SERIES_PER_FILE)]
    for place, time, value in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        split[int(place)].extend((time, value))
    return [zip(points[::2], points[1::2], strict=True) for points in split]
