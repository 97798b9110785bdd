"""Bucket policies: merged, never replaced, and read as far as they can be."""

from typing import Any

import pytest

from exporter.administration.setup.bucket_policy import (
    allows,
    bedrock_delivery,
    differing,
    merged,
    qdeveloper_delivery,
    refusal,
)
from exporter.administration.setup.place import Place

PLACE = Place("aws", "111122223333", "eu-west-1")
DELIVERY = bedrock_delivery(PLACE, "logs", "bedrock/")
THEIRS = {
    "Sid": "Audit",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
    "Action": ["s3:GetObject", "s3:ListBucket"],
    "Resource": "arn:aws:s3:::logs/*",
}
DOCUMENTED: dict[str, Any] = {
    "Sid": "AmazonBedrockLogsWrite",
    "Effect": "Allow",
    "Principal": {"Service": "bedrock.amazonaws.com"},
    "Action": ["s3:PutObject"],
    "Resource": [
        "arn:aws:s3:::logs/bedrock/AWSLogs/111122223333/BedrockModelInvocationLogs/*"
    ],
    "Condition": {
        "StringEquals": {"aws:SourceAccount": "111122223333"},
        "ArnLike": {"aws:SourceArn": "arn:aws:bedrock:eu-west-1:111122223333:*"},
    },
}  # fmt: skip
"""What the Bedrock User Guide prescribes."""


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_bedrock_gets_the_statement_that_aws_documents() -> None:
    ours = {**DELIVERY.statement(), "Sid": DOCUMENTED["Sid"]}
    assert differing(policy(DOCUMENTED), [ours]) == []


def test_amazon_q_developer_gets_the_statement_that_aws_documents() -> None:
    assert qdeveloper_delivery(PLACE, "logs", "q").statement() == {
        "Sid": "BedrockExporterQDeveloperLogs",
        "Effect": "Allow",
        "Principal": {"Service": "q.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::logs/q/*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": "111122223333"},
            "ArnLike": {"aws:SourceArn": "arn:aws:codewhisperer:eu-west-1:111122223333:*"},
        },
    }


def test_merging_keeps_every_other_statement_where_it_stood() -> None:
    stale = {**DELIVERY.statement(), "Resource": "arn:aws:s3:::logs/old/*"}
    result = merged(policy(stale, THEIRS), [DELIVERY.statement()])
    assert result["Statement"] == [DELIVERY.statement(), THEIRS]


def test_merging_twice_is_merging_once() -> None:
    once = merged(policy(THEIRS), [DELIVERY.statement()])
    assert merged(once, [DELIVERY.statement()]) == once
    assert differing(once, [DELIVERY.statement()]) == []


def test_a_policy_of_a_single_statement_without_a_list_is_kept_too() -> None:
    alone = {"Version": "2008-10-17", "Statement": THEIRS}
    result = merged(alone, [DELIVERY.statement()])
    assert result == {"Version": "2008-10-17", "Statement": [THEIRS, DELIVERY.statement()]}


def test_no_policy_becomes_one() -> None:
    assert merged({}, [DELIVERY.statement()]) == policy(DELIVERY.statement())


def test_the_same_statement_by_another_name_is_enough() -> None:
    assert allows(policy(DOCUMENTED), DELIVERY)
    assert merged(policy(DOCUMENTED), [DELIVERY.statement()]) == policy(DOCUMENTED)


@pytest.mark.parametrize(
    "change",
    [
        {"Action": "s3:*"},
        {"Action": "S3:PUTOBJECT"},
        {"Resource": "arn:aws:s3:::logs/*"},
        {"Principal": {"Service": ["logging.s3.amazonaws.com", "bedrock.amazonaws.com"]}},
        {"Condition": {"StringEquals": {"AWS:SourceAccount": ["1", "111122223333"]}}},
    ],
)
def test_a_wider_statement_lets_bedrock_write(change: dict[str, Any]) -> None:
    assert allows(policy({**DOCUMENTED, **change}), DELIVERY)


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Deny"},
        {"Action": "s3:GetObject"},
        {"Resource": "arn:aws:s3:::logs/other/*"},
        {"Resource": "arn:aws:s3:::logs"},
        {"Principal": {"Service": "cloudtrail.amazonaws.com"}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "444455556666"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:bedrock:us-east-1:111122223333:*"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
    ],
)
def test_a_statement_about_something_else_does_not(change: dict[str, Any]) -> None:
    assert not allows(policy({**DOCUMENTED, **change}), DELIVERY)


DENY: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Resource": "*"}


def deny(**changes: Any) -> dict[str, Any]:
    """A refusal with other elements; None leaves one out."""
    return {key: value for key, value in {**DENY, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    "statement",
    [
        deny(),
        deny(Principal={"AWS": "*"}),
        deny(Principal={"AWS": ["arn:aws:iam::1:root", "*"]}),
        deny(Principal={"Service": "*"}),
        deny(Principal={"Service": ["bedrock.amazonaws.com"]}),
        deny(Action=None, NotAction="s3:GetObject"),
        deny(Resource=None, NotResource="arn:aws:s3:::logs/other/*"),
    ],
)
def test_an_unconditional_refusal_counts_more_than_a_permission(statement: dict[str, Any]) -> None:
    assert not allows(policy(DOCUMENTED, statement), DELIVERY)
    told = refusal(policy(DOCUMENTED, statement), DELIVERY)
    assert told is not None and told.startswith("refuses bedrock.amazonaws.com to write")


@pytest.mark.parametrize(
    "statement",
    [
        deny(Condition={"Bool": {"aws:SecureTransport": "false"}}),
        deny(Principal={"AWS": "arn:aws:iam::444455556666:root"}),
        deny(Principal={"Service": "cloudtrail.amazonaws.com"}),
        deny(Action=None, NotAction=["s3:PutObject"]),
        deny(Resource=None, NotResource="arn:aws:s3:::logs/bedrock/*"),
        deny(Principal=None, NotPrincipal={"Service": "bedrock.amazonaws.com"}),
    ],
)
def test_a_refusal_of_something_else_is_none(statement: dict[str, Any]) -> None:
    assert refusal(policy(DOCUMENTED, statement), DELIVERY) is None
    assert allows(policy(DOCUMENTED, statement), DELIVERY)


def test_a_refusal_of_all_but_some_is_told_as_a_perhaps() -> None:
    statement = deny(Principal=None, NotPrincipal={"AWS": "arn:aws:iam::111122223333:root"})
    told = refusal(policy(DOCUMENTED, statement), DELIVERY)
    assert told is not None and told.startswith("perhaps refuses bedrock.amazonaws.com to write")
