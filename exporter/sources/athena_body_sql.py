"""The SQL that reads what a response body says of its tokens: response_body.py, in Athena's words.

Takes the relation `names` with a column `body`, JSON text where a body is worth looking into; ends
with the relation `figures`: body_input, body_output and so on, NULL where nothing is said.
"""

from exporter.sources.athena_expressions import (
    ARRAY,
    OBJECT,
    array_in,
    array_of,
    json_at,
    let,
    string_in,
)

_BODY_FIGURES = (
    *("body_input", "body_output", "body_cache_read", "body_cache_write"),
    *("body_cache_write_5m", "body_cache_write_1h"),
)
"""Columns of `figures`, besides body_tier and body_latency."""

_LARGEST = 10**15
"""Counts beyond this are all the same: impossible, and far from BIGINT's end."""
_INTEGER = r"'\A-?[0-9]+\z'"
_SHORT_INTEGER = r"'\A-?[0-9]{1,15}\z'"
_INTEGER_OR_NULL = r"'\A(-?[0-9]+|null)\z'"
_NOT_OBJECT_OR_NULL = r"'\A[^{n]'"
_NOT_ARRAY_OR_NULL = r"'\A[^\[n]'"
_NOT_STRING_OR_NULL = r"'\A[^" + '"' + r"n]'"
_WRONG = "'wrong'"
"""Takes the place of a number in a part that says nothing for it."""

_PLACES = 18
"""Each part of a body becomes an array of so many JSON texts.

1 to 3 are input, 4 to 6 output, 7 to 9 cache read, 10 to 12 cache write, of which the first that is
stated counts; 13 is what the cache gave of the input; 14 tells only whether the part is wrong; 15
and 16 are cache writes of five minutes and of one hour, 17 and 18 the same, before those.
"""
_USAGE = (
    *("inputTokens", "input_tokens", "prompt_tokens"),
    *("outputTokens", "output_tokens", "completion_tokens"),
    *("cacheReadInputTokens", "cacheReadInputTokenCount", "cache_read_input_tokens"),
    *("cacheWriteInputTokens", "cacheWriteInputTokenCount", "cache_creation_input_tokens"),
)
_METRICS = {
    1: "inputTokenCount",
    4: "outputTokenCount",
    7: "cacheReadInputTokenCount",
    10: "cacheWriteInputTokenCount",
}
_TOP = {
    1: "prompt_token_count",
    2: "inputTextTokenCount",
    4: "generation_token_count",
    5: "totalOutputTextTokenCount",
}
_RESULTS_PLACE = 6


def body_steps() -> list[tuple[str, str]]:
    """Return the relations that follow `names`, up to `figures`."""
    return [
        ("chunks", f"SELECT *, {_chunks()} AS chunks FROM names"),
        ("parts", f"SELECT *, {_parts()} AS parts, {_tiers()} AS tiers FROM chunks"),
        ("numbers", f"SELECT *, {_numbers()} AS numbers FROM parts"),
        ("stated", f"SELECT *, {_stated()} AS stated FROM numbers"),
        ("figures", f"SELECT *, {_figures()} FROM stated"),
    ]


def _number_of(json: str) -> str:
    """Return a JSON integer as BIGINT, within _LARGEST; NULL for null."""
    return (
        f"CASE WHEN regexp_like({json}, {_SHORT_INTEGER}) THEN CAST({json} AS BIGINT) "
        f"WHEN {json} = 'null' THEN NULL "
        f"WHEN starts_with({json}, '-') THEN -{_LARGEST} "
        f"WHEN {json} IS NOT NULL THEN {_LARGEST} END"
    )


def _chunks() -> str:
    """Return the chunks that can tell something; a body that is no stream is one chunk."""
    tells = f"starts_with(c, {OBJECT}) AND regexp_like(c, 'oken|ier|atency')"
    return f"IF(starts_with(body, {OBJECT}), ARRAY[body], filter({array_in('body')}, c -> {tells}))"


def _parts() -> str:
    """Return the parts of all chunks, in the order in which a later one replaces."""
    usages = (json_at("c", path) for path in ("$.message.usage", "$.metadata.usage", "$.usage"))
    metrics = json_at("c", '$["amazon-bedrock-invocationMetrics"]')
    top = [json_at("c", f"$.{name}") for name in (*_TOP.values(), "results")]
    return (
        "flatten(transform(chunks, c -> "
        f"transform({array_of(usages)}, u -> {array_of(_usage_places())}) || "
        f"transform(ARRAY[{metrics}], m -> {array_of(_metrics_places())}) || "
        f"transform(ARRAY[{array_of(top)}], t -> {array_of(_top_places())})))"
    )


def _usage_places() -> list[str]:
    prompt, given = "$.prompt_tokens_details", "$.input_tokens_details"
    kinds = (json_at("u", path) for path in (prompt, given, "$.cache_creation"))
    is_wrong = " OR ".join(f"regexp_like({kind}, {_NOT_OBJECT_OR_NULL})" for kind in kinds)
    prompt_cached, given_cached = (
        json_at("u", f"{path}.cached_tokens") for path in (prompt, given)
    )
    return [
        *(json_at("u", f"$.{name}") for name in _USAGE),
        f"IF(starts_with({json_at('u', prompt)}, {OBJECT}), {prompt_cached}, {given_cached})",
        f"IF({is_wrong}, {_WRONG}, {given_cached})",
        *(json_at("u", f"$.cache_creation.ephemeral_{ttl}_input_tokens") for ttl in ("5m", "1h")),
        *(let("x", json_at("u", "$.cacheDetails"), _lifetime(ttl)) for ttl in ("5m", "1h")),
    ]


def _lifetime(ttl: str) -> str:
    """Return the tokens of one lifetime in the cacheDetails x."""
    tokens = json_at("d", "$.inputTokens")
    of_lifetime = f"filter(y, d -> json_extract_scalar(d, '$.ttl') = '{ttl}')"
    is_wrong = (
        f"NOT starts_with(d, {OBJECT}) OR NOT regexp_like({tokens}, {_INTEGER_OR_NULL}) "
        f"OR regexp_like({json_at('d', '$.ttl')}, {_NOT_STRING_OR_NULL})"
    )
    total = (
        f"CASE WHEN cardinality(filter(y, d -> {is_wrong})) > 0 THEN {_WRONG} "
        f"WHEN cardinality(y) > 0 THEN {_total(of_lifetime, 'd', tokens)} END"
    )
    return f"IF(regexp_like(x, {_NOT_ARRAY_OR_NULL}), {_WRONG}, {let('y', array_in('x'), total)})"


def _metrics_places() -> list[str]:
    places = {place: json_at("m", f"$.{name}") for place, name in _METRICS.items()}
    return [places.get(place, "NULL") for place in range(1, _PLACES + 1)]


def _top_places() -> list[str]:
    """Return what stands at the top of a chunk; there, a field that is wrong spoils no other."""
    texts = {place: f"t[{number}]" for number, place in enumerate(_TOP, start=1)}
    places = {
        place: f"IF(regexp_like({text}, {_INTEGER}), {text})" for place, text in texts.items()
    }
    places[_RESULTS_PLACE] = let("y", array_in(f"t[{len(_TOP) + 1}]"), _results())
    return [places.get(place, "NULL") for place in range(1, _PLACES + 1)]


def _results() -> str:
    """Return the tokens of the results y."""
    tokens = json_at("r", "$.tokenCount")
    is_wrong = f"NOT starts_with(r, {OBJECT}) OR NOT regexp_like({tokens}, {_INTEGER_OR_NULL})"
    stated = f"filter(y, r -> regexp_like({tokens}, {_INTEGER}))"
    return (
        f"IF(cardinality(filter(y, r -> {is_wrong})) = 0 AND cardinality({stated}) > 0, "
        f"{_total(stated, 'r', tokens)})"
    )


def _total(elements: str, name: str, json: str) -> str:
    numbers = f"transform({elements}, {name} -> {_number_of(json)})"
    total = f"reduce({numbers}, CAST(0 AS BIGINT), (s, n) -> s + coalesce(n, 0), s -> s)"
    return f"CAST({total} AS VARCHAR)"


def _tiers() -> str:
    """Return what each chunk says of how the call was served."""
    paths = ("$.serviceTier", "$.serviceTier.type", "$.service_tier", "$.performanceConfig.latency")
    return f"transform(chunks, c -> {array_of(json_at('c', path) for path in paths)})"


def _numbers() -> str:
    """Return the parts as numbers; a part with anything else in it says nothing."""
    wrong = f"filter(p, j -> NOT regexp_like(j, {_INTEGER_OR_NULL}))"
    return (
        f"transform(parts, p -> IF(cardinality({wrong}) = 0, transform(p, j -> {_number_of('j')})))"
    )


def _stated() -> str:
    """Return what each part states, in the order of _BODY_FIGURES."""

    def first(*places: int) -> str:
        return f"coalesce({', '.join(f'n[{place}]' for place in places)})"

    # The OpenAI-compatible counts, which alone tell it, include what the cache gave.
    given = f"{first(1, 2, 3)} - coalesce(n[13], 0)"
    read, written = first(7, 8, 9, 13), first(10, 11, 12)
    figures = (given, first(4, 5, 6), read, written, first(17, 15), first(18, 16))
    return f"transform(numbers, n -> {array_of(figures)})"


def _figures() -> str:
    """Return the columns of what the body says in the end: a later part replaces."""
    columns = [
        f"{_last(f'transform(stated, f -> f[{place}])')} AS {name}"
        for place, name in enumerate(_BODY_FIGURES, start=1)
    ]
    tier = f"IF(starts_with(t[1], {OBJECT}), {string_in('t[2]')}, {string_in('t[3]')})"
    latency = string_in("t[4]")
    return ", ".join(
        [
            *columns,
            f"{_last(f'transform(tiers, t -> {tier})')} AS body_tier",
            f"{_last(f'transform(tiers, t -> {latency})')} AS body_latency",
            f"starts_with(body, {ARRAY}) AND chunks IS NULL AS is_body_malformed",
        ]
    )


def _last(elements: str) -> str:
    return f"element_at(filter({elements}, x -> x IS NOT NULL), -1)"
