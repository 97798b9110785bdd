"""What the test roles may do, and who may assume them; as IAM has it, version 2012-10-17."""

from typing import Any

from exporter.administration.plan import PlanError
from exporter.administration.testbed.applications import CREATED_BY
from exporter.administration.testbed.place import Place
from exporter.interpretation.models import resolve

INLINE_POLICY = "invoke-one-model"
EXTERNAL_ID = CREATED_BY[1]
"""No secret: it keeps other software of the account from assuming a test role by mistake."""

Policy = dict[str, Any]


def foundation_model(model_id: str) -> str:
    """Return the foundation model of a model id or of a system-defined profile's id.

    Raises PlanError for what does not say its model, and so could not be named in a policy.
    """
    resolved = resolve(model_id, {})
    if model_id.startswith("arn:") or resolved.unpriced is not None:
        raise PlanError(
            f"--model: {model_id!r} is not the id of a foundation model, such as "
            "amazon.nova-micro-v1:0, or of its profile, such as us.amazon.nova-micro-v1:0"
        )
    return resolved.model


def trust_policy(place: Place) -> Policy:
    """Return who may assume a test role: identities of this account that know the external id."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{place.partition}:iam::{place.account_id}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def invoke_policy(place: Place, model_id: str) -> Policy:
    """Return what a test role may do: call one model, directly or through its profiles.

    A call through a profile needs the permission on the profile and on the model, wherever the
    profile leads (Bedrock User Guide, "Prerequisites for inference profiles").
    """
    model = foundation_model(model_id)
    key, value = CREATED_BY
    directly = {
        "Effect": "Allow",
        "Action": "bedrock:InvokeModel*",
        "Resource": [
            f"arn:{place.partition}:bedrock:*::foundation-model/{model}",
            place.bedrock_arn(f"inference-profile/*.{model}", "*"),
        ],
    }
    through_own_profile = {
        "Effect": "Allow",
        "Action": "bedrock:InvokeModel*",
        "Resource": place.bedrock_arn("application-inference-profile/*", "*"),
        "Condition": {"StringEquals": {f"aws:ResourceTag/{key}": value}},
    }
    return {"Version": "2012-10-17", "Statement": [directly, through_own_profile]}
