"""aws.accounts and the sources that read them: what a file with several accounts comes to."""

import pickle
import re
import textwrap

import pytest
from botocore.loaders import create_loader

from exporter.config import Athena, ConfigError, InvocationLogs, load, partition_of
from tools import ROOT

SHOP = "arn:aws:iam::111122223333:role/BedrockLogReader"
BANK = "arn:aws:iam::444455556666:role/tools/BedrockLogReader"
CHINA = "arn:aws-cn:iam::777788889999:role/BedrockLogReader"


@pytest.fixture
def read(tmp_path):
    def read_config(text):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return load(path, {})

    return read_config


@pytest.fixture
def problems(read, tmp_path):
    """Return the problems of a bad configuration, without the path that each begins with."""

    def problems_of(text):
        with pytest.raises(ConfigError) as caught:
            read(text)
        return [line.removeprefix(f"{tmp_path}/config.yaml: ") for line in caught.value.problems]

    return problems_of


TWO_ACCOUNTS = f"""
aws:
  accounts:
    - name: shop
      role_arn: {SHOP}
      regions: [us-east-1, eu-central-1]
      location: s3://shop-{{account_id}}-{{region}}/bedrock
    - role_arn: {BANK}
      external_id: s3cr3t-of-the-bank
      regions: [eu-west-1, eu-north-1]
      location: s3://bank-logs
"""


def test_a_source_without_a_location_stands_for_all_accounts_and_regions(read):
    config = read("sources: [{type: invocation_logs, lookback: 72h}]" + TWO_ACCOUNTS)
    assert [(source.name, source.account, source.location) for source in config.sources] == [
        ("invocation_logs-shop-us-east-1", "shop", "s3://shop-111122223333-us-east-1/bedrock"),
        (
            "invocation_logs-shop-eu-central-1",
            "shop",
            "s3://shop-111122223333-eu-central-1/bedrock",
        ),
        ("invocation_logs-444455556666", "444455556666", "s3://bank-logs"),
    ]
    assert {source.lookback.days for source in config.sources} == {3}


def test_every_kind_of_log_is_read_where_the_logs_of_an_account_lie(read):
    kinds = ["invocation_logs", "prompt_logs", "activity_reports", "kiro_reports"]
    sources = ", ".join(f"{{type: {kind}}}" for kind in kinds)
    config = read(f"sources: [{sources}]{TWO_ACCOUNTS}")
    assert len(config.sources) == 12
    places = [
        ("shop-us-east-1", "s3://shop-111122223333-us-east-1/bedrock"),
        ("shop-eu-central-1", "s3://shop-111122223333-eu-central-1/bedrock"),
        ("444455556666", "s3://bank-logs"),
    ]
    assert [(source.name, source.location) for source in config.sources] == [
        (f"{kind}-{whose}", location) for kind in kinds for whose, location in places
    ]


def test_a_source_that_names_an_account_stands_for_it_alone(read):
    config = read("sources: [{type: invocation_logs, name: logs, account: shop}]" + TWO_ACCOUNTS)
    assert [source.name for source in config.sources] == [
        "logs-shop-us-east-1",
        "logs-shop-eu-central-1",
    ]


def test_an_account_without_a_location_is_passed_over(read):
    config = read(
        "sources: [{type: invocation_logs}]"
        + TWO_ACCOUNTS
        + "    - {name: spare, role_arn: 'arn:aws:iam::1234567890"
        + "12:role/Spare', regions: [us-east-1]}"
    )
    assert [source.account for source in config.sources] == ["shop", "shop", "444455556666"]


def test_a_source_with_a_location_is_read_in_the_role_that_it_names(read):
    config = read(
        "sources: [{type: invocation_logs, account: shop, location: 's3://other'}]" + TWO_ACCOUNTS
    )
    (source,) = config.sources
    assert (source.name, source.location) == ("invocation_logs", "s3://other")
    assert config.aws.account(source.account).role_arn == SHOP


def test_a_source_that_names_no_account_has_the_ambient_credentials(read):
    config = read("sources: [{type: invocation_logs, location: 's3://own'}]" + TWO_ACCOUNTS)
    assert config.sources[0].account is None
    assert config.aws.account(None) is None


def test_athena_is_asked_in_the_region_that_the_location_names(read):
    config = read("sources: [{type: athena, account: shop}]" + TWO_ACCOUNTS)
    assert [(source.name, source.region, source.location) for source in config.sources] == [
        ("athena-shop-us-east-1", "us-east-1", "s3://shop-111122223333-us-east-1/bedrock"),
        ("athena-shop-eu-central-1", "eu-central-1", "s3://shop-111122223333-eu-central-1/bedrock"),
    ]


def test_a_region_that_is_written_stays(read):
    config = read(
        "sources: [{type: athena, account: '444455556666', region: eu-west-3}]" + TWO_ACCOUNTS
    )
    assert [source.region for source in config.sources] == ["eu-west-3"]


@pytest.mark.parametrize("location", ["", ", location: 's3://logs'"])
def test_athena_is_asked_in_the_only_region_of_an_account(read, location):
    config = read(f"""
sources: [{{type: athena, account: bank{location}}}]
aws: {{accounts: [{{name: bank, role_arn: '{BANK}', regions: [eu-west-1], location: 's3://other'}}]}}
""")
    assert config.sources[0].region == "eu-west-1"


def test_the_owners_of_a_bucket_that_may_not_be_listed_are_those_of_the_account(read):
    config = read("sources: [{type: athena, account: shop, list_objects: false}]" + TWO_ACCOUNTS)
    assert [source.owners for source in config.sources] == [
        {"111122223333": ("us-east-1",)},
        {"111122223333": ("eu-central-1",)},
    ]


def test_every_key_of_athena_is_read(read):
    config = read("""
sources:
  - type: athena
    location: s3://logs/bedrock
    region: us-gov-west-1
    database: my_logs
    table: bedrock
    workgroup: finance.team
    list_objects: false
    owners: {'111122223333': [us-gov-west-1, us-gov-east-1]}
    lookback: 24h
    query_timeout: 5m
    usd_per_terabyte: 6.75
""")
    (source,) = config.sources
    assert (source.name, source.database, source.table) == ("athena", "my_logs", "bedrock")
    assert (source.workgroup, source.list_objects) == ("finance.team", False)
    assert source.owners == {"111122223333": ("us-gov-west-1", "us-gov-east-1")}
    assert (source.lookback.days, source.query_timeout.seconds) == (1, 300)
    assert str(source.usd_per_terabyte) == "6.75"


def test_one_organization_wide_bucket_needs_no_accounts(read):
    config = read("sources: [{type: athena, location: 's3://org-logs', region: us-east-1}]")
    assert [(source.name, source.account) for source in config.sources] == [("athena", None)]


def test_twelve_accounts_of_two_regions_are_twenty_four_sources(read):
    accounts = "".join(
        f"    - {{name: team{n:02}, role_arn: 'arn:aws:iam::{n:012}:role/Reader', "
        "regions: [us-east-1, eu-west-1], location: 's3://logs-{account_id}-{region}'}\n"
        for n in range(1, 13)
    )
    config = read(f"sources: [{{type: athena}}]\naws:\n  accounts:\n{accounts}")
    assert len(config.sources) == len({source.location for source in config.sources}) == 24
    assert config.sources[-1].location == "s3://logs-000000000012-eu-west-1"
    assert config.sources[-1].region == "eu-west-1"


def test_an_account_can_be_given_to_another_process_and_kept_in_a_set(read):
    shop = read("sources: [{type: invocation_logs}]" + TWO_ACCOUNTS).aws.account("shop")
    assert {pickle.loads(pickle.dumps(shop))} == {shop}
    assert (shop.account_id, shop.partition) == ("111122223333", "aws")


def test_an_external_id_is_not_shown(read, problems):
    config = read("sources: [{type: invocation_logs}]" + TWO_ACCOUNTS)
    assert "s3cr3t" not in repr(config)
    for bad in ("[s3cr3t]", "s" * 1225):
        text = TWO_ACCOUNTS.replace("s3cr3t-of-the-bank", bad)
        (problem,) = problems("sources: [{type: invocation_logs}]" + text)
        assert problem.startswith("aws.accounts[1].external_id: ")
        assert bad not in problem


def test_regions_are_of_the_partition_that_aws_says():
    regions = {
        region: partition["id"]
        for partition in create_loader().load_data("partitions")["partitions"]
        for region in partition["regions"]
        if not region.startswith("aws")
    }
    assert len(regions) > 40
    assert {region: partition_of(region) for region in regions} == regions


LOGS = "sources: [{type: invocation_logs}]"
ATHENA_KEYS = (
    "account, database, list_objects, location, lookback, name, owners, query_timeout, region, "
    "table, type, usd_per_terabyte, workgroup"
)
SHOP_ONLY = (
    f"\naws: {{accounts: [{{name: shop, role_arn: '{SHOP}', regions: [us-east-1, us-west-2]}}]}}"
)
NAME_OF_60 = "n" * 60

MISTAKES = [
    # which account, which location
    (LOGS, "sources[0].location: is required"),
    (LOGS + SHOP_ONLY, "sources[0].location: is required, as no entry of aws.accounts has one"),
    (
        "sources: [{type: invocation_logs, account: shop}]" + SHOP_ONLY,
        "sources[0].location: is required, as no account 'shop' has one",
    ),
    (
        "sources: [{type: invocation_logs, account: shp}]" + TWO_ACCOUNTS,
        "sources[0].account: aws.accounts has no 'shp'; known: shop, 444455556666",
    ),
    (
        "sources: [{type: invocation_logs, account: x, location: 's3://logs'}]",
        "sources[0].account: aws.accounts has no 'x'; known: none",
    ),
    (
        "sources: [{type: invocation_logs, account: shop, location: logs}]" + SHOP_ONLY,
        "sources[0].account: goes with an s3:// location only",
    ),
    (
        "sources: [{type: invocation_logs, location: 's3://logs/{region}'}]",
        "sources[0].location: '{region}' is filled in only in the location of aws.accounts",
    ),
    # accounts
    (
        LOGS + TWO_ACCOUNTS.replace("{region}", "{regoin}"),
        "aws.accounts[0].location: '{regoin}' is neither {account_id} nor {region}",
    ),
    (
        LOGS + TWO_ACCOUNTS.replace("{region}", "*"),
        "aws.accounts[0].location: 's3://shop-{account_id}-*/bedrock' holds '*', "
        "which no location may",
    ),
    (
        LOGS + TWO_ACCOUNTS.replace("{region}", "{region"),
        "aws.accounts[0].location: '{region/bedrock' is neither {account_id} nor {region}",
    ),
    (
        LOGS + TWO_ACCOUNTS.replace("s3://bank-logs", "logs/bank"),
        "aws.accounts[1]: location: 'logs/bank' is not s3://bucket/prefix",
    ),
    (
        LOGS + TWO_ACCOUNTS.replace("s3://shop-", f"s3://{'a' * 40}-"),
        f"aws.accounts[0]: location: 's3://{'a' * 40}-111122223333-eu-central-1/bedrock' "
        "is not s3://bucket/prefix",
    ),
    (
        LOGS + TWO_ACCOUNTS.replace(f"role_arn: {BANK}", f"name: shop\n      role_arn: {BANK}"),
        "aws.accounts[1].name: 'shop' is taken by aws.accounts[0]",
    ),
    (
        LOGS + TWO_ACCOUNTS.replace(SHOP, CHINA),
        "aws.accounts[0]: regions: 'us-east-1' is not in aws-cn, the partition of role_arn",
    ),
    (
        LOGS + TWO_ACCOUNTS.replace("us-east-1, eu-central-1", "us-east-1, us-east-1"),
        "aws.accounts[0].regions: names a region twice",
    ),
    (
        LOGS + TWO_ACCOUNTS.replace("us-east-1, eu-central-1", ""),
        "aws.accounts[0].regions: names none; at least one is needed",
    ),
    (
        LOGS + TWO_ACCOUNTS.replace("us-east-1", "us_east_1"),
        "aws.accounts[0].regions[0]: 'us_east_1' is not a region such as us-east-1",
    ),
    (
        LOGS + TWO_ACCOUNTS.replace(SHOP, "arn:aws:iam::111122223333:user/alice"),
        "aws.accounts[0].role_arn: 'arn:aws:iam::111122223333:user/alice' is not the ARN of a "
        "role, arn:aws:iam::111122223333:role/Name",
    ),
    (
        LOGS + TWO_ACCOUNTS.replace("external_id", "externalid"),
        "aws.accounts[1].externalid: unknown key; did you mean 'external_id'?",
    ),
    (
        "sources: [{type: invocation_logs, account: shop}]" + SHOP_ONLY.replace("name", "nam"),
        "aws.accounts[0].nam: unknown key; did you mean 'name'?",
    ),
    # names
    (
        f"sources: [{{type: invocation_logs, name: {NAME_OF_60}, account: '444455556666'}}]"
        + TWO_ACCOUNTS,
        f"sources[0].name: '{NAME_OF_60}-444455556666' has more than 64 characters; "
        "shorten that of the source or of the account",
    ),
    (
        "sources: [{type: invocation_logs, account: '444455556666'}, "
        "{type: invocation_logs, name: invocation_logs-444455556666, location: logs}]"
        + TWO_ACCOUNTS,
        "sources[1].name: 'invocation_logs-444455556666' is taken by "
        "sources[0] (account '444455556666')",
    ),
    # logs that two would read
    (
        "sources: [{type: invocation_logs, location: 's3://bank-logs/x'}, "
        "{type: invocation_logs, name: all}]" + TWO_ACCOUNTS,
        "sources[1].location: 's3://bank-logs' (account '444455556666') overlaps that of "
        "sources[0]; each log may be read by one source only",
    ),
    (
        "sources: [{type: athena, region: us-east-1, location: 's3://logs'}, "
        "{type: invocation_logs, location: 's3://logs'}]",
        "sources[1].location: 's3://logs' overlaps that of sources[0]; "
        "each log may be read by one source only",
    ),
    (
        LOGS + TWO_ACCOUNTS.replace("s3://shop-{account_id}-{region}/bedrock", "s3://bank-logs"),
        "sources[0].location: 's3://bank-logs' (account '444455556666') overlaps that of "
        "sources[0] (account 'shop'); each log may be read by one source only",
    ),
    (
        "sources: [{type: invocation_logs, account: shop}, {type: athena, account: shop}]"
        + TWO_ACCOUNTS,
        "sources[1].location: 's3://shop-111122223333-us-east-1/bedrock' (account 'shop') "
        "overlaps that of sources[0] (account 'shop'); each log may be read by one source only",
    ),
    # athena
    (
        "sources: [{type: athena, location: logs, region: us-east-1}]",
        "sources[0]: location: 'logs' is not s3://bucket/prefix",
    ),
    ("sources: [{type: athena, location: 's3://logs'}]", "sources[0].region: is required"),
    (
        "sources: [{type: athena, account: shop, location: 's3://logs'}]" + SHOP_ONLY,
        "sources[0].region: is required, as account 'shop' has several",
    ),
    (
        "sources: [{type: athena, account: '444455556666'}]" + TWO_ACCOUNTS,
        "sources[0].region: is required, as account '444455556666' has several",
    ),
    (
        "sources: [{type: athena, account: shop, location: 's3://usage', region: cn-north-1}]"
        + SHOP_ONLY,
        "sources[0].region: 'cn-north-1' is not in aws, the partition of account 'shop'",
    ),
    (
        "sources: [{type: athena, account: shop, region: us-east-1}]" + TWO_ACCOUNTS,
        "sources[0].table: 'invocation_logs' of 'bedrock_exporter' in us-east-1 is that of "
        "sources[0] (account 'shop'); a table has one location",
    ),
    (
        "sources: [{type: athena, location: 's3://usage', region: us-east-1}, "
        "{type: athena, name: b, location: 's3://other', region: us-east-1}]",
        "sources[1].table: 'invocation_logs' of 'bedrock_exporter' in us-east-1 is that of "
        "sources[0]; a table has one location",
    ),
    (
        "sources: [{type: athena, location: 's3://usage', region: us-east-1, list_objects: false}]",
        "sources[0]: 'list_objects: false' needs 'owners', whose logs to ask for",
    ),
    (
        "sources: [{type: athena, location: 's3://usage', region: us-east-1, "
        "owners: {'111122223333': [us-east-1]}}]",
        "sources[0]: 'owners' goes with 'list_objects: false', and only with it",
    ),
    (
        "sources: [{type: athena, account: shop, list_objects: false, "
        "owners: {'111122223333': [us-east-1]}}]" + TWO_ACCOUNTS,
        "sources[0]: 'owners' goes with 'location'; without it, aws.accounts are the owners",
    ),
    (
        "sources: [{type: athena, location: 's3://usage', region: us-east-1, list_objects: false, "
        "owners: {'111122223333': [us-gov-west-1]}}]",
        "sources[0].owners.111122223333: 'us-gov-west-1' is not in aws, the partition of "
        "'us-east-1'",
    ),
    (
        "sources: [{type: athena, location: 's3://usage', region: us-east-1, list_objects: false, "
        "owners: {111122223333: [us-east-1]}}]",
        "sources[0].owners[111122223333]: 111122223333 is not an account id of 12 digits; quote it",
    ),
    (
        "sources: [{type: athena, location: 's3://usage', region: us-east-1, list_objects: false, "
        "owners: {'111122223333': []}}]",
        "sources[0].owners.111122223333: names none; at least one is needed",
    ),
    (
        "sources: [{type: athena, location: 's3://usage', region: us-east-1, database: 'a; drop'}]",
        "sources[0].database: 'a; drop' is not a name of small letters, digits and '_'",
    ),
    (
        "sources: [{type: athena, location: 's3://usage', region: us-east-1, table: 'a\"b'}]",
        "sources[0].table: 'a\"b' is not a name of small letters, digits and '_'",
    ),
    (
        "sources: [{type: athena, location: 's3://usage', region: us-east-1, workgroup: \"a'b\"}]",
        "sources[0].workgroup: \"a'b\" is not a name of letters, digits, '.', '_' and '-'",
    ),
    (
        "sources: [{type: athena, location: 's3://usage', region: us-east-1, query_timeout: 1s}]",
        "sources[0].query_timeout: must be 10s or more",
    ),
    (
        "sources: [{type: athena, location: 's3://usage', regoin: us-east-1, region: us-east-1}]",
        "sources[0].regoin: unknown key; did you mean 'region'?",
    ),
    (
        "sources: [{type: athena, location: 's3://usage', region: us-east-1, max_object_bytes: 5}]",
        f"sources[0].max_object_bytes: unknown key; known keys: {ATHENA_KEYS}",
    ),
    ("sources: [{location: 's3://usage'}]", "sources[0].type: is required"),
]


@pytest.mark.parametrize(
    ("text", "problem"), MISTAKES, ids=[re.sub(r"\W+", " ", said)[:90] for _, said in MISTAKES]
)
def test_a_mistake_is_named_by_its_place(problems, text, problem):
    assert problems(text) == [problem]


def test_all_mistakes_of_accounts_are_named_at_once(problems):
    assert problems("""
sources:
  - {type: invocation_logs, name: a, account: shop}
  - {type: athena, name: b, region: us-east-1, location: 's3://logs/x'}
  - {type: invocation_logs, name: c, location: 's3://logs'}
aws:
  max_cost_usd: 1
  accounts:
    - {name: shop, regions: [us-east-1], location: 's3://{account}'}
    - {role_arn: nonsense, regions: []}
""") == [
        "aws.accounts[0].role_arn: is required",
        "aws.accounts[0].location: '{account}' is neither {account_id} nor {region}",
        "aws.accounts[1].role_arn: 'nonsense' is not the ARN of a role, "
        "arn:aws:iam::111122223333:role/Name",
        "aws.accounts[1].regions: names none; at least one is needed",
        "aws.max_cost_usd: unknown key; did you mean 'max_cost_usd_per_day'?",
        "sources[2].location: 's3://logs' overlaps that of sources[1]; "
        "each log may be read by one source only",
    ]


def test_what_is_loaded_knows_no_templates(read):
    config = read("sources: [{type: athena, account: shop}]" + TWO_ACCOUNTS)
    again = [type(source).model_validate(source.model_dump()) for source in config.sources]
    assert again == list(config.sources)
    assert {type(source) for source in config.sources} == {Athena}
    assert all(isinstance(source, Athena | InvocationLogs) for source in again)


def test_the_documented_examples_mean_what_is_said_of_them(tmp_path):
    text = (ROOT / "docs" / "configuration.md").read_text()
    section = text.partition("## Accounts and regions\n")[2].partition("\n## ")[0]
    examples = re.findall(r"(?:^    .*\n)+", section, re.MULTILINE)
    named = []
    for example in examples:
        path = tmp_path / "config.yaml"
        path.write_text(textwrap.dedent(example))
        config = load(path, {"BEDROCK_EXTERNAL_ID": "shared-with-us"})
        named.append([source.name for source in config.sources])
    assert named == [
        ["athena"],
        ["athena-shop-us-east-1", "athena-shop-eu-central-1", "athena-research"],
    ]
