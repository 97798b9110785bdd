"""What prompt logging and activity reports of Amazon Q Developer need.

AWS has no API that switches them on (botocore 1.44.5 knows none): the bucket and its policy are
made here, the switch itself stays with a person at the console.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from exporter.administration.logging_setup.enabling import Destination, destination_steps
from exporter.administration.plan import PlanError, Step
from exporter.administration.setup.bucket_policy import folder, qdeveloper_delivery
from exporter.administration.setup.place import Place

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def plan_qdeveloper(s3: "S3Client", place: Place, wanted: Destination) -> Iterator[Step]:
    """Compare the bucket with what Amazon Q Developer needs to write into it.

    Raises PlanError where the bucket cannot be the one, or the prefix is empty: reports are not
    written to the root of a bucket.
    """
    destination = wanted.at(place)
    if not folder(destination.prefix):
        raise PlanError("--prefix: Amazon Q Developer does not write to the root of a bucket")
    delivery = qdeveloper_delivery(place, destination.bucket, destination.prefix)
    yield from destination_steps(s3, place, destination, delivery)


def console_steps(place: Place, wanted: Destination) -> Iterator[str]:
    """Tell what remains to be done by hand (Amazon Q Developer User Guide)."""
    destination = wanted.at(place)
    location = f"s3://{destination.bucket}/{folder(destination.prefix)}"
    yield "No API switches this on. At the Amazon Q Developer console, as an administrator of"
    yield f"account {place.account_id} (standalone, or the organization's management account),"
    yield f"in {place.region}, where its profile is:"
    yield "  1. Settings, Preferences, Edit: switch on `Q Developer prompt logging`;"
    yield f"     Amazon S3 location: {location}"
    yield "  2. Settings, Q Developer user activity reports, Edit: switch on `Collect granular"
    yield f"     metrics per user`; S3 location: {location}"
