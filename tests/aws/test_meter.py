"""What the exporter's own requests to AWS are counted as, and cost."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from exporter.aws.meter import Meter, request_cost_usd
from exporter.usage import AwsRequest

LIST, GET = AwsRequest("s3", "ListObjectsV2"), AwsRequest("s3", "GetObject")


class Client:
    """As much of a boto3 client as tells of what is sent."""

    def __init__(self) -> None:
        self.meta = SimpleNamespace(events=self)
        self._handlers: list[Any] = []

    def register(self, name: str, handler: Any) -> None:
        assert name == "before-send"
        self._handlers.append(handler)

    def send(self, operation: str) -> None:
        for handler in self._handlers:
            answer = handler(event_name=f"before-send.s3.{operation}", request=object())
            assert answer is None, "an answer would take the place of the request"


def test_requests_of_all_clients_are_counted_by_operation() -> None:
    meter, one, other = Meter(), Client(), Client()
    meter.attach(one)
    meter.attach(other)
    one.send("GetObject")
    one.send("ListObjectsV2")
    other.send("GetObject")
    assert meter.take() == {GET: 2, LIST: 1}


def test_what_was_taken_is_not_taken_again() -> None:
    meter, client = Meter(), Client()
    meter.attach(client)
    client.send("GetObject")
    meter.take()
    assert meter.take() == {}
    client.send("GetObject")
    assert meter.take() == {GET: 1}


def test_requests_cost_what_s3_charges_for_a_thousand() -> None:
    assert request_cost_usd(LIST, 1000) == Decimal("0.005")
    assert request_cost_usd(GET, 1000) == Decimal("0.0004")
    assert request_cost_usd(LIST, 1) == Decimal("0.000005")


def test_a_request_that_is_not_billed_costs_nothing() -> None:
    assert request_cost_usd(AwsRequest("sts", "AssumeRole"), 1000) == 0
