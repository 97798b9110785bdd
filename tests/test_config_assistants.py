"""config.yaml on developer assistants: sources, the section `assistants`, limits by product."""

from datetime import timedelta
from decimal import Decimal

import pytest

from exporter.assistant_usage import ACTIVITIES
from exporter.config import ActivityReports, ConfigError, KiroReports, PromptLogs, load

SOURCES = "sources: [{type: prompt_logs, location: logs}]\n"
LIMIT = "name: a, threshold: 30"
PROMPTS = "requests, tokens, input_tokens, output_tokens"


@pytest.fixture
def read(tmp_path):
    def read_config(text):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return load(path, {})

    return read_config


def problem(read, text):
    with pytest.raises(ConfigError) as caught:
        read(text)
    (line,) = caught.value.problems
    return line.partition("config.yaml: ")[2]


def test_the_three_sources_may_lie_at_one_location(read, tmp_path):
    sources = read(
        "sources:\n"
        "  - {type: invocation_logs, location: logs}\n"
        "  - {type: prompt_logs, location: logs, duplicates_window: 14d}\n"
        "  - {type: activity_reports, location: logs, lookback: 10d}\n"
        "  - {type: kiro_reports, location: logs, max_object_bytes: 2097152}\n"
    ).sources
    _, prompts, activity, kiro = sources
    folder = str(tmp_path / "logs")
    assert isinstance(prompts, PromptLogs)
    assert (prompts.name, prompts.location) == ("prompt_logs", folder)
    assert prompts.duplicates_window == timedelta(days=14)
    assert isinstance(activity, ActivityReports)
    assert (activity.name, activity.lookback) == ("activity_reports", timedelta(days=10))
    assert isinstance(kiro, KiroReports)
    assert (kiro.name, kiro.lookback) == ("kiro_reports", timedelta(days=7))
    assert kiro.max_object_bytes == 2**21


def test_without_a_section_the_published_figures_hold(read):
    assistants = read(SOURCES).assistants
    assert assistants.context_window_tokens == 200_000
    assert assistants.subscription_usd_per_user == 19
    assert assistants.default_limits
    assert assistants.users.include == assistants.users.exclude == ()


def test_every_key_of_the_section_is_taken(read):
    assistants = read(
        SOURCES + "assistants:\n"
        "  users: {include: ['d-*'], exclude: [robot]}\n"
        "  context_window_tokens: 1000000\n"
        "  virtual_cost_model: anthropic.claude-sonnet-4-6\n"
        "  subscription_usd_per_user: 17.5\n"
        "  default_limits: false\n"
        "  kiro_tier_credits: {pro: 1200}\n"
    ).assistants
    assert (assistants.users.include, assistants.users.exclude) == (("d-*",), ("robot",))
    assert assistants.context_window_tokens == 1_000_000
    assert assistants.virtual_cost_model == "anthropic.claude-sonnet-4-6"
    assert assistants.subscription_usd_per_user == Decimal("17.5")
    assert not assistants.default_limits
    assert assistants.kiro_tier_credits == {"PRO": Decimal(1200)}


@pytest.mark.parametrize(
    ("product", "measure"),
    [
        ("qdeveloper", "requests"),
        ("qdeveloper", "dev_generation_event_count"),
        ("qdeveloper", "inline_chat_total_event_count"),
        ("kiro", "output_tokens"),
        ("kiro", "credits"),
        ("kiro", "messages"),
    ],
)
def test_a_limit_may_be_set_on_what_the_product_measures(read, product, measure):
    keys = f"{LIMIT}, product: {product}, measure: {measure}, period: month, by: [user]"
    (limit,) = read(SOURCES + f"limits: [{{{keys}}}]").limits
    assert (limit.product, limit.measure) == (product, measure)


def test_a_limit_is_on_bedrock_unless_it_says_otherwise(read):
    (limit,) = read(SOURCES + f"limits: [{{{LIMIT}, measure: cost_usd, period: month}}]").limits
    assert limit.product == "bedrock"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            "product: kiro, measure: credits, period: day",
            "limits[0]: period: reports tell credits a day after its end; take week or month",
        ),
        (
            "product: kiro, measure: cost_usd, period: month",
            f"limits[0].measure: 'cost_usd' is no measure of kiro; those are {PROMPTS}, credits, "
            "overage_credits, messages",
        ),
        (
            "product: qdeveloper, measure: credits, period: month",
            "limits[0].measure: 'credits' is no measure of qdeveloper; those are "
            f"{PROMPTS}, {', '.join(ACTIVITIES)}",
        ),
        (
            "product: qdeveloper, measure: Chat_MessagesSent, period: month",
            "limits[0].measure: 'Chat_MessagesSent' is no measure of qdeveloper; did you mean "
            "'chat_messages_sent'?",
        ),
        (
            "product: q, measure: requests, period: month",
            "limits[0].product: 'q' is not one of bedrock, qdeveloper, kiro",
        ),
        (
            "product: kiro, measure: credits, by: [user, model], period: month",
            "limits[0]: model: no label of product 'kiro'",
        ),
    ],
    ids=[
        "day of reports",
        "measure of another product",
        "credits of Q",
        "a column for a measure",
        "unknown product",
        "foreign label",
    ],
)
def test_a_limit_on_what_a_product_has_not_is_refused(read, keys, said):
    assert problem(read, SOURCES + f"limits: [{{{LIMIT}, {keys}}}]") == said


@pytest.mark.parametrize("product", ["qdeveloper", "kiro"])
@pytest.mark.parametrize(("key", "value"), [("by", "[region, user]"), ("match", "{user: alice}")])
def test_no_limit_is_on_a_user_whom_privacy_drops(read, product, key, value):
    keys = f"{LIMIT}, product: {product}, measure: requests, period: month, {key}: {value}"
    assert problem(read, f"{SOURCES}privacy: {{users: drop}}\nlimits: [{{{keys}}}]") == (
        f"limits[0].{key}: 'user' tells nobody apart, as 'privacy.users: drop' leaves no user of "
        f"{product} known; leave it out, or take 'privacy.users: pseudonym'"
    )


def test_limits_on_dropped_users_are_told_with_all_other_mistakes(read):
    keys = f"{LIMIT}, product: kiro, measure: requests, period: month, by: [user]"
    with pytest.raises(ConfigError) as caught:
        read(
            SOURCES + "timezone: Mars\nprivacy: {users: drop, key: short}\n"
            f"limits: [{{}}, {{{keys}}}, {{{keys.replace('name: a', 'name: b')}}}]\n"
        )
    said = " ".join(caught.value.problems)
    assert all(
        place in said
        for place in ("timezone:", "privacy.key:", "limits[0].name:", "limits[1].by: 'user' tells")
    )
    assert "limits[2].by: 'user' tells" in said


@pytest.mark.parametrize(
    ("users", "keys"),
    [
        ("plain", "product: kiro, by: [user]"),
        ("pseudonym", "product: kiro, by: [user]"),
        ("drop", "product: kiro, by: [account_id]"),
        ("drop", "product: kiro, match: {region: us-east-1}"),
        ("drop", "by: [user]"),
        ("drop", "match: {user: Batch}"),
    ],
)
def test_a_limit_on_whom_privacy_leaves_known_stands(read, users, keys):
    """Of Bedrock a rule may name a user by a constant, which no privacy takes away."""
    limit = f"{LIMIT}, measure: requests, period: month, {keys}"
    assert len(read(f"{SOURCES}privacy: {{users: {users}}}\nlimits: [{{{limit}}}]").limits) == 1


def test_a_location_inside_of_awslogs_is_refused_with_the_right_one(read):
    folder = "/logs/AWSLogs/111122223333/KiroLogs"
    said = problem(read, f"sources: [{{type: prompt_logs, location: {folder}}}]")
    assert said == (
        f"sources[0].location: '{folder}' goes into AWSLogs; name what stands before it: '/logs'"
    )


def test_impossible_figures_are_refused_by_their_place(read):
    said = problem(read, SOURCES + "assistants: {context_window_tokens: 0}")
    assert said == "assistants.context_window_tokens: 0: input should be greater than or equal to 1"
    said = problem(read, SOURCES + "assistants: {kiro_tier_credits: {PRO: 0}}")
    assert said == "assistants.kiro_tier_credits.PRO: 0: input should be greater than 0"
