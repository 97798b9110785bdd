"""Runs Athena's SQL: sqlglot reads it, DuckDB executes it, over the lines of log objects.

Files are pruned as Trino's Hive connector does it, by conditions of one column each that stand on
their own in WHERE, and bytes are counted as stored. What a query shares with others before it, all
but its WHERE and its slots, is made ready once for all engines of the process.
"""

import atexit
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

import duckdb
import sqlglot
from sqlglot import exp

from athena_functions import MACROS, give_trino_meaning
from athena_logs import File, Listing, QueryFailedError, files

MOST_RANGES = 100
"""hive.domain-compaction-threshold: of more ranges, only the span from first to last prunes."""
_INJECTED = ("account_id", "region")
_PRUNING = (*_INJECTED, "datehour", "$path")
_TYPES = {"hugeint": "bigint"}
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|[A-Za-z_]\w*|[0-9.]+(?:[eE]-?[0-9]+)?|[()]""")
_COMMENT = re.compile(r"^--.*$", re.MULTILINE)
_SLOT = re.compile(r"[0-9]{7,8}")
_AFTER_WHERE = {"GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "WINDOW"}
_STAND_IN = re.compile(r"':slot([0-9]+)'")
_LOOKED_UP = r"(SELECT value FROM slots WHERE place = \1)"
"""Prepared statements with parameters are planned anew each time; a table's values may change."""
_PLAIN = (
    *(exp.EQ, exp.In, exp.Not, exp.Between, exp.GTE, exp.LTE, exp.Or, exp.And, exp.Paren),
    *(exp.Column, exp.Identifier, exp.Literal),
)


@dataclass
class Table:
    """A table over the logs at some locations."""

    locations: dict[str, Listing] = field(default_factory=dict)

    def files(self) -> list[File]:
        found = self.locations.items()
        return [file for location, listing in found for file in files(location, listing)]


class Result(NamedTuple):
    """What a query that succeeded returned."""

    columns: list[tuple[str, str]]
    """Names and Trino's types."""
    rows: list[tuple[Any, ...]]
    scanned: list[File]
    """The files that were read, once for each time."""

    @property
    def scanned_bytes(self) -> int:
        return sum(file.stored.size for file in self.scanned)


class _Scan(NamedTuple):
    """One reading of a table in a query."""

    source: tuple[str, str]
    """Database and name of the table."""
    name: str
    """Of the table in DuckDB that takes its rows."""
    conditions: list[exp.Expression]
    """Those of its place alone; what of them is plain prunes."""


class _Plan(NamedTuple):
    """A query that is ready to run."""

    name: str
    scans: list[_Scan]


class Engine:
    """Executes queries over tables by their database and name."""

    def __init__(self, catalog: Mapping[str, Mapping[str, Table]]) -> None:
        self._catalog = catalog

    def execute(self, sql: str, database: str | None = None) -> Result:
        """Run a query. Raises QueryFailedError, with the reason that Athena would state."""
        with _LOCK:
            try:
                plan, slots = _plans().find(sql, database or "default")
                return _plans().run(plan, slots, [self._files(scan) for scan in plan.scans])
            except sqlglot.ParseError as error:
                raise QueryFailedError(f"SYNTAX_ERROR: {error.errors[0]['description']}") from None
            except duckdb.BinderException as error:
                raise QueryFailedError(_binding_reason(str(error))) from None
            except duckdb.Error as error:
                raise QueryFailedError(f"INVALID_FUNCTION_ARGUMENT: {error}") from None

    def _files(self, scan: _Scan) -> list[File]:
        database, table = scan.source
        if database not in self._catalog:
            text = f"line 1:15: Schema '{database}' does not exist"
            raise QueryFailedError(f"SCHEMA_NOT_FOUND: {text}")
        if table not in self._catalog[database]:
            text = f"Table 'awsdatacatalog.{database}.{table}' does not exist"
            raise QueryFailedError(f"TABLE_NOT_FOUND: line 1:15: {text}")
        return self._catalog[database][table].files()


_LOCK = Lock()


class _Plans:
    """Queries made ready in DuckDB, whatever tables of whichever engine they are run over."""

    def __init__(self) -> None:
        self._ready: dict[tuple[str, str], _Plan] = {}
        self._duckdb = duckdb.connect()
        self._duckdb.execute("SET timezone = 'UTC'")
        self._duckdb.execute(MACROS)
        self._duckdb.execute("CREATE TABLE slots (place BIGINT, value BIGINT)")
        self._create("found", ("number", *_PRUNING))

    def find(self, sql: str, database: str) -> tuple[_Plan, list[int]]:
        """Return how to run a query, and its slots."""
        text, where = _without_where(sql)
        select = sqlglot.parse_one(f"SELECT 1 FROM t WHERE {where or 'TRUE'}", read="athena")
        conditions = list(_conjuncts(select))
        if not where or not all(map(_is_of_place, conditions)):
            return self._plan(sql, database), []
        template, slots = _without_slots(_COMMENT.sub("", text))
        plan = self._ready.get((template, database)) or self._plan(template, database, conditions)
        self._ready[template, database] = plan
        _check_injected(conditions)
        scans = [scan._replace(conditions=conditions) for scan in plan.scans]
        return plan._replace(scans=scans), slots

    def _plan(
        self, sql: str, database: str, conditions: list[exp.Expression] | None = None
    ) -> _Plan:
        """Make a query ready; conditions are those that were taken out of it."""
        query = sqlglot.parse_one(sql, read="athena")
        name = f"plan_{len(self._ready)}"
        relations = {relation.alias for relation in query.find_all(exp.CTE)}
        tables = [table for table in query.find_all(exp.Table) if table.name not in relations]
        scans = []
        for number, table in enumerate(tables):
            own = [part.copy() for part in _conjuncts(table.find_ancestor(exp.Select))]
            placing = conditions or [part for part in own if _is_of_place(part)]
            _check_injected(placing)
            scans.append(
                _Scan((table.db or database, table.name), f"{name}_scan_{number}", placing)
            )
            self._create(scans[-1].name, (*_PRUNING, "line"))
            table.replace(exp.to_table(scans[-1].name, alias=table.alias or None))
        statement = _STAND_IN.sub(_LOOKED_UP, give_trino_meaning(query).sql("duckdb"))
        self._duckdb.execute(f"PREPARE {name} AS {statement}")
        return _Plan(name, scans)

    def _create(self, table: str, columns: Sequence[str]) -> None:
        """Make a table, anew if it is there."""
        described = ", ".join(f'"{column}" VARCHAR' for column in columns)
        self._duckdb.execute(f"CREATE OR REPLACE TABLE {table} ({described})")

    def run(self, plan: _Plan, slots: list[int], found: list[list[File]]) -> Result:
        """Run a query over the files of its scans."""
        loads = zip(plan.scans, found, strict=True)
        scanned = [file for scan, files in loads for file in self._load(scan, files)]
        self._duckdb.execute("DELETE FROM slots")
        for place, slot in enumerate(slots):
            self._duckdb.execute("INSERT INTO slots VALUES (?, ?)", [place, slot])
        cursor = self._duckdb.execute(f"EXECUTE {plan.name}")
        described = [(str(column[0]), str(column[1]).lower()) for column in cursor.description]
        columns = [(name, _TYPES.get(kind, kind)) for name, kind in described]
        return Result(columns, cursor.fetchall(), scanned)

    def _load(self, scan: _Scan, found: list[File]) -> list[File]:
        """Put the rows of the files that are asked for in place; return all files scanned."""
        rows = [(str(n), f.account_id, f.region, f.datehour, f.path) for n, f in enumerate(found)]
        self._duckdb.execute("DELETE FROM found")
        if rows:
            self._duckdb.execute(
                "INSERT INTO found SELECT unnest(?), unnest(?), unnest(?), unnest(?), unnest(?)",
                [list(column) for column in zip(*rows, strict=True)],
            )
        wanted = self._matching([part.sql("duckdb") for part in scan.conditions])
        pruning = [part for part in scan.conditions if _column(part)]
        scanned = self._matching(list(_compacted(pruning)))
        self._duckdb.execute(f"DELETE FROM {scan.name}")
        for number in scanned:
            file, lines = found[number], found[number].lines()
            if number in wanted:
                self._duckdb.execute(
                    f"INSERT INTO {scan.name} SELECT ?, ?, ?, ?, unnest(CAST(? AS VARCHAR[]))",
                    [file.account_id, file.region, file.datehour, file.path, lines],
                )
        return [found[number] for number in scanned]

    def _matching(self, conditions: Sequence[str]) -> list[int]:
        where = " AND ".join(f"({condition})" for condition in conditions) or "TRUE"
        numbers = self._duckdb.execute(f"SELECT number FROM found WHERE {where}").fetchall()
        return sorted(int(number) for (number,) in numbers)


@cache
def _plans() -> _Plans:
    atexit.register(_plans.cache_clear)  # DuckDB complains of a connection that outlives Python
    return _Plans()


def _binding_reason(message: str) -> str:
    if column := re.search(r'column "?([^" ]+)"? not found', message):
        return f"COLUMN_NOT_FOUND: line 1:8: Column '{column[1]}' cannot be resolved"
    return f"TYPE_MISMATCH: line 1:8: {message}"


def _without_where(sql: str) -> tuple[str, str]:
    """Cut the WHERE out of a query that has just one; return the rest, and the conditions."""
    tokens = list(_TOKEN.finditer(sql))
    starts = [number for number, token in enumerate(tokens) if token[0].upper() == "WHERE"]
    if len(starts) != 1:
        return sql, ""
    depth, end = 0, len(sql)
    for token in tokens[starts[0] :]:
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth < 0 or (depth == 0 and token[0].upper() in _AFTER_WHERE):
            end = token.start()
            break
    where = tokens[starts[0]]
    return sql[: where.start()] + sql[end:], sql[where.end() : end]


def _without_slots(sql: str) -> tuple[str, list[int]]:
    """Return a query with stand-ins for its slots, and the slots."""
    slots: list[int] = []

    def stand_in(token: re.Match[str]) -> str:
        if not _SLOT.fullmatch(token[0]):
            return token[0]
        slots.append(int(token[0]))
        return f"':slot{len(slots) - 1}'"

    return _TOKEN.sub(stand_in, sql), slots


def _conjuncts(select: exp.Expression | None) -> Iterator[exp.Expression]:
    """Yield the conditions of a WHERE that each must hold."""
    where = select.args.get("where") if select else None
    if where:
        yield from where.this.flatten() if isinstance(where.this, exp.And) else [where.this]


def _is_of_place(condition: exp.Expression) -> bool:
    """Tell whether a condition is the same for all rows of a file."""
    return {column.name for column in condition.find_all(exp.Column)} <= {*_PRUNING}


def _column(condition: exp.Expression) -> str | None:
    """Return the one column that a condition compares with literals, if it prunes by it."""
    columns = {column.name for column in condition.find_all(exp.Column)}
    if len(columns) != 1 or not all(isinstance(node, _PLAIN) for node in condition.walk()):
        return None
    return columns.pop() if columns <= {*_PRUNING} else None


def _check_injected(conditions: Sequence[exp.Expression]) -> None:
    named = {_column(part) for part in conditions if isinstance(part, exp.EQ | exp.In)}
    for column in _INJECTED:
        if column not in named:
            raise QueryFailedError(
                f"CONSTRAINT_VIOLATION: For the injected projected partition column {column}, the "
                "WHERE clause must contain only static equality conditions, and at least one such "
                "condition must be present."
            )


def _compacted(conditions: Sequence[exp.Expression]) -> Iterator[str]:
    """Yield conditions in DuckDB's words; of too many ranges of paths, only their span."""
    on_path = [part for part in conditions if _column(part) == "$path"]
    ends = [literal for part in on_path for literal in part.find_all(exp.Literal)]
    ranges = len(ends) - sum(len(list(part.find_all(exp.Between))) for part in on_path)
    if ranges <= MOST_RANGES:
        yield from (part.sql("duckdb") for part in conditions)
        return
    wanted = [part for part in on_path if not isinstance(part, exp.Not)]
    paths = sorted(end.name for part in wanted for end in part.find_all(exp.Literal))
    first, last = (exp.Literal.string(path).sql("duckdb") for path in (paths[0], paths[-1]))
    yield f'"$path" BETWEEN {first} AND {last}'
    yield from (part.sql("duckdb") for part in conditions if part not in on_path)
