"""AWS to set up against: moto's server over HTTP, with what it lacks, and refusals on demand.

    with MotoAws() as moto:
        moto.refused["CreateTable"] = "AccessDeniedException"

Whatever boto3 sends goes to moto, except what is refused. moto has no UpdateWorkGroup, answers null
where Athena says that there is no such workgroup, and refuses to tell the tags of one without any;
all three are mended here.
"""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto.athena.responses import AthenaResponse
from moto.server import ThreadedMotoServer

from exporter.aws.sessions import session
from exporter.config import Account

ACCOUNT_ID = "123456789012"
"""moto's own."""

_READING = ("Get", "List", "Head", "Describe", "AssumeRole")


@dataclass(frozen=True)
class Call:
    """One operation that was asked for."""

    service: str
    operation: str
    region: str
    arguments: dict[str, Any] = field(hash=False)

    @property
    def changes(self) -> bool:
        return not self.operation.startswith(_READING)


class MotoAws:
    """moto, what was asked of it, and what is refused."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.refused: dict[str, str] = {}
        """The code that answers an operation, such as AccessDenied."""
        self.refused_regions: set[str] = set()
        """Regions in which everything of `refused` is refused; empty: all."""
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)

    def __enter__(self) -> Self:
        self._moto.start()
        host, port = self._moto.get_host_and_port()
        self.url = f"http://{host}:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._moto.stop()

    @contextmanager
    def fresh(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Self]:
        """Forget all that was, and let boto3 come here."""
        self._post("/moto-api/reset", {})
        self.calls.clear()
        self.refused.clear()
        self.refused_regions.clear()
        monkeypatch.setenv("AWS_ENDPOINT_URL", self.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setattr(BaseClient, "_make_api_call", self._watched(BaseClient._make_api_call))
        monkeypatch.setattr(AthenaResponse, "get_work_group", _get_work_group)
        monkeypatch.setattr(AthenaResponse, "update_work_group", _update_work_group, raising=False)
        monkeypatch.setattr(AthenaResponse, "list_tags_for_resource", _list_tags_for_resource)
        yield self

    def session(self, account: Account | None, region: str) -> boto3.Session:
        """The exporter's session."""
        return session(account, region)

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """A client of the test's own."""
        return self.session(None, region).client(service)

    def take_changes(self) -> list[Call]:
        """Return what was asked to change since the last time."""
        changes = [call for call in self.calls if call.changes]
        self.calls.clear()
        return changes

    def queue_result(self, region: str, count: int) -> None:
        """Have the next query return one figure."""
        rows = [{"Data": [{"VarCharValue": value}]} for value in ("_col0", str(count))]
        result = {"rows": rows, "column_info": []}
        queued = {"account_id": ACCOUNT_ID, "region": region, "results": [result]}
        self._post("/moto-api/static/athena/query-results", queued)

    def _post(self, path: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request):
            pass

    def _watched(self, send: Any) -> Any:
        def make_api_call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
            service, region = client.meta.service_model.service_name, client.meta.region_name
            self.calls.append(Call(service, operation, region, arguments))
            code = self.refused.get(operation)
            if code and (not self.refused_regions or region in self.refused_regions):
                answer: Any = {
                    "Error": {"Code": code, "Message": "told to refuse"},
                    "ResponseMetadata": {"HTTPStatusCode": 403},
                }
                raise ClientError(answer, operation)
            return send(client, operation, arguments)

        return make_api_call


def _get_work_group(response: AthenaResponse) -> Any:
    name = response._get_param("WorkGroup")
    found = response.athena_backend.get_work_group(name)
    if found is None:
        return response.error(f"WorkGroup {name} is not found.", 400)
    return json.dumps({"WorkGroup": found})


def _list_tags_for_resource(response: AthenaResponse) -> str:
    arn = response._get_param("ResourceARN")
    return json.dumps(response.athena_backend.list_tags_for_resource(arn) or {"Tags": []})


def _update_work_group(response: AthenaResponse) -> str:
    workgroup = response.athena_backend.work_groups[response._get_param("WorkGroup")]
    updates = response._get_param("ConfigurationUpdates", {})
    results = updates.pop("ResultConfigurationUpdates", {})
    workgroup.configuration.update(updates)
    workgroup.configuration.setdefault("ResultConfiguration", {}).update(results)
    workgroup.state = response._get_param("State") or workgroup.state
    return "{}"
