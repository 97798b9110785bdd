"""What is exposed: fewer labels, and users that fold, take a name from the figures and no cent."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import combinations, pairwise
from pathlib import Path
from random import Random

import pytest

from exporter import metrics
from exporter.interpretation.measures import Labels
from exporter.metrics import Family, Metric, Type
from exporter.snapshot.exposure import Exposure, smallest_of_users, users_to_fold
from exporter.usage import LABELS, Usage
from snapshots import HAIKU, SONNET, Exporter, samples, series_count, total, used, utc, value

ALICE = Labels("111122223333", "us-east-1", "Shop", "alice", "model")
REQUESTS = Metric("requests", "", Type.GAUGE, ("user", "model"))
NOON = utc("2026-11-20T12:00")


def test_labels_keep_the_order_of_the_metric_whatever_that_of_the_configuration():
    exposure = Exposure(("user", "account_id"))
    assert exposure.names(("account_id", "region", "user", "token_kind")) == (
        *("account_id", "user", "token_kind"),
    )
    assert exposure.values_of()(ALICE) == ("111122223333", "alice")
    assert exposure.values_of(("region", "user", "token_kind"))(ALICE) == ("alice",)


def test_a_folded_user_is_other_and_the_rest_of_its_labels_stay():
    values_of = Exposure(LABELS, frozenset({"alice"})).values_of(("user", "model"))
    assert values_of(ALICE) == ("other", "model")
    assert values_of(ALICE._replace(user="bob")) == ("bob", "model")


def family(*users: str, models: int = 1) -> Family:
    samples = {(user, f"m{number}"): 1 for user in users for number in range(models)}
    return Family(REQUESTS, REQUESTS.labels, samples)


COSTS = {"a": Decimal(1), "b": Decimal(2), "c": Decimal(3), "d": Decimal(4)}


def test_of_what_one_user_has_in_several_regions_the_smallest_is_taken_where_regions_fall_out():
    samples = [
        (Labels("1", "us-east-1", "", "ann"), ("PRO",), 14),
        (Labels("1", "eu-central-1", "", "ann"), ("PRO",), 0),
        (Labels("1", "eu-central-1", "", "bob"), ("PRO",), 3),
    ]
    metric = metrics.KIRO_IDLE
    by_user = smallest_of_users(Exposure(("user",)), metric, samples)
    assert by_user.samples == {("ann", "PRO"): 0, ("bob", "PRO"): 3}
    assert len(smallest_of_users(Exposure(LABELS), metric, samples).samples) == 3
    assert smallest_of_users(Exposure(("region",)), metric, samples).samples == {}


def test_nobody_folds_while_there_is_room():
    assert users_to_fold([family("a", "b", "c", "d")], COSTS, frozenset(), 4) == frozenset()


def test_those_who_spend_least_fold_and_no_more_than_needed():
    assert users_to_fold([family("a", "b", "c", "d")], COSTS, frozenset(), 3) == {"a", "b"}
    assert users_to_fold([family("a", "b", "c", "d")], COSTS, frozenset(), 2) == {"a", "b", "c"}


def test_one_who_was_exposed_this_month_folds_only_if_nobody_else_is_left():
    families = [family("a", "b", "c", "d")]
    assert users_to_fold(families, COSTS, frozenset("ab"), 3) == {"c", "d"}
    assert users_to_fold(families, COSTS, frozenset("ab"), 2) == {"a", "c", "d"}
    assert users_to_fold(families, COSTS, frozenset("abcd"), 2) == {"a", "b", "c"}


def test_series_that_two_folded_users_share_count_once():
    # a and b are 6 series; folded they are 3.
    assert users_to_fold([family("a", "b", "c", models=3)], COSTS, frozenset(), 6) == {"a", "b"}


def test_without_users_there_is_nothing_to_fold():
    by_model = Metric("by_model", "", Type.GAUGE, ("model",))
    families = [Family(by_model, ("model",), {(f"m{number}",): 1 for number in range(9)})]
    assert users_to_fold(families, {}, frozenset(), 5) == frozenset()


def many_users(count: int, time: datetime = NOON, seed: int = 1) -> list[Usage]:
    random = Random(seed)
    return [
        used(
            time - timedelta(days=random.randrange(15)),
            f"user{number:03d}",
            model=random.choice([SONNET, HAIKU]),
            requests=random.randrange(1, 9),
            input=random.randrange(10**6),
            output=random.randrange(10**6),
            cache_read=random.randrange(10**3),
        )
        for number in range(count)
    ]


SUMMED = (
    "bedrock_requests_today",
    "bedrock_requests_month_to_date",
    "bedrock_tokens_today",
    "bedrock_tokens_month_to_date",
    "bedrock_cost_usd_today",
    "bedrock_cost_usd_month_to_date",
    "bedrock_cost_usd_previous_month",
    "bedrock_cost_usd_by_token_kind_month_to_date",
    "bedrock_cost_usd_by_provenance_month_to_date",
    "bedrock_tokens_by_routing_month_to_date",
    "bedrock_cache_savings_usd_month_to_date",
    "bedrock_hour_of_day_requests",
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    exporter = Exporter(tmp_path_factory.mktemp("filled"))
    exporter.fill(*many_users(40), *many_users(30, NOON - timedelta(days=25), seed=2))
    yield exporter
    exporter.ledger.close()


@pytest.mark.parametrize("labels", [(), *combinations(LABELS, 1), *combinations(LABELS, 4)])
def test_a_label_left_out_is_summed_over_to_the_last_digit(filled: Exporter, labels) -> None:
    filled.configure()
    whole = filled.peek(NOON)
    filled.configure(metrics={"labels": labels})
    fewer = filled.peek(NOON)
    for name in SUMMED:
        assert total(fewer, name) == total(whole, name), name
    (requests,) = (f for f in fewer.families if f.metric.name == "bedrock_requests_today")
    assert set(requests.labels) == set(labels)


@pytest.mark.parametrize("max_series", [150, 250, 400])
def test_the_bound_holds_and_every_sum_stays_exact(filled: Exporter, max_series: int) -> None:
    filled.configure()
    whole = filled.peek(NOON)
    filled.configure(metrics={"max_series": max_series})
    folded = filled.peek(NOON)
    assert series_count(folded) <= max_series < series_count(whole)
    assert value(folded, "bedrock_exporter_series") == series_count(folded)
    for name in SUMMED:
        assert total(folded, name) == total(whole, name), name


def test_what_other_stands_for_are_those_who_spend_least(filled: Exporter) -> None:
    filled.configure(metrics={"max_series": 250})
    snapshot = filled.peek(NOON)
    filled.configure()
    whole = filled.peek(NOON)
    costs = {
        user: total(whole, "bedrock_cost_usd_month_to_date", user=user)
        for (user,) in samples(filled_by_user(filled), "bedrock_requests_month_to_date")
    }
    shown = {user for user in costs if samples(snapshot, "bedrock_requests_today", user=user)}
    hidden = costs.keys() - shown
    assert shown and len(hidden) == value(snapshot, "bedrock_exporter_folded_users")
    assert max(costs[user] for user in hidden) <= min(costs[user] for user in shown)
    other = total(snapshot, "bedrock_cost_usd_month_to_date", user="other")
    assert other == sum(costs[user] for user in hidden)


def filled_by_user(exporter: Exporter):
    """Return a snapshot by user alone."""
    exporter.configure(metrics={"labels": ["user"]})
    return exporter.peek(NOON)


EARLIER = NOON - timedelta(days=2)
"""Long enough ago for a mean, so that no user gets further series while a test runs."""


def spending(usd: int, user: str, time: datetime = NOON) -> Usage:
    return used(time, user, input=usd * 10**6 // 3)


def shown_users(snapshot) -> set[str]:
    return {user for (user,) in samples(snapshot, "bedrock_requests_today", **ALICE_S_PLACE)}


ALICE_S_PLACE = {
    "account_id": "111122223333",
    "region": "us-east-1",
    "application": "Shop",
    "model": SONNET,
}


@pytest.fixture
def crowded(tmp_path: Path) -> Exporter:
    """Eleven users, of whom user11 spends most, and room for some."""
    exporter = Exporter(tmp_path, metrics={"max_series": 100, "counter_birth": "2m"})
    exporter.fill(*(spending(number, f"user{number:02d}", EARLIER) for number in range(1, 12)))
    return exporter


def test_one_who_is_exposed_stays_until_the_month_ends_however_little_it_spends(crowded):
    first = shown_users(crowded.build(NOON))
    assert "other" in first and "user11" in first and "user01" not in first
    crowded.fill(*(spending(1000, f"rich{number}") for number in range(5)))
    for _ in range(2):
        later = shown_users(crowded.build(utc("2026-11-30T23:59")))
        assert first <= later | {"other"} and not {"rich0", "rich1", "rich2"} & later
        crowded.configure(metrics={"max_series": 100})  # a restart, as it were
    december = utc("2026-12-01T12:00")
    crowded.fill(*(spending(5 - number, f"rich{number}", december) for number in range(5)))
    assert "rich0" in shown_users(crowded.build(december))


def test_counters_never_fall_when_users_fold_and_no_count_is_lost(crowded):
    crowded.configure(metrics={"max_series": 10_000})
    shown = [crowded.peek(NOON)]
    crowded.configure(metrics={"max_series": 100})
    for minutes in (5, 10, 15):
        crowded.take(*(spending(1, f"user{number:02d}") for number in range(1, 12)))
        shown.append(crowded.build(NOON + timedelta(minutes=minutes)))
    assert total(shown[1], "bedrock_requests_total") < 11  # `other` is only born
    assert total(shown[2], "bedrock_requests_total") == 22
    assert total(shown[3], "bedrock_requests_total") == 33
    for before, after in pairwise(shown):
        later = samples(after, "bedrock_requests_total")
        for series, count in samples(before, "bedrock_requests_total").items():
            assert later.get(series, count) >= count
    assert not samples(shown[3], "bedrock_requests_total", user="user01")


def test_limits_see_the_users_that_are_folded(crowded):
    budget = {"name": "each", "by": ["user"], "measure": "cost_usd", "period": "month"}
    everyone = {"name": "all", "measure": "requests", "period": "month"}
    crowded.configure(
        metrics={"max_series": 120},
        limits=[{**budget, "threshold": 2}, {**everyone, "threshold": 22}],
    )
    snapshot = crowded.peek(NOON)
    assert samples(snapshot, "bedrock_cost_usd_month_to_date", user="other")
    assert not samples(snapshot, "bedrock_cost_usd_month_to_date", user="user01")
    assert value(snapshot, "usage_limit_used", user="user01") == Decimal("0.999999")
    assert value(snapshot, "usage_limit_used", user="other") is None
    assert value(snapshot, "usage_limit_ratio", limit="all") == Decimal("0.5")


def test_a_user_called_other_loses_nothing_to_those_who_fold(tmp_path: Path):
    exporter = Exporter(tmp_path, metrics={"max_series": 100})
    exporter.fill(*(spending(number, f"user{number:02d}") for number in range(1, 12)))
    exporter.fill(spending(3000, "other"))
    snapshot = exporter.peek(NOON)
    assert value(snapshot, "bedrock_requests_today", user="other") > 1
    assert total(snapshot, "bedrock_requests_today") == 12


def test_where_users_are_no_label_none_is_exposed(crowded):
    crowded.configure(metrics={"labels": ["application"]})
    assert crowded.build(NOON).exposed_users == frozenset()


def test_the_number_of_series_counts_those_of_the_exporter_itself_and_of_its_counters(crowded):
    for source in range(20):
        crowded.counters.ensure(metrics.LOG_OBJECTS, f"source{source}")
    snapshot = crowded.peek(NOON)
    assert value(snapshot, "bedrock_exporter_series") == series_count(snapshot) <= 100
