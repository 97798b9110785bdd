"""Samples as text: exact bytes in both formats, and bodies that can be continued."""

import gzip
import pickle
import subprocess
import zlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import prometheus_client.exposition as client_text
import prometheus_client.openmetrics.exposition as client_openmetrics
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import CounterMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from exporter.exposition import END, Rendered, compress, expose, plain, render
from exporter.exposition import gzip as one_member
from exporter.metrics import Family, Metric, Type, Value

TOKENS = Metric("bedrock_tokens_total", "Tokens read.", Type.COUNTER, ("user", "token_kind"))
COST = Metric("bedrock_cost_usd_today", 'Cost of "today"\nin \\ USD.', Type.GAUGE, ("user",))
SERIES = Metric("bedrock_exporter_series", "Series exposed.", Type.GAUGE)


def family(metric: Metric, samples: dict[tuple[str, ...], Value]) -> Family:
    return Family(metric, metric.labels, samples)


FAMILIES = [
    family(TOKENS, {("bob", "input"): 506, ("alice", "output"): 12_345_678}),
    family(COST, {('eve "\\\n<b>é</b>',): Decimal("0.070158")}),
    family(SERIES, {(): 3}),
]

TEXT = rb"""# HELP bedrock_tokens_total Tokens read.
# TYPE bedrock_tokens_total counter
bedrock_tokens_total{token_kind="input",user="bob"} 506.0
bedrock_tokens_total{token_kind="output",user="alice"} 1.2345678e+07
# HELP bedrock_cost_usd_today Cost of "today"\nin \\ USD.
# TYPE bedrock_cost_usd_today gauge
bedrock_cost_usd_today{user="eve \"\\\n<b>EACUTE</b>"} 0.070158
# HELP bedrock_exporter_series Series exposed.
# TYPE bedrock_exporter_series gauge
bedrock_exporter_series 3.0
""".replace(b"EACUTE", "é".encode())

OPENMETRICS = rb"""# HELP bedrock_tokens Tokens read.
# TYPE bedrock_tokens counter
bedrock_tokens_total{token_kind="input",user="bob"} 506.0
bedrock_tokens_total{token_kind="output",user="alice"} 1.2345678e+07
# HELP bedrock_cost_usd_today Cost of \"today\"\nin \\ USD.
# TYPE bedrock_cost_usd_today gauge
bedrock_cost_usd_today{user="eve \"\\\n<b>EACUTE</b>"} 0.070158
# HELP bedrock_exporter_series Series exposed.
# TYPE bedrock_exporter_series gauge
bedrock_exporter_series 3.0
""".replace(b"EACUTE", "é".encode())


def many_tokens(count: int) -> Family:
    return family(TOKENS, {(f"user{number}", "input"): number for number in range(count)})


def inflate_member(data: bytes) -> bytes:
    """Inflate the first gzip member only, as curl does, and require that nothing follows it."""
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    inflated = inflater.decompress(data) + inflater.flush()
    assert inflater.eof and not inflater.unused_data
    return inflated


def test_text_is_exactly_this() -> None:
    assert b"".join(render(FAMILIES, openmetrics=False)) == TEXT


def test_openmetrics_is_exactly_this_and_leaves_its_end_to_what_follows() -> None:
    assert b"".join(render(FAMILIES, openmetrics=True)) == OPENMETRICS


def test_a_family_of_many_blocks_reads_as_the_client_would_write_it_at_once() -> None:
    class Whole(Collector):
        def collect(self) -> Iterator[CounterMetricFamily]:
            whole = CounterMetricFamily(TOKENS.name, TOKENS.help, labels=TOKENS.labels)
            for number in range(2500):
                whole.add_metric([f"user{number}", "input"], number)
            yield whole

    text = b"".join(render([many_tokens(2500)], openmetrics=False))
    openmetrics = b"".join(render([many_tokens(2500)], openmetrics=True))
    assert text == client_text.generate_latest(Whole())
    assert openmetrics + END == client_openmetrics.generate_latest(Whole())


def test_a_large_family_is_never_one_part() -> None:
    parts = list(render([many_tokens(5000)], openmetrics=False))
    assert max(len(part) for part in parts) < sum(len(part) for part in parts) / 4


def test_a_family_without_samples_is_left_out() -> None:
    empty = [family(TOKENS, {}), family(COST, {})]
    assert list(render(empty, openmetrics=False)) == list(render(empty, openmetrics=True)) == []
    assert [body.size for body in expose(empty)] == [0, 0]


def test_labels_may_be_fewer_than_the_metric_has() -> None:
    summed = Family(TOKENS, ("token_kind",), {("input",): 1})
    assert b'bedrock_tokens_total{token_kind="input"} 1.0' in b"".join(render([summed], False))


def test_both_formats_rendered_at_once_are_the_formats_rendered_alone() -> None:
    families = [*FAMILIES, many_tokens(2500)]
    text, openmetrics = expose(families)
    assert b"".join(plain(text, b"")) == b"".join(render(families, openmetrics=False))
    assert b"".join(plain(openmetrics, b"")) == b"".join(render(families, openmetrics=True))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0.0"),
        (2**53 - 1, "9.007199254740991e+15"),
        (999_999, "999999.0"),
        (Decimal("0.000000003"), "3e-09"),
        (Decimal("1234567.89"), "1.23456789e+06"),
        (Decimal("-0.5"), "-0.5"),
        (float("nan"), "NaN"),
        (float("inf"), "+Inf"),
    ],
)
def test_a_value_is_written_as_prometheus_reads_it(value: Value, written: str) -> None:
    lines = b"".join(render([family(SERIES, {(): value})], openmetrics=False)).splitlines()
    assert lines[-1].decode() == f"bedrock_exporter_series {written}"
    assert float(written) == pytest.approx(float(value), nan_ok=True)


def test_half_a_surrogate_pair_is_spelled_out_and_its_neighbours_stay() -> None:
    first, last = chr(0xD800), chr(0xDFFF)
    hostile = family(COST, {(f"a{first}",): 1, (f"a{last}",): 2, ("é",): 3})
    lines = b"".join(render([hostile], openmetrics=True)).decode().splitlines()
    assert lines[2:] == [
        r'bedrock_cost_usd_today{user="a\\ud800"} 1.0',
        r'bedrock_cost_usd_today{user="a\\udfff"} 2.0',
        'bedrock_cost_usd_today{user="é"} 3.0',
    ]


@given(st.lists(st.text() | st.text('"\\\n\r\0,={}# \u2028'), unique=True, min_size=1))
def test_whatever_stands_in_a_label_a_parser_reads_it_back(users: list[str]) -> None:
    text = b"".join(render([family(COST, dict.fromkeys(((u,) for u in users), 1))], False))
    (parsed,) = text_string_to_metric_families(text.decode())
    assert [sample.labels["user"] for sample in parsed.samples] == users


def test_a_name_of_10_kb_is_one_line() -> None:
    name = '"\n' * 5000
    lines = b"".join(render([family(COST, {(name,): 1})], openmetrics=False)).splitlines()
    assert len(lines) == 3


@given(st.lists(st.binary()), st.binary())
def test_a_body_and_its_tail_are_one_gzip_member(parts: list[bytes], tail: bytes) -> None:
    member = one_member(compress(parts), tail)
    assert gzip.decompress(member) == inflate_member(member) == b"".join(parts) + tail


@given(st.lists(st.binary()), st.binary())
def test_a_body_and_its_tail_inflate_to_what_they_were(parts: list[bytes], tail: bytes) -> None:
    body = compress(parts)
    assert b"".join(plain(body, tail)) == b"".join(parts) + tail
    assert body.size == len(b"".join(parts))


def test_a_body_inflates_in_parts_that_are_small() -> None:
    body = compress([bytes(10_000_000)])
    parts = list(plain(body, b"tail"))
    assert sum(map(len, parts)) == 10_000_004
    assert max(map(len, parts)) < 1_000_000


def test_a_body_can_be_continued_more_than_once() -> None:
    body = compress([b"rendered once\n"])
    assert gzip.decompress(one_member(body, b"first\n")) == b"rendered once\nfirst\n"
    assert gzip.decompress(one_member(body, b"second\n")) == b"rendered once\nsecond\n"


def test_gzip_itself_accepts_the_member(tmp_path: Path) -> None:
    file = tmp_path / "metrics.gz"
    file.write_bytes(one_member(compress(render(FAMILIES, openmetrics=True)), END))
    unpacked = subprocess.run(["gzip", "-dc", file], capture_output=True, check=True).stdout
    assert unpacked == OPENMETRICS + END


def test_a_hundred_thousand_like_lines_shrink_to_a_tenth() -> None:
    text, _ = expose([many_tokens(20_000)])
    assert len(text.deflated) < text.size / 10


def test_a_rendered_snapshot_survives_the_way_between_processes() -> None:
    text, openmetrics = expose(FAMILIES)
    rendered = Rendered(text, openmetrics, b"<!doctype html>")
    assert pickle.loads(pickle.dumps(rendered)) == rendered
