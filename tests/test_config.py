"""config.yaml: what it may say, and every mistake named at once by its place."""

import re
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from exporter.config import LABELS, ConfigError, load
from exporter.usage import CONTEXT_BANDS, ServiceTier, TokenKind

SOURCES = "sources: [{type: invocation_logs, location: logs}]\n"


@pytest.fixture
def write(tmp_path):
    def write_config(text):
        path = tmp_path / "config.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_config


@pytest.fixture
def read(write):
    def read_config(text, environ=None):
        return load(write(text), environ or {})

    return read_config


@pytest.fixture
def problems(write, tmp_path):
    """Return the problems of a bad configuration, without the path that each begins with."""

    def problems_of(text, environ=None):
        path = write(text)
        with pytest.raises(ConfigError) as caught:
            load(path, environ or {})
        assert str(caught.value) == "\n".join(caught.value.problems)
        assert all(problem.startswith(f"{path}: ") for problem in caught.value.problems)
        lines = [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]
        return [line.replace(str(tmp_path), "FOLDER") for line in lines]

    return problems_of


FULL = r"""
timezone: Asia/Kolkata
refresh_interval: 1m30s
ledger: state/ledger.sqlite
retention_months: 24
sources:
  - type: invocation_logs
    location: s3://logs-bucket/bedrock
    lookback: 72h
    duplicates_window: 14d
    max_record_bytes: 1048576
    max_object_bytes: 2097152
  - {type: invocation_logs, name: old-logs, location: ../old}
attribution:
  rules:
    - {from: principal, match: 'assumed-role/(?P<application>.+)-BedrockRole/(?P<user>.+)'}
    - {from: metadata, key: team, match: '(?P<application>.+)'}
    - {from: metadata, key: email, match: '(?P<user>.+)'}
    - {from: profile, match: 'application-inference-profile/abc', application: Search}
  include: ['assumed-role/*']
  exclude: [Test]
  applications:
    Crm: {team: sales, cost_center: '4711', owner: alice@example.com}
models: {a1b2c3d4e5f6: us.anthropic.claude-sonnet-4-5-20250929-v1:0}
prices:
  overrides:
    - model: amazon.nova-pro-v1:0
      region: eu-central-1
      routing: geo
      service_tier: batch
      context_from: 200000
      effective_from: 2026-01-01
      usd_per_million_tokens: {input: 0.1, output: '3.30', cache_write_1h: 0}
limits:
  - name: crm
    match: {application: Crm, region: [us-east-1, us-west-2]}
    by: [user, model]
    measure: cost_usd
    period: month
    threshold: 0.1
metrics: {labels: [application, model], max_series: 100, counter_birth: 0s}
privacy: {users: pseudonym, key: sixteen-and-more}
aws: {max_cost_usd_per_day: 2.5}
"""


def test_every_key_is_read(read, tmp_path):
    config = read(FULL)
    assert config.timezone == ZoneInfo("Asia/Kolkata")
    assert config.refresh_interval == timedelta(seconds=90)
    assert config.retention_months == 24
    first, second = config.sources
    assert (first.name, first.location) == ("invocation_logs", "s3://logs-bucket/bedrock")
    assert (first.lookback, first.duplicates_window) == (timedelta(days=3), timedelta(days=14))
    assert (first.max_record_bytes, first.max_object_bytes) == (2**20, 2**21)
    assert second.name == "old-logs"
    assert [rule.origin for rule in config.attribution.rules] == [
        "principal",
        "metadata",
        "metadata",
        "profile",
    ]
    assert config.attribution.rules[3].application == "Search"
    assert config.attribution.include == ("assumed-role/*",)
    assert config.attribution.exclude == ("Test",)
    assert config.attribution.applications["Crm"].cost_center == "4711"
    assert config.models == {"a1b2c3d4e5f6": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}
    (override,) = config.prices.overrides
    assert (override.region, override.routing, override.service_tier, override.context_from) == (
        "eu-central-1",
        "geo",
        ServiceTier.BATCH,
        200_000,
    )
    assert override.effective_from == date(2026, 1, 1)
    (limit,) = config.limits
    assert limit.match == {"application": ("Crm",), "region": ("us-east-1", "us-west-2")}
    assert (limit.by, limit.measure, limit.period) == (("user", "model"), "cost_usd", "month")
    assert config.metrics.labels == ("application", "model")
    assert config.metrics.counter_birth == timedelta(0)
    assert (config.privacy.users, config.privacy.key) == ("pseudonym", "sixteen-and-more")
    assert config.aws.max_cost_usd_per_day == Decimal("2.5")


def test_money_is_the_decimal_that_was_written(read):
    config = read(FULL)
    assert config.limits[0].threshold == Decimal("0.1")
    assert config.prices.overrides[0].usd_per_million_tokens == {
        TokenKind.INPUT: Decimal("0.1"),
        TokenKind.OUTPUT: Decimal("3.30"),
        TokenKind.CACHE_WRITE_1H: Decimal(0),
    }


def test_a_source_is_all_that_is_needed(read, tmp_path):
    config = read(SOURCES)
    assert config.timezone == ZoneInfo("UTC")
    assert config.refresh_interval == timedelta(minutes=5)
    assert config.ledger == tmp_path / "data" / "ledger.sqlite"
    assert config.retention_months == 13
    assert config.sources[0].lookback == timedelta(hours=48)
    assert config.sources[0].duplicates_window == timedelta(days=7)
    assert config.attribution.metadata_keys == {"application", "user"}
    assert config.limits == ()
    assert config.metrics.labels == LABELS
    assert (config.metrics.max_series, config.metrics.counter_birth) == (
        100_000,
        timedelta(minutes=2),
    )
    assert (config.privacy.users, config.privacy.key) == ("plain", None)
    assert config.aws.max_cost_usd_per_day == 1


def test_the_metadata_keys_that_rules_look_at_are_known_and_which_of_them_name_users(read):
    attribution = read(FULL).attribution
    assert attribution.metadata_keys == {"team", "email"}
    assert attribution.user_metadata_keys == {"email"}


def test_a_configuration_cannot_be_changed(read):
    with pytest.raises(ValueError, match="frozen"):
        read(SOURCES).retention_months = 2


def test_the_secret_of_the_pseudonyms_is_not_shown(read):
    assert "sixteen-and-more" not in repr(read(FULL))


def test_relative_paths_are_relative_to_the_file(read, tmp_path):
    config = read(FULL)
    assert config.ledger == tmp_path / "state" / "ledger.sqlite"
    assert config.sources[1].location == str(tmp_path.parent / "old")


def test_absolute_paths_and_the_home_folder_stand(read, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    config = read(
        "ledger: ~/ledger.sqlite\nsources: [{type: invocation_logs, location: /var/log/bedrock}]"
    )
    assert config.ledger == tmp_path / "home" / "ledger.sqlite"
    assert config.sources[0].location == "/var/log/bedrock"


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("48h", timedelta(hours=48)),
        ("7d", timedelta(days=7)),
        ("1h30m", timedelta(minutes=90)),
        ("1d1h1m1s", timedelta(days=1, hours=1, minutes=1, seconds=1)),
    ],
)
def test_durations(read, text, duration):
    assert read(f"{SOURCES}refresh_interval: {text}").refresh_interval == duration


def test_environment_variables_are_replaced_in_every_value(read, tmp_path):
    config = read(
        "ledger: '${STATE}/${NAME}.sqlite'\n"
        "sources: [{type: invocation_logs, location: '${LOCATION}'}]\n"
        "privacy: {key: '${KEY}'}\n",
        {
            "STATE": "state",
            "NAME": "ledger",
            "LOCATION": "s3://bucket/x",
            "KEY": "a: {b} 'c' sixteen",
        },
    )
    assert config.ledger == tmp_path / "state" / "ledger.sqlite"
    assert config.sources[0].location == "s3://bucket/x"
    assert config.privacy.key == "a: {b} 'c' sixteen"


def test_two_dollar_signs_stand_for_one_and_a_lone_one_for_itself(read):
    values = "include: ['$${X}', '$X', 'x$', '${X}']"
    config = read(SOURCES + f"attribution: {{{values}}}", {"X": "$${Y}"})
    assert config.attribution.include == ("${X}", "$X", "x$", "$${Y}")


def test_keys_are_not_expanded(read):
    assert read(SOURCES + "models: {'${X}': a.b}", {"X": "y"}).models == {"${X}": "a.b"}


def test_buckets_and_folders_that_do_not_overlap_are_accepted(read):
    config = read("""sources:
  - {type: invocation_logs, name: a, location: s3://bucket/a}
  - {type: invocation_logs, name: b, location: s3://bucket/ab}
  - {type: invocation_logs, name: c, location: s3://bucket2}
  - {type: invocation_logs, name: d, location: logs}
  - {type: invocation_logs, name: e, location: logs2}
""")
    assert len(config.sources) == 5


@pytest.mark.parametrize("folder", ["logs:old/x", "C://logs", "C:/logs", "a//b", "old logs://x"])
def test_a_folder_with_a_colon_or_two_slashes_in_it_is_a_folder(read, folder, tmp_path):
    (source,) = read(f"sources: [{{type: prompt_logs, location: '{folder}'}}]").sources
    assert source.location == str(tmp_path / folder)


@pytest.mark.parametrize(
    "kind", ["invocation_logs", "athena", "prompt_logs", "activity_reports", "kiro_reports"]
)
@pytest.mark.parametrize(
    "location",
    [
        *("https://bucket.s3.amazonaws.com/p", "arn:aws:s3:::bucket/p", "file:///x"),
        *("gs://bucket/p", "S3://bucket/p", "s3a://bucket/p"),
    ],
)
def test_a_url_or_an_arn_is_no_location(problems, kind, location):
    assert problems(f"sources: [{{type: {kind}, location: '{location}'}}]") == [
        f"sources[0].location: '{location}' is neither s3://bucket/prefix nor a folder; "
        "write one of the two, a folder as its path alone"
    ]


@pytest.mark.parametrize("section", ["attribution", "assistants.users"])
@pytest.mark.parametrize("key", ["include", "exclude"])
@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_pattern_of_names_is_refused(problems, section, key, blank):
    patterns = f"{{{key}: [x, '${{BLANK}}']}}"
    value = f"{{users: {patterns}}}" if section == "assistants.users" else patterns
    text = f"{SOURCES}{section.partition('.')[0]}: {value}"
    assert problems(text, {"BLANK": blank}) == [
        f"{section}.{key}[1]: '{blank}' is neither a part nor a pattern of a name; leave it out"
    ]


@pytest.mark.parametrize("value", ["''", "' '", "[x, '']"])
def test_a_limit_on_a_blank_value_is_refused(problems, value):
    (said,) = problems(SOURCES + f"limits: [{{{LIMIT}, match: {{user: {value}}}}}]")
    assert re.fullmatch(
        r"limits\[0\]\.match\.user: ' ?' is no label's value; name one, or leave it out", said
    )


def test_logs_of_every_kind_may_lie_at_one_location(read):
    config = read("""sources:
  - {type: invocation_logs, location: logs}
  - {type: prompt_logs, location: logs}
  - {type: activity_reports, location: logs}
  - {type: kiro_reports, location: logs/below}
""")
    assert [source.type for source in config.sources] == [
        *("invocation_logs", "prompt_logs", "activity_reports", "kiro_reports")
    ]


def test_the_default_rules_are_valid_and_name_their_users(read):
    rules = read(SOURCES).attribution.rules
    assert [rule.names_user for rule in rules] == [True, True, True, False, True]


MEASURES = (
    "cost_usd, tokens, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, "
    "requests, request_errors"
)
LABEL_NAMES = "account_id, region, application, user, model"
TOP_KEYS = (
    "assistants, attribution, aws, ledger, limits, metrics, models, prices, privacy, "
    "refresh_interval, retention_months, sources, timezone"
)
LIMIT = "name: a, measure: tokens, period: day, threshold: 1"
PRICE = "usd_per_million_tokens: {input: 1}"

MISTAKES = [
    # the document
    ("", "sources: is required"),
    ("[]", "[] is not a mapping of keys to values"),
    ("text", "'text' is not a mapping of keys to values"),
    ("timezone: [", "line 1, column 12: expected the node content, but found '<stream end>'"),
    ("a: b: c", "line 1, column 5: mapping values are not allowed here"),
    ("\ta: 1", "line 1, column 1: found character '\\t' that cannot start any token"),
    ("---\na: 1\n---\nb: 2", "line 3, column 1: but found another document"),
    (
        "a: !!python/object:os.system x",
        "line 1, column 4: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/object:os.system'",
    ),
    (b"a: \xff", "is not UTF-8 text"),
    (SOURCES + SOURCES, "line 2, column 1: key 'sources' stands twice"),
    (
        SOURCES + "metrics:\n  labels: [user]\n  labels: []",
        "line 4, column 3: key 'labels' stands twice",
    ),
    # keys
    (SOURCES + "timezon: UTC", "timezon: unknown key; did you mean 'timezone'?"),
    (SOURCES + "zzz: 1", f"zzz: unknown key; known keys: {TOP_KEYS}"),
    (SOURCES + "metrics: {label: []}", "metrics.label: unknown key; did you mean 'labels'?"),
    (SOURCES + "privacy: {zzz: 1}", "privacy.zzz: unknown key; known keys: key, users"),
    (SOURCES + "metrics: 5", "metrics: 5 is not a mapping of keys to values"),
    (SOURCES + "metrics:", "metrics: None is not a mapping of keys to values"),
    # sources
    ("sources:", "sources: None is not a list"),
    ("sources: {}", "sources: {} is not a list"),
    ("sources: []", "sources: names none; at least one is needed"),
    ("sources: [logs]", "sources[0]: 'logs' is not a mapping of keys to values"),
    ("sources: [{type: invocation_logs}]", "sources[0].location: is required"),
    (
        "sources: [{type: invocation_log, location: logs}]",
        "sources[0].type: 'invocation_log' is not one of invocation_logs, athena, prompt_logs, "
        "activity_reports, kiro_reports",
    ),
    (
        "sources: [{type: invocation_logs, location: logs, lookbak: 5h}]",
        "sources[0].lookbak: unknown key; did you mean 'lookback'?",
    ),
    (
        "sources: [{type: invocation_logs, location: logs, lookback: 5m}]",
        "sources[0].lookback: must be 3600s or more",
    ),
    (
        "sources: [{type: invocation_logs, location: logs, duplicates_window: 0s}]",
        "sources[0].duplicates_window: must be 3600s or more",
    ),
    (
        "sources: [{type: invocation_logs, location: logs, max_record_bytes: 5}]",
        "sources[0].max_record_bytes: 5: input should be greater than or equal to 1024",
    ),
    (
        "sources: [{type: invocation_logs, location: logs, name: two words}]",
        "sources[0].name: 'two words' is not a name of 1 to 64 letters, digits, '_', '.' or '-'",
    ),
    (
        "sources: [{type: invocation_logs, location: ''}]",
        "sources[0].location: '': string should have at least 1 character",
    ),
    (
        "sources: [{type: invocation_logs, location: 's3://B/x'}]",
        "sources[0].location: 's3://B/x' is not s3://bucket/prefix",
    ),
    (
        "sources: [{type: invocation_logs, location: a}, {type: invocation_logs, location: b}]",
        "sources[1].name: 'invocation_logs' is taken by sources[0]",
    ),
    (
        "sources: [{type: invocation_logs, location: a}, "
        "{type: invocation_logs, location: a/b, name: b}]",
        "sources[1].location: 'a/b' overlaps that of sources[0]; "
        "each log may be read by one source only",
    ),
    (
        "sources: [{type: invocation_logs, location: 's3://bucket/x/'}, "
        "{type: invocation_logs, location: 's3://bucket', name: b}]",
        "sources[1].location: 's3://bucket' overlaps that of sources[0]; "
        "each log may be read by one source only",
    ),
    (
        "sources: [{type: invocation_logs, location: a}, "
        "{type: invocation_logs, location: ./x/../a/, name: b}]",
        "sources[1].location: './x/../a/' overlaps that of sources[0]; "
        "each log may be read by one source only",
    ),
    (
        "sources: [{type: invocation_logs, location: 's3://bucket'}, "
        "{type: athena, location: 's3://bucket/x', region: us-east-1}]",
        "sources[1].location: 's3://bucket/x' overlaps that of sources[0]; "
        "each log may be read by one source only",
    ),
    *(
        (
            f"sources: [{{type: {kind}, location: a/b}}, {{type: {kind}, location: a, name: b}}]",
            "sources[1].location: 'a' overlaps that of sources[0]; "
            "each log may be read by one source only",
        )
        for kind in ("prompt_logs", "activity_reports", "kiro_reports")
    ),
    # values
    (
        SOURCES + "timezone: Mars/Base",
        "timezone: 'Mars/Base' is not a time zone such as UTC or Europe/Berlin",
    ),
    (
        SOURCES + "timezone: ../../etc/passwd",
        "timezone: '../../etc/passwd' is not a time zone such as UTC or Europe/Berlin",
    ),
    (
        SOURCES + "timezone: Europe",
        "timezone: 'Europe' is not a time zone such as UTC or Europe/Berlin",
    ),
    (
        SOURCES + "timezone: ''",
        "timezone: '' is not a time zone such as UTC or Europe/Berlin",
    ),
    (
        SOURCES + "refresh_interval: 5",
        "refresh_interval: 5 is not a duration such as 30s, 5m, 48h, 7d or 1h30m",
    ),
    (
        SOURCES + "refresh_interval: 5 minutes",
        "refresh_interval: '5 minutes' is not a duration such as 30s, 5m, 48h, 7d or 1h30m",
    ),
    (
        SOURCES + "refresh_interval: ''",
        "refresh_interval: '' is not a duration such as 30s, 5m, 48h, 7d or 1h30m",
    ),
    (
        SOURCES + "metrics: {counter_birth: -5m}",
        "metrics.counter_birth: '-5m' is not a duration such as 30s, 5m, 48h, 7d or 1h30m",
    ),
    (SOURCES + "refresh_interval: 0s", "refresh_interval: must be 1s or more"),
    (
        SOURCES + "retention_months: 1",
        "retention_months: 1: input should be greater than or equal to 2",
    ),
    (
        SOURCES + "metrics: {labels: [usr]}",
        f"metrics.labels[0]: 'usr' is not one of {LABEL_NAMES}",
    ),
    (SOURCES + "metrics: {labels: user}", "metrics.labels: 'user' is not a list"),
    (SOURCES + "metrics: {labels: [user, user]}", "metrics.labels: names a label twice"),
    (
        SOURCES + "metrics: {max_series: 5}",
        "metrics.max_series: 5: input should be greater than or equal to 100",
    ),
    (
        SOURCES + "privacy: {users: hide}",
        "privacy.users: 'hide' is not one of plain, pseudonym, drop",
    ),
    (
        SOURCES + "aws: {max_cost_usd_per_day: -1}",
        "aws.max_cost_usd_per_day: -1: input should be greater than or equal to 0",
    ),
    (
        SOURCES + "aws: {max_cost_usd_per_day: .nan}",
        "aws.max_cost_usd_per_day: nan: input should be a finite number",
    ),
    (
        SOURCES + "privacy: {users: pseudonym, key: hunter2}",
        "privacy.key: string should have at least 16 characters",
    ),
    (SOURCES + "models: [a]", "models: ['a'] is not a mapping of keys to values"),
    (SOURCES + "models: {a: nonsense}", "models.a: 'nonsense' is not a model or profile id"),
    (
        SOURCES + f"prices: {{overrides: [{{model: us.amazon.nova-pro-v1:0, {PRICE}}}]}}",
        "prices.overrides[0].model: 'us.amazon.nova-pro-v1:0' is a profile id; "
        "name the model, 'amazon.nova-pro-v1:0', and `routing`",
    ),
    (
        SOURCES + f"prices: {{overrides: [{{model: a.b, region: mars-9, {PRICE}}}]}}",
        "prices.overrides[0].region: 'mars-9' is neither a region such as us-east-1 nor '*'",
    ),
    (SOURCES + "models: {a: 5}", "models.a: 5: input should be a valid string"),
    # values that YAML reads otherwise than they were meant
    (
        SOURCES + f"limits: [{{{LIMIT}, match: {{account_id: 111122223333}}}}]",
        "limits[0].match.account_id: 111122223333 is not text; quote it: '111122223333'",
    ),
    (
        SOURCES + f"limits: [{{{LIMIT}, match: {{user: []}}}}]",
        "limits[0].match.user: names no value",
    ),
    (SOURCES + "ledger: ''", "ledger: names no file"),
    (
        SOURCES + "refresh_interval: 99999999999999d",
        "refresh_interval: '99999999999999d' is more than 3650d",
    ),
    (
        "sources: [{type: invocation_logs, location: 's3:bucket'}]",
        "sources[0].location: 's3:bucket' is not s3://bucket/prefix",
    ),
    (
        "sources: [{type: invocation_logs, location: 's3://bucket/*/x'}]",
        "sources[0].location: 's3://bucket/*/x' holds '*', which no location may",
    ),
    (
        "sources: [{type: invocation_logs, location: 's3://bucket/?/x'}]",
        "sources[0].location: 's3://bucket/?/x' holds '?', which no location may",
    ),
    (
        "sources: [{type: invocation_logs, location: 's3://bucket/{region_/x'}]",
        "sources[0].location: 's3://bucket/{region_/x' holds '{', which no location may",
    ),
    (
        "sources: [{type: invocation_logs, location: 's3://bucket/$x/x'}]",
        "sources[0].location: 's3://bucket/$x/x' holds '$', which no location may",
    ),
    (
        "sources: [{type: invocation_logs, location: 's3://bucket/}/x'}]",
        "sources[0].location: 's3://bucket/}/x' holds '}', which no location may",
    ),
    (
        'sources: [{type: athena, region: us-east-1, location: "s3://bucket/a\\tb"}]',
        "sources[0].location: 's3://bucket/a\\tb' holds '\\t', which no location may",
    ),
    # attribution
    (
        SOURCES + "attribution: {applications: {Crm: {teem: sales}}}",
        "attribution.applications.Crm.teem: unknown key; did you mean 'team'?",
    ),
    (
        SOURCES + "attribution: {rules: [{from: principal, match: '('}]}",
        "attribution.rules[0].match: '(' is not a regular expression: "
        "missing ), unterminated subpattern at position 0",
    ),
    (
        SOURCES + "attribution: {rules: [{from: principal, match: 5}]}",
        "attribution.rules[0].match: 5 is not a regular expression",
    ),
    (
        SOURCES + "attribution: {rules: [{from: principal, match: x}]}",
        "attribution.rules[0]: names neither an application nor a user",
    ),
    (
        SOURCES + "attribution: {rules: [{from: principal, match: '(?P<usr>x)(?P<app>x)'}]}",
        "attribution.rules[0]: match: groups are application and user, not app, usr",
    ),
    (
        SOURCES + "attribution: {rules: [{from: metadata, match: x, user: a}]}",
        "attribution.rules[0]: 'from: metadata' needs the 'key' to look at",
    ),
    (
        SOURCES + "attribution: {rules: [{from: principal, key: a, match: x, user: a}]}",
        "attribution.rules[0]: 'key' goes with 'from: metadata' and 'from: profile' only",
    ),
    (
        SOURCES + "attribution: {rules: [{from: principals, match: x, user: a}]}",
        "attribution.rules[0].from: 'principals' is not one of principal, metadata, profile",
    ),
    (
        SOURCES + "attribution: {rules: [{from: principal, mtch: x, match: x, user: a}]}",
        "attribution.rules[0].mtch: unknown key; did you mean 'match'?",
    ),
    (SOURCES + "attribution: {include: x}", "attribution.include: 'x' is not a list"),
    (
        SOURCES + "attribution: {applications: {Crm: sales}}",
        "attribution.applications.Crm: 'sales' is not a mapping of keys to values",
    ),
    # limits
    (
        SOURCES + "limits: [{name: a, measure: tokens, period: monthly, threshold: 1}]",
        "limits[0].period: 'monthly' is not one of day, week, month",
    ),
    (
        SOURCES + "limits: [{name: a, measure: cost, period: day, threshold: 1}]",
        "limits[0].measure: 'cost' is no measure of bedrock; did you mean 'cost_usd'?",
    ),
    (
        SOURCES + "limits: [{name: a, measure: dollars, period: day, threshold: 1}]",
        f"limits[0].measure: 'dollars' is no measure of bedrock; those are {MEASURES}",
    ),
    (
        SOURCES + "limits: [{name: a, measure: tokens, period: day, threshold: 0}]",
        "limits[0].threshold: 0: input should be greater than or equal to 1E-9",
    ),
    (
        SOURCES + "limits: [{name: a, measure: tokens, period: day, threshold: .inf}]",
        "limits[0].threshold: inf: input should be a finite number",
    ),
    (
        SOURCES + "limits: [{name: a, measure: tokens, period: day, threshold: many}]",
        "limits[0].threshold: 'many': input should be a valid decimal",
    ),
    (
        SOURCES + f"limits: [{{{LIMIT}}}, {{{LIMIT}}}]",
        "limits[1].name: 'a' is taken by limits[0]",
    ),
    (
        SOURCES + f"limits: [{{{LIMIT}, match: {{usr: x}}}}]",
        f"limits[0].match.usr: 'usr' is not one of {LABEL_NAMES}",
    ),
    (
        SOURCES + f"limits: [{{{LIMIT}, match: {{user: x}}, by: [user]}}]",
        "limits[0]: user in both match and by",
    ),
    (
        SOURCES + f"limits: [{{{LIMIT}, by: [user, user]}}]",
        "limits[0].by: names a label twice",
    ),
    (SOURCES + f"limits: [{{{LIMIT}, by: user}}]", "limits[0].by: 'user' is not a list"),
    # prices
    (
        SOURCES + f"prices: {{overrides: [{{{PRICE}}}]}}",
        "prices.overrides[0].model: is required",
    ),
    (
        SOURCES + "prices: {overrides: [{model: a.b, usd_per_million_tokens: {inputs: 1}}]}",
        "prices.overrides[0].usd_per_million_tokens.inputs: "
        "'inputs' is not one of input, output, cache_read, cache_write, cache_write_1h",
    ),
    (
        SOURCES + "prices: {overrides: [{model: a.b, usd_per_million_tokens: {input: -1}}]}",
        "prices.overrides[0].usd_per_million_tokens.input: "
        "-1: input should be greater than or equal to 0",
    ),
    (
        SOURCES + f"prices: {{overrides: [{{model: a.b, context_from: 5, {PRICE}}}]}}",
        f"prices.overrides[0]: context_from: 5 is not one of {', '.join(map(str, CONTEXT_BANDS))}",
    ),
    (
        SOURCES + f"prices: {{overrides: [{{model: a.b, routing: local, {PRICE}}}]}}",
        "prices.overrides[0].routing: 'local' is not one of *, in_region, geo, global",
    ),
    (
        SOURCES + f"prices: {{overrides: [{{model: a.b, service_tier: x, {PRICE}}}]}}",
        "prices.overrides[0].service_tier: 'x' is not one of "
        "standard, flex, priority, reserved, batch, latency_optimized",
    ),
    # the environment
    (
        SOURCES + "ledger: '${STATE}/ledger'",
        "ledger: environment variable STATE is not set",
    ),
    (
        SOURCES + "attribution: {include: [x, '${STATE}']}",
        "attribution.include[1]: environment variable STATE is not set",
    ),
]


@pytest.mark.parametrize(
    ("text", "problem"), MISTAKES, ids=[re.sub(r"\W+", " ", said) for _, said in MISTAKES]
)
def test_a_mistake_is_named_by_its_place(problems, text, problem):
    assert problems(text) == [problem]


def test_all_mistakes_are_named_at_once(problems):
    assert problems("""
timezone: Mars
refresh_intervall: 5m
ledger: '${STATE}/ledger'
sources:
  - {type: invocation_logs, location: logs, lookback: soon}
  - {type: invocation_logs}
limits:
  - {name: a b, measure: tokens, period: day, threshold: 1}
  - {}
""") == [
        "ledger: environment variable STATE is not set",
        "timezone: 'Mars' is not a time zone such as UTC or Europe/Berlin",
        "sources[0].lookback: 'soon' is not a duration such as 30s, 5m, 48h, 7d or 1h30m",
        "limits[0].name: 'a b' is not a name of 1 to 64 letters, digits, '_', '.' or '-'",
        "limits[1].name: is required",
        "limits[1].measure: is required",
        "limits[1].period: is required",
        "limits[1].threshold: is required",
        "refresh_intervall: unknown key; did you mean 'refresh_interval'?",
        "sources[1].name: 'invocation_logs' is taken by sources[0]",
        "sources[1].location: is required",
    ]


def test_every_clash_between_sections_is_named_at_once(problems):
    assert problems(f"""
sources:
  - {{type: invocation_logs, location: logs}}
  - {{type: invocation_logs, location: logs}}
  - {{type: invocation_logs, location: logs}}
limits: [{{{LIMIT}}}, {{{LIMIT}}}]
metrics: {{labels: [user, user]}}
""") == [
        "metrics.labels: names a label twice",
        "sources[1].name: 'invocation_logs' is taken by sources[0]",
        "sources[2].name: 'invocation_logs' is taken by sources[0]",
        "limits[1].name: 'a' is taken by limits[0]",
        *(
            f"sources[{one}].location: 'logs' overlaps that of sources[{other}]; "
            "each log may be read by one source only"
            for one, other in [(1, 0), (2, 0), (2, 1)]
        ),
    ]


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.yaml", {})
    assert caught.value.problems == [
        f"{tmp_path}/none.yaml: cannot be read: No such file or directory"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("? [a]\n: b\n", "line 1, column 3: a key must be text"),
        ("models: &models\n  a: *models\n", "an alias refers to what it stands in"),
    ],
)
def test_a_key_or_alias_that_no_configuration_has_is_refused(problems, text, problem):
    assert problems(text) == [problem]


def test_a_folder_is_no_configuration(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})
    assert caught.value.problems == [f"{tmp_path}: cannot be read: Is a directory"]
