"""The status page: what it says in each state, what it never says, and that it stays small."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter import page
from exporter.interpretation.models import UnpricedReason
from exporter.page import (
    Absent,
    AssistantRow,
    LimitLevel,
    LimitRow,
    PageView,
    Ranking,
    Share,
    SourceRow,
    SourceState,
    Total,
    UnpricedRow,
    rank,
    render,
)

NOW = datetime(2026, 11, 21, 13, 4, 5, tzinfo=UTC)

SOURCE = SourceRow(
    name="invocation_logs",
    location="s3://acme-logs/prod",
    up=True,
    complete=True,
    backlog_objects=0,
    last_success=NOW - timedelta(seconds=4),
    newest_record=NOW - timedelta(minutes=3),
    log_objects=41_233,
    records=2_012_345,
)

Q_DEVELOPER = AssistantRow(
    "Amazon Q Developer",
    users=9,
    requests=4_621,
    tokens=1_234_567,
    estimated_tokens=642_920,
    virtual_cost_usd=Decimal("0.276195"),
    subscription_usd=Decimal("125.4"),
)
KIRO = AssistantRow("Kiro", users=6, credits=Decimal("895.874"), overage_credits=Decimal("307.03"))

EMPTY = PageView(
    built_at=NOW,
    version="0.1.0",
    timezone=ZoneInfo("Europe/Berlin"),
    refresh_interval=timedelta(minutes=5),
    today=Total(),
    month_to_date=Total(),
    previous_month=Absent("the ledger does not reach back that far"),
    projected_month_usd=Absent("needs 24 hours of data"),
    daily_mean_usd=Absent("needs a full day of data"),
    daily_cost_usd=(),
    cost_usd_month_by_provenance={},
    top_applications=Ranking(),
    top_users=Ranking(),
    top_models=Ranking(),
    limits=(),
    unpriced=(),
    sources=(replace(SOURCE, newest_record=None, log_objects=0, records=0),),
    assistants=(),
    aws_cost_usd_today=Decimal("0.0132"),
    aws_cost_usd_ceiling=Decimal("1.00"),
)


def share(name: str, usd: str = "1", **fields: object) -> Share:
    values: dict[str, object] = {"tokens_month": 1000, "requests_month": 10} | fields
    return Share(name, cost_usd_month=Decimal(usd), **values)  # type: ignore[arg-type]


FULL = replace(
    EMPTY,
    today=Total(Decimal("57.3293"), 41_200_000, 6_120),
    month_to_date=Total(Decimal("1544.21"), 1_012_345_678, 150_233),
    previous_month=Total(Decimal("1893.20"), 1_300_000_000, 190_000),
    projected_month_usd=Decimal("2203.11"),
    daily_mean_usd=Decimal("62.30"),
    daily_cost_usd=((date(2026, 11, 20), Decimal(40)), (date(2026, 11, 21), Decimal(10))),
    cost_usd_month_by_provenance={"list": Decimal(95), "derived": Decimal(5)},
    top_applications=rank([share("CustomerServiceApp", "812.33"), share("unknown", "141.77")]),
    top_users=rank([share("anna@example.com", "200.23")]),
    top_models=rank([share("Claude Sonnet 4.5", "1001.20", detail="anthropic.claude")]),
    sources=(SOURCE,),
    assistants=(Q_DEVELOPER, KIRO),
)

FILLING = replace(
    FULL, sources=(replace(SOURCE, complete=False, backlog_objects=41_233, last_success=None),)
)
DOWN = replace(
    FULL,
    sources=(
        replace(
            SOURCE,
            up=False,
            last_success=NOW - timedelta(hours=2),
            last_error="AccessDenied: s3:ListBucket",
        ),
    ),
)
NEVER_UP = replace(FULL, sources=(replace(SOURCE, up=False, last_success=None),))
STALE = replace(FULL, sources=(replace(SOURCE, last_success=NOW - timedelta(minutes=11)),))

STATES = {
    "empty": EMPTY,
    "full": FULL,
    "filling": FILLING,
    "down": DOWN,
    "never up": NEVER_UP,
    "stale": STALE,
}


def limit(
    name: str, used: int, projected: str | None = None, measure: str = "requests"
) -> LimitRow:
    ratio = Decimal(projected) if projected else None
    return LimitRow(name, "", measure, "day", used, 100, ratio, NOW + timedelta(hours=10))


class _Reader(HTMLParser):
    """Collects what a browser would show and what it would fetch or run."""

    VOID = frozenset({"meta", "link", "br", "col", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"unbalanced {tag}"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)


def read(view: PageView) -> _Reader:
    reader = _Reader()
    reader.feed(render(view).decode())
    reader.close()
    assert not reader.open
    return reader


def text(view: PageView) -> str:
    """Return the words that the page shows, single-spaced."""
    return " ".join(" ".join(read(view).text).split())


def attributes(view: PageView, name: str) -> Iterable[str]:
    return [value for _, attrs in read(view).tags for key, value in attrs.items() if key == name]


def rows_of(view: PageView, heading: str) -> list[str]:
    """Return the names in the first column of the section with that id, from top to bottom."""
    html = render(view).decode()
    section = html.split(f'id="{heading}"')[1].split("</section>")[0]
    return re.findall(r'<th scope="row">\s*<span class="name"><bdi[^>]*>([^<]*)', section)


HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>\u202egpj.exe" + "A" * 10_000


def with_name(name: str) -> PageView:
    """Return a page on which every text that can come from outside is the given one."""
    return replace(
        FULL,
        top_applications=rank([share(name, detail=name)]),
        top_users=rank([share(name, detail=name)]),
        top_models=rank([share(name, detail=name)]),
        limits=(replace(limit("x", 50), name=name, scope=name),),
        unpriced=(UnpricedRow(name, name, "unresolved", 1, 1),),
        sources=(
            replace(SOURCE, name=name, location=name, last_error=name, rejected={name: 1}),
            replace(SOURCE, name=name, location=name, last_error=name, up=False),
        ),
    )


@pytest.mark.parametrize("view", STATES.values(), ids=STATES.keys())
def test_every_state_is_a_well_formed_page_that_runs_and_fetches_nothing(view: PageView) -> None:
    reader = read(view)

    assert not {"script", "iframe", "img", "form", "object"} & {tag for tag, _ in reader.tags}
    for tag, attrs in reader.tags:
        assert not [key for key in attrs if key.startswith("on") or key == "src"]
        if tag == "link":
            assert (attrs["href"] or "").startswith("data:image/svg+xml,")
    style = render(view).decode().split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_the_only_outside_address_is_the_documentation() -> None:
    links = attributes(replace(FULL, docs_url="https://docs.example.com/"), "href")

    assert [link for link in links if not link.startswith("data:")] == [
        "metrics",
        "-/ready",
        "https://docs.example.com/",
    ]
    page_without_icon = re.sub(r'<link rel="icon"[^>]*>', "", render(FULL).decode())
    assert "//" not in page_without_icon.replace("s3://acme-logs/prod", "")


def test_the_page_reloads_itself_every_half_minute() -> None:
    assert b'<meta http-equiv="refresh" content="30">' in render(FULL)


def test_hostile_names_are_shown_as_text() -> None:
    reader = read(with_name(HOSTILE))

    assert not {"script", "img"} & {tag for tag, _ in reader.tags}
    assert "<script>alert('x')</script>" in "".join(reader.text)
    assert "\u202e" not in "".join(reader.text)


def test_hostile_names_cannot_make_the_page_large() -> None:
    many = [share(f"{number}{HOSTILE}", detail=HOSTILE) for number in range(1000)]
    view = replace(
        with_name(HOSTILE),
        top_applications=rank(many),
        top_users=rank(many),
        top_models=rank(many),
        limits=tuple(replace(limit(HOSTILE, 50), scope=HOSTILE) for _ in range(1000)),
        unpriced=(UnpricedRow(HOSTILE, HOSTILE, "custom", 1, 1),) * 1000,
    )

    assert len(render(view)) < 150_000


def test_a_name_that_utf_8_cannot_carry_is_shown_all_the_same() -> None:
    assert rows_of(with_name("half \ud83d a pair"), "users") == ["half \ufffd a pair"]


TAGS_OF_A_PLAIN_NAME = [tag for tag, _ in read(with_name("x")).tags]


@settings(max_examples=30)
@given(st.text(max_size=300))
def test_any_name_renders_and_opens_no_tag(name: str) -> None:
    tags = [tag for tag, _ in read(with_name(name + "x")).tags]

    assert tags == TAGS_OF_A_PLAIN_NAME


def test_an_empty_name_is_still_seen() -> None:
    assert rows_of(replace(FULL, top_users=rank([share("")])), "users") == ["(empty)"]


amounts = st.decimals(0, 10**6, places=9, allow_nan=False)
shares = st.builds(
    Share,
    name=st.text(max_size=3),
    cost_usd_today=amounts,
    cost_usd_month=amounts,
    tokens_month=st.integers(0, 10**12),
    requests_month=st.integers(0, 10**9),
    unpriced_requests_month=st.integers(0, 10**9),
)


@given(st.lists(shares, max_size=40))
def test_the_shown_rows_and_the_others_sum_to_everything(given_shares: list[Share]) -> None:
    ranking = rank(given_shares)

    shown = [*ranking.top, *([ranking.others] if ranking.others else [])]
    for name in (
        "cost_usd_today",
        "cost_usd_month",
        "tokens_month",
        "requests_month",
        "unpriced_requests_month",
    ):
        everything = sum(getattr(one, name) for one in given_shares)
        assert sum(getattr(one, name) for one in shown) == everything
    assert ranking.cost_usd_month == sum(one.cost_usd_month for one in given_shares)
    assert len(ranking.top) <= page.TOP


def test_the_largest_are_shown_first_and_the_rest_in_one_row() -> None:
    view = replace(FULL, top_users=rank([share(f"user-{cost}", str(cost)) for cost in range(13)]))

    names = rows_of(view, "users")

    assert names == [f"user-{cost}" for cost in range(12, 2, -1)] + ["3 others"]


def test_limits_are_ordered_by_danger() -> None:
    view = replace(
        FULL,
        limits=(
            limit("quiet", 10),
            limit("near", 85),
            limit("on-course", 30, projected="1.2"),
            limit("used-up", 100),
            limit("far-over", 250),
            limit("half", 50, projected="0.9"),
        ),
    )

    assert rows_of(view, "limits") == ["far-over", "used-up", "on-course", "near", "half", "quiet"]


@pytest.mark.parametrize(
    ("used", "projected", "level"),
    [
        (100, None, LimitLevel.OVER),
        (99, "1", LimitLevel.PROJECTED),
        (80, "0.99", LimitLevel.NEAR),
        (79, None, LimitLevel.OK),
    ],
)
def test_a_limit_is_at_the_worst_level_that_is_true(
    used: int, projected: str | None, level: LimitLevel
) -> None:
    assert page.limit_level(limit("x", used, projected)) is level


def test_limits_past_the_tenth_are_counted_with_those_that_are_over() -> None:
    view = replace(FULL, limits=tuple(limit(f"user-{number}", 101) for number in range(13)))

    assert "3 more, 3 of them over" in text(view)


def test_a_limit_just_below_its_threshold_does_not_read_full() -> None:
    almost = replace(limit("x", 0), used=Decimal("99.999"))

    assert "99.9%" in text(replace(FULL, limits=(almost,)))
    assert "100.0%" not in text(replace(FULL, limits=(almost,)))


def test_a_limit_says_used_threshold_projection_and_reset() -> None:
    row = replace(limit("budget", 42, "0.61", measure="cost_usd"), scope="application Search")

    shown = text(replace(FULL, limits=(row,)))

    assert "$42.00 of $100.00 a day" in shown
    assert "application Search" in shown
    assert "42.0% ≈ 61.0% in 10 h" in shown


def test_a_figure_that_cannot_be_known_is_a_dash_with_its_reason() -> None:
    shown = text(EMPTY)

    assert "November, projected – needs 24 hours of data" in shown  # noqa: RUF001
    assert "Previous month – the ledger does not reach back that far" in shown  # noqa: RUF001
    assert "needs a full day of data" in attributes(EMPTY, "title")


def test_unpriced_usage_is_never_zero_dollars() -> None:
    unpriced = share("image-studio", "0", unpriced_requests_month=10)
    view = replace(FULL, top_applications=rank([unpriced]))

    row = re.search(r"image-studio .*? 1\.0K", text(view))

    assert row
    assert row[0] == "image-studio – unpriced 1.0K"  # noqa: RUF001
    assert "$0" not in row[0]


def test_a_cost_that_leaves_requests_out_says_so() -> None:
    partly = share("mixed", "5", unpriced_requests_month=3)
    view = replace(
        FULL,
        top_applications=rank([partly]),
        month_to_date=replace(FULL.month_to_date, unpriced_requests=3),
    )

    assert "mixed + unpriced" in text(view)
    assert "without 3 unpriced requests" in text(view)


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("unknown_model", "prices.overrides"),
        ("no_price", "prices.overrides"),
        ("unresolved", "under models: in config.yaml"),
        ("not_token_billed", "Not billed by the token"),
        ("provisioned", "paid by the hour"),
        ("custom", "no public price"),
        ("imported", "billed by the minute"),
    ],
)
def test_every_reason_for_being_unpriced_names_its_remedy(reason: str, remedy: str) -> None:
    row = UnpricedRow("acme.mystery-v1:0", "us-east-1", reason, 200, 3_200_000)

    shown = text(replace(FULL, unpriced=(row,), limits=(limit("x", 1),)))

    assert "acme.mystery-v1:0 us-east-1 200 3.2M" in shown
    assert remedy in shown
    assert "Cost limits do not see unpriced usage" in shown


def test_no_reason_for_being_unpriced_is_without_a_remedy() -> None:
    assert set(page.REMEDIES) == set(UnpricedReason)


def test_usage_without_an_application_comes_with_a_hint() -> None:
    assert "14.9% of this month's cost has no application" in text(FULL)
    assert "has no application" not in text(
        replace(FULL, top_applications=rank([share("CustomerServiceApp")]))
    )


def test_an_empty_ledger_says_what_to_check() -> None:
    shown = text(EMPTY)

    assert "No usage this month yet." in shown
    assert "Is model invocation logging switched on in Bedrock" in shown
    assert "No record read yet" in shown


def test_a_first_fill_says_how_much_is_left() -> None:
    shown = text(FILLING)
    bars = [attrs for _, attrs in read(FILLING).tags if attrs.get("role") == "progressbar"]

    assert "is reading history: 41,233 log objects left" in shown
    assert "figures grow until then" in shown
    assert [(bar["aria-valuenow"], bar["aria-valuemax"]) for bar in bars] == [("41233", "82466")]
    assert b'<i style="width: 50.00%">' in render(FILLING)


def test_a_source_that_is_down_says_since_when_and_why() -> None:
    shown = text(DOWN)

    assert "invocation_logs cannot be read." in shown
    assert "The last read that succeeded was 2 h ago" in shown
    assert "keep what was read until 2026-11-21 11:04:05 UTC" in shown
    assert "AccessDenied: s3:ListBucket" in shown
    assert "No read has succeeded since the start" in text(NEVER_UP)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("full", SourceState.OK),
        ("down", SourceState.DOWN),
        ("stale", SourceState.STALE),
        ("filling", SourceState.READING),
    ],
)
def test_a_source_is_in_the_worst_state_that_is_true(name: str, state: SourceState) -> None:
    view = STATES[name]

    assert page.source_state(view.sources[0], view) is state


def test_a_source_is_not_stale_before_two_refreshes_were_missed() -> None:
    view = replace(FULL, sources=(replace(SOURCE, last_success=NOW - timedelta(minutes=10)),))

    assert page.source_state(view.sources[0], view) is SourceState.OK


def test_rejected_records_are_shown_by_reason() -> None:
    view = replace(FULL, sources=(replace(SOURCE, rejected={"json": 1200, "timestamp": 2}),))

    assert "Rejected 1,202: json 1,200, timestamp 2" in text(view)


def test_an_estimating_source_is_marked() -> None:
    assert "≈ estimated" in text(replace(FULL, sources=(replace(SOURCE, accuracy="estimated"),)))
    assert "≈ estimated" not in text(FULL)


def test_derived_prices_and_projections_are_marked_as_estimates() -> None:
    shown = text(FULL)

    assert "≈ $2,203.11" in shown
    assert "95.0% from list prices, 5.0% by derived prices (≈)" in shown


def test_freshness_is_an_age_with_the_utc_moment_behind_it() -> None:
    html = render(FULL).decode()

    assert "Newest record 3 min ago" in text(FULL)
    assert 'title="2026-11-21 13:01:05 UTC">3 min ago' in html
    assert "as of 21 November 14:04:05 Europe/Berlin" in text(FULL)


def test_today_is_that_of_the_configured_time_zone() -> None:
    late = replace(FULL, built_at=datetime(2026, 11, 30, 23, 30, tzinfo=UTC))

    assert "Today, Tue 1 Dec" in text(late)
    assert page.chart_days(late)[0].day == date(2026, 12, 1)


def test_the_chart_has_a_bar_for_each_day_of_the_month_and_none_for_what_is_to_come() -> None:
    days = page.chart_days(FULL)

    assert len(days) == 30
    assert [(day.cost_usd, day.height) for day in days[18:22]] == [
        (None, "0%"),
        (Decimal(40), "100.00%"),
        (Decimal(10), "25.00%"),
        (None, "0%"),
    ]
    assert "2026-11-21: $10.00" in text(FULL)
    assert "2026-11-22: no figure" in text(FULL)


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        ("0", "$0"),
        ("0.000001", "<$0.01"),
        ("0.070158", "$0.07"),
        ("1234.56", "$1,234.56"),
        ("1234567.891", "$1,234,567.89"),
    ],
)
def test_money_is_shown_to_the_cent_and_exactly_behind_it(usd: str, shown: str) -> None:
    view = replace(FULL, today=Total(Decimal(usd), 1, 1))

    assert f"Today, Sat 21 Nov {shown} " in text(view)
    assert f"${Decimal(usd):,f}" in attributes(view, "title")


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0K"),
        (999_999, "999.9K"),
        (12_345_678, "12.3M"),
        (1_012_345_678, "1.0B"),
        (5 * 10**15, "5,000.0T"),
    ],
)
def test_tokens_are_shown_short_and_exactly_behind_it(tokens: int, shown: str) -> None:
    view = replace(FULL, today=Total(Decimal(1), tokens, 1))

    assert f"{shown} tokens" in text(view)
    assert f"{tokens:,}" in attributes(view, "title")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "now"),
        (-59, "59 s ago"),
        (-60, "1 min ago"),
        (-3600, "1 h ago"),
        (-47 * 3600, "47 h ago"),
        (-48 * 3600, "2 days ago"),
        (90, "in 1 min"),
    ],
)
def test_ages_are_in_their_largest_unit(seconds: int, shown: str) -> None:
    newest = NOW + timedelta(seconds=seconds)

    assert f"Newest record {shown} ·" in text(
        replace(FULL, sources=(replace(SOURCE, newest_record=newest),))
    )


def test_what_the_exporter_itself_costs_is_shown_with_its_ceiling() -> None:
    assert "own AWS calls today $0.01 of $1.00" in text(FULL)


def test_huge_figures_render() -> None:
    row = replace(limit("x", 0), used=10**40, threshold=Decimal("1e-30"))
    view = replace(
        FULL,
        today=Total(Decimal("1e30"), 10**40, 10**40),
        limits=(row,),
        top_users=rank([share("x", "1e30", tokens_month=10**40)]),
    )

    assert page.limit_level(row) is LimitLevel.OVER
    assert "over" in text(view)


def test_assistants_show_what_is_known_of_each() -> None:
    shown = text(FULL)
    q_developer, kiro = shown.split("Amazon Q Developer")[1].split("Kiro")
    assert "Tokens, counted 1.2M" in q_developer
    assert "Tokens, estimated ≈ 642.9K" in q_developer
    assert "Would have cost ≈ $0.28" in q_developer
    assert "Seats so far $125.40" in q_developer
    assert "Credits" not in q_developer
    assert "Credits used 895.8" in kiro
    assert "Overage credits 307.0" in kiro
    assert "Seats so far" not in kiro.split("What was read")[0]


def test_without_assistants_there_is_no_word_of_them() -> None:
    assert "Developer assistants" not in text(EMPTY)
