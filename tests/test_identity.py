"""What of a caller's name may be stored: folding and pseudonyms."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import config
from exporter.identity import (
    MACHINE_MADE,
    Privacy,
    fold_principal,
    fold_value,
)

ROLE = "arn:aws:sts::111122223333:assumed-role/ChatApp-BedrockRole"
KEY = b"0123456789abcdef"
UUID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"

MADE_BY_MACHINES = [
    "botocore-session-1699999999",
    "aws-go-sdk-1699999999999999999",
    "aws-sdk-js-session-1699999999999",
    "session1699999999",
    "11122233344",
    "backup-20251121T153000Z",
    "backup_20251121_153000",
    "nightly-2025-11-21T15-30-00",
    "i-0abc123def4567890",
    "i-0abc1234",
    "mi-0abc123def4567890",
    "ip-10-0-1-23",
    "ip-10-0-1-23.eu-central-1.compute.internal",
    "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    "6F9619FF-8B86-4D01-B42D-00CF4FC964FF",
    "AWSCodeBuild-6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    "eks-prod-chat-6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    "1f2a3b4c5d6e7f8091a2b3c4d5e6f708",
    "ecs_1f2a3b4c5d6e7f8091a2b3c4d5e6f708",
    "deploy-9f86d081884c7d65",
    "9f86d081",
    "app-7d9c5b6f4-x2x9z",
    "customer-service-api-5d4f8c7b9d-zzlqf",
    "nightly-29384756-x2x9z",
    "terraform-run-CZcmD7eagjhyX0vN",
    "run-CZcmD7eagjhyX0vN",
    "oJnFfdRGSgOnSkHfTTdQfMXmHabcDeFg",
]

KEPT = [
    "alice",
    "Alice",
    "alice.liddell",
    "alice_liddell",
    "anne-marie.smith",
    "ed.abbe1984",
    "abbe1984",
    "o'neill",
    "김민수",
    "alice@example.com",
    "svc+1699999999@example.com",
    "6f9619ff-8b86-4d01-b42d-00cf4fc964ff@example.com",
    "e12345678",
    "123456789",
    "GitHubActions",
    "AWSCLI-Session",
    "codebuild",
    "prod",
    "session1",
    "backup-20251121",
    "chat-handler",
    "mystack-ChatHandler1A2B3C4D-Xy7ZkQpL2mN9",
    "sam-app-HelloWorldFunction-1QK4Z7R2WX3YB",
    "chat-function-a1b2c3d4",
    "CustomerServiceChatBotApiHandler",
    "statefulset-0",
    "deadbeef",
    "decade",
    "machine",
    "",
]


@pytest.mark.parametrize("name", MADE_BY_MACHINES)
def test_a_session_name_that_a_machine_made_up_folds(name):
    assert fold_principal(f"{ROLE}/{name}") == f"{ROLE}/machine"
    assert fold_value(name) == "machine"


@pytest.mark.parametrize("name", KEPT)
def test_a_name_of_a_person_or_a_fixed_name_is_kept(name):
    assert fold_principal(f"{ROLE}/{name}") == f"{ROLE}/{name}"
    assert fold_value(name) == name


@pytest.mark.parametrize("title", MACHINE_MADE)
def test_every_example_of_the_table_folds(title):
    assert fold_value(title.split()[-1]) == "machine"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("d-9067642ac7.6f9619ff-8b86-4d01-b42d-00cf4fc964ff", True),
        ("d-9067642ac7.9067642ac7-6f9619ff-8b86-4d01-b42d-00cf4fc964ff", True),
        ("9067642ac7-6f9619ff-8b86-4d01-b42d-00cf4fc964ff", True),
        ("6f9619ff-8b86-4d01-b42d-00cf4fc964ff", False),
        ("run-d-9067642ac7.6f9619ff-8b86-4d01-b42d-00cf4fc964ff", False),
    ],
)
def test_the_id_of_an_identity_center_user_names_a_person_and_a_bare_uuid_does_not(value, kept):
    assert fold_value(value) == (value if kept else "machine")


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::111122223333:user/9f86d081",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:role/run-CZcmD7eagjhyX0vN",
        "bedrock.amazonaws.com",
        "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        "",
    ],
)
def test_principals_without_a_session_are_not_folded(arn):
    assert fold_principal(arn) == arn


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn", "aws-iso-b"])
def test_sessions_and_federated_users_fold_in_every_partition(partition):
    sts = f"arn:{partition}:sts::111122223333"
    assert fold_principal(f"{sts}:assumed-role/Role/i-0abc1234") == (
        f"{sts}:assumed-role/Role/machine"
    )
    assert fold_principal(f"{sts}:federated-user/i-0abc1234") == f"{sts}:federated-user/machine"


letters = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=15)


@given(letters, letters, st.integers(0, 9999), st.sampled_from(["", "example.com"]))
def test_no_first_and_last_name_with_or_without_a_number_and_a_domain_ever_folds(
    first, last, number, domain
):
    for name in (f"{first}.{last}", f"{first}.{last}{number}"):
        name = f"{name}@{domain}" if domain else name
        assert fold_value(name) == name


@given(st.text(max_size=64), st.text(min_size=1, max_size=40))
def test_nothing_with_an_at_sign_folds(before, after):
    assert fold_value(f"{before}@{after}") == f"{before}@{after}"


@given(st.from_regex(r"[\w+=,.@-]{2,64}", fullmatch=True) | st.sampled_from(MADE_BY_MACHINES))
def test_folding_twice_is_folding_once(name):
    once = fold_principal(f"{ROLE}/{name}")
    assert fold_principal(once) == once


@given(st.uuids())
def test_every_uuid_folds(uuid):
    assert fold_value(f"job-{uuid}") == fold_value(uuid.hex) == "machine"


PSEUDONYM = Privacy("pseudonym", KEY)
DROP = Privacy("drop")
ALICE = "user-fdbf8b1cacd3d578"  # printf alice | openssl dgst -sha256 -hmac 0123456789abcdef


def test_plain_folds_and_hides_nothing():
    assert Privacy().principal(f"{ROLE}/alice") == f"{ROLE}/alice"
    assert Privacy().principal(f"{ROLE}/i-0abc1234") == f"{ROLE}/machine"
    assert Privacy().value("alice") == "alice"
    assert Privacy().principal("whatever") == "whatever"


@pytest.mark.parametrize(
    ("arn", "pseudonymous", "dropped"),
    [
        (f"{ROLE}/alice", f"{ROLE}/{ALICE}", f"{ROLE}/unknown"),
        (
            "arn:aws-us-gov:sts::111122223333:assumed-role/R/alice",
            f"arn:aws-us-gov:sts::111122223333:assumed-role/R/{ALICE}",
            "arn:aws-us-gov:sts::111122223333:assumed-role/R/unknown",
        ),
        (
            "arn:aws-cn:iam::111122223333:user/alice",
            f"arn:aws-cn:iam::111122223333:user/{ALICE}",
            "arn:aws-cn:iam::111122223333:user/unknown",
        ),
        (
            "arn:aws:iam::111122223333:user/people/liddell/alice",
            f"arn:aws:iam::111122223333:user/{ALICE}",
            "arn:aws:iam::111122223333:user/unknown",
        ),
        (
            "arn:aws:sts::111122223333:federated-user/alice",
            f"arn:aws:sts::111122223333:federated-user/{ALICE}",
            "arn:aws:sts::111122223333:federated-user/unknown",
        ),
        ("alice", ALICE, "unknown"),
    ],
)
def test_the_user_part_of_a_principal_is_hidden(arn, pseudonymous, dropped):
    assert PSEUDONYM.principal(arn) == pseudonymous
    assert DROP.principal(arn) == dropped


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:role/service-role/Chat",
        "bedrock.amazonaws.com",
        "ec2.cn-north-1.amazonaws.com.cn",
        "",
        f"{ROLE}/machine",
    ],
)
def test_principals_that_name_nobody_stay(arn):
    assert PSEUDONYM.principal(arn) == arn
    assert DROP.principal(arn) == arn


@pytest.mark.parametrize("privacy", [PSEUDONYM, DROP])
@pytest.mark.parametrize(
    "arn",
    [
        "AROAEXAMPLEID:alice@example.com",
        "arn:aws:sts::111122223333:assumed-role/alice@example.com",
        "arn:aws:sts::111122223333:assumed-role/R/x/alice@example.com",
        "arn:aws:sts::111122223333:assumed-role/R/\nalice@example.com",
        "arn:aws:sts::not-an-account:assumed-role/R/alice@example.com",
        "arn:aws:iam::111122223333:user/",
        "arn:aws:iam::111122223333:root/alice@example.com",
        "arn:aws:iam::111122223333:role/x\nalice@example.com",
        "arn:aws:iam::111122223333:oidc/alice@example.com",
        "alice@example.com.amazonaws.com",
        "bedrock.amazonaws.com\nalice@example.com",
        "arn:aws:sts:alice@example.com:111122223333:assumed-role/R/s",
    ],
)
def test_nothing_personal_survives_in_an_odd_principal(privacy, arn):
    hidden = privacy.principal(arn)
    assert "alice" not in hidden
    assert hidden == privacy.principal(arn)


@given(st.text(max_size=80))
def test_no_text_whatever_stops_folding_or_hiding(text):
    for arn in (text, f"{ROLE}/{text}", f"arn:aws:iam::1:user/{text}"):
        for privacy in (Privacy(), PSEUDONYM, DROP):
            privacy.principal(arn)
            privacy.value(arn)


def test_a_half_character_can_be_pseudonymised():
    assert PSEUDONYM.value("\ud800").startswith("user-")


def test_a_pseudonym_is_the_same_wherever_the_name_occurs_and_differs_by_name_and_key():
    alice = PSEUDONYM.value("alice")
    assert alice == ALICE
    assert PSEUDONYM.principal(f"{ROLE}/alice").endswith(alice)
    assert PSEUDONYM.value("bob") != alice
    assert Privacy("pseudonym", b"another key of 16").value("alice") != alice


def test_metadata_values_are_folded_and_hidden():
    assert DROP.value("alice") == "unknown"
    assert DROP.value("") == PSEUDONYM.value("") == ""
    uuid = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
    assert Privacy().value(uuid) == PSEUDONYM.value(uuid) == DROP.value(uuid) == "machine"


def pseudonyms(key=None):
    return config.Privacy(users="pseudonym", key=key)


@pytest.mark.parametrize("text", [f"d-9067012345.{UUID}", UUID], ids=["with", "without"])
def test_a_user_of_an_assistant_has_one_id_with_and_without_its_directory(text: str) -> None:
    assert Privacy().user_id(text) == UUID


def test_the_id_of_an_assistants_user_is_hidden_as_any_other_name() -> None:
    hidden = Privacy("pseudonym", KEY)
    assert hidden.user_id(f"d-9067012345.{UUID}") == hidden.user_id(UUID) != UUID
    assert re.fullmatch(r"user-[0-9a-f]{16}", hidden.user_id(UUID))
    assert Privacy("drop").user_id(UUID) == "unknown"
    assert Privacy("pseudonym", KEY).user_id("") == ""
