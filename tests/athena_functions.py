"""Trino's functions in DuckDB, where the two mean different things by one name.

Only what is listed here is known to mean the same; any other function is refused, as Athena refuses
one that it does not have.
"""

from sqlglot import exp

from athena_logs import QueryFailedError

MACROS = r"""
CREATE MACRO strict_json(x) AS json_valid(x) AND NOT regexp_matches(
    regexp_replace(x, '"(?:[^"\\]|\\.)*"', '""', 'g'), '(?i),\s*[\]}]|nan|inf');
CREATE MACRO is_json_scalar(x) AS
    CASE WHEN x IS NULL THEN NULL
         WHEN strict_json(x) THEN json_type(x) NOT IN ('OBJECT', 'ARRAY')
         ELSE CAST('Invalid JSON value' AS BOOLEAN) END;
CREATE MACRO trino_json_parse(x) AS {'json':
    CASE WHEN x IS NULL OR strict_json(x) THEN x
         ELSE CAST(CAST('Cannot convert value to JSON' AS BOOLEAN) AS VARCHAR) END};
CREATE MACRO trino_json_extract(x, place) AS
    {'json': CASE WHEN json_valid(x) THEN CAST(json_extract(x, place) AS VARCHAR) END};
CREATE MACRO trino_json_extract_scalar(x, place) AS
    CASE WHEN json_valid(x) AND json_type(x, place) NOT IN ('OBJECT', 'ARRAY', 'NULL')
         THEN json_extract_string(x, place) END;
CREATE MACRO trino_json_format(j) AS j.json;
CREATE MACRO trino_json_array(j) AS
    CASE WHEN j.json IS NULL OR json_type(j.json) = 'NULL' THEN NULL
         WHEN json_type(j.json) = 'ARRAY' AND NOT contains(j.json, repeat('[', 1001))
         THEN list_transform(CAST(j.json AS JSON[]), LAMBDA e : {'json': CAST(e AS VARCHAR)})
         ELSE [{'json': CAST(CAST('Cannot cast to array(json)' AS BOOLEAN) AS VARCHAR)}] END;
"""
"""JSON is a struct of its text here, so that text and JSON are told apart as Trino does.

DuckDB's JSON allows trailing commas, NaN and Infinity, gives an object's text where a scalar is
asked for, and raises on JSON that is none; Trino's json_extract gives NULL for that. Jackson, by
which Trino writes JSON, refuses more than 1000 levels.
"""

_OTHERWISE = (
    *(exp.JSONExtract, exp.JSONExtractScalar, exp.JSONFormat, exp.ParseJSON, exp.Reduce),
    *(exp.Greatest, exp.Least),
)
_THE_SAME = (
    *(exp.And, exp.Or, exp.Coalesce, exp.Nullif, exp.If, exp.Case, exp.Try, exp.Cast, exp.TryCast),
    *(exp.Array, exp.Flatten, exp.Transform, exp.ArrayFilter, exp.ArraySize, exp.Bracket),
    *(exp.Length, exp.Substring, exp.StartsWith, exp.RegexpLike, exp.RegexpReplace, exp.Encode),
    *(exp.SHA2Digest, exp.Hex, exp.Floor, exp.TimeToUnix, exp.FromISO8601Timestamp),
    *(exp.RowNumber, exp.Sum, exp.Max, exp.Min, exp.Count, exp.CountIf),
)
_BY_NAME = frozenset({"is_json_scalar", "sha256"})


def give_trino_meaning(query: exp.Expression) -> exp.Expression:
    """Put macros for what DuckDB means otherwise. Raises QueryFailedError."""
    for node in reversed(list(query.dfs())):
        _check(node)
        meaning = _meaning(node)
        if meaning is not node:
            node.replace(meaning)
    return query


def _check(node: exp.Expression) -> None:
    if isinstance(node, exp.Anonymous):
        is_known = node.name.lower() in _BY_NAME
    else:
        is_known = not isinstance(node, exp.Func) or isinstance(node, (*_THE_SAME, *_OTHERWISE))
    if not is_known:
        name = node.name if isinstance(node, exp.Anonymous) else node.key
        raise QueryFailedError(f"FUNCTION_NOT_FOUND: line 1:8: Function '{name}' not registered")


def _meaning(node: exp.Expression) -> exp.Expression:
    match node:
        case exp.JSONExtractScalar():
            return _macro("trino_json_extract_scalar", node.this, _pointer(node))
        case exp.JSONExtract():
            return _macro("trino_json_extract", node.this, _pointer(node))
        case exp.JSONFormat():
            return _macro("trino_json_format", node.this)
        case exp.ParseJSON():
            return _macro("trino_json_parse", node.this)
        case exp.Cast() if node.to.sql("athena") == "ARRAY(JSON)":
            return _macro("trino_json_array", node.this)
        case exp.Length() if isinstance(node.this, exp.Encode):
            return _macro("octet_length", node.this)
        case exp.Reduce():
            return _macro("list_reduce", node.this, node.args["merge"], node.args["initial"])
        case exp.Greatest() | exp.Least():
            return _null_if_any_is(node)
    return node


def _macro(name: str, *arguments: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _pointer(node: exp.Expression) -> exp.Expression:
    """Return a JSON path as a JSON pointer, which DuckDB takes for any key."""
    parts = node.args["expression"].expressions
    keys = [str(part.this) for part in parts if isinstance(part, exp.JSONPathKey)]
    tokens = (key.replace("\\\\", "\\").replace("~", "~0").replace("/", "~1") for key in keys)
    return exp.Literal.string("".join(f"/{token}" for token in tokens) or "$")


def _null_if_any_is(node: exp.Expression) -> exp.Expression:
    """Return greatest or least as Trino has them; DuckDB passes over NULL."""
    values = [node.this, *node.expressions]
    is_null = exp.or_(*(exp.Is(this=value.copy(), expression=exp.Null()) for value in values))
    return exp.Case(ifs=[exp.If(this=is_null, true=exp.Null())], default=_macro(node.key, *values))
