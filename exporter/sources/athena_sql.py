"""The one query that Athena is asked: usage by slot and fact of the log objects that it names.

Knows nothing of AWS's API and of when to ask. Every log object named is scanned once, and nothing
comes back of a single record. The rows, as `columns` names them, are of three kinds:

    usage      a slot, the fields of a Fact and the names of its metadata, and its Counts
    object     a log object that was read: its records, their bytes and their newest timestamp
    rejected   a Rejection and how many records it took

Means what record_reader.py means, in functions that Trino's documentation states, with these
differences, all of broken input:

- A record is a line. One that spans lines is malformed_json; so are several on one line or in an
  array, and one with a byte order mark, a control character, NaN or Infinity in it. So may be one
  whose streamed body is nested to a great depth.
- Of a field that stands twice, the first counts; the direct reader takes the last.
- Of a timestamp, a fraction of seconds is cut; more than six digits of it are not rounded.
- Text that no UTF-8 can hold becomes ? or U+FFFD in names.
- A timestamp is YYYY-MM-DDTHH:MM:SS with an optional fraction and offset of up to 14 hours.
- `input` or `output` that is an array is taken for an empty one.
- A record with several faults may be counted under another of them.
- There is no largest record but Athena's own longest line.
- Of records with the same requestId in one log object, the first is the one that counts least,
  not the one that stands first.
- A damaged object fails the query: nothing of it counts.
"""

from collections.abc import Sequence
from typing import NamedTuple

from exporter.aws.athena_table import ACCOUNT_ID, DATEHOUR, LINE, REGION
from exporter.sources.athena_expressions import identifier, listed, quoted
from exporter.sources.athena_record_sql import metadata_columns, record_steps
from exporter.sources.log_store import OBJECT_NAME, hour_start

MOST_RANGES = 100
"""Of paths that a query should name, a path that is left out counting as one.

Trino prunes by no more than hive.domain-compaction-threshold of them: past that, the answer is the
same, but all between the first path and the last of the same hours is scanned. Its default was 100
for years; Athena's is not documented.
"""
_OWN_PATH = rf"/[0-9]{{4}}/[0-9]{{2}}/[0-9]{{2}}/[0-9]{{2}}/{OBJECT_NAME}\z"
_FACT_COLUMNS = (
    *("account_id", "region", "inference_region", "principal"),
    *("model_id", "context_from", "service_tier", "error_code"),
)
_COUNT_COLUMNS = (
    *("input", "output", "cache_read"),
    *("cache_write_5m", "cache_write_1h", "cache_write_unsplit"),
)


class PathRange(NamedTuple):
    """Log objects by their whole s3:// URLs, both ends included."""

    first: str
    last: str


class HourAsk(NamedTuple):
    """One partition hour, and which of its objects are asked for."""

    account_id: str
    region: str
    hour: int
    """UTC hours since the epoch."""
    ranges: tuple[PathRange, ...]
    without: tuple[str, ...] = ()
    """Paths within the ranges that are left out."""


def columns(metadata_keys: Sequence[str]) -> list[str]:
    """Return the names of the columns that a query's rows have."""
    return [
        *("kind", "slot", *_FACT_COLUMNS, *metadata_columns(metadata_keys), "path", "reason"),
        *("requests", *_COUNT_COLUMNS, "rejected", "bytes", "newest"),
    ]


def usage_query(
    database: str,
    table: str,
    hours: Sequence[HourAsk],
    metadata_keys: Sequence[str],
    first_slot: int,
    last_slot: int,
) -> str:
    """Return the query of some hours; records outside [`first_slot`, `last_slot`] are rejected.

    Equal arguments make equal texts. Raises ValueError where a name cannot stand in a query, or
    where there is nothing to ask for.
    """
    steps = [
        ("lines", _lines(database, table, hours)),
        *record_steps(metadata_keys, first_slot, last_slot),
        ("ranked", _ranked(metadata_keys)),
    ]
    relations = ",\n".join(f"{name} AS ({step})" for name, step in steps)
    return f"WITH {relations}\n{_sums(metadata_keys)}"


def _lines(database: str, table: str, hours: Sequence[HourAsk]) -> str:
    is_object = f"regexp_like({LINE}, '\\A\\s*\\{{') AND TRY(is_json_scalar({LINE})) = FALSE"
    conditions = "\n  AND ".join(_conditions(hours))
    return (
        f'SELECT {ACCOUNT_ID} AS path_account_id, {REGION} AS path_region, "$path" AS path, '
        f"length(to_utf8({LINE})) + 1 AS size, NOT regexp_like({LINE}, '\\S') AS is_blank, "
        f"IF({is_object}, {LINE}) AS document\n"
        f"FROM {identifier(database)}.{identifier(table)}\nWHERE {conditions}"
    )


def _conditions(hours: Sequence[HourAsk]) -> list[str]:
    """Return conditions that each stand on their own, so that each prunes what is scanned.

    A path says its owner and hour itself: that the others are told by columns costs only listings.
    """
    ranges = sorted({path_range for ask in hours for path_range in ask.ranges})
    if not ranges or not all(ask.ranges for ask in hours):
        raise ValueError("an hour of which no log object is asked for")
    without = sorted({path for ask in hours for path in ask.without})
    datehours = sorted({f"{hour_start(ask.hour):%Y/%m/%d/%H}" for ask in hours})
    conditions = [
        f"{ACCOUNT_ID} IN ({listed(sorted({ask.account_id for ask in hours}))})",
        f"{REGION} IN ({listed(sorted({ask.region for ask in hours}))})",
        f"{DATEHOUR} IN ({listed(datehours)})",
        f"({' OR '.join(map(_is_within, ranges))})",
        f"regexp_like(\"$path\", '{_OWN_PATH}')",  # foreign objects may lie in between
    ]
    return [*conditions, f'"$path" NOT IN ({listed(without)})'] if without else conditions


def _is_within(path_range: PathRange) -> str:
    first, last = map(quoted, path_range)
    return f'"$path" = {first}' if first == last else f'"$path" BETWEEN {first} AND {last}'


def _ranked(metadata_keys: Sequence[str]) -> str:
    """Number the copies of a record; what tells equal paths apart makes the choice the same."""
    order = ["path", "moment", *_tokens(), *_FACT_COLUMNS[2:], *metadata_columns(metadata_keys)]
    return (
        "SELECT *, NOT is_blank AND reason IS NULL AS is_taken, row_number() OVER (PARTITION BY "
        f"reason, slot, request ORDER BY {', '.join(order)}) AS copy FROM judged"
    )


def _tokens() -> list[str]:
    return [
        *("input_tokens", "output_tokens", "cache_read_tokens"),
        *("cache_write_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"),
    ]


def _sums(metadata_keys: Sequence[str]) -> str:
    """Return all three kinds of rows; GROUPING SETS scan once, where a UNION would scan thrice."""
    metadata = metadata_columns(metadata_keys)
    facts = ["said_account_id", "said_region", *_FACT_COLUMNS[2:], *metadata]
    selected = [
        "CASE WHEN path IS NOT NULL THEN 'object' WHEN reason IS NOT NULL THEN 'rejected' "
        "ELSE 'usage' END AS kind",
        "counted_slot AS slot",
        *("said_account_id AS account_id", "said_region AS region"),
        *(*_FACT_COLUMNS[2:], *metadata, "path", "reason"),
        "count_if(is_taken) AS requests",
        *(f"sum({tokens}) AS {name}" for tokens, name in _summed()),
        *("count_if(is_rejected) AS rejected", "sum(size) AS bytes"),
        "max(IF(is_taken, moment)) AS newest",
    ]
    return (
        f"SELECT {', '.join(selected)}\n"
        "FROM (SELECT *, IF(is_taken AND copy = 1, slot) AS counted_slot, "
        "reason IS NOT NULL AS is_rejected FROM ranked)\n"
        f"GROUP BY GROUPING SETS ((counted_slot, {', '.join(facts)}), (path), (reason))\n"
        "HAVING counted_slot IS NOT NULL OR path IS NOT NULL OR reason IS NOT NULL"
    )


def _summed() -> list[tuple[str, str]]:
    unsplit = "cache_write_tokens - cache_write_5m_tokens - cache_write_1h_tokens"
    split = ("cache_write_5m_tokens", "cache_write_1h_tokens")
    return list(zip([*_tokens()[:3], *split, unsplit], _COUNT_COLUMNS, strict=True))
