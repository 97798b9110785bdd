"""The Athena that tests talk to: where it errs, tests of the exporter err."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from pyathena.connection import Connection
from pyathena.error import OperationalError

from athena_engine import MOST_RANGES, Engine
from athena_logs import QueryFailedError
from athena_server import AthenaServer, fail, hang, refuse, server_error, slow
from s3_server import S3Server

LOCATION = "s3://logs/prefix"
PLACE = "AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/2025/11/17/10"
OWNER = "account_id = '111122223333' AND region = 'us-east-1'"
TABLE = "bedrock_exporter.invocation_logs"
COUNT = f"SELECT count(*) AS n FROM {TABLE} WHERE {OWNER}"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def server(logs: Path) -> Iterator[AthenaServer]:
    with AthenaServer() as athena, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL_ATHENA", athena.url)
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        athena.add_folder(LOCATION, logs)
        yield athena


@pytest.fixture
def athena(server: AthenaServer, logs: Path) -> AthenaServer:
    server.reset()
    server.polls = 1
    for path in logs.rglob("*.*"):
        path.unlink()
    put(logs, "a.json.gz", "one", "two")
    return server


@pytest.fixture
def client(athena: AthenaServer) -> Any:
    return boto3.client("athena", "us-east-1", config=Config(retries={"total_max_attempts": 1}))


def put(logs: Path, name: str, *lines: str) -> int:
    """Write a log object; return its stored size."""
    path = logs / PLACE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if name.endswith(".gz") else text)
    return path.stat().st_size


def start(client: Any, sql: str = COUNT, **options: Any) -> str:
    started = client.start_query_execution(QueryString=sql, WorkGroup="bedrock-exporter", **options)
    return str(started["QueryExecutionId"])


def look(client: Any, query_id: str) -> dict[str, Any]:
    execution: dict[str, Any] = client.get_query_execution(QueryExecutionId=query_id)
    return execution["QueryExecution"]


def reason(client: Any, sql: str) -> str:
    """Why a query fails."""
    query_id = start(client, sql)
    while (status := look(client, query_id)["Status"])["State"] == "RUNNING":
        pass
    assert status["State"] == "FAILED"
    return str(status["StateChangeReason"])


def refused(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


# Its API


def test_pyathena_gets_rows_in_python_s_types(athena: AthenaServer) -> None:
    sql = f"SELECT line, length(line), nullif(line, 'one'), '' FROM {TABLE} WHERE {OWNER}"
    connection = Connection(region_name="us-east-1", work_group="primary", poll_interval=0)
    with connection, connection.cursor() as cursor:
        rows = cursor.execute(sql).fetchall()
        assert sorted(rows) == [("one", 3, None, ""), ("two", 3, "two", "")]
        assert cursor.data_scanned_in_bytes == athena.queries[0].scanned_bytes > 0


def test_pyathena_tells_why_a_query_failed(athena: AthenaServer) -> None:
    athena.faults.append(fail("GENERIC_INTERNAL_ERROR: null"))
    connection = Connection(region_name="us-east-1", work_group="primary", poll_interval=0)
    with connection, pytest.raises(OperationalError, match="GENERIC_INTERNAL_ERROR"):
        connection.cursor().execute(COUNT)


def test_a_query_runs_for_as_many_polls_as_it_is_told(athena: AthenaServer, client: Any) -> None:
    athena.polls = 2
    query_id = start(client)
    states = [look(client, query_id)["Status"]["State"] for _ in range(4)]
    assert states == ["RUNNING", "RUNNING", "SUCCEEDED", "SUCCEEDED"]


def test_results_come_in_pages_of_which_the_first_begins_with_the_header(
    athena: AthenaServer, client: Any, logs: Path
) -> None:
    put(logs, "b.json.gz", *map(str, range(2500)))
    query_id = start(client, f"SELECT line FROM {TABLE} WHERE {OWNER}")
    look(client, query_id), look(client, query_id)
    pages = client.get_paginator("get_query_results").paginate(QueryExecutionId=query_id)
    sizes = [page["ResultSet"]["Rows"] for page in pages]
    assert [len(rows) for rows in sizes] == [1000, 1000, 503]
    assert sizes[0][0] == {"Data": [{"VarCharValue": "line"}]}


def test_a_query_that_has_not_succeeded_has_no_results(athena: AthenaServer, client: Any) -> None:
    query_id = start(client)
    with pytest.raises(ClientError) as error:
        client.get_query_results(QueryExecutionId=query_id)
    assert refused(error) == "InvalidRequestException"


def test_a_token_starts_one_query_only(athena: AthenaServer, client: Any) -> None:
    token = "t" * 32
    assert start(client, ClientRequestToken=token) == start(client, ClientRequestToken=token)
    with pytest.raises(ClientError, match="Idempotent"):
        start(client, COUNT + " ", ClientRequestToken=token)


def test_a_result_is_reused_for_the_same_text_alone(
    athena: AthenaServer, client: Any, logs: Path
) -> None:
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    for sql in (COUNT, COUNT, COUNT + " "):
        query_id = start(client, sql, ResultReuseConfiguration=reuse)
        look(client, query_id), look(client, query_id)
        put(logs, "b.json.gz", "three")
    assert [query.rows for query in athena.queries] == [[(2,)], [(2,)], [(3,)]]
    assert [query.scanned_bytes > 0 for query in athena.queries] == [True, False, True]


def test_a_query_that_hangs_runs_until_it_is_stopped(athena: AthenaServer, client: Any) -> None:
    athena.faults.append(hang())
    query_id = start(client)
    assert [look(client, query_id)["Status"]["State"] for _ in range(5)] == ["RUNNING"] * 5
    client.stop_query_execution(QueryExecutionId=query_id)
    assert look(client, query_id)["Status"]["State"] == "CANCELLED"
    assert athena.queries[0].stopped


def test_a_scan_past_the_cut_off_is_cancelled(athena: AthenaServer, client: Any) -> None:
    athena.workgroups["bedrock-exporter"].cutoff_bytes = 1
    try:
        query_id = start(client)
        look(client, query_id)
        status = look(client, query_id)["Status"]
    finally:
        athena.workgroups["bedrock-exporter"].cutoff_bytes = None
    assert status["State"] == "CANCELLED"
    assert "Bytes scanned limit" in status["StateChangeReason"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"WorkGroup": "none"}, "not found"),
        ({"WorkGroup": "off"}, "is disabled"),
        ({"WorkGroup": "nowhere"}, "No output location"),
        ({"QueryString": "x" * 262_145}, "length"),
    ],
)
def test_a_query_that_cannot_be_started_is_refused(
    athena: AthenaServer, client: Any, change: dict[str, str], message: str
) -> None:
    primary = athena.workgroups["primary"]
    athena.workgroups["off"] = type(primary)("off", enabled=False)
    athena.workgroups["nowhere"] = type(primary)("nowhere", output_location=None)
    with pytest.raises(ClientError, match=message) as error:
        client.start_query_execution(**{"QueryString": COUNT, "WorkGroup": "primary"} | change)
    assert refused(error) == "InvalidRequestException"
    assert athena.queries == []


def test_an_operation_fails_as_often_as_it_is_told(athena: AthenaServer, client: Any) -> None:
    athena.faults.append(refuse("StartQueryExecution", "ThrottlingException", times=1))
    athena.faults.append(server_error("StartQueryExecution", times=1))
    for code in ("ThrottlingException", "InternalServerException"):
        with pytest.raises(ClientError) as error:
            start(client)
        assert refused(error) == code
    start(client)
    assert athena.requests == ["StartQueryExecution"] * 3


def test_an_answer_can_be_late(athena: AthenaServer) -> None:
    athena.faults.append(slow("StartQueryExecution", 0.3, times=1))
    hasty = Config(read_timeout=0.1, retries={"total_max_attempts": 1})
    with pytest.raises(Exception, match="Read timeout"):
        start(boto3.client("athena", "us-east-1", config=hasty))


def test_what_lies_in_moto_is_read_when_a_query_runs() -> None:
    with S3Server() as s3, AthenaServer() as athena:
        athena.add_s3("s3://logs/prefix")
        s3.put(f"prefix/{PLACE}/a.json.gz", gzip.compress(b"one\n"))
        s3.put(f"other/{PLACE}/b.json.gz", gzip.compress(b"two\n"))
        found = athena.answer("StartQueryExecution", {"QueryString": COUNT})
        assert athena.queries[0].id == found["QueryExecutionId"]
        assert athena.queries[0].rows == [(1,)]
        assert athena.queries[0].scanned_paths == (f"s3://logs/prefix/{PLACE}/a.json.gz",)
        assert s3.requests == []


# Its table


def test_a_row_is_a_line_in_its_partition(athena: AthenaServer, client: Any) -> None:
    sql = f'SELECT account_id, region, datehour, "$path", line FROM {TABLE} WHERE {OWNER}'
    start(client, sql + " AND line = 'two'")
    path = f"{LOCATION}/{PLACE}/a.json.gz"
    place = ("111122223333", "us-east-1", "2025/11/17/10")
    assert athena.queries[0].rows == [(*place, path, "two")]


def test_lines_end_as_hadoop_ends_them(athena: AthenaServer, client: Any, logs: Path) -> None:
    (logs / PLACE / "b.json").write_bytes(b"a\r\nb\rc\n\nd")
    start(client, f"SELECT line FROM {TABLE} WHERE {OWNER} AND \"$path\" LIKE '%b.json'")
    assert athena.queries[0].rows == [("a",), ("b",), ("c",), ("",), ("d",)]


def test_a_path_prunes_where_it_stands_alone_and_only_there(
    athena: AthenaServer, client: Any, logs: Path
) -> None:
    sizes = [put(logs, f"{name}.json.gz", name) for name in "abc"]
    path = f"{LOCATION}/{PLACE}/b.json.gz"
    for condition, scanned in {
        f"\"$path\" = '{path}'": sizes[1],
        f"(\"$path\" BETWEEN '{path}' AND '{path}' OR \"$path\" = 'x')": sizes[1],
        f"\"$path\" NOT IN ('{path}')": sizes[0] + sizes[2],
        f"\"$path\" LIKE '{path}'": sum(sizes),
        "regexp_like(\"$path\", 'b.json')": sum(sizes),
        f"(\"$path\" = '{path}' OR line = 'x')": sum(sizes),
        "datehour = '2025/11/17/11'": 0,
    }.items():
        start(client, f"{COUNT} AND {condition}")
        assert athena.queries[-1].scanned_bytes == scanned, condition


def test_of_too_many_ranges_only_the_span_prunes(
    athena: AthenaServer, client: Any, logs: Path
) -> None:
    sizes = {name: put(logs, f"{name}.json.gz", name) for name in "abcd"}
    others = [f"\"$path\" = '{LOCATION}/{PLACE}/a{n:03}'" for n in range(MOST_RANGES - 1)]
    first, last = (f"\"$path\" = '{LOCATION}/{PLACE}/{name}.json.gz'" for name in "ac")
    start(client, f"{COUNT} AND ({' OR '.join([last, *others])})")
    assert athena.queries[-1].scanned_bytes == sizes["c"]
    start(client, f"{COUNT} AND ({' OR '.join([first, last, *others])})")
    assert athena.queries[-1].scanned_bytes == sizes["a"] + sizes["b"] + sizes["c"]
    assert athena.queries[-1].rows == [(2,)]


def test_a_relation_that_is_scanned_twice_is_paid_twice(
    athena: AthenaServer, client: Any, logs: Path
) -> None:
    size = (logs / PLACE / "a.json.gz").stat().st_size
    start(client, f"{COUNT} UNION ALL {COUNT}")
    assert athena.queries[0].scanned_bytes == 2 * size


@pytest.mark.parametrize("missing", ["account_id", "region"])
def test_an_injected_column_must_be_named(client: Any, missing: str) -> None:
    conditions = [part for part in OWNER.split(" AND ") if not part.startswith(missing)]
    said = reason(client, f"SELECT line FROM {TABLE} WHERE {conditions[0]}")
    assert said.startswith("CONSTRAINT_VIOLATION: For the injected projected partition column")
    assert missing in said


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (COUNT.replace("count(*)", "sum(wrong)"), "COLUMN_NOT_FOUND: line 1:8: Column 'wrong'"),
        (COUNT.replace("invocation_logs", "none"), "TABLE_NOT_FOUND: line 1:15: Table 'awsdatac"),
        (COUNT.replace("bedrock_exporter", "none"), "SCHEMA_NOT_FOUND: line 1:15: Schema 'none'"),
        ("SELECT (", "SYNTAX_ERROR: "),
        ("SELECT regexp_count('a', 'a')", "FUNCTION_NOT_FOUND: "),
        ("SELECT regexp_like(json_extract('{}', '$.a'), 'a')", "TYPE_MISMATCH: "),
        ("SELECT json_parse('{')", "INVALID_FUNCTION_ARGUMENT: "),
    ],
)
def test_a_query_that_is_wrong_fails_as_athena_says_it(client: Any, sql: str, said: str) -> None:
    assert reason(client, sql).startswith(said)


@pytest.mark.parametrize(
    "stored",
    [gzip.compress(b"x" * 999)[:-9], b"plain", b"\x1f\x8b"],
    ids=["cut short", "plain text", "a beginning"],
)
def test_a_damaged_object_fails_the_whole_query(
    client: Any, logs: Path, athena: AthenaServer, stored: bytes
) -> None:
    (logs / PLACE / "b.json.gz").write_bytes(stored)
    assert reason(client, COUNT).startswith("HIVE_CURSOR_ERROR: ")


def test_an_object_of_no_bytes_has_no_row(client: Any, logs: Path, athena: AthenaServer) -> None:
    (logs / PLACE / "b.json.gz").write_bytes(b"")
    start(client)
    assert athena.queries[0].rows == [(2,)]


# What Trino's functions mean


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine({})


TRINO: dict[str, Any] = {
    """json_extract_scalar('{"a": {"b": 1}}', '$.a')""": None,
    """json_extract_scalar('{"a": [1]}', '$.a')""": None,
    """json_extract_scalar('{"a": null}', '$.a')""": None,
    """json_extract_scalar('{"a": true}', '$.a')""": "true",
    """json_extract_scalar('{"a": "x\\u00e9"}', '$.a')""": "xé",
    """json_extract_scalar('"x"', '$')""": "x",
    "json_extract_scalar('{', '$.a')": None,
    """json_format(json_extract('{"a": null}', '$.a'))""": "null",
    """json_format(json_extract('{"a": "x"}', '$.a'))""": '"x"',
    """json_format(json_extract('{"a": 12.0}', '$.a'))""": "12.0",
    """json_format(json_extract('{"a": 1e3}', '$.a'))""": "1000.0",
    """json_format(json_extract('{"a": 1, "a": 2}', '$.a'))""": "1",
    """json_format(json_extract('{"a": [1, {"b": 2}]}', '$.a'))""": '[1,{"b":2}]',
    """json_format(json_extract('{"a-b/c~d": 1}', '$["a-b/c~d"]'))""": "1",
    """json_format(json_extract('{"a\\"b": 1}', '$["a\\"b"]'))""": "1",
    """json_format(json_extract('{"a\\\\b": 1}', '$["a\\\\b"]'))""": "1",
    """json_format(json_extract('{"a": 1}', '$.b'))""": None,
    """json_format(json_extract('5', '$.b'))""": None,
    "json_format(json_extract('nothing', '$'))": None,
    f"json_format(json_extract('{{\"a\": {10**30}}}', '$.a'))": str(10**30),
    "is_json_scalar('1')": True,
    """is_json_scalar('{"a": 1}')""": False,
    "is_json_scalar(NULL)": None,
    """TRY(is_json_scalar('{"a": 1,}'))""": None,
    """TRY(is_json_scalar('{"a": NaN}'))""": None,
    """TRY(is_json_scalar('{"a": "NaN,]"}'))""": False,
    "TRY(is_json_scalar('{} {}'))": None,
    "TRY(is_json_scalar(''))": None,
    "TRY(json_format(json_parse('{')))": None,
    "cardinality(CAST(json_parse('[1, null, \"x\"]') AS ARRAY(JSON)))": 3,
    "transform(CAST(json_parse('[1, null, \"x\"]') AS ARRAY(JSON)), e -> json_format(e))": [
        *("1", "null", '"x"'),
    ],
    "TRY(CAST(json_parse('{}') AS ARRAY(JSON))) IS NULL": True,
    "greatest(1, NULL)": None,
    "least(2, 1)": 1,
    "element_at(filter(ARRAY[1, NULL, 3, NULL], x -> x IS NOT NULL), -1)": 3,
    "element_at(filter(ARRAY[1], x -> x > 1), -1)": None,
    "reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s)": 6,
    "length(to_utf8('é'))": 2,
    "length('é😀')": 2,
    "regexp_like('x\n', '\\Ax\\z')": False,
    "regexp_replace('a1b22', '[0-9]+', '')": "ab",
    "TRY(to_unixtime(from_iso8601_timestamp('2025-11-17T16:05:30+05:45')))": 1_763_374_830.0,
    "to_unixtime(from_iso8601_timestamp('2025-11-17T10:20:30'))": 1_763_374_830.0,
    "TRY(to_unixtime(from_iso8601_timestamp('2025-02-29T00:00:00Z')))": None,
    "to_hex(sha256(to_utf8('a')))": (
        "CA978112CA1BBDCAFAC231B39A23DC4DA786EFF8147C4E72B9807785AFEE48BB"
    ),
    "IF(NULL, 1, 2)": 2,
    "substr('abc', 1, 2)": "ab",
    "CAST(floor(-1 / 900e0) AS BIGINT)": -1,
}


@pytest.mark.parametrize("expression", TRINO)
def test_a_function_means_what_trino_means(engine: Engine, expression: str) -> None:
    assert engine.execute(f"SELECT {expression}").rows == [(TRINO[expression],)]


def test_an_escape_of_half_a_character_becomes_a_question_mark(
    client: Any, logs: Path, athena: AthenaServer
) -> None:
    put(logs, "a.json.gz", r'{"a": "\ud800x \\ud800 \ud83d\ude00"}')
    start(client, f"SELECT json_extract_scalar(line, '$.a') FROM {TABLE} WHERE {OWNER}")
    assert athena.queries[0].rows == [(r"?x \ud800 " + "\U0001f600",)]


def test_a_function_that_is_not_known_until_mean_the_same_is_refused(engine: Engine) -> None:
    with pytest.raises(QueryFailedError, match="FUNCTION_NOT_FOUND"):
        engine.execute("SELECT json_size('{}', '$')")
