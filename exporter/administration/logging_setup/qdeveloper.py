"""What prompt logging and reports of Amazon Q Developer and Kiro need.

Both write as the same principal, into the same folder of keys. AWS has no API that switches them on
(botocore 1.44.5 knows none): the bucket and its policy are made here, the switches themselves stay
with a person at the consoles.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from exporter.administration.consoles import SWITCHES
from exporter.administration.logging_setup.enabling import Destination, destination_steps
from exporter.administration.plan import PlanError, Step
from exporter.administration.setup.bucket_policy import folder, qdeveloper_delivery
from exporter.administration.setup.place import Place

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def plan_qdeveloper(s3: "S3Client", place: Place, wanted: Destination) -> Iterator[Step]:
    """Compare the bucket with what Amazon Q Developer and Kiro need to write into it.

    Raises PlanError where the bucket cannot be the one, or the prefix is empty: reports are not
    written to the root of a bucket.
    """
    destination = wanted.at(place)
    if not folder(destination.prefix):
        raise PlanError(
            "--prefix: Amazon Q Developer and Kiro do not write to the root of a bucket"
        )
    delivery = qdeveloper_delivery(place, destination.bucket, destination.prefix)
    yield from destination_steps(s3, place, destination, delivery)


def console_steps(place: Place, wanted: Destination) -> Iterator[str]:
    """Tell what remains to be done by hand, and what config.yaml calls it then."""
    destination = wanted.at(place)
    location = f"s3://{destination.bucket}/{folder(destination.prefix)}"
    yield "No API switches this on. Do it as an administrator of account"
    yield f"{place.account_id} (standalone, or the organization's management account)"
    yield f"in {place.region}, where the profile is, each with the S3 location"
    yield f"  {location}"
    for source, switches in SWITCHES.items():
        yield f"  for the source {source.model_fields['name'].default}:"
        yield from (f"    {switch}" for switch in switches)
