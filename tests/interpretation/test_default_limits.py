"""AWS's published limits of Amazon Q Developer Pro, and how the configuration overrides them."""

from datetime import date

import pytest

from exporter import config
from exporter.interpretation.default_limits import default_limits

TODAY = date(2026, 11, 21)


def limit(name, **settings):
    given = {"product": "qdeveloper", "measure": "requests", "period": "month", "threshold": 1}
    return config.Limit.model_validate({"name": name} | given | settings)


@pytest.mark.parametrize(
    ("name", "measure", "threshold"),
    [
        ("qdeveloper-dev", "dev_generation_event_count", 30),
        ("qdeveloper-transformation-lines", "transformation_lines_ingested", 4000),
    ],
)
def test_two_limits_hold_for_each_user_and_month(name, measure, threshold):
    limits = {limit.name: limit for limit in default_limits(TODAY, ())}
    assert limits.keys() == {"qdeveloper-dev", "qdeveloper-transformation-lines"}
    assert limits[name] == config.Limit(
        name=name,
        product="qdeveloper",
        by=("user",),
        measure=measure,
        period="month",
        threshold=threshold,
    )


def test_a_configured_limit_of_the_same_name_takes_the_place_of_a_default_one():
    configured = [limit("qdeveloper-dev", threshold=60), limit("mine")]
    assert [each.name for each in default_limits(TODAY, configured)] == [
        "qdeveloper-transformation-lines"
    ]


def test_before_amazon_q_developer_pro_there_were_no_limits():
    assert default_limits(date(2024, 4, 29), ()) == ()
    assert len(default_limits(date(2024, 4, 30), ())) == 2
