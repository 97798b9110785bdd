"""The dashboard of models: what each costs, how it is routed, what it is priced at, what is not."""

from exporter import metrics
from grafana.generator import usage
from grafana.generator.layout import Page, Placed, Question
from grafana.generator.panels import COUNT, ORANGE, USD, WHOLE, Column, Key, Series, listing, shares
from grafana.generator.promql import chosen, each, ratio, total
from grafana.generator.spending import NOTHING_SPENT, spending_in_range
from grafana.generator.variables import choices, data_source

_LABELS = ("account_id", "region", "model")
_CHOSEN = chosen(*_LABELS)
_MODEL = Key("model", "Model")
_ALL_PRICED = "Everything that was called has a price"


def models() -> Page:
    """Return the dashboard."""
    return Page(
        uid="bedrock-models",
        title="Bedrock / Models and prices",
        description="What models cost, how calls are routed, and which prices they are priced at.",
        variables=[data_source(), *choices(*_LABELS)],
        questions=[
            Question("What do the models cost?", [*usage.cost_figures(_CHOSEN), *_this_month()]),
            Question("How did it come about?", [*usage.over_time(_CHOSEN, "model"), *_in_range()]),
            Question("Where may calls be served?", _routing()),
            Question("Which prices apply, and where are they from?", _prices()),
            Question("What has no price?", _unpriced()),
        ],
        since="now-30d",
    )


def _this_month() -> list[Placed]:
    cost = total(metrics.COST_MONTH, *_CHOSEN, by="model")
    calls = total(metrics.REQUESTS_MONTH, *_CHOSEN, by="model")
    tokens = total(metrics.TOKENS_MONTH, *_CHOSEN, by="model")
    written = total(metrics.TOKENS_MONTH, 'token_kind="output"', *_CHOSEN, by="model")
    read = total(metrics.TOKENS_MONTH, 'token_kind!="output"', *_CHOSEN, by="model")
    table = listing(
        "Models this month, in all and on average",
        "Prompt tokens include those of the cache; a call's figures are means.",
        [_MODEL],
        [
            Column("Cost", cost, USD, 2, width=100),
            Column("Calls", calls, WHOLE, 0, width=90),
            Column("Tokens", tokens, COUNT, 1, width=100),
            Column("Cost a call", ratio(cost, calls, "model"), USD, 4, width=110),
            Column("Prompt a call", ratio(read, calls, "model"), COUNT, 1, width=120),
            Column("Output a call", ratio(written, calls, "model"), COUNT, 1, width=120),
            Column("A million tokens", f"1e6 * {ratio(cost, tokens, 'model')}", USD, 2, width=140),
        ],
        sort="Cost",
        no_data=NOTHING_SPENT,
    )
    return [Placed(table, 24, 10)]


def _in_range() -> list[Placed]:
    table = spending_in_range(
        "Models and applications, in the selected range",
        "What was read within the dashboard's range of time, the dearest first.",
        [_MODEL, Key("application", "Application", width=180)],
        _CHOSEN,
    )
    return [Placed(table, 24, 9)]


def _routing() -> list[Placed]:
    tokens = total(metrics.TOKENS_BY_ROUTING, *_CHOSEN, by="routing")
    by_model = total(metrics.TOKENS_BY_ROUTING, *_CHOSEN, by="model, routing")
    return [
        Placed(
            shares(
                "Tokens by routing",
                "In the region of the call, anywhere in its geography, or anywhere in the world.",
                [Series(tokens, "{{routing}}")],
                COUNT,
                decimals=1,
                no_data="No tokens this month",
            ),
            8,
            9,
        ),
        Placed(
            listing(
                "Models by routing",
                "Tokens of this month by where the called id allows them to be served.",
                [_MODEL, Key("routing", "Routing", width=120)],
                [Column("Tokens", by_model, COUNT, 1, width=120)],
                sort="Tokens",
                no_data="No tokens this month",
            ),
            16,
            9,
        ),
    ]


def _prices() -> list[Placed]:
    where = chosen("region", "model")
    labels = "model, region, routing, provenance"
    kinds = {
        "Input": "input",
        "Output": "output",
        "Cache read": "cache_read",
        "Cache write": "cache_write",
        "1 h write": "cache_write_1h",
    }
    columns = [
        Column(
            heading,
            f"1e6 * max by ({labels}) ({each(metrics.PRICE, _kind(kind), *where)})",
            USD,
            3,
            width=100,
        )
        for heading, kind in kinds.items()
    ]
    cost = total(metrics.COST_BY_PROVENANCE, by="provenance")
    return [
        Placed(
            listing(
                "US dollars for a million tokens",
                "Of the standard tier and the shortest context, for what was called this month.",
                [
                    _MODEL,
                    Key("region", "Region", width=130),
                    Key("routing", "Routing", width=90),
                    Key("provenance", "Provenance", width=110),
                ],
                columns,
                sort="Model",
                descending=False,
                no_data=NOTHING_SPENT,
            ),
            24,
            12,
        ),
        Placed(
            shares(
                "Cost by provenance of the price",
                "From a price list, overridden by the configuration, or derived; of all accounts.",
                [Series(cost, "{{provenance}}")],
                USD,
                decimals=2,
                no_data=NOTHING_SPENT,
            ),
            8,
            8,
        ),
        Placed(
            listing(
                "What the models are called",
                "Name and provider of every model that was called this month.",
                [_MODEL, Key("name", "Name"), Key("provider", "Provider", width=140)],
                [Column("Calls", _named_calls(), WHOLE, 0, width=100)],
                sort="Calls",
                no_data="No calls this month",
            ),
            16,
            8,
        ),
    ]


def _kind(kind: str) -> str:
    return f'token_kind="{kind}"'


def _named_calls() -> str:
    names = f"max by (model, name, provider) ({each(metrics.MODEL_INFO, *chosen('model'))})"
    calls = total(metrics.REQUESTS_MONTH, *_CHOSEN, by="model")
    return f"{calls} * on (model) group_left (name, provider) {names}"


def _unpriced() -> list[Placed]:
    where = chosen("account_id", "region", "model")
    calls = total(metrics.UNPRICED_REQUESTS, *where, by="model, account_id, region, reason")
    tokens = total(metrics.UNPRICED_TOKENS, *where, by="model, account_id, region, token_kind")
    place = [Key("account_id", "Account", width=130), Key("region", "Region", width=130)]
    return [
        Placed(
            listing(
                "Calls without a price",
                "Why they have none; not_token_billed is billed by image, second or hour instead.",
                [_MODEL, *place, Key("reason", "Reason", width=150)],
                [Column("Calls", calls, WHOLE, 0, steps=((None, ORANGE),), width=80)],
                sort="Calls",
                no_data=_ALL_PRICED,
            ),
            24,
            6,
        ),
        Placed(
            listing(
                "Tokens without a price",
                "They are in no cost; name the model or its price in the configuration.",
                [_MODEL, *place, Key("token_kind", "Kind", width=110)],
                [Column("Tokens", tokens, COUNT, 1, steps=((None, ORANGE),), width=90)],
                sort="Tokens",
                no_data=_ALL_PRICED,
            ),
            24,
            6,
        ),
    ]
