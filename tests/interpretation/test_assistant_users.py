"""Who the users of developer assistants are, and who of them counts."""

import pytest

from assistant_builders import ANN
from exporter.config.assistants import Users
from exporter.config.lookups import IdentityCenter, Lookups
from exporter.interpretation.assistant_users import AssistantUsers
from exporter.interpretation.names import Names
from exporter.usage import LookedUp
from usage_builders import NOON

TOLD = LookedUp("identity_user", ANN, (("user_name", "ann@example.com"),), NOON)


def users(include=(), exclude=(), names=None):
    return AssistantUsers(Users(include=include, exclude=exclude), names)


def told():
    center = IdentityCenter(identity_store_id="d-1234567890", region="us-east-1")
    return Names(Lookups(identity_center=center), {("identity_user", ANN): TOLD})


def test_a_user_is_called_by_the_id_unless_identity_center_told_a_name():
    assert users().name_of(ANN) == ANN
    assert users(names=told()).name_of(ANN) == "ann@example.com"


def test_a_log_that_names_nobody_is_of_an_unknown_user():
    assert users().name_of("") == "unknown"
    assert users().name_of("\x00\n") == "unknown"


@pytest.mark.parametrize(
    ("include", "exclude", "counts"),
    [
        ((), (), True),
        (("6f96",), (), True),
        (("zzz",), (), False),
        (("ann@*",), (), True),
        ((), ("ann@",), False),
        (("6f96",), ("*@example.com",), False),
        (("ANN",), (), False),
    ],
)
def test_a_filter_looks_at_the_id_and_at_the_name(include, exclude, counts):
    name = users(include, exclude, told()).name_of(ANN)
    assert (name is not None) == counts


def test_hostile_ids_become_labels_of_one_line_and_bounded_length():
    name = users().name_of("=cmd|' /C calc'!A0\r\n" + "x" * 1000)
    assert "\n" not in name
    assert len(name) == 256
