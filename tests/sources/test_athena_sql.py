"""The SQL that Athena is sent: it means what direct reading does, scans once, cannot be bent."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlglot
from bad_input import NOW_SLOT, line, reader
from both_ways import LOCATION, Athena, asks_for, path_of, read_directly, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_shapes import METADATA_KEYS, SHAPES, account_of, line_of
from sqlglot import exp

from exporter.simulate import simulate
from exporter.sources.athena_expressions import field_path
from exporter.sources.athena_rows import Answer
from exporter.sources.athena_sql import HourAsk, PathRange, columns, usage_query
from exporter.sources.folder_store import FolderStore
from exporter.sources.log_store import hour_of
from exporter.usage import Counts, LogObject, Usage

ACCOUNT, REGION = "111122223333", "us-east-1"
HOUR = 489_826
"""2025-11-17T10"""
NAME = "20251117T100000000Z_0a1b2c3d.json.gz"
UNIT = LogObject(ACCOUNT, REGION, HOUR, NAME)
MOST_BYTES = 262_144
ASK = HourAsk(ACCOUNT, REGION, HOUR, (PathRange(path_of(UNIT), path_of(UNIT)),))


def query(*hours: HourAsk, keys: tuple[str, ...] = (), **names: str) -> str:
    names = {"database": "db", "table": "logs", **names}
    return usage_query(
        **names, hours=hours or (ASK,), metadata_keys=keys, first_slot=1, last_slot=2
    )


def named(number: int) -> LogObject:
    """The log object in which a shape stands alone."""
    return LogObject(account_of(number), REGION, HOUR, NAME)


def ask(root: Path, objects: dict[LogObject, list[bytes]], keys: tuple[str, ...] = ()) -> Answer:
    write(root, objects)
    return Athena(root).ask(asks_for(objects), keys)


# The same as direct reading


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, Answer]:
    """Every shape alone in an object and an account of its own, through Athena and directly."""
    root = tmp_path_factory.mktemp("shapes")
    objects = {named(number): [line_of(shape, number)] for number, shape in enumerate(SHAPES)}
    write(root, objects)
    direct, _ = read_directly(root, objects, reader(METADATA_KEYS))
    return Athena(root).ask(asks_for(objects), METADATA_KEYS), direct


def of_shape(answer: Answer, shape: str) -> list[object]:
    number = list(SHAPES).index(shape)
    usage = [usage for usage in answer.usage if usage.fact.account_id == account_of(number)]
    return [*usage, answer.objects[path_of(named(number))]]


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_of_record_means_the_same_as_read_directly(
    alone: tuple[Answer, Answer], shape: str
) -> None:
    asked, direct = alone
    assert of_shape(asked, shape) == of_shape(direct, shape)


def test_each_reason_rejects_as_many_as_in_direct_reading(alone: tuple[Answer, Answer]) -> None:
    asked, direct = alone
    assert asked.rejected == direct.rejected
    assert len(asked.rejected) == 8


def test_shapes_come_both_sound_and_broken(alone: tuple[Answer, Answer]) -> None:
    _, direct = alone
    assert len(direct.usage) > 150
    assert sum(direct.rejected.values()) > 100


UNITS = [
    LogObject(account, region, HOUR + hour, f"20251117T1{hour}0{number}00000Z_0a.json.gz")
    for account in (ACCOUNT, "444455556666")
    for region in (REGION, "eu-central-1")
    for hour in (0, 1)
    for number in (1, 2)
]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(st.sampled_from(list(SHAPES)), st.integers(1, 9), st.sampled_from(UNITS)),
        min_size=1,
        max_size=120,
    )
)
def test_records_of_all_shapes_split_over_objects_and_hours_give_equal_sums(
    tmp_path_factory: pytest.TempPathFactory, placed: list[tuple[str, int, LogObject]]
) -> None:
    """Equal shapes with an equal number are copies, in the same object or in another."""
    objects: dict[LogObject, list[bytes]] = {}
    numbers = {shape: 100 * number for number, shape in enumerate(SHAPES)}
    for shape, copy, unit in placed:
        objects.setdefault(unit, []).append(line_of(shape, numbers[shape] + copy))
    root = tmp_path_factory.mktemp("composed")
    write(root, objects)
    direct, _ = read_directly(root, objects, reader(METADATA_KEYS))
    asked = Athena(root).ask(asks_for(objects), METADATA_KEYS)
    assert sorted(asked.usage) == sorted(direct.usage)
    assert asked.objects == direct.objects
    assert asked.rejected == direct.rejected


def test_simulated_logs_give_equal_usage_and_objects(tmp_path: Path) -> None:
    end = datetime(2026, 11, 3, 8, tzinfo=UTC)
    start = end - timedelta(days=3)
    simulate(tmp_path, seed=3, start=start, end=end, calls_per_day=1500)
    store = FolderStore(tmp_path)
    days = [(start + timedelta(days=number)).date() for number in range(4)]
    units = [
        listed.unit
        for owner in store.owners().found
        for day in days
        for listed in store.list_day(*owner, day).found
    ]
    keys = ["team", "tenant"]
    everything = reader(keys)
    everything.last_slot = 2**31
    direct, _ = read_directly(tmp_path, units, everything)
    asked = Athena(tmp_path).ask(asks_for(units), keys, last_slot=2**31)
    assert sum(usage.counts.requests for usage in direct.usage) > 3000
    assert sorted(asked.usage) == sorted(direct.usage)
    assert asked.objects == direct.objects
    assert asked.rejected == direct.rejected


# Once


def test_a_record_delivered_twice_counts_once_in_its_object_and_over_objects(
    tmp_path: Path,
) -> None:
    later = UNIT._replace(name="20251117T100500000Z_0a1b2c3d.json.gz", hour=HOUR + 1)
    other = line(requestId="other")
    answer = ask(tmp_path, {UNIT: [line(), line()], later: [line(), other]})
    assert sum(usage.counts.requests for usage in answer.usage) == 2
    assert [read.records for _, read in sorted(answer.objects.items())] == [2, 2]


def test_without_a_request_id_equal_lines_are_one_record(tmp_path: Path) -> None:
    none, longer = line(requestId=None), line(requestId=None, x=1)
    answer = ask(tmp_path, {UNIT: [none, none, longer]})
    assert [usage.counts.requests for usage in answer.usage] == [2]


def test_a_request_id_of_another_slot_is_another_record(tmp_path: Path) -> None:
    later = line(timestamp="2025-11-17T10:40:30Z")
    assert len(ask(tmp_path, {UNIT: [line(), later]}).usage) == 2


def test_a_rejected_copy_takes_no_place_from_a_sound_one(tmp_path: Path) -> None:
    answer = ask(tmp_path, {UNIT: [line(modelId=""), line()]})
    assert [usage.counts.requests for usage in answer.usage] == [1]
    assert answer.rejected == {"missing_model_id": 1}


def test_which_of_two_different_copies_counts_does_not_depend_on_their_order(
    tmp_path: Path,
) -> None:
    one, two = (line(output={"outputTokenCount": tokens}) for tokens in (1, 2))
    answers = [
        ask(tmp_path / str(number), {UNIT: lines})
        for number, lines in enumerate(([one, two], [two, one]))
    ]
    assert answers[0] == answers[1]


# The lines themselves


def test_blank_lines_are_nothing_but_bytes(tmp_path: Path) -> None:
    answer = ask(tmp_path, {UNIT: [line(), b"", b"  \t", line(requestId="b")]})
    [read] = answer.objects.values()
    assert (read.records, read.bytes) == (2, len(line()) + len(line(requestId="b")) + 7)
    assert answer.rejected == {}


def test_an_object_of_rejected_records_is_read_all_the_same(tmp_path: Path) -> None:
    answer = ask(tmp_path, {UNIT: [b"{", b"{}", line(modelId=None)]})
    assert list(answer.objects) == [path_of(UNIT)]
    assert answer.rejected == {
        "malformed_json": 1,
        "invalid_timestamp": 1,
        "missing_model_id": 1,
    }


DEEP = '[{"usage": {"inputTokens": 3}, "x": ' + "[" * 1001 + "1" + "]" * 1001 + "}]"
DIFFERENT = {
    "two records on a line": (line() + line(requestId="b"), (0, "malformed_json")),
    "an array of records": (b"[" + line() + b"]", (0, "malformed_json")),
    "an array's line": (line() + b",", (0, "malformed_json")),
    "a byte order mark": (b"\xef\xbb\xbf" + line(), (0, "malformed_json")),
    "a control character": (line(x="HERE").replace(b"HERE", b"\1"), (0, "malformed_json")),
    "NaN": (line(x="HERE").replace(b'"HERE"', b"NaN"), (0, "malformed_json")),
    "a day in other writing": (line(timestamp="20251117T102030Z"), (0, "invalid_timestamp")),
    "an array as input": (line(input=[]), (1, None)),
    "a stream of great depth": (
        line(output={"outputBodyJson": "HERE"}).replace(b'"HERE"', DEEP.encode()),
        (0, "malformed_json"),
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_line_that_is_read_otherwise_than_directly_is_never_dropped_in_silence(
    tmp_path: Path, name: str
) -> None:
    text, (records, reason) = DIFFERENT[name]
    answer = ask(tmp_path, {UNIT: [text]})
    assert [read.records for read in answer.objects.values()] == [records]
    assert answer.rejected == ({reason: 1} if reason else {})


def test_of_a_field_that_stands_twice_the_first_counts(tmp_path: Path) -> None:
    twice = line().replace(b'"inputTokenCount": 22', b'"inputTokenCount": 1, "inputTokenCount": 2')
    [usage] = ask(tmp_path, {UNIT: [twice]}).usage
    assert usage.counts.input == 1


@pytest.mark.parametrize("text", [rb"\ud800", b"\xff"])
def test_a_name_that_is_no_text_costs_no_call(tmp_path: Path, text: bytes) -> None:
    [usage] = ask(tmp_path, {UNIT: [line().replace(b"alice", b"al" + text)]}).usage
    assert usage.fact.principal[-1] in "?\ufffd"
    assert usage.counts == Counts(1, 22, 199)


# What is scanned


@pytest.fixture
def hours(tmp_path: Path) -> Iterator[Athena]:
    """Two owners with three objects in each of two hours, and a body kept aside."""
    objects = {unit: [line(requestId=unit.name)] for unit in UNITS}
    write(tmp_path, objects)
    aside = tmp_path / f"AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs/{REGION}/2025/11/17/10/data"
    aside.mkdir(parents=True)
    (aside / "4d8c_input.json.gz").write_bytes(b"not even gzip")
    yield Athena(tmp_path)


def test_only_what_is_named_is_scanned(hours: Athena) -> None:
    wanted = [UNITS[0], UNITS[3], UNITS[6]]
    result = hours.engine.execute(query(*asks_for(wanted)))
    assert sorted(file.path for file in result.scanned) == sorted(map(path_of, wanted))


def test_a_range_takes_both_its_ends_and_leaves_out_what_is_named(hours: Athena) -> None:
    folder_path = path_of(UNIT._replace(name=""))
    known = path_of(UNITS[0])
    rest = HourAsk(ACCOUNT, REGION, HOUR, (PathRange(f"{folder_path}0", f"{folder_path}:"),))
    for hour, expected in ((rest, UNITS[:2]), (rest._replace(without=(known,)), UNITS[1:2])):
        result = hours.engine.execute(query(hour))
        assert [file.path for file in result.scanned] == list(map(path_of, expected))
    ends = PathRange(path_of(UNITS[0]), path_of(UNITS[1]))
    result = hours.engine.execute(query(rest._replace(ranges=(ends,))))
    assert len(result.scanned) == 2


def test_each_step_of_the_query_is_read_once() -> None:
    """A relation that is named twice is worked out twice, with all that it scans."""
    tree = sqlglot.parse_one(query(keys=("team",)), read="athena")
    steps = [step.alias for step in tree.find_all(exp.CTE)]
    read = [table.name for table in tree.find_all(exp.Table)]
    assert sorted(read) == sorted([*steps, "logs"])


def test_an_hour_of_which_nothing_is_asked_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no log object is asked for"):
        query(ASK, HourAsk(ACCOUNT, REGION, HOUR + 1, ()))


def test_the_same_is_asked_in_the_same_words_whatever_its_order() -> None:
    asks = asks_for(UNITS)
    assert query(*asks) == query(*reversed(asks))


def test_a_day_of_ten_owners_fits_into_one_query() -> None:
    """Each hour with one range and five objects left out."""
    start = hour_of(datetime(2026, 11, 1, tzinfo=UTC))
    prefix = "s3://a-bucket-with-quite-a-long-name-in-some-account/and/a/prefix"
    hours = []
    for hour in range(24):
        for owner in range(10):
            unit = LogObject(f"{owner:012}", "ap-northeast-2", start + hour, NAME)
            paths = [path_of(unit).replace(LOCATION, prefix) + str(n) for n in range(7)]
            without = tuple(paths[1:6]) if owner < 2 else ()
            hours.append(HourAsk(*unit[:3], (PathRange(paths[0], paths[-1]),), without))
    assert len(query(*hours, keys=("team", "tenant")).encode()) < MOST_BYTES


# Hostile names


HOSTILE = [
    "x') OR 1=1; DROP TABLE logs; --",
    "''",
    "'",
    '"',
    "\\' OR '1'='1",
    "*/ UNION SELECT line FROM db.logs /*",
    "{f}%s$1",
    "é模型",
]


def shape_of(sql: str) -> object:
    """The syntax of a query, whatever its literals say."""
    tree = sqlglot.parse_one(sql, read="athena")
    for literal in tree.find_all(exp.Literal):
        literal.args["this"] = ""
    for path in tree.find_all(exp.JSONPath):
        path.replace(exp.Literal.string(""))
    return tree


@pytest.mark.parametrize("text", HOSTILE)
def test_no_path_or_key_can_alter_the_query(text: str) -> None:
    def with_text(text: str) -> str:
        hour = HourAsk(text, text, HOUR, (PathRange(f"s3://a{text}", f"s3://b{text}"),), (text,))
        return query(hour, keys=(text,))

    sql = with_text(text)
    assert shape_of(sql) == shape_of(with_text("harmless"))
    literals = {
        literal.name for literal in sqlglot.parse_one(sql, read="athena").find_all(exp.Literal)
    }
    assert {text, f"s3://a{text}"} <= literals


@pytest.mark.parametrize("text", ["a\0b", "a\nb", "a\r", "\x1b", "\x7f", "\x85", "\ud800"])
def test_a_control_character_is_refused(text: str) -> None:
    paths = PathRange(f"s3://{text}", f"s3://{text}")
    for hour, keys in ((ASK._replace(ranges=(paths,)), ()), (ASK, (text,))):
        with pytest.raises(ValueError, match="control character"):
            query(hour, keys=keys)


@pytest.mark.parametrize("name", [*HOSTILE, "", "Db", "a.b", "a" * 129, "a b", "a\n"])
@pytest.mark.parametrize("which", ["database", "table"])
def test_a_database_or_table_of_any_other_name_is_refused(which: str, name: str) -> None:
    with pytest.raises(ValueError, match="no name of small letters"):
        query(**{which: name})


@pytest.mark.parametrize("key", [*HOSTILE, "\\", '\\"', '"]["', "a.b", "0"])
def test_a_path_leads_to_its_field_alone(key: str) -> None:
    """By Trino's rule: within quotes, a backslash stands before a quote or a backslash only."""
    quotes = re.fullmatch(r'\$\["((?:[^"\\]|\\["\\])*)"\]', field_path(key))
    assert quotes
    assert re.sub(r"\\(.)", r"\1", quotes[1]) == key


def test_hostile_metadata_keys_find_their_values(tmp_path: Path) -> None:
    pairs = {key: f"value {number}" for number, key in enumerate(HOSTILE)}
    keys = tuple(sorted(pairs))
    answer = ask(tmp_path, {UNIT: [line(requestMetadata=pairs)]}, keys)
    [usage] = answer.usage
    assert dict(usage.fact.metadata) == pairs


# The answer's form


def test_the_columns_are_those_that_are_promised(tmp_path: Path) -> None:
    write(tmp_path, {UNIT: [line()]})
    result = Athena(tmp_path).engine.execute(query(keys=("team",)))
    assert [name for name, _ in result.columns] == columns(("team",))
    assert {kind for _, kind in result.columns} <= {"varchar", "bigint", "integer"}


def test_nothing_of_a_prompt_or_of_a_single_record_comes_back(tmp_path: Path) -> None:
    lines = [
        line(requestId=f"secret-{number}", output={"outputBodyJson": {"x": "secret"}})
        for number in range(50)
    ]
    write(tmp_path, {UNIT: lines})
    result = Athena(tmp_path).engine.execute(
        usage_query("db", "logs", [ASK], [], 0, NOW_SLOT),
    )
    assert len(result.rows) == 2
    assert "secret" not in str(result.rows)


def test_usage_is_of_the_slots_of_its_records(tmp_path: Path) -> None:
    moments = ("2025-11-17T10:14:59Z", "2025-11-17T10:15:00Z", "2025-11-17T10:29:59.999Z")
    lines = [line(timestamp=moment, requestId=moment) for moment in moments]
    usage: tuple[Usage, ...] = ask(tmp_path, {UNIT: lines}).usage
    first = HOUR * 4
    assert sorted((part.slot, part.counts.requests) for part in usage) == [
        (first, 1),
        (first + 1, 2),
    ]
