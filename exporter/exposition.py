"""Samples as text, rendered and compressed once a refresh, so that a scrape only hands out bytes.

Both formats are prometheus_client's own; this module feeds them block by block, so that a hundred
thousand series never stand in memory as its objects. It knows nothing of HTTP and nothing of what
the samples mean.

A rendered body is kept as a raw deflate stream that ends in a full flush. Such a stream stands on
a byte border and can be continued: with the live metrics of the moment of the scrape behind it, it
is one gzip member. (Two members in one response are legal gzip, but curl refuses them.)
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import prometheus_client.exposition as text
import prometheus_client.openmetrics.exposition as openmetrics_text
from isal import isal_zlib
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from exporter.metrics import Family, Metric, Type, Value

TEXT_CONTENT_TYPE = text.CONTENT_TYPE_PLAIN_0_0_4
OPENMETRICS_CONTENT_TYPE = openmetrics_text.CONTENT_TYPE_LATEST
END = b"# EOF\n"
"""Last line of an OpenMetrics exposition."""

_SAMPLES_PER_BLOCK = 1000
_RAW_DEFLATE = -zlib.MAX_WBITS
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_INFLATED_BYTES_PER_PART = 2**18

_ClientFamily = CounterMetricFamily | GaugeMetricFamily
_Sample = tuple[tuple[str, ...], Value]
_Points = Iterable[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Body:
    """An exposition that can be continued: raw deflate up to a full flush."""

    deflated: bytes
    crc: int
    """CRC-32 of the inflated bytes."""
    size: int
    """Number of the inflated bytes."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A snapshot as the web hands it out."""

    text: Body
    openmetrics: Body
    page: bytes
    """The status page, HTML."""


def generate(collector: Collector, openmetrics: bool) -> bytes:
    """Render what a collector yields now; OpenMetrics with its END."""
    if openmetrics:
        document: bytes = openmetrics_text.generate_latest(collector)  # type: ignore[no-untyped-call]
        return document
    return text.generate_latest(collector)


def render(families: Iterable[Family], openmetrics: bool) -> Iterator[bytes]:
    """Render families part by part, OpenMetrics without its END, so that live metrics can follow.

    A family without samples is left out. Samples carry no timestamp and no `_created`.
    """
    for family in families:
        if family.samples:
            yield _head(family, openmetrics)
            yield from _sample_lines(family)


def render_history(
    metric: Metric, labels: tuple[str, ...], series: Iterable[tuple[tuple[str, ...], _Points]]
) -> Iterator[bytes]:
    """Render a metric's series, each with all its points, as OpenMetrics without its END.

    A point is a time, in whole seconds since the epoch, and the value that the series had then.
    """
    yield _head(Family(metric, labels), openmetrics=True)
    for values, points in series:
        name = _series_name(metric, labels, values)
        yield "".join([f"{name} {_number(value)} {time:.0f}\n" for time, value in points]).encode()


def expose(families: Iterable[Family]) -> tuple[Body, Body]:
    """Render and compress families as text and as OpenMetrics in one pass.

    The formats differ in the heads of the families only; their sample lines, which are nearly
    all of the work, are rendered once.
    """
    text_body, openmetrics_body = _Compressor(), _Compressor()
    for family in families:
        if not family.samples:
            continue
        text_body.add(_head(family, openmetrics=False))
        openmetrics_body.add(_head(family, openmetrics=True))
        for lines in _sample_lines(family):
            text_body.add(lines)
            openmetrics_body.add(lines)
    return text_body.finish(), openmetrics_body.finish()


def compress(parts: Iterable[bytes]) -> Body:
    """Compress an exposition as it is rendered."""
    compressor = _Compressor()
    for part in parts:
        compressor.add(part)
    return compressor.finish()


def gzip(body: Body, tail: bytes) -> bytes:
    """Return a body and what follows it as one gzip member."""
    deflater = zlib.compressobj(wbits=_RAW_DEFLATE)
    return b"".join(
        (
            _GZIP_HEADER,
            body.deflated,
            deflater.compress(tail),
            deflater.flush(),
            struct.pack("<II", zlib.crc32(tail, body.crc), (body.size + len(tail)) % 2**32),
        )
    )


def plain(body: Body, tail: bytes) -> Iterator[bytes]:
    """Inflate a body part by part, and add what follows it."""
    inflater = zlib.decompressobj(wbits=_RAW_DEFLATE)
    deflated = body.deflated
    while part := inflater.decompress(deflated, _INFLATED_BYTES_PER_PART):
        yield part
        deflated = inflater.unconsumed_tail
    yield tail


class _Compressor:
    """Makes a Body of the parts that it is given."""

    def __init__(self) -> None:
        # isal's level 1 makes as little as zlib's level 4, in a tenth of the time.
        self._deflater = isal_zlib.compressobj(level=1, wbits=_RAW_DEFLATE)
        self._deflated: list[bytes] = []
        self._crc = 0
        self._size = 0

    def add(self, part: bytes) -> None:
        self._deflated.append(self._deflater.compress(part))
        self._crc = zlib.crc32(part, self._crc)
        self._size += len(part)

    def finish(self) -> Body:
        self._deflated.append(self._deflater.flush(isal_zlib.Z_FULL_FLUSH))
        return Body(b"".join(self._deflated), self._crc, self._size)


class _Only(Collector):
    """Collects one family, so that the client's renderer can be called for it alone."""

    def __init__(self, family: _ClientFamily) -> None:
        self._family = family

    def collect(self) -> Iterator[_ClientFamily]:
        yield self._family


def _head(family: Family, openmetrics: bool) -> bytes:
    """Render the lines # HELP and # TYPE."""
    return generate(_Only(_client_family(family, [])), openmetrics).removesuffix(END)


def _sample_lines(family: Family) -> Iterator[bytes]:
    """Render the samples block by block: the same lines in both formats."""
    head = len(_head(family, openmetrics=False))
    samples = iter(family.samples.items())
    while block := list(islice(samples, _SAMPLES_PER_BLOCK)):
        yield _render_block(family, block)[head:]


def _render_block(family: Family, samples: list[_Sample]) -> bytes:
    """Render head and samples.

    UTF-8 carries any label but half a surrogate pair, which is spelled out, as \\ud800.
    """
    try:
        return generate(_Only(_client_family(family, samples)), openmetrics=False)
    except UnicodeEncodeError:
        spelled = [(tuple(map(_spell_out, labels)), value) for labels, value in samples]
        return generate(_Only(_client_family(family, spelled)), openmetrics=False)


def _series_name(metric: Metric, labels: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Return a series as a sample line begins with it."""
    (lines,) = _sample_lines(Family(metric, labels, {values: 0}))
    return lines.decode().rpartition(" ")[0]


def _number(value: float) -> str:
    text: str = floatToGoString(value)  # type: ignore[no-untyped-call]
    return text


def _spell_out(label: str) -> str:
    return label.encode("utf-8", "backslashreplace").decode("utf-8")


def _client_family(family: Family, samples: list[_Sample]) -> _ClientFamily:
    kind = CounterMetricFamily if family.metric.type is Type.COUNTER else GaugeMetricFamily
    result = kind(family.metric.name, family.metric.help, labels=family.labels)
    for labels, value in samples:
        result.add_metric(labels, float(value))
    return result
