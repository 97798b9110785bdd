"""Where the resources of a set-up lie, and what they are called. Asks nobody."""

from dataclasses import dataclass

RESULTS_PREFIX = "athena/"
"""Of the analytics bucket: where Athena leaves what queries returned."""
TAGS = {"created-by": "bedrock-exporter"}
"""What everything is marked with that is made here."""


@dataclass(frozen=True)
class Place:
    """One region of one account."""

    partition: str
    """aws, aws-us-gov or aws-cn."""
    account_id: str
    region: str

    def __str__(self) -> str:
        return f"{self.account_id} {self.region}"

    @property
    def analytics_bucket(self) -> str:
        """Return the name of the bucket of everything that is made for Athena."""
        return f"bedrock-exporter-{self.account_id}-{self.region}"

    @property
    def results(self) -> str:
        """Return the location of query results."""
        return f"s3://{self.analytics_bucket}/{RESULTS_PREFIX}"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource that belongs to the account and the region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    def bucket_arn(self, name: str) -> str:
        """Return the ARN of a bucket, or of bucket/key."""
        return f"arn:{self.partition}:s3:::{name}"
