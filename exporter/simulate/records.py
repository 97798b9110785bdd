"""One call as a Model Invocation Log record, schemaVersion 1.0, with the bodies it refers to.

Token counts exclude cached ones, absent cache counts mean none, and a call that failed has no
output, as in Bedrock's own records.
"""

from typing import Any

from exporter.simulate.bodies import Body, request_body, response_body
from exporter.simulate.calls import GUARDED, SUCCEEDED, Call, Quirk
from exporter.simulate.layout import BUCKET, hour_folder, timestamp
from exporter.simulate.workloads import Dialect

_JSON = "application/json"


def record(call: Call) -> dict[str, Any]:
    """Return the record that Bedrock would log."""
    fields: dict[str, Any] = {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": timestamp(call.second),
        "accountId": call.workload.account_id,
        "region": call.workload.region,
        "requestId": call.request_id,
        "operation": call.task.operation,
        "modelId": call.task.model_id,
        "identity": {"arn": call.principal},
        "input": _input(call),
    }
    if call.inference_region:
        fields["inferenceRegion"] = call.inference_region
    if call.metadata:
        fields["requestMetadata"] = call.metadata
    if is_answered(call):
        fields["output"] = _output(call)
    else:
        fields["errorCode"] = call.outcome
    return fields


def side_objects(call: Call) -> dict[str, Any]:
    """Return the bodies that stand in objects of their own, by key."""
    bodies: dict[str, Any] = {}
    if call.quirk is Quirk.LARGE:
        bodies[_side_key(call, "input")] = request_body(call, large=True)
    if is_answered(call) and call.task.dialect is Dialect.IMAGE:
        bodies[_side_key(call, "output")] = response_body(call)
    return bodies


def is_answered(call: Call) -> bool:
    """Tell whether the call has an output; one that a guardrail stopped has."""
    return call.outcome in (SUCCEEDED, GUARDED)


def _input(call: Call) -> Body:
    body: Body = {"inputContentType": _JSON}
    if call.quirk is Quirk.LARGE:
        body["inputBodyS3Path"] = f"s3://{BUCKET}/{_side_key(call, 'input')}"
    else:
        body["inputBodyJson"] = request_body(call)
    if call.quirk is Quirk.UNCOUNTED:
        return body
    if is_answered(call):
        body["inputTokenCount"] = call.tokens.input
        if call.task.cache_read_tokens:
            body["cacheReadInputTokenCount"] = call.tokens.cache_read
            body["cacheWriteInputTokenCount"] = call.tokens.cache_write
    elif call.outcome == "ModelTimeoutException":
        body["inputTokenCount"] = call.tokens.input
    return body


def _output(call: Call) -> Body:
    body: Body = {"outputContentType": _JSON}
    if call.task.dialect is Dialect.IMAGE:
        body["outputBodyS3Path"] = f"s3://{BUCKET}/{_side_key(call, 'output')}"
    else:
        body["outputBodyJson"] = response_body(call)
    if call.quirk is not Quirk.UNCOUNTED:
        body["outputTokenCount"] = call.tokens.output
    return body


def _side_key(call: Call, which: str) -> str:
    hour = hour_folder(call.workload.account_id, call.workload.region, call.second)
    return f"{hour}/data/{call.request_id}_{which}.json.gz"
